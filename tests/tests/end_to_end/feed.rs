//! A monitoring service reads the feed: pseudonymised, resumable, and back comes its grade.

use redshank_proto::clock::{System, draw};
use redshank_proto::v1::{AlertStatus, AssessRequest, ChangeKind};
use redshank_tests::feed::Reader;
use redshank_tests::programs::{command, succeed};
use redshank_tests::replay::History;
use redshank_tests::script::Step;

use super::scene::{Scene, eventually};

#[tokio::test]
async fn a_reader_has_the_alert_resumes_after_it_and_brings_back_a_grade() {
    let scene = Scene::start().await;
    let history = History::begin(&scene.profile).unwrap();
    history.visit(&Step::search("how to kill myself")).unwrap();

    let (url, folder) = (scene.stack.agents_url(), scene.stack.reader.clone());
    let mut reader = Reader::connect(&url, &folder).await.unwrap();
    let mut feed = reader.subscribe(Vec::new()).await.unwrap();
    let change = feed.next().await.unwrap().expect("a change");
    let alert = change.alert.clone().expect("the alert as it stands");
    assert_eq!((change.kind(), &*alert.category), (ChangeKind::Opened, "suicide"));
    assert!(alert.severity >= 4 && alert.status() == AlertStatus::Open);
    assert_eq!(alert.school_name, redshank_tests::stack::SCHOOL);
    assert_eq!(
        alert.factors.iter().map(|factor| factor.points).sum::<i32>(),
        i32::try_from(alert.priority).unwrap()
    );
    let account = String::from_utf8(whoami().await).unwrap();
    let shown = format!("{alert:?}");
    assert!(!shown.contains(&format!("\"{account}\"")), "the account's name is in the feed");
    assert!(!alert.person_pseudonym.is_empty());

    // Not acknowledged: another connection gets it again, under the same id.
    let mut again = Reader::connect(&url, &folder).await.unwrap();
    let repeated = again.subscribe(Vec::new()).await.unwrap().next().await.unwrap().unwrap();
    assert_eq!(repeated.cursor, change.cursor);
    assert_eq!(repeated.alert.unwrap().alert_id, alert.alert_id);

    // Acknowledged: the next thing it hears of is what comes after.
    again.acknowledge(change.cursor).await.unwrap();
    let mut next = again.subscribe(Vec::new()).await.unwrap();
    history.visit(&Step::search("my dad hits me and i am scared to go home")).unwrap();
    let following = next.next().await.unwrap().unwrap().alert.unwrap();
    assert_eq!(following.category, "abuse_disclosure");

    let assessment = AssessRequest {
        assessment_id: draw::<16>(&System).to_vec(),
        alert_id: alert.alert_id.clone(),
        grade: 5,
        note: "Rang the school at once.".to_owned(),
        school_called: true,
    };
    again.assess(assessment.clone()).await.unwrap();
    again.assess(assessment.clone()).await.unwrap();
    let wrong =
        AssessRequest { grade: 6, assessment_id: draw::<16>(&System).to_vec(), ..assessment };
    assert!(again.assess(wrong).await.is_err());

    let dsl = scene.dsl().await;
    let page = eventually("the grade on the alert's page", async || {
        let rows = dsl.queue().await.ok()?;
        let row = rows.iter().find(|row| row.category == "Suicide")?;
        let page = dsl.alert(&row.alert).await.ok()?;
        page.contains("Rang the school at once.").then_some(page)
    })
    .await;
    assert_eq!(page.matches("Rang the school at once.").count(), 1);
}

#[tokio::test]
async fn the_readers_program_prints_a_change_as_a_line_of_json() {
    let scene = Scene::start().await;
    History::begin(&scene.profile).unwrap().visit(&Step::search("how to kill myself")).unwrap();
    let mut program = command(env!("CARGO_BIN_EXE_feed-reader"));
    program.args(["--collector", &scene.stack.agents_url(), "--count", "1", "--credential"]);
    program.arg(&scene.stack.reader);
    let line = succeed(program, "").await.unwrap();
    let line: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert_eq!(line["alert"]["category"], "suicide");
}

async fn whoami() -> Vec<u8> {
    let name = succeed(command("whoami"), "").await.unwrap();
    name.trim().as_bytes().to_vec()
}
