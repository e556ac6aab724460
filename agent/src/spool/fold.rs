//! Repeats of one thing by one person become one event with a count.
//!
//! What has been folded is known in memory only, as hashes: nothing on the disk says that two
//! events are alike. So only events of this run fold, and only such as the uplink has not yet been
//! given: what may have left the device is never changed.

use std::collections::HashMap;

use prost::Message as _;
use redshank_proto::id::Lane;
use redshank_proto::{time, token, v1};

use super::RowId;

/// Events that can be folded into at a time, some 70 bytes each: a day's worth offline. Past it the
/// oldest no longer grows, and a repeat is an event of its own.
const KEPT: usize = 4_096;

/// What makes two events the same: a hash of who, which rules, and the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct FoldKey([u8; 32]);

impl FoldKey {
    /// Makes a key of parts; their order and their bounds count.
    #[must_use]
    pub fn of<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let mut bytes = Vec::new();
        for part in parts {
            bytes.extend_from_slice(&(part.len() as u64).to_be_bytes());
            bytes.extend_from_slice(part);
        }
        Self(token::sha256(&bytes))
    }
}

/// The events that a repeat can still be folded into: a graver repeat, or one in the other lane,
/// stands for itself.
#[derive(Debug, Default)]
pub(super) struct Folds(HashMap<(FoldKey, Lane, u8), RowId>);

impl Folds {
    /// The row that holds an event of this key, lane and severity.
    pub(super) fn find(&self, key: FoldKey, lane: Lane, severity: u8) -> Option<RowId> {
        self.0.get(&(key, lane, severity)).copied()
    }

    /// Remembers the row of an event.
    pub(super) fn remember(&mut self, key: FoldKey, row: RowId, lane: Lane, severity: u8) {
        self.0.insert((key, lane, severity), row);
        if self.0.len() > KEPT
            && let Some(oldest) = self.0.iter().min_by_key(|(_, row)| **row).map(|it| *it.0)
        {
            self.0.remove(&oldest);
        }
    }

    /// Forgets what the uplink has been given.
    pub(super) fn offered(&mut self, lane: Lane, through: RowId) {
        self.0.retain(|(_, of, _), row| *of != lane || *row > through);
    }

    /// Forgets all, after a transaction that may have named rows which never came to be.
    pub(super) fn forget(&mut self) {
        self.0.clear();
    }
}

/// Counts a repeat into an event. `None` if `first` is no payload.
pub(super) fn merge(first: &[u8], repeat: &v1::EventPayload) -> Option<v1::EventPayload> {
    let mut merged = v1::EventPayload::decode(first).ok()?;
    merged.occurrences = merged.occurrences.max(1).saturating_add(repeat.occurrences.max(1));
    let seen =
        [merged.occurred_at, merged.last_occurred_at, repeat.occurred_at, repeat.last_occurred_at];
    let known = || seen.iter().filter_map(|at| time::from_wire(at.as_ref()));
    merged.occurred_at = known().min().map(time::to_wire).or(merged.occurred_at);
    merged.last_occurred_at = known().max().map(time::to_wire).or(merged.last_occurred_at);
    Some(merged)
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    #[test]
    fn a_key_knows_where_its_parts_end() {
        let key = |parts: &[&str]| FoldKey::of(parts.iter().map(|part| part.as_bytes()));
        assert_eq!(key(&["ab", "c"]), key(&["ab", "c"]));
        assert_ne!(key(&["ab", "c"]), key(&["a", "bc"]));
        assert_ne!(key(&["ab"]), key(&["ab", ""]));
    }

    #[test]
    fn merging_counts_and_spans_first_to_last_in_any_order() {
        let at = |second| Some(time::to_wire(Timestamp::from_second(second).unwrap()));
        let seen = |second| v1::EventPayload { occurred_at: at(second), ..Default::default() };
        let two = merge(&seen(20).encode_to_vec(), &seen(30)).unwrap();
        assert_eq!((two.occurrences, two.occurred_at, two.last_occurred_at), (2, at(20), at(30)));
        let three = merge(&two.encode_to_vec(), &seen(10)).unwrap();
        assert_eq!(
            (three.occurrences, three.occurred_at, three.last_occurred_at),
            (3, at(10), at(30))
        );
        assert_eq!(merge(&[0xff], &seen(1)), None);
    }

    #[test]
    fn what_can_be_folded_into_is_bounded_and_ends_when_offered() {
        let mut folds = Folds::default();
        let key = |n: usize| FoldKey::of([n.to_be_bytes().as_slice()]);
        for n in 0..=KEPT {
            folds.remember(key(n), RowId(i64::try_from(n).unwrap() + 1), Lane::Urgent, 3);
        }
        assert_eq!(folds.0.len(), KEPT);
        assert_eq!(folds.find(key(0), Lane::Urgent, 3), None);
        assert_eq!(folds.find(key(9), Lane::Urgent, 3), Some(RowId(10)));
        assert_eq!(folds.find(key(9), Lane::Urgent, 4), None);
        assert_eq!(folds.find(key(9), Lane::Routine, 3), None);
        folds.offered(Lane::Routine, RowId(50));
        assert_eq!(folds.find(key(9), Lane::Urgent, 3), Some(RowId(10)));
        folds.offered(Lane::Urgent, RowId(10));
        assert_eq!(folds.find(key(9), Lane::Urgent, 3), None);
        assert_eq!(folds.find(key(10), Lane::Urgent, 3), Some(RowId(11)));
    }
}
