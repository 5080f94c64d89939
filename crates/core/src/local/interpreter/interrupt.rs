//! Interrupting a run: how the request reaches the thread that runs it, without waiting for its GIL.
//!
//! CPython runs "pending calls" of an interpreter at the next safe point of any of its threads. Adding
//! one takes a short lock of CPython's and no GIL, so a script that keeps its GIL, in a long call of C
//! code, say, holds up nobody but itself. The call raises KeyboardInterrupt, which `except Exception`
//! lets pass. Before 3.12 only the main thread runs pending calls: there the exception is left with the
//! thread state instead, by a thread that waits for the GIL with a thread state of the
//! interpreter that runs. (These versions ask the waiter's own interpreter to let go of the GIL, and no
//! other one; and the timer's thread must not wait.)
//!
//! Where a run waits in C, or computes there, it is told by [`wake`](crate::local::thread::wake): a signal ends the wait, and
//! CPython's check for signals raises.
//!
//! A run that goes on all the same gets the exception again where it waits, every [`AGAIN`]. In Python code it has as
//! much time as [`PATIENT`] of these, for its `finally`; then it gets the exception at each safe point, also in the
//! handler that has just caught it, until it has ended. (Before 3.12 there is no such call to repeat at each safe point:
//! it stays at every [`AGAIN`].)

use std::ffi::c_int;
#[cfg(Py_3_12)]
use std::ffi::c_void;
use std::ptr::null_mut;
use std::sync::atomic::Ordering;
use std::sync::{Arc, MutexGuard};
use std::time::{Duration, Instant};

use pyo3_ffi as ffi;

use crate::data::id::Id;
use crate::local::attach::Attached;
#[cfg(Py_3_12)]
use crate::local::attach::Current;
use crate::local::cures::{backward_jumps, main_thread};
use crate::local::enter;
use crate::local::interpreter::claim::{Request, Run};
use crate::local::interpreter::handle::Interpreter;
use crate::local::interpreter::protected;
use crate::local::interpreter::protected::CodePosition;
use crate::local::interpreter::registry;
use crate::local::interpreter::requests::{Requests, Waiting};
use crate::local::interpreter::shared::Shared;
use crate::local::python::embedded_code::EmbeddedCode;
use crate::local::python::exception;
use crate::local::python::exception::KEYBOARD_INTERRUPT;
use crate::local::python::object::clear_exception;
#[cfg(Py_3_12)]
use crate::local::python::pending_call;
use crate::local::thread::calling_thread;
use crate::local::thread::entry::Entry;
use crate::local::thread::wait_signal;
use crate::local::thread::wake::{Wake, When};
use crate::util::thread::this_thread;
use crate::util::timer;
use crate::util::turns::Ended;

/// How long a run is given to end before it is asked again.
const AGAIN: Duration = Duration::from_millis(10);
/// How often it is asked only where it waits.
const PATIENT: u32 = 10;

impl Shared {
    /// The host interrupts the run that is under way, or what runs at the end, and those that wait for their turn. A script that has something of its own
    /// for that is told, once, in a run; else it gets a KeyboardInterrupt, until it has ended.
    ///
    /// A handler is told before the wakeup descriptor is: what the script does about that, such as to put its handler
    /// back, comes later then. Who gets a KeyboardInterrupt finds something to read there.
    pub(crate) fn interrupt(self: &Arc<Self>) {
        // First: the run's end would give one of them its turn.
        self.state.end_waits(Ended::Interrupted);
        self.interrupt_run(None);
    }

    /// As [`interrupt`](Self::interrupt), if it is `run`, where that is given.
    fn interrupt_run(self: &Arc<Self>, run: Option<Run>) {
        let is_under_way = self.state.under_way().is_some();
        let wake_up = || {
            if is_under_way {
                self.signals.wake_up(libc::SIGINT);
            }
        };
        // A run that begins only now is asked as one that was under way would be.
        if self.signals.handle_interrupt() && !self.state.is_over() {
            self.tell_script(run);
            wake_up();
        } else {
            wake_up();
            self.request(run, Request::Interrupt);
        }
    }

    /// As [`interrupt`](Self::interrupt), soon, by the timer's thread. Allowed in a signal handler. False: there is no such
    /// thread.
    pub(crate) fn interrupt_soon(&self) -> bool {
        let has_waiters = self.state.turns().interrupt_soon();
        let run = self.state.interruptible();
        if let Some(run) = run {
            self.interrupted_by_handler
                .store(run.number(), Ordering::SeqCst);
        }
        run.is_none() && !has_waiters || timer::call()
    }

    /// Does what signal handlers have asked for. One that has interrupted a run inside of another one, which ends by
    /// itself, means the other one, too.
    fn serve_handler(self: &Arc<Self>) {
        self.state.turns().serve_handler();
        match self.interrupted_by_handler.swap(0, Ordering::SeqCst) {
            0 => {}
            number if Run::of(number).is_inner() => self.interrupt_run(None),
            number => self.interrupt_run(Some(Run::of(number))),
        }
    }

    /// Asks the run that is under way to end, if it is `run`, where that is given.
    pub(crate) fn request(self: &Arc<Self>, run: Option<Run>, why: Request) {
        let mut requests = self.requests();
        if let Some(run) = requests.request(&self.state, run, why) {
            requests.count += 1;
            drop(requests);
            self.request_now(run, 0);
        }
    }

    fn request_again(self: &Arc<Self>, run: Run, times: u32) {
        let mut requests = self.requests();
        if self.state.is_requested(run) {
            requests.count += 1;
            drop(requests);
            self.request_now(run, times);
        }
    }

    /// To be called when this thread is counted in `requests`.
    fn request_now(self: &Arc<Self>, run: Run, times: u32) {
        let is_urgent = self.state.asked().is_some_and(Request::is_urgent);
        let is_patient = (1..PATIENT).contains(&times) && !is_urgent;
        self.raises_at_safe_points
            .store(times >= PATIENT || is_urgent, Ordering::Relaxed);
        self.wake(if is_patient { When::InWait } else { When::Soon }, || {
            self.state.is_requested(run)
        });
        if !is_patient {
            self.have_it_raised();
        }
        self.requester_leaves();
        if let Some(why) = self.state.asked() {
            self.request_inner(why);
        }
        let (shared, times) = (self.clone(), times.saturating_add(1));
        // Who asks for the first time has started the timer, if it can be.
        let _ = timer::at(Instant::now() + AGAIN, move || {
            shared.request_again(run, times)
        });
    }

    /// Tells the thread that runs, if `is_to_end` its run: see [`wait_signal::tell`].
    fn wake(&self, when: When, is_to_end: impl FnOnce() -> bool) {
        self.with_wake(|wake| wait_signal::tell(wake, when, is_to_end));
    }

    /// Does `work` with what the thread that runs is told by: that of the innermost run.
    fn with_wake<T>(&self, work: impl FnOnce(&Wake) -> T) -> T {
        let requests = self.requests();
        let inner = requests.outer.last().map(|outer| outer.inner);
        // SAFETY: a run takes itself off the list before its entry goes, which needs the lock.
        let wake = inner.map_or(&self.entry.wake, |inner| unsafe { &(*inner).wake });
        work(wake)
    }

    /// Asks the runs to end that are inside of runs that are to end. Those that were asked before are not asked again.
    fn request_inner(&self, why: Request) {
        let mut inner = self.inner_runs().clone();
        inner.retain(|(outer, _)| self.requests().is_requested(&self.state, *outer));
        inner.iter().for_each(|(_, inner)| inner.end(why));
    }

    /// The run at this level: 1 is the outermost, 2 is inside of that. It is asked to end; `by_host`: as one that the host
    /// interrupts. False: it has not begun.
    pub(crate) fn end_run_at(self: &Arc<Self>, level: usize, why: Request, by_host: bool) -> bool {
        if by_host && self.state.is_over() {
            self.interrupt();
            return true;
        }
        let requests = self.requests();
        let run = match requests.outer.get(level - 1) {
            Some(outer) => Some(outer.word.run()),
            None if requests.outer.len() + 1 == level => self.state.under_way(),
            None => None,
        };
        drop(requests);
        let Some(run) = run else {
            return false;
        };
        match by_host {
            true => self.interrupt_run(Some(run)),
            false => self.request(Some(run), why),
        }
        true
    }

    /// To be called when a run has ended, while the interpreter is attached. A request that comes from here
    /// on is for nobody: were the run still open to it when its thread has let go of the GIL and not yet of
    /// the claim, another thread would leave an exception with it that reaches the next run.
    #[inline]
    pub(crate) fn run_ended(&self, py: Attached<'_>) {
        self.state.finish();
        self.signals.forget();
        if self.entry.wake.was_told() {
            self.forget_what_was_told(py, &self.entry);
        }
        self.holder.run_ended(py);
    }

    /// The run that is around one of `inner`, which has begun. To be called by the thread of both.
    pub(super) fn run_around(&self, inner: &Self) -> Run {
        let requests = self.requests();
        let waits = requests.outer.last().filter(|_| std::ptr::eq(self, inner));
        waits.map_or_else(|| self.state.run(), |outer| outer.word.run())
    }

    /// A run begins inside of the one that is under way, with an entry of its own. To be called by the holder of the
    /// claim.
    ///
    /// # Safety
    /// The entry lives until [`end_inner`](Self::end_inner).
    pub(super) unsafe fn begin_inner(self: &Arc<Self>, inner: *const Entry) {
        let mut requests = self.requests();
        let word = self.state.begin_inner();
        requests.outer.push(Waiting { word, inner });
        self.go_on_asking(requests);
    }

    /// It has ended, and the one that it was inside of goes on. To be called by the holder of the claim, while the
    /// interpreter is attached.
    pub(super) fn end_inner(self: &Arc<Self>, py: Attached<'_>) {
        self.state.finish();
        let Some(inner) = self.requests().outer.last().map(|outer| outer.inner) else {
            return;
        };
        // SAFETY: it lives until this returns.
        let inner = unsafe { &*inner };
        self.forget_what_was_told(py, inner);
        // At once: who asks the outer run to end finds it waiting or going on. And nobody tells the inner one any more.
        let mut requests = self.requests();
        if let Some(outer) = requests.outer.pop() {
            self.state.end_inner(outer.word);
        }
        if inner.wake.was_told() {
            inner.wake.forget();
        }
        self.go_on_asking(requests);
    }

    /// Asks the run that is the innermost now, if it is to end.
    fn go_on_asking(self: &Arc<Self>, mut requests: MutexGuard<'_, Requests>) {
        if self.state.asked().is_some() {
            requests.count += 1;
            drop(requests);
            self.request_now(self.state.run(), 0);
        }
    }

    /// What objects do at their end has ended, in an access. To be called by its holder, while the interpreter is attached.
    pub(super) fn drops_ended(&self, py: Attached<'_>) {
        self.state.set_drops(false);
        if self.entry.wake.was_told() {
            self.forget_what_was_told(py, &self.entry);
        }
    }

    /// Lets go of those who ask what runs at the end to stop, since that is over. To be called by the holder of
    /// a claim to end it, while the interpreter is attached.
    pub(crate) fn end_asks(&self, py: Attached<'_>) {
        self.state.set_runs_at_end(false);
        self.forget_what_was_told(py, &self.entry);
        enter::detached(|| self.wait_for_requesters());
    }

    /// To be called by a thread that is counted in `requests`: the interpreter lives. A full queue is left
    /// alone: it is asked again later.
    #[cfg(Py_3_12)]
    fn have_it_raised(&self) {
        let argument = std::ptr::from_ref(self).cast_mut().cast();
        // SAFETY: the interpreter lives, and this record lives longer.
        unsafe { pending_call::add(self.interpreter, raise, argument) };
    }

    #[cfg(not(Py_3_12))]
    fn have_it_raised(self: &Arc<Self>) {
        self.request_gil_drop();
    }

    #[cfg(Py_3_12)]
    fn tell_script(self: &Arc<Self>, run: Option<Run>) {
        let mut requests = self.requests();
        if let Some(run) = self.state.tell(run) {
            self.signals.add(run, libc::SIGINT);
            requests.count += 1;
            drop(requests);
            self.have_signals_handled(run);
        }
    }

    /// To be called when this thread is counted in `requests`.
    #[cfg(Py_3_12)]
    fn have_signals_handled(self: &Arc<Self>, run: Run) {
        self.wake(When::AtCheck, || self.signals.are_waiting(run));
        self.have_it_raised();
        self.requester_leaves();
        let shared = self.clone();
        let _ = timer::at(Instant::now() + AGAIN, move || shared.signal_again(run));
    }

    #[cfg(Py_3_12)]
    fn signal_again(self: &Arc<Self>, run: Run) {
        let mut requests = self.requests();
        if self.signals.are_waiting(run) {
            requests.count += 1;
            drop(requests);
            self.have_signals_handled(run);
        }
    }

    /// It has read its wakeup descriptor.
    #[cfg(not(Py_3_12))]
    fn tell_script(&self, run: Option<Run>) {
        self.state.tell(run);
    }

    /// A script's other thread has a signal handled by the run that is under way. To be called while the interpreter
    /// is attached.
    pub(super) fn signal_by_script(self: &Arc<Self>, _py: Attached<'_>, signal: c_int) {
        if let Some(run) = self.state.under_way() {
            self.signals.add(run, signal);
            #[cfg(Py_3_12)]
            self.signal_again(run);
            #[cfg(not(Py_3_12))]
            self.set_async_exception(_py);
        }
    }

    /// In any thread of the interpreter: raises, if a run is to end and this thread runs it.
    #[cfg(Py_3_12)]
    fn raise(self: &Arc<Self>, py: Attached<'_>) -> c_int {
        let why = self.state.asked();
        let run = self.state.run();
        let again = self.raises_at_safe_points.load(Ordering::Relaxed);
        let is_told = || again || self.with_wake(Wake::is_told_at_safe_point);
        if !(why.is_some() && is_told() || self.signals.are_waiting(run)) {
            return 0;
        }
        if !self.is_run(py) {
            self.set_async_exception(py);
            return 0;
        }
        match protected::position_of(py, self.thread_state) {
            CodePosition::Open => {}
            CodePosition::EventLoop if why.is_none() => {}
            CodePosition::Protected | CodePosition::EventLoop => {
                self.have_it_raised();
                return 0;
            }
            CodePosition::Outside => return 0,
        }
        backward_jumps::cover(py, self.thread_state);
        let Some(why) = why else {
            return if self.signals.handle(py, run) { 0 } else { -1 };
        };
        self.with_wake(Wake::take);
        self.raise_request(py, run, why);
        if again {
            self.have_it_raised();
        }
        -1
    }

    fn raise_request(&self, py: Attached<'_>, run: Run, why: Request) {
        self.signals.take(run, libc::SIGINT);
        KEYBOARD_INTERRUPT.raise::<()>(py, &why.message().to_string_lossy());
    }

    /// In the thread that runs, where CPython looks for signals: raises, if the run is to end.
    fn answer_check(&self, py: Attached<'_>, entry: &Entry) -> Option<c_int> {
        if !self.is_run(py) {
            return None;
        }
        let run = self.state.run();
        entry.wake.take();
        let Some(why) = self.state.asked() else {
            return self.handle_signals(py, run);
        };
        if entry.wake.has_async_exception() {
            // SAFETY: attached.
            unsafe { self.leave_exception(null_mut()) };
        }
        self.raise_request(py, run, why);
        Some(-1)
    }

    #[cfg(Py_3_12)]
    fn handle_signals(&self, py: Attached<'_>, run: Run) -> Option<c_int> {
        let handled = self
            .signals
            .are_waiting(run)
            .then(|| self.signals.handle(py, run));
        handled.map(|is_done| if is_done { 0 } else { -1 })
    }

    /// Has handlers called for what waits to be handled, in the thread that runs. False: an exception is set.
    pub(super) fn handle_waiting(&self, py: Attached<'_>) -> bool {
        self.handle_signals(py, self.state.run()) != Some(-1)
    }

    /// These are handled by the wakeup descriptor, if at all.
    #[cfg(not(Py_3_12))]
    fn handle_signals(&self, _: Attached<'_>, _: Run) -> Option<c_int> {
        None
    }

    /// In another thread of the interpreter: leaves the exception with the thread that runs.
    pub(super) fn set_async_exception(&self, py: Attached<'_>) {
        // SAFETY: attached to the same interpreter, so the thread state lives.
        let number = unsafe { main_thread::number_of(self.thread_state) };
        if number.is_none() || number == Some(this_thread()) {
            return;
        }
        // Looking at the frame may collect garbage to 3.11, and so let go of the GIL: the request is looked
        // at last.
        if protected::position_of(py, self.thread_state) != CodePosition::Open {
            return;
        }
        backward_jumps::cover(py, self.thread_state);
        self.with_wake(|wake| {
            let is_asked = self.state.asked().is_some()
                && (wake.take() || self.raises_at_safe_points.load(Ordering::Relaxed));
            let is_signalled = || {
                self.signals.raise_interrupt() && self.signals.take(self.state.run(), libc::SIGINT)
            };
            if is_asked || is_signalled() {
                wake.async_exception_set();
                // SAFETY: attached to the same interpreter.
                unsafe { self.leave_exception(ffi::PyExc_KeyboardInterrupt) };
            }
        });
    }

    /// Leaves an exception with the thread that runs; NULL: takes one back.
    ///
    /// # Safety
    /// Attached to the interpreter; a class of its own.
    unsafe fn leave_exception(&self, class: *mut ffi::PyObject) {
        // SAFETY: the thread state lives as long as the interpreter.
        unsafe {
            if let Some(number) = main_thread::number_of(self.thread_state) {
                ffi::PyThreadState_SetAsyncExc(number as std::ffi::c_long, class);
            }
        }
    }

    /// No exception reaches the run any more, nor the next one: those that come see that it has ended, and
    /// one that was left with the thread is taken back. Says whether it was to end. To be called while the
    /// interpreter is attached.
    #[cold]
    pub(crate) fn forget_request(&self, py: Attached<'_>) -> Option<Request> {
        let requested = self.state.finish();
        // SAFETY: an entry lives until it is left: that of this run.
        if let Some(entry) = unsafe { calling_thread::entry().as_ref() } {
            self.forget_what_was_told(py, entry);
        }
        requested
    }

    /// What the run of an entry was told reaches nobody any more. Has an exception that was left and not raised yet raised
    /// in code that does nothing. (One that is taken back by `PyThreadState_SetAsyncExc` leaves CPython to 3.12 looking for
    /// it at each safe point, for ever: so it is left once more.)
    #[cold]
    fn forget_what_was_told(&self, py: Attached<'_>, entry: &Entry) {
        static NOTHING: EmbeddedCode = EmbeddedCode::new(c"<subpy>", c"");
        let is_left = entry.wake.forget();
        exception::set_aside(py, || {
            backward_jumps::uncover(py);
            if is_left {
                // SAFETY: attached.
                unsafe { self.leave_exception(ffi::PyExc_KeyboardInterrupt) };
                drop(NOTHING.run(py));
                clear_exception(py);
            }
        });
    }
}

/// Does what signal handlers have asked for, in all interpreters.
pub(crate) fn serve_handlers() {
    for interpreter in registry::all() {
        interpreter.0.serve_handler();
    }
}

/// The run that is under way has written more than it may. To be called while the interpreter is attached, of which a
/// thread has written: an exception is set.
pub(crate) fn output_is_used(py: Attached<'_>, id: Id) {
    if let Ok(Interpreter(shared)) = registry::find(id) {
        shared.request(Some(shared.state.run()), Request::Output);
    }
    KEYBOARD_INTERRUPT.raise::<()>(py, &Request::Output.message().to_string_lossy());
}

/// In a thread that was told that its run is to end, where CPython looks for signals.
pub(crate) fn answer_check(py: Attached<'_>, entry: &Entry) -> Option<c_int> {
    let found = registry::find(entry.id?).ok()?;
    found.0.answer_check(py, entry)
}

/// What CPython calls at a safe point.
#[cfg(Py_3_12)]
unsafe extern "C" fn raise(shared: *mut c_void) -> c_int {
    let current = Current::get();
    let py = current.attached();
    let shared = shared.cast_const().cast::<Shared>();
    // SAFETY: the record of the interpreter that this is called in, which it outlives. Each one is in an `Arc`.
    let shared = unsafe {
        Arc::increment_strong_count(shared);
        Arc::from_raw(shared)
    };
    shared.raise(py)
}
