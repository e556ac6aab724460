//! What one reader may have at once: streams, each of which holds a task, a buffer and its share of the
//! readers' pool; and alerts, each of which is an entry on the audit trail for good.
//!
//! Readers are as many as the command line has added, so none is forgotten.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use std::time::Duration;

use redshank_proto::id::ReaderId;
use tokio::time::Instant;
use tonic::Status;

use crate::ingest::pace::{Pace, Rate};

/// Streams of one reader: two instances of a service, each with a snapshot beside its subscription.
const OF_ONE_READER: usize = 4;

/// Alerts that go to one reader: a snapshot of all its schools at once, then more than its people can read.
const ALERTS: Rate = Rate { burst: 10_000, per_second: 20 };

/// What readers have open. Clones share the count.
#[derive(Debug, Clone)]
pub(super) struct Streams {
    by_reader: Arc<Mutex<HashMap<ReaderId, Open>>>,
    began: Instant,
}

#[derive(Debug)]
struct Open {
    streams: usize,
    alerts: Pace,
}

/// One open stream; given back when dropped.
#[derive(Debug)]
pub(super) struct OpenStream {
    streams: Streams,
    reader: ReaderId,
}

impl Default for Streams {
    fn default() -> Self {
        Self { by_reader: Arc::default(), began: Instant::now() }
    }
}

impl Streams {
    /// Counts one more.
    ///
    /// # Errors
    /// `RESOURCE_EXHAUSTED` if the reader has as many as it may.
    pub(super) fn take(&self, reader: ReaderId) -> Result<OpenStream, Status> {
        self.with(reader, |open, _| {
            if open.streams >= OF_ONE_READER {
                return Err(Status::resource_exhausted(
                    "this reader has 4 streams open: end one first",
                ));
            }
            open.streams += 1;
            Ok(OpenStream { streams: self.clone(), reader })
        })
    }

    fn with<T>(&self, reader: ReaderId, act: impl FnOnce(&mut Open, Duration) -> T) -> T {
        let now = self.began.elapsed();
        let mut by_reader = self.by_reader.lock().unwrap_or_else(PoisonError::into_inner);
        let new = || Open { streams: 0, alerts: Pace::new(ALERTS, now) };
        act(by_reader.entry(reader).or_insert_with(new), now)
    }
}

impl OpenStream {
    /// Takes so many alerts; says how long to wait before they go out.
    #[must_use]
    pub(super) fn take_alerts(&self, count: usize) -> Duration {
        self.streams.with(self.reader, |open, now| {
            let owed = open.alerts.owed(now);
            open.alerts.take(count, now);
            owed
        })
    }
}

impl Drop for OpenStream {
    fn drop(&mut self) {
        self.streams.with(self.reader, |open, _| open.streams = open.streams.saturating_sub(1));
    }
}

#[cfg(test)]
mod tests {
    use redshank_proto::clock::System;

    use super::*;

    #[test]
    fn a_reader_has_so_many_streams_and_gets_back_what_it_ends() {
        let streams = Streams::default();
        let (reader, other) = (ReaderId::draw(&System), ReaderId::draw(&System));
        let mut open: Vec<_> = (0..OF_ONE_READER).map(|_| streams.take(reader).unwrap()).collect();
        assert_eq!(streams.take(reader).unwrap_err().code(), tonic::Code::ResourceExhausted);
        assert!(streams.take(other).is_ok());
        open.pop();
        assert!(streams.take(reader).is_ok());
    }

    #[test]
    fn alerts_wait_past_the_burst_on_whichever_stream_they_go_out() {
        let streams = Streams::default();
        let (reader, other) = (ReaderId::draw(&System), ReaderId::draw(&System));
        assert_eq!(streams.take(reader).unwrap().take_alerts(10_200), Duration::ZERO);
        let wait = streams.take(reader).unwrap().take_alerts(1);
        assert!((8..=10).contains(&wait.as_secs()), "{wait:?}");
        assert_eq!(streams.take(other).unwrap().take_alerts(1), Duration::ZERO);
    }
}
