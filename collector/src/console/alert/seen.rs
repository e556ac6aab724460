//! One event of an alert as its page shows it. Everything in it is an agent's word: text, never markup.

use jiff::Timestamp;
use redshank_matcher::Category;
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
        private_window: bool,
    },
    /// Text on a page; what matched in it stands in the matches.
    Text { title: Option<String>, address: String, browser: String, private_window: bool },
    /// A request that a proxy or a name server logged.
    Request {
        /// "Blocked by the filter"; whether it was.
        action: &'static str,
        blocked: bool,
        search_terms: Option<String>,
        address: String,
        /// The filter's category and reason.
        category: Option<String>,
        reason: Option<String>,
        user_agent: Option<String>,
        /// Who tells of it.
        how: &'static str,
    },
    /// A program.
    Program { name: String, list: &'static str, path: Option<String>, publisher: Option<String> },
    /// A removable medium.
    Medium { change: &'static str, name: String, size: Option<String>, allowed: &'static str },
    /// A notice was shown: nothing that anybody did.
    Notice(u32),
    /// Missing events.
    Gap(&'static str),
    /// Something that a newer agent reports.
    Unknown,
}

/// One match.
pub(super) struct Matched {
    /// Where it stood: "Typed into a page at chat.example".
    pub(super) place: String,
    pub(super) text: Highlight,
    /// Whether it has no words by its nature: what was blocked, a program, a medium.
    pub(super) wordless: bool,
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
            matches: payload.matches.iter().map(|found| matched(found, payload)).collect(),
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

fn matched(found: &v1::Match, payload: &EventPayload) -> Matched {
    let wordless = match payload.content {
        Some(Content::Request(_) | Content::Program(_) | Content::Medium(_)) => {
            found.category != Category::IllegalImagery.as_str()
        }
        _ => false,
    };
    Matched {
        place: place(found, payload),
        text: highlight(&found.snippet, found.start, found.end),
        wordless: wordless && found.snippet.is_empty(),
        category: words::category(&found.category).into_owned(),
        rule: found.rule.clone(),
        reasons: found.reasons.clone(),
    }
}

/// Where a match stood; of the text of a page, what kind of text it was, and on which site.
fn place(found: &v1::Match, payload: &EventPayload) -> String {
    let within =
        matches!(found.place(), v1::Place::Typed | v1::Place::PageText | v1::Place::Unspecified);
    match &payload.content {
        Some(Content::Text(text)) if within => {
            let kind = words::text_kind(text.kind);
            match host(&text.address) {
                Some(host) => format!("{kind} at {host}"),
                None => kind.to_owned(),
            }
        }
        _ => words::place(found.place).to_owned(),
    }
}

/// The host of an address as an agent gives it: scheme, host and path.
fn host(address: &str) -> Option<&str> {
    let (_, rest) = address.split_once("://")?;
    rest.split('/').next().filter(|host| !host.is_empty())
}

/// A text, unless a match shows the very same words.
fn unshown(text: Option<&String>, payload: &EventPayload) -> Option<String> {
    let shown = |text: &str| {
        payload.matches.iter().any(|found| {
            matches!(found.place(), v1::Place::Search | v1::Place::Title) && found.snippet == text
        })
    };
    text.filter(|text| !text.is_empty() && !shown(text)).cloned()
}

fn what(payload: &EventPayload) -> What {
    match &payload.content {
        Some(Content::Visit(visit)) => {
            let how = words::transition(visit.transition)
                .map_or_else(|| visit.browser.clone(), |how| format!("{}, {how}", visit.browser));
            What::Visit {
                search_terms: unshown(visit.search_terms.as_ref(), payload),
                title: unshown(visit.title.as_ref(), payload),
                address: visit.address.clone(),
                how,
                private_window: visit.private_window,
            }
        }
        Some(Content::Text(text)) => What::Text {
            title: unshown(text.title.as_ref(), payload),
            address: text.address.clone(),
            browser: text.browser.clone(),
            private_window: text.private_window,
        },
        Some(Content::Request(request)) => request_seen(request, payload),
        Some(Content::Program(program)) => What::Program {
            name: program.name.clone(),
            list: words::program_list(program.list),
            path: program.path.clone(),
            publisher: program.publisher.clone(),
        },
        Some(Content::Medium(medium)) => What::Medium {
            change: words::medium_change(medium.change),
            name: medium.name.clone(),
            size: (medium.bytes > 0).then(|| words::bytes(medium.bytes)),
            allowed: if medium.allowed {
                "allowed by the school"
            } else {
                "not allowed by the school"
            },
        },
        Some(Content::Gap(gap)) => What::Gap(words::gap(gap.reason)),
        Some(Content::NoticeShown(notice)) => What::Notice(notice.version),
        Some(Content::FilterCounts(_)) | None => What::Unknown,
    }
}

fn request_seen(request: &v1::LoggedRequest, payload: &EventPayload) -> What {
    What::Request {
        action: words::filter_action(request.action),
        blocked: request.action() == v1::FilterAction::Blocked,
        search_terms: unshown(request.search_terms.as_ref(), payload),
        address: request.address.clone(),
        category: request.category.clone(),
        reason: request.reason.clone(),
        user_agent: request.user_agent.clone(),
        how: if request.name_lookup {
            "a name server’s log: which site, and not which page"
        } else {
            "a proxy’s log"
        },
    }
}

#[cfg(test)]
mod tests {
    use redshank_proto::time::to_wire;

    use super::*;

    #[test]
    fn a_match_is_said_to_stand_where_its_text_was() {
        use v1::TextKind::{Answer, Page, Prompt, Typed, Unspecified};
        let text = |kind: v1::TextKind, address: &str| {
            let address = address.to_owned();
            Content::Text(v1::PageText { kind: kind as i32, address, ..Default::default() })
        };
        const CHAT: &str = "https://chat.example/c/1";
        for (content, at, expected) in [
            (text(Typed, CHAT), v1::Place::Typed, "Typed into a page at chat.example"),
            (text(Prompt, CHAT), v1::Place::Typed, "Typed to an AI chat at chat.example"),
            (text(Answer, CHAT), v1::Place::PageText, "Answered by an AI chat at chat.example"),
            (text(Page, CHAT), v1::Place::PageText, "In the text of a page at chat.example"),
            (text(Unspecified, CHAT), v1::Place::Typed, "In a page’s text at chat.example"),
            (text(Typed, ""), v1::Place::Typed, "Typed into a page"),
            (text(Typed, CHAT), v1::Place::Title, "In the page’s title"),
            (Content::Visit(v1::Visit::default()), v1::Place::Search, "Searched for"),
            (Content::Program(v1::Program::default()), v1::Place::Program, "Program"),
        ] {
            let found = v1::Match { place: at as i32, ..Default::default() };
            let payload = EventPayload { content: Some(content), ..EventPayload::default() };
            assert_eq!(place(&found, &payload), expected);
        }
    }

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
