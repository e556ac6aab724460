//! The place in one profile's history up to which it has been read.
//!
//! A visit's id alone is no place: a database that is deleted and begun anew counts from 1, a cleared
//! history may use its ids again (`visits` of old Chrome, `moz_historyvisits`), and a restored one goes
//! back. So a [`Place`] keeps *anchors*, the last [`ANCHORS`] visits it passed as pairs of id and time:
//! - The newest anchor that the database still holds, with the same time, is where reading goes on.
//!   Any visit past it was never read: had it been, it would be a later anchor.
//! - If the database holds none, it is another one, or was cleared. All of it is looked through, and a
//!   visit counts as unread if its id is past the last one (the same database, cleared) or its time is
//!   later than any before (a new one). That bound stays in the place until the look is complete.
//!
//! A visit without a title waits here for [`WAIT`], and is yielded again when the title arrives.
//!
//! Firefox does not say which visits came by Sync. It writes its own within seconds, so one that is
//! dated more than [`LATE`] before the database was last read, and was not in it then, came from
//! elsewhere.
//!
//! # Format
//! A JSON object with the version `v`; times in microseconds since 1970. A place of another version,
//! or that cannot be read, counts as none: rather twice than never.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

/// Visits by which a database is recognised. Deleting the latest pages one by one leaves an older anchor.
const ANCHORS: usize = 32;
/// How long a visit waits for its title, in microseconds: five minutes; a page that takes longer has none.
const WAIT: i64 = 300_000_000;
/// Visits that wait for a title at once; past it the oldest gives up.
const WAITING: usize = 200;
/// How late, in microseconds, a browser may write its own visit: a minute.
const LATE: i64 = 60_000_000;
/// The version of the format.
const VERSION: u32 = 1;

/// A visit as its place in the database sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) id: i64,
    /// Microseconds since 1970.
    pub(super) time: i64,
    pub(super) synced: bool,
}

/// Where reading stands.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Place {
    v: u32,
    /// Id and time of the visits passed last, oldest first.
    anchors: VecDeque<(i64, i64)>,
    /// The latest time of a visit passed, but no later than the clock then stood.
    latest: i64,
    /// The last id and the latest time before a database was begun anew, while it is looked through.
    bound: Option<(i64, i64)>,
    /// When the database was last read to its end.
    read_at: Option<i64>,
    /// Visits without a title: id, time, and until when they wait.
    waiting: VecDeque<(i64, i64, i64)>,
}

impl Place {
    /// Reads a place that [`encode`](Self::encode) wrote; `None` if it is not one.
    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let place: Self = serde_json::from_slice(bytes).ok()?;
        let bounded = place.anchors.len() <= ANCHORS && place.waiting.len() <= WAITING;
        (place.v == VERSION && bounded).then_some(place)
    }

    /// Writes the place; at most some 14 KiB.
    pub(super) fn encode(&self) -> Vec<u8> {
        let versioned = Self { v: VERSION, ..self.clone() };
        // Numbers in arrays always have a JSON form.
        serde_json::to_vec(&versioned).unwrap_or_default()
    }

    /// Finds where to go on; returns the id after which to read. `time_of` looks up a visit's time by its id.
    pub(super) fn resume<E>(
        &mut self,
        mut time_of: impl FnMut(i64) -> Result<Option<i64>, E>,
    ) -> Result<i64, E> {
        for index in (0..self.anchors.len()).rev() {
            let (id, time) = self.anchors[index];
            if time_of(id)? == Some(time) {
                self.anchors.truncate(index + 1);
                return Ok(id);
            }
        }
        if let Some(&(id, _)) = self.anchors.back() {
            let (last, latest) = self.bound.unwrap_or((id, self.latest));
            self.bound = Some((last.max(id), latest.max(self.latest)));
            self.anchors.clear();
            self.waiting.clear();
        }
        Ok(i64::MIN)
    }

    /// Whether the visit is to be yielded, if nothing else speaks against it.
    pub(super) fn is_unread(&self, mark: Mark) -> bool {
        self.bound.is_none_or(|(id, time)| mark.id > id || mark.time > time)
    }

    /// Whether the visit was made elsewhere, in a browser that does not record it. `now` in microseconds
    /// since 1970: a clock that was set back proves nothing.
    pub(super) fn came_late(&self, mark: Mark, now: i64) -> bool {
        self.read_at.is_some_and(|read| read <= now && mark.time < read.saturating_sub(LATE))
    }

    /// Passes a visit, yielded or not.
    pub(super) fn pass(&mut self, mark: Mark, now: i64) {
        if self.anchors.len() == ANCHORS {
            self.anchors.pop_front();
        }
        self.anchors.push_back((mark.id, mark.time));
        self.latest = self.latest.max(mark.time.min(now));
    }

    /// Lets a visit that was yielded without a title wait for one.
    pub(super) fn wait(&mut self, mark: Mark, now: i64) {
        if self.waiting.len() == WAITING {
            self.waiting.pop_front();
        }
        self.waiting.push_back((mark.id, mark.time, now.saturating_add(WAIT)));
    }

    /// Takes out of the waiting visits those for whom it ends; returns the others, as id and time.
    pub(super) fn waiting(&mut self, now: i64) -> Vec<(i64, i64)> {
        self.waiting.retain(|&(_, _, until)| (now..=now.saturating_add(WAIT)).contains(&until));
        self.waiting.iter().map(|&(id, time, _)| (id, time)).collect()
    }

    /// Ends the wait of a visit.
    pub(super) fn stop_waiting(&mut self, id: i64) {
        self.waiting.retain(|&(waiting, ..)| waiting != id);
    }

    /// Records that everything which the database held at `now` has been passed.
    pub(super) fn complete(&mut self, now: i64) {
        // An emptied database keeps its bound: what returns to it may have been read before.
        if !self.anchors.is_empty() {
            self.bound = None;
        }
        self.read_at = Some(now);
    }

    /// Whether going on from here is the same as going on from `other`, times of reading aside.
    pub(super) fn is_same_position(&self, other: &Self) -> bool {
        self.anchors == other.anchors && self.waiting == other.waiting && self.bound == other.bound
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A database, as the cursor sees it: id and time of each visit.
    type Rows = Vec<(i64, i64)>;

    const NOW: i64 = 1_000_000;

    #[test]
    fn each_visit_is_read_once_whatever_becomes_of_the_database() {
        let first: Rows = (1..=50).map(|id| (id, id * 10)).collect();
        let mut grown = first.clone();
        grown.extend([(51, 510), (52, 520)]);
        let cases: Vec<(&str, Rows, Vec<i64>)> = vec![
            ("nothing new", first.clone(), vec![]),
            ("two more", grown, vec![51, 52]),
            ("the last deleted, none new", first[..49].to_vec(), vec![]),
            ("the last deleted, its id used again", replaced(&first, 50, 505), vec![50]),
            ("cleared, counting on", vec![(51, 600), (52, 610)], vec![51, 52]),
            ("cleared, counting on, with the clock set back", vec![(51, 3)], vec![51]),
            ("begun anew, smaller", vec![(1, 600), (2, 610)], vec![1, 2]),
            ("begun anew, larger", (1..=99).map(|id| (id, 600 + id)).collect(), (1..=99).collect()),
            ("an older copy restored", first[..10].to_vec(), vec![]),
            ("an older copy restored, and one visit", replaced(&first[..11], 11, 700), vec![11]),
            ("emptied", vec![], vec![]),
        ];
        for (name, second, expected) in cases {
            let mut place = Place::default();
            assert_eq!(read(&mut place, &first, usize::MAX).len(), 50);
            let mut place = Place::decode(&place.encode()).unwrap();
            assert_eq!(read(&mut place, &second, usize::MAX), expected, "{name}");
            assert_eq!(read(&mut place, &second, usize::MAX), [0; 0], "{name}, read again");
            if second.is_empty() {
                assert_eq!(read(&mut place, &first, usize::MAX), [0; 0], "{name}, and restored");
            }
        }
    }

    #[test]
    fn a_look_that_was_broken_off_goes_on_with_its_bound() {
        let first: Rows = (1..=200).map(|id| (id, id * 10)).collect();
        let mut restored = first[..150].to_vec();
        restored.push((151, 5_000));
        let mut place = Place::default();
        read(&mut place, &first, usize::MAX);
        assert_eq!(read(&mut place, &restored, 60), [0; 0]);
        let mut place = Place::decode(&place.encode()).unwrap();
        assert_eq!(read(&mut place, &restored, usize::MAX), [151]);
    }

    #[test]
    fn a_visit_waits_for_its_title_for_a_while_and_not_with_too_many() {
        let mut place = Place::default();
        for id in 0..=i64::try_from(WAITING).unwrap() {
            place.wait(Mark { id, time: id, synced: false }, NOW);
        }
        assert_eq!(place.waiting(NOW).len(), WAITING);
        assert_eq!(place.waiting(NOW)[0].0, 1, "the oldest gave up");
        place.stop_waiting(5);
        assert_eq!(place.waiting(NOW + WAIT).len(), WAITING - 1);
        assert!(place.waiting(NOW + WAIT + 1).is_empty());
    }

    #[test]
    fn a_visit_dated_well_before_the_last_reading_came_from_elsewhere() {
        let mut place = Place::default();
        let at = |time| Mark { id: 1, time, synced: false };
        assert!(!place.came_late(at(0), NOW), "nothing has been read before");
        place.complete(10 * LATE);
        for (time, now, late) in [
            (9 * LATE, 11 * LATE, false),
            (9 * LATE - 1, 11 * LATE, true),
            (10 * LATE + 1, 11 * LATE, false),
            (5 * LATE, 9 * LATE, false),
        ] {
            assert_eq!(place.came_late(at(time), now), late, "{time} {now}");
        }
    }

    #[test]
    fn a_place_that_cannot_be_read_is_none() {
        let mut place = Place::default();
        read(&mut place, &vec![(1, 1)], 1);
        let good = place.encode();
        assert!(Place::decode(&good).is_some());
        let other = String::from_utf8(good).unwrap().replace("\"v\":1", "\"v\":2");
        for bytes in [&b""[..], b"{}", b"[1]", other.as_bytes()] {
            assert_eq!(Place::decode(bytes), None);
        }
    }

    proptest! {
        /// Whatever a browser adds and deletes at the end, in whatever portions it is read, nothing comes twice
        /// and nothing that stays is missed.
        #[test]
        fn no_visit_is_lost_or_doubled(steps in proptest::collection::vec((0_usize..6, 0_usize..9, 1_usize..50), 1..40)) {
            let (mut rows, mut place, mut time) = (Rows::new(), Place::default(), 0);
            let mut yielded = std::collections::BTreeSet::new();
            let mut seen = std::collections::BTreeSet::new();
            for (deleted, added, portion) in steps {
                rows.truncate(rows.len().saturating_sub(deleted));
                for _ in 0..added {
                    time += 1;
                    rows.push((rows.last().map_or(1, |row| row.0 + 1), time));
                }
                for _ in 0..=rows.len() / portion {
                    for id in read(&mut place, &rows, portion) {
                        let row = rows.iter().find(|row| row.0 == id).unwrap();
                        prop_assert!(yielded.insert(row.1), "{row:?} came twice");
                    }
                }
                seen.extend(rows.iter().map(|row| row.1));
                prop_assert!(seen.is_subset(&yielded));
            }
        }
    }

    fn replaced(rows: &[(i64, i64)], id: i64, time: i64) -> Rows {
        rows.iter().map(|&row| if row.0 == id { (id, time) } else { row }).collect()
    }

    /// Reads at most `most` rows from where the place stands; returns the ids that are to be yielded.
    fn read(place: &mut Place, rows: &Rows, most: usize) -> Vec<i64> {
        let time_of = |id| Ok::<_, ()>(rows.iter().find(|row| row.0 == id).map(|row| row.1));
        let after = place.resume(time_of).unwrap();
        let mut yielded = Vec::new();
        let (mut passed, mut left) = (0, false);
        for &(id, time) in rows.iter().filter(|row| row.0 > after) {
            if passed == most {
                left = true;
                break;
            }
            passed += 1;
            let mark = Mark { id, time, synced: false };
            if place.is_unread(mark) {
                yielded.push(id);
            }
            place.pass(mark, NOW);
        }
        if !left {
            place.complete(NOW);
        }
        yielded
    }
}
