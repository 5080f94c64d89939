//! Defect: a Python function that a script hands to a C library, by `ctypes` or `cffi`, and that the library calls in a
//! thread of its own, runs in the main interpreter, with its modules and its GIL: that is where `PyGILState_Ensure` takes
//! a thread that Python has never seen. The process dies of it later.
//!
//! Has it: all versions.
//!
//! Cure: who makes such a function is noted when it is made: the module's calls of `libffi` are led to functions of
//! ours. The C library calls ours first, which enters the interpreter with a thread state of its own, unless the thread
//! is in there already. To `PyGILState_Ensure` it is then a thread that Python knows. An interpreter that ends is not
//! entered: the call returns zeros.
//!
//! It is done where subpy has started Python, and where the module does not have its own `libffi` built in.

use std::collections::BTreeMap;
use std::ffi::{CStr, c_int, c_uint, c_ushort, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::null_mut;
use std::sync::atomic::{AtomicPtr, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock};

use crate::data::id::Id;
use crate::local::attach;
use crate::local::attach::Attached;
use crate::local::cures::got_hooks;
use crate::local::cures::stdlib_functions::Functions;
use crate::local::enter;
use crate::local::interpreter::registry;
use crate::local::interpreter::shared::{Requester, Shared};
use crate::local::python::method::method;
use crate::local::python::str_arguments::argument_bytes;
use crate::local::stack::with_room_if_any;

pub(super) static FUNCTIONS: Functions = Functions::new(
    &[c"_ctypes", c"_cffi_backend"],
    c"
def replacers(call, put, at_end):
    lead = lambda module: call(getattr(module, '__file__', '').encode(), module.__name__.encode())
    return {'_ctypes': lead, '_cffi_backend': lead}
",
    call,
);

/// The start of libffi's description of a function.
#[repr(C)]
struct Cif {
    _abi: c_uint,
    _nargs: c_uint,
    _arg_types: *mut c_void,
    result: *const Type,
}

#[repr(C)]
struct Type {
    size: usize,
    _alignment: c_ushort,
    kind: c_ushort,
}

/// What libffi calls when C calls: with the place of the result, the arguments, and what was given with it.
type Function = unsafe extern "C" fn(*mut Cif, *mut c_void, *mut *mut c_void, *mut c_void);
type Prepare =
    unsafe extern "C" fn(*mut c_void, *mut Cif, Function, *mut c_void, *mut c_void) -> c_int;
type Free = unsafe extern "C" fn(*mut c_void);

/// The functions of a module's libffi. Two modules may have two of them.
struct Libffi {
    prepare: AtomicPtr<c_void>,
    free: AtomicPtr<c_void>,
}

const CTYPES: usize = 0;
const CFFI: usize = 1;

static LIBFFIS: [Libffi; 2] = [const {
    Libffi {
        prepare: AtomicPtr::new(null_mut()),
        free: AtomicPtr::new(null_mut()),
    }
}; 2];

/// A function of a script's that C may call.
#[derive(Clone, Copy)]
struct Callback {
    interpreter: Id,
    function: Function,
    user: *mut c_void,
}

// SAFETY: only handed on.
unsafe impl Send for Callback {}
// SAFETY: as above.
unsafe impl Sync for Callback {}

/// By the address of what libffi has made of each. Held for a look or a change. An address that is used again without
/// having been freed replaces what was there.
static CALLBACKS: Mutex<BTreeMap<usize, Box<Callback>>> = Mutex::new(BTreeMap::new());

/// Those of cffi, by what it gives libffi with each. It looks whether libffi has kept that, so it gets nothing of ours,
/// and it frees a closure itself. An address that is used again replaces what was there.
static OF_CFFI: RwLock<BTreeMap<usize, Callback>> = RwLock::new(BTreeMap::new());

/// An interpreter has ended.
pub(super) fn forget(interpreter: Id) {
    let mut callbacks = OF_CFFI.write().unwrap_or_else(PoisonError::into_inner);
    callbacks.retain(|_, callback| callback.interpreter != interpreter);
}

fn callbacks() -> MutexGuard<'static, BTreeMap<usize, Box<Callback>>> {
    CALLBACKS.lock().unwrap_or_else(PoisonError::into_inner)
}

// `call(file, name)`: leads the calls of the module.
method!(call, |py, _, Some(arguments)| {
    if let (Some(file), Some(name)) = (
        argument_bytes(py, arguments, 0),
        argument_bytes(py, arguments, 1),
    ) && !file.is_empty()
    {
        match name.as_c_str() == c"_ctypes" {
            true => lead::<CTYPES>(&file, &name),
            false => lead::<CFFI>(&file, &name),
        }
    }
    Object::none(py)
});

fn lead<const N: usize>(file: &CStr, name: &CStr) {
    const PREPARE: &CStr = c"ffi_prep_closure_loc";
    const FREE: &CStr = c"ffi_closure_free";
    got_hooks::with_module(file, name, |library, address| {
        // SAFETY: a library that is loaded; C strings.
        let [its_prepare, its_free] =
            [PREPARE, FREE].map(|name| unsafe { libc::dlsym(library, name.as_ptr()) });
        if !its_prepare.is_null() && !its_free.is_null() {
            LIBFFIS[N].prepare.store(its_prepare, Ordering::Relaxed);
            LIBFFIS[N].free.store(its_free, Ordering::Relaxed);
            let ours = [
                (PREPARE, prepare::<N> as *mut c_void),
                (FREE, free::<N> as *mut c_void),
            ];
            got_hooks::lead(address, &ours);
        }
    });
}

/// A module has libffi make what C can call.
unsafe extern "C" fn prepare<const N: usize>(
    closure: *mut c_void,
    cif: *mut Cif,
    function: Function,
    user: *mut c_void,
    code: *mut c_void,
) -> c_int {
    // SAFETY: stored by `lead`: the function of this name and type. The module's own arguments, or ours in their
    // place, which live as long as the closure.
    unsafe {
        let address = LIBFFIS[N].prepare.load(Ordering::Relaxed);
        let prepare = std::mem::transmute::<*mut c_void, Prepare>(address);
        let python = attach::attached_interpreter();
        let found = registry::find_by(|interpreter| interpreter.is(python));
        let Some(interpreter) = found.map(|found| found.id()) else {
            return prepare(closure, cif, function, user, code);
        };
        let callback = Callback {
            interpreter,
            function,
            user,
        };
        if N == CFFI {
            let mut callbacks = OF_CFFI.write().unwrap_or_else(PoisonError::into_inner);
            callbacks.insert(user as usize, callback);
            return prepare(closure, cif, called_of_cffi, user, code);
        }
        let mut callback = Box::new(callback);
        let address = (&raw mut *callback).cast();
        callbacks().insert(closure as usize, callback);
        prepare(closure, cif, called, address, code)
    }
}

unsafe extern "C" fn free<const N: usize>(closure: *mut c_void) {
    drop(callbacks().remove(&(closure as usize)));
    // SAFETY: as above.
    unsafe {
        let address = LIBFFIS[N].free.load(Ordering::Relaxed);
        std::mem::transmute::<*mut c_void, Free>(address)(closure);
    }
}

/// C calls a function of a script's, in whatever thread.
unsafe extern "C" fn called(
    cif: *mut Cif,
    result: *mut c_void,
    arguments: *mut *mut c_void,
    callback: *mut c_void,
) {
    // SAFETY: called by libffi with what `prepare` has given it, which lives until the closure is freed: so it is
    // copied, since the function may free its own.
    unsafe { call_in_its_interpreter(Some(*callback.cast()), cif, result, arguments) };
}

unsafe extern "C" fn called_of_cffi(
    cif: *mut Cif,
    result: *mut c_void,
    arguments: *mut *mut c_void,
    user: *mut c_void,
) {
    let callbacks = OF_CFFI.read().unwrap_or_else(PoisonError::into_inner);
    let callback = callbacks.get(&(user as usize)).copied();
    drop(callbacks);
    // SAFETY: called by libffi.
    unsafe { call_in_its_interpreter(callback, cif, result, arguments) };
}

/// # Safety
/// The arguments are libffi's.
unsafe fn call_in_its_interpreter(
    callback: Option<Callback>,
    cif: *mut Cif,
    result: *mut c_void,
    arguments: *mut *mut c_void,
) {
    let entered = AssertUnwindSafe(|| {
        let Some(callback) = callback else {
            return false;
        };
        // SAFETY: the caller's promise, and what `prepare` was given.
        let call = || unsafe { (callback.function)(cif, result, arguments, callback.user) };
        match registry::find(callback.interpreter) {
            Ok(interpreter) => interpreter.0.enter_from_anywhere(call),
            Err(_) => false,
        }
    });
    if !catch_unwind(entered).unwrap_or(false) {
        /// `FFI_TYPE_VOID`.
        const NOTHING: c_ushort = 0;
        // SAFETY: the caller's promise. An integer is as wide as a register at least.
        unsafe {
            let kind = &*(*cif).result;
            if kind.kind != NOTHING {
                result
                    .cast::<u8>()
                    .write_bytes(0, kind.size.max(size_of::<usize>()));
            }
        }
    }
}

impl Shared {
    /// Does `work` in a thread that the interpreter's own `PyGILState_Ensure` knows: in one of the interpreter's, or else
    /// with a thread state that is made for it. Says whether it was done: not in an interpreter that ends.
    pub(super) fn enter_from_anywhere(&self, work: impl FnOnce()) -> bool {
        if let Some(_known) = enter::GilstateGuard::new(|found| self.is(found)) {
            work();
            return true;
        }
        self.access_from_anywhere(|_| work())
    }

    /// Does `work` in the interpreter from a thread that nothing is known of. Says whether it was done: not in an interpreter that ends. The
    /// interpreter is not ended before the thread is attached; then it has one thread more.
    pub(super) fn access_from_anywhere(&self, work: impl FnOnce(Attached<'_>)) -> bool {
        let mut requests = self.requests();
        if self.state.is_over() {
            return false;
        }
        requests.count += 1;
        drop(requests);
        let asks = Requester(self);
        let access = |py: Attached<'_>| {
            drop(asks);
            work(py);
        };
        with_room_if_any(|room| {
            let (id, python) = (self.id, self.interpreter);
            // SAFETY: this thread is counted in `requests` until it is attached.
            unsafe { enter::in_new_thread_state(room, id, self.account, python, access) };
        });
        true
    }
}
