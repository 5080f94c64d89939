//! What C hands over, checked and turned into Rust's types.

use std::ffi::{CStr, c_char, c_void};
use std::marker::PhantomData;

use subpy_core::growable::{self, Growable};
use subpy_core::{Error, Source, Status};

/// The error for an argument that is wrong.
pub(crate) fn invalid(message: impl Into<String>) -> Error {
    Error::new(Status::InvalidArgument, message)
}

/// A place to write a result to.
///
/// # Safety
/// `place` is NULL or may be written to for as long as `'a`.
pub(crate) unsafe fn out<'a, T>(place: *mut T, name: &str) -> Result<&'a mut T, Error> {
    // SAFETY: the caller's promise.
    unsafe { place.as_mut() }
        .ok_or_else(|| invalid(format!("{name} is NULL; pass a place for the result")))
}

/// Writes as many items as fit to `place`, and to `count` how many there are.
///
/// # Safety
/// `place` is NULL or has room for `capacity` items; `count` is NULL or may be written to.
pub(crate) unsafe fn list<T, Items: ExactSizeIterator<Item = T>>(
    place: *mut T,
    name: &str,
    capacity: usize,
    count: *mut usize,
    items: impl FnOnce() -> Result<Items, Error>,
) -> Result<(), Error> {
    // SAFETY: the caller's promise.
    unsafe {
        let count = out(count, "count")?;
        *count = 0;
        if place.is_null() && capacity > 0 {
            return Err(invalid(format!("{name} is NULL, but capacity is not 0")));
        }
        let items = items()?;
        *count = items.len();
        for (i, item) in items.take(capacity).enumerate() {
            place.add(i).write(item);
        }
    }
    Ok(())
}

/// Refuses NULL.
#[inline]
fn given(text: *const c_char, name: &str) -> Result<(), Error> {
    if text.is_null() {
        return Err(invalid(format!("{name} is NULL; pass a string")));
    }
    Ok(())
}

/// A C string, of which the length is not known yet.
pub(crate) struct CSource<'a>(*const c_char, PhantomData<&'a ()>);

impl Source for CSource<'_> {
    #[inline]
    fn is(&self, text: &CStr) -> bool {
        // SAFETY: both end in a NUL, by the promise of `source`.
        unsafe { libc::strcmp(text.as_ptr(), self.0) == 0 }
    }

    #[inline]
    fn text(&self) -> &[u8] {
        // SAFETY: as above.
        unsafe { CStr::from_ptr(self.0) }.to_bytes()
    }
}

/// The text of a program, which has to be there.
///
/// # Safety
/// As for [`bytes`].
#[inline]
pub(crate) unsafe fn source<'a>(text: *const c_char, name: &str) -> Result<CSource<'a>, Error> {
    given(text, name)?;
    Ok(CSource(text, PhantomData))
}

/// As `std::str::from_utf8`, which takes longer for a short name than all that is done with it.
#[inline]
fn utf8(bytes: &[u8]) -> Result<&str, std::str::Utf8Error> {
    match bytes.is_ascii() {
        // SAFETY: ASCII is UTF-8.
        true => Ok(unsafe { std::str::from_utf8_unchecked(bytes) }),
        false => std::str::from_utf8(bytes),
    }
}

/// A string that has to be there.
///
/// # Safety
/// `text` is NULL or ends in a NUL, and lives as long as `'a`.
pub(crate) unsafe fn bytes<'a>(text: *const c_char, name: &str) -> Result<&'a [u8], Error> {
    given(text, name)?;
    // SAFETY: the caller's promise, and not NULL.
    Ok(unsafe { CStr::from_ptr(text) }.to_bytes())
}

/// A string that may be left out: NULL is `None`.
///
/// # Safety
/// As for [`bytes`].
pub(crate) unsafe fn optional<'a>(
    text: *const c_char,
    name: &str,
) -> Result<Option<&'a str>, Error> {
    if text.is_null() {
        return Ok(None);
    }
    // SAFETY: the caller's promise, and not NULL.
    let bytes = unsafe { bytes(text, name) }?;
    utf8(bytes)
        .map(Some)
        .map_err(|e| invalid(format!("{name} is not UTF-8: byte {}", e.valid_up_to())))
}

/// A string that has to be there.
///
/// # Safety
/// `text` is NULL or ends in a NUL, and lives as long as `'a`.
pub(crate) unsafe fn required<'a>(text: *const c_char, name: &str) -> Result<&'a str, Error> {
    // SAFETY: the caller's promise.
    unsafe { optional(text, name) }?
        .ok_or_else(|| invalid(format!("{name} is NULL; pass a string")))
}

/// An array of strings that are there.
///
/// # Safety
/// `strings` is NULL, or has that many, which end in a NUL.
pub(crate) unsafe fn strings<T: for<'a> From<&'a str>>(
    strings: *const *const c_char,
    count: usize,
    name: &str,
    count_name: &str,
) -> Result<Vec<T>, Error> {
    if strings.is_null() && count > 0 {
        return Err(invalid(format!(
            "{name} is NULL, but {count_name} is {count}"
        )));
    }
    let one = |i| {
        let name = format!("{name}[{i}]");
        // SAFETY: the caller's promise.
        let text = unsafe { optional(*strings.add(i), &name) }?;
        text.map(T::from)
            .ok_or_else(|| invalid(format!("{name} is NULL")))
    };
    (0..count).map(one).collect()
}

/// A string whose length is given.
///
/// # Safety
/// `text` is NULL or has `length` bytes, for as long as `'a`.
pub(crate) unsafe fn array<'a>(
    text: *const c_char,
    length: usize,
    name: &str,
) -> Result<&'a [u8], Error> {
    given(text, name)?;
    if isize::try_from(length).is_err() {
        return Err(invalid(format!(
            "length is {length}, which is past all limits"
        )));
    }
    // SAFETY: the caller's promise.
    Ok(unsafe { std::slice::from_raw_parts(text.cast::<u8>(), length) })
}

/// A struct that can grow; NULL is its defaults.
///
/// # Safety
/// `options` is NULL or a struct of the size that its first field says.
#[inline]
pub(crate) unsafe fn read<T: Growable>(options: *const T) -> Result<T, Error> {
    // SAFETY: the caller's promise.
    unsafe { growable::read(options) }.map_err(invalid)
}

/// A flag: 0 or 1.
pub(crate) fn flag(value: u32, name: &str) -> Result<bool, Error> {
    match value {
        0 => Ok(false),
        1 => Ok(true),
        other => Err(invalid(format!(
            "{name} is {other}, but has to be 0 or 1; start from the struct's INIT macro"
        ))),
    }
}

/// A field that a later version may give a meaning.
pub(crate) fn reserved(value: u32) -> Result<(), Error> {
    if value == 0 {
        return Ok(());
    }
    Err(invalid(format!(
        "reserved is {value}, but has to be 0; start from the struct's INIT macro"
    )))
}

/// A pointer of the host's, which it lets any thread use: the header says in which thread a callback is called.
pub(crate) struct User(pub(crate) *mut c_void);
// SAFETY: the host's promise.
unsafe impl Send for User {}
// SAFETY: as above; and a callback is never called twice at once with one.
unsafe impl Sync for User {}

impl User {
    pub(crate) fn get(&self) -> *mut c_void {
        self.0
    }
}
