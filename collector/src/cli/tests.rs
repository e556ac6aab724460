//! The command line from `init` to `audit verify`, beside a collector that serves in this process.

pub(crate) mod running;

use redshank_proto::clock::System;
use serde_json::Value;
use tempfile::TempDir;

use self::running::{Running, run_in};
use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn commands_work_while_serve_runs_and_the_trail_stays_whole() {
    let running = Running::start().await;
    let school = running.json(&["school", "add", "Hill Top", "--json"]).await;
    let id = school["school"].as_str().unwrap();
    let add = |role, email| {
        [
            "user", "add", "--school", id, "--role", role, "--name", "Ann Dee", "--email", email,
            "--json",
        ]
    };
    let dsl = running.json(&add("dsl", "Ann@Hilltop.example")).await;
    assert_eq!(dsl["status"], "active");
    assert_eq!(dsl["password"].as_str().unwrap().len(), 23);
    let technician = running.json(&add("technician", "tess@hilltop.example")).await;
    assert_eq!(technician["status"], "active");
    let token = ["token", "create", "--school", "Hill Top", "--purpose", "Year 7"];
    let (_, token) = running.run(&token).await;
    assert!(token.trim().parse::<redshank_proto::token::Token>().is_ok(), "{token}");
    assert_eq!(running.json(&["device", "list", "--json"]).await, Value::Array(Vec::new()));
    let (_, policies) = running.run(&["policy", "publish"]).await;
    assert!(policies.contains("Hill Top: policy 1 stays"), "{policies}");
    let (code, said) = running.run(&["audit", "verify"]).await;
    assert!(code == ExitCode::SUCCESS && said.contains("is whole"), "{said}");
    running.stop().await;
}

#[tokio::test]
async fn what_cannot_be_done_is_told_with_the_way_out() {
    let folder = TempDir::new().unwrap();
    let data = folder.path().join("data");
    let told = async |arguments: &[&str]| {
        format!("{:#}", run_in(&data, arguments, Arc::new(System)).await.unwrap_err())
    };
    assert!(told(&["serve"]).await.contains("init --name"));
    assert!(told(&["init", "--name", "not a name"]).await.contains("not a name"));
    assert!(!data.exists(), "nothing is half-written");
    run_in(&data, &["init", "--name", "localhost"], Arc::new(System)).await.unwrap();
    assert!(told(&["init", "--name", "localhost"]).await.contains("holds a collector already"));
    let token = ["token", "create", "--school", "Nowhere", "--purpose", "x"];
    assert!(told(&token).await.contains("school add"));
    let zone = ["school", "add", "Marsh Lane", "--time-zone", "Mars/Olympus"];
    assert!(told(&zone).await.contains("Europe/London"));
    let device = redshank_proto::id::DeviceId::draw(&System).to_string();
    for decide in ["approve", "revoke"] {
        assert!(told(&["device", decide, &device]).await.contains("no such device"));
    }
    std::fs::remove_file(data.join("offline-root.key")).unwrap();
    assert!(told(&["school", "add", "Marsh Lane"]).await.contains("--root-ca"));
}

#[tokio::test]
async fn a_reader_s_credential_is_written_for_its_eyes_only() {
    let folder = TempDir::new().unwrap();
    let data = folder.path().join("data");
    let out = folder.path().join("reader");
    let run = async |arguments: &[&str]| run_in(&data, arguments, Arc::new(System)).await;
    run(&["init", "--name", "localhost"]).await.unwrap();
    run(&["school", "add", "Marsh Lane"]).await.unwrap();
    let add = ["reader", "add", "Watch", "--school", "Marsh Lane", "--out", out.to_str().unwrap()];
    run(&add).await.unwrap();
    for file in ["reader.pem", "reader.key", "root.pem"] {
        assert!(out.join(file).is_file(), "{file}");
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(out.join("reader.key")).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0);
    }
    assert!(run(&add).await.is_err(), "nothing is overwritten");
}

#[tokio::test]
async fn lint_says_what_is_wrong_and_fails() {
    let folder = TempDir::new().unwrap();
    std::fs::create_dir(folder.path().join("en")).unwrap();
    std::fs::write(folder.path().join("en/drugs.toml"), "format = 1\n").unwrap();
    let path = folder.path().to_str().unwrap();
    let lint = async |arguments: &[&str]| {
        run_in(folder.path(), arguments, Arc::new(System)).await.unwrap()
    };
    let (code, said) = lint(&["policy", "lint", path]).await;
    assert!(code == ExitCode::FAILURE && said.contains("en/drugs.toml:"), "{said}");
    let (code, said) = lint(&["policy", "lint"]).await;
    assert!(code == ExitCode::SUCCESS && said.contains("are sound"), "{said}");
    assert!(said.contains("cy: 5 rule packs, none reviewed"), "{said}");
    assert!(said.contains("A school uses those in en unless"), "{said}");
}

#[tokio::test]
async fn publishing_says_which_languages_a_school_uses() {
    let folder = TempDir::new().unwrap();
    let run = async |arguments: &[&str]| run_in(folder.path(), arguments, Arc::new(System)).await;
    run(&["init", "--name", "localhost"]).await.unwrap();
    run(&["school", "add", "Marsh Lane"]).await.unwrap();
    let (_, said) = run(&["policy", "publish"]).await.unwrap();
    assert!(said.contains("en: ") && !said.contains("pl: "), "{said}");
    let file = folder.path().join("policy/marsh-lane.toml");
    let text = crate::policy::school::template("Marsh Lane");
    let named = text.replace("languages = [\"en\"]", "languages = [\"en\", \"pl\"]");
    assert_ne!(named, text);
    std::fs::write(&file, named).unwrap();
    let (code, said) = run(&["policy", "publish"]).await.unwrap();
    assert!(code == ExitCode::SUCCESS && said.contains("is signed"), "{said}");
    assert!(said.contains("en: ") && said.contains("pl: 5 rule packs, none reviewed"), "{said}");
    std::fs::write(&file, text.replace("\"en\"]", "\"en\", \"xx\"]")).unwrap();
    let (code, said) = run(&["policy", "publish"]).await.unwrap();
    assert!(code == ExitCode::FAILURE && said.contains("no rule packs in \"xx\""), "{said}");
}

#[tokio::test]
async fn an_asset_log_is_imported_whole_or_not_at_all() {
    let folder = TempDir::new().unwrap();
    let data = folder.path().join("data");
    let run = async |arguments: &[&str]| run_in(&data, arguments, Arc::new(System)).await;
    run(&["init", "--name", "localhost"]).await.unwrap();
    run(&["school", "add", "Marsh Lane"]).await.unwrap();
    let file = folder.path().join("assets.csv");
    let import = ["asset", "import", "--school", "Marsh Lane", file.to_str().unwrap()];
    let list = ["asset", "list", "--school", "Marsh Lane", "--json"];
    let missing = run(&import).await.unwrap_err();
    assert!(format!("{missing:#}").contains("assets.csv cannot be read"), "{missing:#}");
    assert!(run(&list[..4]).await.unwrap().1.contains("asset import"));
    let header = "asset_tag,serial_number,mac,allocated_to,shared,kind\n";
    let good = format!("{header}IPAD-1,S1,02:00:5e:00:53:01,SCHOOL\\amy,no,ipad\n");
    std::fs::write(&file, &good).unwrap();
    let (code, said) = run(&import).await.unwrap();
    assert!(code == ExitCode::SUCCESS && said.contains("1 assets are in the log: 1 new"), "{said}");
    std::fs::write(&file, format!("{good}IPAD-2,S1,,,,ipad\nIPAD-3,,zz,,,ipad\n")).unwrap();
    let (code, said) = run(&import).await.unwrap();
    assert_eq!(code, ExitCode::FAILURE);
    for part in ["assets.csv:3:2: ", "assets.csv:4:3: ", "Nothing was imported"] {
        assert!(said.contains(part), "{part}: {said}");
    }
    let listed: Value = serde_json::from_str(&run(&list).await.unwrap().1).unwrap();
    assert_eq!(listed.as_array().unwrap().len(), 1);
    assert_eq!((&listed[0]["asset_tag"], &listed[0]["kind"]), (&"IPAD-1".into(), &"ipad".into()));
    assert!(!listed.to_string().contains("amy"), "whose it is, is not listed");
    let (_, said) = run(&list[..4]).await.unwrap();
    assert!(said.contains("IPAD-1") && said.contains("allocated") && said.contains("no agent"));
}

#[tokio::test]
async fn a_school_s_file_is_written_explains_itself_and_is_published() {
    let folder = TempDir::new().unwrap();
    let data = folder.path().join("data");
    let run = async |arguments: &[&str]| run_in(&data, arguments, Arc::new(System)).await.unwrap();
    run(&["init", "--name", "localhost"]).await;
    run(&["school", "add", "Marsh Lane"]).await;
    run(&["school", "add", "Marsh lane!"]).await;
    let mut files: Vec<_> = data
        .join("policy")
        .read_dir()
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    files.sort();
    assert_eq!(files.len(), 2);
    assert!(files[0].starts_with("marsh-lane-") && files[1] == "marsh-lane.toml", "{files:?}");
    let (code, said) = run(&["policy", "publish"]).await;
    assert!(code == ExitCode::SUCCESS && said.matches("policy 1 stays").count() == 2, "{said}");

    let file = data.join("policy").join("marsh-lane.toml");
    let text = crate::policy::school::template("Marsh Lane");
    std::fs::write(&file, text.replace("severity = 3", "severity = 9")).unwrap();
    let (code, said) = run(&["policy", "publish"]).await;
    assert_eq!(code, ExitCode::FAILURE);
    assert!(said.contains("Marsh Lane: the policy in force stays as it is"), "{said}");
    assert!(said.contains("marsh-lane.toml:") && said.contains("write 1 to 5"), "{said}");
    assert!(said.contains("Marsh lane!: policy 1 stays"), "{said}");
    std::fs::write(&file, text.replace("page_text = false", "page_text = true")).unwrap();
    let (code, said) = run(&["policy", "publish"]).await;
    assert!(code == ExitCode::SUCCESS && said.contains("Marsh Lane: policy 2 is signed"), "{said}");
}
