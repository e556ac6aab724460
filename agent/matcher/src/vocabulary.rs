//! The words that rule packs speak of, and which of them a word of a text is.
//!
//! A lookup costs one hash of the word and one for each length that a `word*` of the packs has,
//! whatever the number of rules. It serves while packs are compiled and where disguises are undone;
//! the words of a text as they stand are looked up in a [`Lexicon`](crate::lexicon::Lexicon) that
//! is made of it.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;

use crate::key::Key;
use crate::language::Language;
use crate::phrase::{Alternatives, Pattern};
use crate::phrase_set::PhraseSet;
use crate::sharing::{Choice, Shared};
use crate::stored::{Reader, Unreadable, Writer, ensure};

/// A word (or beginning of a word) of the packs.
pub(crate) type WordId = u32;

/// A map under FNV-1a: its keys are the packs' own words, so that nobody can make them collide,
/// and it hashes short words several times faster than the standard hasher.
pub(crate) type FastMap<K, V> = HashMap<K, V, BuildHasherDefault<Fnv>>;

/// Beginnings are looked up by length in bytes; longer ones are refused when a pack is read.
pub(crate) const MAX_WORD_BYTES: usize = 63;

/// The words of all packs of a matcher.
#[derive(Debug, Default)]
pub(crate) struct Vocabulary {
    /// The words, one behind the other, in the order of their ids.
    texts: String,
    /// Twice the place where each ends, and one more for the beginning of a word.
    ends: Vec<u32>,
    /// The ids by their words.
    ids: Slots,
    /// The ids of exact words with doubled letters, by their form without.
    squeezed: Slots,
    /// Bit n is set if some beginning is n bytes long.
    beginning_lengths: u64,
    longest: usize,
    shared: Shared,
}

impl Vocabulary {
    /// Gives the id of a word, a new one if it has none.
    pub(crate) fn intern(&mut self, pattern: &Pattern) -> WordId {
        self.intern_word(&pattern.word, pattern.prefix)
    }

    fn intern_word(&mut self, word: &str, prefix: bool) -> WordId {
        if let Some(id) = self.id(word, prefix) {
            return id;
        }
        let id = number(self.ends.len());
        self.longest = self.longest.max(word.len());
        self.texts.push_str(word);
        self.ends.push(number(self.texts.len()) << 1 | u32::from(prefix));
        let Self { texts, ends, ids, squeezed, .. } = self;
        ids.put(id, |id| word_of(texts, ends, id).map_or(0, |(word, prefix)| hash(word, prefix)));
        if prefix {
            self.beginning_lengths |= 1_u64 << word.len().min(MAX_WORD_BYTES);
        } else if is_doubled(word) {
            let word = |id| word_of(texts, ends, id);
            squeezed.put(id, |id| word(id).map_or(0, |(word, _)| hash(&squeeze(word), false)));
        }
        id
    }

    /// Writes the words in the order of their ids.
    pub(crate) fn write(&self, out: &mut Writer) {
        out.text(&self.texts);
        out.numbers(&self.ends);
    }

    pub(crate) fn read(from: &mut Reader<'_>) -> Result<Self, Unreadable> {
        let (texts, ends) = (from.text()?, from.numbers()?);
        let mut this = Self {
            texts: String::with_capacity(texts.len()),
            ends: Vec::with_capacity(ends.len()),
            ids: Slots::for_so_many(ends.len()),
            ..Self::default()
        };
        let mut start = 0;
        for (id, end) in (0..).zip(&ends) {
            let (end, prefix) = ((end >> 1) as usize, end & 1 == 1);
            let word = texts.get(start..end).ok_or(Unreadable::Broken)?;
            // A beginning that is longer than its length can be told is found nowhere.
            ensure(!word.is_empty() && (!prefix || word.len() <= MAX_WORD_BYTES))?;
            ensure(this.intern_word(word, prefix) == id)?;
            start = end;
        }
        ensure(start == texts.len())?;
        from.set_words(ends.len())?;
        Ok(this)
    }

    /// Gives alternatives compiled with these words.
    pub(crate) fn choice(
        &mut self,
        alternatives: &Arc<Alternatives>,
        language: Language,
    ) -> Arc<Choice> {
        let mut shared = std::mem::take(&mut self.shared);
        let choice = shared.choice(alternatives, language, |pattern| self.intern(pattern));
        self.shared = shared;
        choice
    }

    /// Gives the set of phrases that has this key, if it was compiled with these words before.
    pub(crate) fn set(&self, key: &[u32]) -> Option<PhraseSet> {
        self.shared.set(key)
    }

    /// Remembers a set.
    pub(crate) fn keep_set(&mut self, key: Vec<u32>, set: &PhraseSet) {
        self.shared.keep_set(key, set);
    }

    /// Forgets what is shared and gives back what was taken to grow, once all is compiled.
    pub(crate) fn forget_shared(&mut self) {
        self.shared = Shared::default();
        self.texts.shrink_to_fit();
        self.ends.shrink_to_fit();
    }

    /// Says whether this very word stands in a pack.
    pub(crate) fn knows(&self, word: &str) -> bool {
        self.id(word, false).or_else(|| self.id(word, true)).is_some()
    }

    /// Gives the length of the longest word, in bytes.
    pub(crate) fn longest(&self) -> usize {
        self.longest
    }

    /// Gives every word, and whether it is only the beginning of one.
    pub(crate) fn words(&self) -> impl ExactSizeIterator<Item = (&str, bool)> {
        (0..number(self.ends.len())).map(|id| self.word(id).unwrap_or_default())
    }

    /// Gives the words that stand in packs without a star.
    pub(crate) fn exact_words(&self) -> impl Iterator<Item = &str> {
        self.words().filter(|(_, prefix)| !prefix).map(|(word, _)| word)
    }

    /// Gives the words that stand in packs with a star.
    pub(crate) fn beginnings(&self) -> impl Iterator<Item = &str> {
        self.words().filter(|(_, prefix)| *prefix).map(|(word, _)| word)
    }

    /// Appends the ids of a word of a text.
    pub(crate) fn ids(&self, word: &str, ids: &mut Vec<WordId>) {
        ids.extend(self.id(word, false));
        self.beginning_ids(word, ids);
    }

    /// Appends the ids of the beginnings that a word has, the shortest first.
    pub(crate) fn beginning_ids(&self, word: &str, ids: &mut Vec<WordId>) {
        let mut lengths = self.beginning_lengths;
        while lengths != 0 {
            let length = lengths.trailing_zeros() as usize;
            lengths &= lengths - 1;
            if length > word.len() {
                break;
            }
            if let Some(beginning) = word.get(..length) {
                ids.extend(self.id(beginning, true));
            }
        }
    }

    /// Appends the ids of a word whose letters were stretched ("killlll").
    pub(crate) fn stretched_ids(&self, word: &str, ids: &mut Vec<WordId>) {
        let squeezed = squeeze(word);
        ids.extend(self.id(&squeezed, false));
        let alike =
            |id: &WordId| self.word(*id).is_some_and(|(word, _)| squeezes_to(word, &squeezed));
        ids.extend(self.squeezed.under(hash(&squeezed, false)).filter(alike));
        self.ids(&squeezed, ids);
    }

    fn id(&self, word: &str, prefix: bool) -> Option<WordId> {
        self.ids.under(hash(word, prefix)).find(|id| self.word(*id) == Some((word, prefix)))
    }

    fn word(&self, id: WordId) -> Option<(&str, bool)> {
        word_of(&self.texts, &self.ends, id)
    }
}

/// Gives a word of a vocabulary's texts, and whether it is only the beginning of one.
fn word_of<'a>(texts: &'a str, ends: &[u32], id: WordId) -> Option<(&'a str, bool)> {
    let id = id as usize;
    let end = *ends.get(id)?;
    let before = id.checked_sub(1).and_then(|before| ends.get(before));
    let start = before.map_or(0, |end| end >> 1);
    Some((texts.get(start as usize..(end >> 1) as usize)?, end & 1 == 1))
}

/// Ids by hashes of what they stand for: open addressing, at most two thirds full.
#[derive(Debug, Default)]
struct Slots {
    /// One more than an id, 0 if free; a power of two in length, or nothing.
    slots: Box<[u32]>,
    used: usize,
}

impl Slots {
    /// Makes room.
    fn for_so_many(ids: usize) -> Self {
        Self { slots: vec![0; (ids + ids / 2 + 1).next_power_of_two().max(2)].into(), used: 0 }
    }

    /// Adds an id, of which `hash` gives what all are looked up by.
    fn put(&mut self, id: WordId, hash: impl Fn(WordId) -> u64) {
        if (self.used + 1) * 3 > self.slots.len() * 2 {
            // Ids of one hash keep their order.
            let mut known: Vec<WordId> =
                self.slots.iter().filter_map(|it| it.checked_sub(1)).collect();
            known.sort_unstable();
            *self = Self::for_so_many(2 * (self.used + 1));
            known.into_iter().for_each(|id| self.place(id, hash(id)));
        }
        self.place(id, hash(id));
    }

    fn place(&mut self, id: WordId, hash: u64) {
        let free = self.probes(hash).find(|slot| self.slots.get(*slot) == Some(&0));
        if let Some(slot) = free.and_then(|free| self.slots.get_mut(free)) {
            *slot = id + 1;
            self.used += 1;
        }
    }

    /// Gives the ids that were added under a hash in their order, and others among them.
    fn under(&self, hash: u64) -> impl Iterator<Item = WordId> {
        self.probes(hash).map_while(|slot| self.slots.get(slot)?.checked_sub(1))
    }

    /// Gives all slots in the order in which those of a hash are taken.
    fn probes(&self, hash: u64) -> impl Iterator<Item = usize> + use<> {
        let mask = self.slots.len().wrapping_sub(1);
        // The highest bits are the best mixed.
        let first = (hash >> 32) as usize;
        let first = first.unbounded_shr(32_u32.saturating_sub(self.slots.len().trailing_zeros()));
        (0..self.slots.len()).map(move |step| (first + step) & mask)
    }
}

fn hash(word: &str, prefix: bool) -> u64 {
    // Any odd number keeps the two kinds of one word apart.
    let kind = if prefix { 0x5851_f42d_4c95_7f2d } else { 0 };
    Key::of_folded(word.as_bytes()).hash() ^ kind
}

/// The bounds of packs keep every count and length far below.
fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

fn is_doubled(word: &str) -> bool {
    word.chars().zip(word.chars().skip(1)).any(|(left, right)| left == right)
}

/// Says whether a word is this without its doubled letters.
fn squeezes_to(word: &str, squeezed: &str) -> bool {
    let mut last = None;
    let kept = word.chars().filter(|c| last.replace(*c) != Some(*c));
    kept.eq(squeezed.chars())
}

/// Leaves one of each run of a letter.
fn squeeze(word: &str) -> String {
    let mut squeezed = String::with_capacity(word.len());
    let mut last = None;
    for c in word.chars() {
        if last != Some(c) {
            squeezed.push(c);
        }
        last = Some(c);
    }
    squeezed
}

/// FNV-1a, 64 bits (draft-eastlake-fnv).
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fnv(u64);

impl Default for Fnv {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Hasher for Fnv {
    /// Ids are small and each stands once: one multiplication spreads them.
    fn write_u32(&mut self, id: u32) {
        self.0 = (self.0 ^ u64::from(id)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.0 ^= self.0 >> 32;
    }

    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_itself_and_every_beginning() {
        let mut vocabulary = Vocabulary::default();
        let kill = vocabulary.intern(&pattern("kill", false));
        let kill_any = vocabulary.intern(&pattern("kill", true));
        let kil_any = vocabulary.intern(&pattern("kil", true));
        assert_eq!(vocabulary.intern(&pattern("kill", false)), kill, "interned once");
        for (word, expected) in [
            ("kill", vec![kill, kil_any, kill_any]),
            ("killing", vec![kil_any, kill_any]),
            ("kilo", vec![kil_any]),
            ("ki", vec![]),
            ("skill", vec![]),
            ("kilé", vec![kil_any]),
        ] {
            let mut ids = Vec::new();
            vocabulary.ids(word, &mut ids);
            assert_eq!(ids, expected, "{word}");
        }
    }

    #[test]
    fn stretched_words_are_found_by_their_squeezed_form() {
        let mut vocabulary = Vocabulary::default();
        let kill = vocabulary.intern(&pattern("kill", false));
        let suicid = vocabulary.intern(&pattern("suicid", true));
        for (word, expected) in [("killllll", kill), ("kiiiil", kill), ("suiciiidal", suicid)] {
            let mut ids = Vec::new();
            vocabulary.stretched_ids(word, &mut ids);
            assert_eq!(ids, [expected], "{word}");
        }
    }

    fn pattern(word: &str, prefix: bool) -> Pattern {
        Pattern { word: word.into(), prefix }
    }
}
