//! Why a call failed.

use crate::value::kind;
use crate::{Malformed, Reader, Result, Sink, Writer};

/// Why a call failed. The arguments of an exception follow, a tuple, and then how many [`Related`] there are, and those.
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
    /// Where it was raised.
    pub frames: Vec<Frame<'a>>,
    /// How many more frames there are.
    pub frames_left_out: u64,
    /// What was noted of it.
    pub notes: Vec<&'a str>,
}

/// A place in a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    /// The file.
    pub file: &'a str,
    /// The function.
    pub function: &'a str,
    /// The text of the line.
    pub source: &'a str,
    /// The line and the column, and those of the end.
    pub place: [u32; 4],
}

impl<'a> Frame<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Self> {
        Ok(Self {
            file: reader.text()?,
            function: reader.text()?,
            source: reader.text()?,
            place: [reader.u32()?, reader.u32()?, reader.u32()?, reader.u32()?],
        })
    }

    fn write<S: Sink>(&self, writer: &mut Writer<S>) {
        for text in [self.file, self.function, self.source] {
            writer.text(text);
        }
        for number in self.place {
            writer.u32(number);
        }
    }
}

/// An exception that comes with another one. Its [`Failure`] follows, with its arguments, and no others with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Related {
    /// Why: the number of one of [`LINKS`] ways.
    pub link: u8,
    /// Which one it comes with: 0 is the one that all come with, and n the nth of those before this one.
    pub of: usize,
}

/// In how many ways exceptions are linked.
pub const LINKS: u8 = 3;

/// An exception has at most so many frames, so many notes, and so many others with it.
pub const MOST: usize = 256;

/// One frame more is the place of a SyntaxError.
const MOST_FRAMES: usize = MOST + 1;

impl Related {
    /// How many there are.
    pub fn read_count(reader: &mut Reader<'_>) -> Result<usize> {
        count(reader, MOST, "an exception has too many others")
    }

    /// Reads the nth one, from 0 on.
    pub fn read(reader: &mut Reader<'_>, n: usize) -> Result<Self> {
        let (link, of) = (reader.byte()?, reader.size()?);
        match link < LINKS && of <= n {
            true => Ok(Self { link, of }),
            false => Err(Malformed("an exception comes with none that there is")),
        }
    }

    /// Writes it.
    pub fn write<S: Sink>(&self, writer: &mut Writer<S>) {
        writer.byte(self.link);
        writer.size(self.of);
    }
}

fn count(reader: &mut Reader<'_>, most: usize, too_many: &'static str) -> Result<usize> {
    match reader.count()? {
        count if count <= most => Ok(count),
        _ => Err(Malformed(too_many)),
    }
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
                frames: (0..count(reader, MOST_FRAMES, "an exception has too many frames")?)
                    .map(|_| Frame::read(reader))
                    .collect::<Result<_>>()?,
                frames_left_out: reader.u64()?,
                notes: (0..count(reader, MOST, "an exception has too many notes")?)
                    .map(|_| reader.text())
                    .collect::<Result<_>>()?,
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
            writer.size(exception.frames.len());
            exception
                .frames
                .iter()
                .for_each(|frame| frame.write(writer));
            writer.u64(exception.frames_left_out);
            writer.size(exception.notes.len());
            exception.notes.iter().for_each(|note| writer.text(note));
        });
    }
}
