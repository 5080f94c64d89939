//! Making an interpreter: CPython's part, what it gets, and where it belongs.

use std::path::PathBuf;

use pyo3_ffi::PyThreadState;

use crate::data::config::{Budget, CacheLimits, InterpreterConfig};
use crate::data::error::{Error, Result, Status};
use crate::data::id::Id;
use crate::data::object_handle::Home;
use crate::data::operation::CreateOptions;
use crate::local::cures::allocator::counting;
use crate::local::cures::{Environment, switch_interval};
use crate::local::enter;
use crate::local::interpreter::access;
use crate::local::interpreter::claim::Purpose;
use crate::local::interpreter::context::Context;
use crate::local::interpreter::ending;
use crate::local::interpreter::family;
use crate::local::interpreter::family::{InheritedConfig, Place};
use crate::local::interpreter::handle::Interpreter;
use crate::local::interpreter::inside::{Inside, not_prepared};
use crate::local::interpreter::interrupt;
use crate::local::interpreter::objects;
use crate::local::interpreter::output::OutputMeter;
use crate::local::interpreter::preparation;
use crate::local::interpreter::python_config::PythonConfig;
use crate::local::interpreter::recursion;
use crate::local::interpreter::registry;
use crate::local::interpreter::resources;
use crate::local::interpreter::shared::Shared;
use crate::local::memory::account::Account;
use crate::local::python::gc_pause::without_collection;
use crate::local::python::thread_states;
use crate::local::runtime_phase;
use crate::local::stack::{KeptStack, Room};

impl Interpreter {
    /// Makes an interpreter for the host. `prepare` is done in it at the end, and told whether it may create others.
    pub(crate) fn make(
        mut config: InterpreterConfig,
        prepare: impl FnOnce(&Context<'_>, bool) -> Result<()>,
    ) -> Result<Self> {
        if !config.allow_interpreters {
            return Self::make_member(config, prepare, |_| ());
        }
        let terms = InheritedConfig::of(&mut config);
        Self::make_member(config, prepare, |id| family::insert(id, None, terms))
    }

    /// The main interpreter's scripts may create interpreters that are like this.
    pub(crate) fn become_creator(&self, mut config: InterpreterConfig) {
        family::insert(self.0.id, None, InheritedConfig::of(&mut config));
    }

    /// Makes an interpreter for a script that has reserved a place.
    pub(crate) fn make_for_script(
        config: InterpreterConfig,
        place: Place,
        prepare: impl FnOnce(&Context<'_>, bool) -> Result<()>,
    ) -> Result<Self> {
        // Its creator is not over: it runs.
        Self::make_member(config, prepare, |id| _ = place.take(id))
    }

    /// Room for one more that a script creates, and its config.
    pub(crate) fn reserve(&self, options: &CreateOptions) -> Result<(InterpreterConfig, Place)> {
        let reserved = Place::reserve(self.id(), options)?;
        if self.0.state.is_over() {
            let message = format!("interpreter {} ends: it creates no more", self.id());
            return Err(Error::new(Status::Busy, message));
        }
        Ok(reserved)
    }

    /// `join` makes it a member of its family, before anybody finds it.
    fn make_member(
        config: InterpreterConfig,
        prepare_more: impl FnOnce(&Context<'_>, bool) -> Result<()>,
        join: impl FnOnce(Id),
    ) -> Result<Self> {
        let stack = KeptStack::default();
        let make = |room: Room<'_>| Self::make_member_on(room, config, prepare_more, join);
        let made = stack.with_room(make)??;
        made.0.stack.take(stack);
        Ok(made)
    }

    fn make_member_on(
        room: Room<'_>,
        config: InterpreterConfig,
        prepare_more: impl FnOnce(&Context<'_>, bool) -> Result<()>,
        join: impl FnOnce(Id),
    ) -> Result<Self> {
        let runtime = runtime_phase::creating()?;
        let python_config = PythonConfig::new(&config)?;
        resources::check()?;
        let id = registry::next_id();
        let account = Account::open(config.memory_limit);
        if config.memory_limit > 0 && account.is_none() {
            return Err(no_account());
        }
        let environment = match config.share_environment {
            true => Environment::OfProcess,
            false => Environment::Own,
        };
        let mut why = String::new();
        let make = || {
            let _short = switch_interval::shorten();
            enter::create(
                room,
                id,
                |py| python_config.make(py, &mut why),
                |py, thread_state| {
                    let shared_gil = !python_config.has_own_gil();
                    let limits = (config.budget, config.thread_limit);
                    let output = OutputMeter::new(interrupt::output_is_used);
                    let home = Home::new(id, objects::many_wait);
                    let shared =
                        Shared::new(home, thread_state, shared_gil, account, limits, output);
                    let prepare = || {
                        let paths = runtime.module_search_paths();
                        let access = access::access_kept;
                        let mut inside = Inside::new(
                            py,
                            &shared.home,
                            paths,
                            config.code_cache,
                            account,
                            access,
                        )?;
                        preparation::cure(py, &shared, &mut inside, !shared_gil, environment)?;
                        inside.take_streams(
                            py,
                            id,
                            config.stdout,
                            config.stderr,
                            config.output_bytes,
                            &shared.output,
                        )?;
                        let (arguments, places) = (&config.arguments, &config.search_paths);
                        inside.take_program(py, arguments, places, config.stdin)?;
                        recursion::limit(py, config.recursion_limit)
                            .ok_or_else(|| not_prepared(py))?;
                        let context = Context::new(py, &shared, &inside);
                        context.define_everywhere()?;
                        prepare_more(&context, config.allow_interpreters)?;
                        match account.map(|account| account.usage().current) {
                            Some(idle) if (1..=idle).contains(&config.memory_limit) => {
                                Err(too_low(config.memory_limit, idle))
                            }
                            _ => Ok(inside),
                        }
                    };
                    // Claimed, since reading an exception sets how its run has ended.
                    let claim = shared.state.claim(Purpose::Run);
                    // A new interpreter has no garbage.
                    let prepared = without_collection(py, prepare);
                    // SAFETY: claimed.
                    let prepared =
                        prepared.map(|inside| drop(unsafe { shared.set_inside(Some(inside)) }));
                    drop(claim);
                    (shared, prepared)
                },
            )
        };
        let made = enter::with_account(account, make);
        let Some((thread_state, (shared, prepared))) = made else {
            resources::check()?;
            let message = format!("Python could not create an interpreter: {why}");
            return Err(Error::new(Status::Internal, message));
        };
        match prepared {
            Ok(()) => {
                if let Some(account) = account {
                    account.opened();
                    counting::own(thread_states::interpreter_of(thread_state), account);
                }
                let interpreter = Self(shared);
                join(id);
                registry::insert(interpreter.clone());
                Ok(interpreter)
            }
            Err(e) => shared.in_session(Purpose::End, |session| {
                session.end(ending::END_TIMEOUT);
                Err(e)
            }),
        }
    }

    /// Makes the record of the main interpreter, which exists already. `take_streams`: its
    /// `sys.stdout`, `sys.stderr` and functions are ours to replace. `take_signals`: Python has no signal handlers.
    pub(crate) fn adopt_main(
        thread_state: *mut PyThreadState,
        module_search_paths: &[PathBuf],
        take_streams: bool,
        take_signals: bool,
        environment: Environment,
    ) -> Result<Self> {
        let account = Account::open(0);
        if let Some(account) = account {
            counting::own(thread_states::interpreter_of(thread_state), account);
        }
        let output = OutputMeter::new(interrupt::output_is_used);
        let home = Home::new(Id::MAIN, objects::many_wait);
        let no_limits = (Budget::NONE, 0);
        let shared = Shared::new(home, thread_state, true, account, no_limits, output);
        shared.in_session(Purpose::Run, |mut session| {
            let py = session.attached();
            let (paths, cache, access) = (
                module_search_paths,
                CacheLimits::default(),
                access::access_kept,
            );
            let mut inside = Inside::new(py, &shared.home, paths, cache, account, access)?;
            preparation::cure_main(py)?;
            if take_streams {
                preparation::cure_functions(py, &shared, &inside, environment, take_signals)?;
                inside.take_streams(py, Id::MAIN, None, None, false, &shared.output)?;
            } else {
                preparation::end_before_main(py)?;
            }
            session.set_inside(Some(inside));
            if let Some(account) = account {
                account.opened();
            }
            Ok(())
        })?;
        Ok(Self(shared))
    }
}

pub(super) fn no_account() -> Error {
    let message = "a memory_limit needs a runtime that was initialized with account_memory";
    Error::new(Status::Unsupported, message)
}

pub(super) fn too_low(limit: u64, idle: u64) -> Error {
    let message = format!(
        "memory_limit is {limit}, which is too low: an interpreter that does nothing takes {idle} bytes"
    );
    Error::new(Status::InvalidArgument, message)
}
