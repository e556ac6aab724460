//! e2guardian 5.3.5 and 5.5.5.

use serde_json::Value;

use super::{captured, delay, table, truth};

#[test]
fn every_request_of_the_truth_is_there_as_it_was_sent() {
    for format in [1, 2, 5, 8] {
        let truth = truth(&format!("e2guardian/truth.{format}.json"));
        let name = format!("e2guardian:{format}");
        let entries = captured(&name, &format!("e2guardian/access.{format}.log"));
        // A HEAD request is not in the log of 5.3.5.
        let truth: Vec<_> = truth.iter().filter(|sent| logged(sent, &entries)).collect();
        assert_eq!(entries.len(), truth.len(), "{format}");
        for (entry, sent) in entries.iter().zip(truth) {
            agrees(entry, sent, format);
        }
    }
}

fn logged(sent: &Value, entries: &[Value]) -> bool {
    sent["method"] != "HEAD" || entries.iter().any(|entry| entry["url"] == sent["url"])
}

fn agrees(entry: &Value, sent: &Value, format: u8) {
    let url = sent["url"].as_str().unwrap();
    if sent["method"] == "CONNECT" {
        assert_eq!(entry["host"].as_str(), url.strip_suffix(":443"));
    } else {
        assert_eq!(entry["url"], url);
    }
    assert_eq!(entry["user"], sent["user"]);
    assert_eq!(entry["client"], "127.0.0.1");
    let blocked = ["pornexample", "page?body", "setup.exe"].iter().any(|mark| url.contains(mark));
    assert_eq!(entry["action"], if blocked { "blocked" } else { "allowed" }, "{url}");
    // e2guardian logs 403 for what it blocks, and answers the client with its page and 200.
    let status = sent["status"].as_str().unwrap().parse::<u16>().unwrap();
    match status {
        _ if blocked => assert_eq!(entry["status"], 403),
        0 => assert_eq!(entry["status"], 200),
        status => assert_eq!(entry["status"], status),
    }
    assert_eq!(entry["user_agent"], "Mozilla/5.0 (iPad; CPU OS 17_5 like Mac OS X) Test/1.0");
    let delay = delay(entry, sent);
    assert!((-1.0..1.0).contains(&delay), "{format}: {url}: {delay}");
}

#[test]
fn reason_category_and_search_terms_are_told() {
    let fields = ["action", "category", "reason", "search_terms"];
    let entries = table(&captured("e2guardian:1", "e2guardian/access.1.log"), &fields);
    assert_eq!(
        entries[..8],
        [
            "allowed | null | null | how to revise for gcse maths",
            "allowed | null | null | café münchen",
            "allowed | null | null | build bomb",
            "allowed | null | Site match: en.wikipedia.org | null",
            "allowed | null | null | null",
            "blocked | Banned Sites | Blocked site: www.pornexample.com | null",
            "blocked | Pornography | Content Check limit of 50 : 93 (( porn, xxx)+( xxx,  porn)+( xxx,  sex )+ porn+ sex + xxx ) | null",
            "blocked | null | Banned file extension: .exe | null",
        ]
    );
    let entries = table(&captured("e2guardian:8", "e2guardian/access.8.log"), &fields);
    assert_eq!(entries[0], "allowed | null | null | how to revise for gcse maths");
    assert_eq!(entries[1], "allowed | null | null | café münchen");
    assert_eq!(entries[5], "blocked | null | Blocked site (local): www.pornexample.com | null");
}

/// The requests of `year7.N.log`.
const YEAR7: &[&str] = &[
    "pupil01 | http://www.google.com/search?q=how+to+revise | allowed | 200",
    "pupil with space | http://en.wikipedia.org/wiki/Scunthorpe | allowed | 200",
    "pupil03 | http://www.pornexample.com/video?id=1 | blocked | 403",
    "pupil03 | http://www.example.com/page?body=1 | blocked | 403",
    "pupil03 | http://www.example.com/setup.exe | blocked | 403",
    "pupil05 | www.pornexample.com | blocked | 403",
    "pupil05 | www.google.com | allowed | 200",
    "null | http://www.example.com:8080/noauth | allowed | 200",
    "pupil04 | http://www.example.com/missing | allowed | 404",
];

#[test]
fn names_and_user_agents_with_spaces_and_quotes_are_read_in_each_format() {
    for format in 1..=6 {
        let name = format!("e2guardian:{format}");
        let mut entries = captured(&name, &format!("e2guardian/year7.{format}.log"));
        for entry in &mut entries {
            if let Some(host) = entry.get("host").cloned() {
                entry["url"] = host;
            }
        }
        assert_eq!(table(&entries, &["user", "url", "action", "status"]), YEAR7, "{format}");
        // Format 3 has neither user agent nor reason.
        let agent = r#"Mozilla/5.0 (iPad; CPU OS 17_5 like Mac OS X) "q" back\slash Test/1.0"#;
        let agent = if format == 3 { Value::Null } else { agent.into() };
        for entry in &entries[..8] {
            assert_eq!(entry["user_agent"], agent, "{format}");
        }
        let category = if format == 3 { Value::Null } else { "Pornography".into() };
        assert_eq!(entries[3]["category"], category, "{format}");
    }
    // Where nothing tells the group's name from the user agent, its second word counts to the latter.
    let agent = |format: u8| {
        let file = format!("e2guardian/year7.{format}.log");
        captured(&format!("e2guardian:{format}"), &file)[8]["user_agent"].clone()
    };
    assert_eq!((agent(1), agent(4)), ("7 caf\u{FFFD} x".into(), "caf\u{FFFD} x".into()));
}
