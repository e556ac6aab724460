//! The live stream: that something changed, never what, and to nobody whom it does not concern.

use std::time::Duration;

use axum::body::BodyDataStream;
use futures_util::StreamExt as _;

use super::{DSL, OTHER_DSL, Raise, World};

#[tokio::test]
async fn a_change_is_a_tick_without_content() {
    let world = World::new().await;
    let mut dsl = world.signed_in(DSL).await;
    let page = dsl.get("/").await.body;
    assert_eq!(seen(&page), "", "nothing has happened yet");
    let mut stream = open(&mut dsl, "").await;
    assert_eq!(next(&mut stream, Duration::from_millis(300)).await, None);
    let alert = world.raise(Raise::default()).await;
    let event = next(&mut stream, Duration::from_secs(5)).await.expect("a tick");
    let newest = seen(&dsl.get("/queue/rows").await.body);
    assert_eq!(event, format!("event: changed\nid: {newest}\ndata: changed\n\n"));
    assert_eq!(newest.len(), 32);
    assert!(!newest.contains(&alert.to_string().replace('-', "")));
    assert_eq!(
        next(&mut stream, Duration::from_millis(300)).await,
        None,
        "fetching the rows is no change, though it is audited"
    );
    let mut again = open(&mut dsl, "").await;
    assert!(
        next(&mut again, Duration::from_secs(5)).await.is_some(),
        "what was missed is caught up"
    );
}

#[tokio::test]
async fn what_does_not_concern_a_reader_makes_no_tick() {
    let world = World::new().await;
    let mut dsl = world.signed_in(DSL).await;
    let mut other = world.signed_in(OTHER_DSL).await;
    let mut about_dsl = open(&mut dsl, "").await;
    let mut elsewhere = open(&mut other, "").await;
    world.raise_for(Raise::default(), vec![]).await;
    assert_eq!(next(&mut about_dsl, Duration::from_millis(300)).await, None);
    assert_eq!(next(&mut elsewhere, Duration::from_millis(300)).await, None);
}

#[tokio::test]
async fn the_stream_ends_with_its_session_and_their_number_is_bounded() {
    let world = World::new().await;
    let mut dsl = world.signed_in(DSL).await;
    let mut first = open(&mut dsl, "").await;
    let _second = open(&mut dsl, "").await;
    assert_eq!(dsl.open("/live").await.status(), 503);
    dsl.post("/sign-out", &[]).await;
    let event = next(&mut first, Duration::from_secs(5)).await;
    assert_eq!(event.as_deref(), Some("event: ended\ndata: ended\n\n"));
    assert!(first.next().await.is_none());
}

async fn open(browser: &mut super::Browser, seen: &str) -> BodyDataStream {
    let response = browser.open(&format!("/live?seen={seen}")).await;
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    response.into_body().into_data_stream()
}

async fn next(stream: &mut BodyDataStream, wait: Duration) -> Option<String> {
    let chunk = tokio::time::timeout(wait, stream.next()).await.ok()??.unwrap();
    Some(String::from_utf8(chunk.to_vec()).unwrap())
}

fn seen(page: &str) -> String {
    let (_, rest) = page.split_once("data-seen=\"").unwrap();
    rest.split('"').next().unwrap().to_owned()
}
