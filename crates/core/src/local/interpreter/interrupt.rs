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
//! A run that goes on all the same gets the exception again every [`AGAIN`], and from the [`PATIENT`]th
//! time on at each safe point, also in the handler that has just caught it, until it has ended. (Before
//! 3.12 there is no such call to repeat at each safe point: it stays at every [`AGAIN`].)

use std::ffi::c_int;
#[cfg(Py_3_12)]
use std::ffi::c_void;
use std::sync::atomic::Ordering;
use std::sync::{Arc, MutexGuard};
use std::time::{Duration, Instant};

use pyo3_ffi as ffi;

use crate::local::attach::Attached;
#[cfg(Py_3_12)]
use crate::local::attach::Current;
use crate::local::cures::main_thread;
use crate::local::enter;
use crate::local::interpreter::claim::{Outer, Request, Run};
use crate::local::interpreter::protected;
use crate::local::interpreter::protected::CodePosition;
use crate::local::interpreter::requests::Requests;
use crate::local::interpreter::shared::Shared;
use crate::local::python::embedded_code::EmbeddedCode;
#[cfg(Py_3_12)]
use crate::local::python::exception::KEYBOARD_INTERRUPT;
use crate::local::python::object::clear_exception;
#[cfg(Py_3_12)]
use crate::local::python::pending_call;
use crate::util::timer;

/// How long a run is given to end before it is asked again.
const AGAIN: Duration = Duration::from_millis(10);
/// How often it is asked gently.
const PATIENT: u32 = 10;

impl Shared {
    /// The host interrupts the run that is under way, or what runs at the end. A script that has something of its own
    /// for that is told, once, in a run; else it gets a KeyboardInterrupt, until it has ended.
    ///
    /// A handler is told before the wakeup descriptor is: what the script does about that, such as to put its handler
    /// back, comes later then. Who gets a KeyboardInterrupt finds something to read there.
    pub(crate) fn interrupt(self: &Arc<Self>) {
        let is_under_way = self.state.is_under_way();
        let wake_up = || {
            if is_under_way {
                self.signals.wake_up(libc::SIGINT);
            }
        };
        // A run that begins only now is asked as one that was under way would be.
        if self.signals.handle_interrupt() && !self.state.is_over() {
            self.tell_script();
            wake_up();
        } else {
            wake_up();
            self.request(None, Request::Interrupt);
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
        self.raises_at_safe_points
            .store(times >= PATIENT, Ordering::Relaxed);
        self.have_it_raised();
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

    /// Asks the runs to end that are inside of runs that are to end. Those that were asked before are not asked again.
    fn request_inner(&self, why: Request) {
        let mut inner = self.inner_runs().clone();
        inner.retain(|inner| self.requests().is_requested(&self.state, inner.outer));
        // That this interpreter ends is not so of an inner one: its time is over.
        let why = match why {
            Request::End => Request::Timeout,
            why => why,
        };
        for inner in inner {
            inner.shared.request(Some(inner.run), why);
        }
    }

    /// To be called when a run has ended, while the interpreter is attached. A request that comes from here
    /// on is for nobody: were the run still open to it when its thread has let go of the GIL and not yet of
    /// the claim, another thread would leave an exception with it that reaches the next run.
    #[inline]
    pub(crate) fn run_ended(&self, py: Attached<'_>) {
        self.state.finish();
        self.signals.forget();
        if self.async_exception_set.load(Ordering::Relaxed) {
            self.clear_async_exception(py);
        }
        self.holder.run_ended(py);
    }

    /// The run that is around one of `inner`, which has begun. To be called by the thread of both.
    pub(super) fn run_around(&self, inner: &Self) -> Run {
        let requests = self.requests();
        let waits = requests.outer.last().filter(|_| std::ptr::eq(self, inner));
        waits.map_or_else(|| self.state.run(), Outer::run)
    }

    /// A run begins inside of the one that is under way. To be called by the holder of the claim.
    pub(super) fn begin_inner(self: &Arc<Self>) {
        let mut requests = self.requests();
        let outer = self.state.begin_inner();
        requests.outer.push(outer);
        self.go_on_asking(requests);
    }

    /// It has ended, and the one that it was inside of goes on. To be called by the holder of the claim, while the
    /// interpreter is attached.
    pub(super) fn end_inner(self: &Arc<Self>, py: Attached<'_>) {
        self.state.finish();
        self.clear_async_exception(py);
        let mut requests = self.requests();
        let Some(outer) = requests.outer.pop() else {
            return;
        };
        self.state.end_inner(outer);
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

    /// Lets go of those who ask what runs at the end to stop, since that is over. To be called by the holder of
    /// a claim to end it, while the interpreter is attached.
    pub(crate) fn end_asks(&self, py: Attached<'_>) {
        self.state.set_runs_at_end(false);
        self.clear_async_exception(py);
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
    fn tell_script(&self) {
        let mut requests = self.requests();
        if let Some(run) = self.state.tell() {
            self.signals.add(run, libc::SIGINT);
            requests.count += 1;
            drop(requests);
            self.have_it_raised();
            self.requester_leaves();
        }
    }

    /// It has read its wakeup descriptor.
    #[cfg(not(Py_3_12))]
    fn tell_script(&self) {
        self.state.tell();
    }

    /// A script's other thread has a signal handled by the run that is under way. To be called while the interpreter
    /// is attached.
    pub(super) fn signal_by_script(&self, _py: Attached<'_>, signal: c_int) {
        if self.state.is_under_way() {
            self.signals.add(self.state.run(), signal);
            #[cfg(Py_3_12)]
            self.have_it_raised();
            #[cfg(not(Py_3_12))]
            self.set_async_exception(_py);
        }
    }

    /// In any thread of the interpreter: raises, if a run is to end and this thread runs it.
    #[cfg(Py_3_12)]
    fn raise(self: &Arc<Self>, py: Attached<'_>) -> c_int {
        let why = self.state.asked();
        let run = self.state.run();
        if why.is_none() && !self.signals.are_waiting(run) {
            return 0;
        }
        if !self.is_run(py) {
            self.leave_to_run(py);
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
        let Some(why) = why else {
            return if self.signals.handle(py, run) { 0 } else { -1 };
        };
        self.signals.take(run, libc::SIGINT);
        KEYBOARD_INTERRUPT.raise::<()>(py, &why.message().to_string_lossy());
        if self.raises_at_safe_points.load(Ordering::Relaxed) {
            self.have_it_raised();
        }
        -1
    }

    /// In another thread of the interpreter: what is to be done in the thread that runs is left to that.
    #[cfg(Py_3_12)]
    fn leave_to_run(self: &Arc<Self>, py: Attached<'_>) {
        self.set_async_exception(py);
        if self.signals.are_waiting(self.state.run()) {
            let shared = self.clone();
            let _ = timer::at(Instant::now() + AGAIN, move || shared.signal_again());
        }
    }

    #[cfg(Py_3_12)]
    fn signal_again(&self) {
        let mut requests = self.requests();
        if self.signals.are_waiting(self.state.run()) {
            requests.count += 1;
            drop(requests);
            self.have_it_raised();
            self.requester_leaves();
        }
    }

    /// In another thread of the interpreter: leaves the exception with the thread that runs.
    pub(super) fn set_async_exception(&self, py: Attached<'_>) {
        // SAFETY: always allowed; attached to the same interpreter, so the thread state lives.
        let (here, number) = unsafe {
            let number = main_thread::number_of(self.thread_state);
            (libc::pthread_self() as u64, number)
        };
        let Some(number) = number.filter(|number| *number != here) else {
            return;
        };
        // Looking at the frame may collect garbage to 3.11, and so let go of the GIL: the request is looked
        // at last.
        if protected::position_of(py, self.thread_state) == CodePosition::Open
            && (self.state.asked().is_some()
                || self.signals.raise_interrupt()
                    && self.signals.take(self.state.run(), libc::SIGINT))
        {
            // SAFETY: attached to the same interpreter.
            unsafe {
                ffi::PyThreadState_SetAsyncExc(
                    number as std::ffi::c_long,
                    ffi::PyExc_KeyboardInterrupt,
                )
            };
            self.async_exception_set.store(true, Ordering::Relaxed);
        }
    }

    /// No exception reaches the run any more, nor the next one: those that come see that it has ended, and
    /// one that was left with the thread is taken back. Says whether it was to end. To be called while the
    /// interpreter is attached.
    #[cold]
    pub(crate) fn forget_request(&self, py: Attached<'_>) -> Option<Request> {
        let requested = self.state.finish();
        self.clear_async_exception(py);
        requested
    }

    /// Has an exception that was left and not raised yet raised in code that does nothing. (Taking it back by
    /// `PyThreadState_SetAsyncExc` leaves CPython to 3.12 looking for it at each safe point, for ever.)
    fn clear_async_exception(&self, py: Attached<'_>) {
        static NOTHING: EmbeddedCode = EmbeddedCode::new(c"<subpy>", c"");
        if self.async_exception_set.swap(false, Ordering::Relaxed) {
            let [mut kind, mut value, mut traceback] = [std::ptr::null_mut(); 3];
            // SAFETY: attached; the exception that is set now is set again.
            #[allow(deprecated)]
            unsafe {
                ffi::PyErr_Fetch(&mut kind, &mut value, &mut traceback);
                drop(NOTHING.run(py));
                clear_exception(py);
                ffi::PyErr_Restore(kind, value, traceback);
            }
        }
    }
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
