//! What marks and digits stand for depends on the paragraph: where some are drawn for letters, others
//! are, too.

use super::glyph::{self, glyphs};
use super::{FOLDED_A_STEP, Unmasking, written};
use crate::view::Spelling;
use crate::words::{PART_SEPARATOR, Word};

impl Unmasking<'_> {
    /// Looks whether digits or symbols stand for letters in the paragraph that begins here.
    pub(super) fn enter_paragraph(&mut self, at: usize) {
        let words = self.words.as_slice();
        let pairs = words.get(at..).unwrap_or_default().windows(2);
        let gap = |pair: &[Word]| match pair {
            [left, right] => self.text.get(left.end as usize..right.start as usize),
            _ => None,
        };
        let within = pairs
            .take_while(|pair| gap(pair).is_some_and(|gap| !gap.contains(['\n', PART_SEPARATOR])));
        self.paragraph_end = at + 1 + within.count();
        self.generous = false;
        let done = self.done;
        for (index, word) in words.iter().enumerate().take(self.paragraph_end).skip(at) {
            if self.effort.0 > 0 && self.is_drawn(index, word) && self.is_suspicious(index, word) {
                let glyphs = glyphs(self.text, self.lead(word));
                self.effort.spend(glyphs.len() / FOLDED_A_STEP);
                let (said, _) = self.said(&glyphs, word, false);
                if said.is_some_and(|(_, said)| said.drawn) {
                    self.generous = true;
                    break;
                }
            }
            self.done = word.end;
        }
        self.done = done;
    }

    /// Says whether a word has digits, or marks beside it that are drawn for letters.
    fn is_drawn(&self, at: usize, word: &Word) -> bool {
        let end = self.words.as_slice().get(at + 1).map_or(self.text.len(), |it| it.start as usize);
        let mark = |c: char| !c.is_alphanumeric() && !glyph::letters(c).is_empty();
        self.words.text(word).bytes().any(|byte| byte.is_ascii_digit())
            || self.text.get(self.done as usize..end).is_some_and(|text| text.contains(mark))
    }

    /// Reads what stands before the next word as words where it is nothing but marks that are
    /// drawn for letters ("@+", "|<!||"). It is generous by the paragraph that a mark stands in:
    /// the one that ends in the gap, the one round it, or the one that begins in it.
    pub(super) fn marks(&mut self, until: u32, [ended, round, begun]: [bool; 3]) {
        let gap = self.text.get(self.done as usize..until as usize).unwrap_or_default();
        if gap.len() < 2 && until as usize != self.text.len() || !gap.contains(is_drawn) {
            return;
        }
        let paragraph = ['\n', PART_SEPARATOR];
        let paragraphs = gap.find(paragraph).zip(gap.rfind(paragraph));
        let from = self.done;
        let mut offset = 0;
        for piece in gap.split(glyph::parts_words) {
            let generous = match paragraphs {
                None => round,
                Some((end, _)) if offset < end => ended,
                Some((_, begin)) if offset > begin => begun,
                Some(_) => false,
            };
            let start = from.saturating_add(u32::try_from(offset).unwrap_or(u32::MAX));
            let end = start.saturating_add(u32::try_from(piece.len()).unwrap_or(u32::MAX));
            offset += piece.len() + self.blank_after(end);
            let apart =
                (start > from || from == 0) && (end < until || end as usize == self.text.len());
            if !apart || piece.is_empty() || !piece.chars().all(is_drawn) {
                continue;
            }
            let glyphs = glyphs(self.text, start);
            let word_list = &self.disguises.word_list;
            let read =
                written::read(&glyphs, word_list, generous, &mut self.ways, &mut self.effort);
            let Some(said) = read.said.filter(|it| it.glyphs == glyphs.len()) else { continue };
            let clear = said.strokes || piece.chars().all(glyph::is_indicator);
            if generous || clear {
                let ids = self.ids(&said.words);
                self.push((start, end), false, Spelling::Disguised, &ids);
                self.trailing = true;
            }
        }
    }

    fn blank_after(&self, end: u32) -> usize {
        let rest = self.text.get(end as usize..).unwrap_or_default();
        rest.chars().next().map_or(0, char::len_utf8)
    }
}

/// Says whether a mark may be a letter, or a stroke of one.
pub(super) fn is_drawn(c: char) -> bool {
    !glyph::letters(c).is_empty() || matches!(c, '\\' | '/' | '*' | '_' | '#' | ']' | ')' | '-')
}
