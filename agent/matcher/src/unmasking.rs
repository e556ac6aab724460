//! Where a text must be read a second time, with its disguises undone.
//!
//! Nearly every page has words that hang together ("e-mail") or digits among letters ("b12"), and
//! nearly none of them hides a word of the packs. So each run of words that hang together is asked
//! of [`Blur`] first, then tried by itself. Round those in which something is undone the text is
//! read again as far as a phrase reaches, and only where that finds one, as far as the conditions
//! of a phrase can see. What is found is what would be if the whole text had been read again.

use std::ops::Range;

use crate::blur::Blur;
use crate::glance::unmask;
use crate::judgement::FARTHEST;
use crate::phrase_set::PhraseSet;
use crate::scan::Scan;
use crate::view::{Token, View};
use crate::vocabulary::Vocabulary;
use crate::words::{Gap, Words};

/// How many words from a phrase its conditions can see, and two more, whose beginnings say where
/// the sentence of the last one ends.
const SIGHT: usize = FARTHEST + 2;

/// What a text is read again with.
pub(crate) struct Unmasking<'a> {
    pub(crate) text: &'a str,
    pub(crate) scan: &'a Scan<'a>,
    pub(crate) blur: &'a Blur,
    pub(crate) vocabulary: &'a Vocabulary,
    pub(crate) phrases: &'a PhraseSet,
}

impl<'a> Unmasking<'a> {
    /// Gives the stretches of the text in which a phrase stands once disguises are undone, with all
    /// that is undone in them.
    pub(crate) fn stretches(&self) -> Vec<View<'a>> {
        let runs = Runs::of(self.scan);
        // One word that is undone may be a word of a phrase, or stand between two.
        let mut near = Joined::default();
        for run in runs.suspect() {
            // Where the text is read again anyway, nothing is tried by itself.
            let again = near.reaches(&run);
            if self.blur.may_hide(self.text, self.scan.view.tokens(), &run)
                && (again || self.unmasked(&run).is_some())
            {
                near.add(runs.widened(&run, self.phrases.longest()));
            }
        }
        let mut speaking = Vec::new();
        let mut seen = Joined::default();
        for near in near.ranges {
            if let Some(view) = self.unmasked(&near).filter(|view| self.speaks(view)) {
                seen.add(runs.widened(&near, SIGHT));
                speaking.push((near, view));
            }
        }
        let mut speaking = speaking.into_iter().peekable();
        let mut stretches = Vec::new();
        for stretch in seen.ranges {
            // What was read is not read once more if it is all there is to see.
            let mut read = None;
            while let Some((near, view)) = speaking.next_if(|(near, _)| near.end <= stretch.end) {
                read = (near == stretch).then_some(view);
            }
            stretches.extend(read.or_else(|| self.unmasked(&stretch)));
        }
        stretches
    }

    /// Says whether a phrase stands in a view that does not stand in the text as written.
    fn speaks(&self, view: &View<'_>) -> bool {
        let mut speaks = false;
        for token in 0..view.len() {
            self.phrases.at(view, token, |_, span| speaks |= view.is_disguised(&span));
        }
        speaks
    }

    /// Reads some tokens again, which begin and end where no words hang together; nothing if
    /// nothing in them is undone.
    fn unmasked(&self, tokens: &Range<usize>) -> Option<View<'a>> {
        let all = self.scan.view.tokens();
        let before = tokens.start.checked_sub(1).and_then(|token| all.get(token));
        let last = all.get(tokens.clone())?.last()?;
        // With the gap before, which may hold a symbol that stands for a letter.
        let start = before.map_or(0, |before| before.end as usize);
        let part = start..last.end as usize;
        let (words, _) = Words::of_part(self.text, part, Gap::default(), before.is_none());
        let plain = self.scan.view.part(tokens);
        let mut view = unmask(&words, &plain, self.vocabulary)?;
        view.begin_parts(&words);
        view.cut_from(before.is_none(), tokens.end == all.len());
        Some(view)
    }
}

/// Ranges in order, joined where they touch.
#[derive(Default)]
struct Joined {
    ranges: Vec<Range<usize>>,
}

impl Joined {
    fn add(&mut self, range: Range<usize>) {
        match self.ranges.last_mut().filter(|last| range.start <= last.end) {
            Some(last) => last.end = last.end.max(range.end),
            None => self.ranges.push(range),
        }
    }

    fn reaches(&self, range: &Range<usize>) -> bool {
        self.ranges.last().is_some_and(|last| range.start < last.end)
    }
}

/// The tokens in runs that no disguise reaches beyond.
struct Runs<'a> {
    tokens: &'a [Token],
    suspects: &'a [u32],
}

impl<'a> Runs<'a> {
    fn of(scan: &'a Scan<'_>) -> Self {
        Self { tokens: scan.view.tokens(), suspects: &scan.suspects }
    }

    /// Says whether a run begins at a token: it neither hangs on the one before nor shares a
    /// character with it ("½" is three words).
    fn begins(&self, token: usize) -> bool {
        let suspect =
            u32::try_from(token).is_ok_and(|token| self.suspects.binary_search(&token).is_ok());
        let shares = || {
            let pair = token.checked_sub(1).and_then(|before| self.tokens.get(before..=token));
            matches!(pair, Some([before, at]) if at.start < before.end)
        };
        !suspect && !shares()
    }

    /// Gives the runs that have a suspect.
    fn suspect(&self) -> impl Iterator<Item = Range<usize>> {
        let mut rest = self.suspects;
        std::iter::from_fn(move || {
            let (first, _) = rest.split_first()?;
            let first = *first as usize;
            let run = self.start(first)..self.end(first + 1);
            let inside = rest.partition_point(|suspect| (*suspect as usize) < run.end);
            rest = rest.get(inside..).unwrap_or_default();
            Some(run)
        })
    }

    /// Widens a run by so many runs on each side.
    fn widened(&self, run: &Range<usize>, by: usize) -> Range<usize> {
        let mut seen = run.clone();
        for _ in 0..by {
            seen.start = self.start(seen.start.saturating_sub(1));
            seen.end = self.end(seen.end + 1);
        }
        seen
    }

    /// Gives where the run of a token begins.
    fn start(&self, token: usize) -> usize {
        (0..=token).rev().find(|token| self.begins(*token)).unwrap_or_default()
    }

    /// Gives the first token from here on that begins a run.
    fn end(&self, token: usize) -> usize {
        let all = self.tokens.len();
        (token..all).find(|token| self.begins(*token)).unwrap_or(all)
    }
}
