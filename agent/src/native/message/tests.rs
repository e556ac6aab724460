use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

#[test]
fn a_hello_is_read_and_what_is_not_known_in_it_passed_over() {
    let hello = json!({"type": "hello", "protocol": 1, "session": "00ff00ff00ff00ff", "browser": "Chrome",
        "browser_version": "156", "extension_version": "1.0", "private_windows": true, "waiting": 3, "lost": 2,
        "mood": {"is": ["good"]}});
    let payload = hello.to_string();
    let FromExtension::Hello(read) = FromExtension::read(payload.as_bytes()).unwrap() else {
        panic!("no hello")
    };
    assert_eq!(read.session, Session(0x00ff_00ff_00ff_00ff));
    assert_eq!((read.browser.as_str(), read.private_windows), ("Chrome", true));
    for (field, wrong) in [
        ("session", json!("00ff")),
        ("session", json!("+0ff00ff00ff00ff")),
        ("protocol", json!("1")),
        ("private_windows", json!(1)),
    ] {
        let mut hello = hello.clone();
        hello[field] = wrong;
        assert!(FromExtension::read(hello.to_string().as_bytes()).is_err(), "{field}");
    }
}

#[test]
fn every_kind_of_item_is_read() {
    let url = "https://a.example/?q=ä";
    let items = json!([
        {"n": 1, "at": 1_700_000_000_000.5, "private": false, "url": url, "kind": "visit",
         "title": null, "transition": "form_submit"},
        {"n": 2, "at": 1_700_000_000_001_u64, "private": true, "url": url, "kind": "title", "title": "A \u{e4}"},
        {"n": 3, "at": 0, "private": false, "url": url, "kind": "text", "what": "prompt", "title": "A",
         "field": MOST_COUNT, "text": "say \"hi\""},
        {"n": 9, "at": 1, "kind": "lost", "count": 7},
    ]);
    let read = read_items(&items);
    let read: Vec<_> = read.into_iter().map(Result::unwrap).collect();
    assert_eq!(read[0].at, Timestamp::from_microsecond(1_700_000_000_000_500).unwrap());
    assert_eq!(
        read[0].body,
        Body::Visit { url: url.into(), title: None, transition: Transition::FormSubmit }
    );
    assert!(read[1].private);
    assert_eq!(read[1].body, Body::Title { url: url.into(), title: "A ä".into() });
    let Body::Text { what, field, text, .. } = &read[2].body else { panic!("{:?}", read[2]) };
    assert_eq!((*what, *field, text.as_str()), (TextKind::Prompt, MOST_COUNT, "say \"hi\""));
    assert_eq!((read[3].n, &read[3].body), (9, &Body::Lost { count: 7 }));
}

#[test]
fn a_bad_item_takes_no_other_with_it_and_keeps_its_number() {
    let good = json!({"n": 4, "at": 1, "kind": "lost", "count": 1});
    let items = json!([
        {"n": 1, "at": 1, "kind": "smell", "url": "https://a.example/"},
        {"n": 2, "at": "noon", "kind": "lost", "count": 1},
        {"n": 3, "at": 1, "kind": "visit"},
        good,
        {"n": 0, "at": 1, "kind": "lost", "count": 1},
        {"n": 6, "at": -1.0, "kind": "lost", "count": 1},
        {"n": 7, "at": 1e300, "kind": "lost", "count": 1},
        "item", null, {"n": -5}, {"n": 9_007_199_254_740_992_u64, "at": 1, "kind": "lost", "count": 1},
        {"n": 12, "at": 1, "kind": "text", "what": "thought", "url": "u", "field": 1, "text": "t"},
    ]);
    let numbers = read_items(&items).into_iter().map(|item| match item {
        Ok(item) => Ok(item.n),
        Err(bad) => Err(bad.n),
    });
    let expected = [
        Err(Some(1)),
        Err(Some(2)),
        Err(Some(3)),
        Ok(4),
        Err(None),
        Err(Some(6)),
        Err(Some(7)),
        Err(None),
        Err(None),
        Err(None),
        Err(None),
        Err(Some(12)),
    ];
    assert_eq!(numbers.collect::<Vec<_>>(), expected);
}

#[test]
fn strings_are_cut_on_a_character_and_lists_refused_past_their_bound() {
    let long = "ä".repeat(40_000);
    let items = json!([{"n": 1, "at": 1, "url": long, "kind": "text", "what": "page", "title": long, "field": 1,
        "text": format!("x{long}")}]);
    let Body::Text { url, title, text, .. } = read_items(&items).remove(0).unwrap().body else {
        panic!("no text")
    };
    assert_eq!(url.len(), URL_BYTES);
    assert_eq!(title.unwrap().len(), TITLE_BYTES);
    assert_eq!(text.len(), TEXT_BYTES - 1);

    let many = |count| json!({"type": "items", "items": vec![json!({"n": 1}); count]}).to_string();
    assert!(FromExtension::read(many(MOST_ITEMS).as_bytes()).is_ok());
    assert!(FromExtension::read(many(MOST_ITEMS + 1).as_bytes()).is_err());
}

#[test]
fn unknown_types_are_told_from_malformed_messages() {
    assert!(matches!(FromExtension::read(br#"{"type":"ping"}"#), Ok(FromExtension::Unknown)));
    for payload in [&b""[..], b"{}", b"[]", b"{\"type\":1}", b"\xff", b"{\"type\":\"items\"}"] {
        assert!(FromExtension::read(payload).is_err(), "{payload:?}");
    }
    let deep =
        format!("{{\"x\":{}1{},\"type\":\"ping\"}}", "[".repeat(400_000), "]".repeat(400_000));
    // What is passed over is passed over without a stack.
    assert!(matches!(FromExtension::read(deep.as_bytes()), Ok(FromExtension::Unknown)));
}

#[test]
fn messages_to_the_extension_have_the_agreed_form() {
    let json = |message: ToExtension| -> Value {
        serde_json::from_slice(message.frame().unwrap().payload()).unwrap()
    };
    assert_eq!(json(ToExtension::Stored { n: 17 }), json!({"type": "stored", "n": 17}));
    assert_eq!(json(ToExtension::Away), json!({"type": "away"}));
    assert_eq!(json(ToExtension::Back), json!({"type": "back"}));
    let entry = PrivateEntry { host: "childline.org.uk".into(), path: String::new() };
    assert_eq!(
        json(ToExtension::Private { entries: vec![entry] }),
        json!({"type": "private", "entries": [{"host": "childline.org.uk", "path": ""}]})
    );
    let welcome = Welcome {
        protocol: 1,
        school: "Elm Tree".into(),
        watched_by: "Ms Okafor".into(),
        help: "Childline 0800 1111".into(),
        notice_version: 3,
        typed: true,
        page_text: false,
        answers: false,
        active: true,
        private: 2,
    };
    assert_eq!(
        json(ToExtension::Welcome(welcome)),
        json!({"type": "welcome", "protocol": 1, "school": "Elm Tree", "watched_by": "Ms Okafor",
            "help": "Childline 0800 1111", "notice_version": 3, "typed": true, "page_text": false,
            "answers": false, "active": true, "private": 2})
    );
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = FromExtension::read(&bytes);
    }

    #[test]
    fn any_items_are_read_or_refused(n in any::<i128>(), at in any::<f64>(), text in ".{0,40}") {
        let payload = format!(
            r#"{{"type":"items","items":[{{"n":{n},"at":{at:e},"kind":"title","url":{0},"title":{0}}}]}}"#,
            Value::from(text.clone())
        );
        if let Ok(FromExtension::Items(items)) = FromExtension::read(payload.as_bytes()) {
            for item in items.each().flatten() {
                prop_assert!(item.n >= 1 && item.n <= MOST_COUNT);
                prop_assert_eq!(&item.body, &Body::Title { url: text.clone(), title: text.clone() });
            }
        }
    }
}

fn read_items(items: &Value) -> Vec<Result<Item, BadItem>> {
    let payload = json!({"type": "items", "items": items}).to_string();
    match FromExtension::read(payload.as_bytes()) {
        Ok(FromExtension::Items(items)) => items.each().collect(),
        other => panic!("{other:?}"),
    }
}
