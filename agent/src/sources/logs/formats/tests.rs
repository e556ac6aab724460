//! What holds for every format, and what a name may be.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use proptest::prelude::*;

use super::*;
use crate::observation::Action;

const NAMES: &[&str] = &[
    "squid",
    "squid-common",
    "squid-combined",
    "squid:%{%d %b %H:%M:%S}tl %>A %un \"%rm %ru\" %>Hs \"%{User-Agent}>h\" [%>h] %unknown;",
    "squid:%tS|%'un|%-10>a|%>rs://%>rd:%>rP%>rp|%/{User-Agent}>h|%et",
    "e2guardian:1",
    "e2guardian:2",
    "e2guardian:3",
    "e2guardian:4",
    "e2guardian:5",
    "e2guardian:6",
    "e2guardian:7",
    "e2guardian:8",
    "dnsmasq",
    "unbound",
];

#[test]
fn a_name_that_is_none_is_told_with_the_way_out() {
    for (name, expected) in [
        (
            "apache",
            "there is no log format `apache`; name one of squid, squid:LOGFORMAT, squid-common",
        ),
        ("dnsmasq:x", "`dnsmasq` takes nothing after it"),
        ("squid-common:x", "`squid-common` takes nothing after it"),
        ("e2guardian", "e2guardian has several formats; write e2guardian:1 to e2guardian:8"),
        ("e2guardian:9", "e2guardian has no format `9`; write e2guardian:1"),
        ("squid:%ru", "the logformat has no time; add %ts.%03tu"),
        ("squid:%ts", "the logformat has no address; add %ru"),
        ("squid:", "the logformat has no time"),
        ("squid:%ts é%", "logformat, character 6: a code must follow `%`"),
        ("squid:%ts %ru %{User-Agent>h", "character 10: this `{` has no `}` after it"),
        ("squid:%ts %ru%un", "character 8: nothing stands between this code and the one before it"),
        ("squid:%ts%tu %ru", "character 4: nothing stands between"),
        ("squid:%{%Y}tl %ru", "times by `{%Y}` cannot be read back (it leaves out"),
        ("squid:%{%c}tl %ru", "times by `{%c}` cannot be read back"),
    ] {
        let told = Format::parse_name(name).unwrap_err().to_string();
        assert!(told.contains(expected), "{name}: {told}");
    }
    for name in NAMES {
        Format::parse_name(name).unwrap();
    }
}

#[test]
fn a_login_that_was_asked_for_is_nobodys_request_and_not_blocked() {
    let line = "1795317524.170 0 10.0.0.1 TCP_DENIED/407 3601 GET http://a.example/ - HIER_NONE/- text/html";
    let entry = request("squid", line);
    assert_eq!((entry.action, entry.login_asked, entry.status), (Action::Allowed, true, Some(407)));
}

#[test]
fn headers_after_a_line_do_no_harm() {
    let line = "1795317524.170 0 ::ffff:10.0.0.1 TCP_MISS/200 3601 GET http://a.example/ - HIER_NONE/- text/html [Host: a.example\\r\\n] [HTTP/1.1 200 OK\\r\\n]";
    let entry = request("squid", line);
    assert_eq!(entry.client, Some(Client::Address("10.0.0.1".parse().unwrap())));
    let line = "10.0.0.1 - - [22/Nov/2026:03:18:26 +0000] \"GET http://a.example/ HTTP/1.1\" 200 440 \"-\" \"UA\" TCP_MISS:HIER_DIRECT [Host: a] [HTTP/1.1]";
    assert_eq!(request("squid-combined", line).user_agent.as_deref(), Some("UA"));
}

#[test]
fn a_handshakes_host_stands_for_a_tunnels_number() {
    let format = "squid:%ts.%03tu %>a %Ss %rm %ru %ssl::>sni";
    let line = "1795317524.170 10.0.0.1 TCP_TUNNEL CONNECT 192.0.2.1:443 www.example.com";
    assert_eq!(request(format, line).target, Target::Host("www.example.com".into()));
    let line = "1795317524.170 10.0.0.1 TCP_TUNNEL CONNECT 192.0.2.1:443 -";
    assert_eq!(request(format, line).target, Target::Host("192.0.2.1".into()));
}

#[test]
fn a_helpers_tag_and_text_are_category_and_reason() {
    let format = "squid:%ts %>a %Ss/%>Hs %>ru %et \"%ea\"";
    let line = "1795317524 10.0.0.1 TCP_DENIED/403 http://a.example/ adult \"on list \\\"x\\\"\"";
    let entry = request(format, line);
    assert_eq!(entry.category.as_deref(), Some("adult"));
    assert_eq!(entry.reason.as_deref(), Some("on list \"x\""));
    assert_eq!(entry.action, Action::Blocked);
}

#[test]
fn spaces_count_where_the_format_sets_no_width() {
    let format = |code: &str| format!("squid:%ts %ru \"{code}\"");
    let line = "1795317524 http://a.example/ \"  a \"";
    let agent =
        |code: &str| request(&format(code), line).user_agent.map(|agent| agent.into_owned());
    assert_eq!(agent("%{User-Agent}>h").as_deref(), Some("  a "));
    assert_eq!(agent("%5{User-Agent}>h").as_deref(), Some("a "));
}

#[test]
fn a_filter_that_speaks_another_language_blocks_too() {
    let line = |what: &str, status: u16| {
        format!(
            "1795336500.018\t\tp\t10.0.0.1\t10.0.0.1\thttp://a.example/\tGET\t{status}\t0\t-\tUA\t-\t0\t-\t900\t{what}\t0\tSport\tg\t1"
        )
    };
    for (what, status, action, reason) in [
        ("*VERWEIGERT* Gesperrt", 403, Action::Blocked, Some("Gesperrt")),
        ("*VERWEIGERT* Gesperrt", 200, Action::Allowed, Some("Gesperrt")),
        ("*URLMOD* *DENIED-POST* x", 200, Action::Blocked, Some("x")),
        ("*SCANNED* y", 403, Action::Allowed, Some("y")),
        ("*NETERROR* z", 403, Action::Allowed, Some("z")),
        ("*INFECTED* * Eicar", 403, Action::Blocked, Some("* Eicar")),
        ("-", 403, Action::Allowed, None),
    ] {
        let line = line(what, status);
        let entry = request("e2guardian:5", &line);
        assert_eq!((entry.action, entry.reason.as_deref()), (action, reason), "{what}");
    }
}

#[test]
fn a_filters_timestamp_counts_before_its_local_time() {
    let line = "2026.11.22 03:25:45 1795317945.718 a b 10.0.0.1 http://a.example/ - GET 1 0 - 1 200 - 10.0.0.1 g UA/1 - - - -";
    let entry = request("e2guardian:1", line);
    assert_eq!(
        (entry.at.as_millisecond(), entry.user.as_deref()),
        (1_795_317_945_718, Some("a b"))
    );
    let line = line.replace("2026.11.22 03:25:45 1795317945.718 a b", "2026.11.22 03:25:45 a b");
    assert_eq!(request("e2guardian:1", &line).at.to_string(), "2026-11-22T03:25:45Z");
}

#[test]
fn a_verdict_is_on_the_query_of_its_own_thread() {
    let line =
        |thread: u32, message: &str| format!("[1795317608] unbound[9:{thread:x}] info: {message}");
    let lines = [
        line(0, "10.0.0.1 a.example. A IN"),
        line(11, "10.0.0.2 b.example. A IN"),
        line(0, "a.example. always_nxdomain 10.0.0.1@5 a.example. A IN"),
        line(11, "b.example. transparent 10.0.0.2@5 b.example. A IN"),
        line(0, "10.0.0.1 c.example. A IN"),
        // Of an earlier query, which went.
        line(0, "10.0.0.3 d.example. A IN NXDOMAIN 0.1 0 44"),
    ];
    let entries = all("unbound", &lines);
    let entries: Vec<_> = entries.iter().map(|entry| (host(entry), entry.action)).collect();
    assert_eq!(
        entries,
        [
            ("a.example", Action::Blocked),
            ("c.example", Action::Allowed),
            ("b.example", Action::Allowed)
        ]
    );
}

#[test]
fn a_hosts_file_blocks_by_an_address_that_is_none() {
    let lines = [
        "query[A] ads.example from 127.0.0.1",
        "/etc/block.hosts ads.example is 0.0.0.0",
        "query[AAAA] ads.example from 127.0.0.1",
        "/etc/block.hosts ads.example is ::",
        "query[A] intranet.school.example from 127.0.0.1",
        "/etc/block.hosts intranet.school.example is 10.0.0.9",
        "query[A] other.example from 127.0.0.1",
        "config error is REFUSED (EDE: not ready)",
    ];
    let lines = lines.map(|line| format!("Nov 22 09:38:30 dnsmasq[27119]: {line}"));
    let blocked = |entry: &Entry<'_>| entry.action == Action::Blocked;
    assert_eq!(
        all("dnsmasq", &lines).iter().map(blocked).collect::<Vec<_>>(),
        [true, true, false, false]
    );
}

#[test]
fn queries_that_are_held_back_are_bounded_and_come_out() {
    let lines: Vec<_> = (0..200)
        .map(|n| format!("[1795317608] unbound[9:{n:x}] info: 10.0.0.1 n{n}.example. A IN"))
        .collect();
    let format = Format::parse_name("unbound").unwrap();
    let mut reader = Reader::new(&format);
    let mut out = 0;
    for line in &lines {
        reader.read(line.as_bytes(), &clues(), &mut |_| out += 1).unwrap();
    }
    assert_eq!((out, reader.holds_back()), (200 - lookups::MOST_THREADS, true));
    reader.flush(&mut |_| out += 1);
    assert_eq!((out, reader.holds_back()), (200, false));
}

#[test]
fn syslogs_lines_are_read_too() {
    for (format, line) in [
        ("dnsmasq", "Nov 22 03:19:47 gw dnsmasq[12]: query[A] a.example from 10.0.0.1"),
        (
            "dnsmasq",
            "2026-11-22T03:19:47.12+00:00 gw dnsmasq[12]: query[type=65] a.example from 10.0.0.1",
        ),
        ("unbound", "Nov 22 03:19:47 gw unbound: [13:a] info: 10.0.0.1 a.example. A IN"),
        ("unbound", "Nov 22 03:19:47 gw unbound[13]: [13:0] query: 10.0.0.1 a.example. A IN"),
    ] {
        let entries = all(format, &[line.to_owned(), line.replace("a.example", "b.example")]);
        assert_eq!(
            entries.iter().map(host).collect::<Vec<_>>(),
            ["a.example", "b.example"],
            "{line}"
        );
    }
    for line in [
        "Nov 22 03:19:47 gw dnsmasq-dhcp[12]: DHCPACK(eth0) 10.0.0.1 02:00:5e:00:53:01",
        "Nov 22 03:19:47 gw sshd[7]: Accepted publickey for root from 10.0.0.1 port 5 ssh2",
        "Nov 22 03:19:47 gw kernel: [    0.000000] Linux version 6.1.0",
    ] {
        for format in ["dnsmasq", "unbound"] {
            let format = Format::parse_name(format).unwrap();
            assert_eq!(format.read(line.as_bytes(), &clues()), Ok(Understood::Nothing), "{line}");
        }
    }
}

proptest! {
    #[test]
    fn no_line_panics(line in proptest::collection::vec(any::<u8>(), 0..400)) {
        for name in NAMES {
            let format = Format::parse_name(name).unwrap();
            let mut reader = Reader::new(&format);
            let _ = reader.read(&line, &clues(), &mut |entry| { let _ = entry.search_terms(); });
            reader.flush(&mut |_| {});
        }
    }

    #[test]
    fn no_line_of_the_marks_that_formats_have_panics(
        parts in proptest::collection::vec(
            prop_oneof![
                Just(" "), Just("\t"), Just("\",\""), Just("\""), Just("["), Just("]"), Just("-"),
                Just("1795317524.170"), Just("Nov 22 03:19:47 "), Just("2026.11.22 03:25:45"),
                Just("[22/Nov/2026:03:18:26 +0000]"), Just("10.0.0.1"), Just("http://a.example/"),
                Just("GET"), Just("CONNECT"), Just("200"), Just("1"), Just("*DENIED*"), Just("dnsmasq[1]: "),
                Just("query[A] "), Just(" from "), Just(" is "), Just("config "), Just("unbound[1:0] "),
                Just("info: "), Just("rpz: applied ["), Just("@"), Just("\\"), Just("%5"), Just("é"),
            ],
            0..40,
        ),
    ) {
        let line = parts.concat();
        for name in NAMES {
            let format = Format::parse_name(name).unwrap();
            let mut reader = Reader::new(&format);
            let _ = reader.read(line.as_bytes(), &clues(), &mut |_| {});
        }
    }

    #[test]
    fn no_logformat_panics(definition in "[ -~é]{0,60}", line in "[ -~é]{0,80}") {
        if let Ok(format) = Format::parse_name(&format!("squid:{definition}")) {
            let _ = format.read(line.as_bytes(), &clues());
        }
        let _ = Format::parse_name(&format!("squid:%ts %ru %{{{definition}}}tl"));
    }

    #[test]
    fn what_squid_writes_is_read_back(
        seconds in 0_i64..4_000_000_000, milliseconds in 0_i64..1000,
        user in "[a-zé@.\\\\\\[\\]%\"][a-zé@. \\\\\\[\\]%\"]{0,20}[a-z]", path in "[!-~]{0,40}",
        agent in "[ -~é\t]{2,40}", status in 100_u16..600,
    ) {
        let url = format!("http://a.example/{path}");
        let native = format!(
            "{seconds}.{milliseconds:03} {:>6} 10.0.0.1 TCP_MISS/{status:03} 9 GET {url} {} HIER_DIRECT/1.1.1.1 text/html",
            7, mime(&user),
        );
        let entry = request("squid", &native);
        prop_assert_eq!(entry.at.as_millisecond(), seconds * 1000 + milliseconds);
        prop_assert_eq!(entry.user.as_deref(), Some(&*user));
        prop_assert_eq!(&entry.target, &Target::Url(url.clone().into()));
        prop_assert_eq!(entry.status, Some(status));

        let format = "squid:%ts.%03tu %un \"%rm %ru HTTP/%rv\" %>Hs \"%{User-Agent}>h\"";
        let custom = format!(
            "{seconds}.{milliseconds:03} {user} \"GET {} HTTP/1.1\" {status} \"{}\"", quoted(&url), quoted(&agent),
        );
        let entry = request(format, &custom);
        prop_assert_eq!(entry.user.as_deref(), Some(&*user));
        prop_assert_eq!(&entry.target, &Target::Url(url.into()));
        prop_assert_eq!(entry.user_agent.as_deref(), Some(&*agent));
    }

    #[test]
    fn what_e2guardian_writes_is_read_back(
        user in "[a-z][a-z ]{0,12}[a-z]", path in "[!#-~]{0,40}", what in "(-|\\*DENIED\\* [A-Za-z: ]{1,30}[a-z])",
        category in "(-|[A-Z][a-z ]{1,12}[a-z])", agent in "[A-Z][a-z]{1,8}/[0-9][ -~]{0,30}[!-~]",
    ) {
        let url = format!("http://a.example/{path}");
        let fields = [
            "2026.11.22 03:25:45", &user, "10.0.0.1", &url, &what, "GET", "9", "-20", &category, "1", "200", "-",
            "10.0.0.1", "group", &agent, "-", "-", "-", "-",
        ];
        let protex = [
            "1795317945.000", "", &user, "10.0.0.1", &url, "GET", "200", "9", "-", &agent, "-", "1", "-", "900",
            &what, "0", &category, "group", "1",
        ];
        let lines = [
            ("e2guardian:1", fields.join(" ")),
            ("e2guardian:2", format!("\"{}\"", fields.join("\",\""))),
            ("e2guardian:4", fields.join("\t")),
            ("e2guardian:6", protex.join("\t")),
            ("e2guardian:7", format!("{}\tterms\tflags", protex.join("\t"))),
        ];
        for (format, line) in &lines {
            let entry = request(format, line);
            prop_assert_eq!(entry.at.as_second(), 1_795_317_945);
            prop_assert_eq!(entry.user.as_deref(), Some(&*user));
            prop_assert_eq!(&entry.target, &Target::Url(url.clone().into()));
            prop_assert_eq!(entry.user_agent.as_deref(), Some(&*agent));
            prop_assert_eq!(entry.category.as_deref(), Some(&*category).filter(|category| *category != "-"));
            prop_assert_eq!(entry.action == Action::Blocked, what != "-");
            prop_assert_eq!(entry.reason.as_deref(), what.strip_prefix("*DENIED*").map(str::trim_start));
        }
    }

    #[test]
    fn what_name_servers_write_is_read_back(name in "[a-z0-9_-]{1,20}(\\.[a-z]{1,10}){1,3}", blocked in any::<bool>()) {
        let answer = if blocked { "NXDOMAIN" } else { "192.0.2.9" };
        let lines = [
            format!("Nov 22 03:19:47 dnsmasq[1]: query[A] {name} from fe80::1"),
            format!("Nov 22 03:19:47 dnsmasq[1]: config {name} is {answer}"),
        ];
        let entries = all("dnsmasq", &lines);
        prop_assert_eq!(entries.len(), 1);
        prop_assert_eq!((host(&entries[0]), entries[0].action == Action::Blocked), (&*name, blocked));
    }
}

/// As Squid writes a name in `%[un`.
fn mime(text: &str) -> String {
    let byte = |byte: &u8| match byte {
        b'\\' => "\\\\".to_owned(),
        b'%' | b'[' | b']' | 0x7F.. | ..0x20 => format!("%{byte:02x}"),
        plain => char::from(*plain).to_string(),
    };
    text.as_bytes().iter().map(byte).collect()
}

/// As Squid writes text between quotes.
fn quoted(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\t', "\\t")
}

fn clues() -> Clues {
    let now: Timestamp = "2026-11-23T00:00:00Z".parse().unwrap();
    Clues { now, zone: TimeZone::UTC }
}

fn request(format: &str, line: &str) -> Entry<'static> {
    let format = Format::parse_name(format).unwrap();
    match format.read(line.as_bytes(), &clues()) {
        Ok(Understood::Request(entry)) => entry.into_owned(),
        other => panic!("{line}: {other:?}"),
    }
}

fn all(format: &str, lines: &[String]) -> Vec<Entry<'static>> {
    let format = Format::parse_name(format).unwrap();
    let mut reader = Reader::new(&format);
    let mut entries = Vec::new();
    for line in lines {
        reader
            .read(line.as_bytes(), &clues(), &mut |entry| entries.push(entry.into_owned()))
            .unwrap();
    }
    reader.flush(&mut |entry| entries.push(entry.into_owned()));
    entries
}

fn host<'e>(entry: &'e Entry<'_>) -> &'e str {
    match &entry.target {
        Target::Host(host) => host,
        Target::Url(url) => panic!("{url}"),
    }
}
