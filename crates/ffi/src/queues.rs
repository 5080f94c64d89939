//! Queues of values, between the host, scripts and interpreters.

use std::time::Duration;

use subpy_core::value::RawQueue as subpy_queue;
use subpy_core::value::RawValue;
use subpy_core::{Arguments, Error, OwnedValue, Queue, Value, growable};

use crate::arguments::{invalid, out, read};
use crate::boundary::{enter, or_else};
use crate::errors::{subpy_error, subpy_status};
use crate::running::SUBPY_FOREVER;

/// What a queue is like. Start from #SUBPY_QUEUE_CONFIG_INIT.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct subpy_queue_config {
    /// `sizeof(subpy_queue_config)`.
    pub struct_size: usize,
    /// How many items it holds at most. 0 (the default): any number.
    pub capacity: usize,
}

growable!(subpy_queue_config, "subpy_queue_config", 16, { capacity: 0 });

/// A queue that has to be there.
///
/// # Safety
/// `queue` is NULL, or the host's, for as long as `'a`.
unsafe fn queue_of(queue: *const subpy_queue) -> Result<Queue, Error> {
    if queue.is_null() {
        return Err(invalid("queue is NULL; pass one of subpy_queue_create()"));
    }
    // SAFETY: the caller's promise.
    Ok(unsafe { Queue::clone_raw(queue) })
}

fn wait(wait_ms: u64) -> Option<Duration> {
    (wait_ms != SUBPY_FOREVER).then(|| Duration::from_millis(wait_ms))
}

/// Makes a queue. Values go in at one end and come out at the other, in order, in any thread of the host and in any
/// interpreter that the queue is given to.
///
/// A queue is given to an interpreter as a value, which subpy_from_queue() makes. Scripts see an object with the methods
/// `put(obj, block=True, timeout=None)`, `get(block=True, timeout=None)`, `put_nowait`, `get_nowait`, `close`, `qsize`,
/// `empty` and `full`, and can iterate over it. docs/scripting.md says more.
///
/// @param config NULL for the defaults.
/// @param queue  Where the queue goes, which subpy_queue_free() frees. It is NULL if the call fails.
/// @param error  NULL, or where the error goes.
/// @return #SUBPY_OK;
///         #SUBPY_ERR_INVALID_ARGUMENT for a wrong config, or NULL for `queue`.
///
/// Threads: any, at any time; also before subpy_initialize().
///
/// # Safety
/// As the parameters say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subpy_queue_create(
    config: *const subpy_queue_config,
    queue: *mut *mut subpy_queue,
    error: *mut *mut subpy_error,
) -> subpy_status {
    // SAFETY: the caller keeps the header's contract, for `error`, `queue` and `config`.
    unsafe {
        enter(error, || {
            let queue = out(queue, "queue")?;
            *queue = std::ptr::null_mut();
            let config = read(config)?;
            *queue = Queue::new(config.capacity).into_raw().cast_mut();
            Ok(())
        })
    }
}

/// Puts a copy of a value into a queue. Buffers are shared: the queue, and then who gets the item, keeps the memory until
/// it is not needed any more. (With #SUBPY_BACKEND_PROCESS who gets the item gets a copy of the memory. If its process ends
/// before it has the item, that is the next one again.)
///
/// @param queue   The queue.
/// @param value   The value. What it lends is given back as each call does it.
/// @param wait_ms How long to wait for room, in milliseconds. 0: not at all. #SUBPY_FOREVER: until there is some.
/// @param error   NULL, or where the error goes.
/// @return #SUBPY_OK;
///         #SUBPY_ERR_INVALID_ARGUMENT for NULL, or a value that is wrong;
///         #SUBPY_ERR_BUSY if the queue is still full when the time is over;
///         #SUBPY_ERR_NOT_FOUND if the queue is closed;
///         #SUBPY_ERR_INTERRUPTED if a script has called the host, in whose function this waits, and its run is to end;
///         #SUBPY_ERR_NO_MEMORY.
///
/// Threads: any, several at once. A GIL that the calling thread holds is released while it waits.
///
/// # Safety
/// As the parameters say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subpy_queue_put(
    queue: *mut subpy_queue,
    value: *const RawValue,
    wait_ms: u64,
    error: *mut *mut subpy_error,
) -> subpy_status {
    // SAFETY: the caller keeps the header's contract, for `error`, `value` and `queue`.
    unsafe {
        enter(error, || {
            let value = value
                .as_ref()
                .map(|value| Arguments::from(Value::from_raw(value)));
            let value = value.ok_or_else(|| invalid("value is NULL; pass a value"))?;
            queue_of(queue)?.put(value, wait(wait_ms))
        })
    }
}

/// Takes the next item out of a queue.
///
/// @param queue   The queue.
/// @param value   Where the item goes; to be freed by subpy_value_clear(). It is None if the call fails.
/// @param wait_ms How long to wait for an item, in milliseconds. 0: not at all. #SUBPY_FOREVER: until there is one.
/// @param error   NULL, or where the error goes.
/// @return #SUBPY_OK;
///         #SUBPY_ERR_INVALID_ARGUMENT for NULL;
///         #SUBPY_ERR_BUSY if the queue is still empty when the time is over;
///         #SUBPY_ERR_NOT_FOUND if the queue is closed and has no item left, or for an item of a script's queue whose
///         interpreter has ended;
///         #SUBPY_ERR_NOT_SHAREABLE if a script has made the queue, and the next item is no plain data. It stays there;
///         #SUBPY_ERR_INTERRUPTED as for subpy_queue_put().
///
/// Threads: as for subpy_queue_put().
///
/// # Safety
/// As the parameters say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subpy_queue_get(
    queue: *mut subpy_queue,
    value: *mut RawValue,
    wait_ms: u64,
    error: *mut *mut subpy_error,
) -> subpy_status {
    // SAFETY: the caller keeps the header's contract, for `error`, `value` and `queue`.
    unsafe {
        enter(error, || {
            let value = out(value, "value")?;
            *value = OwnedValue::NONE.into_raw();
            *value = queue_of(queue)?.get(wait(wait_ms))?.into_raw();
            Ok(())
        })
    }
}

/// How many items there are in a queue. The answer may be old by the time it arrives.
///
/// @param queue The queue, or NULL.
/// @return The number; 0 for NULL.
///
/// Threads: any. The call waits for nothing.
///
/// # Safety
/// As the parameters say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subpy_queue_length(queue: *const subpy_queue) -> usize {
    or_else(0, || {
        // SAFETY: the caller keeps the header's contract.
        unsafe { queue_of(queue) }.map_or(0, |queue| queue.length())
    })
}

/// Closes a queue: nothing can be put any more. The items that are there can still be got. Who waits is told. Nothing
/// happens to one that is closed.
///
/// @param queue The queue, or NULL.
///
/// Threads: any. The call waits for nothing.
///
/// # Safety
/// As the parameters say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subpy_queue_close(queue: *mut subpy_queue) {
    or_else((), || {
        // SAFETY: the caller keeps the header's contract.
        let _ = unsafe { queue_of(queue) }.map(|queue| queue.close());
    });
}

/// Keeps a queue that a value has, beyond the life of the value.
///
/// @param queue The queue, of subpy_value_queue() for one; or NULL.
/// @return The same, to be freed once more by subpy_queue_free().
///
/// Threads: any, at any time.
///
/// # Safety
/// As the parameters say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subpy_queue_retain(queue: *const subpy_queue) -> *mut subpy_queue {
    or_else(std::ptr::null_mut(), || {
        // SAFETY: the caller keeps the header's contract.
        unsafe { queue_of(queue) }.map_or(std::ptr::null_mut(), |queue| queue.into_raw().cast_mut())
    })
}

/// Frees the host's hold on a queue. The queue lives on as long as a script, a value or an item of a queue has it. Then
/// its items go, and what they lend is given back.
///
/// @param queue The queue, or NULL.
///
/// Threads: any, at any time. It may wait for the GIL of an interpreter of which an item has a buffer.
///
/// # Safety
/// As the parameters say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subpy_queue_free(queue: *mut subpy_queue) {
    if !queue.is_null() {
        // SAFETY: the caller hands over the host's hold.
        or_else((), || drop(unsafe { Queue::from_raw(queue) }));
    }
}
