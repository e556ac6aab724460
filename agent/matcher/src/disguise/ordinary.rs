//! Ordinary English words, which are no misspelling of another word ("diet" is not "die", "skill"
//! is not "kill") and where words end when all letters stand apart.
//!
//! The lists hold one word a line, sorted by bytes, in lower case without apostrophes. They are
//! taken from SCOWL (wordlist.aspell.net, Debian's package `scowl`), British and American:
//! `common.txt` is its size 10, `ordinary.txt` its size 35, `names.txt` proper names up to size 50
//! and rarer words up to size 70 that lie one slip from a word of the shipped packs. Their licence
//! stands in `words.licence.txt`. `modern.txt` is ours: what pupils write and SCOWL is too old for. They are searched as they lie, so that they cost no time when
//! packs are loaded and no memory of their own.

const COMMON: &str = include_str!("common.txt");
const ORDINARY: &str = include_str!("ordinary.txt");
const NAMES: &str = include_str!("names.txt");
const MODERN: &str = include_str!("modern.txt");

/// What every second message holds, and SCOWL has with an apostrophe, or not at all.
const CHATTED: [&str; 40] = [
    "arent",
    "cant",
    "couldnt",
    "didnt",
    "doesnt",
    "dont",
    "everyones",
    "gonna",
    "gotta",
    "hadnt",
    "hasnt",
    "havent",
    "hes",
    "idk",
    "im",
    "isnt",
    "ive",
    "kinda",
    "lets",
    "lol",
    "omg",
    "shes",
    "shouldnt",
    "someones",
    "thats",
    "theres",
    "theyre",
    "theyve",
    "u",
    "ur",
    "wanna",
    "wasnt",
    "werent",
    "weve",
    "whats",
    "whos",
    "wont",
    "wouldnt",
    "youre",
    "youve",
];

/// Says whether this is an ordinary word or a name.
pub(super) fn is_ordinary(word: &str) -> bool {
    [ORDINARY, NAMES, MODERN].iter().any(|list| is_in(list, word))
}

/// Says whether this is an ordinary word that most people write.
pub(super) fn is_everyday(word: &str) -> bool {
    [ORDINARY, MODERN].iter().any(|list| is_in(list, word))
}

/// Says whether every second sentence holds such a word.
pub(super) fn is_common(word: &str) -> bool {
    is_in(COMMON, word) || CHATTED.contains(&word)
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

fn is_in(list: &'static str, word: &str) -> bool {
    from(list, word).next() == Some(word)
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
        for list in [COMMON, ORDINARY, NAMES, MODERN] {
            let mut last = "";
            for word in list.lines() {
                assert!(last < word, "{word} is out of order");
                assert!(word.bytes().all(|byte| byte.is_ascii_lowercase()), "{word}");
                assert!(is_in(list, word), "{word}");
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
