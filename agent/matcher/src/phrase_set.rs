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

use crate::language::Language;
use crate::lexicon::signature;
use crate::phrase::{Item, MAX_SPAN, Phrase};
use crate::sharing::{Choice, Runs};
use crate::stored::{Reader, Unreadable, Writer, ensure};
use crate::view::View;
use crate::vocabulary::{FastMap, Vocabulary, WordId};

/// A set of phrases that are searched together. Cloning shares them.
#[derive(Debug, Default, Clone)]
pub(crate) struct PhraseSet(Arc<Phrases>);

/// The phrases of a set.
#[derive(Debug, Default)]
pub(crate) struct Phrases {
    phrases: Box<[Compiled]>,
    wakers: Wakers,
    /// Those of one waking word together.
    anchors: Box<[Anchor]>,
    items: Box<[CompiledItem]>,
    /// The runs of several words that anchors stand in.
    words: Box<[WordId]>,
    /// The most words that a phrase spans.
    longest: usize,
}

/// Phrases while they are put together to a set.
#[derive(Debug, Default)]
pub(crate) struct Growing {
    phrases: Vec<Compiled>,
    anchors: Vec<(WordId, Anchor)>,
    items: Vec<CompiledItem>,
    words: Vec<WordId>,
    /// Where the runs of a choice, by its number, begin in `words`.
    written: FastMap<u32, u32>,
    longest: usize,
}

/// The words that wake phrases, and where the anchors of each are: open addressing, at most half
/// full, as most words that are asked about are none of them.
#[derive(Debug, Default)]
struct Wakers {
    /// One more than the number of a word, 0 if free; a power of two in length, or nothing.
    slots: Box<[u32]>,
    words: Box<[WordId]>,
    /// Where the anchors of each word end.
    ends: Box<[u32]>,
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
    Gap { min: u8, max: u8 },
    Choice { runs: Arc<Runs>, optional: bool },
}

/// Which phrase a word wakes.
#[derive(Debug, Clone, Copy)]
// They are the most of what a matcher holds: an eighth of each would be padding.
#[repr(Rust, packed(4))]
struct Anchor {
    /// What must stand after the word and before it: a word with one of these ids.
    after: u64,
    before: u64,
    phrase: u32,
    /// Where the run the word stands in begins in [`Phrases::words`], if it has several words.
    start: u32,
    /// Within how many words that must stand.
    after_within: u8,
    before_within: u8,
    /// The words of that run, and which of them this is.
    length: u8,
    word: u8,
}

/// What must stand on one side of a word: one of these ids within so many words.
#[derive(Debug, Clone, Copy)]
struct Need {
    within: u32,
    signature: u64,
}

/// The farthest that a need looks.
const WITHIN: u8 = 41;

impl Need {
    const NOTHING: Self = Self { within: 0, signature: u64::MAX };
}

impl PhraseSet {
    /// Compiles phrases. Sets of the same phrases are one: many rules have the same conditions.
    pub(crate) fn of(phrases: &[Phrase], language: Language, vocabulary: &mut Vocabulary) -> Self {
        let mut choices = Vec::new();
        let mut key = vec![language as u32];
        for item in phrases.iter().flat_map(|phrase| &phrase.items) {
            let choice = match item {
                Item::Start => [0, 0],
                Item::End => [0, 1],
                Item::Gap { min, max } => [1, u32::from(*min) << 8 | u32::from(*max)],
                Item::Choice { alternatives, optional } => {
                    choices.push(vocabulary.choice(alternatives, language));
                    let number = choices.last().map_or(0, |choice| choice.number);
                    [2 + u32::from(*optional), number]
                }
            };
            key.extend(choice);
        }
        // How many items each phrase has, behind them: it is told from the end.
        key.extend(phrases.iter().map(|phrase| number(phrase.items.len())));
        key.push(number(phrases.len()));
        if let Some(known) = vocabulary.set(&key) {
            return known;
        }
        let mut set = Growing::default();
        for phrase in phrases {
            set.add(phrase, language, vocabulary);
        }
        let set = set.finish();
        vocabulary.keep_set(key, &set);
        set
    }
}

impl Deref for PhraseSet {
    type Target = Phrases;

    fn deref(&self) -> &Phrases {
        &self.0
    }
}

impl Growing {
    /// Adds a phrase; phrases are numbered in the order they come.
    pub(crate) fn add(&mut self, phrase: &Phrase, language: Language, vocabulary: &mut Vocabulary) {
        let phrase_number = number(self.phrases.len());
        let items: Vec<(&Item, Option<Arc<Choice>>)> = phrase
            .items
            .iter()
            .map(|item| match item {
                Item::Choice { alternatives, .. } => {
                    (item, Some(vocabulary.choice(alternatives, language)))
                }
                Item::Start | Item::End | Item::Gap { .. } => (item, None),
            })
            .collect();
        let hangs = |(index, (item, choice)): (usize, &(&Item, Option<Arc<Choice>>))| {
            let choice = choice.as_ref()?;
            matches!(item, Item::Choice { optional: false, .. })
                .then_some((choice.weighed.weight, index))
        };
        // A phrase has an item that it can hang on: reading sees to it.
        let (_, hook) = items.iter().enumerate().filter_map(hangs).min().unwrap_or_default();
        let (before, rest) = items.split_at_checked(hook).unwrap_or_default();
        let (hook, after) = rest.split_first().map_or((None, rest), |(it, rest)| (Some(it), rest));
        let after = self.side(after.iter(), Choice::forward);
        let before = self.side(before.iter().rev(), Choice::backward);
        self.phrases.push(Compiled { after, before });
        let hook = hook.and_then(|(_, choice)| choice.as_ref());
        let spans = |it: &(&Item, Option<Arc<Choice>>)| longest(it);
        self.longest = self.longest.max(items.iter().map(spans).sum());
        let Some(choice) = hook else { return };
        let (needs_after, needs_before) = (self.need(after), self.need(before));
        let mut start = self.written(choice);
        for (ids, rarest) in choice.runs().zip(&choice.weighed.rarest) {
            let run = start;
            start += number(ids.len());
            let word = *rarest as usize;
            let Some(id) = ids.get(word).copied() else { continue };
            // Within the run the neighbours are certain; beyond it, what its side needs.
            let beside = |word: Option<usize>| {
                let id = word.and_then(|word| ids.get(word))?;
                Some(Need { within: 1, signature: signature(&[*id]) })
            };
            let after = beside(Some(word + 1)).unwrap_or(needs_after);
            let before = beside(word.checked_sub(1)).unwrap_or(needs_before);
            let anchor = Anchor {
                after: after.signature,
                before: before.signature,
                phrase: phrase_number,
                start: if ids.len() > 1 { run } else { 0 },
                after_within: short(after.within),
                before_within: short(before.within),
                length: short(number(ids.len())),
                word: short(*rarest),
            };
            self.anchors.push((id, anchor));
        }
    }

    /// Gives where the words of a choice that a phrase hangs on begin.
    fn written(&mut self, choice: &Choice) -> u32 {
        if choice.longest <= 1 {
            return 0;
        }
        let words = &mut self.words;
        *self.written.entry(choice.number).or_insert_with(|| {
            let start = number(words.len());
            words.extend_from_slice(choice.words());
            start
        })
    }

    fn side<'a>(
        &mut self,
        items: impl Iterator<Item = &'a (&'a Item, Option<Arc<Choice>>)>,
        direction: impl Fn(&Choice) -> &Arc<Runs>,
    ) -> Side {
        let start = number(self.items.len());
        let mut most = 0;
        for it in items {
            most += longest(it);
            self.items.push(match it {
                (Item::Choice { optional, .. }, Some(choice)) => {
                    let runs = Arc::clone(direction(choice));
                    CompiledItem::Choice { runs, optional: *optional }
                }
                (Item::Gap { min, max }, _) => CompiledItem::Gap { min: *min, max: *max },
                (Item::Start, _) => CompiledItem::Start,
                _ => CompiledItem::End,
            });
        }
        Side { start, end: number(self.items.len()), longest: number(most.min(MAX_SPAN)) }
    }

    /// Gives what must stand on a side: a word of its first choice that may not be absent.
    fn need(&self, side: Side) -> Need {
        let mut within = 0;
        for item in self.items.get(side.start as usize..side.end as usize).unwrap_or_default() {
            match item {
                CompiledItem::Start | CompiledItem::End => {}
                CompiledItem::Gap { max, .. } => within += u32::from(*max),
                CompiledItem::Choice { runs, optional: true } => {
                    within += number(runs.longest());
                }
                CompiledItem::Choice { runs, optional: false } => {
                    return Need { within: within + 1, signature: runs.signature() };
                }
            }
        }
        Need::NOTHING
    }

    /// Lays the set out for searching.
    pub(crate) fn finish(self) -> PhraseSet {
        let (mut wakers, numbers) = Wakers::of(self.anchors.iter().map(|(id, _)| *id));
        // Where the next anchor of each word goes: in the end, where its anchors end.
        let mut next = 0;
        for end in &mut wakers.ends {
            next += *end;
            *end = next - *end;
        }
        let mut anchors: Vec<Anchor> = self.anchors.iter().map(|(_, anchor)| *anchor).collect();
        for (number, (_, anchor)) in numbers.into_iter().zip(self.anchors) {
            let Some(end) = wakers.ends.get_mut(number as usize) else { continue };
            if let Some(place) = anchors.get_mut(*end as usize) {
                *place = anchor;
            }
            *end += 1;
        }
        PhraseSet(Arc::new(Phrases {
            phrases: self.phrases.into(),
            wakers,
            anchors: anchors.into(),
            items: self.items.into(),
            words: self.words.into(),
            longest: self.longest,
        }))
    }
}

impl PhraseSet {
    pub(crate) fn write(&self, out: &mut Writer) {
        out.shared(&self.0, |out, set| set.write(out));
    }

    pub(crate) fn read(from: &mut Reader<'_>) -> Result<Self, Unreadable> {
        from.shared(Phrases::stored).map(Self)
    }
}

impl Phrases {
    fn write(&self, out: &mut Writer) {
        let Self { phrases, wakers, anchors, items, words, longest } = self;
        out.size(*longest);
        out.list(items, |out, item| match item {
            CompiledItem::Start => out.byte(0),
            CompiledItem::End => out.byte(1),
            CompiledItem::Gap { min, max } => [2, *min, *max].iter().for_each(|it| out.byte(*it)),
            CompiledItem::Choice { runs, optional } => {
                out.byte(3 + u8::from(*optional));
                out.shared(runs, |out, runs| runs.write(out));
            }
        });
        out.list(phrases, |out, Compiled { after, before }| {
            [after.start, after.end, before.start, before.end]
                .iter()
                .for_each(|it| out.number(*it));
        });
        out.numbers(words);
        out.list(anchors, |out, anchor| {
            let Anchor { after, before, phrase, start, .. } = *anchor;
            let Anchor { after_within, before_within, length, word, .. } = *anchor;
            [after, before].iter().for_each(|it| out.long(*it));
            [phrase, start].iter().for_each(|it| out.number(*it));
            [after_within, before_within, length, word].iter().for_each(|it| out.byte(*it));
        });
        out.numbers(&wakers.words);
        out.numbers(&wakers.ends);
    }

    fn stored(from: &mut Reader<'_>) -> Result<Self, Unreadable> {
        let longest = from.size(MAX_SPAN)?;
        let items: Box<[CompiledItem]> = from.list(CompiledItem::read)?.into();
        let phrases: Box<[Compiled]> = from
            .list(|from| {
                Ok(Compiled { after: Side::read(from, &items)?, before: Side::read(from, &items)? })
            })?
            .into();
        let words = from.ids()?;
        let anchor = |from: &mut Reader<'_>| {
            let (after, before) = (from.long()?, from.long()?);
            let phrase = from.size(phrases.len())?;
            ensure(phrase < phrases.len())?;
            let start = from.size(words.len())?;
            let (after_within, before_within) = (from.byte()?, from.byte()?);
            let (length, word) = (from.byte()?, from.byte()?);
            ensure(after_within <= WITHIN && before_within <= WITHIN && word < length)?;
            ensure(length == 1 || start + usize::from(length) <= words.len())?;
            ensure(usize::from(length) <= MAX_SPAN)?;
            let (phrase, start) = (number(phrase), number(start));
            Ok(Anchor { after, before, phrase, start, after_within, before_within, length, word })
        };
        let anchors: Box<[Anchor]> = from.list(anchor)?.into();
        let waking = from.ids()?;
        let ends = from.ends(anchors.len())?;
        ensure(ends.len() == waking.len())?;
        let (mut wakers, _) = Wakers::of(waking.iter().copied());
        // A word that stands there twice would be numbered once.
        ensure(wakers.words == waking)?;
        wakers.ends = ends;
        Ok(Self { phrases, wakers, anchors, items, words, longest })
    }

    /// Gives how many phrases there are.
    pub(crate) fn len(&self) -> usize {
        self.phrases.len()
    }
}

impl CompiledItem {
    fn read(from: &mut Reader<'_>) -> Result<Self, Unreadable> {
        Ok(match from.byte()? {
            0 => Self::Start,
            1 => Self::End,
            2 => {
                let (min, max) = (from.byte()?, from.byte()?);
                ensure(min <= max && max >= 1 && usize::from(max) <= MAX_SPAN)?;
                Self::Gap { min, max }
            }
            kind @ (3 | 4) => {
                let runs = from.shared(Runs::read)?;
                ensure(runs.longest() >= 1)?;
                Self::Choice { runs, optional: kind == 4 }
            }
            _ => return Err(Unreadable::Broken),
        })
    }

    /// Gives the most words that it takes.
    fn longest(&self) -> usize {
        match self {
            Self::Start | Self::End => 0,
            Self::Gap { max, .. } => (*max).into(),
            Self::Choice { runs, .. } => runs.longest(),
        }
    }
}

impl Side {
    fn read(from: &mut Reader<'_>, all: &[CompiledItem]) -> Result<Self, Unreadable> {
        let (start, end) = (from.size(all.len())?, from.size(all.len())?);
        let items = all.get(start..end).ok_or(Unreadable::Broken)?;
        // Every item but the text's bounds takes a word, so that this bounds their number too.
        let longest: usize = items.iter().take(MAX_SPAN + 2).map(CompiledItem::longest).sum();
        ensure(longest <= MAX_SPAN && items.len() <= MAX_SPAN + 1)?;
        Ok(Self { start: number(start), end: number(end), longest: number(longest) })
    }
}

impl Wakers {
    /// Numbers the words; gives also the number of each. `ends` says how often each stands there.
    fn of(all: impl ExactSizeIterator<Item = WordId>) -> (Self, Vec<u32>) {
        let mut this = Self { slots: vec![0; room(all.len())].into(), ..Self::default() };
        let (mut words, mut counts) = (Vec::new(), Vec::new());
        let mut numbers = Vec::with_capacity(all.len());
        for id in all {
            let (place, known) = this.place(id, &words);
            let known = known.unwrap_or_else(|| {
                words.push(id);
                counts.push(0);
                if let Some(slot) = this.slots.get_mut(place) {
                    *slot = number(words.len());
                }
                number(words.len() - 1)
            });
            if let Some(count) = counts.get_mut(known as usize) {
                *count += 1;
            }
            numbers.push(known);
        }
        this.slots = vec![0; room(words.len())].into();
        for (word, id) in (1..).zip(&words) {
            let (place, _) = this.place(*id, &[]);
            if let Some(slot) = this.slots.get_mut(place) {
                *slot = word;
            }
        }
        (Self { words: words.into(), ends: counts.into(), ..this }, numbers)
    }

    /// Finds the number of a word among `words`, or the free slot where it would stand.
    fn place(&self, id: WordId, words: &[WordId]) -> (usize, Option<u32>) {
        let mask = self.slots.len().wrapping_sub(1);
        // The highest bits of the product are the best mixed.
        let shift = 32_u32.saturating_sub(self.slots.len().trailing_zeros());
        let mut place = (id.wrapping_mul(0x9e37_79b1) >> shift.min(31)) as usize & mask;
        loop {
            match self.slots.get(place) {
                None | Some(0) => return (place, None),
                Some(slot) if words.get(*slot as usize - 1) == Some(&id) => {
                    return (place, Some(slot - 1));
                }
                Some(_) => place = (place + 1) & mask,
            }
        }
    }

    /// Gives where the anchors of a word are.
    fn anchors(&self, id: WordId) -> Option<Range<usize>> {
        if self.words.is_empty() {
            return None;
        }
        let (_, number) = self.place(id, &self.words);
        let number = number? as usize;
        let start = number.checked_sub(1).and_then(|before| self.ends.get(before));
        Some(start.map_or(0, |start| *start as usize)..*self.ends.get(number)? as usize)
    }
}

/// Gives how many slots so many words take.
fn room(words: usize) -> usize {
    (2 * words).next_power_of_two().max(2)
}

/// Gives the most words that an item takes.
fn longest((item, choice): &(&Item, Option<Arc<Choice>>)) -> usize {
    choice.as_ref().map_or_else(|| item.longest(), |choice| choice.longest)
}

/// No phrase spans more words than fit.
fn short(words: u32) -> u8 {
    u8::try_from(words).unwrap_or(u8::MAX)
}

impl Phrases {
    /// Gives the most words that a phrase spans.
    pub(crate) fn longest(&self) -> usize {
        self.longest
    }

    /// Gives the phrases that hang on a word.
    pub(crate) fn hanging_on(&self, id: WordId) -> impl Iterator<Item = usize> {
        let anchors = self.wakers.anchors(id).and_then(|range| self.anchors.get(range));
        anchors.into_iter().flatten().map(|anchor| anchor.phrase as usize)
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
            let Some(anchors) = self.wakers.anchors(*id) else { continue };
            for anchor in self.anchors.get(anchors).unwrap_or_default() {
                view.step();
                let ahead = |distance| ahead(view, token, distance);
                let behind = |distance| behind(view, token, distance);
                if after.may_meet(anchor.after, anchor.after_within, ahead)
                    && before.may_meet(anchor.before, anchor.before_within, behind)
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
        let start = token.checked_sub(anchor.word.into())?;
        let end = start + usize::from(anchor.length);
        if anchor.length > 1 {
            let words = anchor.start as usize;
            let ids = self.words.get(words..words + usize::from(anchor.length))?;
            if !stands(view, start, ids) {
                return None;
            }
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
            |ids, taken| stands(view, at + taken, ids),
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
            |ids, taken| {
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
        stands: impl Fn(&[WordId], usize) -> bool,
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
                CompiledItem::Choice { runs, optional } => {
                    if *optional {
                        reached = places;
                    }
                    for taken in bits(places) {
                        let Some(next) = next(taken).filter(|_| taken < room) else { continue };
                        for run in view.ids(next).iter().flat_map(|id| runs.keyed(*id)) {
                            let length = run.len();
                            if taken + length <= room && (length == 1 || stands(run, taken)) {
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
    /// Says whether one of the needed ids may stand within so many words; `at` gives the signature
    /// of the neighbour so far away.
    fn may_meet(&mut self, needed: u64, within: u8, at: impl Fn(usize) -> Option<u64>) -> bool {
        if needed == u64::MAX {
            return true;
        }
        while self.reach < u32::from(within) && !self.ended {
            self.reach += 1;
            match at(self.reach as usize) {
                Some(signature) => self.all |= signature,
                None => self.ended = true,
            }
            if self.reach == 1 {
                self.nearest = self.all;
            }
        }
        let found = if within == 1 { self.nearest } else { self.all };
        found & needed != 0
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
