#: settrace
# Tracing that is left on: it would run during each later run, and at the end.
import sys

def trace(frame, event, argument):
    return trace

sys.settrace(trace)

#: settrace_raises expect=any after=any
import sys

def trace(frame, event, argument):
    1 / 0

sys.settrace(trace)

def f():
    pass

f()

#: setprofile
import sys
calls = []
sys.setprofile(lambda *arguments: calls.append(arguments[1]))

#: setprofile_raises expect=any after=any
import sys

def profile(frame, event, argument):
    raise ValueError('profile')

sys.setprofile(profile)
len('')

#: threading_settrace
import threading
threading.settrace(lambda *_: None)
threading.setprofile(lambda *_: None)
thread = threading.Thread(target=len, args=('',))
thread.start()
thread.join()

#: cprofile shared
import cProfile
profile = cProfile.Profile()
profile.enable()

#: monitoring needs=3.12
import sys
sys.monitoring.use_tool_id(1, 'tool')
sys.monitoring.register_callback(1, sys.monitoring.events.LINE, lambda *_: None)
sys.monitoring.set_events(1, sys.monitoring.events.LINE | sys.monitoring.events.CALL)

#: gc_disabled
import gc
gc.disable()

class Node:
    pass

for _ in range(20_000):
    node = Node()
    node.me = node
    node.data = list(range(10))

#: gc_callbacks
import gc
gc.callbacks.append(lambda phase, info: 1 / 0)
gc.collect()

#: gc_freeze
import gc
gc.freeze()
gc.set_threshold(1)
x = [[] for _ in range(1000)]

#: gc_debug
import gc
gc.set_debug(gc.DEBUG_SAVEALL)
for _ in range(100):
    x = []
    x.append(x)
gc.collect()

#: signal
import signal
assert signal.signal(signal.SIGUSR1, print) is signal.SIG_DFL
signal.signal(signal.SIGINT, print)

#: signal_wakeup_fd
import signal, socket
a, b = socket.socketpair()
a.setblocking(False)
assert signal.set_wakeup_fd(a.fileno()) == -1
b.close()

#: alarm expect=EXCEPTION type=ValueError
import signal
signal.alarm(1)

#: fork_refused needs=3.12 expect=EXCEPTION type=RuntimeError
import os
os.fork()

#: fork fork
# CPython ends the child of a fork in a subinterpreter with exit code 1; a debug build by an assertion.
import os, sys
ended = -6 if hasattr(sys, 'gettotalrefcount') else 1
child = os.fork()
if child == 0:
    os._exit(7)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) in (ended, 7)

#: fork_that_goes_on fork
import os
child = os.fork()
if child == 0:
    import time
    for _ in range(1000):
        time.sleep(0)
    os._exit(0)
os.waitpid(child, 0)

#: exec_refused needs=3.12 expect=EXCEPTION type=RuntimeError
import os
os.execv('/bin/true', ['true'])

#: subprocess
import subprocess
assert subprocess.run(['echo', 'hello'], capture_output=True, check=True).stdout == b'hello\n'

#: multiprocessing expect=any
import multiprocessing
with multiprocessing.get_context('spawn').Pool(1) as pool:
    pass

#: chdir
import os
before = os.getcwd()
os.chdir('/')
os.chdir(before)

#: closed_descriptors
# The script closes the process's standard streams.
import os
kept = [os.dup(n) for n in range(3)]
for n in range(3):
    os.close(n)
print('lost')
for n in range(3):
    os.dup2(kept[n], n)

#: switch_interval
import sys
sys.setswitchinterval(1e9)

#: switch_interval_tiny
import sys, threading
sys.setswitchinterval(1e-9)
threads = [threading.Thread(target=sum, args=(range(10000),)) for _ in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()

#: faulthandler
import faulthandler, tempfile
file = tempfile.TemporaryFile()
faulthandler.enable(file)
faulthandler.dump_traceback(file)

#: faulthandler_later
import faulthandler, tempfile
file = tempfile.TemporaryFile()
faulthandler.dump_traceback_later(1000, file=file)

#: audit_hook
import sys
events = []
sys.addaudithook(lambda event, arguments: events.append(event))
open('/dev/null').close()

#: audit_hook_raises expect=any after=any destroy=any
import sys

def refuse(event, arguments):
    raise PermissionError(event)

sys.addaudithook(refuse)

#: tracemalloc shared uncured=-3.11 timeout=20
import tracemalloc
tracemalloc.start(25)
x = [bytes(100) for _ in range(1000)]

#: tracemalloc_in_two shared uncured=-3.11 timeout=20
import tracemalloc
tracemalloc.start()
tracemalloc.take_snapshot()
tracemalloc.stop()
tracemalloc.start()

#: readline expect=any
import readline

#: locale
import locale
locale.setlocale(locale.LC_ALL, 'C')
locale.setlocale(locale.LC_ALL, '')

#: environment
import os
for n in range(1000):
    os.environ[f'SUBPY_HAZARD_{n}'] = 'x' * 100
for n in range(1000):
    del os.environ[f'SUBPY_HAZARD_{n}']

#: int_limit
import sys
if hasattr(sys, 'set_int_max_str_digits'):
    sys.set_int_max_str_digits(0)
    assert str(-10 ** 20000) == '-1' + '0' * 20000
    digits = ''.join(str(n) for n in range(20000))[1:]
    assert str(int(digits)) == digits
    assert str(2 ** 100000 - 1)[:5] == '99900'
    from decimal import Decimal
    assert str(Decimal(7 ** 30000)) == str(7 ** 30000)

#: recursion_limit_low expect=any after=any
import sys
sys.setrecursionlimit(30)

def f(n):
    return n and f(n - 1)

f(1000)

#: interned
import sys
kept = [sys.intern(f'interned {n}') for n in range(100_000)]

#: warnings_are_errors
import warnings
warnings.simplefilter('error')
try:
    eval(r"'\d'")
except SyntaxError:
    pass

#: warnings_broken
import warnings
warnings.showwarning = lambda *_, **__: 1 / 0
try:
    warnings.warn('lost')
except ZeroDivisionError:
    pass
warnings.filters = None

#: hooks_broken expect=EXCEPTION type=ZeroDivisionError
import sys, threading
sys.excepthook = 42
sys.unraisablehook = 42
threading.excepthook = 42
sys.displayhook = None
thread = threading.Thread(target=lambda: 1 / 0)
thread.start()
thread.join()

class Raises:
    def __del__(self):
        1 / 0

Raises()
kept = Raises()
1 / 0

#: hooks_raise expect=EXCEPTION type=ZeroDivisionError
import sys, threading

def broken(*arguments):
    raise ValueError('hook')

sys.excepthook = sys.unraisablehook = threading.excepthook = broken
thread = threading.Thread(target=lambda: 1 / 0)
thread.start()
thread.join()

class Raises:
    def __del__(self):
        1 / 0

Raises()
kept = Raises()
1 / 0

#: hooks_exit expect=EXCEPTION type=ZeroDivisionError
import sys, threading

def leave(*arguments):
    sys.exit(3)

sys.excepthook = sys.unraisablehook = threading.excepthook = leave
thread = threading.Thread(target=lambda: 1 / 0)
thread.start()
thread.join()
1 / 0

#: unraisable_kept
# A hook that keeps what it is given, and with that the objects of a dead run.
import sys
kept = []
sys.unraisablehook = kept.append

class Raises:
    def __del__(self):
        1 / 0

for _ in range(10):
    Raises()
