//! How fast something may go: a bucket that fills steadily and may be emptied at once, pure.
//!
//! What is taken is taken, even past empty; whoever owes waits before it takes more. So the wait falls on
//! the next message, whichever stream brings it.

use std::time::Duration;

/// A rate with a burst.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rate {
    /// What may go at once.
    pub burst: u32,
    /// What may go in each second after that.
    pub per_second: u32,
}

/// Events: a full spool's worth at once, then more than any pupil browses.
pub const EVENTS: Rate = Rate { burst: 20_000, per_second: 100 };
/// Everything else: an agent that restarts often announces some dozens of epochs, then reports each minute.
pub const OTHERS: Rate = Rate { burst: 256, per_second: 2 };

/// A pace.
#[derive(Debug)]
pub struct Pace {
    rate: Rate,
    /// What may go now; negative while something is owed.
    level: f64,
    at: Duration,
}

impl Pace {
    /// Starts with a full burst, at a time since any fixed moment.
    #[must_use]
    pub fn new(rate: Rate, now: Duration) -> Self {
        Self { rate, level: f64::from(rate.burst), at: now }
    }

    /// Takes so many, whether or not they are there.
    pub fn take(&mut self, count: usize, now: Duration) {
        let count = f64::from(u32::try_from(count).unwrap_or(u32::MAX));
        self.level = self.filled(now) - count;
        self.at = now;
    }

    /// How long to wait before any more are taken.
    #[must_use]
    pub fn owed(&self, now: Duration) -> Duration {
        let wait = -self.filled(now) / f64::from(self.rate.per_second);
        Duration::try_from_secs_f64(wait.max(0.0)).unwrap_or(Duration::MAX)
    }

    /// Whether the whole burst is there.
    #[must_use]
    pub fn is_full(&self, now: Duration) -> bool {
        self.filled(now) >= f64::from(self.rate.burst)
    }

    fn filled(&self, now: Duration) -> f64 {
        let passed = now.saturating_sub(self.at).as_secs_f64();
        let filled = self.level + passed * f64::from(self.rate.per_second);
        filled.min(f64::from(self.rate.burst))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_goes_at_once_and_the_rest_steadily() {
        let rate = Rate { burst: 10, per_second: 2 };
        let at = Duration::from_secs;
        let mut pace = Pace::new(rate, at(100));
        for (count, seconds, owed) in [
            (10, 100, Duration::ZERO),
            (4, 100, at(2)),
            (0, 102, Duration::ZERO),
            (2, 103, Duration::ZERO),
            // Never more than a burst is saved.
            (10, 1_000, Duration::ZERO),
            (1, 1_000, Duration::from_millis(500)),
        ] {
            pace.take(count, at(seconds));
            assert_eq!(pace.owed(at(seconds)), owed, "{seconds}");
        }
        assert!(!pace.is_full(at(1_005)) && pace.is_full(at(1_006)));
    }

    #[test]
    fn a_clock_that_goes_back_gives_nothing() {
        let mut pace = Pace::new(Rate { burst: 1, per_second: 1 }, Duration::from_secs(5));
        pace.take(2, Duration::ZERO);
        assert_eq!(pace.owed(Duration::ZERO), Duration::from_secs(1));
    }
}
