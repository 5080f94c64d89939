"""What the tests of executors have done: these can be imported in each interpreter."""

import dataclasses
import threading


@dataclasses.dataclass
class Point:
    x: int
    y: int = 0


class Failed(Exception):
    def __init__(self, message):
        super().__init__(message)
        self.code = 7


def fail(message):
    raise Failed(message)


def fail_with_lock():
    raise Failed(threading.Lock())


def give_lock():
    return 1, threading.Lock()
