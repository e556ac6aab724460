//! The offline root: signs the issuing CA at `init` and each school's trust bundle at `school add`, and is
//! needed for nothing else.
//!
//! Its key lies, wrapped by the root key, in `offline-root.key` of the data folder. It may be moved to a
//! stick in a safe at any time; `school add --root-ca FILE` takes it from there. `serve` never opens it.

use jiff::Timestamp;
use rcgen::{Issuer, KeyPair, SigningKey as _};
use redshank_proto::clock::Randomness;
use redshank_proto::trust::BUNDLE_CONTEXT;
use redshank_proto::v1;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use zeroize::Zeroizing;

use super::KeyError;
use super::issuing::{ca_params, days_after, draw_issuing, live};

/// Life of the root: agents carry it, so it outlives every device that does.
const ROOT_DAYS: i64 = 25 * 365;

/// The root CA with its key.
pub struct RootCa {
    issuer: Issuer<'static, KeyPair>,
    certificate: Vec<u8>,
}

impl RootCa {
    /// Draws a new root.
    ///
    /// # Errors
    /// [`KeyError::Signing`] if the cryptographic library fails.
    pub fn draw(now: Timestamp, randomness: &dyn Randomness) -> Result<Self, KeyError> {
        let key = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256)?;
        let mut params = ca_params("Redshank offline root CA", 1, randomness);
        live(&mut params, now, days_after(now, ROOT_DAYS))?;
        let certificate = params.self_signed(&key)?.der().to_vec();
        Ok(Self { issuer: Issuer::new(params, key), certificate })
    }

    /// Opens the root from its key (PKCS #8, DER) and certificate (DER).
    ///
    /// # Errors
    /// [`KeyError::Signing`] if the key is not one, or not this certificate's.
    pub fn open(key: &[u8], certificate: Vec<u8>) -> Result<Self, KeyError> {
        let key = KeyPair::try_from(&PrivatePkcs8KeyDer::from(key))?;
        let (_, parsed) = x509_parser::parse_x509_certificate(&certificate)
            .map_err(|_| KeyError::Missing("offline root CA's"))?;
        if parsed.public_key().subject_public_key.data.as_ref() != key.public_key_raw() {
            return Err(KeyError::Signing(
                "this offline root key is another collector's".to_owned(),
            ));
        }
        let issuer = Issuer::from_ca_cert_der(&CertificateDer::from(certificate.as_slice()), key)?;
        Ok(Self { issuer, certificate })
    }

    /// Its certificate, DER.
    #[must_use]
    pub fn certificate(&self) -> &[u8] {
        &self.certificate
    }

    /// Its key (PKCS #8, DER), to be wrapped and kept.
    #[must_use]
    pub fn key(&self) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(self.issuer.key().serialize_der())
    }

    /// Draws an issuing CA: its key (PKCS #8, DER) and its certificate (DER).
    ///
    /// # Errors
    /// [`KeyError::Signing`] if the cryptographic library fails.
    pub fn draw_issuing(
        &self,
        now: Timestamp,
        randomness: &dyn Randomness,
    ) -> Result<(Zeroizing<Vec<u8>>, Vec<u8>), KeyError> {
        let (key, certificate) = draw_issuing(&self.issuer, now, randomness)?;
        Ok((Zeroizing::new(key.serialize_der()), certificate))
    }

    /// Signs an encoded trust bundle.
    ///
    /// # Errors
    /// [`KeyError::Signing`] if the cryptographic library fails.
    pub fn sign_bundle(&self, bundle: Vec<u8>) -> Result<v1::SignedTrustBundle, KeyError> {
        let signature = self.issuer.key().sign(&[BUNDLE_CONTEXT, &bundle].concat())?;
        Ok(v1::SignedTrustBundle { bundle, signature })
    }
}

impl std::fmt::Debug for RootCa {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("RootCa")
    }
}
