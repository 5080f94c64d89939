#: thread threads=1
# Destroyed while a thread of `_thread` lives: the C API aborts ("not the last thread").
import _thread
gate = _thread.allocate_lock()
gate.acquire()
_thread.start_new_thread(gate.acquire, ())
release = gate.release

#: three threads=3
import _thread
gate = _thread.allocate_lock()
gate.acquire()

def wait():
    gate.acquire()
    gate.release()

for _ in range(3):
    _thread.start_new_thread(wait, ())
release = gate.release

#: threading threads=1
# threading waits for its threads at the end, for ever if need be.
import threading
gate = threading.Event()
threading.Thread(target=gate.wait).start()
release = gate.set

#: daemon threads=1 shared daemon
import threading
gate = threading.Event()
threading.Thread(target=gate.wait, daemon=True).start()
release = gate.set

#: daemon_refused needs=3.12 expect=EXCEPTION type=RuntimeError
import threading
threading.Thread(target=print, daemon=True).start()

#: ended
# Threads that have ended do not keep an interpreter.
import threading
for _ in range(20):
    thread = threading.Thread(target=len, args=('',))
    thread.start()
    thread.join()

#: exit says=SystemExit-is-silent
# sys.exit() in a thread ends that thread.
import sys, threading
thread = threading.Thread(target=sys.exit, args=(3,))
thread.start()
thread.join()
print('SystemExit-is-silent')

#: raises says=ZeroDivisionError
import threading
thread = threading.Thread(target=lambda: 1 / 0)
thread.start()
thread.join()

#: low_level_raises says=ZeroDivisionError destroy=BUSY
# Its end can't be waited for, so a lock keeps it until then.
import _thread
gate = _thread.allocate_lock()
gate.acquire()

def work():
    gate.acquire()
    1 / 0

_thread.start_new_thread(work, ())
release = gate.release

#: pool threads=2
# A pool that nobody has shut down: its idle threads would end with the interpreter.
import concurrent.futures, threading
pool = concurrent.futures.ThreadPoolExecutor(2)
meet = threading.Barrier(2)
list(pool.map(lambda _: meet.wait(), range(2)))
release = pool.shutdown

#: pool_shut_down
import concurrent.futures
with concurrent.futures.ThreadPoolExecutor(4) as pool:
    assert sum(pool.map(abs, range(100))) == 4950

#: asyncio_left_open
# A loop that is never closed, with a task that never ends.
import asyncio
loop = asyncio.new_event_loop()

async def forever():
    try:
        await asyncio.sleep(1e6)
    finally:
        await asyncio.sleep(0)

task = loop.create_task(forever())
loop.run_until_complete(asyncio.sleep(0))

#: asyncio_to_thread threads=1
# The loop's default pool keeps its thread.
import asyncio
loop = asyncio.new_event_loop()
assert loop.run_until_complete(loop.run_in_executor(None, abs, -1)) == 1

def release():
    loop.run_until_complete(loop.shutdown_default_executor())
    loop.close()

#: async_generator_left_open
import asyncio

async def numbers():
    try:
        yield 1
        yield 2
    finally:
        await asyncio.sleep(0)

async def main():
    async for _ in numbers():
        break

asyncio.run(main())
left = numbers()

async def first():
    return await left.__anext__()

coroutine = first()
try:
    coroutine.send(None)
except StopIteration:
    pass

#: timer threads=1
import threading
timer = threading.Timer(1e6, print)
timer.start()
release = timer.cancel

#: queue threads=1
import queue, threading
work = queue.Queue()
threading.Thread(target=work.get).start()

def release():
    work.put(None)

#: daemon_sleeps_at_exit shared daemon leave
# The process ends without finalizing while threads are at work.
import threading, time

def work():
    while True:
        time.sleep(0.001)

for _ in range(4):
    threading.Thread(target=work, daemon=True).start()

#: busy_at_exit leave
import _thread
started = _thread.allocate_lock()
started.acquire()

def work():
    started.release()
    while True:
        pass

_thread.start_new_thread(work, ())
started.acquire()

#: busy_shared shared threads=1
# A CPU-bound thread, while another interpreter wants the same GIL.
import _thread
started = _thread.allocate_lock()
started.acquire()
busy = True

def work():
    started.release()
    while busy:
        pass

def release():
    global busy
    busy = False

_thread.start_new_thread(work, ())
started.acquire()

#: current_frames
import _thread, sys, threading
gate = threading.Event()
thread = threading.Thread(target=gate.wait)
thread.start()
assert len(sys._current_frames()) >= 2
assert len(threading.enumerate()) >= 1
gate.set()
thread.join()

#: local_with_finalizer
# What a thread-local holds dies with its thread, or with the interpreter.
import threading

class Loud:
    def __del__(self):
        print('gone')

local = threading.local()
local.value = Loud()

def work():
    local.value = Loud()

thread = threading.Thread(target=work)
thread.start()
thread.join()

#: interrupt_main expect=any
# KeyboardInterrupt for the main thread: of the process, and of the main interpreter.
import _thread
_thread.interrupt_main()
for _ in range(1000):
    pass

#: tasks_across_threads
import asyncio, threading
loop = asyncio.new_event_loop()
thread = threading.Thread(target=loop.run_forever)
thread.start()
assert asyncio.run_coroutine_threadsafe(asyncio.sleep(0, 3), loop).result() == 3
loop.call_soon_threadsafe(loop.stop)
thread.join()
loop.close()
