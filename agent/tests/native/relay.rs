//! The host between a browser and the agent: the built program, started as a browser starts it.

use std::collections::HashMap;
use std::process::Stdio;

use redshank_agent::native::frame::{FROM_BROWSER, Frame, FrameReader, FrameWriter, TO_BROWSER};
use redshank_agent::native::local::Listener;
use redshank_agent::observation::{Content, Evidence, Source};
use serde_json::{Value, json};
use tokio::io::{AsyncWriteExt as _, split};
use tokio::process::Command;
use tokio::time::timeout;

use crate::agent::{Device, PATIENCE, account, other, program};
use crate::browser::{Browser, visits};

#[tokio::test]
async fn what_a_browser_saw_arrives_as_its_users_own_and_is_stored() {
    let device = Device::new();
    let mut agent = device.start(&HashMap::new()).await;
    let mut accounts = vec![(None, account())];
    accounts.extend(other().map(|uid| (Some(uid), "bob".to_owned())));
    for (uid, account) in accounts {
        let mut browser = Browser::start_as(&device.socket(), uid);
        let welcome = browser.wire.hello(1).await;
        assert_eq!(welcome["school"], "Elm Tree School");
        // What a message claims of its user counts for nothing.
        let mut items = visits([1, 2]);
        items["user"] = json!("the head");
        items["items"][0]["account"] = json!("the head");
        browser.wire.say(&items).await;
        let seen = agent.next().await;
        assert_eq!(seen.len(), 2);
        for observation in seen {
            assert_eq!(observation.source, Source::BrowserExtension);
            assert_eq!(observation.evidence, [Evidence::OsUser(account.clone())]);
            assert!(matches!(observation.content, Content::Visit(_)));
        }
        assert_eq!(browser.wire.stored().await, 2);
        let (status, said) = browser.close().await;
        assert!(status.success(), "{said}");
        assert_eq!(said, "", "the host has nothing to say");
    }
    agent.stop().await;
}

#[tokio::test]
async fn an_agent_that_dies_between_two_messages_costs_nothing_and_doubles_nothing() {
    let device = Device::new();
    let mut browser = Browser::start(&device.socket());
    assert_eq!(browser.wire.hear().await.unwrap(), json!({"type": "away"}));
    // Said to nobody; the extension says it again.
    browser.wire.say(&visits([1])).await;

    let mut agent = device.start(&HashMap::new()).await;
    assert_eq!(browser.wire.hear().await.unwrap(), json!({"type": "back"}));
    browser.wire.hello(7).await;
    browser.wire.say(&visits([1])).await;
    assert_eq!(agent.next().await.len(), 1);
    assert_eq!(browser.wire.stored().await, 1);

    let kept = agent.crash().await;
    browser.wire.say(&visits([2])).await;
    assert_eq!(browser.wire.hear().await.unwrap(), json!({"type": "away"}));
    let mut agent = device.start(&kept).await;
    assert_eq!(browser.wire.hear().await.unwrap(), json!({"type": "back"}));
    // What comes before the hello was meant for the one that died.
    browser.wire.say(&visits([2])).await;
    browser.wire.hello(7).await;
    browser.wire.say(&visits([1, 2, 3])).await;
    let urls: Vec<_> = agent.next().await.into_iter().map(|it| url(&it.content)).collect();
    assert_eq!(urls, ["https://site2.example/page", "https://site3.example/page"]);
    assert_eq!(browser.wire.stored().await, 3);
    assert!(agent.is_quiet());
    agent.stop().await;
}

#[tokio::test]
async fn the_host_ends_with_its_browser_also_while_the_agent_is_away() {
    let device = Device::new();
    let mut browser = Browser::start(&device.socket());
    browser.wire.hear_a("away").await;
    let (status, said) = browser.close().await;
    assert!(status.success(), "{said}");
}

#[tokio::test]
async fn messages_pass_whole_and_unread_up_to_their_bound() {
    let device = Device::new();
    let socket = device.socket();
    let mut listener = Listener::bind(&socket).unwrap();
    let mut browser = Browser::start(&socket);
    let (agent, _) = timeout(PATIENCE, listener.accept()).await.unwrap().unwrap();
    let (from, to) = split(agent);
    let (mut from, mut to) = (FrameReader::new(from, FROM_BROWSER), FrameWriter::new(to));
    for length in [0, 1, 70_000, TO_BROWSER] {
        // No JSON, not even UTF-8: it is none of the host's business.
        let frame = Frame::new(&vec![0xfe; length], FROM_BROWSER).unwrap();
        let (sent, heard) = tokio::join!(browser.wire.to.send(frame.clone()), from.next());
        sent.unwrap();
        assert_eq!(heard.unwrap().unwrap(), frame, "up, {length}");
        let (sent, heard) = tokio::join!(to.send(frame.clone()), browser.wire.from.next());
        sent.unwrap();
        assert_eq!(heard.unwrap().unwrap(), frame, "down, {length}");
    }
}

#[tokio::test]
async fn a_message_past_the_bound_ends_the_host_with_a_word_and_without_its_content() {
    let device = Device::new();
    let agent = device.start(&HashMap::new()).await;
    let mut child = host(&device);
    let mut input = child.stdin.take().unwrap();
    let length = u32::try_from(FROM_BROWSER + 1).unwrap();
    input.write_all(&length.to_ne_bytes()).await.unwrap();
    // It may have ended by then.
    let _ = input.write_all(b"secret").await;
    let output = timeout(PATIENCE, child.wait_with_output()).await.unwrap().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success());
    assert!(said.contains("1048577 bytes") && said.contains("at most 1048576"), "{said}");
    assert!(!said.contains("secret"), "{said}");
    drop(input);
    agent.stop().await;
}

#[tokio::test]
async fn the_manifest_names_a_program_that_a_browser_can_start() {
    let device = Device::new();
    let installed =
        if cfg!(windows) { r"C:\Redshank\redshank-agent.exe" } else { "/opt/redshank-agent" };
    let output = command(&device)
        .args(["native-host", "--manifest", "chromium", "--program", installed])
        .output();
    let output = timeout(PATIENCE, output).await.unwrap().unwrap();
    let manifest: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(manifest["path"], installed);
    let output = command(&device).args(["native-host", "--manifest", "firefox"]).output();
    let output = timeout(PATIENCE, output).await.unwrap().unwrap();
    let manifest: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(manifest["path"], program().to_str().unwrap());
    assert_eq!(manifest["name"], "uk.redshank.agent");
}

fn url(content: &Content) -> String {
    match content {
        Content::Visit(visit) => visit.url.clone(),
        other => panic!("{other:?}"),
    }
}

/// The host as Firefox starts it.
fn host(device: &Device) -> tokio::process::Child {
    let mut command = command(device);
    command.args([
        "/usr/lib/mozilla/native-messaging-hosts/uk.redshank.agent.json",
        "redshank@redshank.example",
    ]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.kill_on_drop(true).spawn().unwrap()
}

#[expect(clippy::disallowed_methods, reason = "a browser, or an installer, starts the program")]
fn command(device: &Device) -> Command {
    let mut command = Command::new(program());
    // Windows needs some of its own.
    if cfg!(unix) {
        command.env_clear();
    }
    command.env("REDSHANK_SOCKET", device.socket());
    command
}
