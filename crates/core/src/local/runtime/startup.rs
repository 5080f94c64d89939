//! Starting Python from a [`RuntimeConfig`].

use std::ffi::{CString, OsStr};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use libc::wchar_t;
use pyo3_ffi as ffi;

use super::one_version::BUILT_FOR;
use super::virtual_environment;
use crate::data::config::RuntimeConfig;
use crate::data::error::{Error, Result, Status};
use crate::local::cures;
use crate::local::cures::global_symbols;
use crate::local::python::status::describe;
use crate::local::stack::Room;

/// Room for `PyConfig`s that have grown since `pyo3-ffi` looked: patch releases append fields.
#[repr(C)]
struct Config {
    python: ffi::PyConfig,
    _room: [u64; 32],
}

/// Checks what Python would abort on, or take in silence. Nothing has happened if this fails.
pub(crate) fn check(config: &RuntimeConfig) -> Result<()> {
    let invalid = |message| Err(Error::new(Status::InvalidArgument, message));
    for (i, path) in config.module_search_paths.iter().enumerate() {
        if !path.exists() {
            let path = path.display();
            return invalid(format!("module_search_paths[{i}] does not exist: {path}"));
        }
    }
    if config.account_memory && (!cfg!(Py_3_12) || allocator().is_some()) {
        let message = "account_memory needs Python 3.12 or later, and no PYTHONMALLOC";
        return Err(Error::new(Status::Unsupported, message));
    }
    if let Some(executable) = &config.executable
        && !executable.is_file()
    {
        let path = executable.display();
        return invalid(format!("executable is not a file: {path}"));
    }
    let given = [
        ("executable", &config.executable),
        ("program_name", &config.program_name),
    ];
    for (field, path) in given {
        if let Some(path) = path {
            virtual_environment::check(field, path)?;
        }
    }
    let from_environment = |name| {
        let path = std::env::var_os(name).filter(|path| !path.is_empty());
        path.filter(|_| !config.isolated).map(PathBuf::from)
    };
    let home = config.home.clone();
    let home = home.or_else(|| from_environment("PYTHONHOME"));
    if let Some(home) = &home {
        let places = standard_library_places(home);
        check_places(&format!("under home {}", home.display()), &places)?;
    }
    if let Some(folder) = from_environment("PYTHONPLATLIBDIR") {
        let file = folder.join(format!("python{BUILT_FOR}/os.py"));
        let prefixes = home.map_or_else(|| prefixes(config), |home| vec![home]);
        let places: Vec<_> = prefixes.iter().map(|prefix| prefix.join(&file)).collect();
        check_places(
            &format!("for PYTHONPLATLIBDIR {}", folder.display()),
            &places,
        )?;
    }
    Ok(())
}

/// One of these has to be there.
fn check_places(what: &str, places: &[PathBuf]) -> Result<()> {
    if places.iter().any(|path| path.exists()) {
        return Ok(());
    }
    let version = cures::python_version();
    let tried: Vec<_> = places.iter().map(|p| p.display().to_string()).collect();
    let message = format!(
        "no standard library of Python {version} {what}: tried {}",
        tried.join(", ")
    );
    Err(Error::new(Status::InvalidArgument, message))
}

/// Where Python may be installed: above the executable that is given, and above libpython.
fn prefixes(config: &RuntimeConfig) -> Vec<PathBuf> {
    let given = config.executable.as_ref().or(config.program_name.as_ref());
    let library =
        global_symbols::library().map(|path| Path::new(OsStr::from_bytes(path.to_bytes())));
    let files = given.map(PathBuf::as_path).into_iter().chain(library);
    let files = files.filter_map(|path| path.canonicalize().ok());
    files
        .flat_map(|file| {
            file.ancestors()
                .skip(1)
                .map(Path::to_owned)
                .collect::<Vec<_>>()
        })
        .collect()
}

/// Initializes Python. Its main thread state is attached afterwards.
pub(crate) fn start(config: &RuntimeConfig, _: Room<'_>) -> Result<()> {
    let failed = |status: &ffi::PyStatus| {
        let why = describe(status);
        // It names a setting that it does not understand.
        let status = match why.contains("PYTHON") {
            true => Status::InvalidArgument,
            false => Status::Internal,
        };
        let message = format!("Python could not be started: {why}");
        Err(Error::new(status, message))
    };
    // SAFETY: plain structs that Python's functions fill first; strings are copied by Python. No
    // thread uses Python yet.
    unsafe {
        let mut before: ffi::PyPreConfig = std::mem::zeroed();
        if config.isolated {
            ffi::PyPreConfig_InitIsolatedConfig(&mut before);
        } else {
            ffi::PyPreConfig_InitPythonConfig(&mut before);
        }
        before.parse_argv = 0;
        // The process's locale stays as it is, so it can't tell the encoding: UTF-8 everywhere.
        before.configure_locale = 0;
        before.coerce_c_locale = 0;
        before.utf8_mode = 1;
        match allocator() {
            Some(asked) => before.allocator = asked,
            None if cfg!(Py_3_12) => cures::allocator::install(config.account_memory),
            None => {}
        }
        let status = ffi::Py_PreInitialize(&before);
        if ffi::PyStatus_Exception(status) != 0 {
            return failed(&status);
        }
        let mut room: Config = std::mem::zeroed();
        let python = &raw mut room.python;
        if config.isolated {
            ffi::PyConfig_InitIsolatedConfig(python);
        } else {
            ffi::PyConfig_InitPythonConfig(python);
        }
        let status = fill(python, config).and_then(|()| {
            let status = ffi::Py_InitializeFromConfig(python);
            succeeded(status)
        });
        ffi::PyConfig_Clear(python);
        status.or_else(|status| failed(&status))
    }
}

/// The allocator of Python's own that the environment asks for: PYTHONMALLOC counts in isolated mode,
/// too, so that memory checkers can see every block of a program that is not theirs to change.
fn allocator() -> Option<i32> {
    // The values of `PyMemAllocatorName`.
    match std::env::var("PYTHONMALLOC").ok()?.as_str() {
        "default" => Some(1),
        "debug" => Some(2),
        "malloc" => Some(3),
        "malloc_debug" => Some(4),
        "pymalloc" => Some(5),
        "pymalloc_debug" => Some(6),
        _ => None,
    }
}

/// # Safety
/// `python` is initialized as a config of Python's.
unsafe fn fill(python: *mut ffi::PyConfig, config: &RuntimeConfig) -> Result<(), ffi::PyStatus> {
    // SAFETY: the caller's promise.
    unsafe {
        (*python).parse_argv = 0;
        (*python).install_signal_handlers = config.install_signal_handlers.into();
        (*python).site_import = config.import_site.into();
        (*python).configure_c_stdio = 0;
        (*python).pathconfig_warnings = 0;
        let executable = config
            .executable
            .clone()
            .or_else(|| default_executable(config));
        set(
            python,
            &raw mut (*python).program_name,
            config.program_name.as_deref(),
        )?;
        set(python, &raw mut (*python).home, config.home.as_deref())?;
        set(python, &raw mut (*python).executable, executable.as_deref())
    }
}

/// # Safety
/// `field` is a string of `python`, which is initialized.
unsafe fn set(
    python: *mut ffi::PyConfig,
    field: *mut *mut wchar_t,
    value: Option<&Path>,
) -> Result<(), ffi::PyStatus> {
    let Some(value) = value.and_then(|v| CString::new(v.as_os_str().as_bytes()).ok()) else {
        return Ok(());
    };
    // SAFETY: the caller's promise; Python copies the string.
    unsafe { succeeded(ffi::PyConfig_SetBytesString(python, field, value.as_ptr())) }
}

/// # Safety
/// `status` is one that Python has returned.
unsafe fn succeeded(status: ffi::PyStatus) -> Result<(), ffi::PyStatus> {
    // SAFETY: the caller's promise.
    match unsafe { ffi::PyStatus_Exception(status) } {
        0 => Ok(()),
        _ => Err(status),
    }
}

/// The executable of the installation that the loaded libpython belongs to. Python itself would take
/// the first `python3` on the PATH, which may be another version's.
fn default_executable(config: &RuntimeConfig) -> Option<PathBuf> {
    if config.program_name.is_some() {
        return None;
    }
    let name = Path::new("bin").join(format!("python{BUILT_FOR}"));
    if let Some(home) = &config.home {
        return Some(home.join(name)).filter(|path| path.is_file());
    }
    let library = Path::new(OsStr::from_bytes(global_symbols::library()?.to_bytes()));
    let library = library.canonicalize().ok()?;
    let mut prefixes = library.ancestors().skip(2).take(3);
    prefixes.find_map(|prefix| Some(prefix.join(&name)).filter(|path| path.is_file()))
}

/// Where the standard library may be under a `home`, which is `prefix` or `prefix:exec_prefix`.
fn standard_library_places(home: &Path) -> Vec<PathBuf> {
    let home = home.to_string_lossy();
    let prefix = Path::new(home.split(':').next().unwrap_or_default());
    let folder = format!("python{BUILT_FOR}/os.py");
    let zip = format!("python{}.zip", BUILT_FOR.replace('.', ""));
    vec![
        prefix.join("lib").join(&folder),
        prefix.join("lib64").join(&folder),
        prefix.join("lib").join(zip),
    ]
}
