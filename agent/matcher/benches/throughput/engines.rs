//! The engines, each on the same pages and phrases, as far as they compile them.
//!
//! Hyperscan needs many minutes for all phrases of the shipped packs, and `RegexSet` more memory
//! than there is. Each is given as many phrases, taken evenly from all, as it compiles within
//! bounds; a line says how many those are. The matcher always has all of them, so that ratios to an
//! engine that has fewer are in that engine's favour.

use std::collections::BTreeSet;
use std::io::{self, Write};

use aho_corasick::AhoCorasick;
use redshank_matcher::{BETWEEN_WORDS, Expression, Matcher, Pack, Place};
use redshank_yardstick::{Hyperscan, HyperscanError, Meaning};
use regex::bytes::{RegexSet, RegexSetBuilder};

use crate::clock::{best_of_each, rate};
use crate::{count, packs};

/// What `RegexSet` may hold compiled, and each of its lazy automata: past the default of 10 MiB.
const REGEX_SIZE: usize = 256 * 1024 * 1024;
/// On how many pages `RegexSet` is tried: past some hundred phrases its automata no longer fit and
/// it needs a minute for a few.
const REGEX_PAGES: usize = 2;

/// Prints a line for each engine, with the phrases of `packs`, and for the matcher with `all` of them.
pub(crate) fn compare(
    out: &mut impl Write,
    packs: &[Pack],
    all: &[Pack],
    pages: &[&str],
) -> io::Result<()> {
    let expressions: Vec<Expression> = packs.iter().flat_map(Pack::expressions).collect();
    let regexes: Vec<String> = expressions.iter().map(|it| it.regex.clone()).collect();
    let anchors: BTreeSet<&str> =
        expressions.iter().flat_map(|it| &it.anchors).map(String::as_str).collect();
    let anchors: Vec<String> = anchors.into_iter().map(str::to_owned).collect();
    writeln!(out, "{} phrases, which hang on {} words", regexes.len(), anchors.len())?;

    let mut engines: Vec<Engine<'_>> = Vec::new();
    let blanks: Vec<String> = regexes.iter().map(|it| it.replace(BETWEEN_WORDS, " ")).collect();
    for (name, patterns, meaning, single) in [
        ("Hyperscan, phrases, one blank between", &blanks, Meaning::Expressions, false),
        ("Hyperscan, phrases", &regexes, Meaning::Expressions, false),
        ("Hyperscan, phrases, each once", &regexes, Meaning::Expressions, true),
        ("Hyperscan, literal anchors", &anchors, Meaning::Literals, false),
    ] {
        match Hyperscan::compile(patterns, meaning, single) {
            Err(absent @ HyperscanError::Absent(_)) => writeln!(out, "{name}: {absent}")?,
            compiled => engines.push(hyperscan(name, compiled.map_err(io::Error::other)?)),
        }
    }
    let literals = AhoCorasick::builder()
        .ascii_case_insensitive(true)
        .build(&anchors)
        .map_err(io::Error::other)?;
    engines.push(Engine::new("aho-corasick, literal anchors".to_owned(), move |page| {
        literals.find_overlapping_iter(page).count() as u64
    }));
    let (set, refused) = regex_set(&regexes);
    let name = format!("regex::RegexSet, phrases ({refused} refused)");
    engines.push(Engine {
        most: REGEX_PAGES,
        ..Engine::new(name, move |page| set.matches(page.as_bytes()).iter().count() as u64)
    });
    for (name, packs) in [("this matcher", packs), ("this matcher, every phrase", all)] {
        let matcher = Matcher::compile(packs).map_err(|wrong| packs::refused(&wrong))?;
        for place in [Place::PageText, Place::Typed] {
            let matcher = matcher.clone();
            engines.push(Engine::new(format!("{name}, {place}"), move |page| {
                count(&matcher, &[page], place)
            }));
        }
    }

    writeln!(out, "{:<50} {:>8} {:>7} {:>10}", "", "MB/s", "ratio", "matches")?;
    measure(out, &mut engines, pages)
}

/// Something that finds phrases.
struct Engine<'a> {
    name: String,
    /// On how many pages it is tried.
    most: usize,
    /// Counts the matches on a page.
    matches: Box<dyn FnMut(&str) -> u64 + 'a>,
}

impl<'a> Engine<'a> {
    fn new(name: String, matches: impl FnMut(&str) -> u64 + 'a) -> Self {
        Self { name, most: usize::MAX, matches: Box::new(matches) }
    }
}

/// Prints the rate of each, and its ratio to the first.
fn measure(out: &mut impl Write, engines: &mut [Engine<'_>], pages: &[&str]) -> io::Result<()> {
    let pages_of = |engine: &Engine<'_>| pages.get(..engine.most).unwrap_or(pages);
    let names: Vec<(String, usize)> = engines
        .iter()
        .map(|it| (it.name.clone(), pages_of(it).iter().map(|page| page.len()).sum()))
        .collect();
    let mut works: Vec<Box<dyn FnMut() -> u64 + '_>> = Vec::new();
    for engine in engines {
        let pages = pages_of(engine);
        let matches = &mut engine.matches;
        works.push(Box::new(move || pages.iter().map(|page| matches(page)).sum()));
    }
    let mut reference = None;
    for ((name, bytes), (time, found)) in names.into_iter().zip(best_of_each(&mut works)) {
        let rate = rate(bytes, time);
        let ratio = rate / *reference.get_or_insert(rate);
        writeln!(out, "{name:<50} {rate:>8.1} {ratio:>7.2} {found:>10}")?;
    }
    Ok(())
}

#[expect(clippy::panic, reason = "a benchmark that fails has no figures")]
fn hyperscan(name: &str, mut engine: Hyperscan) -> Engine<'static> {
    let name = format!("{name} ({} refused)", engine.refused().len());
    Engine::new(name, move |page| match engine.count(page.as_bytes()) {
        Ok(matches) => matches,
        Err(error) => panic!("{error}"),
    })
}

/// Compiles what `regex` takes, and says how many phrases it does not take.
fn regex_set(regexes: &[String]) -> (RegexSet, usize) {
    let build = |some: &[&String]| {
        RegexSetBuilder::new(some)
            .case_insensitive(true)
            .unicode(false)
            .size_limit(REGEX_SIZE)
            .dfa_size_limit(REGEX_SIZE)
            .build()
    };
    let mut taken: Vec<&String> = regexes.iter().filter(|regex| build(&[*regex]).is_ok()).collect();
    loop {
        match build(&taken) {
            Ok(set) => return (set, regexes.len() - taken.len()),
            // Together they pass the size limit: an eighth fewer.
            Err(_) => taken.truncate(taken.len() * 7 / 8),
        }
    }
}
