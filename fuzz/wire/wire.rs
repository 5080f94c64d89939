//! Any bytes as a message: it is read to its end or refused. What was read is written as it was.
#![no_main]

use libfuzzer_sys::fuzz_target;
use subpy_wire::value::Parts;
use subpy_wire::{Failure, Reader, Writer};

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
