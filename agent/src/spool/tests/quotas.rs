//! What is given up when a quota is used up, and that every bit of it is told.

use super::*;

/// Bytes of an event's words, which make up nearly all of it.
const WORDS: usize = 8_000;

#[test]
fn routine_goes_oldest_first_and_never_touches_urgent() {
    let mut bench = Bench::new();
    bench.limits.routine_bytes = room(4);
    let spool = bench.open();
    spool.append(vec![urgent(3, "urgent")], &[]).unwrap();
    for name in ["a", "b", "c", "d", "e", "f"] {
        spool.append(vec![routine(&long(name))], &[]).unwrap();
    }
    assert_eq!(firsts(&bench, &spool, Lane::Routine), "cdef");
    assert_eq!(bench.words(&spool, Lane::Urgent), ["urgent"]);
    assert_eq!(spool.stats().unwrap().lost, 2);
}

#[test]
fn urgent_goes_least_severe_first_then_oldest() {
    let mut bench = Bench::new();
    bench.limits.urgent_bytes = room(4);
    let spool = bench.open();
    for (severity, name) in [(4, "a"), (3, "b"), (4, "c"), (3, "d")] {
        spool.append(vec![urgent(severity, &long(name))], &[]).unwrap();
    }
    for (next, left) in [("e", "acde"), ("f", "acef"), ("g", "cefg")] {
        spool.append(vec![urgent(4, &long(next))], &[]).unwrap();
        assert_eq!(firsts(&bench, &spool, Lane::Urgent), left);
    }
    // What is itself the least severe is what goes.
    spool.append(vec![urgent(3, &long("h"))], &[]).unwrap();
    assert_eq!(firsts(&bench, &spool, Lane::Urgent), "cefg");
    assert_eq!(spool.stats().unwrap().lost, 4);
}

#[test]
fn severity_five_has_a_reserve_and_takes_the_rest_of_the_lane_too() {
    let mut bench = Bench::new();
    (bench.limits.urgent_bytes, bench.limits.gravest_bytes) = (room(3), room(2));
    let spool = bench.open();
    for name in ["a", "b", "c"] {
        spool.append(vec![urgent(4, &long(name))], &[]).unwrap();
    }
    let mut left = Vec::new();
    for name in ["1", "2", "3", "4", "5", "6"] {
        spool.append(vec![urgent(5, &long(name))], &[]).unwrap();
        left.push(firsts(&bench, &spool, Lane::Urgent));
    }
    assert_eq!(left, ["abc1", "abc12", "bc123", "c1234", "12345", "23456"]);
}

#[test]
fn a_gap_counts_exactly_what_was_lost_once_for_each_epoch_and_lane() {
    let mut bench = Bench::new();
    bench.limits.routine_bytes = room(2);
    let spool = bench.open();
    let batch = ["a", "b", "c", "d", "e"].map(|name| routine(&long(name)));
    spool.append(batch.into(), &[]).unwrap();
    let first_epoch = all(&spool, Lane::Routine)[0].position.epoch;
    let gaps = bench.gaps(&spool, Lane::Routine);
    assert_eq!(gaps, [gap(first_epoch, 3, 1..=3)]);
    drop(spool);

    let spool = bench.open();
    for name in ["f", "g", "h", "i"] {
        spool.append(vec![routine(&long(name))], &[]).unwrap();
    }
    let mut gaps = bench.gaps(&spool, Lane::Routine);
    assert_eq!(gaps.remove(0), gap(first_epoch, 3, 1..=3), "the report before waits still");
    gaps.sort_by_key(|gap| gap.epoch != first_epoch.to_vec());
    assert_eq!(gaps[0], gap(first_epoch, 2, 4..=5));
    let second_epoch = all(&spool, Lane::Routine).last().unwrap().position.epoch;
    assert_eq!(gaps[1..], [gap(second_epoch, 2, 1..=2)]);
    assert_eq!(bench.gaps(&spool, Lane::Urgent), []);
    assert_eq!(spool.stats().unwrap().lost, 7);
}

#[test]
fn a_gap_of_scattered_events_counts_them_and_spans_them() {
    let mut bench = Bench::new();
    (bench.limits.urgent_bytes, bench.limits.gravest_bytes) = (room(3), 0);
    let spool = bench.open();
    for (severity, name) in [(3, "a"), (4, "b"), (3, "c"), (4, "d"), (4, "e")] {
        spool.append(vec![urgent(severity, &long(name))], &[]).unwrap();
    }
    let epoch = all(&spool, Lane::Urgent)[0].position.epoch;
    let expected = v1::Gap { lane: Lane::Urgent.number(), ..gap(epoch, 2, 1..=3) };
    assert_eq!(bench.gaps(&spool, Lane::Urgent), [expected]);
}

#[test]
fn acknowledged_events_make_room_first_and_are_no_gap() {
    let mut bench = Bench::new();
    (bench.limits.urgent_bytes, bench.limits.gravest_bytes) = (room(3), 0);
    let spool = bench.open();
    spool.append(vec![urgent(4, &long("a")), urgent(4, &long("b"))], &[]).unwrap();
    let epoch = all(&spool, Lane::Urgent)[0].position.epoch;
    spool.settle(ONE, epoch, Lane::Urgent, 2, &[]).unwrap();
    let batch = ["c", "d", "e"].map(|name| urgent(3, &long(name)));
    spool.append(batch.into(), &[]).unwrap();
    assert_eq!(firsts(&bench, &spool, Lane::Urgent), "cde");
    assert_eq!(spool.stats().unwrap().lost, 0);
}

#[test]
fn reports_of_gaps_are_bounded_and_lose_no_count() {
    let mut bench = Bench::new();
    bench.limits.routine_bytes = room(30);
    let spool = bench.open();
    let mut sent = 0;
    for n in 0..200 {
        spool.append(vec![routine(&long(&n.to_string()))], &[]).unwrap();
        sent += 1;
        all(&spool, Lane::Routine);
    }
    let reports = bench.gaps(&spool, Lane::Routine);
    assert_eq!(reports.len(), 64);
    let told: u64 = reports.iter().map(|gap| gap.count).sum();
    let waiting = bench.words(&spool, Lane::Routine).len() as u64;
    let lost = spool.stats().unwrap().lost;
    assert_eq!(lost, sent - waiting);
    assert!(told < lost);

    let epoch = all(&spool, Lane::Routine)[0].position.epoch;
    spool.settle(ONE, epoch, Lane::Routine, u64::MAX, &[]).unwrap();
    let rest: u64 = bench.gaps(&spool, Lane::Routine).iter().map(|gap| gap.count).sum();
    assert_eq!(told + rest, lost);
}

/// Room for so many events, and a few reports of gaps beside them.
fn room(events: u64) -> u64 {
    events * (WORDS as u64 + 350) + 3_000
}

fn long(name: &str) -> String {
    format!("{name}{}", "-".repeat(WORDS))
}

fn gap(epoch: Epoch, count: u64, lost: std::ops::RangeInclusive<u64>) -> v1::Gap {
    v1::Gap {
        reason: v1::GapReason::Evicted.into(),
        lane: Lane::Routine.number(),
        epoch: epoch.to_vec(),
        count,
        first_sequence: *lost.start(),
        last_sequence: *lost.end(),
    }
}

/// The first letters of what waits.
fn firsts(bench: &Bench, spool: &Spool, lane: Lane) -> String {
    bench.words(spool, lane).iter().filter_map(|words| words.chars().next()).collect()
}
