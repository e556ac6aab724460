//! One open file of a log, plain or compressed, read by offsets of its uncompressed content.

use std::fs::File;
use std::io::{self, Seek as _, SeekFrom};

use flate2::read::MultiGzDecoder;

use super::super::place::{Fingerprint, HEAD_BYTES, Place, TAIL_BYTES};
use super::decide::Likeness;
use super::files::{self, Refusal, Stat};

/// Bytes that are skipped at once on the way to a place in a compressed file.
const SKIPPED_AT_ONCE: usize = 64 * 1024;

pub(super) enum Reader {
    Plain(File),
    /// How many bytes have been unpacked, and what comes next.
    Packed(u64, Box<MultiGzDecoder<File>>),
}

/// What a file looks like from the place.
pub(super) struct Look {
    pub(super) likeness: Likeness,
    /// Its first bytes; at most [`HEAD_BYTES`].
    pub(super) start: Vec<u8>,
    /// The bytes before the place, if it [`Continues`](Likeness::Continues).
    pub(super) tail: Vec<u8>,
}

impl Reader {
    pub(super) fn new(file: File, packed: bool) -> Self {
        if packed {
            Self::Packed(0, Box::new(MultiGzDecoder::new(file)))
        } else {
            Self::Plain(file)
        }
    }

    /// Fills `bytes` from `offset` on as far as there is something; gives how many there are.
    ///
    /// # Errors
    /// As the disk fails; as compressed data is damaged or ends early; or on a way back in it.
    pub(super) fn read_at(&mut self, offset: u64, bytes: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(file) => {
                file.seek(SeekFrom::Start(offset))?;
                fill(file, bytes)
            }
            Self::Packed(at, unpacked) => {
                let mut skipped = vec![0; if *at < offset { SKIPPED_AT_ONCE } else { 0 }];
                while *at < offset {
                    let most =
                        skipped.len().min(usize::try_from(offset - *at).unwrap_or(usize::MAX));
                    match fill(unpacked, &mut skipped[..most])? {
                        0 => return Ok(0),
                        read => *at += read as u64,
                    }
                }
                if *at > offset {
                    return Err(io::ErrorKind::NotSeekable.into());
                }
                let read = fill(unpacked, bytes)?;
                *at += read as u64;
                Ok(read)
            }
        }
    }

    /// What the file system tells of a plain file; `None` for a compressed one.
    pub(super) fn stat(&self) -> Option<Result<Stat, Refusal>> {
        match self {
            Self::Plain(file) => Some(files::stat(file)),
            Self::Packed(..) => None,
        }
    }

    /// Holds a file that was just opened against a place. What cannot be read is unsettled.
    pub(super) fn look(&mut self, stat: Stat, place: &Place) -> Look {
        let mut start = vec![0; HEAD_BYTES];
        let Ok(read) = self.read_at(0, &mut start) else {
            return Look { likeness: Likeness::Unsettled, start: Vec::new(), tail: Vec::new() };
        };
        start.truncate(read);
        let (likeness, tail) = self.likeness(stat, place, &start);
        Look { likeness, start, tail }
    }

    fn likeness(&mut self, stat: Stat, place: &Place, start: &[u8]) -> (Likeness, Vec<u8>) {
        if place.offset == 0 {
            let same = stat.identity.is_some() && stat.identity == place.identity;
            return (if same { Likeness::Continues } else { Likeness::Unlike }, Vec::new());
        }
        if !place.head.begins(start) {
            let cut = start.len() < place.head.bytes() && place.first.begins(start);
            return (if cut { Likeness::Cut } else { Likeness::Unlike }, Vec::new());
        }
        let length = place.tail.bytes();
        let from = place.offset.saturating_sub(length as u64);
        let tail = match from.checked_sub(start.len() as u64) {
            // The first bytes of compressed data are gone from the stream, and still here.
            None => self.short_tail(start, from, length),
            Some(_) => {
                let mut tail = vec![0; length];
                self.read_at(from, &mut tail).map(|read| {
                    tail.truncate(read);
                    tail
                })
            }
        };
        match tail {
            Err(_) => (Likeness::Unsettled, Vec::new()),
            Ok(tail) if tail.len() == length && Fingerprint::of(&tail) == place.tail => {
                (Likeness::Continues, tail)
            }
            Ok(_) => (Likeness::Cut, Vec::new()),
        }
    }

    /// The `length` bytes from `from` on, which begin within the `start` that was read.
    fn short_tail(&mut self, start: &[u8], from: u64, length: usize) -> io::Result<Vec<u8>> {
        let from = usize::try_from(from).unwrap_or(usize::MAX);
        let mut tail: Vec<u8> = start.iter().skip(from).take(length).copied().collect();
        let mut more = vec![0; length - tail.len()];
        if !more.is_empty() {
            let read = self.read_at(start.len() as u64, &mut more)?;
            tail.extend(more.iter().take(read));
        }
        Ok(tail)
    }
}

/// What is kept of the bytes that were read, to know the file again.
#[derive(Debug, Default)]
pub(super) struct Marks {
    head: Vec<u8>,
    tail: Vec<u8>,
}

impl Marks {
    pub(super) fn of(look: Look, place: &Place) -> Self {
        let mut head = look.start;
        head.truncate(place.head.bytes());
        Self { head, tail: look.tail }
    }

    /// Goes on over bytes that have been read.
    pub(super) fn advance(&mut self, bytes: &[u8]) {
        let room = HEAD_BYTES - self.head.len().min(HEAD_BYTES);
        self.head.extend(bytes.iter().take(room));
        match bytes.len().checked_sub(TAIL_BYTES) {
            Some(from) => {
                self.tail.clear();
                self.tail.extend_from_slice(&bytes[from..]);
            }
            None => {
                let most = TAIL_BYTES - bytes.len();
                self.tail.drain(..self.tail.len().saturating_sub(most));
                self.tail.extend_from_slice(bytes);
            }
        }
    }

    /// Takes what stands before a place that was not reached by reading.
    pub(super) fn end_with(&mut self, last: &[u8]) {
        self.tail = last[last.len().saturating_sub(TAIL_BYTES)..].to_vec();
    }

    pub(super) fn write_to(&self, place: &mut Place) {
        place.head = Fingerprint::of(&self.head);
        place.first = Fingerprint::of_first_line(&self.head);
        place.tail = Fingerprint::of(&self.tail);
    }

    /// Whether a plain file still has, around `offset`, what was read of it, and `ahead` from there on.
    pub(super) fn hold(&self, reader: &mut Reader, offset: u64, ahead: &[u8]) -> io::Result<bool> {
        let mut is = |from: u64, expected: &[u8]| -> io::Result<bool> {
            let mut found = vec![0; expected.len()];
            Ok(reader.read_at(from, &mut found)? == expected.len() && found == expected)
        };
        let last = ahead.len().saturating_sub(TAIL_BYTES);
        Ok(is(0, &self.head)?
            && is(offset.saturating_sub(self.tail.len() as u64), &self.tail)?
            && is(offset + last as u64, &ahead[last..])?)
    }
}

fn fill(from: &mut impl io::Read, bytes: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < bytes.len() {
        match from.read(&mut bytes[filled..]) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}
