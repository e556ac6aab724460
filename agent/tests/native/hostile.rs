//! Peers that mean no good: the agent bounds them, and others do not notice.

use std::collections::HashMap;
use std::time::Duration;

use redshank_agent::native::frame::{FROM_BROWSER, Frame};
use redshank_agent::native::local;
use redshank_agent::sources::State;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::{Instant, timeout};

use crate::agent::{Device, PATIENCE, other};
use crate::browser::{Browser, direct, hello, visits};

/// Connections that one account may have.
const MOST_OF_ONE: usize = 16;

#[tokio::test]
async fn who_announces_too_much_or_talks_nonsense_is_hung_up_on() {
    let device = Device::new();
    let mut agent = device.start(&HashMap::new()).await;
    let mut huge = local::dial(&device.socket()).await.unwrap();
    huge.write_all(&u32::MAX.to_ne_bytes()).await.unwrap();
    assert_closed(&mut huge).await;

    let mut nonsense = direct(&device.socket()).await;
    nonsense.hello(1).await;
    for _ in 0..16 {
        let frame = Frame::new(b"{\"type\":\xff}", FROM_BROWSER).unwrap();
        // It may have been hung up on by then.
        let _ = nonsense.to.send(frame).await;
    }
    nonsense.closed().await;
    agent.state("Chrome extension #", |state| matches!(state, State::Degraded(_))).await;

    let mut honest = direct(&device.socket()).await;
    honest.hello(2).await;
    honest.say(&visits([1])).await;
    assert_eq!(agent.next().await.len(), 1);
    agent.stop().await;
}

#[tokio::test]
async fn who_says_nothing_or_never_ends_loses_his_place_and_keeps_nobody_waiting() {
    let device = Device::new();
    let mut agent = device.start(&HashMap::new()).await;
    let mut silent = local::dial(&device.socket()).await.unwrap();
    let mut slow = direct(&device.socket()).await;
    slow.hello(1).await;
    // A long message that never comes: its account reads no other long one meanwhile, but goes on.
    let (mut slow_out, announced) = (slow, u32::try_from(FROM_BROWSER).unwrap());
    write_raw(&mut slow_out, &announced.to_ne_bytes()).await;
    write_raw(&mut slow_out, b"{\"type\":").await;

    let mut honest = direct(&device.socket()).await;
    honest.hello(2).await;
    honest.say(&visits([1])).await;
    assert_eq!(agent.next().await.len(), 1);
    assert_eq!(honest.stored().await, 1);

    assert_closed(&mut silent).await;
    slow_out.closed().await;
    let long = json!({"type": "later", "filling": "x".repeat(500_000)});
    honest.say(&long).await;
    honest.say(&visits([2])).await;
    assert_eq!(agent.next().await.len(), 1);
    assert_eq!(honest.stored().await, 2);
    agent.stop().await;
}

#[tokio::test]
async fn an_account_has_so_many_places_and_no_more_and_others_have_theirs() {
    let device = Device::new();
    let mut agent = device.start(&HashMap::new()).await;
    let mut held = Vec::new();
    for number in 0..MOST_OF_ONE as u64 {
        let mut browser = direct(&device.socket()).await;
        browser.hello(number).await;
        held.push(browser);
    }
    for _ in 0..100 {
        let mut refused = local::dial(&device.socket()).await.unwrap();
        assert_closed(&mut refused).await;
    }
    let state = agent.state("Browser extensions", |state| *state != State::Ok).await;
    assert!(matches!(&state, State::Degraded(why) if why.contains("found no place")), "{state:?}");
    if let Some(uid) = other() {
        let mut other = Browser::start_as(&device.socket(), Some(uid));
        other.wire.hello(1).await;
        other.wire.say(&visits([1])).await;
        assert_eq!(agent.next().await.len(), 1);
        assert_eq!(other.wire.stored().await, 1);
    }
    // A place that is given back is there for the next.
    held.pop();
    let mut next = loop {
        let mut next = direct(&device.socket()).await;
        let frame = Frame::new(hello(99).to_string().as_bytes(), FROM_BROWSER).unwrap();
        // The end of the one before may not have been noticed yet.
        let _ = next.to.send(frame).await;
        if let Some(welcome) = next.hear().await {
            assert_eq!(welcome["type"], "welcome");
            break next;
        }
    };
    next.say(&visits([1])).await;
    assert_eq!(agent.next().await.len(), 1);
    agent.stop().await;
}

#[tokio::test]
async fn who_sends_without_end_waits_for_himself_and_nobody_for_him() {
    let device = Device::new();
    let mut agent = device.start(&HashMap::new()).await;
    let mut floods = tokio::task::JoinSet::new();
    for session in 0..MOST_OF_ONE as u64 - 1 {
        let mut flood = direct(&device.socket()).await;
        flood.hello(session).await;
        floods.spawn(async move {
            for n in 0.. {
                // Nobody reads what comes back.
                flood.say(&visits(n * 64 + 1..=n * 64 + 64)).await;
            }
        });
    }
    // Another account where there is one, else another connection of the same.
    let mut honest = Browser::start_as(&device.socket(), other());
    honest.wire.hello(1_000).await;
    for n in 1..=5 {
        honest.wire.say(&visits([n])).await;
        let mut batches = 0;
        loop {
            let seen = agent.next().await;
            if seen.len() == 1 {
                break;
            }
            batches += 1;
        }
        // One batch of each connection of the same account may stand before it, of another account one.
        assert!(batches <= 2 * MOST_OF_ONE, "{batches} batches of the flood came first");
        assert_eq!(honest.wire.stored().await, n);
    }
    floods.shutdown().await;
    agent.stop().await;
}

#[tokio::test]
async fn a_flood_is_read_at_its_accounts_pace() {
    let device = Device::new();
    let agent = device.start(&HashMap::new()).await;
    let mut flood = direct(&device.socket()).await;
    flood.hello(1).await;
    let since = Instant::now();
    // Twelve megabytes, of which six are a burst and less than two wait in the socket and the agent.
    for _ in 0..24 {
        flood.say(&json!({"type": "later", "filling": "x".repeat(500_000)})).await;
    }
    // At 256 KiB a second what is left takes some sixteen seconds; a slow machine takes longer.
    assert!(since.elapsed() >= Duration::from_secs(12), "{:?}", since.elapsed());
    agent.stop().await;
}

async fn assert_closed(stream: &mut local::Dialled) {
    let mut rest = Vec::new();
    let end = timeout(PATIENCE, stream.read_to_end(&mut rest)).await.expect("it is closed");
    assert!(end.is_err() || rest.is_empty(), "{rest:?}");
}

/// Writes bytes that are no frame.
async fn write_raw(wire: &mut crate::browser::Direct, bytes: &[u8]) {
    timeout(PATIENCE, wire.to.get_mut().write_all(bytes)).await.unwrap().unwrap();
}
