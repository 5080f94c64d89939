"""What queues raise, and what stands for items that are gone."""

import queue


class QueueError(RuntimeError):
    """Something is wrong with a queue."""


class QueueNotFoundError(QueueError):
    """There is no such queue, or it is closed."""


class QueueEmpty(QueueError, queue.Empty):
    """get() has found no item in its time."""


class QueueFull(QueueError, queue.Full):
    """put() has found no room in its time."""


class ItemInterpreterDestroyed(QueueError):
    """The interpreter has ended that had put the item."""


class _Unbound:
    """What becomes of an item when the interpreter ends that has put it."""

    def __init__(self, name, code):
        self._name, self._code = name, code

    def __repr__(self):
        return f'<{self._name}>'

    def __reduce__(self):
        return self._name


UNBOUND = _Unbound('UNBOUND', 1)
UNBOUND_ERROR = _Unbound('UNBOUND_ERROR', 2)
UNBOUND_REMOVE = _Unbound('UNBOUND_REMOVE', 3)


def code_of(rule):
    if not isinstance(rule, _Unbound):
        raise NotImplementedError(f'unbounditems is {rule!r}: use UNBOUND, UNBOUND_ERROR or UNBOUND_REMOVE')
    return rule._code


def rule_of(code):
    return {1: UNBOUND, 2: UNBOUND_ERROR, 3: UNBOUND_REMOVE}.get(code)


def gone(code):
    if code == UNBOUND_ERROR._code:
        raise ItemInterpreterDestroyed('the interpreter has ended that had put this item')
    return UNBOUND
