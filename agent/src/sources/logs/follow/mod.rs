//! Follows one log through everything that is done to it, and gives each of its lines once.
//!
//! ```text
//!  files ──► reader ──► lines ──► Found, one after the other
//!  what is    plain or   whole        │
//!  there      packed     lines      Place: after each of them
//!      └────► decide ◄────────────────┘
//!             which file is next
//! ```
//!
//! # What always holds
//! - **A place moves over what was given and over nothing else.** It stands at the end of a line; an
//!   unterminated one waits, and is read again after a restart.
//! - **What was read is the log's.** After each portion the file must still have the head and the bytes
//!   before the place that it had: a log that was emptied while it was read, even one that has grown
//!   past the place again, gives no line of the new generation for one of the old.
//! - **A generation is read to its end before the next is begun**: the file that was renamed, by the
//!   descriptor that is still open or by its identity under whatever name; the copy beside an emptied
//!   log, or the compressed file, by its beginning. It is left only once the next one has content and
//!   it has been read to its end after that was seen.
//! - **What is nowhere to be found is told** as [`Found::Lost`], where it belongs in the order.
//! - Nothing is held of a file but two portions of [`hand::PORTION`] bytes and its fingerprints.
//!
//! # What falls short, honestly
//! - Lines that are written while a log is being copied, after the copy passed its end and before it
//!   is emptied, are nowhere. That they may be lost is told in coverage for as long as the log is
//!   rotated so; where one of them had been read, it is certain that there was such a gap, and it is told as
//!   lost. Of a generation of which nothing was ever read, nobody can tell either.
//! - What was rotated before the log was seen for the first time is not read.
//! - On Windows, where files have no identity here, a renamed file is found by its beginning alone.
//! - Of several writers of one log, one that goes on writing to the renamed file after another has
//!   begun the new one is not heard any more.
//! - Files compressed by other programs than gzip are not read.

mod choose;
mod decide;
mod files;
mod hand;
mod lines;
mod reader;
// Rotation as Unix has it: a file that is open is renamed and deleted.
#[cfg(unix)]
#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "a test reads back what lies in its own folder")]
mod tests;

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

pub(super) use self::files::{Location, Refusal, identity, refusal};
use self::hand::Hand;
use self::lines::Lines;
use super::place::Place;

/// Files that are taken in hand within one reading; a rotation makes one, an absence a fortnight's.
const MOST_STEPS: u32 = 256;

/// What was found in a log.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found<'a> {
    /// A whole line, without its ending, and where it begins.
    Line(&'a [u8], u64),
    /// A line of more than [`lines::MOST_LINE`] bytes begins here, and is skipped.
    TooLong(u64),
    /// A file ended within a line that begins here, and was followed by another.
    CutShort(u64),
    /// Something was written and is nowhere to be found.
    Lost,
    /// Another file begins.
    Begun,
}

/// How far a reading came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reached {
    /// The receiver had enough.
    Enough,
    /// The end, for the time being.
    End,
    /// A point where it should be tried again shortly.
    Soon,
    /// The end of what there is; the log itself is not there, or not to be read.
    NoLog(Refusal),
}

/// Follows one log.
pub(super) struct Follow {
    path: PathBuf,
    location: Option<Location>,
    place: Place,
    /// Nothing is known of the log: what was rotated before is not read.
    first: bool,
    hand: Option<Hand>,
    lines: Lines,
    /// How many looks in a row found a file that cannot be read yet.
    waits: u32,
}

impl Follow {
    /// Begins at a place, or at the beginning of the log as it is.
    pub(super) fn new(path: &Path, place: Option<Place>) -> Self {
        let first = place.is_none();
        let place = place.unwrap_or_default();
        let lines = Lines::begin(place.skipping);
        Self { path: path.to_owned(), location: None, place, first, hand: None, lines, waits: 0 }
    }

    /// After all that was given.
    pub(super) fn place(&self) -> Place {
        let mut place = self.place.clone();
        if let Some(hand) = &self.hand {
            hand.marks.write_to(&mut place);
        }
        place
    }

    /// Whether nothing has ever been read, so that there is no place to keep.
    pub(super) fn is_first(&self) -> bool {
        self.first
    }

    /// Reads on, and gives what is found until `take` breaks or there is no more. Blocking.
    ///
    /// # Errors
    /// [`Refusal`] if the folder or the file in hand cannot be read; what was given was given.
    pub(super) fn read(
        &mut self,
        take: &mut dyn FnMut(Found<'_>) -> ControlFlow<()>,
    ) -> Result<Reached, Refusal> {
        if let (Some(hand), 0) = (&mut self.hand, self.place.offset) {
            hand.begun = false;
        }
        for _ in 0..MOST_STEPS {
            if let Some(hand) = &self.hand {
                // An empty file that gets content may have had other content in between: that is looked
                // for before the first of it is read.
                let begun = hand.begun || self.place.offset > 0;
                if begun && self.read_in_hand(take)?.is_break() {
                    return Ok(Reached::Enough);
                }
                if self
                    .hand
                    .as_ref()
                    .is_some_and(|hand| self.is_live(hand) && (begun || hand.is_empty()))
                {
                    return Ok(Reached::End);
                }
            }
            match self.step(take)? {
                ControlFlow::Continue(()) => {}
                ControlFlow::Break(reached) => return Ok(reached),
            }
        }
        Ok(Reached::Soon)
    }

    fn is_live(&self, hand: &Hand) -> bool {
        let live = self.location.as_ref().map(Location::stat);
        match (hand.identity, live) {
            (Some(identity), Some(Ok(live))) => live.identity == Some(identity),
            (None, Some(Ok(_))) => hand.live,
            _ => false,
        }
    }
}
