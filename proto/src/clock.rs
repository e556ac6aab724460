//! The one place where the real time and real randomness are read.
//!
//! Everything else takes a [`Clock`] and a [`Randomness`] as arguments: what a test cannot set, it
//! cannot test. `clippy.toml` bans the calls made here everywhere else.

use std::fmt::Debug;
use std::sync::Mutex;
use std::time::Duration;

use jiff::Timestamp;

/// Tells the time.
pub trait Clock: Debug + Send + Sync {
    /// The wall clock. May jump in either direction; on a school's laptop it does.
    fn now(&self) -> Timestamp;

    /// Time since the machine booted, suspend included. Never goes back within one boot.
    fn since_boot(&self) -> Duration;

    /// Sixteen bytes that name this boot of the machine, or at least a part of it: times since boot may be
    /// compared where it is the same.
    fn boot_id(&self) -> Option<[u8; 16]>;
}

/// Draws random bytes that nobody can guess.
pub trait Randomness: Debug + Send + Sync {
    /// Fills `bytes`.
    fn fill(&self, bytes: &mut [u8]);

    /// Draws a number in `0.0..1.0`, for jitter.
    fn unit(&self) -> f64 {
        let mut bytes = [0; 4];
        self.fill(&mut bytes);
        f64::from(u32::from_le_bytes(bytes)) / (f64::from(u32::MAX) + 1.0)
    }
}

/// Draws an array of random bytes.
pub fn draw<const N: usize>(randomness: &dyn Randomness) -> [u8; N] {
    let mut bytes = [0; N];
    randomness.fill(&mut bytes);
    bytes
}

/// The machine's own clock and its operating system's random numbers.
#[derive(Debug, Clone, Copy, Default)]
pub struct System;

impl Clock for System {
    #[expect(clippy::disallowed_methods, reason = "this is the one clock module")]
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    #[cfg(unix)]
    fn since_boot(&self) -> Duration {
        let time = rustix::time::clock_gettime(SINCE_BOOT);
        Duration::new(
            u64::try_from(time.tv_sec).unwrap_or(0),
            u32::try_from(time.tv_nsec).unwrap_or(0),
        )
    }

    /// In whole seconds.
    #[cfg(not(unix))]
    fn since_boot(&self) -> Duration {
        Duration::from_secs(sysinfo::System::uptime().unwrap_or(0))
    }

    #[cfg(target_os = "linux")]
    fn boot_id(&self) -> Option<[u8; 16]> {
        use std::io::Read as _;
        let mut text = String::new();
        let file = std::fs::File::open("/proc/sys/kernel/random/boot_id").ok()?;
        file.take(64).read_to_string(&mut text).ok()?;
        uuid::Uuid::try_parse(text.trim()).ok().map(uuid::Uuid::into_bytes)
    }

    /// Outside Linux the id is of this process. What other systems tell is the boot's time by the wall
    /// clock, which changes with every jump of the clock that it should see through. So two runs of one
    /// boot are told apart, and two boots are never taken for one.
    #[cfg(not(target_os = "linux"))]
    fn boot_id(&self) -> Option<[u8; 16]> {
        static OF_THIS_PROCESS: std::sync::OnceLock<[u8; 16]> = std::sync::OnceLock::new();
        Some(*OF_THIS_PROCESS.get_or_init(|| draw(self)))
    }
}

/// The clock that runs while the machine sleeps (clock_gettime(2) of Linux; clock_gettime(3) of macOS).
#[cfg(any(target_os = "linux", target_os = "android"))]
const SINCE_BOOT: rustix::time::ClockId = rustix::time::ClockId::Boottime;
#[cfg(all(unix, not(any(target_os = "linux", target_os = "android"))))]
const SINCE_BOOT: rustix::time::ClockId = rustix::time::ClockId::Monotonic;

impl Randomness for System {
    /// # Panics
    /// When the operating system has no random numbers to give: no key drawn then could be trusted.
    #[expect(clippy::disallowed_methods, clippy::panic, reason = "this is the one clock module")]
    fn fill(&self, bytes: &mut [u8]) {
        if let Err(error) = getrandom::fill(bytes) {
            panic!("the operating system gives no random numbers: {error}");
        }
    }
}

/// A clock that stands where it is put, and randomness that repeats: for tests.
#[derive(Debug)]
pub struct Fixed {
    now: Mutex<Timestamp>,
    state: Mutex<u64>,
}

impl Fixed {
    /// Makes a clock that stands at `now`, and randomness that follows from `seed`.
    #[must_use]
    pub fn new(now: Timestamp, seed: u64) -> Self {
        Self { now: Mutex::new(now), state: Mutex::new(seed) }
    }

    /// Puts the clock to `now`.
    pub fn set(&self, now: Timestamp) {
        *self.now.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = now;
    }
}

impl Clock for Fixed {
    fn now(&self) -> Timestamp {
        *self.now.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn since_boot(&self) -> Duration {
        Duration::from_secs(3_600)
    }

    fn boot_id(&self) -> Option<[u8; 16]> {
        Some([7; 16])
    }
}

impl Randomness for Fixed {
    /// SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014).
    fn fill(&self, bytes: &mut [u8]) {
        let mut state = self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        for chunk in bytes.chunks_mut(8) {
            *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut word = *state;
            word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            word ^= word >> 31;
            chunk.copy_from_slice(&word.to_le_bytes()[..chunk.len()]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_system_draws_different_bytes_each_time() {
        assert_ne!(draw::<16>(&System), draw::<16>(&System));
    }

    #[test]
    fn a_unit_is_in_range() {
        let fixed = Fixed::new(Timestamp::UNIX_EPOCH, 1);
        for _ in 0..1_000 {
            let unit = fixed.unit();
            assert!((0.0..1.0).contains(&unit), "{unit}");
        }
    }

    #[test]
    fn the_boot_clock_runs_and_the_boot_has_one_id() {
        let first = System.since_boot();
        assert!(first > Duration::ZERO);
        assert!(System.since_boot() >= first);
        assert_eq!(System.boot_id(), System.boot_id());
    }
}
