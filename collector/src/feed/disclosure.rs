//! What a reader is told of an alert: everything that helps to judge it, and nobody's name.
//!
//! Person and device go out as pseudonyms, which are the same within a school for as long as the school's
//! key is, and mean nothing elsewhere. Evidence, browser profiles, programs' paths, computers' names and asset
//! tags stay here. Where an account or a name stands inside what was seen (a path like `/users/amy.jones`),
//! its letters are masked, and so are its parts wherever they stand ("Amy", "Jones"); the mask is as long as
//! what it hides, so that the bounds of a match keep their places.
//!
//! What is not masked, because nothing here tells that it is a name: the parts of an account that runs them
//! together (`ajones` hides "ajones" and not "Jones"), parts of one or two letters, and the names of anybody
//! else in what was written. A reader is under contract; the mask is no anonymity.

use data_encoding::HEXLOWER;
use redshank_proto::id::SchoolId;
use redshank_proto::time::to_wire;
use redshank_proto::v1::{self, event_payload::Content};

use crate::keys::KeyRing;
use crate::store::alerts::{AlertStatus, DeliveredAlert};
use crate::store::assets::ClientId;
use crate::store::persons::person_part;

/// Shorter names are parts of words: masking them would hide the text and no person.
const SHORTEST_NAME: usize = 3;
/// What hides a letter.
const MASK: &str = "*";

/// Makes an alert fit to leave; nothing if the ring does not hold the school's keys.
pub(super) fn disclose(alert: DeliveredAlert, keys: &KeyRing) -> Option<v1::Alert> {
    let pseudonym = |bytes: &[u8; 16]| pseudonym(keys, alert.school, bytes);
    let person_pseudonym = match &alert.person {
        Some(person) => pseudonym(person.as_bytes())?,
        None => String::new(),
    };
    // Behind a proxy's host the device is the client: whose the host is says nothing.
    let device = alert.client.as_ref().map_or(alert.device.as_bytes(), ClientId::as_bytes);
    let device_pseudonym = pseudonym(device)?;
    let names = names(&alert);
    let events = alert.events.into_iter().map(|(occurred_at, received_at, payload)| {
        let mut event = v1::AlertEvent {
            occurred_at: Some(to_wire(occurred_at)),
            received_at: Some(to_wire(received_at)),
            matches: payload.matches.into_iter().map(|found| mask_match(found, &names)).collect(),
            context: payload.context.into_iter().map(|visit| mask_context(visit, &names)).collect(),
            ..v1::AlertEvent::default()
        };
        match payload.content {
            Some(Content::Visit(visit)) => event.visit = Some(mask_visit(visit, &names)),
            Some(Content::Text(text)) => event.text = Some(mask_text(text, &names)),
            Some(Content::Request(request)) => event.request = Some(mask_request(request, &names)),
            Some(Content::Program(program)) => event.program = Some(mask_program(program, &names)),
            Some(Content::Medium(medium)) => event.medium = Some(mask_medium(&medium, &names)),
            Some(Content::Gap(_) | Content::FilterCounts(_) | Content::NoticeShown(_)) | None => {}
        }
        event
    });
    Some(v1::Alert {
        alert_id: alert.alert.to_vec(),
        school_id: alert.school.to_vec(),
        school_name: alert.school_name,
        person_pseudonym,
        person_certain: alert.basis.is_certain(),
        category: alert.category,
        severity: u32::from(alert.severity),
        priority: alert.priority,
        factors: alert
            .factors
            .into_iter()
            .map(|factor| v1::PriorityFactor { label: factor.label, points: factor.points })
            .collect(),
        status: status(alert.status) as i32,
        first_occurred_at: Some(to_wire(alert.first_occurred_at)),
        last_occurred_at: Some(to_wire(alert.last_occurred_at)),
        received_at: Some(to_wire(alert.received_at)),
        event_count: alert.event_count,
        events: events.collect(),
        device_pseudonym,
    })
}

fn pseudonym(keys: &KeyRing, school: SchoolId, bytes: &[u8]) -> Option<String> {
    keys.pseudonym(school, bytes).map(|pseudonym| HEXLOWER.encode(&pseudonym))
}

fn status(status: AlertStatus) -> v1::AlertStatus {
    match status {
        AlertStatus::Open => v1::AlertStatus::Open,
        AlertStatus::Acknowledged => v1::AlertStatus::Acknowledged,
        AlertStatus::Closed => v1::AlertStatus::Closed,
    }
}

/// Everything that is to be masked, the longest first, so that no part of one is masked before the whole.
fn names(alert: &DeliveredAlert) -> Vec<String> {
    let evidence = alert.events.iter().flat_map(|(_, _, payload)| &payload.evidence);
    let persons = alert.names.iter().chain(evidence.map(|piece| &piece.value));
    let mut names: Vec<String> = persons
        .flat_map(|name| [name.as_str(), person_part(name)].into_iter().chain(parts(name)))
        .chain([alert.host_name.as_str()])
        .chain(alert.asset_tag.as_deref())
        .map(|name| name.trim().to_ascii_lowercase())
        .filter(|name| name.len() >= SHORTEST_NAME)
        .collect();
    names.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
    names.dedup();
    names
}

/// The parts of a person's name or account that may be names: of three letters or more, and not the domain's.
fn parts(name: &str) -> impl Iterator<Item = &str> {
    person_part(name)
        .split(|c: char| !c.is_alphanumeric())
        .filter(|part| part.chars().filter(|c| c.is_alphabetic()).count() >= SHORTEST_NAME)
}

fn mask_match(found: v1::Match, names: &[String]) -> v1::Match {
    v1::Match {
        snippet: mask(&found.snippet, names),
        reasons: found.reasons.iter().map(|reason| mask(reason, names)).collect(),
        ..found
    }
}

fn mask_visit(visit: v1::Visit, names: &[String]) -> v1::Visit {
    v1::Visit {
        browser: mask(&visit.browser, names),
        profile: String::new(),
        address: mask(&visit.address, names),
        title: visit.title.map(|title| mask(&title, names)),
        search_terms: visit.search_terms.map(|terms| mask(&terms, names)),
        transition: visit.transition,
        private_window: visit.private_window,
    }
}

fn mask_text(text: v1::PageText, names: &[String]) -> v1::PageText {
    v1::PageText {
        browser: mask(&text.browser, names),
        address: mask(&text.address, names),
        title: text.title.map(|title| mask(&title, names)),
        kind: text.kind,
        private_window: text.private_window,
    }
}

fn mask_request(request: v1::LoggedRequest, names: &[String]) -> v1::LoggedRequest {
    let masked = |text: Option<String>| text.map(|text| mask(&text, names));
    v1::LoggedRequest {
        address: mask(&request.address, names),
        action: request.action,
        category: masked(request.category),
        reason: masked(request.reason),
        search_terms: masked(request.search_terms),
        user_agent: masked(request.user_agent),
        status: request.status,
        name_lookup: request.name_lookup,
    }
}

/// Without the path: folders are named after people, and it helps nobody to judge.
fn mask_program(program: v1::Program, names: &[String]) -> v1::Program {
    v1::Program {
        name: mask(&program.name, names),
        list: program.list,
        path: None,
        publisher: program.publisher.map(|publisher| mask(&publisher, names)),
    }
}

fn mask_medium(medium: &v1::Medium, names: &[String]) -> v1::Medium {
    let v1::Medium { change, bytes, allowed, .. } = *medium;
    v1::Medium { change, name: mask(&medium.name, names), bytes, allowed }
}

fn mask_context(visit: v1::ContextVisit, names: &[String]) -> v1::ContextVisit {
    v1::ContextVisit {
        occurred_at: visit.occurred_at,
        address: mask(&visit.address, names),
        title: visit.title.map(|title| mask(&title, names)),
    }
}

/// Masks every name that stands in a text as a word of its own, in any case of ASCII letters.
fn mask(text: &str, names: &[String]) -> String {
    let mut masked = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(next) = rest.chars().next() {
        let starts_word = !masked.ends_with(char::is_alphanumeric);
        let name = names.iter().find(|name| starts_word && starts_with_word(rest, name));
        match name {
            Some(name) => {
                masked.push_str(&MASK.repeat(name.len()));
                rest = &rest[name.len()..];
            }
            None => {
                masked.push(next);
                rest = &rest[next.len_utf8()..];
            }
        }
    }
    masked
}

fn starts_with_word(text: &str, name: &str) -> bool {
    text.split_at_checked(name.len()).is_some_and(|(start, after)| {
        start.eq_ignore_ascii_case(name) && !after.starts_with(char::is_alphanumeric)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_s_parts_are_names_if_they_have_three_letters() {
        for (account, expected) in [
            ("amy.jones", vec!["amy", "jones"]),
            ("SCHOOL\\Amy_Jones", vec!["Amy", "Jones"]),
            ("zoë-o.brien@school.example", vec!["zoë", "brien"]),
            ("2019.amy", vec!["amy"]),
            ("19amy", vec!["19amy"]),
            ("ajones", vec!["ajones"]),
            ("Amy Jones", vec!["Amy", "Jones"]),
            ("al.b", vec![]),
        ] {
            assert_eq!(parts(account).collect::<Vec<_>>(), expected, "{account}");
        }
    }

    #[test]
    fn names_are_masked_as_words_and_lengths_stay() {
        let names = ["amy.jones", "amy", "zoë"].map(str::to_owned);
        for (text, expected) in [
            ("https://a.example/users/Amy.Jones/home", "https://a.example/users/*********/home"),
            ("amy hates me", "*** hates me"),
            ("AMY, amy!", "***, ***!"),
            ("infamy and amyl", "infamy and amyl"),
            ("zoë says", "**** says"),
            ("", ""),
        ] {
            let masked = mask(text, &names);
            assert_eq!(masked, expected);
            assert_eq!(masked.len(), text.len());
        }
    }
}
