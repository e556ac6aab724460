//! To whom the notice was shown, and when first: from then on a person has been told.
//!
//! # Format
//! A JSON object with the version `v` and `shown`, a list of entries of account, time of the first showing in
//! seconds since 1970, and what was shown last: version and audience. Accounts are folded to lower case, as Windows has them in any.
//! What cannot be read counts as none: whoever was told is then told again, and meanwhile nothing of theirs is
//! read that nobody can prove they knew of.

use std::collections::HashMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::observation::{Audience, Checkpoint, NoticeShown};

/// The name of the checkpoint.
pub const INPUT: &str = "notice";
/// Bytes of the checkpoint: the spool's bound of one, less its frame.
const PLACE_BYTES: usize = 63 * 1024;
/// Bytes of an account's name; Windows allows 256.
const ACCOUNT_BYTES: usize = 256;
/// The version of the format.
const VERSION: u32 = 2;

/// The accounts that were shown the notice.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Shown {
    accounts: HashMap<String, Entry>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Entry {
    /// Seconds since 1970.
    first: i64,
    last: i64,
    version: u32,
    /// For whom the last one was written: what a member of staff is shown is not what pupils are.
    audience: Audience,
}

#[derive(Serialize, Deserialize)]
struct Place {
    v: u32,
    /// Account, first and last showing, version, audience.
    shown: Vec<(String, i64, i64, u32, String)>,
}

impl Shown {
    /// Takes up what the spool kept.
    #[must_use]
    pub fn kept(checkpoints: &HashMap<String, Vec<u8>>) -> Self {
        checkpoints.get(INPUT).and_then(|place| Self::decode(place)).unwrap_or_default()
    }

    /// Takes note of a showing; returns what is to be stored with its observation, or `None` if this one was
    /// shown to this account last: it need not be told again.
    pub fn note(
        &mut self,
        account: &str,
        NoticeShown { version, audience }: NoticeShown,
        at: Timestamp,
    ) -> Option<Checkpoint> {
        let account = folded(account)?;
        let at = at.as_second();
        match self.accounts.get_mut(&account) {
            Some(entry)
                if (entry.version, entry.audience, entry.first.min(at))
                    == (version, audience, entry.first) =>
            {
                return None;
            }
            // A first showing that a wrong clock dated in the future would blind the account until then.
            Some(entry) => {
                *entry = Entry { first: entry.first.min(at), last: at, version, audience };
            }
            None => {
                self.accounts.insert(account, Entry { first: at, last: at, version, audience });
            }
        }
        Some(Checkpoint { input: INPUT.to_owned(), place: self.encode() })
    }

    /// When an account was first shown the notice, any version of it.
    #[must_use]
    pub fn first_shown(&self, account: &str) -> Option<Timestamp> {
        let entry = self.accounts.get(&folded(account)?)?;
        Timestamp::from_second(entry.first).ok()
    }

    /// The version that an account was shown last.
    #[must_use]
    pub fn version(&self, account: &str) -> Option<u32> {
        self.accounts.get(&folded(account)?).map(|entry| entry.version)
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let place: Place = serde_json::from_slice(bytes).ok()?;
        if place.v != VERSION {
            return None;
        }
        let entries = place.shown.into_iter();
        let accounts = entries.filter_map(|(account, first, last, version, audience)| {
            let audience = super::named(&audience)?;
            Some((account, Entry { first, last, version, audience }))
        });
        Some(Self { accounts: accounts.collect() })
    }

    /// Writes it; of more than a checkpoint holds, some two thousand, those shown longest ago are forgotten.
    fn encode(&mut self) -> Vec<u8> {
        loop {
            let mut shown: Vec<_> = self
                .accounts
                .iter()
                .map(|(account, entry)| {
                    let audience = super::name(entry.audience).to_owned();
                    (account.clone(), entry.first, entry.last, entry.version, audience)
                })
                .collect();
            shown.sort_unstable_by(|one, other| (one.2, &one.0).cmp(&(other.2, &other.0)));
            let oldest: Vec<String> =
                shown.iter().take(shown.len() / 8 + 1).map(|entry| entry.0.clone()).collect();
            // Text and numbers in arrays always have a JSON form.
            let place = serde_json::to_vec(&Place { v: VERSION, shown }).unwrap_or_default();
            if place.len() <= PLACE_BYTES {
                return place;
            }
            for account in oldest {
                self.accounts.remove(&account);
            }
        }
    }
}

fn folded(account: &str) -> Option<String> {
    let account = account.trim().to_lowercase();
    (!account.is_empty() && account.len() <= ACCOUNT_BYTES).then_some(account)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_showing_stays_whatever_follows_and_is_kept() {
        let mut shown = Shown::default();
        assert_eq!(shown.first_shown("amy"), None);
        assert!(shown.note("amy", pupils(1), at(100)).is_some());
        assert_eq!(shown.note("AMY", pupils(1), at(200)), None, "the same version again");
        let place = shown.note("amy", pupils(2), at(150)).unwrap();
        assert_eq!(shown.first_shown("Amy"), Some(at(100)));
        let again = Shown::kept(&HashMap::from([(place.input, place.place)]));
        assert_eq!(again, shown);
        assert_eq!(again.version("amy"), Some(2));
        assert_eq!(again.first_shown("bob"), None);
        let staff = NoticeShown { version: 2, audience: Audience::Staff };
        assert!(shown.note("amy", staff, at(300)).is_some(), "another notice");
        assert!(shown.note("amy", staff, at(90)).is_some(), "the first was of a wrong clock");
        assert_eq!(shown.first_shown("amy"), Some(at(90)));
    }

    #[test]
    fn a_checkpoint_keeps_its_bound_and_forgets_the_oldest() {
        let mut shown = Shown::default();
        let mut place = None;
        let account = |number: i64| format!("{number}{}", "x".repeat(200));
        for number in 0..400 {
            place = shown.note(&account(number), pupils(1), at(number));
        }
        assert!(place.unwrap().place.len() <= PLACE_BYTES);
        assert_eq!(shown.first_shown(&account(399)), Some(at(399)));
        assert_eq!(shown.first_shown(&account(0)), None);
    }

    #[test]
    fn what_is_no_account_or_no_checkpoint_is_nothing() {
        let mut shown = Shown::default();
        assert_eq!(shown.note(" ", pupils(1), at(1)), None);
        assert_eq!(shown.note(&"x".repeat(ACCOUNT_BYTES + 1), pupils(1), at(1)), None);
        for place in [&b"{}"[..], br#"{"v":1,"shown":[]}"#, b"x"] {
            let kept = HashMap::from([(INPUT.to_owned(), place.to_vec())]);
            assert_eq!(Shown::kept(&kept), Shown::default());
        }
    }

    fn pupils(version: u32) -> NoticeShown {
        NoticeShown { version, audience: Audience::Pupils }
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }
}
