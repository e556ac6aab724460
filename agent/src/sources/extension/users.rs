//! Who is connected, and how much of the agent each account may hold.
//!
//! | | bound | so that |
//! |---|---|---|
//! | connections of an account | [`MOST_OF_ONE`] | one cannot take all places |
//! | connections in all | [`MOST`] | memory and descriptors have an end |
//! | batches under way, of an account | one ([`User::turn`]) | accounts take turns at the pipeline's one channel |
//! | long messages being read, of an account | one ([`User::long`]) | sixteen connections hold no more than one does |
//! | bytes a second, of an account | [`pace`](super::pace) | reading and judging have an end |
//!
//! An account is remembered until what it has said is paid for, so that dialling again buys nothing.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use aws_lc_rs::digest;
use tokio::sync::{Mutex as Turn, OnceCell, Semaphore};
use tokio::task::spawn_blocking;
use tokio::time::Instant;

use super::pace::Pace;
use super::sessions::AccountKey;
use crate::native::local::Peer;

/// Connections of one account: a browser's profile has one each.
pub(super) const MOST_OF_ONE: usize = 16;
/// Connections in all: a shared machine has a handful of pupils signed in at once.
pub(super) const MOST: usize = 128;
/// Accounts that are remembered; with subordinate ids one pupil may be thousands.
const MOST_USERS: usize = 1_024;

/// The accounts that are connected or have not paid yet.
#[derive(Debug, Default)]
pub(super) struct Users {
    users: HashMap<Peer, Arc<User>>,
}

/// One account.
#[derive(Debug)]
pub(super) struct User {
    peer: Peer,
    account: OnceCell<Account>,
    connections: AtomicUsize,
    pace: Mutex<Pace>,
    /// Held from the reading of a batch's items until it is durable.
    pub(super) turn: Turn<()>,
    /// Held while a long message is read and dealt with.
    pub(super) long: Semaphore,
}

/// What an account is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Account {
    /// As the history source calls it.
    pub(super) name: String,
    /// A number that tells it from others.
    pub(super) key: AccountKey,
}

/// A place among the connections, given back when dropped.
#[derive(Debug)]
pub(super) struct Admitted(Arc<User>);

impl Users {
    /// Gives a connection its place; `None` if there is none for it.
    pub(super) fn admit(&mut self, peer: Peer, now: Instant) -> Option<Admitted> {
        let open: usize = self.users.values().map(|user| user.connections()).sum();
        if open >= MOST {
            return None;
        }
        if !self.users.contains_key(&peer) {
            self.users.retain(|_, user| user.connections() > 0 || !user.pace().is_settled(now));
            if self.users.len() >= MOST_USERS {
                return None;
            }
        }
        let user = self.users.entry(peer.clone()).or_insert_with(|| Arc::new(User::new(peer, now)));
        if user.connections() >= MOST_OF_ONE {
            return None;
        }
        user.connections.fetch_add(1, Ordering::Relaxed);
        Some(Admitted(Arc::clone(user)))
    }
}

impl User {
    fn new(peer: Peer, now: Instant) -> Self {
        Self {
            peer,
            account: OnceCell::new(),
            connections: AtomicUsize::new(0),
            pace: Mutex::new(Pace::new(now)),
            turn: Turn::new(()),
            long: Semaphore::new(1),
        }
    }

    /// What the account is called; looked up once, away from this thread.
    pub(super) async fn account(&self, root: PathBuf) -> Account {
        let look_up = || async {
            let peer = self.peer.clone();
            // A look-up that panicked leaves a name that nobody has: it is nobody's word then.
            let name = spawn_blocking(move || peer.account(&root)).await.unwrap_or_default();
            let key = key_of(&name);
            Account { name, key }
        };
        self.account.get_or_init(look_up).await.clone()
    }

    /// How long to wait after something that cost so much.
    pub(super) fn spend(&self, cost: u64) -> Duration {
        self.pace().spend(cost, Instant::now())
    }

    fn pace(&self) -> MutexGuard<'_, Pace> {
        self.pace.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }
}

impl Admitted {
    /// The account that the place is taken from.
    pub(super) fn shared(&self) -> Arc<User> {
        Arc::clone(&self.0)
    }
}

impl Drop for Admitted {
    fn drop(&mut self) {
        self.0.connections.fetch_sub(1, Ordering::Relaxed);
    }
}

/// 64 bits of a digest.
pub(super) fn key_of(name: &str) -> AccountKey {
    let digest = digest::digest(&digest::SHA256, name.as_bytes());
    digest.as_ref().first_chunk().map_or(0, |bytes| u64::from_be_bytes(*bytes))
}
