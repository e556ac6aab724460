//! Which words of a phrase it hangs on: those that the fewest texts hold.

use crate::language::Language;
use crate::phrase::{Item, Pattern, Phrase};

/// What hanging on a word that nearly every text holds costs, in the weights of [`word_weight`].
const COMMON_WEIGHT: u32 = 1000;

/// How often an item wakes that a phrase may hang on, and by which words.
#[derive(Debug, Clone, Default)]
pub(crate) struct Weighed {
    pub(crate) weight: u32,
    /// The number of the rarest word of each run.
    pub(crate) rarest: Vec<u32>,
}

impl Weighed {
    /// Weighs alternatives by the weights of their words.
    pub(crate) fn of<'a, W: 'a>(
        runs: impl Iterator<Item = &'a [W]>,
        weight: impl Fn(&W) -> u32,
    ) -> Self {
        let mut all = Self::default();
        for run in runs {
            let words = (0..).zip(run.iter().map(&weight));
            let (rarest, least) = words.min_by_key(|(_, weight)| *weight).unwrap_or_default();
            all.weight = all.weight.saturating_add(least);
            all.rarest.push(rarest);
        }
        all
    }
}

/// Gives the words that a phrase hangs on: the rarest of each alternative of its rarest item.
pub(crate) fn anchors(phrase: &Phrase, language: Language) -> Vec<&Pattern> {
    let weighed = phrase.items.iter().filter_map(|item| match item {
        Item::Choice { alternatives, optional: false } => {
            let weight = |word: &Pattern| word_weight(word, language);
            Some((alternatives, Weighed::of(alternatives.iter(), weight)))
        }
        _ => None,
    });
    let Some((alternatives, weighed)) = weighed.min_by_key(|(_, weighed)| weighed.weight) else {
        return Vec::new();
    };
    let words = alternatives.iter().zip(weighed.rarest);
    words.filter_map(|(run, rarest)| run.get(rarest as usize)).collect()
}

/// Weighs how often a word wakes: common ones nearly always, short ones more than long ones.
pub(crate) fn word_weight(pattern: &Pattern, language: Language) -> u32 {
    if language.is_common(&pattern.word) {
        return COMMON_WEIGHT;
    }
    let length = u32::try_from(pattern.word.chars().count()).unwrap_or(u32::MAX);
    20_u32.saturating_sub(length).max(1) + if pattern.prefix { 10 } else { 0 }
}
