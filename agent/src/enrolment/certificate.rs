//! The device's request for a certificate, and whether what comes back is one.

use rcgen::{CertificateParams, KeyPair, SigningKey as _};
use redshank_proto::trust::{RENEWAL_CONTEXT, Trust, TrustError, verify_p256};
use redshank_proto::{bounds, v1};
use rustls_pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use x509_parser::prelude::{FromDer as _, X509Certificate};

use crate::state::{DeviceIdentity, IdentityError};

/// Why a certificate that a collector gave is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    /// It does not fit the key, or names no device.
    #[error("the collector gave a certificate that is of no use: {0}")]
    Identity(#[from] IdentityError),
    /// A certificate of the chain is past its bound or malformed.
    #[error("the collector gave a certificate chain that is malformed")]
    Malformed,
    /// The chain does not lead to the school's root.
    #[error("the collector gave a certificate that does not lead to the school's root: {0}")]
    NotOurs(#[from] TrustError),
    /// It is for a device of another school.
    #[error("the collector gave a certificate of another school")]
    OtherSchool,
    /// The key could not sign.
    #[error("the device's key cannot sign: {0}")]
    Key(#[from] rcgen::Error),
}

/// Copies a key pair, by way of its encoding.
pub(super) fn same_key(key: &KeyPair) -> Result<KeyPair, CertificateError> {
    Ok(KeyPair::try_from(&PrivatePkcs8KeyDer::from(key.serialize_der()))?)
}

/// Writes a certificate signing request (PKCS #10, DER). Its subject is empty: the collector names
/// the device.
pub(super) fn signing_request(key: &KeyPair) -> Result<Vec<u8>, CertificateError> {
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    Ok(params.serialize_request(key)?.der().to_vec())
}

/// Writes a request to renew, signed by the key of the certificate that is renewed.
pub(super) fn renewal_request(
    identity: &DeviceIdentity,
) -> Result<v1::RenewRequest, CertificateError> {
    let request = signing_request(identity.key())?;
    let signature = identity.key().sign(&[RENEWAL_CONTEXT, &request].concat())?;
    Ok(v1::RenewRequest {
        certificate: identity.chain().first().map(|leaf| leaf.to_vec()).unwrap_or_default(),
        certificate_signing_request: request,
        signature,
    })
}

/// Takes a chain that a collector gave for `key`: only if it leads to the school's root and names a
/// device of the school. Its times are not held against this device's clock, which may be wrong.
pub(super) fn accept(
    key: KeyPair,
    chain: Vec<Vec<u8>>,
    trust: &Trust,
) -> Result<DeviceIdentity, CertificateError> {
    if chain.iter().any(|certificate| certificate.len() > bounds::CERTIFICATE_BYTES) {
        return Err(CertificateError::Malformed);
    }
    let identity = DeviceIdentity::new(key, chain.into_iter().map(CertificateDer::from).collect())?;
    if identity.school() != trust.school() {
        return Err(CertificateError::OtherSchool);
    }
    let root = trust.root();
    let issuers = identity.chain().iter().skip(1).chain([&root]);
    for (certificate, issuer) in identity.chain().iter().zip(issuers) {
        if *certificate != root {
            issued_by(certificate, issuer)?;
        }
    }
    Ok(identity)
}

fn issued_by(certificate: &[u8], issuer: &[u8]) -> Result<(), CertificateError> {
    let (_, certificate) =
        X509Certificate::from_der(certificate).map_err(|_| CertificateError::Malformed)?;
    verify_p256(
        issuer,
        certificate.tbs_certificate.as_ref(),
        &certificate.signature_value.data,
        "certificate chain",
    )?;
    Ok(())
}
