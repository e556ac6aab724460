//! The packs' words in order, so that a word can be read letter by letter where a letter may stand
//! for several: every reading that begins no word is dropped at once.

use crate::vocabulary::Vocabulary;

/// The words of the packs, sorted.
#[derive(Debug, Default)]
pub(crate) struct WordList {
    words: Vec<Entry>,
}

#[derive(Debug)]
struct Entry {
    word: Box<str>,
    /// Whether longer words that begin so count too.
    beginning: bool,
}

/// The words that begin with the letters read so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Reach {
    from: usize,
    to: usize,
    length: usize,
}

impl WordList {
    /// Takes the words of a vocabulary that is complete.
    pub(super) fn of(vocabulary: &Vocabulary) -> Self {
        let mut words: Vec<Entry> = vocabulary
            .words()
            .map(|(word, beginning)| Entry { word: word.into(), beginning })
            .collect();
        words.sort_unstable_by(|a, b| (&a.word, a.beginning).cmp(&(&b.word, b.beginning)));
        words.dedup_by(|later, earlier| {
            let same = later.word == earlier.word;
            earlier.beginning |= same && later.beginning;
            same
        });
        Self { words }
    }

    /// Begins to read.
    pub(super) fn start(&self) -> Reach {
        Reach { from: 0, to: self.words.len(), length: 0 }
    }

    /// Reads one letter more; nothing if no word goes on so.
    pub(super) fn step(&self, reach: Reach, letter: char) -> Option<Reach> {
        let mut encoded = [0; 4];
        let letter = letter.encode_utf8(&mut encoded).as_bytes();
        let among = self.words.get(reach.from..reach.to)?;
        let here = |entry: &Entry| {
            let bytes = entry.word.as_bytes();
            let end = bytes.len().min(reach.length + letter.len());
            bytes.get(reach.length..end).unwrap_or_default().cmp(letter)
        };
        let before = among.partition_point(|entry| here(entry).is_lt());
        let after = among.partition_point(|entry| here(entry).is_le());
        (before < after).then(|| Reach {
            from: reach.from + before,
            to: reach.from + after,
            length: reach.length + letter.len(),
        })
    }

    /// Says whether what was read is a word, or a beginning, of the packs.
    pub(super) fn is_word(&self, reach: Reach) -> bool {
        self.entry(reach).is_some()
    }

    /// Says whether what was read is a beginning after which any letters may follow.
    pub(super) fn is_beginning(&self, reach: Reach) -> bool {
        self.entry(reach).is_some_and(|entry| entry.beginning)
    }

    /// Gives the letters with which the words go on.
    pub(super) fn letters(&self, reach: Reach) -> impl Iterator<Item = char> {
        let among = self.words.get(reach.from..reach.to).unwrap_or_default();
        let mut last = None;
        among.iter().filter_map(move |entry| {
            let next = entry.word.get(reach.length..)?.chars().next();
            let new = next != last;
            last = next;
            next.filter(|_| new)
        })
    }

    fn entry(&self, reach: Reach) -> Option<&Entry> {
        // The shortest word comes first.
        self.words.get(reach.from).filter(|entry| entry.word.len() == reach.length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::phrase::Pattern;

    #[test]
    fn words_are_read_letter_by_letter() {
        let word_list =
            word_list(&[("kill", false), ("kills", false), ("kil", true), ("éa", false)]);
        let read = |text: &str| {
            text.chars().try_fold(word_list.start(), |reach, letter| word_list.step(reach, letter))
        };
        for (text, word, beginning) in [
            ("kil", true, true),
            ("kill", true, false),
            ("kills", true, false),
            ("ki", false, false),
            ("éa", true, false),
        ] {
            let reach = read(text).unwrap();
            assert_eq!(
                (word_list.is_word(reach), word_list.is_beginning(reach)),
                (word, beginning)
            );
        }
        assert_eq!(read("kx"), None);
        assert_eq!(read("killss"), None);
        assert_eq!(word_list.letters(word_list.start()).collect::<String>(), "ké");
        assert_eq!(word_list.letters(read("kill").unwrap()).collect::<String>(), "s");
    }

    fn word_list(words: &[(&str, bool)]) -> WordList {
        let mut vocabulary = Vocabulary::default();
        for (word, prefix) in words {
            vocabulary.intern(&Pattern { word: (*word).into(), prefix: *prefix });
        }
        WordList::of(&vocabulary)
    }
}
