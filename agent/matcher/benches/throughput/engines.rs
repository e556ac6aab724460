//! The engines, each on the same pages and phrases.

use std::collections::BTreeSet;
use std::io::{self, Write};

use aho_corasick::AhoCorasick;
use redshank_matcher::{BETWEEN_WORDS, Expression, Matcher, Pack, Place};
use redshank_yardstick::{Hyperscan, HyperscanError, Meaning};
use regex::bytes::{RegexSet, RegexSetBuilder};

use crate::clock::{best, rate};
use crate::{count, packs};

/// What `RegexSet` may hold compiled, and each of its lazy automata: past the default of 10 MiB.
const REGEX_SIZE: usize = 256 * 1024 * 1024;
/// On how many pages `RegexSet` is tried: past some hundred phrases its automata no longer fit and
/// it needs a minute for a few.
const REGEX_PAGES: usize = 128;

/// Prints a line for each engine.
pub(crate) fn compare(out: &mut impl Write, packs: &[Pack], pages: &[&str]) -> io::Result<()> {
    let expressions: Vec<Expression> = packs.iter().flat_map(Pack::expressions).collect();
    let regexes: Vec<String> = expressions.iter().map(|it| it.regex.clone()).collect();
    let anchors: BTreeSet<&str> =
        expressions.iter().flat_map(|it| &it.anchors).map(String::as_str).collect();
    let anchors: Vec<String> = anchors.into_iter().map(str::to_owned).collect();
    writeln!(out, "{} phrases, which hang on {} words", regexes.len(), anchors.len())?;
    writeln!(out, "{:<50} {:>8} {:>7} {:>10}", "", "MB/s", "ratio", "matches")?;
    let mut table = Table { out, pages, reference: None };

    let blanks: Vec<String> = regexes.iter().map(|it| it.replace(BETWEEN_WORDS, " ")).collect();
    for (name, patterns, meaning, once) in [
        ("Hyperscan, phrases, one blank between", &blanks, Meaning::Expressions, false),
        ("Hyperscan, phrases", &regexes, Meaning::Expressions, false),
        ("Hyperscan, phrases, each once", &regexes, Meaning::Expressions, true),
        ("Hyperscan, literal anchors", &anchors, Meaning::Literals, false),
    ] {
        hyperscan(&mut table, name, patterns, meaning, once)?;
    }

    let literals = AhoCorasick::builder()
        .ascii_case_insensitive(true)
        .build(&anchors)
        .map_err(io::Error::other)?;
    table.line("aho-corasick, literal anchors", |page| {
        literals.find_overlapping_iter(page).count() as u64
    })?;

    let (set, refused) = regex_set(&regexes);
    let whole = std::mem::replace(&mut table.pages, pages.get(..REGEX_PAGES).unwrap_or(pages));
    let name = format!("regex::RegexSet, phrases ({refused} refused)");
    table.line(&name, |page| set.matches(page.as_bytes()).iter().count() as u64)?;
    table.pages = whole;

    let matcher = Matcher::compile(packs).map_err(|wrong| packs::refused(&wrong))?;
    for place in [Place::PageText, Place::Typed] {
        table.line(&format!("this matcher, {place}"), |page| count(&matcher, &[page], place))?;
    }
    Ok(())
}

struct Table<'a, W> {
    out: &'a mut W,
    pages: &'a [&'a str],
    /// The rate of the first line.
    reference: Option<f64>,
}

impl<W: Write> Table<'_, W> {
    fn line(&mut self, name: &str, mut matches: impl FnMut(&str) -> u64) -> io::Result<()> {
        let bytes = self.pages.iter().map(|page| page.len()).sum();
        let (time, found) = best(|| self.pages.iter().map(|page| matches(page)).sum::<u64>());
        let rate = rate(bytes, time);
        let ratio = rate / *self.reference.get_or_insert(rate);
        writeln!(self.out, "{name:<50} {rate:>8.1} {ratio:>7.2} {found:>10}")
    }
}

fn hyperscan<W: Write>(
    table: &mut Table<'_, W>,
    name: &str,
    patterns: &[String],
    meaning: Meaning,
    once: bool,
) -> io::Result<()> {
    let mut engine = match Hyperscan::compile(patterns, meaning, once) {
        Err(absent @ HyperscanError::Absent(_)) => {
            return writeln!(table.out, "{name:<50} {absent}");
        }
        compiled => compiled.map_err(io::Error::other)?,
    };
    let mut failure = None;
    let name = format!("{name} ({} refused)", engine.refused().len());
    table.line(&name, |page| {
        engine.count(page.as_bytes()).unwrap_or_else(|error| {
            failure = Some(error);
            0
        })
    })?;
    failure.map_or(Ok(()), |error| Err(io::Error::other(error)))
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
