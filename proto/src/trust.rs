//! The signed trust bundle and the signed policy: checked here, on every device, before either is used.
//!
//! A bundle is believed for one of two reasons: its hash stands in the enrolment token, or it is signed
//! by the root of a bundle believed before and its serial has not fallen. A policy is believed if a policy
//! key of the believed bundle signed it, it is for this school, and its serial has not fallen. An expired
//! policy stays in force: a child is not less at risk because a school's collector was away; the agent
//! says that it is degraded.

use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1, ED25519, UnparsedPublicKey};
use jiff::Timestamp;
use prost::Message as _;
use rustls_pki_types::CertificateDer;
use x509_parser::prelude::{FromDer as _, X509Certificate};

use crate::id::SchoolId;
use crate::{bounds, time, token, v1};

/// What the root signs before a trust bundle's bytes.
pub const BUNDLE_CONTEXT: &[u8] = b"redshank/v1 trust bundle\0";
/// What a policy key signs before a policy's bytes.
pub const POLICY_CONTEXT: &[u8] = b"redshank/v1 policy\0";
/// What a device's key signs before a renewal's certificate signing request.
pub const RENEWAL_CONTEXT: &[u8] = b"redshank/v1 renew\0";

/// Keys of one kind that a bundle may hold.
const KEYS: std::ops::RangeInclusive<usize> = 1..=8;

/// Why a bundle or a policy is not believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TrustError {
    /// Its hash is not the token's.
    #[error("the trust bundle is not the one that the enrolment token names")]
    WrongBundle,
    /// A field is missing, malformed or past its bound.
    #[error("the {0} is missing or malformed")]
    Malformed(&'static str),
    /// The signature does not verify.
    #[error("the signature on the {0} does not verify")]
    Signature(&'static str),
    /// It is for another school.
    #[error("the {0} is for another school")]
    WrongSchool(&'static str),
    /// Its serial is below the one in force.
    #[error("the {what} has serial {offered}, below {held} which is in force")]
    Serial {
        /// Bundle or policy.
        what: &'static str,
        /// The serial in force.
        held: u64,
        /// The serial refused.
        offered: u64,
    },
}

/// A trust bundle that is believed.
#[derive(Debug, Clone, PartialEq)]
pub struct Trust {
    bundle: v1::TrustBundle,
    signed: v1::SignedTrustBundle,
    school: SchoolId,
}

impl Trust {
    /// Believes the bundle whose hash a token carries.
    ///
    /// # Errors
    /// [`TrustError`] if it is another bundle or breaks its rules.
    pub fn from_token(
        signed: v1::SignedTrustBundle,
        sha256: &[u8; 32],
    ) -> Result<Self, TrustError> {
        if token::sha256(&signed.bundle) != *sha256 {
            return Err(TrustError::WrongBundle);
        }
        Self::check(signed, None)
    }

    /// Believes a bundle that was believed before and kept by this installation.
    ///
    /// # Errors
    /// [`TrustError`] if what was kept has been damaged.
    pub fn from_store(signed: v1::SignedTrustBundle) -> Result<Self, TrustError> {
        Self::check(signed, None)
    }

    /// Believes a newer bundle because this one's root signed it.
    ///
    /// # Errors
    /// [`TrustError`] if another root signed it, it is for another school, or its serial has fallen.
    pub fn newer(&self, signed: v1::SignedTrustBundle) -> Result<Self, TrustError> {
        let newer = Self::check(signed, Some(&self.bundle.root_certificate))?;
        if newer.school != self.school {
            return Err(TrustError::WrongSchool("trust bundle"));
        }
        // A change of root is a matter for enrolment: this root vouches for what hangs under itself only.
        if newer.bundle.root_certificate != self.bundle.root_certificate {
            return Err(TrustError::Malformed("trust bundle's root"));
        }
        not_fallen("trust bundle", self.bundle.serial, newer.bundle.serial)?;
        Ok(newer)
    }

    /// The school.
    #[must_use]
    pub fn school(&self) -> SchoolId {
        self.school
    }

    /// The root certificate, DER.
    #[must_use]
    pub fn root(&self) -> CertificateDer<'static> {
        CertificateDer::from(self.bundle.root_certificate.clone())
    }

    /// The newest of the school's HPKE keys: the one to seal to.
    #[must_use]
    pub fn hpke_key(&self) -> &v1::HpkeKey {
        // `check` refuses a bundle without one.
        &self.bundle.hpke_keys[0]
    }

    /// The bundle as it was signed, to be kept.
    #[must_use]
    pub fn signed(&self) -> &v1::SignedTrustBundle {
        &self.signed
    }

    /// Verifies a policy, given the serial in force (0 if none).
    ///
    /// # Errors
    /// [`TrustError`] if an unknown key signed it, it is for another school, its serial has fallen, or it
    /// breaks its bounds.
    pub fn policy(&self, signed: &v1::SignedPolicy, held: u64) -> Result<v1::Policy, TrustError> {
        const WHAT: &str = "policy";
        if signed.policy.len() > bounds::POLICY_BYTES {
            return Err(TrustError::Malformed(WHAT));
        }
        let key = self
            .bundle
            .policy_keys
            .iter()
            .find(|key| key.key_id == signed.key_id)
            .ok_or(TrustError::Signature(WHAT))?;
        UnparsedPublicKey::new(&ED25519, &key.public_key)
            .verify(&[POLICY_CONTEXT, &signed.policy].concat(), &signed.signature)
            .map_err(|_| TrustError::Signature(WHAT))?;
        let policy = v1::Policy::decode(signed.policy.as_slice())
            .map_err(|_| TrustError::Malformed(WHAT))?;
        if policy.school_id != self.school.as_bytes() {
            return Err(TrustError::WrongSchool(WHAT));
        }
        not_fallen(WHAT, held, policy.serial)?;
        within_bounds(&policy)?;
        Ok(policy)
    }

    fn check(signed: v1::SignedTrustBundle, root: Option<&[u8]>) -> Result<Self, TrustError> {
        const WHAT: &str = "trust bundle";
        if signed.bundle.len() > bounds::TRUST_BUNDLE_BYTES {
            return Err(TrustError::Malformed(WHAT));
        }
        let bundle = v1::TrustBundle::decode(signed.bundle.as_slice())
            .map_err(|_| TrustError::Malformed(WHAT))?;
        verify_p256(
            root.unwrap_or(&bundle.root_certificate),
            &[BUNDLE_CONTEXT, &signed.bundle].concat(),
            &signed.signature,
            WHAT,
        )?;
        let school = SchoolId::try_from(bundle.school_id.as_slice())
            .map_err(|_| TrustError::Malformed("trust bundle's school"))?;
        let counts =
            [bundle.issuing_certificates.len(), bundle.hpke_keys.len(), bundle.policy_keys.len()];
        if counts.iter().any(|count| !KEYS.contains(count)) {
            return Err(TrustError::Malformed("trust bundle's list of keys"));
        }
        Ok(Self { bundle, signed, school })
    }
}

/// Whether a policy should have been replaced by now.
#[must_use]
pub fn is_expired(policy: &v1::Policy, now: Timestamp) -> bool {
    time::from_wire(policy.expires_at.as_ref()).is_none_or(|expiry| expiry <= now)
}

/// Verifies a signature by the P-256 key of a certificate (DER).
///
/// # Errors
/// [`TrustError::Malformed`] if it is no certificate, [`TrustError::Signature`] if the signature does not
/// verify; both name `what`.
pub fn verify_p256(
    certificate: &[u8],
    message: &[u8],
    signature: &[u8],
    what: &'static str,
) -> Result<(), TrustError> {
    let (_, certificate) =
        X509Certificate::from_der(certificate).map_err(|_| TrustError::Malformed(what))?;
    UnparsedPublicKey::new(
        &ECDSA_P256_SHA256_ASN1,
        &certificate.public_key().subject_public_key.data,
    )
    .verify(message, signature)
    .map_err(|_| TrustError::Signature(what))
}

fn not_fallen(what: &'static str, held: u64, offered: u64) -> Result<(), TrustError> {
    if offered < held { Err(TrustError::Serial { what, held, offered }) } else { Ok(()) }
}

fn within_bounds(policy: &v1::Policy) -> Result<(), TrustError> {
    let packs = policy.rule_packs.len() <= bounds::RULE_PACKS
        && policy.rule_packs.iter().all(|pack| {
            pack.name.len() <= bounds::RULE_BYTES && pack.text.len() <= bounds::RULE_PACK_BYTES
        });
    if !packs {
        return Err(TrustError::Malformed("policy's list of rule packs"));
    }
    let private = policy.private_list.len() <= bounds::PRIVATE_ENTRIES
        && policy.private_list.iter().all(|entry| !entry.host.is_empty());
    if !private {
        return Err(TrustError::Malformed("policy's private list"));
    }
    if policy.shared_logins.len() > 256 {
        return Err(TrustError::Malformed("policy's list of shared logins"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::rand::SystemRandom;
    use aws_lc_rs::signature::{
        ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _,
    };

    use super::*;
    use crate::clock::System;
    use crate::seal::SchoolKey;

    #[test]
    fn a_bundle_is_believed_by_the_token_s_hash_and_no_other() {
        let school = School::new();
        let signed = school.bundle(1);
        let hash = token::sha256(&signed.bundle);
        assert_eq!(Trust::from_token(signed.clone(), &hash).unwrap().school(), school.id);
        assert_eq!(Trust::from_token(signed, &[0; 32]), Err(TrustError::WrongBundle));
    }

    #[test]
    fn a_newer_bundle_needs_the_same_root_the_same_school_and_no_lower_serial() {
        let school = School::new();
        let trust = Trust::from_store(school.bundle(2)).unwrap();
        assert!(trust.newer(school.bundle(3)).is_ok());
        assert_eq!(
            trust.newer(school.bundle(1)),
            Err(TrustError::Serial { what: "trust bundle", held: 2, offered: 1 })
        );
        assert_eq!(
            trust.newer(School::new().bundle(3)),
            Err(TrustError::Signature("trust bundle"))
        );
        let renamed = School { id: SchoolId::draw(&System), ..school };
        assert_eq!(trust.newer(renamed.bundle(3)), Err(TrustError::WrongSchool("trust bundle")));
    }

    #[test]
    fn a_policy_is_believed_from_the_school_s_key_only_and_its_serial_never_falls() {
        let school = School::new();
        let trust = Trust::from_store(school.bundle(1)).unwrap();
        assert_eq!(trust.policy(&school.policy(5), 5).unwrap().serial, 5);
        assert_eq!(
            trust.policy(&school.policy(5), 6),
            Err(TrustError::Serial { what: "policy", held: 6, offered: 5 })
        );
        assert_eq!(trust.policy(&School::new().policy(5), 0), Err(TrustError::Signature("policy")));
        let mut changed = school.policy(5);
        changed.policy.push(0);
        assert_eq!(trust.policy(&changed, 0), Err(TrustError::Signature("policy")));
        let elsewhere = School { id: SchoolId::draw(&System), ..school };
        assert_eq!(trust.policy(&elsewhere.policy(5), 0), Err(TrustError::WrongSchool("policy")));
    }

    #[test]
    fn a_policy_past_its_bounds_is_refused() {
        let school = School::new();
        let trust = Trust::from_store(school.bundle(1)).unwrap();
        let entries =
            |count| vec![v1::PrivateEntry { host: "a".into(), ..Default::default() }; count];
        let with = |count| v1::Policy { private_list: entries(count), ..school.plain_policy(1) };
        assert!(trust.policy(&school.sign(&with(bounds::PRIVATE_ENTRIES)), 0).is_ok());
        assert_eq!(
            trust.policy(&school.sign(&with(bounds::PRIVATE_ENTRIES + 1)), 0),
            Err(TrustError::Malformed("policy's private list"))
        );
    }

    #[test]
    fn a_policy_without_expiry_is_expired() {
        let now = Timestamp::UNIX_EPOCH;
        let until = |second| v1::Policy {
            expires_at: Some(time::to_wire(Timestamp::from_second(second).unwrap())),
            ..Default::default()
        };
        assert!(is_expired(&v1::Policy::default(), now));
        assert!(is_expired(&until(0), now));
        assert!(!is_expired(&until(1), now));
    }

    struct School {
        id: SchoolId,
        root: EcdsaKeyPair,
        certificate: Vec<u8>,
        hpke: v1::HpkeKey,
        policy_key: Ed25519KeyPair,
    }

    impl School {
        fn new() -> Self {
            let key = rcgen::KeyPair::generate().unwrap();
            let certificate = rcgen::CertificateParams::default().self_signed(&key).unwrap();
            Self {
                id: SchoolId::draw(&System),
                root: EcdsaKeyPair::from_pkcs8(
                    &ECDSA_P256_SHA256_ASN1_SIGNING,
                    &key.serialize_der(),
                )
                .unwrap(),
                certificate: certificate.der().to_vec(),
                hpke: SchoolKey::draw(&System).public(),
                policy_key: Ed25519KeyPair::generate().unwrap(),
            }
        }

        fn bundle(&self, serial: u64) -> v1::SignedTrustBundle {
            let bundle = v1::TrustBundle {
                school_id: self.id.to_vec(),
                serial,
                root_certificate: self.certificate.clone(),
                issuing_certificates: vec![self.certificate.clone()],
                hpke_keys: vec![self.hpke.clone()],
                policy_keys: vec![v1::PolicyKey {
                    key_id: vec![9; 16],
                    public_key: self.policy_key.public_key().as_ref().to_vec(),
                }],
                issued_at: None,
            }
            .encode_to_vec();
            let message = [BUNDLE_CONTEXT, &bundle].concat();
            let signature = self.root.sign(&SystemRandom::new(), &message).unwrap();
            v1::SignedTrustBundle { bundle, signature: signature.as_ref().to_vec() }
        }

        fn policy(&self, serial: u64) -> v1::SignedPolicy {
            self.sign(&self.plain_policy(serial))
        }

        fn plain_policy(&self, serial: u64) -> v1::Policy {
            v1::Policy { school_id: self.id.to_vec(), serial, ..Default::default() }
        }

        fn sign(&self, policy: &v1::Policy) -> v1::SignedPolicy {
            let policy = policy.encode_to_vec();
            let message = [POLICY_CONTEXT, &policy].concat();
            let signature = self.policy_key.sign(&message).as_ref().to_vec();
            v1::SignedPolicy { policy, key_id: vec![9; 16], signature }
        }
    }
}
