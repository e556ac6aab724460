//! The keys, and what they vouch for.
//!
//! ```text
//! root.key (0600) ─ wraps ─► database.key       the database's raw key
//!                          ► offline-root.key   the root CA's key; may be moved away, see [`root_ca`]
//!                          ► table `keys`       issuing CA, listeners, and for each school: HPKE, policy,
//!                                               pseudonym
//! ```
//! - **One key opens all others**, so that `serve` starts unattended at three in the morning; whoever holds
//!   the host and `root.key` can read content. Without `root.key` nothing here opens, backups included.
//! - Each wrapping is bound to the wrapped key's kind and id ([`wrap`]): a row moved to another place does
//!   not open.
//! - **Certificates** are P-256 under an offline root (path length 1) and one issuing CA (path length 0).
//!   Their serial numbers are 16 random bytes and stand in `certificates` before a certificate is handed
//!   out. The issuing CA carries no name constraints: what it names is a URI without an authority, which
//!   RFC 5280 (section 4.2.1.10) gives no way to constrain, and the listeners' names may change. Extended
//!   key usage keeps the two kinds apart: a device's certificate cannot be a listener's.
//! - The [`KeyRing`] is the unwrapped keys in memory. `school add` runs in a process of its own, so the ring
//!   reads again ([`KeyRing::refresh`]) when an unknown school turns up, and every few seconds.

pub mod files;
mod issuing;
mod ring;
pub mod root_ca;
mod school;
mod server;
pub mod wrap;

pub use self::files::DataFolder;
pub use self::issuing::{IssuedCertificate, IssuingCa, public_key_sha256, signing_request_key};
pub use self::ring::{KeyRing, PSEUDONYM_BYTES};
pub use self::school::{FIRST_BUNDLE, NewSchool};
pub use self::server::server_identity;

/// Why a key or a certificate could not be made or used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// A file of the data folder is missing, in the way, or not what it should be.
    #[error("{path}: {reason}")]
    File {
        /// The file.
        path: String,
        /// What is wrong, and the way out.
        reason: String,
    },
    /// A wrapped key does not open.
    #[error("the {0} key does not open with this root key; restore the root.key that wrapped it")]
    DoesNotOpen(&'static str),
    /// A key that must be there is not.
    #[error("there is no {0} key")]
    Missing(&'static str),
    /// A signing request is not one, or not for a P-256 key.
    #[error("the certificate signing request is not one for a P-256 key (PKCS #10, DER)")]
    SigningRequest,
    /// A certificate or signature could not be made.
    #[error("signing failed: {0}")]
    Signing(String),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] crate::store::StoreError),
}

impl From<rcgen::Error> for KeyError {
    fn from(error: rcgen::Error) -> Self {
        Self::Signing(error.to_string())
    }
}

#[cfg(test)]
pub(crate) mod tests;
