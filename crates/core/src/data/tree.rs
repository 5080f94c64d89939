//! The one allocation of a tree of values, and the owned value that stands for it.

use std::alloc::{Layout, alloc, dealloc};
use std::any::Any;
use std::ptr::NonNull;

use crate::data::object_handle::ObjectHandle;
use crate::data::pins::Pins;
use crate::data::value::{BufferInfo, RawData, RawQueue, RawValue, Value, kind};

/// What [`RawValue::owned`] holds in the root of a tree of ours: nothing that a host leaves there by
/// accident.
const OWNED: u32 = 0x7375_6270;

/// A reference to a queue, which goes with the last one.
pub(crate) struct QueueReference(*const RawQueue);

// SAFETY: any thread may use a queue, and count its references.
unsafe impl Send for QueueReference {}
// SAFETY: as above.
unsafe impl Sync for QueueReference {}

impl QueueReference {
    /// # Safety
    /// Of a reference, which is nobody else's.
    pub(super) unsafe fn from_raw(queue: *const RawQueue) -> Self {
        Self(queue)
    }

    /// One more.
    ///
    /// # Safety
    /// There is one.
    pub(crate) unsafe fn clone_raw(queue: *const RawQueue) -> Self {
        // SAFETY: the caller's promise.
        unsafe { ((*queue).references.one_more)(queue) };
        Self(queue)
    }

    pub(super) fn into_raw(self) -> *const RawQueue {
        std::mem::ManuallyDrop::new(self).0
    }
}

impl Drop for QueueReference {
    fn drop(&mut self) {
        // SAFETY: there is this one.
        unsafe { ((*self.0).references.one_less)(self.0) };
    }
}

/// What the host has lent: it goes with the tree.
pub(crate) type Lent = Box<dyn Any + Send + Sync>;

/// What precedes the values.
#[repr(C, align(16))]
struct Header {
    size: usize,
    pins: Pins,
    queues: Vec<QueueReference>,
    lent: Vec<Lent>,
}

/// Room for a tree: nodes first, then descriptions of buffers, then text. So what the root points to
/// is what comes first.
pub(crate) struct Block {
    header: NonNull<Header>,
    pub(crate) nodes: *mut RawValue,
    pub(crate) buffers: *mut BufferInfo,
    pub(crate) text: *mut u8,
}

impl Block {
    /// Room for so many nodes and buffers, and so many bytes of text. `None`: no memory.
    pub(crate) fn new(nodes: usize, buffers: usize, text: usize) -> Option<Self> {
        let header = size_of::<Header>();
        let buffers_at = nodes
            .checked_mul(size_of::<RawValue>())?
            .checked_add(header)?;
        let text_at = buffers
            .checked_mul(size_of::<BufferInfo>())?
            .checked_add(buffers_at)?;
        let size = text_at.checked_add(text)?;
        // SAFETY: a layout of more than 0 bytes; what is written and pointed to is inside of it, and
        // aligned: each part's size is a multiple of 8.
        unsafe {
            let start = alloc(layout(size)?);
            let place = NonNull::new(start.cast::<Header>())?;
            place.write(Header {
                size,
                pins: Pins::default(),
                queues: Vec::new(),
                lent: Vec::new(),
            });
            Some(Self {
                header: place,
                nodes: start.add(header).cast(),
                buffers: start.add(buffers_at).cast(),
                text: start.add(text_at),
            })
        }
    }

    /// Keeps these as long as the block lives.
    pub(crate) fn keep(&mut self, pins: Pins, queues: Vec<QueueReference>, lent: Vec<Lent>) {
        // SAFETY: ours, and alive.
        let header = unsafe { self.header.as_mut() };
        (header.pins, header.queues, header.lent) = (pins, queues, lent);
    }

    /// Makes `root`, whose data is the first thing in the block, the owner of the block. One that points to nothing needs none.
    pub(crate) fn into_owned(self, root: RawValue) -> RawValue {
        if root.is_whole() {
            return RawValue { owned: 0, ..root };
        }
        std::mem::forget(self);
        RawValue {
            owned: OWNED,
            ..root
        }
    }

    /// # Safety
    /// `header` is a block's, which is used no more.
    unsafe fn free(header: NonNull<Header>) {
        // SAFETY: allocated by `new`, which has written the size.
        unsafe {
            if let Some(layout) = layout(header.as_ref().size) {
                header.drop_in_place();
                dealloc(header.as_ptr().cast(), layout);
            }
        }
    }
}

impl Drop for Block {
    /// The pins are dropped here, too: their interpreter has to be attached.
    fn drop(&mut self) {
        // SAFETY: ours.
        unsafe { Self::free(self.header) }
    }
}

fn layout(size: usize) -> Option<Layout> {
    Layout::from_size_align(size, align_of::<Header>()).ok()
}

/// A value that owns its data: plain memory, free of any interpreter, but for the buffers in it, which
/// stay where their Python objects have them.
#[repr(transparent)]
pub struct OwnedValue(RawValue);

// SAFETY: plain data that nobody changes; pins are released with their interpreter attached.
unsafe impl Send for OwnedValue {}
// SAFETY: as above.
unsafe impl Sync for OwnedValue {}

impl OwnedValue {
    /// None.
    pub const NONE: Self = Self(RawValue::NONE);

    /// A tuple without items.
    pub(crate) const EMPTY_TUPLE: Self = Self(RawValue::of_items(kind::TUPLE, std::ptr::null(), 0));

    /// An iterator has no more items.
    pub(crate) const END: Self = Self(RawValue::new(kind::END, RawData { integer: 0 }));

    /// Whether it is [`END`](Self::END).
    pub(crate) fn is_end(&self) -> bool {
        self.0.kind == kind::END
    }

    /// A queue. (It is not in a block.)
    pub(crate) fn of_queue(queue: QueueReference) -> Self {
        let queue = queue.into_raw().cast_mut();
        Self(RawValue {
            owned: OWNED,
            ..RawValue::new(kind::QUEUE, RawData { queue })
        })
    }

    /// An object that stays in Python. (It is not in a block.)
    pub(crate) fn of_object(handle: ObjectHandle) -> Self {
        let object = handle.into_raw();
        Self(RawValue {
            owned: OWNED,
            ..RawValue::new(kind::OBJECT, RawData { object })
        })
    }

    /// The object that it is, if it is one.
    ///
    /// ```
    /// use subpy_core::OwnedValue;
    ///
    /// assert!(OwnedValue::NONE.into_object().is_none());
    /// ```
    pub fn into_object(self) -> Option<ObjectHandle> {
        if self.0.owned != OWNED || self.0.kind != kind::OBJECT {
            return None;
        }
        // SAFETY: the kind says which field counts.
        Some(ObjectHandle::from_raw(unsafe {
            self.into_raw().r#as.object
        }))
    }

    /// ```
    /// use subpy_core::OwnedValue;
    ///
    /// let raw = OwnedValue::NONE.into_raw();
    /// // SAFETY: given back once.
    /// drop(unsafe { OwnedValue::from_raw(raw) });
    /// ```
    ///
    /// # Safety
    /// `raw` is the library's, and nobody else's to clear.
    pub unsafe fn from_raw(raw: RawValue) -> Self {
        Self(raw)
    }

    /// Hands it over in C's form; to be given to [`from_raw`](Self::from_raw) once.
    ///
    /// ```
    /// use subpy_core::{OwnedValue, kind};
    ///
    /// assert_eq!(OwnedValue::NONE.into_raw().kind, kind::NONE);
    /// ```
    pub fn into_raw(self) -> RawValue {
        std::mem::ManuallyDrop::new(self).0
    }

    /// Whether something is freed when it is dropped.
    ///
    /// ```
    /// assert!(!subpy_core::OwnedValue::NONE.owns_memory());
    /// ```
    #[inline]
    pub fn owns_memory(&self) -> bool {
        self.0.owned == OWNED
    }

    /// The value.
    ///
    /// ```
    /// use subpy_core::{OwnedValue, View};
    ///
    /// assert_eq!(OwnedValue::NONE.get().view(), View::None);
    /// ```
    pub fn get(&self) -> &Value<'_> {
        // SAFETY: what it points to is the block's, or static.
        unsafe { Value::from_raw(&self.0) }
    }
}

impl OwnedValue {
    /// The queues that it is, or has in it. They live as long.
    pub(crate) fn queues(&self) -> Vec<*const RawQueue> {
        if self.0.owned == OWNED && self.0.kind == kind::QUEUE {
            // SAFETY: the kind says which field counts.
            return vec![unsafe { self.0.r#as.queue.cast_const() }];
        }
        let of_block = |header: &Header| header.queues.iter().map(|queue| queue.0).collect();
        self.header().map(of_block).unwrap_or_default()
    }

    /// How large its block is, in bytes.
    pub(crate) fn size(&self) -> usize {
        self.header().map_or(0, |header| header.size)
    }

    /// That of its block, if it has one.
    fn header(&self) -> Option<&Header> {
        let has_block = self.0.owned == OWNED && !matches!(self.0.kind, kind::QUEUE | kind::OBJECT);
        // SAFETY: the kind says which field counts; see `drop` for the block.
        has_block.then(|| unsafe { &*self.0.r#as.items.data.cast::<Header>().sub(1) })
    }
}

impl Drop for OwnedValue {
    #[inline]
    fn drop(&mut self) {
        if self.owns_memory() {
            self.free();
        }
    }
}

impl OwnedValue {
    /// Frees what it owns, once.
    #[inline(never)]
    fn free(&mut self) {
        if self.0.kind == kind::QUEUE {
            // SAFETY: made by `of_queue`.
            return drop(unsafe { QueueReference::from_raw(self.0.r#as.queue) });
        }
        if self.0.kind == kind::OBJECT {
            // SAFETY: made by `of_object`.
            return drop(ObjectHandle::from_raw(unsafe { self.0.r#as.object }));
        }
        // SAFETY: whatever else it is, the first thing that it points to follows the block's header.
        unsafe {
            let data = self.0.r#as.items.data;
            let header = data.cast::<Header>().sub(1).cast_mut();
            let mut header = NonNull::new_unchecked(header);
            std::mem::take(&mut header.as_mut().pins).release();
            Block::free(header);
        }
    }
}

impl std::fmt::Debug for OwnedValue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.get().fmt(f)
    }
}
