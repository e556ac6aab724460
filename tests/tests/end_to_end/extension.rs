//! The extension in real browsers, as a school's device has it: installed, and the native host registered.
//!
//! Every sentence that is typed here is one that raises an alert, with a mark of its own: what is not to be seen
//! would be seen if it got as far as the agent.

mod firefox;
mod secrets;

use redshank_proto::v1::event_payload::Content;
use redshank_proto::v1::{EventPayload, TextKind};
use redshank_tests::browser::Browser;
use redshank_tests::history;
use redshank_tests::pages::Pages;
use redshank_tests::watched::Watched;

use super::scene::{Scene, alert_with, eventually};
use super::traces::events;

/// Looks into text that was read; the packs that are shipped do not.
const ANSWERS: &str = r#"
format = 1
category = "bullying"
language = "en"
version = 1
reviewed = "nobody: a test's own"
places = ["page_text"]

[[rule]]
id = "bullying.answer"
severity = 4
note = "What the AI of the test says."
phrases = ["kill yourself"]
match = ["so kill yourself", "kill yourself then", "do kill yourself"]
miss = ["killer whales", "weeds", "how are you"]
"#;

#[tokio::test]
async fn what_a_pupil_does_in_chromium_is_seen_once() {
    let mut scene = Scene::start().await;
    let pages = Pages::serve().await.unwrap();
    let mut pupil = Watched::chromium(&scene.stack, &scene.profile, &pages).await.unwrap();
    search_watch_type_and_ask(&mut pupil, &scene).await;
    covered(&scene, "Chromium extension", false).await;
    pupil.quit().await.unwrap();

    let history = Browser::chromium().unwrap().history_file(&scene.profile);
    wait_for_history(&scene, &history).await;
    scene.stack.stop().await.unwrap();
    let events = events(&scene.stack).await;
    assert_each_once(&events);
    assert!(
        holding(&events, "markanswer").is_empty(),
        "answers are off unless a school turns them on"
    );
}

#[tokio::test]
async fn answers_of_an_ai_are_read_where_the_school_wants_them() {
    let mut scene = Scene::start().await;
    scene.stack.judge_by("en", "bullying", ANSWERS).await.unwrap();
    let policy = "school = \"Marsh Lane Academy\"\n[text]\nai_answers = true\n";
    scene.stack.decide(policy).await.unwrap();
    let pages = Pages::serve().await.unwrap();
    let mut pupil = Watched::chromium(&scene.stack, &scene.profile, &pages).await.unwrap();
    pupil.until_kept("\"answers\":true").await.unwrap();
    pupil.open("http://claude.ai/new").await.unwrap();
    pupil.type_into("#message", "does anybody like me\n").await.unwrap();
    let dsl = scene.dsl().await;
    alert_with(&dsl, "markanswer").await;
    pupil.quit().await.unwrap();
    scene.stack.stop().await.unwrap();
    let events = events(&scene.stack).await;
    let kinds: Vec<_> = holding(&events, "markanswer").into_iter().filter_map(text_kind).collect();
    assert_eq!(kinds, [TextKind::Answer]);
}

#[tokio::test]
async fn private_windows_are_seen_once_the_extension_may_run_there() {
    let mut scene = Scene::start().await;
    let pages = Pages::serve().await.unwrap();
    let mut pupil = Watched::chromium(&scene.stack, &scene.profile, &pages).await.unwrap();
    covered(&scene, "Chromium extension", false).await;
    pupil.private_window().await.unwrap();
    pupil.open("http://www.google.com/search?q=how+to+kill+myself+markunseen").await.unwrap();

    pupil.allow_private_windows().await.unwrap();
    covered(&scene, "Chromium extension", true).await;
    pupil.private_window().await.unwrap();
    pupil.open("http://www.google.com/search").await.unwrap();
    pupil.type_into("#q", "how to kill myself markprivate\n").await.unwrap();
    let dsl = scene.dsl().await;
    let page = alert_with(&dsl, "markprivate").await;
    assert!(page.contains("private window"), "the alert says so");
    assert!(!page.contains("markunseen"));
    pupil.quit().await.unwrap();
    scene.stack.stop().await.unwrap();
    let events = events(&scene.stack).await;
    let visits = holding(&events, "markprivate").into_iter().filter_map(visit).collect::<Vec<_>>();
    assert!(!visits.is_empty() && visits.iter().all(|visit| visit.private_window), "{visits:?}");
    assert!(holding(&events, "markunseen").is_empty());
}

#[tokio::test]
async fn nothing_is_lost_or_told_twice_when_agent_and_worker_end_between_two_keys() {
    let mut scene = Scene::start().await;
    let pages = Pages::serve().await.unwrap();
    let mut pupil = Watched::chromium(&scene.stack, &scene.profile, &pages).await.unwrap();
    let dsl = scene.dsl().await;
    for round in 0..3 {
        let mark = format!("markround{round}");
        pupil.open("http://chat.example/chat").await.unwrap();
        pupil.type_into("#message", "i want to ki").await.unwrap();
        scene.stack.kill_agent().await.unwrap();
        pupil.stop_worker().await.unwrap();
        pupil.keys(&format!("ll myself {mark}said\n")).await.unwrap();
        // Said while nobody listens, and kept; then the worker goes, too, and what it kept outlives it.
        pupil
            .open(&format!("http://www.google.com/search?q=how+to+kill+myself+{mark}search"))
            .await
            .unwrap();
        pupil.until_kept(&format!("myself {mark}said")).await.unwrap();
        pupil.until_kept(&format!("{mark}search")).await.unwrap();
        pupil.stop_worker().await.unwrap();
        scene.stack.start_agent().await.unwrap();
        // The next key starts the worker again.
        pupil.type_into("#q", "x").await.unwrap();
        alert_with(&dsl, &format!("{mark}search")).await;
        alert_with(&dsl, &format!("{mark}said")).await;
    }
    pupil.quit().await.unwrap();
    let history = Browser::chromium().unwrap().history_file(&scene.profile);
    wait_for_history(&scene, &history).await;
    scene.stack.stop().await.unwrap();
    let events = events(&scene.stack).await;
    for round in 0..3 {
        let mark = format!("markround{round}");
        let all = holding(&events, &mark);
        let texts = all.iter().filter(|event| text_kind(event) == Some(TextKind::Typed)).count();
        let visits = all.iter().filter(|event| visit(event).is_some()).count();
        assert_eq!((all.len(), texts, visits), (2, 1, 1), "{mark}: {all:#?}");
    }
}

/// A search, a single-page site, both kinds of chat box, and an AI; each raises an alert.
async fn search_watch_type_and_ask(pupil: &mut Watched, scene: &Scene) {
    let dsl = scene.dsl().await;
    pupil.open("http://www.google.com/search").await.unwrap();
    pupil.type_into("#q", "how to kill myself marksearch\n").await.unwrap();
    alert_with(&dsl, "marksearch").await;
    pupil.open("http://videos.example/watch?v=1").await.unwrap();
    pupil.click("#next").await.unwrap();
    alert_with(&dsl, "marktitle").await;
    pupil.open("http://chat.example/chat").await.unwrap();
    pupil.type_into("#message", "i want to kill myself markarea").await.unwrap();
    // The pause alone sends it.
    alert_with(&dsl, "markarea").await;
    pupil.type_into("#rich", "i want to kill myself markrich").await.unwrap();
    alert_with(&dsl, "markrich").await;
    // Sent, and the same words to somebody else.
    pupil.keys("\ni want to kill myself markagain\n").await.unwrap();
    alert_with(&dsl, "markagain").await;
    pupil.open("http://claude.ai/new").await.unwrap();
    pupil.type_into("#message", "how can i kill myself markprompt\n").await.unwrap();
    alert_with(&dsl, "markprompt").await;
}

/// What [`search_watch_type_and_ask`] did is there, each thing once, and that the pupil was told of it before.
fn assert_each_once(events: &[EventPayload]) {
    let notices = events.iter().filter(|it| matches!(it.content, Some(Content::NoticeShown(_))));
    assert_eq!(notices.count(), 1);
    for (mark, address) in
        [("marksearch", "google.com/search"), ("marktitle", "videos.example/watch")]
    {
        let found = holding(events, mark);
        let visits: Vec<_> = found.iter().filter_map(|event| visit(event)).collect();
        let [visit] = visits[..] else { panic!("{mark}: {found:#?}") };
        assert!(visit.address.contains(address), "{visit:?}");
        assert!(!visit.private_window);
        let terms = visit.search_terms.as_deref();
        assert_eq!(terms, (mark == "marksearch").then_some("how to kill myself marksearch"));
    }
    for (mark, kind) in [
        // What is typed into a search box is typed text, too.
        ("marksearch", TextKind::Typed),
        ("markarea", TextKind::Typed),
        ("markrich", TextKind::Typed),
        ("markagain", TextKind::Typed),
        ("markprompt", TextKind::Prompt),
    ] {
        let found = holding(events, mark);
        let kinds: Vec<_> = found.iter().filter_map(|event| text_kind(event)).collect();
        assert_eq!(kinds, [kind], "{mark}: {found:#?}");
    }
}

/// Waits until the agent has read everything that a browser, which has quit, wrote to its history: the visit that
/// stands behind all of it is in an alert.
async fn wait_for_history(scene: &Scene, file: &std::path::Path) {
    let visited = history::visited(file).unwrap();
    assert!(
        visited.iter().any(|url| url.contains("google.com/search?q=how+to+kill")),
        "{visited:?}"
    );
    history::add_visit(file, "http://www.google.com/search?q=how+to+kill+myself+marklast").unwrap();
    alert_with(&scene.dsl().await, "marklast").await;
}

/// Waits until the agent's status has an extension, and says of it whether private windows are covered.
async fn covered(scene: &Scene, extension: &str, private_windows: bool) {
    eventually("coverage", async || {
        let status = scene.stack.agent_status().await.ok()?.to_string();
        let blind = status.contains("private windows are not covered");
        (status.contains(extension) && blind != private_windows).then_some(())
    })
    .await;
}

/// The events in whose matches a mark is.
fn holding<'a>(events: &'a [EventPayload], mark: &str) -> Vec<&'a EventPayload> {
    let holds =
        |event: &&EventPayload| event.matches.iter().any(|found| found.snippet.contains(mark));
    events.iter().filter(holds).collect()
}

fn visit(event: &EventPayload) -> Option<&redshank_proto::v1::Visit> {
    match event.content.as_ref()? {
        Content::Visit(visit) => Some(visit),
        _ => None,
    }
}

fn text_kind(event: &EventPayload) -> Option<TextKind> {
    match event.content.as_ref()? {
        Content::Text(text) => Some(text.kind()),
        _ => None,
    }
}
