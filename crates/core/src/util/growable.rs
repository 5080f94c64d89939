//! Structs of C's that start with their size, so that a later version can append fields.
//!
//! The host's header and the library may be of different versions. A host that knows fewer fields gets the
//! defaults for the others. A host that knows more fields is served as long as it leaves them at 0, which
//! stands for the default of every field that is appended. (The kernel's `copy_struct_from_user` has the
//! same rule.)
//!
//! What is always in line here: without it a call with options copies them.

/// The most that a struct may ever have. A larger size is one that nobody has set.
const MOST: usize = 4096;

/// A struct whose first field is its size.
///
/// # Safety
/// The type is `repr(C)`, its first field is the `usize` size, and every bit pattern of its other fields is
/// valid. [`growable!`](crate::growable!) checks that it has no padding.
pub unsafe trait Growable: Copy {
    /// What C calls it.
    const NAME: &'static str;
    /// How many bytes it had in the first version of this ABI. It never changes.
    const FIRST_SIZE: usize;
    /// What a field is that the host does not set.
    const DEFAULT: Self;
}

/// Declares a [`Growable`]: its name in C, its first size, its defaults. Fails to compile where the struct has
/// padding, which a field that is appended later would be read from.
#[macro_export]
macro_rules! growable {
    ($type:ident, $name:literal, $first:literal, { $($field:ident: $default:expr),* $(,)? }) => {
        // SAFETY: `repr(C)` structs of integers, pointers and optional functions.
        unsafe impl $crate::growable::Growable for $type {
            const NAME: &'static str = $name;
            const FIRST_SIZE: usize = $first;
            const DEFAULT: Self = $type { struct_size: size_of::<$type>(), $($field: $default),* };
        }
        const _: () = {
            let $type { struct_size, $($field),* } =
                <$type as $crate::growable::Growable>::DEFAULT;
            let sum = size_of_val(&struct_size) $(+ size_of_val(&$field))*;
            assert!(sum == size_of::<$type>(), "a struct of the ABI has padding");
            assert!($first <= size_of::<$type>(), "a struct of the ABI has shrunk");
            assert!(std::mem::offset_of!($type, struct_size) == 0);
        };
    };
}

/// The size that a struct says, if it may be one.
///
/// # Safety
/// `given` points to a struct of the size that its first field says.
unsafe fn size_of_given<T: Growable>(given: *const T) -> Result<usize, String> {
    // SAFETY: the first field is the size.
    let size = unsafe { given.cast::<usize>().read() };
    if (T::FIRST_SIZE..=MOST).contains(&size) {
        return Ok(size);
    }
    Err(format!(
        "{}.struct_size is {size}, which no version of subpy knows: start from the struct's INIT macro",
        T::NAME
    ))
}

/// What is known of a struct of the host's; the rest are the defaults.
///
/// ```
/// # use subpy_core::growable;
/// #[repr(C)]
/// #[derive(Clone, Copy)]
/// struct Options {
///     struct_size: usize,
///     depth: usize,
/// }
/// growable!(Options, "options", 16, { depth: 8 });
///
/// let shallow = Options { struct_size: 16, depth: 2 };
/// // SAFETY: a struct of this size, and NULL.
/// let (given, default) = unsafe { (growable::read(&shallow)?, growable::read::<Options>(std::ptr::null())?) };
/// assert_eq!((given.depth, default.depth), (2, 8));
/// # Ok::<(), String>(())
/// ```
///
/// # Safety
/// `given` is NULL, which stands for the defaults, or a struct of the size that its first field says.
#[inline(always)]
pub unsafe fn read<T: Growable>(given: *const T) -> Result<T, String> {
    if given.is_null() {
        return Ok(T::DEFAULT);
    }
    // SAFETY: the caller's promise.
    let size = unsafe { size_of_given(given) }?;
    let known = size_of::<T>();
    if size > known {
        // SAFETY: so many bytes are there, by the caller's promise.
        let tail = unsafe {
            let start = given.cast::<u8>().add(known);
            std::slice::from_raw_parts(start, size - known)
        };
        if let Some(at) = tail.iter().position(|byte| *byte != 0) {
            return Err(format!(
                "{}.struct_size is {size}, and byte {} is not 0, but subpy {} knows {known} bytes: this \
                 option needs a later version",
                T::NAME,
                known + at,
                env!("CARGO_PKG_VERSION"),
            ));
        }
    }
    // SAFETY: as above.
    Ok(unsafe { read_known(given, size) })
}

/// As [`read`], for one who needs only what the first version had, whatever else is wrong. `None`: NULL, or a
/// size that it can't have.
///
/// ```
/// # use subpy_core::growable;
/// #[repr(C)]
/// #[derive(Clone, Copy)]
/// struct Options {
///     struct_size: usize,
///     depth: usize,
/// }
/// growable!(Options, "options", 16, { depth: 8 });
///
/// let wrong = Options { struct_size: 3, depth: 2 };
/// // SAFETY: no more than its size is read.
/// assert!(unsafe { growable::read_first(&wrong) }.is_none());
/// ```
///
/// # Safety
/// As for [`read`].
pub unsafe fn read_first<T: Growable>(given: *const T) -> Option<T> {
    if given.is_null() {
        return None;
    }
    // SAFETY: the caller's promise.
    unsafe { Some(read_known(given, size_of_given(given).ok()?)) }
}

/// # Safety
/// `given` has `size` bytes.
unsafe fn read_known<T: Growable>(given: *const T, size: usize) -> T {
    if size >= size_of::<T>() {
        // SAFETY: all of it is there. Field by field, as the host has just written it: a copy of bytes would wait
        // for those stores.
        return unsafe { given.read() };
    }
    let mut whole = T::DEFAULT;
    // SAFETY: both have so many bytes; each pattern is valid.
    unsafe {
        let place = (&raw mut whole).cast::<u8>();
        place.copy_from_nonoverlapping(given.cast(), size);
    }
    whole
}

/// Fills a struct of the host's, as far as the host knows it. Its size stays as it is.
///
/// ```
/// # use subpy_core::growable;
/// #[repr(C)]
/// #[derive(Clone, Copy)]
/// struct Options {
///     struct_size: usize,
///     depth: usize,
/// }
/// growable!(Options, "options", 16, { depth: 8 });
///
/// let mut place = Options { struct_size: 16, depth: 0 };
/// // SAFETY: a struct of this size.
/// unsafe { growable::write(&mut place, &Options { struct_size: 16, depth: 5 })? };
/// assert_eq!(place.depth, 5);
/// # Ok::<(), String>(())
/// ```
///
/// # Safety
/// `place` points to a struct of the size that its first field says.
pub unsafe fn write<T: Growable>(place: *mut T, value: &T) -> Result<(), String> {
    // SAFETY: the caller's promise.
    let size = unsafe { size_of_given(place) }?.min(size_of::<T>());
    let start = size_of::<usize>();
    // SAFETY: both have so many bytes.
    unsafe {
        let from = std::ptr::from_ref(value).cast::<u8>();
        let to = place.cast::<u8>();
        to.add(start)
            .copy_from_nonoverlapping(from.add(start), size - start);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A struct that has grown twice: by `more`, which makes it 24 bytes, and by `most`.
    #[repr(C)]
    #[derive(Clone, Copy, Debug, PartialEq)]
    struct Options {
        struct_size: usize,
        first: u64,
        more: u64,
        most: u64,
    }

    growable!(Options, "options", 16, { first: 1, more: 2, most: 3 });

    /// A host's memory: a struct of whatever version, and what lies behind it.
    fn memory(size: usize) -> [u64; 6] {
        [size as u64, 10, 20, 30, 40, 50]
    }

    fn read_memory(memory: &[u64; 6]) -> Result<Options, String> {
        // SAFETY: the sizes of these tests are within.
        unsafe { read(memory.as_ptr().cast::<Options>()) }
    }

    #[test]
    fn what_an_older_host_does_not_know_is_the_default() {
        let read = |size| {
            let options = read_memory(&memory(size)).unwrap();
            (options.first, options.more, options.most)
        };
        assert_eq!(read(16), (10, 2, 3), "what lies behind it does not count");
        assert_eq!(read(24), (10, 20, 3));
        assert_eq!(read(32), (10, 20, 30));
    }

    #[test]
    fn what_a_newer_host_knows_has_to_be_0() {
        let mut newer = memory(48);
        let message = read_memory(&newer).unwrap_err();
        assert!(message.contains("byte 32 is not 0"), "{message}");
        newer[4] = 0;
        assert!(read_memory(&newer).is_err(), "the last one counts, too");
        newer[5] = 0;
        assert_eq!(read_memory(&newer).unwrap().most, 30);
    }

    #[test]
    fn sizes_that_no_version_has() {
        for size in [0, 1, 8, 15, MOST + 1, usize::MAX] {
            let message = read_memory(&memory(size)).unwrap_err();
            assert!(message.starts_with("options.struct_size is "), "{message}");
        }
        let null = std::ptr::null::<Options>();
        // SAFETY: NULL.
        let (whole, first) = unsafe { (read(null), read_first(null)) };
        assert_eq!(whole.unwrap(), Options::DEFAULT);
        assert_eq!(first, None);
    }

    #[test]
    fn the_first_fields_are_read_whatever_else_is_wrong() {
        // SAFETY: as above.
        let first = |size| unsafe { read_first(memory(size).as_ptr().cast::<Options>()) };
        assert_eq!(first(48).unwrap().first, 10);
        assert_eq!(first(8), None);
    }

    #[test]
    fn no_more_is_written_than_the_host_knows() {
        for (size, expected) in [
            (16, [16, 1, 20, 30, 40, 50]),
            (24, [24, 1, 2, 30, 40, 50]),
            (32, [32, 1, 2, 3, 40, 50]),
            (48, [48, 1, 2, 3, 40, 50]),
        ] {
            let mut place = memory(size);
            // SAFETY: as above.
            unsafe { write(place.as_mut_ptr().cast(), &Options::DEFAULT) }.unwrap();
            assert_eq!(place, expected);
        }
        let mut place = memory(8);
        // SAFETY: as above.
        assert!(unsafe { write(place.as_mut_ptr().cast(), &Options::DEFAULT) }.is_err());
        assert_eq!(place, memory(8));
    }
}
