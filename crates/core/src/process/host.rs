//! An interpreter in a process of its own, as the host has it.

use std::os::fd::{AsRawFd, OwnedFd};
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, TryLockError};

use subpy_wire::{Malformed, Reader, Writer};

use super::channel::{Broken, Channel, Sending, Side};
use super::failures;
use super::family::{Family, Forked};
use super::message::Message;
use super::options::{write_call, write_run};
use super::socket;
use super::values;
use super::values::Checked;
use super::worker::{answers, asks, wants};
use crate::data::config::{CallOptions, Output, RunOptions};
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
    /// The same memory, for who does not hold that.
    control: Channel,
    /// The number of what is under way; 0: nothing is.
    under_way: AtomicU32,
    /// Where stdout and stderr go. Held while one is called.
    outputs: Mutex<[Option<Output>; 2]>,
    /// Why it is lost.
    lost: OnceLock<String>,
}

impl Workers {
    /// Starts what makes them: this program, which imports these modules, with commas between them.
    #[doc(hidden)]
    pub fn start(program: &Path, preload: &str) -> Result<Self> {
        Ok(Self(Arc::new(Family::start(program, preload)?)))
    }

    /// Makes one, whose output goes here; `None`: to the process's own stdout and stderr.
    #[doc(hidden)]
    pub fn create(&self, stdout: Option<Output>, stderr: Option<Output>) -> Result<Remote> {
        let Forked {
            number,
            pidfd,
            channel: file,
        } = self.0.fork()?;
        let end = || {
            Channel::new(&file, Side::Host).map_err(|error| {
                let message = format!("there is no memory for a worker's channel: {error}");
                Error::new(Status::NoMemory, message)
            })
        };
        let taken = (stdout.is_some(), stderr.is_some());
        let remote = Remote {
            family: self.0.clone(),
            number,
            pidfd,
            channel: Mutex::new(end()?),
            control: end()?,
            under_way: AtomicU32::new(0),
            outputs: Mutex::new([stdout, stderr]),
            lost: OnceLock::new(),
        };
        remote.ask(asks::PREPARE, |writer| {
            writer.flag(taken.0);
            writer.flag(taken.1);
            writer.flag(false);
        })?;
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
    #[doc(hidden)]
    pub fn run(&self, code: &[u8], options: &RunOptions<'_>) -> Result<()> {
        self.ask(asks::RUN, |writer| {
            write_run(writer, options);
            writer.bytes(code);
        })
        .map(drop)
    }

    /// The value of an expression.
    #[doc(hidden)]
    pub fn eval(&self, source: &[u8], options: &CallOptions<'_>) -> Result<OwnedValue> {
        self.ask(asks::EVAL, |writer| {
            write_call(writer, options);
            writer.bytes(source);
        })
    }

    /// The value that a name has in `__main__`.
    #[doc(hidden)]
    pub fn get(&self, name: &[u8], options: &CallOptions<'_>) -> Result<OwnedValue> {
        self.ask(asks::GET, |writer| {
            write_call(writer, options);
            writer.bytes(name);
        })
    }

    /// Gives a value a name in `__main__`.
    #[doc(hidden)]
    pub fn set(&self, name: &[u8], value: &Value<'_>, options: &RunOptions<'_>) -> Result<()> {
        let value = Value::list(std::slice::from_ref(value));
        let value = checked(&value, "value")?;
        self.ask(asks::SET, |writer| {
            write_run(writer, options);
            writer.bytes(name);
            value.write(writer);
        })
        .map(drop)
    }

    /// Calls something by its name.
    #[doc(hidden)]
    pub fn call(
        &self,
        callable: &[u8],
        arguments: &[Value<'_>],
        named: Option<&Value<'_>>,
        options: &CallOptions<'_>,
    ) -> Result<OwnedValue> {
        let arguments = Value::list(arguments);
        let arguments = checked(&arguments, "args")?;
        let named = checked(named.unwrap_or(&Value::NONE), "kwargs")?;
        self.ask(asks::CALL, |writer| {
            write_call(writer, options);
            writer.bytes(callable);
            arguments.write(writer);
            named.write(writer);
        })
    }

    /// Asks for something, and waits until it is done.
    fn ask(&self, asked: u8, write: impl FnOnce(&mut Writer<Sending<'_>>)) -> Result<OwnedValue> {
        let mut channel = self.channel()?;
        self.not_lost()?;
        let _under_way = UnderWay::begin(self, channel.next_number());
        let is_alive = || self.is_alive();
        let mut writer = Writer::new(channel.send(&is_alive));
        writer.byte(asked);
        write(&mut writer);
        let sent = writer.into_sink().finish();
        sent.map_err(|broken| self.lose(broken))?;
        self.answer(&mut channel)
    }

    /// Asks the run that is under way to end. Nothing happens if there is none.
    #[doc(hidden)]
    pub fn interrupt(&self) {
        match self.under_way.load(Ordering::Acquire) {
            0 => {}
            number => self.control.interrupt(number),
        }
    }

    /// Waits for an answer, and does what is wanted meanwhile.
    fn answer(&self, channel: &mut Channel) -> Result<OwnedValue> {
        let is_alive = || self.is_alive();
        loop {
            let message = channel.receive(&is_alive);
            let message = Arc::new(message.map_err(|broken| self.lose(broken))?);
            match self.read_answer(&message) {
                Ok(Some(done)) => return done,
                Ok(None) => {}
                Err(malformed) => return Err(self.lose(malformed.into())),
            }
            let done = channel.send(&is_alive).finish();
            done.map_err(|broken| self.lose(broken))?;
        }
    }

    /// `None`: it was no answer, and what was wanted is done.
    fn read_answer(
        &self,
        message: &Arc<Message>,
    ) -> subpy_wire::Result<Option<Result<OwnedValue>>> {
        let mut reader = Reader::new(message.bytes());
        let done = match reader.byte()? {
            answers::DONE => Some(Ok(OwnedValue::NONE)),
            answers::VALUE => Some(Ok(values::read(message, &mut reader)?)),
            answers::FAILED => Some(Err(failures::read(message, &mut reader)?)),
            wants::OUTPUT => {
                let is_stderr = reader.flag()?;
                let piece = reader.bytes()?;
                let mut outputs = self.outputs.lock().unwrap_or_else(PoisonError::into_inner);
                if let Some(output) = &mut outputs[usize::from(is_stderr)] {
                    output(piece);
                }
                None
            }
            _ => return Err(Malformed("an answer is none that there is")),
        };
        reader.end()?;
        Ok(done)
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

    /// Asks it to end, and kills it when it has answered.
    #[doc(hidden)]
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
        self.family.forget(self.number);
    }
}

/// Something is under way, until this is dropped.
struct UnderWay<'a>(&'a Remote);

impl<'a> UnderWay<'a> {
    fn begin(remote: &'a Remote, number: u32) -> Self {
        remote.under_way.store(number, Ordering::Release);
        Self(remote)
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.under_way.store(0, Ordering::Release);
    }
}

/// Fails for a value that can't be written: nothing has been said then.
fn checked<'a>(value: &'a Value<'a>, name: &str) -> Result<Checked<'a>> {
    let no_exception = || Error::new(Status::Internal, "no exception");
    Checked::new(value).map_err(|error| error.into_error(name, no_exception))
}
