//! The command line, by its own words.

use clap::CommandFactory as _;

use super::*;

#[test]
fn the_commands_are_sound() {
    Cli::command().debug_assert();
}

#[test]
fn a_command_on_a_device_that_is_not_enrolled_says_how_to_enrol() {
    let temp = tempfile::tempdir().unwrap();
    let state = temp.path().join("state");
    let missing = run(&["--state", path(&state), "run"]).unwrap_err();
    assert!(missing.contains("no state folder"), "{missing}");
    StateDir::create(&state).unwrap();
    let error = run(&["--state", path(&state), "run"]).unwrap_err();
    assert!(error.contains("redshank-agent enrol"), "{error}");
    let error = run(&["--state", path(&state), "match"]).unwrap_err();
    assert!(error.contains("--rules DIR"), "{error}");
}

#[test]
fn a_token_that_is_none_is_told_where_it_stood() {
    let temp = tempfile::tempdir().unwrap();
    let state = temp.path().join("state");
    let file = temp.path().join("token");
    std::fs::write(&file, "rsk1-aaaa\n").unwrap();
    let enrol = ["--state", path(&state), "enrol", "--collector", "https://c:1"];
    for (more, expected) in [
        (["--token", "hunter2"], "--token: an enrolment token begins with `rsk1-`"),
        (["--token-file", path(&file)], "token: the enrolment token is incomplete or mistyped"),
        (["--token-file", "/no/such/file"], "/no/such/file: there is no such token file"),
    ] {
        let error = run(&[&enrol[..], &more[..]].concat()).unwrap_err();
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn a_settings_file_that_is_named_must_be_there() {
    let temp = tempfile::tempdir().unwrap();
    StateDir::create(&temp.path().join("state")).unwrap();
    let state = temp.path().join("state");
    let error = run(&["--state", path(&state), "--settings", "/no/such.toml", "run"]).unwrap_err();
    assert!(error.contains("/no/such.toml: there is no such settings file"), "{error}");
    std::fs::write(state.join("agent.toml"), "\nspeed = 3\n").unwrap();
    let error = run(&["--state", path(&state), "run"]).unwrap_err();
    assert!(error.contains("agent.toml:2: unknown field `speed`"), "{error}");
}

#[test]
fn status_works_without_anything() {
    let temp = tempfile::tempdir().unwrap();
    let out = run(&["--state", path(&temp.path().join("none")), "status", "--json"]).unwrap();
    let json: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(json["running"], false);
    assert_eq!(json["enrolment"], serde_json::Value::Null);
}

fn run(args: &[&str]) -> Result<String, String> {
    let cli = Cli::try_parse_from([&["redshank-agent"], args].concat()).unwrap();
    let mut out = Vec::new();
    match cli.run(std::io::empty(), &mut out, &mut std::io::sink()) {
        Ok(_) => Ok(String::from_utf8(out).unwrap()),
        Err(error) => Err(format!("{error:#}")),
    }
}

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}
