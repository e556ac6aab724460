//! From an item of the extension's to an observation. Pure.
//!
//! The account is the kernel's word. The time is the browser's, but never of the future: an item that is
//! dated more than [`AHEAD`] past the device's clock happened when it came. What policy does not have read
//! is dropped here, too, whatever the extension did: text of a kind that is off, and everything outside
//! school hours on a pupil's own device.

use jiff::{SignedDuration, Timestamp};

use super::terms::Terms;
use crate::native::message::{Body, Item};
use crate::observation::{
    Audience, Content, Evidence, Missed, NoticeShown, Observation, PageText, Source, Transition,
    Visit,
};
use crate::sources::search_terms::search_terms;

/// How far ahead of the device's clock an item's time is believed: clocks of one machine are read a
/// moment apart, and set in between.
const AHEAD: SignedDuration = SignedDuration::from_mins(2);

/// Whose browser an item came from.
#[derive(Debug, Clone)]
pub(super) struct Origin {
    pub(super) account: String,
    pub(super) browser: &'static str,
}

/// Makes an observation of an item; `None` if policy does not want it.
pub(super) fn place(
    item: Item,
    origin: &Origin,
    terms: &Terms,
    now: Timestamp,
) -> Option<Observation> {
    let ahead = now.checked_add(AHEAD).unwrap_or(now);
    let occurred_at = if item.at > ahead { now } else { item.at };
    // That somebody was told, or that items were given up, is nothing of what they did.
    let is_about_nobody = matches!(item.body, Body::Notice { .. } | Body::Lost { .. });
    if !is_about_nobody && !terms.watches_at(occurred_at) {
        return None;
    }
    let evidence = vec![Evidence::OsUser(origin.account.clone())];
    let private_window = item.private;
    let visit = |url: String, title, transition| Visit {
        browser: origin.browser.to_owned(),
        profile: String::new(),
        search_terms: search_terms(&url),
        url,
        title,
        transition,
        private_window,
    };
    let content = match item.body {
        Body::Visit { url, title, transition } => Content::Visit(visit(url, title, transition)),
        Body::Title { url, title } => {
            Content::LateTitle(visit(url, Some(title), Transition::Other))
        }
        Body::Text { what, .. } if !terms.reads(what) => return None,
        Body::Text { url, title, what, field, text } => Content::Text(PageText {
            browser: origin.browser.to_owned(),
            url,
            title,
            kind: what,
            field,
            text,
            private_window,
        }),
        Body::Lost { count } => Content::Missed(Missed { count }),
        Body::Notice { version } => {
            let noticed = NoticeShown { version, audience: Audience::Pupils };
            return Some(shown(noticed, evidence, occurred_at));
        }
    };
    Some(Observation { source: Source::BrowserExtension, occurred_at, evidence, content })
}

/// That the peer's account was shown the notice.
pub(super) fn shown(
    shown: NoticeShown,
    evidence: Vec<Evidence>,
    occurred_at: Timestamp,
) -> Observation {
    let content = Content::NoticeShown(shown);
    Observation { source: Source::Notice, occurred_at, evidence, content }
}

#[cfg(test)]
mod tests {
    use redshank_proto::v1;

    use super::*;
    use crate::observation::TextKind;
    use crate::policy::PolicyInForce;

    #[test]
    fn a_visit_is_the_peers_own_with_what_was_searched_for() {
        let url = "https://www.google.com/search?q=how+to+tie+a+noose";
        let body =
            Body::Visit { url: url.into(), title: Some("t".into()), transition: Transition::Link };
        let seen = place(item(NOW, body), &origin(), &terms(false), now()).unwrap();
        assert_eq!(seen.source, Source::BrowserExtension);
        assert_eq!(seen.evidence, [Evidence::OsUser("amy".into())]);
        let Content::Visit(visit) = seen.content else { panic!("{:?}", seen.content) };
        assert_eq!(visit.search_terms.as_deref(), Some("how to tie a noose"));
        assert!(visit.private_window);
        assert_eq!((visit.browser.as_str(), visit.profile.as_str()), ("Chrome", ""));
    }

    #[test]
    fn the_future_is_now_and_the_past_is_believed() {
        for (at, expected) in [
            (NOW, NOW),
            (NOW - 86_400 * 3, NOW - 86_400 * 3),
            (NOW + 120, NOW + 120),
            (NOW + 121, NOW),
            (200_000_000_000, NOW),
        ] {
            let seen = place(item(at, Body::Lost { count: 4 }), &origin(), &terms(false), now());
            let seen = seen.unwrap();
            assert_eq!(seen.occurred_at.as_second(), expected);
            assert_eq!(seen.content, Content::Missed(Missed { count: 4 }));
        }
    }

    #[test]
    fn text_that_policy_does_not_read_goes_no_further() {
        for (what, read) in [
            (TextKind::Typed, true),
            (TextKind::Prompt, true),
            (TextKind::Answer, false),
            (TextKind::Page, false),
        ] {
            let body = Body::Text {
                url: "https://a.example/".into(),
                title: None,
                what,
                field: 3,
                text: "x".into(),
            };
            let seen = place(item(NOW, body), &origin(), &terms(false), now());
            assert_eq!(seen.is_some(), read, "{what:?}");
        }
    }

    #[test]
    fn outside_school_hours_a_pupils_own_device_yields_nothing() {
        // Tuesday, 14 November 2023, 22:13:20 in UTC.
        for (at, own, seen) in [
            (NOW, false, true),
            (NOW, true, false),
            (NOW - 10 * 3_600, true, true),
            // Dated into the future, it is now, which is outside them.
            (NOW + 12 * 3_600, true, false),
        ] {
            let url = "https://example.org/".to_owned();
            let visit = Body::Visit { url, title: None, transition: Transition::Link };
            let placed = place(item(at, visit), &origin(), &terms(own), now());
            assert_eq!(placed.is_some(), seen, "{at} {own}");
            // That they were told of it is nothing that they did.
            let told = item(at, Body::Notice { version: 1 });
            assert!(place(told, &origin(), &terms(own), now()).is_some());
        }
    }

    const NOW: i64 = 1_700_000_000;

    fn now() -> Timestamp {
        Timestamp::from_second(NOW).unwrap()
    }

    fn item(at: i64, body: Body) -> Item {
        Item { n: 1, at: Timestamp::from_second(at).unwrap(), private: true, body }
    }

    fn origin() -> Origin {
        Origin { account: "amy".into(), browser: "Chrome" }
    }

    fn terms(own_device: bool) -> Terms {
        let hours = v1::SchoolHours {
            time_zone: "UTC".into(),
            periods: (1..=5)
                .map(|day| v1::SchoolPeriod { day, from_minute: 8 * 60, until_minute: 16 * 60 })
                .collect(),
        };
        let policy = v1::Policy {
            text: Some(v1::TextPolicy { typed: true, ..Default::default() }),
            school_hours: Some(hours),
            ..crate::policy::tests::policy(1)
        };
        Terms::new(PolicyInForce::compile(policy).unwrap().into(), "amy", own_device)
    }
}
