//! How often one address may try to sign in: pure, bounded, no clock of its own.
//!
//! A bucket for each address holds [`BURST`] attempts and gets one back every [`REFILL`]. The lock of an
//! account stops guessing at one account; this stops one guess at each of many, and a flood of hashing. The
//! people of a school share its address, so the burst is a whole team's worth.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::listen::places::network;

/// Attempts at once: a safeguarding team that signs in after a training day, with a few mistakes.
const BURST: u32 = 30;
/// One attempt comes back in so long: 240 an hour.
const REFILL: Duration = Duration::from_secs(15);
/// Addresses kept track of. When all of these are busy, the rest share one bucket.
const ADDRESSES: usize = 10_000;

/// The buckets. What is missing is full.
#[derive(Debug, Default)]
pub(super) struct Throttle {
    buckets: Mutex<Buckets>,
}

#[derive(Debug, Default)]
struct Buckets {
    by_address: HashMap<Option<IpAddr>, Bucket>,
    /// When full ones were last swept out: once a period, so that a flood pays for no sweep of its own.
    swept: Duration,
}

#[derive(Debug, Clone, Copy)]
struct Bucket {
    spent: u32,
    since: Duration,
}

impl Throttle {
    pub(super) fn new() -> Self {
        Self::default()
    }

    /// Takes an attempt, if there is one left. `now` is the time since boot.
    pub(super) fn admit(&self, address: Option<IpAddr>, now: Duration) -> bool {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let mut key = address.map(network);
        if buckets.by_address.len() >= ADDRESSES && !buckets.by_address.contains_key(&key) {
            if now.saturating_sub(buckets.swept) >= REFILL {
                buckets.by_address.retain(|_, bucket| bucket.refilled(now).spent > 0);
                buckets.swept = now;
            }
            if buckets.by_address.len() >= ADDRESSES {
                key = None;
            }
        }
        let bucket = buckets.by_address.entry(key).or_insert(Bucket { spent: 0, since: now });
        *bucket = bucket.refilled(now);
        if bucket.spent >= BURST {
            return false;
        }
        bucket.spent += 1;
        true
    }
}

impl Bucket {
    fn refilled(self, now: Duration) -> Self {
        let periods = now.saturating_sub(self.since).as_secs() / REFILL.as_secs();
        let back = u32::try_from(periods).unwrap_or(u32::MAX);
        let spent = self.spent.saturating_sub(back);
        // A bucket that is full begins its next period at its next attempt.
        let since = if spent == 0 { now } else { self.since + REFILL * back };
        Self { spent, since }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_its_burst_and_then_one_in_each_period() {
        let throttle = Throttle::new();
        let address = Some("192.0.2.1".parse().unwrap());
        let attempts = |seconds, count: u32| {
            (0..count).filter(|_| throttle.admit(address, Duration::from_secs(seconds))).count()
        };
        assert_eq!(attempts(100, 50), 30);
        assert_eq!(attempts(114, 5), 0);
        assert_eq!(attempts(115, 5), 1);
        assert_eq!(attempts(160, 5), 3);
        assert_eq!(attempts(100_000, 50), 30);
        assert!(throttle.admit(Some("192.0.2.2".parse().unwrap()), Duration::from_secs(100)));
    }

    #[test]
    fn addresses_of_one_ipv6_network_share_a_bucket() {
        let throttle = Throttle::new();
        let admitted = (1..=50_u128)
            .filter(|n| {
                let address = IpAddr::V6((0x2001_0db8 << 96 | n).into());
                throttle.admit(Some(address), Duration::ZERO)
            })
            .count();
        assert_eq!(admitted, 30);
    }

    #[test]
    fn a_flood_of_addresses_is_bounded() {
        let throttle = Throttle::new();
        let admitted = (0..20_000_u32)
            .filter(|n| throttle.admit(Some(IpAddr::V4((*n).into())), Duration::ZERO))
            .count();
        assert_eq!(admitted, ADDRESSES + 30);
        assert!(throttle.buckets.lock().unwrap().by_address.len() <= ADDRESSES + 1);
        let later = Some("2001:db8::1".parse().unwrap());
        assert!(throttle.admit(later, REFILL), "what is full again makes room");
        assert_eq!(throttle.buckets.lock().unwrap().by_address.len(), 2);
    }
}
