//! `capture log` itself: what it says of lines and files that it cannot read.

use std::fs;
use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use redshank_agent::sources::logs::capture::CaptureError;

use super::{FIXTURES, capturing, fixture};

#[test]
fn a_line_has_exactly_the_keys_that_are_promised() {
    let (entries, ..) = capturing("squid", &[fixture("squid/access.native.log")]);
    let keys = |at: usize| {
        let keys = entries[at].as_object().unwrap().keys().cloned();
        keys.collect::<std::collections::BTreeSet<_>>().into_iter().collect::<Vec<_>>().join(" ")
    };
    let rest = "reason search_terms status user user_agent";
    assert_eq!(
        keys(0),
        format!("action at category client {rest}").replace("user user_", "url user user_")
    );
    assert_eq!(entries[22]["host"], "www.google.com");
    assert!(entries[22].get("url").is_none());
    assert_eq!(entries[0]["at"], "2026-11-22T03:18:26.497Z");
}

#[test]
fn what_is_not_understood_is_counted_and_told_by_place_and_shape() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("access.log");
    let good = fs::read_to_string(fixture("squid/access.native.log")).unwrap();
    let good = good.lines().next().unwrap();
    let long = "x".repeat(70_000);
    let lines =
        format!("{good}\nsecret words http://secret.example/\n\r\n{long}\n{good}\nhalf a li");
    fs::write(&file, lines).unwrap();
    let (entries, counts, error) = capturing("squid", std::slice::from_ref(&file));
    assert!(error.is_none(), "{error:?}");
    assert_eq!(entries.len(), 2);
    let name = file.display();
    let (second, fourth) = (good.len() + 1, good.len() + 1 + 36 + 2);
    let last = fourth + 70_001 + good.len() + 1;
    assert_eq!(
        counts,
        format!(
            "{name}: 6 lines: 2 entries, 1 no requests, 3 not understood\n\
             {name}: not understood at byte {second}: word word url, 3 by space\n\
             {name}: not understood at byte {fourth}: more than 65536 bytes\n\
             {name}: not understood at byte {last}: word word word, 3 by space\n"
        )
    );
}

#[test]
fn a_compressed_log_is_read_as_if_it_were_not() {
    let folder = tempfile::tempdir().unwrap();
    let plain = fixture("squid/access.native.log");
    let text = fs::read(&plain).unwrap();
    // Rotation may append one compressed file to another.
    let (first, second) = text.split_at(text.len() / 2);
    let packed = [gzip(first), gzip(second)].concat();
    let whole = folder.path().join("access.log.1.gz");
    fs::write(&whole, &packed).unwrap();
    assert_eq!(capturing("squid", &[whole]).0, capturing("squid", &[plain]).0);

    let broken = folder.path().join("access.log.2.gz");
    fs::write(&broken, &packed[..packed.len() - 40]).unwrap();
    let (entries, _, error) = capturing("squid", std::slice::from_ref(&broken));
    assert!(!entries.is_empty());
    let error = error.unwrap().to_string();
    assert!(
        error.starts_with(&format!("{}: it cannot be read on from byte", broken.display())),
        "{error}"
    );
}

#[test]
fn a_file_that_cannot_be_read_is_named_and_the_others_are_written() {
    let folder = tempfile::tempdir().unwrap();
    let zstd = folder.path().join("access.log.zst");
    fs::write(&zstd, [0x28, 0xB5, 0x2F, 0xFD, 0, 0]).unwrap();
    let files = [
        folder.path().join("missing"),
        FIXTURES.into(),
        zstd,
        fixture("dns/queries_truth.sh"),
        fixture("squid/access.native.log"),
    ];
    let (entries, _, error) = capturing("squid", &files);
    assert_eq!(entries.len(), 26);
    let Some(CaptureError::Files(failed)) = &error else { panic!("{error:?}") };
    assert_eq!(failed.iter().map(|failed| failed.file.clone()).collect::<Vec<_>>(), files[..4]);
    for (failed, reason) in failed.iter().zip([
        "there is no such file",
        "it is not a file",
        "it is compressed with zstd; unpack it first",
        "none of its lines is of that format",
    ]) {
        assert!(failed.to_string().contains(reason), "{failed}");
    }
}

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::default());
    packed.write_all(text).unwrap();
    packed.finish().unwrap()
}
