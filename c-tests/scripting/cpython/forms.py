"""CPython's names and forms of its modules for interpreters, over subpy's: what its own tests import.

It is imported in each interpreter that the tests create. 3.13's `_interpreters` returns what a program has raised, where
ours raises, and gives pairs of ids and origins.
"""

import sys
import time
import types

import host
from subpy import _interpreters as ours
from subpy import interpreters

HERE = __file__.rpartition('/')[0]


def module(name, **names):
    made = types.ModuleType(name)
    made.__dict__.update(names)
    sys.modules[name] = made
    return made


# Each new interpreter gets this, too.
_create = ours.create


def preparation(more='pass'):
    # It leaves no name in __main__.
    return f'exec({f"import sys; sys.path.append({HERE!r}); import forms; {more}"!r}, {{}})'


def create_prepared(**options):
    id = _create(**options)
    ours.run_string(id, preparation())
    return id


ours.create = create_prepared


# _interpreters. ----------------------------------------------------------------------------------

WHENCE = {'runtime init': 1, 'legacy C-API': 2, 'C-API': 3, 'cross-interpreter C-API': 4, '_interpreters module': 5}
CONFIGS = {
    'isolated': (False, False, False, True, False, True, 'own'),
    'legacy': (True, True, True, True, True, False, 'shared'),
    'empty': (False, False, False, False, False, False, 'default'),
}
FIELDS = (
    'use_main_obmalloc', 'allow_fork', 'allow_exec', 'allow_threads', 'allow_daemon_threads',
    'check_multi_interp_extensions', 'gil',
)
made_by_host = {}  # id: whence
configs = {}


def new_config(name='isolated', /, **overrides):
    name.encode()
    if name not in ('', 'default', *CONFIGS):
        raise ValueError(f'there is no config {name!r}')
    config = types.SimpleNamespace(**dict(zip(FIELDS, CONFIGS['isolated' if name in ('', 'default') else name])))
    for field, value in overrides.items():
        if field not in FIELDS:
            raise ValueError(f'unexpected field {field!r}')
        if not isinstance(value, str if field == 'gil' else bool):
            raise TypeError(f'{field} is {value!r}')
        if field == 'gil' and value not in ('default', 'shared', 'own'):
            raise ValueError(f'gil is {value!r}')
        setattr(config, field, value)
    return config


def checked(config):
    if config is None or isinstance(config, str):
        config = new_config(config or 'isolated')
    if set(vars(config)) != set(FIELDS):
        raise ValueError(f'the fields are {", ".join(vars(config))}')
    return config


def of_host(id):
    return id in made_by_host and id in ours.list_all()


def known(id, restrict):
    """Whether it is the host's, which is refused if `restrict`."""
    if not isinstance(id, int):
        raise TypeError(f'an id is an int, not {type(id).__name__}')
    if restrict and (id == 0 or of_host(id)):
        raise ours.InterpreterError(f'unrecognized interpreter {id}')
    return of_host(id)


def create(config=None, *, reqrefs=False):
    config = checked(config)
    if config == new_config('isolated'):
        id = ours.create(allow_daemon_threads=False)
        configs[id] = config
        return id
    return create_by_host(config, whence=5)


def create_by_host(config=None, *, whence=2):
    config = checked('legacy' if config is None else config)
    if config.gil == 'default' or config.gil == 'own' and config.use_main_obmalloc:
        raise ours.InterpreterError('this config can not be')
    gil = {'own': 1, 'shared': 2}[config.gil]
    id = host.create(
        gil, config.allow_fork, config.allow_exec, config.allow_threads, config.allow_daemon_threads,
    )
    host.run(id, preparation(f'forms.made_by_host[{id}] = {whence}'))
    made_by_host[id], configs[id] = whence, config
    return id


def destroy(id, *, restrict=False, basic=False):
    if known(id, restrict):
        host.destroy(id)
        del made_by_host[id]
    else:
        ours.destroy(id)


def whence(id):
    return made_by_host[id] if of_host(id) else WHENCE[interpreters.Interpreter(id).whence]


def get_config(id, *, restrict=False):
    known(id, restrict)
    if id == 0:
        config = new_config('legacy', gil='own')
        return config
    ours.is_running(id)
    return configs[id]


def info(module, name, message, args, traceback):
    return interpreters._failed(module, name, message, args, traceback).excinfo


def executed(id, code, shared, restrict):
    if known(id, restrict):
        if shared:
            ours_set(id, shared)
        failed = host.run(id, code)
        return failed and info('builtins', failed[0], failed[1], (), failed[2])
    if shared:
        set___main___attrs(id, shared)
    if isinstance(code, str):
        failed = ours._exec(id, code)
    else:
        _, failed = ours._call(id, 'execute', (ours._dump(code, 'code'),), 'code')
    return failed and info(*failed)


def ours_set(id, names):
    host.run(id, '\n'.join(f'{name} = {value!r}' for name, value in names.items()))


def exec_(id, code, shared=None, *, restrict=False):
    if not isinstance(code, (str, types.FunctionType, types.CodeType)):
        raise TypeError(f'code is {code!r}')
    return executed(id, code, shared, restrict)


def run_string(id, script, shared=None, *, restrict=False):
    if not isinstance(script, str):
        raise TypeError(f'script is {script!r}')
    return executed(id, script, shared, restrict)


def run_func(id, func, shared=None, *, restrict=False):
    code = func.__code__ if isinstance(func, types.FunctionType) else func
    if not isinstance(code, types.CodeType):
        raise TypeError(f'func is {func!r}')
    if code.co_freevars:
        raise ValueError('closures are not supported')
    if code.co_argcount or code.co_kwonlyargcount or code.co_flags & 0x0c:
        raise ValueError('arguments are not supported')
    return executed(id, code, shared, restrict)


def call(id, callable, args=None, kwargs=None, *, restrict=False):
    known(id, restrict)
    try:
        result = interpreters.Interpreter(id).call(callable, *(args or ()), **(kwargs or {}))
    except interpreters.ExecutionFailed as failed:
        return failed.excinfo if sys.version_info < (3, 14) else (None, failed.excinfo)
    return None if sys.version_info < (3, 14) else (result, None)


def set___main___attrs(id, updates, *, restrict=False):
    if known(id, restrict):
        ours_set(id, updates)
    else:
        interpreters.Interpreter(id).prepare_main(updates)


def is_running(id, *, restrict=False):
    known(id, restrict)
    return ours.is_running(id)


def capture_exception(exc=None):
    import traceback
    exc = exc if exc is not None else sys.exception()
    kind = type(exc)
    text = ''.join(traceback.TracebackException.from_exception(exc).format())
    captured = info(kind.__module__, kind.__qualname__, str(exc), (), text)
    captured.formatted = f'{kind.__name__}: {exc}'
    return captured


pairs = sys.version_info >= (3, 13)
module(
    '_interpreters',
    **{name: getattr(ours, name) for name in ('InterpreterError', 'InterpreterNotFoundError', 'NotShareableError', 'is_shareable')},
    CrossInterpreterBufferView=memoryview,
    WHENCE_UNKNOWN=0, WHENCE_RUNTIME=1, WHENCE_LEGACY_CAPI=2, WHENCE_CAPI=3, WHENCE_XI=4, WHENCE_STDLIB=5,
    new_config=new_config, create=create, destroy=destroy, whence=whence, get_config=get_config, exec=exec_,
    run_string=run_string, run_func=run_func, call=call, set___main___attrs=set___main___attrs, is_running=is_running,
    capture_exception=capture_exception, incref=ours._retain, decref=ours._release,
    list_all=lambda *, require_ready=False: [(id, whence(id)) for id in ours.list_all()],
    get_current=lambda: (ours.get_current(), whence(ours.get_current())),
    get_main=lambda: (0, 1),
)


# The C API's. ------------------------------------------------------------------------------------

def exec_interpreter(id, code, main=False):
    """What does not run in __main__ is a thread of the interpreter's own."""
    if not main:
        import os
        r, w = os.pipe()
        code = f'''
import os, threading
def work():
    try:
        exec({code!r}, globals())
        os.write({w}, b'0')
    except BaseException:
        os.write({w}, b'1')
        raise
threading.Thread(target=work).start()
'''
    failed = host.run(id, code) if of_host(id) else ours._exec(id, code)
    if not main:
        failed = failed or os.read(r, 1) != b'0' and ['a thread']
        os.close(r)
        os.close(w)
    if failed:
        print(failed[-1], file=sys.stderr)
    return -1 if failed else 0


def run_in_subinterp(code, config=None):
    id = create_by_host(config, whence=2 if config is None else 3)
    try:
        return exec_interpreter(id, code)
    finally:
        destroy(id)


def next_interpreter_id():
    id = ours.create()
    ours.destroy(id)
    return id + 1


module('_testcapi', run_in_subinterp=run_in_subinterp)
module(
    '_testinternalcapi',
    create_interpreter=create_by_host, destroy_interpreter=destroy, exec_interpreter=exec_interpreter,
    run_in_subinterp_with_config=run_in_subinterp, next_interpreter_id=next_interpreter_id,
    get_crossinterp_data=lambda value: ours._dump(value) if ours.is_shareable(value) else raise_not_shareable(value),
    restore_crossinterp_data=ours._load,
)


def raise_not_shareable(value):
    raise ours.NotShareableError(f'{value!r} can not be shared')


# The high level. ---------------------------------------------------------------------------------

_new, _put, _put_nowait = interpreters.Interpreter.__new__, interpreters.Queue.put, interpreters.Queue.put_nowait
interpreters.Interpreter.__new__ = lambda cls, id, /, _whence=None, _ownsref=None: _new(cls, id)


def close(self):
    destroy(self.id, restrict=made_by_host.get(self.id) != 5)


interpreters.Interpreter.close = close


# What 3.13 calls otherwise, or has besides: with `syncobj`, lists and dicts are no plain data.
def put(self, obj, block=True, timeout=None, *, syncobj=None, unbound=None, unbounditems=None):
    refuse_containers(self, obj, syncobj)
    return _put(self, obj, block, timeout, unbounditems=unbound if unbound is not None else unbounditems)


def put_nowait(self, obj, *, syncobj=None, unbound=None, unbounditems=None):
    refuse_containers(self, obj, syncobj)
    return _put_nowait(self, obj, unbounditems=unbound if unbound is not None else unbounditems)


def refuse_containers(queue, obj, syncobj):
    if type(obj) in (list, dict) and (queue.id in syncobjs if syncobj is None else syncobj):
        raise_not_shareable(obj)


interpreters.Queue.put, interpreters.Queue.put_nowait = put, put_nowait
syncobjs = set()  # ids
created = []  # ids


def create_queue(maxsize=0, *, syncobj=False, unbounditems=interpreters.UNBOUND):
    queue = interpreters.create_queue(maxsize, unbounditems=unbounditems)
    created.append(queue.id)
    if syncobj:
        syncobjs.add(queue.id)
    return queue


def list_queues():
    """Those of them that live."""
    queues = []
    for id in created:
        try:
            queues.append(interpreters.Queue(id))
        except interpreters.QueueNotFoundError:
            pass
    return queues


held = {}  # id: a queue, and how often it is bound


def low_create(maxsize, *rules):
    queue = create_queue(maxsize)
    held[queue.id] = [queue, 0]
    return queue.id


def low_find(id):
    if id not in held:
        raise interpreters.QueueNotFoundError(f'there is no queue {id}')
    return held[id]


def low_destroy(id):
    low_find(id)[0].close()
    del held[id]


def low_bind(id):
    low_find(id)[1] += 1


def low_release(id):
    queue = low_find(id)
    if queue[1] == 0:
        raise interpreters.QueueError(f'queue {id} is not bound')
    queue[1] -= 1
    if queue[1] == 0:
        del held[id]


module(
    '_interpqueues', QueueError=interpreters.QueueError, QueueNotFoundError=interpreters.QueueNotFoundError,
    create=low_create, destroy=low_destroy, bind=low_bind, release=low_release, get=lambda id: low_find(id)[0].get_nowait(),
    list_all=lambda: [(queue.id, 3, 1) for queue in list_queues()],
)


class Loader:
    """For a reload: there is nothing to be done."""

    def create_module(self, spec):
        return None

    def exec_module(self, module):
        pass


class Finder:
    def find_spec(self, name, path=None, target=None):
        if name.startswith(('test.support.interpreters.', 'concurrent.interpreters.')) and name in sys.modules:
            import importlib.machinery
            return importlib.machinery.ModuleSpec(name, Loader())


sys.meta_path.insert(0, Finder())
names = {name: getattr(interpreters, name) for name in dir(interpreters) if not name.startswith('__')}
constants = {'_UNBOUND_CONSTANT_TO_FLAG': {interpreters.UNBOUND: 3}, 'time': time}
interpreters.__path__ = []
for name in 'test.support.interpreters', 'concurrent.interpreters':
    sys.modules[name] = interpreters
    for part in 'queues', '_queues', '_crossinterp':
        made = module(f'{name}.{part}', **{**names, **constants, 'create': create_queue, 'list_all': list_queues})
        made.__spec__ = Finder().find_spec(made.__name__)
        setattr(interpreters, part, made)
