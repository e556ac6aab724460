//! Where a text must be read a second time, with its disguises undone.
//!
//! Nearly every page has words that hang together ("e-mail") or digits among letters ("b12"), and
//! nearly none of them hides a word of the packs. So each run of words that hang together is asked
//! of [`Blur`] first, then tried by itself. Only round those in which something is undone a stretch of the text is read
//! again, as far on both sides as a phrase and its conditions can see, so that what is found there
//! is what would be found if the whole text had been read again.

use std::ops::Range;

use crate::blur::Blur;
use crate::disguise::unmask;
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

impl Unmasking<'_> {
    /// Gives the stretches of the text in which a phrase stands once disguises are undone, with all
    /// that is undone in them.
    pub(crate) fn stretches(&self) -> Vec<View<'static>> {
        let runs = Runs::of(self.scan);
        let hiding = runs.suspect().filter(|run| {
            self.blur.may_hide(self.text, self.scan.view.tokens(), run)
                && self.unmasked(run).is_some()
        });
        // One word that is undone may be a word of the phrase, or stand between two.
        let near = joined(hiding.map(|run| runs.widened(&run, self.phrases.longest())));
        let speaking = near
            .into_iter()
            .filter(|near| self.unmasked(near).is_some_and(|view| self.speaks(&view)));
        let seen = joined(speaking.map(|near| runs.widened(&near, SIGHT)));
        seen.iter().filter_map(|stretch| self.unmasked(stretch)).collect()
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
    fn unmasked(&self, tokens: &Range<usize>) -> Option<View<'static>> {
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

/// Joins ranges, which come in order, where they touch.
fn joined(ranges: impl Iterator<Item = Range<usize>>) -> Vec<Range<usize>> {
    let mut joined: Vec<Range<usize>> = Vec::new();
    for range in ranges {
        match joined.last_mut().filter(|last| range.start <= last.end) {
            Some(last) => last.end = last.end.max(range.end),
            None => joined.push(range),
        }
    }
    joined
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
