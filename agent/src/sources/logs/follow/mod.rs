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
//! - Nothing is held of a file but two portions of [`PORTION`] bytes and its fingerprints.
//!
//! # What falls short, honestly
//! - Lines that are written while a log is being copied, after the copy passed its end and before it
//!   is emptied, are nowhere. That they may be lost is told in coverage for as long as the log is
//!   rotated so; where one of them had been read, it is certain that there was such a gap, and it is told as
//!   lost.
//! - Of several writers of one log, one that goes on writing to the renamed file after another has
//!   begun the new one is not heard any more.
//! - Files compressed by other programs than gzip are not read.

mod decide;
mod files;
mod lines;
mod reader;
// Rotation as Unix has it: a file that is open is renamed and deleted.
#[cfg(unix)]
#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "a test reads back what lies in its own folder")]
mod tests;

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use self::decide::{Likeness, Sight, Standing, Step, decide};
pub(super) use self::files::{Location, Refusal, identity, refusal};
pub(super) use self::lines::MOST_LINE;
use self::lines::{Kind, Lines};
use self::reader::{Look, Marks, Reader};
use super::place::{Fingerprint, Identity, Place};

/// Bytes that are read at once.
const PORTION: usize = 64 * 1024;
/// How many looks a compressed file that ends too early is waited for.
const PATIENCE: u32 = 25;
/// Files that are taken in hand within one reading; a rotation makes one, an absence a fortnight's.
const MOST_STEPS: u32 = 256;

/// What was found in a log.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found<'a> {
    /// A whole line, without its ending, and where it begins.
    Line(&'a [u8], u64),
    /// A line of more than [`MOST_LINE`] bytes begins here, and is skipped.
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
    waits: u32,
}

/// The file in hand.
struct Hand {
    reader: Reader,
    identity: Option<Identity>,
    live: bool,
    marks: Marks,
    /// Its compressed data is damaged from here on.
    broken: bool,
    /// It had content in this reading, and what was rotated before it has been looked for.
    begun: bool,
}

/// A file that may be taken in hand.
struct Candidate {
    sight: Sight,
    name: std::ffi::OsString,
    identity: Option<Identity>,
    reader: Reader,
    look: Look,
}

enum Refill {
    More,
    End,
    /// The file does not have any more what was read of it.
    Emptied,
    Broken,
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

    /// Gives the lines of the file in hand, to its end.
    fn read_in_hand(
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

    fn refill(&mut self) -> Result<Refill, Refusal> {
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
    fn put_down(&mut self) -> bool {
        let stat = self.hand.as_ref().and_then(|hand| hand.reader.stat());
        self.place = self.place();
        self.place.emptied = true;
        self.hand = None;
        self.lines = Lines::begin(self.place.skipping);
        matches!(stat, Some(Ok(stat)) if !stat.named && stat.bytes > 0)
    }

    fn is_live(&self, hand: &Hand) -> bool {
        let live = self.location.as_ref().map(Location::stat);
        match (hand.identity, live) {
            (Some(identity), Some(Ok(live))) => live.identity == Some(identity),
            (None, Some(Ok(_))) => hand.live,
            _ => false,
        }
    }

    /// Finds the file to go on in.
    fn step(
        &mut self,
        take: &mut dyn FnMut(Found<'_>) -> ControlFlow<()>,
    ) -> Result<ControlFlow<Reached>, Refusal> {
        let location = match self.location.take() {
            Some(location) => location,
            None => match Location::resolve(&self.path) {
                Ok(location) => location,
                Err(refused) => return Ok(ControlFlow::Break(Reached::NoLog(refused))),
            },
        };
        self.place = self.place();
        let found = self.candidates(&location);
        let (mut candidates, no_log) = found?;
        self.location = Some(location);
        if std::mem::take(&mut self.first) {
            for former in
                candidates.iter().filter(|found| !found.sight.live && found.sight.in_order)
            {
                if !former.look.start.is_empty() {
                    self.place.remember(Fingerprint::of(&former.look.start));
                }
            }
            return Ok(ControlFlow::Continue(()));
        }
        let sought = self.place.identity;
        let vanished = sought.is_some() && candidates.iter().all(|it| it.identity != sought);
        if let Some(hand) = &mut self.hand
            && vanished
            && !hand.begun
        {
            // What it got since is read before anything else.
            hand.begun = true;
            return Ok(ControlFlow::Continue(()));
        }
        let standing = match (&self.hand, self.place.offset) {
            (Some(hand), 0) if !hand.begun => Standing::Fresh,
            (Some(_), _) => Standing::AtEnd,
            (None, 0) if vanished => Standing::Vanished,
            (None, 0) => Standing::Fresh,
            (None, _) => Standing::Adrift,
        };
        let sights: Vec<_> = candidates.iter().map(|found| found.sight).collect();
        let step = decide(standing, &sights, self.waits < PATIENCE);
        self.waits = if step == Step::WaitShortly { self.waits + 1 } else { 0 };
        let is_same = |it: &Candidate| it.identity.is_some() && it.identity == sought;
        // The file that was read has other content.
        let emptied =
            candidates.iter().any(|it| is_same(it) && it.sight.likeness != Likeness::Continues);
        let stayed = candidates.iter().any(|it| it.sight.live && is_same(it));
        let given = match step {
            Step::Resume(index) => {
                let found = candidates.swap_remove(index);
                let renamed = !found.sight.live && is_same(&found);
                // Rotation renames, and compresses what it renamed; this was copied.
                let copied = !found.sight.live && !found.sight.packed && !is_same(&found);
                self.place.emptied = emptied || copied || self.place.emptied && !renamed;
                self.take_in_hand(found);
                ControlFlow::Continue(())
            }
            Step::Begin(index) => {
                let done = standing == Standing::AtEnd;
                if done {
                    // It may have been written to until the next one was begun.
                    match self.refill()? {
                        Refill::End | Refill::Broken => {}
                        Refill::More => return Ok(ControlFlow::Continue(())),
                        Refill::Emptied => {
                            let lost = self.put_down();
                            return Ok(if lost && take(Found::Lost).is_break() {
                                ControlFlow::Break(Reached::Enough)
                            } else {
                                ControlFlow::Continue(())
                            });
                        }
                    }
                    self.place.emptied &= self.hand.as_ref().is_some_and(|hand| !hand.live);
                }
                let found_live = candidates[index].sight.live;
                self.place.emptied |= standing == Standing::Fresh && !found_live && stayed;
                let cut = (done && self.lines.waiting() > 0).then_some(self.place.offset);
                if let (Some(_), Some(hand)) = (cut, &mut self.hand) {
                    hand.marks.advance(self.lines.ahead());
                    hand.marks.write_to(&mut self.place);
                }
                let found = candidates.swap_remove(index);
                self.place.begin(found.identity);
                self.take_in_hand(found);
                // Both, whatever the answer to the first is: the place is behind both.
                let cut = cut.map(|offset| take(Found::CutShort(offset)));
                let begun = take(Found::Begun);
                if cut.is_some_and(|given| given.is_break()) {
                    ControlFlow::Break(())
                } else {
                    begun
                }
            }
            Step::Join(index) => {
                let found = candidates.swap_remove(index);
                self.join(found)?;
                take(Found::Begun)
            }
            Step::Lost => {
                self.place.emptied |= emptied;
                self.place.begin(None);
                self.lines = Lines::begin(false);
                // What is shorter than what was read of it has been read.
                for cut in candidates.iter().filter(|it| it.sight.likeness == Likeness::Cut) {
                    self.place.remember(Fingerprint::of(&cut.look.start));
                }
                take(Found::Lost)
            }
            Step::Wait | Step::WaitShortly => {
                if no_log.is_some() && self.hand.is_none() {
                    // What the technician named may be a link to somewhere else when it is there again.
                    self.location = None;
                }
                return Ok(ControlFlow::Break(match (step, no_log) {
                    (Step::WaitShortly, _) => Reached::Soon,
                    (_, Some(refused)) => Reached::NoLog(refused),
                    _ => Reached::End,
                }));
            }
        };
        Ok(match given {
            ControlFlow::Break(()) => ControlFlow::Break(Reached::Enough),
            ControlFlow::Continue(()) => ControlFlow::Continue(()),
        })
    }

    /// The files that may be taken in hand, in their order, and why the log itself is not among them.
    fn candidates(
        &self,
        location: &Location,
    ) -> Result<(Vec<Candidate>, Option<Refusal>), Refusal> {
        let related = match location.related(self.place.identity) {
            Ok(related) => related,
            Err(Refusal::Missing) => Vec::new(),
            Err(refused) => return Err(refused),
        };
        let mut no_log = Some(Refusal::Missing);
        let mut candidates = Vec::new();
        for file in related {
            let (opened, stat) = match location.open(&file.name) {
                Ok(opened) => opened,
                Err(refused) => {
                    if file.live {
                        no_log = Some(refused);
                    }
                    continue;
                }
            };
            if file.live {
                no_log = None;
            }
            let mut reader = Reader::new(opened, file.packed);
            let look = reader.look(stat, &self.place);
            let sight = Sight {
                likeness: look.likeness,
                known: self.place.knows(&look.start),
                empty: look.start.is_empty() && look.likeness != Likeness::Unsettled,
                live: file.live,
                in_order: file.in_order,
                packed: file.packed,
            };
            let (name, identity) = (file.name, stat.identity);
            candidates.push(Candidate { sight, name, identity, reader, look });
        }
        Ok((candidates, no_log))
    }

    /// Takes a file in hand at the place.
    fn take_in_hand(&mut self, found: Candidate) {
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
    fn join(&mut self, mut found: Candidate) -> Result<(), Refusal> {
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
    fn is_empty(&self) -> bool {
        matches!(self.reader.stat(), Some(Ok(stat)) if stat.bytes == 0)
    }
}

fn without_ending(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}
