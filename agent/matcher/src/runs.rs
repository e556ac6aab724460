//! Runs of up to three words, thousands of them: what signs mostly are.
//!
//! They lie sorted by their first word, and a table says where those of each word begin. A text is
//! read token by token: the runs of its word are narrowed by the next word, and by the one after.

use std::ops::Range;

use crate::phrase::Pattern;
use crate::stored::{Reader, Unreadable, Writer, ensure};
use crate::view::View;
use crate::vocabulary::{Vocabulary, WordId};

/// The most words of a run.
pub(crate) const LONGEST: usize = 3;

/// Runs, numbered in the order in which they came.
#[derive(Debug, Default)]
pub(crate) struct Runs {
    /// Where the runs of each first word begin, and after the last word their number.
    starts: Box<[u32]>,
    /// Sorted by first word, then by this.
    rests: Box<[Rest]>,
}

/// A run after its first word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Rest {
    second: Next,
    third: Next,
    number: u32,
}

/// One more than a word's id; 0 where the run is over. Thousands are held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Next(u32);

impl Next {
    const NONE: Self = Self(0);

    fn of(word: Option<WordId>) -> Self {
        word.map_or(Self::NONE, |id| Self(id.saturating_add(1)))
    }
}

/// Runs while they are put together.
#[derive(Debug, Default)]
pub(crate) struct Growing {
    runs: Vec<(WordId, Rest)>,
}

impl Growing {
    /// Adds a run of one to [`LONGEST`] words.
    pub(crate) fn add(&mut self, words: &[&Pattern], vocabulary: &mut Vocabulary) {
        let mut ids = words.iter().map(|word| vocabulary.intern(word));
        let number = u32::try_from(self.runs.len()).unwrap_or(u32::MAX);
        if let Some(first) = ids.next() {
            self.runs.push((
                first,
                Rest { second: Next::of(ids.next()), third: Next::of(ids.next()), number },
            ));
        }
    }

    /// Lays them out for reading.
    pub(crate) fn finish(mut self) -> Runs {
        self.runs.sort_unstable();
        let words = self.runs.last().map_or(0, |(first, _)| first + 1);
        let starts = (0..=words).map(|word| {
            let before = self.runs.partition_point(|(first, _)| *first < word);
            u32::try_from(before).unwrap_or(u32::MAX)
        });
        let starts = starts.collect();
        Runs { starts, rests: self.runs.into_iter().map(|(_, rest)| rest).collect() }
    }
}

impl Runs {
    pub(crate) fn write(&self, out: &mut Writer) {
        out.numbers(&self.starts);
        out.list(&self.rests, |out, Rest { second, third, number }| {
            [second.0, third.0, *number].into_iter().for_each(|it| out.number(it));
        });
    }

    pub(crate) fn read(from: &mut Reader<'_>) -> Result<Self, Unreadable> {
        let starts = from.numbers()?;
        let rest = |from: &mut Reader<'_>| {
            let (second, third) = (Next(from.number()?), Next(from.number()?));
            Ok(Rest { second, third, number: from.number()? })
        };
        let rests = from.list(rest)?;
        ensure(rests.iter().all(|run| (run.number as usize) < rests.len()))?;
        ensure(starts.is_sorted() && starts.last().map_or(0, |end| *end as usize) == rests.len())?;
        Ok(Self { starts, rests: rests.into() })
    }

    /// Gives how many runs there are.
    pub(crate) fn len(&self) -> usize {
        self.rests.len()
    }

    /// Gives `found` the number of every run that begins with a token, and the tokens it spans.
    pub(crate) fn at(
        &self,
        view: &View<'_>,
        token: usize,
        mut found: impl FnMut(usize, Range<usize>),
    ) {
        for first in view.ids(token) {
            let runs = self.of(*first);
            if runs.is_empty() {
                continue;
            }
            view.step();
            let mut end = |runs: &[Rest], words: usize| {
                runs.iter().for_each(|run| found(run.number as usize, token..token + words));
            };
            let longer = runs.partition_point(|run| run.second == Next::NONE);
            let (alone, longer) = runs.split_at_checked(longer).unwrap_or_default();
            end(alone, 1);
            if longer.is_empty() {
                continue;
            }
            for second in next(view, token + 1) {
                let runs = narrowed(longer, |run| run.second.cmp(&Next::of(Some(*second))));
                let two = runs.partition_point(|run| run.third == Next::NONE);
                let (two, three) = runs.split_at_checked(two).unwrap_or_default();
                end(two, 2);
                if three.is_empty() {
                    continue;
                }
                for third in next(view, token + 2) {
                    end(narrowed(three, |run| run.third.cmp(&Next::of(Some(*third)))), 3);
                }
            }
        }
    }

    fn of(&self, first: WordId) -> &[Rest] {
        let at = |word: usize| self.starts.get(word).map(|start| *start as usize);
        let word = first as usize;
        at(word).zip(at(word + 1)).and_then(|(from, to)| self.rests.get(from..to)).unwrap_or(&[])
    }
}

/// Gives what a token may say that goes on a run: nothing where a sentence begins.
fn next<'a>(view: &'a View<'_>, token: usize) -> &'a [WordId] {
    if view.begins_sentence(token) { &[] } else { view.ids(token) }
}

fn narrowed(runs: &[Rest], to: impl Fn(&Rest) -> std::cmp::Ordering) -> &[Rest] {
    let from = runs.partition_point(|run| to(run).is_lt());
    let until = runs.partition_point(|run| to(run).is_le());
    runs.get(from..until).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::Words;

    #[test]
    fn runs_are_found_word_by_word() {
        assert_eq!(found("so tired of it all"), [(0, 1..2), (1, 1..3), (2, 1..4), (4, 4..5)]);
        assert_eq!(found("tired. of it"), [(0, 0..1)], "no run goes on in another sentence");
        assert_eq!(found("of it tired"), [(0, 2..3)]);
        assert_eq!(found("it is over"), [(3, 0..3)]);
        assert!(found("nothing here").is_empty() && found("").is_empty());
    }

    #[test]
    fn the_same_run_may_stand_twice() {
        let (runs, vocabulary) = runs(&["all", "all"]);
        let view = View::plain(&Words::of("all"), &vocabulary);
        let mut numbers = Vec::new();
        runs.at(&view, 0, |number, _| numbers.push(number));
        assert_eq!(numbers, [0, 1]);
    }

    fn found(text: &str) -> Vec<(usize, Range<usize>)> {
        let (runs, vocabulary) = runs(&["tired", "tired of", "tired of it", "it is over", "all"]);
        let view = View::plain(&Words::of(text), &vocabulary);
        let mut found = Vec::new();
        for token in 0..view.len() {
            runs.at(&view, token, |number, span| found.push((number, span)));
        }
        found.sort_unstable_by_key(|(number, _)| *number);
        found
    }

    fn runs(texts: &[&str]) -> (Runs, Vocabulary) {
        let (mut growing, mut vocabulary) = (Growing::default(), Vocabulary::default());
        for text in texts {
            let words: Vec<Pattern> =
                text.split(' ').map(|word| Pattern { word: word.into(), prefix: false }).collect();
            growing.add(&words.iter().collect::<Vec<_>>(), &mut vocabulary);
        }
        (growing.finish(), vocabulary)
    }
}
