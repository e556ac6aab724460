//! The readers: a few connections that cannot write, each lent to one reading at a time.

use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::Connection;
use tokio::sync::Semaphore;

use super::{Scope, StoreError};

/// Readings at once. More would wait for the disk instead of for a connection, and each keeps a page cache.
const READERS: usize = 6;

/// A reading: a scope, and a connection that only the store's modules see.
#[derive(Debug)]
pub struct View<'a> {
    connection: &'a Connection,
    scope: &'a Scope,
}

impl<'a> View<'a> {
    /// Who asks.
    #[must_use]
    pub fn scope(&self) -> &'a Scope {
        self.scope
    }

    pub(in crate::store) fn sql(&self) -> &'a Connection {
        self.connection
    }

    pub(in crate::store) fn new(connection: &'a Connection, scope: &'a Scope) -> Self {
        Self { connection, scope }
    }
}

#[derive(Debug)]
pub(super) struct Pool {
    permits: Arc<Semaphore>,
    idle: Arc<Mutex<Vec<Connection>>>,
}

impl Pool {
    pub(super) fn open(
        connect: impl Fn() -> Result<Connection, StoreError>,
    ) -> Result<Self, StoreError> {
        let mut idle = Vec::with_capacity(READERS);
        for _ in 0..READERS {
            let connection = connect()?;
            connection.pragma_update(None, "query_only", true)?;
            idle.push(connection);
        }
        Ok(Self { permits: Arc::new(Semaphore::new(READERS)), idle: Arc::new(Mutex::new(idle)) })
    }

    pub(super) async fn read<T, F>(&self, scope: Scope, job: F) -> Result<T, StoreError>
    where
        F: FnOnce(&View<'_>) -> Result<T, StoreError> + Send + 'static,
        T: Send + 'static,
    {
        let permit = self.permits.clone().acquire_owned().await.map_err(|_| StoreError::Closed)?;
        let lent = Lent::take(&self.idle)?;
        tokio::task::spawn_blocking(move || {
            let connection = lent.connection.as_ref().ok_or(StoreError::Closed)?;
            // One transaction, so that a job of several statements reads one state.
            let tx = connection.unchecked_transaction()?;
            let result = job(&View::new(&tx, &scope));
            tx.finish()?;
            drop(lent);
            // Goes back with its connection, also when whoever asked has gone in the meantime.
            drop(permit);
            result
        })
        .await
        .map_err(|_| StoreError::Closed)?
    }
}

/// A connection that goes back to the pool whatever happens to the job.
struct Lent {
    connection: Option<Connection>,
    home: Arc<Mutex<Vec<Connection>>>,
}

impl Lent {
    fn take(home: &Arc<Mutex<Vec<Connection>>>) -> Result<Self, StoreError> {
        let connection =
            home.lock().unwrap_or_else(PoisonError::into_inner).pop().ok_or(StoreError::Closed)?;
        Ok(Self { connection: Some(connection), home: home.clone() })
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take() {
            self.home.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
        }
    }
}
