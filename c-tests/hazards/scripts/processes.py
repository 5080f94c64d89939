#: segfault needs_process process_expect=LOST
import ctypes
ctypes.string_at(0)

#: abort needs_process process_expect=LOST
import os
os.abort()

#: kill_9 needs_process process_expect=LOST
import os
os.kill(os.getpid(), 9)

#: c_exit needs_process process_expect=LOST
# Functions that C libraries have left to be run at the end run.
import ctypes
ctypes.CDLL(None).exit(5)

#: stack_overflow_in_c needs_process process_expect=any
# A function of C calls one of Python, which calls it. (Python 3.12 has a limit of its own for that.)
import ctypes, resource, sys, threading
sys.setrecursionlimit(10 ** 9)
resource.setrlimit(resource.RLIMIT_STACK, (8 << 20, resource.getrlimit(resource.RLIMIT_STACK)[1]))
libc = ctypes.CDLL(None)
compare = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)
array = (ctypes.c_int * 2)(2, 1)

@compare
def again(a, b):
    libc.qsort(array, 2, 4, again)
    return 0

libc.qsort(array, 2, 4, again)

#: c_that_never_looks needs_process time=50 kill_after=100 process_expect=LOST
# One call that computes, and never looks for signals.
import itertools
sum(itertools.repeat(0))

#: stops_itself needs_process time=50 kill_after=100 process_expect=LOST
import os, signal
os.kill(os.getpid(), signal.SIGSTOP)

#: memory_bomb needs_process process_expect=any
# What is not counted: memory of C's own. The system has a limit here, so that the machine keeps some.
import ctypes, resource
resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
while True:
    block = libc.malloc(ctypes.c_size_t(1 << 24))
    if not block:
        raise MemoryError
    ctypes.memset(block, 1, 1 << 24)

#: python_memory_bomb needs_process process_expect=EXCEPTION
import resource
resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))
kept = []
try:
    while True:
        kept.append(bytearray(1 << 24))
finally:
    del kept

#: closes_all needs_process process_expect=any
# The descriptors by which it would ask for more channels.
import os, threading
os.closerange(0, 4096)
thread = threading.Thread(target=print, args=('x',))
thread.start()
thread.join()

#: fills_all needs_process process_expect=any time=500 kill_after=100
# Whatever can be written to is.
import os
for descriptor in range(3, 64):
    try:
        os.set_blocking(descriptor, False)
        for _ in range(100):
            os.write(descriptor, b'x' * 100000)
    except OSError:
        pass

#: garbage needs_process process_expect=LOST time=500 kill_after=100
# Over all memory that it shares with its host, again and again.
import ctypes, os, random
shared = [line.split() for line in open('/proc/self/maps') if 'subpy channel' in line]
assert shared
while True:
    for line in shared:
        start, end = (int(part, 16) for part in line[0].split('-'))
        noise = random.randbytes(4096)
        for at in range(start, end, 4096):
            ctypes.memmove(at, noise, 4096)

#: output_without_end needs_process process_expect=LIMIT output_limit=1000000
while True:
    print('x' * 1000)

#: forks_on needs_process fork exec process_expect=OK
# Children of its own, which go on by themselves: to the end of the script, or into another program.
import os, sys
ends = [0, 3, 1, 0]
for number in range(4):
    if os.fork() == 0:
        if number == 0:
            os.execv('/bin/true', ['true'])
        if number == 1:
            sys.exit(3)
        if number == 2:
            os.dup2(os.open('/dev/null', os.O_WRONLY), 2)
            1 / 0
        break
else:
    assert sorted(os.waitstatus_to_exitcode(os.wait()[1]) for _ in ends) == sorted(ends)

#: numpy_used needs_process package=numpy process_expect=OK
import os, sys
sys.path.insert(0, os.environ['SUBPY_HAZARDS_PACKAGES'])
import numpy
assert numpy.arange(10).sum() == 45
assert abs(numpy.linalg.det(numpy.eye(300)) - 1) < 1e-9

#: pandas_used needs_process package=pandas process_expect=OK
import os, sys
sys.path.insert(0, os.environ['SUBPY_HAZARDS_PACKAGES'])
import pandas
frame = pandas.DataFrame({'a': [1, 2, 2], 'b': [1.0, 2.0, 4.0]})
assert frame.groupby('a').b.sum().to_dict() == {1: 1.0, 2: 6.0}

#: lxml_used needs_process package=lxml process_expect=OK
import os, sys
sys.path.insert(0, os.environ['SUBPY_HAZARDS_PACKAGES'])
from lxml import etree
assert etree.fromstring('<a><b/><b/></a>').xpath('count(//b)') == 2.0
