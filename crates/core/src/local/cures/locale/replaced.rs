//! What libpython calls in place of functions of the C library. In an interpreter of ours they first see to it that
//! the calling thread has the locale of that interpreter, which another thread may have set. Elsewhere they are the
//! C library's.

use std::cell::{RefCell, UnsafeCell};
use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::ptr::null_mut;

use libc::{size_t, wchar_t};

use super::data::{Locale, NOTHING, numeric_and_monetary};
use super::thread;
use crate::local::cures::got_hooks::Replaced;
use crate::local::thread::calling_thread::LC_GLOBAL_LOCALE;

unsafe extern "C" {
    #[link_name = "wcscoll"]
    fn c_wcscoll(a: *const wchar_t, b: *const wchar_t) -> c_int;
    #[link_name = "wcsxfrm"]
    fn c_wcsxfrm(to: *mut wchar_t, from: *const wchar_t, room: size_t) -> size_t;
    #[link_name = "wcsftime"]
    fn c_wcsftime(
        to: *mut wchar_t,
        room: size_t,
        format: *const wchar_t,
        time: *const libc::tm,
    ) -> size_t;
}

/// By what name libpython knows each, and its address.
pub(super) fn all() -> [Replaced; 7] {
    [
        (c"setlocale", setlocale as *mut c_void),
        (c"localeconv", localeconv as *mut c_void),
        (c"nl_langinfo", nl_langinfo as *mut c_void),
        (c"wcscoll", wcscoll as *mut c_void),
        (c"wcsxfrm", wcsxfrm as *mut c_void),
        (c"wcsftime", wcsftime as *mut c_void),
        (c"strftime", strftime as *mut c_void),
    ]
}

/// Says whether the calling thread is in an interpreter of ours. It has the locale of that one then. `errno` stays:
/// CPython sets it to 0 before some of these calls, and looks at it afterwards.
fn follow() -> bool {
    // SAFETY: this thread's own.
    let errno = unsafe { &mut *libc::__errno_location() };
    let before = *errno;
    let found = thread::attached();
    if let Some((_, Some(locale))) = found {
        thread::adopt(locale);
    }
    *errno = before;
    found.is_some()
}

thread_local! {
    static CONVENTIONS: UnsafeCell<libc::lconv> = const { UnsafeCell::new(NOTHING) };
    static DESCRIPTION: RefCell<CString> = RefCell::default();
}

unsafe extern "C" fn localeconv() -> *mut libc::lconv {
    if !follow() {
        // SAFETY: as CPython calls it.
        return unsafe { libc::localeconv() };
    }
    CONVENTIONS.with(|place| {
        // SAFETY: the place is this thread's, until its next call.
        unsafe { place.get().write(numeric_and_monetary()) };
        place.get()
    })
}

/// CPython calls it to set the locale for a moment, and back: here that of the thread.
unsafe extern "C" fn setlocale(category: c_int, name: *const c_char) -> *mut c_char {
    // SAFETY: as CPython calls it.
    let as_before = || unsafe { libc::setlocale(category, name) };
    if !follow() {
        return as_before();
    }
    let now = thread::get();
    if now == LC_GLOBAL_LOCALE && name.is_null() {
        return as_before();
    }
    // SAFETY: the thread's locale lives; a C string.
    let locale = unsafe {
        let locale = Locale::of(now);
        match name.is_null() {
            true => locale,
            false => locale.and_then(|locale| locale.with(category, CStr::from_ptr(name))),
        }
    };
    let described = || {
        let description = locale?.description(category)?;
        thread::put(locale?.raw());
        let keep = |place: &RefCell<CString>| {
            place.replace(description);
            place.borrow().as_ptr().cast_mut()
        };
        DESCRIPTION.try_with(keep).ok()
    };
    described().unwrap_or(null_mut())
}

unsafe extern "C" fn nl_langinfo(item: libc::nl_item) -> *mut c_char {
    follow();
    // SAFETY: as CPython calls it; so for those below.
    unsafe { libc::nl_langinfo(item) }
}

unsafe extern "C" fn wcscoll(a: *const wchar_t, b: *const wchar_t) -> c_int {
    follow();
    // SAFETY: see above.
    unsafe { c_wcscoll(a, b) }
}

unsafe extern "C" fn wcsxfrm(to: *mut wchar_t, from: *const wchar_t, room: size_t) -> size_t {
    follow();
    // SAFETY: see above.
    unsafe { c_wcsxfrm(to, from, room) }
}

unsafe extern "C" fn wcsftime(
    to: *mut wchar_t,
    room: size_t,
    format: *const wchar_t,
    time: *const libc::tm,
) -> size_t {
    follow();
    // SAFETY: see above.
    unsafe { c_wcsftime(to, room, format, time) }
}

unsafe extern "C" fn strftime(
    to: *mut c_char,
    room: size_t,
    format: *const c_char,
    time: *const libc::tm,
) -> size_t {
    follow();
    // SAFETY: see above.
    unsafe { libc::strftime(to, room, format, time) }
}
