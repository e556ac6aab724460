//! Which browsers of which accounts have an extension that speaks: what the extension sees is held
//! against what the history source sees, so that a browser without it does not pass for a quiet one.
//!
//! ```text
//! extension source ── here, gone ──► Presence ◄── a visit was read ── history's visits, as they pass
//!                                        └──► coverage: blind in this browser
//! ```
//! A visit that a browser made while no extension of it was connected, nor came within [`GRACE`], shows
//! that the extension is not running there. It counts as running again once it has said hello. A visit
//! from before this agent's start shows nothing: an extension cannot have been heard then.
//!
//! Two profiles of one browser and one account are one here, for an extension does not know its profile:
//! of two, one with and one without it, both count as having it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

use super::report::{known_browser, label};
use crate::observation::{Batch, Content, Evidence, Source};
use crate::sources::{Coverage, State};

/// How long after a visit its browser's extension may still come: a browser's start, and a history that
/// is written ten seconds late.
pub const GRACE: Duration = Duration::from_secs(60);
/// Browsers of accounts that are known at once.
const MOST: usize = 512;

/// What is known of every browser; cloning shares it.
#[derive(Debug, Clone)]
pub struct Presence {
    started: Timestamp,
    known: Arc<Mutex<BTreeMap<(String, &'static str), Sighting>>>,
}

/// What is known of one browser of one account.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sighting {
    /// How many connections its extension has.
    pub connections: u32,
    /// When its extension was last connected; `None` if it never was.
    pub last_seen: Option<Timestamp>,
    /// The first visit since, that no extension can have seen.
    pub unseen_visit: Option<Timestamp>,
}

impl Presence {
    /// Begins to look, at `started`.
    #[must_use]
    pub fn new(started: Timestamp) -> Self {
        Self { started, known: Arc::default() }
    }

    /// What is known of a browser of an account, by the names that visits give them.
    #[must_use]
    pub fn of(&self, account: &str, browser: &str) -> Option<Sighting> {
        self.known().get(&(account.to_owned(), known_browser(browser))).copied()
    }

    /// Hears of what a source has read: for each batch on its way to the pipeline.
    pub fn heard(&self, batch: &Batch) {
        for seen in batch.observations.iter().filter(|seen| seen.source == Source::BrowserHistory) {
            let account = seen.evidence.iter().find_map(|evidence| match evidence {
                Evidence::OsUser(name) => Some(name),
                _ => None,
            });
            if let (Some(account), Content::Visit(visit)) = (account, &seen.content) {
                self.visited(account, &visit.browser, seen.occurred_at);
            }
        }
    }

    /// Hears that a visit was read from a history.
    pub fn visited(&self, account: &str, browser: &str, at: Timestamp) {
        if at < self.started {
            return;
        }
        self.change(account, browser, |sighting| {
            let seen =
                sighting.connections > 0 || sighting.last_seen.is_some_and(|last| last >= at);
            if !seen {
                sighting.unseen_visit.get_or_insert(at);
            }
        });
    }

    /// How well the browsers are seen in which an extension is missing; the others are left out.
    #[must_use]
    pub fn coverage(&self, now: Timestamp) -> Vec<Coverage> {
        let known = self.known();
        let missing = known.iter().filter(|(_, sighting)| {
            let since = sighting.unseen_visit.map(|at| now.duration_since(at));
            since.is_some_and(|since| since.unsigned_abs() >= GRACE && since.is_positive())
        });
        let blind = |((account, browser), _): (&(String, &'static str), _)| Coverage {
            source: Source::BrowserExtension,
            input: label(browser, account),
            state: State::Blind("the extension is not running in this browser".to_owned()),
        };
        missing.map(blind).collect()
    }

    pub(super) fn here(&self, account: &str, browser: &str, now: Timestamp) {
        self.change(account, browser, |sighting| {
            sighting.connections = sighting.connections.saturating_add(1);
            sighting.last_seen = Some(now);
            sighting.unseen_visit = None;
        });
    }

    pub(super) fn gone(&self, account: &str, browser: &str, now: Timestamp) {
        self.change(account, browser, |sighting| {
            sighting.connections = sighting.connections.saturating_sub(1);
            sighting.last_seen = Some(now);
        });
    }

    fn change(&self, account: &str, browser: &str, change: impl FnOnce(&mut Sighting)) {
        let mut known = self.known();
        let key = (account.to_owned(), known_browser(browser));
        if known.len() < MOST || known.contains_key(&key) {
            change(known.entry(key).or_default());
        }
    }

    fn known(&self) -> MutexGuard<'_, BTreeMap<(String, &'static str), Sighting>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_whose_visits_no_extension_saw_is_blind_after_a_while() {
        let presence = Presence::new(at(100));
        presence.visited("amy", "Chrome", at(99));
        assert!(presence.coverage(at(500)).is_empty(), "before the start");
        presence.visited("amy", "Chrome", at(110));
        assert!(presence.coverage(at(169)).is_empty(), "it may still come");
        let missing = presence.coverage(at(170));
        assert_eq!(missing.len(), 1);
        assert!(missing[0].input.starts_with("Chrome extension #"), "{missing:?}");
        assert!(!missing[0].input.contains("amy"));
        presence.here("amy", "Chrome", at(180));
        assert!(presence.coverage(at(300)).is_empty());
        presence.visited("amy", "Chrome", at(290));
        presence.gone("amy", "Chrome", at(310));
        presence.visited("amy", "Chrome", at(305));
        assert!(presence.coverage(at(900)).is_empty(), "a history is read late");
        presence.visited("amy", "Chrome", at(311));
        assert_eq!(presence.coverage(at(900)).len(), 1);
        assert_eq!(presence.of("amy", "Chrome").unwrap().connections, 0);
        assert_eq!(presence.of("bob", "Chrome"), None);
    }

    #[test]
    fn browsers_and_accounts_are_told_apart_and_bounded() {
        let presence = Presence::new(at(0));
        presence.here("amy", "Chrome", at(1));
        presence.visited("amy", "Firefox", at(2));
        presence.visited("bob", "Chrome", at(2));
        assert_eq!(presence.coverage(at(100)).len(), 2);
        for number in 0..2 * MOST {
            presence.visited(&format!("pupil{number}"), "Chrome", at(2));
        }
        assert_eq!(presence.known().len(), MOST);
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }
}
