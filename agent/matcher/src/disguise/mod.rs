//! What was written so that a filter would not see it, or was simply misspelt: "k1ll", "|<ill",
//! "s.u.i.c.i.d.e", "k i l l", "k💔i💔l💔l", "su-icide", "k*ll", "killlll", "mysefl".
//!
//! The plain view stands as it is; this makes a second view in which disguised words are undone,
//! only if a text has any. Only words of the packs are found, so that "self-report" stays two
//! words. `spread` puts letters together that stand apart, `word` says which words look disguised and
//! `written` reads them, `paragraph` knows where marks and digits are letters, `slips` knows misspellings. Slips are looked for only where somebody writes in haste
//! (searches and typed text), and count only for rules that ask for it.
//!
//! Each step looks at a bounded stretch, and all of them share one [`Effort`] for a text: a page
//! made of nothing but disguises is read plainly from where that is spent.

pub(crate) mod glyph;
mod ordinary;
mod paragraph;
mod slips;
mod spread;
mod word;
mod word_list;
mod written;

use paragraph::is_drawn;
pub(crate) use slips::Slips;
use word_list::WordList;
use written::Ways;

use crate::view::{Spelling, View};
use crate::vocabulary::{Vocabulary, WordId};
use crate::words::{Joint, PART_SEPARATOR, Word, Words};

/// How many characters are folded for one step.
const FOLDED_A_STEP: usize = 8;
/// The most steps for what a pupil wrote: more than thousands of disguised letters ask for.
const OWN_EFFORT: usize = 1 << 16;
/// The most steps for what was read, which is long and seldom disguised.
const READ_EFFORT: usize = 1 << 13;

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

#[cfg(test)]
mod tests;
