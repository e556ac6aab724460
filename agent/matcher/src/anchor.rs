//! Which words of a phrase it hangs on: those that the fewest texts hold.

use crate::language::Language;
use crate::phrase::{Item, Pattern, Phrase};

/// What hanging on a word that nearly every text holds costs, in the weights of [`weight`].
const COMMON_WEIGHT: usize = 1000;

/// Where in a phrase a word stands.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Hook {
    pub(crate) item: usize,
    pub(crate) alternative: usize,
    pub(crate) word: usize,
}

impl Hook {
    /// Gives the word there.
    pub(crate) fn pattern(self, phrase: &Phrase) -> Option<&Pattern> {
        match phrase.items.get(self.item)? {
            Item::Choice { alternatives, .. } => alternatives.get(self.alternative)?.get(self.word),
            Item::Start | Item::End | Item::Gap { .. } => None,
        }
    }
}

/// Gives the words that a phrase hangs on: the rarest of each alternative of its rarest item.
pub(crate) fn anchors(phrase: &Phrase, language: Language) -> Vec<Hook> {
    let weighed = phrase.items.iter().enumerate();
    let rarest = weighed
        .filter_map(|(index, item)| Some((weight(item, language)?, index, item)))
        .min_by_key(|(weight, index, _)| (*weight, *index));
    let Some((_, item, Item::Choice { alternatives, .. })) = rarest else { return Vec::new() };
    let rarest_word = |run: &Vec<Pattern>| {
        (0..run.len()).min_by_key(|word| run.get(*word).map(|it| word_weight(it, language)))
    };
    let words = alternatives.iter().map(rarest_word).enumerate();
    words.filter_map(|(alternative, word)| Some(Hook { item, alternative, word: word? })).collect()
}

/// Weighs how often an item wakes; nothing if it cannot hold a phrase.
fn weight(item: &Item, language: Language) -> Option<usize> {
    let Item::Choice { alternatives, optional: false } = item else { return None };
    Some(
        alternatives
            .iter()
            .map(|run| run.iter().map(|word| word_weight(word, language)).min().unwrap_or_default())
            .sum(),
    )
}

/// Weighs how often a word wakes: common ones nearly always, short ones more than long ones.
fn word_weight(pattern: &Pattern, language: Language) -> usize {
    if language.is_common(&pattern.word) {
        COMMON_WEIGHT
    } else {
        let length = pattern.word.chars().count();
        20_usize.saturating_sub(length).max(1) + if pattern.prefix { 10 } else { 0 }
    }
}
