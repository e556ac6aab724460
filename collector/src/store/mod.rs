//! The collector's store: SQLCipher, one writer, many readers, nothing without a [`Scope`].
//!
//! - **One writer thread** owns the one connection that writes. Jobs come through a bounded queue and are
//!   committed in groups: each job runs in a savepoint of its own, the group in one transaction, and no
//!   caller hears of success before `COMMIT` has returned with `synchronous=FULL`. So an acknowledgement
//!   means durable, and a hundred devices cost one `fdatasync`.
//! - **Readers** are a pool of `query_only` connections; WAL lets them read while the writer writes.
//! - **Scopes.** [`Store::read`] and [`Store::write`] take a [`Scope`] and hand the job a [`View`] or an
//!   [`Edit`]. Both show their SQL to the modules of this folder alone, one module per noun, so that every
//!   statement stands beside the rule of who may see what it returns.
//! - **Encrypted at rest** under a key that the root key wraps. `secure_delete` overwrites what is deleted.
//! - [`Store::changed`] tells cursors that something was committed. They also wake on a slow tick: a
//!   notification is a hint, the log is the truth.

pub mod alarms;
pub mod alerts;
pub mod assets;
pub mod audit;
pub mod changes;
pub mod cursors;
pub mod devices;
pub mod exemptions;
pub mod filtering;
pub mod keys;
pub mod log;
pub mod notices;
pub mod notices_shown;
pub mod persons;
mod pool;
pub mod readers;
pub mod schools;
mod scope;
pub mod sessions;
pub mod sightings;
pub mod tokens;
pub mod unknown;
pub mod users;
mod value;
pub mod visits;
mod writer;

use std::fs::OpenOptions;
#[cfg(unix)]
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::Arc;

use redshank_proto::clock::{Clock, Randomness};
use redshank_proto::id::{Generation, NotAnId};
use rusqlite::{Connection, OpenFlags};
use tokio::sync::watch;
use zeroize::Zeroizing;

pub use self::pool::View;
pub use self::scope::{Purpose, Role, Schools, Scope, Viewer};
pub use self::writer::Edit;

/// Version of `schema.sql`, kept in `user_version`.
const SCHEMA_VERSION: i64 = 3;
/// Marks our databases among SQLite's (`application_id`): "RSHK".
const APPLICATION_ID: i64 = 0x5253_484b;

/// Why the store did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The viewer may not, or the school is another. Looks like absence to whoever asks from outside.
    #[error("out of scope")]
    OutOfScope,
    /// There is no such thing, as far as the viewer may know.
    #[error("no such {0}")]
    Missing(&'static str),
    /// It stands in a state in which this cannot be done.
    #[error("{0}")]
    Conflict(&'static str),
    /// SQLite failed.
    #[error("the database failed")]
    Sqlite(#[from] rusqlite::Error),
    /// What was read is not what was written: a damaged or foreign database.
    #[error("the database holds a malformed {0}")]
    Malformed(&'static str),
    /// The file is not a collector's database, or the key is another's.
    #[error("{path}: {reason}")]
    Open {
        /// The file.
        path: String,
        /// What is wrong, and the way out.
        reason: String,
    },
    /// The group of writes could not be committed; nothing of it was written.
    #[error("the database could not commit")]
    NotCommitted,
    /// The store is shutting down.
    #[error("the store is shutting down")]
    Closed,
}

impl From<NotAnId> for StoreError {
    fn from(error: NotAnId) -> Self {
        Self::Malformed(error.what)
    }
}

/// The store. Clones share it.
#[derive(Debug, Clone)]
pub struct Store {
    writer: Arc<writer::Writer>,
    readers: Arc<pool::Pool>,
    generation: Generation,
}

/// The raw key of the database: 32 bytes.
pub type DatabaseKey = Zeroizing<[u8; 32]>;

impl Store {
    /// Makes a new database.
    ///
    /// # Errors
    /// [`StoreError::Open`] if there is a file already or it cannot be made.
    pub fn create(
        path: &Path,
        key: &DatabaseKey,
        clock: Arc<dyn Clock>,
        randomness: Arc<dyn Randomness>,
    ) -> Result<Self, StoreError> {
        make_file(path)?;
        let mut connection = connect(path, key)?;
        let tx = connection.transaction()?;
        tx.execute_batch(include_str!("schema.sql"))?;
        tx.execute(
            "INSERT INTO collector (one, generation, created_at) VALUES (1, ?1, ?2)",
            (Generation::draw(&*randomness).to_vec(), clock.now().as_microsecond()),
        )?;
        tx.pragma_update(None, "user_version", SCHEMA_VERSION)?;
        tx.pragma_update(None, "application_id", APPLICATION_ID)?;
        tx.commit()?;
        drop(connection);
        Self::open(path, key, clock, randomness)
    }

    /// Opens a database made by [`Store::create`].
    ///
    /// # Errors
    /// [`StoreError::Open`] if it is missing, another program's, of another version, or the key is wrong.
    pub fn open(
        path: &Path,
        key: &DatabaseKey,
        clock: Arc<dyn Clock>,
        randomness: Arc<dyn Randomness>,
    ) -> Result<Self, StoreError> {
        let connection = connect(path, key)?;
        let version: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
        let application: i64 =
            connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
        if application != APPLICATION_ID || version != SCHEMA_VERSION {
            return Err(failed(path, "is not a database of this version of redshank-collector"));
        }
        let generation: Vec<u8> =
            connection.query_row("SELECT generation FROM collector", [], |row| row.get(0))?;
        let readers = pool::Pool::open(|| connect(path, key))?;
        Ok(Self {
            writer: Arc::new(writer::Writer::start(connection, clock, randomness)?),
            readers: Arc::new(readers),
            generation: Generation::try_from(generation.as_slice())?,
        })
    }

    /// The generation of this log.
    #[must_use]
    pub fn generation(&self) -> Generation {
        self.generation
    }

    /// Reads, on a thread where blocking is allowed.
    ///
    /// # Errors
    /// What `job` returns, or [`StoreError::Closed`].
    pub async fn read<T, F>(&self, scope: &Scope, job: F) -> Result<T, StoreError>
    where
        F: FnOnce(&View<'_>) -> Result<T, StoreError> + Send + 'static,
        T: Send + 'static,
    {
        self.readers.read(scope.clone(), job).await
    }

    /// Writes; returns once what was written is durable. A job that fails leaves no trace.
    ///
    /// # Errors
    /// What `job` returns, the commit's error, or [`StoreError::Closed`].
    pub async fn write<T, F>(&self, scope: &Scope, job: F) -> Result<T, StoreError>
    where
        F: FnOnce(&Edit<'_>) -> Result<T, StoreError> + Send + 'static,
        T: Send + 'static,
    {
        self.writer.write(scope.clone(), job).await
    }

    /// Counts commits: whoever follows a log waits for a change here, and looks at the log itself.
    #[must_use]
    pub fn changed(&self) -> watch::Receiver<u64> {
        self.writer.committed()
    }
}

/// Makes the empty file that becomes the database, for its owner alone. SQLite would make it by the umask;
/// its log and index take on the mode of the database.
fn make_file(path: &Path) -> Result<(), StoreError> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    options.mode(0o600);
    options.open(path).map(drop).map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => {
            failed(path, "is there already; choose an empty folder")
        }
        _ => failed(path, &format!("cannot be made ({error})")),
    })
}

fn connect(path: &Path, key: &DatabaseKey) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)
        .map_err(|error| failed(path, &format!("cannot be opened ({error})")))?;
    // A raw key (x'…') skips SQLCipher's own derivation: ours is 256 random bits already.
    let pragma =
        Zeroizing::new(format!("PRAGMA key = \"x'{}'\"", data_encoding::HEXLOWER.encode(&**key)));
    connection.execute_batch(&pragma)?;
    connection
        .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get::<_, i64>(0))
        .map_err(|_| {
            failed(path, "does not open with this root key; restore the key that made it")
        })?;
    connection.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;
         PRAGMA secure_delete = ON; PRAGMA temp_store = MEMORY; PRAGMA trusted_schema = OFF;
         PRAGMA busy_timeout = 10000; PRAGMA journal_size_limit = 67108864;",
    )?;
    connection.set_prepared_statement_cache_capacity(128);
    Ok(connection)
}

fn failed(path: &Path, reason: &str) -> StoreError {
    StoreError::Open { path: path.display().to_string(), reason: reason.to_owned() }
}

#[cfg(test)]
pub(crate) mod tests;
