//! The session's promises, one by one, and what a hostile collector gets out of it.

use proptest::prelude::*;
use redshank_proto::clock::System;

use super::report_request::Message as Up;
use super::report_response::Message as Down;
use super::*;

const NOW: Duration = Duration::from_secs(1_000);

#[test]
fn nothing_is_wanted_before_the_welcome() {
    let session = Session::new(0);
    assert_eq!(session.wants(NOW), None);
    assert!(!session.is_open());
}

#[test]
fn urgent_is_asked_for_first_and_again_after_every_append() {
    let mut session = open();
    assert_eq!(lane(&session), Some(Lane::Urgent));
    nothing(&mut session);
    assert_eq!(lane(&session), Some(Lane::Routine));
    session.appended();
    assert_eq!(lane(&session), Some(Lane::Urgent));
    nothing(&mut session);
    nothing(&mut session);
    assert_eq!(lane(&session), None, "at rest");
}

#[test]
fn an_epoch_is_announced_once_and_before_its_first_event() {
    let mut session = open();
    let (first, second) = (Epoch::draw(&System), Epoch::draw(&System));
    let rows = vec![event(first, Lane::Urgent, 1, 10), event(second, Lane::Urgent, 1, 10)];
    assert_eq!(session.unannounced(&rows).len(), 2);
    let sent = send(&mut session, rows);
    assert!(matches!(kinds(&sent)[..], ["key", "key", "events"]));
    let more = vec![event(first, Lane::Urgent, 2, 10)];
    assert!(session.unannounced(&more).is_empty());
    assert_eq!(kinds(&send(&mut session, more)), ["events"]);
}

#[test]
fn a_new_session_announces_and_sends_everything_afresh() {
    let epoch = Epoch::draw(&System);
    for _ in 0..2 {
        let mut session = open();
        let sent = send(&mut session, vec![event(epoch, Lane::Urgent, 7, 10)]);
        assert_eq!(kinds(&sent), ["key", "events"]);
    }
}

#[test]
fn routine_keeps_to_the_window_and_goes_on_with_each_acknowledgement() {
    let mut session = open();
    nothing(&mut session);
    let epoch = Epoch::draw(&System);
    let window = bounds::ROUTINE_WINDOW_BYTES as usize;
    let rows: Vec<_> = (1..=5).map(|n| event(epoch, Lane::Routine, n, window / 4)).collect();
    assert_eq!(send(&mut session, rows).taken, 4);
    assert_eq!(lane(&session), None, "the window is full");
    session.received(settled(epoch, Lane::Routine, 2), NOW).unwrap();
    assert_eq!(session.wants(NOW).unwrap().max_bytes, window / 2);
}

#[test]
fn a_smaller_window_of_the_collector_counts_and_a_larger_one_does_not() {
    for (offered, expected) in [(1_000, 1_000), (0, 1), (u32::MAX, bounds::ROUTINE_WINDOW_BYTES)] {
        let mut session = Session::new(0);
        session.received(welcome_with(offered), NOW).unwrap();
        nothing(&mut session);
        assert_eq!(session.wants(NOW).unwrap().max_bytes, expected as usize);
    }
}

#[test]
fn an_event_larger_than_the_window_goes_alone() {
    let mut session = open();
    nothing(&mut session);
    let epoch = Epoch::draw(&System);
    let large = |n| event(epoch, Lane::Routine, n, bounds::SEALED_PAYLOAD_BYTES);
    assert_eq!(send(&mut session, vec![event(epoch, Lane::Routine, 1, 10), large(2)]).taken, 1);
    assert_eq!(send(&mut session, vec![large(2)]).taken, 0);
    assert_eq!(lane(&session), None, "it waits until the first is settled");
    session.received(settled(epoch, Lane::Routine, 1), NOW).unwrap();
    assert_eq!(send(&mut session, vec![large(2)]).taken, 1);
    assert_eq!(lane(&session), None);
}

#[test]
fn a_batch_keeps_to_its_bounds() {
    let mut session = open();
    let epoch = Epoch::draw(&System);
    let rows: Vec<_> = (1..=300).map(|n| event(epoch, Lane::Urgent, n, 1)).collect();
    assert_eq!(send(&mut session, rows).taken, bounds::BATCH_EVENTS);
    let rows: Vec<_> = (301..=340).map(|n| event(epoch, Lane::Urgent, n, 60_000)).collect();
    assert_eq!(send(&mut session, rows).taken, BATCH_BYTES / 60_000);
}

#[test]
fn an_acknowledgement_becomes_settlements() {
    let mut session = open();
    let epoch = Epoch::draw(&System);
    send(&mut session, (1..=3).map(|n| event(epoch, Lane::Urgent, n, 10)).collect());
    let rejected = v1::RejectedEvent { sequence: 2, reason: 1 };
    let answer = acknowledgement(epoch, Lane::Urgent, 3, vec![rejected]);
    assert_eq!(
        session.received(answer, NOW).unwrap(),
        [Action::Settle(Settlement {
            generation: generation(),
            epoch,
            lane: Lane::Urgent,
            settled_through: 3,
            rejected: vec![(2, 1)],
        })]
    );
}

#[test]
fn what_was_not_sent_here_is_not_settled() {
    let mut session = open();
    let (epoch, stranger) = (Epoch::draw(&System), Epoch::draw(&System));
    send(&mut session, vec![event(epoch, Lane::Urgent, 3, 10)]);
    let beyond = vec![v1::RejectedEvent { sequence: 9, reason: 1 }];
    for (answer, fault) in [
        (settled(epoch, Lane::Urgent, 4), Fault::NotSent),
        (settled(epoch, Lane::Routine, 1), Fault::NotSent),
        (settled(stranger, Lane::Urgent, 1), Fault::NotSent),
        (acknowledgement(epoch, Lane::Urgent, 3, beyond), Fault::NotSent),
    ] {
        assert_eq!(session.received(answer, NOW), Err(fault));
    }
}

#[test]
fn a_message_out_of_order_or_shape_is_a_fault() {
    let mut other = v1::Acknowledgement { log_generation: vec![9; 16], lanes: Vec::new() };
    let epoch = Epoch::draw(&System);
    for (before, message, fault) in [
        (false, Down::SlowDown(v1::SlowDown::default()), Fault::BeforeWelcome),
        (false, Down::Welcome(v1::Welcome::default()), Fault::Malformed("log generation")),
        (true, welcome().message.unwrap(), Fault::WelcomeTwice),
        (true, Down::Acknowledgement(other.clone()), Fault::OtherGeneration),
        (true, Down::RunCheck(v1::RunCheck::default()), Fault::Malformed("id of a check")),
        (
            true,
            {
                other.log_generation = generation().to_vec();
                other.lanes.push(v1::LaneAcknowledgement::default());
                Down::Acknowledgement(other)
            },
            Fault::Malformed("acknowledged epoch"),
        ),
        (
            true,
            Down::Acknowledgement(v1::Acknowledgement {
                log_generation: generation().to_vec(),
                lanes: vec![v1::LaneAcknowledgement {
                    epoch: epoch.to_vec(),
                    lane: 7,
                    ..Default::default()
                }],
            }),
            Fault::Malformed("acknowledged lane"),
        ),
    ] {
        let mut session = if before { open() } else { Session::new(0) };
        assert_eq!(session.received(down(message), NOW), Err(fault));
    }
}

#[test]
fn a_message_of_a_newer_kind_is_passed_over() {
    assert_eq!(open().received(v1::ReportResponse { message: None }, NOW), Ok(Vec::new()));
}

#[test]
fn a_pause_is_for_routine_alone_and_ends() {
    let mut session = open();
    let pause = |seconds| {
        let pause = Some(time::duration_to_wire(Duration::from_secs(seconds)));
        down(Down::SlowDown(v1::SlowDown { pause }))
    };
    session.received(pause(60), NOW).unwrap();
    assert_eq!(lane(&session), Some(Lane::Urgent));
    nothing(&mut session);
    assert_eq!(lane(&session), None);
    let end = NOW + Duration::from_secs(60);
    assert_eq!(session.pause_ends(NOW), Some(end));
    assert_eq!(session.wants(end).unwrap().lane, Lane::Routine);

    session.received(pause(u64::from(u32::MAX)), NOW).unwrap();
    assert_eq!(session.pause_ends(NOW), Some(NOW + bounds::LONGEST_SLOW_DOWN));
}

#[test]
fn only_a_newer_policy_is_fetched_and_one_at_a_time() {
    let mut session = Session::new(4);
    session.received(welcome(), NOW).unwrap();
    let offer = |serial| down(Down::PolicyOffer(v1::PolicyOffer { serial }));
    assert_eq!(session.received(offer(4), NOW).unwrap(), []);
    assert_eq!(session.received(offer(5), NOW).unwrap(), [Action::FetchPolicy]);
    assert_eq!(session.received(offer(6), NOW).unwrap(), []);
    assert_eq!(session.policy_fetched(5), [Action::FetchPolicy], "6 came meanwhile");
    assert_eq!(session.policy_fetched(5), [], "it was not given: the next offer decides");
    assert_eq!(session.received(offer(6), NOW).unwrap(), [Action::FetchPolicy]);
    assert_eq!(session.policy_fetched(6), []);
}

#[test]
fn checks_are_answered_once_a_second_at_most() {
    let mut session = open();
    let check = |n| down(Down::RunCheck(v1::RunCheck { check_id: vec![n; 16] }));
    let id = |n| Action::Check(CheckId::from_bytes([n; 16]));
    assert_eq!(session.received(check(1), NOW).unwrap(), [id(1)]);
    assert_eq!(session.received(check(2), NOW + CHECK_EVERY / 2).unwrap(), []);
    assert_eq!(session.received(check(3), NOW + CHECK_EVERY).unwrap(), [id(3)]);
}

proptest! {
    #[test]
    fn whatever_bytes_a_collector_sends_nothing_panics_and_nothing_unsent_is_settled(
        messages in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..64), 0..8),
    ) {
        use prost::Message as _;

        let mut session = open();
        let epoch = Epoch::draw(&System);
        send(&mut session, vec![event(epoch, Lane::Urgent, 1, 10)]);
        for bytes in messages {
            let Ok(message) = v1::ReportResponse::decode(bytes.as_slice()) else { continue };
            for action in session.received(message, NOW).unwrap_or_default() {
                prop_assert!(!matches!(action, Action::Settle(_)), "its epoch cannot be guessed");
            }
        }
    }

    #[test]
    fn the_window_holds_whatever_the_sizes(
        sizes in prop::collection::vec(1_usize..40_000, 1..60),
        settle_every in 1_usize..6,
    ) {
        let mut session = open();
        nothing(&mut session);
        let epoch = Epoch::draw(&System);
        let mut next = 0;
        for step in 0..500 {
            if session.wants(NOW).is_some() {
                let rows: Vec<_> = (next..sizes.len())
                    .map(|n| event(epoch, Lane::Routine, n as u64 + 1, sizes[n]))
                    .collect();
                next += send(&mut session, rows).taken;
            }
            let in_flight: usize = session.in_flight.iter().map(|(_, _, bytes)| bytes).sum();
            prop_assert!(in_flight <= session.window || session.in_flight.len() == 1);
            if step % settle_every == 0 && next > 0 {
                session.received(settled(epoch, Lane::Routine, next as u64), NOW).unwrap();
            }
        }
        prop_assert_eq!(next, sizes.len(), "everything goes in the end");
    }
}

fn generation() -> Generation {
    Generation::from_bytes([5; 16])
}

fn open() -> Session {
    let mut session = Session::new(0);
    let met = session.received(welcome(), NOW).unwrap();
    assert_eq!(met, [Action::Meet(generation())]);
    session
}

fn welcome() -> v1::ReportResponse {
    welcome_with(bounds::ROUTINE_WINDOW_BYTES)
}

fn welcome_with(window: u32) -> v1::ReportResponse {
    down(Down::Welcome(v1::Welcome {
        log_generation: generation().to_vec(),
        collector_time: None,
        routine_window_bytes: window,
    }))
}

fn settled(epoch: Epoch, lane: Lane, through: u64) -> v1::ReportResponse {
    acknowledgement(epoch, lane, through, Vec::new())
}

fn acknowledgement(
    epoch: Epoch,
    lane: Lane,
    settled_through: u64,
    rejected: Vec<v1::RejectedEvent>,
) -> v1::ReportResponse {
    let (epoch, lane) = (epoch.to_vec(), lane.number());
    let lanes = vec![v1::LaneAcknowledgement { epoch, lane, settled_through, rejected }];
    down(Down::Acknowledgement(v1::Acknowledgement {
        log_generation: generation().to_vec(),
        lanes,
    }))
}

fn down(message: Down) -> v1::ReportResponse {
    v1::ReportResponse { message: Some(message) }
}

fn event(epoch: Epoch, lane: Lane, sequence: u64, bytes: usize) -> Offered {
    Offered { position: Position { epoch, lane, sequence }, sealed_payload: vec![0; bytes] }
}

fn lane(session: &Session) -> Option<Lane> {
    session.wants(NOW).map(|want| want.lane)
}

/// The lane that is wanted next turns out to be empty.
fn nothing(session: &mut Session) {
    assert_eq!(send(session, Vec::new()), Outgoing::default());
}

fn send(session: &mut Session, rows: Vec<Offered>) -> Outgoing {
    let want = session.wants(NOW).unwrap();
    let keys = session.unannounced(&rows);
    let keys = keys.into_iter().map(|epoch| (epoch, v1::EpochKey::default())).collect();
    session.send(want, rows, keys)
}

fn kinds(outgoing: &Outgoing) -> Vec<&'static str> {
    let kind = |message: &v1::ReportRequest| match message.message {
        Some(Up::EpochKey(_)) => "key",
        Some(Up::Events(_)) => "events",
        _ => "other",
    };
    outgoing.messages.iter().map(kind).collect()
}
