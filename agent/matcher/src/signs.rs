//! Signs: words that say little alone and much together.
//!
//! "Nothing has been good since I was eleven" has no word that a phrase could hang on. A rule may therefore weigh
//! signs: each has points, for it or against it, and a match is where those of one stretch come to enough. A sign
//! counts once, however often it stands there. A text of up to [`STRETCH`] words is one stretch; a longer one is
//! looked at in stretches of that length, each beginning in the middle of the former, so that every sign is counted
//! in at most two and a long essay does not gather points.
//!
//! A rule of thousands of weak signs is balanced: the sum is divided by the root of how many stand in the stretch,
//! since long messages have more of them, for it and against it, by chance. Such signs are runs of a few words, which
//! `runs` finds without the weight of a phrase.
//!
//! Only what a pupil writes is weighed; see [`crate::pack`] for where such a rule may look.

use std::collections::HashMap;
use std::ops::Range;

use crate::language::Language;
use crate::phrase::Phrase;
use crate::phrase_set::{self, PhraseSet};
use crate::runs::{self, Runs};
use crate::stored::{Reader, Unreadable, Writer, ensure};
use crate::view::{Spelling, View};
use crate::vocabulary::Vocabulary;

/// How many words are weighed together: a message, a search, a paragraph.
const STRETCH: usize = 60;
/// From how many words on a text is no message any more. Prose has so many stretches that one comes to enough by
/// chance: each must then come to half as much again.
const PROSE: usize = 2 * STRETCH;

/// Fewer signs in a balanced rule count as if they were so many: one telling word among words that nobody knows is a
/// search for a town or an insurance.
pub const LEAST_SIGNS: usize = 6;

/// The signs of all rules of a matcher.
#[derive(Debug, Default)]
pub(crate) struct Signs {
    phrases: PhraseSet,
    /// The weight of each phrase.
    weights: Vec<Weight>,
    runs: Runs,
    /// The weight of each run.
    run_weights: Vec<Weight>,
}

/// What a sign says for a rule. Thousands are held.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Weight {
    /// The number of the rule.
    pub(crate) rule: u32,
    /// At most [`MAX_POINTS`](crate::MAX_POINTS), for or against.
    pub(crate) points: i16,
    /// Whether the rule divides the sum by the root of the number of signs.
    pub(crate) balanced: bool,
}

impl Weight {
    /// Points beyond what a pack may give, and rules beyond what packs may have, say nothing.
    pub(crate) fn of(rule: usize, points: i32, balanced: bool) -> Self {
        let rule = u32::try_from(rule).unwrap_or(u32::MAX);
        Self { rule, points: i16::try_from(points).unwrap_or_default(), balanced }
    }
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
    balanced: bool,
    against: Sum,
    /// What stands plainly for it, and what that spans.
    plain: Sum,
    plain_span: Option<Range<usize>>,
    /// What stands for it once disguises are undone, and how what is least like plain writing among
    /// it is written.
    all: Sum,
    span: Option<Range<usize>>,
    spelling: Option<Spelling>,
}

/// Points, and of how many signs.
#[derive(Debug, Clone, Copy, Default)]
struct Sum {
    points: i32,
    signs: usize,
}

/// Signs while they are put together.
#[derive(Debug, Default)]
pub(crate) struct Growing {
    phrases: phrase_set::Growing,
    weights: Vec<Weight>,
    runs: runs::Growing,
    run_weights: Vec<Weight>,
}

impl Growing {
    /// Adds a sign.
    pub(crate) fn add(
        &mut self,
        weight: Weight,
        phrase: &Phrase,
        language: Language,
        vocabulary: &mut Vocabulary,
    ) {
        if let Some(run) = phrase.plain_run().filter(|run| run.len() <= runs::LONGEST) {
            self.runs.add(&run, vocabulary);
            self.run_weights.push(weight);
        } else {
            self.phrases.add(phrase, language, vocabulary);
            self.weights.push(weight);
        }
    }

    /// Lays them out for weighing.
    pub(crate) fn finish(self) -> Signs {
        Signs {
            phrases: self.phrases.finish(),
            weights: self.weights,
            runs: self.runs.finish(),
            run_weights: self.run_weights,
        }
    }
}

impl Signs {
    pub(crate) fn write(&self, out: &mut Writer) {
        self.phrases.write(out);
        self.runs.write(out);
        for weights in [&self.weights, &self.run_weights] {
            out.list(weights, |out, Weight { rule, points, balanced }| {
                out.number(*rule);
                out.number(i32::from(*points).cast_unsigned());
                out.byte(u8::from(*balanced));
            });
        }
    }

    /// Reads the signs of so many rules.
    pub(crate) fn read(from: &mut Reader<'_>, rules: usize) -> Result<Self, Unreadable> {
        let phrases = PhraseSet::read(from)?;
        let runs = Runs::read(from)?;
        let weight = |from: &mut Reader<'_>| {
            let rule = from.number()?;
            ensure((rule as usize) < rules)?;
            let points = from.number()?.cast_signed();
            let points = i16::try_from(points).map_err(|_| Unreadable::Broken)?;
            Ok(Weight { rule, points, balanced: from.flag()? })
        };
        let (weights, run_weights) = (from.list(weight)?, from.list(weight)?);
        ensure(weights.len() == phrases.len() && run_weights.len() == runs.len())?;
        Ok(Self { phrases, weights, runs, run_weights })
    }

    /// Adds up every stretch of a text, for each rule with a sign in it: signs for it in one view,
    /// if `counts` says that what is written so counts for the rule, and signs against it in the
    /// other, which has the same tokens and may say more.
    pub(crate) fn weigh(
        &self,
        (view, context): (&View<'_>, &View<'_>),
        counts: impl Fn(Spelling) -> bool,
    ) -> Vec<Weighed> {
        if self.weights.is_empty() && self.run_weights.is_empty() {
            return Vec::new();
        }
        let mut tallies: HashMap<(usize, usize), Tally> = HashMap::new();
        let mut take = |number: usize, weight: &Weight, span: &Range<usize>, spelling: Spelling| {
            for stretch in stretches(span, view.len()) {
                let tally = tallies.entry((weight.rule as usize, stretch)).or_default();
                tally.take((number, weight), span, spelling);
            }
        };
        for token in 0..view.len() {
            self.at(view, token, |number, weight, span| {
                let spelling = view.spelling(&span);
                if weight.points > 0 && counts(spelling) {
                    take(number, weight, &span, spelling);
                }
            });
            self.at(context, token, |number, weight, span| {
                if weight.points < 0 {
                    take(number, weight, &span, Spelling::Plain);
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

    /// Gives `found` every sign that hangs on this token, each by a number of its own.
    fn at(
        &self,
        view: &View<'_>,
        token: usize,
        mut found: impl FnMut(usize, &Weight, Range<usize>),
    ) {
        self.phrases.at(view, token, |number, span| {
            self.weights.get(number).into_iter().for_each(|it| found(number, it, span.clone()));
        });
        self.runs.at(view, token, |number, span| {
            let weight = self.run_weights.get(number);
            weight.into_iter().for_each(|it| found(self.weights.len() + number, it, span.clone()));
        });
    }
}

impl Tally {
    fn take(
        &mut self,
        (number, weight): (usize, &Weight),
        span: &Range<usize>,
        spelling: Spelling,
    ) {
        if self.seen.contains(&number) {
            return;
        }
        self.seen.push(number);
        self.balanced = weight.balanced;
        if weight.points < 0 {
            self.against.add(weight.points.into());
            return;
        }
        self.all.add(weight.points.into());
        widen(&mut self.span, span);
        self.spelling = self.spelling.max(Some(spelling));
        if spelling == Spelling::Plain {
            self.plain.add(weight.points.into());
            widen(&mut self.plain_span, span);
        }
    }

    /// Gives what comes out: what stands plainly counts in full, and three quarters of what stands
    /// there once disguises and slips are undone, since each reading is a guess. Whichever is more.
    fn outcome(self) -> Option<(Range<usize>, Spelling, i32)> {
        let spelling = self.spelling?;
        let plain = self.sum(self.plain);
        let all = self.sum(self.all).saturating_mul(3) / 4;
        if spelling == Spelling::Plain || plain >= all {
            return Some((self.plain_span?, Spelling::Plain, plain));
        }
        Some((self.span?, spelling, all))
    }

    fn sum(&self, so: Sum) -> i32 {
        let points = so.points.saturating_add(self.against.points);
        if self.balanced { balanced(points, so.signs + self.against.signs) } else { points }
    }
}

impl Sum {
    fn add(&mut self, points: i32) {
        self.points = self.points.saturating_add(points);
        self.signs += 1;
    }
}

/// Gives what the points of some signs come to in a balanced rule: their sum divided by the root
/// of their number, which is at least [`LEAST_SIGNS`], rounded down; nothing if more speaks against it.
#[must_use]
pub fn balanced(points: i32, signs: usize) -> i32 {
    let square = i64::from(points.max(0)).pow(2);
    let signs = i64::try_from(signs.max(LEAST_SIGNS)).unwrap_or(i64::MAX);
    i32::try_from((square / signs).isqrt()).unwrap_or(i32::MAX)
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
    fn a_balanced_sum_is_divided_by_the_root_of_its_number() {
        assert_eq!(sums("a b", true), [(0..2, 2)], "5 / 2.45");
        assert_eq!(sums("a b against", true), [(0..2, 0)], "1 / 2.45");
        for (points, signs, outcome) in
            [(100, 16, 25), (60, 1, 24), (60, 6, 24), (-60, 9, 0), (i32::MAX, 0, 876_706_527)]
        {
            assert_eq!(balanced(points, signs), outcome);
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
        sums(text, false)
    }

    fn sums(text: &str, balanced: bool) -> Vec<(Range<usize>, i32)> {
        let mut vocabulary = Vocabulary::default();
        let mut signs = Growing::default();
        for (phrase, points) in [("a", 2), ("b", 3), ("against", -4)] {
            let phrase = Phrase::parse(phrase, &Classes::new(Language::English)).unwrap();
            let weight = Weight::of(0, points, balanced);
            signs.add(weight, &phrase, Language::English, &mut vocabulary);
        }
        let view = View::plain(&Words::of(text), &vocabulary);
        signs
            .finish()
            .weigh((&view, &view), |_| true)
            .into_iter()
            .map(|it| (it.span, it.points))
            .collect()
    }
}
