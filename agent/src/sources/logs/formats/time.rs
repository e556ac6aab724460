//! The times that logs write, with and without a year and a zone, and the beginning of a line of syslog.

use jiff::civil::DateTime;
use jiff::tz::{Offset, TimeZone};
use jiff::{Timestamp, ToSpan as _};

use super::text::number;

/// What a line leaves out of its time.
#[derive(Debug, Clone)]
pub struct Clues {
    /// A time at or after which no line was written: now, or when the file was last changed. It gives a
    /// date its year.
    pub now: Timestamp,
    /// The zone of the host that wrote the log.
    pub zone: TimeZone,
}

/// How far a line's date may be ahead of [`Clues::now`] before it counts as last year's: a day, for a host
/// whose clock or zone is off.
const AHEAD: i64 = 24;
/// Years back in which a date without one is looked for: 29 February may be eight years off.
const YEARS_BACK: i16 = 8;

impl Clues {
    /// The time of a local date and time, if it has one.
    pub(super) fn local(&self, local: DateTime) -> Option<Timestamp> {
        self.zone.to_timestamp(local).ok()
    }

    /// The last time that a date without its year can mean; `with_year` makes it for a year.
    pub(super) fn without_year(
        &self,
        with_year: impl Fn(i16) -> Option<Timestamp>,
    ) -> Option<Timestamp> {
        let latest = self.now.checked_add(AHEAD.hours()).ok()?;
        let year = self.zone.to_datetime(latest).year();
        (0..=YEARS_BACK)
            .filter_map(|back| with_year(year.checked_sub(back)?))
            .find(|candidate| *candidate <= latest)
    }
}

/// Seconds since 1970, and what stands after their point: `1795317506`, `497`.
pub(super) fn unix(seconds: &[u8], fraction: &[u8]) -> Option<Timestamp> {
    let nanoseconds = match fraction.len() {
        0 => 0,
        1..=9 => {
            let places = u32::try_from(9 - fraction.len()).ok()?;
            number::<i32>(fraction)? * 10_i32.pow(places)
        }
        _ => return None,
    };
    Timestamp::new(number(seconds)?, nanoseconds).ok()
}

/// `1795317506.497` or `1795317506`.
pub(super) fn unix_point(field: &[u8]) -> Option<Timestamp> {
    match super::text::split_at_byte(field, b'.') {
        Some((seconds, fraction)) => unix(seconds, fraction),
        None => unix(field, b""),
    }
}

/// `2026.11.22 03:25:45`, in local time.
pub(super) fn dotted(field: &[u8], clues: &Clues) -> Option<Timestamp> {
    let [y0, y1, y2, y3, b'.', m0, m1, b'.', d0, d1, b' ', clock @ ..] = field else { return None };
    let date = (number(&[*y0, *y1, *y2, *y3])?, number(&[*m0, *m1])?, number(&[*d0, *d1])?);
    clues.local(at(date, of_day(clock)?)?)
}

/// `22/Nov/2026:03:18:26 +0000`, the time of the common log format.
pub(super) fn httpd(field: &[u8]) -> Option<Timestamp> {
    let (day, rest) = field.split_at_checked(3)?;
    let (month, rest) = rest.split_at_checked(4)?;
    let (year, rest) = rest.split_at_checked(5)?;
    let (clock, zone) = rest.split_at_checked(9)?;
    let ([day @ .., b'/'], [month @ .., b'/'], [year @ .., b':'], [clock @ .., b' ']) =
        (day, month, year, clock)
    else {
        return None;
    };
    let local = at((number(year)?, month_of(month)?, number(day)?), of_day(clock)?)?;
    let [sign @ (b'+' | b'-'), h0, h1, m0, m1] = zone else { return None };
    let east = number::<i32>(&[*h0, *h1])? * 3600 + number::<i32>(&[*m0, *m1])? * 60;
    let offset = Offset::from_seconds(if *sign == b'-' { -east } else { east }).ok()?;
    offset.to_timestamp(local).ok()
}

/// The time at which a line of syslog or of a name server's own log begins, and what follows its space:
/// `Nov 22 03:19:46 `, `2026-11-22T03:19:46.123+00:00 `.
pub(super) fn syslog<'a>(line: &'a [u8], clues: &Clues) -> Option<(Timestamp, &'a [u8])> {
    let line = match line {
        // The priority, where syslog was told to write it.
        [b'<', rest @ ..] => super::text::split_at_byte(rest, b'>')?.1,
        line => line,
    };
    if line.first()?.is_ascii_digit() {
        let (time, rest) = super::text::split_at_byte(line, b' ')?;
        return Some((str::from_utf8(time).ok()?.parse().ok()?, rest));
    }
    let (month, rest) = line.split_at_checked(4)?;
    let (day, rest) = rest.split_at_checked(3)?;
    let (clock, rest) = rest.split_at_checked(9)?;
    let ([month @ .., b' '], [day @ .., b' '], [clock @ .., b' ']) = (month, day, clock) else {
        return None;
    };
    let (month, day, clock) = (month_of(month)?, number(day.trim_ascii_start())?, of_day(clock)?);
    let time = clues.without_year(|year| clues.local(at((year, month, day), clock)?))?;
    Some((time, rest))
}

/// The program that wrote a line of syslog, `dnsmasq[12868]`, and what it wrote; `rest` is what stands after
/// the time, with or without the host.
pub(super) fn program(rest: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = super::text::find(rest, b": ")?;
    let name = rest[..end].rsplit(|byte| *byte == b' ').next()?;
    let letter = |byte: &u8| byte.is_ascii_alphanumeric() || b"[]_-./()".contains(byte);
    let named = name.first().is_some_and(u8::is_ascii_alphabetic) && name.iter().all(letter);
    named.then_some((name, &rest[end + 2..]))
}

fn at((year, month, day): (i16, i8, i8), (hour, minute, second): (i8, i8, i8)) -> Option<DateTime> {
    DateTime::new(year, month, day, hour, minute, second.min(59), 0).ok()
}

/// `03:25:45`; a leap second counts as the one before it.
fn of_day(clock: &[u8]) -> Option<(i8, i8, i8)> {
    let [h0, h1, b':', m0, m1, b':', s0, s1] = clock else { return None };
    let second: i8 = number(&[*s0, *s1])?;
    (second <= 60).then_some((number(&[*h0, *h1])?, number(&[*m0, *m1])?, second))
}

fn month_of(name: &[u8]) -> Option<i8> {
    const MONTHS: [&[u8; 3]; 12] = [
        b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov",
        b"Dec",
    ];
    let at = MONTHS.iter().position(|month| *month == name)?;
    i8::try_from(at + 1).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clues(now: &str, zone: &str) -> Clues {
        Clues { now: now.parse().unwrap(), zone: TimeZone::get(zone).unwrap() }
    }

    fn told(line: &str, clues: &Clues) -> Option<String> {
        syslog(line.as_bytes(), clues).map(|(at, _)| at.to_string())
    }

    #[test]
    fn a_date_without_a_year_is_the_last_that_it_can_mean() {
        let january = clues("2027-01-03T10:00:00Z", "UTC");
        for (line, expected) in [
            ("Dec 31 23:59:59 x", Some("2026-12-31T23:59:59Z")),
            ("Jan  1 00:00:00 x", Some("2027-01-01T00:00:00Z")),
            ("Jan  4 09:00:00 x", Some("2027-01-04T09:00:00Z")),
            ("Jan  4 11:00:00 x", Some("2026-01-04T11:00:00Z")),
            ("Feb 29 12:00:00 x", Some("2024-02-29T12:00:00Z")),
            ("Feb 30 12:00:00 x", None),
            ("Nov 22 25:00:00 x", None),
            ("2026-11-22T03:19:46.5+01:00 x", Some("2026-11-22T02:19:46.5Z")),
            ("<30>Jan  1 00:00:00 x", Some("2027-01-01T00:00:00Z")),
        ] {
            assert_eq!(told(line, &january).as_deref(), expected, "{line}");
        }
    }

    #[test]
    fn a_local_time_is_of_the_zone_that_is_told() {
        let london = clues("2026-11-01T00:00:00Z", "Europe/London");
        for (line, expected) in [
            ("Jul  1 12:00:00 x", "2026-07-01T11:00:00Z"),
            // Twice on that day: the first.
            ("Oct 25 01:30:00 x", "2026-10-25T00:30:00Z"),
            // Never on that day: as if the clock had not gone forward.
            ("Mar 29 01:30:00 x", "2026-03-29T01:30:00Z"),
        ] {
            assert_eq!(told(line, &london).as_deref(), Some(expected), "{line}");
        }
        let dotted = dotted(b"2026.07.01 12:00:00", &london).unwrap();
        assert_eq!(dotted.to_string(), "2026-07-01T11:00:00Z");
    }

    #[test]
    fn times_with_a_zone_need_no_clue() {
        let at = httpd(b"22/Nov/2026:03:18:26 +0530").unwrap();
        assert_eq!(at.to_string(), "2026-11-21T21:48:26Z");
        assert_eq!(httpd(b"22/Nov/2026:03:18:26+0530"), None);
        let at = unix_point(b"1795317506.497").unwrap();
        assert_eq!(at.as_millisecond(), 1_795_317_506_497);
        for none in [&b"1795317506."[..], b".5", b"1.1234567890", b"99999999999999999999", b"-1.5"]
        {
            let whole = none == b"1795317506.";
            assert_eq!(unix_point(none).is_some(), whole, "{}", none.escape_ascii());
        }
    }
}
