//! Waiting for one's turn in an interpreter, whatever stands behind it.
//!
//! Who holds what: who waits holds no GIL and no lock, but it may be in other interpreters: further out in its chain of
//! calls, their runs wait for it. A wait that nothing could ever end, since what it waits for waits for it, is refused.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::data::error::{Error, Result, Status};
use crate::data::id::Id;
use crate::local::enter;
use crate::local::interpreter::handle::Interpreter;
use crate::local::interpreter::nested::far;
use crate::local::interpreter::registry;
use crate::local::thread::calling_thread;
use crate::util::thread::this_thread;
use crate::util::turns::{Ended, Limit};

/// How long the host has not returned from what the end of an object has called, which the library drops. A call waits for
/// what the library does itself in the interpreter; but the host may wait there for that call.
#[derive(Default)]
pub(crate) struct InHost(Option<Instant>);

impl InHost {
    /// Whether that is too long. `is_there`: whether it is in the host now.
    pub(crate) fn is_too_long(&mut self, is_there: bool) -> bool {
        const LONGEST: Duration = Duration::from_secs(2);
        if !is_there {
            self.0 = None;
        }
        is_there && self.0.get_or_insert_with(Instant::now).elapsed() > LONGEST
    }
}

/// Which threads and runs wait for which interpreter, as far as they are in one.
struct Waits {
    /// The run of the first one waits for its turn in the second one.
    runs: BTreeMap<Id, Id>,
    /// These threads have these, and are in no run of theirs.
    kept: Vec<(u64, Id)>,
}

/// Held for a moment.
static WAITS: Mutex<Waits> = Mutex::new(Waits {
    runs: BTreeMap::new(),
    kept: Vec::new(),
});

fn waits() -> MutexGuard<'static, Waits> {
    WAITS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The calling thread has an interpreter, and is in no run of its, until this is dropped: it ends it, or stays in it.
pub(crate) struct KeptHere(u64, Id);

impl KeptHere {
    pub(crate) fn new(id: Id) -> Self {
        let thread = this_thread();
        waits().kept.push((thread, id));
        Self(thread, id)
    }
}

impl Drop for KeptHere {
    fn drop(&mut self) {
        let mut waits = waits();
        let this = (self.0, self.1);
        if let Some(at) = waits.kept.iter().rposition(|one| *one == this) {
            waits.kept.swap_remove(at);
        }
    }
}

/// The interpreters whose runs go on only when the calling thread does, as those that wait, until this is dropped.
struct Waiting(Vec<Id>);

impl Waiting {
    /// `None`: what it waits for waits for it.
    fn begin(id: Id) -> Option<Self> {
        let mut held = held_here();
        let this = this_thread();
        let mut waits = waits();
        let kept = waits.kept.iter().filter(|(thread, _)| *thread == this);
        held.extend(kept.map(|(_, id)| *id));
        if !held.is_empty() {
            let mut next = Some(id);
            while let Some(one) = next {
                if held.contains(&one) {
                    return None;
                }
                next = waits.runs.get(&one).copied();
            }
        }
        held.iter().for_each(|one| _ = waits.runs.insert(*one, id));
        Some(Self(held))
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        if !self.0.is_empty() {
            let mut waits = waits();
            self.0.iter().for_each(|one| _ = waits.runs.remove(one));
        }
    }
}

/// The interpreters whose runs go on only when the calling thread does. (One that a script has started is in the
/// interpreter, too, and is not its run.)
fn held_here() -> Vec<Id> {
    let mut held = Vec::new();
    let mut entry = calling_thread::entry();
    // SAFETY: an entry lives until it is left.
    while let Some(one) = unsafe { entry.as_ref() } {
        let is_held = |id| match registry::get(id) {
            Some(found) => found.0.runs_in(one.thread_state.get()),
            None => far::find(id).is_some_and(|far| far.waits_for_this_thread()),
        };
        held.extend(one.id.filter(|id| is_held(*id)));
        entry = one.outer();
    }
    held
}

/// Waits for the turn of the calling thread, which was `refused`, by `claim`. `None`: as long as it takes. `gone`: why there
/// is no turn any more.
pub(crate) fn in_turn<T>(
    id: Id,
    wait: Option<Duration>,
    refused: Error,
    claim: impl FnOnce(&Limit<'_>) -> std::result::Result<T, Ended>,
    gone: impl FnOnce() -> Error,
) -> Result<T> {
    if wait == Some(Duration::ZERO) || refused.status() != Status::Busy {
        return Err(refused);
    }
    let until = wait.and_then(|wait| Instant::now().checked_add(wait));
    let Some(_waiting) = Waiting::begin(id) else {
        let message = format!(
            "{}; it can't be waited for: what it does waits for the calling thread",
            refused.message()
        );
        return Err(Error::new(Status::Busy, message));
    };
    let keeps_waiting = Interpreter::keeps_waiting();
    let limit = Limit {
        until,
        keeps_waiting: Interpreter::may_be_told_to_end().then_some(&keeps_waiting),
    };
    enter::detached(|| claim(&limit)).map_err(|ended| match ended {
        Ended::Gone => gone(),
        Ended::Interrupted => Error::new(
            Status::Interrupted,
            format!("interpreter {id} was interrupted by the host while this call waited for it"),
        ),
        Ended::Stopped => Interpreter::stopped(&format!("waits for interpreter {id}")),
        Ended::TimeOver | Ended::Turn => Error::new(
            Status::Busy,
            format!("{}; the time to wait for it is over", refused.message()),
        ),
    })
}
