//! A damaged spool is set aside, the loss is told, and what was not delivered is read again.

use std::fs::{self, OpenOptions};
use std::io::{Seek as _, SeekFrom, Write as _};

use super::*;

#[test]
fn a_damaged_file_is_set_aside_and_the_gap_is_told_in_both_lanes() {
    for harm in [overwrite_a_page, overwrite_the_header, truncate, put_a_text_there] {
        let bench = Bench::new();
        let spool = bench.open();
        let batch = (0..50).map(|n| urgent(4, &format!("{n}{}", "x".repeat(900)))).collect();
        spool.append(batch, &[]).unwrap();
        drop(spool);
        harm(&bench.folder.path().join(FILE));

        let spool = bench.open();
        assert!(bench.folder.path().join("spool.quarantined-1.sqlite").exists());
        for lane in Lane::ALL {
            let expected = v1::Gap {
                reason: v1::GapReason::Quarantined.into(),
                lane: lane.number(),
                ..Default::default()
            };
            assert_eq!(bench.gaps(&spool, lane), [expected]);
        }
        spool.append(vec![urgent(5, "goes on")], &[]).unwrap();
        assert_eq!(bench.words(&spool, Lane::Urgent), ["goes on"]);
        drop(spool);
        assert_eq!(bench.words(&bench.open(), Lane::Urgent), ["goes on"]);
    }
}

#[test]
fn a_new_spool_goes_on_from_where_everything_had_been_delivered() {
    let bench = Bench::new();
    let spool = bench.open();
    spool.append(vec![urgent(4, "delivered")], &[checkpoint("profile", b"1")]).unwrap();
    let epoch = all(&spool, Lane::Urgent)[0].position.epoch;
    spool.settle(ONE, epoch, Lane::Urgent, 1, &[]).unwrap();
    spool.append(vec![urgent(4, "waits")], &[checkpoint("profile", b"2")]).unwrap();
    drop(spool);
    put_a_text_there(&bench.folder.path().join(FILE));

    let spool = bench.open();
    assert_eq!(spool.checkpoints().unwrap()["profile"], b"1");
}

#[test]
fn a_spool_that_is_gone_is_told_like_one_that_is_damaged() {
    let bench = Bench::new();
    let spool = bench.open();
    assert_eq!(bench.gaps(&spool, Lane::Urgent), [], "the first spool follows no other");
    drop(spool);
    fs::remove_file(bench.folder.path().join(FILE)).unwrap();
    let spool = bench.open();
    assert_eq!(bench.gaps(&spool, Lane::Urgent).len(), 1);
    drop(spool);
    assert_eq!(bench.gaps(&bench.open(), Lane::Urgent).len(), 1, "and told once");
}

#[test]
fn a_spool_in_use_is_an_error_and_not_set_aside() {
    let bench = Bench::new();
    let spool = bench.open();
    let error = try_open(&bench, bench.folder.path(), &bench.key.public()).unwrap_err();
    assert!(matches!(error, SpoolError::InUse(_)), "{error}");
    spool.append(vec![urgent(5, "goes on")], &[]).unwrap();
    drop(spool);
    assert_eq!(bench.words(&bench.open(), Lane::Urgent), ["goes on"]);
}

#[test]
fn without_a_folder_or_a_key_nothing_is_begun() {
    let bench = Bench::new();
    let missing = bench.folder.path().join("missing");
    let error = try_open(&bench, &missing, &bench.key.public()).unwrap_err();
    assert!(matches!(error, SpoolError::Io { .. }), "{error}");
    let error = try_open(&bench, bench.folder.path(), &v1::HpkeKey::default()).unwrap_err();
    assert!(matches!(error, SpoolError::Seal(_)), "{error}");
    assert_eq!(fs::read_dir(bench.folder.path()).unwrap().count(), 0);
}

#[cfg(unix)]
#[test]
fn a_link_in_the_spool_s_place_is_not_followed() {
    let bench = Bench::new();
    let target = tempfile::NamedTempFile::new().unwrap();
    std::os::unix::fs::symlink(target.path(), bench.folder.path().join(FILE)).unwrap();
    let error = try_open(&bench, bench.folder.path(), &bench.key.public()).unwrap_err();
    assert!(matches!(error, SpoolError::Database { .. }), "{error}");
    assert_eq!(target.as_file().metadata().unwrap().len(), 0);
}

fn try_open(bench: &Bench, folder: &Path, key: &v1::HpkeKey) -> Result<Spool, SpoolError> {
    let (clock, randomness) = (Arc::clone(&bench.clock), Arc::clone(&bench.clock));
    Spool::open(folder, bench.school, key, bench.limits, clock, randomness)
}

fn overwrite_a_page(path: &Path) {
    let mut file = OpenOptions::new().write(true).open(path).unwrap();
    let middle = file.metadata().unwrap().len() / 2;
    file.seek(SeekFrom::Start(middle)).unwrap();
    file.write_all(&[0xa5; 8_192]).unwrap();
}

fn overwrite_the_header(path: &Path) {
    let mut file = OpenOptions::new().write(true).open(path).unwrap();
    file.write_all(&[0xa5; 100]).unwrap();
}

fn truncate(path: &Path) {
    let file = OpenOptions::new().write(true).open(path).unwrap();
    file.set_len(file.metadata().unwrap().len() / 2).unwrap();
}

fn put_a_text_there(path: &Path) {
    fs::write(path, "a text that is no database, and long enough to be taken for one".repeat(40))
        .unwrap();
}
