//! Text of a page: what is read of it, and what leaves.

use super::*;
use crate::observation::PageText;

#[test]
fn what_is_typed_is_told_once_as_it_grows_and_only_its_snippet_leaves() {
    let mut bench = Bench::of(reading(v1::TextPolicy { typed: true, ..Default::default() }));
    let mut typed = |text: &str| bench.see(TextKind::Typed, text, "ann");
    assert!(typed("i do not know how to").is_none());
    let first = typed("i do not know how to end it all").unwrap();
    assert_eq!((first.lane, first.severity), (Lane::Urgent, 5));
    let Some(Seen::Text(text)) = &first.payload.content else { panic!() };
    assert_eq!(text.kind(), v1::TextKind::Typed);
    assert_eq!(text.address, "https://chat.example/room");
    assert_eq!(first.payload.matches[0].place(), v1::Place::Typed);
    assert!(typed("i do not know how to end it all today").is_none());
    let more = typed("i do not know how to end it all today, cheap vapes").unwrap();
    let rules: Vec<_> = more.payload.matches.iter().map(|it| it.rule.as_str()).collect();
    assert_eq!(rules, ["drugs.vape"]);
}

#[test]
fn only_text_that_policy_names_is_read_and_staff_s_only_if_it_says_so() {
    let words = "how to end it all";
    for (policy, kind, user, read) in [
        (v1::TextPolicy::default(), TextKind::Typed, "ann", false),
        (v1::TextPolicy { typed: true, ..Default::default() }, TextKind::Prompt, "ann", true),
        (v1::TextPolicy { typed: true, ..Default::default() }, TextKind::Answer, "ann", false),
        (v1::TextPolicy { ai_answers: true, ..Default::default() }, TextKind::Answer, "ann", true),
        (v1::TextPolicy { typed: true, ..Default::default() }, TextKind::Page, "ann", false),
        (v1::TextPolicy { page_text: true, ..Default::default() }, TextKind::Page, "ann", true),
        (v1::TextPolicy { typed: true, ..Default::default() }, TextKind::Typed, "T-Head", false),
        (
            v1::TextPolicy { typed: true, staff_typed: true, ..Default::default() },
            TextKind::Typed,
            "t-head",
            true,
        ),
    ] {
        let mut bench = Bench::of(reading(policy));
        assert_eq!(bench.see(kind, words, user).is_some(), read, "{policy:?} {kind:?} {user}");
    }
}

fn reading(text: v1::TextPolicy) -> v1::Policy {
    v1::Policy { text: Some(text), staff_accounts: vec!["t-*".into()], ..policy(1) }
}

impl Bench {
    fn see(&mut self, kind: TextKind, text: &str, user: &str) -> Option<Captured> {
        let text = PageText {
            browser: "Chrome".into(),
            url: "https://chat.example/room?id=7".into(),
            title: Some("a room".into()),
            kind,
            field: 1,
            text: text.into(),
            private_window: false,
        };
        let seen = search("").by(user).observation();
        self.observe(Observation { content: Content::Text(text), ..seen })
    }
}
