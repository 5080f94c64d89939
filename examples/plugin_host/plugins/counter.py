"""Counts events, in names of its own, and publishes every third one."""

import host

count = 0


def on_event(event):
    global count
    if event["kind"] == "tick":
        count += 1
        if count % 3 == 0:
            host.publish("counted", {"count": count, "last": event})
