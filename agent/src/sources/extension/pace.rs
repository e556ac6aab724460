//! How fast one account may speak, over all its connections.
//!
//! What it says is paid for in bytes; past [`BURST`], whoever goes on speaking is read no faster than
//! [`RATE`]. Nothing is refused or dropped for it: the socket fills, and the extension waits. Pure.

use std::time::Duration;

use tokio::time::Instant;

/// Bytes a second: a fast typist with several talkative pages makes a tenth of it.
pub(super) const RATE: u64 = 256 * 1024;
/// Bytes at once: all that an extension may keep, with what each item costs beside its bytes.
pub(super) const BURST: u64 = 6 * 1024 * 1024;
/// What a message costs beside its bytes, so that empty ones have a price.
pub(super) const MESSAGE: u64 = 512;
/// What an item costs beside its bytes: it is judged and stored.
pub(super) const ITEM: u64 = 512;

/// What one account has left.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace {
    /// When all that was said is paid for.
    paid_at: Instant,
}

impl Pace {
    pub(super) fn new(now: Instant) -> Self {
        Self { paid_at: now }
    }

    /// Says how long to wait before the next word, after one that cost `cost`.
    pub(super) fn spend(&mut self, cost: u64, now: Instant) -> Duration {
        self.paid_at = self.paid_at.max(now) + at_rate(cost);
        self.paid_at.saturating_duration_since(now).saturating_sub(at_rate(BURST))
    }

    /// Whether all is paid for, so that to forget it changes nothing.
    pub(super) fn is_settled(&self, now: Instant) -> bool {
        self.paid_at <= now
    }
}

/// How long `bytes` take at the rate.
#[expect(clippy::cast_precision_loss, reason = "costs are far below 2^52")]
fn at_rate(bytes: u64) -> Duration {
    Duration::from_secs_f64(bytes as f64 / RATE as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_free_and_what_comes_after_it_is_paced() {
        let start = Instant::now();
        let mut pace = Pace::new(start);
        assert!(pace.is_settled(start));
        assert_eq!(pace.spend(BURST, start), Duration::ZERO);
        assert_eq!(pace.spend(RATE, start), Duration::from_secs(1));
        assert_eq!(pace.spend(RATE, start + Duration::from_secs(2)), Duration::ZERO);
        assert!(!pace.is_settled(start + Duration::from_secs(2)));
        let later = start + Duration::from_secs(3_600);
        assert!(pace.is_settled(later));
        assert_eq!(pace.spend(BURST, later), Duration::ZERO);
        assert!(pace.spend(1, later) > Duration::ZERO, "rest saves up no more than a burst");
    }
}
