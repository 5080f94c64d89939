use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use subpy_wire::{Malformed, Reader, Writer};

use super::{AREA, Broken, Channel, Side, create};
use crate::data::tree::OwnedValue;
use crate::data::value::{BufferInfo, Value, View};
use crate::process::message::Message;
use crate::process::queues::NoQueues;
use crate::process::values;
use crate::process::values::Received;

fn ends() -> (Channel, Channel) {
    let file = create().unwrap();
    let end = |side| Channel::new(&file, side).unwrap();
    (end(Side::Host), end(Side::Worker))
}

fn read(message: &Arc<Message>) -> OwnedValue {
    let received = Received {
        message,
        queues: &NoQueues,
    };
    values::read(&received, &mut Reader::new(message.bytes())).unwrap()
}

const ALIVE: &dyn Fn() -> bool = &|| true;

fn send(channel: &mut Channel, value: &Value<'_>) {
    let mut writer = Writer::new(channel.send(ALIVE));
    let value = values::Checked::new(value).unwrap_or_else(|_| panic!("it can't be written"));
    value.write(&mut writer, &NoQueues);
    writer.into_sink().finish().unwrap();
}

/// A worker that sends back what it gets, so many times.
fn echo(mut worker: Channel, times: usize) -> std::thread::JoinHandle<()> {
    std::thread::spawn(move || {
        for _ in 0..times {
            let message = Arc::new(worker.receive(ALIVE).unwrap());
            let value = read(&message);
            drop(message);
            send(&mut worker, value.get());
        }
    })
}

#[test]
fn values_go_there_and_back() {
    let text = "t".repeat(AREA);
    let bytes = vec![7_u8; 3 * AREA + 1];
    let items = [
        Value::str("one"),
        Value::int(-1),
        Value::big_int("0x10000000000000000"),
    ];
    let nested = [
        Value::list(&items),
        Value::tuple(&[]),
        Value::NONE,
        Value::bool(true),
    ];
    let pairs = [
        [Value::str("key"), Value::tuple(&nested)],
        [Value::int(1), Value::float(0.5)],
    ];
    let doubles: Vec<f64> = (0..100_000).map(f64::from).collect();
    let shape = [1000, 100];
    let info = BufferInfo {
        data: doubles.as_ptr().cast_mut().cast(),
        length: size_of_val(&doubles[..]),
        format: c"d".as_ptr(),
        dimensions: 2,
        shape: shape.as_ptr(),
        ..BufferInfo::default()
    };
    // SAFETY: true.
    let buffer = unsafe { Value::buffer(&info) };
    let with_buffer = [buffer, Value::str("after")];
    let all = [
        Value::NONE,
        Value::int(i64::MIN),
        Value::str(""),
        Value::str(&text),
        Value::bytes(&bytes),
        Value::wtf8(b"\xed\xa0\x80"),
        Value::list(&[]),
        Value::dict(&[]),
        Value::dict(&pairs),
        buffer,
        Value::list(&with_buffer),
    ];
    let (mut host, worker) = ends();
    let worker = echo(worker, all.len());
    for value in &all {
        send(&mut host, value);
        let message = Arc::new(host.receive(ALIVE).unwrap());
        let read = read(&message);
        drop(message);
        assert_eq!(read.get(), value);
        if let View::Buffer(memory) = read.get().view() {
            assert_eq!(memory.as_ptr() as usize % 16, 0);
            // SAFETY: a buffer.
            let info = unsafe { &*read.get().as_raw().r#as.buffer };
            assert_eq!((info.item_size, info.dimensions), (8, 2));
        }
    }
    worker.join().unwrap();
}

#[test]
fn memory_with_strides_arrives_in_order() {
    let numbers: Vec<i32> = (0..12).collect();
    let (shape, strides) = ([2, 3], [-24, 8]);
    let info = BufferInfo {
        data: numbers[6..].as_ptr().cast_mut().cast(),
        length: 6 * 4,
        format: c"i".as_ptr(),
        dimensions: 2,
        shape: shape.as_ptr(),
        strides: strides.as_ptr(),
        ..BufferInfo::default()
    };
    let (mut host, worker) = ends();
    let worker = echo(worker, 1);
    // SAFETY: true.
    send(&mut host, &unsafe { Value::buffer(&info) });
    let message = Arc::new(host.receive(ALIVE).unwrap());
    let read = read(&message);
    let expected: Vec<u8> = [6_i32, 8, 10, 0, 2, 4]
        .iter()
        .flat_map(|n| n.to_ne_bytes())
        .collect();
    assert_eq!(read.get().view(), View::Buffer(&expected));
    worker.join().unwrap();
}

#[test]
fn who_is_gone_is_not_awaited_but_what_it_had_said_is_read() {
    let (mut host, mut worker) = ends();
    let lives = AtomicBool::new(true);
    send(&mut worker, &Value::int(1));
    lives.store(false, Ordering::Relaxed);
    let is_alive = || lives.load(Ordering::Relaxed);
    assert!(host.receive(&is_alive).is_ok());
    assert_eq!(host.receive(&is_alive).err(), Some(Broken::Gone));
    let mut writer = Writer::new(host.send(&is_alive));
    writer.put(&vec![0; 2 * AREA]);
    assert_eq!(writer.into_sink().finish(), Err(Broken::Gone));
}

#[test]
fn a_length_past_the_area_is_refused() {
    let (mut host, mut worker) = ends();
    for length in [AREA + 1, usize::MAX] {
        worker.post(length, false);
        let past = Malformed("a piece of a message is past all limits");
        assert_eq!(host.receive(ALIVE).err(), Some(Broken::Malformed(past)));
    }
}

#[test]
fn the_memory_can_not_shrink() {
    use std::os::fd::AsRawFd;
    let file = create().unwrap();
    for size in [0, 1 << 30] {
        // SAFETY: our file.
        assert_ne!(unsafe { libc::ftruncate(file.as_raw_fd(), size) }, 0);
    }
}
