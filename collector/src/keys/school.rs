//! A new school's keys, and the trust bundle that publishes them.

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use jiff::Timestamp;
use prost::Message as _;
use redshank_proto::clock::{Randomness, draw};
use redshank_proto::id::{KeyId, SchoolId};
use redshank_proto::seal::SchoolKey;
use redshank_proto::{time, v1};
use zeroize::Zeroizing;

use super::KeyError;
use super::root_ca::RootCa;
use super::wrap::RootKey;
use crate::store::keys::{KeyKind, WrappedKey};

/// Serial of a school's first trust bundle.
pub const FIRST_BUNDLE: u64 = 1;

/// The keys of a school that is being added, and what its bundle says of them.
#[derive(Debug)]
pub struct NewSchool {
    keys: Vec<WrappedKey>,
    hpke: v1::HpkeKey,
    policy: v1::PolicyKey,
}

impl NewSchool {
    /// Draws and wraps a school's keys.
    ///
    /// # Errors
    /// [`KeyError::Signing`] if the cryptographic library fails.
    pub fn draw(root: &RootKey, randomness: &dyn Randomness) -> Result<Self, KeyError> {
        let hpke = SchoolKey::draw(randomness);
        let policy_id = KeyId::draw(randomness);
        let seed = Zeroizing::new(draw::<32>(randomness));
        let policy = Ed25519KeyPair::from_seed_unchecked(&*seed)
            .map_err(|_| KeyError::Signing("an Ed25519 key could not be made".to_owned()))?;
        let pkcs8 = policy
            .to_pkcs8()
            .map_err(|_| KeyError::Signing("an Ed25519 key could not be encoded".to_owned()))?;
        let pseudonym = Zeroizing::new(draw::<32>(randomness));
        let wrap = |kind: KeyKind, key: KeyId, private: &[u8]| {
            let wrapped = root.wrap(kind.as_str(), key, private, randomness)?;
            Ok::<_, KeyError>(WrappedKey { key, school: None, kind, wrapped, chain: Vec::new() })
        };
        Ok(Self {
            keys: vec![
                wrap(KeyKind::Hpke, hpke.id(), &hpke.private_bytes())?,
                wrap(KeyKind::Policy, policy_id, pkcs8.as_ref())?,
                wrap(KeyKind::Pseudonym, KeyId::draw(randomness), &*pseudonym)?,
            ],
            hpke: hpke.public(),
            policy: v1::PolicyKey {
                key_id: policy_id.to_vec(),
                public_key: policy.public_key().as_ref().to_vec(),
            },
        })
    }

    /// Its wrapped keys, as the store keeps them.
    #[must_use]
    pub fn keys_of(&self, school: SchoolId) -> Vec<WrappedKey> {
        let school = Some(school);
        self.keys.iter().map(|key| WrappedKey { school, ..key.clone() }).collect()
    }

    /// Its first trust bundle, signed by the root. `issuing` is the issuing CA's certificate, DER.
    ///
    /// # Errors
    /// [`KeyError::Signing`] if the cryptographic library fails.
    pub fn bundle_of(
        &self,
        school: SchoolId,
        root: &RootCa,
        issuing: &[u8],
        now: Timestamp,
    ) -> Result<v1::SignedTrustBundle, KeyError> {
        let bundle = v1::TrustBundle {
            school_id: school.to_vec(),
            serial: FIRST_BUNDLE,
            root_certificate: root.certificate().to_vec(),
            issuing_certificates: vec![issuing.to_vec()],
            hpke_keys: vec![self.hpke.clone()],
            policy_keys: vec![self.policy.clone()],
            issued_at: Some(time::to_wire(now)),
        };
        root.sign_bundle(bundle.encode_to_vec())
    }
}
