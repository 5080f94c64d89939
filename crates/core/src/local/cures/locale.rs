//! Defect: `locale.setlocale` sets the C library's one locale, for all interpreters and the host. So it is with
//! `locale.textdomain`. And CPython itself sets that locale for a moment, to format a number by `:n` or for
//! `locale.localeconv`: of two that do so at once, the second one takes the first one's for the one to put back. The
//! C library hands out names of the locale, and what `localeconv` says, in places that the next call changes.
//!
//! Has it: all versions; under one GIL, to 3.11, all but the last two sentences.
//!
//! Cure: an interpreter that sets a locale has that for its own, each thread as long as it is in there: by
//! `uselocale`. What libpython calls of the C library for that is led to functions of ours, which set the locale of
//! the calling thread, and answer by it. The host's functions run in the host's locale. A text domain is kept by the
//! interpreter; where domains are found is shared, under a lock. The main interpreter has the process's.

mod data;
mod replaced;
pub(crate) mod thread;

use std::ffi::{CStr, CString, c_char, c_int};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use pyo3_ffi as ffi;

use self::data::Locale;
use super::got_hooks;
use super::stdlib_functions::Functions;
use crate::local::attach::Attached;
use crate::local::python::exception::is_set;
use crate::local::python::method::method;
use crate::local::python::object::clear_exception;
use crate::local::python::str_arguments::{argument_bytes, bytes};
use crate::local::thread::calling_thread::LC_GLOBAL_LOCALE;

/// For modules whose calls of the C library are led to ours.
pub(super) static LED_MODULES: Functions =
    Functions::in_rust(&[c"_locale", c"_decimal", c"time"], |py, module| {
        let file = module
            .attribute(py, c"__file__")
            .and_then(|file| file.to_text(py));
        clear_exception(py);
        let name = module.attribute(py, c"__name__")?.to_text(py);
        if let [Some(Ok(file)), Some(Ok(name))] = [file, name].map(|text| text.map(CString::new)) {
            lead_module(&file, &name);
        }
        Some(())
    });

pub(super) static FUNCTIONS: Functions = Functions::new(
    &[],
    c"
def replacers(call, put, at_end):
    from _operator import index

    def encoded(text):
        if not isinstance(text, str):
            raise TypeError(f'argument must be str, not {type(text).__name__}')
        if '\\0' in text:
            raise ValueError('embedded null character')
        return text.encode()

    def replace(module):
        def setlocale(category, locale=None, /):
            name = None if locale is None else encoded(locale)
            answer = call(index(category), name)
            if answer is None:
                raise module.Error('locale query failed' if name is None else 'unsupported locale setting')
            if not answer:
                raise module.Error('the locale can not be set here: subpy has not started this Python')
            return answer.decode()

        put(module, setlocale)
        if hasattr(module, 'textdomain'):
            replace_domains(module)

    def replace_domains(module):
        from os import fsdecode, fsencode
        translate, of_category = module.dgettext, module.dcgettext
        current = module.textdomain(None)

        def gettext(msg, /):
            return translate(current, msg)

        def dgettext(domain, msg, /):
            return translate(current if domain is None else domain, msg)

        def dcgettext(domain, msg, category, /):
            return of_category(current if domain is None else domain, msg, category)

        def textdomain(domain, /):
            nonlocal current
            if domain is not None:
                encoded(domain)
                current = domain or 'messages'
            return current

        def bound(domain, place, codeset):
            name = encoded(domain)
            if not name:
                raise module.Error('domain must be a non-empty string')
            return call(name, place, codeset)

        def bindtextdomain(domain, dir, /):
            place = None if dir is None else fsencode(dir)
            if place and b'\\0' in place:
                raise ValueError('embedded null byte')
            answer = bound(domain, place, False)
            return answer and fsdecode(answer)

        def bind_textdomain_codeset(domain, codeset, /):
            answer = bound(domain, None if codeset is None else encoded(codeset), True)
            return answer and answer.decode()

        put(module, gettext, dgettext, dcgettext, textdomain, bindtextdomain, bind_textdomain_codeset)

    return {'_locale': replace}
",
    call,
)
.at_first_call(&[(
    c"_locale",
    &[
        c"setlocale",
        c"gettext",
        c"dgettext",
        c"dcgettext",
        c"textdomain",
        c"bindtextdomain",
        c"bind_textdomain_codeset",
    ],
)]);

/// Leads what libpython calls to functions of ours. To be called once Python is started.
pub(crate) fn begin() {
    let python = ffi::Py_IsInitialized as *const libc::c_void;
    LED.store(got_hooks::lead(python, &replaced::all()), Ordering::Relaxed);
}

/// Calls of libpython are led to ours.
static LED: AtomicBool = AtomicBool::new(false);

// `call(category, name)`: what `setlocale` does: the answer in bytes, empty if it can't be done here; None if there
// is no such locale. `call(domain, value, is_codeset)`: where a text domain is found, or its codeset; a value sets
// it.
method!(call, |py, _, Some(arguments)| {
    let second = argument_bytes(py, arguments, 1);
    let answer = match argument_bytes(py, arguments, 0) {
        Some(domain) if arguments.count(py) == 3 => {
            let is_codeset = arguments.at(py, 2)?.is_true(py);
            bound(&domain, second.as_deref(), is_codeset)
        }
        _ => {
            let category = arguments.at(py, 0)?.number(py);
            if is_set(py) {
                return None;
            }
            c_int::try_from(category)
                .ok()
                .and_then(|category| set(category, second.as_deref()))
        }
    };
    match answer {
        Some(answer) => bytes(py, answer.to_bytes()),
        None => Object::none(py),
    }
});

/// Sets the locale of the attached interpreter, for a category or all, if there is a name. The answer is its name.
fn set(category: c_int, name: Option<&CStr>) -> Option<CString> {
    let (id, own) = thread::attached()?;
    // SAFETY: that of the process.
    let before = own.or_else(|| unsafe { Locale::of(LC_GLOBAL_LOCALE) })?;
    let Some(name) = name else {
        return before.description(category);
    };
    let locale = before.with(category, name)?;
    if locale != before {
        if !LED.load(Ordering::Relaxed) {
            return Some(CString::default());
        }
        thread::set(id, locale);
    }
    locale.description(category)
}

/// Leads the calls of an extension module that is loaded.
fn lead_module(file: &CStr, name: &CStr) {
    if !LED.load(Ordering::Relaxed) {
        return;
    }
    got_hooks::with_module(file, name, |_, address| {
        got_hooks::lead(address, &replaced::all());
    });
}

/// Where a text domain is found, or its codeset, after that is set, if there is a value.
fn bound(domain: &CStr, value: Option<&CStr>, is_codeset: bool) -> Option<CString> {
    unsafe extern "C" {
        fn bindtextdomain(domain: *const c_char, place: *const c_char) -> *const c_char;
        fn bind_textdomain_codeset(domain: *const c_char, codeset: *const c_char) -> *const c_char;
    }
    /// Who asks: another one's call may free the answer.
    static ASK: Mutex<()> = Mutex::new(());
    let _alone = ASK.lock().unwrap_or_else(PoisonError::into_inner);
    let value = value.map_or(std::ptr::null(), CStr::as_ptr);
    // SAFETY: C strings; the answer is copied at once.
    unsafe {
        let answer = match is_codeset {
            true => bind_textdomain_codeset(domain.as_ptr(), value),
            false => bindtextdomain(domain.as_ptr(), value),
        };
        (!answer.is_null()).then(|| CStr::from_ptr(answer).to_owned())
    }
}

/// The attached interpreter, a new one, may have a locale of its own.
pub(super) fn install(py: Attached<'_>) {
    thread::begin(py);
}
