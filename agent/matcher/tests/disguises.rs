//! What is found in plain writing is found in disguise, and what is harmless stays so.
//!
//! Texts are the packs' own examples and the golden sets beside them. Each is written in every
//! manner of ten disguises: as a whole, and with one word of what was found in it. `--nocapture`
//! prints the table.

#![expect(
    clippy::panic,
    clippy::unwrap_used,
    clippy::print_stdout,
    unreachable_pub,
    reason = "the helpers of a test report by panicking and printing too"
)]

mod support;

use std::collections::HashSet;
use std::sync::LazyLock;

use redshank_matcher::{Category, Matcher, Place};
use support::chance::Chance;
use support::disguise::{DISGUISES, Disguise, Manner};
use support::texts::{self, Text};

/// Of a hundred texts that are found in plain writing, so many are found in each disguise.
const LEAST: usize = 95;
/// So many texts are found in disguise, taken evenly from all: each in some sixty manners.
const MOST: usize = 250;
/// Of so many disguised near misses one may be raised at most: none is what is wanted, and all of them are tried.
const ONE_IN: usize = 1000;
/// From this severity somebody is told.
const TOLD: u8 = 3;

#[test]
fn every_disguise_is_seen_through() {
    let matcher = texts::matcher();
    let texts = texts::texts();
    let found: Vec<(&Text, Category, u8)> = texts
        .iter()
        .filter_map(|text| {
            let category = text.expected?;
            let severity = severity(&matcher, text, &text.text, category);
            (severity > 0).then_some((text, category, severity))
        })
        .collect();
    println!("{} texts, {} found in plain writing", texts.len(), found.len());
    let found: Vec<_> = found.iter().step_by(found.len().div_ceil(MOST)).collect();
    let mut short = Vec::new();
    for disguise in DISGUISES {
        let mut tried = Tried::default();
        for (text, category, plain) in found.iter().copied() {
            let key = key_words(&matcher, text, *category);
            for (manner, written) in written(disguise, &text.text, &key) {
                let seen = severity(&matcher, text, &written, *category) >= *plain;
                tried.add(manner, seen, &written);
            }
        }
        tried.print(disguise.name);
        if tried.share() < LEAST || tried.tried == 0 {
            short.push(disguise.name);
        }
    }
    assert!(found.len() > 100, "only {} texts to disguise", found.len());
    assert!(short.is_empty(), "not seen through: {short:?}");
}

#[test]
fn hardly_any_disguise_makes_a_harmless_text_a_hit() {
    let matcher = texts::matcher();
    let texts = texts::texts();
    let harmless: Vec<&Text> = texts
        .iter()
        .filter(|text| text.expected.is_none() && loudest(&matcher, text, &text.text) < TOLD)
        .collect();
    println!("{} texts, {} harmless in plain writing", texts.len(), harmless.len());
    let (mut raised, mut all) = (Vec::new(), 0);
    for disguise in DISGUISES {
        let mut tried = 0;
        for text in &harmless {
            let words: Vec<&str> = text.text.split_whitespace().collect();
            for (manner, written) in written(disguise, &text.text, &words) {
                tried += 1;
                if loudest(&matcher, text, &written) >= TOLD {
                    raised.push(format!("{} ({manner}): {written} [{}]", disguise.name, text.text));
                }
            }
        }
        println!("{:<14} {tried:>7} harmless", disguise.name);
        all += tried;
    }
    println!("{} of {all} raised:\n{}", raised.len(), raised.join("\n"));
    assert!(harmless.len() > 100, "only {} harmless texts to disguise", harmless.len());
    assert!(raised.len() * ONE_IN <= all, "{} of {all} raised", raised.len());
}

static ENGLISH: LazyLock<HashSet<&str>> = LazyLock::new(|| {
    let rare = include_str!("../src/disguise/names.txt").lines();
    include_str!("../src/disguise/ordinary.txt").lines().chain(rare).collect()
});

#[test]
fn no_ordinary_word_is_taken_for_a_slip() {
    let matcher = texts::matcher();
    // Rules whose phrase is one word would be raised by a slip of it.
    let taken: Vec<&str> = ENGLISH
        .iter()
        .copied()
        .filter(|word| {
            let findings = matcher.find(word, Place::Search);
            findings.matches.iter().flat_map(|it| &it.reasons).any(|it| it == "misspelt")
        })
        .collect();
    assert!(taken.is_empty(), "{taken:?}");
    let findings = matcher.find("how to kill mysefl", Place::Search);
    assert!(findings.matches.iter().flat_map(|it| &it.reasons).any(|it| it == "misspelt"));
}

/// How often a disguise was seen through.
#[derive(Default)]
struct Tried {
    tried: usize,
    seen: usize,
    manners: Vec<(String, usize, usize, Vec<String>)>,
}

impl Tried {
    fn add(&mut self, manner: String, seen: bool, written: &str) {
        let known = self.manners.iter().position(|(name, ..)| *name == manner);
        let at = known.unwrap_or_else(|| {
            self.manners.push((manner, 0, 0, Vec::new()));
            self.manners.len() - 1
        });
        let (_, tried, of_it, unseen) = &mut self.manners[at];
        *tried += 1;
        *of_it += usize::from(seen);
        self.tried += 1;
        self.seen += usize::from(seen);
        if !seen && unseen.len() < 4 {
            unseen.push(written.to_owned());
        }
    }

    fn share(&self) -> usize {
        self.seen * 100 / self.tried.max(1)
    }

    fn print(&self, name: &str) {
        let percent = |seen: usize, tried: usize| 1000 * seen / tried.max(1);
        let share = percent(self.seen, self.tried);
        println!("{name:<14} {:>3}.{} % of {:>6}", share / 10, share % 10, self.tried);
        for (manner, tried, seen, unseen) in &self.manners {
            let share = percent(*seen, *tried);
            println!("    {manner:<44} {:>3}.{} % of {tried:>5}", share / 10, share % 10);
            for text in unseen {
                println!("        {text}");
            }
        }
    }
}

/// Writes a text in every manner of a disguise: as a whole, and with one of its key words.
fn written(disguise: &Disguise, text: &str, key: &[&str]) -> Vec<(String, String)> {
    let text = text.to_lowercase();
    let mut all = Vec::new();
    for (name, manner) in disguise.words {
        let mut chance = Chance::of(&text, name);
        let whole: Vec<String> = text
            .split_whitespace()
            .map(|word| {
                let this = !disguise.by_accident || chance.once_in(2);
                let written = this.then(|| in_manner(*manner, word, &mut chance)).flatten();
                written.unwrap_or_else(|| word.to_owned())
            })
            .collect();
        all.push((format!("whole, {name}"), whole.join(" ")));
        let words: Vec<(&str, String)> = key
            .iter()
            .filter_map(|word| Some((*word, in_manner(*manner, word, &mut chance)?)))
            .collect();
        if let Some((word, disguised)) = chance.one_of(&words) {
            let mut once = false;
            let words: Vec<&str> = text
                .split_whitespace()
                .map(|it| {
                    let this = !once && it == *word;
                    once |= this;
                    if this { disguised } else { it }
                })
                .collect();
            all.push((format!("one word, {name}"), words.join(" ")));
        }
    }
    for (name, manner) in disguise.texts {
        if let Some(written) = manner(&text, &mut Chance::of(&text, name)) {
            all.push((format!("text, {name}"), written));
        }
    }
    // Where a manner says nothing of a text, the text is no disguise.
    all.retain(|(_, written)| *written != text);
    all
}

/// Disguises a word of plain letters.
fn in_manner(manner: Manner, word: &str, chance: &mut Chance) -> Option<String> {
    let letters = word.chars().count() > 1 && word.chars().all(|c| c.is_ascii_lowercase());
    let written = letters.then(|| manner(word, chance)).flatten()?;
    // Another English word is no way of writing this one ("rape" for "raped").
    (written != word && !ENGLISH.contains(written.as_str())).then_some(written)
}

/// Gives the words of three letters and more of what was found.
fn key_words<'a>(matcher: &Matcher, text: &'a Text, category: Category) -> Vec<&'a str> {
    let findings = matcher.find(&text.text, text.place);
    let of_category = findings.matches.iter().filter(|it| it.category == category);
    let Some(found) = of_category.max_by_key(|it| it.severity) else { return Vec::new() };
    let named = text.text.get(found.start..found.end).unwrap_or_default();
    let whole: Vec<&str> = text.text.split_whitespace().collect();
    let words = named.split_whitespace().filter(|word| word.len() > 2 && whole.contains(word));
    words.collect()
}

fn severity(matcher: &Matcher, text: &Text, written: &str, category: Category) -> u8 {
    let findings = matcher.find(written, text.place);
    let of_category = findings.matches.iter().filter(|it| it.category == category);
    of_category.map(|it| it.severity.get()).max().unwrap_or_default()
}

fn loudest(matcher: &Matcher, text: &Text, written: &str) -> u8 {
    matcher.find(written, text.place).severity()
}
