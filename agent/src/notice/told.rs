//! Who has been told: nothing of anybody is read out from before they were.
//!
//! That holds where a sign-in entry shows the notice, as the settings say (`notice_at_sign_in`): then what an
//! account did before its first showing goes no further than this device's memory, whatever its source. Where
//! no such entry exists people are told by other ways, and the enrolment is the bound.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use tokio::sync::watch;

use super::Shown;
use crate::observation::{Checkpoint, Content, Evidence, NoticeShown, Observation, Source};
use crate::sources::{Coverage, State};

/// What holds where the settings say nothing of a sign-in entry.
const NO_ENTRY: &str = "no sign-in entry shows the notice here: people are read from the enrolment on; set \
                        notice_at_sign_in once it is installed";
/// Accounts that are counted as not yet told; a device has fewer.
const MOST_UNTOLD: usize = 256;

/// Who has been shown the notice. Cloning shares it.
#[derive(Debug, Clone)]
pub struct Told {
    known: Arc<Mutex<Known>>,
    required: bool,
    coverage: watch::Sender<Vec<Coverage>>,
}

#[derive(Debug)]
struct Known {
    shown: Shown,
    /// Accounts of which something was seen and left alone.
    untold: HashSet<String>,
}

impl Told {
    /// Goes on from what was kept; with `required`, an account is read from its first showing on.
    #[must_use]
    pub fn new(shown: Shown, required: bool, coverage: watch::Sender<Vec<Coverage>>) -> Self {
        let known = Known { shown, untold: HashSet::new() };
        let told = Self { known: Arc::new(Mutex::new(known)), required, coverage };
        told.tell(if required { State::Ok } else { State::Degraded(NO_ENTRY.to_owned()) });
        told
    }

    /// Takes note of a showing; gives what is to be stored with its observation, or `None` if this one
    /// was shown to this account last.
    #[must_use]
    pub fn note(&self, account: &str, shown: NoticeShown, at: Timestamp) -> Option<Checkpoint> {
        let mut known = self.known();
        if known.untold.remove(&account.to_lowercase()) {
            self.tell(untold(known.untold.len()));
        }
        known.shown.note(account, shown, at)
    }

    /// Whether an observation may be read: its account knew of the watching by then, or it is nobody's.
    #[must_use]
    pub fn covers(&self, seen: &Observation) -> bool {
        let about_nobody = matches!(seen.content, Content::NoticeShown(_) | Content::Missed(_));
        let account = seen.evidence.iter().find_map(|piece| match piece {
            Evidence::OsUser(name) => Some(name),
            _ => None,
        });
        let Some(account) = account.filter(|_| self.required && !about_nobody) else { return true };
        let mut known = self.known();
        match known.shown.first_shown(account) {
            // The record has whole seconds.
            Some(first) => seen.occurred_at >= first,
            None => {
                if known.untold.len() < MOST_UNTOLD && known.untold.insert(account.to_lowercase()) {
                    self.tell(untold(known.untold.len()));
                }
                false
            }
        }
    }

    fn tell(&self, state: State) {
        let input = "notice at sign-in".to_owned();
        self.coverage.send_replace(vec![Coverage { source: Source::Notice, input, state }]);
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn untold(accounts: usize) -> State {
    let who = match accounts {
        0 => return State::Ok,
        1 => "1 account has".to_owned(),
        more => format!("{more} accounts have"),
    };
    State::Degraded(format!(
        "{who} not been shown the notice yet: nothing of theirs is read; is the sign-in entry installed?"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observation::{Audience, Missed, Program};

    #[test]
    fn nothing_is_read_out_from_before_somebody_was_told() {
        let coverage = watch::Sender::default();
        let told = Told::new(Shown::default(), true, coverage.clone());
        assert!(!told.covers(&seen("amy", 100)));
        assert!(told.covers(&nobodys(seen("amy", 100))));
        let reason = |all: &Vec<Coverage>| format!("{:?}", all[0].state);
        assert!(reason(&coverage.borrow()).contains("1 account has not been shown"));
        assert!(!reason(&coverage.borrow()).contains("amy"));
        assert!(
            told.note("Amy", NoticeShown { version: 1, audience: Audience::Pupils }, at(200))
                .is_some()
        );
        assert_eq!(coverage.borrow()[0].state, State::Ok);
        assert!(!told.covers(&seen("amy", 199)));
        assert!(told.covers(&seen("AMY", 200)));
        assert!(!told.covers(&seen("ben", 300)));
        let lost =
            Observation { content: Content::Missed(Missed { count: 1 }), ..seen("ben", 300) };
        assert!(told.covers(&lost));
    }

    #[test]
    fn where_no_entry_shows_it_the_enrolment_is_the_bound() {
        let told = Told::new(Shown::default(), false, watch::Sender::default());
        assert!(told.covers(&seen("amy", 100)));
    }

    fn nobodys(seen: Observation) -> Observation {
        Observation { evidence: Vec::new(), ..seen }
    }

    fn seen(account: &str, second: i64) -> Observation {
        let program = Program { name: "tor".into(), path: None, publisher: None };
        Observation {
            source: Source::Programs,
            occurred_at: at(second),
            evidence: vec![Evidence::OsUser(account.into())],
            content: Content::Program(program),
        }
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }
}
