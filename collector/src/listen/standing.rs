//! What changes while the collector runs and a connection must hear of: refused certificates, newer
//! policies, schools that were added.
//!
//! The command line changes the database from a process of its own, of which no commit here tells, so this
//! looks again every second. A connection whose certificate is refused ends within that second; a new
//! stream asks the database itself and is refused at once.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use redshank_proto::clock::Clock;
use redshank_proto::id::SchoolId;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::keys::KeyRing;
use crate::store::devices::enrolling::Serial;
use crate::store::{Purpose, Scope, Store, StoreError};

/// How often the database is looked at: two small queries.
const EVERY: Duration = Duration::from_secs(1);

/// The serial of each school's newest policy.
pub type PolicySerials = Arc<HashMap<SchoolId, u64>>;

/// What is refused, and what is newest. Clones share it.
#[derive(Debug, Clone)]
pub struct Standing(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    /// Ends every connection.
    closing: Arc<CancellationToken>,
    /// For each certificate in use, what ends its connections, which hold it.
    endings: Mutex<HashMap<Serial, Weak<CancellationToken>>>,
    policies: watch::Sender<PolicySerials>,
}

impl Standing {
    /// Nothing is refused yet; everything ends with `closing`.
    #[must_use]
    pub fn new(closing: CancellationToken) -> Self {
        let policies = watch::channel(PolicySerials::default()).0;
        let closing = Arc::new(closing);
        Self(Arc::new(Inner { closing, endings: Mutex::default(), policies }))
    }

    /// The policies' serials, and word of each change.
    #[must_use]
    pub fn policies(&self) -> watch::Receiver<PolicySerials> {
        self.0.policies.subscribe()
    }

    /// What ends a connection, as long as it holds it: its certificate's refusal, or the collector's closing.
    #[must_use]
    pub fn ending(&self, certificate: Option<Serial>) -> Arc<CancellationToken> {
        let Some(serial) = certificate else { return self.0.closing.clone() };
        let mut endings = self.0.endings.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(ending) = endings.get(&serial).and_then(Weak::upgrade) {
            return ending;
        }
        let ending = Arc::new(self.0.closing.child_token());
        endings.insert(serial, Arc::downgrade(&ending));
        ending
    }

    /// Looks at the database until `stopping`, and has the ring read again.
    pub async fn follow(
        self,
        store: Store,
        ring: KeyRing,
        clock: Arc<dyn Clock>,
        stopping: CancellationToken,
    ) {
        let mut ticks = tokio::time::interval(EVERY);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = stopping.cancelled() => return,
                _ = ticks.tick() => {}
            }
            if let Err(error) = self.look(&store, &*clock).await {
                tracing::error!(%error, "refused certificates could not be read");
            }
            if let Err(error) = ring.refresh(&store).await {
                tracing::error!(%error, "the keys could not be read again");
            }
        }
    }

    /// Looks at the database once.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails; nothing changes then.
    pub async fn look(&self, store: &Store, clock: &dyn Clock) -> Result<(), StoreError> {
        let (now, scope) = (clock.now(), Scope::system(Purpose::Start));
        let read = store.read(&scope, move |view| {
            Ok((view.refused_certificates(now)?, view.policy_serials()?))
        });
        let (refused, serials) = read.await?;
        self.end(&refused.into_iter().collect());
        let serials: HashMap<_, _> = serials.into_iter().collect();
        self.0.policies.send_if_modified(|held| {
            let changed = **held != serials;
            if changed {
                *held = Arc::new(serials);
            }
            changed
        });
        Ok(())
    }

    /// Ends what is refused, and forgets certificates that have no connection any more.
    fn end(&self, refused: &HashSet<Serial>) {
        let mut endings = self.0.endings.lock().unwrap_or_else(PoisonError::into_inner);
        endings.retain(|serial, ending| {
            let Some(ending) = ending.upgrade() else { return false };
            if refused.contains(serial) {
                ending.cancel();
            }
            !ending.is_cancelled()
        });
    }
}
