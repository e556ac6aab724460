//! One word: whether it looks disguised, and what it says then.

use super::glyph::{Glyph, glyphs};
use super::paragraph::is_drawn;
use super::written::{self, Said};
use super::{FOLDED_A_STEP, Unmasking, ordinary};
use crate::view::Spelling;
use crate::words::{Joint, Word};

/// The most characters before a word that may be letters of it.
const MAX_LEAD: usize = 8;
/// Numbers up to this length are read as words among words that draw digits for letters ("70").
const MAX_NUMBER: usize = 6;

impl Unmasking<'_> {
    /// Reads a word that is written with other characters than its letters; gives how many words
    /// of the text that took.
    pub(super) fn written(&mut self, at: usize, word: &Word) -> Option<usize> {
        if !self.is_suspicious(at, word) {
            return None;
        }
        let from = self.lead(word);
        let glyphs = glyphs(self.text, from);
        self.effort.spend(glyphs.len() / FOLDED_A_STEP);
        let (said, doubtful) = self.said(&glyphs, word, self.generous);
        // "|)own" is "down", though the packs know "own" only.
        let whole = |(lead, _): &(usize, Said)| *lead == 0 || !written::is_drawn_word(&glyphs);
        let Some((lead, said)) = said.filter(whole) else {
            let drawn = self.drawn_word(at, word, &glyphs);
            let weak = |this: &mut Self| doubtful.then(|| this.weak(at, word, &glyphs)).flatten();
            return drawn.or_else(|| weak(self));
        };
        let (start, end) = (glyphs.get(lead)?.start, glyphs.get(lead + said.glyphs - 1)?.end);
        let taken = self.taken(at, end);
        // A number is one, even among words that are drawn with digits, unless it is a word that
        // stands everywhere: "70" is "to", "2007" is no "zoot".
        let number = self.words.text(word).bytes().all(|byte| byte.is_ascii_digit());
        if taken == 1 && number && !said.words.iter().any(|word| ordinary::is_common(word)) {
            return self.weak(at, word, &glyphs);
        }
        let mut ids = self.ids(&said.words);
        // What a mark begins is not the word without it ("|-|arm").
        if taken == 1 && start == word.start {
            let plain = self.plain.ids(at);
            if ids.iter().all(|id| plain.contains(id)) {
                return None;
            }
            ids.extend(plain);
            // "phoot" is "foot" or "photo", but "iiss" is "is".
            if self.with_slips && !said.words.iter().any(|word| ordinary::is_common(word)) {
                ids.extend(self.ids(&self.disguises.slips.meant(self.words.text(word)).likely));
            }
        }
        self.push((start, end), self.begins_sentence(word, start), Spelling::Disguised, &ids);
        let last = self.words.as_slice().get(at + taken - 1);
        self.trailing = last.is_some_and(|last| last.end < end);
        Some(taken)
    }

    /// Gives how many words from here on begin before a byte.
    fn taken(&self, at: usize, end: u32) -> usize {
        self.words.as_slice().iter().skip(at).take_while(|it| it.start < end).count()
    }

    /// Takes a reading that convinces nobody by itself ("1n", "t0", "70") for what it may be in a
    /// context: it makes no hit, but may belong to one, or to what makes one harmless.
    fn weak(&mut self, at: usize, word: &Word, glyphs: &[Glyph]) -> Option<usize> {
        if !self.own_writing {
            return None;
        }
        let (lead, said) = self.said(glyphs, word, true).0?;
        if self.taken(at, glyphs.get(lead + said.glyphs - 1)?.end) > 1 {
            return None;
        }
        let plain = self.plain.ids(at);
        let mut ids = self.ids(&said.words);
        ids.extend(plain);
        let sentence = self.begins_sentence(word, word.start);
        self.push_doubtful((word.start, word.end), sentence, Spelling::Plain, plain, &ids);
        Some(1)
    }

    /// Takes an ordinary word that is drawn with marks as one word: it may stand in a gap.
    fn drawn_word(&mut self, at: usize, word: &Word, glyphs: &[Glyph]) -> Option<usize> {
        if !written::is_drawn_word(glyphs) {
            return None;
        }
        let (start, end) = (glyphs.first()?.start, glyphs.last()?.end);
        let taken = self.taken(at, end);
        let (said, _) = self.said(glyphs, word, true);
        let said = said.map(|(_, said)| said.words).unwrap_or_default();
        let ids = self.ids(&said);
        self.push((start, end), self.begins_sentence(word, start), Spelling::Disguised, &ids);
        Some(taken)
    }

    /// Reads from the earliest character before the word on that makes it a word of the packs.
    /// Gives also whether it may be one to somebody who is more generous.
    pub(super) fn said(
        &mut self,
        glyphs: &[Glyph],
        word: &Word,
        generous: bool,
    ) -> (Option<(usize, Said)>, bool) {
        let word_list = &self.disguises.word_list;
        let leads = glyphs.iter().take_while(|glyph| glyph.start < word.start).count();
        let mut doubtful = false;
        let said = (0..=leads).find_map(|lead| {
            let from = glyphs.get(lead..)?;
            let read = written::read(from, word_list, generous, &mut self.ways, &mut self.effort);
            doubtful |= read.doubtful;
            let said = read.said?;
            let end = from.get(said.glyphs - 1)?.end;
            (end >= word.end).then_some((lead, said))
        });
        (said, doubtful)
    }

    /// Says whether anything about a word looks like a disguise, at a glance.
    pub(super) fn is_suspicious(&self, at: usize, word: &Word) -> bool {
        let text = self.words.text(word);
        let shape = Shape::of(text);
        if shape.digits == text.len() {
            if (self.generous || self.own_writing) && shape.digits <= MAX_NUMBER {
                return true;
            }
        } else if shape.digits > 0 || shape.run {
            return true;
        }
        let bytes = self.text.as_bytes();
        let after = bytes.get(word.end as usize);
        if !matches!(after, None | Some(b' ')) {
            let after = self.text.get(word.end as usize..).and_then(|it| it.chars().next());
            let next = self.words.as_slice().get(at + 1);
            let tight = next.is_some_and(|it| it.joint == Joint::Tight);
            if after.is_some_and(|c| !c.is_whitespace() && (tight || is_drawn(c) || !c.is_ascii()))
            {
                return true;
            }
        }
        let before = (word.start as usize).checked_sub(1).and_then(|before| bytes.get(before));
        if !matches!(before, None | Some(b' ')) {
            let gap = self.text.get(self.done as usize..word.start as usize);
            let before = gap.and_then(|gap| gap.chars().next_back());
            if before.is_some_and(is_drawn) {
                return true;
            }
        }
        (shape.compound || shape.doubled > 1) && !ordinary::is_ordinary(text)
    }

    /// Gives where the characters before a word begin that may be letters of it.
    pub(super) fn lead(&self, word: &Word) -> u32 {
        let gap = self.text.get(self.done as usize..word.start as usize).unwrap_or_default();
        let lead: usize = gap
            .chars()
            .rev()
            .take_while(|c| !c.is_whitespace() && is_drawn(*c))
            .take(MAX_LEAD)
            .map(char::len_utf8)
            .sum();
        word.start.saturating_sub(u32::try_from(lead).unwrap_or_default())
    }
}

/// What about the letters of a word may be a disguise.
#[derive(Debug, Default)]
struct Shape {
    digits: usize,
    /// Whether a letter stands three times in a row, and how many stand twice.
    run: bool,
    doubled: usize,
    /// Whether two letters may be drawn for one.
    compound: bool,
}

impl Shape {
    fn of(text: &str) -> Self {
        let mut shape = Self::default();
        let (mut last, mut before) = ('\0', '\0');
        for c in text.chars() {
            shape.digits += usize::from(c.is_ascii_digit());
            if c == last {
                shape.doubled += 1;
                shape.run |= last == before;
            }
            shape.compound |= matches!((last, c), ('v', 'v') | ('u', 'u') | ('p', 'h'));
            (before, last) = (last, c);
        }
        shape
    }
}
