//! A log's text, read as the source and `capture log` read it.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use redshank_agent::sources::logs::formats::{Clues, Format, Reader};

/// Reads all lines of `text` in each of the formats, and holds what must hold of any bytes.
pub fn read(formats: &[Format], text: &[u8]) {
    let clues = Clues { now: Timestamp::UNIX_EPOCH, zone: TimeZone::UTC };
    for format in formats {
        let mut reader = Reader::new(format);
        let (mut lines, mut entries) = (0, 0);
        for line in text.split(|byte| *byte == b'\n') {
            lines += 1;
            let read = reader.read(line, &clues, &mut |entry| {
                entries += 1;
                let _ = entry.search_terms();
                assert_eq!(entry.clone().into_owned(), entry);
            });
            if let Err(unreadable) = read {
                assert!(unreadable.shape.len() <= 200, "{}", unreadable.shape);
            }
        }
        reader.flush(&mut |_| entries += 1);
        assert!(entries <= lines && !reader.holds_back());
    }
}
