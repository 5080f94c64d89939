//! An interpreter in a process of its own, as the host has it.

use std::os::fd::{AsRawFd, OwnedFd};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, TryLockError};

use subpy_wire::{Reader, Writer};

use super::channel::{Broken, Channel, Side};
use super::failures;
use super::family::{Family, Forked};
use super::socket;
use super::worker::{answers, asks};
use crate::data::config::RunOptions;
use crate::data::error::{Error, Result, Status};

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
        let mut channel = self.channel()?;
        self.not_lost()?;
        let is_alive = || self.is_alive();
        let mut writer = Writer::new(channel.send(&is_alive));
        writer.byte(asks::RUN);
        writer.flag(options.filename.is_some());
        writer.text(options.filename.unwrap_or_default());
        writer.bytes(code);
        let sent = writer.into_sink().finish();
        sent.map_err(|broken| self.lose(broken))?;
        self.answer(&mut channel)
    }

    /// Waits for an answer.
    fn answer(&self, channel: &mut Channel) -> Result<()> {
        let message = channel.receive(&|| self.is_alive());
        let message = Arc::new(message.map_err(|broken| self.lose(broken))?);
        let mut reader = Reader::new(message.bytes());
        let read = |reader: &mut Reader<'_>| match reader.byte()? {
            answers::DONE => Ok(Ok(())),
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
