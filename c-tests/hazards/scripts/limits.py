#: loop time=100 expect=TIMEOUT
while True:
    pass

#: loop_that_catches time=100 expect=TIMEOUT needs=3.12
while True:
    try:
        while True:
            pass
    except BaseException:
        pass

#: loop_in_str time=100 expect=any
# The run is over, but its exception has to be told.
class Evil(Exception):
    def __str__(self):
        while True:
            pass

raise Evil

#: loop_in_del time=100 expect=any
class Evil:
    def __del__(self):
        while True:
            pass

Evil()

#: loop_at_exit
# No run is under way any more, but the end has a limit, too.
import atexit

def loop():
    while True:
        pass

atexit.register(loop)

#: loop_in_del_at_end needs=3.12
class Evil:
    def __del__(self):
        while True:
            pass

kept = Evil()

#: loop_in_import time=100 expect=TIMEOUT
import sys

class Finder:
    def find_spec(self, *_):
        while True:
            pass

sys.meta_path.insert(0, Finder())
import something

#: loop_in_module time=100 expect=TIMEOUT
import os, shutil, sys, tempfile
place = tempfile.mkdtemp()
with open(os.path.join(place, 'endless.py'), 'w') as file:
    file.write('while True: pass')
sys.dont_write_bytecode = True
sys.path.insert(0, place)
try:
    import endless
finally:
    shutil.rmtree(place)

#: sleep time=100 expect=TIMEOUT
import time
while True:
    time.sleep(0.01)

#: memory memory=64M needs=3.12 expect=EXCEPTION type=MemoryError
x = []
while True:
    x.append(bytes(1000))

#: memory_at_once memory=64M needs=3.12 expect=EXCEPTION type=MemoryError
x = bytes(1 << 40)

#: memory_by_doubling memory=64M needs=3.12 expect=EXCEPTION type=MemoryError
x = 'x'
while True:
    x += x

#: memory_caught memory=64M needs=3.12 time=20000
# Goes on at its limit.
kept = []
for _ in range(1000):
    try:
        while True:
            kept.append(bytes(100_000))
    except MemoryError:
        del kept[-5:]

#: memory_by_recursion memory=64M needs=3.12 expect=EXCEPTION
import sys
sys.setrecursionlimit(10 ** 8)

def f():
    return f()

f()

#: memory_by_number memory=64M needs=3.12 time=5000 expect=any
x = 3
while True:
    x = x * x

#: memory_by_threads memory=64M needs=3.12 expect=any
import threading

def work():
    x = []
    try:
        while True:
            x.append(bytes(10_000))
    except MemoryError:
        pass

threads = [threading.Thread(target=work) for _ in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()

#: memory_at_end memory=64M needs=3.12 expect=EXCEPTION type=MemoryError after=any
# No memory is left when it is destroyed.
kept = []
try:
    while True:
        kept.append(bytes(10))
except MemoryError:
    raise
