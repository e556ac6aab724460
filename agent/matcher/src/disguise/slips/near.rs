//! The words that may be misspelt, and which of them lie near a written one: an index by hashes of
//! a word without each of its letters.

use std::cmp::Ordering;

use super::MAX_WRITTEN;
use super::kinds::{MIN_SOUND, sound};
use crate::key::Key;
use crate::stored::{Reader, Unreadable, Writer, ensure};

/// Words in order.
#[derive(Debug, Default)]
pub(super) struct Sorted {
    /// All words, one behind the other, and where each ends.
    texts: String,
    ends: Box<[u32]>,
    /// Bits of what the words begin with and how long they are: of two words of a text that stand
    /// side by side nearly none make a word, and one look says so.
    field: Box<[u64]>,
}

/// Which words are entered under a hash.
#[derive(Debug, Default)]
pub(super) struct Near {
    /// Where the entries of each bucket begin; one more for the end, or nothing.
    starts: Box<[u32]>,
    /// The number of a word in the lower bits, above them a part of the hash; sorted in a bucket.
    entries: Box<[u32]>,
}

/// How many bits of a hash number its bucket: some seven entries share one.
const BUCKET_BITS: u32 = 14;
/// How many bits number a word; the packs' bounds keep far below.
const WORD_BITS: u32 = 20;
/// How many bits of the field a number picks one of; 16 KiB.
const FIELD_BITS: u32 = 17;

impl Sorted {
    pub(super) fn of(words: &[&str]) -> Self {
        let mut field = vec![0; 1 << (FIELD_BITS - u64::BITS.trailing_zeros())];
        let mut texts = String::with_capacity(words.iter().map(|word| word.len()).sum());
        let mut ends = Vec::with_capacity(words.len());
        for word in words {
            texts.push_str(word);
            ends.push(number(texts.len()));
            let (place, bit) = place_in_field(word, "");
            if let Some(bits) = field.get_mut(place) {
                *bits |= bit;
            }
        }
        Self { texts, ends: ends.into(), field: field.into() }
    }

    pub(super) fn write(&self, out: &mut Writer) {
        out.numbers(&self.ends);
        out.text(&self.texts);
    }

    pub(super) fn read(from: &mut Reader<'_>) -> Result<Self, Unreadable> {
        let (ends, texts) = (from.numbers()?, from.text()?);
        let starts = [0].iter().chain(&ends);
        let words: Option<Vec<&str>> = starts
            .zip(&ends)
            .map(|(start, end)| texts.get(*start as usize..*end as usize))
            .collect();
        let words = words.ok_or(Unreadable::Broken)?;
        ensure(words.is_sorted())?;
        Ok(Self::of(&words))
    }

    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &str> {
        (0..self.len()).map(|number| self.get(number))
    }

    pub(super) fn get(&self, number: usize) -> &str {
        let start = number.checked_sub(1).and_then(|before| self.ends.get(before));
        let end = self.ends.get(number).map_or(0, |end| *end as usize);
        self.texts.get(start.map_or(0, |start| *start as usize)..end).unwrap_or_default()
    }

    pub(super) fn has(&self, word: &str) -> bool {
        self.whole(word, "").is_some()
    }

    /// Gives the word that two halves make.
    pub(super) fn whole(&self, left: &str, right: &str) -> Option<&str> {
        let (place, bit) = place_in_field(left, right);
        if self.field.get(place)? & bit == 0 {
            return None;
        }
        let (mut from, mut to) = (0, self.ends.len());
        while from < to {
            let middle = from + (to - from) / 2;
            let word = self.get(middle);
            match word.bytes().cmp(left.bytes().chain(right.bytes())) {
                Ordering::Equal => return Some(word),
                Ordering::Less => from = middle + 1,
                Ordering::Greater => to = middle,
            }
        }
        None
    }
}

/// Gives the bit of a word, in two halves, and where in the field it is.
fn place_in_field(left: &str, right: &str) -> (usize, u64) {
    let first = |word: &str| Key::of_folded(word.as_bytes()).first;
    let shift = u32::try_from(8 * left.len()).unwrap_or(u32::MAX);
    let beginning = first(left) | first(right).checked_shl(shift).unwrap_or_default();
    let length = (left.len() + right.len()) as u64;
    let mixed = (beginning ^ length.rotate_right(8)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let bit = usize::try_from(mixed >> (u64::BITS - FIELD_BITS)).unwrap_or_default();
    (bit / 64, 1 << (bit % 64))
}

impl Near {
    pub(super) fn of(words: &[&str]) -> Self {
        let mut near: Vec<(usize, u32)> = Vec::new();
        for (index, word) in (0..1 << WORD_BITS).zip(words) {
            for_each_near(word.as_bytes(), |hash| {
                let (bucket, tag) = parts(hash);
                near.push((bucket, tag | index));
            });
        }
        near.sort_unstable();
        near.dedup();
        let starts = (0..=1 << BUCKET_BITS)
            .map(|bucket| number(near.partition_point(|(known, _)| *known < bucket)));
        let starts = starts.collect();
        Self { starts, entries: near.into_iter().map(|(_, entry)| entry).collect() }
    }

    pub(super) fn write(&self, out: &mut Writer) {
        out.numbers(&self.starts);
        out.numbers(&self.entries);
    }

    /// Reads the entries of so many words.
    pub(super) fn read(from: &mut Reader<'_>, words: usize) -> Result<Self, Unreadable> {
        let (starts, entries) = (from.numbers()?, from.numbers()?);
        let is_word = |entry: &u32| ((entry & ((1 << WORD_BITS) - 1)) as usize) < words;
        ensure(entries.iter().all(is_word) && starts.is_sorted())?;
        ensure(starts.last().map_or(0, |end| *end as usize) == entries.len())?;
        Ok(Self { starts, entries })
    }

    /// Gives the numbers of the words under a hash, and seldom of others.
    pub(super) fn entered(&self, hash: u32) -> impl Iterator<Item = usize> {
        let (bucket, tag) = parts(hash);
        let bounds = self.starts.get(bucket).zip(self.starts.get(bucket + 1));
        let sharing = bounds
            .and_then(|(start, end)| self.entries.get(*start as usize..*end as usize))
            .unwrap_or_default();
        let same = sharing.iter().filter(move |entry| (*entry ^ tag) >> WORD_BITS == 0);
        same.map(move |entry| (entry ^ tag) as usize)
    }
}

/// Gives the bucket of a hash, and what of the rest is kept with a word.
fn parts(hash: u32) -> (usize, u32) {
    ((hash >> (u32::BITS - BUCKET_BITS)) as usize, hash << WORD_BITS)
}

/// The bounds of packs keep every count far below.
fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// Gives the hashes under which a word of at most [`MAX_WRITTEN`] letters is entered and looked up.
pub(super) fn for_each_near(word: &[u8], mut emit: impl FnMut(u32)) {
    // By these, the hash without any letter is told without another look at the others.
    let mut before = [0_u32; MAX_WRITTEN + 1];
    for (at, letter) in word.iter().enumerate().take(MAX_WRITTEN) {
        before[at + 1] = before[at].wrapping_mul(SPREAD).wrapping_add(u32::from(*letter));
    }
    emit(mixed(before[word.len().min(MAX_WRITTEN)]));
    let (mut after, mut weight) = (0_u32, 1_u32);
    let mut without = [0; MAX_WRITTEN];
    for (at, letter) in word.iter().enumerate().take(MAX_WRITTEN).rev() {
        without[at] = before[at].wrapping_mul(weight).wrapping_add(after);
        after = after.wrapping_add(weight.wrapping_mul(u32::from(*letter)));
        weight = weight.wrapping_mul(SPREAD);
    }
    without.iter().take(word.len()).for_each(|hash| emit(mixed(*hash)));
    if word.len() + 2 >= MIN_SOUND {
        // Upper case keeps it apart from what is spelt so.
        let hash = |hash: u32, letter: u8| hash.wrapping_mul(SPREAD).wrapping_add(letter.into());
        emit(mixed(sound(word).into_iter().fold(0, hash)));
    }
}

/// What a letter's place in a word multiplies it by: odd and without a pattern.
const SPREAD: u32 = 0x0100_0193;

/// Mixes a hash; what collides is verified.
fn mixed(hash: u32) -> u32 {
    let mixed = (hash ^ hash >> 15).wrapping_mul(0x9e37_79b1);
    mixed ^ mixed >> 16
}
