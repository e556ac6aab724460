//! What holds for one account under the policy in force, and how the extension is told.

use std::sync::Arc;

use jiff::Timestamp;
use percent_encoding::percent_decode_str;
use redshank_proto::bounds;
use url::Host;

use crate::native::message::{MOST_PRIVATE, PROTOCOL, PrivateEntry, Welcome};
use crate::observation::TextKind;
use crate::policy::PolicyInForce;

/// Bytes of one portion of the private list, well below what a message to a browser may have.
const PORTION_BYTES: usize = 256 * 1024;

/// The policy in force, as it applies to one account.
#[derive(Debug, Clone)]
pub(super) struct Terms {
    policy: Arc<PolicyInForce>,
    account: String,
    /// The device is a pupil's own.
    personal: bool,
}

impl Terms {
    pub(super) fn new(policy: Arc<PolicyInForce>, account: &str, personal: bool) -> Self {
        Self { policy, account: account.to_owned(), personal }
    }

    /// Whether text of this kind is read.
    pub(super) fn reads(&self, kind: TextKind) -> bool {
        self.policy.reads_text(kind, Some(&self.account))
    }

    /// Whether anything is watched at this time: always on the school's device, and in school hours on a
    /// pupil's own, which are never if the school has not said when they are.
    pub(super) fn watches_at(&self, at: Timestamp) -> bool {
        !self.personal || self.policy.school_hours().is_some_and(|hours| hours.are_on(at))
    }

    /// How an extension is welcomed.
    pub(super) fn welcome(&self, now: Timestamp) -> Welcome {
        let notice = self.policy.notice();
        let text = |text: &str| bounds::cut(text, bounds::LONG_NAME_BYTES).to_owned();
        Welcome {
            protocol: PROTOCOL,
            school: text(&notice.school_name),
            watched_by: text(&notice.watched_by),
            help: text(&notice.help),
            notice_version: notice.version,
            typed: self.reads(TextKind::Typed),
            page_text: self.reads(TextKind::Page),
            answers: self.reads(TextKind::Answer),
            active: self.watches_at(now),
            private: self.policy.private_entries().len(),
        }
    }

    /// The private list's entries from the `from`th on, as many as one message takes; empty at its end.
    pub(super) fn private(&self, from: usize) -> Vec<PrivateEntry> {
        let rest = self.policy.private_entries().get(from..).unwrap_or_default();
        let mut bytes = 0_usize;
        let entries = rest
            .iter()
            .take(MOST_PRIVATE)
            .map(|entry| PrivateEntry { host: host(&entry.host), path: path(&entry.path_prefix) });
        let mut portion = Vec::new();
        for entry in entries {
            bytes = bytes.saturating_add(entry.host.len() + entry.path.len());
            if bytes > PORTION_BYTES && !portion.is_empty() {
                break;
            }
            portion.push(entry);
        }
        portion
    }
}

/// A host in its one spelling, as a parsed URL has it, without the `www.` that people copy.
fn host(text: &str) -> String {
    let text = text.trim();
    let bracketed = format!("[{text}]");
    let parsed =
        Host::parse(text).or_else(|_| Host::parse(&bracketed)).map(|host| host.to_string());
    // The policy would not be in force with an entry that is no host.
    let host = parsed.unwrap_or_else(|_| text.to_lowercase());
    let host = host.trim_end_matches('.');
    host.strip_prefix("www.").filter(|rest| rest.contains('.')).unwrap_or(host).to_owned()
}

/// A path in its one spelling: segments percent-decoded and in lower case, `/` before each.
fn path(text: &str) -> String {
    let segments = text.split('/').filter(|segment| !segment.is_empty());
    segments
        .map(|segment| percent_decode_str(segment).decode_utf8_lossy().to_lowercase())
        .fold(String::new(), |path, segment| path + "/" + &segment)
}

#[cfg(test)]
mod tests {
    use redshank_proto::v1;

    use super::*;
    use crate::native::message::ToExtension;
    use crate::policy::tests::policy;

    #[test]
    fn staff_are_told_that_their_typing_is_not_read_and_pupils_what_is() {
        let policy = compiled(v1::Policy {
            text: Some(v1::TextPolicy { typed: true, page_text: true, ..Default::default() }),
            staff_accounts: vec!["staff.*".into()],
            notice: Some(v1::Notice {
                school_name: "Elm Tree".into(),
                watched_by: "Ms Okafor".into(),
                help: "Childline".into(),
                version: 3,
            }),
            ..policy(1)
        });
        let pupil = Terms::new(Arc::clone(&policy), "amy", false).welcome(Timestamp::UNIX_EPOCH);
        assert!(pupil.typed && pupil.page_text && !pupil.answers && pupil.active);
        assert_eq!(
            (pupil.school.as_str(), pupil.notice_version, pupil.private),
            ("Elm Tree", 3, 1)
        );
        let staff = Terms::new(policy, "staff.bob", false).welcome(Timestamp::UNIX_EPOCH);
        assert!(!staff.typed);
    }

    #[test]
    fn a_pupils_own_device_is_not_watched_where_the_school_has_said_no_hours() {
        let terms = Terms::new(compiled(policy(1)), "amy", true);
        assert!(!terms.welcome(Timestamp::from_second(1_700_000_000).unwrap()).active);
    }

    #[test]
    fn the_private_list_comes_whole_in_portions_that_fit_a_message() {
        let entry = |number: usize| v1::PrivateEntry {
            host: format!("h{number}.example"),
            path_prefix: format!("/{}", "p".repeat(4_000)),
            reason: "helpline".into(),
        };
        let private_list = (0..3_000).map(entry).collect();
        let terms = Terms::new(compiled(v1::Policy { private_list, ..policy(1) }), "amy", false);
        let (mut from, mut hosts) = (0, Vec::new());
        loop {
            let entries = terms.private(from);
            if entries.is_empty() {
                break;
            }
            from += entries.len();
            hosts.extend(entries.iter().map(|entry| entry.host.clone()));
            assert!(entries.len() <= MOST_PRIVATE);
            assert!(ToExtension::Private { entries }.frame().is_ok());
        }
        assert_eq!(hosts.len(), 3_000);
        assert_eq!((hosts[0].as_str(), hosts[2_999].as_str()), ("h0.example", "h2999.example"));
    }

    #[test]
    fn entries_have_one_spelling() {
        for (written, expected) in [
            ("www.Samaritans.org", "samaritans.org"),
            ("bücher.example.", "xn--bcher-kva.example"),
            ("www.uk", "www.uk"),
            ("10.1.2.3", "10.1.2.3"),
            ("::1", "[::1]"),
            ("[2001:DB8::1]", "[2001:db8::1]"),
        ] {
            assert_eq!(host(written), expected);
        }
        assert_eq!(path("//Sexual%20Health/A/"), "/sexual health/a");
        assert_eq!(path(""), "");
    }

    fn compiled(policy: v1::Policy) -> Arc<PolicyInForce> {
        Arc::new(PolicyInForce::compile(policy).unwrap())
    }
}
