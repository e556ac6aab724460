//! Keys as the database holds them (wrapped by the root key, of no use without it), and the trust bundles
//! that publish their public halves.

use prost::Message as _;
use redshank_proto::id::{KeyId, SchoolId};
use redshank_proto::{token, v1};
use rusqlite::OptionalExtension as _;

use super::scope::{Purpose, Viewer};
use super::value::{collect, id, id_or_none};
use super::{Edit, StoreError, View};

/// What a key is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KeyKind {
    /// The CA under the offline root that issues all other certificates.
    Issuing,
    /// Our own listeners'.
    Server,
    /// A school's: agents seal to it.
    Hpke,
    /// A school's: signs its policies.
    Policy,
    /// A school's: makes pseudonyms for the feed.
    Pseudonym,
}

impl KeyKind {
    const ALL: [Self; 5] = [Self::Issuing, Self::Server, Self::Hpke, Self::Policy, Self::Pseudonym];

    /// Its name in the store, and in what its wrapping is bound to.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Issuing => "issuing",
            Self::Server => "server",
            Self::Hpke => "hpke",
            Self::Policy => "policy",
            Self::Pseudonym => "pseudonym",
        }
    }
}

/// A wrapped key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrappedKey {
    /// Its id.
    pub key: KeyId,
    /// The school; `None` for the collector's own.
    pub school: Option<SchoolId>,
    /// What it is for.
    pub kind: KeyKind,
    /// The key, wrapped by the root key.
    pub wrapped: Vec<u8>,
    /// Its certificate and those above it, leaf first, DER; empty where it has none.
    pub chain: Vec<Vec<u8>>,
}

/// A trust bundle that was asked for by its hash, and the newest of the same school.
#[derive(Debug, Clone, PartialEq)]
pub struct Bundles {
    /// The one asked for.
    pub asked: v1::SignedTrustBundle,
    /// The newest; the same one if that is the newest.
    pub newest: v1::SignedTrustBundle,
}

impl View<'_> {
    /// Every key, newest first.
    ///
    /// # Errors
    /// [`StoreError::OutOfScope`] unless the command line or the collector at its start asks.
    pub fn keys(&self) -> Result<Vec<WrappedKey>, StoreError> {
        require_keeper(self.scope().viewer())?;
        let mut statement = self.sql().prepare_cached(
            "SELECT key, school, kind, wrapped, certificate FROM keys
             ORDER BY created_at DESC, key",
        )?;
        collect(statement.query([])?, |row| {
            let kind: String = row.get("kind")?;
            let chain: Option<Vec<u8>> = row.get("certificate")?;
            Ok(WrappedKey {
                key: id(row, "key")?,
                school: id_or_none(row, "school")?,
                kind: KeyKind::ALL
                    .into_iter()
                    .find(|known| known.as_str() == kind)
                    .ok_or(StoreError::Malformed("kind of key"))?,
                wrapped: row.get("wrapped")?,
                chain: split(chain.as_deref().unwrap_or_default())
                    .ok_or(StoreError::Malformed("certificate chain"))?,
            })
        })
    }

    /// The trust bundle of that hash. Bundles are public, so anybody may ask through enrolment.
    ///
    /// # Errors
    /// [`StoreError::Missing`] if there is none; [`StoreError::OutOfScope`] unless enrolment asks.
    pub fn bundles(&self, sha256: &[u8; 32]) -> Result<Bundles, StoreError> {
        self.scope().require_system(&[Purpose::Enrolment])?;
        let (asked, newest): (Vec<u8>, Vec<u8>) = self
            .sql()
            .prepare_cached(
                "SELECT signed, (SELECT signed FROM trust_bundles n WHERE n.school = a.school
                   ORDER BY serial DESC LIMIT 1) FROM trust_bundles a WHERE sha256 = ?1",
            )?
            .query_row([sha256], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?
            .ok_or(StoreError::Missing("trust bundle"))?;
        Ok(Bundles { asked: decode(&asked)?, newest: decode(&newest)? })
    }

    /// The newest trust bundle of a school.
    ///
    /// # Errors
    /// [`StoreError::Missing`] if it has none; [`StoreError::OutOfScope`] unless enrolment or the command
    /// line asks.
    pub fn newest_bundle(&self, school: SchoolId) -> Result<v1::SignedTrustBundle, StoreError> {
        match self.scope().viewer() {
            Viewer::CommandLine | Viewer::System(Purpose::Enrolment) => {}
            _ => return Err(StoreError::OutOfScope),
        }
        let signed: Vec<u8> = self
            .sql()
            .prepare_cached(
                "SELECT signed FROM trust_bundles WHERE school = ?1 ORDER BY serial DESC LIMIT 1",
            )?
            .query_row([school.as_bytes()], |row| row.get(0))
            .optional()?
            .ok_or(StoreError::Missing("trust bundle"))?;
        decode(&signed)
    }
}

impl Edit<'_> {
    /// Keeps a wrapped key.
    ///
    /// # Errors
    /// [`StoreError::OutOfScope`] unless the command line or the collector at its start asks.
    pub fn add_key(&self, key: &WrappedKey) -> Result<(), StoreError> {
        require_keeper(self.scope().viewer())?;
        let chain = (!key.chain.is_empty()).then(|| join(&key.chain));
        self.sql()
            .prepare_cached(
                "INSERT INTO keys (key, school, kind, wrapped, certificate, created_at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?
            .execute((
                key.key.as_bytes(),
                key.school.map(|school| *school.as_bytes()),
                key.kind.as_str(),
                &key.wrapped,
                chain,
                self.now().as_microsecond(),
            ))?;
        Ok(())
    }

    /// Forgets the keys of our own listeners but `kept`: one that was replaced serves nobody.
    ///
    /// # Errors
    /// [`StoreError::OutOfScope`] unless the command line or the collector at its start asks.
    pub fn keep_server_key(&self, kept: KeyId) -> Result<(), StoreError> {
        require_keeper(self.scope().viewer())?;
        self.sql()
            .prepare_cached("DELETE FROM keys WHERE kind = 'server' AND key <> ?1")?
            .execute([kept.as_bytes()])?;
        Ok(())
    }

    /// Publishes a trust bundle.
    ///
    /// # Errors
    /// [`StoreError::OutOfScope`] unless the command line asks.
    pub fn add_bundle(
        &self,
        school: SchoolId,
        serial: u64,
        signed: &v1::SignedTrustBundle,
    ) -> Result<(), StoreError> {
        self.scope().require_command_line()?;
        let serial = i64::try_from(serial).map_err(|_| StoreError::Malformed("bundle's serial"))?;
        self.sql()
            .prepare_cached(
                "INSERT INTO trust_bundles (sha256, school, serial, signed) VALUES (?1, ?2, ?3, ?4)",
            )?
            .execute((
                token::sha256(&signed.bundle),
                school.as_bytes(),
                serial,
                signed.encode_to_vec(),
            ))?;
        Ok(())
    }
}

fn require_keeper(viewer: &Viewer) -> Result<(), StoreError> {
    match viewer {
        Viewer::CommandLine | Viewer::System(Purpose::Start) => Ok(()),
        _ => Err(StoreError::OutOfScope),
    }
}

fn decode(signed: &[u8]) -> Result<v1::SignedTrustBundle, StoreError> {
    v1::SignedTrustBundle::decode(signed).map_err(|_| StoreError::Malformed("trust bundle"))
}

/// A chain in one column: each certificate behind its length (4 bytes, big-endian).
fn join(chain: &[Vec<u8>]) -> Vec<u8> {
    let length = |certificate: &Vec<u8>| u32::try_from(certificate.len()).unwrap_or(u32::MAX);
    chain
        .iter()
        .flat_map(|certificate| {
            [length(certificate).to_be_bytes().to_vec(), certificate.clone()].concat()
        })
        .collect()
}

fn split(mut joined: &[u8]) -> Option<Vec<Vec<u8>>> {
    let mut chain = Vec::new();
    while !joined.is_empty() {
        let (length, rest) = joined.split_first_chunk::<4>()?;
        let (certificate, rest) =
            rest.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)?;
        chain.push(certificate.to_vec());
        joined = rest;
    }
    Some(chain)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_chain_survives_its_column(chain in proptest::collection::vec(any::<Vec<u8>>(), 0..4)) {
            prop_assert_eq!(split(&join(&chain)), Some(chain));
        }

        #[test]
        fn a_damaged_column_is_no_chain_and_no_panic(bytes in any::<Vec<u8>>()) {
            let _ = split(&bytes);
        }
    }
}
