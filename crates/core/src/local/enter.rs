//! How a thread enters an interpreter and leaves it, and what it has meanwhile. (`guards` saves and restores that.)
//!
//! Who holds what: a call that comes in may find the calling thread attached to a thread state of the
//! host's, or of an interpreter that is further out in the call chain. That one is detached first, so
//! no call ever waits for a GIL while it holds another (own-GIL interpreters take the main
//! interpreter's GIL to import extension modules: holding it while waiting for one of them is a
//! deadlock). No lock of ours is held either: the callers of this module hold none. On the way out
//! everything is put back: first ours is detached, then the host's is attached.
//!
//! What is always in line here: without it a run takes 28 instructions more.

mod guards;

use std::ptr::null_mut;

use pyo3_ffi as ffi;
use pyo3_ffi::{PyInterpreterState, PyThreadState};

use self::guards::Entered;
pub(in crate::local) use self::guards::InHost;
use crate::data::id::Id;
use crate::local::attach::{
    Attached, Current, attach, attached, gilstate_slot, is_attached, new_state, still_attached,
};
use crate::local::cures::import_first;
use crate::local::cures::interned_strings::Interned;
use crate::local::cures::locale::thread as locale;
use crate::local::cures::shared_gil::Entrant;
use crate::local::cures::stack_bounds::KnownStack;
use crate::local::cures::{
    main_thread, running_main, switch_interval, thread_start_at_end, thread_state_ids,
    threading_main,
};
use crate::local::memory::account::Account;
use crate::local::python::thread_states;
use crate::local::stack::Room;
use crate::local::thread::calling_thread;
use crate::local::thread::cancel_state::CancelDisabled;
use crate::local::thread::entry::Entry;
use crate::local::thread::float_environment::FloatEnvironment;

/// Counts the calling thread's memory there while `work` is done.
pub(crate) fn with_account<T>(account: Option<&'static Account>, work: impl FnOnce() -> T) -> T {
    in_entry(
        Entry::new(calling_thread::interpreter(), account, null_mut()),
        work,
    )
}

fn in_entry<T>(entry: Entry, work: impl FnOnce() -> T) -> T {
    struct Back(*const Entry);
    impl Drop for Back {
        fn drop(&mut self) {
            calling_thread::set_entry(self.0);
        }
    }
    let outer = calling_thread::entry();
    let _back = Back(outer);
    entry.before.entry.set(outer);
    calling_thread::set_entry(&entry);
    work()
}

/// Calls the host from an interpreter of another process, while that waits.
pub(crate) fn for_far_call<T>(id: Id, call: impl FnOnce() -> T) -> T {
    in_entry(
        Entry::new(Some(id), calling_thread::account(), null_mut()),
        call,
    )
}

/// Whether the calling thread does something for this interpreter, which has called the host.
pub(crate) fn is_called_from(id: Id) -> bool {
    let mut entry = calling_thread::entry();
    // SAFETY: an entry lives until it is left.
    while let Some(one) = unsafe { entry.as_ref() } {
        if one.id == Some(id) {
            return true;
        }
        entry = one.outer();
    }
    false
}

/// The interpreter that the calling thread is in, if subpy knows that: its id, or else the state of
/// an interpreter that the host has entered by itself.
pub(crate) fn current_interpreter() -> (Option<Id>, *mut PyInterpreterState) {
    if let Some(id) = calling_thread::interpreter() {
        return (Some(id), null_mut());
    }
    let host = attached();
    if host.is_null() {
        return (None, null_mut());
    }
    // SAFETY: attached in this thread, so it lives.
    (None, unsafe { ffi::PyThreadState_GetInterpreter(host) })
}

/// An entry that is for the interpreter that the thread is in anyway, if it is.
fn entry_here() -> Entry {
    Entry::new(
        calling_thread::interpreter(),
        calling_thread::account(),
        null_mut(),
    )
}

/// Runs `wait` without any GIL, whatever the calling thread holds.
pub(crate) fn detached<T>(wait: impl FnOnce() -> T) -> T {
    let entry = entry_here();
    let _entered = Entered::new(&entry);
    wait()
}

/// Calls the host, without any GIL that the thread holds.
pub(crate) fn for_host<T>(call: impl FnOnce() -> T) -> T {
    if !is_attached() {
        return call();
    }
    if !calling_thread::entry().is_null() {
        return without_gil(calling_thread::interpreter(), call);
    }
    let entry = entry_here();
    let entered = Entered::new(&entry);
    entered.put_back_floats();
    call()
}

/// Does `work`, which starts or ends Python, as in a thread of a Python process.
pub(crate) fn as_python<T>(work: impl FnOnce() -> T) -> T {
    let _cancel_disabled = CancelDisabled::new();
    let floats = FloatEnvironment::get();
    FloatEnvironment::OF_PYTHON.put();
    let result = work();
    floats.put();
    result
}

/// While it lives, `PyGILState_Ensure` leads the calling thread into an interpreter that it is in, or that it has
/// called the host from. What is kept is what the slot holds otherwise.
pub(crate) struct GilstateGuard(*mut PyThreadState);

impl GilstateGuard {
    /// `None`: the thread is not in the interpreter of which `is_it` is true.
    pub(crate) fn new(is_it: impl Fn(*mut PyInterpreterState) -> bool) -> Option<Self> {
        // Each is the thread's own, and lives.
        let leads_there = |state: *mut PyThreadState| {
            !state.is_null() && is_it(thread_states::interpreter_of(state))
        };
        let slot = gilstate_slot::get();
        if !leads_there(slot) {
            // SAFETY: an entry lives until it is left.
            let inside = unsafe { calling_thread::entry().as_ref() }?
                .thread_state
                .get();
            if is_attached() || !leads_there(inside) {
                return None;
            }
            gilstate_slot::set(inside);
        }
        Some(Self(slot))
    }
}

impl Drop for GilstateGuard {
    fn drop(&mut self) {
        gilstate_slot::set(self.0);
    }
}

/// The calling thread is attached to a thread state of ours until this is dropped.
pub(crate) struct Attachment<'a> {
    entered: Entered<'a>,
    _entrant: Entrant,
    proof: Attached<'a>,
}

impl<'a> Attachment<'a> {
    /// Waits for the GIL of the thread state of `entry` and attaches it, where there is room.
    ///
    /// # Safety
    /// The thread state is detached, lives, and is nobody else's to attach until this is dropped; nor is the entry.
    #[inline(always)]
    pub(crate) unsafe fn enter(entry: &'a Entry, shares_gil: bool, _: Room<'_>) -> Self {
        let entered = Entered::new(entry);
        let thread_state = entry.thread_state.get();
        let inside = Entrant::new(shares_gil);
        // SAFETY: the caller's promise; this thread is detached.
        let proof = unsafe {
            let proof = attach(thread_state);
            locale::enter(thread_state);
            proof
        };
        Self {
            entered,
            _entrant: inside,
            proof,
        }
    }

    /// The proof that it is attached.
    #[inline(always)]
    pub(crate) fn attached(&self) -> Attached<'_> {
        self.proof
    }

    /// The thread stays attached, without this.
    pub(crate) fn keep(self) {
        std::mem::forget(self);
    }

    /// One that was kept.
    ///
    /// # Safety
    /// The calling thread has kept it, it was entered with this, for a GIL that is not shared, and the thread is attached.
    pub(crate) unsafe fn kept(entry: &'a Entry) -> Self {
        // SAFETY: the caller's promise.
        unsafe {
            Self {
                entered: Entered::kept(entry),
                _entrant: Entrant::new(false),
                proof: still_attached(),
            }
        }
    }

    /// Ends the attached interpreter. Its thread state is gone afterwards. The strings that it has interned are
    /// freed, unless there is no `extensions`, or that is loaded by then.
    ///
    /// # Safety
    /// It is not the main interpreter, and has no other thread state.
    pub(crate) unsafe fn end_interpreter(self, extensions: Option<import_first::LoadedExtensions>) {
        threading_main::move_here(self.proof);
        thread_start_at_end::refuse();
        running_main::end(self.proof);
        let interned = extensions.map(|extensions| (extensions, Interned::of_attached(self.proof)));
        let id_of_locale = locale::id_of_attached(self.proof);
        let (entered, _entrant) = self.leave_attached();
        // SAFETY: the caller's promise. Before 3.12 the GIL is still held afterwards, by nobody: a
        // thread state of the main interpreter takes it over, to let it go.
        unsafe {
            let ending = ffi::PyThreadState_Get();
            #[cfg(not(Py_3_12))]
            let temporary = new_state(ffi::PyInterpreterState_Main());
            // What goes with the interpreter may ask for the GIL that it has.
            #[cfg(not(Py_3_12))]
            gilstate_slot::set(ending);
            ffi::Py_EndInterpreter(ending);
            #[cfg(not(Py_3_12))]
            {
                ffi::PyThreadState_Swap(temporary);
                gilstate_slot::set(temporary);
                ffi::PyThreadState_Clear(temporary);
                ffi::PyThreadState_DeleteCurrent();
            }
            entered.put_back_locale();
            locale::end(id_of_locale);
            if let Some((extensions, interned)) = interned
                && !extensions.is_loaded()
            {
                interned.free();
            }
        }
        drop(entered);
    }

    /// Finalizes Python from its main interpreter's thread state.
    ///
    /// # Safety
    /// The main interpreter's is attached; no other interpreter and no other thread state is left.
    pub(crate) unsafe fn finalize(self) -> bool {
        threading_main::move_here(self.proof);
        running_main::end(self.proof);
        main_thread::give_back(self.proof);
        let (entered, _entrant) = self.leave_attached();
        // What the slot held is gone with Python; so is the slot, where it is a key.
        let entered = std::mem::ManuallyDrop::new(entered);
        // SAFETY: the caller's promise.
        let finalized = unsafe { ffi::Py_FinalizeEx() } == 0;
        entered.put_back();
        entered.allow_cancel();
        finalized
    }

    /// As dropping it, in line.
    #[inline(always)]
    pub(crate) fn leave(self) {
        let (entered, _entrant) = self.leave_attached();
        // SAFETY: attached since `enter`.
        unsafe { ffi::PyEval_SaveThread() };
        entered.leave();
    }

    /// Takes apart what detaches when it is dropped.
    #[inline(always)]
    fn leave_attached(self) -> (Entered<'a>, Entrant) {
        let this = std::mem::ManuallyDrop::new(self);
        // SAFETY: `this` is never dropped, so both are moved out once.
        unsafe {
            (
                std::ptr::read(&this.entered),
                std::ptr::read(&this._entrant),
            )
        }
    }
}

impl Drop for Attachment<'_> {
    fn drop(&mut self) {
        // SAFETY: attached since `enter`. The field `entered` is dropped next.
        unsafe { ffi::PyEval_SaveThread() };
    }
}

/// Calls the host from the attached interpreter, without its GIL.
pub(crate) fn without_gil<T>(id: impl Into<Option<Id>>, call: impl FnOnce() -> T) -> T {
    released(id, |_| call())
}

/// As [`without_gil`], for a call that may want to attach again for a moment: `call` gets what was
/// attached, for [`Attachment::enter`].
pub(crate) fn released<T>(
    id: impl Into<Option<Id>>,
    call: impl FnOnce(*mut PyThreadState) -> T,
) -> T {
    let entry = Entry::new(id.into(), None, null_mut());
    let in_host = InHost::releasing_gil(&entry);
    call(in_host.thread_state)
}

/// Calls the host from the attached interpreter, whose GIL it has meanwhile.
#[inline(always)]
pub(crate) fn with_gil<T>(call: impl FnOnce() -> T) -> T {
    let _in_host = InHost::keeping_gil();
    call()
}

/// Attaches a thread state, which is told of the stack that it is on.
///
/// # Safety
/// As for [`attach`].
unsafe fn attach_new<'a>(thread_state: *mut PyThreadState, _: Room<'_>) -> Attached<'a> {
    // SAFETY: the caller's promise.
    let py = unsafe { attach(thread_state) };
    KnownStack::new().follow(py, thread_state);
    py
}

/// Does `work` in an interpreter that another thread may be running in, or this one further out: with
/// a thread state that is made for it, so that nothing of theirs is touched. Waits for the GIL.
///
/// # Safety
/// The interpreter lives until `work` is done; `id` and `account` are its own.
pub(crate) unsafe fn in_new_thread_state<T>(
    room: Room<'_>,
    id: Id,
    account: Option<&'static Account>,
    python: *mut PyInterpreterState,
    work: impl FnOnce(Attached<'_>) -> T,
) -> T {
    let entry = Entry::new(Some(id), account, null_mut());
    let _entered = Entered::new(&entry);
    let _entrant = Entrant::new(true);
    // SAFETY: the caller's promise; this thread is detached. The temporary state is this function's own; while
    // it is attached, the interpreter can't be ended: its GIL is held.
    unsafe {
        let temporary = new_state(python);
        assert!(!temporary.is_null(), "no memory for a thread state");
        let py = attach_new(temporary, room);
        locale::enter(temporary);
        let result = work(py);
        ffi::PyThreadState_Clear(temporary);
        ffi::PyThreadState_DeleteCurrent();
        result
    }
}

/// Does `work` in the main interpreter, with a thread state that is made for it.
pub(crate) fn in_main_interpreter<T>(room: Room<'_>, work: impl FnOnce(Attached<'_>) -> T) -> T {
    let _short = switch_interval::shorten();
    let entry = entry_here();
    let _entered = Entered::new(&entry);
    let _entrant = Entrant::new(true);
    // SAFETY: Python is initialized, and this thread is detached. The temporary state is this function's own.
    unsafe {
        let temporary = new_state(ffi::PyInterpreterState_Main());
        assert!(!temporary.is_null(), "no memory for a thread state");
        let py = attach_new(temporary, room);
        let result = work(py);
        ffi::PyThreadState_Clear(temporary);
        ffi::PyThreadState_DeleteCurrent();
        result
    }
}

/// Does `work` in an interpreter that shares its GIL, with a thread state that is made for it. False: there is no
/// memory for one.
///
/// # Safety
/// The interpreter lives until this returns.
#[cfg(not(Py_3_13))]
pub(crate) unsafe fn in_interpreter(
    room: Room<'_>,
    interpreter: *mut PyInterpreterState,
    work: impl FnOnce(Attached<'_>),
) -> bool {
    let entry = entry_here();
    let _entered = Entered::new(&entry);
    let _entrant = Entrant::new(true);
    // SAFETY: the caller's promise; this thread is detached. The temporary state is this function's own.
    unsafe {
        let temporary = new_state(interpreter);
        if temporary.is_null() {
            return false;
        }
        let py = attach_new(temporary, room);
        work(py);
        ffi::PyThreadState_Clear(temporary);
        ffi::PyThreadState_DeleteCurrent();
    }
    true
}

/// Makes an interpreter with `make`, which leaves its new thread state attached or returns NULL.
/// `make` runs in the main interpreter; `prepare` runs in the new one. The new thread state is
/// detached afterwards.
pub(crate) fn create<T>(
    room: Room<'_>,
    id: Id,
    make: impl FnOnce(Attached<'_>) -> *mut PyThreadState,
    prepare: impl FnOnce(Attached<'_>, *mut PyThreadState) -> T,
) -> Option<(*mut PyThreadState, T)> {
    let entry = Entry::new(Some(id), calling_thread::account(), null_mut());
    let _entered = Entered::new(&entry);
    let _entrant = Entrant::new(true);
    // SAFETY: Python is initialized, and this thread is detached. The temporary state is this function's
    // own; it is attached again before it is cleared and deleted. The new thread state is in the
    // slot while it is attached.
    unsafe {
        let temporary = new_state(ffi::PyInterpreterState_Main());
        if temporary.is_null() {
            return None;
        }
        let py = attach_new(temporary, room);
        let made = make(py);
        let result = if made.is_null() {
            None
        } else {
            // Since 3.12 the slot holds it anyway.
            gilstate_slot::set(made);
            thread_state_ids::begin_anew(made);
            let current = Current::get();
            let py = current.attached();
            KnownStack::new().follow(py, made);
            let prepared = prepare(py, made);
            running_main::begin(py);
            ffi::PyEval_SaveThread();
            // The new one has put the temporary state out of the slot.
            gilstate_slot::set(null_mut());
            ffi::PyEval_RestoreThread(temporary);
            Some((made, prepared))
        };
        ffi::PyThreadState_Clear(temporary);
        ffi::PyThreadState_DeleteCurrent();
        result
    }
}

/// Lets [`gilstate_slot`] find the slot, while it holds a thread state: of a temporary one, if it is empty.
pub(crate) fn locate_slot(room: Room<'_>) {
    // SAFETY: always allowed.
    let held = || unsafe { ffi::PyGILState_GetThisThreadState() };
    if held().is_null() {
        in_main_interpreter(room, |_| gilstate_slot::locate(held()));
    } else {
        gilstate_slot::locate(held());
    }
}

/// Detaches the thread state that initializing Python has left attached, and returns it. `runs`: the host may run code
/// there.
pub(crate) fn leave_main(runs: bool) -> *mut PyThreadState {
    if runs {
        let current = Current::get();
        running_main::begin(current.attached());
    }
    // SAFETY: `Py_InitializeFromConfig` has just returned in this thread.
    let thread_state = unsafe { ffi::PyEval_SaveThread() };
    gilstate_slot::set(null_mut());
    thread_state
}

/// A new thread state of the main interpreter, detached; for a Python that the host has started.
pub(crate) fn new_main() -> *mut PyThreadState {
    let entry = entry_here();
    let _entered = Entered::new(&entry);
    // SAFETY: Python is initialized; a thread state may be made by any thread.
    let main = unsafe { new_state(ffi::PyInterpreterState_Main()) };
    assert!(!main.is_null(), "no memory for a thread state");
    main
}

/// Deletes a thread state that [`new_main`] made.
///
/// # Safety
/// It is detached and used by nobody else.
pub(crate) unsafe fn delete(thread_state: *mut PyThreadState, room: Room<'_>) {
    let entry = entry_here();
    let _entered = Entered::new(&entry);
    // SAFETY: the caller's promise.
    unsafe {
        attach_new(thread_state, room);
        ffi::PyThreadState_Clear(thread_state);
        ffi::PyThreadState_DeleteCurrent();
    }
}
