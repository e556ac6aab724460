//! dnsmasq's log, whatever stands in the lines and in whatever order they come.

#![no_main]

mod lines;

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use redshank_agent::sources::logs::formats::Format;

static FORMATS: LazyLock<[Format; 1]> =
    LazyLock::new(|| ["dnsmasq"].map(|name| Format::parse_name(name).unwrap()));

fuzz_target!(|text: &[u8]| lines::read(&FORMATS[..], text));
