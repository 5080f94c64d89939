//! Points in time and lengths of time: what Python's `datetime` has, in its limits.

use crate::{Malformed, Reader, Result, Sink, Writer};

/// A datetime, a date or a time: which one, the value's kind says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DateTime {
    /// 1 to 9999; of a time 0, as are its month and its day.
    pub year: u16,
    /// 1 to 12.
    pub month: u8,
    /// 1 to 31.
    pub day: u8,
    /// 0 to 23; of a date 0, as is all that follows.
    pub hour: u8,
    /// 0 to 59.
    pub minute: u8,
    /// 0 to 59.
    pub second: u8,
    /// 0 to 999,999.
    pub microsecond: u32,
    /// It is the second one of two that a clock shows alike, as it is set back.
    pub fold: bool,
    /// How far east of UTC it is, in microseconds: less than a day. `None`: nobody knows.
    pub utc_offset: Option<i64>,
}

/// A length of time, as Python has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timedelta {
    /// Up to 999,999,999, in both directions.
    pub days: i32,
    /// 0 to 86,399.
    pub seconds: i32,
    /// 0 to 999,999.
    pub microseconds: i32,
}

/// In microseconds.
const SECOND: i64 = 1_000_000;
const DAY: i64 = 86_400 * SECOND;

/// So many bits of [`DateTime::parts`] are the microsecond.
const MICROSECOND_BITS: u32 = 20;
const FOLD: u8 = 1;
const AWARE: u8 = 2;

impl DateTime {
    /// Of what [`parts`](Self::parts) makes: fails for what is no datetime. Which one it is, is not known yet.
    pub fn of_parts(fields: [u8; 8], rest: i64) -> Result<Self> {
        let [low, high, month, day, hour, minute, second, flags] = fields;
        let offset = rest >> MICROSECOND_BITS;
        let utc_offset = match flags & AWARE {
            0 if offset != 0 => {
                return Err(Malformed("has an offset from UTC, and no flag for it"));
            }
            0 => None,
            _ => Some(offset),
        };
        if flags & !(FOLD | AWARE) != 0 {
            return Err(Malformed("has flags that there are not"));
        }
        Ok(Self {
            year: u16::from_le_bytes([low, high]),
            month,
            day,
            hour,
            minute,
            second,
            microsecond: (rest & ((1 << MICROSECOND_BITS) - 1)) as u32,
            fold: flags & FOLD != 0,
            utc_offset,
        })
    }

    /// The year (the low byte first), month, day, hour, minute, second and flags (1: the fold, 2: it has an offset); and the
    /// offset, in units of 2^20, with the microsecond.
    pub fn parts(&self) -> ([u8; 8], i64) {
        let [low, high] = self.year.to_le_bytes();
        let flags = if self.fold { FOLD } else { 0 };
        let flags = flags | self.utc_offset.map_or(0, |_| AWARE);
        let fields = [
            low,
            high,
            self.month,
            self.day,
            self.hour,
            self.minute,
            self.second,
            flags,
        ];
        let offset = self.utc_offset.unwrap_or(0);
        (
            fields,
            (offset << MICROSECOND_BITS) | i64::from(self.microsecond),
        )
    }

    /// Fails for what is no datetime of Python's.
    pub fn check_datetime(&self) -> Result<()> {
        self.check_day()?;
        self.check_clock()
    }

    /// Fails for what is no date.
    pub fn check_date(&self) -> Result<()> {
        self.check_day()?;
        let date = Self {
            year: self.year,
            month: self.month,
            day: self.day,
            ..Self::MIDNIGHT
        };
        rule(*self == date, "is a date that has a time of the day")
    }

    /// Fails for what is no time.
    pub fn check_time(&self) -> Result<()> {
        let day = (self.year, self.month, self.day);
        rule(day == (0, 0, 0), "is a time that has a date")?;
        self.check_clock()
    }

    /// A time: midnight.
    pub const MIDNIGHT: Self = Self {
        year: 0,
        month: 0,
        day: 0,
        hour: 0,
        minute: 0,
        second: 0,
        microsecond: 0,
        fold: false,
        utc_offset: None,
    };

    fn check_day(&self) -> Result<()> {
        let year = (1..=9999).contains(&self.year);
        rule(year, "has a year that is not 1 to 9999")?;
        let month = (1..=12).contains(&self.month);
        rule(month, "has a month that is not 1 to 12")?;
        let days = days_of(self.year, self.month);
        let day = (1..=days).contains(&self.day);
        rule(day, "has a day that its month does not have")
    }

    fn check_clock(&self) -> Result<()> {
        rule(self.hour < 24, "has an hour that is not 0 to 23")?;
        rule(self.minute < 60, "has a minute that is not 0 to 59")?;
        rule(self.second < 60, "has a second that is not 0 to 59")?;
        let microsecond = i64::from(self.microsecond) < SECOND;
        rule(microsecond, "has a microsecond that is not 0 to 999,999")?;
        let offset = self.utc_offset.unwrap_or(0).abs() < DAY;
        rule(offset, "has an offset from UTC of a day or more")
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self> {
        let fields = reader.u64()?.to_ne_bytes();
        Self::of_parts(fields, reader.i64()?)
    }

    pub(crate) fn write<S: Sink>(&self, writer: &mut Writer<S>) {
        let (fields, rest) = self.parts();
        writer.put(&fields);
        writer.i64(rest);
    }
}

impl Timedelta {
    /// Fails for what is none of Python's.
    pub fn check(&self) -> Result<()> {
        let days = self.days.unsigned_abs() <= 999_999_999;
        rule(days, "has more than 999,999,999 days")?;
        let seconds = (0..86_400).contains(&self.seconds);
        rule(seconds, "has seconds that are not 0 to 86,399")?;
        let microseconds = (0..1_000_000).contains(&self.microseconds);
        rule(microseconds, "has microseconds that are not 0 to 999,999")
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self> {
        let delta = Self {
            days: reader.i32()?,
            seconds: reader.i32()?,
            microseconds: reader.i32()?,
        };
        delta.check().map(|()| delta)
    }

    pub(crate) fn write<S: Sink>(&self, writer: &mut Writer<S>) {
        writer.i32(self.days);
        writer.i32(self.seconds);
        writer.i32(self.microseconds);
    }
}

fn rule(holds: bool, broken: &'static str) -> Result<()> {
    match holds {
        true => Ok(()),
        false => Err(Malformed(broken)),
    }
}

fn days_of(year: u16, month: u8) -> u8 {
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 if is_leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEAP: DateTime = DateTime {
        year: 2024,
        month: 2,
        day: 29,
        hour: 23,
        minute: 59,
        second: 59,
        microsecond: 999_999,
        fold: true,
        utc_offset: Some(1 - DAY),
    };

    #[test]
    fn parts_are_the_whole() {
        let naive = DateTime {
            utc_offset: None,
            ..LEAP
        };
        for one in [LEAP, naive, DateTime::MIDNIGHT] {
            let (fields, rest) = one.parts();
            assert_eq!(DateTime::of_parts(fields, rest), Ok(one));
        }
        let (mut fields, rest) = LEAP.parts();
        fields[7] = 4;
        assert!(DateTime::of_parts(fields, rest).is_err());
        fields[7] = 0;
        assert!(DateTime::of_parts(fields, rest).is_err());
    }

    #[test]
    fn limits() {
        assert_eq!(LEAP.check_datetime(), Ok(()));
        assert!(LEAP.check_date().is_err() && LEAP.check_time().is_err());
        assert!(DateTime::MIDNIGHT.check_time().is_ok());
        assert!(DateTime::MIDNIGHT.check_datetime().is_err());
        let wrong: [fn(&mut DateTime); 9] = [
            |d| d.year = 2023,
            |d| d.year = 1900,
            |d| d.year = 10_000,
            |d| d.month = 13,
            |d| d.day = 0,
            |d| d.hour = 24,
            |d| d.minute = 60,
            |d| d.second = 60,
            |d| d.utc_offset = Some(DAY),
        ];
        for change in wrong {
            let mut changed = LEAP;
            change(&mut changed);
            assert!(changed.check_datetime().is_err(), "{changed:?}");
        }
        let centuries = DateTime { year: 2000, ..LEAP };
        assert_eq!(centuries.check_datetime(), Ok(()));
        let delta = |days, seconds, microseconds| Timedelta {
            days,
            seconds,
            microseconds,
        };
        assert!(delta(-999_999_999, 86_399, 999_999).check().is_ok());
        for wrong in [
            delta(i32::MIN, 0, 0),
            delta(0, -1, 0),
            delta(0, 86_400, 0),
            delta(0, 0, 1_000_000),
        ] {
            assert!(wrong.check().is_err(), "{wrong:?}");
        }
    }
}
