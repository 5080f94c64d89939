//! Errors, as messages have them.

use std::sync::Arc;

use subpy_wire::value::Part;
use subpy_wire::{
    Exception as WireException, Failure, Lost as WireLost, Malformed, Reader, Sink, Writer,
};

use super::message::Message;
use super::queues::NoQueues;
use super::values;
use super::values::{Checked, Received};
use crate::data::error::{Error, Exception, Lost, Status};

/// In the order of their numbers, from 1 on.
const STATUSES: [Status; 15] = [
    Status::InvalidArgument,
    Status::NotInitialized,
    Status::NotFound,
    Status::Busy,
    Status::NotPermitted,
    Status::Unsupported,
    Status::Exception,
    Status::Exit,
    Status::Interrupted,
    Status::Timeout,
    Status::NotShareable,
    Status::NoMemory,
    Status::Internal,
    Status::Lost,
    Status::Limit,
];

pub(super) fn write<S: Sink>(writer: &mut Writer<S>, error: &Error) {
    let exception = error.exception();
    let number = STATUSES.iter().position(|status| *status == error.status());
    Failure {
        status: number.map_or(0, |number| number as u8 + 1),
        message: error.message(),
        lost: error.how_lost().map(|lost| WireLost {
            exit_code: lost.exit_code,
            signal: lost.signal,
            traceback: &lost.traceback,
        }),
        exception: exception.map(|exception| WireException {
            type_name: &exception.type_name,
            module: &exception.class.0,
            name: &exception.class.1,
            traceback: &exception.traceback,
            exit_code: exception.exit_code,
        }),
    }
    .write(writer);
    if let Some(exception) = exception {
        match Checked::new(exception.args.get()) {
            Ok(arguments) if !arguments.has_queues() => arguments.write(writer, &NoQueues),
            _ => Part::Tuple(0).write(writer),
        }
    }
}

pub(super) fn read(message: &Arc<Message>, reader: &mut Reader<'_>) -> subpy_wire::Result<Error> {
    let failure = Failure::read(reader)?;
    let status = STATUSES.get(usize::from(failure.status).wrapping_sub(1));
    let status = *status.ok_or(Malformed("a failure has no status that there is"))?;
    if let Some(lost) = failure.lost {
        let how = Lost {
            exit_code: lost.exit_code,
            signal: lost.signal,
            traceback: lost.traceback.into(),
        };
        return Ok(Error::lost(failure.message.into(), how));
    }
    let Some(exception) = failure.exception else {
        return Ok(Error::new(status, failure.message));
    };
    if !(0..=255).contains(&exception.exit_code) {
        return Err(Malformed("an exit code is past all limits"));
    }
    let received = Received {
        message,
        queues: &NoQueues,
    };
    let exception = Exception {
        type_name: exception.type_name.into(),
        class: (exception.module.into(), exception.name.into()),
        args: Arc::new(values::read(&received, reader)?),
        traceback: exception.traceback.into(),
        exit_code: exception.exit_code,
    };
    Ok(Error::raised(status, failure.message.into(), exception))
}
