//! What was written so that a filter would not see it, or was simply misspelt: "k1ll", "|<ill",
//! "s.u.i.c.i.d.e", "k i l l", "k💔i💔l💔l", "su-icide", "k*ll", "killlll", "mysefl".
//!
//! The plain view stands as it is; this makes a second view in which disguised words are undone,
//! only if a text has any. Only words of the packs are found, so that "self-report" stays two
//! words. `spread` puts letters together that stand apart, `written` reads other characters than
//! letters, `slips` knows misspellings. Slips are looked for only where somebody writes in haste
//! (searches and typed text), and count only for rules that ask for it.
//!
//! Each step looks at a bounded stretch, and all of them share one [`Effort`] for a text: a page
//! made of nothing but disguises is read plainly from where that is spent.

pub(crate) mod glyph;
mod ordinary;
mod slips;
mod spread;
mod word_list;
mod written;

use glyph::{Glyph, glyphs};
pub(crate) use slips::Slips;
use word_list::WordList;
use written::{Said, Ways};

use crate::view::{Spelling, View};
use crate::vocabulary::{Vocabulary, WordId};
use crate::words::{Joint, PART_SEPARATOR, Word, Words};

/// The most steps for what a pupil wrote: more than thousands of disguised letters ask for.
const OWN_EFFORT: usize = 1 << 16;
/// The most steps for what was read, which is long and seldom disguised.
const READ_EFFORT: usize = 1 << 13;
/// How many characters are folded for one step.
const FOLDED_A_STEP: usize = 8;
/// The most characters before a word that may be letters of it.
const MAX_LEAD: usize = 8;
/// Numbers up to this length are read as words among words that draw digits for letters ("70").
const MAX_NUMBER: usize = 6;

/// A text without its disguises. Both views have the same tokens.
#[derive(Debug, Default)]
pub(crate) struct Unmasked {
    /// Where phrases are looked for: each token is what it most likely says.
    pub(crate) hits: View<'static>,
    /// Where conditions are judged: each token is all that it may say, so that what makes a text
    /// harmless is not lost to a doubt.
    pub(crate) context: View<'static>,
}

impl Unmasked {
    fn views(&mut self) -> [&mut View<'static>; 2] {
        [&mut self.hits, &mut self.context]
    }
}

/// What disguises are undone to, made once from the packs.
#[derive(Debug, Default)]
pub(crate) struct Disguises {
    word_list: WordList,
    slips: Slips,
}

impl Disguises {
    /// Takes the words of a complete vocabulary, and those that may be misspelt.
    pub(crate) fn of(vocabulary: &Vocabulary, slips: Slips) -> Self {
        Self { word_list: WordList::of(vocabulary), slips }
    }

    /// Gives the words that may be misspelt.
    pub(crate) fn slips(&self) -> &Slips {
        &self.slips
    }

    /// Undoes disguises, and slips where they count; gives nothing if the text has none that the
    /// packs know. Gives also how many steps that took.
    pub(crate) fn unmask(
        &self,
        text: &str,
        words: &Words,
        plain: &View<'_>,
        vocabulary: &Vocabulary,
        own_writing: bool,
    ) -> (Option<Unmasked>, u64) {
        let most = if own_writing { OWN_EFFORT } else { READ_EFFORT };
        let mut unmasking = Unmasking {
            disguises: self,
            text,
            words,
            plain,
            vocabulary,
            own_writing,
            with_slips: own_writing && !self.slips.is_empty(),
            paragraph_end: 0,
            generous: false,
            unmasked: Unmasked::default(),
            at: 0,
            begun: false,
            found: false,
            done: 0,
            trailing: false,
            plain_until: 0,
            ways: Ways::default(),
            effort: Effort(most),
        };
        unmasking.run();
        let effort = most - unmasking.effort.0;
        (unmasking.found.then_some(unmasking.unmasked), effort as u64)
    }
}

/// What is left of the steps for a text.
#[derive(Debug)]
struct Effort(usize);

impl Effort {
    fn spend(&mut self, steps: usize) -> bool {
        self.0 = self.0.saturating_sub(steps);
        self.0 > 0
    }
}

/// Says whether a word is one of the packs.
fn says(vocabulary: &Vocabulary, word: &str) -> bool {
    let mut ids = Vec::new();
    vocabulary.ids(word, &mut ids);
    !ids.is_empty()
}

/// The making of a view.
struct Unmasking<'a> {
    disguises: &'a Disguises,
    text: &'a str,
    words: &'a Words,
    plain: &'a View<'a>,
    vocabulary: &'a Vocabulary,
    /// Whether weak readings count as context, and slips too, if any rule asks for them.
    own_writing: bool,
    with_slips: bool,
    /// With which word the next paragraph begins.
    paragraph_end: usize,
    /// Whether digits or symbols stand for letters in the paragraph: then its numbers and marks
    /// are read as words too ("1 w4n7 70 d!3").
    generous: bool,
    unmasked: Unmasked,
    /// The word that is looked at.
    at: usize,
    /// Whether the views were begun, and whether anything was undone.
    begun: bool,
    found: bool,
    /// Where in the original the last word ends that was pushed.
    done: u32,
    /// Whether it ends with marks: they are letters and end no sentence.
    trailing: bool,
    /// Up to which word no letters that stand apart are looked for.
    plain_until: usize,
    ways: Ways,
    effort: Effort,
}

impl Unmasking<'_> {
    fn run(&mut self) {
        while let Some(word) = self.words.as_slice().get(self.at) {
            let at = self.at;
            self.at += if self.effort.0 == 0 {
                self.push_plain(at, word);
                1
            } else {
                self.undo(at, word)
            };
        }
        let end = u32::try_from(self.text.len()).unwrap_or(u32::MAX);
        self.marks(end, [self.generous, self.generous, false]);
    }

    /// Undoes what begins with a word, or pushes it as it stands; gives how many words that took.
    fn undo(&mut self, at: usize, word: &Word) -> usize {
        let before = self.generous;
        if at >= self.paragraph_end && self.own_writing {
            self.enter_paragraph(at);
        }
        self.marks(word.start, [before, self.generous, self.generous]);
        let undone = self.spread(at, word).or_else(|| self.written(at, word));
        undone.or_else(|| self.slip(at, word)).unwrap_or_else(|| {
            self.push_plain(at, word);
            1
        })
    }

    /// Looks whether digits or symbols stand for letters in the paragraph that begins here.
    fn enter_paragraph(&mut self, at: usize) {
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
    fn marks(&mut self, until: u32, [ended, round, begun]: [bool; 3]) {
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

    /// Puts letters together that stand apart; gives how many words that took.
    fn spread(&mut self, at: usize, word: &Word) -> Option<usize> {
        let single = |word: &Word| is_letter(self.words.text(word));
        let next = self.words.as_slice().get(at + 1)?;
        if at < self.plain_until || !single(word) || !single(next) || self.effort.0 == 0 {
            return None;
        }
        let word_list = &self.disguises.word_list;
        let spread =
            spread::read(self.text, self.words, at, word_list, self.vocabulary, &mut self.effort)?;
        if spread.cuts.is_empty() {
            self.plain_until = at + spread.units;
            return None;
        }
        let mut from = at;
        for cut in &spread.cuts {
            let letters = self.words.as_slice().get(from..from + cut.units).unwrap_or_default();
            if let (Some(first), Some(last)) = (letters.first(), letters.last()) {
                let sentence =
                    self.begins_sentence(first, first.start) && !(spread.stops && from > at);
                if cut.units == 1 && cut.words.is_empty() {
                    self.push_plain(from, first);
                } else {
                    let ids = self.ids(&cut.words);
                    let disguised = cut.units > 1 && !cut.words.is_empty();
                    let spelling = if disguised { Spelling::Disguised } else { Spelling::Plain };
                    self.push((first.start, last.end), sentence, spelling, &ids);
                }
            }
            from += cut.units;
        }
        Some(spread.units)
    }

    /// Reads a word that is written with other characters than its letters; gives how many words
    /// of the text that took.
    fn written(&mut self, at: usize, word: &Word) -> Option<usize> {
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
    fn said(
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
    fn is_suspicious(&self, at: usize, word: &Word) -> bool {
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
    fn lead(&self, word: &Word) -> u32 {
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

    /// Takes a word that no pack has and no dictionary for a misspelt one; gives how many words
    /// of the text that took.
    fn slip(&mut self, at: usize, word: &Word) -> Option<usize> {
        if !self.with_slips || self.effort.0 == 0 {
            return None;
        }
        let (text, slips) = (self.words.text(word), &self.disguises.slips);
        let sentence = self.begins_sentence(word, word.start);
        if let Some(next) = self.words.as_slice().get(at + 1).filter(|it| it.joint == Joint::Blank)
            && let after = self.words.as_slice().get(at + 2).map(|word| self.words.text(word))
            && let Some(whole) = slips.parted(text, self.words.text(next), after, self.vocabulary)
            && !self.text.get(next.end as usize..).is_some_and(|it| it.starts_with(is_drawn))
        {
            let ids = self.ids(&[whole]);
            self.push((word.start, next.end), sentence, Spelling::Slip, &ids);
            return Some(2);
        }
        // A word of the packs that every dictionary has is that word.
        let kind = ordinary::kind(text);
        let plain_enough = || kind.is_ordinary() && !self.plain.ids(at).is_empty();
        if kind.is_everyday() || plain_enough() || !self.effort.spend(text.len()) {
            return None;
        }
        let mut meant = slips.meant(text);
        // A name, or a rare word, is what it says, and may be a slip in a context ("cess").
        let plain = self.plain.ids(at);
        if kind.is_ordinary() {
            meant.likely.clear();
        } else if !plain.is_empty() {
            // A pack has this spelling: a slip of it is believed, and no context is made of a doubt.
            meant.all.clone_from(&meant.likely);
        }
        if !meant.all.is_empty() {
            let mut likely = self.ids(&meant.likely);
            let mut all = self.ids(&meant.all);
            likely.extend(plain);
            all.extend(plain);
            let spelling = if meant.likely.is_empty() { Spelling::Plain } else { Spelling::Slip };
            self.push_doubtful((word.start, word.end), sentence, spelling, &likely, &all);
            return Some(1);
        }
        if kind.is_ordinary() || self.vocabulary.knows(text) {
            return None;
        }
        let (left, right) = slips.run_together(text, self.vocabulary)?;
        for (part, sentence) in [(left, sentence), (right, false)] {
            let ids = self.ids(&[part]);
            self.push((word.start, word.end), sentence, Spelling::Slip, &ids);
        }
        Some(1)
    }

    fn ids(&self, words: &[impl AsRef<str>]) -> Vec<WordId> {
        let mut ids = Vec::new();
        for word in words {
            self.vocabulary.ids(word.as_ref(), &mut ids);
        }
        ids.sort_unstable();
        ids.dedup();
        ids
    }

    fn push_plain(&mut self, at: usize, word: &Word) {
        if !self.begun {
            self.done = word.end;
            return;
        }
        let sentence = self.begins_sentence(word, word.start);
        let ids = self.plain.ids(at);
        self.push((word.start, word.end), sentence, Spelling::Plain, ids);
    }

    fn push(&mut self, range: (u32, u32), sentence: bool, spelling: Spelling, ids: &[WordId]) {
        self.push_doubtful(range, sentence, spelling, ids, ids);
    }

    /// Begins the views, with the words so far as they stand: most texts never need them.
    fn begin(&mut self) {
        if self.begun {
            return;
        }
        self.begun = true;
        for (at, word) in self.words.as_slice().iter().enumerate().take(self.at) {
            let sentence = word.joint == Joint::Sentence;
            for view in self.unmasked.views() {
                view.push((word.start, word.end), sentence, Spelling::Plain, |ids| {
                    ids.extend(self.plain.ids(at));
                });
                if word.part {
                    view.begin_part();
                }
            }
        }
    }

    /// Pushes a token that may say more than it likely does.
    fn push_doubtful(
        &mut self,
        range: (u32, u32),
        sentence: bool,
        spelling: Spelling,
        likely: &[WordId],
        all: &[WordId],
    ) {
        self.begin();
        self.found |= spelling != Spelling::Plain || likely != all;
        self.unmasked.hits.push(range, sentence, spelling, |ids| ids.extend(likely));
        self.unmasked.context.push(range, sentence, spelling, |ids| ids.extend(all));
        let gap = self.text.get(self.done as usize..range.0 as usize).unwrap_or_default();
        if gap.contains(PART_SEPARATOR) {
            self.unmasked.views().into_iter().for_each(View::begin_part);
        }
        self.done = range.1;
        self.trailing = false;
    }

    /// Says whether a sentence begins with this word, which is written from `start` on: not after
    /// marks that were letters, unless more than a blank follows them.
    fn begins_sentence(&self, word: &Word, start: u32) -> bool {
        let gap = || self.text.get(self.done as usize..start as usize).unwrap_or_default();
        word.joint == Joint::Sentence && !(self.trailing && gap() == " ")
    }
}

fn is_letter(text: &str) -> bool {
    text.chars().nth(1).is_none()
}

/// Says whether a mark may be a letter, or a stroke of one.
fn is_drawn(c: char) -> bool {
    !glyph::letters(c).is_empty() || matches!(c, '\\' | '/' | '*' | '_' | '#' | ']' | ')' | '-')
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::Language;
    use crate::phrase::{Classes, Pattern, Phrase};
    use proptest::prelude::*;

    #[test]
    fn digits_and_marks_for_letters_are_undone() {
        for text in [
            "k1ll",
            "ki11",
            "k!ll",
            "k|ll",
            "ki!!",
            "ki££",
            "|<ill",
            "|<i11",
            "|{!||",
            "(ut",
            "<ut",
            "[ut",
            "cu+",
            "cu7",
            "$uicide",
            "$u!c!d3",
            "su1c1d3",
            "5u1<1d3",
            "suici|)e",
            "\\/\\/ant",
            "vvant",
            "w4nt",
            "w@n+",
            "phuck",
            "6un5",
            "9un5",
            "8om8",
            "2oo",
            "d1e",
            "k1lllll",
            "$uuuicide",
        ] {
            assert_undone(text);
        }
    }

    #[test]
    fn letters_that_stand_apart_are_put_together() {
        for text in [
            "k i l l",
            "k  i  l  l",
            "k.i.l.l",
            "k-i-l-l",
            "k_i_l_l",
            "k*i*l*l",
            "k/i/l/l",
            "k . i . l . l",
            "k - i - l - l",
            "k. i.l .l",
            "k.i-l_l",
            "k💔i💔l💔l",
            "k 💔 i 💔 l 💔 l",
            "k❤️i👨‍👩‍👧l👍🏽l",
            "k 1 l l",
            "su-icide",
            "su.ic.ide",
            "kil-l",
            "ki💔ll",
            "s u i c i d e",
            "🇰🇮🇱🇱",
            "k🇮ll",
        ] {
            assert_undone(text);
        }
    }

    #[test]
    fn stretched_and_censored_letters_are_seen_through() {
        for text in [
            "killlll", "kiiilll", "kkkkill", "kkiillll", "k*ll", "su*cide", "s**cide", "k#ll",
            "k_ll",
        ] {
            assert_undone(text);
        }
        // It may be either.
        assert!(unmasked("g*ns").is_none());
        assert!(unmasked("c*t").is_none(), "too short to tell");
    }

    #[test]
    fn ordinary_texts_stay_what_they_are() {
        for text in [
            "kill",
            "self-report",
            "4x4",
            "b12",
            "a b c",
            "i o u",
            "co-op",
            "re-cover",
            "www.example.org",
            "https://www.example.org/a-b/c?d=1",
            "someone@example.org",
            "100%",
            "12:30",
            "£4.99",
            "$5",
            "10/12/2024",
            "h2o",
            "c6h12o6",
            "ch3cooh",
            "mp3",
            "ps5",
            "u2",
            "r2d2",
            "x = a + b * c;",
            "for (i = 0; i < n; i++) {",
            "if (a[i] != b[j]) return;",
            "r.e.s.p.e.c.t",
            "y m c a",
            "1 2 3 4 5",
            "0 7 7 0 0 9 0",
            "so happy 😀😀😀",
            "love 💔 you 🙂",
            "🇬🇧 england 🇬🇧",
            "(^_^)",
            "¯\\_(ツ)_/¯",
            "<3",
            "o.o",
            "xd",
            "===>",
            "|--|--|",
            "f(x) = 3x + 2",
            "e.g. this, i.e. that",
            "7 a.m.",
            "u.s.a.",
            "a* search",
            "skill",
            "s k i l l e d",
            "c u t e",
            "d i e t",
            "w a n t e d",
        ] {
            let shown = unmasked(text).map(|it| said(&it.hits));
            let undone = shown.unwrap_or_default();
            assert!(undone.is_empty(), "{text}: {undone:?}");
        }
    }

    #[test]
    fn letters_of_a_whole_text_fall_into_words() {
        for text in [
            "i w a n t t o d i e",
            "i   w a n t   t o   d i e",
            "i.w.a.n.t.t.o.d.i.e",
            "i💔w💔a💔n💔t💔t💔o💔d💔i💔e",
            "1 w4n7 70 d13",
            "! w@n+ +0 d!3",
        ] {
            let view = unmasked(text).unwrap_or_else(|| panic!("{text} is not seen through")).hits;
            assert_eq!(view.len(), 4, "{text}");
            assert!((1..4).all(|token| !view.ids(token).is_empty()), "{text}");
        }
        let view = unmasked("i w a n t t o d i e t").expect("wanting is known").hits;
        assert!(view.ids(3).is_empty(), "a diet is no death");
    }

    #[test]
    fn slips_count_in_own_writing_only() {
        let slip = |text: &str, own: bool| undone(text, own).map(|it| said(&it.hits));
        assert_eq!(slip("sucide", true), Some(vec![("sucide".to_owned(), Spelling::Slip)]));
        assert_eq!(slip("sucide", false), None);
        assert_eq!(slip("skill", true), None, "an ordinary word");
    }

    #[test]
    fn a_doubtful_reading_is_context_only() {
        let unmasked = unmasked("7o").expect("read");
        assert!(unmasked.hits.ids(0).is_empty());
        assert_eq!(unmasked.context.ids(0).len(), 1);
    }

    #[test]
    fn a_mark_after_a_beginning_is_no_letter_of_it() {
        let mut vocabulary = Vocabulary::default();
        for (word, prefix) in [("friends", false), ("friend", true)] {
            vocabulary.intern(&Pattern { word: word.into(), prefix });
        }
        let disguises = Disguises::of(&vocabulary, Slips::default());
        let mut both = Vec::new();
        vocabulary.ids("friends", &mut both);
        both.sort_unstable();
        for text in ["fr1ends!", "fr1ends!!", "fr1end$"] {
            let words = Words::of(text);
            let plain = View::plain(&words, &vocabulary);
            let (unmasked, _) = disguises.unmask(text, &words, &plain, &vocabulary, true);
            assert_eq!(unmasked.map(|it| it.hits.ids(0).to_vec()), Some(both.clone()), "{text}");
        }
    }

    #[test]
    fn effort_is_bounded() {
        for text in ["k.1", "a ", "4$!", "k*", "|\\/|", "kk11", "💔k"] {
            let text = text.repeat(20_000);
            let views = undone(&text, true);
            assert!(views.is_none_or(|it| it.hits.len() == it.context.len()));
        }
    }

    proptest! {
        #[test]
        fn both_views_have_the_same_tokens_in_order(text in "([a-l0-9 .!|(*💔]|ki|ll|\\PC){0,60}") {
            if let Some(unmasked) = undone(&text, true) {
                prop_assert_eq!(unmasked.hits.len(), unmasked.context.len());
                let mut last = 0;
                for (hit, context) in unmasked.hits.tokens().iter().zip(unmasked.context.tokens()) {
                    prop_assert_eq!((hit.start, hit.end), (context.start, context.end));
                    prop_assert!(text.get(hit.start as usize..hit.end as usize).is_some());
                    prop_assert!(hit.start >= last && hit.start < hit.end);
                    last = hit.start;
                }
            }
        }

        #[test]
        fn a_hard_separator_parts_disguises(left in "[a-l0-9 .!|(*]{0,20}", right in "[a-l0-9 .!|(*]{0,20}") {
            let parts = [&left, &right].map(|part| undone(part, true).map(|it| said(&it.hits)));
            let both = undone(&format!("{left}\n\n{right}"), true).map(|it| said(&it.hits));
            let parts: Vec<_> = parts.into_iter().flatten().flatten().collect();
            prop_assert_eq!(both.unwrap_or_default(), parts);
        }
    }

    fn assert_undone(text: &str) {
        let unmasked = unmasked(text).unwrap_or_else(|| panic!("{text} is not seen through"));
        let view = unmasked.hits;
        assert_eq!(view.len(), 1, "{text}: {:?}", view.tokens());
        assert!(!view.ids(0).is_empty(), "{text}");
        assert_eq!(view.tokens()[0].spelling, Spelling::Disguised, "{text}");
    }

    /// Gives the tokens that were undone to words of the packs.
    fn said(view: &View<'_>) -> Vec<(String, Spelling)> {
        let tokens = view.tokens().iter().enumerate();
        let undone =
            tokens.filter(|(at, it)| it.spelling != Spelling::Plain && !view.ids(*at).is_empty());
        undone
            .map(|(_, token)| {
                (
                    TEXT.with_borrow(|text| {
                        text[token.start as usize..token.end as usize].to_owned()
                    }),
                    token.spelling,
                )
            })
            .collect()
    }

    thread_local! {
        /// The text that was read last, for messages.
        static TEXT: std::cell::RefCell<String> = const { std::cell::RefCell::new(String::new()) };
    }

    fn unmasked(text: &str) -> Option<Unmasked> {
        undone(text, true)
    }

    fn undone(text: &str, own_writing: bool) -> Option<Unmasked> {
        TEXT.with_borrow_mut(|last| text.clone_into(last));
        let known = "i kill suicide want to die cut fuck guns gins bomb zoo";
        let mut vocabulary = Vocabulary::default();
        for word in known.split(' ') {
            vocabulary.intern(&Pattern { word: word.into(), prefix: false });
        }
        let phrase = Phrase::parse("suicide kill", &Classes::new(Language::English)).unwrap();
        let disguises = Disguises::of(&vocabulary, Slips::of([&phrase].into_iter()));
        let words = Words::of(text);
        let plain = View::plain(&words, &vocabulary);
        disguises.unmask(text, &words, &plain, &vocabulary, own_writing).0
    }
}
