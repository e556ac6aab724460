//! The data folder: what lies in it, and how its secret files are made and read.
//!
//! ```text
//! collector.toml     settings (written last by `init`: a folder without it was never finished)
//! policy/            what each school has decided, one file for each
//! collector.sqlite   the database, encrypted
//! root.key           32 random bytes, readable by its owner alone
//! database.key       the database's key, wrapped by root.key
//! offline-root.key   the root CA's key, wrapped by root.key; may be moved away
//! ```
//! Secret files are opened without following links, only if regular, and refused if anybody but their owner
//! may read them. They are made at once with their final mode, synced, and never overwritten.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{ErrorKind, Read as _, Write as _};
#[cfg(unix)]
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use redshank_proto::clock::{Randomness, draw};
use redshank_proto::id::KeyId;
use zeroize::Zeroizing;

use super::KeyError;
use super::root_ca::RootCa;
use super::wrap::{ROOT_BYTES, RootKey};
use crate::store::DatabaseKey;

/// Bytes of a file that holds a wrapped key: a P-256 key in PKCS #8 is 150.
const WRAPPED_BYTES: u64 = 4_096;
/// Keys in files are one of a kind, so their wrapping is bound to the kind alone.
const NO_ID: KeyId = KeyId::from_bytes([0; 16]);
const DATABASE: &str = "database";
const OFFLINE_ROOT: &str = "offline root CA's";

/// The collector's data folder.
#[derive(Debug, Clone)]
pub struct DataFolder {
    path: PathBuf,
}

impl DataFolder {
    /// Names a folder, which need not be there.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// Makes the folder for `init`, for its owner alone.
    ///
    /// # Errors
    /// [`KeyError::File`] if it holds anything already or cannot be made.
    pub fn create(&self) -> Result<(), KeyError> {
        let mut builder = DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        builder.mode(0o700);
        builder.create(&self.path).map_err(|error| cannot(&self.path, "made", &error))?;
        let mut entries =
            self.path.read_dir().map_err(|error| cannot(&self.path, "read", &error))?;
        if entries.next().is_none() {
            return Ok(());
        }
        let reason = if self.settings().exists() {
            "holds a collector already; it stays as it is"
        } else {
            "is not empty; choose an empty folder (what an interrupted `init` left may be deleted)"
        };
        Err(refused(&self.path, reason))
    }

    /// The settings file.
    #[must_use]
    pub fn settings(&self) -> PathBuf {
        self.path.join("collector.toml")
    }

    /// The folder of what each school has decided.
    #[must_use]
    pub fn policies(&self) -> PathBuf {
        self.path.join("policy")
    }

    /// The database's file.
    #[must_use]
    pub fn database(&self) -> PathBuf {
        self.path.join("collector.sqlite")
    }

    /// The offline root's file.
    #[must_use]
    pub fn offline_root(&self) -> PathBuf {
        self.path.join("offline-root.key")
    }

    /// Draws the root key.
    ///
    /// # Errors
    /// [`KeyError::File`] if it is there already or cannot be written.
    pub fn draw_root_key(&self, randomness: &dyn Randomness) -> Result<RootKey, KeyError> {
        let bytes = Zeroizing::new(draw::<ROOT_BYTES>(randomness));
        self.write_new(&self.root_file(), bytes.as_slice())?;
        RootKey::new(&bytes)
    }

    /// Reads the root key.
    ///
    /// # Errors
    /// [`KeyError::File`] if it is missing, readable by others, or not 32 bytes.
    pub fn root_key(&self) -> Result<RootKey, KeyError> {
        let path = self.root_file();
        let bytes = read_secret(&path)?;
        let bytes: [u8; ROOT_BYTES] = bytes.as_slice().try_into().map_err(|_| {
            refused(&path, "is not a root key (32 bytes); restore it from where it was kept")
        })?;
        RootKey::new(&Zeroizing::new(bytes))
    }

    /// Draws the database's key and keeps it, wrapped.
    ///
    /// # Errors
    /// [`KeyError::File`] if it is there already or cannot be written.
    pub fn draw_database_key(
        &self,
        root: &RootKey,
        randomness: &dyn Randomness,
    ) -> Result<DatabaseKey, KeyError> {
        let key = Zeroizing::new(draw::<32>(randomness));
        let wrapped = root.wrap(DATABASE, NO_ID, key.as_slice(), randomness)?;
        self.write_new(&self.database_key_file(), &wrapped)?;
        Ok(key)
    }

    /// Unwraps the database's key.
    ///
    /// # Errors
    /// [`KeyError::File`] if its file is missing or readable by others; [`KeyError::DoesNotOpen`] if another
    /// root key wrapped it.
    pub fn database_key(&self, root: &RootKey) -> Result<DatabaseKey, KeyError> {
        let wrapped = read_secret(&self.database_key_file())?;
        let key = root.unwrap(DATABASE, NO_ID, &wrapped)?;
        let key = key.as_slice().try_into().map_err(|_| KeyError::DoesNotOpen(DATABASE))?;
        Ok(Zeroizing::new(key))
    }

    /// Keeps the offline root's key, wrapped.
    ///
    /// # Errors
    /// [`KeyError::File`] if it is there already or cannot be written.
    pub fn keep_root_ca(
        &self,
        root: &RootKey,
        ca: &RootCa,
        randomness: &dyn Randomness,
    ) -> Result<(), KeyError> {
        let wrapped = root.wrap(OFFLINE_ROOT, NO_ID, &ca.key(), randomness)?;
        self.write_new(&self.offline_root(), &wrapped)
    }

    /// Opens the offline root from its file, here or where it was moved to.
    ///
    /// # Errors
    /// [`KeyError::File`] if the file is missing or readable by others; [`KeyError::DoesNotOpen`] if it is
    /// another collector's.
    pub fn root_ca(
        &self,
        moved_to: Option<&Path>,
        root: &RootKey,
        certificate: Vec<u8>,
    ) -> Result<RootCa, KeyError> {
        let path = moved_to.map_or_else(|| self.offline_root(), Path::to_path_buf);
        if !path.exists() {
            return Err(refused(
                &path,
                "is not there; give the offline root's file back with --root-ca FILE",
            ));
        }
        RootCa::open(&root.unwrap(OFFLINE_ROOT, NO_ID, &read_secret(&path)?)?, certificate)
    }

    /// Writes a file that must not be there yet, readable by its owner alone, and syncs it and its folder.
    ///
    /// # Errors
    /// [`KeyError::File`] if it is there already or cannot be written.
    pub fn write_new(&self, path: &Path, bytes: &[u8]) -> Result<(), KeyError> {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        options.mode(0o600);
        let write = || {
            let mut file = options.open(path)?;
            file.write_all(bytes)?;
            file.sync_all()?;
            // A file is there for good once its folder's entry is.
            #[cfg(unix)]
            if let Some(folder) = path.parent() {
                File::open(folder)?.sync_all()?;
            }
            Ok(())
        };
        write().map_err(|error: std::io::Error| cannot(path, "written", &error))
    }

    fn root_file(&self) -> PathBuf {
        self.path.join("root.key")
    }

    fn database_key_file(&self) -> PathBuf {
        self.path.join("database.key")
    }
}

fn read_secret(path: &Path) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    options.custom_flags(
        (rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK).bits().cast_signed(),
    );
    let file = options.open(path).map_err(|error| match error.kind() {
        ErrorKind::NotFound => {
            refused(path, "is not there; check --data, or make a collector with `init --name NAME`")
        }
        _ => cannot(path, "opened", &error),
    })?;
    let metadata = file.metadata().map_err(|error| cannot(path, "read", &error))?;
    if !metadata.is_file() {
        return Err(refused(path, "is not a regular file"));
    }
    #[cfg(unix)]
    if metadata.mode() & 0o077 != 0 {
        return Err(refused(path, "is readable by others than its owner; run `chmod 600` on it"));
    }
    let mut bytes = Zeroizing::new(Vec::new());
    file.take(WRAPPED_BYTES)
        .read_to_end(&mut bytes)
        .map_err(|error| cannot(path, "read", &error))?;
    Ok(bytes)
}

fn cannot(path: &Path, what: &str, error: &std::io::Error) -> KeyError {
    refused(path, &format!("cannot be {what}: {error}"))
}

fn refused(path: &Path, reason: &str) -> KeyError {
    KeyError::File { path: path.display().to_string(), reason: reason.to_owned() }
}
