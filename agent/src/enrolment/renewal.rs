//! When a certificate is renewed, and how.
//!
//! From 70 % of a certificate's life on, at a moment that each start draws anew within the next tenth,
//! so that a school's devices do not come all at once. That leaves a fifth of the life (80 days of 400)
//! for a laptop in a drawer. An expired certificate still renews: what is asked is its key's signature.
//! The key is never thrown away, whatever a clock or a box in between says.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use redshank_proto::trust::Trust;
use redshank_proto::v1;

use super::certificate::{accept, renewal_request, same_key};
use super::{Client, EnrolmentError, call};
use crate::state::{DeviceIdentity, SchoolDir, StateDir};
use crate::uplink::Transport;

/// The part of a certificate's life after which it may be renewed.
const FROM: f64 = 0.7;
/// The part of a certificate's life over which renewals are spread.
const SPREAD: f64 = 0.1;
/// How long after a try that failed the next one comes, while the certificate is good.
pub const RETRY: Duration = Duration::from_secs(3_600);

/// When to renew a certificate of these times; `unit` is drawn from `0.0..1.0`.
#[must_use]
pub fn due(not_before: Timestamp, not_after: Timestamp, unit: f64) -> Timestamp {
    let life = not_after.duration_since(not_before).as_secs_f64().max(0.0);
    let wait = SignedDuration::from_secs_f64(life * (FROM + SPREAD * unit.clamp(0.0, 1.0)));
    not_before.checked_add(wait).unwrap_or(not_after)
}

/// Whether a certificate has run out.
#[must_use]
pub fn is_expired(identity: &DeviceIdentity, now: Timestamp) -> bool {
    identity.not_after() <= now
}

/// Renews over a connection that was verified by the school's root, and keeps what came of it.
///
/// # Errors
/// [`EnrolmentError`]; the identity before it then still stands.
pub async fn renew<T: Transport>(
    state: &StateDir,
    school: &SchoolDir,
    identity: &DeviceIdentity,
    trust: &Trust,
    transport: T,
) -> Result<(DeviceIdentity, Trust), EnrolmentError> {
    let mut client: Client<T> = super::client(transport);
    let request = renewal_request(identity)?;
    let answer: v1::RenewResponse = call(client.renew(request)).await?;
    let offered = answer.trust_bundle.ok_or(EnrolmentError::Answer("trust bundle"))?;
    let newest = trust.newer(offered)?;
    let renewed = accept(same_key(identity.key())?, answer.certificate_chain, &newest)?;
    if renewed.device() != identity.device() {
        return Err(EnrolmentError::Answer("certificate of this device"));
    }
    school.set_trust(&newest)?;
    state.set_identity(&renewed)?;
    Ok((renewed, newest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn renewal_comes_between_seventy_and_eighty_percent_of_life() {
        let day = |day: i64| Timestamp::from_second(day * 86_400).unwrap();
        for (unit, first, last) in
            [(0.0, 280, 280), (0.5, 300, 300), (0.999, 319, 320), (7.0, 320, 320)]
        {
            let due = due(day(0), day(400), unit).round(jiff::Unit::Second).unwrap();
            assert!((day(first)..=day(last)).contains(&due), "{unit}: {due}");
        }
    }

    #[test]
    fn a_certificate_that_ends_before_it_begins_is_due_at_once() {
        let (begin, end) = (Timestamp::from_second(100).unwrap(), Timestamp::UNIX_EPOCH);
        assert_eq!(due(begin, end, 0.5), begin);
    }
}
