"""What the tests in Python share."""


def raises(kind, part, function, *args, **named):
    """The exception that a call raises: of this class, and with `part` in its text."""
    try:
        function(*args, **named)
    except kind as e:
        assert part in str(e), str(e)
        return e
    raise AssertionError(f'no {kind.__name__}')
