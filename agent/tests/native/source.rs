//! What the source makes of what an extension says, and what it says of itself.

use std::collections::HashMap;
use std::process::Stdio;

use redshank_agent::notice::{self, public::Public};
use redshank_agent::observation::{
    Audience, Content, Evidence, Missed, NoticeShown, Source, TextKind,
};
use redshank_agent::sources::State;
use redshank_proto::clock::{Clock as _, System};
use redshank_proto::v1;
use serde_json::json;
use tokio::time::timeout;

use crate::agent::{Device, PATIENCE, account, compiled, policy, program};
use crate::browser::{direct, hello, visits};

#[tokio::test]
async fn a_welcome_says_what_holds_and_comes_again_when_that_changes() {
    let device = Device::new();
    device.policy.send_replace(None);
    let agent = device.start(&HashMap::new()).await;
    let mut browser = direct(&device.socket()).await;
    // Without a policy nobody is welcomed, and nothing is collected.
    browser.say(&hello(1)).await;
    let entry = |number: usize| v1::PrivateEntry {
        host: format!("www.Help{number}.example"),
        path_prefix: "/A".into(),
        reason: "helpline".into(),
    };
    let private_list = (0..2_500).map(entry).collect();
    device.policy.send_replace(Some(compiled(v1::Policy { private_list, ..policy(1) })));
    let welcome = browser.hear().await.unwrap();
    assert_eq!(
        welcome,
        json!({"type": "welcome", "protocol": 1, "school": "Elm Tree School", "watched_by": "Ms Okafor",
            "help": "Childline 0800 1111", "notice_version": 3, "typed": true, "page_text": false,
            "answers": false, "active": true, "private": 2_500})
    );
    let mut portions = Vec::new();
    while portions.iter().sum::<usize>() < 2_500 {
        let portion = browser.hear().await.unwrap();
        assert_eq!(portion["type"], "private");
        let entries = portion["entries"].as_array().unwrap();
        if portions.is_empty() {
            assert_eq!(entries[0], json!({"host": "help0.example", "path": "/a"}));
        }
        portions.push(entries.len());
    }
    assert_eq!(portions, [1_000, 1_000, 500]);

    let text = Some(v1::TextPolicy { page_text: true, ..Default::default() });
    device.policy.send_replace(Some(compiled(v1::Policy { text, ..policy(2) })));
    let welcome = browser.hear_a("welcome").await;
    assert_eq!((&welcome["typed"], &welcome["page_text"]), (&json!(false), &json!(true)));
    assert_eq!(browser.hear_a("private").await["entries"].as_array().unwrap().len(), 1);
    agent.stop().await;
}

#[tokio::test]
async fn that_the_notice_was_shown_is_told_once_by_the_extension_or_at_sign_in() {
    let device = Device::new();
    let mut agent = device.start(&HashMap::new()).await;
    let at_sign_in = json!({"type": "notice_shown", "version": 3, "audience": "staff"});
    let mut entry = direct(&device.socket()).await;
    entry.say(&at_sign_in).await;
    let shown = agent.next().await;
    assert_eq!(entry.hear().await.unwrap(), json!({"type": "noted"}));
    let version = |version, audience| Content::NoticeShown(NoticeShown { version, audience });
    assert_eq!(shown.len(), 1);
    assert_eq!(shown[0].source, Source::Notice);
    assert_eq!(shown[0].evidence, [Evidence::OsUser(account())]);
    assert_eq!(shown[0].content, version(3, Audience::Staff));

    // That entry again has no news, to the next agent either.
    let kept = agent.crash().await;
    let mut agent = device.start(&kept).await;
    let mut entry = direct(&device.socket()).await;
    entry.say(&at_sign_in).await;
    assert_eq!(entry.hear().await.unwrap(), json!({"type": "noted"}));
    let mut browser = direct(&device.socket()).await;
    browser.hello(1).await;
    let notice = |n: u64, version: u64| {
        let at = System.now().as_millisecond();
        json!({"type": "items", "items": [{"kind": "notice", "n": n, "at": at, "url": "", "version": version}]})
    };
    browser.say(&notice(1, 3)).await;
    let shown = agent.next().await;
    assert_eq!(
        shown[0].content,
        version(3, Audience::Pupils),
        "another audience's is another notice"
    );
    assert_eq!(browser.stored().await, 1);
    // The policy's notice is the third.
    browser.say(&notice(2, 4)).await;
    assert_eq!(agent.next().await, []);
    assert_eq!(browser.stored().await, 2);
    agent.stop().await;
}

#[tokio::test]
async fn the_program_that_a_sign_in_starts_tells_the_agent_and_waits_until_that_is_kept() {
    let device = Device::new();
    let mut agent = device.start(&HashMap::new()).await;
    let public = device.root.path().join("notice");
    let facts = notice::Facts { version: 3, ..Default::default() };
    Public::at(&public).publish(&facts).unwrap();
    #[expect(clippy::disallowed_methods, reason = "this test starts the program that it is about")]
    let mut program = tokio::process::Command::new(program())
        .args(["notice", "--shown", "--audience", "pupils"])
        .env("REDSHANK_NOTICE", &public)
        .env("REDSHANK_SOCKET", device.socket())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let batch = agent.take().await;
    assert!(program.try_wait().unwrap().is_none(), "it is not kept yet");
    let shown = agent.commit(batch);
    let ended = timeout(PATIENCE, program.wait_with_output()).await.unwrap().unwrap();
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    assert_eq!(shown.len(), 1);
    assert_eq!(shown[0].source, Source::Notice);
    assert_eq!(shown[0].evidence, [Evidence::OsUser(account())]);
    let expected = NoticeShown { version: 3, audience: Audience::Pupils };
    assert_eq!(shown[0].content, Content::NoticeShown(expected));
    agent.stop().await;
}

#[tokio::test]
async fn a_pupils_own_device_is_left_alone_where_no_hours_are_set() {
    let device = Device { personal: true, ..Device::new() };
    let mut agent = device.start(&HashMap::new()).await;
    let mut browser = direct(&device.socket()).await;
    assert_eq!(browser.hello(1).await["active"], false);
    browser.say(&visits([1, 2])).await;
    assert_eq!(browser.stored().await, 2, "it is judged to be nothing");
    assert!(agent.is_quiet());
    agent.stop().await;
}

#[tokio::test]
async fn every_kind_of_item_becomes_its_observation_and_a_bad_one_goes_for_good() {
    let device = Device::new();
    let mut agent = device.start(&HashMap::new()).await;
    let mut browser = direct(&device.socket()).await;
    browser.hello(1).await;
    let at = System.now().as_millisecond();
    let url = "https://chat.example/";
    browser
        .say(&json!({"type": "items", "items": [
            {"n": 1, "at": at, "private": true, "kind": "title", "url": url, "title": "Chat"},
            {"n": 2, "at": at, "private": true, "kind": "text", "what": "prompt", "url": url, "title": "Chat",
             "field": 5, "text": "how do i"},
            {"n": 3, "at": at, "private": true, "kind": "text", "what": "answer", "url": url, "field": 6,
             "text": "like so"},
            {"n": 4, "at": at, "kind": "smell", "url": url},
            {"n": 9, "at": at, "kind": "lost", "count": 12},
            {"n": 10, "at": "noon", "kind": "visit", "url": url},
        ]}))
        .await;
    let seen = agent.next().await;
    let [title, text, lost] = &seen[..] else { panic!("{seen:?}") };
    assert!(
        matches!(&title.content, Content::LateTitle(it) if it.title.as_deref() == Some("Chat"))
    );
    let Content::Text(text) = &text.content else { panic!("{text:?}") };
    assert_eq!((text.kind, text.field, text.text.as_str()), (TextKind::Prompt, 5, "how do i"));
    assert!(text.private_window);
    assert_eq!(lost.content, Content::Missed(Missed { count: 12 }));
    assert_eq!(browser.stored().await, 10);
    let state = agent.state("Chrome extension #", |state| *state != State::Ok).await;
    let State::Degraded(reason) = state else { panic!("{state:?}") };
    assert!(reason.contains("12 items were given up while the agent was away"), "{reason}");
    assert!(reason.contains("2 or more items could not be understood"), "{reason}");
    agent.stop().await;
}

#[tokio::test]
async fn an_extension_of_another_version_is_told_so_and_may_say_hello_anew() {
    let device = Device::new();
    let mut agent = device.start(&HashMap::new()).await;
    let mut browser = direct(&device.socket()).await;
    let mut other = hello(1);
    other["protocol"] = json!(2);
    browser.say(&other).await;
    let refused = browser.hear().await.unwrap();
    assert_eq!((&refused["type"], &refused["protocol"]), (&json!("refused"), &json!(1)));
    assert!(refused["reason"].as_str().unwrap().contains("up to date"), "{refused}");
    agent.state("Chrome extension #", |state| matches!(state, State::Blind(_))).await;
    browser.say(&visits([1])).await;
    browser.hello(1).await;
    agent.state("Chrome extension #", |state| *state == State::Ok).await;
    assert!(agent.is_quiet(), "what came unwelcomed is not taken");
    agent.stop().await;
}

#[tokio::test]
async fn coverage_and_presence_tell_of_private_windows_and_of_missing_extensions() {
    let device = Device::new();
    let mut agent = device.start(&HashMap::new()).await;
    let mut browser = direct(&device.socket()).await;
    let mut first = hello(1);
    first["private_windows"] = json!(false);
    browser.say(&first).await;
    browser.hear_a("welcome").await;
    let state = agent.state("Chrome extension #", |_| true).await;
    let reason = "private windows are not covered: the extension may not run there";
    assert_eq!(state, State::Degraded(reason.into()));
    assert_eq!(agent.presence.of(&account(), "Chrome").unwrap().connections, 1);
    browser.hello(2).await;
    agent.state("Chrome extension #", |state| *state == State::Ok).await;
    assert_eq!(agent.presence.of(&account(), "Chrome").unwrap().connections, 1);
    assert_eq!(agent.presence.of(&account(), "Firefox"), None);
    agent.stop().await;
}

// Unix alone: Wine lets anybody make a first instance of a pipe that there is.
#[cfg(unix)]
#[tokio::test]
async fn a_socket_that_cannot_be_made_is_told_and_the_source_goes_on() {
    let device = Device::new();
    let mut first = device.start(&HashMap::new()).await;
    let (out, _batches) = tokio::sync::mpsc::channel(1);
    let (told, mut coverage) = tokio::sync::watch::channel(Vec::new());
    let shutdown = tokio_util::sync::CancellationToken::new();
    let second = device.source(&first.presence, &HashMap::new());
    let policy = device.policy.subscribe();
    let task = tokio::spawn(second.run(out, HashMap::new(), told, policy, shutdown.clone()));
    let blind = coverage.wait_for(|all| {
        all.iter().any(|it| matches!(&it.state, State::Blind(why) if why.contains("another agent")))
    });
    tokio::time::timeout(crate::agent::PATIENCE, blind).await.unwrap().unwrap();
    assert!(!task.is_finished());
    shutdown.cancel();
    task.await.unwrap();
    // The first one's socket is still its own.
    let mut browser = direct(&device.socket()).await;
    browser.hello(1).await;
    browser.say(&visits([1])).await;
    assert_eq!(first.next().await.len(), 1);
    first.stop().await;
    assert!(!device.socket().exists());
}
