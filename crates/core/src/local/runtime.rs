//! CPython's runtime: started or joined, counted, finalized.

mod fork;
mod one_version;
mod only_copy;
pub(crate) mod startup;
mod virtual_environment;
pub(crate) mod zygote;

use std::sync::Arc;
use std::time::Duration;

use crate::data::config::{InterpreterConfig, RuntimeConfig};
use crate::data::error::{Error, Result, Status};
use crate::data::id::Id;
use crate::local::attach;
use crate::local::cures;
use crate::local::cures::{
    global_symbols, got_hooks, locale, remaining_interpreters, sigint, signal_checks, stack_bounds,
    tracemalloc, write_signals,
};
use crate::local::enter;
use crate::local::functions::host_function;
use crate::local::interpreter;
use crate::local::interpreter::Interpreter;
use crate::local::interpreter::modules;
use crate::local::interpreter::registry;
use crate::local::python::thread_states::is_python_started;
use crate::local::runtime_phase;
use crate::local::runtime_phase::{Phase, Ready};
use crate::local::stack::{KeptStack, Room, forbid_stack_switches};
use crate::local::thread::wait_signal;
use crate::util::timer;

/// Prepares the main interpreter for its scripts.
pub(crate) type PrepareMain = fn(&Interpreter, &RuntimeConfig) -> Result<()>;

/// Ends the interpreters that are in other processes. Where it fails, nothing has happened.
type EndOthers = fn() -> Result<()>;

const FINALIZED: &str = "Python was finalized, which can't be undone in a process: keep it \
                         initialized as long as it may be needed again";
const FAILED: &str = "Python could not be started before, which can't be tried again in a process";

/// How long a host that ends its Python waits for what runs in our interpreters.
const END_TIMEOUT: Duration = Duration::from_secs(5);

/// Starts Python, or joins the one that runs already; counts. `None` asks for nothing in particular:
/// the defaults, or what there is. The main interpreter is
/// `prepare`d.
pub(crate) fn retain(config: Option<&RuntimeConfig>, prepare: PrepareMain) -> Result<()> {
    let mut phase = runtime_phase::stable()?;
    match &mut *phase {
        Phase::Ready(ready) => {
            runtime_phase::ready_to_join(ready)?;
            if let Some(config) = config {
                same(config, &ready.config)?;
            }
            ready.count += 1;
            return Ok(());
        }
        Phase::Over(why) => return Err(Error::new(Status::Unsupported, *why)),
        Phase::Fresh | Phase::Changing => *phase = Phase::Changing,
    }
    drop(phase);
    forbid_stack_switches(config.is_some_and(|config| config.forbid_stack_switches));
    let stack = KeptStack::default();
    let begin = || stack.with_room(|room| begin(room, config, prepare));
    match runtime_phase::changing(begin).unwrap_or_else(|error| Err(for_now(error))) {
        Ok(ready) => {
            runtime_phase::set(Phase::Ready(ready));
            Ok(())
        }
        Err(Failed { for_ever, error }) => {
            timer::stop();
            wait_signal::put_back();
            runtime_phase::set(if for_ever {
                Phase::Over(FAILED)
            } else {
                only_copy::give_back();
                Phase::Fresh
            });
            Err(error)
        }
    }
}

fn same(asked: &RuntimeConfig, there: &RuntimeConfig) -> Result<()> {
    let differences = asked.differences(there);
    if differences.is_empty() {
        return Ok(());
    }
    let message = format!(
        "Python is initialized already, with {}: pass no config to use it as it is",
        differences.join("; ")
    );
    Err(Error::new(Status::NotPermitted, message))
}

/// Why Python was not started, and whether it can't be tried again.
struct Failed {
    for_ever: bool,
    error: Error,
}

fn for_now(error: Error) -> Failed {
    Failed {
        for_ever: false,
        error,
    }
}

fn for_ever(error: Error) -> Failed {
    Failed {
        for_ever: true,
        error,
    }
}

/// `Unsupported`: no interpreter can be made.
fn check_tracing() -> Result<()> {
    if !tracemalloc::rules_others_out() {
        return Ok(());
    }
    let version = cures::python_version();
    let message = format!(
        "tracemalloc is on, and Python {version} can't do that beside a second interpreter: start Python \
         without it (PYTHONTRACEMALLOC)"
    );
    Err(Error::new(Status::Unsupported, message))
}

/// The one thread that changes the phase starts or joins Python.
fn begin(
    room: Room<'_>,
    config: Option<&RuntimeConfig>,
    prepare: PrepareMain,
) -> Result<Ready, Failed> {
    fork::watch();
    one_version::check().map_err(for_now)?;
    only_copy::reserve().map_err(for_now)?;
    if !attach::keep_some() {
        let message = "there is no memory to start Python";
        return Err(for_now(Error::new(Status::NoMemory, message)));
    }
    let config = config.cloned().unwrap_or_default();
    if !wait_signal::take(config.wait_signal) {
        let message = format!(
            "wait_signal = {} is no signal, or the process does something about it: leave it to the host, and \
             choose another one, or 0 for one that is free",
            config.wait_signal.unwrap_or(0)
        );
        return Err(for_now(Error::new(Status::InvalidArgument, message)));
    }
    let joined = is_python_started();
    let main = if joined {
        // What a running Python can't be told any more.
        let asked = RuntimeConfig {
            allow_main: false,
            ignore_sigpipe: true,
            allow_interpreters: false,
            interpreter_limit: InterpreterConfig::INTERPRETER_LIMIT,
            forbid_patches: false,
            wait_signal: None,
            forbid_stack_switches: false,
            preload: Arc::new([]),
            worker: None,
            log: None,
            ..config.clone()
        };
        same(&asked, &RuntimeConfig::default()).map_err(for_now)?;
        check_tracing().map_err(for_now)?;
        enter::locate_slot(room);
        enter::in_main_interpreter(room, cures::locate);
        remaining_interpreters::before_end(end_before_host);
        enter::new_main()
    } else {
        startup::check(&config).map_err(for_now)?;
        startup::start(&config, room).map_err(for_ever)?;
        check_tracing().map_err(for_ever)?;
        got_hooks::allow();
        if !config.forbid_patches {
            // SAFETY: no other thread is in Python yet.
            unsafe { signal_checks::install(interpreter::answer_check) };
        }
        locale::begin();
        enter::locate_slot(room);
        enter::in_main_interpreter(room, |py| {
            cures::locate(py);
            signal_checks::test(py);
        });
        enter::leave_main(config.allow_main)
    };
    global_symbols::expose();
    if config.ignore_sigpipe {
        write_signals::ignore();
    }
    if !stack_bounds::can_follow() {
        let version = cures::python_version();
        let message = format!(
            "Python {version} can't be told when a thread state changes its stack: use 3.14.2 or later"
        );
        return Err(for_ever(Error::new(Status::Unsupported, message)));
    }
    timer::start(interpreter::serve_handlers);
    let take_signals = !joined && !config.install_signal_handlers;
    let paths = &config.module_search_paths;
    let environment = match zygote::is_one() {
        true => cures::Environment::OfWorker,
        false => cures::Environment::OfMain,
    };
    let main = Interpreter::adopt_main(main, paths, !joined, take_signals, environment);
    let main = main.map_err(for_ever)?;
    prepare(&main, &config).map_err(for_ever)?;
    registry::insert(main);
    #[cfg(not(Py_3_13))]
    cures::shared_gil::every_turn(interpreter::request_gil_drops);
    Ok(Ready {
        count: 1,
        config,
        joined,
        creating: 0,
        over: false,
        ending: false,
    })
}

/// Gives back one [`retain`]. The last one destroys the interpreters, and finalizes Python unless the
/// host started it. `Busy`: nothing has happened.
pub(crate) fn release(end_others: EndOthers) -> Result<()> {
    let mut phase = runtime_phase::stable()?;
    let Phase::Ready(ready) = &mut *phase else {
        return Err(runtime_phase::not_ready(&phase));
    };
    if ready.count > 1 {
        ready.count -= 1;
        return Ok(());
    }
    if runtime_phase::ready_to_join(ready).is_err() {
        interpreter::all::abandon_all();
        drop(phase);
        timer::stop();
        wait_signal::put_back();
        runtime_phase::set(Phase::Over(FINALIZED));
        return Ok(());
    }
    if ready.creating > 0 {
        let message = "an interpreter is being created in another thread: finalize after it";
        return Err(Error::new(Status::Busy, message));
    }
    if !ready.joined && attach::is_attached() {
        let message = "this thread holds a GIL: release it, or leave the interpreter, first";
        return Err(Error::new(Status::Busy, message));
    }
    let joined = ready.joined;
    let keep_sigint = !joined && !ready.config.install_signal_handlers;
    ready.ending = true;
    drop(phase);
    runtime_phase::changing(|| {
        let all = interpreter::all::claim_all(!joined).inspect_err(|_| runtime_phase::go_on())?;
        end_others().inspect_err(|_| runtime_phase::go_on())?;
        runtime_phase::begin_end();
        match keep_sigint {
            true => sigint::kept(|| all.end(true)),
            false => all.end(!joined),
        }
        write_signals::put_back();
        wait_signal::put_back();
        match joined {
            true => enter::detached(timer::stop),
            false => timer::stop(),
        }
        host_function::forget_everywhere();
        modules::forget_everywhere();
        runtime_phase::set(if joined {
            only_copy::give_back();
            Phase::Fresh
        } else {
            Phase::Over(FINALIZED)
        });
        Ok(())
    })
}

/// The host ends the Python that we have joined: the interpreters end before it.
fn end_before_host() {
    let Some(()) = runtime_phase::begin_end_of_host() else {
        return;
    };
    runtime_phase::changing(|| {
        enter::detached(|| {
            while runtime_phase::is_creating() {
                std::thread::sleep(Duration::from_millis(1));
            }
        });
        interpreter::all::end_before_main(END_TIMEOUT);
        if registry::all().is_empty() {
            host_function::forget_everywhere();
            modules::forget_everywhere();
        }
        runtime_phase::end_of_host_over();
    });
}

/// The interpreter whose code runs in the calling thread now.
pub(crate) fn current() -> Option<Id> {
    match enter::current_interpreter() {
        (Some(id), _) => Some(id),
        (None, python) if !python.is_null() => registry::find_by(|i| i.is(python)).map(|i| i.id()),
        _ => None,
    }
}
