//! Words whose letters stand apart: "k i l l", "k  i  l  l", "k . i . l . l", "k💔i💔l💔l",
//! "i w a n t t o d i e".
//!
//! What stands between most letters of a run is how it is spread; what stands there else, if it is
//! wider or a blank, parts words. Where nothing parts them, the letters are cut into words at the
//! least cost: words of the packs and ordinary ones are cheap, letters that are no word dear, so
//! that "i want to diet" is not "i want to die". One pass from left to right over a bounded run.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::glyph::letters;
use super::ordinary::{self, Found};
use super::word_list::{Reach, WordList};
use super::{Effort, says};
use crate::vocabulary::Vocabulary;
use crate::words::{PART_SEPARATOR, Word, Words};

/// The most letters of one run; the next run begins after it.
const MAX_RUN: usize = 320;
/// The most characters between two letters of a run.
const MAX_GAP: usize = 8;
/// The longest word that letters are put together to.
const MAX_LETTERS: usize = 20;
/// What reading on from one letter costs, in steps of the effort.
const LETTER: usize = 24;
/// How many letters may follow a beginning ("suicid*").
const MAX_ENDING: usize = 5;
/// Costs of a common word, of an ordinary one of the packs, of any other of the packs or ordinary
/// one, and of letters that are none: about as often as words of each kind are written.
const COMMON: u32 = 10;
const KNOWN: u32 = 11;
const ORDINARY: u32 = 18;
const UNKNOWN: u32 = 40;
const UNKNOWN_LETTER: u32 = 5;
/// What words of one and of two letters cost more that are not common: nearly any letters fall
/// into such.
const ONE_LETTER: u32 = 10;
const TWO_LETTERS: u32 = 6;
/// The same for three letters that are no ordinary word: "im a" before "ima".
const THREE_LETTERS: u32 = 4;
/// What names cost more than other words.
const NAME: u32 = 2;
/// What common words of two and three letters cost more: "a sin" before "as in".
const SHORT_COMMON: u32 = 1;

/// A stretch of a run that was put together.
#[derive(Debug)]
pub(super) struct Cut {
    /// How many letters it takes.
    pub(super) units: usize,
    /// What it says; empty if it is no word.
    pub(super) words: Vec<String>,
}

/// What the run that begins with a word says.
#[derive(Debug)]
pub(super) struct Spread {
    /// How many letters it has.
    pub(super) units: usize,
    /// What they are put together to; nothing if no word of the packs is among it.
    pub(super) cuts: Vec<Cut>,
    /// Whether what stands between the letters may also end a sentence.
    pub(super) stops: bool,
}

/// Reads the run of letters that begins with this word; nothing if it is none.
pub(super) fn read(
    text: &str,
    words: &Words,
    at: usize,
    word_list: &WordList,
    vocabulary: &Vocabulary,
    effort: &mut Effort,
) -> Option<Spread> {
    let run = Run::of(text, words, at)?;
    let mut spread =
        Spread { units: run.units.len(), cuts: Vec::new(), stops: run.usual.len() > 1 };
    let digits = run.units.iter().filter(|unit| unit.is_ascii_digit()).count();
    if digits * 2 > run.units.len() {
        return Some(spread);
    }
    let reader = Reader { run: &run, word_list, vocabulary };
    let whole = reader.cut(0, run.units.len(), effort)?;
    let mut parted = Cuts::default();
    let mut from = 0;
    for to in run.bounds() {
        parted.append(reader.cut(from, to, effort)?);
        from = to;
    }
    // What parts words is believed, unless it leaves mostly letters that are no word.
    let cuts = if parted.unknown * 2 <= run.units.len() { parted } else { whole };
    // One letter that stands alone is no disguise, and two are often initials.
    let says = |cut: &Cut| {
        let known = || cut.words.iter().any(|word| says(vocabulary, word));
        cut.units > 2 && !cut.words.is_empty() || cut.units == 2 && known()
    };
    if cuts.cuts.iter().any(says) {
        spread.cuts = cuts.cuts;
    }
    Some(spread)
}

/// Letters that stand apart, and what stands between them.
struct Run {
    units: Vec<char>,
    /// What stands before each letter, drawn as blanks and marks.
    gaps: Vec<String>,
    /// What stands before most of them.
    usual: String,
}

impl Run {
    fn of(text: &str, words: &Words, at: usize) -> Option<Self> {
        let mut units = Vec::new();
        let mut gaps: Vec<String> = Vec::new();
        let mut end = None;
        for word in words.as_slice().iter().skip(at).take(MAX_RUN) {
            let mut characters = words.text(word).chars();
            let (Some(unit), None) = (characters.next(), characters.next()) else { break };
            if is_glued(text, word) {
                break;
            }
            if let Some(end) = end {
                let Some(gap) = shape(text.get(end..word.start as usize)?) else { break };
                gaps.push(gap);
            } else {
                gaps.push(String::new());
            }
            units.push(unit);
            end = Some(word.end as usize);
        }
        let mut times: BTreeMap<&str, usize> = BTreeMap::new();
        for gap in gaps.iter().skip(1) {
            *times.entry(gap).or_default() += 1;
        }
        let usual = times.into_iter().max_by_key(|(gap, times)| (*times, Reverse(gap.len())));
        let usual = usual.map(|(gap, _)| gap.to_owned())?;
        Some(Self { units, gaps, usual })
    }

    /// Gives where words end, the end of the run included.
    fn bounds(&self) -> impl Iterator<Item = usize> {
        let parts = |gap: &String| {
            *gap != self.usual
                && (gap.len() > self.usual.len()
                    || gap.contains(BLANK) && !self.usual.contains(BLANK)
                    || gap == " " && self.usual.contains(MARK))
        };
        let inner = self.gaps.iter().enumerate().skip(1).filter(move |(_, gap)| parts(gap));
        inner.map(|(index, _)| index).chain([self.units.len()])
    }
}

/// Says whether a mark that is drawn for a letter touches the letter: it is part of a word.
fn is_glued(text: &str, word: &Word) -> bool {
    let before = text.get(..word.start as usize).and_then(|it| it.chars().next_back());
    let after = text.get(word.end as usize..).and_then(|it| it.chars().next());
    let drawn = |c: char| {
        !c.is_alphanumeric() && (!letters(c).is_empty() || matches!(c, '\\' | ')' | ']' | '}'))
    };
    before.is_some_and(drawn) || after.is_some_and(drawn)
}

/// How a blank and a mark are drawn in the shape of a gap.
const BLANK: char = ' ';
const MARK: char = '.';

/// Draws what stands between two letters; nothing if it parts more than letters. Several symbols
/// outside ASCII are one: an emoji is often written with several characters.
fn shape(gap: &str) -> Option<String> {
    let mut shape = String::new();
    let mut symbol = false;
    for c in gap.chars() {
        let foreign = !c.is_ascii() && !c.is_whitespace();
        if !(foreign && symbol) {
            shape.push(if c.is_whitespace() { BLANK } else { MARK });
        }
        symbol = foreign;
        if shape.len() > MAX_GAP {
            return None;
        }
    }
    (gap.matches('\n').count() < 2 && !gap.contains(PART_SEPARATOR)).then_some(shape)
}

#[derive(Default)]
struct Cuts {
    /// How many letters are no word.
    unknown: usize,
    cuts: Vec<Cut>,
}

impl Cuts {
    fn append(&mut self, mut other: Self) {
        self.unknown += other.unknown;
        self.cuts.append(&mut other.cuts);
    }
}

/// The cheapest way to come to some letter.
struct Step {
    cost: u32,
    from: usize,
    words: Vec<String>,
}

struct Reader<'a> {
    run: &'a Run,
    word_list: &'a WordList,
    vocabulary: &'a Vocabulary,
}

impl Reader<'_> {
    /// Cuts the letters of a range into words; nothing if there is no effort left.
    fn cut(&self, from: usize, to: usize, effort: &mut Effort) -> Option<Cuts> {
        let units = self.run.units.get(from..to)?;
        let mut steps: Vec<Option<Step>> = Vec::new();
        steps.resize_with(units.len() + 1, || None);
        *steps.first_mut()? = Some(Step { cost: 0, from: 0, words: Vec::new() });
        for start in 0..units.len() {
            let Some(so_far) = steps.get(start)?.as_ref().map(|step| step.cost) else { continue };
            if !effort.spend(LETTER) {
                return None;
            }
            let rest = units.get(start..)?;
            let mut offer = |length: usize, cost: u32, word: Option<String>| {
                let Some(step) = steps.get_mut(start + length) else { return };
                let cost = so_far + cost;
                match step {
                    Some(known) if known.cost < cost => {}
                    Some(known) if known.cost == cost && known.from == start => {
                        known.words.extend(word);
                    }
                    // At a tie the shorter last word: "bruises on", not "bruise son".
                    _ => *step = Some(Step { cost, from: start, words: Vec::from_iter(word) }),
                }
            };
            self.known(rest, &mut offer);
            self.ordinary(rest, &mut offer);
            for length in 1..=rest.len().min(MAX_LETTERS) {
                let letters = u32::try_from(length).unwrap_or(u32::MAX);
                offer(length, UNKNOWN + UNKNOWN_LETTER * letters, None);
            }
        }
        let mut cuts = Cuts::default();
        let mut end = units.len();
        while end > 0 {
            let step = steps.get_mut(end)?.take()?;
            cuts.unknown += if step.words.is_empty() { end - step.from } else { 0 };
            cuts.cuts.push(Cut { units: end - step.from, words: step.words });
            end = step.from;
        }
        cuts.cuts.reverse();
        Some(cuts)
    }

    /// Offers the words of the packs with which the letters begin, digits read as letters too.
    fn known(&self, units: &[char], offer: &mut impl FnMut(usize, u32, Option<String>)) {
        let mut open: Vec<(Reach, String)> = vec![(self.word_list.start(), String::new())];
        for (index, unit) in units.iter().enumerate().take(MAX_LETTERS) {
            let mut next: Vec<(Reach, String)> = Vec::new();
            for (reach, word) in open {
                let itself = [*unit];
                for letter in itself.iter().chain(letters(*unit)) {
                    if let Some(reach) = self.word_list.step(reach, *letter) {
                        next.push((reach, format!("{word}{letter}")));
                    }
                }
            }
            let length = index + 1;
            for (reach, word) in &next {
                if !self.word_list.is_word(*reach) {
                    continue;
                }
                if says(self.vocabulary, word) {
                    let cost = if ordinary::is_everyday(word) {
                        KNOWN
                    } else {
                        ORDINARY + if length == 3 { THREE_LETTERS } else { 0 }
                    };
                    offer(length, cost + short(length), Some(word.clone()));
                }
                if self.word_list.is_beginning(*reach) {
                    let mut longer = word.clone();
                    for (more, unit) in units.iter().skip(length).take(MAX_ENDING).enumerate() {
                        longer.push(*unit);
                        let more = u32::try_from(more + 1).unwrap_or(u32::MAX);
                        let cost = KNOWN + 2 * UNKNOWN_LETTER * more;
                        offer(longer.chars().count(), cost, Some(longer.clone()));
                    }
                }
            }
            open = next;
        }
    }

    /// Offers the number and the ordinary words with which the letters begin.
    fn ordinary(&self, units: &[char], offer: &mut impl FnMut(usize, u32, Option<String>)) {
        let number: String = units.iter().take_while(|unit| unit.is_ascii_digit()).collect();
        if !number.is_empty() {
            offer(number.len(), COMMON, Some(number));
        }
        let mut word = String::new();
        for (index, unit) in units.iter().enumerate().take(MAX_LETTERS) {
            word.push(*unit);
            let length = index + 1;
            let common = ordinary::is_common(&word);
            match ordinary::look_up(&word) {
                Found::Word => {
                    let cost = match length {
                        2 | 3 if common => COMMON + SHORT_COMMON,
                        _ if common => COMMON,
                        _ => ORDINARY + short(length),
                    };
                    offer(length, cost, Some(word.clone()));
                }
                _ if common => offer(length, COMMON, Some(word.clone())),
                _ if ordinary::is_ordinary(&word) => {
                    offer(length, ORDINARY + short(length) + NAME, Some(word.clone()));
                }
                Found::Beginning | Found::Nothing => {}
            }
        }
    }
}

const fn short(letters: usize) -> u32 {
    match letters {
        1 => ONE_LETTER,
        2 => TWO_LETTERS,
        _ => 0,
    }
}
