//! Every bound, and what breaks it.

use prost::Message as _;

use super::*;
use crate::triage::scene::{a_match, a_visit};

#[test]
fn what_breaks_a_bound_is_refused_by_name() {
    let long = |bytes: usize| "a".repeat(bytes);
    type Break = fn(&mut v1::EventPayload);
    let table: [(Refusal, Break); 18] = [
        (Refusal::Time, |p| p.occurred_at = None),
        (Refusal::Time, |p| p.observed_at = None),
        (Refusal::Malformed, |p| p.boot_id = vec![1; 15]),
        (Refusal::Evidence, |p| p.evidence[0].value.clear()),
        (Refusal::Evidence, |p| p.evidence[0].authority = "a".repeat(257)),
        (Refusal::Evidence, |p| p.evidence = vec![p.evidence[0].clone(); 9]),
        (Refusal::Match, |p| p.matches = vec![p.matches[0].clone(); 33]),
        (Refusal::Match, |p| p.matches[0].end = 999),
        (Refusal::Match, |p| p.matches[0].start = p.matches[0].end + 1),
        (Refusal::Match, |p| p.matches[0].rule = "<b>".into()),
        (Refusal::Match, |p| p.matches[0].reasons = vec![String::new(); 9]),
        (Refusal::Category, |p| p.matches[0].category = "weather".into()),
        (Refusal::Severity, |p| p.matches[0].severity = 6),
        (Refusal::Severity, |p| p.matches[0].severity = 0),
        (Refusal::Context, |p| p.context = vec![v1::ContextVisit::default(); 21]),
        (Refusal::Visit, |p| p.matches.clear()),
        (Refusal::Imagery, |p| p.matches[0].category = "illegal_imagery".into()),
        (Refusal::UnknownContent, |p| {
            p.matches.clear();
            p.content = None;
        }),
    ];
    for (refusal, harm) in table {
        let mut payload = worrying();
        harm(&mut payload);
        assert_eq!(check(payload), Err(refusal), "{refusal:?}");
    }
    let mut payload = worrying();
    payload.matches[0].snippet = long(601);
    assert_eq!(check(payload), Err(Refusal::Match));
    let mut payload = worrying();
    payload.content = Some(a_visit(&long(4_097), None));
    assert_eq!(check(payload), Err(Refusal::Visit));
}

#[test]
fn what_breaks_a_bound_of_its_content_is_refused_by_name() {
    let text = || v1::PageText { address: "https://a.example/".into(), ..Default::default() };
    let request =
        || v1::LoggedRequest { address: "https://a.example/".into(), ..Default::default() };
    let program = || v1::Program { name: "tor".into(), ..Default::default() };
    let count = |category: String, count| v1::FilterCount { category, count };
    let counts = |counts| Content::FilterCounts(v1::FilterCounts { counts });
    let long = |bytes: usize| Some("a".repeat(bytes + 1));
    let most = |bytes: usize| "a".repeat(bytes + 1);
    // Each row: the content, whether a match is beside it, what comes of it.
    let table = [
        (Content::Text(text()), true, Ok(())),
        (Content::Text(text()), false, Err(Refusal::Text)),
        (Content::Text(v1::PageText { address: most(4_096), ..text() }), true, Err(Refusal::Text)),
        (Content::Text(v1::PageText { browser: most(64), ..text() }), true, Err(Refusal::Text)),
        (Content::Text(v1::PageText { title: long(1_024), ..text() }), true, Err(Refusal::Text)),
        (Content::Request(request()), false, Ok(())),
        (
            Content::Request(v1::LoggedRequest { category: Some("porn".into()), ..request() }),
            false,
            Ok(()),
        ),
        (
            Content::Request(v1::LoggedRequest { category: long(128), ..request() }),
            true,
            Err(Refusal::Request),
        ),
        (
            Content::Request(v1::LoggedRequest { reason: Some("words".into()), ..request() }),
            false,
            Err(Refusal::Request),
        ),
        (
            Content::Request(v1::LoggedRequest { reason: long(256), ..request() }),
            true,
            Err(Refusal::Request),
        ),
        (
            Content::Request(v1::LoggedRequest { search_terms: Some("x".into()), ..request() }),
            false,
            Err(Refusal::Request),
        ),
        (
            Content::Request(v1::LoggedRequest { user_agent: Some("x".into()), ..request() }),
            false,
            Err(Refusal::Request),
        ),
        (
            Content::Request(v1::LoggedRequest { user_agent: long(256), ..request() }),
            true,
            Err(Refusal::Request),
        ),
        (
            Content::Request(v1::LoggedRequest { address: String::new(), ..request() }),
            false,
            Err(Refusal::Request),
        ),
        (Content::Program(program()), false, Ok(())),
        (Content::Program(v1::Program::default()), false, Err(Refusal::Program)),
        (
            Content::Program(v1::Program { name: most(256), ..program() }),
            true,
            Err(Refusal::Program),
        ),
        (
            Content::Program(v1::Program { path: long(1_024), ..program() }),
            true,
            Err(Refusal::Program),
        ),
        (
            Content::Program(v1::Program { publisher: long(256), ..program() }),
            true,
            Err(Refusal::Program),
        ),
        (Content::Medium(v1::Medium::default()), false, Ok(())),
        (
            Content::Medium(v1::Medium { name: most(256), ..Default::default() }),
            false,
            Err(Refusal::Medium),
        ),
        (counts(vec![count("ads".into(), 3)]), false, Ok(())),
        (counts(vec![count("ads".into(), 3)]), true, Err(Refusal::FilterCounts)),
        (counts(vec![count("ads".into(), 0)]), false, Err(Refusal::FilterCounts)),
        (counts(vec![count(most(128), 1)]), false, Err(Refusal::FilterCounts)),
        (counts(vec![count(String::new(), 1); 65]), false, Err(Refusal::FilterCounts)),
        (Content::NoticeShown(v1::NoticeShown { version: 1, audience: 0 }), false, Ok(())),
        (
            Content::NoticeShown(v1::NoticeShown { version: 0, audience: 2 }),
            false,
            Err(Refusal::Notice),
        ),
    ];
    for (content, matched, expected) in table {
        let mut payload = v1::EventPayload { content: Some(content), ..worrying() };
        if !matched {
            payload.matches.clear();
        }
        assert_eq!(check(payload.clone()), expected, "{:?}", payload.content);
    }
}

#[test]
fn of_illegal_imagery_nothing_but_the_address_is_taken_whatever_tells_it() {
    let request = v1::LoggedRequest { address: "https://a.example/".into(), ..Default::default() };
    let text = v1::PageText::default();
    for (content, fine) in [
        (Content::Request(request.clone()), true),
        (
            Content::Request(v1::LoggedRequest { reason: Some("x".into()), ..request.clone() }),
            false,
        ),
        (Content::Request(v1::LoggedRequest { search_terms: Some("x".into()), ..request }), false),
        (Content::Text(text.clone()), true),
        (Content::Text(v1::PageText { title: Some("x".into()), ..text }), false),
        (Content::Medium(v1::Medium::default()), false),
    ] {
        let mut payload = v1::EventPayload { content: Some(content), ..worrying() };
        payload.matches[0] =
            v1::Match { snippet: String::new(), start: 0, end: 0, ..a_match("illegal_imagery", 5) };
        let refusal = if fine { Ok(()) } else { Err(Refusal::Imagery) };
        assert_eq!(check(payload.clone()), refusal, "{:?}", payload.content);
    }
}

#[test]
fn a_match_with_content_of_an_unknown_kind_is_taken() {
    let payload = v1::EventPayload { content: None, ..worrying() };
    assert_eq!(check(payload), Ok(()));
}

#[test]
fn the_most_severe_match_leads_wherever_it_stands() {
    let mut payload = worrying();
    payload.matches = vec![a_match("drugs", 3), a_match("suicide", 5), a_match("hate", 5)];
    let admitted = Admitted::check(payload, Vec::new()).unwrap();
    assert_eq!(admitted.lead, Some((Category::Suicide, Severity::GREATEST)));
}

#[test]
fn a_last_occurrence_before_the_first_is_the_first() {
    let mut payload = worrying();
    payload.last_occurred_at = Some(time::to_wire(Timestamp::UNIX_EPOCH));
    let admitted = Admitted::check(payload, Vec::new()).unwrap();
    assert_eq!(admitted.last_occurred_at, admitted.occurred_at);
}

fn check(payload: v1::EventPayload) -> Result<(), Refusal> {
    let bytes = payload.encode_to_vec();
    Admitted::check(payload, bytes).map(|_| ())
}

fn worrying() -> v1::EventPayload {
    crate::triage::scene::worrying("suicide", 5)
}
