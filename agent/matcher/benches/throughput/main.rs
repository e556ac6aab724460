//! How fast the matcher is, and what it holds: `cargo bench -p redshank-matcher -- [FILE…]`.
//!
//! One run, one core, the same pages and the same phrases (all phrases of all rules of the shipped
//! packs) for every engine:
//! - Hyperscan in block mode, loaded from `libhs.so.5` (Debian: `apt-get install libhyperscan5`):
//!   each phrase as a regular expression with its gaps and alternatives. The first line, against
//!   which the ratios are, allows one blank alone between two words, the spelling that is fastest
//!   for Hyperscan; the second says what the phrases say. Apart from that, the words that phrases
//!   hang on as literals;
//! - `aho-corasick` on those words;
//! - `regex`'s `RegexSet`, which only says which phrases a page holds;
//! - the matcher, everything on: folding, disguises, conditions, severities, offsets.
//!
//! Hyperscan, `aho-corasick` and `RegexSet` fold ASCII case and do nothing else of what the matcher
//! does; the phrases of conditions (`near`, `unless`, …) are spared them. They report where a match
//! ends, the matcher also where it begins.
//!
//! The pages are cut from the files given, else from Debian's dictionaries (`dict-gcide`, `dict-wn`,
//! `dict-jargon`) if they are installed, else from the English of this repository. Then come
//! adversarial texts against the matcher's own ordinary rate, and loading time and memory, also for
//! packs that were multiplied. Each figure is the best of several rounds; on Unix the thread's own
//! time counts, so that other work on the machine does not.

mod adversarial;
mod clock;
mod engines;
mod loading;
mod packs;
mod pages;

use std::io::{self, Write as _};

use redshank_matcher::{Matcher, Place};
use redshank_yardstick::CountedHeap;

use crate::packs::Source;

#[global_allocator]
static HEAP: CountedHeap = CountedHeap::new();

/// How many times as large as the shipped packs the multiplied ones are.
const MULTIPLE: usize = 4;

fn main() -> io::Result<()> {
    let files: Vec<_> =
        std::env::args_os().skip(1).filter(|it| !it.to_string_lossy().starts_with("--")).collect();
    let text = pages::text(&files)?;
    let pages = pages::cut(&text);
    let mut out = io::stdout();
    let bytes: usize = pages.iter().map(|page| page.len()).sum();
    let foreign = text.bytes().filter(|byte| !byte.is_ascii()).count();
    writeln!(
        out,
        "{:.1} MiB in {} pages, {:.1} % of it not ASCII",
        bytes as f64 / 1024.0 / 1024.0,
        pages.len(),
        100.0 * foreign as f64 / text.len() as f64
    )?;
    let shipped = packs::shipped()?;
    let multiplied = packs::multiplied(&shipped, MULTIPLE, &text)?;
    for (name, sources) in [("shipped packs", &shipped), ("packs multiplied", &multiplied)] {
        writeln!(out, "\n## {name}")?;
        engines::compare(&mut out, &packs::parse(sources)?, &pages)?;
    }
    writeln!(out, "\n## adversarial texts, shipped packs")?;
    adversarial::measure(&mut out, &shipped, &pages)?;
    writeln!(out, "\n## loading")?;
    for (name, sources) in [("shipped packs", &shipped), ("packs multiplied", &multiplied)] {
        loading::measure(&mut out, name, sources)?;
    }
    Ok(())
}

fn compile(sources: &[Source]) -> io::Result<Matcher> {
    Matcher::compile(&packs::parse(sources)?).map_err(|wrong| packs::refused(&wrong))
}

/// Counts the matches on all pages.
fn count(matcher: &Matcher, pages: &[&str], place: Place) -> u64 {
    pages.iter().map(|page| matcher.find(page, place).matches.len() as u64).sum()
}
