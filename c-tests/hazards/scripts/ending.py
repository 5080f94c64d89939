#: del_raises says=ZeroDivisionError
# Finalizers that raise when the interpreter is destroyed.
class Raises:
    def __del__(self):
        1 / 0

kept = Raises()

#: del_exits
class Exits:
    def __del__(self):
        raise SystemExit(3)

kept = Exits()

#: del_prints says=at-the-end
class Prints:
    def __del__(self, print=print):
        print('at-the-end')

kept = Prints()

#: del_runs_code says=42
class Runs:
    def __del__(self, run=exec, out=print):
        namespace = {}
        run('def f(n): return n * 2\nx = f(21)', namespace)
        out(namespace['x'])

kept = Runs()

#: del_imports
class Imports:
    def __del__(self):
        import json, decimal, xml.dom.minidom
        json.dumps([1])

kept = Imports()

#: del_starts_thread
class Starts:
    def __del__(self):
        import _thread
        _thread.start_new_thread(len, ('',))

kept = Starts()

#: del_starts_threading
class Starts:
    def __del__(self):
        import threading
        threading.Thread(target=len, args=('',)).start()

kept = Starts()

#: del_starts_endless_thread
class Starts:
    def __del__(self):
        import _thread

        def work():
            while True:
                pass

        _thread.start_new_thread(work, ())

kept = Starts()

#: del_resurrects
import builtins

class Returns:
    def __del__(self):
        builtins.kept = self
        builtins.again = Returns()

kept = Returns()

#: del_in_cycle
import gc
gc.disable()

class Node:
    def __init__(self):
        self.me = self

    def __del__(self):
        kept.append(self)

kept = []
nodes = [Node() for _ in range(10_000)]
del nodes

#: del_recurses
class Recurses:
    def __del__(self):
        def f():
            f()
        f()

kept = Recurses()

#: del_of_deep_chain
# Half a million objects, each of which holds the next one.
chain = None
for _ in range(500_000):
    chain = (chain,)

class Link:
    pass

link = None
for _ in range(100_000):
    new = Link()
    new.next = link
    link = new

#: del_collects
import gc

class Collects:
    def __del__(self):
        gc.collect()

kept = [Collects() for _ in range(100)]
kept.append(kept)

#: weakref_callbacks
import weakref

class Thing:
    pass

def callback(reference):
    1 / 0

thing = Thing()
thing.me = thing
references = [weakref.ref(thing, callback) for _ in range(100)]
weakref.finalize(thing, print, 'finalized')

#: atexit says=ran
import atexit
atexit.register(print, 'ran')

#: atexit_raises says=ran
import atexit
atexit.register(print, 'ran')
atexit.register(lambda: 1 / 0)

#: atexit_exits says=ran
import atexit, sys
atexit.register(print, 'ran')
atexit.register(sys.exit, 3)

#: atexit_registers_another
import atexit
atexit.register(lambda: atexit.register(print, 'nested'))

#: atexit_registers_itself
import atexit

def again():
    atexit.register(again)

again()

#: atexit_starts_thread destroy=any
import atexit, _thread
atexit.register(lambda: _thread.start_new_thread(len, ('',)))

#: atexit_starts_endless_thread threads=1
# It can be ended, since the interpreter is still there.
import _thread, atexit
gate = _thread.allocate_lock()
gate.acquire()
atexit.register(_thread.start_new_thread, gate.acquire, ())
release = gate.release

#: atexit_starts_threading destroy=any
import atexit, threading
atexit.register(lambda: threading.Thread(target=len, args=('',)).start())

#: atexit_starts_daemon shared daemon destroy=any
import atexit, threading, time
atexit.register(lambda: threading.Thread(target=time.sleep, args=(0.01,), daemon=True).start())

#: threading_atexit says=ran
import threading
threading._register_atexit(print, 'ran')

#: threading_atexit_starts_thread destroy=any
import _thread, threading

def start():
    _thread.start_new_thread(len, ('',))

threading._register_atexit(start)

#: threading_atexit_raises threads=1
# The C API does not wait for the thread then, and aborts.
import threading
gate = threading.Event()

def raises():
    1 / 0

threading._register_atexit(raises)
threading.Thread(target=gate.wait).start()
release = gate.set

#: generator_suspended says=closed
def generator():
    try:
        yield 1
        yield 2
    finally:
        print('closed')

kept = generator()
next(kept)

#: generator_that_yields_when_closed
def stubborn():
    while True:
        try:
            yield
        except GeneratorExit:
            pass

kept = stubborn()
next(kept)

#: coroutine_never_awaited
async def f():
    pass

kept = f()

#: contextvars
import contextvars

class Loud:
    def __del__(self):
        print('gone')

variable = contextvars.ContextVar('variable')
token = variable.set(Loud())
context = contextvars.copy_context()
context.run(variable.set, Loud())

#: module_with_finalizer
import sys, types
module = types.ModuleType('extra')

class Loud:
    def __del__(self):
        import os
        os.getpid()

module.loud = Loud()
module.module = module
sys.modules['extra'] = module

#: files_left_open
import socket, tempfile
kept = [tempfile.TemporaryFile() for _ in range(20)], socket.socketpair()

#: child_left
import subprocess
child = subprocess.Popen(['sleep', '0.1'])

#: metaclass_with_finalizer
class Meta(type):
    def __del__(cls):
        print(cls)

class Thing(metaclass=Meta):
    def __del__(self):
        print(type(self))

things = [Thing() for _ in range(10)]

#: exit_code expect=EXIT
import sys
sys.exit(3)

#: exit_text expect=EXIT message=goodbye
import sys
sys.exit('goodbye')

#: exit_huge expect=EXIT
import sys
sys.exit(10 ** 100)

#: exit_evil expect=EXIT
class Evil(SystemExit):
    @property
    def code(self):
        1 / 0

raise Evil

#: exit_in_group expect=EXCEPTION type=BaseExceptionGroup needs=3.11
raise BaseExceptionGroup('group', [SystemExit(3)])

#: quit expect=EXIT
quit()

#: os_exit exit=7 process_expect=LOST
# It ends the process at once: that is what it is for, and nobody can stop it.
import os
os._exit(7)

