#: modules_cleared after=any
import sys
sys.modules.clear()

#: modules_cleared_then_error expect=EXCEPTION type=ZeroDivisionError after=any
import sys
sys.modules.clear()
1 / 0

#: modules_replaced after=any
import sys
sys.modules = None

#: modules_full_of_junk after=any
import sys
for name in list(sys.modules):
    sys.modules[name] = 42

#: modules_evil after=any
import sys

class Evil(dict):
    def __getitem__(self, key):
        raise RuntimeError('no')

    get = __contains__ = __getitem__

sys.modules = Evil(sys.modules)

#: builtins_deleted after=any
del __builtins__

#: builtins_emptied after=any
import builtins
vars(builtins).clear()

#: builtins_emptied_then_error expect=EXCEPTION after=any
import builtins
vars(builtins).clear()
undefined

#: builtins_replaced after=any
__builtins__ = 42

#: builtins_none after=any
import sys
__builtins__ = None
sys.modules['builtins'] = None

#: builtins_wrong after=any
import builtins
for name in 'print', 'open', 'len', 'dict', 'type', 'isinstance', 'getattr', 'Exception', 'str':
    setattr(builtins, name, None)

#: import_replaced expect=EXCEPTION after=any
import builtins
builtins.__import__ = lambda *_: 1 / 0
import json

#: build_class_replaced expect=EXCEPTION
import builtins
builtins.__build_class__ = None

class C:
    pass

#: main_replaced
import sys
sys.modules['__main__'] = None

#: main_deleted
import sys
del sys.modules['__main__']

#: main_cleared after=any
globals().clear()

#: main_evil_dict after=any
import sys

class Evil:
    def __del__(self):
        globals().clear()

x = Evil()
sys.modules['__main__'].__dict__['y'] = Evil()
x = None

#: sys_emptied after=any
import sys
for name in list(vars(sys)):
    if name != 'modules':
        delattr(sys, name)

#: sys_emptied_then_error expect=EXCEPTION after=any
import sys
vars(sys).clear()
1 / 0

#: importlib_broken after=any
import sys
sys.meta_path.clear()
sys.path_hooks.clear()
sys.path.clear()
sys.modules.pop('importlib._bootstrap', None)

#: meta_path_evil expect=any after=any
import sys

class Evil:
    def find_spec(self, *arguments):
        raise KeyError(arguments)

sys.meta_path.insert(0, Evil())
import fractions

#: loader_broken expect=any after=any
# What the library itself hooks into.
import _frozen_importlib_external as external
external.ExtensionFileLoader.create_module = None
external.ExtensionFileLoader.exec_module = 42
import mmap

#: traceback_broken expect=EXCEPTION type=ZeroDivisionError
import sys, traceback
traceback.format_exception = None
sys.modules['traceback'] = None
1 / 0

#: linecache_broken expect=EXCEPTION type=ZeroDivisionError
import linecache
linecache.cache = None
linecache.getlines = None
1 / 0

#: traceback_hangs_not expect=EXCEPTION type=ZeroDivisionError
import traceback

def exits(*arguments, **keywords):
    raise SystemExit(5)

traceback.format_exception = exits
1 / 0

#: io_broken
import io, sys
io.TextIOWrapper = None
sys.modules['io'] = None
sys.modules['_io'] = None

#: threading_broken
import sys, threading
threading._shutdown = None
threading._main_thread = None
threading._active = None
sys.modules['threading'] = 42

#: atexit_broken
import atexit, sys
atexit._run_exitfuncs = None
sys.modules['atexit'] = None

#: shutdown_evil
import threading

def shutdown():
    raise SystemExit(3)

threading._shutdown = shutdown

#: codecs_broken expect=any after=any
import codecs, encodings
encodings.search_function = None
encodings._cache.clear()
codecs.register(lambda name: 1 / 0)
'x'.encode('shift_jis')

#: frames_cleared
import sys

def f():
    try:
        yield sys._getframe()
    finally:
        pass

generator = f()
frame = next(generator)
for frame in frame, sys._getframe():
    try:
        frame.clear()
    except RuntimeError:
        pass

#: code_replaced
def f():
    pass

def g(n):
    return n and g(n - 1)

f.__code__ = g.__code__.replace(co_freevars=())
