//! The main interpreter of a process that was forked: it becomes what the host has asked for.

use std::sync::atomic::Ordering;

use crate::data::config::{CacheLimits, InterpreterConfig};
use crate::data::error::{Error, Result, Status};
use crate::local::attach::Attached;
use crate::local::cures;
#[cfg(Py_3_12)]
use crate::local::cures::feature_flags;
use crate::local::interpreter::claim::Purpose;
use crate::local::interpreter::creation::{no_account, too_low};
use crate::local::interpreter::handle::Interpreter;
use crate::local::interpreter::inside::not_prepared;
#[cfg(not(Py_3_12))]
use crate::local::interpreter::python_config::PythonConfig;
use crate::local::interpreter::recursion;
use crate::local::interpreter::registry;
use crate::local::python::object::import;
use crate::local::python::str_arguments::bytes;

impl Interpreter {
    /// No code is kept any more.
    pub(crate) fn forget_code(&self) -> Result<()> {
        self.0.in_session(Purpose::Run, |session| {
            if let Some(inside) = session.inside() {
                inside.code.borrow_mut().set_limits(CacheLimits::default());
            }
            self.0.run_ended(session.attached());
            Ok(())
        })
    }

    /// The main interpreter of a worker becomes what its host has asked for, and gets these variables for its environment,
    /// unless that is as it is to be.
    pub(crate) fn become_like(
        &self,
        config: InterpreterConfig,
        environment: Option<&[(&[u8], &[u8])]>,
    ) -> Result<()> {
        let shared = &self.0;
        let limit = config.memory_limit;
        if limit > 0 && shared.account.is_none() {
            return Err(no_account());
        }
        shared
            .thread_limit
            .store(config.thread_limit, Ordering::Relaxed);
        let outcome = shared.in_session(Purpose::Run, |mut session| {
            let Some(mut inside) = session.set_inside(None) else {
                return Err(registry::not_found(shared.id));
            };
            let py = session.attached();
            let restricted = restrict(py, &config);
            let changed =
                environment.map_or(Some(()), |environment| put_environment(py, environment));
            let changed = changed.ok_or_else(|| not_prepared(py));
            let streams = (config.stdout, config.stderr);
            let bytes = config.output_bytes;
            let taken = inside.become_like(py, streams, bytes, config.code_cache);
            let taken = taken.ok_or_else(|| not_prepared(py));
            let (arguments, places) = (&config.arguments, &config.search_paths);
            let program = inside.take_program(py, arguments, places, config.stdin);
            let limited = recursion::limit(py, config.recursion_limit);
            let limited = limited.ok_or_else(|| not_prepared(py));
            session.set_inside(Some(inside));
            shared.run_ended(session.attached());
            restricted.and(changed).and(taken).and(program).and(limited)
        });
        if let Some(account) = shared.account {
            account.opened();
            let idle = account.usage().current;
            if (1..=idle).contains(&limit) {
                return Err(too_low(limit, idle));
            }
            account.set_limit(limit);
        }
        outcome
    }
}

/// Restricts the main interpreter of a worker.
fn restrict(py: Attached<'_>, config: &InterpreterConfig) -> Result<()> {
    #[cfg(Py_3_12)]
    let is_restricted = feature_flags::restrict(py, config);
    #[cfg(not(Py_3_12))]
    let is_restricted = {
        let _ = py;
        PythonConfig::new(config)?;
        true
    };
    match is_restricted {
        true => Ok(()),
        false => {
            let version = cures::python_version();
            let message = format!(
                "Python {version} does not let the interpreter of a process be restricted: allow_fork, allow_exec, \
                 allow_threads and allow_daemon_threads have to be 1"
            );
            Err(Error::new(Status::Unsupported, message))
        }
    }
}

/// The environment of the process, and what scripts see of it. `None`: an exception is set.
fn put_environment(py: Attached<'_>, variables: &[(&[u8], &[u8])]) -> Option<()> {
    let environment = import(py, c"os")?.attribute(py, c"environb")?;
    environment.attribute(py, c"clear")?.call(py, &[])?;
    let put = environment.attribute(py, c"__setitem__")?;
    for (name, value) in variables {
        put.call(py, &[&bytes(py, name)?, &bytes(py, value)?])?;
    }
    Some(())
}
