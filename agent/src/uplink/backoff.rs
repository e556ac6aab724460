//! How long to wait before the next try.
//!
//! Full jitter: the wait is drawn evenly between nothing and a ceiling that doubles with each try from
//! one second to five minutes ("Exponential Backoff And Jitter", AWS Architecture Blog, 2015). A school's
//! thousand laptops come back over five minutes, and one alone in a second. Only a stream that lived
//! resets it: a collector that welcomes and drops at once is left as much in peace as one that is down.

use std::time::Duration;

/// The first ceiling.
const BASE: Duration = Duration::from_secs(1);
/// The last ceiling.
const CAP: Duration = Duration::from_secs(300);
/// A stream that lasted so long was a sound one.
pub const LIVED: Duration = Duration::from_secs(10);
/// The ceiling where trying soon cannot help and trying is still right: a revocation may be a mistake.
const SLOW: Duration = Duration::from_secs(900);
/// The least wait where somebody else's turn is the point.
const YIELD: Duration = Duration::from_secs(30);

/// How pressing the next try is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// By the number of tries.
    Normal,
    /// By the number of tries, but not at once.
    Yielding,
    /// Every quarter of an hour at most.
    Slow,
}

/// Counts the tries since a stream last lived.
#[derive(Debug, Default)]
pub struct Backoff {
    tries: u32,
}

impl Backoff {
    /// Hears how long a stream was open; zero if it never was.
    pub fn ended(&mut self, open: Duration) {
        if open >= LIVED {
            self.tries = 0;
        }
    }

    /// How long to wait; `unit` is drawn from `0.0..1.0`.
    pub fn wait(&mut self, pace: Pace, unit: f64) -> Duration {
        let unit = unit.clamp(0.0, 1.0);
        let ceiling = BASE.saturating_mul(2_u32.saturating_pow(self.tries)).min(CAP);
        self.tries = self.tries.saturating_add(1);
        match pace {
            Pace::Normal => ceiling.mul_f64(unit),
            Pace::Yielding => YIELD + ceiling.mul_f64(unit),
            Pace::Slow => SLOW.mul_f64(0.5 + 0.5 * unit),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_wait_keeps_within_its_pace(tries in 0_u32..100, unit in 0.0_f64..1.0) {
            let wait = |pace| Backoff { tries }.wait(pace, unit);
            prop_assert!(wait(Pace::Normal) <= CAP);
            prop_assert!((YIELD..=YIELD + CAP).contains(&wait(Pace::Yielding)));
            prop_assert!((SLOW / 2..=SLOW).contains(&wait(Pace::Slow)));
        }
    }

    #[test]
    fn the_ceiling_doubles_to_its_cap() {
        let mut backoff = Backoff::default();
        let waits: Vec<_> = (0..12).map(|_| backoff.wait(Pace::Normal, 1.0).as_secs()).collect();
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]);
        assert_eq!(backoff.wait(Pace::Normal, 0.0), Duration::ZERO);
    }

    #[test]
    fn only_a_stream_that_lived_resets_it() {
        let mut backoff = Backoff { tries: 9 };
        backoff.ended(LIVED - Duration::from_millis(1));
        assert_eq!(backoff.tries, 9);
        backoff.ended(LIVED);
        assert_eq!(backoff.wait(Pace::Normal, 1.0), BASE);
    }
}
