//! What the collector's word does, an honest one's and another's.

use super::*;

#[test]
fn routine_is_deleted_and_urgent_kept_for_seven_days() {
    let bench = Bench::new();
    let spool = bench.open();
    spool.append(vec![urgent(4, "a"), routine("b"), urgent(4, "c")], &[]).unwrap();
    let epoch = offer(&spool);
    spool.settle(ONE, epoch, Lane::Routine, 1, &[]).unwrap();
    spool.settle(ONE, epoch, Lane::Urgent, 1, &[]).unwrap();
    assert_eq!(bench.words(&spool, Lane::Urgent), ["c"]);
    assert_eq!(bench.words(&spool, Lane::Routine), [""; 0]);

    assert_eq!(spool.meet(ONE).unwrap(), 0);
    bench.pass(7 * 24);
    assert_eq!(spool.meet(TWO).unwrap(), 1);
    assert_eq!(bench.words(&spool, Lane::Urgent), ["a", "c"]);
}

#[test]
fn after_seven_days_an_acknowledged_event_is_gone() {
    let bench = Bench::new();
    let spool = bench.open();
    spool.append(vec![urgent(4, "a")], &[]).unwrap();
    let epoch = offer(&spool);
    spool.settle(ONE, epoch, Lane::Urgent, 1, &[]).unwrap();
    assert!(spool.epoch_key(epoch).unwrap().is_some());
    bench.pass(7 * 24 + 1);
    assert_eq!(spool.meet(TWO).unwrap(), 0);
    assert_eq!(spool.epoch_key(epoch).unwrap(), None);
}

#[test]
fn a_restored_collector_gets_the_last_days_once() {
    let bench = Bench::new();
    let spool = bench.open();
    spool.append(vec![urgent(4, "a"), urgent(5, "b")], &[]).unwrap();
    let epoch = offer(&spool);
    spool.settle(ONE, epoch, Lane::Urgent, 2, &[]).unwrap();
    drop(spool);

    let spool = bench.open();
    spool.append(vec![urgent(3, "new")], &[]).unwrap();
    assert_eq!(spool.meet(TWO).unwrap(), 2);
    assert_eq!(bench.words(&spool, Lane::Urgent), ["a", "b", "new"]);
    spool.settle(TWO, epoch, Lane::Urgent, 2, &[]).unwrap();
    assert_eq!(spool.meet(TWO).unwrap(), 0);
    assert_eq!(bench.words(&spool, Lane::Urgent), ["new"]);
}

#[test]
fn what_was_not_offered_in_this_run_is_not_settled() {
    let bench = Bench::new();
    let spool = bench.open();
    spool.append(vec![urgent(4, "offered"), routine("r")], &[]).unwrap();
    let epoch = spool.waiting(Lane::Urgent, None, 1, 1).unwrap()[0].position.epoch;
    spool.append(vec![urgent(5, "unseen")], &[]).unwrap();
    spool.settle(ONE, epoch, Lane::Urgent, u64::MAX, &[(2, 1)]).unwrap();
    spool.settle(ONE, epoch, Lane::Routine, u64::MAX, &[(1, 1)]).unwrap();
    assert_eq!(bench.words(&spool, Lane::Urgent), ["unseen"]);
    assert_eq!(bench.words(&spool, Lane::Routine), ["r"]);
    assert_eq!(spool.stats().unwrap().dead_letters, 0);

    let elsewhere = Epoch::from_bytes([9; 16]);
    spool.settle(ONE, elsewhere, Lane::Urgent, u64::MAX, &[]).unwrap();
    assert_eq!(bench.words(&spool, Lane::Urgent), ["unseen"]);
}

#[test]
fn refused_events_are_counted_each_once_kept_in_bounds_and_never_sent_again() {
    let bench = Bench::new();
    let spool = bench.open();
    let batch: Vec<_> = (0..100).map(|n| urgent(4, &n.to_string())).collect();
    spool.append(batch, &[]).unwrap();
    let epoch = offer(&spool);
    let rejected: Vec<_> = (1..=99).map(|sequence| (sequence, 1)).collect();
    for _ in 0..2 {
        spool.settle(ONE, epoch, Lane::Urgent, 99, &rejected).unwrap();
    }
    assert_eq!(spool.stats().unwrap().dead_letters, 99);
    assert_eq!(bench.words(&spool, Lane::Urgent), ["99"]);
    assert_eq!(spool.meet(TWO).unwrap(), 0);
    let count = "SELECT count(*), min(sequence), max(sequence) FROM dead_letters";
    drop(spool);
    let db = rusqlite::Connection::open(bench.folder.path().join(FILE)).unwrap();
    let kept = db.query_row(count, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)));
    assert_eq!(kept, Ok((64, 36, 99)));
}

#[test]
fn an_epoch_s_key_stays_as_long_as_anything_of_it() {
    let bench = Bench::new();
    let spool = bench.open();
    assert_eq!(spool.epoch_key(Epoch::from_bytes([9; 16])).unwrap(), None);
    spool.append(vec![routine("a"), routine("b")], &[]).unwrap();
    let epoch = offer(&spool);
    spool.settle(ONE, epoch, Lane::Routine, 1, &[]).unwrap();
    assert!(spool.epoch_key(epoch).unwrap().is_some());
    spool.settle(ONE, epoch, Lane::Routine, 2, &[]).unwrap();
    assert_eq!(spool.epoch_key(epoch).unwrap(), None);
    spool.append(vec![routine("c")], &[]).unwrap();
    assert!(spool.epoch_key(epoch).unwrap().is_some(), "the same run goes on with its key");
    assert_eq!(all(&spool, Lane::Routine)[0].position.sequence, 3);
}

#[test]
fn an_offer_keeps_to_its_bounds_and_goes_on_after_a_row() {
    let bench = Bench::new();
    let spool = bench.open();
    let batch: Vec<_> = ["a", "b", "c", "d"].map(|name| urgent(3, name)).into();
    spool.append(batch, &[]).unwrap();
    let first = spool.waiting(Lane::Urgent, None, 2, usize::MAX).unwrap();
    assert_eq!(first.len(), 2);
    let rest = spool.waiting(Lane::Urgent, Some(first[1].row), 9, 1).unwrap();
    assert_eq!(rest.len(), 1, "the first alone may be over the bound");
    assert_eq!(rest[0].position.sequence, 3);
    let none = spool.waiting(Lane::Urgent, Some(RowId(i64::MAX)), 9, 9).unwrap();
    assert_eq!(none, []);
}

#[test]
fn the_file_shrinks_once_nothing_waits() {
    let bench = Bench::new();
    let spool = bench.open();
    let batch = (0..100).map(|_| routine(&"x".repeat(9_000))).collect();
    spool.append(batch, &[]).unwrap();
    let epoch = offer(&spool);
    let before = spool.stats().unwrap().bytes;
    spool.settle(ONE, epoch, Lane::Routine, 100, &[]).unwrap();
    let after = spool.stats().unwrap().bytes;
    assert!(after < before / 4, "{before} bytes before, {after} after");
}

#[test]
fn only_events_wake_who_waits_for_them() {
    let bench = Bench::new();
    let spool = bench.open();
    let mut changed = spool.changed();
    assert!(!changed.has_changed().unwrap());
    spool.append(vec![], &[checkpoint("profile", b"1")]).unwrap();
    assert!(!changed.has_changed().unwrap());
    spool.append(vec![routine("a")], &[]).unwrap();
    assert!(changed.has_changed().unwrap());
    changed.mark_unchanged();
}

/// Offers everything; gives the epoch of the first urgent or routine event.
fn offer(spool: &Spool) -> Epoch {
    let [urgent, routine] = Lane::ALL.map(|lane| all(spool, lane));
    urgent.iter().chain(&routine).next().unwrap().position.epoch
}
