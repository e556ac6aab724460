//! What a user opened before a match: kept in memory for ten minutes, in case it is needed.

use std::collections::{HashMap, VecDeque};

use jiff::{SignedDuration, Timestamp};
use redshank_proto::{bounds, time, v1};

/// How far back the context of a match goes.
const WINDOW: SignedDuration = SignedDuration::from_mins(10);
/// Users whose visits are kept at a time, some 100 KiB each at their fullest.
const USERS: usize = 32;

/// The last visits of each user.
#[derive(Debug, Default)]
pub(super) struct Context(HashMap<String, VecDeque<Past>>);

/// A page, as context knows it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Page<'a> {
    /// Whose: what the strongest evidence says; pages of nobody share one.
    pub(super) user: &'a str,
    pub(super) at: Timestamp,
    pub(super) address: &'a str,
    /// None if it must not leave.
    pub(super) title: Option<&'a str>,
}

#[derive(Debug)]
struct Past {
    at: Timestamp,
    address: String,
    title: Option<String>,
}

impl Context {
    /// What the same user opened in the ten minutes before this page, oldest first.
    pub(super) fn before(&self, seen: &Page<'_>) -> Vec<v1::ContextVisit> {
        let past = self.0.get(seen.user).into_iter().flatten();
        let mut found: Vec<&Past> = past
            .filter(|past| past.at <= seen.at && seen.at.duration_since(past.at) <= WINDOW)
            .filter(|past| !past.is(seen))
            .collect();
        found.sort_by_key(|past| past.at);
        found.into_iter().map(Past::to_wire).collect()
    }

    /// Keeps a page.
    pub(super) fn remember(&mut self, seen: &Page<'_>) {
        if !self.0.contains_key(seen.user) {
            self.make_room();
        }
        let pages = self.0.entry(seen.user.to_owned()).or_default();
        pages.retain(|past| seen.at.duration_since(past.at) <= WINDOW);
        if pages.len() >= bounds::CONTEXT_VISITS {
            pages.pop_front();
        }
        pages.push_back(Past {
            at: seen.at,
            address: seen.address.to_owned(),
            title: seen.title.map(str::to_owned),
        });
    }

    /// Takes the titles of a page away that must not leave.
    pub(super) fn bare(&mut self, user: &str, address: &str) {
        let past = self.0.get_mut(user).into_iter().flatten();
        past.filter(|known| known.address == address).for_each(|known| known.title = None);
    }

    /// Gives a page that is kept the title that came to it later.
    pub(super) fn entitle(&mut self, seen: &Page<'_>) {
        let past = self.0.get_mut(seen.user).into_iter().flatten();
        for known in past.filter(|known| known.is(seen)) {
            known.title = seen.title.map(str::to_owned);
        }
    }

    /// Forgets the user who has been away longest, when there are too many.
    fn make_room(&mut self) {
        if self.0.len() < USERS {
            return;
        }
        let last = |visits: &VecDeque<Past>| visits.iter().map(|past| past.at).max();
        let away = self.0.iter().min_by_key(|(_, visits)| last(visits));
        if let Some(user) = away.map(|(user, _)| user.clone()) {
            self.0.remove(&user);
        }
    }
}

impl Past {
    fn is(&self, seen: &Page<'_>) -> bool {
        self.at == seen.at && self.address == seen.address
    }

    fn to_wire(&self) -> v1::ContextVisit {
        v1::ContextVisit {
            occurred_at: Some(time::to_wire(self.at)),
            address: self.address.clone(),
            title: self.title.clone(),
        }
    }
}
