//! An interpreter in a process of its own, as the host has it.
//!
//! Who holds what: a call that asks for something has a [line](super::lines) until it is answered, and no lock. No GIL of
//! this process is held while it waits.

mod served;
mod signals;

use std::collections::HashMap;
use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::{Duration, Instant};

use subpy_wire::{Malformed, Writer};

use self::served::{Heard, Outputs};
use super::channel::{Broken, Channel, Control, End, Sending, Side, Why};
use super::family::{Family, Forked};
use super::lines::{Line, Lines};
use super::options::{write_call, write_config, write_environment, write_run};
use super::protocol::asks;
use super::socket;
use super::values::Checked;
use super::watch::Seen;
use crate::data::config::{Budget, CallOptions, InterpreterConfig, RunOptions};
use crate::data::error::{Error, Lost, Result, Status};
use crate::data::id::Id;
use crate::data::tree::OwnedValue;
use crate::data::value::{Value, View};
use crate::local::convert::arguments::Arguments;
use crate::local::convert::copy::copy;
use crate::local::enter;
use crate::local::functions::host_function::{self, Definition};
use crate::local::interpreter::claim::Request;
use crate::local::interpreter::deadline::Deadline;
use crate::local::interpreter::nested::{self, FarNested, FarRun, Inner, InnerRun};
use crate::local::interpreter::registry;
use crate::local::interpreter::stats::Stats;
use crate::local::memory::account::MemoryUsage;
use crate::local::objects::conversion_error::ConversionError;
use crate::local::stack;
use crate::util::thread::Thread;
use crate::util::timer;

/// How long what runs at the end of an interpreter may take, and some more for its answer.
const END: Duration = Duration::from_secs(6);

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
    /// What is under way: the innermost is the last. Held for a moment.
    under_way: Mutex<Vec<Asked>>,
    /// The number of the outermost of these; 0: nothing is under way.
    outermost: AtomicU32,
    /// What a signal handler of the host's interrupts, by its number; 0: nothing.
    interrupted_by_handler: AtomicU32,
    next_number: AtomicU32,
    /// Each run may use so much.
    budget: Budget,
    functions: Mutex<HashMap<u64, Arc<Definition>>>,
    outputs: Outputs,
    /// What it has done when it answered last, and the memory that it had.
    seen: Mutex<(Stats, Option<MemoryUsage>)>,
    life: Mutex<Life>,
    lost: OnceLock<Error>,
    /// What the watcher knows it by.
    watched: Mutex<Vec<u64>>,
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
    /// What it is to end for.
    ends: Option<Request>,
    /// What runs of others are inside of it.
    inner: Vec<Inner>,
}

/// Something is under way, until this is dropped.
struct UnderWay<'a>(&'a Remote, u32);

impl<'a> UnderWay<'a> {
    fn begin(remote: &'a Remote, number: u32) -> Self {
        let mut under_way = remote.under_way();
        under_way.push(Asked {
            number,
            ends: None,
            inner: Vec::new(),
        });
        let outermost = under_way[0].number;
        remote.outermost.store(outermost, Ordering::SeqCst);
        Self(remote, number)
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        let mut under_way = self.0.under_way();
        under_way.retain(|asked| asked.number != self.1);
        let outermost = under_way.first().map_or(0, |asked| asked.number);
        self.0.outermost.store(outermost, Ordering::SeqCst);
    }
}

/// What a thread of this host has asked for, inside of a run of another interpreter.
struct FarInner {
    remote: Arc<Remote>,
    number: u32,
}

impl InnerRun for FarInner {
    fn end(&self, why: Request) {
        self.remote.end(self.number, Why::Request(why));
    }
}

impl FarRun for Remote {
    fn inner_begins(&self, inner: Inner) {
        let mut under_way = self.under_way();
        let Some(asked) = under_way.last_mut() else {
            return;
        };
        asked.inner.push(inner.clone());
        let ends = asked.ends;
        drop(under_way);
        // The outer one was asked before this one has begun.
        if let Some(why) = ends {
            inner.end(why);
        }
    }

    fn inner_ended(&self, of: Id) {
        let mut under_way = self.under_way();
        for asked in under_way.iter_mut().rev() {
            if let Some(at) = asked.inner.iter().rposition(|inner| inner.is_of(of)) {
                let ended = asked.inner.remove(at);
                drop(under_way);
                drop(ended);
                return;
            }
        }
    }

    fn asked(&self) -> Option<Request> {
        self.under_way().iter().find_map(|asked| asked.ends)
    }
}

impl Remote {
    /// Makes one.
    pub(super) fn create(family: &Arc<Family>, config: InterpreterConfig) -> Result<Arc<Self>> {
        let taken = (config.stdout.is_some(), config.stderr.is_some());
        let described = InterpreterConfig {
            stdout: None,
            stderr: None,
            ..config
        };
        let file = super::channel::create().map_err(no_memory)?;
        let mut channel = Channel::new(&file, Side::Host).map_err(no_memory)?;
        let mut prepare = Writer::new(Vec::new());
        prepare.byte(asks::PREPARE);
        prepare.u64(0);
        write_config(&mut prepare, &described, taken);
        write_environment(&mut prepare, family.changed_environment().as_deref());
        let prepare = prepare.into_sink();
        // It finds what it is to be when it looks for the first time.
        let is_there = channel.put_at_once(&prepare);
        let Forked {
            number,
            pidfd,
            socket,
        } = family.fork(&file)?;
        let control = channel.control();
        let lines = Lines::default();
        lines.add(channel);
        let remote = Arc::new(Self {
            id: registry::next_id(),
            family: family.clone(),
            number,
            pidfd: Arc::new(pidfd),
            lines,
            control,
            others: Mutex::default(),
            under_way: Mutex::default(),
            outermost: AtomicU32::new(0),
            interrupted_by_handler: AtomicU32::new(0),
            next_number: AtomicU32::new(1),
            budget: described.budget,
            functions: Mutex::default(),
            outputs: Outputs::new(config.stdout, config.stderr),
            seen: Mutex::default(),
            life: Mutex::new(Life::There),
            lost: OnceLock::new(),
            watched: Mutex::default(),
        });
        let as_outer: Weak<dyn FarRun> = Arc::downgrade(&remote) as _;
        nested::insert_far(remote.id, as_outer);
        let prepare = || {
            remote.watch(socket)?;
            remote.prepare((!is_there).then_some(&prepare[..]))?;
            let everywhere = host_function::defined_everywhere();
            everywhere
                .into_iter()
                .try_for_each(|definition| remote.put(definition))
        };
        prepare().inspect_err(|_| {
            remote.end_now("it could not be prepared");
            remote.let_go();
            nested::remove_far(remote.id);
        })?;
        Ok(remote)
    }

    /// Waits until it is what it is to be. What says so is sent, if it is not there.
    fn prepare(&self, to_send: Option<&[u8]>) -> Result<()> {
        let mut line = self.line()?;
        let prepared = self.until_answered(&mut line, |writer| match to_send {
            Some(message) => {
                writer.put(message);
                true
            }
            None => false,
        });
        prepared.map_err(|broken| self.lose(broken))?.map(drop)
    }

    /// Has its end seen, and gives the threads of its scripts channels.
    fn watch(self: &Arc<Self>, socket: OwnedFd) -> Result<()> {
        let (remote, pidfd) = (Arc::downgrade(self), self.pidfd.clone());
        let ended = move || {
            let _is_open = &pidfd;
            if let Some(remote) = remote.upgrade() {
                remote.has_ended();
            }
            false
        };
        let end = (self.pidfd.as_raw_fd(), Box::new(ended) as Seen);
        let remote = Arc::downgrade(self);
        let descriptor = socket.as_raw_fd();
        let wants_channel = move || {
            let asked = socket::receive(&socket).is_ok_and(|(message, _)| !message.is_empty());
            let remote = remote.upgrade().filter(|_| asked);
            remote.is_some_and(|remote| remote.give_channel(&socket).is_ok())
        };
        let wants = (descriptor, Box::new(wants_channel) as Seen);
        for (descriptor, seen) in [end, wants] {
            let number = self
                .family
                .watcher()
                .watch(descriptor, seen)
                .map_err(no_memory)?;
            self.watched().push(number);
        }
        Ok(())
    }

    fn watched(&self) -> MutexGuard<'_, Vec<u64>> {
        self.watched.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Its process is gone: who waits for it is told.
    fn has_ended(&self) {
        let mut life = self.life();
        if *life == Life::There {
            *life = Life::Gone;
        }
        let is_lost = *life == Life::Gone;
        drop(life);
        self.control.close();
        self.others().iter().for_each(Control::close);
        // A call that waits says so itself.
        if is_lost && !self.is_running() && self.lost.get().is_none() {
            let lost = self.lose(Broken::Gone);
            self.family.log(lost.message());
        }
    }

    /// Gives a thread of its scripts a channel, with a thread here that serves it; or none, if there are too many.
    fn give_channel(self: &Arc<Self>, socket: &OwnedFd) -> std::io::Result<()> {
        const MOST: usize = 1000;
        if self.others().len() >= MOST {
            return socket::send_now(socket, &[0], &[]);
        }
        let file = super::channel::create()?;
        let channel = Channel::new(&file, Side::Host)?;
        self.others().push(channel.control());
        let remote = self.clone();
        Thread::start(c"subpy worker", move || remote.serve(channel))?;
        socket::send_now(socket, &[1], &[file.as_raw_fd()])
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
        self.lines.take().ok_or_else(|| self.is_busy())
    }

    fn is_being_destroyed(&self) -> Error {
        let message = format!(
            "interpreter {} is being destroyed in another thread",
            self.id
        );
        Error::new(Status::Busy, message)
    }

    /// Runs a program.
    pub(crate) fn run(self: &Arc<Self>, code: &[u8], options: &RunOptions<'_>) -> Result<()> {
        let write = |writer: &mut Writer<Sending<'_>>| {
            write_run(writer, options, self.budget);
            writer.bytes(code);
        };
        self.ask(asks::RUN, options, write).map(drop)
    }

    /// The value of an expression.
    pub(crate) fn eval(
        self: &Arc<Self>,
        source: &[u8],
        options: &CallOptions<'_>,
    ) -> Result<OwnedValue> {
        self.ask(asks::EVAL, &options.run, |writer| {
            write_call(writer, options, self.budget);
            writer.bytes(source);
        })
    }

    /// The value that a name has in `__main__`.
    pub(crate) fn get(
        self: &Arc<Self>,
        name: &[u8],
        options: &CallOptions<'_>,
    ) -> Result<OwnedValue> {
        self.ask(asks::GET, &options.run, |writer| {
            write_call(writer, options, self.budget);
            writer.bytes(name);
        })
    }

    /// Gives a value a name in `__main__`.
    pub(crate) fn set(
        self: &Arc<Self>,
        name: &[u8],
        value: &Arguments<'_>,
        options: &RunOptions<'_>,
    ) -> Result<()> {
        let value = checked(value.values().first().unwrap_or(&Value::NONE), "value")?;
        let write = |writer: &mut Writer<Sending<'_>>| {
            write_run(writer, options, self.budget);
            writer.bytes(name);
            value.write(writer);
        };
        self.ask(asks::SET, options, write).map(drop)
    }

    /// Calls something by its name.
    pub(crate) fn call(
        self: &Arc<Self>,
        callable: &[u8],
        arguments: &Arguments<'_>,
        options: &CallOptions<'_>,
    ) -> Result<OwnedValue> {
        let list = Checked::list(arguments.values()).map_err(|error| refused(error, "args"))?;
        let named = checked(arguments.named().unwrap_or(&Value::NONE), "kwargs")?;
        self.ask(asks::CALL, &options.run, |writer| {
            write_call(writer, options, self.budget);
            writer.bytes(callable);
            list.write(writer);
            named.write(writer);
        })
    }

    /// Runs a program, with names for it and from it.
    pub(crate) fn run_unrestricted(
        self: &Arc<Self>,
        source: &[u8],
        names: &Arguments<'_>,
        options: &CallOptions<'_>,
    ) -> Result<OwnedValue> {
        let names = checked(names.named().unwrap_or(&Value::NONE), "ns")?;
        self.ask(asks::RUN_UNRESTRICTED, &options.run, |writer| {
            write_call(writer, options, self.budget);
            writer.bytes(source);
            names.write(writer);
        })
    }

    /// Puts a function of the host's into a module.
    pub(crate) fn put(self: &Arc<Self>, definition: Arc<Definition>) -> Result<()> {
        let number = self.next_number().into();
        let (module, name, doc) = definition.described();
        let write = |writer: &mut Writer<Sending<'_>>| {
            writer.u64(number);
            writer.text(module);
            writer.text(name);
            writer.text(doc);
            writer.flag(definition.releases_gil());
            super::options::write_conversion(writer, definition.conversion());
        };
        self.functions().insert(number, definition.clone());
        let put = self.ask(asks::DEFINE, &RunOptions::DEFAULT, write);
        if put.is_err() {
            let dropped = self.functions().remove(&number);
            drop(dropped);
        }
        put.map(drop)
    }

    /// Asks the threads of its scripts to end, for so long. The answer is how many have not.
    pub(crate) fn stop_threads(self: &Arc<Self>, timeout: Duration) -> Result<usize> {
        let write =
            |writer: &mut Writer<Sending<'_>>| super::options::write_time(writer, Some(timeout));
        let left = self.ask(asks::STOP_THREADS, &RunOptions::DEFAULT, write)?;
        match left.get().view() {
            View::Int(left @ 0..) => Ok(left as usize),
            _ => Err(self.lose(NONE_OF_OURS)),
        }
    }

    /// What the threads of its scripts are called.
    pub(crate) fn thread_names(self: &Arc<Self>) -> Result<Vec<OwnedValue>> {
        let names = self.ask(asks::THREAD_NAMES, &RunOptions::DEFAULT, |_| {})?;
        let names = names.get().items();
        if !names.iter().all(served::is_str) {
            return Err(self.lose(NONE_OF_OURS));
        }
        let copied = names.iter().map(copy);
        copied
            .collect::<std::result::Result<_, _>>()
            .map_err(|_| self.lose(NONE_OF_OURS))
    }

    fn functions(&self) -> MutexGuard<'_, HashMap<u64, Arc<Definition>>> {
        self.functions
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// The number of what is asked for next: never 0.
    fn next_number(&self) -> u32 {
        match self.next_number.fetch_add(1, Ordering::Relaxed) {
            0 => self.next_number(),
            number => number,
        }
    }

    /// Asks for something, and waits until it is done, or until its time is over.
    fn ask(
        self: &Arc<Self>,
        asked: u8,
        options: &RunOptions<'_>,
        write: impl FnOnce(&mut Writer<Sending<'_>>),
    ) -> Result<OwnedValue> {
        self.check_depth()?;
        let mut line = self.line()?;
        let number = self.next_number();
        let _under_way = UnderWay::begin(self, number);
        let inner = || {
            Arc::new(FarInner {
                remote: self.clone(),
                number,
            }) as Arc<dyn InnerRun>
        };
        let _nested = FarNested::begin(self.id, inner);
        let limit = options
            .timeout
            .map(|time| self.limit(number, time, options));
        let limit = limit.transpose()?;
        let start = (options.measure || limit.is_some()).then(Instant::now);
        let done = enter::for_host(|| self.converse(&mut line, asked, number, write));
        if let Some(start) = start {
            // With the way there and back, which its limit counts, too.
            self.seen().0.last_wall = start.elapsed();
        }
        match limit {
            Some(limit) => done.map_err(|error| limit.error(error)),
            None => done,
        }
    }

    /// Fails where the host and this interpreter call each other without an end: Python's limits are the worker's, and it
    /// may have none, so the host looks after its own stack.
    fn check_depth(&self) -> Result<()> {
        const DEEPEST: usize = 1000;
        let is_inside = enter::current_interpreter().0.is_some();
        if !is_inside || self.under_way().len() < DEEPEST && !stack::is_nearly_full() {
            return Ok(());
        }
        let message = format!(
            "the host and interpreter {} call each other too deeply",
            self.id
        );
        Err(Error::new(Status::Limit, message))
    }

    fn converse(
        &self,
        line: &mut Line<'_>,
        asked: u8,
        number: u32,
        write: impl FnOnce(&mut Writer<Sending<'_>>),
    ) -> Result<OwnedValue> {
        self.not_lost()?;
        let answer = self.until_answered(line, |writer| {
            writer.byte(asked);
            writer.u64(number.into());
            write(writer);
            true
        });
        match answer {
            Ok(answer) => answer,
            Err(broken) => Err(self.lose(broken)),
        }
    }

    /// Sends what is written, if anything is, and does what is wanted until there is an answer.
    fn until_answered(
        &self,
        line: &mut Line<'_>,
        write: impl FnOnce(&mut Writer<Sending<'_>>) -> bool,
    ) -> std::result::Result<Result<OwnedValue>, Broken> {
        let is_alive = || self.is_alive();
        let mut writer = Writer::new(line.channel()?.send(&is_alive));
        if write(&mut writer) {
            writer.into_sink().finish()?;
        }
        loop {
            let message = Arc::new(line.channel()?.receive(&is_alive)?);
            if let Heard::Answer(answer) = self.hear(line, &message)? {
                return Ok(answer);
            }
        }
    }

    /// What a thread of a script's says on its own channel, is done here.
    fn serve(self: Arc<Self>, channel: Channel) {
        let mut line = self.lines.served(channel);
        let is_alive = || self.is_alive();
        let broken = loop {
            let received = line
                .channel()
                .and_then(|channel| channel.receive(&is_alive));
            let heard = received.and_then(|message| self.hear(&mut line, &Arc::new(message)));
            match heard {
                Ok(Heard::Want) => {}
                Ok(Heard::Answer(_)) => break NONE_OF_OURS,
                Err(broken) => break broken,
            }
        };
        if broken != Broken::Gone {
            self.lose(broken);
        }
    }

    /// Limits what is under way by this number.
    fn limit(
        self: &Arc<Self>,
        number: u32,
        time: Duration,
        options: &RunOptions<'_>,
    ) -> Result<Deadline> {
        let me = self.clone();
        let kill_after = options.kill_after;
        let is_over = move || {
            me.end(number, Why::Request(Request::Timeout));
            let ignored = Arc::downgrade(&me);
            if let Some(end) = kill_after.and_then(|time| Instant::now().checked_add(time)) {
                // In the timer's thread, which is there.
                let _ = timer::at(end, move || {
                    let remote = ignored.upgrade();
                    if let Some(remote) = remote.filter(|remote| remote.is_under_way(number)) {
                        remote.end_now("it has ignored its time limit, and was killed");
                    }
                });
            }
        };
        Deadline::of(time, options.on_deadline.clone(), Box::new(is_over))
    }

    fn is_under_way(&self, number: u32) -> bool {
        self.under_way().iter().any(|asked| asked.number == number)
    }

    /// Asks what has this number to end, with what is inside of it.
    fn end(&self, number: u32, why: Why) {
        let request = match why {
            Why::Interrupt => Request::Interrupt,
            Why::Request(why) => why,
        };
        let mut under_way = self.under_way();
        let Some(at) = under_way.iter().position(|asked| asked.number == number) else {
            return;
        };
        let mut inner = Vec::new();
        for asked in &mut under_way[at..] {
            asked.ends = asked.ends.or(Some(request));
            inner.extend_from_slice(&asked.inner);
        }
        drop(under_way);
        self.control.end(End { number, why });
        inner.iter().for_each(|inner| inner.end(request));
    }

    /// Asks all that is under way to end. Nothing happens if there is nothing.
    pub(crate) fn interrupt(&self) {
        let outermost = self.under_way().first().map(|asked| asked.number);
        if let Some(number) = outermost {
            self.end(number, Why::Interrupt);
        }
    }

    /// As [`interrupt`](Self::interrupt), soon, by the timer's thread. Allowed in a signal handler. False: there is no such
    /// thread.
    pub(crate) fn interrupt_soon(&self) -> bool {
        match self.outermost.load(Ordering::SeqCst) {
            0 => true,
            number => {
                self.interrupted_by_handler.store(number, Ordering::SeqCst);
                timer::call()
            }
        }
    }

    /// Does what signal handlers have asked for.
    pub(super) fn serve_handler(&self) {
        match self.interrupted_by_handler.swap(0, Ordering::SeqCst) {
            0 => {}
            number => self.end(number, Why::Interrupt),
        }
    }

    /// Whether something is under way, other than its end.
    pub(crate) fn is_running(&self) -> bool {
        *self.life() != Life::Ending && !self.under_way().is_empty()
    }

    /// Fails if it runs, or is being destroyed.
    pub(super) fn check_is_idle(&self) -> Result<()> {
        if *self.life() == Life::Ending {
            return Err(self.is_being_destroyed());
        }
        match self.is_running() {
            true => Err(self.is_busy()),
            false => Ok(()),
        }
    }

    fn is_busy(&self) -> Error {
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

    /// Ends it at once; the first one says why.
    fn end_now(&self, why: &str) {
        self.lost
            .get_or_init(|| self.lost_by(why, 0, libc::SIGKILL));
        socket::kill(&self.pidfd, libc::SIGKILL);
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

    /// Ends it: its exit functions run, its threads have so long to end. `Busy`: something is under way.
    pub(crate) fn destroy(
        self: &Arc<Self>,
        wait: Duration,
        stop_threads: bool,
        kill: bool,
    ) -> Result<()> {
        if self.lines.is_inside() || enter::is_called_from(self.id) {
            let message = format!(
                "interpreter {} is running, in this thread: the call came from inside it",
                self.id
            );
            return Err(Error::new(Status::Busy, message));
        }
        if kill {
            self.end_now("the host has destroyed it");
        }
        enter::for_host(|| {
            let mut line = match self.line() {
                Ok(line) => Some(line),
                Err(_) if kill => None,
                Err(busy) => return Err(busy),
            };
            let before = std::mem::replace(&mut *self.life(), Life::Ending);
            if before == Life::Ending {
                return Err(self.is_being_destroyed());
            }
            if let Some(line) = line
                .as_mut()
                .filter(|_| before == Life::There && self.lost.get().is_none())
            {
                let _overdue = self.kill_after(wait.saturating_add(END));
                let number = self.next_number();
                let _under_way = UnderWay::begin(self, number);
                let _ = self.converse(line, asks::END, number, |writer| {
                    super::options::write_time(writer, Some(wait));
                    writer.flag(stop_threads);
                });
            }
            socket::kill(&self.pidfd, libc::SIGKILL);
            self.let_go();
            self.outputs.close();
            let functions = std::mem::take(&mut *self.functions());
            enter::for_far_call(self.id, || drop(functions));
            nested::remove_far(self.id);
            *self.life() = Life::Destroyed;
            if let Some(line) = line {
                line.retire();
            }
            Ok(())
        })
    }

    /// Nobody waits for it any more, or looks at what it does.
    fn let_go(&self) {
        let watched = std::mem::take(&mut *self.watched());
        watched
            .into_iter()
            .for_each(|number| self.family.watcher().forget(number));
        self.control.close();
        self.others().iter().for_each(Control::close);
        self.family.forget(self.number);
    }

    /// It is killed after this time, unless the answer is dropped.
    fn kill_after(self: &Arc<Self>, time: Duration) -> Option<Deadline> {
        let me = self.clone();
        let kill = Box::new(move || me.end_now("its end took too long"));
        Deadline::of(time, None, kill).ok()
    }
}

impl Drop for Remote {
    fn drop(&mut self) {
        socket::kill(&self.pidfd, libc::SIGKILL);
    }
}

/// Fails for a value that can't be written: nothing has been said then.
fn checked<'a>(value: &'a Value<'a>, name: &str) -> Result<Checked<'a>> {
    Checked::new(value).map_err(|error| refused(error, name))
}

fn refused(error: ConversionError, name: &str) -> Error {
    error.into_error(name, || Error::new(Status::Internal, "no exception"))
}

fn no_memory(error: std::io::Error) -> Error {
    Error::new(
        Status::NoMemory,
        format!("there is no room for one more process: {error}"),
    )
}
