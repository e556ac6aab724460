//! The checkpoint of one log: which file it was, how far it was read, and what had been read before.
//!
//! A file is told by what it begins with, since rotation renames it, copies it and compresses it: a
//! [`Fingerprint`] of its first bytes stands for the *generation*, all that was written from the log's
//! beginning anew to its rotation. Device and inode only say where to look first. Nothing of the log's
//! content is in a place: a digest of a kilobyte of log lines is not to be turned round.
//!
//! ```text
//! version 1 │ flags │ device, inode │ offset │ head │ first │ tail │ known: count, fingerprints
//!    1      │   1   │    8 + 8      │   8    │ 2+32 │ 2+32  │ 2+32 │   1    + 34 each
//! ```
//! Numbers are little-endian; at most some 1.3 KiB.

use aws_lc_rs::digest::{SHA256, SHA256_OUTPUT_LEN, digest};

/// Bytes of a generation's beginning that tell it from all others: half a dozen lines with their times.
pub(super) const HEAD_BYTES: usize = 1024;
/// Bytes before the place that must be what they were: they tell a file that was emptied and grew past
/// the place again.
pub(super) const TAIL_BYTES: usize = 64;
/// Bytes of the first line that are enough to know it again: a time, and who asked for what.
pub(super) const FIRST_BYTES: usize = 128;
/// Generations that are remembered as read. Schools keep two weeks of days or a quarter of weeks.
pub(super) const MOST_KNOWN: usize = 32;

const VERSION: u8 = 1;
const HAS_IDENTITY: u8 = 1;
const SKIPPING: u8 = 2;
const EMPTIED: u8 = 4;

/// Device and inode.
pub(super) type Identity = (u64, u64);

/// A digest of some bytes, and how many they were.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fingerprint {
    /// At most [`HEAD_BYTES`].
    bytes: u16,
    sha256: [u8; SHA256_OUTPUT_LEN],
}

/// How far a log has been read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    /// The file that was read, where the platform tells files apart.
    pub(super) identity: Option<Identity>,
    /// What follows has not been read: the uncompressed bytes from the generation's beginning.
    pub(super) offset: u64,
    /// The generation's first bytes, as far as they have been read.
    pub(super) head: Fingerprint,
    /// The first line of that, or the first [`FIRST_BYTES`] of it: a copy that was made of the log may
    /// be shorter than what had been read.
    pub(super) first: Fingerprint,
    /// The bytes before `offset`.
    pub(super) tail: Fingerprint,
    /// Whether `offset` is within a line that is too long and is being skipped.
    pub(super) skipping: bool,
    /// Whether the log was last rotated by being emptied.
    pub(super) emptied: bool,
    /// Beginnings of generations that need not be read, oldest first; at most [`MOST_KNOWN`].
    pub(super) known: Vec<Fingerprint>,
}

impl Fingerprint {
    /// Of all these bytes, but of no more than [`HEAD_BYTES`].
    pub(super) fn of(bytes: &[u8]) -> Self {
        let bytes = bytes.get(..HEAD_BYTES).unwrap_or(bytes);
        let mut sha256 = [0; SHA256_OUTPUT_LEN];
        sha256.copy_from_slice(digest(&SHA256, bytes).as_ref());
        Self { bytes: u16::try_from(bytes.len()).unwrap_or(u16::MAX), sha256 }
    }

    /// Of the first line of these bytes, or of the first [`FIRST_BYTES`].
    pub(super) fn of_first_line(bytes: &[u8]) -> Self {
        let line = bytes.iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |at| at + 1);
        Self::of(&bytes[..line.min(FIRST_BYTES)])
    }

    /// How many bytes it is of.
    pub(super) fn bytes(&self) -> usize {
        usize::from(self.bytes)
    }

    /// Whether a file that starts with these bytes starts with those that this is of.
    pub(super) fn begins(&self, start: &[u8]) -> bool {
        start.get(..self.bytes()).is_some_and(|start| Self::of(start) == *self)
    }
}

impl Default for Place {
    /// At the beginning of whatever is there.
    fn default() -> Self {
        let nothing = Fingerprint::of(&[]);
        Self {
            identity: None,
            offset: 0,
            head: nothing,
            first: nothing,
            tail: nothing,
            skipping: false,
            emptied: false,
            known: Vec::new(),
        }
    }
}

impl Place {
    /// Moves to the beginning of another generation, and remembers this one as read.
    pub(super) fn begin(&mut self, identity: Option<Identity>) {
        if self.head.bytes > 0 {
            let head = self.head;
            self.remember(head);
        }
        let known = std::mem::take(&mut self.known);
        *self = Self { identity, emptied: self.emptied, known, ..Self::default() };
    }

    /// Remembers the beginning of a generation as one that need not be read.
    pub(super) fn remember(&mut self, head: Fingerprint) {
        if !self.known.contains(&head) {
            if self.known.len() == MOST_KNOWN {
                self.known.remove(0);
            }
            self.known.push(head);
        }
    }

    /// Whether a file with this beginning need not be read.
    pub(super) fn knows(&self, start: &[u8]) -> bool {
        self.known.iter().any(|known| known.begins(start))
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        let (device, inode) = self.identity.unwrap_or_default();
        let flag = |is: bool, flag| if is { flag } else { 0 };
        let flags = flag(self.identity.is_some(), HAS_IDENTITY)
            | flag(self.skipping, SKIPPING)
            | flag(self.emptied, EMPTIED);
        let mut bytes = vec![VERSION, flags];
        for number in [device, inode, self.offset] {
            bytes.extend(number.to_le_bytes());
        }
        self.head.encode(&mut bytes);
        self.first.encode(&mut bytes);
        self.tail.encode(&mut bytes);
        bytes.push(u8::try_from(self.known.len()).unwrap_or(u8::MAX));
        self.known.iter().for_each(|known| known.encode(&mut bytes));
        bytes
    }

    /// Reads a place; `None` if this is none, or one of another version.
    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let mut rest = bytes;
        let [version, flags] = take(&mut rest)?;
        if version != VERSION || flags & !(HAS_IDENTITY | SKIPPING | EMPTIED) != 0 {
            return None;
        }
        let identity = (number(&mut rest)?, number(&mut rest)?);
        let mut place = Self {
            identity: (flags & HAS_IDENTITY != 0).then_some(identity),
            offset: number(&mut rest)?,
            head: Fingerprint::decode(&mut rest, HEAD_BYTES)?,
            first: Fingerprint::decode(&mut rest, FIRST_BYTES)?,
            tail: Fingerprint::decode(&mut rest, TAIL_BYTES)?,
            skipping: flags & SKIPPING != 0,
            emptied: flags & EMPTIED != 0,
            known: Vec::new(),
        };
        let [known] = take(&mut rest)?;
        if usize::from(known) > MOST_KNOWN {
            return None;
        }
        for _ in 0..known {
            place.known.push(Fingerprint::decode(&mut rest, HEAD_BYTES)?);
        }
        let whole = place.head.bytes() as u64 == place.offset.min(HEAD_BYTES as u64)
            && place.tail.bytes() as u64 == place.offset.min(TAIL_BYTES as u64);
        (rest.is_empty() && whole).then_some(place)
    }
}

impl Fingerprint {
    fn encode(&self, bytes: &mut Vec<u8>) {
        bytes.extend(self.bytes.to_le_bytes());
        bytes.extend(self.sha256);
    }

    fn decode(rest: &mut &[u8], most: usize) -> Option<Self> {
        let bytes = u16::from_le_bytes(take(rest)?);
        let sha256 = take(rest)?;
        (usize::from(bytes) <= most).then_some(Self { bytes, sha256 })
    }
}

fn number(rest: &mut &[u8]) -> Option<u64> {
    take(rest).map(u64::from_le_bytes)
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, left) = rest.split_first_chunk()?;
    *rest = left;
    Some(*taken)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_place_survives_its_encoding_and_stays_small() {
        let mut place = Place::default();
        for number in 0..=MOST_KNOWN {
            place.remember(Fingerprint::of(&[7; 40][..=number]));
        }
        place.remember(Fingerprint::of(&[7; 40][..=MOST_KNOWN]));
        assert_eq!(place.known.len(), MOST_KNOWN);
        assert!(!place.knows(&[7]), "the oldest is forgotten");
        assert!(place.knows(&[7; 2]));
        assert_eq!(Place::decode(&place.encode()), Some(place.clone()));

        place.identity = Some((5, u64::MAX));
        place.offset = 3_000_000_000_000;
        place.head = Fingerprint::of(&[1; 5_000]);
        place.tail = Fingerprint::of(&[2; TAIL_BYTES]);
        (place.skipping, place.emptied) = (true, true);
        let bytes = place.encode();
        assert!(bytes.len() < 1_400, "{}", bytes.len());
        assert_eq!(Place::decode(&bytes), Some(place));
        for cut in 0..bytes.len() {
            assert_eq!(Place::decode(&bytes[..cut]), None, "{cut}");
        }
    }

    #[test]
    fn a_beginning_is_told_however_much_follows_it() {
        let short = Fingerprint::of(b"1 line\n");
        assert!(short.begins(b"1 line\n") && short.begins(b"1 line\nanother\n"));
        assert!(!short.begins(b"1 line") && !short.begins(b"1 lino\nanother\n"));
        let long = Fingerprint::of(&[9; HEAD_BYTES + 1]);
        assert_eq!(long.bytes(), HEAD_BYTES);
        assert!(long.begins(&[9; HEAD_BYTES]) && !long.begins(&[9; HEAD_BYTES - 1]));
    }

    proptest! {
        #[test]
        fn no_bytes_of_a_stored_place_do_harm(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            if let Some(place) = Place::decode(&bytes) {
                prop_assert_eq!(place.encode(), bytes);
            }
        }
    }
}
