//! Phrases compiled for searching.
//!
//! Each phrase hangs on its rarest item: only where a word of that item stands is the phrase
//! looked at, first the words of the item, then what must follow, then what must precede. Both
//! directions advance a set of reachable places held in 64 bits, one item at a time, so that the
//! cost of a look is bounded by the phrase, whatever the text: nothing is tried twice.

use std::ops::Range;

use crate::language::Language;
use crate::phrase::{Item, MAX_SPAN, Pattern, Phrase};
use crate::view::View;
use crate::vocabulary::{FastMap, Vocabulary, WordId};

/// What hanging on a word that nearly every text holds costs, in the weights of [`weight`].
const COMMON_WEIGHT: usize = 1000;

/// A set of phrases that are searched together.
#[derive(Debug, Default)]
pub(crate) struct PhraseSet {
    phrases: Vec<Vec<CompiledItem>>,
    anchors: FastMap<WordId, Vec<Anchor>>,
}

#[derive(Debug)]
enum CompiledItem {
    Start,
    End,
    Gap { min: u8, max: u8 },
    Choice { alternatives: Vec<Vec<WordId>>, optional: bool },
}

/// Where in a phrase the word stands that wakes it.
#[derive(Debug, Clone, Copy)]
struct Anchor {
    phrase: usize,
    item: usize,
    alternative: usize,
    word: usize,
}

impl PhraseSet {
    /// Compiles phrases.
    pub(crate) fn of(phrases: &[Phrase], language: Language, vocabulary: &mut Vocabulary) -> Self {
        let mut set = Self::default();
        for phrase in phrases {
            set.add(phrase, language, vocabulary);
        }
        set
    }

    /// Adds a phrase; phrases are numbered in the order they come.
    pub(crate) fn add(&mut self, phrase: &Phrase, language: Language, vocabulary: &mut Vocabulary) {
        let number = self.phrases.len();
        let rarest = phrase
            .items
            .iter()
            .enumerate()
            .filter_map(|(index, item)| Some((weight(item, language)?, index)))
            .min();
        let compiled: Vec<CompiledItem> =
            phrase.items.iter().map(|item| CompiledItem::of(item, vocabulary)).collect();
        if let Some((_, item)) = rarest
            && let (
                Some(Item::Choice { alternatives, .. }),
                Some(CompiledItem::Choice { alternatives: ids, .. }),
            ) = (phrase.items.get(item), compiled.get(item))
        {
            for (alternative, (patterns, ids)) in alternatives.iter().zip(ids).enumerate() {
                let rarest = (0..patterns.len())
                    .min_by_key(|word| patterns.get(*word).map(|it| word_weight(it, language)));
                if let Some((word, id)) = rarest.and_then(|word| Some((word, *ids.get(word)?))) {
                    let anchor = Anchor { phrase: number, item, alternative, word };
                    self.anchors.entry(id).or_default().push(anchor);
                }
            }
        }
        self.phrases.push(compiled);
    }

    /// Gives `found` every phrase that hangs on this token, with the tokens it spans.
    pub(crate) fn at(&self, view: &View, token: usize, mut found: impl FnMut(usize, Range<usize>)) {
        for id in view.ids(token) {
            for anchor in self.anchors.get(id).into_iter().flatten() {
                if let Some(span) = self.read(view, token, *anchor) {
                    found(anchor.phrase, span);
                }
            }
        }
    }

    /// Says whether some phrase lies within these tokens.
    pub(crate) fn is_within(&self, view: &View, range: &Range<usize>) -> bool {
        range.clone().any(|token| {
            let mut inside = false;
            self.at(view, token, |_, span| {
                inside |= range.start <= span.start && span.end <= range.end;
            });
            inside
        })
    }

    fn read(&self, view: &View, token: usize, anchor: Anchor) -> Option<Range<usize>> {
        let items = self.phrases.get(anchor.phrase)?;
        let CompiledItem::Choice { alternatives, .. } = items.get(anchor.item)? else {
            return None;
        };
        let run = alternatives.get(anchor.alternative)?;
        let start = token.checked_sub(anchor.word)?;
        if !stands(view, start, run) {
            return None;
        }
        let end = start + run.len();
        let after = forward(items.get(anchor.item + 1..)?, view, end)?;
        let before = backward(items.get(..anchor.item)?, view, start)?;
        Some(start - before..end + after)
    }
}

impl CompiledItem {
    fn of(item: &Item, vocabulary: &mut Vocabulary) -> Self {
        match item {
            Item::Start => Self::Start,
            Item::End => Self::End,
            Item::Gap { min, max } => Self::Gap { min: *min, max: *max },
            Item::Choice { alternatives, optional } => Self::Choice {
                alternatives: alternatives
                    .iter()
                    .map(|run| run.iter().map(|pattern| vocabulary.intern(pattern)).collect())
                    .collect(),
                optional: *optional,
            },
        }
    }
}

/// Gives how many tokens the items take from `at` on, the fewest if there are several ways.
fn forward(items: &[CompiledItem], view: &View, at: usize) -> Option<usize> {
    let room = (0..MAX_SPAN).take_while(|taken| !view.begins_sentence(at + taken)).count();
    advance(
        items.iter(),
        room,
        |item, taken| match item {
            CompiledItem::Start => at + taken == 0,
            CompiledItem::End => at + taken == view.len(),
            CompiledItem::Gap { .. } | CompiledItem::Choice { .. } => true,
        },
        |run, taken| stands(view, at + taken, run),
    )
}

/// Gives how many tokens the items take up to `at`, the fewest if there are several ways.
fn backward(items: &[CompiledItem], view: &View, at: usize) -> Option<usize> {
    let room = (0..MAX_SPAN.min(at)).take_while(|taken| !view.begins_sentence(at - taken)).count();
    advance(
        items.iter().rev(),
        room,
        |item, taken| match item {
            CompiledItem::Start => at == taken,
            CompiledItem::End => at - taken == view.len(),
            CompiledItem::Gap { .. } | CompiledItem::Choice { .. } => true,
        },
        |run, taken| {
            at.checked_sub(taken + run.len()).is_some_and(|start| stands(view, start, run))
        },
    )
}

/// Advances the set of reachable places through the items; bit n stands for n tokens taken.
fn advance<'a>(
    items: impl Iterator<Item = &'a CompiledItem>,
    room: usize,
    holds: impl Fn(&CompiledItem, usize) -> bool,
    stands: impl Fn(&[WordId], usize) -> bool,
) -> Option<usize> {
    let reachable = (1_u64 << (room + 1)) - 1;
    let mut places = 1_u64;
    for item in items {
        let mut next = 0_u64;
        for taken in bits(places) {
            match item {
                CompiledItem::Start | CompiledItem::End => {
                    next |= u64::from(holds(item, taken)) << taken;
                }
                CompiledItem::Gap { min, max } => {
                    for width in *min..=*max {
                        next |= 1_u64 << (taken + usize::from(width)).min(63);
                    }
                }
                CompiledItem::Choice { alternatives, optional } => {
                    next |= u64::from(*optional) << taken;
                    for run in alternatives {
                        if taken + run.len() <= room && stands(run, taken) {
                            next |= 1_u64 << (taken + run.len());
                        }
                    }
                }
            }
        }
        places = next & reachable;
        if places == 0 {
            return None;
        }
    }
    Some(places.trailing_zeros() as usize)
}

fn bits(mut set: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        (set != 0).then(|| {
            let lowest = set.trailing_zeros() as usize;
            set &= set - 1;
            lowest
        })
    })
}

/// Says whether these words stand at `start`, in one sentence.
fn stands(view: &View, start: usize, run: &[WordId]) -> bool {
    run.iter().enumerate().all(|(offset, id)| {
        let token = start + offset;
        view.ids(token).contains(id) && (offset == 0 || !view.begins_sentence(token))
    })
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::phrase::Classes;
    use crate::words::Words;
    use proptest::prelude::*;

    #[test]
    fn phrases_are_found_where_they_stand() {
        for (phrase, text, expected) in [
            ("kill myself", "how to kill myself now", Some(2..4)),
            ("kill myself", "kill or be myself", None),
            ("kill myself", "kill. Myself", None),
            ("kill <2> myself", "kill me and myself", Some(0..4)),
            ("kill <2> myself", "kill me and also myself", None),
            ("kill _ myself", "kill myself", None),
            ("i really? want", "i want", Some(0..2)),
            ("i really? want", "i really want", Some(0..3)),
            ("(want to|wanna) die", "i wanna die", Some(1..3)),
            ("(want to|wanna) die", "i want to die", Some(1..4)),
            ("^ die", "die now", Some(0..1)),
            ("^ die", "now die", None),
            ("die $", "now die", Some(1..2)),
            ("die $", "die now", None),
            ("a <8> b <8> c", "a b x b x c", Some(0..6)),
            ("end* it (all|now)", "ended it all", Some(0..3)),
        ] {
            assert_eq!(found(phrase, text), expected, "{phrase:?} in {text:?}");
        }
    }

    proptest! {
        #[test]
        fn what_a_plain_phrase_says_is_found_in_any_surroundings(
            before in proptest::collection::vec("[a-z]{1,6}", 0..20),
            phrase in proptest::collection::vec("[a-z]{1,6}", 1..8),
            after in proptest::collection::vec("[a-z]{1,6}", 0..20),
        ) {
            let all = [before, phrase.clone(), after].concat().join(" ");
            prop_assert!(found(&phrase.join(" "), &all).is_some());
        }
    }

    fn found(phrase: &str, text: &str) -> Option<Range<usize>> {
        let mut vocabulary = Vocabulary::default();
        let phrase = Phrase::parse(phrase, &Classes::new(Language::English)).unwrap();
        let set = PhraseSet::of(&[phrase], Language::English, &mut vocabulary);
        let view = View::plain(&Words::of(text), &vocabulary);
        let mut spans = Vec::new();
        for token in 0..view.len() {
            set.at(&view, token, |_, span| spans.push(span));
        }
        spans.into_iter().next()
    }
}
