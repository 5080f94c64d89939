//! Errors, as messages have them.

use std::sync::Arc;

use subpy_wire::value::Part;
use subpy_wire::{
    Exception as WireException, Failure, Frame as WireFrame, Lost as WireLost, MOST, Malformed,
    Reader, Related as WireRelated, Sink, Writer,
};

use super::message::Message;
use super::queues::NoQueues;
use super::values;
use super::values::{Checked, Received};
use crate::data::error::{
    Error, Exception, Frame, Link, Lost, MOST_FRAMES, MOST_NOTES, MOST_RELATED, Related, Status,
};

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

/// In the order of their numbers.
const LINKS: [Link; subpy_wire::LINKS as usize] = [Link::Cause, Link::Context, Link::Member];

const _: () = assert!(MOST_FRAMES == MOST && MOST_NOTES == MOST && MOST_RELATED == MOST);

pub(super) fn write<S: Sink>(writer: &mut Writer<S>, error: &Error) {
    write_one(writer, error);
    let Some(exception) = error.exception() else {
        return;
    };
    writer.size(exception.related.len());
    for related in &exception.related {
        let link = LINKS.iter().position(|link| *link == related.link);
        let link = link.map_or(0, |link| link as u8);
        let of = related.of;
        WireRelated { link, of }.write(writer);
        write_one(writer, &related.error);
    }
}

/// An error without those that come with it.
fn write_one<S: Sink>(writer: &mut Writer<S>, error: &Error) {
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
            frames: exception.frames.iter().map(frame_to_wire).collect(),
            frames_left_out: exception.frames_left_out as u64,
            notes: exception.notes.iter().map(String::as_str).collect(),
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

fn frame_to_wire(frame: &Frame) -> WireFrame<'_> {
    WireFrame {
        file: &frame.file,
        function: &frame.function,
        source: &frame.source,
        place: [frame.line, frame.column, frame.end_line, frame.end_column],
    }
}

fn frame_from_wire(frame: &WireFrame<'_>) -> Frame {
    let [line, column, end_line, end_column] = frame.place;
    Frame {
        file: frame.file.into(),
        function: frame.function.into(),
        line,
        column,
        end_line,
        end_column,
        source: frame.source.into(),
    }
}

pub(super) fn read(message: &Arc<Message>, reader: &mut Reader<'_>) -> subpy_wire::Result<Error> {
    let mut error = read_one(message, reader)?;
    let Some(exception) = error.exception_mut() else {
        return Ok(error);
    };
    for n in 0..WireRelated::read_count(reader)? {
        let WireRelated { link, of } = WireRelated::read(reader, n)?;
        let error = read_one(message, reader)?;
        if error.exception().is_none() {
            return Err(Malformed("what comes with an exception is none"));
        }
        let link = LINKS[usize::from(link)];
        exception.related.push(Related { link, of, error });
    }
    Ok(error)
}

/// An error without those that come with it.
fn read_one(message: &Arc<Message>, reader: &mut Reader<'_>) -> subpy_wire::Result<Error> {
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
        frames: exception.frames.iter().map(frame_from_wire).collect(),
        frames_left_out: exception.frames_left_out as usize,
        notes: exception.notes.into_iter().map(Into::into).collect(),
        related: Vec::new(),
    };
    Ok(Error::raised(status, failure.message.into(), exception))
}
