//! Options of calls, as messages have them. The host asks itself what becomes of a run that is out of time.

use std::time::Duration;

use subpy_wire::{Malformed, Reader, Sink, Writer};

use crate::data::config::{Budget, CallOptions, RunOptions};
use crate::data::conversion::{Buffers, Conversion};

pub(super) fn write_run<S: Sink>(writer: &mut Writer<S>, options: &RunOptions<'_>) {
    writer.flag(options.filename.is_some());
    writer.text(options.filename.unwrap_or_default());
    write_time(writer, options.timeout);
    writer.flag(options.measure);
    write_time(writer, options.budget.cpu);
    writer.flag(options.budget.output.is_some());
    writer.u64(options.budget.output.unwrap_or_default());
}

pub(super) fn read_run<'a>(reader: &mut Reader<'a>) -> subpy_wire::Result<RunOptions<'a>> {
    let has_name = reader.flag()?;
    let filename = reader.text()?;
    let timeout = read_time(reader)?;
    let measure = reader.flag()?;
    let cpu = read_time(reader)?;
    let has_output = reader.flag()?;
    let output = reader.u64()?;
    Ok(RunOptions {
        filename: has_name.then_some(filename),
        timeout,
        on_deadline: None,
        measure,
        budget: Budget {
            cpu,
            output: has_output.then_some(output),
        },
    })
}

pub(super) fn write_call<S: Sink>(writer: &mut Writer<S>, options: &CallOptions<'_>) {
    write_run(writer, &options.run);
    writer.flag(options.conversion.is_some());
    let conversion = options.conversion.unwrap_or_default();
    writer.flag(conversion.lossless_text);
    writer.flag(conversion.pin_bytes);
    writer.flag(conversion.strided);
    writer.byte(match conversion.buffers {
        Buffers::All => 0,
        Buffers::Views => 1,
        Buffers::None => 2,
    });
    writer.flag(conversion.exact);
}

pub(super) fn read_call<'a>(reader: &mut Reader<'a>) -> subpy_wire::Result<CallOptions<'a>> {
    let run = read_run(reader)?;
    let has_conversion = reader.flag()?;
    let conversion = Conversion {
        lossless_text: reader.flag()?,
        pin_bytes: reader.flag()?,
        strided: reader.flag()?,
        buffers: match reader.byte()? {
            0 => Buffers::All,
            1 => Buffers::Views,
            2 => Buffers::None,
            _ => return Err(Malformed("there are no such buffers")),
        },
        exact: reader.flag()?,
    };
    Ok(CallOptions {
        conversion: has_conversion.then_some(conversion),
        run,
    })
}

fn write_time<S: Sink>(writer: &mut Writer<S>, time: Option<Duration>) {
    writer.flag(time.is_some());
    let nanoseconds = time.unwrap_or_default().as_nanos();
    writer.u64(u64::try_from(nanoseconds).unwrap_or(u64::MAX));
}

fn read_time(reader: &mut Reader<'_>) -> subpy_wire::Result<Option<Duration>> {
    let is_there = reader.flag()?;
    let time = Duration::from_nanos(reader.u64()?);
    Ok(is_there.then_some(time))
}
