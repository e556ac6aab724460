//! Times in words, in the school's own time zone: "Saturday 23:40", as people say it.

use std::time::Duration;

use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

/// A delay that is worth a word of its own: the device was offline, or nearly.
const LATE: Duration = Duration::from_secs(3_600);
/// A delay that nobody needs to know of.
const AT_ONCE: Duration = Duration::from_secs(60);

/// A school's clock as a page needs it.
#[derive(Debug, Clone)]
pub(super) struct SchoolTime {
    zone: TimeZone,
    now: Zoned,
}

/// A time on a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Moment {
    /// As people say it: "today 14:05".
    pub(super) text: String,
    /// In full, with the zone: "Saturday 12 July 2025, 23:40 BST".
    pub(super) full: String,
    /// For the machine: RFC 3339.
    pub(super) iso: String,
}

/// When it was captured and when it arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Arrival {
    /// When the pupil did it.
    pub(super) captured: Moment,
    /// When we had it.
    pub(super) arrived: Moment,
    /// How long it took, if that is worth saying: "33 h late".
    pub(super) late: Option<String>,
    /// Whether it took less than a minute.
    pub(super) at_once: bool,
}

impl SchoolTime {
    /// The clock of a school in the zone of that IANA name; UTC if the name is none (and so it says).
    pub(super) fn new(zone: &str, now: Timestamp) -> Self {
        let zone = TimeZone::get(zone).unwrap_or(TimeZone::UTC);
        Self { now: now.to_zoned(zone.clone()), zone }
    }

    pub(super) fn moment(&self, at: Timestamp) -> Moment {
        let local = at.to_zoned(self.zone.clone());
        Moment {
            text: self.say(&local),
            full: local.strftime("%A %-d %B %Y, %H:%M:%S %Z").to_string(),
            iso: at.to_string(),
        }
    }

    pub(super) fn arrival(&self, captured: Timestamp, arrived: Timestamp) -> Arrival {
        let delay = Duration::try_from(arrived.duration_since(captured)).unwrap_or_default();
        Arrival {
            captured: self.moment(captured),
            arrived: self.moment(arrived),
            late: (delay >= LATE).then(|| format!("{} late", length(delay))),
            at_once: delay < AT_ONCE,
        }
    }

    fn say(&self, local: &Zoned) -> String {
        let days = (self.now.date() - local.date()).get_days();
        let format = match days {
            0 => "today %H:%M",
            1 => "yesterday %H:%M",
            2..=6 => "%A %H:%M",
            _ if local.year() == self.now.year() => "%-d %B %H:%M",
            _ => "%-d %B %Y %H:%M",
        };
        local.strftime(format).to_string()
    }
}

fn length(delay: Duration) -> String {
    let hours = delay.as_secs() / 3_600;
    if hours < 72 { format!("{hours} h") } else { format!("{} days", hours / 24) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_said_as_people_say_them_in_the_schools_zone() {
        let monday = SchoolTime::new("Europe/London", at("2025-07-14T08:00:00Z"));
        for (time, expected) in [
            ("2025-07-14T07:41:00Z", "today 08:41"),
            ("2025-07-13T22:40:00Z", "yesterday 23:40"),
            ("2025-07-12T23:10:00Z", "yesterday 00:10"),
            ("2025-07-12T22:40:00Z", "Saturday 23:40"),
            ("2025-07-07T22:40:00Z", "7 July 23:40"),
            ("2024-12-24T23:40:00Z", "24 December 2024 23:40"),
            // A device's clock can be ahead of ours.
            ("2025-07-15T22:40:00Z", "15 July 23:40"),
        ] {
            assert_eq!(monday.moment(at(time)).text, expected, "{time}");
        }
        let full = monday.moment(at("2025-07-12T22:40:00Z")).full;
        assert_eq!(full, "Saturday 12 July 2025, 23:40:00 BST");
    }

    #[test]
    fn a_delay_is_said_when_it_matters() {
        let school = SchoolTime::new("Europe/London", at("2025-07-14T08:00:00Z"));
        for (captured, arrived, late, at_once) in [
            ("2025-07-14T07:00:00Z", "2025-07-14T07:00:03Z", None, true),
            ("2025-07-14T07:00:00Z", "2025-07-14T07:10:00Z", None, false),
            ("2025-07-12T22:40:00Z", "2025-07-14T07:41:00Z", Some("33 h late"), false),
            ("2025-07-04T22:40:00Z", "2025-07-14T07:41:00Z", Some("9 days late"), false),
            ("2025-07-14T07:00:10Z", "2025-07-14T07:00:00Z", None, true),
        ] {
            let arrival = school.arrival(at(captured), at(arrived));
            assert_eq!((arrival.late.as_deref(), arrival.at_once), (late, at_once), "{captured}");
        }
    }

    #[test]
    fn an_unknown_zone_is_utc_and_says_so() {
        let school = SchoolTime::new("Mars/Olympus", at("2025-07-14T08:00:00Z"));
        assert!(school.moment(at("2025-07-14T07:00:00Z")).full.ends_with("07:00:00 UTC"));
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }
}
