//! An interpreter in a process of its own, as the host has it.
//!
//! Who holds what: a call that asks for something has a [line](super::lines) until it is answered, and no lock. No GIL of
//! this process is held while it waits, for the answer or for its turn.

mod asking;
mod calls;
mod creation;
mod destruction;
mod interrupt;
mod known_queues;
mod objects;
mod operations;
mod queues;
mod releasing;
mod served;
mod signals;
mod stay;
mod staying;
mod streams;

use std::collections::HashMap;
use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::atomic::AtomicU32;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use subpy_wire::Malformed;

use self::known_queues::KnownQueues;
use self::releasing::Releasing;
use self::stay::Stay;
use self::streams::Streams;
use super::channel::{Broken, Control};
use super::family::Family;
use super::lines::{Line, Lines};
use super::socket;
use crate::data::config::Budget;
use crate::data::error::{Error, Lost, Result, Status};
use crate::data::id::Id;
use crate::data::object_handle::Home;
use crate::data::operation::Operate;
use crate::local::enter;
use crate::local::functions::host_function::Definition;
use crate::local::interpreter::claim::Request;
use crate::local::interpreter::end_options::EndOptions;
use crate::local::interpreter::nested::inner::Inner;
use crate::local::interpreter::registry;
use crate::local::interpreter::stats::Stats;
use crate::local::interpreter::stay::entered;
use crate::local::interpreter::waiting;
use crate::local::memory::account::MemoryUsage;
use crate::util::turns::Limit;

/// An interpreter.
pub(crate) struct Remote {
    pub(crate) id: Id,
    family: Arc<Family>,
    /// By which the zygote knows it.
    number: u64,
    /// The watcher has it, too: a number of a descriptor that is closed is given out anew.
    pidfd: Arc<OwnedFd>,
    lines: Lines,
    control: Control,
    /// Those of the channels that threads of its scripts have.
    others: Mutex<Vec<Control>>,
    /// A thread that stays.
    stay: Mutex<Option<Stay>>,
    /// What is under way: the innermost is the last. Held for a moment.
    under_way: Mutex<Vec<Asked>>,
    /// The number of the outermost of these; 0: nothing is under way.
    outermost: AtomicU32,
    /// What a signal handler of the host's interrupts, by its number; 0: nothing.
    interrupted_by_handler: AtomicU32,
    next_number: AtomicU32,
    /// The threads here that do something for threads of its scripts, each of which has the GIL there meanwhile. Held for a
    /// moment.
    gil_keepers: Mutex<Vec<u64>>,
    /// Each run may use so much.
    budget: Budget,
    functions: Mutex<HashMap<u64, Arc<Definition>>>,
    queues: KnownQueues,
    /// Of its objects that the host has handles of.
    home: Arc<Home>,
    /// A thread of ours says which were released.
    releasing: Releasing,
    streams: Streams,
    /// What it has done when it answered last, and the memory that it had.
    seen: Mutex<(Stats, Option<MemoryUsage>)>,
    life: Mutex<Life>,
    lost: OnceLock<Error>,
    /// What the watcher knows it by.
    watched: Mutex<Vec<u64>>,
    /// Its scripts may create interpreters.
    may_create: bool,
    creator: Creator,
    /// Held while what it has created is ended.
    ending: Mutex<()>,
    /// Told when it is destroyed.
    destroyed: fn(Id),
}

/// What is above this room, for an interpreter whose scripts create others.
#[derive(Clone, Copy)]
pub(crate) struct Creator {
    /// Does what its scripts ask for.
    pub(crate) operate: Operate,
    /// Its process is gone: so is what it has created. That is asked to end like this first, if this is given.
    pub(crate) is_over: fn(Id, Option<&EndOptions<'_>>),
}

/// Who above this room is told of one interpreter.
#[derive(Clone, Copy)]
pub(crate) struct Told {
    /// Many of its objects wait to be let go of.
    pub(crate) objects_wait: fn(Id),
    /// It is destroyed.
    pub(crate) destroyed: fn(Id),
}

/// What a worker of ours does not say.
const NONE_OF_OURS: Broken =
    Broken::Malformed(Malformed("an answer is none of what was asked for"));

/// Whether it is there.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Life {
    There,
    /// It is being destroyed.
    Ending,
    /// Its process has ended by itself.
    Gone,
    Destroyed,
}

/// What the host has asked for, and waits for.
struct Asked {
    number: u32,
    /// Which thread of its waits.
    thread: u64,
    /// What it is to end for.
    ends: Option<Request>,
    /// What runs of others are inside of it. Those that it has begun after it was to end give it no more time.
    inner: Vec<(Inner, IsLate)>,
    /// When the last one of those that give it more time has ended, after it was to end.
    went_on: Option<Instant>,
}

type IsLate = bool;

impl Remote {
    fn watched(&self) -> MutexGuard<'_, Vec<u64>> {
        self.watched.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn others(&self) -> MutexGuard<'_, Vec<Control>> {
        self.others.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn life(&self) -> MutexGuard<'_, Life> {
        self.life.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn under_way(&self) -> MutexGuard<'_, Vec<Asked>> {
        self.under_way
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn gil_keepers(&self) -> MutexGuard<'_, Vec<u64>> {
        self.gil_keepers
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether it may say something.
    fn is_alive(&self) -> bool {
        if self.lost.get().is_some() {
            return false;
        }
        let ended = socket::wait_for_any(&[self.pidfd.as_raw_fd()], 0);
        !ended.is_ok_and(|ended| ended[0])
    }

    /// A line for the calling thread. `Busy`: another thread has it.
    fn line(&self) -> Result<Line<'_>> {
        match *self.life() {
            Life::There | Life::Gone => {}
            Life::Ending => return Err(self.is_being_destroyed()),
            Life::Destroyed => return Err(registry::not_found(self.id)),
        }
        let taken = self.lines.take(|| self.runs_here());
        taken.ok_or_else(|| self.is_busy())
    }

    /// A line for the calling thread, when it is its turn. `None`: however long that takes.
    fn line_in_turn(&self, wait: Option<Duration>) -> Result<Line<'_>> {
        let gone = || {
            let lost = self.not_lost().err();
            lost.unwrap_or_else(|| registry::not_found(self.id))
        };
        let take = |limit: &Limit<'_>| self.lines.take_in_turn(limit);
        self.line()
            .or_else(|refused| self.line_after_release(refused))
            .or_else(|refused| waiting::in_turn(self.id, wait, refused, take, gone))
    }

    /// Fails in a thread that does something for it, and waits for that, or that stays in it.
    fn not_inside(&self) -> Result<()> {
        self.not_stayed_in()?;
        if !self.lines.is_inside() && !enter::is_called_from(self.id) {
            return Ok(());
        }
        let message = format!(
            "interpreter {} is running, in this thread: the call came from inside it",
            self.id
        );
        Err(Error::new(Status::Busy, message))
    }

    fn is_being_destroyed(&self) -> Error {
        let message = format!("interpreter {} is being destroyed", self.id);
        Error::new(Status::Busy, message)
    }

    fn functions(&self) -> MutexGuard<'_, HashMap<u64, Arc<Definition>>> {
        self.functions
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether something is under way, other than its end, or a thread stays in it.
    pub(crate) fn is_running(&self) -> bool {
        let is_ending = *self.life() == Life::Ending;
        let stays = self.stay().is_some();
        !is_ending && (stays || !self.under_way().is_empty())
    }

    /// Fails if it runs, or is being destroyed, or if calls wait for their turn.
    pub(super) fn check_is_idle(&self) -> Result<()> {
        if *self.life() == Life::Ending {
            return Err(self.is_being_destroyed());
        }
        match self.is_running() || self.lines.turns().are_awaited() {
            true => Err(self.is_busy()),
            false => Ok(()),
        }
    }

    fn is_busy(&self) -> Error {
        if let Some(stay) = &*self.stay() {
            return entered(self.id, stay.is_here());
        }
        let message = format!(
            "interpreter {} is running: wait for it, or use another one",
            self.id
        );
        Error::new(Status::Busy, message)
    }

    /// Ends it at once. Each call of it is `Lost` from then on.
    pub(crate) fn kill(&self) -> Result<()> {
        self.end_now("the host has killed it");
        Ok(())
    }

    /// Its process is gone: what its scripts have created ends, too. When this returns, it has. `ending`: it is asked to end like
    /// this, first.
    fn end_created(&self, ending: Option<&EndOptions<'_>>) {
        let one_at_a_time = self.ending.lock();
        (self.creator.is_over)(self.id, ending);
        drop(one_at_a_time);
    }

    /// Ends it at once, with the one that has created it.
    pub(crate) fn end_with_creator_now(&self) {
        self.end_now("the interpreter that has created it has ended");
    }

    /// Ends it at once; the first one says why.
    fn end_now(&self, why: &str) {
        self.lost
            .get_or_init(|| self.lost_by(why, 0, libc::SIGKILL));
        socket::kill(&self.pidfd, libc::SIGKILL);
        self.lines.end_turns();
    }

    fn lost_by(&self, why: &str, exit_code: i32, signal: i32) -> Error {
        let message = format!("the process of interpreter {} is lost: {why}", self.id);
        let how = Lost {
            exit_code,
            signal,
            traceback: self.control.report(),
        };
        Error::lost(message, how)
    }

    fn not_lost(&self) -> Result<()> {
        match (self.lost.get(), *self.life()) {
            (Some(error), _) => Err(error.clone()),
            (None, Life::Gone) => Err(self.lose(Broken::Gone)),
            _ => Ok(()),
        }
    }

    /// It is of no more use.
    #[cold]
    fn lose(&self, broken: Broken) -> Error {
        if let Broken::Malformed(wrong) = broken {
            self.end_now(&format!(
                "it does not keep to the rules, and was killed: {wrong}"
            ));
        }
        let lost = || match self.family.end_of(self.number) {
            Some(status) if libc::WIFEXITED(status) => {
                let code = libc::WEXITSTATUS(status);
                self.lost_by(&format!("it has exited with code {code}"), code, 0)
            }
            Some(status) => {
                let signal = libc::WTERMSIG(status);
                let name = signals::name(signal);
                self.lost_by(&format!("signal {name} has ended it"), 0, signal)
            }
            None if !self.family.is_there() => self.lost_by(
                "the process that has made it has ended, and it with that",
                0,
                0,
            ),
            None => self.lost_by("nobody knows how it has ended", 0, 0),
        };
        self.lost.get_or_init(lost).clone()
    }

    /// It, unless it was destroyed.
    pub(crate) fn there(self: &Arc<Self>) -> Result<&Arc<Self>> {
        match *self.life() {
            Life::Destroyed => Err(registry::not_found(self.id)),
            _ => Ok(self),
        }
    }

    /// What it had done when it answered last.
    pub(crate) fn stats(&self) -> Stats {
        self.seen().0
    }

    /// How much memory it had when it answered last.
    pub(crate) fn memory_usage(&self) -> Result<MemoryUsage> {
        self.seen().1.ok_or_else(|| {
            let message = "memory is not counted: initialize with account_memory";
            Error::new(Status::Unsupported, message)
        })
    }

    fn seen(&self) -> MutexGuard<'_, (Stats, Option<MemoryUsage>)> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Remote {
    fn drop(&mut self) {
        socket::kill(&self.pidfd, libc::SIGKILL);
    }
}
