//! Repeats that wait become one event, until the uplink has seen it.

use super::*;

#[test]
fn repeats_become_one_event_with_a_count_and_a_new_sequence() {
    let bench = Bench::new();
    let spool = bench.open();
    spool.append(vec![repeat(0), urgent(3, "other"), repeat(60)], &[]).unwrap();
    spool.append(vec![repeat(30)], &[]).unwrap();

    let waiting = all(&spool, Lane::Urgent);
    assert_eq!(waiting.iter().map(|it| it.position.sequence).collect::<Vec<_>>(), [2, 4]);
    let folded = bench.unseal(&spool, &waiting[1]);
    assert_eq!(folded.occurrences, 3);
    assert_eq!((folded.occurred_at, folded.last_occurred_at), (at(0), at(60)));
    assert_eq!(spool.stats().unwrap().lost, 0);
    assert_eq!(bench.gaps(&spool, Lane::Urgent), []);
}

#[test]
fn what_was_offered_is_never_changed() {
    let bench = Bench::new();
    let spool = bench.open();
    spool.append(vec![repeat(0)], &[]).unwrap();
    let offered = all(&spool, Lane::Urgent);
    spool.append(vec![repeat(60)], &[]).unwrap();
    let waiting = all(&spool, Lane::Urgent);
    assert_eq!((waiting.len(), &waiting[0]), (2, &offered[0]));
    assert_eq!(bench.unseal(&spool, &waiting[1]).occurrences, 0);
}

#[test]
fn another_severity_or_lane_or_run_is_another_event() {
    let bench = Bench::new();
    let spool = bench.open();
    let graver = Captured { severity: 5, ..repeat(1) };
    let lesser = Captured { lane: Lane::Routine, ..repeat(2) };
    spool.append(vec![repeat(0), graver, lesser], &[]).unwrap();
    drop(spool);
    let spool = bench.open();
    spool.append(vec![repeat(3)], &[]).unwrap();
    assert_eq!(all(&spool, Lane::Urgent).len(), 3);
    assert_eq!(all(&spool, Lane::Routine).len(), 1);
}

#[test]
fn a_repeat_of_what_was_evicted_stands_for_itself() {
    let mut bench = Bench::new();
    bench.limits.urgent_bytes = 5_000;
    bench.limits.gravest_bytes = 0;
    let spool = bench.open();
    spool.append(vec![repeat(0)], &[]).unwrap();
    spool.append(vec![urgent(4, &"x".repeat(4_600))], &[]).unwrap();
    assert_eq!(spool.stats().unwrap().lost, 1);
    spool.append(vec![repeat(60)], &[]).unwrap();
    // The repeat is now the least severe itself.
    assert_eq!(spool.stats().unwrap().lost, 2);
    assert_eq!(
        all(&spool, Lane::Urgent).iter().filter(|it| it.sealed_payload.len() > 4_000).count(),
        1
    );
}

fn repeat(second: i64) -> Captured {
    Captured {
        fold: Some(FoldKey::of([b"ann".as_slice(), b"rule", b"text"])),
        payload: v1::EventPayload { occurred_at: at(second), ..payload("again") },
        ..urgent(3, "")
    }
}

fn at(second: i64) -> Option<redshank_proto::prost_types::Timestamp> {
    Some(time::to_wire(Timestamp::from_second(1_700_000_000 + second).unwrap()))
}
