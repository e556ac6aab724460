//! What was appended is there after any end, and only the school can read it.

use std::fs;
use std::io::Read as _;

use redshank_proto::clock::System;
use redshank_proto::id::Position;
use redshank_proto::seal::SealError;

use super::*;

#[test]
fn events_and_checkpoints_survive_a_restart_and_keep_their_identity() {
    let bench = Bench::new();
    let spool = bench.open();
    let batch = vec![urgent(5, "first"), routine("aside"), urgent(3, "second")];
    spool.append(batch, &[checkpoint("profile", b"12")]).unwrap();
    let before = all(&spool, Lane::Urgent);
    assert_eq!(before.iter().map(|event| event.position.sequence).collect::<Vec<_>>(), [1, 2]);
    drop(spool);

    let spool = bench.open();
    assert_eq!(all(&spool, Lane::Urgent), before);
    assert_eq!(bench.words(&spool, Lane::Urgent), ["first", "second"]);
    assert_eq!(bench.words(&spool, Lane::Routine), ["aside"]);
    assert_eq!(spool.checkpoints().unwrap()["profile"], b"12");

    spool.append(vec![urgent(4, "third")], &[checkpoint("profile", b"13")]).unwrap();
    let after = all(&spool, Lane::Urgent);
    assert_ne!(after[2].position.epoch, after[0].position.epoch);
    assert_eq!(after[2].position.sequence, 1);
    assert_eq!(spool.checkpoints().unwrap()["profile"], b"13");
}

#[test]
fn a_kill_right_after_append_loses_nothing() {
    let bench = Bench::new();
    let spool = bench.open();
    for n in 0..20 {
        spool.append(vec![urgent(4, &n.to_string())], &[checkpoint("profile", &[n])]).unwrap();
        // What a killed process leaves: the files as they stand, never closed.
        let left = tempfile::tempdir().unwrap();
        for file in [FILE.to_owned(), format!("{FILE}-wal")] {
            fs::copy(bench.folder.path().join(&file), left.path().join(&file)).unwrap();
        }
        let after = bench.open_at(left.path());
        assert_eq!(bench.words(&after, Lane::Urgent).len(), usize::from(n) + 1);
        assert_eq!(after.checkpoints().unwrap()["profile"], [n]);
        assert_eq!(after.stats().unwrap().lost, 0);
    }
}

#[test]
fn a_failed_append_stores_nothing_of_its_batch_and_uses_no_sequence_twice() {
    let mut bench = Bench::new();
    bench.limits.file_bytes = 256 * 1024;
    let spool = bench.open();
    spool.append(vec![urgent(5, "kept")], &[checkpoint("profile", b"1")]).unwrap();
    let huge = (0..20).map(|_| urgent(5, &"x".repeat(60_000))).collect();
    let error = spool.append(huge, &[checkpoint("profile", b"2")]).unwrap_err();
    assert!(matches!(error, SpoolError::Full(_)), "{error}");
    assert_eq!(bench.words(&spool, Lane::Urgent), ["kept"]);
    assert_eq!(spool.checkpoints().unwrap()["profile"], b"1");

    spool.append(vec![urgent(5, "next")], &[]).unwrap();
    assert!(all(&spool, Lane::Urgent)[1].position.sequence > 2);
}

#[test]
fn a_failure_after_the_commit_is_no_failed_append() {
    let bench = Bench::new();
    drop(bench.open());
    // A tally that cannot be summed up with another: what waits cannot be counted.
    let db = rusqlite::Connection::open(bench.folder.path().join(FILE)).unwrap();
    let lane = Lane::Urgent.number();
    db.execute("INSERT INTO tallies VALUES (?1, 9, 1, ?2, 0)", (lane, i64::MAX)).unwrap();
    drop(db);

    let spool = bench.open();
    let changed = spool.changed();
    spool.append(vec![urgent(5, "once")], &[checkpoint("profile", b"1")]).unwrap();
    assert!(spool.stats().is_err(), "it does fail");
    assert!(changed.has_changed().unwrap(), "the uplink hears of it");
    assert_eq!(bench.words(&spool, Lane::Urgent), ["once"]);
    assert_eq!(spool.checkpoints().unwrap()["profile"], b"1");
}

#[test]
fn checkpoints_of_ever_new_inputs_are_bounded() {
    let bench = Bench::new();
    let spool = bench.open();
    let inputs = |from: usize, to: usize| -> Vec<_> {
        (from..to).map(|n| checkpoint(&format!("profile {n}"), b"1")).collect()
    };
    spool.append(vec![], &inputs(0, 4_096)).unwrap();
    spool.append(vec![], &inputs(0, 1)).unwrap();
    spool.append(vec![], &inputs(4_096, 4_106)).unwrap();
    let kept = spool.checkpoints().unwrap();
    assert_eq!(kept.len(), 4_096);
    assert!(kept.contains_key("profile 0") && kept.contains_key("profile 4105"));
    assert!(!kept.contains_key("profile 1") && !kept.contains_key("profile 10"));
    drop(spool);
    assert_eq!(bench.open().checkpoints().unwrap(), kept);
}

#[test]
fn only_the_school_s_key_opens_what_is_offered() {
    let bench = Bench::new();
    let spool = bench.open();
    spool.append(vec![urgent(5, "worry")], &[]).unwrap();
    let event = &all(&spool, Lane::Urgent)[0];
    assert_eq!(bench.unseal(&spool, event), payload("worry"));

    let key = spool.epoch_key(event.position.epoch).unwrap().unwrap();
    let stranger = SchoolKey::draw(&System);
    assert!(matches!(stranger.open_epoch(bench.school, &key), Err(SealError::UnknownKey(_))));
    let cipher = bench.key.open_epoch(bench.school, &key).unwrap();
    let elsewhere = Position { sequence: 2, ..event.position };
    assert!(cipher.open(elsewhere, &event.sealed_payload).is_err());
}

#[test]
fn no_word_of_an_event_is_in_any_file() {
    let bench = Bench::new();
    let spool = bench.open();
    let words = "a-most-worrying-phrase";
    let key = FoldKey::of([words.as_bytes()]);
    let folded = Captured { fold: Some(key), ..urgent(5, words) };
    spool.append(vec![urgent(5, words), routine(words), folded.clone()], &[]).unwrap();
    spool.append(vec![folded], &[]).unwrap();
    let event = all(&spool, Lane::Urgent).remove(0);
    assert_eq!(search(bench.folder.path(), words.as_bytes()), 0);
    // The search finds what is there.
    assert!(search(bench.folder.path(), &event.sealed_payload) > 0);
    spool.settle(ONE, event.position.epoch, Lane::Urgent, 9, &[]).unwrap();
    drop(spool);
    assert_eq!(search(bench.folder.path(), words.as_bytes()), 0);
}

#[cfg(unix)]
#[test]
fn its_files_are_closed_to_other_users() {
    use std::os::unix::fs::PermissionsExt as _;
    let bench = Bench::new();
    let path = bench.folder.path().join(FILE);
    fs::write(&path, "").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    let spool = bench.open();
    spool.append(vec![urgent(5, "worry")], &[checkpoint("profile", b"1")]).unwrap();
    for entry in fs::read_dir(bench.folder.path()).unwrap() {
        let entry = entry.unwrap();
        if entry.file_name() != super::super::ballast::FILE {
            let mode = entry.metadata().unwrap().permissions().mode();
            assert_eq!(mode & 0o077, 0, "{}", entry.path().display());
        }
    }
}

/// How often the bytes stand in the files of a folder.
fn search(folder: &Path, needle: &[u8]) -> usize {
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    files
        .map(|path| {
            let mut bytes = Vec::new();
            fs::File::open(path).unwrap().take(1 << 26).read_to_end(&mut bytes).unwrap();
            bytes.windows(needle.len()).filter(|window| *window == needle).count()
        })
        .sum()
}
