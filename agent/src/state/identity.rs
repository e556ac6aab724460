//! The device's identity: its key, and the certificate chain that names it.
//!
//! One PEM file: the key (PKCS #8), then the chain, leaf first. Being one file, key and certificate
//! can never be of two different enrolments.

use std::fmt;

use jiff::Timestamp;
use rcgen::{KeyPair, PublicKeyData as _};
use redshank_proto::id::{DeviceId, SchoolId};
use redshank_proto::peer::Peer;
use redshank_proto::tls::Identity;
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use x509_parser::prelude::{FromDer as _, X509Certificate};

/// Certificates in a chain: leaf, a few issuing CAs, root.
const LONGEST_CHAIN: usize = 8;
/// Characters in a line of PEM (RFC 7468, section 2).
const PEM_LINE: usize = 64;

/// Why a key and a chain are no identity of a device.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdentityError {
    /// The key is missing or not one.
    #[error("it holds no private key (PKCS #8, P-256)")]
    Key,
    /// The chain is missing, too long or malformed.
    #[error("it holds no certificate chain of 1 to {LONGEST_CHAIN} certificates")]
    Chain,
    /// The leaf is for another key.
    #[error("the certificate is for another key than the device's")]
    OtherKey,
    /// The leaf names no device.
    #[error("the certificate names no device")]
    NotADevice,
}

/// A key with the chain that names its holder.
pub struct DeviceIdentity {
    key: KeyPair,
    chain: Vec<CertificateDer<'static>>,
    school: SchoolId,
    device: DeviceId,
    not_before: Timestamp,
    not_after: Timestamp,
}

impl DeviceIdentity {
    /// Puts a key and a chain (leaf first) together.
    ///
    /// # Errors
    /// [`IdentityError`] if the leaf is not for the key or names no device.
    pub fn new(key: KeyPair, chain: Vec<CertificateDer<'static>>) -> Result<Self, IdentityError> {
        if chain.len() > LONGEST_CHAIN {
            return Err(IdentityError::Chain);
        }
        let leaf = chain.first().ok_or(IdentityError::Chain)?;
        let (_, parsed) = X509Certificate::from_der(leaf).map_err(|_| IdentityError::Chain)?;
        if parsed.public_key().subject_public_key.data.as_ref() != key.der_bytes() {
            return Err(IdentityError::OtherKey);
        }
        let Ok(Peer::Device { school, device }) = Peer::from_certificate(leaf) else {
            return Err(IdentityError::NotADevice);
        };
        let time = |seconds| Timestamp::from_second(seconds).map_err(|_| IdentityError::Chain);
        let not_before = time(parsed.validity().not_before.timestamp())?;
        let not_after = time(parsed.validity().not_after.timestamp())?;
        Ok(Self { key, chain, school, device, not_before, not_after })
    }

    /// Reads what [`DeviceIdentity::to_pem`] wrote.
    ///
    /// # Errors
    /// [`IdentityError`].
    pub fn from_pem(pem: &[u8]) -> Result<Self, IdentityError> {
        let key = PrivatePkcs8KeyDer::from_pem_slice(pem).map_err(|_| IdentityError::Key)?;
        let key = KeyPair::try_from(&key).map_err(|_| IdentityError::Key)?;
        let chain = CertificateDer::pem_slice_iter(pem)
            .collect::<Result<Vec<_>, _>>()
            .map_err(|_| IdentityError::Chain)?;
        Self::new(key, chain)
    }

    /// Writes key and chain as PEM.
    #[must_use]
    pub fn to_pem(&self) -> zeroize::Zeroizing<String> {
        let mut pem = zeroize::Zeroizing::new(self.key.serialize_pem());
        for certificate in &self.chain {
            pem.push_str(&certificate_pem(certificate));
        }
        pem
    }

    /// The school that the certificate names.
    #[must_use]
    pub fn school(&self) -> SchoolId {
        self.school
    }

    /// The device that the certificate names.
    #[must_use]
    pub fn device(&self) -> DeviceId {
        self.device
    }

    /// The device's key.
    #[must_use]
    pub fn key(&self) -> &KeyPair {
        &self.key
    }

    /// The chain, leaf first; never empty.
    #[must_use]
    pub fn chain(&self) -> &[CertificateDer<'static>] {
        &self.chain
    }

    /// From when the certificate is good.
    #[must_use]
    pub fn not_before(&self) -> Timestamp {
        self.not_before
    }

    /// Until when the certificate is good.
    #[must_use]
    pub fn not_after(&self) -> Timestamp {
        self.not_after
    }

    /// The identity as TLS needs it.
    #[must_use]
    pub fn for_tls(&self) -> Identity {
        let key = PrivatePkcs8KeyDer::from(self.key.serialize_der());
        Identity { chain: self.chain.clone(), key: PrivateKeyDer::Pkcs8(key) }
    }
}

impl fmt::Debug for DeviceIdentity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("DeviceIdentity")
            .field("school", &self.school)
            .field("device", &self.device)
            .field("not_after", &self.not_after)
            .finish_non_exhaustive()
    }
}

/// A certificate as PEM (RFC 7468).
fn certificate_pem(certificate: &[u8]) -> String {
    let base64 = data_encoding::BASE64.encode(certificate);
    let mut pem = String::from("-----BEGIN CERTIFICATE-----\n");
    let mut rest = base64.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at(rest.len().min(PEM_LINE));
        pem.push_str(line);
        pem.push('\n');
        rest = after;
    }
    pem.push_str("-----END CERTIFICATE-----\n");
    pem
}
