//! How far each session of each extension has been taken: the source's one place to go on from.
//!
//! An extension numbers its items from 1 for as long as its browser runs, and sends again what it has not
//! heard to be stored. The place names, for the last sessions that said anything, the highest number that
//! was handed over; it goes into the spool in the transaction of the items themselves. So an item that
//! comes again, by another connection or to an agent that was started again, is known.
//!
//! There is room for [`MOST`] sessions. For one too many, the account that has the most gives up the one
//! it used longest ago: whoever begins sessions without end displaces his own.
//!
//! # Format
//! A JSON object with the version `v` and, last used last, `[account, session, n]` each; an account stands
//! there as 64 bits of its digest. A place of another version, or that cannot be read, counts as none:
//! rather twice than never.

use std::collections::{HashMap, VecDeque};

use serde::{Deserialize, Serialize};

use crate::native::message::Session;

/// Sessions that are kept: eight browsers for each of thirty pupils of a shared machine, in 12 KiB.
pub(super) const MOST: usize = 256;
/// The version of the format.
const VERSION: u32 = 1;

/// Whose session, as a number that tells accounts apart.
pub(super) type AccountKey = u64;

/// The sessions, the one used longest ago first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Sessions {
    v: u32,
    sessions: VecDeque<(AccountKey, u64, u64)>,
}

impl Sessions {
    /// Reads a place that [`encode`](Self::encode) wrote; `None` if it is not one.
    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let read: Self = serde_json::from_slice(bytes).ok()?;
        (read.v == VERSION && read.sessions.len() <= MOST).then_some(read)
    }

    /// Writes the place; at most some 16 KiB.
    pub(super) fn encode(&self) -> Vec<u8> {
        let versioned = Self { v: VERSION, ..self.clone() };
        // Numbers in arrays always have a JSON form.
        serde_json::to_vec(&versioned).unwrap_or_default()
    }

    /// The highest number that was taken of a session; 0 if none is known.
    pub(super) fn taken(&self, account: AccountKey, session: Session) -> u64 {
        let found = self.sessions.iter().find(|it| (it.0, it.1) == (account, session.0));
        found.map_or(0, |it| it.2)
    }

    /// Records that everything up to `n` of a session was taken.
    pub(super) fn take(&mut self, account: AccountKey, session: Session, n: u64) {
        self.sessions.retain(|it| (it.0, it.1) != (account, session.0));
        self.sessions.push_back((account, session.0, n));
        if self.sessions.len() > MOST {
            self.give_up_one();
        }
    }

    fn give_up_one(&mut self) {
        let mut counts: HashMap<AccountKey, usize> = HashMap::new();
        for (account, ..) in &self.sessions {
            *counts.entry(*account).or_default() += 1;
        }
        let most = counts.values().copied().max();
        let of_the_most = |it: &(AccountKey, u64, u64)| counts.get(&it.0).copied() == most;
        if let Some(index) = self.sessions.iter().position(of_the_most) {
            self.sessions.remove(index);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_known_by_its_account_and_its_name_across_restarts() {
        let mut sessions = Sessions::default();
        sessions.take(1, Session(7), 3);
        sessions.take(2, Session(7), 9);
        sessions.take(1, Session(7), 5);
        let sessions = Sessions::decode(&sessions.encode()).unwrap();
        assert_eq!(sessions.taken(1, Session(7)), 5);
        assert_eq!(sessions.taken(2, Session(7)), 9);
        assert_eq!(sessions.taken(3, Session(7)), 0);
        assert_eq!(sessions.taken(1, Session(8)), 0);
    }

    #[test]
    fn who_begins_sessions_without_end_displaces_his_own() {
        let mut sessions = Sessions::default();
        sessions.take(1, Session(0), 1);
        for session in 0..2_000 {
            sessions.take(2, Session(u64::MAX - session), u64::MAX);
            assert!(sessions.encode().len() <= 64 * 1024);
        }
        assert_eq!(sessions.sessions.len(), MOST);
        assert_eq!(sessions.taken(1, Session(0)), 1);
        assert_eq!(sessions.taken(2, Session(u64::MAX)), 0);
        assert_eq!(sessions.taken(2, Session(u64::MAX - 1_999)), u64::MAX);
    }

    #[test]
    fn what_is_no_place_counts_as_none() {
        let mut sessions = Sessions::default();
        sessions.take(1, Session(1), 1);
        let good = String::from_utf8(sessions.encode()).unwrap();
        assert!(Sessions::decode(good.as_bytes()).is_some());
        let other = good.replace("\"v\":1", "\"v\":2");
        for bytes in [&b""[..], b"{}", b"[1]", other.as_bytes()] {
            assert_eq!(Sessions::decode(bytes), None);
        }
    }
}
