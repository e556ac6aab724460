//! Who may see an alert: persons, and nobody it is about.
//!
//! The subject is whoever the words are about, not only who typed. Before an alert is visible, everything
//! in its event is held against the names of the people who would see it, and the account against theirs.
//!
//! - **Certainly about them**: in what was written (a match's snippet, a search), their full name or a title
//!   or "coach" with any of their names; an account that is their full name, be it the one that evidence names
//!   or the one that the device is allocated to. They are left out, whoever
//!   remains; if nobody does, the alert is kept and an alarm tells the technician, without content, that
//!   somebody independent is needed.
//! - **Possibly about them**: a name in what was only opened or met (address, title, a page's text, an AI
//!   chat's answer, a filter's reason, a program, a medium, the visits before), since whoever reads the school's page about its DSL has said nothing of them and must not be able to hide
//!   from them by it; an account of initial and surname (`jsmith`), which may be a pupil of that surname.
//!   They are left out only while somebody else remains: an alert about a child's life that nobody sees does
//!   more harm than one that a namesake sees.
//! - **An adult without a name** ("sir", "my teacher") could be any of them. It is said on the alert; that
//!   such an alert needs two independent people to be closed is left to escalation, which knows more.
//!
//! A bare surname is not looked for: too many are words. Letters with accents match any letter in their
//! place, because a child types "Jose" for "José".

use redshank_proto::id::UserId;
use redshank_proto::v1::{self, event_payload::Content};

use super::attribution::personal;
use crate::store::persons::{Account, person_part};
use crate::store::users::ContentUser;

/// Words that make a name of the school's staff out of a first name or surname.
const TITLES: [&str; 15] = [
    "mr",
    "mister",
    "mrs",
    "ms",
    "miss",
    "mx",
    "dr",
    "doctor",
    "prof",
    "professor",
    "sir",
    "madam",
    "rev",
    "father",
    "coach",
];
/// Words for an adult of the school who is not named.
const UNNAMED: [&str; 7] =
    ["teacher", "teachers", "headteacher", "headmaster", "headmistress", "tutor", "sir"];
/// Words before "miss" that make it a verb.
const MISSES: [&str; 14] = [
    "i", "we", "you", "they", "to", "will", "ill", "ull", "really", "gonna", "do", "dont", "did",
    "would",
];
/// Words that may stand between a first name and a surname, and initials between a title and a name.
const BETWEEN: usize = 2;

/// What an event says of the school's adults.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Adult {
    /// Nothing.
    NotMentioned,
    /// One of them, without a name.
    Unnamed,
    /// One who would have seen the alert, by name.
    Named,
}

/// Who may see an event, and why not the others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Routing {
    /// Who may see it.
    pub(super) viewers: Vec<UserId>,
    /// Whom it is certainly about.
    pub(super) subjects: Vec<UserId>,
    /// What it says of adults.
    pub(super) adult: Adult,
}

/// Routes an event of an account among the people of its school whose role opens content.
pub(super) fn route(
    users: &[ContentUser],
    payload: &v1::EventPayload,
    account: Option<&Account>,
) -> Routing {
    let texts = Texts::of(payload);
    let accounts: Vec<&str> = account.into_iter().map(Account::person_part).collect();
    let concern = |user: &ContentUser| concerns(&Name::of(&user.name), &texts, &accounts);
    let mut routing =
        Routing { viewers: Vec::new(), subjects: Vec::new(), adult: Adult::NotMentioned };
    let mut possible = Vec::new();
    for user in users {
        match concern(user) {
            Concern::Certain => routing.subjects.push(user.user),
            Concern::Possible => possible.push(user.user),
            Concern::None => routing.viewers.push(user.user),
        }
    }
    if routing.viewers.is_empty() {
        routing.viewers = possible;
    }
    if !routing.subjects.is_empty() {
        routing.adult = Adult::Named;
    } else if texts.all().any(|words| mentions_unnamed(words)) {
        routing.adult = Adult::Unnamed;
    }
    routing
}

/// Whether an alert of these events, by a person of these accounts, is kept from somebody of this name: it is
/// certainly about them, or it may be and others see it.
pub(crate) fn is_kept_from(
    name: &str,
    payloads: &[v1::EventPayload],
    accounts: &[String],
    others_see_it: bool,
) -> bool {
    let name = Name::of(name);
    payloads.iter().any(|payload| {
        let evident = personal(&payload.evidence).account;
        let evident = evident.iter().map(Account::person_part);
        let accounts: Vec<&str> =
            evident.chain(accounts.iter().map(|account| person_part(account))).collect();
        concerns(&name, &Texts::of(payload), &accounts).keeps_from(others_see_it)
    })
}

/// Whether something of this name that a person of these accounts used is kept from somebody of this name.
pub(crate) fn is_kept_from_account(
    name: &str,
    accounts: &[String],
    thing: &str,
    others_see_it: bool,
) -> bool {
    let accounts: Vec<&str> = accounts.iter().map(|account| person_part(account)).collect();
    let texts = Texts { written: Vec::new(), opened: vec![words(thing)] };
    concerns(&Name::of(name), &texts, &accounts).keeps_from(others_see_it)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Concern {
    None,
    Possible,
    Certain,
}

impl Concern {
    fn keeps_from(self, others_see_it: bool) -> bool {
        match self {
            Self::Certain => true,
            Self::Possible => others_see_it,
            Self::None => false,
        }
    }
}

/// A name in lower-case words, without titles.
struct Name {
    words: Vec<String>,
}

impl Name {
    fn of(name: &str) -> Self {
        let mut words = words(name);
        words.retain(|word| !TITLES.contains(&word.as_str()));
        Self { words }
    }

    fn first_and_last(&self) -> Option<(&str, &str)> {
        match &self.words[..] {
            [first, .., last] => Some((first, last)),
            [] | [_] => None,
        }
    }
}

fn concerns(name: &Name, texts: &Texts, accounts: &[&str]) -> Concern {
    let named_in = |texts: &[Vec<String>]| texts.iter().any(|words| is_named(name, words));
    if named_in(&texts.written) {
        return Concern::Certain;
    }
    let otherwise = if named_in(&texts.opened) { Concern::Possible } else { Concern::None };
    let by_account = accounts.iter().map(|account| is_account_of(name, account)).max();
    by_account.unwrap_or(Concern::None).max(otherwise)
}

fn is_account_of(name: &Name, account: &str) -> Concern {
    let Some((first, last)) = name.first_and_last() else { return Concern::None };
    let account: String = account.to_lowercase().chars().filter(|c| c.is_alphanumeric()).collect();
    let initial: String = first.chars().take(1).collect();
    let is = |a: &str, b: &str| same(&account, &format!("{a}{b}"));
    if is(first, last) || is(last, first) {
        Concern::Certain
    } else if is(&initial, last) || is(last, &initial) {
        Concern::Possible
    } else {
        Concern::None
    }
}

fn is_named(name: &Name, text: &[String]) -> bool {
    text.iter().enumerate().any(|(at, word)| {
        let after = &text[at + 1..];
        let titled = TITLES.contains(&word.as_str())
            && after.iter().take(BETWEEN + 1).find(|next| next.chars().count() > 1).is_some_and(
                |next| {
                    name.words.iter().any(|part| part.len() > 1 && same_or_possessive(next, part))
                },
            );
        let in_full = name.first_and_last().is_some_and(|(first, last)| {
            same(word, first)
                && after.iter().take(BETWEEN + 1).any(|next| same_or_possessive(next, last))
        });
        titled || in_full
    })
}

fn mentions_unnamed(text: &[String]) -> bool {
    text.iter().enumerate().any(|(at, word)| {
        let before = at.checked_sub(1).map(|before| text[before].as_str());
        UNNAMED.contains(&word.as_str())
            || (word == "miss" && !before.is_some_and(|before| MISSES.contains(&before)))
    })
}

fn same_or_possessive(word: &str, name: &str) -> bool {
    same(word, name) || word.strip_suffix('s').is_some_and(|word| same(word, name))
}

/// Whether a word is a name, where the name's letters beyond ASCII match any.
fn same(word: &str, name: &str) -> bool {
    word.chars().count() == name.chars().count()
        && word.chars().zip(name.chars()).all(|(w, n)| w == n || !n.is_ascii())
}

/// The texts of an event, each in words.
struct Texts {
    /// What matched, and what was searched for.
    written: Vec<Vec<String>>,
    /// Addresses, titles and whatever else was met, the visits before included.
    opened: Vec<Vec<String>>,
}

impl Texts {
    fn of(payload: &v1::EventPayload) -> Self {
        let (mut written, mut opened) = (Vec::new(), Vec::new());
        for found in &payload.matches {
            let texts = if was_met(payload, found) { &mut opened } else { &mut written };
            texts.push(words(&found.snippet));
        }
        match &payload.content {
            Some(Content::Visit(visit)) => {
                written.extend(visit.search_terms.as_deref().map(words));
                opened.push(words(&visit.address));
                opened.extend(visit.title.as_deref().map(words));
            }
            Some(Content::Text(text)) => {
                opened.push(words(&text.address));
                opened.extend(text.title.as_deref().map(words));
            }
            Some(Content::Request(request)) => {
                written.extend(request.search_terms.as_deref().map(words));
                opened.push(words(&request.address));
                opened.extend(request.reason.as_deref().map(words));
            }
            Some(Content::Program(program)) => {
                opened.push(words(&program.name));
                opened.extend(program.path.as_deref().map(words));
            }
            Some(Content::Medium(medium)) => opened.push(words(&medium.name)),
            Some(Content::Gap(_) | Content::FilterCounts(_) | Content::NoticeShown(_)) | None => {}
        }
        for visit in &payload.context {
            opened.push(words(&visit.address));
            opened.extend(visit.title.as_deref().map(words));
        }
        Self { written, opened }
    }

    fn all(&self) -> impl Iterator<Item = &Vec<String>> {
        self.written.iter().chain(&self.opened)
    }
}

/// Whether a match stood in what the pupil only met: a page's own text, an AI chat's answer, a program, a medium.
fn was_met(payload: &v1::EventPayload, found: &v1::Match) -> bool {
    let answered = match &payload.content {
        Some(Content::Text(text)) => text.kind() == v1::TextKind::Answer,
        Some(Content::Medium(_)) => true,
        _ => false,
    };
    answered || matches!(found.place(), v1::Place::PageText | v1::Place::Program)
}

/// A text's words in lower case, apostrophes dropped ("O'Brien" is one word, as it is typed).
fn words(text: &str) -> Vec<String> {
    let plain: String =
        text.chars().filter(|c| !matches!(c, '\'' | '’')).flat_map(char::to_lowercase).collect();
    plain
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
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
        let mut searched =
            v1::Visit { search_terms: Some("mrs smith".into()), ..Default::default() };
        searched.address = "https://search.example/".to_owned();
        let searched =
            v1::EventPayload { content: Some(Content::Visit(searched)), ..plain.clone() };
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
}
