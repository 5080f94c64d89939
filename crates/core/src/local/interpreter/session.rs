//! What may be done with an interpreter that is claimed and attached: looked into, left, ended.
//!
//! What is always in line here: without it a run takes 38 instructions more, with `enter`.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use crate::data::error::{Error, Result, Status};
use crate::data::queue::Queue;
use crate::local::attach;
use crate::local::attach::Attached;
use crate::local::cures::allocator::counting;
#[cfg(Py_3_12)]
use crate::local::cures::feature_flags;
use crate::local::cures::import_first::LoadedExtensions;
use crate::local::cures::{asyncio_iterators, child_processes, globals_leak, stdlib_functions};
use crate::local::cures::{
    multiprocessing_servers, remaining_interpreters, thread_start_at_end, type_versions,
};
use crate::local::enter;
use crate::local::enter::Attachment;
use crate::local::interpreter::claim::Claim;
use crate::local::interpreter::claim::{Purpose, Refused};
use crate::local::interpreter::deadline::Deadline;
use crate::local::interpreter::inside::Inside;
use crate::local::interpreter::registry;
use crate::local::interpreter::shared::Shared;
use crate::local::interpreter::waiting::{InHost, KeptHere};
use crate::local::interpreter::{ending, family, faulthandler, foreign_threads, stay, waiting};
use crate::local::memory::account::Work;
use crate::local::objects::release::Loans;
use crate::local::python::object::{Object, clear_exception, set_in_sys};
use crate::local::stack::Room;
use crate::local::thread::calling_thread;
use crate::local::thread::entry::Entry;
use crate::local::thread::wait_signal::Unblocked;
use crate::util::turns::Limit;

/// Most accesses take no longer.
const SHORT_ACCESS: Duration = Duration::from_millis(1);

/// An interpreter that is claimed and attached: the right to touch what it holds. Dropped from top to
/// bottom: detached first, given back then.
pub(super) struct Session<'a> {
    attached: Attachment<'a>,
    claim: Claim<'a>,
    shared: &'a Arc<Shared>,
    room: Room<'a>,
}

impl<'a> Session<'a> {
    /// Attaches the interpreter that was claimed. Waits for its GIL.
    #[inline(always)]
    pub(super) fn enter(shared: &'a Arc<Shared>, claim: Claim<'a>, room: Room<'a>) -> Self {
        // SAFETY: claimed, so nobody else has what is inside, nor attaches its thread state.
        let attached = unsafe {
            let attached = Attachment::enter(&shared.entry, shared.shares_gil, room);
            let thread_state = shared.entry.thread_state.get();
            (*shared.known_stack.get()).follow(attached.attached(), thread_state);
            attached
        };
        Self {
            attached,
            claim,
            shared,
            room,
        }
    }

    /// The proof that it is attached.
    #[inline(always)]
    pub(super) fn attached(&self) -> Attached<'_> {
        self.attached.attached()
    }

    /// The entry that the thread had before; NULL: none.
    #[inline(always)]
    fn outer(&self) -> *const Entry {
        self.shared.entry.outer()
    }

    /// Whether the thread is in an interpreter further out.
    #[inline(always)]
    pub(super) fn is_nested(&self) -> bool {
        !self.outer().is_null()
    }

    /// This runs inside of that one's run.
    #[cold]
    pub(super) fn begin_nested(&self) {
        // SAFETY: the thread had that entry before the session.
        unsafe { self.shared.begin_nested(self.outer()) };
    }

    #[cold]
    pub(super) fn end_nested(&self) {
        // SAFETY: as above.
        unsafe { self.shared.end_nested(self.outer()) };
    }

    /// What is inside; `None`: it is gone.
    #[inline(always)]
    pub(super) fn inside(&self) -> Option<&Inside> {
        // SAFETY: a session is the right to look at it.
        unsafe { self.shared.inside() }
    }

    pub(super) fn no_pins(&self) -> Result<()> {
        let message = match self.inside().map_or(0, Inside::pins) {
            0 => return Ok(()),
            1 => "1 buffer that the host holds".to_owned(),
            n => format!("{n} buffers that the host holds"),
        };
        let message = format!(
            "interpreter {} has {message}, or another interpreter: clear the values that have them, \
             and the views of them, first",
            self.shared.id
        );
        Err(Error::new(Status::Busy, message))
    }

    /// The names of `__main__` go, and what only they had, with what is in the queues that its family has made, if it is
    /// the first of that.
    pub(super) fn forget_names(&self) {
        if let Some(inside) = self.inside() {
            inside.forget_names(self.attached());
        }
        Queue::clear_all(self.shared.id);
    }

    /// What the interpreter has borrowed of the host, to be given back once it has ended.
    pub(super) fn loans(&self) -> Loans {
        self.inside().map(Inside::loans).unwrap_or_default()
    }

    fn extensions(&self) -> LoadedExtensions {
        self.inside().map(Inside::extensions).unwrap_or_default()
    }

    /// What is inside from now on. The answer is what was.
    pub(super) fn set_inside(&mut self, inside: Option<Inside>) -> Option<Inside> {
        // SAFETY: a session is the right to touch it, and nobody has a reference to it.
        unsafe { self.shared.set_inside(inside) }
    }

    /// Lets others in for a moment, and keeps the claim. `wait` is done meanwhile.
    pub(super) fn pause(self, wait: impl FnOnce()) -> Self {
        let (shared, room) = (self.shared, self.room);
        let claim = self.leave();
        wait();
        Self::enter(shared, claim, room)
    }

    /// The thread stays attached, and keeps the claim, without this.
    pub(super) fn keep(self) {
        self.attached.keep();
        std::mem::forget(self.claim);
    }

    /// Detaches, and keeps the claim.
    #[inline(always)]
    pub(super) fn leave(self) -> Claim<'a> {
        self.attached.leave();
        self.claim
    }

    /// Ends the interpreter, which has no other threads. Its finalizers may take `time`.
    pub(super) fn end(mut self, time: Duration) {
        let loans = self.loans();
        let _unblocked = Unblocked::new();
        // With a shared GIL, others may have its strings.
        let extensions = (!self.shared.shares_gil).then(|| self.extensions());
        self.let_go();
        ending::limit_end(self.attached(), self.shared, time);
        multiprocessing_servers::stop_at_end(self.attached());
        stdlib_functions::end(self.attached());
        asyncio_iterators::free(self.attached());
        globals_leak::clear_at_end(self.attached());
        let python = attach::attached_interpreter() as usize;
        // SAFETY: not the main interpreter, by `destroy` and `end_all`, and without other threads.
        unsafe { self.attached.end_interpreter(extensions) };
        // SAFETY: ended.
        unsafe { loans.close() };
        retire(self.shared, self.claim);
        enter::detached(|| child_processes::reap(python, time));
    }

    /// The process ends: what its scripts have goes, and what they have written is handed on.
    pub(super) fn exit(self, time: Duration) {
        let py = self.attached();
        thread_start_at_end::refuse();
        #[cfg(Py_3_12)]
        feature_flags::refuse_threads(py);
        let limit = Deadline::new(self.shared, time, None).ok();
        self.shared.state.set_runs_at_end(true);
        self.shared.end_objects(py);
        self.forget_names();
        drop(limit);
        self.shared.end_asks(py);
        // The last character of a stream may not be whole: its end hands that on.
        for name in [c"stdout", c"__stdout__", c"stderr", c"__stderr__"] {
            let none = Object::none(py).and_then(|none| set_in_sys(py, name, &none));
            if none.is_none() {
                clear_exception(py);
            }
        }
        if let Some(inside) = self.inside()
            && inside.flush(py).is_none()
        {
            clear_exception(py);
        }
    }

    /// Finalizes Python from its main interpreter, the last one, which has no other threads.
    pub(super) fn finalize(mut self) {
        let loans = self.loans();
        self.let_go();
        ending::limit_end(self.attached(), self.shared, ending::END_TIMEOUT);
        multiprocessing_servers::stop_at_end(self.attached());
        stdlib_functions::end(self.attached());
        let python = attach::attached_interpreter() as usize;
        // SAFETY: as `end_all` saw to it. What can't be flushed is lost: nobody is left to tell.
        unsafe { self.attached.finalize() };
        // SAFETY: ended.
        unsafe { loans.close() };
        retire(self.shared, self.claim);
        child_processes::reap(python, ending::END_TIMEOUT);
    }

    /// Leaves the main interpreter to the host.
    pub(super) fn disown(mut self) {
        type_versions::hand_back(self.attached());
        remaining_interpreters::unregister(self.attached());
        self.let_go();
        drop(self.attached);
        // SAFETY: ours, made when the host's Python was joined; nobody else has it.
        unsafe { enter::delete(self.shared.entry.thread_state.get(), self.room) };
        retire(self.shared, self.claim);
    }

    /// Lets go of what is inside; its thread state is not to be attached any more.
    fn let_go(&mut self) {
        self.shared.work_begins(Work::Own);
        self.shared.end_objects(self.attached());
        drop(self.set_inside(None));
    }
}

impl Shared {
    /// Claims the interpreter, attaches its thread state, and does `work`: first the claim, which waits for nobody,
    /// then a stack, then the GIL, with no lock of ours held but that of the stack.
    pub(super) fn in_session<T>(
        self: &Arc<Self>,
        purpose: Purpose,
        work: impl FnOnce(Session<'_>) -> Result<T>,
    ) -> Result<T> {
        let claim = self.claim(purpose)?;
        let _ends = (purpose == Purpose::End).then(|| KeptHere::new(self.id));
        if purpose == Purpose::End {
            enter::detached(|| {
                self.wait_for_requesters();
                faulthandler::wait_for_dumps(self.id);
            });
        }
        self.stack
            .with_room(|room| work(Session::enter(self, claim, room)))?
    }

    #[inline(always)]
    pub(super) fn claim(self: &Arc<Self>, purpose: Purpose) -> Result<Claim<'_>> {
        let claimed = self.state.claim(purpose);
        claimed.or_else(|why| self.claim_after(why, purpose))
    }

    /// Claims it after a short access, for which it was refused; else says why it is. What an access has run may have called
    /// the host, which may wait for the calling thread: it does not wait for that.
    #[cold]
    pub(super) fn claim_after(
        self: &Arc<Self>,
        mut why: Refused,
        purpose: Purpose,
    ) -> Result<Claim<'_>> {
        let (state, start) = (&self.state, Instant::now());
        let (mut in_host, mut gives_up) = (InHost::default(), self.is_further_out());
        while why == Refused::Accessed {
            if gives_up {
                why = Refused::Running;
                break;
            }
            enter::detached(|| {
                while state.is_accessed() && !gives_up {
                    gives_up = in_host.is_too_long(self.entry.wake.is_in_host());
                    match start.elapsed() < SHORT_ACCESS {
                        true => std::thread::yield_now(),
                        false => std::thread::sleep(SHORT_ACCESS),
                    }
                }
            });
            match state.claim(purpose) {
                Ok(claim) => return Ok(claim),
                Err(refused) => why = refused,
            }
        }
        Err(self.refused(why))
    }

    /// Claims it to run, for which the calling thread was `refused`, when it is its turn. `None`: however long that takes.
    #[cold]
    pub(super) fn claim_in_turn(
        self: &Arc<Self>,
        wait: Option<Duration>,
        refused: Error,
    ) -> Result<Claim<'_>> {
        let gone = || registry::not_found(self.id);
        let claim = |limit: &Limit<'_>| self.state.claim_in_turn(limit);
        waiting::in_turn(self.id, wait, refused, claim, gone)
    }

    /// Whether the calling thread is inside of the interpreter.
    fn is_here(&self) -> bool {
        match enter::current_interpreter() {
            (Some(id), _) => id == self.id,
            (None, python) => self.is(python),
        }
    }

    /// Whether the calling thread has the claim: it is inside of the interpreter, or of others that it has called from there.
    fn is_further_out(&self) -> bool {
        let mut entry = calling_thread::entry();
        // SAFETY: an entry lives until it is left.
        while let Some(one) = unsafe { entry.as_ref() } {
            if self.runs_in(one.thread_state.get()) {
                return true;
            }
            entry = one.outer();
        }
        false
    }

    #[cold]
    fn refused(&self, why: Refused) -> Error {
        let id = self.id;
        let (status, message) = match why {
            Refused::Running if self.is_stayed_in.load(Ordering::Relaxed) => {
                return stay::entered(id, self.stay.depth_here(&self.entry).is_some());
            }
            Refused::Running if self.is_here() => (
                Status::Busy,
                format!(
                    "interpreter {id} is running, in this thread: the call came from inside it"
                ),
            ),
            Refused::Running => (
                Status::Busy,
                format!("interpreter {id} is running: wait for it, or use another one"),
            ),
            Refused::Ending => (
                Status::Busy,
                format!(
                    "interpreter {id} is being destroyed, in {} thread",
                    if self.is_further_out() {
                        "this"
                    } else {
                        "another"
                    }
                ),
            ),
            Refused::Gone | Refused::Accessed => return registry::not_found(id),
        };
        Error::new(status, message)
    }
}

/// The interpreter is gone, with all that is known of it.
pub(super) fn retire(shared: &Arc<Shared>, claim: Claim<'_>) {
    registry::remove(shared.id);
    family::forget(shared.id);
    Queue::forget(shared.id);
    Queue::take_apart(shared.id);
    faulthandler::forget(shared.id);
    foreign_threads::forget(shared.id);
    if let Some(account) = shared.account {
        counting::disown(account);
    }
    claim.retire();
}
