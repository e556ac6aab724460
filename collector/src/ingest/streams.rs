//! One stream for each device: the newest.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use redshank_proto::id::DeviceId;
use tokio_util::sync::{CancellationToken, WaitForCancellationFuture};

/// The open streams. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct Streams(Arc<Mutex<HashMap<DeviceId, CancellationToken>>>);

/// A device's stream; it leaves when it is dropped.
#[derive(Debug)]
pub struct StreamPlace {
    streams: Streams,
    device: DeviceId,
    token: CancellationToken,
}

impl Streams {
    /// Enters a device's stream, and ends the one before it.
    #[must_use]
    pub fn enter(&self, device: DeviceId) -> StreamPlace {
        let token = CancellationToken::new();
        let mut streams = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(older) = streams.insert(device, token.clone()) {
            older.cancel();
        }
        StreamPlace { streams: self.clone(), device, token }
    }
}

impl StreamPlace {
    /// Waits until a newer stream of the device has entered.
    pub fn superseded(&self) -> WaitForCancellationFuture<'_> {
        self.token.cancelled()
    }
}

impl Drop for StreamPlace {
    fn drop(&mut self) {
        // A place that was superseded is no longer in the map: a newer one is.
        if !self.token.is_cancelled() {
            self.streams.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.device);
        }
    }
}

#[cfg(test)]
mod tests {
    use redshank_proto::clock::System;

    use super::*;

    #[test]
    fn the_newest_stream_of_a_device_ends_the_one_before_it_and_no_other() {
        let streams = Streams::default();
        let (one, other) = (DeviceId::draw(&System), DeviceId::draw(&System));
        let first = streams.enter(one);
        let unrelated = streams.enter(other);
        let second = streams.enter(one);
        assert!(first.token.is_cancelled());
        assert!(!second.token.is_cancelled() && !unrelated.token.is_cancelled());
        drop(first);
        assert_eq!(streams.0.lock().unwrap().len(), 2, "the second is still there");
        drop((second, unrelated));
        assert!(streams.0.lock().unwrap().is_empty());
    }
}
