//! The process of one interpreter: it does what its host asks for, one thing after the other.

use std::os::fd::OwnedFd;
use std::sync::Arc;

use subpy_wire::{Reader, Writer};

use super::channel::{Broken, Channel, Side};
use super::failures;
use super::message::Message;
use super::options::{read_call, read_run};
use super::values;
use crate::data::error::{Error, Result, Status};
use crate::data::id::Id;
use crate::data::tree::OwnedValue;
use crate::data::value::View;
use crate::local::convert::arguments::Arguments;
use crate::local::interpreter::Interpreter;
use crate::local::interpreter::registry;
use crate::local::objects::conversion_error::ConversionError;

/// What a host asks for.
pub(super) mod asks {
    /// To end.
    pub(crate) const END: u8 = 0;
    /// To run a program: its options, and the program.
    pub(crate) const RUN: u8 = 1;
    /// The value of an expression: its options, and the expression.
    pub(crate) const EVAL: u8 = 2;
    /// The value of a name: its options, and the name.
    pub(crate) const GET: u8 = 3;
    /// To give a name a value: its options, the name, and a list with the value.
    pub(crate) const SET: u8 = 4;
    /// To call something: its options, its name, a list with the arguments, and a dict with those that have names, or None.
    pub(crate) const CALL: u8 = 5;
}

/// What a worker answers.
pub(super) mod answers {
    /// It was done.
    pub(crate) const DONE: u8 = 0;
    /// It has failed: a failure.
    pub(crate) const FAILED: u8 = 1;
    /// It was done: a value.
    pub(crate) const VALUE: u8 = 2;
}

/// What was done.
enum Done {
    Nothing,
    Value(OwnedValue),
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
    if answer(&mut channel, &is_alive, &Ok(Done::Nothing)).is_err() {
        return 1;
    }
    let Ok(main) = registry::find(Id::MAIN) else {
        return 1;
    };
    loop {
        let Ok(message) = channel.receive(&is_alive) else {
            return 0;
        };
        let message = Arc::new(message);
        let mut reader = Reader::new(message.bytes());
        let asked = reader.byte();
        if asked == Ok(asks::END) {
            let _ = answer(&mut channel, &is_alive, &Ok(Done::Nothing));
            return 0;
        }
        let done = match asked.and_then(|asked| serve(&main, &message, asked, &mut reader)) {
            Ok(done) => done,
            Err(wrong) => Err(Error::new(Status::Internal, wrong.to_string())),
        };
        if answer(&mut channel, &is_alive, &done).is_err() {
            return 0;
        }
    }
}

fn serve(
    main: &Interpreter,
    message: &Arc<Message>,
    asked: u8,
    reader: &mut Reader<'_>,
) -> subpy_wire::Result<Result<Done>> {
    Ok(match asked {
        asks::RUN => {
            let options = read_run(reader)?;
            main.run(reader.bytes()?, &options).map(|()| Done::Nothing)
        }
        asks::EVAL => {
            let options = read_call(reader)?;
            main.eval(reader.bytes()?, &options).map(Done::Value)
        }
        asks::GET => {
            let options = read_call(reader)?;
            let mut value = OwnedValue::NONE;
            let got = main.get(reader.bytes()?, &options, &mut value);
            got.map(|()| Done::Value(value))
        }
        asks::SET => {
            let options = read_run(reader)?;
            let name = reader.bytes()?;
            let values = values::read(message, reader)?;
            let value = Arguments::new(values.get().items(), None);
            main.set(name, value, &options).map(|()| Done::Nothing)
        }
        asks::CALL => {
            let options = read_call(reader)?;
            let name = reader.bytes()?;
            let positional = values::read(message, reader)?;
            let named = values::read(message, reader)?;
            let has_names = named.get().view() != View::None;
            let named = has_names.then_some(named.get());
            let mut arguments = Arguments::new(positional.get().items(), named);
            let mut value = OwnedValue::NONE;
            let called = main.call(name, &mut arguments, &options, &mut value);
            called.map(|()| Done::Value(value))
        }
        _ => return Err(subpy_wire::Malformed("a host asks for what there is not")),
    })
}

fn answer(
    channel: &mut Channel,
    is_alive: &dyn Fn() -> bool,
    done: &Result<Done>,
) -> std::result::Result<(), Broken> {
    let mut writer = Writer::new(channel.send(is_alive));
    match done {
        Ok(Done::Nothing) => writer.byte(answers::DONE),
        Ok(Done::Value(value)) => {
            // What the library has made can be written.
            writer.byte(answers::VALUE);
            let _: std::result::Result<(), ConversionError> =
                values::write(&mut writer, value.get());
        }
        Err(error) => {
            writer.byte(answers::FAILED);
            failures::write(&mut writer, error);
        }
    }
    writer.into_sink().finish()
}
