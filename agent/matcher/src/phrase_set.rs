//! Phrases compiled for searching.
//!
//! Each phrase hangs on its rarest item: only where a word of that item stands is the phrase
//! looked at. First a few bits are compared: what must stand within so many words after and before,
//! against what does. If that leaves it possible, the words of the item are read, then what must
//! follow, then what must precede. Both directions advance a set of reachable places held in 64
//! bits, one item at a time, so that the cost of a look is bounded by the phrase, whatever the
//! text: nothing is tried twice.

use std::ops::{Deref, Range};
use std::sync::Arc;

use crate::anchor::anchors;
use crate::language::Language;
use crate::lexicon::signature;
use crate::phrase::{Item, MAX_SPAN, Pattern, Phrase};
use crate::view::View;
use crate::vocabulary::{FastMap, Vocabulary, WordId};

/// A set of phrases that are searched together. Cloning shares them.
#[derive(Debug, Default, Clone)]
pub(crate) struct PhraseSet(Arc<Phrases>);

/// The phrases of a set.
#[derive(Debug, Default, Clone)]
pub(crate) struct Phrases {
    phrases: Vec<Compiled>,
    anchors: FastMap<WordId, Vec<Anchor>>,
    items: Vec<CompiledItem>,
    runs: Vec<Run>,
    words: Vec<WordId>,
    /// The most words that a phrase spans.
    longest: usize,
}

/// A phrase round the item it hangs on.
#[derive(Debug, Clone)]
struct Compiled {
    /// The items after that item.
    after: Side,
    /// The items before it, the nearest first.
    before: Side,
}

#[derive(Debug, Clone, Copy, Default)]
struct Side {
    /// A range of [`Phrases::items`].
    start: u32,
    end: u32,
    /// The most words they take.
    longest: u32,
}

#[derive(Debug, Clone)]
enum CompiledItem {
    Start,
    End,
    Gap {
        min: u8,
        max: u8,
    },
    /// A range of [`Phrases::runs`], sorted by key.
    Choice {
        start: u32,
        end: u32,
        optional: bool,
    },
}

/// Words that follow each other, a range of [`Phrases::words`].
#[derive(Debug, Clone, Copy)]
struct Run {
    /// The word nearest to the item that the phrase hangs on.
    key: WordId,
    start: u32,
    length: u32,
}

/// Which phrase a word wakes.
#[derive(Debug, Clone, Copy)]
struct Anchor {
    phrase: u32,
    /// The run the word stands in, of the item that the phrase hangs on.
    run: Run,
    /// Which of the run's words it is.
    word: u32,
    after: Need,
    before: Need,
}

/// What must stand on one side of a word: one of these ids within so many words.
#[derive(Debug, Clone, Copy)]
struct Need {
    within: u32,
    signature: u64,
}

impl Need {
    const NOTHING: Self = Self { within: 0, signature: u64::MAX };
}

impl PhraseSet {
    /// Compiles phrases. Sets of the same phrases are one: many rules have the same conditions.
    pub(crate) fn of(phrases: &[Phrase], language: Language, vocabulary: &mut Vocabulary) -> Self {
        if let Some(known) = vocabulary.set(phrases, language) {
            return known;
        }
        let mut set = Self::default();
        for phrase in phrases {
            set.add(phrase, language, vocabulary);
        }
        set.shrink();
        vocabulary.keep_set(phrases, language, &set);
        set
    }

    /// Adds a phrase; phrases are numbered in the order they come.
    pub(crate) fn add(&mut self, phrase: &Phrase, language: Language, vocabulary: &mut Vocabulary) {
        Arc::make_mut(&mut self.0).add(phrase, language, vocabulary);
    }

    /// Lets go of the room that adding phrases took.
    pub(crate) fn shrink(&mut self) {
        Arc::make_mut(&mut self.0).shrink();
    }
}

impl Deref for PhraseSet {
    type Target = Phrases;

    fn deref(&self) -> &Phrases {
        &self.0
    }
}

impl Phrases {
    fn add(&mut self, phrase: &Phrase, language: Language, vocabulary: &mut Vocabulary) {
        let phrase_number = number(self.phrases.len());
        self.longest = self.longest.max(phrase.items.iter().map(Item::longest).sum());
        let hooks = anchors(phrase, language);
        let item = hooks.first().map_or(0, |hook| hook.item);
        let after = phrase.items.get(item + 1..).unwrap_or_default();
        let before = phrase.items.get(..item).unwrap_or_default();
        let compiled = Compiled {
            after: self.side(after.iter(), false, vocabulary),
            before: self.side(before.iter().rev(), true, vocabulary),
        };
        let (needs_after, needs_before) = (self.need(compiled.after), self.need(compiled.before));
        self.phrases.push(compiled);
        let Some(Item::Choice { alternatives, .. }) = phrase.items.get(item) else { return };
        for hook in hooks {
            let Some(patterns) = alternatives.get(hook.alternative) else { continue };
            let run = self.run(patterns, false, vocabulary);
            let Some(ids) = self.words.get(run.words()) else { continue };
            let Some(id) = ids.get(hook.word).copied() else { continue };
            // Within the run the neighbours are certain; beyond it, what its side needs.
            let beside = |word: Option<usize>| {
                let id = word.and_then(|word| ids.get(word))?;
                Some(Need { within: 1, signature: signature(&[*id]) })
            };
            let anchor = Anchor {
                phrase: phrase_number,
                run,
                word: number(hook.word),
                after: beside(Some(hook.word + 1)).unwrap_or(needs_after),
                before: beside(hook.word.checked_sub(1)).unwrap_or(needs_before),
            };
            self.anchors.entry(id).or_default().push(anchor);
        }
    }

    fn shrink(&mut self) {
        self.anchors.values_mut().for_each(Vec::shrink_to_fit);
        self.anchors.shrink_to_fit();
        self.phrases.shrink_to_fit();
        self.items.shrink_to_fit();
        self.runs.shrink_to_fit();
        self.words.shrink_to_fit();
    }

    /// Gives the most words that a phrase spans.
    pub(crate) fn longest(&self) -> usize {
        self.longest
    }

    /// Says whether a phrase hangs on a word.
    pub(crate) fn hangs_on(&self, id: WordId) -> bool {
        self.anchors.contains_key(&id)
    }

    /// Gives `found` every phrase that hangs on this token, with the tokens it spans.
    pub(crate) fn at(
        &self,
        view: &View<'_>,
        token: usize,
        mut found: impl FnMut(usize, Range<usize>),
    ) {
        let mut after = Neighbours::default();
        let mut before = Neighbours::default();
        for id in view.ids(token) {
            for anchor in self.anchors.get(id).into_iter().flatten() {
                view.step();
                if after.may_meet(anchor.after, |distance| ahead(view, token, distance))
                    && before.may_meet(anchor.before, |distance| behind(view, token, distance))
                    && let Some(span) = self.read(view, token, anchor)
                {
                    found(anchor.phrase as usize, span);
                }
            }
        }
    }

    /// Says whether some phrase lies within these tokens.
    pub(crate) fn is_within(&self, view: &View<'_>, range: &Range<usize>) -> bool {
        range.clone().any(|token| {
            let mut inside = false;
            self.at(view, token, |_, span| {
                inside |= range.start <= span.start && span.end <= range.end;
            });
            inside
        })
    }

    fn read(&self, view: &View<'_>, token: usize, anchor: &Anchor) -> Option<Range<usize>> {
        let phrase = self.phrases.get(anchor.phrase as usize)?;
        let start = token.checked_sub(anchor.word as usize)?;
        let end = start + anchor.run.length as usize;
        let ids = self.words.get(anchor.run.words())?;
        if !stands(view, start, ids) {
            return None;
        }
        let after = self.forward(view, end, phrase.after)?;
        let before = self.backward(view, start, phrase.before)?;
        Some(start - before..end + after)
    }

    /// Gives how many tokens the items take from `at` on, the fewest if there are several ways.
    fn forward(&self, view: &View<'_>, at: usize, side: Side) -> Option<usize> {
        let most = side.longest as usize;
        let room = (0..most).take_while(|taken| !view.begins_sentence(at + taken)).count();
        self.advance(
            view,
            side,
            room,
            |taken| at + taken,
            |run, taken| {
                let ids = self.words.get(run.words()).unwrap_or_default();
                stands(view, at + taken, ids)
            },
            |taken| at.checked_add(taken),
        )
    }

    /// Gives how many tokens the items take up to `at`, the fewest if there are several ways.
    fn backward(&self, view: &View<'_>, at: usize, side: Side) -> Option<usize> {
        let most = at.min(side.longest as usize);
        let room = (0..most).take_while(|taken| !view.begins_sentence(at - taken)).count();
        self.advance(
            view,
            side,
            room,
            |taken| at - taken,
            |run, taken| {
                let ids = self.words.get(run.words()).unwrap_or_default();
                at.checked_sub(taken + ids.len()).is_some_and(|start| stands(view, start, ids))
            },
            |taken| at.checked_sub(taken + 1),
        )
    }

    /// Advances the set of reachable places through the items; bit n stands for n tokens taken.
    ///
    /// `place` gives the place in the view where so many tokens are taken, `next` the token that
    /// comes next there, and `stands` says whether a run stands there.
    fn advance(
        &self,
        view: &View<'_>,
        side: Side,
        room: usize,
        place: impl Fn(usize) -> usize,
        stands: impl Fn(Run, usize) -> bool,
        next: impl Fn(usize) -> Option<usize>,
    ) -> Option<usize> {
        let reachable = (1_u64 << (room + 1)) - 1;
        let mut places = 1_u64;
        for item in self.items.get(side.start as usize..side.end as usize)? {
            let mut reached = 0_u64;
            match item {
                CompiledItem::Start | CompiledItem::End => {
                    for taken in bits(places) {
                        let holds = match item {
                            CompiledItem::Start => view.begins_text(place(taken)),
                            _ => view.ends_text(place(taken)),
                        };
                        reached |= u64::from(holds) << taken;
                    }
                }
                CompiledItem::Gap { min, max } => {
                    for width in *min..=*max {
                        reached |= places << width;
                    }
                }
                CompiledItem::Choice { start, end, optional } => {
                    if *optional {
                        reached = places;
                    }
                    let runs = self.runs.get(*start as usize..*end as usize).unwrap_or_default();
                    for taken in bits(places) {
                        let Some(next) = next(taken).filter(|_| taken < room) else { continue };
                        for run in view.ids(next).iter().flat_map(|id| keyed(runs, *id)) {
                            let length = run.length as usize;
                            if taken + length <= room && (length == 1 || stands(*run, taken)) {
                                reached |= 1_u64 << (taken + length);
                            }
                        }
                    }
                }
            }
            places = reached & reachable;
            if places == 0 {
                return None;
            }
        }
        Some(places.trailing_zeros() as usize)
    }

    fn side<'a>(
        &mut self,
        items: impl Iterator<Item = &'a Item>,
        backward: bool,
        vocabulary: &mut Vocabulary,
    ) -> Side {
        let start = number(self.items.len());
        let mut longest = 0;
        for item in items {
            longest += item.longest();
            let compiled = match item {
                Item::Start => CompiledItem::Start,
                Item::End => CompiledItem::End,
                Item::Gap { min, max } => CompiledItem::Gap { min: *min, max: *max },
                Item::Choice { alternatives, optional } => {
                    let mut runs: Vec<Run> = alternatives
                        .iter()
                        .map(|patterns| self.run(patterns, backward, vocabulary))
                        .collect();
                    runs.sort_by_key(|run| run.key);
                    let start = number(self.runs.len());
                    self.runs.append(&mut runs);
                    let end = number(self.runs.len());
                    CompiledItem::Choice { start, end, optional: *optional }
                }
            };
            self.items.push(compiled);
        }
        Side { start, end: number(self.items.len()), longest: number(longest.min(MAX_SPAN)) }
    }

    fn run(&mut self, patterns: &[Pattern], backward: bool, vocabulary: &mut Vocabulary) -> Run {
        let start = number(self.words.len());
        self.words.extend(patterns.iter().map(|pattern| vocabulary.intern(pattern)));
        let ids = self.words.get(start as usize..).unwrap_or_default();
        let key = if backward { ids.last() } else { ids.first() };
        Run { key: key.copied().unwrap_or(WordId::MAX), start, length: number(ids.len()) }
    }

    /// Gives what must stand on a side: a word of its first choice that may not be absent.
    fn need(&self, side: Side) -> Need {
        let mut within = 0;
        for item in self.items.get(side.start as usize..side.end as usize).unwrap_or_default() {
            match item {
                CompiledItem::Start | CompiledItem::End => {}
                CompiledItem::Gap { max, .. } => within += u32::from(*max),
                CompiledItem::Choice { start, end, optional } => {
                    let runs = self.runs.get(*start as usize..*end as usize).unwrap_or_default();
                    if *optional {
                        within += runs.iter().map(|run| run.length).max().unwrap_or_default();
                    } else {
                        let keys: Vec<WordId> = runs.iter().map(|run| run.key).collect();
                        return Need { within: within + 1, signature: signature(&keys) };
                    }
                }
            }
        }
        Need::NOTHING
    }
}

impl Run {
    fn words(self) -> Range<usize> {
        self.start as usize..(self.start + self.length) as usize
    }
}

/// What stands on one side of a token in its sentence: signatures of its neighbours, gathered
/// outwards as far as somebody asked.
#[derive(Default)]
struct Neighbours {
    nearest: u64,
    all: u64,
    reach: u32,
    ended: bool,
}

impl Neighbours {
    /// Says whether a need may be met; `at` gives the signature of the neighbour so far away.
    fn may_meet(&mut self, need: Need, at: impl Fn(usize) -> Option<u64>) -> bool {
        if need.signature == u64::MAX {
            return true;
        }
        while self.reach < need.within && !self.ended {
            self.reach += 1;
            match at(self.reach as usize) {
                Some(signature) => self.all |= signature,
                None => self.ended = true,
            }
            if self.reach == 1 {
                self.nearest = self.all;
            }
        }
        let found = if need.within == 1 { self.nearest } else { self.all };
        found & need.signature != 0
    }
}

fn ahead(view: &View<'_>, token: usize, distance: usize) -> Option<u64> {
    let neighbour = token + distance;
    (!view.begins_sentence(neighbour)).then(|| view.signature(neighbour))
}

fn behind(view: &View<'_>, token: usize, distance: usize) -> Option<u64> {
    let neighbour = token.checked_sub(distance)?;
    (!view.begins_sentence(neighbour + 1)).then(|| view.signature(neighbour))
}

/// Gives those of the runs, sorted by key, that have this one.
fn keyed(runs: &[Run], key: WordId) -> impl Iterator<Item = &Run> {
    let first = runs.partition_point(|run| run.key < key);
    runs.get(first..).unwrap_or_default().iter().take_while(move |run| run.key == key)
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
fn stands(view: &View<'_>, start: usize, run: &[WordId]) -> bool {
    run.iter().enumerate().all(|(offset, id)| {
        let token = start + offset;
        view.ids(token).contains(id) && (offset == 0 || !view.begins_sentence(token))
    })
}

/// The bounds of packs keep every count far below.
fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
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
