//! What scripts do with interpreters, as messages have it.

use subpy_wire::{Malformed, Reader, Sink, Writer};

use super::options::{read_id, read_places, write_id, write_places};
use super::queues::QueueEnds;
use super::values;
use super::values::{Checked, Received};
use crate::data::config::Backend;
use crate::data::id::Id;
use crate::data::operation::{CreateOptions, Operation};
use crate::data::tree::OwnedValue;
use crate::local::objects::conversion_error::Converted;

/// Which one it is: the first byte. Its interpreter follows, where it has one.
mod codes {
    pub(super) const LIST_ALL: u8 = 0;
    pub(super) const IS_RUNNING: u8 = 1;
    pub(super) const WHENCE: u8 = 2;
    /// The options, and where it imports from.
    pub(super) const CREATE: u8 = 3;
    pub(super) const DESTROY: u8 = 4;
    /// A program.
    pub(super) const RUN: u8 = 5;
    /// A program, and names for it.
    pub(super) const RUN_UNRESTRICTED: u8 = 6;
    /// The name of a function, and a list with its arguments.
    pub(super) const CALL: u8 = 7;
    pub(super) const COUNT_OBJECTS: u8 = 8;
    pub(super) const RETAIN: u8 = 9;
    pub(super) const RELEASE: u8 = 10;
    pub(super) const ROOM: u8 = 11;
}

/// One that can be written.
pub(super) struct CheckedOperation<'a> {
    operation: &'a Operation<'a>,
    value: Option<Checked<'a>>,
}

impl<'a> CheckedOperation<'a> {
    /// Fails for one with values that can't: nothing was written then.
    pub(super) fn new(operation: &'a Operation<'a>) -> Converted<Self> {
        let value = match operation {
            Operation::RunUnrestricted(_, _, names) => Some(Checked::of_python(names)?),
            Operation::Call(_, _, arguments) => Some(Checked::list_of_python(arguments)?),
            _ => None,
        };
        Ok(Self { operation, value })
    }

    pub(super) fn write<S: Sink>(&self, writer: &mut Writer<S>, ends: &dyn QueueEnds) {
        let mut of = |code: u8, id: Id| {
            writer.byte(code);
            write_id(writer, id);
        };
        match *self.operation {
            Operation::ListAll => writer.byte(codes::LIST_ALL),
            Operation::Room => writer.byte(codes::ROOM),
            Operation::IsRunning(id) => of(codes::IS_RUNNING, id),
            Operation::Whence(id) => of(codes::WHENCE, id),
            Operation::Create(ref options, ref path) => {
                writer.byte(codes::CREATE);
                write_options(writer, options);
                write_places(writer, Some(path));
            }
            Operation::Destroy(id) => of(codes::DESTROY, id),
            Operation::Run(id, program) => {
                of(codes::RUN, id);
                writer.bytes(program);
            }
            Operation::RunUnrestricted(id, program, _) => {
                of(codes::RUN_UNRESTRICTED, id);
                writer.bytes(program);
            }
            Operation::Call(id, function, _) => {
                of(codes::CALL, id);
                writer.text(function);
            }
            Operation::CountObjects(id) => of(codes::COUNT_OBJECTS, id),
            Operation::Retain(id) => of(codes::RETAIN, id),
            Operation::Release(id) => of(codes::RELEASE, id),
        }
        self.value
            .iter()
            .for_each(|value| value.write(writer, ends));
    }
}

/// Reads one, to the message's end, and does `operate` with it.
pub(super) fn read<T>(
    received: &Received<'_>,
    reader: &mut Reader<'_>,
    operate: impl FnOnce(&Operation<'_>) -> T,
) -> subpy_wire::Result<T> {
    let values: OwnedValue;
    let operation = match reader.byte()? {
        codes::LIST_ALL => Operation::ListAll,
        codes::ROOM => Operation::Room,
        codes::IS_RUNNING => Operation::IsRunning(read_id(reader)?),
        codes::WHENCE => Operation::Whence(read_id(reader)?),
        codes::CREATE => {
            let options = read_options(reader)?;
            Operation::Create(options, read_places(reader)?.unwrap_or_default())
        }
        codes::DESTROY => Operation::Destroy(read_id(reader)?),
        codes::RUN => Operation::Run(read_id(reader)?, reader.bytes()?),
        codes::RUN_UNRESTRICTED => {
            let (id, program) = (read_id(reader)?, reader.bytes()?);
            values = values::read(received, reader)?;
            Operation::RunUnrestricted(id, program, values.get())
        }
        codes::CALL => {
            let (id, function) = (read_id(reader)?, reader.text()?);
            values = values::read_list(received, reader, false)?;
            Operation::Call(id, function, values.get().items())
        }
        codes::COUNT_OBJECTS => Operation::CountObjects(read_id(reader)?),
        codes::RETAIN => Operation::Retain(read_id(reader)?),
        codes::RELEASE => Operation::Release(read_id(reader)?),
        _ => return Err(Malformed("a script does what there is not")),
    };
    reader.end()?;
    Ok(operate(&operation))
}

fn write_options<S: Sink>(writer: &mut Writer<S>, options: &CreateOptions) {
    let is_process = options.backend.map(|backend| backend == Backend::Process);
    let flags = [
        is_process,
        options.allow_fork,
        options.allow_exec,
        options.allow_threads,
        options.allow_daemon_threads,
        options.share_environment,
        options.allow_interpreters,
    ];
    for flag in flags {
        writer.option(flag, Writer::flag);
    }
    let limits = [
        options.interpreter_limit.map(u64::from),
        options.memory_limit,
    ];
    for limit in limits {
        writer.option(limit, Writer::u64);
    }
}

fn read_options(reader: &mut Reader<'_>) -> subpy_wire::Result<CreateOptions> {
    let is_process = reader.option(Reader::flag)?;
    Ok(CreateOptions {
        backend: is_process.map(|is_process| match is_process {
            true => Backend::Process,
            false => Backend::Local,
        }),
        allow_fork: reader.option(Reader::flag)?,
        allow_exec: reader.option(Reader::flag)?,
        allow_threads: reader.option(Reader::flag)?,
        allow_daemon_threads: reader.option(Reader::flag)?,
        share_environment: reader.option(Reader::flag)?,
        allow_interpreters: reader.option(Reader::flag)?,
        interpreter_limit: {
            let limit = reader.option(Reader::u64)?;
            limit.map(|limit| limit.try_into().unwrap_or(u32::MAX))
        },
        memory_limit: reader.option(Reader::u64)?,
    })
}
