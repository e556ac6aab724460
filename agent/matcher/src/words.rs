//! A text cut into folded words, each with its place in the original.
//!
//! A word is a run of letters and digits after folding; an apostrophe inside a word is dropped
//! ("don't" is "dont", however the apostrophe is drawn). Every word keeps the byte range of the
//! original it came from, always on character bounds, and how it is joined to the word before it,
//! from which [`crate::disguise`] rebuilds what was split on purpose. One pass, no look-behind,
//! ASCII without any table.

use crate::fold::fold;

/// How a word is joined to the one before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Joint {
    /// By one character that is no blank ("self-harm").
    Tight,
    /// By one blank.
    Blank,
    /// By more than one character, within a sentence; or nothing stands before it.
    Loose,
    /// A sentence ended in between: ". ", "! ", "? ", "; ", "| " or an empty line.
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
        let mut cutter = Cutter { words: Self::default(), open: false, gap: Gap::default() };
        for (offset, c) in text.char_indices() {
            let range = (offset_of(offset), offset_of(offset + c.len_utf8()));
            if c.is_ascii() {
                cutter.take(c.to_ascii_lowercase(), range);
            } else {
                fold(c, &mut |part| cutter.take(part, range));
            }
        }
        cutter.words
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

/// What was seen since the last word.
#[derive(Debug, Default)]
struct Gap {
    characters: u32,
    last: Option<char>,
    stop: bool,
    newlines: u32,
    sentence: bool,
}

struct Cutter {
    words: Words,
    open: bool,
    gap: Gap,
}

impl Cutter {
    fn take(&mut self, c: char, range: (u32, u32)) {
        if c.is_alphanumeric() {
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
                let (joint, lead) = (self.gap.joint(words.is_empty()), self.gap.lead());
                words.push(Word { text: (from, to), start, end, joint, lead });
            }
        }
        self.open = true;
        self.gap = Gap::default();
    }
}

impl Gap {
    fn see(&mut self, c: char) {
        self.characters = self.characters.saturating_add(1);
        self.last = Some(c);
        if c == '\n' {
            self.newlines += 1;
        }
        self.sentence |= self.newlines > 1 || (self.stop && c.is_whitespace());
        if !c.is_whitespace() {
            self.newlines = 0;
            self.stop = matches!(c, '.' | '!' | '?' | ';' | '|' | '…' | '。');
        }
    }

    fn joint(&self, first: bool) -> Joint {
        match (self.characters, self.last) {
            _ if first => Joint::Loose,
            _ if self.sentence => Joint::Sentence,
            (1, Some(c)) if c.is_whitespace() => Joint::Blank,
            (1, Some(_)) => Joint::Tight,
            _ => Joint::Loose,
        }
    }

    fn lead(&self) -> Option<char> {
        self.last.filter(|c| !c.is_whitespace())
    }
}

fn is_apostrophe(c: char) -> bool {
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
