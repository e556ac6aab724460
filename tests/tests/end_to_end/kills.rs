//! Agent and collector are killed in turn while the browser goes on browsing.

use std::sync::Arc;
use std::time::Duration;

use redshank_tests::script::Step;
use redshank_tests::site::Site;

use super::scene::{Scene, browser, eventually};

/// Worrying searches, each with a mark of its own.
const SEARCHES: usize = 24;
/// Browsing takes long enough for several of the browser's own writes and for every kill.
const BETWEEN_SEARCHES: Duration = Duration::from_millis(1_500);
const BETWEEN_KILLS: Duration = Duration::from_millis(2_500);

#[tokio::test]
async fn every_worrying_visit_is_in_the_alert_log_once() {
    let mut scene = Scene::start().await;
    let words = |n: usize| format!("how to kill myself mark{n:03}");
    let script: Arc<[Step]> = (0..SEARCHES).map(|n| Step::search(words(n))).collect();
    let mut site = Site::serve(script).await.unwrap();
    let log = scene.stack.folder().join("browser.log");
    let chromium = browser().start(&scene.profile, &site.start(), &log).await.unwrap();
    let browsing = tokio::spawn(async move {
        for _ in 0..SEARCHES {
            site.give_turn();
            site.visited().await.expect("the browser goes on");
            tokio::time::sleep(BETWEEN_SEARCHES).await;
        }
        site
    });

    let mut kills = 0;
    while !browsing.is_finished() {
        tokio::time::sleep(BETWEEN_KILLS).await;
        if kills % 2 == 0 {
            scene.stack.kill_agent().await.unwrap();
            scene.stack.start_agent().await.unwrap();
        } else {
            scene.stack.kill_collector().await.unwrap();
            scene.stack.start_collector().await.unwrap();
        }
        kills += 1;
    }
    assert!(kills >= 8, "{kills} kills are too few to mean anything");
    let site = browsing.await.unwrap();

    let dsl = scene.dsl().await;
    let page = eventually("every search in the alert", async || {
        let [row] = &dsl.queue().await.ok()?[..] else { return None };
        let page = dsl.alert(&row.alert).await.ok()?;
        (0..SEARCHES).all(|n| page.contains(&words(n))).then_some(page)
    });
    let page = page.await;
    let events: Vec<&str> =
        page.split("<article").skip(1).filter_map(|e| e.split("</article>").next()).collect();
    assert_eq!(events.len(), SEARCHES);
    for n in 0..SEARCHES {
        let holding = events.iter().filter(|event| event.contains(&words(n))).count();
        assert_eq!(holding, 1, "{}", words(n));
    }
    assert!(page.contains(&format!("{SEARCHES} times")), "the alert counts {SEARCHES} events");
    drop((chromium, site));
    scene.stack.stop().await.unwrap();
}
