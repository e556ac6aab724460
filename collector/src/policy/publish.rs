//! Signing a school's policy when there is something new to sign.

use jiff::{Timestamp, ToSpan as _};
use prost::Message as _;
use redshank_proto::id::SchoolId;
use redshank_proto::{bounds, time, v1};

use super::{Choices, Rules};
use crate::keys::{KeyError, KeyRing};
use crate::store::{Scope, Store};

/// How long a policy is meant to live: an agent that has not seen a newer one by then says so.
const LIFE_DAYS: i64 = 400;
/// How old a policy gets before the same content is signed anew.
const REFRESH_DAYS: i64 = LIFE_DAYS / 2;

/// What became of a school's policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Published {
    /// The one in force is the same; nothing was signed.
    Unchanged(u64),
    /// One with this serial was signed.
    Signed(u64),
}

/// Publishes a school's policy if it differs from the one in force.
///
/// # Errors
/// [`KeyError`] if the database fails, the ring does not hold the school, no rule pack is in its languages, or the
/// policy is past 4 MiB.
pub async fn publish(
    store: &Store,
    ring: &KeyRing,
    scope: &Scope,
    school: SchoolId,
    rules: &Rules,
    choices: &Choices,
    now: Timestamp,
) -> Result<Published, KeyError> {
    let rule_packs = rules.packs_in(&choices.languages);
    if rule_packs.is_empty() {
        return Err(KeyError::Signing(format!(
            "no rule pack is in {}, so that nothing would be seen; name others under [rules] in the school's file: {}",
            choices.languages,
            rules.languages().join(", ")
        )));
    }
    let signed = store.read(scope, move |view| view.policy(school)).await?;
    let held = signed
        .map(|signed| v1::Policy::decode(signed.policy.as_slice()))
        .transpose()
        .map_err(|_| KeyError::Store(crate::store::StoreError::Malformed("policy")))?;
    let serial = held.as_ref().map_or(0, |held| held.serial);
    let policy = v1::Policy {
        school_id: school.to_vec(),
        serial: serial.saturating_add(1),
        issued_at: Some(time::to_wire(now)),
        expires_at: Some(time::to_wire(after(now, LIFE_DAYS))),
        rule_packs,
        private_list: rules.private_list.clone(),
        report_visits: choices.report_visits,
        shared_logins: choices.shared_logins.clone(),
        filter_categories: choices.filter_categories.clone(),
        text: Some(choices.text),
        staff_accounts: choices.staff_accounts.clone(),
        school_hours: choices.school_hours.clone(),
        exemptions: choices.exemptions.clone(),
        phrase_exemptions: choices.phrase_exemptions.clone(),
        age_group: choices.age_group.into(),
        ages: choices.ages.clone(),
        programs: choices.programs.clone(),
        programs_only_allowed: choices.programs_only_allowed,
        media: Some(choices.media),
        notice: Some(choices.notice.clone()),
    };
    if held.as_ref().is_some_and(|held| stands(held, &policy, now)) {
        return Ok(Published::Unchanged(serial));
    }
    let encoded = policy.encode_to_vec();
    if encoded.len() > bounds::POLICY_BYTES {
        return Err(KeyError::Signing(
            "the policy is longer than 4 MiB; split the rules".to_owned(),
        ));
    }
    let signed = ring.sign_policy(school, encoded)?;
    let serial = policy.serial;
    store.write(scope, move |edit| edit.publish_policy(school, &policy, &signed)).await?;
    Ok(Published::Signed(serial))
}

/// Whether the policy in force says the same and is young enough.
fn stands(held: &v1::Policy, new: &v1::Policy, now: Timestamp) -> bool {
    let same = v1::Policy {
        serial: held.serial,
        issued_at: held.issued_at,
        expires_at: held.expires_at,
        ..new.clone()
    };
    let issued = time::from_wire(held.issued_at.as_ref());
    *held == same && issued.is_some_and(|issued| now < after(issued, REFRESH_DAYS))
}

fn after(time: Timestamp, days: i64) -> Timestamp {
    time.checked_add((days * 24).hours()).unwrap_or(Timestamp::MAX)
}
