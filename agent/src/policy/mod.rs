//! The school's policy as this device holds it: signed data, compiled before it is believed to be
//! usable.
//!
//! # What always holds
//! - Only what [`Trust::policy`](redshank_proto::trust::Trust::policy) has verified is compiled,
//!   and only what compiles, as a whole, replaces the policy in force. A rule pack with a mistake,
//!   or a private list with an entry that is no host, leaves the old policy in force and is
//!   reported ([`PolicyStore::problem`]).
//! - An expired policy stays in force: a child is not less at risk because the collector was away.
//!   It is degraded, and says so ([`PolicyInForce::is_expired`]).
//! - With no policy in force nothing is judged and nothing leaves: sources wait, and their
//!   checkpoints with them.

mod store;

use std::collections::HashSet;

use jiff::Timestamp;
use redshank_matcher::{Diagnostic, Matcher, Pack};
use redshank_proto::trust::TrustError;
use redshank_proto::{time, v1};

pub use self::store::{Accepted, PolicyStore};
use crate::minimiser::{PrivateList, PrivateListError};
use crate::state::StateError;

/// Why a policy is not in force.
#[derive(Debug, thiserror::Error)]
pub enum PolicyError {
    /// It is not the school's, or older than the one in force.
    #[error(transparent)]
    Trust(#[from] TrustError),
    /// Its rule packs have mistakes; at least one.
    #[error("{}", summary(.0))]
    Rules(Vec<Diagnostic>),
    /// Its private list has an entry that is no host.
    #[error(transparent)]
    PrivateList(#[from] PrivateListError),
    /// The state folder cannot be read or written.
    #[error(transparent)]
    State(#[from] StateError),
    /// The stored file is no signed policy.
    #[error("the stored policy is damaged; the collector gives a new one at the next connection")]
    Damaged,
}

/// A policy, ready to judge by.
#[derive(Debug)]
pub struct PolicyInForce {
    serial: u64,
    expires_at: Option<Timestamp>,
    matcher: Matcher,
    private: PrivateList,
    report_visits: bool,
    shared_logins: HashSet<String>,
}

impl PolicyInForce {
    /// Compiles a policy that has been verified.
    ///
    /// # Errors
    /// [`PolicyError::Rules`] with every mistake of its rule packs, or
    /// [`PolicyError::PrivateList`].
    pub fn compile(policy: v1::Policy) -> Result<Self, PolicyError> {
        let (mut packs, mut wrong) = (Vec::new(), Vec::new());
        for pack in &policy.rule_packs {
            match Pack::parse(&pack.name, &pack.text) {
                Ok(pack) => packs.push(pack),
                Err(mistakes) => wrong.extend(mistakes),
            }
        }
        if !wrong.is_empty() {
            return Err(PolicyError::Rules(wrong));
        }
        Ok(Self {
            serial: policy.serial,
            expires_at: time::from_wire(policy.expires_at.as_ref()),
            matcher: Matcher::compile(&packs).map_err(PolicyError::Rules)?,
            private: PrivateList::new(&policy.private_list)?,
            report_visits: policy.report_visits,
            shared_logins: policy.shared_logins.into_iter().map(|name| folded(&name)).collect(),
        })
    }

    /// Its serial.
    #[must_use]
    pub fn serial(&self) -> u64 {
        self.serial
    }

    /// Whether it should have been replaced by now.
    #[must_use]
    pub fn is_expired(&self, now: Timestamp) -> bool {
        self.expires_at.is_none_or(|expiry| expiry <= now)
    }

    /// What is watched for.
    #[must_use]
    pub fn matcher(&self) -> &Matcher {
        &self.matcher
    }

    /// What no source ever yields.
    #[must_use]
    pub fn private(&self) -> &PrivateList {
        &self.private
    }

    /// Whether visits without a match are reported too.
    #[must_use]
    pub fn report_visits(&self) -> bool {
        self.report_visits
    }

    /// Whether several people share this account of the operating system; letter case does not
    /// count.
    #[must_use]
    pub fn is_shared_login(&self, user: &str) -> bool {
        self.shared_logins.contains(&folded(user))
    }
}

fn folded(user: &str) -> String {
    user.trim().to_lowercase()
}

fn summary(mistakes: &[Diagnostic]) -> String {
    match mistakes {
        [] => "a rule pack has a mistake".to_owned(),
        [only] => only.to_string(),
        [first, rest @ ..] => format!("{first} (and {} more)", rest.len()),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    #[test]
    fn every_mistake_of_every_pack_is_told() {
        let mut policy = policy(1);
        policy
            .rule_packs
            .push(v1::RulePack { name: "en/bad.toml".into(), text: "format =".into() });
        policy.rule_packs.push(v1::RulePack { name: "en/worse.toml".into(), text: "x = 1".into() });
        let error = PolicyInForce::compile(policy).unwrap_err();
        let text = error.to_string();
        assert!(text.starts_with("en/bad.toml:1:"), "{text}");
        let PolicyError::Rules(mistakes) = error else { panic!("{error}") };
        assert!(mistakes.iter().any(|mistake| mistake.file == "en/worse.toml"));
    }

    #[test]
    fn a_private_entry_that_is_no_host_refuses_the_policy() {
        let mut policy = policy(1);
        policy.private_list[0].host = "https://childline.org.uk".into();
        let error = PolicyInForce::compile(policy).unwrap_err();
        assert!(error.to_string().contains("entry 1 of the private list"), "{error}");
    }

    #[test]
    fn shared_logins_are_known_in_any_case_and_expiry_by_the_clock() {
        let policy = PolicyInForce::compile(policy(3)).unwrap();
        assert_eq!(policy.serial(), 3);
        assert!(policy.is_shared_login("SCHOOL\\Class3"));
        assert!(!policy.is_shared_login("class3"));
        assert!(!policy.is_expired(Timestamp::from_second(999).unwrap()));
        assert!(policy.is_expired(Timestamp::from_second(1_000).unwrap()));
    }

    /// A small policy that expires at second 1,000.
    pub(crate) fn policy(serial: u64) -> v1::Policy {
        let pack = |category: &str, rules: &str| v1::RulePack {
            name: format!("en/{category}.toml"),
            text: format!(
                "format = 1\ncategory = \"{category}\"\nlanguage = \"en\"\nversion = 1\n\
                 reviewed = \"for tests\"\n{rules}"
            ),
        };
        let rule = |id: &str, severity: u8, phrase: &str| {
            format!(
                "[[rule]]\nid = \"{id}\"\nseverity = {severity}\nnote = \"a test\"\n\
                 phrases = [\"{phrase}\"]\n"
            )
        };
        v1::Policy {
            serial,
            expires_at: Some(time::to_wire(Timestamp::from_second(1_000).unwrap())),
            rule_packs: vec![
                pack("suicide", &rule("suicide.method", 5, "how to end it all")),
                pack("violence", &rule("violence.knife", 3, "buy a zombie knife")),
                pack("drugs", &rule("drugs.vape", 2, "cheap vapes")),
                pack("illegal_imagery", &rule("illegal_imagery.test", 5, "forbidden pictures")),
            ],
            private_list: vec![v1::PrivateEntry {
                host: "childline.org.uk".into(),
                ..Default::default()
            }],
            report_visits: true,
            shared_logins: vec!["school\\class3".into()],
            ..Default::default()
        }
    }
}
