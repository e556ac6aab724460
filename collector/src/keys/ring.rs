//! The unwrapped keys in memory, shared by everything that needs one.

use std::collections::HashMap;
use std::sync::Arc;

use arc_swap::ArcSwap;
use aws_lc_rs::hmac;
use aws_lc_rs::signature::Ed25519KeyPair;
use redshank_proto::clock::{Clock, Randomness};
use redshank_proto::id::{KeyId, SchoolId};
use redshank_proto::peer::Peer;
use redshank_proto::seal::SchoolKey;
use redshank_proto::v1;

use super::wrap::RootKey;
use super::{IssuedCertificate, IssuingCa, KeyError};
use crate::store::keys::{KeyKind, WrappedKey};
use crate::store::{Purpose, Scope, Store};
use redshank_proto::trust::POLICY_CONTEXT;

/// Bytes of a pseudonym: enough that two persons of a school never share one.
pub const PSEUDONYM_BYTES: usize = 16;

/// The unwrapped keys. Clones share them.
#[derive(Debug, Clone)]
pub struct KeyRing(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    root: RootKey,
    issuing: IssuingCa,
    schools: ArcSwap<HashMap<SchoolId, Arc<SchoolKeys>>>,
    clock: Arc<dyn Clock>,
    randomness: Arc<dyn Randomness>,
}

/// The keys of one school, newest first.
#[derive(Debug, Default)]
struct SchoolKeys {
    hpke: Vec<Arc<SchoolKey>>,
    policy: Vec<(KeyId, Ed25519KeyPair)>,
    pseudonym: Option<hmac::Key>,
}

impl KeyRing {
    /// Unwraps what the store holds.
    ///
    /// # Errors
    /// [`KeyError::DoesNotOpen`] if another root key wrapped it; [`KeyError::Missing`] if there is no
    /// issuing CA.
    pub async fn load(
        root: RootKey,
        store: &Store,
        clock: Arc<dyn Clock>,
        randomness: Arc<dyn Randomness>,
    ) -> Result<Self, KeyError> {
        let keys = read(store).await?;
        let issuing = keys
            .iter()
            .find(|key| key.kind == KeyKind::Issuing)
            .ok_or(KeyError::Missing("issuing CA's"))?;
        let private = root.unwrap(KeyKind::Issuing.as_str(), issuing.key, &issuing.wrapped)?;
        let issuing = IssuingCa::open(&private, issuing.chain.clone())?;
        let schools = ArcSwap::from_pointee(unwrap(&root, &keys)?);
        Ok(Self(Arc::new(Inner { root, issuing, schools, clock, randomness })))
    }

    /// Reads again: `school add` may have run meanwhile.
    ///
    /// # Errors
    /// [`KeyError`] if the database fails or a key does not open; the ring then stays as it was.
    pub async fn refresh(&self, store: &Store) -> Result<(), KeyError> {
        let keys = read(store).await?;
        let held = self.0.schools.load();
        let known = |key: &WrappedKey| key.school.is_none_or(|school| held.contains_key(&school));
        // Keys are added with their school and not changed after, so a known school needs no second look.
        if !keys.iter().all(known) {
            self.0.schools.store(Arc::new(unwrap(&self.0.root, &keys)?));
        }
        Ok(())
    }

    /// Whether a school's keys are in the ring.
    #[must_use]
    pub fn holds(&self, school: SchoolId) -> bool {
        self.0.schools.load().contains_key(&school)
    }

    /// A school's HPKE key, private half included, by its id.
    #[must_use]
    pub fn school_key(&self, school: SchoolId, key_id: KeyId) -> Option<Arc<SchoolKey>> {
        self.school(school)?.hpke.iter().find(|key| key.id() == key_id).cloned()
    }

    /// A pseudonym for something of a school (HMAC-SHA256 under the school's own key, cut to 16 bytes): the
    /// same for the same bytes, meaningless in another school. `None` if the ring does not hold the school.
    #[must_use]
    pub fn pseudonym(&self, school: SchoolId, bytes: &[u8]) -> Option<[u8; PSEUDONYM_BYTES]> {
        let school = self.school(school)?;
        let tag = hmac::sign(school.pseudonym.as_ref()?, bytes);
        tag.as_ref().first_chunk().copied()
    }

    /// Signs an encoded policy with the school's newest policy key.
    ///
    /// # Errors
    /// [`KeyError::Missing`] if the ring does not hold the school.
    pub fn sign_policy(
        &self,
        school: SchoolId,
        policy: Vec<u8>,
    ) -> Result<v1::SignedPolicy, KeyError> {
        let keys = self.school(school).ok_or(KeyError::Missing("policy"))?;
        let (key_id, key) = keys.policy.first().ok_or(KeyError::Missing("policy"))?;
        let signature = key.sign(&[POLICY_CONTEXT, &policy].concat());
        Ok(v1::SignedPolicy {
            policy,
            key_id: key_id.to_vec(),
            signature: signature.as_ref().to_vec(),
        })
    }

    /// The issuing CA's chain: itself, then the root, DER.
    #[must_use]
    pub fn issuers(&self) -> &[Vec<u8>] {
        self.0.issuing.chain()
    }

    /// Issues a client certificate for the key of a signing request; see [`IssuingCa::issue_client`].
    ///
    /// # Errors
    /// [`KeyError::SigningRequest`] if it is not one.
    pub fn issue_client(
        &self,
        holder: Peer,
        signing_request: &[u8],
    ) -> Result<IssuedCertificate, KeyError> {
        let now = self.0.clock.now();
        self.0.issuing.issue_client(holder, signing_request, now, &*self.0.randomness)
    }

    /// Issues a certificate for our own listeners; see [`IssuingCa::issue_server`].
    ///
    /// # Errors
    /// [`KeyError::Signing`] if a name is not one.
    pub fn issue_server(
        &self,
        names: &[String],
        key: &rcgen::KeyPair,
    ) -> Result<IssuedCertificate, KeyError> {
        self.0.issuing.issue_server(names, key, self.0.clock.now(), &*self.0.randomness)
    }

    pub(super) fn root(&self) -> &RootKey {
        &self.0.root
    }

    pub(super) fn clock(&self) -> &dyn Clock {
        &*self.0.clock
    }

    pub(super) fn randomness(&self) -> &dyn Randomness {
        &*self.0.randomness
    }

    fn school(&self, school: SchoolId) -> Option<Arc<SchoolKeys>> {
        self.0.schools.load().get(&school).cloned()
    }
}

async fn read(store: &Store) -> Result<Vec<WrappedKey>, KeyError> {
    Ok(store.read(&Scope::system(Purpose::Start), |view| view.keys()).await?)
}

fn unwrap(
    root: &RootKey,
    keys: &[WrappedKey],
) -> Result<HashMap<SchoolId, Arc<SchoolKeys>>, KeyError> {
    let mut schools: HashMap<SchoolId, SchoolKeys> = HashMap::new();
    for key in keys {
        let Some(school) = key.school else { continue };
        let private = root.unwrap(key.kind.as_str(), key.key, &key.wrapped)?;
        let held = schools.entry(school).or_default();
        let malformed = || KeyError::DoesNotOpen(key.kind.as_str());
        match key.kind {
            KeyKind::Hpke => held.hpke.push(Arc::new(
                SchoolKey::from_private_bytes(key.key, &private).map_err(|_| malformed())?,
            )),
            KeyKind::Policy => held
                .policy
                .push((key.key, Ed25519KeyPair::from_pkcs8(&private).map_err(|_| malformed())?)),
            KeyKind::Pseudonym => {
                held.pseudonym.get_or_insert(hmac::Key::new(hmac::HMAC_SHA256, &private));
            }
            KeyKind::Issuing | KeyKind::Server => {}
        }
    }
    Ok(schools.into_iter().map(|(school, keys)| (school, Arc::new(keys))).collect())
}
