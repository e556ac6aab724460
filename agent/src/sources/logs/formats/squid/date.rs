//! Dates in a `logformat`: `%tl` and `%tg`, by default or with an argument of `strftime`.

use jiff::Timestamp;
use jiff::civil::date;
use jiff::fmt::strtime::BrokenDownTime;
use jiff::tz::TimeZone;

use super::super::time::{Clues, httpd};

/// `22/Nov/2026:03:18:26`, the default of `%tg`.
const DEFAULT_UTC: usize = 20;
/// The same with ` +0000` after it, the default of `%tl`.
const DEFAULT_LOCAL: usize = 26;

/// How a date is written.
#[derive(Debug)]
pub(super) struct Date {
    /// The argument; `None` for the default.
    strftime: Option<String>,
    utc: bool,
}

impl Date {
    /// The way that `argument` describes.
    ///
    /// # Errors
    /// Says why its times cannot be read back.
    pub(super) fn parse(argument: Option<&str>, utc: bool) -> Result<Self, String> {
        let way = Self { strftime: argument.map(str::to_owned), utc };
        let Some(argument) = argument else { return Ok(way) };
        let sample = date(2024, 11, 22).at(15, 18, 0, 0).to_zoned(TimeZone::UTC);
        let sample = sample.map_err(|error| error.to_string())?;
        let no = |why: String| {
            format!(
                "times by `{{{argument}}}` cannot be read back ({why}); use %Y %m %d %b %H %M %S %z, or %s"
            )
        };
        let written = BrokenDownTime::from(&sample).to_string(argument);
        let written = written.map_err(|error| no(error.to_string()))?;
        let clues = Clues { now: sample.timestamp(), zone: TimeZone::UTC };
        let read = way.length(written.as_bytes());
        if read != Some(written.len()) {
            return Err(no("a part of it has no single meaning".to_owned()));
        }
        if way.time(written.as_bytes(), &clues) != Some(sample.timestamp()) {
            return Err(no("it leaves out the day, the hour or the minute".to_owned()));
        }
        Ok(way)
    }

    /// How many bytes the date takes with which `text` begins.
    pub(super) fn length(&self, text: &[u8]) -> Option<usize> {
        match &self.strftime {
            Some(strftime) => Some(BrokenDownTime::parse_prefix(strftime, text).ok()?.1),
            None => {
                let length = if self.utc { DEFAULT_UTC } else { DEFAULT_LOCAL };
                (text.len() >= length).then_some(length)
            }
        }
    }

    /// The time of a date.
    pub(super) fn time(&self, text: &[u8], clues: &Clues) -> Option<Timestamp> {
        let Some(strftime) = &self.strftime else {
            return if self.utc { httpd(&[text, b" +0000"].concat()) } else { httpd(text) };
        };
        let parts = BrokenDownTime::parse(strftime, text).ok()?;
        if parts.timestamp().is_some() || parts.offset().is_some() && parts.year().is_some() {
            return parts.to_timestamp().ok();
        }
        let zone = if self.utc { TimeZone::UTC } else { clues.zone.clone() };
        let clues = Clues { now: clues.now, zone };
        let in_year = |year: i16| {
            let mut parts = BrokenDownTime::parse(strftime, text).ok()?;
            parts.set_year(Some(year)).ok()?;
            match parts.offset() {
                Some(_) => parts.to_timestamp().ok(),
                None => clues.local(parts.to_datetime().ok()?),
            }
        };
        match parts.year() {
            Some(_) => clues.local(parts.to_datetime().ok()?),
            None => clues.without_year(in_year),
        }
    }
}
