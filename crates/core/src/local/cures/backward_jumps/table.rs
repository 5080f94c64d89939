//! CPython's table of handlers, as a list: it is sorted, and no two ranges overlap. Places are counted in units of two
//! bytes, as CPython's are.

/// What handles an exception: a place in the code, and what is on the stack there, as CPython writes them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Handler {
    pub(super) target: usize,
    pub(super) stack: usize,
}

/// Code that has a handler.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Range {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) handler: Handler,
}

/// `None`: it is no such table.
pub(super) fn read(table: &[u8]) -> Option<Vec<Range>> {
    let mut bytes = table.iter();
    let mut ranges = Vec::new();
    while !bytes.as_slice().is_empty() {
        let mut number = || {
            let mut number = 0_usize;
            loop {
                let byte = bytes.next()?;
                number = number << 6 | usize::from(byte & 0b11_1111);
                if byte & CONTINUES == 0 {
                    return Some(number);
                }
            }
        };
        let [start, length, target, stack] = [number()?, number()?, number()?, number()?];
        ranges.push(Range {
            start,
            end: start.checked_add(length)?,
            handler: Handler { target, stack },
        });
    }
    Some(ranges)
}

pub(super) fn write(ranges: &[Range]) -> Vec<u8> {
    let mut table = Vec::new();
    for Range {
        start,
        end,
        handler,
    } in ranges
    {
        let begin = table.len();
        for number in [*start, end - start, handler.target, handler.stack] {
            let digits = (1..)
                .find(|digits| number >> (6 * digits) == 0)
                .unwrap_or(1);
            table.extend((0..digits).rev().map(|i| {
                (number >> (6 * i)) as u8 & 0b11_1111 | if i > 0 { CONTINUES } else { 0 }
            }));
        }
        table[begin] |= BEGINS;
    }
    table
}

/// In a byte: the number goes on in the next one.
const CONTINUES: u8 = 0b100_0000;
/// In a byte: a range begins.
const BEGINS: u8 = 0b1000_0000;

/// What handles an exception that comes at this unit of the code.
pub(super) fn handler(ranges: &[Range], unit: usize) -> Option<Handler> {
    let range = ranges
        .iter()
        .find(|range| (range.start..range.end).contains(&unit))?;
    Some(range.handler)
}

/// Has a unit of the code have another handler.
pub(super) fn put(ranges: &mut Vec<Range>, unit: usize, handler: Option<Handler>) {
    let pieces = ranges.iter().flat_map(|range| {
        let (before, after) = (range.end.min(unit), range.start.max(unit + 1));
        [
            Range {
                end: before,
                ..*range
            },
            Range {
                start: after,
                ..*range
            },
        ]
    });
    let new = handler.map(|handler| Range {
        start: unit,
        end: unit + 1,
        handler,
    });
    let mut pieces: Vec<Range> = pieces
        .filter(|range| range.start < range.end)
        .chain(new)
        .collect();
    pieces.sort_by_key(|range| range.start);
    *ranges = pieces;
}

#[cfg(test)]
mod tests {
    use super::{Handler, Range, handler, put, read, write};

    /// A table that CPython has made: of 3.13's `queue.Queue.get`.
    const TABLE: &[u8] = &[
        141, 67, 4, 70, 51, 3, 195, 19, 66, 41, 70, 51, 3, 197, 62, 43, 70, 51, 3, 198, 51, 10, 71,
        1, 7,
    ];

    #[test]
    fn a_table_is_written_as_it_was_read() {
        assert_eq!(write(&read(TABLE).unwrap()), TABLE);
    }

    #[test]
    fn a_unit_gets_a_handler_or_loses_it() {
        let outer = Handler {
            target: 100,
            stack: 0,
        };
        let inner = Handler {
            target: 5000,
            stack: 3,
        };
        let mut ranges = vec![Range {
            start: 70,
            end: 80,
            handler: outer,
        }];
        put(&mut ranges, 75, Some(inner));
        put(&mut ranges, 70, None);
        put(&mut ranges, 90, Some(inner));
        let ranges = read(&write(&ranges)).unwrap();
        let handlers = [69, 70, 71, 74, 75, 76, 79, 80, 90, 91].map(|unit| handler(&ranges, unit));
        let [none, outer, inner] = [None, Some(outer), Some(inner)];
        assert_eq!(
            handlers,
            [
                none, none, outer, outer, inner, outer, outer, none, inner, none
            ]
        );
    }
}
