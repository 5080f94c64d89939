# Queues between interpreters.
import array
import datetime
import pickle
import queue
import threading
import time

from backend import MEMORY_IS_SHARED, create, only_if
from checks import raises
from subpy import interpreters
from subpy.interpreters import UNBOUND, UNBOUND_ERROR, UNBOUND_REMOVE, create_queue


def test_in_order():
    q = create_queue()
    assert q.empty() and not q.full() and q.qsize() == 0 and q.maxsize == 0 and q.unbounditems is UNBOUND
    values = [1, 'x', b'y', None, True, 1.5, (1, [2, {'a': 3}]), 2 ** 70, '\ud800', datetime.date(2026, 1, 2), {1, 2}, bytearray(b'z')]
    for value in values:
        q.put(value)
    assert q.qsize() == len(values)
    for value in values:
        got = q.get()
        assert got == value and type(got) is type(value)
    assert interpreters.Queue(q.id) is q and pickle.loads(pickle.dumps(q)) is q and isinstance(q, interpreters.Queue)
    assert repr(q) == f'Queue({q.id})' and hash(q) is not None and q in {q}
    raises(interpreters.QueueNotFoundError, str(2 ** 40), interpreters.Queue, 2 ** 40)
    raises(interpreters.QueueNotFoundError, '-1', interpreters.Queue, -1)
    raises(TypeError, "not str", interpreters.Queue, 'x')
    raises(TypeError, 'create_queue()', interpreters.Queue)
    raises(TypeError, 'maxsize', create_queue, 'x')
    raises(NotImplementedError, 'UNBOUND', create_queue, unbounditems=7)


def test_bounded():
    q = create_queue(2)
    assert q.maxsize == 2
    q.put(1), q.put_nowait(2)
    assert q.full()
    for put in lambda: q.put(3, timeout=0.01), lambda: q.put_nowait(3), lambda: q.put(3, block=False), lambda: q.put(3, False):
        error = raises(queue.Full, 'it holds 2 items', put)
        assert type(error) is interpreters.QueueFull
    assert q.get() == 1 and q.get(timeout=5) == 2
    for get in lambda: q.get(timeout=0.01), lambda: q.get_nowait(), lambda: q.get(block=False), lambda: q.get(False):
        error = raises(queue.Empty, 'empty', get)
        assert type(error) is interpreters.QueueEmpty
    for wrong in -1, float('nan'):
        raises(ValueError, 'non-negative', q.get, timeout=wrong)
        raises(ValueError, 'non-negative', q.put, 1, timeout=wrong)
    raises(TypeError, '', q.get, timeout='x')
    raises(TypeError, "needs 'obj'", q.put)
    raises(TypeError, 'at most 3', q.put, 1, True, None, UNBOUND)
    q.put(1, timeout=float('inf'))
    assert q.get(timeout=1e300) == 1


def test_closed():
    q = create_queue()
    q.put(1), q.put(2)
    q.close()
    q.close()
    assert q.closed
    raises(interpreters.QueueNotFoundError, 'closed', q.put, 3)
    assert list(q) == [1, 2]
    raises(interpreters.QueueNotFoundError, 'closed', q.get)
    # Who waits is told.
    q = create_queue(1)
    q.put(0)
    errors = []
    def wait(function, *args):
        try:
            function(*args)
        except interpreters.QueueError as e:
            errors.append(type(e).__name__)
    threads = [threading.Thread(target=wait, args=args) for args in [(q.put, 1)] * 3]
    for thread in threads:
        thread.start()
    q.close()
    for thread in threads:
        thread.join()
    assert errors == ['QueueNotFoundError'] * 3


def test_between_interpreters():
    there, back = create_queue(), create_queue()
    interp = create()
    interp.prepare_main(there=there, back=back)
    interp.exec('from subpy import interpreters\nassert type(there) is interpreters.Queue and there.id != back.id')
    def work():
        for item in there:
            back.put((item, interpreters.get_current().id))
        back.close()
    thread = interp.call_in_thread(work)
    for i in range(100):
        there.put(i)
    there.close()
    assert list(back) == [(i, interp.id) for i in range(100)]
    thread.join()
    # As a part of something, also of what is pickled.
    inner = create_queue()
    inner.put('inside')
    carrier = create_queue()
    carrier.put({'q': [inner, datetime.date(2026, 1, 1)]})
    interp.prepare_main(carrier=carrier)
    interp.exec('q, day = carrier.get()["q"]; assert day.year == 2026; q.put(q.get() + "!")')
    assert inner.get() == 'inside!'
    assert interp.call(lambda: there) is there


@only_if(MEMORY_IS_SHARED)
def test_memory():
    q = create_queue()
    memory = array.array('i', range(6))
    q.put(memoryview(memory)[::2])
    interp = create()
    interp.prepare_main(q=q)
    interp.exec('view = q.get(); view[1] = -2; q.put(view); del view')
    assert memory[2] == -2 and q.get().tolist() == [0, -2, 4]
    q.put(memoryview(memory))


def test_what_can_not_cross():
    q = create_queue()
    raises(interpreters.NotShareableError, 'obj["a"][1] is of type _thread.lock', q.put, {'a': [1, threading.Lock()]})
    raises(ValueError, "can't hold itself", q.put, q)
    raises(ValueError, "can't hold itself", q.put, [{1: q}])
    raises(ValueError, "can't hold itself", q.put, {q, datetime.date.today()})
    assert q.empty()
    q.put(lambda: 42)
    assert q.get()() == 42


def test_one_that_ends():
    for rule in UNBOUND, UNBOUND_ERROR, UNBOUND_REMOVE:
        q = create_queue(unbounditems=rule)
        assert q.unbounditems is rule
        interp = create()
        interp.prepare_main(q=q)
        interp.exec('q.put(1); q.put([2])')
        q.put('mine')
        assert q.qsize() == 3 and q.get() == 1
        interp.close()
        if rule is UNBOUND:
            assert q.get() is UNBOUND and repr(UNBOUND) == '<UNBOUND>'
        elif rule is UNBOUND_ERROR:
            raises(interpreters.ItemInterpreterDestroyed, 'has ended', q.get)
        assert q.qsize() == 1 and q.get() == 'mine'
    q = create_queue()
    interp = create()
    interp.prepare_main(q=q)
    interp.exec('from subpy.interpreters import UNBOUND_REMOVE\nq.put(1, unbounditems=UNBOUND_REMOVE); q.put_nowait(2)')
    interp.close()
    assert q.qsize() == 1 and q.get() is UNBOUND


def test_the_gil_is_free():
    q = create_queue()
    thread = threading.Thread(target=lambda: q.put(q.get() + 1))
    thread.start()
    q.put(1)
    thread.join()
    assert q.get() == 2


def test_many_threads_lose_nothing():
    q, sums = create_queue(5), []
    def put():
        for i in range(1000):
            q.put(i)
    def get():
        sums.append(sum(q))
    putters = [threading.Thread(target=put) for _ in range(3)]
    getters = [threading.Thread(target=get) for _ in range(3)]
    for thread in putters + getters:
        thread.start()
    for thread in putters:
        thread.join()
    q.close()
    for thread in getters:
        thread.join()
    assert sum(sums) == 3 * sum(range(1000))


@only_if(MEMORY_IS_SHARED)
def test_forgotten():
    import gc, weakref
    class Big:
        pass
    memory = bytearray(b'x' * 1000)
    q = create_queue()
    q.put(memoryview(memory))
    raises(BufferError, '', memory.clear)
    id = q.id
    del q
    memory.clear()
    raises(interpreters.QueueNotFoundError, str(id), interpreters.Queue, id)


def test_families():
    # One that nobody has given to it is not found by its id.
    import host
    q = create_queue()
    interp = create()
    id = q.id
    interp.exec(f'from subpy import interpreters\nassert interpreters.Queue({id}).id == {id}')
    host.take_over(interp.id)
    assert host.run(interp.id, f'interpreters.Queue({id})') == 'SUBPY_ERR_EXCEPTION'
    host.destroy(interp.id)
