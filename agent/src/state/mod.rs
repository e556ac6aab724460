//! The state folder: everything that this installation must remember, and nothing else does.
//!
//! ```text
//! <state>/                     0700, owned by the user that the agent runs as
//!   lock                       held while an agent runs
//!   agent.toml                 the technician's settings; optional, never written here
//!   identity.pem               the device's key and certificate chain
//!   enrolling-key.pem          the key of an enrolment that has not ended yet
//!   run                        the id of the last start
//!   status.json                how the agent is, for `status`
//!   copies/                    private copies of databases while they are read
//!   school-<id>/               what belongs to one school
//!     installation.toml        addresses and times
//!     trust-bundle             the signed trust bundle
//!     extra-ca.pem             a further root, if enrolment was given one
//!     log-generation           the collector's log that was last seen
//!     policy, compiled-rules   see `policy`
//!     spool                    see `spool`
//! ```
//!
//! # What always holds
//! - A file is whole: it is written beside its place, synced, renamed over it, and the folder is
//!   synced. A crash leaves the old file or the new one.
//! - `identity.pem` is written last, and names the school whose folder counts. So an enrolment cut
//!   short changes nothing: the device is enrolled as it was before, or not at all, and the key of
//!   the cut enrolment is there for the next try.
//! - One agent at a time holds the lock. The operating system lets go of it when the agent dies.
//! - A folder that somebody else owns or may write to is refused: whoever can replace the identity
//!   can speak for the device. On Windows also one that somebody else may read: what is made in it is
//!   open to whom the folder is open to.
//!
//! On Windows and macOS the same layout stands under the system's own place for such data. On Windows an
//! access list does what the mode does elsewhere: it names the system and administrators, and whoever
//! made the folder if he is neither.

mod atomic;
mod guard;
mod identity;
mod installation;
mod runs;
mod settings;

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use redshank_proto::clock::Randomness;
use redshank_proto::id::{RunId, SchoolId};

pub use self::atomic::{read_bounded, write_atomically};
use self::guard::{check_owner, make_private_dir};
pub use self::identity::{DeviceIdentity, IdentityError};
pub use self::installation::{Installation, SchoolDir, read_roots};
pub use self::runs::Runs;
pub use self::settings::{ProxySettings, Settings, SettingsError};

/// The environment variable that names the state folder.
pub const STATE_VARIABLE: &str = "REDSHANK_STATE";
/// The technician's settings within the state folder.
pub const SETTINGS_FILE: &str = "agent.toml";

const LOCK: &str = "lock";
const IDENTITY: &str = "identity.pem";
const ENROLLING_KEY: &str = "enrolling-key.pem";
const RUNS: &str = "runs";
const STATUS: &str = "status.json";
const COPIES: &str = "copies";

/// Whoever asks whether an agent runs holds the lock for an instant, which must not keep one from starting.
const LOCK_TRIES: u32 = 5;
const LOCK_PAUSE: Duration = Duration::from_millis(50);

/// A key and a chain of a few certificates, in PEM, are a tenth of this.
const IDENTITY_BYTES: u64 = 64 * 1024;
/// 66 ids of 36 bytes, a line each.
const RUNS_BYTES: u64 = 8 * 1024;
/// 256 sources with their reasons, in JSON.
const STATUS_BYTES: u64 = 1024 * 1024;

/// Why the state folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// A file or folder could not be read or written.
    #[error("{path}: {source}")]
    Io {
        /// Which.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// There is no such folder.
    #[error(
        "there is no state folder {0}; enrol this device first, or name the folder with --state"
    )]
    Missing(PathBuf),
    /// It is a link or a file.
    #[error("{0} is not a folder; name a folder with --state")]
    NotAFolder(PathBuf),
    /// Somebody else owns it.
    #[error(
        "the state folder {path} belongs to user {owner}, and this is user {user}: run as its owner, or \
         name another folder with --state"
    )]
    Owner {
        /// The folder.
        path: PathBuf,
        /// Its owner's number.
        owner: u32,
        /// The number of the user who runs this.
        user: u32,
    },
    /// Others may write to it.
    #[error(
        "others may write to the state folder {path} (mode {mode:04o}); run `chmod 700 {path}`"
    )]
    Writable {
        /// The folder.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// On Windows: somebody else owns it, or may read or write in it.
    #[error(
        "{account} may read or write in {path}, or owns it; as an administrator, run \
         `icacls \"{path}\" /setowner *S-1-5-32-544 /t` and \
         `icacls \"{path}\" /inheritance:r /grant:r *S-1-5-18:(OI)(CI)F *S-1-5-32-544:(OI)(CI)F`, \
         or name another folder with --state"
    )]
    Open {
        /// The folder.
        path: PathBuf,
        /// The account or group.
        account: String,
    },
    /// Another agent runs.
    #[error("another agent runs on the state folder {0}; stop it first")]
    Locked(PathBuf),
    /// A file that should hold root certificates does not.
    #[error("{path} holds no root certificate in PEM: {reason}")]
    NoCertificates {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A file holds something else.
    #[error("{path} is damaged: {reason}; restore it, or enrol again with --again")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
}

/// The state folder, checked.
#[derive(Debug, Clone)]
pub struct StateDir {
    path: PathBuf,
}

/// The right to be the one agent on a state folder, for as long as this lives.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl StateDir {
    /// Where this operating system keeps such data.
    #[must_use]
    pub fn default_path() -> PathBuf {
        if cfg!(windows) {
            let base = std::env::var_os("ProgramData").unwrap_or_else(|| r"C:\ProgramData".into());
            PathBuf::from(base).join("Redshank")
        } else if cfg!(target_os = "macos") {
            PathBuf::from("/Library/Application Support/Redshank")
        } else {
            PathBuf::from("/var/lib/redshank")
        }
    }

    /// Opens the folder, which must exist.
    ///
    /// # Errors
    /// [`StateError`] if it is missing, no folder, somebody else's, or open to others.
    pub fn open(path: &Path) -> Result<Self, StateError> {
        match fs::symlink_metadata(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Err(StateError::Missing(path.to_owned()))
            }
            Err(source) => Err(StateError::Io { path: path.to_owned(), source }),
            Ok(metadata) if !metadata.is_dir() => Err(StateError::NotAFolder(path.to_owned())),
            Ok(metadata) => {
                check_owner(path, &metadata)?;
                Ok(Self { path: path.to_owned() })
            }
        }
    }

    /// Opens the folder, and makes it first if it is missing.
    ///
    /// # Errors
    /// Like [`StateDir::open`], and [`StateError::Io`] if it cannot be made.
    pub fn create(path: &Path) -> Result<Self, StateError> {
        make_private_dir(path)?;
        Self::open(path)
    }

    /// The folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where the settings are unless the command line names another file.
    #[must_use]
    pub fn settings_path(&self) -> PathBuf {
        self.path.join(SETTINGS_FILE)
    }

    /// Where sources keep private copies of what they read, for as long as they read it.
    #[must_use]
    pub fn copies(&self) -> PathBuf {
        self.path.join(COPIES)
    }

    /// Takes the lock.
    ///
    /// # Errors
    /// [`StateError::Locked`] if another agent holds it.
    pub fn lock(&self) -> Result<Lock, StateError> {
        for _ in 1..LOCK_TRIES {
            if let Some(lock) = self.try_lock()? {
                return Ok(lock);
            }
            std::thread::sleep(LOCK_PAUSE);
        }
        self.try_lock()?.ok_or_else(|| StateError::Locked(self.path.clone()))
    }

    /// Whether an agent runs on this folder.
    ///
    /// # Errors
    /// [`StateError::Io`].
    pub fn is_locked(&self) -> Result<bool, StateError> {
        Ok(self.try_lock()?.is_none())
    }

    fn try_lock(&self) -> Result<Option<Lock>, StateError> {
        let path = self.path.join(LOCK);
        let io = |source| StateError::Io { path: path.clone(), source };
        let file =
            File::options().create(true).truncate(false).write(true).open(&path).map_err(io)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Lock { _file: file })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(source)) => Err(io(source)),
        }
    }

    /// The device's identity; `None` if it is not enrolled.
    ///
    /// # Errors
    /// [`StateError::Damaged`] if what is stored is no identity.
    pub fn identity(&self) -> Result<Option<DeviceIdentity>, StateError> {
        let path = self.path.join(IDENTITY);
        let Some(pem) = read_bounded(&path, IDENTITY_BYTES)? else { return Ok(None) };
        DeviceIdentity::from_pem(&pem)
            .map(Some)
            .map_err(|error| StateError::Damaged { path, reason: error.to_string() })
    }

    /// Makes `identity` the device's own, and ends an enrolment that was under way.
    ///
    /// # Errors
    /// [`StateError::Io`]; the identity before it then still stands.
    pub fn set_identity(&self, identity: &DeviceIdentity) -> Result<(), StateError> {
        write_atomically(&self.path.join(IDENTITY), identity.to_pem().as_bytes())?;
        let enrolling = self.path.join(ENROLLING_KEY);
        match fs::remove_file(&enrolling) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                Err(StateError::Io { path: enrolling, source })
            }
            _ => Ok(()),
        }
    }

    /// The key with which an enrolment that did not end was begun, in PEM.
    ///
    /// # Errors
    /// [`StateError::Io`] if it is there and cannot be read.
    pub fn enrolling_key(&self) -> Result<Option<Vec<u8>>, StateError> {
        read_bounded(&self.path.join(ENROLLING_KEY), IDENTITY_BYTES)
    }

    /// Keeps the key with which an enrolment begins, so that a second try shows the same one.
    ///
    /// # Errors
    /// [`StateError::Io`].
    pub fn set_enrolling_key(&self, pem: &str) -> Result<(), StateError> {
        write_atomically(&self.path.join(ENROLLING_KEY), pem.as_bytes())
    }

    /// The folder of a school.
    #[must_use]
    pub fn school(&self, school: SchoolId) -> SchoolDir {
        SchoolDir::new(self.path.join(format!("school-{school}")))
    }

    /// Draws the id of this start and remembers it.
    ///
    /// It is remembered before it is shown to anybody: a start that the collector saw and this
    /// installation forgot would look like a cloned disk.
    ///
    /// # Errors
    /// [`StateError::Io`].
    pub fn begin_run(&self, randomness: &dyn Randomness) -> Result<Runs, StateError> {
        let path = self.path.join(RUNS);
        let before = read_bounded(&path, RUNS_BYTES)?.map(|text| Runs::parse(&text));
        let runs = before.unwrap_or_default().begin(RunId::draw(randomness));
        write_atomically(&path, runs.remembered().as_bytes())?;
        Ok(runs)
    }

    /// Remembers that a collector has welcomed this run.
    ///
    /// # Errors
    /// [`StateError::Io`].
    pub fn welcomed(&self, runs: &Runs) -> Result<(), StateError> {
        write_atomically(&self.path.join(RUNS), runs.welcomed().as_bytes())
    }

    /// What the running agent last wrote of itself; `None` if none ever ran.
    ///
    /// # Errors
    /// [`StateError::Io`].
    pub fn status(&self) -> Result<Option<Vec<u8>>, StateError> {
        read_bounded(&self.path.join(STATUS), STATUS_BYTES)
    }

    /// Keeps what the agent says of itself.
    ///
    /// # Errors
    /// [`StateError::Io`].
    pub fn set_status(&self, json: &[u8]) -> Result<(), StateError> {
        write_atomically(&self.path.join(STATUS), json)
    }
}

#[cfg(test)]
mod tests;
