use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use redshank_agent::notice::public::Public;
use redshank_agent::notice::{self, AUDIENCES, Device, Facts};

#[test]
fn the_program_shows_what_lies_in_the_public_folder() {
    let folder = tempfile::tempdir().unwrap();
    let missing = run(folder.path(), &["--text"]);
    assert!(!missing.status.success());
    assert!(String::from_utf8(missing.stderr).unwrap().contains("no notice"));

    let facts = facts();
    Public::at(folder.path()).publish(&facts).unwrap();
    for audience in AUDIENCES {
        let shown = run(folder.path(), &["--audience", notice::name(audience)]);
        assert_eq!(String::from_utf8(shown.stdout).unwrap(), notice::text(&facts, audience));
        let file = folder.path().join("mine.html");
        run(
            folder.path(),
            &["--audience", notice::name(audience), "--html", file.to_str().unwrap()],
        );
        assert_eq!(read(&file), notice::html(&facts, audience, false));
    }
    // For whoever wants to look at them: target/tmp/notice.
    Public::at(&Path::new(env!("CARGO_TARGET_TMPDIR")).join("notice")).publish(&facts).unwrap();
}

#[test]
fn the_program_says_so_if_no_agent_heard_that_it_was_shown() {
    let folder = tempfile::tempdir().unwrap();
    Public::at(folder.path()).publish(&facts()).unwrap();
    let alone = run(folder.path(), &["--shown"]);
    assert!(!alone.status.success(), "no agent answers");
    let said = String::from_utf8(alone.stderr).unwrap();
    assert!(said.contains("it tries again at the next sign-in"), "{said}");
}

#[expect(clippy::disallowed_methods, reason = "this test starts the program that it is about")]
fn run(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_redshank-agent"))
        .arg("notice")
        .args(arguments)
        .env("REDSHANK_NOTICE", folder)
        .env("REDSHANK_SOCKET", folder.join("socket"))
        .output()
        .unwrap()
}

#[expect(clippy::disallowed_methods, reason = "a test reads back what it had written")]
fn read(file: &Path) -> String {
    fs::read_to_string(file).unwrap()
}

fn facts() -> Facts {
    Facts {
        school: "Marsh Lane Primary School".to_owned(),
        watched_by: "Ms Okafor and Mr Hill, who look after pupils' safety".to_owned(),
        help: "Ms Okafor, in the room beside the library".to_owned(),
        version: 3,
        device: Device {
            histories: true,
            extension: true,
            programs: true,
            media: true,
            since_shown: true,
            ..Device::default()
        },
        visits: true,
        typed: true,
        ..Facts::default()
    }
}
