//! How many streams a reader has open: each holds a task, a buffer and its share of the readers' pool.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use redshank_proto::id::ReaderId;
use tonic::Status;

/// Streams of one reader: two instances of a service, each with a snapshot beside its subscription.
const OF_ONE_READER: usize = 4;

/// The open streams. Clones share the count.
#[derive(Debug, Clone, Default)]
pub(super) struct Streams(Arc<Mutex<HashMap<ReaderId, usize>>>);

/// One open stream; given back when dropped.
#[derive(Debug)]
pub(super) struct OpenStream {
    streams: Streams,
    reader: ReaderId,
}

impl Streams {
    /// Counts one more.
    ///
    /// # Errors
    /// `RESOURCE_EXHAUSTED` if the reader has as many as it may.
    pub(super) fn take(&self, reader: ReaderId) -> Result<OpenStream, Status> {
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = open.entry(reader).or_default();
        if *count >= OF_ONE_READER {
            return Err(Status::resource_exhausted(
                "this reader has 4 streams open: end one first",
            ));
        }
        *count += 1;
        Ok(OpenStream { streams: self.clone(), reader })
    }
}

impl Drop for OpenStream {
    fn drop(&mut self) {
        let mut open = self.streams.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = open.get_mut(&self.reader) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.reader);
            }
        }
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
}
