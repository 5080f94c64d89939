//! The host's memory in Python: a memoryview over an object of ours, which describes the memory and
//! gives it back when Python's last view of it is gone.

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::ops::Deref;
use std::ptr::null_mut;
use std::rc::Rc;
use std::sync::Arc;

use pyo3_ffi as ffi;

use crate::data::value::BufferInfo;
use crate::local::attach::Attached;
use crate::local::buffers::pin::{Pin, unpin};
use crate::local::buffers::shared;
use crate::local::objects::conversion_error::{ConversionError, Converted};
use crate::local::objects::instance;
use crate::local::objects::instance::{Class, Instance};
use crate::local::objects::owner::Owner;
use crate::local::objects::release::{Lent, Release};
use crate::local::python::object::Object;
use crate::util::growable;

/// What the buffer protocol allows.
const MOST_DIMENSIONS: usize = 64;

/// The host's memory.
struct Memory {
    data: *mut c_void,
    length: isize,
    writable: bool,
    item_size: isize,
    format: Format,
    shape: Sizes,
    strides: Sizes,
    /// The items are in C's order, without gaps.
    in_order: bool,
    release: Option<Release>,
}

// SAFETY: described by the host, which lets any thread have it.
unsafe impl Send for Memory {}
// SAFETY: never changed.
unsafe impl Sync for Memory {}

impl Class for Lent<Memory> {
    fn calls_host(&self) -> bool {
        self.release.is_some()
    }
}

/// What an item is; one letter needs no allocation.
enum Format {
    Letter([u8; 2]),
    Longer(CString),
}

impl Format {
    fn new(format: &CStr) -> Self {
        match *format.to_bytes_with_nul() {
            [letter, nul] => Self::Letter([letter, nul]),
            _ => Self::Longer(format.to_owned()),
        }
    }

    fn as_ptr(&self) -> *const c_char {
        match self {
            Self::Letter(text) => text.as_ptr().cast(),
            Self::Longer(text) => text.as_ptr(),
        }
    }
}

/// A number for each dimension; one needs no allocation.
enum Sizes {
    One([isize; 1]),
    Many(Vec<isize>),
}

impl Deref for Sizes {
    type Target = [isize];

    fn deref(&self) -> &[isize] {
        match self {
            Self::One(size) => size,
            Self::Many(sizes) => sizes,
        }
    }
}

/// What the host wants to be called for.
///
/// # Safety
/// `info` is NULL or true.
pub(crate) unsafe fn take_release(info: *const BufferInfo) -> Option<Release> {
    // SAFETY: the caller's promise.
    let info = unsafe { growable::read_first(info) }?;
    info.release?;
    // SAFETY: the description is true. What `unpin` gives back is the pin that was kept.
    unsafe {
        if let Some(pin) = Pin::of(&info) {
            let user = Arc::into_raw(pin).cast_mut().cast();
            return Some(Release::new(user, info.release));
        }
        if is_a_copy(&info) {
            return Some(shared::one_more(info.user));
        }
        Some(Release::new(info.user, info.release))
    }
}

/// Whether it describes what a copy of a value has.
fn is_a_copy(info: &BufferInfo) -> bool {
    let give_back: unsafe extern "C" fn(*mut c_void) = shared::give_back;
    info.release
        .is_some_and(|release| std::ptr::fn_addr_eq(release, give_back))
}

/// Whether each description is given back by itself: of a pin, or of a copy.
pub(crate) fn is_counted(info: &BufferInfo) -> bool {
    let unpin: unsafe extern "C" fn(*mut c_void) = unpin;
    is_a_copy(info)
        || info
            .release
            .is_some_and(|release| std::ptr::fn_addr_eq(release, unpin))
}

/// What a description says, with what it points to.
pub(crate) struct Described {
    pub(crate) info: BufferInfo,
    pub(crate) format: CString,
    pub(crate) shape: Vec<isize>,
    /// Empty: in C's order.
    pub(crate) strides: Vec<isize>,
    /// In bytes.
    pub(crate) item_size: usize,
}

impl Described {
    /// The items in C's order, without gaps.
    ///
    /// # Safety
    /// The memory is there, and nobody writes to it.
    pub(crate) unsafe fn in_order(&self) -> std::borrow::Cow<'_, [u8]> {
        let (start, length) = (self.info.data.cast::<u8>().cast_const(), self.info.length);
        if length == 0 {
            return (&[][..]).into();
        }
        if self.strides.is_empty() {
            // SAFETY: the caller's promise: in C's order.
            return unsafe { std::slice::from_raw_parts(start, length) }.into();
        }
        let mut items = Vec::with_capacity(length);
        let mut index = vec![0_isize; self.shape.len()];
        while items.len() < length {
            let offset = index
                .iter()
                .zip(&self.strides)
                .map(|(i, stride)| i * stride);
            // SAFETY: the caller's promise: of the item with these indices.
            unsafe {
                let item = start.offset(offset.sum());
                items.extend_from_slice(std::slice::from_raw_parts(item, self.item_size));
            }
            for (i, size) in index.iter_mut().zip(&self.shape).rev() {
                *i += 1;
                if *i < *size {
                    break;
                }
                *i = 0;
            }
        }
        items.into()
    }
}

/// Fails if a description is wrong.
///
/// # Safety
/// `info` is NULL or true.
pub(crate) unsafe fn check(info: *const BufferInfo) -> Converted<()> {
    if info.is_null() {
        return Err(ConversionError::invalid("has NULL for its buffer"));
    }
    // SAFETY: the caller's promise.
    unsafe { describe(info) }
        .map(drop)
        .map_err(ConversionError::invalid)
}

/// What a description that was checked says.
///
/// # Safety
/// `info` is true, and [`check`] has found nothing wrong.
pub(crate) unsafe fn described(info: *const BufferInfo) -> Described {
    // SAFETY: the caller's promise.
    unsafe {
        let given = growable::read(info).unwrap_or_default();
        let memory = describe(info).map(|memory| memory(None));
        let (format, shape, strides, item_size) = memory.map_or_else(
            |_| Default::default(),
            |memory| {
                let strides = match memory.in_order {
                    true => Vec::new(),
                    false => memory.strides.to_vec(),
                };
                let format = std::ffi::CStr::from_ptr(memory.format.as_ptr()).to_owned();
                (
                    format,
                    memory.shape.to_vec(),
                    strides,
                    memory.item_size as usize,
                )
            },
        );
        Described {
            info: given,
            format,
            shape,
            strides,
            item_size,
        }
    }
}

/// Makes a memoryview of the host's memory.
///
/// # Safety
/// Attached to the interpreter of `owner`; `info` is NULL or true.
pub(crate) unsafe fn view(
    py: Attached<'_>,
    info: *const BufferInfo,
    owner: &Rc<Owner>,
) -> Converted<Object> {
    // SAFETY: the caller's promise.
    unsafe {
        if let Some(object) = of_this_interpreter(py, info, owner) {
            return object;
        }
        if info.is_null() {
            return Err(ConversionError::invalid("has NULL for its buffer"));
        }
        let release = take_release(info);
        let memory = match describe(info) {
            Ok(describe) => describe(release),
            Err(message) => {
                let unused = release.into_iter().collect();
                return Err(ConversionError::invalid(message).with_unused(unused));
            }
        };
        let memory = Arc::new(Lent::new(memory));
        owner.loans.add(&memory);
        // From here on the memory is given back with its owner.
        let owner = new_owner(py, memory, owner).ok_or_else(ConversionError::raised)?;
        Object::owned(py, ffi::PyMemoryView_FromObject(owner.as_ptr()))
            .ok_or_else(ConversionError::raised)
    }
}

/// Memory of the interpreter's own, which the host hands back to it: a memoryview of the object.
///
/// # Safety
/// As for [`view`].
unsafe fn of_this_interpreter(
    py: Attached<'_>,
    info: *const BufferInfo,
    owner: &Rc<Owner>,
) -> Option<Converted<Object>> {
    // SAFETY: the caller's promise.
    unsafe {
        let pin = Pin::of(&growable::read_first(info)?)?;
        let Some(object) = pin.object_in(owner) else {
            // Not the last one: the description is true as long as there is another.
            return None;
        };
        let view = Object::owned(py, ffi::PyMemoryView_FromObject(object.as_ptr()));
        Some(view.ok_or_else(ConversionError::raised))
    }
}

/// Checks a description. What is left to do can't fail.
///
/// # Safety
/// `info` is true, and not NULL.
unsafe fn describe(
    info: *const BufferInfo,
) -> Result<impl FnOnce(Option<Release>) -> Memory, String> {
    // SAFETY: the caller's promise.
    let info = unsafe { growable::read(info) }
        .map_err(|message| format!("is a buffer with a wrong size: {message}"))?;
    let length = isize::try_from(info.length).map_err(|_| {
        format!(
            "is a buffer of {} bytes, which is past all limits",
            info.length
        )
    })?;
    if info.data.is_null() && length > 0 {
        return Err(format!("is a buffer of {length} bytes at NULL"));
    }
    if info.writable > 1 {
        return Err("is a buffer whose writable is neither 0 nor 1".into());
    }
    if !info.strides.is_null() && info.dimensions == 0 {
        return Err("is a buffer with strides, but without dimensions".into());
    }
    let format = if info.format.is_null() {
        c"B"
    } else {
        // SAFETY: the caller's promise.
        unsafe { CStr::from_ptr(info.format) }
    };
    let item_size = match (size_of_format(format), info.item_size) {
        (Some(size), 0) => size,
        (Some(size), given) if size != given => {
            return Err(format!(
                "is a buffer with an item_size of {given}, but an item of format {format:?} has {size}"
            ));
        }
        (None, 0) => {
            return Err(format!(
                "is a buffer of format {format:?}, which needs an item_size"
            ));
        }
        (_, given) => given,
    };
    if info.length % item_size != 0 {
        return Err(format!(
            "is a buffer of {length} bytes, which are no whole number of items of {item_size}"
        ));
    }
    let shape = match (info.dimensions as usize, info.shape.is_null()) {
        (0, _) => Sizes::One([(info.length / item_size) as isize]),
        (n, _) if n > MOST_DIMENSIONS => {
            return Err(format!(
                "is a buffer of {n} dimensions, more than {MOST_DIMENSIONS}"
            ));
        }
        (n, true) => {
            return Err(format!(
                "is a buffer of {n} dimensions with NULL for its shape"
            ));
        }
        // SAFETY: the caller's promise.
        (n, false) => Sizes::Many(unsafe { std::slice::from_raw_parts(info.shape, n) }.to_vec()),
    };
    let items = shape.iter().try_fold(1_usize, |product, n| {
        product.checked_mul(usize::try_from(*n).ok()?)
    });
    if items.and_then(|n| n.checked_mul(item_size)) != Some(info.length) {
        return Err(format!(
            "is a buffer of {length} bytes, which is not what its shape {:?} and its item_size \
             {item_size} make",
            &*shape
        ));
    }
    let strides_in_order = strides_of(&shape, item_size as isize);
    let strides = if info.strides.is_null() {
        None
    } else {
        // SAFETY: the caller's promise.
        let strides = unsafe { std::slice::from_raw_parts(info.strides, shape.len()) };
        (*strides != *strides_in_order).then(|| Sizes::Many(strides.to_vec()))
    };
    let in_order = strides.is_none();
    let strides = strides.unwrap_or(strides_in_order);
    if in_order {
        early_release::check(info.data, info.length)?;
    }
    let (data, writable, format) = (info.data, info.writable == 1, Format::new(format));
    Ok(move |release: Option<Release>| Memory {
        data,
        length,
        writable,
        item_size: item_size as isize,
        format,
        shape,
        strides,
        in_order,
        release,
    })
}

/// In C's order.
fn strides_of(shape: &[isize], item_size: isize) -> Sizes {
    if shape.len() == 1 {
        return Sizes::One([item_size]);
    }
    let mut strides = vec![item_size; shape.len()];
    for i in (1..shape.len()).rev() {
        strides[i - 1] = strides[i] * shape[i];
    }
    Sizes::Many(strides)
}

/// The size of an item, for formats of one letter.
fn size_of_format(format: &CStr) -> Option<usize> {
    let (native, letter) = match format.to_bytes() {
        [letter] | [b'@', letter] => (true, *letter),
        [b'<' | b'>' | b'=' | b'!', letter] => (false, *letter),
        _ => return None,
    };
    Some(match letter {
        b'c' | b'b' | b'B' | b'?' => 1,
        b'h' | b'H' | b'e' => 2,
        b'i' | b'I' | b'f' => 4,
        b'l' | b'L' if native => size_of::<std::ffi::c_long>(),
        b'l' | b'L' => 4,
        b'q' | b'Q' | b'd' => 8,
        b'n' | b'N' | b'P' if native => size_of::<usize>(),
        _ => return None,
    })
}

// The Python type. ------------------------------------------------------------------------------

unsafe fn new_owner(
    py: Attached<'_>,
    memory: Arc<Lent<Memory>>,
    owner: &Rc<Owner>,
) -> Option<Object> {
    let make = |py: Attached<'_>| {
        let slots = [
            instance::slot(ffi::Py_bf_getbuffer, get_buffer as *mut c_void),
            instance::slot(
                ffi::Py_tp_doc,
                c"Memory of the host.".as_ptr() as *mut c_void,
            ),
        ];
        // SAFETY: the slots are right for the type.
        unsafe { instance::new_type::<Lent<Memory>>(py, c"subpy.HostMemory", &slots) }
    };
    // SAFETY: attached; a type of ours for this.
    unsafe { instance::hold(py, |owner| &owner.memory_type, make, memory, owner) }
}

unsafe extern "C" fn get_buffer(
    object: *mut ffi::PyObject,
    view: *mut ffi::Py_buffer,
    flags: c_int,
) -> c_int {
    let asks = |flag| flags & flag == flag;
    // SAFETY: called by Python, attached, with an object of our type and a view to fill. What the view
    // points to lives as long as the object, which the view keeps.
    unsafe {
        (*view).obj = null_mut();
        let memory: &Instance<Lent<Memory>> = Instance::of(object);
        let memory: &Memory = memory;
        let refuse = |message: &CStr| {
            ffi::PyErr_SetString(ffi::PyExc_BufferError, message.as_ptr());
            -1
        };
        if asks(ffi::PyBUF_WRITABLE) && !memory.writable {
            return refuse(c"the host's memory is read-only");
        }
        if memory.in_order
            && let Err(message) = early_release::check(memory.data, memory.length as usize)
        {
            let message = CString::new(format!("the memory {message}")).unwrap_or_default();
            return refuse(&message);
        }
        (*view).buf = match memory.data.is_null() {
            true => null_mut::<u8>().wrapping_add(1).cast(), // empty; some take NULL for a failure
            false => memory.data,
        };
        (*view).len = memory.length;
        (*view).readonly = (!memory.writable).into();
        (*view).itemsize = memory.item_size;
        (*view).format = match asks(ffi::PyBUF_FORMAT) {
            true => memory.format.as_ptr().cast_mut(),
            false => null_mut(),
        };
        (*view).ndim = memory.shape.len() as c_int;
        (*view).shape = match asks(ffi::PyBUF_ND) {
            true => memory.shape.as_ptr().cast_mut(),
            false => null_mut(),
        };
        (*view).strides = match asks(ffi::PyBUF_STRIDES) {
            true => memory.strides.as_ptr().cast_mut(),
            false => null_mut(),
        };
        (*view).suboffsets = null_mut();
        (*view).internal = null_mut();
        if !memory.in_order || memory.shape.len() > 1 {
            // It is asked of the whole description, whatever of that was wanted.
            let (shape, strides) = (memory.shape.as_ptr(), memory.strides.as_ptr());
            let whole = ffi::Py_buffer {
                shape: shape.cast_mut(),
                strides: strides.cast_mut(),
                ..*view
            };
            let lies = |order: u8| ffi::PyBuffer_IsContiguous(&whole, order as c_char) != 0;
            if !asks(ffi::PyBUF_STRIDES) && !lies(b'C')
                || asks(ffi::PyBUF_C_CONTIGUOUS) && !lies(b'C')
            {
                return refuse(c"the memory is not in C's order without gaps");
            }
            if asks(ffi::PyBUF_F_CONTIGUOUS) && !lies(b'F') {
                return refuse(c"the memory is not in Fortran's order without gaps");
            }
            if asks(ffi::PyBUF_ANY_CONTIGUOUS) && !lies(b'A') {
                return refuse(c"the memory has gaps");
            }
        }
        ffi::Py_INCREF(object);
        (*view).obj = object;
    }
    0
}

/// In debug builds: has the host freed memory that Python may still read? Found where the pages are
/// gone, which they are for what is large.
mod early_release {
    use std::ffi::c_void;

    #[cfg(debug_assertions)]
    pub(super) fn check(data: *mut c_void, length: usize) -> Result<(), String> {
        if length == 0 {
            return Ok(());
        }
        // A chunk at a time, of 4096 pages.
        let mut pages = [0_u8; 4096];
        // SAFETY: asks the system about addresses; there is room for an answer for each page.
        let is_mapped = unsafe {
            let page = libc::sysconf(libc::_SC_PAGESIZE) as usize;
            let (start, end) = (data as usize & !(page - 1), data as usize + length);
            (start..end).step_by(page * pages.len()).all(|chunk| {
                let size = (end - chunk).min(page * pages.len());
                libc::mincore(chunk as *mut c_void, size, pages.as_mut_ptr().cast()) == 0
                    || std::io::Error::last_os_error().raw_os_error() != Some(libc::ENOMEM)
            })
        };
        match is_mapped {
            true => Ok(()),
            false => Err(format!(
                "is a buffer of {length} bytes at {data:p}, where there is no memory: was it freed \
                 before its release callback was called?"
            )),
        }
    }

    #[cfg(not(debug_assertions))]
    #[inline]
    pub(super) fn check(_: *mut c_void, _: usize) -> Result<(), String> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn described(info: BufferInfo) -> Result<(Vec<isize>, Vec<isize>, isize), String> {
        // SAFETY: the tests tell the truth, or what is refused before it is used.
        let memory = unsafe { describe(&info) }?(None);
        Ok((
            memory.shape.to_vec(),
            memory.strides.to_vec(),
            memory.item_size,
        ))
    }

    fn of(data: &mut [u64]) -> BufferInfo {
        BufferInfo {
            data: data.as_mut_ptr().cast(),
            length: size_of_val(data),
            ..BufferInfo::default()
        }
    }

    #[test]
    fn descriptions() {
        let mut data = [0_u64; 6];
        let info = of(&mut data);
        assert_eq!(described(info), Ok((vec![48], vec![1], 1)));
        let doubles = BufferInfo {
            format: c"<d".as_ptr(),
            ..info
        };
        assert_eq!(described(doubles), Ok((vec![6], vec![8], 8)));
        let shape = [2, 3];
        let matrix = BufferInfo {
            dimensions: 2,
            shape: shape.as_ptr(),
            ..doubles
        };
        assert_eq!(described(matrix), Ok((vec![2, 3], vec![24, 8], 8)));
        let (shape, strides) = ([3], [-16]);
        let backwards = BufferInfo {
            dimensions: 1,
            length: 24,
            shape: shape.as_ptr(),
            strides: strides.as_ptr(),
            ..doubles
        };
        assert_eq!(described(backwards), Ok((vec![3], vec![-16], 8)));
        assert_eq!(described(of(&mut [])), Ok((vec![0], vec![1], 1)));
    }

    #[test]
    fn wrong_descriptions() {
        let mut data = [0_u64; 6];
        let info = of(&mut data);
        let wrong = |info, part: &str| {
            let message = described(info).unwrap_err();
            assert!(message.contains(part), "{message}");
        };
        let shape = [2, -3];
        let d = c"d".as_ptr();
        wrong(
            BufferInfo {
                struct_size: 8,
                ..info
            },
            "struct_size is 8",
        );
        wrong(
            BufferInfo {
                length: usize::MAX,
                ..info
            },
            "past all limits",
        );
        wrong(
            BufferInfo {
                data: null_mut(),
                ..info
            },
            "at NULL",
        );
        wrong(
            BufferInfo {
                writable: 2,
                ..info
            },
            "neither 0 nor 1",
        );
        wrong(
            BufferInfo {
                strides: shape.as_ptr(),
                ..info
            },
            "without dimensions",
        );
        wrong(
            BufferInfo {
                format: c"ddd".as_ptr(),
                ..info
            },
            "needs an item_size",
        );
        wrong(
            BufferInfo {
                format: d,
                item_size: 4,
                ..info
            },
            "has 8",
        );
        wrong(
            BufferInfo {
                format: d,
                length: 47,
                ..info
            },
            "whole number",
        );
        wrong(
            BufferInfo {
                dimensions: 65,
                ..info
            },
            "65 dimensions",
        );
        wrong(
            BufferInfo {
                dimensions: 1,
                ..info
            },
            "NULL for its shape",
        );
        wrong(
            BufferInfo {
                dimensions: 2,
                shape: shape.as_ptr(),
                ..info
            },
            "[2, -3]",
        );
        wrong(
            BufferInfo {
                dimensions: 1,
                shape: shape.as_ptr(),
                ..info
            },
            "[2]",
        );
    }
}
