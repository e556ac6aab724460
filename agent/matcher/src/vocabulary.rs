//! The words that rule packs speak of, and which of them a word of a text is.
//!
//! A lookup costs one hash of the word and one for each length that a `word*` of the packs has,
//! whatever the number of rules. It serves while packs are compiled and where disguises are undone;
//! the words of a text as they stand are looked up in a [`Lexicon`](crate::lexicon::Lexicon) that
//! is made of it.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;

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
    exact: FastMap<Box<str>, WordId>,
    beginnings: FastMap<Box<str>, WordId>,
    /// Bit n is set if some beginning is n bytes long.
    beginning_lengths: u64,
    /// Exact words with doubled letters, under their form without.
    squeezed: FastMap<Box<str>, Vec<WordId>>,
    longest: usize,
    next: WordId,
    shared: Shared,
}

impl Vocabulary {
    /// Gives the id of a word, a new one if it has none.
    pub(crate) fn intern(&mut self, pattern: &Pattern) -> WordId {
        self.intern_word(&pattern.word, pattern.prefix)
    }

    fn intern_word(&mut self, word: &str, prefix: bool) -> WordId {
        let known = if prefix { &mut self.beginnings } else { &mut self.exact };
        if let Some(id) = known.get(word) {
            return *id;
        }
        let id = self.next;
        self.next += 1;
        self.longest = self.longest.max(word.len());
        known.insert(word.into(), id);
        if prefix {
            self.beginning_lengths |= 1_u64 << word.len().min(MAX_WORD_BYTES);
        } else {
            let squeezed = squeeze(word);
            if squeezed != word {
                self.squeezed.entry(squeezed.into()).or_default().push(id);
            }
        }
        id
    }

    /// Writes the words in the order of their ids.
    pub(crate) fn write(&self, out: &mut Writer) {
        let exact = self.exact.iter().map(|(word, id)| (*id, false, word));
        let beginnings = self.beginnings.iter().map(|(word, id)| (*id, true, word));
        let mut words: Vec<_> = exact.chain(beginnings).collect();
        words.sort_unstable();
        out.list(&words, |out, (_, prefix, word)| {
            out.byte((*prefix).into());
            out.text(word);
        });
    }

    pub(crate) fn read(from: &mut Reader<'_>) -> Result<Self, Unreadable> {
        let mut this = Self::default();
        let mut words = 0;
        from.list(|from| {
            let (prefix, word) = (from.flag()?, from.text()?);
            // A beginning that is longer than its length can be told is found nowhere.
            ensure(!prefix || word.len() <= MAX_WORD_BYTES)?;
            ensure(!word.is_empty() && this.intern_word(word, prefix) == words)?;
            words += 1;
            Ok(())
        })?;
        from.set_words(words as usize)?;
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

    /// Forgets what is shared, once all is compiled.
    pub(crate) fn forget_shared(&mut self) {
        self.shared = Shared::default();
    }

    /// Says whether this very word stands in a pack.
    pub(crate) fn knows(&self, word: &str) -> bool {
        self.exact.contains_key(word) || self.beginnings.contains_key(word)
    }

    /// Gives the length of the longest word, in bytes.
    pub(crate) fn longest(&self) -> usize {
        self.longest
    }

    /// Gives every word, and whether it is only the beginning of one.
    pub(crate) fn words(&self) -> impl Iterator<Item = (&str, bool)> {
        let exact = self.exact_words().map(|word| (word, false));
        exact.chain(self.beginnings().map(|word| (word, true)))
    }

    /// Gives the words that stand in packs without a star.
    pub(crate) fn exact_words(&self) -> impl Iterator<Item = &str> {
        self.exact.keys().map(AsRef::as_ref)
    }

    /// Gives the words that stand in packs with a star.
    pub(crate) fn beginnings(&self) -> impl Iterator<Item = &str> {
        self.beginnings.keys().map(AsRef::as_ref)
    }

    /// Appends the ids of a word of a text.
    pub(crate) fn ids(&self, word: &str, ids: &mut Vec<WordId>) {
        ids.extend(self.exact.get(word));
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
                ids.extend(self.beginnings.get(beginning));
            }
        }
    }

    /// Appends the ids of a word whose letters were stretched ("killlll").
    pub(crate) fn stretched_ids(&self, word: &str, ids: &mut Vec<WordId>) {
        let squeezed = squeeze(word);
        ids.extend(self.exact.get(squeezed.as_str()));
        ids.extend(self.squeezed.get(squeezed.as_str()).into_iter().flatten());
        self.ids(&squeezed, ids);
    }
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
