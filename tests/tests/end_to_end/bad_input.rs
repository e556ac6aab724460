//! One clear error for each mistake, naming the place and the way out; nothing half-written.

use redshank_tests::programs::{Output, output};
use redshank_tests::stack::SCHOOL;

use super::scene::Scene;

#[tokio::test]
async fn mistakes_at_enrolment_are_told_apart_and_leave_nothing_behind() {
    let scene = Scene::start().await;
    let stack = &scene.stack;
    let elsewhere = stack.folder().join("another-agent");
    let enrol = async |token: &str| {
        let mut enrol = stack.agent_command(["enrol", "--collector", &stack.enrolment_url()]);
        // A later --state wins.
        enrol.arg("--state").arg(&elsewhere).args(["--token", token]);
        output(enrol, "").await.unwrap()
    };
    assert_says(&enrol("hunter2").await, &["rsk1-"]);

    let mut create = stack.collector_command(["token", "create", "--school", SCHOOL]);
    create.args(["--purpose", "one device"]);
    let token = output(create, "").await.unwrap().stdout.trim().to_owned();
    assert_says(&enrol(&token[..token.len() - 3]).await, &["incomplete or mistyped"]);
    assert!(!elsewhere.join("identity.pem").exists());
    assert!(enrol(&token).await.status.success());
    assert_says(&enrol(&token).await, &["--again"]);
}

#[tokio::test]
async fn a_token_that_is_used_up_or_of_another_collector_is_refused() {
    let (ours, theirs) = tokio::join!(Scene::start(), Scene::start());
    let mut create = theirs.stack.collector_command(["token", "create", "--school", SCHOOL]);
    create.args(["--purpose", "one device"]);
    let token = output(create, "").await.unwrap().stdout.trim().to_owned();
    let elsewhere = ours.stack.folder().join("another-agent");
    let mut enrol = ours.stack.agent_command(["enrol", "--collector", &ours.stack.enrolment_url()]);
    enrol.arg("--state").arg(&elsewhere).args(["--token", &token]);
    let refused = output(enrol, "").await.unwrap();
    assert!(!refused.status.success() && !refused.stderr.is_empty(), "{refused:?}");
    assert!(!elsewhere.join("identity.pem").exists());

    // A device of their school, shown our collector, is nobody.
    let installed = theirs.stack.agent_folder();
    let status = theirs.stack.agent_status().await.unwrap();
    assert!(installed.join("identity.pem").exists() && status["enrolment"].is_object(), "{status}");
}

#[tokio::test]
async fn settings_rules_and_files_name_the_place_of_a_mistake() {
    let scene = Scene::start().await;
    let stack = &scene.stack;
    let settings = stack.folder().join("mistaken.toml");
    std::fs::write(&settings, "extra_profiles = []\nextra_profile = []\n").unwrap();
    let mut run = stack.agent_command(["run", "--settings"]);
    run.arg(&settings);
    assert_says(&output(run, "").await.unwrap(), &["mistaken.toml:2", "extra_profile"]);

    let rules = stack.folder().join("rules");
    std::fs::create_dir_all(rules.join("en")).unwrap();
    std::fs::write(rules.join("en/suicide.toml"), "format = 1\ncategory = \"suicid\"\n").unwrap();
    let mut lint = stack.collector_command(["policy", "lint"]);
    lint.arg(&rules);
    assert_says(&output(lint, "").await.unwrap(), &["suicide.toml:"]);

    let missing = stack.folder().join("History");
    let mut capture = stack.agent_command(["capture", "history"]);
    capture.arg(&missing);
    assert_says(&output(capture, "").await.unwrap(), &[&missing.display().to_string()]);
}

/// Fails, and says each of these words on standard error or output.
fn assert_says(output: &Output, words: &[&str]) {
    let said = format!("{}{}", output.stdout, output.stderr);
    assert!(!output.status.success(), "{said}");
    for word in words {
        assert!(said.contains(word), "`{word}` is not in: {said}");
    }
    assert!(!said.contains("panicked"), "{said}");
}
