//! Ordinary English words, which are no misspelling of another word ("diet" is not "die", "skill"
//! is not "kill") and where words end when all letters stand apart.
//!
//! The lists hold one word a line, sorted by bytes, in lower case without apostrophes. They are
//! taken from SCOWL (wordlist.aspell.net, Debian's package `scowl`), British and American:
//! `common.txt` is its size 10, `ordinary.txt` its size 35, `names.txt` proper names up to size 50
//! and rarer words up to size 70 that lie one slip from a word of the shipped packs. Their licence
//! stands in `words.licence.txt`. `modern.txt` is ours: what pupils write and SCOWL is too old for.
//!
//! Whether a word is among them is asked of every word that a pupil writes: a table of some 480 KiB
//! answers, made once for a process when somebody first asks. Beginnings are asked for seldom: they
//! are searched by halves in the list as it lies.

use std::sync::LazyLock;

use crate::key::Key;

const COMMON: &str = include_str!("common.txt");
const ORDINARY: &str = include_str!("ordinary.txt");
const NAMES: &str = include_str!("names.txt");
const MODERN: &str = include_str!("modern.txt");

/// What every second message holds, and SCOWL has with an apostrophe, or not at all.
const CHATTED: &str = "\
arent
cant
couldnt
didnt
doesnt
dont
everyones
gonna
gotta
hadnt
hasnt
havent
hes
idk
im
isnt
ive
kinda
lets
lol
omg
shes
shouldnt
someones
thats
theres
theyre
theyve
u
ur
wanna
wasnt
werent
weve
whats
whos
wont
wouldnt
youre
youve
";

/// The lists, each with what its words are.
const LISTS: [(&str, u8); 5] =
    [(ORDINARY, EVERYDAY), (MODERN, EVERYDAY), (NAMES, NAME), (COMMON, OFTEN), (CHATTED, OFTEN)];
const EVERYDAY: u8 = 1;
const NAME: u8 = 1 << 1;
const OFTEN: u8 = 1 << 2;

/// What kind of word this is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Kind(u8);

impl Kind {
    /// Says whether it is an ordinary word or a name.
    pub(super) const fn is_ordinary(self) -> bool {
        self.0 & (EVERYDAY | NAME) != 0
    }

    /// Says whether it is an ordinary word that most people write.
    pub(super) const fn is_everyday(self) -> bool {
        self.0 & EVERYDAY != 0
    }

    /// Says whether every second sentence holds such a word.
    pub(super) const fn is_common(self) -> bool {
        self.0 & OFTEN != 0
    }
}

/// Gives what kind of word this is.
pub(super) fn kind(word: &str) -> Kind {
    TABLE.kind(word)
}

/// Says whether this is an ordinary word or a name.
pub(super) fn is_ordinary(word: &str) -> bool {
    kind(word).is_ordinary()
}

/// Says whether this is an ordinary word that most people write.
pub(super) fn is_everyday(word: &str) -> bool {
    kind(word).is_everyday()
}

/// Says whether every second sentence holds such a word.
pub(super) fn is_common(word: &str) -> bool {
    kind(word).is_common()
}

static TABLE: LazyLock<Table> = LazyLock::new(Table::of_all);

/// The words of all lists by their hash. A word stands once for each list that has it.
struct Table {
    /// Where the words of each bucket begin; one more for the end.
    starts: Box<[u16]>,
    entries: Box<[Entry]>,
}

/// A word of a list.
#[derive(Debug, Clone, Copy, Default)]
struct Entry {
    /// The number of the list in the lowest bits, above them where in it the word begins.
    place: u32,
    /// A part of its hash that tells most words of a bucket apart.
    tag: u8,
}

/// How many bits of a word's hash number its bucket: three words share one.
const BUCKET_BITS: u32 = 14;
/// How many bits number a list.
const LIST_BITS: u32 = 3;

impl Table {
    fn of_all() -> Self {
        let mut words: Vec<(usize, Entry)> = Vec::new();
        for (number, (list, _)) in (0_u32..).zip(LISTS) {
            let mut start = 0;
            for word in list.lines() {
                let (bucket, tag) = hash(word);
                words.push((bucket, Entry { place: start << LIST_BITS | number, tag }));
                start += u32::try_from(word.len() + 1).unwrap_or(u32::MAX);
            }
        }
        words.sort_by_key(|(bucket, _)| *bucket);
        let mut starts = vec![0; (1 << BUCKET_BITS) + 1];
        for (bucket, _) in &words {
            if let Some(end) = starts.get_mut(bucket + 1) {
                *end += 1;
            }
        }
        let mut before = 0_u16;
        for start in &mut starts {
            before += *start;
            *start = before;
        }
        let entries = words.into_iter().map(|(_, entry)| entry).collect();
        Self { starts: starts.into(), entries }
    }

    fn kind(&self, word: &str) -> Kind {
        let (bucket, tag) = hash(word);
        let bounds = self.starts.get(bucket).zip(self.starts.get(bucket + 1));
        let sharing = bounds
            .and_then(|(start, end)| self.entries.get(usize::from(*start)..usize::from(*end)))
            .unwrap_or_default();
        let kinds = sharing.iter().filter(|entry| entry.tag == tag).filter_map(|entry| {
            let (list, kind) = LISTS.get((entry.place & ((1 << LIST_BITS) - 1)) as usize)?;
            let rest = list.as_bytes().get((entry.place >> LIST_BITS) as usize..)?;
            // A line ends behind it, so that no longer word is taken for it.
            let same = rest.starts_with(word.as_bytes()) && rest.get(word.len()) == Some(&b'\n');
            same.then_some(*kind)
        });
        Kind(kinds.fold(0, |kinds, kind| kinds | kind))
    }
}

/// Gives a word's bucket and tag.
fn hash(word: &str) -> (usize, u8) {
    // One more round, as words of up to eight letters differ in their lowest bits only.
    let mixed = Key::of_folded(word.as_bytes()).hash();
    let mixed = (mixed ^ mixed >> 32).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let [tag, ..] = mixed.to_le_bytes();
    (usize::try_from(mixed >> (64 - BUCKET_BITS)).unwrap_or_default(), tag)
}

/// What ordinary words there are under some letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    /// The letters are a word.
    Word,
    /// Longer words begin so.
    Beginning,
    /// No word begins so.
    Nothing,
}

/// Looks letters up among the ordinary words that are no names.
pub(super) fn look_up(letters: &str) -> Found {
    match from(ORDINARY, letters).next() {
        Some(word) if word == letters => Found::Word,
        Some(word) if word.starts_with(letters) => Found::Beginning,
        _ => Found::Nothing,
    }
}

/// Gives the ordinary words that begin so.
pub(super) fn beginning_with(letters: &str) -> impl Iterator<Item = &'static str> {
    from(ORDINARY, letters).take_while(move |word| word.starts_with(letters))
}

/// Gives the words of a list from this one on, or from where it would stand, found by halves.
fn from(list: &'static str, word: &str) -> impl Iterator<Item = &'static str> + use<> {
    let bytes = list.as_bytes();
    let line_start = |at: usize| {
        let before = bytes.get(..at).unwrap_or_default();
        before.iter().rposition(|byte| *byte == b'\n').map_or(0, |newline| newline + 1)
    };
    // Lines that begin before `low` are lesser, those that begin at `high` or later are not.
    let (mut low, mut high) = (0, bytes.len());
    while low < high {
        let start = line_start(low + (high - low) / 2);
        let line = lines_from(list, start).next().unwrap_or_default();
        if line.as_bytes() < word.as_bytes() {
            low = start + line.len() + 1;
        } else {
            high = start;
        }
    }
    lines_from(list, low)
}

fn lines_from(list: &'static str, start: usize) -> impl Iterator<Item = &'static str> {
    list.get(start..).unwrap_or_default().split('\n').filter(|line| !line.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_found_and_what_is_none_is_not() {
        for (list, known) in LISTS {
            let mut last = "";
            assert!(list.ends_with('\n'));
            for word in list.lines() {
                assert!(last < word, "{word} is out of order");
                assert!(word.bytes().all(|byte| byte.is_ascii_lowercase()), "{word}");
                assert_eq!(kind(word).0 & known, known, "{word}");
                assert_eq!(kind(&format!("{word}qq")).0, 0, "{word}");
                last = word;
            }
        }
        assert!(COMMON.lines().all(is_ordinary));
        for word in ["", "sucide", "mysefl", "zzzzz", "aaaaa", "kil"] {
            assert!(!is_ordinary(word), "{word}");
        }
        assert_eq!(look_up("schoo"), Found::Beginning);
        assert_eq!(look_up("xqz"), Found::Nothing);
        assert!(beginning_with("suicid").any(|word| word == "suicidal"));
        assert!(beginning_with("suicid").all(|word| word.starts_with("suicid")));
    }
}
