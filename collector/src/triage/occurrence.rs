//! When something happened, by the collector's reckoning.
//!
//! The device's time less its clock's skew. A device's clock may be years off, and its skew is an estimate
//! from one message. For a time that cannot be right stands the time of receipt, which is ours; the device's
//! own stays in the payload, and the page says that the time is in doubt.

use jiff::{SignedDuration, Timestamp};

/// How far past its receipt an event may seem to lie: the error of a skew estimate over a slow network.
const AHEAD: SignedDuration = SignedDuration::from_mins(2);
/// How old an event may be as it arrives: a laptop that lay in a cupboard over a summer and an autumn, and
/// more; not a clock set to 1970.
const OLD: SignedDuration = SignedDuration::from_hours(24 * 366);

/// Corrects a device's time for its skew.
pub(super) fn corrected(claimed: Timestamp, skew_micros: i64, received_at: Timestamp) -> Timestamp {
    let Ok(at) = claimed.checked_sub(SignedDuration::from_micros(skew_micros)) else {
        return received_at;
    };
    let age = received_at.duration_since(at);
    if age > OLD || age < -AHEAD { received_at } else { at.min(received_at) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_corrected_unless_it_cannot_be_right() {
        let received = Timestamp::from_second(1_800_000_000).unwrap();
        let at = |seconds: i64| received + SignedDuration::from_secs(seconds);
        const YEAR: i64 = 366 * 24 * 3_600;
        const SECOND: i64 = 1_000_000;
        for (claimed, skew, expected) in [
            (at(-10), 0, at(-10)),
            (at(-10), 5 * SECOND, at(-15)),
            (at(3_590), 3_600 * SECOND, at(-10)),
            (at(1), 0, at(0)),
            (at(120), 0, at(0)),
            (at(121), 0, at(0)),
            (at(10 * YEAR), 0, at(0)),
            (at(-YEAR), 0, at(-YEAR)),
            (at(-YEAR - 1), 0, at(0)),
            (Timestamp::UNIX_EPOCH, 0, at(0)),
            (at(0), i64::MAX, at(0)),
            (at(0), i64::MIN, at(0)),
        ] {
            assert_eq!(corrected(claimed, skew, received), expected, "{claimed} {skew}");
        }
    }
}
