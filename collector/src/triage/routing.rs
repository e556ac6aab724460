//! Who may see an alert: persons, and nobody it is about.
//!
//! The subject is whoever the words are about, not only who typed. Before an alert is visible, everything
//! in its event is held against the names of the people who would see it, and the account against theirs.
//!
//! - **Certainly about them**: in what was written (a match's snippet, a search), their full name or a title
//!   or "coach" with any of their names; an account that is their full name, be it the one that evidence names
//!   or the one that the device is allocated to. They are left out, whoever remains; if nobody does, the alert
//!   is kept and an alarm tells the technician, without content, that somebody independent is needed.
//! - **Possibly about them**: a name in what was only opened or met (address, title, a page's text, an AI
//!   chat's answer, a filter's reason, a program, a medium, the visits before), since whoever reads the
//!   school's page about its DSL has said nothing of them and must not be able to hide from them by it; an
//!   account of initial and surname (`jsmith`), which may be a pupil of that surname. They are left out only
//!   while somebody else remains: an alert about a child's life that nobody sees does more harm than one that
//!   a namesake sees.
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
mod tests;
