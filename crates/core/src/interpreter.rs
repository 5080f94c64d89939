//! An interpreter: what it holds, and its life from `create` over `run` to `destroy`.

pub(crate) mod all;
pub(crate) mod claim;
pub(crate) mod code_cache;
pub(crate) mod contents;
pub(crate) mod control;
mod creation;
pub(crate) mod deadline;
mod destruction;
mod ending;
mod exchange;
pub(crate) mod family;
mod faulthandler;
mod foreign_threads;
mod nested;
pub(crate) mod output;
mod protected;
mod reentry;
pub(crate) mod registry;
mod resources;
mod session;
mod shared_output;
mod signals;
mod sources;
pub(crate) mod stats;
mod threads_left;

use std::cell::UnsafeCell;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use pyo3_ffi as ffi;
use pyo3_ffi::{PyInterpreterState, PyThreadState};

use crate::data::config::{CacheLimits, InterpreterConfig, RunOptions};
use crate::data::error::{Error, Result, Status};
use crate::data::id::Id;
use crate::interpreter::claim::{Claim, Purpose, Refused, Request};
use crate::interpreter::contents::Contents;
use crate::interpreter::control::Control;
use crate::interpreter::creation::Recipe;
use crate::interpreter::family::{Place, Terms, Wishes};
use crate::interpreter::nested::Nested;
use crate::interpreter::reentry::Reentry;
use crate::interpreter::session::Session;
use crate::interpreter::stats::Stats;
use crate::local::attach;
use crate::local::cures::allocator::counting;
use crate::local::cures::stack_bounds::Watched;
use crate::local::cures::{Environment, switch_interval};
use crate::local::memory::account::{Account, MemoryUsage};
use crate::local::phase;
use crate::local::python::collection::without_collection;
use crate::local::python::thread_states;
use crate::local::thread::entry::Entry;
use crate::local::thread::here;

/// A handle to an interpreter: cheap to clone, valid for ever; once the interpreter is destroyed, its
/// calls say so. Dropping it does not destroy the interpreter.
#[derive(Clone)]
pub struct Interpreter(Arc<Inner>);

struct Inner {
    id: Id,
    control: Arc<Control>,
    /// Only for the holder of a claim; see [`Session`].
    held: UnsafeCell<Held>,
}

// SAFETY: `held` is reached through a `Session` alone, which has claimed the interpreter and attached
// its thread state.
unsafe impl Send for Inner {}
// SAFETY: as above.
unsafe impl Sync for Inner {}

/// A run that is under way.
enum UnderWay<'a> {
    Outermost(Session<'a>),
    Inner(Box<Reentry<'a>>),
}

impl Inner {
    /// What is kept of the interpreter.
    ///
    /// # Safety
    /// The calling thread has the claim, and does not end the interpreter while it has the answer.
    #[inline(always)]
    unsafe fn contents(&self) -> Result<&Contents> {
        // SAFETY: the caller's promise: it is changed by the interpreter's end alone.
        let contents = unsafe { &(*self.held.get()).contents };
        contents
            .as_ref()
            .ok_or_else(|| registry::not_found(self.id))
    }
}

/// What an interpreter holds.
struct Held {
    /// Has its thread state.
    entry: Entry,
    watched: Watched,
    /// References into the interpreter; `None` when it is gone.
    contents: Option<Contents>,
    /// While it runs inside of another one's run.
    nested: Option<Nested>,
}

impl Interpreter {
    /// Makes an interpreter for the host. `prepare` is done in it at the end, and told whether it may create others.
    pub(crate) fn make(
        mut config: InterpreterConfig,
        prepare: impl FnOnce(&Contents, bool) -> Result<()>,
    ) -> Result<Self> {
        if !config.allow_interpreters {
            return Self::make_member(config, prepare, |_| ());
        }
        let terms = Terms::of(&mut config);
        Self::make_member(config, prepare, |id| family::insert(id, None, terms))
    }

    /// The main interpreter's scripts may create interpreters that are like this.
    pub(crate) fn become_creator(&self, mut config: InterpreterConfig) {
        family::insert(self.0.id, None, Terms::of(&mut config));
    }

    /// Makes an interpreter for a script of `creator`.
    pub(crate) fn make_for_script(
        creator: &Self,
        wishes: &Wishes,
        prepare: impl FnOnce(&Contents, bool) -> Result<()>,
    ) -> Result<Self> {
        let place = Place::reserve(creator.id())?;
        let (config, terms) = place.terms().with(wishes)?;
        if creator.0.control.state.is_over() {
            let message = format!("interpreter {} ends: it creates no more", creator.id());
            return Err(Error::new(Status::Busy, message));
        }
        Self::make_member(config, prepare, |id| place.take(id, terms))
    }

    /// `join` makes it a member of its family, before anybody finds it.
    fn make_member(
        config: InterpreterConfig,
        prepare_more: impl FnOnce(&Contents, bool) -> Result<()>,
        join: impl FnOnce(Id),
    ) -> Result<Self> {
        let runtime = phase::creating()?;
        let recipe = Recipe::new(&config)?;
        resources::check()?;
        let id = registry::next_id();
        let account = Account::open(config.memory_limit);
        if config.memory_limit > 0 && account.is_none() {
            let message = "a memory_limit needs a runtime that was initialized with account_memory";
            return Err(Error::new(Status::Unsupported, message));
        }
        let environment = match config.share_environment {
            true => Environment::OfProcess,
            false => Environment::Own,
        };
        let mut why = String::new();
        let make = || {
            let _short = switch_interval::shorten();
            attach::create(
                id,
                || recipe.make(&mut why),
                |thread_state| {
                    let control = Control::new(thread_state, !recipe.has_own_gil(), account);
                    let prepare = || {
                        let paths = runtime.module_search_paths();
                        let mut contents = Contents::new(id, paths, config.code_cache, &control)?;
                        contents.cure(recipe.has_own_gil(), environment)?;
                        contents.take_streams(
                            id,
                            config.stdout,
                            config.stderr,
                            config.output_bytes,
                        )?;
                        contents.define_everywhere()?;
                        prepare_more(&contents, config.allow_interpreters)?;
                        match account.map(|account| account.usage().current) {
                            Some(idle) if (1..=idle).contains(&config.memory_limit) => {
                                Err(too_low(config.memory_limit, idle))
                            }
                            _ => Ok(contents),
                        }
                    };
                    // Claimed, since reading an exception sets how its run has ended.
                    let claim = control.state.claim(Purpose::Run);
                    // A new interpreter has no garbage.
                    let contents = without_collection(prepare);
                    drop(claim);
                    (control, contents)
                },
            )
        };
        let made = attach::with_account(account, make);
        let Some((thread_state, (control, contents))) = made else {
            resources::check()?;
            let message = format!("Python could not create an interpreter: {why}");
            return Err(Error::new(Status::Internal, message));
        };
        match contents {
            Ok(contents) => {
                if let Some(account) = account {
                    account.opened();
                    counting::own(thread_states::interpreter_of(thread_state), account);
                }
                let interpreter = Self::new(id, thread_state, control, Some(contents));
                join(id);
                registry::insert(interpreter.clone());
                Ok(interpreter)
            }
            Err(e) => {
                Self::new(id, thread_state, control, None)
                    .session(Purpose::End)?
                    .end(ending::PATIENCE);
                Err(e)
            }
        }
    }

    /// Makes the record of the main interpreter, which exists already. `take_streams`: its
    /// `sys.stdout`, `sys.stderr` and functions are ours to replace. `take_signals`: Python has no signal handlers.
    pub(crate) fn adopt_main(
        thread_state: *mut PyThreadState,
        module_search_paths: &[PathBuf],
        take_streams: bool,
        take_signals: bool,
    ) -> Result<Self> {
        let account = Account::open(0);
        if let Some(account) = account {
            counting::own(thread_states::interpreter_of(thread_state), account);
        }
        let control = Control::new(thread_state, true, account);
        let main = Self::new(0, thread_state, control.clone(), None);
        let session = main.session(Purpose::Run)?;
        let cache = CacheLimits::default();
        let mut contents = Contents::new(0, module_search_paths, cache, &control)?;
        contents.cure_main()?;
        if take_streams {
            contents.cure_functions(Environment::OfMain, take_signals)?;
            contents.take_streams(0, None, None, false)?;
        } else {
            contents.end_before_main()?;
        }
        // SAFETY: a session is the right to touch what is held.
        unsafe { (*main.0.held.get()).contents = Some(contents) };
        drop(session);
        Ok(main)
    }

    fn new(
        id: Id,
        thread_state: *mut PyThreadState,
        control: Arc<Control>,
        contents: Option<Contents>,
    ) -> Self {
        Self(Arc::new(Inner {
            id,
            held: UnsafeCell::new(Held {
                entry: Entry::new(id, control.account, thread_state),
                watched: Watched::new(),
                contents,
                nested: None,
            }),
            control,
        }))
    }

    /// The interpreter with this id.
    pub fn find(id: Id) -> Result<Self> {
        phase::ready()?;
        registry::find(id)
    }

    /// Its id.
    pub fn id(&self) -> Id {
        self.0.id
    }

    /// Whether it is this one of CPython's.
    pub(crate) fn is(&self, python: *mut PyInterpreterState) -> bool {
        self.0.control.is(python)
    }

    /// Whether a run is under way. The answer may be old by the time it arrives.
    pub fn is_running(&self) -> Result<bool> {
        phase::ready()?;
        if self.is_gone() {
            return Err(registry::not_found(self.0.id));
        }
        Ok(self.0.control.state.is_running())
    }

    /// Where its memory is counted.
    pub(crate) fn account(&self) -> Option<&'static Account> {
        self.0.control.account
    }

    /// How much memory it has. Takes no lock and waits for no run.
    pub fn memory_usage(&self) -> Result<MemoryUsage> {
        phase::ready()?;
        if self.is_gone() {
            return Err(registry::not_found(self.0.id));
        }
        let account = self.account().ok_or_else(|| {
            let message = "memory is not counted: initialize with account_memory";
            Error::new(Status::Unsupported, message)
        })?;
        Ok(account.usage())
    }

    /// What it has done so far. Takes no lock and waits for no run.
    pub fn stats(&self) -> Result<Stats> {
        phase::ready()?;
        if self.is_gone() {
            return Err(registry::not_found(self.0.id));
        }
        Ok(self.0.control.stats.read())
    }

    /// Whether it was destroyed.
    pub(crate) fn is_gone(&self) -> bool {
        self.0.control.state.is_gone()
    }

    /// Runs a program in `__main__`, in the calling thread.
    pub fn run(&self, code: &str) -> Result<()> {
        self.run_with(code.as_bytes(), &RunOptions::default())
    }

    /// As [`run`](Self::run), for code that need not be UTF-8 and is refused then.
    pub fn run_with(&self, code: &[u8], options: &RunOptions) -> Result<()> {
        phase::ready()?;
        self.run_ready(code, options)
    }

    /// [`run_with`](Self::run_with) in the interpreter with this id, without a lock.
    #[inline]
    pub fn run_in(id: Id, code: &[u8], options: &RunOptions) -> Result<()> {
        phase::ready()?;
        registry::with(id, |interpreter| interpreter.run_ready(code, options))
    }

    /// Attaches the interpreter with this id and detaches it: what CPython's pair of calls is compared with.
    #[cfg(feature = "bench")]
    #[doc(hidden)]
    #[inline]
    pub fn attach_in(id: Id) -> Result<()> {
        phase::ready()?;
        registry::with(id, |interpreter| {
            interpreter
                .session(Purpose::Run)
                .map(|session| drop(session.leave()))
        })
    }

    #[inline(always)]
    fn run_ready(&self, code: &[u8], options: &RunOptions) -> Result<()> {
        self.inside(|contents| {
            if options.is_plain() {
                contents.run(code, options)
            } else {
                contents.run_timed(code, options)
            }
        })
    }

    /// As [`inside`](Self::inside), with a limit on the time or the time measured, as the options say.
    fn inside_for<T>(
        &self,
        options: &RunOptions,
        work: impl FnOnce(&Contents) -> Result<T>,
    ) -> Result<T> {
        self.inside(|contents| {
            if options.is_plain() {
                work(contents)
            } else {
                contents.timed(options, work)
            }
        })
    }

    /// Claims and attaches the interpreter, does `work` with what is kept of it, and flushes its streams.
    #[inline(always)]
    fn inside<T>(&self, work: impl FnOnce(&Contents) -> Result<T>) -> Result<T> {
        if self.0.id == 0 && !phase::allows_main() {
            return Err(main_not_permitted());
        }
        let under_way = match self.claim(Purpose::Run) {
            Ok(claim) => UnderWay::Outermost(self.begin_run(claim)),
            Err(refused) => UnderWay::Inner(Reentry::enter(&self.0, refused)?),
        };
        self.do_inside(under_way, work)
    }

    /// As [`inside`](Self::inside), but not while it runs already in this thread.
    pub(crate) fn inside_anew<T>(&self, work: impl FnOnce(&Contents) -> Result<T>) -> Result<T> {
        let claim = self.claim(Purpose::Run)?;
        self.do_inside(UnderWay::Outermost(self.begin_run(claim)), work)
    }

    #[inline(always)]
    fn do_inside<T>(
        &self,
        under_way: UnderWay<'_>,
        work: impl FnOnce(&Contents) -> Result<T>,
    ) -> Result<T> {
        // SAFETY: this thread has the claim, for this run or for one further out.
        let outcome = unsafe { self.0.contents() }?.do_and_flush(work);
        match under_way {
            UnderWay::Outermost(session) => {
                self.0.control.run_ended();
                if session.is_nested() {
                    session.end_nested();
                }
                drop(session.leave());
            }
            UnderWay::Inner(reentry) => drop(reentry),
        }
        outcome
    }

    #[inline(always)]
    fn begin_run<'a>(&'a self, claim: Claim<'a>) -> Session<'a> {
        let session = Session::enter(&self.0, claim);
        if session.is_nested() {
            session.begin_nested();
        }
        if let Some(account) = self.account() {
            account.begin_run();
        }
        session
    }

    /// Asks the run that is under way to end: it gets a KeyboardInterrupt, and returns `Interrupted`.
    /// Nothing happens if there is none. Waits for nobody.
    pub fn interrupt(&self) -> Result<()> {
        phase::ready()?;
        if self.is_gone() {
            return Err(registry::not_found(self.0.id));
        }
        self.0.control.interrupt();
        Ok(())
    }

    /// Says, while the calling thread waits, whether it is to wait on: the run that it is in may be asked to end.
    pub(crate) fn goes_on() -> impl Fn() -> bool {
        let run = Some(here::id()).filter(|id| *id != here::NOWHERE);
        move || {
            let asked = run.and_then(Self::asked);
            asked.is_none()
        }
    }

    /// What the run of an interpreter is asked to end for.
    fn asked(id: Id) -> Option<Request> {
        registry::find(id).ok()?.0.control.state.asked()
    }

    /// Sets the exception that the run of the attached interpreter is asked to end by.
    #[cold]
    pub(crate) fn raise_what_is_asked(id: Id) {
        let message = Self::asked(id).map_or(c"the run is to end", Request::message);
        // SAFETY: attached; a class of Python's own.
        unsafe { ffi::PyErr_SetString(ffi::PyExc_KeyboardInterrupt, message.as_ptr()) };
    }

    /// It does not end with its creator any more, and does not count there. Nothing happens if no script has created it.
    pub fn take_over(&self) -> Result<()> {
        phase::ready()?;
        if self.is_gone() {
            return Err(registry::not_found(self.0.id));
        }
        family::take_over(self.0.id);
        Ok(())
    }

    /// Claims the interpreter and attaches its thread state: first the claim, which waits for nobody,
    /// then the GIL, with no lock of ours held.
    fn session(&self, purpose: Purpose) -> Result<Session<'_>> {
        let claim = self.claim(purpose)?;
        if purpose == Purpose::End {
            attach::detached(|| {
                self.0.control.settle();
                faulthandler::settle(self.0.id);
            });
        }
        Ok(Session::enter(&self.0, claim))
    }

    #[inline(always)]
    fn claim(&self, purpose: Purpose) -> Result<Claim<'_>> {
        let claimed = self.0.control.state.claim(purpose);
        claimed.or_else(|why| self.claim_after(why, purpose))
    }

    /// Claims it after a visitor, for whom it was refused; else says why it is.
    #[cold]
    fn claim_after(&self, mut why: Refused, purpose: Purpose) -> Result<Claim<'_>> {
        let state = &self.0.control.state;
        while why == Refused::Visited {
            attach::detached(|| {
                while state.is_visited() {
                    std::thread::yield_now();
                }
            });
            match state.claim(purpose) {
                Ok(claim) => return Ok(claim),
                Err(refused) => why = refused,
            }
        }
        Err(self.0.refused(why))
    }

    /// Does `work` in a thread that the interpreter's own `PyGILState_Ensure` knows: in one of the interpreter's, or else
    /// with a thread state that is made for it. Says whether it was done: not in an interpreter that ends.
    fn enter_from_anywhere(&self, work: impl FnOnce()) -> bool {
        if let Some(_known) = attach::Known::new(|found| self.0.control.is(found)) {
            work();
            return true;
        }
        self.0.control.visit_from_anywhere(self.0.id, work)
    }

    /// Does `work` while the interpreter is attached, whoever runs in it, and whatever the calling
    /// thread is in. Waits for its GIL.
    ///
    /// # Safety
    /// Something keeps the interpreter from being ended until `work` is done: a pin.
    pub(crate) unsafe fn visit<T>(&self, work: impl FnOnce() -> T) -> T {
        if self.0.control.is(attach::attached_interpreter()) {
            return work();
        }
        match self.0.control.state.claim(Purpose::Visit) {
            Ok(claim) => {
                let _session = Session::enter(&self.0, claim);
                work()
            }
            // SAFETY: the caller's promise.
            Err(_) => unsafe { self.0.control.visit(self.0.id, work) },
        }
    }
}

/// Visits each interpreter that may have the shared GIL, if the threads `inside` of it and the interpreters
/// that only their own Python threads may run in are more than one; see
/// [`shared_gil`](crate::local::cures::shared_gil).
#[cfg(not(Py_3_13))]
pub(crate) fn visit_holders(inside: usize) {
    let mut holders = registry::all();
    holders.retain(|interpreter| interpreter.0.control.may_hold_shared_gil());
    let is_left = |holder: &&Interpreter| !holder.0.control.state.is_running();
    if inside + holders.iter().filter(is_left).count() > 1 {
        holders
            .iter()
            .for_each(|holder| holder.0.control.visit_holder());
    }
}

impl fmt::Debug for Interpreter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Interpreter").field(&self.0.id).finish()
    }
}

fn too_low(limit: u64, idle: u64) -> Error {
    let message = format!(
        "memory_limit is {limit}, which is too low: an interpreter that does nothing takes {idle} bytes"
    );
    Error::new(Status::InvalidArgument, message)
}

#[cold]
fn main_not_permitted() -> Error {
    let message = "running in the main interpreter is not permitted: create an interpreter, or \
                   initialize with allow_main";
    Error::new(Status::NotPermitted, message)
}

impl Inner {
    /// Whether the calling thread is inside of the interpreter.
    fn is_here(&self) -> bool {
        match attach::whereabouts() {
            (Some(id), _) => id == self.id,
            (None, python) => self.control.is(python),
        }
    }

    #[cold]
    fn refused(&self, why: Refused) -> Error {
        let id = self.id;
        let (status, message) = match why {
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
                format!("interpreter {id} is being destroyed in another thread"),
            ),
            Refused::Gone | Refused::Visited => return registry::not_found(id),
        };
        Error::new(status, message)
    }
}
