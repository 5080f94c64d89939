//! Defect: a script's `os.environ` is the process's environment. `setenv` moves the block that `getenv` reads in
//! another thread, for the time zone, a locale or a child process, and the process dies. And what one interpreter
//! sets reaches the children of all others.
//!
//! Has it: 3.12 and later, in interpreters with a GIL of their own; one GIL guarded the block before. That
//! interpreters share what they set: all versions.
//!
//! Cure: an interpreter has an environment of its own, a copy of the process's as it is at create. Its functions
//! that read or write the environment, and those that start programs, go by that one, and so does `breakpoint()`.
//! Nothing of it reaches the process, so C code that asks `getenv` sees what the host has set. The time zone is kept by
//! the C library, for all: `time.tzset` to another one than the process's is refused. Where the process's environment
//! is shared, and in the main interpreter, it is changed so that others may read it meanwhile: see `process`.

mod process;

use std::ffi::CStr;

use pyo3_ffi as ffi;

use super::stdlib_functions::Functions;
use crate::local::attach::Attached;
use crate::local::python::interpreter_dict::{keep, kept};
use crate::local::python::method::method;
use crate::local::python::object::Object;
use crate::local::python::str_arguments::{argument_bytes, bytes};

/// What an interpreter keeps: its own environment.
const KEPT: &CStr = c"subpy.environment";

/// For an interpreter with an environment of its own: it begins as the process's.
pub(super) static BEGIN: Functions = Functions::in_rust(&[c"posix"], |py, posix| {
    // SAFETY: attached; a live dict; a new reference.
    let copy = |dict: Object| unsafe { Object::owned(py, ffi::PyDict_Copy(dict.as_ptr())) };
    match kept(py, KEPT) {
        Some(own) => posix.set(py, c"environ", &copy(own)?), // it is imported again
        None => keep(py, KEPT, &copy(posix.attribute(py, c"environ")?)?),
    }
});

/// As above.
pub(super) static OWN: Functions = Functions::new(&[], CODE, of_own).at_first_call(&[
    (
        c"posix",
        &[
            c"putenv",
            c"unsetenv",
            c"execv",
            c"posix_spawn",
            c"posix_spawnp",
            c"system",
            c"_create_environ",
        ],
    ),
    (c"sys", &[c"breakpointhook"]),
    (c"_posixsubprocess", &[c"fork_exec"]),
    (c"time", &[c"tzset"]),
    (c"_locale", &[c"setlocale"]),
]);

/// For an interpreter that shares the process's environment.
pub(super) static SHARED: Functions =
    Functions::new(&[], CODE, of_shared).at_first_call(&[(c"posix", &[c"putenv", c"unsetenv"])]);

const CODE: &CStr = c"
def replacers(call, put, at_end):
    import sys
    own = call()

    def encoded(text):
        from os import fsencode
        text = fsencode(text)
        if b'\\0' in text:
            raise ValueError('embedded null byte')
        return text

    def change(name, value):
        if not name or b'=' in name:
            raise OSError(22, 'Invalid argument')
        if own is None:
            call(name, value)
        elif value is None:
            own.pop(name, None)
        else:
            own[name] = value

    def putenv(name, value, /):
        name, value = encoded(name), encoded(value)
        if b'=' in name:
            raise ValueError('illegal environment variable name')
        sys.audit('os.putenv', name, value)
        change(name, value)

    def unsetenv(name, /):
        name = encoded(name)
        sys.audit('os.unsetenv', name)
        change(name, None)

    def given(env):
        return own if env is None and sys.version_info >= (3, 13) else env

    def choose_debugger():
        from os import fsdecode
        where = b'' if sys.flags.ignore_environment else own.get(b'PYTHONBREAKPOINT', b'')
        name = fsdecode(where) or 'pdb.set_trace'
        if name == '0':
            return None
        path, dot, attribute = name.rpartition('.')
        try:
            if path or not dot:
                return getattr(__import__(path or 'builtins', fromlist=[attribute]), attribute)
        except (ImportError, AttributeError):
            pass
        import warnings
        warnings.warn(f'Ignoring unimportable $PYTHONBREAKPOINT: \"{name}\"', RuntimeWarning, 2)

    def replace_posix(posix):
        put(posix, putenv, unsetenv)
        if own is not None:
            replace_programs(posix)

    def replace_programs(posix):
        execve, spawn, spawn_found = posix.execve, posix.posix_spawn, posix.posix_spawnp
        kill, waitpid = posix.kill, posix.waitpid

        def execv(path, argv, /):
            execve(path, argv, own)

        def posix_spawn(path, argv, env, /, **options):
            return spawn(path, argv, given(env), **options)

        def posix_spawnp(path, argv, env, /, **options):
            name = encoded(path)
            if not name or b'/' in name:
                return spawn_found(path, argv, given(env), **options)
            denied = None
            for place in own.get(b'PATH', b'/bin:/usr/bin').split(b':'):
                try:
                    return spawn((place or b'.') + b'/' + name, argv, given(env), **options)
                except (FileNotFoundError, NotADirectoryError):
                    pass
                except PermissionError:
                    denied = PermissionError(13, 'Permission denied', path)
            raise denied or FileNotFoundError(2, 'No such file or directory', path)

        def system(command):
            command = encoded(command)
            sys.audit('os.system', command)
            try:
                child = spawn('/bin/sh', ('sh', '-c', command), own)
            except OSError:
                return 127 << 8
            try:
                return waitpid(child, 0)[1]
            except ChildProcessError:
                return -1
            except BaseException:
                kill(child, 9)
                waitpid(child, 0)
                raise

        def _create_environ():
            return dict(own)

        put(posix, execv, posix_spawn, posix_spawnp, system, _create_environ)

    def replace_posixsubprocess(module):
        fork = module.fork_exec

        def fork_exec(*arguments):
            if len(arguments) > 5 and arguments[5] is None:
                variables = [name + b'=' + value for name, value in own.items()]
                arguments = *arguments[:5], variables, *arguments[6:]
            return fork(*arguments)

        put(module, fork_exec)

    def replace_time(time):
        set_zone = time.tzset

        def tzset():
            zone, of_process = own.get(b'TZ'), call(b'TZ')
            if zone != of_process:
                raise RuntimeError(
                    f'tzset: the time zone is that of the process, where TZ is {of_process}; here it is {zone}. '
                    'zoneinfo has time zones; an interpreter with share_environment may change that of the process'
                )
            set_zone()

        put(time, tzset)

    def replace_locale(module):
        set_locale = module.setlocale
        kinds = [
            'LC_CTYPE', 'LC_NUMERIC', 'LC_TIME', 'LC_COLLATE', 'LC_MONETARY', 'LC_MESSAGES', 'LC_PAPER', 'LC_NAME',
            'LC_ADDRESS', 'LC_TELEPHONE', 'LC_MEASUREMENT', 'LC_IDENTIFICATION',
        ]

        def chosen(kind):
            from os import fsdecode
            asked = (own.get(name) for name in (b'LC_ALL', kind.encode(), b'LANG'))
            return fsdecode(next(filter(None, asked), b'C'))

        def setlocale(category, locale=None, /):
            if locale == '':
                if category == module.LC_ALL:
                    locale = ';'.join(f'{kind}={chosen(kind)}' for kind in kinds)
                else:
                    of_number = {getattr(module, kind, None): kind for kind in kinds}
                    locale = chosen(of_number.get(category, 'LC_ALL'))
            return set_locale(category, locale)

        put(module, setlocale)

    return {
        'posix': replace_posix,
        'sys': lambda sys: put.choosing(sys, 'breakpointhook', choose_debugger),
        '_posixsubprocess': replace_posixsubprocess,
        'time': replace_time,
        '_locale': replace_locale,
    }
";

method!(of_own, |py, _, Some(arguments)| {
    call(py, arguments, kept(py, KEPT))
});

method!(of_shared, |py, _, Some(arguments)| {
    call(py, arguments, None)
});

/// `call()`: the environment that the interpreter has of its own, or None. `call(name)`: a variable of the process, or
/// None. `call(name, value)`: changes it; None removes it. The names are bytes without a NUL, and so are the values.
fn call(py: Attached<'_>, arguments: &Object, own: Option<Object>) -> Option<Object> {
    let name = || argument_bytes(py, arguments, 0);
    match arguments.count(py) {
        0 => own.or_else(|| Object::none(py)),
        1 => match name().and_then(|name| process::get(&name)) {
            Some(value) => bytes(py, value.to_bytes()),
            None => Object::none(py),
        },
        _ => {
            if let Some(name) = name() {
                process::set(&name, argument_bytes(py, arguments, 1).as_deref());
            }
            Object::none(py)
        }
    }
}
