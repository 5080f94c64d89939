//! What scripts create. An interpreter belongs to the one whose script has created it: its creator. It is no freer than
//! that, counts there and with those above, and ends with it, unless the host has taken it over.
//!
//! Interpreters that one of the host's has created, with all that these have created, are a family. They know each other,
//! and nobody else.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::data::config::{Backend, Budget, CacheLimits, Gil, InterpreterConfig};
use crate::data::error::{Error, Result, Status};
use crate::data::id::Id;
use crate::data::operation::CreateOptions;
use crate::local::interpreter::shared_output::SharedOutput;

/// What an interpreter is like, and what those are at most that its scripts create.
pub(crate) struct InheritedConfig {
    backend: Backend,
    gil: Gil,
    allow_fork: bool,
    allow_exec: bool,
    allow_threads: bool,
    allow_daemon_threads: bool,
    share_environment: bool,
    allow_interpreters: bool,
    knows_all: bool,
    interpreter_limit: u32,
    memory_limit: u64,
    budget: Budget,
    thread_limit: u32,
    recursion_limit: u32,
    code_cache: CacheLimits,
    output_bytes: bool,
    stdout: Option<SharedOutput>,
    stderr: Option<SharedOutput>,
    /// These are the interpreter's, and not those of the one that has created it.
    has_outputs: bool,
}

/// A member of a family.
struct Member {
    /// `None`: the host has created it, or has taken it over.
    creator: Option<Id>,
    /// How many there are that its scripts have created, with those that these have created.
    created: u32,
    /// It creates no more.
    is_over: bool,
    /// How many objects of scripts stand for it, by their interpreters, where it ends with the last one.
    objects: Option<BTreeMap<Id, u32>>,
    terms: Arc<InheritedConfig>,
}

/// Those that may create, and those that were created. Held for a look or a change.
static MEMBERS: Mutex<Members> = Mutex::new(Members(BTreeMap::new()));

struct Members(BTreeMap<Id, Member>);

fn members() -> MutexGuard<'static, Members> {
    MEMBERS.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Members {
    /// Those above a member: its creator, the creator of that, and so on.
    fn above(&self, id: Id) -> Vec<Id> {
        let creator = |id: &Id| self.0.get(id).and_then(|member| member.creator);
        std::iter::successors(creator(&id), creator).collect()
    }

    /// The host's of a family.
    fn first(&self, id: Id) -> Id {
        self.above(id).last().copied().unwrap_or(id)
    }

    /// Counts for all those above `id`, and for itself.
    fn count(&mut self, id: Id, change: impl Fn(u32) -> u32) {
        for id in self.above(id).into_iter().chain([id]) {
            if let Some(member) = self.0.get_mut(&id) {
                member.created = change(member.created);
            }
        }
    }
}

/// Room for one more, until this is dropped.
pub(crate) struct Place {
    creator: Id,
    /// `None`: it is taken.
    terms: Option<InheritedConfig>,
}

impl Place {
    /// Room for one that `creator` creates, and its config. `NotPermitted`: there are as many as there may be, or it would
    /// be freer than that.
    pub(crate) fn reserve(
        creator: Id,
        options: &CreateOptions,
    ) -> Result<(InterpreterConfig, Self)> {
        let mut members = members();
        let own = members.0.get(&creator);
        let Some(own) = own.filter(|own| own.terms.allow_interpreters) else {
            let message = format!(
                "scripts of interpreter {creator} can't create interpreters: it needs \
                 subpy_interpreter_config::allow_interpreters"
            );
            return Err(Error::new(Status::NotPermitted, message));
        };
        if own.is_over {
            let message = format!("interpreter {creator} ends: it creates no more");
            return Err(Error::new(Status::Busy, message));
        }
        let terms = own.terms.clone();
        for id in members.above(creator).into_iter().chain([creator]) {
            let full = |member: &&Member| member.created >= member.terms.interpreter_limit;
            if let Some(member) = members.0.get(&id).filter(full) {
                let message = format!(
                    "scripts of interpreter {id} have created {} interpreters, as many as its interpreter_limit \
                     allows: close one first",
                    member.created
                );
                return Err(Error::new(Status::NotPermitted, message));
            }
        }
        let (config, terms) = terms.with(options)?;
        members.count(creator, |n| n + 1);
        let terms = Some(terms);
        Ok((config, Self { creator, terms }))
    }

    /// The new interpreter takes it. False: its creator is over, and it is to end.
    pub(crate) fn take(mut self, id: Id) -> bool {
        if let Some(terms) = self.terms.take() {
            insert(id, Some(self.creator), terms);
        }
        let members = members();
        let creator = members.0.get(&self.creator);
        creator.is_some_and(|creator| !creator.is_over)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if self.terms.is_some() {
            members().count(self.creator, |n| n.saturating_sub(1));
        }
    }
}

pub(crate) fn insert(id: Id, creator: Option<Id>, terms: InheritedConfig) {
    let member = Member {
        creator,
        created: 0,
        is_over: false,
        objects: None,
        terms: Arc::new(terms),
    };
    members().0.insert(id, member);
}

/// An interpreter is gone.
pub(crate) fn forget(id: Id) {
    let mut members = members();
    let above = members.above(id);
    let Some(gone) = members.0.remove(&id) else {
        return;
    };
    // Another thread may be about to end what it has created: until then that counts further up.
    for member in members.0.values_mut().filter(|m| m.creator == Some(id)) {
        member.creator = gone.creator;
    }
    for id in above {
        if let Some(member) = members.0.get_mut(&id) {
            member.created = member.created.saturating_sub(1);
        }
    }
    drop(members);
    // What the host has taken over of it may still write.
    if gone.terms.has_outputs {
        let outputs = [&gone.terms.stdout, &gone.terms.stderr];
        outputs.into_iter().flatten().for_each(SharedOutput::close);
    }
}

/// An interpreter creates no more from here on, and its objects stand for nothing. The answer is what is to end by that: what it has
/// created, the youngest first, and what none but its objects stood for.
pub(crate) fn is_over(id: Id) -> Vec<Id> {
    let mut members = members();
    if let Some(member) = members.0.get_mut(&id) {
        member.is_over = true;
    }
    let ends = |(other, member): (&Id, &mut Member)| {
        let objects = member.objects.as_mut();
        let was_last =
            objects.is_some_and(|objects| objects.remove(&id).is_some() && objects.is_empty());
        let ends = member.creator == Some(id) || was_last && member.creator.is_some();
        ends.then_some(*other)
    };
    let ending = members.0.iter_mut().filter_map(ends);
    let mut ending: Vec<Id> = ending.collect();
    ending.reverse();
    ending
}

/// Those that the scripts of an interpreter have created, the youngest first.
pub(super) fn created_by(id: Id) -> Vec<Id> {
    let members = members();
    let created = members.0.iter().filter(|(_, m)| m.creator == Some(id));
    created.map(|(id, _)| *id).rev().collect()
}

/// Whether a script has created it, or it has created others.
pub(super) fn has_relatives(id: Id) -> bool {
    let members = members();
    let member = members.0.get(&id);
    member.is_some_and(|member| member.creator.is_some() || member.created > 0)
}

/// The host takes over what a script has created. False: it is the host's already.
pub(crate) fn take_over(id: Id) -> bool {
    let mut members = members();
    let Some(member) = members.0.get_mut(&id) else {
        return false;
    };
    let Some(creator) = member.creator.take() else {
        return false;
    };
    let all = member.created + 1;
    members.count(creator, |n| n.saturating_sub(all));
    true
}

/// How many interpreters the scripts of one may create now.
pub(crate) fn room(id: Id) -> u32 {
    let members = members();
    let one = |id: &Id| {
        let member = members.0.get(id)?;
        Some(
            member
                .terms
                .interpreter_limit
                .saturating_sub(member.created),
        )
    };
    let all = members.above(id).into_iter().chain([id]);
    all.filter_map(|id| one(&id)).min().unwrap_or(0)
}

/// What a script has created ends with the last object that stands for it.
pub(crate) fn count_objects(id: Id) {
    if let Some(member) = members().0.get_mut(&id) {
        member.objects = Some(BTreeMap::new());
    }
}

/// There is one object more in `holder`. False: they don't count.
pub(crate) fn retain(holder: Id, id: Id) -> bool {
    let mut members = members();
    let objects = members.0.get_mut(&id).and_then(|m| m.objects.as_mut());
    let count = objects.map(|objects| objects.entry(holder).or_insert(0));
    count.map(|n| *n = n.saturating_add(1)).is_some()
}

/// There is one less in `holder`. True: it was the last one.
pub(crate) fn release(holder: Id, id: Id) -> bool {
    let mut members = members();
    let Some(member) = members.0.get_mut(&id) else {
        return false;
    };
    let Some(objects) = &mut member.objects else {
        return false;
    };
    let Some(count) = objects.get_mut(&holder) else {
        return false;
    };
    *count -= 1;
    if *count == 0 {
        objects.remove(&holder);
    }
    objects.is_empty() && member.creator.is_some()
}

/// The host's of an interpreter's family.
pub(crate) fn first(id: Id) -> Id {
    members().first(id)
}

/// Whether a script has created it.
pub(crate) fn has_creator(id: Id) -> bool {
    let members = members();
    members.0.get(&id).is_some_and(|m| m.creator.is_some())
}

/// Whether an interpreter's scripts know another one.
pub(crate) fn knows(id: Id, other: Id) -> bool {
    id.is_main() || other.is_main() || id == other || {
        let members = members();
        let is_related =
            || members.0.contains_key(&other) && members.first(other) == members.first(id);
        members.0.get(&id).is_some_and(|m| m.terms.knows_all) || is_related()
    }
}

/// Fails if a script of `caller` may not use `id`, or end it. `is_there`: whether there is such an interpreter.
pub(crate) fn may_use(caller: Id, id: Id, is_there: impl FnOnce() -> bool) -> Result<()> {
    let refuse = |message| Err(Error::new(Status::NotPermitted, message));
    if id.is_main() {
        return refuse("interpreter 0 is the main one, which is the host's".to_owned());
    }
    let members = members();
    if id == caller {
        let host = match members.0.get(&id).is_some_and(|m| m.creator.is_some()) {
            true => "",
            false => ", and unrecognized here: the host has created it",
        };
        return refuse(format!(
            "interpreter {id} is the current one{host}: use another one, or do it here"
        ));
    }
    let above = members.above(id);
    if above.contains(&caller) {
        return Ok(());
    }
    let known = members.0.get(&id).zip(members.0.get(&caller));
    let Some((other, own)) = known.filter(|_| members.first(id) == members.first(caller)) else {
        drop(members);
        if knows(caller, id) && is_there() {
            return refuse(format!(
                "interpreter {id} is unrecognized here: no script of this family has created it"
            ));
        }
        let message = format!(
            "there is no interpreter {id} that this one knows: it was never created, is closed, or belongs to others"
        );
        return Err(Error::new(Status::NotFound, message));
    };
    if members.above(caller).contains(&id) {
        return refuse(format!(
            "interpreter {id} has created this one: only the host can do that"
        ));
    }
    match other.terms.is_within(&own.terms) {
        true => Ok(()),
        false => refuse(format!(
            "interpreter {id} may do more than this one: ask the one that has created both"
        )),
    }
}

impl InheritedConfig {
    /// Of an interpreter that is created with `config`, which takes part in what it shares.
    pub(crate) fn of(config: &mut InterpreterConfig) -> Self {
        let share = |output: &mut Option<_>| {
            let shared = output.take().map(SharedOutput::new);
            *output = shared.as_ref().map(SharedOutput::output);
            shared
        };
        Self {
            backend: config.backend,
            gil: config.gil,
            allow_fork: config.allow_fork,
            allow_exec: config.allow_exec,
            allow_threads: config.allow_threads,
            allow_daemon_threads: config.allow_daemon_threads,
            share_environment: config.share_environment,
            allow_interpreters: config.allow_interpreters,
            knows_all: config.know_all_interpreters,
            interpreter_limit: config.interpreter_limit,
            memory_limit: config.memory_limit,
            budget: config.budget,
            thread_limit: config.thread_limit,
            recursion_limit: config.recursion_limit,
            code_cache: config.code_cache,
            output_bytes: config.output_bytes,
            stdout: share(&mut config.stdout),
            stderr: share(&mut config.stderr),
            has_outputs: true,
        }
    }

    /// The config of one that a script creates, and its terms. `NotPermitted`: it asks for more than the script may do.
    pub(super) fn with(&self, options: &CreateOptions) -> Result<(InterpreterConfig, Self)> {
        let backend = options.backend.unwrap_or(self.backend);
        let is_process = backend == Backend::Process;
        if self.is_process() && !is_process {
            let message = "backend can't be 'local': this interpreter has a process of its own, so that it can't harm \
                           the host's, and so has each that it creates";
            return Err(Error::new(Status::NotPermitted, message));
        }
        let terms = Self {
            backend,
            gil: self.gil,
            allow_fork: flag("allow_fork", self.allow_fork, options.allow_fork)?,
            allow_exec: flag("allow_exec", self.allow_exec, options.allow_exec)?,
            allow_threads: flag("allow_threads", self.allow_threads, options.allow_threads)?,
            allow_daemon_threads: flag(
                "allow_daemon_threads",
                self.allow_daemon_threads && options.allow_threads != Some(false),
                options.allow_daemon_threads,
            )?,
            share_environment: flag(
                "share_environment",
                self.share_environment && !is_process,
                options.share_environment,
            )?,
            knows_all: self.knows_all,
            allow_interpreters: flag(
                "allow_interpreters",
                self.allow_interpreters,
                options.allow_interpreters,
            )?,
            interpreter_limit: limit(
                "interpreter_limit",
                self.interpreter_limit,
                options.interpreter_limit,
                |n| n,
            )?,
            memory_limit: limit(
                "memory_limit",
                self.memory_limit,
                options.memory_limit,
                most,
            )?,
            budget: self.budget,
            thread_limit: self.thread_limit,
            recursion_limit: self.recursion_limit,
            code_cache: self.code_cache,
            output_bytes: self.output_bytes,
            stdout: self.stdout.clone(),
            stderr: self.stderr.clone(),
            has_outputs: false,
        };
        Ok((terms.config(), terms))
    }

    fn config(&self) -> InterpreterConfig {
        InterpreterConfig {
            backend: self.backend,
            gil: self.gil,
            allow_fork: self.allow_fork,
            allow_exec: self.allow_exec,
            allow_threads: self.allow_threads,
            allow_daemon_threads: self.allow_daemon_threads,
            share_environment: self.share_environment,
            allow_interpreters: self.allow_interpreters,
            know_all_interpreters: self.knows_all,
            interpreter_limit: self.interpreter_limit,
            memory_limit: self.memory_limit,
            budget: self.budget,
            thread_limit: self.thread_limit,
            recursion_limit: self.recursion_limit,
            code_cache: self.code_cache,
            output_bytes: self.output_bytes,
            stdout: self.stdout.as_ref().map(SharedOutput::output),
            stderr: self.stderr.as_ref().map(SharedOutput::output),
            ..InterpreterConfig::default()
        }
    }

    fn is_process(&self) -> bool {
        self.backend == Backend::Process
    }

    /// Whether it allows nothing that `other` does not allow.
    fn is_within(&self, other: &Self) -> bool {
        let flags = |terms: &Self| {
            [
                !terms.is_process(),
                terms.allow_fork,
                terms.allow_exec,
                terms.allow_threads,
                terms.allow_daemon_threads,
                terms.share_environment,
                terms.allow_interpreters,
            ]
        };
        let mut both = flags(self).into_iter().zip(flags(other));
        both.all(|(own, other)| own <= other)
            && self.interpreter_limit <= other.interpreter_limit
            && most(self.memory_limit) <= most(other.memory_limit)
            && most(self.thread_limit.into()) <= most(other.thread_limit.into())
            && most(self.recursion_limit.into()) <= most(other.recursion_limit.into())
            && self.budget.within(other.budget) == self.budget
    }
}

fn flag(name: &str, own: bool, wish: Option<bool>) -> Result<bool> {
    match wish {
        Some(true) if !own => {
            let message = format!("{name} can't be True: this interpreter does not have it itself");
            Err(Error::new(Status::NotPermitted, message))
        }
        wish => Ok(wish.unwrap_or(own)),
    }
}

/// `most`: how much a limit allows.
fn limit<T: Copy + std::fmt::Display, N: Ord>(
    name: &str,
    own: T,
    wish: Option<T>,
    most: impl Fn(T) -> N,
) -> Result<T> {
    match wish {
        Some(wish) if most(wish) > most(own) => {
            let message = format!("{name} can't be {wish}: this interpreter's own is {own}");
            Err(Error::new(Status::NotPermitted, message))
        }
        wish => Ok(wish.unwrap_or(own)),
    }
}

/// How much a limit allows, where 0 is none.
fn most(limit: u64) -> u64 {
    match limit {
        0 => u64::MAX,
        limit => limit,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOP: Id = Id::new(1 << 40);
    const MIDDLE: Id = Id::new((1 << 40) + 1);
    const LOW: Id = Id::new((1 << 40) + 2);

    fn create(creator: Id, id: Id) {
        let (_, place) = Place::reserve(creator, &CreateOptions::default()).unwrap();
        assert!(place.take(id));
    }

    #[test]
    fn one_that_outlives_its_creator_counts_further_up_until_it_is_gone() {
        let mut config = InterpreterConfig {
            allow_interpreters: true,
            interpreter_limit: 3,
            ..InterpreterConfig::default()
        };
        insert(TOP, None, InheritedConfig::of(&mut config));
        create(TOP, MIDDLE);
        create(MIDDLE, LOW);
        assert_eq!(room(TOP), 1);
        forget(MIDDLE);
        assert_eq!((room(TOP), first(LOW)), (2, TOP));
        forget(LOW);
        assert_eq!(room(TOP), 3);
        // One that is over creates no more, and neither does who has begun to.
        let (_, place) = Place::reserve(TOP, &CreateOptions::default()).unwrap();
        assert_eq!(is_over(TOP), []);
        assert!(!place.take(LOW) && Place::reserve(TOP, &CreateOptions::default()).is_err());
        forget(LOW);
        forget(TOP);
    }
}
