"""Raises now and then. The host logs it, and goes on."""


def on_event(event):
    if event.get("n") == 1:
        raise ValueError(f"can't handle {event}")
