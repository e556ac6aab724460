//! Which media are there, and what that makes of the next list: a pure function of the two.
//!
//! A medium is told as inserted at the second list in a row that has it: by then the system has read its
//! label. It is told as removed, under the name that it was told by, at the first list without it.
//!
//! # Format
//! A JSON object with the version `v` and `there`, the numbers of the media that were told as inserted and
//! not as removed: the first 64 bits of SHA-256 over name, size and where it is mounted. Another version, or
//! what cannot be read, counts as none.

use aws_lc_rs::digest;
use serde::{Deserialize, Serialize};

use crate::observation::{Medium, MediumChange};

/// Media that are followed at once.
pub(super) const MOST: usize = 64;
/// Bytes of a name; NTFS allows 32 characters, APFS 255 bytes.
const NAME_BYTES: usize = 256;
/// Lists in which what was there before a restart may be found again: a USB port takes its time when the
/// machine starts.
const FOUND_AGAIN: u32 = 20;
/// The version of the format.
const VERSION: u32 = 1;

/// A medium as the system lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    /// Tells this insertion from others for as long as the machine runs.
    pub(crate) id: String,
    /// The volume's label, or else the device's model.
    pub(crate) name: String,
    pub(crate) bytes: u64,
    /// Where it is mounted, if that is known and says something: a drive's letter.
    pub(crate) mounted: String,
}

/// What is there.
#[derive(Debug, Default)]
pub(crate) struct Present {
    /// What the last list had.
    tracks: Vec<Track>,
    /// Of the last run: what had been told, and has not been found again yet.
    kept: Vec<u64>,
    /// How many lists there were in this run.
    lists: u32,
}

#[derive(Debug)]
struct Track {
    found: Found,
    told: bool,
}

#[derive(Serialize, Deserialize)]
struct Place {
    v: u32,
    there: Vec<u64>,
}

impl Present {
    /// Reads what [`encode`](Self::encode) wrote; `None` if it is not that.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let place: Place = serde_json::from_slice(bytes).ok()?;
        let fine = place.v == VERSION && place.there.len() <= 2 * MOST;
        fine.then_some(Self { kept: place.there, ..Self::default() })
    }

    /// Writes it; at most 3 KiB.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let told = self.tracks.iter().filter(|track| track.told);
        let there =
            told.map(|track| track.found.number()).chain(self.kept.iter().copied()).collect();
        // Numbers in arrays always have a JSON form.
        serde_json::to_vec(&Place { v: VERSION, there }).unwrap_or_default()
    }

    /// Takes a list, and tells what came and went since the one before it. Past [`MOST`] media it is cut.
    pub(crate) fn look(&mut self, mut found: Vec<Found>) -> Vec<Medium> {
        found.truncate(MOST);
        for medium in &mut found {
            medium.name.truncate(medium.name.floor_char_boundary(NAME_BYTES));
        }
        let before = std::mem::take(&mut self.tracks);
        let (mut stayed, gone): (Vec<_>, Vec<_>) =
            before.into_iter().partition(|track| found.iter().any(|it| it.id == track.found.id));
        let gone = gone.iter().filter(|track| track.told);
        let mut media: Vec<_> =
            gone.map(|track| track.found.medium(MediumChange::Removed)).collect();
        for found in found {
            match stayed.iter().position(|track| track.found.id == found.id) {
                None => self.tracks.push(Track { found, told: false }),
                Some(index) => {
                    let mut track = stayed.swap_remove(index);
                    if !track.told {
                        track = Track { found, told: true };
                        if !self.was_kept(track.found.number()) {
                            media.push(track.found.medium(MediumChange::Inserted));
                        }
                    }
                    self.tracks.push(track);
                }
            }
        }
        // What the last run left and this one has not found by then is gone.
        self.lists = self.lists.saturating_add(1);
        if self.lists >= FOUND_AGAIN {
            self.kept.clear();
        }
        media
    }

    fn was_kept(&mut self, number: u64) -> bool {
        let Some(index) = self.kept.iter().position(|kept| *kept == number) else { return false };
        self.kept.swap_remove(index);
        true
    }
}

impl Found {
    fn medium(&self, change: MediumChange) -> Medium {
        Medium { change, name: self.name.clone(), bytes: self.bytes }
    }

    fn number(&self) -> u64 {
        let mut hash = digest::Context::new(&digest::SHA256);
        hash.update(self.name.as_bytes());
        hash.update(&[0]);
        hash.update(&self.bytes.to_be_bytes());
        hash.update(self.mounted.as_bytes());
        let hash = hash.finish();
        hash.as_ref().iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte))
    }
}

#[cfg(test)]
mod tests {
    use super::MediumChange::{Inserted, Removed};
    use super::*;

    #[test]
    fn what_comes_is_told_once_at_the_second_list_and_what_goes_at_the_first() {
        let mut present = Present::default();
        let unlabelled = Found { name: "Flash Drive".to_owned(), ..stick("1", "AMY") };
        assert_eq!(told(&mut present, &[unlabelled]), []);
        assert_eq!(told(&mut present, &[stick("1", "AMY")]), [(Inserted, "AMY".to_owned())]);
        assert_eq!(told(&mut present, &[stick("1", "AMY")]), []);
        let renamed = [stick("1", "renamed"), stick("2", "BOB")];
        assert_eq!(told(&mut present, &renamed), []);
        let expected = [(Removed, "AMY".to_owned()), (Inserted, "BOB".to_owned())];
        assert_eq!(told(&mut present, &renamed[1..]), expected);
        assert_eq!(told(&mut present, &[]), [(Removed, "BOB".to_owned())]);
    }

    #[test]
    fn pulled_and_put_back_between_two_looks_is_told_as_both() {
        let mut present = Present::default();
        for _ in 0..2 {
            present.look(vec![stick("1", "AMY")]);
        }
        let again = [stick("2", "AMY")];
        assert_eq!(told(&mut present, &again), [(Removed, "AMY".to_owned())]);
        assert_eq!(told(&mut present, &again), [(Inserted, "AMY".to_owned())]);
    }

    #[test]
    fn in_for_one_look_is_never_told() {
        let mut present = Present::default();
        assert_eq!(told(&mut present, &[stick("1", "AMY")]), []);
        assert_eq!(told(&mut present, &[]), []);
    }

    #[test]
    fn what_was_there_before_a_restart_is_not_inserted_again() {
        let mut present = Present::default();
        for _ in 0..2 {
            present.look(vec![stick("1", "AMY"), stick("2", "AMY")]);
        }
        let mut present = Present::decode(&present.encode()).unwrap();
        // The numbers of a new boot; a third of the same name and size.
        let all = [stick("7", "AMY"), stick("8", "AMY"), stick("9", "AMY")];
        assert_eq!(told(&mut present, &all), []);
        let mut once_more = Present::decode(&present.encode()).unwrap();
        assert_eq!(told(&mut present, &all), [(Inserted, "AMY".to_owned())]);
        assert_eq!(told(&mut once_more, &all), [], "restarted between the two lists");
        assert_eq!(told(&mut once_more, &all), [(Inserted, "AMY".to_owned())]);

        let mut gone = Present::decode(&present.encode()).unwrap();
        for _ in 0..FOUND_AGAIN {
            assert_eq!(told(&mut gone, &[]), [], "nobody knows its name");
        }
        for expected in [vec![], vec![(Inserted, "AMY".to_owned())]] {
            assert_eq!(told(&mut gone, &all[..1]), expected, "it came back");
        }
    }

    #[test]
    fn lists_and_names_without_end_are_cut() {
        let mut present = Present::default();
        let many: Vec<_> =
            (0..2 * MOST).map(|id| stick(&id.to_string(), &"é".repeat(200))).collect();
        present.look(many.clone());
        let media = present.look(many);
        assert_eq!(media.len(), MOST);
        assert!(media.iter().all(|medium| medium.name.len() <= NAME_BYTES));
        assert!(present.encode().len() < 3 * 1024);
        assert!(Present::decode(b"{}").is_none());
        assert!(Present::decode(br#"{"v":2,"there":[]}"#).is_none());
    }

    fn told(present: &mut Present, found: &[Found]) -> Vec<(MediumChange, String)> {
        let media = present.look(found.to_vec());
        media.into_iter().map(|medium| (medium.change, medium.name)).collect()
    }

    fn stick(id: &str, name: &str) -> Found {
        Found {
            id: id.to_owned(),
            name: name.to_owned(),
            bytes: 16_000_000_000,
            mounted: String::new(),
        }
    }
}
