//! Any bytes as a message: it is read to its end or refused. What was read is written as it was.
#![no_main]

use libfuzzer_sys::fuzz_target;
use subpy_wire::value::{Part, Parts};
use subpy_wire::{Failure, Reader, Related, Writer};

/// A list of plain values is the same where it is read at once, and part by part.
fn check_plain(message: &Reader<'_>) -> subpy_wire::Result<()> {
    let (mut at_once, mut reader) = (message.clone(), message.clone());
    let Some(count) = Part::list_of_plain(&mut at_once)? else {
        return Ok(());
    };
    let mut parts = Parts::new(&mut reader);
    assert_eq!(parts.next()?, Some(Part::List(count)));
    for _ in 0..count {
        let (plain, part) = (Part::plain(&mut at_once)?, parts.next()?);
        assert_eq!(format!("{plain:?}"), format!("{part:?}"));
    }
    assert_eq!(parts.next()?, None);
    assert_eq!(at_once.left(), reader.left());
    Ok(())
}

/// Reads a value, and writes it.
fn read_value(reader: &mut Reader<'_>, writer: &mut Writer<Vec<u8>>) -> subpy_wire::Result<()> {
    check_plain(reader)?;
    // It has the same parts where nobody looks at the texts.
    let mut ahead = reader.clone();
    let mut unread = Parts::new(&mut ahead);
    let mut parts = Parts::new(reader);
    while let Some(part) = parts.next()? {
        assert_eq!(unread.next_unread().unwrap().unwrap().items(), part.items());
        part.write(writer);
    }
    assert!(unread.next_unread().unwrap().is_none());
    Ok(())
}

/// Reads a failure, with its arguments if it is an exception, and writes it. The answer is whether it is one.
fn read_failure(reader: &mut Reader<'_>, writer: &mut Writer<Vec<u8>>) -> subpy_wire::Result<bool> {
    let failure = Failure::read(reader)?;
    failure.write(writer);
    if failure.exception.is_some() {
        read_value(reader, writer)?;
    }
    Ok(failure.exception.is_some())
}

fn read(message: &[u8]) -> subpy_wire::Result<()> {
    let Some((first, message)) = message.split_first() else {
        return Ok(());
    };
    let mut reader = Reader::new(message);
    let mut writer = Writer::new(Vec::with_capacity(message.len()));
    if first % 2 == 0 {
        read_value(&mut reader, &mut writer)?;
    } else if read_failure(&mut reader, &mut writer)? {
        let count = Related::read_count(&mut reader)?;
        writer.size(count);
        for n in 0..count {
            Related::read(&mut reader, n)?.write(&mut writer);
            read_failure(&mut reader, &mut writer)?;
        }
    }
    reader.end()?;
    assert_eq!(writer.into_sink(), message);
    Ok(())
}

fuzz_target!(|message: &[u8]| {
    let _ = read(message);
});
