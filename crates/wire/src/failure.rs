//! Why a call failed.

use crate::value::kind;
use crate::{Malformed, Reader, Result, Sink, Writer};

/// Why a call failed. The arguments of an exception follow: a tuple.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure<'a> {
    /// One of `subpy_status`.
    pub status: u8,
    /// What went wrong.
    pub message: &'a str,
    /// How a process has ended, where that is why.
    pub lost: Option<Lost<'a>>,
    /// The exception, where it was one.
    pub exception: Option<Exception<'a>>,
}

/// How a process has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lost<'a> {
    /// The code that it has exited with.
    pub exit_code: i32,
    /// The signal that has ended it, or 0.
    pub signal: i32,
    /// Where its scripts were.
    pub traceback: &'a str,
}

/// What a Python exception leaves behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exception<'a> {
    /// The type as a traceback names it.
    pub type_name: &'a str,
    /// The module of the type.
    pub module: &'a str,
    /// Its name there.
    pub name: &'a str,
    /// The traceback as Python prints it.
    pub traceback: &'a str,
    /// Of a SystemExit: the code as the shell would see it. Else 0.
    pub exit_code: i32,
}

/// One more than the last status.
const STATUSES: u8 = 16;

impl<'a> Failure<'a> {
    /// Reads it. If it has an exception, the arguments come next, and are a tuple.
    pub fn read(reader: &mut Reader<'a>) -> Result<Self> {
        let status = reader.byte()?;
        if !(1..STATUSES).contains(&status) {
            return Err(Malformed("a failure has no status that there is"));
        }
        let message = reader.text()?;
        let lost = reader.option(|reader| {
            Ok(Lost {
                exit_code: reader.i32()?,
                signal: reader.i32()?,
                traceback: reader.text()?,
            })
        })?;
        let exception = reader.option(|reader| {
            Ok(Exception {
                type_name: reader.text()?,
                module: reader.text()?,
                name: reader.text()?,
                traceback: reader.text()?,
                exit_code: reader.i32()?,
            })
        })?;
        if exception.is_some() && reader.clone().byte()? != kind::TUPLE {
            return Err(Malformed("the arguments of an exception are no tuple"));
        }
        Ok(Self {
            status,
            message,
            lost,
            exception,
        })
    }

    /// Writes it. The arguments of an exception are to follow.
    pub fn write<S: Sink>(&self, writer: &mut Writer<S>) {
        writer.byte(self.status);
        writer.text(self.message);
        writer.option(self.lost.as_ref(), |writer, lost| {
            writer.i32(lost.exit_code);
            writer.i32(lost.signal);
            writer.text(lost.traceback);
        });
        writer.option(self.exception.as_ref(), |writer, exception| {
            writer.text(exception.type_name);
            writer.text(exception.module);
            writer.text(exception.name);
            writer.text(exception.traceback);
            writer.i32(exception.exit_code);
        });
    }
}
