//! How fast one stream may go: a bucket that fills steadily and may be emptied at once.
//!
//! Whoever empties it is not refused: the next message is read later, and the sender's own queue holds the
//! rest.

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

/// The pace of one stream.
#[derive(Debug)]
pub struct Pace {
    rate: Rate,
    /// What may go now; negative while somebody waits.
    level: f64,
    at: Duration,
}

impl Pace {
    /// Starts with a full burst, at a time since any fixed moment.
    #[must_use]
    pub fn new(rate: Rate, now: Duration) -> Self {
        Self { rate, level: f64::from(rate.burst), at: now }
    }

    /// Takes so many; says how long to wait before the next is read.
    #[must_use]
    pub fn take(&mut self, count: usize, now: Duration) -> Duration {
        let passed = now.saturating_sub(self.at).as_secs_f64();
        let filled = self.level + passed * f64::from(self.rate.per_second);
        let count = f64::from(u32::try_from(count).unwrap_or(u32::MAX));
        self.level = filled.min(f64::from(self.rate.burst)) - count;
        self.at = now;
        if self.level >= 0.0 {
            return Duration::ZERO;
        }
        let wait = -self.level / f64::from(self.rate.per_second);
        Duration::try_from_secs_f64(wait).unwrap_or(Duration::MAX)
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
        assert_eq!(pace.take(10, at(100)), Duration::ZERO);
        assert_eq!(pace.take(4, at(100)), at(2));
        assert_eq!(pace.take(0, at(102)), Duration::ZERO);
        assert_eq!(pace.take(2, at(103)), Duration::ZERO);
        assert_eq!(pace.take(10, at(1_000)), Duration::ZERO, "never more than a burst is saved");
        assert_eq!(pace.take(1, at(1_000)), Duration::from_millis(500));
    }

    #[test]
    fn a_clock_that_goes_back_gives_nothing() {
        let mut pace = Pace::new(Rate { burst: 1, per_second: 1 }, Duration::from_secs(5));
        assert_eq!(pace.take(1, Duration::ZERO), Duration::ZERO);
        assert_eq!(pace.take(1, Duration::ZERO), Duration::from_secs(1));
    }
}
