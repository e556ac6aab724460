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
use crate::stored::{Reader, Unreadable, Writer, ensure};
use crate::view::{Spelling, View};
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
    /// How the signs for it are written: what is least like plain writing among them.
    pub(crate) spelling: Spelling,
}

/// The signs of one rule in one stretch.
#[derive(Default)]
struct Tally {
    seen: Vec<usize>,
    /// The points against it.
    against: i32,
    /// The points for it that stand plainly, and what their signs span.
    plain: i32,
    plain_span: Option<Range<usize>>,
    /// All points for it, and how what is least like plain writing among them is written.
    points: i32,
    span: Option<Range<usize>>,
    spelling: Option<Spelling>,
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
    pub(crate) fn write(&self, out: &mut Writer) {
        self.phrases.write(out);
        out.list(&self.signs, |out, Sign { rule, points }| {
            out.size(*rule);
            out.number(points.cast_unsigned());
        });
    }

    /// Reads the signs of so many rules.
    pub(crate) fn read(from: &mut Reader<'_>, rules: usize) -> Result<Self, Unreadable> {
        let phrases = PhraseSet::read(from)?;
        let signs = from.list(|from| {
            let rule = from.size(rules)?;
            Ok(Sign { rule, points: from.number()?.cast_signed() })
        })?;
        ensure(signs.len() == phrases.len() && signs.iter().all(|sign| sign.rule < rules))?;
        Ok(Self { phrases, signs })
    }

    /// Adds up every stretch of a text, for each rule with a sign in it: signs for it in one view,
    /// if `counts` says that what is written so counts for the rule, and signs against it in the
    /// other, which has the same tokens and may say more.
    pub(crate) fn weigh(
        &self,
        (view, context): (&View<'_>, &View<'_>),
        counts: impl Fn(usize, Spelling) -> bool,
    ) -> Vec<Weighed> {
        if self.signs.is_empty() {
            return Vec::new();
        }
        let mut tallies: HashMap<(usize, usize), Tally> = HashMap::new();
        let mut take = |number: usize, sign: &Sign, span: &Range<usize>, spelling: Spelling| {
            for stretch in stretches(span, view.len()) {
                let tally = tallies.entry((sign.rule, stretch)).or_default();
                tally.take((number, sign), span, spelling);
            }
        };
        for token in 0..view.len() {
            self.phrases.at(view, token, |number, span| {
                let Some(sign) = self.signs.get(number).filter(|sign| sign.points > 0) else {
                    return;
                };
                let spelling = view.spelling(&span);
                if counts(sign.rule, spelling) {
                    take(number, sign, &span, spelling);
                }
            });
            self.phrases.at(context, token, |number, span| {
                if let Some(sign) = self.signs.get(number).filter(|sign| sign.points < 0) {
                    take(number, sign, &span, Spelling::Plain);
                }
            });
        }
        let prose = view.len() > PROSE;
        let weighed = |((rule, stretch), tally): ((usize, usize), Tally)| {
            let (span, spelling, points) = tally.outcome()?;
            let points = if prose { points.saturating_mul(2) / 3 } else { points };
            Some((stretch, Weighed { rule, span, points, spelling }))
        };
        let mut all: Vec<(usize, Weighed)> = tallies.into_iter().filter_map(weighed).collect();
        all.sort_by_key(|(stretch, weighed)| (weighed.rule, *stretch));
        all.into_iter().map(|(_, weighed)| weighed).collect()
    }
}

impl Tally {
    fn take(&mut self, (number, sign): (usize, &Sign), span: &Range<usize>, spelling: Spelling) {
        if self.seen.contains(&number) {
            return;
        }
        self.seen.push(number);
        if sign.points < 0 {
            self.against = self.against.saturating_add(sign.points);
            return;
        }
        self.points = self.points.saturating_add(sign.points);
        widen(&mut self.span, span);
        self.spelling = self.spelling.max(Some(spelling));
        if spelling == Spelling::Plain {
            self.plain = self.plain.saturating_add(sign.points);
            widen(&mut self.plain_span, span);
        }
    }

    /// Gives what comes out: what stands plainly counts in full, and three quarters of what stands
    /// there once disguises and slips are undone, since each reading is a guess. Whichever is more.
    fn outcome(self) -> Option<(Range<usize>, Spelling, i32)> {
        let all = self.points.saturating_add(self.against);
        let plain = self.plain.saturating_add(self.against);
        let spelling = self.spelling?;
        if spelling == Spelling::Plain || plain >= all.saturating_mul(3) / 4 {
            return Some((self.plain_span?, Spelling::Plain, plain));
        }
        Some((self.span?, spelling, all.saturating_mul(3) / 4))
    }
}

fn widen(widest: &mut Option<Range<usize>>, span: &Range<usize>) {
    let so_far = widest.take().unwrap_or_else(|| span.clone());
    *widest = Some(so_far.start.min(span.start)..so_far.end.max(span.end));
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
        signs
            .finish()
            .weigh((&view, &view), |_, _| true)
            .into_iter()
            .map(|it| (it.span, it.points))
            .collect()
    }
}
