//! Places of profiles that are not there: their folder was deleted or renamed, or its disk is away.
//!
//! Should such a profile come back, it is read on from its place, not from the enrolment. A pupil can make
//! and rename profile folders without end, so there is room for [`MOST`] places only. For one too many,
//! the account that has the most gives up its oldest: whoever floods this displaces his own. What a place
//! was given up for is read again, rather twice than never.

use std::collections::{HashMap, VecDeque};

use super::cursor::Place;

/// Places that are kept: four for each of a thousand accounts, and a few MiB.
const MOST: usize = 4_096;

#[derive(Debug)]
struct Entry {
    input: String,
    /// `None` for a place of an earlier run, whose profile was not seen in this one.
    account: Option<String>,
    place: Place,
}

/// The places, oldest first.
#[derive(Debug)]
pub(super) struct Absent {
    entries: VecDeque<Entry>,
}

impl Absent {
    /// Begins with the places of earlier runs, all of them: their number is the spool's to bound, and each
    /// may be of a profile that the first search finds.
    pub(super) fn kept(places: impl Iterator<Item = (String, Place)>) -> Self {
        let entries = places.map(|(input, place)| Entry { input, account: None, place });
        Self { entries: entries.collect() }
    }

    /// Takes out the place of a profile that has come (back).
    pub(super) fn take(&mut self, input: &str) -> Option<Place> {
        let index = self.entries.iter().position(|entry| entry.input == input)?;
        self.entries.remove(index).map(|entry| entry.place)
    }

    /// Keeps the place of a profile that has gone.
    pub(super) fn keep(&mut self, input: String, account: String, place: Place) {
        self.entries.push_back(Entry { input, account: Some(account), place });
        while self.entries.len() > MOST {
            self.give_up_one();
        }
    }

    /// Gives up the oldest place of the account that has the most.
    fn give_up_one(&mut self) {
        let mut counts: HashMap<Option<&str>, usize> = HashMap::new();
        for entry in &self.entries {
            *counts.entry(entry.account.as_deref()).or_default() += 1;
        }
        let most = counts.values().copied().max();
        let of_the_most = |entry: &Entry| counts.get(&entry.account.as_deref()).copied() == most;
        if let Some(index) = self.entries.iter().position(of_the_most) {
            self.entries.remove(index);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_makes_profiles_without_end_displaces_his_own() {
        let mut absent = Absent::kept([("earlier".to_owned(), place(1))].into_iter());
        absent.keep("amy's".to_owned(), "amy".to_owned(), place(2));
        for number in 0..=MOST {
            absent.keep(format!("bob's {number}"), "bob".to_owned(), place(3));
        }
        assert_eq!(absent.entries.len(), MOST);
        assert_eq!(absent.take("bob's 0"), None);
        assert_eq!(absent.take(&format!("bob's {MOST}")), Some(place(3)));
        assert_eq!(absent.take("amy's"), Some(place(2)));
        assert_eq!(absent.take("earlier"), Some(place(1)));
        assert_eq!(absent.take("earlier"), None, "taken once");
    }

    fn place(read_at: i64) -> Place {
        let mut place = Place::default();
        place.complete(read_at);
        place
    }
}
