//! The process of one interpreter: it does what its host asks for, one thing after the other.

use std::os::fd::OwnedFd;

use subpy_wire::{Reader, Writer};

use super::channel::{Broken, Channel, Side};
use super::failures;
use crate::data::config::RunOptions;
use crate::data::error::{Error, Result, Status};
use crate::data::id::Id;
use crate::local::interpreter::registry;

/// What a host asks for.
pub(super) mod asks {
    /// To run a program: whether it has a file name, that, and the program.
    pub(crate) const RUN: u8 = 0;
    /// To end.
    pub(crate) const END: u8 = 1;
}

/// What a worker answers.
pub(super) mod answers {
    /// It was done.
    pub(crate) const DONE: u8 = 0;
    /// It has failed: a failure.
    pub(crate) const FAILED: u8 = 1;
}

/// Serves the host. The answer is the code that the process ends with.
pub(super) fn run(channel: &OwnedFd) -> i32 {
    // SAFETY: asks, and sets what is this process's own.
    let zygote = unsafe {
        libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
        libc::prctl(libc::PR_SET_DUMPABLE, 0);
        libc::getppid()
    };
    // SAFETY: asks.
    let is_alive = move || unsafe { libc::getppid() } == zygote;
    let Ok(mut channel) = Channel::new(channel, Side::Worker) else {
        return 1;
    };
    // It says that it is there.
    if answer(&mut channel, &is_alive, &Ok(())).is_err() {
        return 1;
    }
    loop {
        let Ok(message) = channel.receive(&is_alive) else {
            return 0;
        };
        let mut reader = Reader::new(message.bytes());
        let done = match reader.byte() {
            Ok(asks::RUN) => run_program(&mut reader),
            Ok(asks::END) => {
                let _ = answer(&mut channel, &is_alive, &Ok(()));
                return 0;
            }
            _ => return 1,
        };
        if answer(&mut channel, &is_alive, &done).is_err() {
            return 0;
        }
    }
}

fn run_program(reader: &mut Reader<'_>) -> Result<()> {
    let malformed = |error: subpy_wire::Malformed| Error::new(Status::Internal, error.to_string());
    let has_name = reader.flag().map_err(malformed)?;
    let filename = reader.text().map_err(malformed)?;
    let code = reader.bytes().map_err(malformed)?;
    let options = RunOptions {
        filename: has_name.then_some(filename),
        ..RunOptions::default()
    };
    registry::find(Id::MAIN)?.run(code, &options)
}

fn answer(
    channel: &mut Channel,
    is_alive: &dyn Fn() -> bool,
    done: &Result<()>,
) -> std::result::Result<(), Broken> {
    let mut writer = Writer::new(channel.send(is_alive));
    match done {
        Ok(()) => writer.byte(answers::DONE),
        Err(error) => {
            writer.byte(answers::FAILED);
            failures::write(&mut writer, error);
        }
    }
    writer.into_sink().finish()
}
