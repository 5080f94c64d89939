#: str_raises expect=EXCEPTION type=Evil
class Evil(Exception):
    def __str__(self):
        1 / 0

raise Evil

#: str_recurses expect=EXCEPTION type=Evil
class Evil(Exception):
    def __str__(self):
        return str(self)

raise Evil

#: str_is_no_text expect=EXCEPTION type=Evil
class Evil(Exception):
    def __str__(self):
        return 42

raise Evil

#: str_exits expect=EXCEPTION type=Evil
class Evil(Exception):
    def __str__(self):
        raise SystemExit(3)

raise Evil

#: str_raises_itself expect=EXCEPTION type=Evil
class Evil(Exception):
    def __str__(self):
        raise self

raise Evil

#: str_is_huge expect=EXCEPTION type=Evil
class Evil(Exception):
    def __str__(self):
        return 'x' * 50_000_000

raise Evil

#: str_starts_threads expect=EXCEPTION type=Evil
class Evil(Exception):
    def __str__(self):
        import threading
        thread = threading.Thread(target=len, args=('',))
        thread.start()
        thread.join()
        return 'threads'

raise Evil

#: repr_raises expect=EXCEPTION type=KeyError
class Evil:
    def __repr__(self):
        1 / 0

raise KeyError(Evil())

#: surrogates expect=EXCEPTION type=ValueError
raise ValueError('\ud800 \udfff')

#: surrogates_in_name expect=EXCEPTION
raise type('Evil\ud800', (Exception,), {'__module__': '\udfff'})

#: nul expect=EXCEPTION type=ValueError
raise ValueError('a\0b')

#: unicode expect=EXCEPTION type=Ошибка message=不行
class Ошибка(Exception):
    pass

def 函数():
    raise Ошибка('不行 ไม่ได้ لا 🐍 e\u0301')

函数()

#: unicode_filename filename=ファイル-файл-ملف.py expect=EXCEPTION type=ZeroDivisionError
assert __import__('sys')._getframe().f_code.co_filename == 'ファイル-файл-ملف.py'
1 / 0

#: module_is_no_text expect=EXCEPTION
class Evil(Exception):
    pass

Evil.__module__ = 42
raise Evil

#: qualname_is_evil expect=EXCEPTION
class Text(str):
    def __str__(self):
        1 / 0

    __repr__ = __format__ = __str__

class Evil(Exception):
    pass

Evil.__qualname__ = Text('Evil')
Evil.__module__ = Text('evil')
raise Evil

#: metaclass_is_evil expect=EXCEPTION
class Meta(type):
    def __getattribute__(cls, name):
        raise RuntimeError(name)

class Evil(Exception, metaclass=Meta):
    pass

raise Evil

#: metaclass_instancecheck expect=EXCEPTION
class Meta(type):
    def __instancecheck__(cls, instance):
        1 / 0

    def __subclasscheck__(cls, subclass):
        1 / 0

    def __hash__(cls):
        1 / 0

    def __eq__(cls, other):
        1 / 0

class Evil(Exception, metaclass=Meta):
    pass

raise Evil

#: class_lies expect=EXCEPTION
class Evil(Exception):
    __class__ = int

raise Evil

#: class_lies_exit expect=EXCEPTION
class Evil(Exception):
    __class__ = SystemExit
    code = 3

raise Evil

#: getattribute_is_evil expect=EXCEPTION type=Evil
class Evil(Exception):
    def __getattribute__(self, name):
        raise RuntimeError(name)

raise Evil

#: getattribute_exits expect=EXCEPTION type=Evil
class Evil(Exception):
    def __getattribute__(self, name):
        raise SystemExit(3)

raise Evil

#: attributes_lie expect=EXCEPTION type=Evil
class Evil(Exception):
    __cause__ = 42
    __context__ = 'context'
    __traceback__ = object()
    __notes__ = 42
    __suppress_context__ = None
    exceptions = 42

raise Evil

#: notes_are_evil expect=EXCEPTION type=ValueError
class Note:
    def __str__(self):
        1 / 0

    __repr__ = __str__

error = ValueError('x')
error.__notes__ = [Note(), 42, None, '\ud800', error]
raise error

#: new_returns_other expect=EXCEPTION
class Evil(Exception):
    def __new__(cls):
        return 42

raise Evil

#: init_raises expect=EXCEPTION
class Evil(Exception):
    def __init__(self):
        1 / 0

raise Evil

#: not_an_exception expect=EXCEPTION type=TypeError
raise 42

#: deep_traceback expect=EXCEPTION type=ZeroDivisionError
import sys
sys.setrecursionlimit(20_000)
error = None

# 10,000 frames, on none of which C's stack grows.
def f(n):
    if n == 0:
        1 / 0
    f(n - 1)

f(5_000 if sys.version_info < (3, 11) else 10_000)

#: long_traceback expect=EXCEPTION type=ZeroDivisionError
import types
try:
    1 / 0
except ZeroDivisionError as e:
    error = e
    step = e.__traceback__
    for _ in range(100_000):
        step = types.TracebackType(step, step.tb_frame, step.tb_lasti, step.tb_lineno)
raise error.with_traceback(step)

#: long_context expect=EXCEPTION type=ValueError
error = None
for n in range(10_000):
    new = ValueError(n)
    new.__context__ = error
    error = new
raise error

#: long_cause expect=EXCEPTION type=ValueError
error = None
for n in range(10_000):
    new = ValueError(n)
    new.__cause__ = error
    error = new
raise error

#: context_raised_in_turn expect=EXCEPTION type=ValueError
def raise_from(n):
    error = None
    for n in range(2_000):
        try:
            if error is not None:
                raise error
            raise ValueError(0)
        except ValueError as e:
            error = ValueError(n)
            error.__context__ = e
    raise error

raise_from(0)

#: cyclic_context expect=EXCEPTION type=ValueError
a, b, c = ValueError('a'), KeyError('b'), TypeError('c')
a.__context__, b.__context__, c.__context__ = b, c, a
raise a

#: cyclic_cause expect=EXCEPTION type=ValueError
a, b = ValueError('a'), KeyError('b')
a.__cause__, b.__cause__ = b, a
raise a

#: own_context expect=EXCEPTION type=ValueError
a = ValueError('a')
a.__context__ = a.__cause__ = a
raise a

#: deep_group expect=EXCEPTION type=ExceptionGroup needs=3.11
error = ValueError('inside')
for n in range(500):
    error = ExceptionGroup(f'group {n}', [error])
raise error

#: very_deep_group expect=EXCEPTION type=ExceptionGroup needs=3.11
error = ValueError('inside')
for n in range(20_000):
    error = ExceptionGroup('group', [error])
raise error

#: wide_group expect=EXCEPTION type=ExceptionGroup needs=3.11
raise ExceptionGroup('group', [ValueError(n) for n in range(10_000)])

#: group_of_evil expect=EXCEPTION needs=3.11
class Evil(Exception):
    def __str__(self):
        1 / 0

class Group(ExceptionGroup):
    @property
    def exceptions(self):
        1 / 0

raise Group('group', [Evil()])

#: memory_error expect=EXCEPTION type=MemoryError
x = bytearray(1 << 60)

#: memory_error_by_hand expect=EXCEPTION type=MemoryError
raise MemoryError

#: keyboard_interrupt expect=EXCEPTION type=KeyboardInterrupt
raise KeyboardInterrupt

#: generator_exit expect=EXCEPTION type=GeneratorExit
raise GeneratorExit

#: locals_are_evil expect=EXCEPTION type=ZeroDivisionError
class Evil:
    def __repr__(self):
        raise SystemExit

    __eq__ = __hash__ = None

def f(a=Evil()):
    b = Evil()
    1 / 0

f()

#: suggestion_is_evil expect=EXCEPTION type=AttributeError
# Python looks for similar names when it prints an AttributeError.
class Evil:
    def __dir__(self):
        1 / 0

Evil().misspelled

#: suggestion_is_huge expect=EXCEPTION type=AttributeError
class Many:
    def __dir__(self):
        return [f'misspelled{n}' for n in range(100_000)]

Many().misspelled

#: syntax_error_by_hand expect=EXCEPTION type=SyntaxError
error = SyntaxError('by hand')
error.filename, error.lineno, error.offset, error.text = 42, -1, 10 ** 6, 'text'
error.end_lineno = error.end_offset = -(10 ** 6)
raise error

#: syntax_error_evil expect=EXCEPTION type=SyntaxError
class Text(str):
    def __getattribute__(self, name):
        raise RuntimeError(name)

raise SyntaxError('evil', (Text('file'), 1, 1, Text('text'), 1, 2))

#: kept_from_run_to_run expect=EXCEPTION type=ValueError
try:
    kept
except NameError:
    kept = ValueError('kept')
raise kept

#: sys_exc_info
import sys
try:
    1 / 0
except ZeroDivisionError:
    kept = sys.exc_info()
