//! A helpline's visit and a query string without a match are found nowhere: not in spool, wire, store or logs.

use redshank_tests::replay::History;
use redshank_tests::script::Step;

use super::scene::{Scene, eventually};
use super::traces::Marks;

/// In the helpline's address, in a query string, in a title: each found nowhere.
const SECRETS: Marks<'_> = Marks(&["samaritans", "session=8f3a", "8f3a", "how-we-can-help"]);

#[tokio::test]
async fn a_helpline_and_a_query_string_are_found_nowhere() {
    let mut scene = Scene::start().await;
    let history = History::begin(&scene.profile).unwrap();
    history
        .visit(&Step::page(
            "www.samaritans.org",
            "/how-we-can-help/",
            "How we can help | Samaritans",
        ))
        .unwrap();
    history
        .visit(&Step::page("www.geology.example", "/volcanoes?session=8f3a", "How volcanoes work"))
        .unwrap();
    history.visit(&Step::search("how to kill myself")).unwrap();

    let dsl = scene.dsl().await;
    let page = eventually("the alert", async || {
        let rows = dsl.queue().await.ok()?;
        dsl.alert(&rows.first()?.alert).await.ok()
    })
    .await;
    // What is looked for could be found: the match is there, and so is the browsing around it.
    assert!(page.contains("how to kill myself"));
    assert!(page.contains("geology.example"), "the visit before the match is its context");
    SECRETS.assert_not_in("the alert's page", page.as_bytes());
    SECRETS.assert_not_in_feed(&scene.stack).await;

    scene.stack.stop().await.unwrap();
    let opened = SECRETS.assert_not_in_stack(&scene.stack).await;
    assert!(!opened.events.is_empty() && opened.cells > 200, "it was looked through: {opened:?}");
}
