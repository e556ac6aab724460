//! The issuing CA: every certificate but its own and the root's is signed here.

use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1, UnparsedPublicKey};
use jiff::{Timestamp, ToSpan as _};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose, PublicKeyData, SanType, SerialNumber, SubjectPublicKeyInfo,
};
use redshank_proto::bounds;
use redshank_proto::clock::{Randomness, draw};
use redshank_proto::peer::Peer;
use redshank_proto::token::sha256;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use x509_parser::prelude::{ASN1Time, FromDer as _, X509CertificationRequest};

use super::KeyError;
use crate::store::devices::enrolling::Serial;

/// Life of a client certificate: a school year and the summer after it.
const CLIENT_DAYS: i64 = 400;
/// Life of a listener's certificate: the longest that browsers take (CA/Browser Forum ballot SC-31).
const SERVER_DAYS: i64 = 398;
/// Life of the issuing CA: longer than any certificate it will have issued before it is replaced.
const ISSUING_DAYS: i64 = 10 * 365;
/// How far a certificate's life begins in the past, for clocks that are behind.
const BACKDATED_HOURS: i64 = 1;

/// The issuing CA with its key.
pub struct IssuingCa {
    issuer: Issuer<'static, KeyPair>,
    chain: Vec<Vec<u8>>,
}

/// A certificate that was issued, to be recorded before it is handed out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssuedCertificate {
    /// Itself and the issuing CA, DER: what its holder shows.
    pub chain: Vec<Vec<u8>>,
    /// Its serial number.
    pub serial: Serial,
    /// When it ends.
    pub expires_at: Timestamp,
}

impl IssuingCa {
    /// Opens the CA: its key (PKCS #8, DER), its certificate and the root's.
    ///
    /// # Errors
    /// [`KeyError::Signing`] if the key is not one; [`KeyError::Missing`] if there is no certificate.
    pub fn open(key: &[u8], chain: Vec<Vec<u8>>) -> Result<Self, KeyError> {
        let certificate = chain.first().ok_or(KeyError::Missing("issuing CA's"))?;
        let certificate = CertificateDer::from(certificate.as_slice());
        let key = KeyPair::try_from(&PrivatePkcs8KeyDer::from(key))?;
        Ok(Self { issuer: Issuer::from_ca_cert_der(&certificate, key)?, chain })
    }

    /// Its certificate, then the root's, DER.
    #[must_use]
    pub fn chain(&self) -> &[Vec<u8>] {
        &self.chain
    }

    /// Issues a client certificate: 400 days, the holder's name as its one alternative name.
    ///
    /// # Errors
    /// [`KeyError::SigningRequest`] if the request is not one for a P-256 key.
    pub fn issue_client(
        &self,
        holder: Peer,
        signing_request: &[u8],
        now: Timestamp,
        randomness: &dyn Randomness,
    ) -> Result<IssuedCertificate, KeyError> {
        let key = signing_request_key(signing_request)?;
        let mut params = CertificateParams::default();
        let name = holder.to_string();
        params.subject_alt_names = vec![SanType::URI(name.as_str().try_into()?)];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        self.issue(params, "Redshank client", &key, CLIENT_DAYS, now, randomness)
    }

    /// Issues a certificate for our own listeners under their DNS names and addresses: 398 days.
    ///
    /// # Errors
    /// [`KeyError::Signing`] if a name is not one.
    pub fn issue_server(
        &self,
        names: &[String],
        key: &KeyPair,
        now: Timestamp,
        randomness: &dyn Randomness,
    ) -> Result<IssuedCertificate, KeyError> {
        let mut params = CertificateParams::new(names)?;
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        self.issue(params, "Redshank collector", key, SERVER_DAYS, now, randomness)
    }

    fn issue(
        &self,
        mut params: CertificateParams,
        subject: &str,
        key: &impl PublicKeyData,
        days: i64,
        now: Timestamp,
        randomness: &dyn Randomness,
    ) -> Result<IssuedCertificate, KeyError> {
        let serial = serial(randomness);
        let expires_at = days_after(now, days);
        params.distinguished_name = named(subject);
        params.serial_number = Some(SerialNumber::from_slice(&serial));
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.use_authority_key_identifier_extension = true;
        live(&mut params, now, expires_at)?;
        let leaf = params.signed_by(key, &self.issuer)?.der().to_vec();
        let issuing = self.chain.iter().take(1).cloned();
        let chain = std::iter::once(leaf).chain(issuing).collect();
        Ok(IssuedCertificate { chain, serial, expires_at })
    }
}

impl std::fmt::Debug for IssuingCa {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("IssuingCa")
    }
}

/// The P-256 key that a signing request (PKCS #10, DER) is for, once its signature shows that the asker
/// holds it. Nothing else of the request is looked at.
///
/// # Errors
/// [`KeyError::SigningRequest`] if it is not one.
pub fn signing_request_key(der: &[u8]) -> Result<SubjectPublicKeyInfo, KeyError> {
    if der.len() > bounds::CERTIFICATE_BYTES {
        return Err(KeyError::SigningRequest);
    }
    let (rest, request) =
        X509CertificationRequest::from_der(der).map_err(|_| KeyError::SigningRequest)?;
    if !rest.is_empty() {
        return Err(KeyError::SigningRequest);
    }
    let info = &request.certification_request_info;
    UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, &info.subject_pki.subject_public_key.data)
        .verify(info.raw, &request.signature_value.data)
        .map_err(|_| KeyError::SigningRequest)?;
    SubjectPublicKeyInfo::from_der(info.subject_pki.raw).map_err(|_| KeyError::SigningRequest)
}

/// SHA-256 of a public key as it stands in a certificate or request (`SubjectPublicKeyInfo`, DER).
#[must_use]
pub fn public_key_sha256(key: &SubjectPublicKeyInfo) -> [u8; 32] {
    sha256(&key.subject_public_key_info())
}

/// Draws the issuing CA's key and has the root sign its certificate.
pub(super) fn draw_issuing(
    root: &Issuer<'_, KeyPair>,
    now: Timestamp,
    randomness: &dyn Randomness,
) -> Result<(KeyPair, Vec<u8>), KeyError> {
    let key = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256)?;
    let mut params = ca_params("Redshank issuing CA", 0, randomness);
    params.extended_key_usages =
        vec![ExtendedKeyUsagePurpose::ClientAuth, ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    live(&mut params, now, days_after(now, ISSUING_DAYS))?;
    let certificate = params.signed_by(&key, root)?.der().to_vec();
    Ok((key, certificate))
}

pub(super) fn ca_params(
    name: &str,
    path_length: u8,
    randomness: &dyn Randomness,
) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = named(name);
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(path_length));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.serial_number = Some(SerialNumber::from_slice(&serial(randomness)));
    params
}

/// Sets when a certificate's life begins and ends.
pub(super) fn live(
    params: &mut CertificateParams,
    now: Timestamp,
    expires_at: Timestamp,
) -> Result<(), KeyError> {
    let from = now.checked_sub(BACKDATED_HOURS.hours()).unwrap_or(now);
    let date = |time: Timestamp| {
        ASN1Time::from_timestamp(time.as_second())
            .map(|time| time.to_datetime())
            .map_err(|_| KeyError::Signing("the clock is out of range".to_owned()))
    };
    params.not_before = date(from)?;
    params.not_after = date(expires_at)?;
    Ok(())
}

pub(super) fn days_after(now: Timestamp, days: i64) -> Timestamp {
    now.checked_add((days * 24).hours()).unwrap_or(Timestamp::MAX)
}

/// A serial number whose DER is exactly its 16 bytes: positive, with no leading zero (RFC 5280, 4.1.2.2).
fn serial(randomness: &dyn Randomness) -> Serial {
    let mut serial: Serial = draw(randomness);
    serial[0] = (serial[0] & 0x7f) | 0x40;
    serial
}

fn named(name: &str) -> DistinguishedName {
    let mut subject = DistinguishedName::new();
    subject.push(DnType::CommonName, name);
    subject
}
