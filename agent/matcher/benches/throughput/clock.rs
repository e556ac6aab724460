//! What a measurement costs in time.

use std::hint::black_box;
use std::time::Duration;

/// Rounds, of which the best counts, at most.
const ROUNDS: usize = 9;
/// No further round is begun after so long.
const ENOUGH: Duration = Duration::from_millis(1500);

/// Gives the shortest time that the work took, with what it gave.
pub(crate) fn best<T>(mut work: impl FnMut() -> T) -> (Duration, T) {
    let began = spent();
    let (mut least, mut result) = round(&mut work);
    for _ in 1..ROUNDS {
        if spent() - began > ENOUGH {
            break;
        }
        let (time, again) = round(&mut work);
        (least, result) = (least.min(time), again);
    }
    (least, result)
}

/// Works that are measured side by side: a round of each in turn, so that whatever else slows the
/// machine for a while slows all of them.
pub(crate) fn best_of_each(works: &mut [Box<dyn FnMut() -> u64 + '_>]) -> Vec<(Duration, u64)> {
    let mut bests = vec![(Duration::MAX, 0); works.len()];
    for _ in 0..ROUNDS {
        // What is so slow is known well enough after one round.
        for (work, best) in works.iter_mut().zip(&mut bests) {
            if best.0 != Duration::MAX && best.0 > ENOUGH {
                continue;
            }
            let (time, result) = round(work);
            *best = (best.0.min(time), result);
        }
    }
    bests
}

/// Gives megabytes (10⁶ bytes) a second.
pub(crate) fn rate(bytes: usize, time: Duration) -> f64 {
    bytes as f64 / 1e6 / time.as_secs_f64()
}

fn round<T>(work: &mut impl FnMut() -> T) -> (Duration, T) {
    let began = spent();
    let result = black_box(work());
    (spent() - began, result)
}

/// The time that this thread has had on a core.
#[cfg(unix)]
fn spent() -> Duration {
    let spent = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(spent.tv_sec.unsigned_abs(), u32::try_from(spent.tv_nsec).unwrap_or(0))
}

/// The time that has passed since the first call.
#[cfg(not(unix))]
fn spent() -> Duration {
    use std::time::Instant;

    static FIRST: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
    #[expect(clippy::disallowed_methods, reason = "a benchmark measures time")]
    FIRST.get_or_init(Instant::now).elapsed()
}
