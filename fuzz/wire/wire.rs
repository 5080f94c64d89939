//! Any bytes as a message: it is read to its end or refused. What was read is written as it was.
#![no_main]

use libfuzzer_sys::fuzz_target;
use subpy_wire::value::{Part, Parts};
use subpy_wire::{Failure, Reader, Writer};

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

fn read(message: &[u8]) -> subpy_wire::Result<()> {
    let Some((first, message)) = message.split_first() else {
        return Ok(());
    };
    let mut reader = Reader::new(message);
    let mut writer = Writer::new(Vec::with_capacity(message.len()));
    let mut has_value = true;
    if first % 2 == 1 {
        let failure = Failure::read(&mut reader)?;
        failure.write(&mut writer);
        has_value = failure.exception.is_some();
    }
    if has_value {
        check_plain(&reader)?;
        // It has the same parts where nobody looks at the texts.
        let mut ahead = reader.clone();
        let mut unread = Parts::new(&mut ahead);
        let mut parts = Parts::new(&mut reader);
        while let Some(part) = parts.next()? {
            assert_eq!(unread.next_unread().unwrap().unwrap().items(), part.items());
            part.write(&mut writer);
        }
        assert!(unread.next_unread().unwrap().is_none());
    }
    reader.end()?;
    assert_eq!(writer.into_sink(), message);
    Ok(())
}

fuzz_target!(|message: &[u8]| {
    let _ = read(message);
});
