//! Which programs have been told of today: of which account, and when last.
//!
//! There is room for [`MOST`] of them. One too many displaces the one that was met longest ago; what runs is
//! met at every look, and so stays. Whoever runs thousands of copies makes the source tell others' programs
//! twice a day, and hides none.
//!
//! # Format
//! A JSON object with the version `v` and `seen`, a list of pairs of a number and a day since 1970, the one
//! met longest ago first. The number is the first 64 bits of SHA-256 over account, path and name: the folder
//! of the agent's state tells nobody in clear what ran. A checkpoint of another version, or that cannot be
//! read, counts as none: rather twice than never.

use std::collections::HashMap;

use aws_lc_rs::digest;
use serde::{Deserialize, Serialize};

/// Programs that are remembered: some thirty bytes each, within the 64 KiB of a checkpoint.
const MOST: usize = 2_000;
/// The version of the format.
const VERSION: u32 = 1;

/// What was told.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Seen {
    entries: HashMap<u64, Met>,
    /// Rises with each meeting.
    meetings: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Met {
    /// The day since 1970 on which it was last told.
    day: i64,
    /// The meeting that was the last.
    last: u64,
}

#[derive(Serialize, Deserialize)]
struct Place {
    v: u32,
    seen: Vec<(u64, i64)>,
}

impl Seen {
    /// Reads what [`encode`](Self::encode) wrote; `None` if it is not that.
    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let place: Place = serde_json::from_slice(bytes).ok()?;
        if place.v != VERSION || place.seen.len() > MOST {
            return None;
        }
        let mut seen = Self::default();
        for (program, day) in place.seen {
            seen.meetings += 1;
            seen.entries.insert(program, Met { day, last: seen.meetings });
        }
        Some(seen)
    }

    /// Writes it; at most 64 KiB.
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut entries: Vec<_> = self.entries.iter().collect();
        entries.sort_unstable_by_key(|(_, met)| met.last);
        let seen = entries.into_iter().map(|(program, met)| (*program, met.day)).collect();
        // Numbers in arrays always have a JSON form.
        serde_json::to_vec(&Place { v: VERSION, seen }).unwrap_or_default()
    }

    /// Meets a program that runs; returns whether it is to be told.
    pub(super) fn meet(
        &mut self,
        account: &Option<String>,
        path: &Option<String>,
        name: &str,
        day: i64,
    ) -> bool {
        self.meetings += 1;
        let program = number(&[account.as_deref(), path.as_deref(), Some(name)]);
        let before = self.entries.insert(program, Met { day, last: self.meetings });
        if self.entries.len() > MOST {
            let oldest = self.entries.iter().min_by_key(|(_, met)| met.last);
            if let Some(oldest) = oldest.map(|(program, _)| *program) {
                self.entries.remove(&oldest);
            }
        }
        before.is_none_or(|met| met.day != day)
    }
}

fn number(parts: &[Option<&str>]) -> u64 {
    let mut hash = digest::Context::new(&digest::SHA256);
    for part in parts {
        // No account, path or name holds a zero byte.
        hash.update(if part.is_some() { &[1] } else { &[2] });
        hash.update(part.unwrap_or_default().as_bytes());
        hash.update(&[0]);
    }
    let hash = hash.finish();
    hash.as_ref().iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn once_for_each_account_program_and_day_across_restarts() {
        let mut seen = Seen::default();
        let (amy, bob) = (Some("amy".to_owned()), Some("bob".to_owned()));
        let (tor, other) = (Some("/usr/bin/tor".to_owned()), Some("/home/tor".to_owned()));
        assert!(seen.meet(&amy, &tor, "tor", 1));
        assert!(!seen.meet(&amy, &tor, "tor", 1));
        assert!(seen.meet(&bob, &tor, "tor", 1));
        assert!(seen.meet(&None, &tor, "tor", 1));
        assert!(seen.meet(&amy, &other, "tor", 1));
        assert!(seen.meet(&amy, &None, "tor", 1));
        let mut seen = Seen::decode(&seen.encode()).unwrap();
        assert!(!seen.meet(&amy, &tor, "tor", 1));
        assert!(seen.meet(&amy, &tor, "tor", 2), "the next day");
        assert!(!seen.meet(&amy, &tor, "tor", 2));
        assert!(seen.meet(&amy, &tor, "tor", 1), "the clock was set back");
    }

    #[test]
    fn what_runs_stays_however_many_come_and_the_checkpoint_keeps_its_bound() {
        let mut seen = Seen::default();
        assert!(seen.meet(&None, &None, "runs on", 20_000));
        for number in 0..2 * MOST {
            assert!(seen.meet(&None, &None, &format!("flood {number}"), 20_000));
            assert!(!seen.meet(&None, &None, "runs on", 20_000));
        }
        assert_eq!(seen.entries.len(), MOST);
        assert!(seen.encode().len() <= 64 * 1024, "{}", seen.encode().len());
        let again = Seen::decode(&seen.encode()).unwrap();
        assert_eq!(again.encode(), seen.encode());
    }

    #[test]
    fn what_is_no_checkpoint_counts_as_none() {
        for bytes in
            [&b""[..], b"{}", b"[]", br#"{"v":2,"seen":[]}"#, br#"{"v":1,"seen":[[-1,0]]}"#]
        {
            assert_eq!(Seen::decode(bytes), None, "{}", String::from_utf8_lossy(bytes));
        }
    }
}
