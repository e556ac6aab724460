//! Wrapping one key by another: AES-256-GCM (NIST SP 800-38D) under the root key.
//!
//! Format: version (1 byte, 1) ‖ nonce (12 random bytes) ‖ ciphertext and tag. What it is bound to (aad):
//! `redshank/v1 wrapped key\0` ‖ kind ‖ 0 ‖ id (16 bytes). Some dozens of keys are ever wrapped by one
//! root key, so random nonces do not meet.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use redshank_proto::clock::{Randomness, draw};
use redshank_proto::id::KeyId;
use zeroize::Zeroizing;

use super::KeyError;

/// Bytes of the root key.
pub const ROOT_BYTES: usize = 32;

const VERSION: u8 = 1;
const CONTEXT: &[u8] = b"redshank/v1 wrapped key\0";

/// The key that wraps all others.
pub struct RootKey(LessSafeKey);

impl RootKey {
    /// Takes 32 random bytes.
    ///
    /// # Errors
    /// [`KeyError::Signing`] if the cryptographic library refuses them.
    pub fn new(bytes: &Zeroizing<[u8; ROOT_BYTES]>) -> Result<Self, KeyError> {
        UnboundKey::new(&AES_256_GCM, bytes.as_slice())
            .map(|key| Self(LessSafeKey::new(key)))
            .map_err(|_| KeyError::Signing("AES-256-GCM refuses the root key".to_owned()))
    }

    /// Wraps a key of a kind.
    ///
    /// # Errors
    /// [`KeyError::Signing`] if it is too long to be a key.
    pub fn wrap(
        &self,
        kind: &str,
        id: KeyId,
        key: &[u8],
        randomness: &dyn Randomness,
    ) -> Result<Vec<u8>, KeyError> {
        let nonce = draw::<NONCE_LEN>(randomness);
        let mut sealed = key.to_vec();
        self.0
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(aad(kind, id)),
                &mut sealed,
            )
            .map_err(|_| KeyError::Signing("wrapping failed".to_owned()))?;
        Ok([[VERSION].as_slice(), &nonce, &sealed].concat())
    }

    /// Unwraps a key of a kind.
    ///
    /// # Errors
    /// [`KeyError::DoesNotOpen`] if another root key wrapped it, it was wrapped as another key, or it is
    /// damaged.
    pub fn unwrap(
        &self,
        kind: &'static str,
        id: KeyId,
        wrapped: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        let fails = || KeyError::DoesNotOpen(kind);
        let (version, rest) = wrapped.split_first().ok_or_else(fails)?;
        let (nonce, sealed) = rest.split_first_chunk::<NONCE_LEN>().ok_or_else(fails)?;
        if *version != VERSION {
            return Err(fails());
        }
        let mut key = Zeroizing::new(sealed.to_vec());
        let length = self
            .0
            .open_in_place(
                Nonce::assume_unique_for_key(*nonce),
                Aad::from(aad(kind, id)),
                key.as_mut_slice(),
            )
            .map_err(|_| fails())?
            .len();
        key.truncate(length);
        Ok(key)
    }
}

impl std::fmt::Debug for RootKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("RootKey")
    }
}

fn aad(kind: &str, id: KeyId) -> Vec<u8> {
    [CONTEXT, kind.as_bytes(), &[0], id.as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use redshank_proto::clock::System;

    use super::*;

    #[test]
    fn a_key_opens_as_what_it_was_wrapped_as_and_as_nothing_else() {
        let (root, other) = (root(1), root(2));
        let (id, stranger) = (KeyId::draw(&System), KeyId::draw(&System));
        let wrapped = root.wrap("hpke", id, b"a secret key", &System).unwrap();
        assert_eq!(root.unwrap("hpke", id, &wrapped).unwrap().as_slice(), b"a secret key");
        assert!(root.unwrap("policy", id, &wrapped).is_err());
        assert!(root.unwrap("hpke", stranger, &wrapped).is_err());
        let error = other.unwrap("hpke", id, &wrapped).unwrap_err();
        assert!(error.to_string().contains("restore the root.key"), "{error}");
    }

    #[test]
    fn a_damaged_wrapping_does_not_open() {
        let (root, id) = (root(1), KeyId::draw(&System));
        let wrapped = root.wrap("hpke", id, b"a secret key", &System).unwrap();
        for at in 0..wrapped.len() {
            let mut damaged = wrapped.clone();
            damaged[at] ^= 1;
            assert!(root.unwrap("hpke", id, &damaged).is_err(), "byte {at}");
            assert!(root.unwrap("hpke", id, &wrapped[..at]).is_err(), "cut at {at}");
        }
    }

    fn root(byte: u8) -> RootKey {
        RootKey::new(&Zeroizing::new([byte; ROOT_BYTES])).unwrap()
    }
}
