//! Failed attempts of one address, bounded.
//!
//! A token's secret is 256 random bits, so this guards no secret: it keeps a stranger from having signatures
//! verified all day. A whole school stands behind one address and may hold one wrong token, so the bound is
//! generous and forgotten after a minute.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use tonic::Status;

use crate::listen::places::network;

/// Failures of one address in one window.
const FAILURES: u32 = 200;
/// How long failures are remembered.
const WINDOW: SignedDuration = SignedDuration::from_secs(60);
/// Addresses remembered at once; past it, those whose window is over are forgotten, and if none is, all are.
const ADDRESSES: usize = 10_000;

/// Failed attempts, by address.
#[derive(Debug, Default)]
pub struct Attempts(Mutex<HashMap<IpAddr, Failures>>);

#[derive(Debug, Clone, Copy)]
struct Failures {
    since: Timestamp,
    count: u32,
}

impl Attempts {
    /// Whether an address may try.
    ///
    /// # Errors
    /// `RESOURCE_EXHAUSTED` if it has failed too often.
    pub fn check(&self, address: IpAddr, now: Timestamp) -> Result<(), Status> {
        let attempts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match attempts.get(&network(address)) {
            Some(failures) if failures.count >= FAILURES && !failures.over(now) => {
                Err(Status::resource_exhausted(
                    "too many failed attempts from this address; wait a minute",
                ))
            }
            _ => Ok(()),
        }
    }

    /// Counts an attempt.
    pub fn count(&self, address: IpAddr, now: Timestamp, succeeded: bool) {
        if succeeded {
            return;
        }
        let mut attempts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if attempts.len() >= ADDRESSES {
            attempts.retain(|_, failures| !failures.over(now));
            if attempts.len() >= ADDRESSES {
                attempts.clear();
            }
        }
        let failures =
            attempts.entry(network(address)).or_insert(Failures { since: now, count: 0 });
        if failures.over(now) {
            *failures = Failures { since: now, count: 0 };
        }
        failures.count = failures.count.saturating_add(1);
    }
}

impl Failures {
    fn over(self, now: Timestamp) -> bool {
        now.duration_since(self.since).abs() >= WINDOW
    }
}

#[cfg(test)]
mod tests {
    use jiff::ToSpan as _;

    use super::*;

    #[test]
    fn an_address_that_failed_too_often_waits_and_no_other_does() {
        let attempts = Attempts::default();
        let (one, other) = (IpAddr::from([127, 0, 0, 1]), IpAddr::from([127, 0, 0, 2]));
        let now = Timestamp::UNIX_EPOCH;
        for _ in 0..FAILURES {
            assert!(attempts.check(one, now).is_ok());
            attempts.count(one, now, true);
            attempts.count(one, now, false);
        }
        assert!(attempts.check(one, now + 59.seconds()).is_err());
        assert!(attempts.check(other, now).is_ok());
        assert!(attempts.check(one, now + 60.seconds()).is_ok());
    }

    #[test]
    fn memory_is_bounded() {
        let attempts = Attempts::default();
        for address in 0..(u32::try_from(ADDRESSES).unwrap() + 10) {
            attempts.count(IpAddr::from(address.to_be_bytes()), Timestamp::UNIX_EPOCH, false);
        }
        assert!(attempts.0.lock().unwrap().len() <= ADDRESSES);
    }
}
