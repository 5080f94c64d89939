//! Values: what crosses between the host and an interpreter, as plain data in C's layout. The host
//! builds them on its stack, and the crate reads them where they are.
//!
//! `RawValue` and what it is made of are C's `subpy_value` and so on: their comments are the header's.

use std::ffi::{c_char, c_void};
use std::marker::PhantomData;

use subpy_wire::{DateTime, Timedelta};

pub use crate::data::kind;
pub use crate::data::kind::MAX_DEPTH;
use crate::data::object_handle::ObjectHandle;
use crate::util::growable::Growable;

/// A value: plain data. The host makes one with the functions subpy_int() and so on, or by hand. It points to
/// its text and its items, and a copy of it points to the same.
///
/// A value that the library has handed out owns what it points to, until subpy_value_clear(). It has 24 bytes,
/// in this version and in each later one.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct RawValue {
    /// One of ::subpy_kind. It says which field of `as` counts.
    pub kind: u32,
    /// The library's own. 0 in a value that the host makes.
    pub owned: u32,
    /// What the value is.
    pub r#as: RawData,
}

/// What a ::subpy_value is. The kind of the value names the field that counts.
#[repr(C)]
#[derive(Clone, Copy)]
pub union RawData {
    /// Of #SUBPY_INT.
    pub integer: i64,
    /// Of #SUBPY_FLOAT.
    pub real: f64,
    /// Of #SUBPY_BOOL.
    pub boolean: bool,
    /// Of #SUBPY_STR, #SUBPY_BYTES, #SUBPY_BIG_INT, #SUBPY_WTF8 and #SUBPY_DECIMAL.
    pub text: RawText,
    /// Of #SUBPY_TUPLE, #SUBPY_LIST, #SUBPY_DICT, #SUBPY_SET and #SUBPY_FROZENSET.
    pub items: RawItems,
    /// Of #SUBPY_BUFFER.
    pub buffer: *const BufferInfo,
    /// Of #SUBPY_QUEUE.
    pub queue: *mut RawQueue,
    /// Of #SUBPY_COMPLEX.
    pub complex: RawComplex,
    /// Of #SUBPY_DATETIME, #SUBPY_DATE and #SUBPY_TIME. subpy_value_as_datetime() takes it apart.
    pub datetime: RawDateTime,
    /// Of #SUBPY_TIMEDELTA.
    pub timedelta: RawTimedelta,
    /// Of #SUBPY_UUID: its 16 bytes, the highest one first, as Python's `UUID.bytes`.
    pub uuid: [u8; 16],
    /// Of #SUBPY_OBJECT: a ::subpy_object.
    pub object: u64,
}

/// A complex number.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct RawComplex {
    /// The real part.
    pub real: f64,
    /// The imaginary part.
    pub imag: f64,
}

/// A datetime, a date or a time of the day, as a ::subpy_value has it. subpy_datetime() and its like make one, and
/// subpy_value_as_datetime() takes one apart.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct RawDateTime {
    /// 1 to 9999. 0 in a time, as are `month` and `day`.
    pub year: u16,
    /// 1 to 12.
    pub month: u8,
    /// 1 to 31.
    pub day: u8,
    /// 0 to 23. 0 in a date, as is all that follows.
    pub hour: u8,
    /// 0 to 59.
    pub minute: u8,
    /// 0 to 59.
    pub second: u8,
    /// 1: Python's `fold` is 1. 2: it is aware, so it has an offset from UTC. 3: both. 0: neither.
    pub flags: u8,
    /// The offset from UTC in microseconds, times 2^20, plus the microsecond.
    pub offset_and_microsecond: i64,
}

/// A length of time, as Python keeps it: `days` may be less than 0, and the rest is added to it.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct RawTimedelta {
    /// -999,999,999 to 999,999,999.
    pub days: i32,
    /// 0 to 86,399.
    pub seconds: i32,
    /// 0 to 999,999.
    pub microseconds: i32,
}

/// A queue, as C has it: where it is.
pub struct RawQueue {
    pub(super) references: &'static References,
}

/// How the references of a queue are counted.
pub(super) struct References {
    pub(super) one_more: unsafe fn(*const RawQueue),
    pub(super) one_less: unsafe fn(*const RawQueue),
}

/// The text or the bytes of a ::subpy_value.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct RawText {
    /// The first byte. May be NULL if the length is 0. Text that the library hands out ends in a NUL, which
    /// is not counted. Text that the host passes need not.
    pub data: *const c_char,
    /// The length, in bytes.
    pub length: usize,
}

/// The items of a ::subpy_value.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct RawItems {
    /// The first item. Of a dict: the first key, then its value, the second key, and so on. May be NULL if
    /// the length is 0.
    pub data: *const RawValue,
    /// The number of items; of a dict, the number of pairs.
    pub length: usize,
}

/// A function of the host's, which the library calls once, when it does not need something of the host's any
/// more.
///
/// @param user What the host handed over with it.
///
/// The library calls it in the thread that let go of the thing. That thread holds neither a GIL nor a lock of
/// subpy then. The function may call subpy. It must not leave by an exception or by longjmp().
pub type ReleaseFn = Option<unsafe extern "C" fn(user: *mut c_void)>;

/// Memory that the host and Python share. Start from #SUBPY_BUFFER_INFO_INIT.
///
/// *From the host to Python*, the memory becomes a memoryview, without a copy. Each call that takes the value
/// calls `release` once for each place that the buffer has in the value, whatever becomes of the call. (Not called
/// is that of a buffer with a wrong `struct_size`, or nested deeper than #SUBPY_MAX_DEPTH.) It does so when
/// Python's last view of the memory is gone, or when the interpreter has ended. If there never was a view, it
/// does so before the call returns. The host keeps the memory where it is until then.
///
/// *From Python to the host*, it is the memory of a Python object. That memory stays in place until
/// subpy_value_clear(); for an argument of a host function, it stays until the function returns. The host may
/// pass such a value on. In its own interpreter it becomes a view of the object again. Another interpreter
/// shares the memory, which then stays in place until the views there are gone, too. The interpreter that has
/// the object can't be destroyed before.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct BufferInfo {
    /// `sizeof(subpy_buffer_info)`.
    pub struct_size: usize,
    /// The first byte. May be NULL if the length is 0.
    pub data: *mut c_void,
    /// The size of all items together, in bytes.
    pub length: usize,
    /// What an item is, in the words of Python's `struct` module: "d", "<i4". NULL (the default) stands for
    /// "B", bytes. The library copies it.
    pub format: *const c_char,
    /// The size of an item, in bytes. 0 (the default): the format says it. A format of more than one letter
    /// needs it.
    pub item_size: usize,
    /// 1: the side that gets the memory may write to it. 0 (the default): it may only read.
    pub writable: u32,
    /// How many dimensions there are. 0 (the default): one, of all items.
    pub dimensions: u32,
    /// How many items each dimension has. May be NULL if `dimensions` is 0. The library copies it.
    pub shape: *const isize,
    /// NULL (the default): the items are in C's order, without gaps. Otherwise: how many bytes lie between the items of
    /// each dimension, which may be less than 0. `data` is the item of which all indices are 0, and `length` counts the
    /// items alone. The library copies it. Memory from Python has it only if #SUBPY_STRIDED was asked for.
    pub strides: *const isize,
    /// The library calls it when it does not need the memory any more. NULL: nothing is called. From Python
    /// it is the library's own, and the host does not call it.
    pub release: ReleaseFn,
    /// Handed to `release`. From Python it is the library's own.
    pub user: *mut c_void,
}

crate::growable!(BufferInfo, "subpy_buffer_info", 80, {
    data: std::ptr::null_mut(),
    length: 0,
    format: std::ptr::null(),
    item_size: 0,
    writable: 0,
    dimensions: 0,
    shape: std::ptr::null(),
    strides: std::ptr::null(),
    release: None,
    user: std::ptr::null_mut(),
});

impl Default for BufferInfo {
    fn default() -> Self {
        Self::DEFAULT
    }
}

// For ever: arrays of values are the host's, too.
const _: () = assert!(size_of::<RawValue>() == 24);

impl RawValue {
    /// None.
    pub const NONE: Self = Self::new(kind::NONE, RawData { integer: 0 });

    #[inline]
    pub(crate) const fn new(kind: u32, data: RawData) -> Self {
        Self {
            kind,
            owned: 0,
            r#as: data,
        }
    }

    #[inline]
    pub(crate) const fn of_text(kind: u32, data: *const c_char, length: usize) -> Self {
        let text = RawText { data, length };
        Self::new(kind, RawData { text })
    }

    #[inline]
    pub(crate) const fn of_items(kind: u32, data: *const RawValue, length: usize) -> Self {
        let items = RawItems { data, length };
        Self::new(kind, RawData { items })
    }

    /// Whether it holds other values.
    #[inline]
    pub(crate) fn is_container(&self) -> bool {
        matches!(
            self.kind,
            kind::TUPLE | kind::LIST | kind::DICT | kind::SET | kind::FROZENSET
        )
    }

    /// Whether it points to nothing.
    #[inline]
    pub(crate) fn is_whole(&self) -> bool {
        matches!(
            self.kind,
            kind::NONE | kind::BOOL | kind::INT | kind::FLOAT | kind::COMPLEX | kind::UUID
        ) || self.is_time()
    }

    /// Whether it is a point in time, or a length of time.
    #[inline]
    pub(crate) fn is_time(&self) -> bool {
        matches!(self.kind, kind::DATETIME..=kind::TIMEDELTA)
    }

    /// Of a kind for them. It need not be one that there is.
    pub(crate) fn of_datetime(kind: u32, datetime: &DateTime) -> Self {
        let (fields, rest) = datetime.parts();
        let [_, _, month, day, hour, minute, second, flags] = fields;
        let datetime = RawDateTime {
            year: datetime.year,
            month,
            day,
            hour,
            minute,
            second,
            flags,
            offset_and_microsecond: rest,
        };
        Self::new(kind, RawData { datetime })
    }

    /// It need not be one that there is.
    pub(crate) fn of_timedelta(delta: &Timedelta) -> Self {
        let timedelta = RawTimedelta {
            days: delta.days,
            seconds: delta.seconds,
            microseconds: delta.microseconds,
        };
        Self::new(kind::TIMEDELTA, RawData { timedelta })
    }

    pub(crate) const fn of_uuid(uuid: [u8; 16]) -> Self {
        Self::new(kind::UUID, RawData { uuid })
    }

    pub(crate) const fn of_complex(real: f64, imag: f64) -> Self {
        let complex = RawComplex { real, imag };
        Self::new(kind::COMPLEX, RawData { complex })
    }

    /// The datetime, date or time that it is, or what is wrong with it.
    pub(crate) fn as_datetime(&self) -> Result<DateTime, &'static str> {
        if !matches!(self.kind, kind::DATETIME | kind::DATE | kind::TIME) {
            return Err("is no datetime");
        }
        // SAFETY: the kind says which field counts.
        let raw = unsafe { self.r#as.datetime };
        let [low, high] = raw.year.to_le_bytes();
        let fields = [
            low, high, raw.month, raw.day, raw.hour, raw.minute, raw.second, raw.flags,
        ];
        let checked = DateTime::of_parts(fields, raw.offset_and_microsecond).and_then(|datetime| {
            match self.kind {
                kind::DATETIME => datetime.check_datetime(),
                kind::DATE => datetime.check_date(),
                _ => datetime.check_time(),
            }
            .map(|()| datetime)
        });
        checked.map_err(|error| error.0)
    }

    /// The length of time that it is, or what is wrong with it.
    pub(crate) fn as_timedelta(&self) -> Result<Timedelta, &'static str> {
        if self.kind != kind::TIMEDELTA {
            return Err("is no timedelta");
        }
        // SAFETY: the kind says which field counts.
        let raw = unsafe { self.r#as.timedelta };
        let delta = Timedelta {
            days: raw.days,
            seconds: raw.seconds,
            microseconds: raw.microseconds,
        };
        delta.check().map_err(|error| error.0)?;
        Ok(delta)
    }

    /// Fails for a time that there is not. What is none is right.
    pub(crate) fn check_time(&self) -> Result<(), &'static str> {
        match self.kind {
            kind::DATETIME | kind::DATE | kind::TIME => self.as_datetime().map(drop),
            kind::TIMEDELTA => self.as_timedelta().map(drop),
            _ => Ok(()),
        }
    }
}

/// A value whose data lives as long as `'a`.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub struct Value<'a>(RawValue, PhantomData<&'a ()>);

/// What a [`Value`] is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum View<'a> {
    /// None.
    None,
    /// A bool.
    Bool(bool),
    /// An int of 64 bits.
    Int(i64),
    /// A float.
    Float(f64),
    /// A str.
    Str(&'a str),
    /// Bytes.
    Bytes(&'a [u8]),
    /// A tuple.
    Tuple(&'a [Value<'a>]),
    /// A list.
    List(&'a [Value<'a>]),
    /// A dict: keys and values.
    Dict(&'a [[Value<'a>; 2]]),
    /// Shared memory.
    Buffer(&'a [u8]),
    /// An int past 64 bits, in hexadecimal.
    BigInt(&'a str),
    /// A str with lone surrogates, in generalized UTF-8.
    Wtf8(&'a [u8]),
    /// A queue, by its id.
    Queue(*const RawQueue),
    /// A complex number: its real part, and its imaginary one.
    Complex(f64, f64),
    /// A set, in any order.
    Set(&'a [Value<'a>]),
    /// A frozenset, in any order.
    FrozenSet(&'a [Value<'a>]),
    /// A datetime.
    DateTime(DateTime),
    /// A date.
    Date(DateTime),
    /// A time of the day.
    Time(DateTime),
    /// A length of time.
    Timedelta(Timedelta),
    /// A decimal number, as `str()` has it.
    Decimal(&'a str),
    /// A UUID, the highest byte first.
    Uuid([u8; 16]),
    /// An object that stays in Python, by its handle.
    Object(u64),
    /// None of these: the host made it wrong.
    Wrong,
}

impl<'a> Value<'a> {
    /// None.
    pub const NONE: Self = Self::of(RawValue::NONE);

    pub(super) const fn of(raw: RawValue) -> Self {
        Self(raw, PhantomData)
    }

    /// A bool.
    ///
    /// ```
    /// use subpy_core::{Value, View};
    ///
    /// assert_eq!(Value::bool(true).view(), View::Bool(true));
    /// ```
    pub const fn bool(boolean: bool) -> Self {
        Self::of(RawValue::new(kind::BOOL, RawData { boolean }))
    }

    /// An int.
    ///
    /// ```
    /// use subpy_core::{Value, View};
    ///
    /// assert_eq!(Value::int(7).view(), View::Int(7));
    /// ```
    pub const fn int(integer: i64) -> Self {
        Self::of(RawValue::new(kind::INT, RawData { integer }))
    }

    /// A float.
    ///
    /// ```
    /// use subpy_core::{Value, View};
    ///
    /// assert_eq!(Value::float(0.5).view(), View::Float(0.5));
    /// ```
    pub const fn float(real: f64) -> Self {
        Self::of(RawValue::new(kind::FLOAT, RawData { real }))
    }

    /// A str.
    ///
    /// ```
    /// use subpy_core::{Value, View};
    ///
    /// assert_eq!(Value::str("text").view(), View::Str("text"));
    /// ```
    pub const fn str(text: &'a str) -> Self {
        Self::text(kind::STR, text.as_bytes())
    }

    /// Bytes.
    ///
    /// ```
    /// use subpy_core::{Value, View};
    ///
    /// assert_eq!(Value::bytes(b"\0").view(), View::Bytes(b"\0"));
    /// ```
    pub const fn bytes(bytes: &'a [u8]) -> Self {
        Self::text(kind::BYTES, bytes)
    }

    /// An int of any size, as `int(text, 0)` reads it.
    ///
    /// ```
    /// use subpy_core::{Value, View};
    ///
    /// assert_eq!(Value::big_int("0x10000000000000000").view(), View::BigInt("0x10000000000000000"));
    /// ```
    pub const fn big_int(text: &'a str) -> Self {
        Self::text(kind::BIG_INT, text.as_bytes())
    }

    /// A str in generalized UTF-8: lone surrogates are three bytes.
    ///
    /// ```
    /// use subpy_core::{Value, View};
    ///
    /// let surrogate = b"\xed\xa0\x80";
    /// assert_eq!(Value::wtf8(surrogate).view(), View::Wtf8(surrogate));
    /// ```
    pub const fn wtf8(bytes: &'a [u8]) -> Self {
        Self::text(kind::WTF8, bytes)
    }

    /// A tuple.
    ///
    /// ```
    /// use subpy_core::{Value, View};
    ///
    /// let pair = [Value::int(1), Value::str("one")];
    /// assert_eq!(Value::tuple(&pair).view(), View::Tuple(&pair));
    /// ```
    pub const fn tuple(items: &'a [Value<'a>]) -> Self {
        let data = items.as_ptr().cast();
        Self::of(RawValue::of_items(kind::TUPLE, data, items.len()))
    }

    /// A list.
    ///
    /// ```
    /// use subpy_core::{Value, View};
    ///
    /// let numbers = [Value::int(1), Value::int(2)];
    /// assert_eq!(Value::list(&numbers).view(), View::List(&numbers));
    /// ```
    pub const fn list(items: &'a [Value<'a>]) -> Self {
        let data = items.as_ptr().cast();
        Self::of(RawValue::of_items(kind::LIST, data, items.len()))
    }

    /// A dict of these pairs.
    ///
    /// ```
    /// use subpy_core::{Value, View};
    ///
    /// let ages = [[Value::str("Ada"), Value::int(36)]];
    /// assert_eq!(Value::dict(&ages).get("Ada"), Some(&Value::int(36)));
    /// ```
    pub const fn dict(pairs: &'a [[Value<'a>; 2]]) -> Self {
        let data = pairs.as_ptr().cast();
        Self::of(RawValue::of_items(kind::DICT, data, pairs.len()))
    }

    /// Shared memory.
    ///
    /// No example: what C gives away is made in C. See `subpy_value_buffer()`.
    ///
    /// # Safety
    /// The description is true, until its `release` is called.
    pub const unsafe fn buffer(buffer: &'a BufferInfo) -> Self {
        Self::of(RawValue::new(kind::BUFFER, RawData { buffer }))
    }

    /// A complex number.
    ///
    /// ```
    /// use subpy_core::{Value, View};
    ///
    /// assert_eq!(Value::complex(1.0, -2.0).view(), View::Complex(1.0, -2.0));
    /// ```
    pub const fn complex(real: f64, imaginary: f64) -> Self {
        Self::of(RawValue::of_complex(real, imaginary))
    }

    /// A set of these, which have to be hashable.
    ///
    /// ```
    /// use subpy_core::{Value, View};
    ///
    /// let numbers = [Value::int(1), Value::int(2)];
    /// assert_eq!(Value::set(&numbers).view(), View::Set(&numbers));
    /// ```
    pub const fn set(items: &'a [Value<'a>]) -> Self {
        let data = items.as_ptr().cast();
        Self::of(RawValue::of_items(kind::SET, data, items.len()))
    }

    /// A frozenset of these, which have to be hashable.
    ///
    /// ```
    /// use subpy_core::{Value, View};
    ///
    /// let numbers = [Value::int(1), Value::int(2)];
    /// assert_eq!(Value::frozenset(&numbers).view(), View::FrozenSet(&numbers));
    /// ```
    pub const fn frozenset(items: &'a [Value<'a>]) -> Self {
        let data = items.as_ptr().cast();
        Self::of(RawValue::of_items(kind::FROZENSET, data, items.len()))
    }

    /// A datetime. One that there is not is refused where it is used.
    ///
    /// ```
    /// use subpy_core::{DateTime, Value, View};
    ///
    /// let noon = DateTime {
    ///     year: 2024, month: 2, day: 29, hour: 12, minute: 0, second: 0, microsecond: 0,
    ///     fold: false, utc_offset: Some(0),
    /// };
    /// assert_eq!(Value::datetime(&noon).view(), View::DateTime(noon));
    /// ```
    pub fn datetime(datetime: &DateTime) -> Self {
        Self::of(RawValue::of_datetime(kind::DATETIME, datetime))
    }

    /// A date: the rest is 0.
    ///
    /// ```
    /// use subpy_core::{DateTime, Value, View};
    ///
    /// let day = DateTime {
    ///     year: 2024, month: 2, day: 29, hour: 0, minute: 0, second: 0, microsecond: 0,
    ///     fold: false, utc_offset: None,
    /// };
    /// assert_eq!(Value::date(&day).view(), View::Date(day));
    /// ```
    pub fn date(date: &DateTime) -> Self {
        Self::of(RawValue::of_datetime(kind::DATE, date))
    }

    /// A time of the day: the year, the month and the day are 0.
    ///
    /// ```
    /// use subpy_core::{DateTime, Value, View};
    ///
    /// let noon = DateTime {
    ///     year: 0, month: 0, day: 0, hour: 12, minute: 0, second: 0, microsecond: 0,
    ///     fold: false, utc_offset: None,
    /// };
    /// assert_eq!(Value::time(&noon).view(), View::Time(noon));
    /// ```
    pub fn time(time: &DateTime) -> Self {
        Self::of(RawValue::of_datetime(kind::TIME, time))
    }

    /// A length of time.
    ///
    /// ```
    /// use subpy_core::{Timedelta, Value, View};
    ///
    /// let hour = Timedelta { days: 0, seconds: 3600, microseconds: 0 };
    /// assert_eq!(Value::timedelta(&hour).view(), View::Timedelta(hour));
    /// ```
    pub fn timedelta(delta: &Timedelta) -> Self {
        Self::of(RawValue::of_timedelta(delta))
    }

    /// A decimal number, as `decimal.Decimal` reads it.
    ///
    /// ```
    /// use subpy_core::{Value, View};
    ///
    /// assert_eq!(Value::decimal("1.50").view(), View::Decimal("1.50"));
    /// ```
    pub const fn decimal(text: &'a str) -> Self {
        Self::text(kind::DECIMAL, text.as_bytes())
    }

    /// A UUID, the highest byte first.
    ///
    /// ```
    /// use subpy_core::{Value, View};
    ///
    /// assert_eq!(Value::uuid([7; 16]).view(), View::Uuid([7; 16]));
    /// ```
    pub const fn uuid(bytes: [u8; 16]) -> Self {
        Self::of(RawValue::of_uuid(bytes))
    }

    const fn text(kind: u32, bytes: &'a [u8]) -> Self {
        Self::of(RawValue::of_text(kind, bytes.as_ptr().cast(), bytes.len()))
    }

    /// A value of C's. What is wrong with it (an unknown kind, bad UTF-8, NULL where there should be
    /// data) is found where it is used.
    ///
    /// ```
    /// use subpy_core::Value;
    ///
    /// let seven = Value::int(7);
    /// // SAFETY: it points to nothing.
    /// let same = unsafe { Value::from_raw(seven.as_raw()) };
    /// assert_eq!(same, &seven);
    /// ```
    ///
    /// # Safety
    /// Where it points to data, that is there for as long as `'a`, and as long as it says; a buffer as
    /// for [`buffer`](Self::buffer).
    pub unsafe fn from_raw(raw: &'a RawValue) -> &'a Self {
        // SAFETY: the same layout, and the caller's promise.
        unsafe { &*std::ptr::from_ref(raw).cast() }
    }

    /// An array of values of C's.
    ///
    /// ```
    /// use subpy_core::Value;
    ///
    /// let numbers = [Value::int(1), Value::int(2)];
    /// // SAFETY: two values, which point to nothing.
    /// let same = unsafe { Value::slice_from_raw(numbers[0].as_raw(), 2) };
    /// assert_eq!(same, numbers);
    /// ```
    ///
    /// # Safety
    /// `data` points to `length` values, each as for [`from_raw`](Self::from_raw).
    pub unsafe fn slice_from_raw(data: *const RawValue, length: usize) -> &'a [Self] {
        if length == 0 {
            return &[];
        }
        // SAFETY: the same layout, and the caller's promise.
        unsafe { std::slice::from_raw_parts(data.cast(), length) }
    }

    /// C's form.
    ///
    /// ```
    /// use subpy_core::{Value, kind};
    ///
    /// assert_eq!(Value::int(7).as_raw().kind, kind::INT);
    /// ```
    pub fn as_raw(&self) -> &RawValue {
        &self.0
    }

    /// What it is.
    ///
    /// ```
    /// use subpy_core::{Value, View};
    ///
    /// match Value::str("text").view() {
    ///     View::Str(text) => assert_eq!(text.len(), 4),
    ///     other => panic!("{other:?}"),
    /// }
    /// ```
    pub fn view(&self) -> View<'a> {
        // SAFETY: the kind says which field counts; what it points to lives as long as `'a`, by the
        // promise of whoever made it. A bool of C's is read as the byte that it is.
        unsafe {
            let data = &self.0.r#as;
            let bytes = || match (data.text.data.is_null(), data.text.length) {
                (_, 0) => Some(&[][..]),
                (true, _) => None,
                (false, n) => Some(std::slice::from_raw_parts(data.text.data.cast::<u8>(), n)),
            };
            let text = || bytes().and_then(|b| std::str::from_utf8(b).ok());
            let items = || match (data.items.data.is_null(), data.items.length) {
                (true, 1..) => None,
                (_, n) => Some(Self::slice_from_raw(data.items.data, n)),
            };
            let view = match self.0.kind {
                kind::NONE => Some(View::None),
                kind::BOOL => Some(View::Bool(
                    (&raw const data.boolean).cast::<u8>().read() != 0,
                )),
                kind::INT => Some(View::Int(data.integer)),
                kind::FLOAT => Some(View::Float(data.real)),
                kind::STR => text().map(View::Str),
                kind::BIG_INT => text().map(View::BigInt),
                kind::BYTES => bytes().map(View::Bytes),
                kind::WTF8 => bytes().map(View::Wtf8),
                kind::TUPLE => items().map(View::Tuple),
                kind::LIST => items().map(View::List),
                kind::DICT => match (data.items.data.is_null(), data.items.length) {
                    (_, 0) => Some(View::Dict(&[])),
                    (true, _) => None,
                    (false, n) => {
                        let pairs = data.items.data.cast::<[Self; 2]>();
                        Some(View::Dict(std::slice::from_raw_parts(pairs, n)))
                    }
                },
                kind::BUFFER => data.buffer.as_ref().map(|info| match info.length {
                    0 => View::Buffer(&[]),
                    n => View::Buffer(std::slice::from_raw_parts(info.data.cast(), n)),
                }),
                kind::QUEUE if !data.queue.is_null() => Some(View::Queue(data.queue)),
                kind::COMPLEX => Some(View::Complex(data.complex.real, data.complex.imag)),
                kind::SET => items().map(View::Set),
                kind::FROZENSET => items().map(View::FrozenSet),
                kind::DATETIME => self.0.as_datetime().ok().map(View::DateTime),
                kind::DATE => self.0.as_datetime().ok().map(View::Date),
                kind::TIME => self.0.as_datetime().ok().map(View::Time),
                kind::TIMEDELTA => self.0.as_timedelta().ok().map(View::Timedelta),
                kind::DECIMAL => text().map(View::Decimal),
                kind::UUID => Some(View::Uuid(data.uuid)),
                kind::OBJECT => Some(View::Object(data.object)),
                _ => None,
            };
            view.unwrap_or(View::Wrong)
        }
    }

    /// The items of a tuple, a list, a set or a frozenset; none of anything else.
    /// An object that stays in Python: an argument for its own interpreter.
    ///
    /// ```
    /// use subpy_core::{ObjectHandle, Value, View};
    ///
    /// let none = ObjectHandle::from_raw(0);
    /// assert_eq!(Value::object(&none).view(), View::Object(0));
    /// ```
    pub fn object(handle: &'a ObjectHandle) -> Self {
        let object = handle.raw();
        Self::of(RawValue::new(kind::OBJECT, RawData { object }))
    }

    /// The items of a tuple or list; none of anything else.
    ///
    /// ```
    /// use subpy_core::Value;
    ///
    /// let numbers = [Value::int(1), Value::int(2)];
    /// assert_eq!(Value::list(&numbers).items(), numbers);
    /// assert!(Value::int(1).items().is_empty());
    /// ```
    pub fn items(&self) -> &'a [Value<'a>] {
        match self.view() {
            View::Tuple(items) | View::List(items) | View::Set(items) | View::FrozenSet(items) => {
                items
            }
            _ => &[],
        }
    }

    /// The value of a dict's key.
    ///
    /// ```
    /// use subpy_core::Value;
    ///
    /// let ages = [[Value::str("Ada"), Value::int(36)]];
    /// assert_eq!(Value::dict(&ages).get("Bob"), None);
    /// ```
    pub fn get(&self, key: &str) -> Option<&'a Value<'a>> {
        let View::Dict(pairs) = self.view() else {
            return None;
        };
        let pair = pairs.iter().find(|[k, _]| k.view() == View::Str(key));
        pair.map(|[_, value]| value)
    }
}

impl PartialEq for Value<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.view() == other.view()
    }
}

impl std::fmt::Debug for Value<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.view().fmt(f)
    }
}
