//! A text cut into folded words, each with its place in the original.
//!
//! A word is a run of letters and digits after folding; an apostrophe inside a word is dropped
//! ("don't" is "dont", however the apostrophe is drawn). Every word keeps the byte range of the
//! original it came from, always on character bounds, and how it is joined to the word before it,
//! from which `disguise` and `glance` rebuild what was split on purpose. One pass, no look-behind,
//! ASCII without any table.

use std::ops::Range;

use crate::fold::{Folded, fold};

/// Parts a text: no sentence and no phrase reaches beyond it, and `^` and `$` in phrases mean the
/// beginning and end of a part. It is the character that Unicode keeps for the purpose, *information
/// separator two* (U+001E), which no keyboard writes.
pub const PART_SEPARATOR: char = '\u{1E}';

/// Emoji that pupils write for a word, of which packs speak; each is a word of its own. Every other
/// emoji stands between words, as a full stop does: most decorate, and would keep words apart.
pub(crate) const SPEAKING: [char; 24] = [
    '🔪', '🗡', '🪒', '🩸', '🩹', '🪦', '⚰', '💊', '💉', '🔫', '💣', '🪢', '🍃', '🌿', '🍁', '❄',
    '🔌', '🍄', '🎈', '🍑', '🍆', '🌽', '🐒', '🍌',
];

/// How a word is joined to the one before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Joint {
    /// By one character that is no blank ("self-harm").
    Tight,
    /// By one blank.
    Blank,
    /// By more than one character, within a sentence; or nothing stands before it.
    Loose,
    /// A sentence ended in between: ". ", "! ", "? ", "; ", "| ", an empty line or
    /// [`PART_SEPARATOR`].
    Sentence,
}

/// One folded word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Word {
    /// The range of its folded text in [`Words::folded`].
    text: (u32, u32),
    /// The range in the original text, in bytes.
    pub(crate) start: u32,
    pub(crate) end: u32,
    pub(crate) joint: Joint,
    /// The folded character directly before the word, unless it is a blank or nothing.
    pub(crate) lead: Option<char>,
    /// Whether [`PART_SEPARATOR`] stands between it and the word before.
    pub(crate) part: bool,
}

/// The words of a text.
#[derive(Debug, Default)]
pub(crate) struct Words {
    folded: String,
    words: Vec<Word>,
}

impl Words {
    /// Cuts a text, which is shorter than 4 GiB.
    pub(crate) fn of(text: &str) -> Self {
        Self::of_part(text, 0..text.len(), Gap::default(), true).0
    }

    /// Cuts a part of a text that begins and ends where no word is in the midst, after `gap`; gives
    /// also the gap after its last word. `first` says that no word stands before the part. Offsets
    /// are those of the whole text.
    pub(crate) fn of_part(text: &str, part: Range<usize>, gap: Gap, first: bool) -> (Self, Gap) {
        let mut cutter = Cutter { words: Self::default(), first, open: false, gap };
        for (offset, c) in text.get(part.clone()).unwrap_or_default().char_indices() {
            let offset = part.start + offset;
            let range = (offset_of(offset), offset_of(offset + c.len_utf8()));
            fold(c, &mut |folded| cutter.take(folded, range));
        }
        (cutter.words, cutter.gap)
    }

    pub(crate) fn as_slice(&self) -> &[Word] {
        &self.words
    }

    pub(crate) fn text(&self, word: &Word) -> &str {
        self.folded.get(word.text.0 as usize..word.text.1 as usize).unwrap_or_default()
    }

    /// Gives the folded texts in order.
    pub(crate) fn texts(&self) -> impl Iterator<Item = &str> {
        self.words.iter().map(|word| self.text(word))
    }
}

/// Writes a text as the matcher reads it where nothing is in disguise: folded words with a blank
/// between each two. The words of the result are the same words.
///
/// ```
/// assert_eq!(redshank_matcher::normalise("Don’t  PANIC, Zoë!"), "dont panic zoe");
/// ```
#[must_use]
pub fn normalise(text: &str) -> String {
    Words::of(text).texts().collect::<Vec<_>>().join(" ")
}

/// What was seen since the last word.
#[derive(Debug, Default, Clone)]
pub(crate) struct Gap {
    characters: u32,
    last: Option<char>,
    stop: bool,
    newlines: u32,
    sentence: bool,
    part: bool,
}

struct Cutter {
    words: Words,
    /// Whether the next word is the text's first.
    first: bool,
    open: bool,
    gap: Gap,
}

impl Cutter {
    fn take(&mut self, folded: Folded, range: (u32, u32)) {
        let c = folded.character;
        if SPEAKING.contains(&c) {
            self.open = false;
            self.letter(c, range);
            self.open = false;
        } else if folded.alphanumeric {
            self.letter(c, range);
        } else if !(self.open && is_apostrophe(c)) {
            self.open = false;
            self.gap.see(c);
        } else {
            // It may also close a quotation: then it is the lead of what follows.
            self.gap = Gap { characters: 1, last: Some(c), ..Gap::default() };
        }
    }

    fn letter(&mut self, c: char, (start, end): (u32, u32)) {
        let Words { folded, words } = &mut self.words;
        let from = offset_of(folded.len());
        folded.push(c);
        let to = offset_of(folded.len());
        match words.last_mut().filter(|_| self.open) {
            Some(word) => {
                word.text.1 = to;
                word.end = end;
            }
            None => {
                let (joint, lead) = (self.gap.joint(self.first), self.gap.lead());
                let part = self.gap.part;
                words.push(Word { text: (from, to), start, end, joint, lead, part });
                self.first = false;
            }
        }
        self.open = true;
        self.gap = Gap::default();
    }
}

impl Gap {
    /// Takes in one more folded character.
    pub(crate) fn see(&mut self, c: char) {
        self.characters = self.characters.saturating_add(1);
        self.last = Some(c);
        if c == '\n' {
            self.newlines += 1;
        }
        self.part |= c == PART_SEPARATOR;
        self.sentence |= self.part || self.newlines > 1 || (self.stop && c.is_whitespace());
        if !c.is_whitespace() {
            self.newlines = 0;
            self.stop = matches!(c, '.' | '!' | '?' | ';' | '|' | '…' | '。');
        }
    }

    /// Says how it joins the words round it.
    pub(crate) fn joint(&self, first: bool) -> Joint {
        match (self.characters, self.last) {
            _ if first => Joint::Loose,
            _ if self.sentence => Joint::Sentence,
            (1, Some(c)) if c.is_whitespace() => Joint::Blank,
            (1, Some(_)) => Joint::Tight,
            _ => Joint::Loose,
        }
    }

    /// Says whether a part of the text ended in it.
    pub(crate) fn parts(&self) -> bool {
        self.part
    }

    /// Gives the character before the next word, unless it is a blank.
    pub(crate) fn lead(&self) -> Option<char> {
        self.last.filter(|c| !c.is_whitespace())
    }
}

pub(crate) fn is_apostrophe(c: char) -> bool {
    matches!(c, '\'' | '`' | '’')
}

/// Offsets fit: a text is cut at [`crate::MAX_TEXT`] before it comes here.
fn offset_of(offset: usize) -> u32 {
    u32::try_from(offset).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn words_are_folded_letters_and_digits() {
        for (text, expected) in [
            ("How to KILL myself?", "how|to|kill|myself"),
            ("don't, won’t", "dont|wont"),
            ("self-harm/cutting", "self|harm|cutting"),
            ("'quoted' words", "quoted|words"),
            ("k\u{200B}ill", "kill"),
            ("my🔪 is here❄️ 😭ok", "my|🔪|is|here|❄|ok"),
            ("", ""),
            ("…", ""),
        ] {
            let words = Words::of(text);
            assert_eq!(words.texts().collect::<Vec<_>>().join("|"), expected, "{text}");
        }
    }

    #[test]
    fn joints_tell_how_words_hang_together() {
        use Joint::{Blank, Loose, Sentence, Tight};
        for (text, expected) in [
            ("a b", vec![Loose, Blank]),
            ("a-b", vec![Loose, Tight]),
            ("a - b", vec![Loose, Loose]),
            ("a. b", vec![Loose, Sentence]),
            ("a.b", vec![Loose, Tight]),
            ("a | b", vec![Loose, Sentence]),
            ("a\nb", vec![Loose, Blank]),
            ("a\n\nb", vec![Loose, Sentence]),
            ("ہوں۔ میں", vec![Loose, Sentence]),
            ("کیوں؟ میں", vec![Loose, Sentence]),
            ("a\u{1E}b", vec![Loose, Sentence]),
        ] {
            let words = Words::of(text);
            let joints: Vec<Joint> = words.as_slice().iter().map(|word| word.joint).collect();
            assert_eq!(joints, expected, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn ranges_are_on_character_bounds_and_in_order(text in any::<String>()) {
            let words = Words::of(&text);
            let mut last = 0;
            for word in words.as_slice() {
                prop_assert!(text.get(word.start as usize..word.end as usize).is_some());
                prop_assert!(word.start >= last || word.end >= last);
                prop_assert!(word.start < word.end);
                last = word.start;
            }
        }

        #[test]
        fn cutting_what_is_cut_changes_nothing(text in any::<String>()) {
            let once: Vec<String> = Words::of(&text).texts().map(str::to_owned).collect();
            let joined = once.join(" ");
            let twice: Vec<String> = Words::of(&joined).texts().map(str::to_owned).collect();
            prop_assert_eq!(once, twice);
        }
    }
}
