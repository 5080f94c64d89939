//! Programs in files, imports, and modules from memory.

use std::ffi::c_char;

use subpy_core::{FileOptions, Id, Interpreter, growable};

use crate::arguments::{array, flag, optional, read, required, reserved, strings};
use crate::boundary::enter;
use crate::errors::{subpy_error, subpy_status};
use crate::interpreters::{EVERYWHERE, subpy_id};
use crate::running::{run_options, subpy_run_options};

/// How a file is run. Start from #SUBPY_FILE_OPTIONS_INIT.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct subpy_file_options {
    /// `sizeof(subpy_file_options)`.
    pub struct_size: usize,
    /// The limits and the namespace, as for subpy_run_string_with(). `filename` has to be NULL. NULL (the default): the
    /// defaults.
    pub run: *const subpy_run_options,
    /// What follows the program in `sys.argv`. NULL (the default): what follows there before the call, of
    /// subpy_interpreter_config::argv or of an earlier program.
    pub argv: *const *const c_char,
    /// How many arguments there are. 0 with an `argv` that is not NULL: none.
    pub argc: usize,
    /// 1: `path` is the name of a module, which is run as `python -m` does, or of a package, whose `__main__` is. 0 (the
    /// default): it is a file.
    pub is_module: u32,
    /// Has to be 0.
    pub reserved: u32,
}

growable!(subpy_file_options, "subpy_file_options", 40, {
    run: std::ptr::null(),
    argv: std::ptr::null(),
    argc: 0,
    is_module: 0,
    reserved: 0,
});

/// Runs a program that is in a file: subpy_run_file_with() with the defaults.
///
/// @param id    The interpreter.
/// @param path  The file: UTF-8.
/// @param error NULL, or where the error goes.
/// @return As subpy_run_file_with().
///
/// Threads: as for subpy_run_string_with().
///
/// # Safety
/// As the parameters say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subpy_run_file(
    id: subpy_id,
    path: *const c_char,
    error: *mut *mut subpy_error,
) -> subpy_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe { subpy_run_file_with(id, std::ptr::null(), path, error) }
}

/// Runs a program that is in a file, in the calling thread, as `python PATH` does. `__name__` is "__main__", `__file__` the whole
/// path, `sys.argv[0]` the path as it is given, and `sys.path[0]` the file's folder, in the place of the one of an earlier
/// program. The globals of `__main__` that others have left stay. The file's encoding is UTF-8 or what its first lines say. A
/// folder or a zip file that has a `__main__.py` is run as well, and a `.pyc` file of this version of Python.
///
/// In a namespace, `__name__` is the namespace's, and `sys.argv` and `sys.path` stay as they are.
///
/// @param id      The interpreter.
/// @param options NULL for the defaults.
/// @param path    The file: UTF-8. A relative path is meant from the host's working directory. Or the name of a module, with
///                subpy_file_options::is_module.
/// @param error   NULL, or where the error goes.
/// @return #SUBPY_OK;
///         #SUBPY_ERR_NOT_FOUND also if there is no such file or module, and for a folder or a package without a `__main__`;
///         #SUBPY_ERR_EXCEPTION also if the file can't be read, or is in no encoding that it may be in;
///         #SUBPY_ERR_INVALID_ARGUMENT for NULL and wrong options;
///         and as subpy_run_string_with().
///
/// Threads: as for subpy_run_string_with().
///
/// Source: CPython's command line; `runpy` for modules.
///
/// # Safety
/// As the parameters say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subpy_run_file_with(
    id: subpy_id,
    options: *const subpy_file_options,
    path: *const c_char,
    error: *mut *mut subpy_error,
) -> subpy_status {
    // SAFETY: the caller keeps the header's contract, for the strings and arrays too.
    unsafe {
        enter(error, || {
            let path = required(path, "path")?;
            let options = read(options)?;
            reserved(options.reserved)?;
            let given: Vec<String> = strings(options.argv, options.argc, "argv", "argc")?;
            let given: Vec<&str> = given.iter().map(String::as_str).collect();
            let options = FileOptions {
                run: run_options(id, options.run)?,
                arguments: (!options.argv.is_null()).then_some(&given),
                is_module: flag(options.is_module, "is_module")?,
            };
            Interpreter::at(Id::new(id), |interpreter| {
                interpreter.run_file(path, &options)
            })
        })
    }
}

/// Imports a module as `import MODULE` does, and gives it no name in `__main__`.
///
/// @param id     The interpreter.
/// @param module The module: UTF-8, "package.module".
/// @param error  NULL, or where the error goes.
/// @return #SUBPY_OK;
///         #SUBPY_ERR_NOT_FOUND also if there is no such module;
///         #SUBPY_ERR_INVALID_ARGUMENT for NULL, and for what can't be a module's name;
///         #SUBPY_ERR_EXCEPTION also if the module raises an exception, or imports one that there is not;
///         and as subpy_run_string_with().
///
/// Threads: as for subpy_run_string_with().
///
/// Source: CPython's `PyImport_ImportModule`.
///
/// # Safety
/// As the parameters say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subpy_import(
    id: subpy_id,
    module: *const c_char,
    error: *mut *mut subpy_error,
) -> subpy_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe {
        enter(error, || {
            let module = required(module, "module")?;
            Interpreter::at(Id::new(id), |interpreter| interpreter.import(module))
        })
    }
}

/// Adds a module from memory. It runs when it is imported first, and imports find it before modules in files. Tracebacks,
/// `inspect` and `linecache` have its source (`inspect` that of its classes, and the whole, only if it has a `filename`). What has
/// modules in it is a package: with "app.settings", `app` is one, of its own source if "app" was added, else the package `app` that
/// there is otherwise, else an empty one.
///
/// A module of this name that was added before is replaced. If it is imported already, `importlib.reload()` takes the new one.
///
/// @param id       The interpreter, or #SUBPY_EVERYWHERE: each one that is created from now on, until the last
///                 subpy_finalize().
/// @param name     Its name: UTF-8, "settings" or "app.settings".
/// @param source   Its source: UTF-8, without NUL characters. The library copies it.
/// @param length   The length of the source, in bytes.
/// @param filename What tracebacks call it, and its `__file__`: UTF-8. NULL: "<NAME>", and it has no `__file__`.
/// @param error    NULL, or where the error goes.
/// @return #SUBPY_OK;
///         #SUBPY_ERR_INVALID_ARGUMENT for NULL, a NUL character, bad UTF-8, and for what can't be a module's name;
///         and as subpy_run_string_with(). Whether it compiles is seen when it is imported.
///
/// Threads: any. A function of the host's that a script calls may call it for its own interpreter.
///
/// Source: `importlib`'s finders and loaders.
///
/// # Safety
/// As the parameters say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subpy_add_module(
    id: subpy_id,
    name: *const c_char,
    source: *const c_char,
    length: usize,
    filename: *const c_char,
    error: *mut *mut subpy_error,
) -> subpy_status {
    // SAFETY: the caller keeps the header's contract: `source` has `length` bytes.
    unsafe {
        enter(error, || {
            let (name, source) = (required(name, "name")?, array(source, length, "source")?);
            let filename = optional(filename, "filename")?;
            if id == EVERYWHERE {
                return Interpreter::add_module_everywhere(name, source, filename);
            }
            Interpreter::at(Id::new(id), |interpreter| {
                interpreter.add_module(name, source, filename)
            })
        })
    }
}
