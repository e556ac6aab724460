//! What phrases share when they are compiled: most write the same words and classes as others do.
//!
//! Alternatives are compiled once for a whole matcher, whichever packs write them, and sets of the
//! same phrases are one. What was shared is known while packs are compiled, and forgotten then.

use std::sync::{Arc, OnceLock};

use crate::anchor::{Weighed, word_weight};
use crate::language::Language;
use crate::lexicon::signature;
use crate::phrase::{Alternatives, MAX_SPAN, Pattern};
use crate::phrase_set::PhraseSet;
use crate::stored::{Reader, Unreadable, Writer, ensure};
use crate::vocabulary::{FastMap, WordId};

/// The alternatives and sets that were compiled so far.
#[derive(Debug, Default)]
pub(crate) struct Shared {
    choices: Vec<Arc<Choice>>,
    /// By the address of what was read, which is held so that nothing else gets it.
    read: FastMap<usize, (Arc<Alternatives>, Language, u32)>,
    /// By their words.
    known: FastMap<(Language, Box<[WordId]>), u32>,
    sets: FastMap<Box<[u32]>, PhraseSet>,
    /// By the words' ids; 0 if not weighed yet.
    weights: FastMap<Language, Vec<u32>>,
}

/// Alternatives as phrases are made of them.
#[derive(Debug, Default)]
pub(crate) struct Choice {
    pub(crate) number: u32,
    /// The words of the runs as they are written, and where each run ends.
    words: Vec<WordId>,
    ends: Vec<u32>,
    pub(crate) weighed: Weighed,
    pub(crate) longest: usize,
    forward: OnceLock<Arc<Runs>>,
    backward: OnceLock<Arc<Runs>>,
}

/// Runs of words, sorted by their key: the word nearest to the item that a phrase hangs on.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Runs {
    /// The keys; then, unless each run is its key alone, where each ends among the words, and the
    /// words. Together, as there are thousands of them and most are short.
    numbers: Box<[u32]>,
    keys: u32,
}

impl Shared {
    /// Gives alternatives that were read from a pack; `intern` gives the ids of words.
    pub(crate) fn choice(
        &mut self,
        alternatives: &Arc<Alternatives>,
        language: Language,
        intern: impl FnMut(&Pattern) -> WordId,
    ) -> Arc<Choice> {
        let address = Arc::as_ptr(alternatives).addr();
        let number = match self.read.get(&address) {
            Some((_, of, number)) if *of == language => *number,
            _ => {
                let number = self.compile(alternatives, language, intern);
                self.read.insert(address, (Arc::clone(alternatives), language, number));
                number
            }
        };
        self.choices.get(number as usize).map(Arc::clone).unwrap_or_default()
    }

    fn compile(
        &mut self,
        alternatives: &Alternatives,
        language: Language,
        intern: impl FnMut(&Pattern) -> WordId,
    ) -> u32 {
        let words: Vec<WordId> = alternatives.words().iter().map(intern).collect();
        // Where runs of several words end, behind them, tells apart what the words do not.
        let several = alternatives.ends().len() < words.len();
        let mut key = words.clone();
        key.extend(alternatives.ends().iter().filter(|_| several));
        let key = (language, key.into());
        if let Some(known) = self.known.get(&key) {
            return *known;
        }
        let weights = self.weights.entry(language).or_default();
        for (id, pattern) in words.iter().zip(alternatives.words()) {
            let id = *id as usize;
            if weights.len() <= id {
                weights.resize(id + 1, 0);
            }
            if let Some(weight) = weights.get_mut(id).filter(|weight| **weight == 0) {
                *weight = word_weight(pattern, language);
            }
        }
        let number = count(self.choices.len());
        let ends = alternatives.ends().to_vec();
        let weight = |id: &WordId| weights.get(*id as usize).copied().unwrap_or_default();
        let weighed = Weighed::of(parts(&words, &ends), weight);
        let longest = parts(&words, &ends).map(<[WordId]>::len).max().unwrap_or_default();
        let choice = Choice { number, words, ends, weighed, longest, ..Choice::default() };
        self.choices.push(Arc::new(choice));
        self.known.insert(key, number);
        number
    }

    /// Gives the set of phrases that has this key, if it was compiled before.
    pub(crate) fn set(&self, key: &[u32]) -> Option<PhraseSet> {
        self.sets.get(key).cloned()
    }

    /// Remembers a set.
    pub(crate) fn keep_set(&mut self, key: Vec<u32>, set: &PhraseSet) {
        self.sets.insert(key.into(), set.clone());
    }
}

impl Choice {
    /// Gives the runs as they are written, each with its range among [`Choice::words`].
    pub(crate) fn runs(&self) -> impl Iterator<Item = &[WordId]> {
        parts(&self.words, &self.ends)
    }

    /// Gives the words of all runs.
    pub(crate) fn words(&self) -> &[WordId] {
        &self.words
    }

    /// Gives the runs for reading on from them.
    pub(crate) fn forward(&self) -> &Arc<Runs> {
        self.forward.get_or_init(|| Arc::new(Runs::of(self.runs(), <[WordId]>::first)))
    }

    /// Gives the runs for reading back from them.
    pub(crate) fn backward(&self) -> &Arc<Runs> {
        if self.longest <= 1 {
            return self.forward();
        }
        self.backward.get_or_init(|| Arc::new(Runs::of(self.runs(), <[WordId]>::last)))
    }
}

impl Runs {
    fn of<'a>(
        runs: impl Iterator<Item = &'a [WordId]>,
        key: impl Fn(&[WordId]) -> Option<&WordId>,
    ) -> Self {
        let keyed = runs.filter_map(|run| Some((*key(run)?, run)));
        let mut keyed: Vec<(WordId, &[WordId])> = keyed.collect();
        keyed.sort_unstable();
        keyed.dedup();
        let keys: &[WordId] = &keyed.iter().map(|(key, _)| *key).collect::<Vec<_>>();
        if keyed.iter().all(|(_, run)| run.len() == 1) {
            return Self::laid_out(keys, &[], &[]);
        }
        let mut words = Vec::with_capacity(keyed.iter().map(|(_, run)| run.len()).sum());
        let ends = keyed.iter().map(|(_, run)| {
            words.extend_from_slice(run);
            count(words.len())
        });
        let ends: Vec<u32> = ends.collect();
        Self::laid_out(keys, &ends, &words)
    }

    fn laid_out(keys: &[WordId], ends: &[u32], words: &[WordId]) -> Self {
        Self { numbers: [keys, ends, words].concat().into(), keys: count(keys.len()) }
    }

    fn keys(&self) -> &[WordId] {
        self.numbers.get(..self.keys as usize).unwrap_or_default()
    }

    fn ends(&self) -> &[u32] {
        let keys = self.keys as usize;
        self.numbers.get(keys..2 * keys).unwrap_or_default()
    }

    fn words(&self) -> &[WordId] {
        self.numbers.get(2 * self.keys as usize..).unwrap_or_default()
    }

    pub(crate) fn write(&self, out: &mut Writer) {
        out.numbers(self.words());
        out.numbers(self.ends());
        out.numbers(self.keys());
    }

    pub(crate) fn read(from: &mut Reader<'_>) -> Result<Self, Unreadable> {
        let words = from.ids()?;
        let ends = from.ends(words.len())?;
        let keys = from.ids()?;
        ensure(keys.is_sorted() && (ends.is_empty() || ends.len() == keys.len()))?;
        ensure(parts(&words, &ends).all(|run| !run.is_empty() && run.len() <= MAX_SPAN))?;
        Ok(Self::laid_out(&keys, &ends, &words))
    }

    /// Gives the most words of a run.
    pub(crate) fn longest(&self) -> usize {
        if self.ends().is_empty() {
            return self.keys().len().min(1);
        }
        parts(self.words(), self.ends()).map(<[WordId]>::len).max().unwrap_or_default()
    }

    /// Gives the [`signature`] of the keys.
    pub(crate) fn signature(&self) -> u64 {
        signature(self.keys())
    }

    /// Gives the runs that have this key.
    pub(crate) fn keyed(&self, key: WordId) -> impl Iterator<Item = &[WordId]> {
        let first = match self.keys() {
            [only] => usize::from(*only < key),
            keys => keys.partition_point(|known| *known < key),
        };
        let from = self.keys().get(first..).unwrap_or_default();
        let alike = from.iter().take_while(move |known| **known == key);
        (first..)
            .zip(alike)
            .map(|(run, known)| self.run(run).unwrap_or(std::slice::from_ref(known)))
    }

    /// Gives a run, if some have several words.
    fn run(&self, run: usize) -> Option<&[WordId]> {
        let end = *self.ends().get(run)? as usize;
        let start = run.checked_sub(1).and_then(|before| self.ends().get(before));
        self.words().get(start.map_or(0, |start| *start as usize)..end)
    }
}

/// Parts words where runs end.
fn parts<'a>(words: &'a [WordId], ends: &'a [u32]) -> impl Iterator<Item = &'a [WordId]> {
    let starts = std::iter::once(&0).chain(ends);
    let range = |(start, end): (&u32, &u32)| words.get(*start as usize..*end as usize);
    starts.zip(ends).map(move |it| range(it).unwrap_or_default())
}

/// The bounds of packs keep every count far below.
fn count(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
