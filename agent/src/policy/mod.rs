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
//! - The rules are kept compiled beside the policy, to save time at the next start and for nothing
//!   else: see `compiled`.
//! - With no policy in force nothing is judged and nothing leaves: sources wait, and their
//!   checkpoints with them.

mod accounts;
mod ages;
mod compiled;
mod exemptions;
mod hours;
mod programs;
mod store;

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;
use redshank_matcher::{AgeGroup, Diagnostic, Matcher, Pack};
use redshank_proto::trust::TrustError;
use redshank_proto::{time, v1};

pub use self::accounts::Accounts;
pub use self::ages::Ages;
pub use self::exemptions::{ExemptionError, Exemptions, may_be_left_alone};
pub use self::hours::{HoursError, SchoolHours};
pub use self::programs::{List, Listed, ProgramList, ProgramListError, RunBy};
pub use self::store::{Accepted, PolicyStore};
use crate::minimiser::{PrivateList, PrivateListError};
use crate::observation::TextKind;
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
    /// Its school hours are no hours.
    #[error(transparent)]
    Hours(#[from] HoursError),
    /// It has an exemption without reason or end.
    #[error(transparent)]
    Exemption(#[from] ExemptionError),
    /// Its list of programs has an entry that cannot be used.
    #[error(transparent)]
    Programs(#[from] ProgramListError),
    /// It gives a severity that is none.
    #[error("{0} has a severity outside {1} to 5")]
    Severity(String, u32),
    /// The state folder cannot be read or written.
    #[error(transparent)]
    State(#[from] StateError),
    /// The stored file is no signed policy.
    #[error("the stored policy is damaged; the collector gives a new one at the next connection")]
    Damaged,
}

/// The category that stands for every blocked request, whatever the filter calls it.
const ANY_CATEGORY: &str = "*";

/// A policy, ready to judge by.
#[derive(Debug)]
pub struct PolicyInForce {
    serial: u64,
    expires_at: Option<Timestamp>,
    matcher: Matcher,
    private: PrivateList,
    report_visits: bool,
    shared_logins: HashSet<String>,
    filter_categories: HashMap<String, u8>,
    text: v1::TextPolicy,
    staff: Accounts,
    ages: Ages,
    school_hours: Option<SchoolHours>,
    exemptions: Exemptions,
    programs: ProgramList,
    media: v1::MediaPolicy,
    notice: v1::Notice,
    private_entries: Vec<v1::PrivateEntry>,
}

impl PolicyInForce {
    /// Compiles a policy that has been verified.
    ///
    /// # Errors
    /// [`PolicyError::Rules`] with every mistake of its rule packs, or
    /// [`PolicyError::PrivateList`].
    pub fn compile(policy: v1::Policy) -> Result<Self, PolicyError> {
        Self::with_rules(policy, None)
    }

    /// As [`PolicyInForce::compile`], with the policy's rules if they were compiled before.
    fn with_rules(policy: v1::Policy, compiled: Option<Matcher>) -> Result<Self, PolicyError> {
        let matcher = compiled.map_or_else(|| compile_rules(&policy.rule_packs), Ok)?;
        Ok(Self {
            serial: policy.serial,
            expires_at: time::from_wire(policy.expires_at.as_ref()),
            ages: Ages::new(policy.age_group(), &policy.ages),
            matcher,
            private: PrivateList::new(&policy.private_list)?,
            report_visits: policy.report_visits,
            shared_logins: policy.shared_logins.into_iter().map(|name| folded(&name)).collect(),
            filter_categories: filter_categories(&policy.filter_categories)?,
            text: policy.text.unwrap_or_default(),
            staff: Accounts::new(&policy.staff_accounts),
            school_hours: policy.school_hours.as_ref().map(SchoolHours::new).transpose()?,
            exemptions: Exemptions::new(&policy.exemptions, &policy.phrase_exemptions)?,
            programs: ProgramList::compile(&policy.programs, policy.programs_only_allowed)?,
            media: media(policy.media)?,
            notice: policy.notice.unwrap_or_default(),
            private_entries: policy.private_list,
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

    /// The private list as the school wrote it, for those beside the minimiser who are to keep to it: the
    /// extension reads nothing there in the first place.
    #[must_use]
    pub fn private_entries(&self) -> &[v1::PrivateEntry] {
        &self.private_entries
    }

    /// The severity of a request that the filter blocked, if its category is one that the school chose.
    #[must_use]
    pub fn filter_severity(&self, category: Option<&str>) -> Option<u8> {
        let named = category.and_then(|name| self.filter_categories.get(&folded(name)));
        named.or_else(|| self.filter_categories.get(ANY_CATEGORY)).copied()
    }

    /// Whether text of this kind is read when an account is at the keyboard; if nobody knows whose, as a
    /// pupil's.
    #[must_use]
    pub fn reads_text(&self, kind: TextKind, account: Option<&str>) -> bool {
        let wanted = match kind {
            TextKind::Typed | TextKind::Prompt => self.text.typed,
            TextKind::Answer => self.text.ai_answers,
            TextKind::Page => self.text.page_text,
        };
        wanted && (self.text.staff_typed || !account.is_some_and(|name| self.staff.contain(name)))
    }

    /// Whether text is read in the same way when staff are at the keyboard.
    #[must_use]
    pub fn reads_staff_text(&self) -> bool {
        self.text.staff_typed
    }

    /// Whether it says who is staff: without that nobody is.
    #[must_use]
    pub fn names_staff(&self) -> bool {
        !self.staff.is_empty()
    }

    /// The age group of whoever uses an account, if the school says so and it is nobody of the staff.
    #[must_use]
    pub fn age(&self, account: Option<&str>) -> Option<AgeGroup> {
        if account.is_some_and(|name| self.staff.contain(name)) {
            return None;
        }
        self.ages.of(account)
    }

    /// When school is on; `None` if the school has not said.
    #[must_use]
    pub fn school_hours(&self) -> Option<&SchoolHours> {
        self.school_hours.as_ref()
    }

    /// What is left alone for a time.
    #[must_use]
    pub fn exemptions(&self) -> &Exemptions {
        &self.exemptions
    }

    /// The lists of programs.
    #[must_use]
    pub fn programs(&self) -> &ProgramList {
        &self.programs
    }

    /// What holds of removable media.
    #[must_use]
    pub fn media(&self) -> &v1::MediaPolicy {
        &self.media
    }

    /// What the notice says of the school; empty strings where the school said nothing.
    #[must_use]
    pub fn notice(&self) -> &v1::Notice {
        &self.notice
    }

    /// Whether several people share this account of the operating system; letter case does not
    /// count.
    #[must_use]
    pub fn is_shared_login(&self, user: &str) -> bool {
        self.shared_logins.contains(&folded(user))
    }
}

fn compile_rules(packs: &[v1::RulePack]) -> Result<Matcher, PolicyError> {
    let (mut parsed, mut wrong) = (Vec::new(), Vec::new());
    for pack in packs {
        match Pack::parse(&pack.name, &pack.text) {
            Ok(pack) => parsed.push(pack),
            Err(mistakes) => wrong.extend(mistakes),
        }
    }
    if !wrong.is_empty() {
        return Err(PolicyError::Rules(wrong));
    }
    Matcher::compile(&parsed).map_err(PolicyError::Rules)
}

fn filter_categories(chosen: &[v1::FilterCategory]) -> Result<HashMap<String, u8>, PolicyError> {
    let read = |category: &v1::FilterCategory| match category.severity {
        1..=5 => Ok((folded(&category.name), u8::try_from(category.severity).unwrap_or(5))),
        _ => Err(PolicyError::Severity(format!("filter category {:?}", category.name), 1)),
    };
    chosen.iter().map(read).collect()
}

fn media(media: Option<v1::MediaPolicy>) -> Result<v1::MediaPolicy, PolicyError> {
    let media = media.unwrap_or(v1::MediaPolicy { allowed: true, severity: 0 });
    match media.severity {
        0..=5 => Ok(media),
        _ => Err(PolicyError::Severity("removable media".to_owned(), 0)),
    }
}

fn folded(name: &str) -> String {
    name.trim().to_lowercase()
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
