//! What it costs to have a matcher: from TOML to packs to the compiled form, and the bytes held.

use std::io::{self, Write};

use redshank_matcher::Matcher;

use crate::clock::best;
use crate::packs::{self, Source};
use crate::{HEAP, compile};

/// Prints a line for these packs.
pub(crate) fn measure(out: &mut impl Write, name: &str, sources: &[Source]) -> io::Result<()> {
    let bytes: usize = sources.iter().map(|source| source.text.len()).sum();
    let (parsing, parsed) = best(|| packs::parse(sources));
    let parsed = parsed?;
    let (compiling, _) = best(|| Matcher::compile(&parsed).is_ok());
    drop(parsed);
    let before = HEAP.held();
    let matcher = compile(sources)?;
    let held = HEAP.held() - before;
    writeln!(
        out,
        "{name}: {} KiB of TOML, {} rules: parsed in {:.1} ms, compiled in {:.1} ms, held {:.2} MiB",
        bytes / 1024,
        matcher.rule_count(),
        parsing.as_secs_f64() * 1e3,
        compiling.as_secs_f64() * 1e3,
        held as f64 / 1024.0 / 1024.0
    )
}
