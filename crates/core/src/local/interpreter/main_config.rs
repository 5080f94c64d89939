//! The main interpreter exists before anybody says what it is to be like: it becomes that later. So does that of a worker,
//! which its host configures, and that of the host's own process.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::data::config::{Backend, CacheLimits, Gil, InterpreterConfig};
use crate::data::error::{Error, Result, Status};
use crate::data::id::Id;
use crate::local::attach::Attached;
use crate::local::cures;
#[cfg(Py_3_12)]
use crate::local::cures::feature_flags;
use crate::local::interpreter::claim::Purpose;
use crate::local::interpreter::creation::{no_account, too_low};
use crate::local::interpreter::handle::Interpreter;
use crate::local::interpreter::inside::{Inside, not_prepared};
#[cfg(not(Py_3_12))]
use crate::local::interpreter::python_config::PythonConfig;
use crate::local::interpreter::recursion;
use crate::local::interpreter::registry;
use crate::local::interpreter::shared::Shared;
use crate::local::python::object::import;
use crate::local::python::str_arguments::bytes;
use crate::local::runtime_phase;

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

    /// The main interpreter becomes what the host of this process asks for, once.
    pub(crate) fn configure_main(mut config: InterpreterConfig) -> Result<()> {
        let main = Self::find(Id::MAIN)?;
        main.may_run()?;
        check(&config)?;
        // What CPython lets its main interpreter do.
        (config.allow_fork, config.allow_exec) = (true, true);
        main.become_like(config, None)
    }

    /// The main interpreter becomes like this, once, and gets these variables for its environment, unless that is as it is to
    /// be.
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
        shared.fits_into(limit)?;
        shared.in_session(Purpose::Run, |mut session| {
            let Some(mut inside) = session.set_inside(None) else {
                return Err(registry::not_found(shared.id));
            };
            let py = session.attached();
            let done = match inside.is_configured {
                true => Err(configured_already()),
                false => configure(py, shared, &mut inside, config, environment),
            };
            inside.is_configured |= done.is_ok();
            session.set_inside(Some(inside));
            shared.run_ended(session.attached());
            done
        })?;
        if let Some(account) = shared.account {
            account.opened();
            shared.fits_into(limit)?;
            account.set_limit(limit);
        }
        Ok(())
    }
}

impl Shared {
    /// Fails if the memory that it has now is too much for this limit. 0: it has none.
    fn fits_into(&self, limit: u64) -> Result<()> {
        let idle = self.account.map_or(0, |account| account.usage().current);
        match (1..=idle).contains(&limit) {
            true => Err(too_low(limit, idle)),
            false => Ok(()),
        }
    }
}

fn configure(
    py: Attached<'_>,
    shared: &Arc<Shared>,
    inside: &mut Inside,
    config: InterpreterConfig,
    environment: Option<&[(&[u8], &[u8])]>,
) -> Result<()> {
    restrict(py, &config)?;
    let changed = environment.map_or(Some(()), |environment| put_environment(py, environment));
    changed.ok_or_else(|| not_prepared(py))?;
    let streams = (config.stdout, config.stderr);
    let taken = inside.become_like(
        py,
        streams,
        config.output_bytes,
        config.code_cache,
        &shared.output,
    );
    taken.ok_or_else(|| not_prepared(py))?;
    inside.take_program(py, &config.arguments, &config.search_paths, config.stdin)?;
    recursion::limit(py, config.recursion_limit).ok_or_else(|| not_prepared(py))?;
    shared.set_budget(config.budget);
    shared
        .thread_limit
        .store(config.thread_limit, Ordering::Relaxed);
    Ok(())
}

fn configured_already() -> Error {
    let message = "the main interpreter has its config already: it is given once";
    Error::new(Status::NotPermitted, message)
}

/// Fails for what the main interpreter of the host's process can't be.
fn check(config: &InterpreterConfig) -> Result<()> {
    let why = match config {
        _ if runtime_phase::is_joined() => "it is the host's own, which has started Python",
        InterpreterConfig {
            backend: Backend::Process,
            ..
        } => "it is in this process: backend has to be SUBPY_BACKEND_LOCAL",
        InterpreterConfig {
            allow_threads: false,
            ..
        }
        | InterpreterConfig {
            allow_daemon_threads: false,
            ..
        } => "CPython lets it start threads: allow_threads and allow_daemon_threads have to be 1",
        InterpreterConfig { gil: Gil::Own, .. } => {
            "its GIL is the one that others share: gil has to be SUBPY_GIL_DEFAULT or SUBPY_GIL_SHARED"
        }
        InterpreterConfig {
            allow_interpreters: true,
            ..
        } => {
            "whether its scripts create interpreters is said by subpy_runtime_config::allow_interpreters"
        }
        _ => return Ok(()),
    };
    let message = format!("the main interpreter can't be like that: {why}");
    Err(Error::new(Status::Unsupported, message))
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
