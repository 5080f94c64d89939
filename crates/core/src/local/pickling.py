"""What crosses between interpreters: plain data and memoryviews as they are, and the rest pickled.

It is run in both interpreters, of which the other one need not have the package. A function that can't be imported (of
__main__, a lambda, one inside of a function) crosses as its code, with what it uses.
"""

import sys
from types import BuiltinFunctionType, CellType, CodeType, FunctionType, ModuleType


class NotShareableError(TypeError, ValueError):
    """An object can't be given to another interpreter. The message says which one it is, and where it is."""


def dump(value, root='value'):
    """What `load` makes the same of, in the other interpreter. `root` names the value in messages."""
    if is_shareable(value):
        return False, value
    if value is _main():
        raise NotShareableError(f'{root} is the namespace of __main__, which stays where it is: ask for the values of names')
    if type(value) in (FunctionType, BuiltinFunctionType) and _can_be_imported(value):
        return True, value.__module__, value.__qualname__
    if type(value) is FunctionType and value.__globals__ is not globals():
        made_of, state = _parts_of_function(value)
        if is_shareable(state):
            return True, made_of, state
    shared = []
    return True, _pickled(value, shared, root), shared


def load(dumped):
    if not dumped[0]:
        return dumped[1]
    _, what, more = dumped
    try:
        return {str: _imported, tuple: _function_with, bytes: _unpickled}[type(what)](what, more)
    except (AttributeError, ImportError) as e:
        raise NotShareableError(f'{e}: it has to be in a module that this interpreter can import, or in __main__ here') from e


def call(*dumped):
    """Calls a function. The answer is what it returns, dumped, or why that can't be."""
    return _called(*_loaded(*dumped))


def attempt(*dumped):
    """As call(), but an exception is part of the answer: None, the exception, dumped if it can be, its parts, and whether
    it was raised before the function was called."""
    try:
        loaded = _loaded(*dumped)
    except NotShareableError as e:
        return False, str(e)
    except BaseException as e:
        return _raised(e, True)
    try:
        return _called(*loaded)
    except BaseException as e:
        return _raised(e, False)


def dump_call(function, args, kwargs):
    """What _loaded() makes the same of: the function, its arguments, and whether these are plain data."""
    function = dump(function, 'callable')
    if is_shareable(args) and is_shareable(kwargs):
        return function, args, kwargs, True
    args = [dump(arg, f'args[{i}]') for i, arg in enumerate(args)]
    return function, args, {name: dump(arg, f'kwargs["{name}"]') for name, arg in kwargs.items()}, False


def _loaded(function, args, kwargs, are_plain):
    if are_plain:
        return load(function), args, kwargs
    return load(function), [load(arg) for arg in args], {name: load(arg) for name, arg in kwargs.items()}


def _called(function, args, kwargs):
    result = _apply(function, args, kwargs)
    try:
        return True, dump(result, 'result')
    except NotShareableError as e:
        return False, str(e)


def _raised(error, is_before):
    try:
        dumped = dump(error, 'exception')
    except BaseException:
        dumped = None
    return None, dumped, _described(error), is_before


def each(function, calls):
    """Calls a function with each tuple of arguments."""
    return [function(*args) for args in calls]


def _described(error):
    """Its module, name, message, arguments (none), and traceback, without the functions of this file."""
    import traceback
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_globals is globals():
        trace = trace.tb_next
    kind = type(error)
    lines = traceback.format_exception(kind, error, trace)
    try:
        message = str(error)
    except Exception:
        message = lines[-1].rstrip('\n')
    return kind.__module__, kind.__qualname__, message, (), ''.join(lines)


def _apply(function, args, kwargs):
    """Calls it. What looks at its caller, as exec() does, finds __main__."""
    if type(function) is BuiltinFunctionType and not kwargs:
        main = _main()
        if function in (exec, eval) and len(args) == 1:
            return function(*args, main)
        if function in (globals, locals, vars) and not args:
            return main
        if function is dir and not args:
            return sorted(main)
    return function(*args, **kwargs)


def execute(code):
    """Runs a code object, or a function without arguments, in __main__."""
    code = load(code)
    if isinstance(code, CodeType):
        exec(code, _main())
    else:
        code()


def prepare(names):
    """Gives values their names in __main__."""
    _main().update(names)


def _main():
    return sys.modules['__main__'].__dict__


def _can_be_imported(function):
    if function.__module__ in (None, '__main__'):
        return False
    found = sys.modules.get(function.__module__)
    for name in function.__qualname__.split('.'):
        found = getattr(found, name, None)
    return found is function


def _imported(module, qualname):
    found = sys.modules.get(module) or _module(module)
    for name in qualname.split('.'):
        found = getattr(found, name)
    return found


# Pickling. ---------------------------------------------------------------------------------------

def _pickled(value, shared, root):
    import pickle
    try:
        return _try_pickled(value, shared)
    except (pickle.PicklingError, TypeError, AttributeError, ValueError, RecursionError, NotImplementedError) as e:
        where, part, why = _culprit(value, root, e)
        kind = type(part)
        name = kind.__qualname__ if kind.__module__ == 'builtins' else f'{kind.__module__}.{kind.__qualname__}'
        message = f'{where} is of type {name}, which can\'t be given to another interpreter'
        raise NotShareableError(f'{message}: {why}' if why else message) from None


def _try_pickled(value, shared):
    Pickler, _, BytesIO = _classes()
    file = BytesIO()
    pickler = Pickler(file, 5)
    pickler.shared = shared
    pickler.dump(value)
    return file.getvalue()


_made = []


def _classes():
    """Pickler, Unpickler and BytesIO. Most interpreters need none of them."""
    if not _made:
        _made.append(_make_classes())
    return _made[0]


def _make_classes():
    import io
    import pickle
    here = globals()

    class Pickler(pickle.Pickler):
        def persistent_id(self, value):
            kind = type(value)
            if kind is FunctionType:
                return value.__name__ if value.__globals__ is here else None
            if kind is memoryview or kind.__module__ == 'subpy.interpreters' and is_shareable(value):
                self.shared.append(value)
                return len(self.shared) - 1

        def reducer_override(self, value):
            kind = type(value)
            if kind is FunctionType and not _can_be_imported(value):
                return _reduced_function(value)
            if kind is ModuleType:
                return _module, (value.__name__,)
            if kind is CodeType:
                return _code, (_marshalled(value),)
            return NotImplemented

    class Unpickler(pickle.Unpickler):
        def persistent_load(self, key):
            return _HELPERS[key] if isinstance(key, str) else self.shared[key]

    return Pickler, Unpickler, io.BytesIO


def _unpickled(pickled, shared):
    _, Unpickler, BytesIO = _classes()
    unpickler = Unpickler(BytesIO(pickled))
    unpickler.shared = shared
    return unpickler.load()


def _culprit(value, where, why):
    """The innermost part of a value that can't be pickled, and where it is."""
    above = []
    while not any(value is other for other in above):
        above.append(value)
        for step, part in _parts(value):
            try:
                if not is_shareable(part):
                    _try_pickled(part, [])
            except Exception as e:
                value, where, why = part, step(where), e
                break
    return where, value, str(why)


def _parts(value):
    """Pairs of what is directly inside of a value, and how a path goes on to it."""
    if isinstance(value, dict):
        for key, item in list(value.items()):
            yield (lambda where: f'a key of {where}'), key
            yield (lambda where, key=key: f'{where}[{_quoted(key)}]'), item
    elif isinstance(value, (list, tuple)):
        for i, item in enumerate(value):
            yield (lambda where, i=i: f'{where}[{i}]'), item
    elif isinstance(value, (set, frozenset)):
        for item in list(value):
            yield (lambda where: f'an item of {where}'), item
    elif isinstance(value, FunctionType):
        if not _can_be_imported(value):
            _, used, around = _used(value)
            for name, item in [*used.items(), *around.items()]:
                yield (lambda where, name=name: f'{name!r}, which {where} uses,'), item
            for default in value.__defaults__ or ():
                yield (lambda where: f'a default of {where}'), default
    elif not isinstance(value, (type, ModuleType)):
        for name, item in list(getattr(value, '__dict__', {}).items()):
            yield (lambda where, name=name: f'{where}.{name}'), item


def _quoted(key):
    return f'"{key}"' if isinstance(key, str) else repr(key)


# Functions. --------------------------------------------------------------------------------------

def _used(function):
    """The values of the names that a function uses: of its module, and of the functions around it."""
    names, todo = set(), [function.__code__]
    while todo:
        code = todo.pop()
        names.update(code.co_names)
        todo += (constant for constant in code.co_consts if isinstance(constant, CodeType))
    of_module = function.__globals__
    used = {name: of_module[name] for name in sorted(names) if name in of_module and not _is_special(name)}
    around = {}
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or ()):
        try:
            around[name] = cell.cell_contents
        except ValueError:
            pass  # not set yet
    if used and function.__module__ != '__main__' and function.__module__ in sys.modules:
        return function.__module__, {}, around  # the module has them there, too
    return None, used, around


def _is_special(name):
    return name.startswith('__') and name.endswith('__')


def _parts_of_function(function):
    """What _function() makes it of, and what _complete() adds."""
    module, used, around = _used(function)
    made_of = _marshalled(function.__code__), function.__name__, function.__qualname__, module
    return made_of, (function.__defaults__, function.__kwdefaults__, function.__dict__, around, used)


def _reduced_function(function):
    made_of, state = _parts_of_function(function)
    return _function, made_of, state, None, None, _complete


def _marshalled(code):
    import marshal
    return marshal.dumps(code)


_codes = {}  # what was called last, so that Python's own ways to make it fast are not lost


def _code(marshalled):
    code = _codes.get(marshalled)
    if code is None:
        import marshal
        if len(_codes) == 100:
            _codes.clear()
        code = _codes[marshalled] = marshal.loads(marshalled)
    return code


def _function(marshalled, name, qualname, module):
    code = _code(marshalled)
    namespace = _main() if module is None else _module(module).__dict__
    function = FunctionType(code, namespace, name, None, tuple(CellType() for _ in code.co_freevars))
    function.__qualname__ = qualname
    function.__module__ = module or '__main__'
    return function


def _function_with(made_of, state):
    function = _function(*made_of)
    if any(state):
        _complete(function, state)
    return function


# What functions have brought to __main__. A script's own value of a name stays.
_brought = {}


def _complete(function, state):
    function.__defaults__, function.__kwdefaults__, attributes, around, names = state
    function.__dict__.update(attributes)
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or ()):
        if name in around:
            cell.cell_contents = around[name]
    main = _main()
    for name, value in names.items():
        if name not in main or name in _brought and main[name] is _brought[name]:
            main[name] = _brought[name] = value


def _module(name):
    import importlib
    return importlib.import_module(name)


_HELPERS = {helper.__name__: helper for helper in (_module, _code, _function, _complete, each)}
