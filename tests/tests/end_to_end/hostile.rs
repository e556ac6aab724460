//! A pupil's `History` that is no history: harmless, reported, and no cover for the next profile.

use std::path::Path;
use std::sync::Arc;

use redshank_tests::programs::command;
use redshank_tests::replay::History;
use redshank_tests::script::Step;

use super::scene::{Scene, eventually};

#[tokio::test]
async fn hostile_histories_are_reported_and_the_honest_one_beside_them_is_read() {
    let scene = Scene::start().await;
    let secret = scene.stack.folder().join("secret");
    std::fs::write(&secret, "not the pupil's").unwrap();
    let hostile = |name: &str| {
        let folder = scene.profile.join(name);
        std::fs::create_dir_all(&folder).unwrap();
        folder.join("History")
    };
    // Chromium's own numbering of profiles, so that each is taken for one.
    std::os::unix::fs::symlink(&secret, hostile("Profile 1")).unwrap();
    let mut fifo = command("mkfifo");
    fifo.arg(hostile("Profile 2"));
    assert!(fifo.status().await.unwrap().success());
    let sparse = std::fs::File::create(hostile("Profile 3")).unwrap();
    sparse.set_len(64 << 30).unwrap();
    endless_view(&hostile("Profile 4"));

    let honest = History::begin(&scene.profile).unwrap();
    let step = Step::search("how to kill myself");
    let steps: Arc<[Step]> = Arc::new([step.clone()]);
    honest.visit(&steps[0]).unwrap();

    let dsl = scene.dsl().await;
    eventually("the honest profile's alert", async || {
        let rows = dsl.queue().await.ok()?;
        rows.iter().any(|row| row.category == "Suicide").then_some(())
    })
    .await;
    let reported = eventually("each hostile profile in the status", async || {
        let status = scene.stack.agent_status().await.ok()?.to_string();
        let all = ["Profile 1", "Profile 2", "Profile 3", "Profile 4"];
        all.iter().all(|name| status.contains(name)).then_some(status)
    })
    .await;
    assert!(reported.contains("blind"), "{reported}");
    assert_eq!(std::fs::read(&secret).unwrap(), b"not the pupil's");
}

/// A view named as the table, whose rows never end.
fn endless_view(file: &Path) {
    let database = rusqlite::Connection::open(file).unwrap();
    database
        .execute_batch(
            "CREATE VIEW urls AS WITH RECURSIVE n(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM n)
               SELECT id, 'https://example.org' AS url, '' AS title FROM n;
             CREATE VIEW visits AS SELECT id, id AS url, 13300000000000000 + id AS visit_time, 0 AS transition
               FROM urls;",
        )
        .unwrap();
}
