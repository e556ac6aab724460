//! A disk without room: the least grave goes first, and nothing grave goes unasked.
//!
//! The limit of the file stands for the disk: SQLite reports both as `SQLITE_FULL`.

use super::*;

#[test]
fn on_a_full_disk_routine_makes_room_for_urgent() {
    let bench = small();
    let spool = bench.open();
    let filled = fill(&spool, || routine(&"r".repeat(3_000)));
    spool.append(vec![urgent(3, "worry")], &[checkpoint("profile", b"1")]).unwrap();
    for n in 0..40 {
        spool.append(vec![urgent(3, &format!("{n}{}", "u".repeat(3_000)))], &[]).unwrap();
    }
    assert_eq!(bench.words(&spool, Lane::Urgent).len(), 41);
    assert_eq!(spool.checkpoints().unwrap()["profile"], b"1");
    let (lost, waiting) = (spool.stats().unwrap().lost, bench.words(&spool, Lane::Routine).len());
    assert_eq!(lost, (filled - waiting) as u64);
    let told: u64 = bench.gaps(&spool, Lane::Routine).iter().map(|gap| gap.count).sum();
    assert_eq!(told, lost);
}

#[test]
fn on_a_full_disk_graver_takes_the_place_of_less_grave_and_never_the_reverse() {
    let bench = small();
    let spool = bench.open();
    let filled = fill(&spool, || urgent(4, &"x".repeat(3_000)));
    let lesser = spool.append(vec![urgent(3, &"y".repeat(3_000))], &[]);
    assert!(matches!(lesser, Err(SpoolError::Full(_))));
    assert_eq!(spool.stats().unwrap().urgent, filled as u64);
    assert_eq!(spool.stats().unwrap().lost, 0);

    spool.append(vec![urgent(5, &"z".repeat(3_000))], &[]).unwrap();
    let words = bench.words(&spool, Lane::Urgent);
    assert!(words.last().unwrap().starts_with('z'));
    assert!(spool.stats().unwrap().lost > 0);
}

#[test]
fn a_routine_event_that_finds_no_room_is_a_counted_gap_and_does_not_stop_the_source() {
    let bench = small();
    let spool = bench.open();
    fill(&spool, || urgent(4, &"x".repeat(3_000)));
    for n in 0_u8..20 {
        let batch = vec![routine(&"r".repeat(6_000)), routine(&"r".repeat(6_000))];
        spool.append(batch, &[checkpoint("profile", &[n])]).unwrap();
    }
    assert_eq!(spool.checkpoints().unwrap()["profile"], [19]);
    let lost = spool.stats().unwrap().lost;
    let waiting = spool.stats().unwrap().routine;
    assert_eq!(lost + waiting, 40);
}

#[test]
fn once_there_is_room_again_the_same_batch_is_taken() {
    let bench = small();
    let spool = bench.open();
    fill(&spool, || urgent(5, &"x".repeat(3_000)));
    let batch = vec![urgent(5, &"y".repeat(3_000))];
    assert!(matches!(spool.append(batch.clone(), &[]), Err(SpoolError::Full(_))));
    let epoch = all(&spool, Lane::Urgent)[0].position.epoch;
    spool.settle(ONE, epoch, Lane::Urgent, 5, &[]).unwrap();
    spool.append(batch, &[]).unwrap();
    assert!(bench.words(&spool, Lane::Urgent).last().unwrap().starts_with('y'));
    assert_eq!(spool.stats().unwrap().lost, 0, "what made room had been acknowledged");
}

#[test]
fn without_its_ballast_the_file_does_not_grow_and_the_old_makes_room_for_the_new() {
    let bench = Bench::new();
    let spool = bench.open();
    let batch = (0..100).map(|_| routine(&"r".repeat(3_000))).collect();
    spool.append(batch, &[]).unwrap();
    drop(spool);
    // A folder in the ballast's place: it cannot be taken, as on a disk that is full.
    let ballast = bench.folder.path().join(super::super::ballast::FILE);
    std::fs::remove_file(&ballast).unwrap();
    std::fs::create_dir(&ballast).unwrap();

    let spool = bench.open();
    let before = spool.stats().unwrap();
    for n in 0..200 {
        spool.append(vec![urgent(3 + n % 3, &"u".repeat(1_000))], &[]).unwrap();
    }
    let after = spool.stats().unwrap();
    assert_eq!(after.bytes, before.bytes);
    assert_eq!(after.urgent, 200);
    assert_eq!(after.lost, before.routine - after.routine);
}

#[test]
fn a_full_disk_does_not_keep_what_was_delivered_from_going() {
    let bench = small();
    let spool = bench.open();
    fill(&spool, || urgent(5, &"x".repeat(3_000)));
    let offered = all(&spool, Lane::Urgent);
    let position = offered.last().unwrap().position;
    spool.settle(ONE, position.epoch, Lane::Urgent, position.sequence, &[(1, 1)]).unwrap();
    let stats = spool.stats().unwrap();
    assert_eq!((stats.urgent, stats.dead_letters, stats.lost), (0, 1, 0));
}

fn small() -> Bench {
    let mut bench = Bench::new();
    bench.limits.file_bytes = 400 * 1024;
    bench
}

/// Appends until the next one would not fit without giving something up; gives how many fitted.
fn fill(spool: &Spool, event: impl Fn() -> Captured) -> usize {
    let mut count = 0;
    while spool.stats().unwrap().bytes < 400 * 1024 - 24 * 1024 {
        spool.append(vec![event()], &[]).unwrap();
        count += 1;
    }
    loop {
        let full = spool.append(vec![event()], &[]).is_err();
        if full || spool.stats().unwrap().lost > 0 {
            // One that pushed out another of its own kind leaves as many as before.
            return count + usize::from(!full);
        }
        count += 1;
    }
}
