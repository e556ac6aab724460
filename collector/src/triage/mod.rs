//! Triage: from the event log to alerts, by a cursor.
//!
//! ```text
//! event log ─► opening ─► admission ─► attribution ─► routing ─► fold ─► priority ─► alert, viewers, change
//!              unseal     bounds       who it was     who may     which   how soon
//!              (outside the writer)    (asset log)    not see it  alert   and why
//! ```
//! - **Once.** The cursor moves in the transaction that writes what its events became. A crash at any moment
//!   leaves a batch done or not begun; two triages at once do no position twice; and an event that is in an
//!   alert does not get into another, even if a cursor were set back.
//! - **Pure where it decides.** `attribution`, `routing`, `fold`, `priority` and `occurrence` are functions of
//!   their arguments with a table of tests each; `raising` fetches what they need and writes what they say.
//! - **A poison event blinds nobody.** What cannot be opened, breaks a bound or fails to be written is tried
//!   twice, then parked with the name of the check that failed, a technician's alarm is raised, and the
//!   cursor moves on. A machine that fails (disk full, busy, I/O) is no event's fault: the same is tried
//!   again after a pause, however often, and nothing is parked. An event whose content is of a kind unknown
//!   here is parked too, unless it has a match: then it is an alert like any other.
//! - **What has no match** becomes a visit for the browsing around an alert, a line of the weekly summary
//!   (programs, media), a number (requests that the filter blocked) or the record that a notice was shown.
//! - **Every match is an alert**, or part of one, whatever its severity: the queue's order keeps the minor
//!   ones below. An event with several matches goes where its most severe one belongs.
//! - Triage wakes when something was committed, and on a slow tick, because a notification is a hint only.

mod admission;
mod attribution;
mod fold;
mod occurrence;
mod opening;
mod priority;
mod raising;
mod routing;
#[cfg(test)]
pub(crate) mod scene;
#[cfg(test)]
mod tests;

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use self::admission::Refusal;
use self::opening::{Opened, Opener};
use crate::keys::KeyRing;
use crate::store::alarms::AlarmKind;
use crate::store::cursors::{Cursor, ParkedEvent, may_be_the_event_s_fault};
use crate::store::log::LoggedEvent;
use crate::store::{Edit, Purpose, Scope, Store, StoreError};

pub(crate) use self::routing::{is_kept_from, is_kept_from_account};

/// Triage's name among the cursors.
pub const CURSOR: &str = "triage";

/// Events in one transaction: 64 of the largest are 4 MiB in memory, and the first waits for the others no
/// longer than a few milliseconds.
const BATCH: u32 = 64;
/// How long triage sleeps at most while the log seems not to move.
const TICK: Duration = Duration::from_secs(5);
/// How long it waits after the store has failed.
const AFTER_FAILURE: Duration = Duration::from_secs(1);
/// Failures at one position after which it is parked.
const ATTEMPTS: u32 = 2;

/// Follows the event log until `cancel`.
pub async fn run(store: Store, keys: KeyRing, cancel: CancellationToken) {
    let mut changed = store.changed();
    let mut triage = Triage::new(store, keys);
    while !cancel.is_cancelled() {
        changed.mark_unchanged();
        let pause = match triage.batch().await {
            Ok(Progress::More) => continue,
            Ok(Progress::CaughtUp) => TICK,
            Err(error) => {
                tracing::error!(%error, "triage could not write; it tries again");
                AFTER_FAILURE
            }
        };
        tokio::select! {
            () = cancel.cancelled() => break,
            () = tokio::time::sleep(pause) => {}
            Ok(()) = changed.changed(), if pause == TICK => {}
        }
    }
}

/// Whether there may be more to do at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Progress {
    More,
    CaughtUp,
}

/// The one that follows the log.
struct Triage {
    store: Store,
    scope: Scope,
    opener: Opener,
}

/// An event, and what opening it gave.
type Prepared = (LoggedEvent, Result<Opened, Refusal>);

impl Triage {
    fn new(store: Store, keys: KeyRing) -> Self {
        let scope = Scope::system(Purpose::Triage);
        Self { opener: Opener::new(store.clone(), keys), store, scope }
    }

    /// Does the next few events. If writing them fails, it does the first alone, so that the one at fault is
    /// found and no other is held up by it.
    async fn batch(&mut self) -> Result<Progress, StoreError> {
        let Some((cursor, events)) = self.next(BATCH).await? else {
            return Ok(Progress::CaughtUp);
        };
        if let Err(error) = self.write(cursor, events).await {
            tracing::warn!(%error, position = cursor.position, "a batch of events failed; one at a time");
            self.single().await?;
        }
        Ok(Progress::More)
    }

    async fn single(&mut self) -> Result<(), StoreError> {
        let Some((cursor, events)) = self.next(1).await? else { return Ok(()) };
        let Some(event) = events.first().map(|(event, _)| without_content(event)) else {
            return Ok(());
        };
        match self.write(cursor, events).await {
            Ok(()) => Ok(()),
            Err(error) if !may_be_the_event_s_fault(&error) => Err(error),
            Err(_) => {
                self.store
                    .write(&self.scope, move |edit| {
                        let next = failed(edit, cursor, &event, "it could not be written")?;
                        edit.advance_cursor(CURSOR, cursor, next)
                    })
                    .await
            }
        }
    }

    async fn next(&mut self, limit: u32) -> Result<Option<(Cursor, Vec<Prepared>)>, StoreError> {
        let read = self.store.read(&self.scope, move |view| {
            let cursor = view.cursor(CURSOR)?;
            Ok((cursor, view.events_after(cursor.position, limit)?))
        });
        let (cursor, events) = read.await?;
        let mut prepared = Vec::with_capacity(events.len());
        for event in events {
            let opened = self.opener.open(&event).await?;
            prepared.push((event, opened));
        }
        Ok((!prepared.is_empty()).then_some((cursor, prepared)))
    }

    /// Commits what the events become, up to the first that fails for the first time.
    async fn write(&self, seen: Cursor, events: Vec<Prepared>) -> Result<(), StoreError> {
        self.store
            .write(&self.scope, move |edit| {
                edit.hold_cursor(CURSOR, seen)?;
                let mut cursor = seen;
                for (event, opened) in &events {
                    match opened {
                        Ok(Opened::Content(content)) => {
                            raising::raise(edit, event, content)?;
                            cursor = done(event);
                        }
                        Ok(Opened::Expired) => cursor = done(event),
                        Err(refusal) => {
                            cursor = failed(edit, cursor, event, refusal.reason())?;
                            if cursor.failures > 0 {
                                break;
                            }
                        }
                    }
                }
                edit.advance_cursor(CURSOR, seen, cursor)
            })
            .await
    }
}

fn done(event: &LoggedEvent) -> Cursor {
    Cursor { position: event.position, failures: 0 }
}

/// Where the cursor goes after an event failed: it stays and counts, or parks the event and moves on.
fn failed(
    edit: &Edit<'_>,
    cursor: Cursor,
    event: &LoggedEvent,
    reason: &'static str,
) -> Result<Cursor, StoreError> {
    let failures = cursor.failures + 1;
    if failures < ATTEMPTS {
        return Ok(Cursor { failures, ..cursor });
    }
    tracing::warn!(position = event.position, device = %event.device, reason, "an event was parked");
    let parked = ParkedEvent {
        position: event.position,
        school: event.school,
        device: event.device,
        reason,
    };
    edit.park(CURSOR, parked)?;
    edit.raise_alarm(event.school, Some(event.device), AlarmKind::ParkedEvent, 1)?;
    Ok(done(event))
}

/// What parking needs of an event.
fn without_content(event: &LoggedEvent) -> LoggedEvent {
    LoggedEvent { sealed: None, ..event.clone() }
}
