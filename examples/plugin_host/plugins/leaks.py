"""Keeps 10 MB of each event. Its memory is limited, from Python 3.12 on."""

kept = []


def on_event(event):
    kept.append(bytearray(10_000_000))
