"""Loops for ever now and then, and catches what it can. Its time is limited."""


def on_event(event):
    while event.get("n") == 2:
        try:
            sum(range(1000))
        except Exception:
            pass
