//! e2guardian's formats, whatever stands in the lines; 6 is read as 5 is, and 7 as 8.

#![no_main]

mod lines;

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use redshank_agent::sources::logs::formats::Format;

static FORMATS: LazyLock<[Format; 6]> = LazyLock::new(|| {
    ["e2guardian:1", "e2guardian:2", "e2guardian:3", "e2guardian:4", "e2guardian:5", "e2guardian:8"]
        .map(|name| Format::parse_name(name).unwrap())
});

fuzz_target!(|text: &[u8]| lines::read(&FORMATS[..], text));
