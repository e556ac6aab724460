//! The packs' words in order, so that a word can be read letter by letter where a letter may stand
//! for several: every reading that begins no word is dropped at once.

use crate::vocabulary::Vocabulary;

/// The words of the packs, sorted.
#[derive(Debug, Default)]
pub(crate) struct WordList {
    /// All words, one behind the other.
    texts: String,
    words: Box<[Entry]>,
    /// Where the words begin that begin with each ASCII letter; one more for the end.
    first_letters: Box<[u32]>,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    /// Where its text ends.
    end: u32,
    /// Whether longer words that begin so count too.
    beginning: bool,
}

/// The words that begin with the letters read so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Reach {
    from: u32,
    to: u32,
    length: u32,
}

impl Reach {
    /// Says whether no letter was read yet.
    pub(super) fn is_empty(self) -> bool {
        self.length == 0
    }
}

impl WordList {
    /// Takes the words of a vocabulary that is complete.
    pub(super) fn of(vocabulary: &Vocabulary) -> Self {
        let mut words: Vec<(&str, bool)> = vocabulary.words().collect();
        words.sort_unstable();
        words.dedup_by(|later, earlier| {
            let same = later.0 == earlier.0;
            earlier.1 |= same && later.1;
            same
        });
        let mut texts = String::with_capacity(words.iter().map(|(word, _)| word.len()).sum());
        let first = |letter: u8| words.partition_point(|(word, _)| word.as_bytes() < &[letter][..]);
        let first_letters = (b'a'..=b'z' + 1).map(|letter| number(first(letter))).collect();
        let entries = words.iter().map(|(word, beginning)| {
            texts.push_str(word);
            Entry { end: number(texts.len()), beginning: *beginning }
        });
        let words = entries.collect();
        Self { texts, words, first_letters }
    }

    /// Begins to read.
    pub(super) fn start(&self) -> Reach {
        Reach { from: 0, to: number(self.words.len()), length: 0 }
    }

    /// Reads one letter more; nothing if no word goes on so.
    pub(super) fn step(&self, reach: Reach, letter: char) -> Option<Reach> {
        let mut encoded = [0; 4];
        let letter = letter.encode_utf8(&mut encoded).as_bytes();
        let length = reach.length + number(letter.len());
        if let (0, [letter @ b'a'..=b'z']) = (reach.length, letter) {
            let bounds = self.first_letters.get(usize::from(letter - b'a')..)?;
            let (from, to) = (*bounds.first()?, *bounds.get(1)?);
            return (from < to).then_some(Reach { from, to, length });
        }
        let here = |at: u32| {
            let word = self.word(at as usize).as_bytes();
            let end = word.len().min(length as usize);
            word.get(reach.length as usize..end).unwrap_or_default()
        };
        let from = partition(reach.from, reach.to, |at| here(at) < letter);
        let to = partition(from, reach.to, |at| here(at) <= letter);
        (from < to).then_some(Reach { from, to, length })
    }

    /// Says whether what was read is a word, or a beginning, of the packs.
    pub(super) fn is_word(&self, reach: Reach) -> bool {
        self.entry(reach).is_some()
    }

    /// Says whether what was read is a beginning after which any letters may follow.
    pub(super) fn is_beginning(&self, reach: Reach) -> bool {
        self.entry(reach).is_some_and(|entry| entry.beginning)
    }

    /// Gives what was read.
    pub(super) fn text(&self, reach: Reach) -> &str {
        self.word(reach.from as usize).get(..reach.length as usize).unwrap_or_default()
    }

    /// Gives the letters with which the words go on.
    pub(super) fn letters(&self, reach: Reach) -> impl Iterator<Item = char> {
        let mut last = None;
        (reach.from..reach.to).filter_map(move |at| {
            let next = self.word(at as usize).get(reach.length as usize..)?.chars().next();
            let new = next != last;
            last = next;
            next.filter(|_| new)
        })
    }

    fn entry(&self, reach: Reach) -> Option<&Entry> {
        // The shortest word comes first.
        let first = reach.from as usize;
        self.words.get(first).filter(|_| self.word(first).len() == reach.length as usize)
    }

    fn word(&self, at: usize) -> &str {
        let start = at.checked_sub(1).and_then(|before| self.words.get(before));
        let end = self.words.get(at).map_or(0, |entry| entry.end as usize);
        self.texts.get(start.map_or(0, |entry| entry.end as usize)..end).unwrap_or_default()
    }
}

/// Gives the first number of a range of which something that holds of those before does not hold.
fn partition(mut from: u32, mut to: u32, holds: impl Fn(u32) -> bool) -> u32 {
    while from < to {
        let middle = from + (to - from) / 2;
        if holds(middle) {
            from = middle + 1;
        } else {
            to = middle;
        }
    }
    from
}

/// The bounds of packs keep every count far below.
fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
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
