//! dnsmasq 2.90 and unbound 1.17.

use std::fs;

use serde_json::Value;

use super::{captured, fixture, table};

/// The hosts that were asked for, in their order.
fn asked() -> Vec<String> {
    let script = fs::read_to_string(fixture("dns/queries_truth.sh")).unwrap();
    let list = script.split(" in ").nth(1).unwrap().split(';').next().unwrap();
    let queries = list.split('"').filter(|query| query.contains(' ') && query.trim() != "");
    queries
        .filter_map(|query| query.split_once(' ').map(|(host, _)| host.to_owned()))
        .filter(|host| !host.is_empty())
        .collect()
}

#[test]
fn every_query_of_the_truth_is_one_entry() {
    let asked = asked();
    assert_eq!(asked.len(), 20);
    for (format, file, blocked) in [
        (
            "dnsmasq",
            "dns/dnsmasq290_log-queries.log",
            // The log does not tell a missing name of the school's own domain from a block list's.
            &["blocked.example", "sub.blocked.example", "missing.school.example"][..],
        ),
        (
            "unbound",
            "dns/unbound117_ascii_no_tag_no.log",
            &["blocked.example", "sub.blocked.example"][..],
        ),
    ] {
        let entries = captured(format, file);
        assert_eq!(table(&entries, &["host"]), asked, "{format}");
        for entry in &entries {
            assert_eq!(entry["client"], "127.0.0.1");
            let host = entry["host"].as_str().unwrap();
            let expected = if blocked.contains(&host) { "blocked" } else { "allowed" };
            assert_eq!(entry["action"], expected, "{format}: {host}");
            for unknown in ["user", "category", "search_terms", "user_agent", "status"] {
                assert_eq!(entry[unknown], Value::Null);
            }
        }
    }
    let at = |format: &str, file: &str| captured(format, file)[0]["at"].clone();
    assert_eq!(at("dnsmasq", "dns/dnsmasq290_log-queries.log"), "2026-11-22T03:19:47Z");
    assert_eq!(at("unbound", "dns/unbound117_ascii_no_tag_no.log"), "2026-11-22T03:20:08Z");
}

/// The queries that the other logs have; the root is no host, and its query no entry.
const OTHERS: &[&str] = &[
    "www.google.com",
    "www.google.com",
    "blocked.example",
    "a.blocked.example",
    "refused.example",
    "denied.example",
    "null.example",
    "zero.example",
    "redirected.example",
    "intranet.school.example",
    "missing.school.example",
    "nowhere.test",
    "x.rpzblocked.example",
    "rpznodata.example",
    "rpzpass.example",
    "rpzdrop.example",
    "rpzlocal.example",
    "odd name\"x.test",
    "zero.example",
];

#[test]
fn dnsmasq_with_more_in_its_lines_and_with_queries_by_tcp() {
    let entries = captured("dnsmasq", "dns/dnsmasq290_extra.log");
    assert_eq!(table(&entries, &["host"]), OTHERS);
    let blocked: Vec<_> =
        entries.into_iter().filter(|entry| entry["action"] == "blocked").collect();
    assert_eq!(
        table(&blocked, &["host", "reason"]),
        [
            "blocked.example | NXDOMAIN",
            "a.blocked.example | NXDOMAIN",
            "zero.example | ::",
            "missing.school.example | NXDOMAIN",
            "zero.example | 0.0.0.0",
        ]
    );
}

#[test]
fn unbound_with_tags_replies_and_local_actions() {
    let entries = captured("unbound", "dns/unbound117_tagged.log");
    let others: Vec<_> = OTHERS.iter().map(|host| host.replace([' ', '"'], "?")).collect();
    assert_eq!(table(&entries, &["host"]), others);
    let blocked: Vec<_> =
        entries.into_iter().filter(|entry| entry["action"] == "blocked").collect();
    assert_eq!(
        table(&blocked, &["host", "reason", "category"]),
        [
            "blocked.example | always_nxdomain | null",
            "a.blocked.example | always_nxdomain | null",
            "refused.example | refuse | null",
            "denied.example | inform_deny | null",
            "null.example | always_null | null",
            "x.rpzblocked.example | rpz-nxdomain | adult",
            "rpznodata.example | rpz-nodata | adult",
            "rpzdrop.example | rpz-drop | adult",
        ]
    );
}

#[test]
fn unbound_with_replies_alone_is_one_entry_for_each_lookup() {
    let entries = captured("unbound", "dns/unbound117_replies.log");
    let others: Vec<_> = OTHERS.iter().map(|host| host.replace([' ', '"'], "?")).collect();
    assert_eq!(table(&entries, &["host"]), others);
    let blocked: Vec<_> =
        entries.into_iter().filter(|entry| entry["action"] == "blocked").collect();
    assert_eq!(
        table(&blocked, &["host", "reason"]),
        [
            "refused.example | REFUSED",
            "denied.example | inform_deny",
            "x.rpzblocked.example | rpz-nxdomain",
            "rpznodata.example | rpz-nodata",
            "rpzdrop.example | rpz-drop",
        ]
    );
}
