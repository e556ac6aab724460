//! The live queue: a stream that says *that* something has changed, never what.
//!
//! An event's name is `changed` or `ended`, its id the random cursor of the newest change that this reader may
//! know of: a change of an alert whose subject is the reader makes no tick. The page then fetches its rows, which
//! is where scope and audit are. The store's notification is a hint; a slow look of our own finds what it
//! missed, and ends the stream when the session has ended: by sign-out, disabling, or because nobody has done
//! anything for half an hour.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::{Query, State};
use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse as _, Response};
use futures_util::stream;
use http::HeaderMap;
use serde::Deserialize;
use tokio::sync::{OwnedSemaphorePermit, watch};

use super::Console;
use super::failure::Failure;
use super::who::{self, Dsl};
use crate::store::sessions::{Session, SessionToken};
use crate::store::{StoreError, View};

/// A look without a notification, and the sign of life that keeps proxies from cutting a silent stream.
const TICK: Duration = Duration::from_secs(15);
/// A burst of commits is one look.
const SETTLE: Duration = Duration::from_millis(100);

#[derive(Debug, Deserialize)]
pub(super) struct Opened {
    /// The newest change that the page has.
    seen: Option<String>,
}

/// The stream of one open queue.
pub(super) async fn stream(
    State(console): State<Console>,
    headers: HeaderMap,
    Query(opened): Query<Opened>,
    Dsl(session): Dsl,
) -> Result<Response, Failure> {
    let place = console.live.clone().try_acquire_owned().map_err(|_| Failure::Busy)?;
    let token = who::token(&headers).ok_or(Failure::SignedOut)?;
    let again = headers.get("last-event-id").and_then(|id| id.to_str().ok()).map(str::to_owned);
    let follower = Follower {
        changed: console.store.changed(),
        seen: again.or(opened.seen).unwrap_or_default(),
        console,
        session,
        token,
        _place: place,
    };
    let events = stream::unfold(Some(follower), |follower| async move {
        let mut follower = follower?;
        match follower.next().await {
            Ok(Turn::Changed(event)) => Some((Ok::<_, Infallible>(event), Some(follower))),
            Ok(Turn::Ended) => Some((Ok(Event::default().event("ended").data("ended")), None)),
            Ok(Turn::Stopping) | Err(_) => None,
        }
    });
    Ok(Sse::new(events).into_response())
}

/// The name of the newest change that the viewer may know of; empty before the first.
pub(super) fn newest(view: &View<'_>) -> Result<String, StoreError> {
    Ok(view
        .newest_change()?
        .map(|cursor| data_encoding::HEXLOWER.encode(&cursor))
        .unwrap_or_default())
}

struct Follower {
    console: Console,
    session: Session,
    token: SessionToken,
    changed: watch::Receiver<u64>,
    seen: String,
    _place: OwnedSemaphorePermit,
}

enum Turn {
    Changed(Event),
    Ended,
    Stopping,
}

impl Follower {
    /// The next event; a comment where there is nothing to say.
    async fn next(&mut self) -> Result<Turn, StoreError> {
        let mut silent = false;
        loop {
            self.changed.mark_unchanged();
            if self.console.session(&self.token).await?.is_none() {
                return Ok(Turn::Ended);
            }
            let newest = self.console.store.read(&self.session.scope(), newest).await?;
            if newest != self.seen {
                self.seen = newest;
                let event = Event::default().event("changed").id(&self.seen).data("changed");
                return Ok(Turn::Changed(event));
            }
            if silent {
                return Ok(Turn::Changed(Event::default().comment("")));
            }
            tokio::select! {
                () = self.console.stopping.cancelled() => return Ok(Turn::Stopping),
                changed = self.changed.changed() => match changed {
                    Ok(()) => tokio::time::sleep(SETTLE).await,
                    Err(_) => return Ok(Turn::Stopping),
                },
                () = tokio::time::sleep(TICK) => silent = true,
            }
        }
    }
}
