//! What one device may send, across all its streams: connecting again gives nothing back.
//!
//! Two [`pace`](super::pace)s say when its next message is read. A third, of bytes, bounds what it can make
//! the store keep: past it a stream is ended instead of being read later, because the wait would be hours.
//! Nothing is refused for good; the device's own spool holds the rest.
//!
//! A device is forgotten once all it may send is there again, which changes nothing, and at the bound the
//! one that has been silent longest.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use redshank_proto::id::DeviceId;
use tokio::time::Instant;

use super::pace::{EVENTS, OTHERS, Pace, Rate};

/// Bytes kept of one device: at once twice what a full spool of an agent holds, and as many again in a day. A
/// pupil who browses all day makes a few MiB.
pub const KEPT: Rate = Rate { burst: 256 * 1024 * 1024, per_second: 256 * 1024 * 1024 / 86_400 };
/// Bytes of the store that an event costs beside its content: its rows and their indexes. Without it, a
/// flood of empty events would be free.
const EVENT_BYTES: usize = 512;
/// Devices kept track of: those of some sixty schools, in 8 MiB.
const DEVICES: usize = 65_536;

/// What each device may send. Clones share it.
#[derive(Debug, Clone)]
pub struct Allowances {
    by_device: Arc<Mutex<HashMap<DeviceId, Allowance>>>,
    began: Instant,
}

impl Default for Allowances {
    fn default() -> Self {
        Self { by_device: Arc::default(), began: Instant::now() }
    }
}

impl Allowances {
    /// What is left of a device's; lives as long as its stream.
    #[must_use]
    pub fn of(&self, device: DeviceId) -> DeviceAllowance {
        DeviceAllowance { all: self.clone(), device }
    }

    fn with<T>(&self, device: DeviceId, act: impl FnOnce(&mut Allowance, Duration) -> T) -> T {
        let now = self.began.elapsed();
        let mut by_device = self.by_device.lock().unwrap_or_else(PoisonError::into_inner);
        if by_device.len() >= DEVICES && !by_device.contains_key(&device) {
            make_room(&mut by_device, now);
        }
        act(by_device.entry(device).or_insert_with(|| Allowance::new(now)), now)
    }
}

/// Forgets the devices that may send all again, or at least the one that has been silent longest.
fn make_room(by_device: &mut HashMap<DeviceId, Allowance>, now: Duration) {
    by_device.retain(|_, allowance| !allowance.is_whole(now));
    if by_device.len() >= DEVICES {
        let silent = by_device.iter().min_by_key(|(_, allowance)| allowance.used_at);
        if let Some(device) = silent.map(|(device, _)| *device) {
            by_device.remove(&device);
        }
    }
}

/// What one device may send, seen from its stream.
#[derive(Debug)]
pub struct DeviceAllowance {
    all: Allowances,
    device: DeviceId,
}

impl DeviceAllowance {
    /// Waits until a batch may be read.
    pub async fn wait_for_events(&self) {
        tokio::time::sleep(self.events_owed()).await;
    }

    fn events_owed(&self) -> Duration {
        self.all.with(self.device, |allowance, now| allowance.events.owed(now))
    }

    /// Takes a batch of so many events with so many sealed bytes in all; says whether they may be kept.
    #[must_use]
    pub fn take_events(&self, count: usize, bytes: usize) -> bool {
        self.all.with(self.device, |allowance, now| allowance.take_events(count, bytes, now))
    }

    /// Waits until a message without events may be read, and takes it.
    pub async fn take_other(&self) {
        tokio::time::sleep(self.others_owed()).await;
        self.all.with(self.device, |allowance, now| {
            allowance.used_at = now;
            allowance.others.take(1, now);
        });
    }

    fn others_owed(&self) -> Duration {
        self.all.with(self.device, |allowance, now| allowance.others.owed(now))
    }
}

#[derive(Debug)]
struct Allowance {
    events: Pace,
    others: Pace,
    kept: Pace,
    used_at: Duration,
}

impl Allowance {
    fn new(now: Duration) -> Self {
        let [events, others, kept] = [EVENTS, OTHERS, KEPT].map(|rate| Pace::new(rate, now));
        Self { events, others, kept, used_at: now }
    }

    fn take_events(&mut self, count: usize, bytes: usize, now: Duration) -> bool {
        self.used_at = now;
        self.events.take(count, now);
        let kept = self.kept.owed(now).is_zero();
        if kept {
            self.kept.take(bytes.saturating_add(count.saturating_mul(EVENT_BYTES)), now);
        }
        kept
    }

    fn is_whole(&self, now: Duration) -> bool {
        [&self.events, &self.others, &self.kept].iter().all(|pace| pace.is_full(now))
    }
}

#[cfg(test)]
mod tests {
    use redshank_proto::bounds;
    use redshank_proto::clock::System;

    use super::*;

    #[tokio::test]
    async fn a_new_stream_gives_no_new_burst() {
        let allowances = Allowances::default();
        let (device, other) = (DeviceId::draw(&System), DeviceId::draw(&System));
        // A burst and 100 seconds' worth.
        assert!(allowances.of(device).take_events(30_000, 0));
        let owed = allowances.of(device).events_owed();
        assert!((90..=100).contains(&owed.as_secs()), "{owed:?}");
        assert_eq!(allowances.of(device).others_owed(), Duration::ZERO);
        assert_eq!(allowances.of(other).events_owed(), Duration::ZERO);
        // On a slow machine some come back while they are taken.
        for _ in 0..2 * OTHERS.burst {
            if allowances.of(device).others_owed().is_zero() {
                allowances.of(device).take_other().await;
            }
        }
        assert!(!allowances.of(device).others_owed().is_zero());
        assert_eq!(allowances.of(other).others_owed(), Duration::ZERO);
    }

    #[test]
    fn what_is_kept_of_a_device_is_bounded_and_comes_back_within_the_day() {
        for (count, bytes) in [(16, bounds::BATCH_BYTES), (bounds::BATCH_EVENTS, 0)] {
            let mut allowance = Allowance::new(Duration::ZERO);
            let batches = std::iter::repeat_with(|| {
                allowance.take_events(count, bytes, Duration::from_secs(1))
            });
            let kept = batches.take_while(|kept| *kept).count();
            let largest = usize::try_from(KEPT.burst).unwrap();
            assert!((kept - 1) * (bytes + count * EVENT_BYTES) <= largest, "{kept}");
            let day = Duration::from_secs(86_400);
            assert!(!allowance.take_events(count, bytes, Duration::from_secs(2)));
            assert!(allowance.take_events(count, bytes, day / 24));
            assert!(allowance.kept.is_full(2 * day + day / 24));
        }
    }

    #[test]
    fn memory_is_bounded_and_whoever_owes_is_forgotten_last() {
        let mut by_device = HashMap::new();
        let owing = DeviceId::draw(&System);
        by_device.insert(owing, Allowance::new(Duration::ZERO));
        let spent = by_device.get_mut(&owing).unwrap();
        assert!(spent.take_events(30_000, 0, Duration::from_secs(5)));
        for _ in 1..DEVICES {
            by_device.insert(DeviceId::draw(&System), Allowance::new(Duration::ZERO));
        }
        make_room(&mut by_device, Duration::from_secs(6));
        assert_eq!(by_device.keys().collect::<Vec<_>>(), [&owing]);

        let mut busy = HashMap::new();
        for at in 0..DEVICES {
            let mut allowance = Allowance::new(Duration::ZERO);
            let at = Duration::from_micros(u64::try_from(at).unwrap());
            assert!(allowance.take_events(1, 64 * 1024, at));
            busy.insert(DeviceId::draw(&System), allowance);
        }
        make_room(&mut busy, Duration::from_secs(1));
        assert_eq!(busy.len(), DEVICES - 1);
        assert!(busy.values().all(|allowance| !allowance.used_at.is_zero()));
    }
}
