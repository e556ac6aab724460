//! Squid's own three formats, whatever stands in the lines.

#![no_main]

mod lines;

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use redshank_agent::sources::logs::formats::Format;

static FORMATS: LazyLock<[Format; 3]> = LazyLock::new(|| {
    ["squid", "squid-common", "squid-combined"].map(|name| Format::parse_name(name).unwrap())
});

fuzz_target!(|text: &[u8]| lines::read(&FORMATS[..], text));
