//! Attempts to sign in, and the locks against guessing.
//!
//! - **An attempt counts before its password is looked at** ([`Edit::begin_sign_in`]): a hundred guesses
//!   sent at once are a hundred failures. A sign-in that succeeds sets the counts back.
//! - **Failures count by person and network.** Whoever guesses at a Designated Safeguarding Lead's password
//!   locks the account for the network they guess from, and for no other.
//! - **A looser count by person alone** stops a guesser with many networks. It does not hold on a network from
//!   which that person has signed in within [`KNOWN_DAYS`]: such a network is known.
//! - **Each lock** doubles from one minute to fifteen, ends by itself, and begins anew after a quiet day.
//!
//! A pupil who guesses from the school's own network can still lock its people's accounts there, for a
//! quarter of an hour at a time: behind one address nothing here tells them apart.

use std::net::IpAddr;

use jiff::{SignedDuration, Timestamp, ToSpan as _};
use redshank_proto::id::UserId;

use super::{Attempt, user_of};
use crate::listen::places::network;
use crate::store::audit::Action;
use crate::store::value::{id, time_or_none};
use crate::store::{Edit, Purpose, StoreError, View};

/// Failures on one network that are forgiven: a mistyped password, a forgotten change of it, caps lock.
const FREE_FAILURES: u32 = 4;
/// Failures on all unknown networks that are forgiven: several people's worth, and a fraction of what a
/// guesser needs.
const FREE_FAILURES_ANYWHERE: u32 = 20;
/// Minutes of the lock after the first failure past those, the second …; the last of them stays.
const LOCK_MINUTES: [i64; 5] = [1, 2, 4, 8, 15];
/// Since a lock ended, after which its failures are forgotten.
const FORGOTTEN: SignedDuration = SignedDuration::from_hours(24);
/// How long a network stays known after a sign-in: past any half-term and the Easter holiday.
const KNOWN_DAYS: i64 = 30;

/// A count of failures and the lock that it led to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Count {
    failures: u32,
    locked_until: Option<Timestamp>,
}

impl Count {
    fn is_locked(self, now: Timestamp) -> bool {
        self.locked_until.is_some_and(|until| until > now)
    }

    fn failed(self, free: u32, now: Timestamp) -> Self {
        let quiet = self.locked_until.is_some_and(|until| now.duration_since(until) >= FORGOTTEN);
        let failures = if quiet { 1 } else { self.failures.saturating_add(1) };
        let locked_until = lock(failures, free).and_then(|lock| now.checked_add(lock).ok());
        Self { failures, locked_until }
    }
}

/// What is known of a person as they try to sign in from a network.
struct Standing {
    user: UserId,
    password: String,
    anywhere: Count,
    here: Count,
    signed_in_at: Option<Timestamp>,
}

impl Standing {
    fn is_known(&self, now: Timestamp) -> bool {
        let kept = SignedDuration::from_hours(24 * KNOWN_DAYS);
        self.signed_in_at.is_some_and(|at| now.duration_since(at) < kept)
    }
}

impl View<'_> {
    /// Whether somebody has signed in from an address's network of late and is not locked there: whoever asks
    /// need not share that network's attempts with strangers.
    ///
    /// # Errors
    /// [`StoreError::OutOfScope`] unless sign-in asks.
    pub fn signs_in_from(
        &self,
        email: &str,
        address: Option<IpAddr>,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.scope().require_system(&[Purpose::SignIn])?;
        let standing = standing(self, email, address)?;
        Ok(standing.is_some_and(|found| found.is_known(now) && !found.here.is_locked(now)))
    }
}

impl Edit<'_> {
    /// Begins an attempt to sign in, and counts it as failed until [`Edit::signed_in`] says otherwise.
    ///
    /// # Errors
    /// [`StoreError::OutOfScope`] unless sign-in asks.
    pub fn begin_sign_in(
        &self,
        email: &str,
        address: Option<IpAddr>,
    ) -> Result<Attempt, StoreError> {
        self.scope().require_system(&[Purpose::SignIn])?;
        let now = self.now();
        let Some(standing) = standing(self.view(), email, address)? else {
            return Ok(Attempt::Unknown);
        };
        let known = standing.is_known(now);
        if standing.here.is_locked(now) || !known && standing.anywhere.is_locked(now) {
            return Ok(Attempt::Locked);
        }
        let Standing { user, password, anywhere, here, .. } = standing;
        if !known {
            let count = anywhere.failed(FREE_FAILURES_ANYWHERE, now);
            self.sql()
                .prepare_cached(
                    "UPDATE users SET failed_sign_ins = ?2, locked_until = ?3 WHERE user = ?1",
                )?
                .execute((
                    user.as_bytes(),
                    count.failures,
                    count.locked_until.map(Timestamp::as_microsecond),
                ))?;
        }
        let forgotten = now - SignedDuration::from_hours(24 * KNOWN_DAYS);
        self.sql()
            .prepare_cached("DELETE FROM sign_in_networks WHERE user = ?1 AND tried_at < ?2")?
            .execute((user.as_bytes(), forgotten.as_microsecond()))?;
        let count = here.failed(FREE_FAILURES, now);
        self.sql()
            .prepare_cached(
                "INSERT INTO sign_in_networks (user, network, failures, locked_until, tried_at)
                 VALUES (?1, ?2, ?3, ?4, ?5)
                 ON CONFLICT DO UPDATE SET failures = ?3, locked_until = ?4, tried_at = ?5",
            )?
            .execute((
                user.as_bytes(),
                name(address),
                count.failures,
                count.locked_until.map(Timestamp::as_microsecond),
                now.as_microsecond(),
            ))?;
        Ok(Attempt::Candidate { user, password })
    }

    /// Sets a person's failures back, there and anywhere, and knows the network from then on.
    pub(in crate::store) fn forgive_failures(
        &self,
        user: UserId,
        address: Option<IpAddr>,
    ) -> Result<(), StoreError> {
        self.sql()
            .prepare_cached(
                "UPDATE users SET failed_sign_ins = 0, locked_until = NULL WHERE user = ?1",
            )?
            .execute([user.as_bytes()])?;
        self.sql()
            .prepare_cached(
                "UPDATE sign_in_networks SET failures = 0, locked_until = NULL, signed_in_at = ?3
                 WHERE user = ?1 AND network = ?2",
            )?
            .execute((user.as_bytes(), name(address), self.now().as_microsecond()))?;
        Ok(())
    }

    /// Records that the attempt's password was wrong.
    ///
    /// # Errors
    /// [`StoreError::OutOfScope`] unless sign-in asks.
    pub fn sign_in_failed(&self, user: UserId) -> Result<(), StoreError> {
        self.scope().require_system(&[Purpose::SignIn])?;
        let school = user_of(self.view(), user)?.map(|user| user.school);
        self.audit(Action::SignInFailed, school, Some(user.as_bytes()), None)
    }
}

fn standing(
    view: &View<'_>,
    email: &str,
    address: Option<IpAddr>,
) -> Result<Option<Standing>, StoreError> {
    view.sql()
        .prepare_cached(
            "SELECT u.user, u.password, u.failed_sign_ins, u.locked_until, n.signed_in_at,
                    coalesce(n.failures, 0) AS failures, n.locked_until AS locked_here_until
             FROM users u LEFT JOIN sign_in_networks n ON n.user = u.user AND n.network = ?2
             WHERE u.email = ?1",
        )?
        .query_and_then((email.trim().to_lowercase(), name(address)), |row| {
            Ok(Standing {
                user: id(row, "user")?,
                password: row.get("password")?,
                anywhere: Count {
                    failures: row.get("failed_sign_ins")?,
                    locked_until: time_or_none(row, "locked_until")?,
                },
                here: Count {
                    failures: row.get("failures")?,
                    locked_until: time_or_none(row, "locked_here_until")?,
                },
                signed_in_at: time_or_none(row, "signed_in_at")?,
            })
        })?
        .next()
        .transpose()
}

/// A network's name in the store; empty if the address is not known.
fn name(address: Option<IpAddr>) -> String {
    address.map_or_else(String::new, |address| network(address).to_string())
}

/// How long a lock lasts after so many failures in a row.
fn lock(failures: u32, free: u32) -> Option<jiff::Span> {
    let past = usize::try_from(failures.checked_sub(free + 1)?).unwrap_or(usize::MAX);
    LOCK_MINUTES.get(past).or(LOCK_MINUTES.last()).map(|minutes| minutes.minutes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lock_doubles_and_ends() {
        let minutes = |failures| lock(failures, FREE_FAILURES).map(|lock| lock.get_minutes());
        for (failures, expected) in [
            (1, None),
            (4, None),
            (5, Some(1)),
            (6, Some(2)),
            (7, Some(4)),
            (8, Some(8)),
            (9, Some(15)),
            (u32::MAX, Some(15)),
        ] {
            assert_eq!(minutes(failures), expected, "{failures}");
        }
    }

    #[test]
    fn failures_are_forgotten_after_a_quiet_day() {
        let now = Timestamp::from_second(1_800_000_000).unwrap();
        let count = Count { failures: 40, locked_until: Some(now) };
        let later = |hours| count.failed(FREE_FAILURES, now + SignedDuration::from_hours(hours));
        assert_eq!(later(23).failures, 41);
        assert_eq!(later(24), Count { failures: 1, locked_until: None });
    }
}
