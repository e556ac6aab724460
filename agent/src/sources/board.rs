//! What all sources say of themselves, in one place.
//!
//! Each source has its own part and knows of no other. Whoever reports health reads them together.

use futures_util::stream::{StreamExt as _, select_all};
use tokio::sync::watch;
use tokio_stream::wrappers::WatchStream;
use tokio_util::sync::CancellationToken;

use super::{Coverage, publish};

/// Gathers the coverage of several sources.
#[derive(Debug)]
pub struct Board {
    parts: Vec<watch::Receiver<Vec<Coverage>>>,
    together: watch::Sender<Vec<Coverage>>,
}

impl Default for Board {
    fn default() -> Self {
        Self { parts: Vec::new(), together: watch::Sender::new(Vec::new()) }
    }
}

impl Board {
    /// The part of one more source.
    #[must_use]
    pub fn part(&mut self) -> watch::Sender<Vec<Coverage>> {
        let (part, seen) = watch::channel(Vec::new());
        self.parts.push(seen);
        part
    }

    /// All parts together, in the order in which they were given out.
    #[must_use]
    pub fn together(&self) -> watch::Receiver<Vec<Coverage>> {
        self.together.subscribe()
    }

    /// Gathers until it is cancelled. A source that has ended keeps what it said last.
    pub async fn run(self, cancel: CancellationToken) {
        let mut changes = select_all(self.parts.iter().cloned().map(WatchStream::new));
        while let Some(Some(_)) = cancel.run_until_cancelled(changes.next()).await {
            let all: Vec<_> = self.parts.iter().flat_map(|part| part.borrow().clone()).collect();
            publish(&self.together, all);
        }
        cancel.cancelled().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observation::Source;
    use crate::sources::State;

    #[tokio::test]
    async fn parts_are_read_together_and_outlive_their_source() {
        let mut board = Board::default();
        let (one, other) = (board.part(), board.part());
        let mut together = board.together();
        let cancel = CancellationToken::new();
        let running = tokio::spawn(board.run(cancel.clone()));
        other.send_replace(vec![coverage("other")]);
        together.wait_for(|all| inputs(all) == ["other"]).await.unwrap();
        one.send_replace(vec![coverage("one"), coverage("one more")]);
        together.wait_for(|all| inputs(all) == ["one", "one more", "other"]).await.unwrap();
        drop(one);
        other.send_replace(Vec::new());
        together.wait_for(|all| inputs(all) == ["one", "one more"]).await.unwrap();
        cancel.cancel();
        running.await.unwrap();
    }

    fn inputs(all: &[Coverage]) -> Vec<&str> {
        all.iter().map(|coverage| coverage.input.as_str()).collect()
    }

    fn coverage(input: &str) -> Coverage {
        Coverage { source: Source::Programs, input: input.to_owned(), state: State::Ok }
    }
}
