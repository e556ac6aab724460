//! The words that rule packs speak of, and which of them a word of a text is.
//!
//! A lookup costs one hash of the word and one for each length that a `word*` of the packs has,
//! whatever the number of rules. It serves while packs are compiled and where disguises are undone;
//! the words of a text as they stand are looked up in a [`Lexicon`](crate::lexicon::Lexicon) that
//! is made of it.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use crate::language::Language;
use crate::phrase::{Item, Pattern, Phrase};
use crate::phrase_set::PhraseSet;

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
    /// Exact words under their form without doubled letters.
    squeezed: FastMap<Box<str>, Vec<WordId>>,
    longest: usize,
    next: WordId,
    /// The sets of phrases that were compiled with these words, by [`set_key`].
    sets: FastMap<u64, Vec<KnownSet>>,
}

#[derive(Debug)]
struct KnownSet {
    phrases: Vec<Phrase>,
    language: Language,
    set: PhraseSet,
}

impl Vocabulary {
    /// Gives the id of a word, a new one if it has none.
    pub(crate) fn intern(&mut self, pattern: &Pattern) -> WordId {
        let known = if pattern.prefix { &mut self.beginnings } else { &mut self.exact };
        if let Some(id) = known.get(pattern.word.as_str()) {
            return *id;
        }
        let id = self.next;
        self.next += 1;
        self.longest = self.longest.max(pattern.word.len());
        known.insert(pattern.word.as_str().into(), id);
        if pattern.prefix {
            self.beginning_lengths |= 1_u64 << pattern.word.len().min(MAX_WORD_BYTES);
        } else {
            self.squeezed.entry(squeeze(&pattern.word).into()).or_default().push(id);
        }
        id
    }

    /// Gives the set of these phrases, if it was compiled before.
    pub(crate) fn set(&self, phrases: &[Phrase], language: Language) -> Option<PhraseSet> {
        let known = self.sets.get(&set_key(phrases))?;
        let found = known.iter().find(|it| it.language == language && it.phrases == phrases)?;
        Some(found.set.clone())
    }

    /// Remembers the set of these phrases.
    pub(crate) fn keep_set(&mut self, phrases: &[Phrase], language: Language, set: &PhraseSet) {
        let known = KnownSet { phrases: phrases.to_vec(), language, set: set.clone() };
        self.sets.entry(set_key(phrases)).or_default().push(known);
    }

    /// Forgets the sets, once all are compiled.
    pub(crate) fn forget_sets(&mut self) {
        self.sets = FastMap::default();
    }

    /// Says whether this very word stands in a pack.
    pub(crate) fn knows(&self, word: &str) -> bool {
        self.exact.contains_key(word) || self.beginnings.contains_key(word)
    }

    /// Gives the length of the longest word, in bytes.
    pub(crate) fn longest(&self) -> usize {
        self.longest
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
        ids.extend(self.squeezed.get(squeezed.as_str()).into_iter().flatten());
        self.ids(&squeezed, ids);
    }
}

/// Hashes the words of phrases: what tells nearly all sets apart.
fn set_key(phrases: &[Phrase]) -> u64 {
    let mut hash = Fnv::default();
    for item in phrases.iter().flat_map(|phrase| &phrase.items) {
        if let Item::Choice { alternatives, .. } = item {
            alternatives.iter().flatten().for_each(|pattern| hash.write(pattern.word.as_bytes()));
        }
        hash.write_u8(0);
    }
    hash.finish()
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
        Pattern { word: word.to_owned(), prefix }
    }
}
