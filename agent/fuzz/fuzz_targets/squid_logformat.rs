//! Any `logformat`, and any lines read with it.

#![no_main]

mod lines;

use libfuzzer_sys::fuzz_target;
use redshank_agent::sources::logs::formats::Format;

// The first line is the `logformat`, what follows are lines to read with it.
fuzz_target!(|input: &[u8]| {
    let end = input.iter().position(|byte| *byte == b'\n').unwrap_or(input.len());
    let Ok(definition) = str::from_utf8(&input[..end]) else { return };
    if let Ok(format) = Format::parse_name(&format!("squid:{definition}")) {
        lines::read(&[format], input.get(end + 1..).unwrap_or_default());
    }
});
