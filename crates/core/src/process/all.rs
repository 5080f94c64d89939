//! All interpreters that have processes of their own, and the zygote that makes them.

use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use super::family::Family;
use super::host::{Creator, Remote, Told};
use super::place;
use crate::data::config::InterpreterConfig;
use crate::data::error::{Error, Result, Status};
use crate::data::id::Id;
use crate::data::queue::Queue;
use crate::local::enter;
use crate::local::interpreter::end_options::EndOptions;
use crate::local::interpreter::family as relatives;
use crate::local::runtime_phase;
use crate::util::signal_safe::Places;
use crate::util::thread::start_one;
use crate::util::timer;

const TOLD: Told = Told {
    objects_wait,
    destroyed: forget,
};

/// Held for a look-up, an insertion or a removal, of `SIGNAL_SAFE` too.
static ALL: RwLock<BTreeMap<Id, Arc<Remote>>> = RwLock::new(BTreeMap::new());
/// The zygote; `None`: nobody has needed one. Held while one is started.
static FAMILY: Mutex<Option<Arc<Family>>> = Mutex::new(None);

/// For signal handlers.
static SIGNAL_SAFE: Places<Remote> = Places::new();

fn family() -> MutexGuard<'static, Option<Arc<Family>>> {
    FAMILY.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The one that the calling thread stays in; of several, the one that it has entered last.
pub(crate) fn stayed_in_here() -> Option<Id> {
    let all = ALL.read().unwrap_or_else(PoisonError::into_inner);
    let stays = all
        .values()
        .filter_map(|one| Some((one.stay_here()?, one.id)));
    stays.max_by_key(|(number, _)| *number).map(|(_, id)| id)
}

/// Objects of an interpreter wait to be let go of: a thread of ours says so, if nothing is under way there.
fn objects_wait(id: Id) {
    static BUSY: AtomicBool = AtomicBool::new(false);
    start_one(&BUSY, c"subpy release", move || {
        if let Some(remote) = find(id) {
            remote.say_released_if_idle();
        }
    });
}

/// Makes an interpreter in a process of its own. It imports from these places, if any are given. `join` is done before
/// anybody finds it; false: it is to end.
pub(crate) fn create(
    config: InterpreterConfig,
    places: Option<&[String]>,
    creator: Creator,
    join: impl FnOnce(Id) -> bool,
) -> Result<Arc<Remote>> {
    check(&config)?;
    let creating = runtime_phase::creating()?;
    let made = enter::for_host(|| {
        let mut family = family();
        let there = match &*family {
            Some(there) if there.is_of_use() => there.clone(),
            before => {
                if let Some(before) = before {
                    before.log("the process that makes those of interpreters has ended, or does not answer: it is started anew");
                }
                let runtime = creating.config();
                let program = match &runtime.worker {
                    Some(program) => program.clone(),
                    None => place::worker()?,
                };
                let started = Arc::new(Family::start(&program, &runtime)?);
                family.insert(started).clone()
            }
        };
        drop(family);
        Remote::create(&there, config, places, creator, TOLD)
    })?;
    let mut all = ALL.write().unwrap_or_else(PoisonError::into_inner);
    SIGNAL_SAFE.insert(made.id.get(), Arc::as_ptr(&made));
    all.insert(made.id, made.clone());
    let stays = join(made.id);
    drop(all);
    if !stays {
        let _ = made.destroy(&EndOptions::within(Duration::ZERO, true), true);
        let message = "the interpreter ends whose script creates one: it creates no more";
        return Err(Error::new(Status::Busy, message));
    }
    timer::on_call(serve_handlers);
    Ok(made)
}

/// Fails for what there is not yet, or can't be.
fn check(config: &InterpreterConfig) -> Result<()> {
    match config.share_environment {
        true => {
            let message = "an interpreter in a process of its own has an environment of its own: share_environment is for \
                           SUBPY_BACKEND_LOCAL";
            Err(Error::new(Status::Unsupported, message))
        }
        false => Ok(()),
    }
}

/// The one with this id; `None`: there is none.
pub(crate) fn find(id: Id) -> Option<Arc<Remote>> {
    let all = ALL.read().unwrap_or_else(PoisonError::into_inner);
    all.get(&id).cloned()
}

/// It is destroyed.
fn forget(id: Id) {
    relatives::forget(id);
    Queue::forget(id);
    Queue::take_apart(id);
    let mut all = ALL.write().unwrap_or_else(PoisonError::into_inner);
    SIGNAL_SAFE.remove(id.get());
    let removed = all.remove(&id);
    drop(all);
    drop(removed);
}

/// All of them, in ascending order of their ids.
fn all() -> Vec<Arc<Remote>> {
    let all = ALL.read().unwrap_or_else(PoisonError::into_inner);
    all.values().cloned().collect()
}

/// Their ids, in ascending order.
pub(crate) fn ids() -> Vec<Id> {
    let all = ALL.read().unwrap_or_else(PoisonError::into_inner);
    all.keys().copied().collect()
}

/// Destroys all of them, and ends the zygote: Python is finalized. `Busy`: one of them runs, and nothing has happened.
pub(crate) fn end_all() -> Result<()> {
    let all = all();
    all.iter().try_for_each(|remote| remote.check_is_idle())?;
    for remote in all {
        // One that has begun to run just now is killed.
        let ending = EndOptions::within(Duration::ZERO, true);
        if remote.destroy(&ending, false).is_err() {
            let _ = remote.destroy(&ending, true);
        }
        forget(remote.id);
    }
    let family = family().take();
    drop(family);
    Ok(())
}

/// Asks what runs in this one to end, for a signal handler: it takes no lock and no memory.
pub(crate) fn interrupt_soon(id: Id) -> std::result::Result<(), Status> {
    match SIGNAL_SAFE.with(id.get(), Remote::interrupt_soon) {
        None => Err(Status::NotFound),
        Some(false) => Err(Status::NoMemory),
        Some(true) => Ok(()),
    }
}

/// Does what signal handlers have asked for.
fn serve_handlers() {
    all().iter().for_each(|remote| remote.serve_handler());
}
