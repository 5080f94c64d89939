//! The process of one interpreter: it does what its host asks for.
//!
//! Its first thread serves the host. A thread that has something to say while it does so, since a script prints or calls
//! a function of the host's, says it on the channel by which the host waits, and serves what the host asks meanwhile.
//! A thread of a script's has a channel of its own for that.

mod asked;
pub(super) mod child;
mod of_host;
mod queues;

use std::io;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use subpy_wire::{Reader, Writer};

use self::of_host::{OfHost, of_host};
use super::Preparation;
use super::channel::{Broken, Channel, Control, End, Sending, Side, Why};
use super::failures;
use super::lines::{Line, Lines};
use super::message::Message;
use super::operations::CheckedOperation;
use super::protocol::{answers, asks, replies, wants};
use super::socket;
use super::values;
use super::values::Checked;
use crate::data::config::{Input, Output};
use crate::data::error::{Error, Result, Status};
use crate::data::id::Id;
use crate::data::operation::Operation;
use crate::data::queue::far;
use crate::data::tree::OwnedValue;
use crate::data::value::Value;
use crate::local::enter;
use crate::local::functions::host_call::HostCall;
use crate::local::interpreter::Interpreter;
use crate::local::interpreter::claim::Request;
use crate::local::interpreter::registry;
use crate::local::memory::account::Account;
use crate::util::thread::Thread;

/// What a worker gets of its host when it is forked.
pub(super) struct Ends {
    pub(super) channel: OwnedFd,
    /// By this it asks for more channels.
    pub(super) socket: OwnedFd,
    /// Where what the process crashes of is said.
    pub(super) report: RawFd,
    /// The folder that the host is in.
    pub(super) folder: Option<OwnedFd>,
    /// The host's stdin, stdout and stderr; `None`: it has none.
    pub(super) streams: [Option<OwnedFd>; 3],
}

impl Ends {
    /// The process is in the host's folder, and has its streams.
    fn take_over(&mut self) {
        // SAFETY: descriptors of ours, and of those of the process that it is to have.
        unsafe {
            if let Some(folder) = self.folder.take() {
                libc::fchdir(folder.as_raw_fd());
            }
            for (number, stream) in self.streams.iter_mut().enumerate() {
                match stream.take() {
                    Some(stream) => libc::dup2(stream.as_raw_fd(), number as i32),
                    None => libc::close(number as i32),
                };
            }
        }
    }
}

/// A worker's end of it all.
struct Worker {
    main: Interpreter,
    control: Control,
    /// A thread sees to it that ends what the host wants to end: there is none before there is anything to end.
    is_controlled: AtomicBool,
    lines: Lines,
    /// Held to ask for a channel, until it is there.
    socket: Mutex<OwnedFd>,
    /// Held while something is asked to end, so that nothing else is.
    under_way: Mutex<UnderWay>,
    zygote: libc::pid_t,
    preparation: Preparation,
}

/// What the host has asked for, by its numbers.
#[derive(Default)]
struct UnderWay {
    /// What is done.
    now: Vec<u32>,
    /// What was begun last.
    last: u32,
}

/// Serves the host, as a child of this zygote. It ends the process.
pub(super) fn run(ends: Ends, zygote: libc::pid_t, preparation: Preparation) -> ! {
    // SAFETY: sets what is this process's own.
    unsafe {
        libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
        libc::prctl(libc::PR_SET_DUMPABLE, 0);
    }
    // SAFETY: asks. One that had ended before could not tell us.
    let is_there = unsafe { libc::getppid() } == zygote;
    let code = match is_there {
        true => serve(ends, zygote, preparation).map_or(1, |()| 0),
        false => 1,
    };
    // SAFETY: Python's own exit functions have run.
    unsafe { libc::_exit(code) }
}

fn serve(mut ends: Ends, zygote: libc::pid_t, preparation: Preparation) -> io::Result<()> {
    ends.take_over();
    child::is_none();
    let channel = Channel::new(&ends.channel, Side::Worker)?;
    Channel::report_by(&ends.channel, ends.report);
    let main = registry::find(Id::MAIN).map_err(io::Error::other)?;
    drop(ends.channel);
    let worker = Arc::new(Worker {
        control: channel.control(),
        is_controlled: AtomicBool::new(false),
        main,
        lines: Lines::default(),
        socket: Mutex::new(ends.socket),
        under_way: Mutex::default(),
        zygote,
        preparation,
    });
    far::are_far(Box::new(worker.clone()));
    let _ = worker.serve_host(channel); // it is gone
    Ok(())
}

impl Worker {
    /// Whether the host is there: the zygote ends with it.
    fn is_alive(&self) -> bool {
        // SAFETY: asks.
        self.zygote == unsafe { libc::getppid() }
    }

    fn under_way(&self) -> MutexGuard<'_, UnderWay> {
        self.under_way
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on what is under way ends if the host wants it.
    fn begin_control(self: &Arc<Self>) -> Result<()> {
        if self.is_controlled.swap(true, Ordering::Relaxed) {
            return Ok(());
        }
        let worker = self.clone();
        let started = Thread::start(c"subpy control", move || worker.serve_ends());
        started.map(drop).map_err(|error| {
            self.is_controlled.store(false, Ordering::Relaxed);
            let message = format!("no thread can be started to end what runs: {error}");
            Error::new(Status::NoMemory, message)
        })
    }

    fn serve_ends(&self) -> ! {
        let mut seen = 0;
        loop {
            let (count, end) = self.control.wait_for_end(seen);
            if !self.is_alive() {
                // SAFETY: ends this process alone.
                unsafe { libc::_exit(1) };
            }
            if count != seen {
                seen = count;
                while !self.is_told(end) {
                    std::thread::sleep(Duration::from_millis(1));
                }
            }
        }
    }

    /// Whether who does this was told that it is to end, or is told now.
    fn is_told(&self, end: End) -> bool {
        let under_way = self.under_way();
        let Some(at) = under_way
            .now
            .iter()
            .position(|number| *number == end.number)
        else {
            let begins_later = end.number.wrapping_sub(under_way.last) as i32 > 0;
            return !begins_later;
        };
        let (why, by_host) = match end.why {
            Why::Interrupt => (Request::Interrupt, true),
            Why::Request(why) => (why, false),
        };
        self.main.end_run_at(at + 1, why, by_host)
    }

    fn serve_host(self: &Arc<Self>, channel: Channel) -> Result<(), Broken> {
        let mut line = self.lines.served(channel);
        loop {
            let message = self.receive(&mut line)?;
            let is_end = message.bytes().first() == Some(&asks::END);
            self.serve_one(&mut line, &message)?;
            if is_end {
                return Ok(());
            }
        }
    }

    fn receive(&self, line: &mut Line<'_>) -> Result<Arc<Message>, Broken> {
        line.channel()?.receive(&|| self.is_alive()).map(Arc::new)
    }

    /// Does what the host asks for, and answers.
    fn serve_one(
        self: &Arc<Self>,
        line: &mut Line<'_>,
        message: &Arc<Message>,
    ) -> Result<(), Broken> {
        let mut reader = Reader::new(message.bytes());
        let asked = reader.byte()?;
        let number = reader.u64()? as u32;
        {
            let mut under_way = self.under_way();
            under_way.now.push(number);
            under_way.last = number;
        }
        let done = line.lend(|| asked::serve(self, message, asked, &mut reader))?;
        if child::is_one() {
            child::exit(&done);
        }
        self.under_way().now.retain(|other| *other != number);
        self.answer(line, done)
    }

    /// The host has the queues before they are let go of here, and that is done before it hears no more.
    #[cold]
    fn answer_with_queues(
        self: &Arc<Self>,
        line: &mut Line<'_>,
        value: OwnedValue,
    ) -> Result<(), Broken> {
        line.lend(|| {
            if let Ok(checked) = Checked::of_python(value.get()) {
                self.want(|writer| {
                    writer.byte(wants::RESULT);
                    checked.write(writer, &OfHost);
                });
            }
            drop(value);
        })?;
        let is_alive = || self.is_alive();
        let mut writer = Writer::new(line.channel()?.send(&is_alive));
        writer.byte(answers::RESULT);
        self.write_figures(&mut writer);
        writer.into_sink().finish()
    }

    fn answer(
        self: &Arc<Self>,
        line: &mut Line<'_>,
        done: Result<OwnedValue>,
    ) -> Result<(), Broken> {
        let nothing = OwnedValue::NONE;
        let value = done.as_ref().map(|value| match value.is_end() {
            true => Checked::of_python(nothing.get()),
            false => Checked::of_python(value.get()),
        });
        if let Ok(Ok(checked)) = &value
            && checked.has_queues()
        {
            return done.map_or(Ok(()), |value| self.answer_with_queues(line, value));
        }
        let is_alive = || self.is_alive();
        let mut writer = Writer::new(line.channel()?.send(&is_alive));
        match value {
            Ok(Ok(_)) if done.as_ref().is_ok_and(OwnedValue::is_end) => {
                writer.byte(answers::END);
                self.write_figures(&mut writer);
            }
            Ok(Ok(nothing)) if nothing.is_none() => {
                writer.byte(answers::DONE);
                self.write_figures(&mut writer);
            }
            Ok(Ok(value)) => {
                writer.byte(answers::VALUE);
                self.write_figures(&mut writer);
                value.write(&mut writer, &OfHost);
            }
            Ok(Err(error)) => {
                writer.byte(answers::FAILED);
                self.write_figures(&mut writer);
                failures::write(&mut writer, &error.into_plain_error("result"));
            }
            Err(error) => {
                writer.byte(answers::FAILED);
                self.write_figures(&mut writer);
                failures::write(&mut writer, error);
            }
        }
        writer.into_sink().finish()
    }

    /// What the interpreter has done so far, and its memory.
    fn write_figures(&self, writer: &mut Writer<Sending<'_>>) {
        let stats = self.main.stats().unwrap_or_default();
        let usage = self.main.account().map(Account::usage);
        writer.flag(usage.is_some());
        let usage = usage.unwrap_or_default();
        writer.u64s([
            stats.code_cache_hits,
            stats.code_cache_misses,
            stats.code_cache_entries,
            stats.code_cache_bytes,
            stats.last_cpu.as_nanos() as u64,
            usage.current,
            usage.peak,
        ]);
    }

    /// A line for the calling thread.
    fn line(&self) -> Result<Line<'_>, Broken> {
        loop {
            if let Some(line) = self.lines.take(|| true) {
                return Ok(line);
            }
            let socket = self.socket.lock().unwrap_or_else(PoisonError::into_inner);
            let gone = |_| Broken::Gone;
            socket::send(&socket, &[0], &[]).map_err(gone)?;
            let (_, descriptors) = socket::receive(&socket).map_err(gone)?;
            drop(socket);
            if let Some(file) = descriptors.into_iter().next() {
                let channel = Channel::new(&file, Side::Worker).map_err(gone)?;
                return Ok(self.lines.taken(channel));
            }
            std::thread::sleep(Duration::from_millis(1)); // there are very many: until one is free
        }
    }

    /// Has the host do something, and serves what it asks for meanwhile. The answer is its reply. Without a host there is
    /// nothing left to do.
    fn want(self: &Arc<Self>, write: impl FnOnce(&mut Writer<Sending<'_>>)) -> Arc<Message> {
        let want = || {
            let mut line = self.line()?;
            let is_alive = || self.is_alive();
            let mut writer = Writer::new(line.channel()?.send(&is_alive));
            write(&mut writer);
            writer.into_sink().finish()?;
            loop {
                let message = self.receive(&mut line)?;
                match message.bytes().first() {
                    Some(..asks::COUNT) => self.serve_one(&mut line, &message)?,
                    _ => return Ok(message),
                }
            }
        };
        let reply: Result<_, Broken> = want();
        // SAFETY: ends this process alone.
        reply.unwrap_or_else(|_| unsafe { libc::_exit(1) })
    }

    /// Hands on what is written.
    fn output(self: &Arc<Self>, is_stderr: bool) -> Output {
        let worker = self.clone();
        Box::new(move |piece: &[u8]| {
            if child::is_one() {
                return child::write(is_stderr, piece);
            }
            worker.want(|writer| {
                writer.byte(wants::OUTPUT);
                writer.flag(is_stderr);
                writer.bytes(piece);
            });
        })
    }

    /// Has the host give what a script reads. A child that a script has forked reads nothing.
    fn input(self: &Arc<Self>) -> Input {
        let worker = self.clone();
        Box::new(move |room: &mut [u8]| {
            if child::is_one() {
                return 0;
            }
            let reply = worker.want(|writer| {
                writer.byte(wants::INPUT);
                writer.size(room.len());
            });
            let mut reader = Reader::new(reply.bytes());
            let _reply = reader.byte();
            let piece = reader.bytes().unwrap_or_default();
            let length = piece.len().min(room.len());
            room[..length].copy_from_slice(&piece[..length]);
            length
        })
    }

    /// Has the host do what a script wants.
    fn operate(self: &Arc<Self>, operation: &Operation<'_>) -> Result<OwnedValue> {
        if child::is_one() {
            let message = "a child that a script has forked can't call the host";
            return Err(Error::new(Status::Unsupported, message));
        }
        let operation = CheckedOperation::new(operation);
        let operation = operation.map_err(|error| error.into_plain_error("args"))?;
        let reply = self.want(|writer| {
            writer.byte(wants::OPERATE);
            operation.write(writer, &OfHost);
        });
        let mut reader = Reader::new(reply.bytes());
        let mut read = || match reader.byte()? {
            replies::VALUE => values::read_of_host(&of_host(&reply), &mut reader).map(Ok),
            _ => failures::read(&reply, &mut reader).map(Err),
        };
        read().unwrap_or_else(|wrong| Err(Error::new(Status::Internal, wrong.to_string())))
    }
}

/// A function of the host's, as its worker has it.
struct FarFunction {
    worker: Arc<Worker>,
    number: u64,
}

impl FarFunction {
    fn call(&self, call: &mut HostCall<'_>, arguments: &[Value<'_>]) {
        if child::is_one() {
            return call.raise(
                "RuntimeError",
                "a child that a script has forked can't call the host",
            );
        }
        let (list, keywords) = match (
            Checked::list_of_python(arguments),
            Checked::of_python(call.keywords()),
        ) {
            (Ok(list), Ok(keywords)) => (list, keywords),
            (Err(error), _) | (_, Err(error)) => {
                let error = error.into_plain_error("args");
                return call.raise("TypeError", error.message());
            }
        };
        let reply = self.worker.want(|writer| {
            writer.byte(wants::CALL);
            writer.u64(self.number);
            let namespace = call.namespace().and_then(|name| name.to_str().ok());
            writer.option(namespace, |writer, name| writer.text(name));
            list.write(writer, &OfHost);
            keywords.write(writer, &OfHost);
        });
        let mut reader = Reader::new(reply.bytes());
        let mut finish = || -> subpy_wire::Result<()> {
            match reader.byte()? {
                replies::VALUE => {
                    call.answer(values::read_of_host(&of_host(&reply), &mut reader)?.get())
                }
                replies::RAISED => call.raise(reader.text()?, reader.text()?),
                _ => {}
            }
            Ok(())
        };
        if let Err(malformed) = finish() {
            call.raise("RuntimeError", &malformed.to_string());
        }
    }
}

impl Drop for FarFunction {
    fn drop(&mut self) {
        if child::is_one() {
            return;
        }
        enter::for_host(|| {
            self.worker.want(|writer| {
                writer.byte(wants::DROP);
                writer.u64(self.number);
            })
        });
    }
}
