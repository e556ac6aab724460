//! Who is left out of what, and who is not.

use redshank_proto::clock::System;

use super::*;
use crate::triage::scene::{a_visit, signed_in, worrying};

#[test]
fn somebody_named_is_left_out_and_nobody_else_is() {
    // Jane Smith and Tomás O'Brien would see it; who is left.
    for (text, account, left, adult) in [
        ("mr brown hits me", "amy", "jt", Adult::NotMentioned),
        ("mrs smith hits me", "amy", "t", Adult::Named),
        ("Mrs. Smith's room after school", "amy", "t", Adult::Named),
        ("miss jane touched me", "amy", "t", Adult::Named),
        ("jane smith hits me", "amy", "t", Adult::Named),
        ("jane elizabeth smith hits me", "amy", "t", Adult::Named),
        ("the smith of the village", "amy", "jt", Adult::NotMentioned),
        ("jane austen and adam smith", "amy", "jt", Adult::NotMentioned),
        ("mrs j smith hits me", "amy", "t", Adult::Named),
        ("Mrs J. E. Smith hits me", "amy", "t", Adult::Named),
        ("mr t. o'brien", "amy", "j", Adult::Named),
        ("mr a b c obrien", "amy", "jt", Adult::NotMentioned),
        ("mr obrien hits me", "amy", "j", Adult::Named),
        ("tomas o'brien hits me", "amy", "j", Adult::Named),
        ("mrs smith and mr o’brien", "amy", "", Adult::Named),
        ("sir hits me", "amy", "jt", Adult::Unnamed),
        ("i hate my teacher", "amy", "jt", Adult::Unnamed),
        ("miss hits me", "amy", "jt", Adult::Unnamed),
        ("i miss my mum", "amy", "jt", Adult::NotMentioned),
        ("i want to die", "jane.smith", "t", Adult::Named),
        ("i want to die", "SCHOOL\\SmithJane", "t", Adult::Named),
        ("i want to die", "j.smith@school.example", "t", Adult::NotMentioned),
        ("i want to die", "19jsmith", "jt", Adult::NotMentioned),
    ] {
        let users = users();
        let routing = routed(&users, &event(text, account));
        let initials: String =
            users.iter().filter(|u| routing.viewers.contains(&u.user)).map(initial).collect();
        assert_eq!((initials.as_str(), routing.adult), (left, adult), "{text} by {account}");
    }
}

#[test]
fn a_namesake_s_account_hides_no_alert_from_the_only_person_there_is() {
    let users = &users()[..1];
    assert_eq!(routed(users, &event("i want to die", "jsmith")).viewers, [users[0].user]);
    assert_eq!(routed(users, &event("i want to die", "janesmith")).viewers, []);
}

#[test]
fn a_name_in_what_was_only_opened_hides_an_alert_from_nobody_who_alone_sees_it() {
    let plain = event("i hate school", "amy");
    let mut titled = plain.clone();
    titled.content = Some(a_visit("https://a.example/", Some("Mrs Smith: our DSL")));
    let mut addressed = plain.clone();
    addressed.content = Some(a_visit("https://a.example/staff/mrs-smith", None));
    let mut before = plain.clone();
    before.context = vec![v1::ContextVisit {
        title: Some("Jane Smith profile".to_owned()),
        ..Default::default()
    }];
    let mut searched = v1::Visit { search_terms: Some("mrs smith".into()), ..Default::default() };
    searched.address = "https://search.example/".to_owned();
    let searched = v1::EventPayload { content: Some(Content::Visit(searched)), ..plain.clone() };
    let users = users();
    let viewers =
        |payload: &v1::EventPayload, users: &[ContentUser]| routed(users, payload).viewers;
    for payload in [titled, addressed, before] {
        assert_eq!(viewers(&payload, &users), [users[1].user], "somebody else remains");
        assert_eq!(viewers(&payload, &users[..1]), [users[0].user], "she alone");
        let payloads = [plain.clone(), payload];
        assert!(is_kept_from("Ms Jane Smith", &payloads, &[], true));
        assert!(!is_kept_from("Ms Jane Smith", &payloads, &[], false));
    }
    assert_eq!(viewers(&searched, &users[..1]), []);
    assert!(is_kept_from("Ms Jane Smith", &[plain.clone(), searched], &[], false));
    assert!(!is_kept_from("Ms Jane Smith", std::slice::from_ref(&plain), &[], true));
    // Of a person whom the asset log names, evidence says nothing.
    let allocated = ["school\\jane.smith".to_owned()];
    assert!(is_kept_from("Ms Jane Smith", &[plain], &allocated, false));
}

#[test]
fn a_name_in_what_a_page_or_a_machine_said_hides_an_alert_from_nobody_who_alone_sees_it() {
    let text = |kind: v1::TextKind| {
        Some(Content::Text(v1::PageText { kind: kind as i32, ..Default::default() }))
    };
    let users = users();
    let place = |place: v1::Place| place as i32;
    // Each row: content, where the match stood; who sees it beside somebody else, and who alone.
    for (content, place, alone) in [
        (text(v1::TextKind::Typed), place(v1::Place::Typed), false),
        (text(v1::TextKind::Prompt), place(v1::Place::Typed), false),
        (text(v1::TextKind::Answer), place(v1::Place::Typed), true),
        (text(v1::TextKind::Page), place(v1::Place::PageText), true),
        (Some(Content::Medium(v1::Medium::default())), place(v1::Place::Unspecified), true),
        (Some(Content::Program(v1::Program::default())), place(v1::Place::Program), true),
    ] {
        let mut payload = event("mrs smith", "amy");
        payload.matches[0].place = place;
        payload.content = content;
        assert_eq!(routed(&users, &payload).viewers, [users[1].user], "{payload:?}");
        let sees = !routed(&users[..1], &payload).viewers.is_empty();
        assert_eq!(sees, alone, "{payload:?}");
    }
    let request = v1::LoggedRequest { reason: Some("mrs smith".into()), ..Default::default() };
    let plain = event("i hate school", "amy");
    let payload = v1::EventPayload { content: Some(Content::Request(request)), ..plain };
    assert_eq!(routed(&users, &payload).viewers, [users[1].user]);
    assert_eq!(routed(&users[..1], &payload).viewers, [users[0].user]);
}

#[test]
fn what_somebody_s_own_account_used_is_kept_from_them() {
    for (account, thing, with_others, alone) in [
        ("school\\jane.smith", "Tor Browser", true, true),
        ("jsmith", "Tor Browser", true, false),
        ("amy", "Tor Browser", false, false),
        ("amy", "JANE SMITH", true, false),
    ] {
        let kept =
            |others| is_kept_from_account("Jane Smith", &[account.to_owned()], thing, others);
        assert_eq!((kept(true), kept(false)), (with_others, alone), "{account} {thing}");
    }
}

fn routed(users: &[ContentUser], payload: &v1::EventPayload) -> Routing {
    route(users, payload, personal(&payload.evidence).account.as_ref())
}

fn initial(user: &ContentUser) -> char {
    user.name.chars().next().unwrap_or_default().to_ascii_lowercase()
}

fn users() -> Vec<ContentUser> {
    ["Jane Smith", "Tomás O'Brien"]
        .map(|name| ContentUser { user: UserId::draw(&System), name: name.to_owned() })
        .into()
}

fn event(text: &str, account: &str) -> v1::EventPayload {
    let mut payload = worrying("abuse_disclosure", 4);
    payload.evidence = vec![signed_in(account)];
    payload.matches[0].snippet = text.to_owned();
    payload.content = None;
    payload
}
