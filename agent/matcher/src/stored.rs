//! Compiled packs as bytes, so that a matcher that was compiled once is there again at once.
//!
//! Numbers stand in little endian, lists behind their length. What is shared (sets of phrases, runs
//! of words, persons) is written where it is met first and named by its number from then on. The
//! tables for looking words up are made anew: that is about as fast as checking them.
//!
//! Only the build that wrote them reads them: beside the layout, they hold what languages and rules
//! were compiled to, which changes with nearly every file of this crate.
//!
//! The bytes are read as if by anybody's hand: every number that is an index or a length is held
//! against what it counts, so that broken bytes are refused. No bytes make a matcher that panics or
//! needs more than linear time. A checksum finds what was damaged without being out of bounds; it
//! proves nothing about who wrote them.

use std::any::Any;
use std::collections::HashMap;
use std::sync::Arc;

use crate::vocabulary::WordId;

/// What the bytes begin with.
const MAGIC: &[u8; 8] = b"redshank";
/// The digest of this crate's sources and version, in hexadecimal digits: `build.rs` makes it.
const BUILD: &str = env!("REDSHANK_MATCHER_BUILD");
/// What stands before what was compiled: both of them, and the checksum.
const HEAD: usize = MAGIC.len() + BUILD.len() + 8;
/// Says that what is shared follows.
const NEW: u32 = u32::MAX;

/// Why bytes make no matcher.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// Another build of this engine wrote them, or they are something else: compile anew.
    #[error("compiled by another build")]
    Build,
    /// They are damaged.
    #[error("compiled packs are damaged")]
    Broken,
}

/// Writes what is compiled.
#[derive(Default)]
pub(crate) struct Writer {
    bytes: Vec<u8>,
    /// What was written, by its address.
    shared: HashMap<usize, u32>,
}

impl Writer {
    /// Gives the bytes, with what tells that they are whole.
    pub(crate) fn finish(self) -> Vec<u8> {
        let mut all = Vec::with_capacity(HEAD + self.bytes.len());
        all.extend_from_slice(MAGIC);
        all.extend_from_slice(BUILD.as_bytes());
        all.extend_from_slice(&checksum(&self.bytes).to_le_bytes());
        all.extend_from_slice(&self.bytes);
        all
    }

    pub(crate) fn byte(&mut self, byte: u8) {
        self.bytes.push(byte);
    }

    pub(crate) fn number(&mut self, number: u32) {
        self.bytes.extend_from_slice(&number.to_le_bytes());
    }

    pub(crate) fn long(&mut self, number: u64) {
        self.bytes.extend_from_slice(&number.to_le_bytes());
    }

    /// Writes a length or index; the bounds of packs keep it far below what fits.
    pub(crate) fn size(&mut self, size: usize) {
        self.number(u32::try_from(size).unwrap_or(NEW));
    }

    pub(crate) fn numbers(&mut self, numbers: &[u32]) {
        self.size(numbers.len());
        numbers.iter().for_each(|number| self.number(*number));
    }

    pub(crate) fn text(&mut self, text: &str) {
        self.size(text.len());
        self.bytes.extend_from_slice(text.as_bytes());
    }

    pub(crate) fn list<T>(&mut self, items: &[T], mut write: impl FnMut(&mut Self, &T)) {
        self.size(items.len());
        items.iter().for_each(|item| write(self, item));
    }

    /// Writes what is shared: its number if it was written before.
    pub(crate) fn shared<T>(&mut self, shared: &Arc<T>, write: impl FnOnce(&mut Self, &T)) {
        let address = Arc::as_ptr(shared).addr();
        if let Some(known) = self.shared.get(&address) {
            return self.number(*known);
        }
        self.number(NEW);
        write(self, shared);
        // Numbered when it is complete, as its reader does.
        let number = u32::try_from(self.shared.len()).unwrap_or(NEW);
        self.shared.insert(address, number);
    }
}

/// Reads what a [`Writer`] wrote.
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
    shared: Vec<Arc<dyn Any + Send + Sync>>,
    /// How many words there are.
    words: u32,
}

type Read<T> = Result<T, Unreadable>;

impl<'a> Reader<'a> {
    /// Begins to read bytes that are whole.
    pub(crate) fn of(bytes: &'a [u8]) -> Read<Self> {
        let rest = bytes.strip_prefix(MAGIC).and_then(|it| it.strip_prefix(BUILD.as_bytes()));
        let rest = rest.ok_or(Unreadable::Build)?;
        let mut this = Self { rest, shared: Vec::new(), words: 0 };
        let sum = this.long()?;
        ensure(sum == checksum(this.rest))?;
        Ok(this)
    }

    /// Says that no more may follow.
    pub(crate) fn finish(self) -> Read<()> {
        ensure(self.rest.is_empty())
    }

    /// Sets how many words there are, of which every id must be.
    pub(crate) fn set_words(&mut self, words: usize) -> Read<()> {
        self.words = u32::try_from(words).map_err(|_| Unreadable::Broken)?;
        Ok(())
    }

    fn array<const N: usize>(&mut self) -> Read<&'a [u8; N]> {
        let (array, rest) = self.rest.split_first_chunk().ok_or(Unreadable::Broken)?;
        self.rest = rest;
        Ok(array)
    }

    fn take(&mut self, bytes: usize) -> Read<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(bytes).ok_or(Unreadable::Broken)?;
        self.rest = rest;
        Ok(taken)
    }

    pub(crate) fn byte(&mut self) -> Read<u8> {
        self.array().map(|[byte]| *byte)
    }

    pub(crate) fn flag(&mut self) -> Read<bool> {
        let byte = self.byte()?;
        ensure(byte <= 1)?;
        Ok(byte == 1)
    }

    pub(crate) fn number(&mut self) -> Read<u32> {
        self.array().map(|bytes| u32::from_le_bytes(*bytes))
    }

    pub(crate) fn long(&mut self) -> Read<u64> {
        self.array().map(|bytes| u64::from_le_bytes(*bytes))
    }

    /// Reads an index or a count of something of which there are at most so many.
    pub(crate) fn size(&mut self, most: usize) -> Read<usize> {
        let size = self.number()? as usize;
        ensure(size <= most)?;
        Ok(size)
    }

    pub(crate) fn numbers(&mut self) -> Read<Box<[u32]>> {
        let count = self.size(self.rest.len() / 4)?;
        let (chunks, _) = self.take(count * 4)?.as_chunks();
        Ok(chunks.iter().map(|bytes| u32::from_le_bytes(*bytes)).collect())
    }

    /// Reads the ids of words.
    pub(crate) fn ids(&mut self) -> Read<Box<[WordId]>> {
        let ids = self.numbers()?;
        ensure(ids.iter().all(|id| *id < self.words))?;
        Ok(ids)
    }

    /// Reads where parts of something end that is `length` long: in order, the last at its end.
    pub(crate) fn ends(&mut self, length: usize) -> Read<Box<[u32]>> {
        let ends = self.numbers()?;
        ensure(ends.is_sorted() && ends.last().map_or(0, |end| *end as usize) == length)?;
        Ok(ends)
    }

    pub(crate) fn text(&mut self) -> Read<&'a str> {
        let length = self.size(self.rest.len())?;
        std::str::from_utf8(self.take(length)?).map_err(|_| Unreadable::Broken)
    }

    pub(crate) fn list<T>(&mut self, mut read: impl FnMut(&mut Self) -> Read<T>) -> Read<Vec<T>> {
        // Each takes a byte at least, and no length makes more room than the bytes have.
        let count = self.size(self.rest.len())?;
        let room = count.min(self.rest.len() / size_of::<T>().max(1));
        let mut all = Vec::with_capacity(room);
        for _ in 0..count {
            all.push(read(self)?);
        }
        Ok(all)
    }

    /// Reads what is shared.
    pub(crate) fn shared<T: Any + Send + Sync>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Read<T>,
    ) -> Read<Arc<T>> {
        match self.number()? {
            NEW => {
                let new = Arc::new(read(self)?);
                self.shared.push(Arc::<T>::clone(&new));
                Ok(new)
            }
            number => {
                let known = self.shared.get(number as usize).ok_or(Unreadable::Broken)?;
                Arc::clone(known).downcast().map_err(|_| Unreadable::Broken)
            }
        }
    }
}

/// Refuses the bytes unless this holds.
pub(crate) fn ensure(holds: bool) -> Read<()> {
    if holds { Ok(()) } else { Err(Unreadable::Broken) }
}

/// Mixes eight bytes at a time, in four sums side by side: each multiplication waits for the one
/// before it.
fn checksum(bytes: &[u8]) -> u64 {
    let (chunks, rest) = bytes.as_chunks::<8>();
    let mut last = [0; 8];
    last.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
    let mix = |sum: u64, number: u64| {
        let mixed = (sum ^ number).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        mixed ^ mixed >> 32
    };
    let (fours, chunks) = chunks.as_chunks::<4>();
    let mut sums = [bytes.len() as u64, 1, 2, 3];
    for four in fours {
        for (sum, chunk) in sums.iter_mut().zip(four) {
            *sum = mix(*sum, u64::from_le_bytes(*chunk));
        }
    }
    let rest = chunks.iter().chain([&last]).map(|chunk| u64::from_le_bytes(*chunk));
    sums.into_iter().chain(rest).fold(0, mix)
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use proptest::prelude::*;

    use super::*;
    use crate::{Matcher, Pack, Place};

    const PACK: &str = r#"
        format = 1
        category = "wellbeing"
        language = "en"
        version = 1
        reviewed = "nobody yet"
        [classes]
        friend = ["mate", "best friend*"]
        [[rule]]
        id = "wellbeing.lonely"
        severity = 4
        note = "Says that nobody is there for them."
        phrases = ["i <2> (have no|lost my|hate~ my) [friend]", "^ lonely _ so? $", "nobody (cares|is there)"]
        near = ["(always|never) alone", "[friend]"]
        within = 9
        unless = ["song", "(the|a) <1> film"]
        maybe = ["lyric*"]
        about_other = "lower"
        negation = "drop"
        quoted = "lower"
        prose = "lower"
        lower = [{ reason = "asks", seeks_method = true, ages = ["primary"] }]
        raise = [{ reason = "tonight", phrases = ["tonight", "[friend] gone"], within = 12 }]
        [[rule]]
        id = "wellbeing.signs"
        severity = 3
        note = "Sounds low."
        points = 3
        hosts = ["example.org"]
        source = "a list"
        misspelt = true
        [rule.signs]
        "nobody" = 2
        "alone" = 2
        "party" = -2
    "#;

    static MATCHER: LazyLock<Matcher> = LazyLock::new(|| {
        Matcher::compile(&[Pack::parse("en/wellbeing.toml", PACK).unwrap()]).unwrap()
    });
    static BYTES: LazyLock<Vec<u8>> = LazyLock::new(|| MATCHER.to_bytes());

    proptest! {
        #[test]
        fn what_was_stored_finds_the_same(text in texts(), place in places()) {
            let read = Matcher::from_bytes(&BYTES).unwrap();
            prop_assert_eq!(read.find(&text, place), MATCHER.find(&text, place));
            prop_assert_eq!(read.hits(&text), MATCHER.hits(&text));
            prop_assert_eq!(read.effort(&text, place), MATCHER.effort(&text, place));
            prop_assert_eq!(read.note("wellbeing.lonely"), MATCHER.note("wellbeing.lonely"));
        }

        #[test]
        fn damaged_bytes_are_refused(at in any::<prop::sample::Index>(), xor in 1_u8..) {
            let mut bytes = BYTES.clone();
            bytes[at.index(BYTES.len())] ^= xor;
            prop_assert!(Matcher::from_bytes(&bytes).is_err());
            prop_assert!(Matcher::from_bytes(&BYTES[..at.index(BYTES.len())]).is_err());
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4096))]

        #[test]
        fn forged_bytes_are_refused_or_find_in_bounds(
            changes in prop::collection::vec((any::<prop::sample::Index>(), number()), 1..4),
            cut in prop::option::weighted(0.1, any::<prop::sample::Index>()),
            text in texts(),
            place in places(),
        ) {
            let mut bytes = BYTES.clone();
            for (at, number) in changes {
                let at = HEAD + at.index(BYTES.len() - HEAD - 4);
                bytes[at..at + number.len()].copy_from_slice(&number);
            }
            if let Some(cut) = cut {
                bytes.truncate(HEAD + cut.index(BYTES.len() - HEAD));
            }
            let sum = checksum(&bytes[HEAD..]).to_le_bytes();
            bytes[HEAD - 8..HEAD].copy_from_slice(&sum);
            if let Ok(matcher) = Matcher::from_bytes(&bytes) {
                let bound = 10_000 * (text.len() as u64 + 1);
                prop_assert!(matcher.effort(&text, place) <= bound);
                for found in matcher.find(&text, place).matches {
                    prop_assert!(text.get(found.start..found.end).is_some());
                }
            }
        }
    }

    #[test]
    fn bytes_are_those_of_this_build_alone() {
        assert_eq!(Matcher::from_bytes(b"").unwrap_err(), Unreadable::Build);
        assert_eq!(Matcher::from_bytes(PACK.as_bytes()).unwrap_err(), Unreadable::Build);
        let mut other = BYTES.clone();
        other[MAGIC.len()] ^= 1;
        assert_eq!(Matcher::from_bytes(&other).unwrap_err(), Unreadable::Build);
        assert_eq!(Matcher::from_bytes(&BYTES).unwrap().to_bytes(), *BYTES, "written alike again");
        assert!(Matcher::from_bytes(&Matcher::default().to_bytes()).is_ok());
    }

    /// Bytes of the kinds that lengths and indices are broken by.
    fn number() -> impl Strategy<Value = Vec<u8>> {
        prop_oneof![
            any::<u8>().prop_map(|byte| vec![byte]),
            (0_u32..80).prop_map(|number| number.to_le_bytes().to_vec()),
            any::<u32>().prop_map(|number| number.to_le_bytes().to_vec()),
            Just(NEW.to_le_bytes().to_vec()),
        ]
    }

    fn places() -> impl Strategy<Value = Place> {
        prop::sample::select(Place::ALL.to_vec())
    }

    fn texts() -> impl Strategy<Value = String> {
        let words = [
            "i",
            "have",
            "no",
            "lost",
            "my",
            "hated",
            "mate",
            "best",
            "friends",
            "lonely",
            "so",
            "nobody",
            "cares",
            "is",
            "there",
            "always",
            "alone",
            "song",
            "the",
            "film",
            "lyrics",
            "tonight",
            "how to",
            "party",
            "example.org",
            "dont",
            "he",
            "l0nely",
            "n.o.b.o.d.y",
            ". ",
            "\"",
            "é",
        ];
        let words = prop::collection::vec(prop::sample::select(words.to_vec()), 0..30);
        words.prop_map(|words| words.join(" "))
    }
}
