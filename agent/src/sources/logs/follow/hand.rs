//! The file in hand: taking one, reading it on, and seeing that it is what it was.

use std::ops::ControlFlow;

use super::choose::Candidate;
use super::files::{Refusal, refusal};
use super::lines::{Kind, Lines, MOST_LINE};
use super::reader::{Marks, Reader};
use super::{Follow, Found};
use crate::sources::logs::place::Identity;

/// Bytes that are read at once.
pub(super) const PORTION: usize = 64 * 1024;

/// The file in hand.
pub(super) struct Hand {
    pub(super) reader: Reader,
    pub(super) identity: Option<Identity>,
    pub(super) live: bool,
    pub(super) marks: Marks,
    /// Its compressed data is damaged from here on.
    broken: bool,
    /// It had content in this reading, and what was rotated before it has been looked for.
    pub(super) begun: bool,
}

/// What a further portion came to.
pub(super) enum Refill {
    More,
    End,
    /// The file does not have any more what was read of it.
    Emptied,
    Broken,
}

impl Follow {
    /// Gives the lines of the file in hand, to its end.
    pub(super) fn read_in_hand(
        &mut self,
        take: &mut dyn FnMut(Found<'_>) -> ControlFlow<()>,
    ) -> Result<ControlFlow<()>, Refusal> {
        while let Some(hand) = &mut self.hand {
            while let Some(piece) = self.lines.next() {
                let offset = self.place.offset;
                hand.marks.advance(piece.bytes);
                self.place.offset += piece.bytes.len() as u64;
                let given = match piece.kind {
                    Kind::Line => take(Found::Line(without_ending(piece.bytes), offset)),
                    Kind::TooLong => take(Found::TooLong(offset)),
                    Kind::Skipped => ControlFlow::Continue(()),
                };
                self.place.skipping = self.lines.skipping();
                if given.is_break() {
                    return Ok(ControlFlow::Break(()));
                }
            }
            match self.refill()? {
                Refill::More => {}
                Refill::End => break,
                Refill::Broken => return Ok(take(Found::Lost)),
                Refill::Emptied => {
                    if self.put_down() {
                        return Ok(take(Found::Lost));
                    }
                }
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    pub(super) fn refill(&mut self) -> Result<Refill, Refusal> {
        let Some(hand) = &mut self.hand else { return Ok(Refill::End) };
        if hand.broken {
            return Ok(Refill::End);
        }
        if let (None, true, Some(location)) = (hand.identity, hand.live, &self.location) {
            // Where files have no identity, the path is all there is to hold a file by.
            match location.open(&location.name) {
                Ok((file, _)) => hand.reader = Reader::new(file, false),
                Err(Refusal::Missing) => {}
                Err(refused) => return Err(refused),
            }
        }
        let waiting = self.lines.waiting();
        let from = self.place.offset + waiting as u64;
        if let Some(stat) = hand.reader.stat()
            && stat?.bytes < from
        {
            return Ok(Refill::Emptied);
        }
        let packed = matches!(hand.reader, Reader::Packed(..));
        let room = self.lines.room(PORTION);
        let read = match hand.reader.read_at(from, room) {
            Ok(read) => read,
            Err(error) => {
                self.lines.filled(0, PORTION);
                if packed {
                    hand.broken = true;
                    return Ok(Refill::Broken);
                }
                return Err(refusal(&error));
            }
        };
        self.lines.filled(read, PORTION);
        // Looked at after the reading: what was read before it was emptied is the log's.
        let ahead = &self.lines.ahead()[..waiting];
        if !packed {
            let held = hand.marks.hold(&mut hand.reader, self.place.offset, ahead);
            if !held.map_err(|error| refusal(&error))? {
                return Ok(Refill::Emptied);
            }
        }
        Ok(if read == 0 { Refill::End } else { Refill::More })
    }

    /// Lets go of the file in hand, which is not what it was; tells whether nobody will find it again,
    /// and what was written to it since.
    pub(super) fn put_down(&mut self) -> bool {
        let stat = self.hand.as_ref().and_then(|hand| hand.reader.stat());
        self.place = self.place();
        self.place.emptied = true;
        self.hand = None;
        self.lines = Lines::begin(self.place.skipping);
        matches!(stat, Some(Ok(stat)) if !stat.named && stat.bytes > 0)
    }

    /// Takes a file in hand at the place.
    pub(super) fn take_in_hand(&mut self, found: Candidate) {
        let mut reader = found.reader;
        if found.sight.packed {
            // More of it than up to the place was unpacked to look at it.
            reader = match self.location.as_ref().map(|location| location.open(&found.name)) {
                Some(Ok((file, _))) => Reader::new(file, true),
                _ => reader,
            };
        }
        self.place.identity = found.identity;
        self.hand = Some(Hand {
            reader,
            identity: found.identity,
            live: found.sight.live,
            marks: Marks::of(found.look, &self.place),
            broken: false,
            begun: !found.sight.empty,
        });
        self.lines = Lines::begin(self.place.skipping);
    }

    /// Takes a file in hand at its end: after its last whole line.
    pub(super) fn join(&mut self, mut found: Candidate) -> Result<(), Refusal> {
        let bytes = found.reader.stat().transpose()?.map_or(0, |stat| stat.bytes);
        let from = bytes.saturating_sub(MOST_LINE as u64);
        let mut last = vec![0; MOST_LINE];
        let read = found.reader.read_at(from, &mut last).map_err(|error| refusal(&error))?;
        last.truncate(read);
        let whole = last.iter().rposition(|byte| *byte == b'\n').map(|at| at + 1);
        self.place.begin(found.identity);
        self.place.skipping = whole.is_none() && read > 0;
        last.truncate(whole.unwrap_or(read));
        self.place.offset = from + last.len() as u64;
        let mut marks = Marks::default();
        let head = usize::try_from(self.place.offset).unwrap_or(usize::MAX);
        marks.advance(&found.look.start[..head.min(found.look.start.len())]);
        marks.end_with(&last);
        marks.write_to(&mut self.place);
        let (reader, identity) = (found.reader, found.identity);
        self.hand = Some(Hand { reader, identity, live: true, marks, broken: false, begun: true });
        self.lines = Lines::begin(self.place.skipping);
        Ok(())
    }
}

impl Hand {
    pub(super) fn is_empty(&self) -> bool {
        matches!(self.reader.stat(), Some(Ok(stat)) if stat.bytes == 0)
    }
}

fn without_ending(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}
