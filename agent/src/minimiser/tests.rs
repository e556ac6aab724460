use proptest::prelude::*;
use redshank_proto::v1;
use url::Url;

use super::*;
use crate::observation::{Action, PageText, Request, TextKind, Transition, Visit};

#[test]
fn an_address_is_scheme_host_port_and_path() {
    for (url, expected) in [
        ("https://ann:pw@Example.ORG/a%20b?q=secret#part", Some("https://example.org/a%20b")),
        ("http://example.org:8080", Some("http://example.org:8080/")),
        ("https://example.org:443/x", Some("https://example.org/x")),
        ("https://example.org./x", Some("https://example.org/x")),
        ("ftp://files.example/pub", Some("ftp://files.example/pub")),
        ("http://[::1]:8/x", Some("http://[::1]:8/x")),
        ("file:///home/ann/diary.html", None),
        ("data:text/html,secret", None),
        ("blob:https://example.org/0", None),
        ("about:blank", None),
        ("chrome://settings/", None),
        ("view-source:https://example.org/", None),
        ("not an address", None),
        ("", None),
    ] {
        let minimised = minimise(&PrivateList::default(), visit(url));
        let address = minimised.as_ref().ok().map(|it| seen_visit(it).address.text().to_owned());
        assert_eq!(address.as_deref(), expected, "{url}");
    }
}

#[test]
fn a_private_page_is_dropped_whatever_is_said_on_it() {
    let entry = v1::PrivateEntry { host: "childline.org.uk".into(), ..Default::default() };
    let private = PrivateList::new(&[entry]).unwrap();
    for wrap in [observation::Content::Visit, observation::Content::LateTitle] {
        let mut seen = visit("https://www.childline.org.uk/");
        let observation::Content::Visit(page) = seen.content else { unreachable!() };
        seen.content = wrap(Visit { title: Some("i want to die".into()), ..page });
        assert_eq!(minimise(&private, seen), Err(Dropped::Private));
    }
    let search = visit("https://www.google.com/search?q=childline");
    assert!(minimise(&private, search).is_ok());
}

#[test]
fn a_title_that_is_the_address_does_not_carry_the_query_past() {
    let url = "https://www.example.org/find?name=ann";
    for (title, kept) in [
        ("https://www.example.org/find?name=ann", false),
        ("www.example.org/find?name=ann", false),
        ("example.org/find?name=ann", false),
        ("example.org/find?na…", false),
        ("Example.org", true),
        ("Find people", true),
        ("example.org is down for maintenance", true),
    ] {
        assert_eq!(seen_visit(&titled(url, title)).title.is_some(), kept, "{title}");
    }
}

#[test]
fn every_string_is_bounded_and_empty_ones_are_absent() {
    let mut seen = visit(&format!("https://example.org/{}", "é".repeat(9_000)));
    seen.evidence = vec![Evidence::OsUser("u".repeat(9_000)); 20];
    seen.evidence.push(Evidence::OsUser(String::new()));
    let observation::Content::Visit(page) = &mut seen.content else { unreachable!() };
    page.browser = "b".repeat(9_000);
    page.profile = "p".repeat(9_000);
    page.title = Some("t".repeat(9_000));
    page.search_terms = Some("  ".into());
    let minimised = minimise(&PrivateList::default(), seen).unwrap();
    let visit = seen_visit(&minimised);
    assert_eq!(visit.browser.len(), bounds::NAME_BYTES);
    assert_eq!(visit.profile.len(), bounds::LONG_NAME_BYTES);
    assert_eq!(visit.address.text().len(), bounds::ADDRESS_BYTES);
    assert!(visit.address.path().len() <= bounds::ADDRESS_BYTES);
    assert_eq!(visit.title.as_deref().map(str::len), Some(bounds::TITLE_BYTES));
    assert_eq!(visit.search_terms, None);
    assert_eq!(minimised.evidence().len(), bounds::EVIDENCE);
    let Evidence::OsUser(name) = &minimised.evidence()[0] else { unreachable!() };
    assert_eq!(name.len(), bounds::EVIDENCE_BYTES);
}

#[test]
fn text_and_requests_of_a_private_site_are_dropped_too() {
    let entries = [
        v1::PrivateEntry { host: "childline.org.uk".into(), ..Default::default() },
        v1::PrivateEntry {
            host: "nhs.example".into(),
            path_prefix: "/mind".into(),
            ..Default::default()
        },
    ];
    let private = PrivateList::new(&entries).unwrap();
    let text = |url: &str| {
        observation::Content::Text(PageText {
            browser: "Chrome".into(),
            url: url.into(),
            title: None,
            kind: TextKind::Typed,
            field: 1,
            text: "i want to die".into(),
            private_window: false,
        })
    };
    let request = |target| {
        observation::Content::Request(Request {
            target,
            action: Action::Blocked,
            category: None,
            reason: None,
            search_terms: None,
            user_agent: None,
            status: None,
        })
    };
    let url = |url: &str| Target::Url(url.into());
    let host = |host: &str| Target::Host(host.into());
    for (content, dropped) in [
        (text("https://www.childline.org.uk/chat"), Some(Dropped::Private)),
        (text("https://chat.example/"), None),
        (request(url("http://childline.org.uk/x?y=z")), Some(Dropped::Private)),
        (request(host("WWW.Childline.org.uk.")), Some(Dropped::Private)),
        (request(host("nhs.example")), None),
        (request(url("https://nhs.example/mind/help")), Some(Dropped::Private)),
        (request(host("_dns.resolver.arpa")), None),
        (request(host("2001:db8::1")), None),
        (request(host("not a host")), Some(Dropped::NoPage)),
    ] {
        let seen = Observation { content: content.clone(), ..visit("http://x.example") };
        assert_eq!(minimise(&private, seen).err(), dropped, "{content:?}");
    }
}

#[test]
fn pages_that_differ_only_in_their_query_have_different_keys() {
    let key = |url: &str| seen_visit(&minimise(&PrivateList::default(), visit(url)).unwrap()).key;
    assert_eq!(key("https://example.org/a?q=1"), key("https://EXAMPLE.org/a?q=1"));
    assert_eq!(key("http://example.org/a?q=1"), key("https://example.org/a?q=1"));
    assert_ne!(key("https://example.org/a?q=1"), key("https://example.org/a?q=2"));
    assert_ne!(key("https://example.org/a#1"), key("https://example.org/a#2"));
}

proptest! {
    #[test]
    fn no_user_info_query_or_fragment_survives(
        user in "user[a-z]{1,8}",
        host in "[a-z]{1,10}(\\.[a-z]{2,5}){1,3}",
        path in "(/[a-zA-Z0-9%20é ]{0,10}){0,4}",
        query in "query[a-z=&/:@?]{1,20}",
        fragment in "fragment[a-z=&/:@?]{1,20}",
        title_is_address in any::<bool>(),
    ) {
        let url = format!("https://{user}:secret@{host}{path}?{query}#{fragment}");
        let title = if title_is_address { url.clone() } else { String::new() };
        let minimised = titled(&url, &title);
        let shown = format!("{minimised:?}");
        for gone in [user.as_str(), "secret", &query, &fragment, "query", "fragment"] {
            prop_assert!(!shown.contains(gone), "{gone} in {shown}");
        }
        let address = Url::parse(seen_visit(&minimised).address.text()).unwrap();
        prop_assert_eq!(address.host_str(), Some(host.as_str()));
    }

    #[test]
    fn anything_at_all_is_minimised_within_bounds(url in "\\PC{0,200}") {
        if let Ok(minimised) = minimise(&PrivateList::default(), visit(&url)) {
            let address = Url::parse(seen_visit(&minimised).address.text()).unwrap();
            prop_assert_eq!((address.query(), address.fragment()), (None, None));
            prop_assert!(address.username().is_empty());
        }
    }
}

fn seen_visit(minimised: &Minimised) -> super::Visit {
    let Content::Visit(visit) = minimised.content() else { panic!("{minimised:?}") };
    visit.clone()
}

fn titled(url: &str, title: &str) -> Minimised {
    let mut seen = visit(url);
    let observation::Content::Visit(page) = &mut seen.content else { unreachable!() };
    page.title = Some(title.to_owned());
    minimise(&PrivateList::default(), seen).unwrap()
}

fn visit(url: &str) -> Observation {
    Observation {
        source: Source::BrowserHistory,
        occurred_at: Timestamp::UNIX_EPOCH,
        evidence: vec![Evidence::OsUser("ann".to_owned())],
        content: observation::Content::Visit(Visit {
            browser: "Firefox".to_owned(),
            profile: "default".to_owned(),
            url: url.to_owned(),
            title: None,
            search_terms: None,
            transition: Transition::Link,
            private_window: false,
        }),
    }
}
