//! Random values come out as they went in; random messages are read to their end or refused, in bounded time and memory.

use subpy_wire::value::{MAX_DEPTH, Part, Parts};
use subpy_wire::{
    Buffer, DateTime, Exception, Failure, Frame, Lost, Queue, QueueRules, Reader, Related,
    Timedelta, Writer,
};

/// xorshift64*.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() >> 33) as usize % limit
    }

    fn bytes(&mut self, most: usize) -> Vec<u8> {
        (0..self.below(most + 1))
            .map(|_| self.next() as u8)
            .collect()
    }

    fn text(&mut self) -> String {
        (0..self.below(9))
            .filter_map(|_| char::from_u32(self.next() as u32 & 0x3_ffff))
            .collect()
    }
}

/// Any point in time.
fn datetime(random: &mut Random) -> DateTime {
    DateTime {
        year: 1 + random.below(9999) as u16,
        month: 1 + random.below(12) as u8,
        day: 1 + random.below(28) as u8,
        hour: random.below(24) as u8,
        minute: random.below(60) as u8,
        second: random.below(60) as u8,
        microsecond: random.below(1_000_000) as u32,
        fold: random.below(2) == 1,
        utc_offset: (random.below(2) == 1)
            .then(|| random.below(172_799) as i64 * 999_999 - 86_399_000_000),
    }
}

/// Writes a random value. The answer is what it is, as text.
fn write_value(random: &mut Random, writer: &mut Writer<Vec<u8>>, depth: usize) -> String {
    let (text, bytes) = (random.text(), random.bytes(20));
    let small = ["0", "-0x1f", "+12_000", "0b101"][random.below(4)];
    let part = match random.below(if depth < 6 { 22 } else { 17 }) {
        0 => Part::None,
        1 => Part::Bool(random.below(2) == 1),
        2 => Part::Int(random.next() as i64),
        3 => Part::Float(random.below(1000) as f64 / 8.0),
        4 => Part::Str(text.as_bytes()),
        5 => Part::Bytes(&bytes),
        6 => Part::BigInt(small.as_bytes()),
        7 => Part::Wtf8(b"a\xed\xa0\x80\xed\xbf\xbfz"),
        8 => {
            let doubles: Vec<u8> = (0..6 * 8).map(|byte| byte as u8).collect();
            writer.byte(subpy_wire::value::kind::BUFFER);
            let shape = [2, 3].into_iter();
            Buffer::write_of(writer, (8, random.below(2) == 1, "<d"), shape, &doubles);
            return format!("buffer of {doubles:?} in [2, 3]");
        }
        9 => Part::Queue(Queue {
            id: random.next(),
            rules: QueueRules {
                maxsize: random.next() as i64,
                takes_pickles: random.below(2) == 1,
                if_gone: random.below(4) as u8,
            },
        }),
        10 => Part::Complex(random.below(9) as f64, -0.5),
        11 => Part::DateTime(datetime(random)),
        12 => Part::Date(DateTime {
            hour: 0,
            minute: 0,
            second: 0,
            microsecond: 0,
            fold: false,
            utc_offset: None,
            ..datetime(random)
        }),
        13 => Part::Time(DateTime {
            year: 0,
            month: 0,
            day: 0,
            ..datetime(random)
        }),
        14 => Part::Timedelta(Timedelta {
            days: random.below(1_999_999_999) as i32 - 999_999_999,
            seconds: random.below(86_400) as i32,
            microseconds: random.below(1_000_000) as i32,
        }),
        15 => Part::Decimal(["-1.50", "1E+3", "NaN"][random.below(3)].as_bytes()),
        16 => Part::Uuid([random.next() as u8; 16]),
        17 => Part::Set(random.below(5)),
        18 => Part::FrozenSet(random.below(5)),
        19 => Part::Tuple(random.below(5)),
        20 => Part::List(random.below(5)),
        _ => Part::Dict(random.below(4)),
    };
    part.write(writer);
    let items: Vec<String> = (0..part.items())
        .map(|_| write_value(random, writer, depth + 1))
        .collect();
    format!("{part:?} {items:?}")
}

/// The same of what is read.
fn read_value(parts: &mut Parts<'_, '_>) -> String {
    let part = parts.next().unwrap().unwrap();
    if let Part::Buffer(buffer) = &part {
        let shape: Vec<u64> = buffer.shape().collect();
        return format!("buffer of {:?} in {shape:?}", buffer.memory);
    }
    let items: Vec<String> = (0..part.items()).map(|_| read_value(parts)).collect();
    format!("{part:?} {items:?}")
}

fn message(random: &mut Random) -> (Vec<u8>, String) {
    let mut writer = Writer::new(Vec::new());
    let written = write_value(random, &mut writer, 0);
    (writer.into_sink(), written)
}

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

/// How many parts a message has; `Err`: it is refused. Without a look at its texts it has as many.
fn parts_of(message: &[u8]) -> subpy_wire::Result<usize> {
    let mut reader = Reader::new(message);
    check_plain(&reader)?;
    let mut unread = reader.clone();
    let mut bytes = Parts::new(&mut unread);
    let mut parts = Parts::new(&mut reader);
    let mut count = 0;
    while let Some(part) = parts.next()? {
        let same = bytes.next_unread()?;
        assert_eq!(same.map(|same| same.items()), Some(part.items()));
        assert!(part.items() <= message.len());
        count += 1;
    }
    reader.end().map(|()| count)
}

#[test]
fn values_come_out_as_they_went_in() {
    let mut random = Random(1);
    for _ in 0..20_000 {
        let (message, written) = message(&mut random);
        let mut reader = Reader::new(&message);
        let mut parts = Parts::new(&mut reader);
        assert_eq!(read_value(&mut parts), written);
        assert_eq!(parts.next(), Ok(None));
        assert_eq!(reader.end(), Ok(()));
    }
}

#[test]
fn a_message_that_is_cut_off_is_refused() {
    let mut random = Random(2);
    for _ in 0..300 {
        let (message, _) = message(&mut random);
        for length in 0..message.len() {
            assert!(parts_of(&message[..length]).is_err());
        }
        let longer = [&message[..], &[0]].concat();
        assert!(parts_of(&longer).is_err());
    }
}

#[test]
fn a_changed_message_is_read_or_refused() {
    let mut random = Random(3);
    let (mut read, mut refused) = (0, 0);
    for _ in 0..100_000 {
        let (mut message, _) = message(&mut random);
        for _ in 0..=random.below(3) {
            let place = random.below(message.len());
            message[place] = [0, 1, 255, 128, random.next() as u8][random.below(5)];
        }
        match parts_of(&message) {
            Ok(parts) => {
                assert!(parts <= message.len());
                read += 1;
            }
            Err(_) => refused += 1,
        }
    }
    assert!(read > 1000 && refused > 1000, "{read} {refused}");
}

#[test]
fn depth_is_limited() {
    let nested = |depth: usize| {
        let mut writer = Writer::new(Vec::new());
        (0..depth).for_each(|_| Part::List(1).write(&mut writer));
        Part::None.write(&mut writer);
        parts_of(&writer.into_sink())
    };
    assert_eq!(nested(MAX_DEPTH), Ok(MAX_DEPTH + 1));
    assert_eq!(
        nested(MAX_DEPTH + 1).unwrap_err().0,
        "a value is nested too deeply"
    );
    assert_eq!(
        nested(100_000).unwrap_err().0,
        "a value is nested too deeply"
    );
}

#[test]
fn what_is_wrong_is_said() {
    use subpy_wire::value::kind::*;
    let size = |size: u64| size.to_ne_bytes();
    let with = |kind: u8, rest: &[&[u8]]| [&[kind][..], &rest.concat()].concat();
    // An item of 8 bytes, read-only, "<d" or so, one dimension of 1, 8 bytes.
    let buffer = |format: &[u8], item: u64, dimensions: u8, items: u64, length: u64| {
        let mut message = with(
            BUFFER,
            &[&size(item), &[0], &size(2), format, &[0, dimensions]],
        );
        message.extend(size(items));
        message.extend(size(length));
        message.resize(message.len().next_multiple_of(16), 0);
        message.extend([0; 8]);
        message
    };
    assert_eq!(parts_of(&buffer(b"<d", 8, 1, 1, 8)), Ok(1));
    for (message, why) in [
        (vec![], "it ends too early"),
        (vec![99], "a value is of no kind that there is"),
        (vec![NONE, NONE], "there is more than a message"),
        (vec![BOOL, 2], "a flag is neither 0 nor 1"),
        (
            with(QUEUE, &[&size(1), &size(0), &[1, 4]]),
            "nothing that there is becomes of an item",
        ),
        (with(STR, &[&size(1), b"\xff\0"]), "a text is not UTF-8"),
        (
            with(STR, &[&size(1), b"ab"]),
            "a text does not end in a NUL",
        ),
        (with(STR, &[&size(u64::MAX), b"ab"]), "it ends too early"),
        (with(BIG_INT, &[&size(1), b"-\0"]), "an int is no number"),
        (with(BIG_INT, &[&size(2), b"1.\0"]), "an int is no number"),
        (
            with(WTF8, &[&size(1), b"\xff\0"]),
            "a text is not even generalized UTF-8",
        ),
        (
            with(TUPLE, &[&size(1)]),
            "there are fewer things than it says",
        ),
        (
            with(LIST, &[&size(u64::MAX)]),
            "there are fewer things than it says",
        ),
        (
            with(DICT, &[&size(1), &[NONE]]),
            "a dict has fewer pairs than it says",
        ),
        (
            buffer(b"<d", 8, 65, 1, 8),
            "a buffer has too many dimensions",
        ),
        (
            buffer(b"<d", 8, 1, 2, 8),
            "a buffer is not as large as its items",
        ),
        (
            buffer(b"<d", 8, 1, 1 << 62, 8),
            "a buffer is not as large as its items",
        ),
        (
            buffer(b"2d", 8, 1, 1, 8),
            "a buffer's items are not what its format says",
        ),
        (
            buffer(b" O", 8, 1, 1, 8),
            "a buffer's items are not what its format says",
        ),
        (
            buffer(b"  ", 8, 1, 1, 8),
            "a buffer's items are not what its format says",
        ),
    ] {
        assert_eq!(parts_of(&message).unwrap_err().0, why, "{message:?}");
    }
    let mut gap = buffer(b"<d", 8, 1, 1, 8);
    let place = gap.len() - 9;
    gap[place] = 1;
    assert_eq!(
        parts_of(&gap).unwrap_err().to_string(),
        "a gap is not empty"
    );
}

#[test]
fn failures() {
    let exception = Exception {
        type_name: "ValueError",
        module: "builtins",
        name: "ValueError",
        traceback: "Traceback",
        exit_code: -3,
        frames: vec![
            Frame {
                file: "a.py",
                function: "f",
                source: "x = 1",
                place: [1, 2, u32::MAX, 4],
            };
            257
        ],
        frames_left_out: u64::MAX,
        notes: vec!["note"; 256],
    };
    let lost = Lost {
        exit_code: 3,
        signal: 9,
        traceback: "Stack",
    };
    for (lost, exception) in [(None, None), (None, Some(exception)), (Some(lost), None)] {
        let failure = Failure {
            status: 7,
            message: "why",
            lost,
            exception,
        };
        let mut writer = Writer::new(Vec::new());
        failure.write(&mut writer);
        if failure.exception.is_some() {
            Part::Tuple(0).write(&mut writer);
        }
        let message = writer.into_sink();
        assert_eq!(Failure::read(&mut Reader::new(&message)), Ok(failure));
    }
    let read = |status, arguments: &[u8]| {
        let mut writer = Writer::new(Vec::new());
        writer.byte(status);
        writer.text("why");
        writer.flag(false);
        writer.flag(true);
        (0..4).for_each(|_| writer.text(""));
        writer.i32(0);
        (0..3).for_each(|_| writer.size(0));
        writer.put(arguments);
        let message = writer.into_sink();
        Failure::read(&mut Reader::new(&message))
            .map(|_| ())
            .map_err(|wrong| wrong.0)
    };
    for status in [0, 16, 255] {
        assert_eq!(
            read(status, &[6]),
            Err("a failure has no status that there is")
        );
    }
    assert_eq!(
        read(7, &[7]),
        Err("the arguments of an exception are no tuple")
    );
    assert_eq!(read(7, &[]), Err("it ends too early"));
}

#[test]
fn no_more_than_there_may_be() {
    let read = |frames: usize, notes: usize| {
        let mut writer = Writer::new(Vec::new());
        writer.byte(7);
        writer.text("why");
        writer.flag(false);
        writer.flag(true);
        (0..4).for_each(|_| writer.text(""));
        writer.i32(0);
        writer.size(frames);
        for _ in 0..frames {
            (0..3).for_each(|_| writer.text(""));
            (0..4).for_each(|_| writer.u32(0));
        }
        writer.u64(0);
        writer.size(notes);
        (0..notes).for_each(|_| writer.text(""));
        Part::Tuple(0).write(&mut writer);
        let message = writer.into_sink();
        Failure::read(&mut Reader::new(&message))
            .map(|_| ())
            .map_err(|wrong| wrong.0)
    };
    assert_eq!(read(257, 256), Ok(()));
    assert_eq!(read(258, 0), Err("an exception has too many frames"));
    assert_eq!(read(0, 257), Err("an exception has too many notes"));
}

#[test]
fn an_exception_comes_with_one_before_it() {
    let read = |link: u8, of: usize, n: usize| {
        let mut writer = Writer::new(Vec::new());
        writer.byte(link);
        writer.size(of);
        let message = writer.into_sink();
        Related::read(&mut Reader::new(&message), n).map_err(|wrong| wrong.0)
    };
    for (link, of, n) in [(0, 0, 0), (1, 0, 1), (2, 255, 255)] {
        let related = read(link, of, n).unwrap();
        assert_eq!((related.link, related.of), (link, of));
        let mut writer = Writer::new(Vec::new());
        related.write(&mut writer);
        let message = writer.into_sink();
        assert_eq!(Related::read(&mut Reader::new(&message), n), Ok(related));
    }
    for (link, of, n) in [(3, 0, 0), (0, 1, 0), (2, 3, 2), (1, usize::MAX, 255)] {
        let why = "an exception comes with none that there is";
        assert_eq!(read(link, of, n), Err(why));
    }
    for (count, is_refused) in [(256_usize, false), (257, true)] {
        let message = [&count.to_ne_bytes()[..], &[0; 300]].concat();
        let read = Related::read_count(&mut Reader::new(&message));
        assert_eq!(read.is_err(), is_refused);
    }
}
