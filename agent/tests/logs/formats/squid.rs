//! Squid 5.7.

use serde_json::Value;

use super::{captured, delay, table, truth};

/// As in the squid.conf that wrote `strange.iso.log` and so on.
const ISO: &str = r#"squid:%{%Y-%m-%dT%H:%M:%S%z}tl %>a %>A %un %rm "%ru" HTTP/%rv %>Hs %<st "%{User-Agent}>h" %Ss:%Sh"#;
const WITH_HEADERS: &str = r#"squid:%ts.%03tu %6tr %>a %Ss/%03>Hs %<st %rm %ru %[un %Sh/%<a %mt "%{Referer}>h" "%{User-Agent}>h""#;
const ODD: &str = r#"squid:t=%tS;u=%'un;l=%ul;c=%-18>a|m=%#rm|%>rs://%>rd:%>rP%>rp|%"ru|%/{User-Agent}>h|%[{User-Agent}>h|%#{User-Agent}>h|%{User-Agent}>h|%err_code|%et %ea %sn %%"#;
const GMT: &str = r#"squid:[%{%d %B %Y, %H:%M:%S}tg] %03tu <%[un> %rm %[ru "%{User-Agent}>h""#;

/// The user agent of the strange requests.
const AGENT: &str =
    r#"Mozilla/5.0 (iPad; CPU OS 17_5 like Mac OS X) "quoted" [br] back\slash 100% Test/1.0"#;

#[test]
fn every_request_of_the_truth_is_there_as_it_was_sent() {
    let mut truth = truth("squid/truth.json");
    let refused_by_the_client = truth.remove(10);
    assert_eq!(refused_by_the_client["curl_rc"], 3);
    for format in ["native", "common", "combined"] {
        let name = format!("squid-{format}").replace("squid-native", "squid");
        let entries = captured(&name, &format!("squid/access.{format}.log"));
        assert_eq!(entries.len(), truth.len(), "{format}");
        for (entry, sent) in entries.iter().zip(&truth) {
            agrees(entry, sent);
            let agent = "Mozilla/5.0 (iPad; CPU OS 17_5 like Mac OS X) Test/1.0";
            let agent = if format == "combined" { agent.into() } else { Value::Null };
            assert_eq!(entry["user_agent"], agent);
        }
    }
}

fn agrees(entry: &Value, sent: &Value) {
    let url = sent["url"].as_str().unwrap();
    if sent["method"] == "CONNECT" {
        assert_eq!(entry["host"].as_str(), url.strip_suffix(":443"));
    } else {
        assert_eq!(entry["url"], as_squid_logs(url));
    }
    let blocked = url.contains("pornexample");
    assert_eq!(entry["action"], if blocked { "blocked" } else { "allowed" });
    // Squid logs no user where it decides before the login, or where the client leaves before it; it folds
    // the case of the others.
    let known = !blocked && !url.contains("[::1]");
    let user = sent["user"].as_str().filter(|_| known).map(str::to_lowercase);
    assert_eq!(entry["user"].as_str(), user.as_deref());
    assert_eq!(entry["client"], "127.0.0.1");
    // curl has no status of a tunnel that its own TLS gave up.
    let status = sent["status"].as_str().unwrap().parse::<u16>().unwrap();
    let left = sent["curl_rc"] == 28;
    match status {
        0 if left => assert_eq!(entry["status"], Value::Null),
        0 => assert_eq!(entry["status"], 200),
        status => assert_eq!(entry["status"], status),
    }
    // The log says when it was over: curl waited eight seconds for those that it left.
    let expected = if left { 8.0 } else { 0.0 };
    let delay = delay(entry, sent) - expected;
    assert!((-1.0..1.0).contains(&delay), "{delay}");
}

/// An address as Squid writes it with `strip_query_terms on`.
fn as_squid_logs(url: &str) -> String {
    let url = url.split('#').next().unwrap();
    let url = url.split_once('?').map_or(url.to_owned(), |(bare, _)| format!("{bare}?"));
    let (scheme, rest) = url.split_once("://").unwrap();
    let (host, path) = rest.split_once('/').unwrap();
    let host = host.rsplit('@').next().unwrap().to_lowercase();
    format!("{scheme}://{}/{path}", host.strip_suffix(":80").unwrap_or(&host))
}

/// The requests of `strange.*.log`: user, url or host, status, action.
const STRANGE: &[(&str, &str, &str, &str)] = &[
    ("pupil with space", "http://www.google.com/search?q=how+to+revise", "502", "allowed"),
    (r"school\jdoe", r#"http://www.example.com/a%20b?x=1%7C2&y=[z]&q="it""#, "200", "allowed"),
    (r#"zoë[x] "q""#, "http://www.example.com/caf%C3%A9", "200", "allowed"),
    ("pupil01", r#"http://www.example.com/raw|pipe"quote\back<tag>"#, "200", "allowed"),
    ("pupil01", "www.reddit.com", "200", "allowed"),
    ("pupil01", "[2001:db8::1]", "200", "allowed"),
    ("pupil01", "http://[2001:db8::1]:8080/v6", "200", "allowed"),
    ("null", "http://www.example.com/noauth", "407", "allowed"),
    ("null", "http://www.pornexample.com/video?id=1", "403", "blocked"),
    ("null", "www.pornexample.com", "403", "blocked"),
    ("pupil02", "http://www.example.com/", "200", "allowed"),
];

#[test]
fn what_is_strange_in_a_line_is_read_in_each_format() {
    for (format, file, knows) in [
        ("squid", "native", Knows { status: true, agent: false, action: true }),
        ("squid-common", "common", Knows { status: true, agent: false, action: true }),
        ("squid-combined", "combined", Knows { status: true, agent: true, action: true }),
        (WITH_HEADERS, "withheaders", Knows { status: true, agent: true, action: true }),
        (ISO, "iso", Knows { status: true, agent: true, action: true }),
        (ODD, "odd", Knows { status: false, agent: true, action: true }),
        (GMT, "gmt", Knows { status: false, agent: true, action: false }),
    ] {
        let entries = captured(format, &format!("squid/strange.{file}.log"));
        assert_eq!(entries.len(), STRANGE.len(), "{file}");
        for (entry, (user, target, status, action)) in entries.iter().zip(STRANGE) {
            if file == "odd" && target.contains('|') {
                continue;
            }
            let found = entry.get("url").or(entry.get("host")).unwrap();
            assert_eq!(found, target, "{file}");
            assert_eq!(entry["user"].as_str().unwrap_or("null"), *user, "{file}");
            if knows.status {
                assert_eq!(entry["status"].to_string(), *status, "{file}");
            }
            let action = if knows.action { *action } else { "allowed" };
            assert_eq!(entry["action"], action, "{file} {target}");
            let agent = match *target {
                _ if !knows.agent => Value::Null,
                "http://www.example.com/" => Value::Null,
                target if target.contains("raw|pipe") => "caf\u{FFFD}\tÜ".into(),
                _ => AGENT.into(),
            };
            assert_eq!(entry["user_agent"], agent, "{file} {target}");
            let at = entry["at"].as_str().unwrap();
            assert!(at.starts_with("2026-11-22T08:20:5"), "{file}: {at}");
        }
    }
}

#[test]
fn an_address_with_the_formats_own_separator_in_it_is_cut_there() {
    let entries = captured(ODD, "squid/strange.odd.log");
    assert_eq!(entries[3]["url"], "http://www.example.com/raw");
    assert_eq!(entries[3]["user"], "pupil01");
}

/// What a format has.
struct Knows {
    status: bool,
    agent: bool,
    action: bool,
}

#[test]
fn a_search_is_told_where_the_address_has_it() {
    let entries = captured("squid", "squid/strange.native.log");
    assert_eq!(entries[0]["search_terms"], "how to revise");
    assert_eq!(entries[2]["search_terms"], Value::Null);
}

#[test]
fn an_error_page_is_the_reason_where_the_format_has_it() {
    let reasons = table(&captured(ODD, "squid/strange.odd.log"), &["reason"]);
    assert_eq!(reasons[0], "ERR_READ_ERROR");
    assert_eq!(reasons[8..], ["ERR_ACCESS_DENIED", "ERR_ACCESS_DENIED", "null"]);
}
