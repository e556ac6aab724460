//! What a user opened before a match: kept in memory for ten minutes, in case it is needed.

use std::collections::{HashMap, VecDeque};

use jiff::{SignedDuration, Timestamp};
use redshank_proto::{bounds, time, v1};

use crate::minimiser::Minimised;
use crate::observation::Evidence;

/// How far back the context of a match goes.
const WINDOW: SignedDuration = SignedDuration::from_mins(10);
/// Users whose visits are kept at a time, some 100 KiB each at their fullest.
const USERS: usize = 32;

/// The last visits of each user.
#[derive(Debug, Default)]
pub(super) struct Context(HashMap<String, VecDeque<Past>>);

#[derive(Debug)]
struct Past {
    at: Timestamp,
    address: String,
    title: Option<String>,
}

impl Context {
    /// What the same user opened in the ten minutes before this visit, oldest first.
    pub(super) fn before(&self, seen: &Minimised) -> Vec<v1::ContextVisit> {
        let at = seen.occurred_at();
        let past = self.0.get(user(seen)).into_iter().flatten();
        let mut found: Vec<&Past> = past
            .filter(|past| past.at <= at && at.duration_since(past.at) <= WINDOW)
            .filter(|past| !past.is(seen))
            .collect();
        found.sort_by_key(|past| past.at);
        found.into_iter().map(Past::to_wire).collect()
    }

    /// Keeps a visit, or the title that came to one later; without its title if that must not
    /// leave.
    pub(super) fn remember(&mut self, seen: &Minimised, without_title: bool) {
        let user = user(seen);
        let at = seen.occurred_at();
        let title = seen.title().filter(|_| !without_title).map(str::to_owned);
        if seen.is_late_title() {
            let past = self.0.get_mut(user).into_iter().flatten();
            for known in past.filter(|known| known.is(seen)) {
                known.title.clone_from(&title);
            }
            return;
        }
        if !self.0.contains_key(user) {
            self.make_room();
        }
        let visits = self.0.entry(user.to_owned()).or_default();
        visits.retain(|past| at.duration_since(past.at) <= WINDOW);
        if visits.len() >= bounds::CONTEXT_VISITS {
            visits.pop_front();
        }
        visits.push_back(Past { at, address: seen.address().text().to_owned(), title });
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
    fn is(&self, seen: &Minimised) -> bool {
        self.at == seen.occurred_at() && self.address == seen.address().text()
    }

    fn to_wire(&self) -> v1::ContextVisit {
        v1::ContextVisit {
            occurred_at: Some(time::to_wire(self.at)),
            address: self.address.clone(),
            title: self.title.clone(),
        }
    }
}

/// Whose context it is; visits of which nobody is known share one.
fn user(seen: &Minimised) -> &str {
    seen.evidence().first().map_or("", |Evidence::OsUser(name)| name)
}
