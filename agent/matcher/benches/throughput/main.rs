//! How fast the matcher is, and what it holds:
//! `cargo bench -p redshank-matcher -- [--only engines|adversarial|loading] [FILE…]`.
//!
//! One run, one core, and the same pages and phrases for every engine: some of the phrases of the
//! shipped packs, taken evenly, because Hyperscan does not compile them all in bearable time. The
//! matcher is also measured with every phrase:
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
//! adversarial texts against the matcher's own ordinary rate, and loading time and memory, also of
//! the English packs alone and of packs that were multiplied. `--only` runs one section. Each figure
//! is the best of several rounds; on Unix the thread's own time counts, so that other work on the
//! machine does not.

mod adversarial;
mod clock;
mod engines;
mod loading;
mod packs;
mod pages;

use std::ffi::OsString;
use std::io::{self, Write as _};

use redshank_matcher::{Matcher, Place};
use redshank_yardstick::CountedHeap;

use crate::packs::Source;

#[global_allocator]
static HEAP: CountedHeap = CountedHeap::new();

/// How many phrases the engines are compared on: Hyperscan compiles twice as many in a minute, and all of them not
/// in ten.
const PHRASES: usize = 400;
/// How many times as large as the shipped packs the multiplied ones are.
const MULTIPLE: usize = 4;

fn main() -> io::Result<()> {
    let Wanted { only, files } = Wanted::of(std::env::args_os().skip(1))?;
    let wanted = |section| only.as_deref().is_none_or(|only| only == section);
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
    if wanted(ENGINES) {
        writeln!(out, "\n## engines")?;
        let some = packs::parse(&packs::sampled(&shipped, PHRASES)?)?;
        engines::compare(&mut out, &some, &packs::parse(&shipped)?, &pages)?;
    }
    if wanted(ADVERSARIAL) {
        writeln!(out, "\n## adversarial texts, shipped packs")?;
        adversarial::measure(&mut out, &shipped, &pages)?;
    }
    if wanted(LOADING) {
        writeln!(out, "\n## loading")?;
        let english = packs::of_language(&shipped, "en");
        for (name, sources) in [
            ("English packs", &english),
            ("shipped packs", &shipped),
            ("packs multiplied", &packs::multiplied(&shipped, MULTIPLE, &text)?),
        ] {
            loading::measure(&mut out, name, sources)?;
        }
    }
    Ok(())
}

/// The sections.
const ENGINES: &str = "engines";
const ADVERSARIAL: &str = "adversarial";
const LOADING: &str = "loading";

/// What somebody wants measured.
#[derive(Default)]
struct Wanted {
    only: Option<String>,
    files: Vec<OsString>,
}

impl Wanted {
    fn of(mut arguments: impl Iterator<Item = OsString>) -> io::Result<Self> {
        let mut wanted = Self::default();
        while let Some(argument) = arguments.next() {
            match argument.to_str() {
                Some("--only") => {
                    let section = arguments.next().and_then(|it| it.into_string().ok());
                    let known = |it: &String| [ENGINES, ADVERSARIAL, LOADING].contains(&&**it);
                    wanted.only = Some(section.filter(known).ok_or_else(|| {
                        io::Error::other("--only takes engines, adversarial or loading")
                    })?);
                }
                // Cargo says `--bench`.
                Some(flag) if flag.starts_with("--") => {}
                _ => wanted.files.push(argument),
            }
        }
        Ok(wanted)
    }
}

fn compile(sources: &[Source]) -> io::Result<Matcher> {
    Matcher::compile(&packs::parse(sources)?).map_err(|wrong| packs::refused(&wrong))
}

/// Counts the matches on all pages.
fn count(matcher: &Matcher, pages: &[&str], place: Place) -> u64 {
    pages.iter().map(|page| matcher.find(page, place).matches.len() as u64).sum()
}
