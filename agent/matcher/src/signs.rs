//! Signs: words that say little alone and much together.
//!
//! "Nothing has been good since I was eleven" has no word that a phrase could hang on. A rule may therefore weigh
//! signs: each has points, for it or against it, and a match is where those of one stretch come to enough. A sign
//! counts once, however often it stands there. A text of up to [`STRETCH`] words is one stretch; a longer one is
//! looked at in stretches of that length, each beginning in the middle of the former, so that every sign is counted
//! in at most two and a long essay does not gather points.
//!
//! Only what a pupil writes is weighed; see [`crate::pack`] for where such a rule may look.

use std::collections::HashMap;
use std::ops::Range;

use crate::language::Language;
use crate::phrase::Phrase;
use crate::phrase_set::{self, PhraseSet};
use crate::view::View;
use crate::vocabulary::Vocabulary;

/// How many words are weighed together: a message, a search, a paragraph.
const STRETCH: usize = 60;
/// From how many words on a text is no message any more. Prose has so many stretches that one comes to enough by
/// chance: each must then come to half as much again.
const PROSE: usize = 2 * STRETCH;

/// The signs of all rules of a matcher.
#[derive(Debug, Default)]
pub(crate) struct Signs {
    phrases: PhraseSet,
    signs: Vec<Sign>,
}

#[derive(Debug)]
struct Sign {
    rule: usize,
    points: i32,
}

/// A stretch whose signs were added up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Weighed {
    /// The number of the rule.
    pub(crate) rule: usize,
    /// The words from the first sign for it to the last.
    pub(crate) span: Range<usize>,
    /// The points that count: two thirds of the sum in prose.
    pub(crate) points: i32,
}

/// The signs of one rule in one stretch.
#[derive(Debug, Default)]
struct Tally {
    seen: Vec<usize>,
    points: i32,
    span: Option<Range<usize>>,
}

/// Signs while they are put together.
#[derive(Debug, Default)]
pub(crate) struct Growing {
    phrases: phrase_set::Growing,
    signs: Vec<Sign>,
}

impl Growing {
    /// Adds a sign of a rule.
    pub(crate) fn add(
        &mut self,
        rule: usize,
        phrase: &Phrase,
        points: i32,
        language: Language,
        vocabulary: &mut Vocabulary,
    ) {
        self.phrases.add(phrase, language, vocabulary);
        self.signs.push(Sign { rule, points });
    }

    /// Lays them out for weighing.
    pub(crate) fn finish(self) -> Signs {
        Signs { phrases: self.phrases.finish(), signs: self.signs }
    }
}

impl Signs {
    pub(crate) fn is_empty(&self) -> bool {
        self.signs.is_empty()
    }

    /// Adds up every stretch of a text, for each rule with a sign in it.
    pub(crate) fn weigh(&self, view: &View<'_>) -> Vec<Weighed> {
        let mut tallies: HashMap<(usize, usize), Tally> = HashMap::new();
        for token in 0..view.len() {
            self.phrases.at(view, token, |number, span| {
                let Some(sign) = self.signs.get(number) else { return };
                for stretch in stretches(&span, view.len()) {
                    tallies.entry((sign.rule, stretch)).or_default().take(number, sign, &span);
                }
            });
        }
        let prose = view.len() > PROSE;
        let weighed = |((rule, stretch), tally): ((usize, usize), Tally)| {
            let points = if prose { tally.points.saturating_mul(2) / 3 } else { tally.points };
            Some((stretch, Weighed { rule, span: tally.span?, points }))
        };
        let mut all: Vec<(usize, Weighed)> = tallies.into_iter().filter_map(weighed).collect();
        all.sort_by_key(|(stretch, weighed)| (weighed.rule, *stretch));
        all.into_iter().map(|(_, weighed)| weighed).collect()
    }
}

impl Tally {
    fn take(&mut self, number: usize, sign: &Sign, span: &Range<usize>) {
        if self.seen.contains(&number) {
            return;
        }
        self.seen.push(number);
        self.points = self.points.saturating_add(sign.points);
        if sign.points > 0 {
            let widest = self.span.take().unwrap_or_else(|| span.clone());
            self.span = Some(widest.start.min(span.start)..widest.end.max(span.end));
        }
    }
}

/// Gives the stretches that hold all of a span, at most two.
fn stretches(span: &Range<usize>, length: usize) -> impl Iterator<Item = usize> {
    const STEP: usize = STRETCH / 2;
    let last = length.saturating_sub(STRETCH).div_ceil(STEP);
    let holding = span.start / STEP;
    let (start, end) = (span.start, span.end);
    (holding.saturating_sub(1)..=holding).filter(move |stretch| {
        *stretch <= last && stretch * STEP <= start && end <= stretch * STEP + STRETCH
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::phrase::Classes;
    use crate::words::Words;

    #[test]
    fn signs_of_one_stretch_add_up_once_each() {
        for (text, expected) in [
            ("a b", vec![(0..2, 5)]),
            ("a a a", vec![(0..1, 2)]),
            ("a b against", vec![(0..2, 1)]),
            ("against", vec![]),
            ("nothing of it", vec![]),
        ] {
            assert_eq!(weighed(text), expected, "{text}");
        }
    }

    #[test]
    fn what_is_far_apart_does_not_add_up() {
        let far = format!("a {} b", "x ".repeat(STRETCH));
        assert!(weighed(&far).iter().all(|(_, points)| *points < 5));
        let near = format!("{} a {} b", "x ".repeat(500), "x ".repeat(20));
        assert!(weighed(&near).iter().any(|(_, points)| *points == 5 * 2 / 3), "counts as prose");
    }

    #[test]
    fn every_short_span_lies_in_some_stretch() {
        for length in [1, 59, 60, 61, 89, 90, 91, 150, 1000] {
            for start in 0..length {
                let end = (start + 20).min(length);
                let holding: Vec<usize> = stretches(&(start..end), length).collect();
                assert!(!holding.is_empty(), "{start}..{end} of {length}");
                assert!(holding.len() <= 2);
            }
        }
    }

    fn weighed(text: &str) -> Vec<(Range<usize>, i32)> {
        let mut vocabulary = Vocabulary::default();
        let mut signs = Growing::default();
        for (phrase, points) in [("a", 2), ("b", 3), ("against", -4)] {
            let phrase = Phrase::parse(phrase, &Classes::new(Language::English)).unwrap();
            signs.add(0, &phrase, points, Language::English, &mut vocabulary);
        }
        let view = View::plain(&Words::of(text), &vocabulary);
        signs.finish().weigh(&view).into_iter().map(|it| (it.span, it.points)).collect()
    }
}
