//! A log in a real folder, written and rotated as proxies and logrotate do it, and read by a [`Follow`] that
//! is interrupted anywhere. The writer knows of each line whether anything still holds it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::path::PathBuf;

use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::*;
use tempfile::TempDir;

use super::super::place::{MOST_KNOWN, Place};
use super::*;

/// Rotated files that are kept.
const KEPT: u32 = 6;

#[derive(Debug, Clone)]
enum Act {
    /// So many lines.
    Write(u8),
    /// A line, but for its end, which the next writing brings.
    WriteHalf,
    /// A line that is longer than is read.
    WriteTooLong,
    /// Renames, begins a new file at once; the writer goes over to it after so many more lines.
    Rename(u8),
    /// Renames, and the writer begins the new file with its next line.
    RenameOnly,
    /// The same, to a name with a date.
    CopyAndEmpty,
    /// As before, with lines that are written when the copy was made and the log not yet emptied.
    CopyWriteAndEmpty(u8),
    /// Compresses all rotated files but the newest, or it, too.
    Compress { newest: bool },
    /// The log is deleted, and begun anew.
    Delete,
    /// Reads so many things.
    Read(u8),
    /// Reads to the end.
    ReadAll,
    /// The agent stops in order.
    Restart,
    /// The agent dies: the last portion that was read, and its place, never arrived.
    Crash,
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        6 => (1..6_u8).prop_map(Act::Write),
        2 => Just(Act::WriteHalf),
        1 => Just(Act::WriteTooLong),
        2 => (0..3_u8).prop_map(Act::Rename),
        2 => Just(Act::RenameOnly),
        2 => Just(Act::CopyAndEmpty),
        1 => (1..3_u8).prop_map(Act::CopyWriteAndEmpty),
        2 => any::<bool>().prop_map(|newest| Act::Compress { newest }),
        1 => Just(Act::Delete),
        4 => (1..4_u8).prop_map(Act::Read),
        6 => Just(Act::ReadAll),
        2 => Just(Act::Restart),
        2 => Just(Act::Crash),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn every_line_comes_once_or_is_told_as_lost(acts in proptest::collection::vec(act(), 1..40)) {
        let mut world = World::new();
        for act in &acts {
            world.act(act);
        }
        world.finish();
        world.check().map_err(TestCaseError::fail)?;
    }
}

/// Where a line is, for all that the writer knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// In this generation.
    Kept(usize),
    /// Written, and destroyed while nobody could have seen that; a reader may have seen the line.
    InTheGap(usize),
    /// The same, and nothing of its generation had been read.
    Unseeable,
}

struct World {
    folder: TempDir,
    writer: Option<File>,
    /// The generation that the writer writes.
    generation: usize,
    /// Where generations lie: 0 is the log itself, then by number; those that are nowhere are missing.
    lies: BTreeMap<u32, usize>,
    /// Generations whose files are gone, or were emptied without a copy.
    gone: BTreeSet<usize>,
    /// The same, of which nothing had been read: nobody can know that there was any.
    unseen: BTreeSet<usize>,
    written: Vec<Fate>,
    half: Option<usize>,
    /// Lines that were torn by the emptying of their file.
    torn: BTreeSet<usize>,
    too_long: usize,
    /// Coverage said that lines may be lost.
    gap_told: bool,
    follow: Follow,
    /// What arrived, and since when a crash would lose it.
    got: Vec<Got>,
    arrived: usize,
    place: Option<Place>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Got {
    Line(usize),
    Garbage,
    TooLong,
    Lost,
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("access.log");
        // What was there before is none of the agent's business.
        fs::write(folder.path().join("access.log.1"), "before\n").unwrap();
        let mut world = Self {
            follow: Follow::new(&path, None),
            folder,
            writer: None,
            generation: 0,
            lies: BTreeMap::new(),
            gone: BTreeSet::new(),
            unseen: BTreeSet::new(),
            written: Vec::new(),
            half: None,
            torn: BTreeSet::new(),
            too_long: 0,
            gap_told: false,
            got: Vec::new(),
            arrived: 0,
            place: None,
        };
        world.lies.insert(1, usize::MAX);
        world.open_new();
        world.read(usize::MAX);
        world.place = Some(world.follow.place());
        world
    }

    fn path(&self, number: u32) -> PathBuf {
        let name =
            if number == 0 { "access.log".to_owned() } else { format!("access.log.{number}") };
        self.folder.path().join(name)
    }

    fn packed(&self, number: u32) -> PathBuf {
        self.folder.path().join(format!("access.log.{number}.gz"))
    }

    fn open_new(&mut self) {
        self.generation += 1;
        let path = self.path(0);
        let file = OpenOptions::new().append(true).create(true).open(path).unwrap();
        self.writer = Some(file);
        self.lies.insert(0, self.generation);
    }

    fn act(&mut self, act: &Act) {
        match act {
            Act::Write(lines) => (0..*lines).for_each(|_| self.write_line()),
            Act::WriteHalf => {
                self.end_half();
                self.half = Some(self.written.len());
                let text = format!("1764{:06}.123 GET http://", self.written.len());
                self.bytes(text.as_bytes());
            }
            Act::WriteTooLong => {
                self.end_half();
                self.bytes(format!("{} {}\n", self.too_long, "x".repeat(70_000)).as_bytes());
                self.too_long += 1;
            }
            Act::Rename(late) => {
                if self.writer.is_none() {
                    self.open_new();
                }
                self.move_up();
                File::create_new(self.path(0)).unwrap();
                (0..*late).for_each(|_| self.write_line());
                self.end_half();
                self.open_new();
            }
            Act::RenameOnly => {
                self.end_half();
                self.move_up();
                self.writer = None;
            }
            Act::CopyAndEmpty => self.copy_and_empty(0),
            Act::CopyWriteAndEmpty(lines) => self.copy_and_empty(*lines),
            Act::Compress { newest } => {
                for number in if *newest { 1 } else { 2 }..=KEPT {
                    self.compress(number);
                }
            }
            Act::Delete => {
                self.end_half();
                let begun = self.has_begun(0);
                self.forget_gaps(0);
                if fs::remove_file(self.path(0)).is_ok() {
                    let gone = self.lies.remove(&0);
                    if begun { self.gone.extend(gone) } else { self.unseen.extend(gone) }
                }
                self.open_new();
            }
            Act::Read(things) => self.read(usize::from(*things)),
            Act::ReadAll => self.read(usize::MAX),
            Act::Restart => {
                self.arrived = self.got.len();
                self.place = Some(self.follow.place());
                self.start();
            }
            Act::Crash => {
                self.got.truncate(self.arrived);
                self.forget();
                self.start();
            }
        }
    }

    /// After a crash: of what is gone, nothing was read if none of it has arrived.
    fn forget(&mut self) {
        let unseen: Vec<_> = self.gone.iter().copied().filter(|of| !self.got_of(*of)).collect();
        for generation in unseen {
            self.gone.remove(&generation);
            self.unseen.insert(generation);
        }
        for line in 0..self.written.len() {
            if let Fate::InTheGap(of) = self.written[line]
                && !self.got_of(of)
            {
                self.written[line] = Fate::Unseeable;
            }
        }
    }

    fn start(&mut self) {
        let stored = self.place.as_ref().map(Place::encode);
        let place = stored.map(|bytes| Place::decode(&bytes).unwrap());
        self.follow = Follow::new(&self.path(0), place);
    }

    fn bytes(&mut self, bytes: &[u8]) {
        if self.writer.is_none() {
            self.open_new();
        }
        self.writer.as_mut().unwrap().write_all(bytes).unwrap();
    }

    fn write_line(&mut self) {
        self.end_half();
        let number = self.written.len();
        let line = format!("1764{number:06}.123 GET http://{number}.example/\n");
        self.bytes(line.as_bytes());
        self.written.push(Fate::Kept(self.generation));
    }

    fn end_half(&mut self) {
        if let Some(number) = self.half.take() {
            self.bytes(format!("{number}.example/\n").as_bytes());
            if !self.torn.contains(&number) {
                assert_eq!(number, self.written.len());
            }
            self.written.push(Fate::Kept(self.generation));
        }
    }

    /// What logrotate does with numbered files.
    fn move_up(&mut self) {
        for number in (0..=KEPT).rev() {
            let Some(generation) = self.lies.remove(&number) else { continue };
            let (from, to) = (self.path(number), self.path(number + 1));
            if number == KEPT {
                let begun = self.got_of(generation);
                self.forget_gaps(number);
                let _ = (fs::remove_file(from), fs::remove_file(self.packed(number)));
                if begun {
                    self.gone.insert(generation)
                } else {
                    self.unseen.insert(generation)
                };
                continue;
            }
            if from.exists() {
                fs::rename(from, to).unwrap();
            } else if number > 0 {
                fs::rename(self.packed(number), self.packed(number + 1)).unwrap();
            }
            self.lies.insert(number + 1, generation);
        }
    }

    /// A file goes that could have shown, by what it was, that another is a copy of it.
    fn forget_gaps(&mut self, number: u32) {
        let identity = fs::metadata(self.path(number)).map(|metadata| files::identity(&metadata));
        if !self.gap_told && identity.is_ok_and(|identity| identity == self.follow.place().identity)
        {
            for fate in &mut self.written {
                if let Fate::InTheGap(_) = fate {
                    *fate = Fate::Unseeable;
                }
            }
        }
    }

    /// Whether a line of the generation that lies there has been read.
    fn has_begun(&self, number: u32) -> bool {
        self.lies.get(&number).is_some_and(|generation| self.got_of(*generation))
    }

    fn got_of(&self, generation: usize) -> bool {
        self.got.iter().any(|got| match got {
            Got::Line(line) => {
                matches!(self.written.get(*line), Some(Fate::Kept(of)) if *of == generation)
            }
            _ => false,
        })
    }

    fn copy_and_empty(&mut self, in_the_gap: u8) {
        if self.writer.is_none() {
            return;
        }
        if in_the_gap > 0 {
            self.end_half();
        }
        let unseeable = !self.has_begun(0);
        let live = self.lies.remove(&0).unwrap();
        self.move_up();
        fs::copy(self.path(0), self.path(1)).unwrap();
        self.lies.insert(1, live);
        for _ in 0..in_the_gap {
            self.write_line();
            let gap = Fate::InTheGap(self.generation);
            let fate = if unseeable { Fate::Unseeable } else { gap };
            *self.written.last_mut().unwrap() = fate;
        }
        if in_the_gap > 1 {
            // Now and then somebody looks just then.
            self.read(1);
        }
        if let Some(number) = self.half {
            self.torn.insert(number);
        }
        OpenOptions::new().write(true).open(self.path(0)).unwrap().set_len(0).unwrap();
        self.generation += 1;
        self.lies.insert(0, self.generation);
    }

    fn compress(&mut self, number: u32) {
        let Ok(content) = fs::read(self.path(number)) else { return };
        self.forget_gaps(number);
        let packed = File::create(self.packed(number)).unwrap();
        let mut packer = GzEncoder::new(packed, Compression::fast());
        packer.write_all(&content).unwrap();
        packer.finish().unwrap();
        fs::remove_file(self.path(number)).unwrap();
    }

    fn read(&mut self, most: usize) {
        // What was read before has arrived, and the place with it.
        self.arrived = self.got.len();
        if !self.follow.is_first() {
            self.place = Some(self.follow.place());
        }
        let (got, mut taken) = (&mut self.got, 0);
        let mut take = |found: Found<'_>| {
            taken += usize::from(found != Found::Begun);
            match found {
                Found::Line(line, _) => got.push(number_of(line).map_or(Got::Garbage, Got::Line)),
                Found::TooLong(_) => got.push(Got::TooLong),
                Found::CutShort(_) => got.push(Got::Garbage),
                Found::Lost => got.push(Got::Lost),
                Found::Begun => {}
            }
            if taken >= most { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let reached = self.follow.read(&mut take).unwrap();
        assert_ne!(reached, Reached::Soon);
        self.gap_told |= self.follow.place().emptied;
        assert!(self.follow.place().known.len() <= MOST_KNOWN);
    }

    /// Ends all that is half, and reads all there is.
    fn finish(&mut self) {
        self.write_line();
        self.read(usize::MAX);
        self.read(usize::MAX);
        self.write_line();
        self.read(usize::MAX);
    }

    fn check(&self) -> Result<(), String> {
        let mut times = vec![0; self.written.len()];
        for got in &self.got {
            if let Got::Line(number) = got {
                *times
                    .get_mut(*number)
                    .ok_or_else(|| format!("line {number} was never written"))? += 1;
            }
        }
        let told = self.got.contains(&Got::Lost);
        for (number, times) in times.into_iter().enumerate() {
            let fate = self.written[number];
            let excused = match fate {
                Fate::Kept(generation) => {
                    told && self.gone.contains(&generation)
                        || self.unseen.contains(&generation)
                        || self.torn.contains(&number)
                }
                Fate::InTheGap(_) => told || self.gap_told,
                Fate::Unseeable => true,
            };
            if times > 1 || times == 0 && !excused {
                return Err(format!("line {number} ({fate:?}) came {times} times: {:?}", self.got));
            }
        }
        let garbage = self.got.iter().filter(|got| **got == Got::Garbage).count();
        // Both ends of it; and a file that holds nothing else may be told twice, compressed and not.
        if garbage > 3 * self.torn.len() {
            return Err(format!("{garbage} lines are none: {:?}", self.got));
        }
        let too_long = self.got.iter().filter(|got| **got == Got::TooLong).count();
        if too_long > self.too_long {
            return Err(format!("{too_long} of {} lines too long", self.too_long));
        }
        Ok(())
    }
}

fn number_of(line: &[u8]) -> Option<usize> {
    let line = std::str::from_utf8(line).ok()?;
    let (time, host) = line.strip_prefix("1764")?.split_once(".123 GET http://")?;
    let number: usize = host.strip_suffix(".example/")?.parse().ok()?;
    (time == format!("{number:06}")).then_some(number)
}
