//! Times as the wire has them (`google.protobuf`), to and from [`jiff`]'s.

use jiff::{SignedDuration, Timestamp};
use prost_types::{Duration, Timestamp as WireTimestamp};

/// Writes a time for the wire.
#[must_use]
pub fn to_wire(time: Timestamp) -> WireTimestamp {
    // jiff's nanoseconds have the sign of the whole; protobuf's always count forward.
    let nanosecond = time.subsec_nanosecond();
    let (seconds, nanos) = if nanosecond < 0 {
        (time.as_second() - 1, nanosecond + 1_000_000_000)
    } else {
        (time.as_second(), nanosecond)
    };
    WireTimestamp { seconds, nanos }
}

/// Reads a time from the wire; `None` if it is absent or outside years −9999 to 9999.
#[must_use]
pub fn from_wire(time: Option<&WireTimestamp>) -> Option<Timestamp> {
    let time = time?;
    if !(0..1_000_000_000).contains(&time.nanos) {
        return None;
    }
    Timestamp::new(time.seconds, 0).ok()?.checked_add(SignedDuration::new(0, time.nanos)).ok()
}

/// Writes a length of time for the wire.
#[must_use]
pub fn duration_to_wire(duration: std::time::Duration) -> Duration {
    Duration {
        seconds: i64::try_from(duration.as_secs()).unwrap_or(i64::MAX),
        nanos: i32::try_from(duration.subsec_nanos()).unwrap_or(0),
    }
}

/// Reads a length of time from the wire; `None` if it is absent or negative.
#[must_use]
pub fn duration_from_wire(duration: Option<&Duration>) -> Option<std::time::Duration> {
    let duration = duration?;
    let nanos = u32::try_from(duration.nanos).ok().filter(|nanos| *nanos < 1_000_000_000)?;
    Some(std::time::Duration::new(u64::try_from(duration.seconds).ok()?, nanos))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_time_survives_the_wire(micros in -62_135_596_800_000_000_i64..253_402_300_799_999_999) {
            let time = Timestamp::from_microsecond(micros).unwrap();
            prop_assert_eq!(from_wire(Some(&to_wire(time))), Some(time));
        }
    }

    #[test]
    fn times_out_of_range_are_refused() {
        for (seconds, nanos) in [(i64::MAX, 0), (i64::MIN, 0), (0, -1), (0, 1_000_000_000)] {
            assert_eq!(from_wire(Some(&WireTimestamp { seconds, nanos })), None);
        }
        assert_eq!(duration_from_wire(Some(&Duration { seconds: -1, nanos: 0 })), None);
    }
}
