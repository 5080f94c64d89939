//! An interpreter in a process of its own, as the host has it.

use std::os::fd::{AsRawFd, OwnedFd};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, TryLockError};

use subpy_wire::{Reader, Sink, Writer};

use super::channel::{Broken, Channel, Sending, Side};
use super::failures;
use super::family::{Family, Forked};
use super::options::{write_call, write_run};
use super::socket;
use super::values;
use super::worker::{answers, asks};
use crate::data::config::{CallOptions, RunOptions};
use crate::data::error::{Error, Result, Status};
use crate::data::tree::OwnedValue;
use crate::data::value::Value;

/// Makes interpreters in processes.
pub struct Workers(Arc<Family>);

/// One of them.
pub struct Remote {
    family: Arc<Family>,
    number: u64,
    pidfd: OwnedFd,
    /// Held for a call.
    channel: Mutex<Channel>,
    /// Why it is lost.
    lost: OnceLock<String>,
}

impl Workers {
    /// Starts what makes them: this program, which imports these modules, with commas between them.
    pub fn start(program: &Path, preload: &str) -> Result<Self> {
        Ok(Self(Arc::new(Family::start(program, preload)?)))
    }

    /// Makes one.
    pub fn create(&self) -> Result<Remote> {
        let Forked {
            number,
            pidfd,
            channel,
        } = self.0.fork()?;
        let channel = Channel::new(&channel, Side::Host).map_err(|error| {
            let message = format!("there is no memory for a worker's channel: {error}");
            Error::new(Status::NoMemory, message)
        })?;
        let remote = Remote {
            family: self.0.clone(),
            number,
            pidfd,
            channel: Mutex::new(channel),
            lost: OnceLock::new(),
        };
        // It says when it is there.
        let mut channel = remote.channel()?;
        remote.answer(&mut channel)?;
        drop(channel);
        Ok(remote)
    }
}

impl Remote {
    fn channel(&self) -> Result<MutexGuard<'_, Channel>> {
        match self.channel.try_lock() {
            Ok(channel) => Ok(channel),
            Err(TryLockError::Poisoned(poisoned)) => Ok(PoisonError::into_inner(poisoned)),
            Err(TryLockError::WouldBlock) => {
                let message = "the interpreter is running: wait for it, or use another one";
                Err(Error::new(Status::Busy, message))
            }
        }
    }

    fn is_alive(&self) -> bool {
        let ended = socket::wait_for_any(&[self.pidfd.as_raw_fd()], 0);
        !ended.is_ok_and(|ended| ended[0])
    }

    /// Runs a program.
    pub fn run(&self, code: &[u8], options: &RunOptions<'_>) -> Result<()> {
        self.ask(asks::RUN, |writer| {
            write_run(writer, options);
            writer.bytes(code);
        })
        .map(drop)
    }

    /// The value of an expression.
    pub fn eval(&self, source: &[u8], options: &CallOptions<'_>) -> Result<OwnedValue> {
        self.ask(asks::EVAL, |writer| {
            write_call(writer, options);
            writer.bytes(source);
        })
    }

    /// The value that a name has in `__main__`.
    pub fn get(&self, name: &[u8], options: &CallOptions<'_>) -> Result<OwnedValue> {
        self.ask(asks::GET, |writer| {
            write_call(writer, options);
            writer.bytes(name);
        })
    }

    /// Gives a value a name in `__main__`.
    pub fn set(&self, name: &[u8], value: &Value<'_>, options: &RunOptions<'_>) -> Result<()> {
        let values = std::slice::from_ref(value);
        let values = checked(&Value::list(values), "value")?;
        self.ask(asks::SET, |writer| {
            write_run(writer, options);
            writer.bytes(name);
            write_checked(writer, &values);
        })
        .map(drop)
    }

    /// Calls something by its name.
    pub fn call(
        &self,
        callable: &[u8],
        arguments: &[Value<'_>],
        named: Option<&Value<'_>>,
        options: &CallOptions<'_>,
    ) -> Result<OwnedValue> {
        let arguments = checked(&Value::list(arguments), "args")?;
        let named = checked(named.unwrap_or(&Value::NONE), "kwargs")?;
        self.ask(asks::CALL, |writer| {
            write_call(writer, options);
            writer.bytes(callable);
            write_checked(writer, &arguments);
            write_checked(writer, &named);
        })
    }

    /// Asks for something, and waits until it is done.
    fn ask(&self, asked: u8, write: impl FnOnce(&mut Writer<Sending<'_>>)) -> Result<OwnedValue> {
        let mut channel = self.channel()?;
        self.not_lost()?;
        let is_alive = || self.is_alive();
        let mut writer = Writer::new(channel.send(&is_alive));
        writer.byte(asked);
        write(&mut writer);
        let sent = writer.into_sink().finish();
        sent.map_err(|broken| self.lose(broken))?;
        self.answer(&mut channel)
    }

    /// Waits for an answer.
    fn answer(&self, channel: &mut Channel) -> Result<OwnedValue> {
        let message = channel.receive(&|| self.is_alive());
        let message = Arc::new(message.map_err(|broken| self.lose(broken))?);
        let mut reader = Reader::new(message.bytes());
        let read = |reader: &mut Reader<'_>| match reader.byte()? {
            answers::DONE => Ok(Ok(OwnedValue::NONE)),
            answers::VALUE => Ok(Ok(values::read(&message, reader)?)),
            answers::FAILED => Ok(Err(failures::read(&message, reader)?)),
            _ => Err(subpy_wire::Malformed("an answer is none that there is")),
        };
        let done = read(&mut reader).and_then(|done| reader.end().map(|()| done));
        done.map_err(|malformed| self.lose(malformed.into()))?
    }

    fn not_lost(&self) -> Result<()> {
        match self.lost.get() {
            Some(why) => Err(Error::new(Status::Lost, why.clone())),
            None => Ok(()),
        }
    }

    /// It is of no more use.
    #[cold]
    fn lose(&self, broken: Broken) -> Error {
        socket::kill(&self.pidfd, libc::SIGKILL);
        let why = match broken {
            Broken::Malformed(wrong) => {
                format!("it was killed, since it does not keep to the rules: {wrong}")
            }
            Broken::Gone => match self.family.end_of(self.number) {
                Some(status) if libc::WIFEXITED(status) => {
                    format!("it has exited with code {}", libc::WEXITSTATUS(status))
                }
                Some(status) => format!("signal {} has ended it", libc::WTERMSIG(status)),
                None => "its end was not told".into(),
            },
        };
        let message = format!("the interpreter's process is lost: {why}");
        Error::new(Status::Lost, self.lost.get_or_init(|| message).clone())
    }

    /// Ends it, and waits until its process has ended.
    pub fn destroy(self) {
        if let Ok(mut channel) = self.channel()
            && self.not_lost().is_ok()
        {
            let is_alive = || self.is_alive();
            let mut writer = Writer::new(channel.send(&is_alive));
            writer.byte(asks::END);
            if writer.into_sink().finish().is_ok() {
                let _ = channel.receive(&is_alive);
            }
        }
    }
}

impl Drop for Remote {
    fn drop(&mut self) {
        socket::kill(&self.pidfd, libc::SIGKILL);
    }
}

/// A value that can be written.
struct Checked<'a>(Value<'a>);

/// Fails for one that can't: nothing has been said then.
fn checked<'a>(value: &Value<'a>, name: &str) -> Result<Checked<'a>> {
    struct Nowhere;
    impl Sink for Nowhere {
        fn put(&mut self, _: &[u8]) {}
    }
    let written = values::write(&mut Writer::new(Nowhere), value);
    let no_exception = || Error::new(Status::Internal, "no exception");
    written.map_err(|error| error.into_error(name, no_exception))?;
    Ok(Checked(*value))
}

fn write_checked<S: Sink>(writer: &mut Writer<S>, value: &Checked<'_>) {
    let written = values::write(writer, &value.0);
    debug_assert!(written.is_ok(), "a value has changed");
}
