//! The public folder: the notices of this device, rendered, for everybody who uses it.
//!
//! ```text
//! <public>/                 0755, the agent's own
//!   young-children.html .txt
//!   pupils.html         .txt
//!   staff.html          .txt
//!   families.html       .txt
//!   version                 the notice's number, written last
//! ```
//! Each file is replaced whole: whoever reads meanwhile has the old one or the new one. What lies in a folder
//! that somebody else can write to is not believed, on Unix; Windows has the installer's access list.

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tempfile::NamedTempFile;
use tokio::sync::watch;
use tokio::task::spawn_blocking;
use tokio_util::sync::CancellationToken;

use super::{AUDIENCES, Device, Facts, html, name, text};
use crate::observation::Audience;
use crate::policy::PolicyInForce;

/// The environment variable that names the public folder.
pub const PUBLIC_VARIABLE: &str = "REDSHANK_NOTICE";
const VERSION: &str = "version";
/// Bytes of a rendered notice; each has some 10 KiB.
const NOTICE_BYTES: u64 = 256 * 1024;

/// Why a notice cannot be written or read.
#[derive(Debug, thiserror::Error)]
pub enum PublicError {
    /// A file or folder could not be read or written.
    #[error("{path}: {source}")]
    Io {
        /// Which.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// There is none.
    #[error(
        "there is no notice in {0} yet: the agent writes it once it runs and has the school's policy"
    )]
    Missing(PathBuf),
    /// Others may change it.
    #[error("others than the agent may write to {0}: what lies there is not believed")]
    Writable(PathBuf),
    /// The number is none.
    #[error("{0} holds no number")]
    Version(PathBuf),
}

/// The folder in which every user of the device finds the notices.
#[derive(Debug, Clone)]
pub struct Public(PathBuf);

/// One form of a notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Plain text.
    Text,
    /// One HTML file.
    Html,
}

impl Public {
    /// The folder of this operating system, or the one that [`PUBLIC_VARIABLE`] names.
    #[must_use]
    pub fn default_folder() -> Self {
        if let Some(folder) = std::env::var_os(PUBLIC_VARIABLE) {
            return Self(folder.into());
        }
        Self(if cfg!(windows) {
            let base = std::env::var_os("ProgramData").unwrap_or_else(|| r"C:\ProgramData".into());
            PathBuf::from(base).join("Redshank Notice")
        } else if cfg!(target_os = "macos") {
            PathBuf::from("/Library/Application Support/Redshank Notice")
        } else {
            PathBuf::from("/run/redshank/notice")
        })
    }

    /// A folder of this path.
    #[must_use]
    pub fn at(folder: &Path) -> Self {
        Self(folder.to_owned())
    }

    /// Writes the notices of all audiences, and at last their version.
    ///
    /// # Errors
    /// [`PublicError::Io`]; each file then is the old one or the new one.
    pub fn publish(&self, facts: &Facts) -> Result<(), PublicError> {
        self.make().map_err(|source| PublicError::Io { path: self.0.clone(), source })?;
        for audience in AUDIENCES {
            self.replace(&file(audience, Form::Text), &text(facts, audience))?;
            self.replace(&file(audience, Form::Html), &html(facts, audience, true))?;
        }
        self.replace(VERSION, &facts.version.to_string())
    }

    /// Reads a notice.
    ///
    /// # Errors
    /// [`PublicError`] if there is none, or others than the agent could have written it.
    pub fn read(&self, audience: Audience, form: Form) -> Result<String, PublicError> {
        self.read_file(&file(audience, form))
    }

    /// Reads the version of the notices.
    ///
    /// # Errors
    /// As [`read`](Self::read), and [`PublicError::Version`].
    pub fn version(&self) -> Result<u32, PublicError> {
        let text = self.read_file(VERSION)?;
        text.trim().parse().map_err(|_| PublicError::Version(self.0.join(VERSION)))
    }

    fn make(&self) -> io::Result<()> {
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o755);
        builder.create(&self.0)?;
        // The mask of whoever started the agent may have taken the others' right to read.
        #[cfg(unix)]
        fs::set_permissions(&self.0, std::os::unix::fs::PermissionsExt::from_mode(0o755))?;
        Ok(())
    }

    fn replace(&self, name: &str, content: &str) -> Result<(), PublicError> {
        let path = self.0.join(name);
        let write = || -> io::Result<()> {
            let mut beside = NamedTempFile::new_in(&self.0)?;
            beside.write_all(content.as_bytes())?;
            #[cfg(unix)]
            beside
                .as_file()
                .set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644))?;
            beside.persist(&path).map_err(|error| error.error)?;
            Ok(())
        };
        write().map_err(|source| PublicError::Io { path: path.clone(), source })
    }

    fn read_file(&self, name: &str) -> Result<String, PublicError> {
        let path = self.0.join(name);
        let io = |source: io::Error| match source.kind() {
            io::ErrorKind::NotFound => PublicError::Missing(self.0.clone()),
            _ => PublicError::Io { path: path.clone(), source },
        };
        self.check_writers().map_err(io)?;
        let mut text = String::new();
        let file = File::open(&path).map_err(io)?;
        file.take(NOTICE_BYTES).read_to_string(&mut text).map_err(io)?;
        Ok(text)
    }

    #[cfg(unix)]
    fn check_writers(&self) -> io::Result<()> {
        use std::os::unix::fs::MetadataExt as _;
        let metadata = fs::metadata(&self.0)?;
        if metadata.mode() & 0o022 != 0 {
            let error = PublicError::Writable(self.0.clone());
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, error));
        }
        Ok(())
    }

    #[cfg(not(unix))]
    fn check_writers(&self) -> io::Result<()> {
        Ok(())
    }
}

/// Keeps the notices true: writes them when policy comes or changes, until `shutdown`.
///
/// A folder that cannot be written is tried again with the next change, and said in the log.
pub async fn keep(
    public: Public,
    device: Device,
    mut policy: watch::Receiver<Option<Arc<PolicyInForce>>>,
    shutdown: CancellationToken,
) {
    let mut written: Option<Facts> = None;
    let work = async {
        loop {
            let facts = policy.borrow_and_update().as_ref().map(|it| Facts::of(it, device));
            if let Some(facts) = facts.filter(|facts| written.as_ref() != Some(facts)) {
                let (public, new) = (public.clone(), facts.clone());
                match spawn_blocking(move || public.publish(&new)).await {
                    Ok(Ok(())) => written = Some(facts),
                    Ok(Err(error)) => tracing::warn!(%error, "the notice could not be written"),
                    Err(_) => return,
                }
            }
            if policy.changed().await.is_err() {
                return;
            }
        }
    };
    shutdown.run_until_cancelled(work).await;
}

fn file(audience: Audience, form: Form) -> String {
    let ending = match form {
        Form::Text => "txt",
        Form::Html => "html",
    };
    format!("{}.{ending}", name(audience))
}
