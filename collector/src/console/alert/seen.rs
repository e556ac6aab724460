//! One event of an alert as its page shows it. Everything in it is an agent's word: text, never markup.

use jiff::Timestamp;
use redshank_proto::time::from_wire;
use redshank_proto::v1::event_payload::Content;
use redshank_proto::v1::{self, EventPayload};

use crate::console::highlight::{Highlight, highlight};
use crate::console::when::{Arrival, Moment, SchoolTime};
use crate::console::words;
use crate::store::alerts::AlertEventRow;

/// One event.
pub(super) struct Seen {
    pub(super) arrival: Arrival,
    pub(super) time_in_doubt: bool,
    pub(super) verified: bool,
    pub(super) severity: u8,
    /// How often it occurred, if more than once, and when last.
    pub(super) repeated: Option<(u32, Option<Moment>)>,
    pub(super) matches: Vec<Matched>,
    pub(super) what: What,
}

/// What was seen beside the matches.
pub(super) enum What {
    /// A page.
    Visit {
        /// Left out where a match shows the very same words.
        search_terms: Option<String>,
        title: Option<String>,
        address: String,
        /// "Chromium, followed a link".
        how: String,
    },
    /// Missing events.
    Gap(&'static str),
    /// Something that a newer agent reports.
    Unknown,
}

/// One match.
pub(super) struct Matched {
    pub(super) place: &'static str,
    pub(super) text: Highlight,
    pub(super) category: String,
    pub(super) rule: String,
    pub(super) reasons: Vec<String>,
}

impl Seen {
    pub(super) fn new(event: &AlertEventRow, time: &SchoolTime) -> Self {
        let payload = &event.payload;
        Self {
            arrival: time.arrival(event.occurred_at, event.received_at),
            time_in_doubt: event.time_in_doubt,
            verified: event.verified,
            severity: event.severity,
            repeated: (payload.occurrences > 1).then(|| {
                (payload.occurrences, last_occurred_at(event).map(|last| time.moment(last)))
            }),
            matches: payload.matches.iter().map(matched).collect(),
            what: what(payload),
        }
    }
}

/// When it occurred last, by the collector's reckoning: the device's clock tells only how long after the first
/// time that was. None if it claims a time before the first, or nothing says when the first was.
fn last_occurred_at(event: &AlertEventRow) -> Option<Timestamp> {
    let first = from_wire(event.payload.occurred_at.as_ref())?;
    let last = from_wire(event.payload.last_occurred_at.as_ref())?;
    let lasted = last.duration_since(first);
    if lasted.is_negative() || event.time_in_doubt {
        return None;
    }
    Some(event.occurred_at.checked_add(lasted).ok()?.min(event.received_at))
}

fn matched(found: &v1::Match) -> Matched {
    Matched {
        place: words::place(found.place),
        text: highlight(&found.snippet, found.start, found.end),
        category: words::category(&found.category).into_owned(),
        rule: found.rule.clone(),
        reasons: found.reasons.clone(),
    }
}

fn what(payload: &EventPayload) -> What {
    match &payload.content {
        Some(Content::Visit(visit)) => {
            let shown = |text: &String| {
                let is = |place: v1::Place| {
                    payload.matches.iter().any(|m| m.place == place as i32 && m.snippet == *text)
                };
                is(v1::Place::Search) || is(v1::Place::Title)
            };
            let unshown = |text: &Option<String>| {
                text.as_ref().filter(|text| !text.is_empty() && !shown(text)).cloned()
            };
            let how = words::transition(visit.transition)
                .map_or_else(|| visit.browser.clone(), |how| format!("{}, {how}", visit.browser));
            What::Visit {
                search_terms: unshown(&visit.search_terms),
                title: unshown(&visit.title),
                address: visit.address.clone(),
                how,
            }
        }
        Some(Content::Gap(gap)) => What::Gap(words::gap(gap.reason)),
        _ => What::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use redshank_proto::time::to_wire;

    use super::*;

    #[test]
    fn the_last_time_is_reckoned_from_the_first_and_not_read_off_the_devices_clock() {
        // The device's clock is an hour ahead: what it calls 10:00 was 9:00.
        for (last, in_doubt, expected) in [
            (Some("2025-07-14T10:20:00Z"), false, Some("2025-07-14T09:20:00Z")),
            (Some("2025-07-14T10:00:00Z"), false, Some("2025-07-14T09:00:00Z")),
            (Some("2025-07-14T13:00:00Z"), false, Some("2025-07-14T11:00:00Z")),
            (Some("2025-07-14T09:59:59Z"), false, None),
            (Some("2025-07-14T10:20:00Z"), true, None),
            (None, false, None),
        ] {
            let event = AlertEventRow {
                occurred_at: at("2025-07-14T09:00:00Z"),
                received_at: at("2025-07-14T11:00:00Z"),
                observed_at: None,
                time_in_doubt: in_doubt,
                verified: true,
                severity: 4,
                payload: EventPayload {
                    occurred_at: Some(to_wire(at("2025-07-14T10:00:00Z"))),
                    last_occurred_at: last.map(|last| to_wire(at(last))),
                    occurrences: 3,
                    ..EventPayload::default()
                },
            };
            assert_eq!(last_occurred_at(&event), expected.map(at), "{last:?} {in_doubt}");
        }
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }
}
