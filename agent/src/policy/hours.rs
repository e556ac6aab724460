//! When school is on: the only time in which a pupil's own device is watched.

use jiff::Timestamp;
use jiff::civil::Weekday;
use jiff::tz::TimeZone;
use redshank_proto::v1;

/// Minutes of a day.
const DAY: u32 = 24 * 60;

/// A school's week.
#[derive(Debug, Clone, PartialEq)]
pub struct SchoolHours {
    zone: TimeZone,
    /// Monday first; the minutes of each day in which school is on, the end excluded.
    days: [Vec<(u32, u32)>; 7],
}

/// Why hours cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HoursError {
    /// The time zone is not known.
    #[error("the school hours' time zone {0:?} is not known; write it as Europe/London")]
    Zone(String),
    /// A period is none; it has this number, from 1.
    #[error(
        "period {0} of the school hours: expected a day of 1 (Monday) to 7 and minutes of one day, the end later"
    )]
    Period(usize),
}

impl SchoolHours {
    /// Reads the hours of a policy.
    ///
    /// # Errors
    /// [`HoursError`] names what is wrong.
    pub fn new(hours: &v1::SchoolHours) -> Result<Self, HoursError> {
        let zone = TimeZone::get(&hours.time_zone)
            .map_err(|_| HoursError::Zone(hours.time_zone.chars().take(64).collect()))?;
        let mut days: [Vec<(u32, u32)>; 7] = Default::default();
        for (index, period) in hours.periods.iter().enumerate() {
            let day = usize::try_from(period.day).unwrap_or(usize::MAX).wrapping_sub(1);
            let (from, until) = (period.from_minute, period.until_minute);
            match days.get_mut(day) {
                Some(day) if from < until && until <= DAY => day.push((from, until)),
                _ => return Err(HoursError::Period(index + 1)),
            }
        }
        Ok(Self { zone, days })
    }

    /// Whether school is on.
    #[must_use]
    pub fn are_on(&self, at: Timestamp) -> bool {
        let local = at.to_zoned(self.zone.clone());
        let day = match local.weekday() {
            Weekday::Monday => 0,
            Weekday::Tuesday => 1,
            Weekday::Wednesday => 2,
            Weekday::Thursday => 3,
            Weekday::Friday => 4,
            Weekday::Saturday => 5,
            Weekday::Sunday => 6,
        };
        let part = |part: i8| u32::try_from(part).unwrap_or_default();
        let minute = part(local.hour()) * 60 + part(local.minute());
        self.days[day].iter().any(|(from, until)| (*from..*until).contains(&minute))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn school_is_on_by_the_school_s_own_clock() {
        let hours = SchoolHours::new(&hours("Europe/London", &[(1, 510, 930), (5, 510, 720)]));
        let hours = hours.unwrap();
        for (at, on) in [
            ("2026-11-23T08:29:59Z", false),
            ("2026-11-23T08:30:00Z", true),
            ("2026-11-23T15:29:59Z", true),
            ("2026-11-23T15:30:00Z", false),
            // In summer London is an hour ahead.
            ("2026-06-22T07:30:00Z", true),
            ("2026-06-22T14:30:00Z", false),
            ("2026-11-24T10:00:00Z", false),
            ("2026-11-27T11:59:00Z", true),
            ("2026-11-29T10:00:00Z", false),
        ] {
            assert_eq!(hours.are_on(at.parse().unwrap()), on, "{at}");
        }
    }

    #[test]
    fn what_is_no_time_is_named() {
        assert_eq!(
            SchoolHours::new(&hours("Mars/Base", &[])),
            Err(HoursError::Zone("Mars/Base".into()))
        );
        for wrong in [(0, 1, 2), (8, 1, 2), (1, 2, 2), (1, 3, 2), (1, 0, 1_441)] {
            let week = hours("Europe/London", &[(1, 0, 1_440), wrong]);
            assert_eq!(SchoolHours::new(&week), Err(HoursError::Period(2)), "{wrong:?}");
        }
    }

    fn hours(zone: &str, periods: &[(u32, u32, u32)]) -> v1::SchoolHours {
        let period = |(day, from_minute, until_minute): &(u32, u32, u32)| v1::SchoolPeriod {
            day: *day,
            from_minute: *from_minute,
            until_minute: *until_minute,
        };
        v1::SchoolHours { time_zone: zone.into(), periods: periods.iter().map(period).collect() }
    }
}
