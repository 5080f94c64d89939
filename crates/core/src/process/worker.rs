//! The process of one interpreter: it does what its host asks for, one thing after the other.

use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use subpy_wire::{Reader, Writer};

use super::channel::{Broken, Channel, Sending, Side};
use super::failures;
use super::message::Message;
use super::options::{read_call, read_run};
use super::values;
use super::values::Checked;
use crate::data::config::Output;
use crate::data::error::{Error, Result, Status};
use crate::data::id::Id;
use crate::data::tree::OwnedValue;
use crate::data::value::View;
use crate::local::convert::arguments::Arguments;
use crate::local::interpreter::Interpreter;
use crate::local::interpreter::registry;
use crate::util::thread::Thread;

/// What a host asks for.
pub(super) mod asks {
    /// To end.
    pub(crate) const END: u8 = 0;
    /// To be as its config says: whether stdout is taken, whether stderr is, and whether they take any bytes.
    pub(crate) const PREPARE: u8 = 1;
    /// To run a program: its options, and the program.
    pub(crate) const RUN: u8 = 2;
    /// The value of an expression: its options, and the expression.
    pub(crate) const EVAL: u8 = 3;
    /// The value of a name: its options, and the name.
    pub(crate) const GET: u8 = 4;
    /// To give a name a value: its options, the name, and a list with the value.
    pub(crate) const SET: u8 = 5;
    /// To call something: its options, its name, a list with the arguments, and a dict with those that have names, or None.
    pub(crate) const CALL: u8 = 6;
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

/// What a worker asks for while it does something.
pub(super) mod wants {
    /// To hand on what was written: whether it is for stderr, and that.
    pub(crate) const OUTPUT: u8 = 16;
}

/// What was done.
enum Done {
    Nothing,
    Value(OwnedValue),
}

/// A worker's end of its channel.
struct Worker {
    main: Interpreter,
    /// Held for a message and its answer, and not while something is done. A thread of a script's that has something to
    /// say while the host asks for nothing waits for the next time that it does.
    channel: Mutex<Channel>,
    /// Held while that is asked to end, so that nothing else is.
    under_way: Mutex<UnderWay>,
    zygote: libc::pid_t,
}

/// What the host has asked for, by its number.
#[derive(Default)]
struct UnderWay {
    /// What is done; 0: nothing is.
    now: u32,
    /// What has ended last.
    ended: u32,
}

/// Serves the host, as a child of this zygote. The answer is the code that the process ends with.
pub(super) fn run(file: OwnedFd, zygote: libc::pid_t) -> i32 {
    // SAFETY: sets what is this process's own.
    unsafe {
        libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
        libc::prctl(libc::PR_SET_DUMPABLE, 0);
    }
    let channels = || Channel::new(&file, Side::Worker);
    let (Ok(channel), Ok(interrupts), Ok(main)) =
        (channels(), channels(), registry::find(Id::MAIN))
    else {
        return 1;
    };
    drop(file);
    let worker = Arc::new(Worker {
        main,
        channel: Mutex::new(channel),
        under_way: Mutex::default(),
        zygote,
    });
    let control = worker.clone();
    if Thread::start(c"subpy control", move || {
        control.serve_interrupts(&interrupts)
    })
    .is_err()
    {
        return 1;
    }
    worker.serve_to_the_end().map_or(1, |()| 0)
}

impl Worker {
    /// Whether the host is there: the zygote ends with it.
    fn is_alive(&self) -> bool {
        // SAFETY: asks.
        self.zygote == unsafe { libc::getppid() }
    }

    fn channel(&self) -> MutexGuard<'_, Channel> {
        self.channel.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn receive(&self, channel: &mut Channel) -> std::result::Result<Arc<Message>, Broken> {
        channel.receive(&|| self.is_alive()).map(Arc::new)
    }

    fn under_way(&self) -> MutexGuard<'_, UnderWay> {
        self.under_way
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Has what is under way end, if the host wants it: again until it has, since it may not have begun to run.
    fn serve_interrupts(&self, interrupts: &Channel) -> ! {
        const AGAIN: Duration = Duration::from_millis(5);
        let (mut seen, mut last) = (0, 0);
        loop {
            seen = interrupts.wait_for_interrupt(seen);
            while seen != last {
                let under_way = self.under_way();
                if under_way.now == seen {
                    let _ = self.main.interrupt();
                } else if under_way.now != 0 || under_way.ended == seen {
                    last = seen;
                }
                drop(under_way);
                std::thread::sleep(AGAIN);
            }
        }
    }

    fn serve_to_the_end(self: &Arc<Self>) -> std::result::Result<(), Broken> {
        let mut channel = self.channel();
        loop {
            let message = self.receive(&mut channel)?;
            let mut reader = Reader::new(message.bytes());
            let asked = reader.byte()?;
            if asked == asks::END {
                return self.answer(&mut channel, &Ok(Done::Nothing));
            }
            let number = channel.next_number();
            drop(channel);
            self.under_way().now = number;
            let done = self.serve(&message, asked, &mut reader);
            *self.under_way() = UnderWay {
                now: 0,
                ended: number,
            };
            channel = self.channel();
            self.answer(&mut channel, &done)?;
        }
    }

    fn serve(
        self: &Arc<Self>,
        message: &Arc<Message>,
        asked: u8,
        reader: &mut Reader<'_>,
    ) -> Result<Done> {
        match asked {
            asks::PREPARE => self.prepare(reader),
            asked => serve(&self.main, message, asked, reader),
        }
        .unwrap_or_else(|wrong| Err(Error::new(Status::Internal, wrong.to_string())))
    }

    fn answer(
        &self,
        channel: &mut Channel,
        done: &Result<Done>,
    ) -> std::result::Result<(), Broken> {
        let is_alive = || self.is_alive();
        let mut writer = Writer::new(channel.send(&is_alive));
        let value = match done {
            Ok(Done::Value(value)) => Checked::new(value.get()).map(Some),
            _ => Ok(None),
        };
        match (done, value) {
            (Err(error), _) => {
                writer.byte(answers::FAILED);
                failures::write(&mut writer, error);
            }
            (Ok(_), Ok(None)) => writer.byte(answers::DONE),
            (Ok(_), Ok(Some(value))) => {
                writer.byte(answers::VALUE);
                value.write(&mut writer);
            }
            (Ok(_), Err(error)) => {
                let no_exception = || Error::new(Status::Internal, "no exception");
                writer.byte(answers::FAILED);
                failures::write(&mut writer, &error.into_error("result", no_exception));
            }
        }
        writer.into_sink().finish()
    }

    /// Has the host do something, and waits until it has.
    fn want(
        &self,
        write: impl FnOnce(&mut Writer<Sending<'_>>),
    ) -> std::result::Result<(), Broken> {
        let mut channel = self.channel();
        let is_alive = || self.is_alive();
        let mut writer = Writer::new(channel.send(&is_alive));
        write(&mut writer);
        writer.into_sink().finish()?;
        self.receive(&mut channel).map(drop)
    }

    fn prepare(self: &Arc<Self>, reader: &mut Reader<'_>) -> subpy_wire::Result<Result<Done>> {
        let (stdout, stderr, bytes) = (reader.flag()?, reader.flag()?, reader.flag()?);
        let output = |is_taken: bool, is_stderr: bool| {
            let worker = self.clone();
            let hand_on = move |piece: &[u8]| {
                // A host that is gone misses nothing.
                let _ = worker.want(|writer| {
                    writer.byte(wants::OUTPUT);
                    writer.flag(is_stderr);
                    writer.bytes(piece);
                });
            };
            is_taken.then(|| Box::new(hand_on) as Output)
        };
        let (stdout, stderr) = (output(stdout, false), output(stderr, true));
        let taken = self.main.take_streams(stdout, stderr, bytes);
        Ok(taken.map(|()| Done::Nothing))
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
