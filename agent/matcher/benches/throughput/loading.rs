//! What it costs to have a matcher: from TOML, and from the bytes of one that was compiled; how
//! many bytes those are, and how many it holds in memory.

use std::io::{self, Write};

use redshank_matcher::Matcher;

use crate::clock::best;
use crate::packs::{self, Source};
use crate::{HEAP, compile};

/// Prints lines for these packs.
pub(crate) fn measure(out: &mut impl Write, name: &str, sources: &[Source]) -> io::Result<()> {
    let toml: usize = sources.iter().map(|source| source.text.len()).sum();
    let (parsing, parsed) = best(|| packs::parse(sources));
    let parsed = parsed?;
    let (compiling, _) = best(|| Matcher::compile(&parsed).is_ok());
    drop(parsed);
    let (compiled, held_compiled) = held(|| compile(sources))?;
    let bytes = compiled.to_bytes();
    drop(compiled);
    let read = || Matcher::from_bytes(&bytes).map_err(io::Error::other);
    let (reading, _) = best(|| read().is_ok());
    let (matcher, held_read) = held(read)?;
    let [parsing, compiling, reading] =
        [parsing, compiling, reading].map(|time| time.as_secs_f64() * 1e3);
    let [held_compiled, held_read, mebibytes] =
        [held_compiled, held_read, bytes.len()].map(|bytes| bytes as f64 / 1024.0 / 1024.0);
    writeln!(
        out,
        "{name}: {} KiB of TOML, {} rules\n  \
         from TOML: {:.1} ms ({parsing:.1} ms parsing, {compiling:.1} ms compiling), \
         held {held_compiled:.2} MiB\n  \
         from {mebibytes:.2} MiB of its own bytes: {reading:.1} ms, held {held_read:.2} MiB",
        toml / 1024,
        matcher.rule_count(),
        parsing + compiling,
    )
}

/// Makes a matcher; gives also how many bytes it holds.
fn held(make: impl FnOnce() -> io::Result<Matcher>) -> io::Result<(Matcher, usize)> {
    let before = HEAP.held();
    let matcher = make()?;
    let held = HEAP.held() - before;
    Ok((matcher, held))
}
