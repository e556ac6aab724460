//! The vocabulary of compiled packs, laid out for looking words of a text up.
//!
//! Of a text's words few wake a phrase. Two small bit fields, which stay in the fastest memory, tell
//! nearly all others apart by one hash and one look each. What passes, and what stands beside a
//! word that wakes, is looked up: one probe of a table for the word itself, and one for the
//! beginnings (`word*`) that share its first three bytes. Every word comes out with the number of
//! a set of ids that was put together when the packs were compiled.

use std::collections::BTreeMap;

use crate::key::Key;
use crate::vocabulary::{Vocabulary, WordId};

/// Words of 64 bits in a field of bits; 8 KiB.
const FIELD: usize = 1024;
/// Bytes of a beginning that its bit stands for.
const STEM: usize = 4;
/// The number of a set of ids.
pub(crate) type SetId = u32;
/// The set of a word that no pack speaks of.
pub(crate) const NOTHING: SetId = 0;

/// Finds the ids of a text's words.
#[derive(Debug)]
pub(crate) struct Lexicon {
    waking: [Waking; 2],
    /// One more than the index of an entry, 0 if free; a power of two in length, at most half full.
    slots: Box<[u32]>,
    entries: Box<[Entry]>,
    /// By [`stem_index`], where the stems begin that share it; one more for the end.
    stem_starts: Box<[u16]>,
    /// The longest first among those that share an index.
    stems: Box<[Entry]>,
    sets: Sets,
    texts: String,
}

/// For what a text is read: a page wakes only the phrases of rules that look at pages, which are few.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Every phrase.
    All,
    /// The phrases of rules that look at pages.
    Pages,
}

impl Purpose {
    const BOTH: [Self; 2] = [Self::All, Self::Pages];

    const fn bit(self) -> u32 {
        1 << self as u32
    }
}

/// The words that wake a phrase, as bits.
#[derive(Debug)]
struct Waking {
    words: Box<[u64; FIELD]>,
    stems: Box<[u64; FIELD]>,
}

/// A word, or beginning of one, of the packs.
#[derive(Debug, Clone)]
struct Entry {
    key: Key,
    /// Where its text begins in [`Lexicon::texts`].
    text: u32,
    set: SetId,
}

/// Sets of ids, by their numbers.
#[derive(Debug)]
struct Sets {
    /// Four times the place where each ends among the ids, and the bits of the purposes for which a
    /// phrase hangs on one of them.
    ends: Vec<u32>,
    signatures: Vec<u64>,
    ids: Vec<WordId>,
}

/// Ids as a few bits, so that most sets that share none are told apart at once.
pub(crate) fn signature(ids: &[WordId]) -> u64 {
    ids.iter().fold(0, |bits, id| bits | 1 << (id.wrapping_mul(0x9e37_79b1) >> 26))
}

impl Default for Lexicon {
    fn default() -> Self {
        Self::of(&Vocabulary::default(), |_, _| false)
    }
}

impl Lexicon {
    /// Lays a vocabulary out; `wakes` tells on which ids a phrase hangs, for each purpose.
    pub(crate) fn of(vocabulary: &Vocabulary, wakes: impl Fn(WordId, Purpose) -> bool) -> Self {
        let words = vocabulary.words().len();
        let mut sets = Sets::for_so_many(words);
        let mut texts = String::new();
        let mut entry = |word: &str, ids: &[WordId]| {
            let text = number(texts.len());
            texts.push_str(word);
            Entry { key: Key::of_folded(word.as_bytes()), text, set: sets.add(ids, &wakes) }
        };
        let mut ids = Vec::new();
        let mut entries = Vec::with_capacity(words);
        for word in vocabulary.exact_words() {
            ids.clear();
            vocabulary.ids(word, &mut ids);
            entries.push(entry(word, &ids));
        }
        let mut by_index: BTreeMap<usize, Vec<Entry>> = BTreeMap::new();
        for word in vocabulary.beginnings() {
            ids.clear();
            vocabulary.beginning_ids(word, &mut ids);
            let entry = entry(word, &ids);
            by_index.entry(stem_index(&entry.key)).or_default().push(entry);
        }
        let mut this = Self {
            waking: Purpose::BOTH
                .map(|_| Waking { words: Box::new([0; FIELD]), stems: Box::new([0; FIELD]) }),
            slots: vec![0; (entries.len() * 2).next_power_of_two().max(2)].into(),
            entries: entries.into(),
            stem_starts: Box::default(),
            stems: Box::default(),
            sets,
            texts,
        };
        this.sets.ids.shrink_to_fit();
        this.lay_stems(by_index);
        this.lay_words();
        this
    }

    fn lay_words(&mut self) {
        let mask = self.slots.len() - 1;
        for (index, entry) in self.entries.iter().enumerate() {
            let hash = entry.key.hash();
            let free = (0..self.slots.len())
                .map(|step| (slot(hash) + step) & mask)
                .find(|slot| self.slots.get(*slot) == Some(&0));
            if let Some(slot) = free.and_then(|free| self.slots.get_mut(free)) {
                *slot = number(index + 1);
            }
            for (purpose, waking) in Purpose::BOTH.into_iter().zip(&mut self.waking) {
                if self.sets.wakes(entry.set, purpose) {
                    mark(&mut waking.words, word_bit(&entry.key));
                }
            }
        }
    }

    fn lay_stems(&mut self, by_index: BTreeMap<usize, Vec<Entry>>) {
        let mut starts = vec![0; STEM_INDICES + 1];
        let mut stems: Vec<Entry> = Vec::new();
        for (index, mut sharing) in by_index {
            sharing.sort_by_key(|entry| std::cmp::Reverse(entry.key.length));
            for entry in &sharing {
                for (purpose, waking) in Purpose::BOTH.into_iter().zip(&mut self.waking) {
                    if self.sets.wakes(entry.set, purpose) {
                        for first in four_bytes(&entry.key) {
                            mark(&mut waking.stems, stem_bit(first));
                        }
                    }
                }
            }
            stems.append(&mut sharing);
            // The packs' bounds keep far below this; what is beyond would only not be found.
            if let Some(end) = starts.get_mut(index + 1) {
                *end = u16::try_from(stems.len()).unwrap_or(u16::MAX);
            }
        }
        let mut last = 0;
        for start in &mut starts {
            last = last.max(*start);
            *start = last;
        }
        self.stem_starts = starts.into();
        self.stems = stems.into();
    }

    /// Says whether a plain ASCII word may wake a phrase; never wrongly no.
    #[inline]
    pub(crate) fn may_wake(&self, key: &Key, purpose: Purpose) -> bool {
        let (word, stem) = (word_bit(key), stem_bit(key.first));
        let [all, pages] = &self.waking;
        let waking = if purpose == Purpose::All { all } else { pages };
        let words = waking.words[word / 64 % FIELD] >> (word % 64);
        let stems = waking.stems[stem / 64 % FIELD] >> (stem % 64);
        (words | stems) & 1 != 0
    }

    /// Gives the set of a word; `word` is its text in any ASCII case, of which `key` was made.
    pub(crate) fn set_of(&self, key: &Key, word: &[u8]) -> SetId {
        let mask = self.slots.len() - 1;
        let mut at = slot(key.hash()) & mask;
        while let Some(entry) =
            self.slots.get(at).and_then(|slot| self.entries.get((*slot as usize).wrapping_sub(1)))
        {
            if entry.key == *key
                && (key.length <= Key::WHOLE || word.eq_ignore_ascii_case(self.text(entry)))
            {
                return entry.set;
            }
            at = (at + 1) & mask;
        }
        self.set_of_beginning(key, word)
    }

    fn set_of_beginning(&self, key: &Key, word: &[u8]) -> SetId {
        let index = stem_index(key);
        let bounds = self.stem_starts.get(index).zip(self.stem_starts.get(index + 1));
        let sharing = bounds
            .and_then(|(start, end)| self.stems.get(usize::from(*start)..usize::from(*end)))
            .unwrap_or_default();
        let found = sharing.iter().find(|stem| {
            key.may_begin_with(&stem.key)
                && (stem.key.length <= 8
                    || word
                        .get(..stem.key.length)
                        .is_some_and(|it| it.eq_ignore_ascii_case(self.text(stem))))
        });
        found.map_or(NOTHING, |stem| stem.set)
    }

    /// Gives the ids of a set, the word's own before those of its beginnings.
    pub(crate) fn ids(&self, set: SetId) -> &[WordId] {
        self.sets.ids(set)
    }

    /// Gives the [`signature`] of a set's ids.
    pub(crate) fn signature(&self, set: SetId) -> u64 {
        self.sets.signatures.get(set as usize).copied().unwrap_or_default()
    }

    /// Says whether a phrase hangs on one of a set's ids.
    pub(crate) fn wakes(&self, set: SetId, purpose: Purpose) -> bool {
        self.sets.wakes(set, purpose)
    }

    fn text(&self, entry: &Entry) -> &[u8] {
        let start = entry.text as usize;
        self.texts.as_bytes().get(start..start + entry.key.length).unwrap_or_default()
    }
}

impl Sets {
    /// Makes room, and the set of nothing.
    fn for_so_many(sets: usize) -> Self {
        let (mut ends, mut signatures) =
            (Vec::with_capacity(sets + 1), Vec::with_capacity(sets + 1));
        ends.push(0);
        signatures.push(0);
        Self { ends, signatures, ids: Vec::with_capacity(sets) }
    }

    fn add(&mut self, ids: &[WordId], wakes: &impl Fn(WordId, Purpose) -> bool) -> SetId {
        self.ids.extend_from_slice(ids);
        let waken = |purpose: &Purpose| ids.iter().any(|id| wakes(*id, *purpose));
        let bits: u32 = Purpose::BOTH.into_iter().filter(waken).map(Purpose::bit).sum();
        self.ends.push(number(self.ids.len()) << 2 | bits);
        self.signatures.push(signature(ids));
        number(self.ends.len() - 1)
    }

    #[inline]
    fn ids(&self, set: SetId) -> &[WordId] {
        let set = set as usize;
        let bounds = set.checked_sub(1).and_then(|before| self.ends.get(before..=set));
        let Some([start, end]) = bounds else { return &[] };
        self.ids.get((start >> 2) as usize..(end >> 2) as usize).unwrap_or_default()
    }

    #[inline]
    fn wakes(&self, set: SetId, purpose: Purpose) -> bool {
        self.ends.get(set as usize).is_some_and(|end| end & purpose.bit() != 0)
    }
}

/// How many values [`stem_index`] has.
const STEM_INDICES: usize = 1 << 15;

/// Five bits of each of the first three bytes: what tells lower-case letters apart. Beginnings
/// have three letters at least.
fn stem_index(key: &Key) -> usize {
    let [first, second, third, ..] = key.first.to_le_bytes().map(|byte| usize::from(byte & 31));
    first << 10 | second << 5 | third
}

/// Gives the first four bytes of plain ASCII words that begin so.
fn four_bytes(stem: &Key) -> Vec<u64> {
    if stem.length >= STEM {
        return vec![stem.first];
    }
    let next = [0].into_iter().chain(b'0'..=b'9').chain(b'a'..=b'z');
    next.map(|byte| stem.first | u64::from(byte) << (8 * stem.length)).collect()
}

#[inline]
fn word_bit(key: &Key) -> usize {
    (key.hash() >> 48) as usize
}

#[inline]
fn stem_bit(first: u64) -> usize {
    let four = first & (u64::MAX >> (64 - 8 * STEM));
    (four.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 48) as usize
}

fn slot(hash: u64) -> usize {
    (hash >> 32) as usize
}

fn mark(field: &mut [u64; FIELD], bit: usize) {
    field[bit / 64 % FIELD] |= 1 << (bit % 64);
}

/// The bounds of packs keep every count far below.
fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::phrase::Pattern;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_word_has_the_ids_that_the_vocabulary_gives_it(
            words in prop::collection::vec(("[a-cé]{1,4}|[ab]{7,20}", any::<bool>()), 0..40),
            text in prop::collection::vec("[a-cé]{1,6}|[ab]{6,24}", 1..40),
        ) {
            let mut vocabulary = Vocabulary::default();
            for (word, prefix) in words {
                let prefix = prefix && word.chars().count() >= 3;
                vocabulary.intern(&Pattern { word: word.into(), prefix });
            }
            let wakes = |id: WordId, purpose| id.is_multiple_of(if purpose == Purpose::All { 3 } else { 6 });
            let lexicon = Lexicon::of(&vocabulary, wakes);
            for word in text {
                let mut expected = Vec::new();
                vocabulary.ids(&word, &mut expected);
                let key = Key::of_folded(word.as_bytes());
                let set = lexicon.set_of(&key, word.as_bytes());
                prop_assert_eq!(lexicon.ids(set), &expected, "{}", word);
                for purpose in Purpose::BOTH {
                    let wakes = expected.iter().any(|id| wakes(*id, purpose));
                    prop_assert_eq!(lexicon.wakes(set, purpose), wakes, "{}", word);
                    let may = lexicon.may_wake(&key, purpose);
                    prop_assert!(may || !wakes || !word.is_ascii(), "{}", word);
                }
                prop_assert_eq!(lexicon.signature(set), signature(&expected));
            }
        }
    }
}
