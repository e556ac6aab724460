//! How an event is sealed before it touches a disk, and opened by the collector alone.
//!
//! The agent draws a data key for each [`Epoch`] and seals it once to the school's public key by HPKE
//! (RFC 9180: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, ChaCha20Poly1305, base mode; info
//! `redshank/v1 epoch key`, aad school id ‖ epoch). Each event of the epoch is then sealed by that key
//! with ChaCha20-Poly1305 (RFC 8439). Its nonce is lane ‖ sequence, which within one epoch, and so under
//! one key, never repeats; its aad is `redshank/v1 event` ‖ school id ‖ epoch, so that a row moved to
//! another place does not open.
//!
//! The data key lives in memory only. After a restart the agent itself can no longer read what it had
//! spooled; neither can a thief of the laptop, its next pupil, or a box that intercepts TLS.

use aws_lc_rs::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};
use hpke::aead::ChaCha20Poly1305;
use hpke::kdf::HkdfSha256;
use hpke::kem::X25519HkdfSha256;
use hpke::{Deserializable as _, Kem as _, OpModeR, OpModeS, Serializable as _};
use zeroize::Zeroizing;

use crate::clock::{Randomness, draw};
use crate::id::{Epoch, KeyId, Position, SchoolId};
use crate::v1;

/// Bytes that sealing adds to a payload.
pub const SEAL_OVERHEAD: usize = 16;

const DATA_KEY_BYTES: usize = 32;
const INFO: &[u8] = b"redshank/v1 epoch key";
const EVENT: &[u8] = b"redshank/v1 event";

type Kem = X25519HkdfSha256;

/// Why something could not be sealed or opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// The bytes of a key are not a key.
    #[error("the {0} is malformed")]
    Malformed(&'static str),
    /// The epoch's key was sealed to a key that this collector does not have.
    #[error("the epoch's key is sealed to the unknown key {0}")]
    UnknownKey(KeyId),
    /// Sealed by another key, for another place, or changed since.
    #[error("the {0} does not open: sealed for another place or key, or damaged")]
    DoesNotOpen(&'static str),
    /// Sealing failed, which only an overlong input can cause.
    #[error("sealing failed")]
    Sealing,
}

/// A school's HPKE key pair, private half included: only a collector has one.
pub struct SchoolKey {
    id: KeyId,
    private: <Kem as hpke::Kem>::PrivateKey,
    public: <Kem as hpke::Kem>::PublicKey,
}

impl SchoolKey {
    /// Draws a new pair.
    #[must_use]
    pub fn draw(randomness: &dyn Randomness) -> Self {
        let seed = Zeroizing::new(draw::<32>(randomness));
        let (private, public) = Kem::derive_keypair(&*seed);
        Self { id: KeyId::draw(randomness), private, public }
    }

    /// Takes the private key's bytes as [`SchoolKey::private_bytes`] gave them.
    ///
    /// # Errors
    /// [`SealError::Malformed`] if they are not a key.
    pub fn from_private_bytes(id: KeyId, bytes: &[u8]) -> Result<Self, SealError> {
        let private = <Kem as hpke::Kem>::PrivateKey::from_bytes(bytes)
            .map_err(|_| SealError::Malformed("school's private key"))?;
        let public = Kem::sk_to_pk(&private);
        Ok(Self { id, private, public })
    }

    /// The private key's 32 bytes, to be wrapped and stored.
    #[must_use]
    pub fn private_bytes(&self) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(self.private.to_bytes().to_vec())
    }

    /// The key's id.
    #[must_use]
    pub fn id(&self) -> KeyId {
        self.id
    }

    /// The public half, for the trust bundle.
    #[must_use]
    pub fn public(&self) -> v1::HpkeKey {
        v1::HpkeKey { key_id: self.id.to_vec(), public_key: self.public.to_bytes().to_vec() }
    }

    /// Opens an epoch's data key.
    ///
    /// # Errors
    /// [`SealError::UnknownKey`] if it was sealed to another key, [`SealError::DoesNotOpen`] if it was
    /// sealed for another school or epoch or is damaged, [`SealError::Malformed`] if it is no epoch key.
    pub fn open_epoch(
        &self,
        school: SchoolId,
        key: &v1::EpochKey,
    ) -> Result<EpochCipher, SealError> {
        let epoch = Epoch::try_from(key.epoch.as_slice())
            .map_err(|_| SealError::Malformed("epoch of the epoch key"))?;
        let sealed_to = KeyId::try_from(key.hpke_key_id.as_slice())
            .map_err(|_| SealError::Malformed("key id of the epoch key"))?;
        if sealed_to != self.id {
            return Err(SealError::UnknownKey(sealed_to));
        }
        let encapsulated = <Kem as hpke::Kem>::EncappedKey::from_bytes(&key.encapsulated_key)
            .map_err(|_| SealError::Malformed("encapsulated key"))?;
        let data_key = hpke::single_shot_open::<ChaCha20Poly1305, HkdfSha256, Kem>(
            &OpModeR::Base,
            &self.private,
            &encapsulated,
            INFO,
            &key.sealed_data_key,
            &bind(&[], school, epoch),
        )
        .map(Zeroizing::new)
        .map_err(|_| SealError::DoesNotOpen("epoch key"))?;
        EpochCipher::new(school, epoch, &data_key)
    }
}

impl std::fmt::Debug for SchoolKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("SchoolKey").field("id", &self.id).finish_non_exhaustive()
    }
}

/// Draws the data key of a new epoch and seals it to the school.
///
/// # Errors
/// [`SealError::Malformed`] if the school's public key is not one.
pub fn begin_epoch(
    school: SchoolId,
    to: &v1::HpkeKey,
    randomness: &dyn Randomness,
) -> Result<(EpochCipher, v1::EpochKey), SealError> {
    let public = <Kem as hpke::Kem>::PublicKey::from_bytes(&to.public_key)
        .map_err(|_| SealError::Malformed("school's public key"))?;
    let epoch = Epoch::draw(randomness);
    let data_key = Zeroizing::new(draw::<DATA_KEY_BYTES>(randomness));
    // HPKE draws its ephemeral key from the operating system itself: nothing may predict that one.
    let (encapsulated, sealed) = hpke::single_shot_seal::<ChaCha20Poly1305, HkdfSha256, Kem>(
        &OpModeS::Base,
        &public,
        INFO,
        &*data_key,
        &bind(&[], school, epoch),
    )
    .map_err(|_| SealError::Sealing)?;
    let key = v1::EpochKey {
        epoch: epoch.to_vec(),
        hpke_key_id: to.key_id.clone(),
        encapsulated_key: encapsulated.to_bytes().to_vec(),
        sealed_data_key: sealed,
    };
    Ok((EpochCipher::new(school, epoch, &*data_key)?, key))
}

/// Seals and opens the events of one epoch.
pub struct EpochCipher {
    school: SchoolId,
    epoch: Epoch,
    key: LessSafeKey,
}

impl EpochCipher {
    /// The epoch.
    #[must_use]
    pub fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// Seals a payload for its position; the position's epoch must be this cipher's.
    ///
    /// # Errors
    /// [`SealError::DoesNotOpen`] for a position of another epoch.
    pub fn seal(&self, position: Position, mut payload: Vec<u8>) -> Result<Vec<u8>, SealError> {
        let (nonce, aad) = self.place(position)?;
        self.key
            .seal_in_place_append_tag(nonce, Aad::from(aad), &mut payload)
            .map_err(|_| SealError::Sealing)?;
        Ok(payload)
    }

    /// Opens what was sealed for a position.
    ///
    /// # Errors
    /// [`SealError::DoesNotOpen`] if it was sealed for another place or key or is damaged.
    pub fn open(&self, position: Position, sealed: &[u8]) -> Result<Vec<u8>, SealError> {
        let (nonce, aad) = self.place(position)?;
        let mut payload = sealed.to_vec();
        let length = self
            .key
            .open_in_place(nonce, Aad::from(aad), &mut payload)
            .map_err(|_| SealError::DoesNotOpen("event"))?
            .len();
        payload.truncate(length);
        Ok(payload)
    }

    fn new(school: SchoolId, epoch: Epoch, data_key: &[u8]) -> Result<Self, SealError> {
        let key = UnboundKey::new(&CHACHA20_POLY1305, data_key)
            .map_err(|_| SealError::Malformed("data key"))?;
        Ok(Self { school, epoch, key: LessSafeKey::new(key) })
    }

    fn place(&self, position: Position) -> Result<(Nonce, Vec<u8>), SealError> {
        if position.epoch != self.epoch {
            return Err(SealError::DoesNotOpen("event"));
        }
        let mut nonce = [0; 12];
        nonce[..4].copy_from_slice(&position.lane.number().to_be_bytes());
        nonce[4..].copy_from_slice(&position.sequence.to_be_bytes());
        Ok((Nonce::assume_unique_for_key(nonce), bind(EVENT, self.school, self.epoch)))
    }
}

impl std::fmt::Debug for EpochCipher {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("EpochCipher").field("epoch", &self.epoch).finish_non_exhaustive()
    }
}

/// What a seal is bound to.
fn bind(label: &[u8], school: SchoolId, epoch: Epoch) -> Vec<u8> {
    [label, school.as_bytes(), epoch.as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::System;
    use crate::id::Lane;

    #[test]
    fn only_the_school_s_key_opens_what_was_sealed_to_it() {
        let (school, key) = (SchoolId::draw(&System), SchoolKey::draw(&System));
        let (cipher, epoch_key) = begin_epoch(school, &key.public(), &System).unwrap();
        let position = at(&cipher, Lane::Urgent, 7);
        let sealed = cipher.seal(position, b"worry".to_vec()).unwrap();
        assert_eq!(sealed.len(), b"worry".len() + SEAL_OVERHEAD);

        let stored = SchoolKey::from_private_bytes(key.id(), &key.private_bytes()).unwrap();
        let opened = stored.open_epoch(school, &epoch_key).unwrap().open(position, &sealed);
        assert_eq!(opened.as_deref(), Ok(b"worry".as_slice()));

        let stranger = SchoolKey::draw(&System);
        assert_eq!(
            stranger.open_epoch(school, &epoch_key).unwrap_err(),
            SealError::UnknownKey(key.id())
        );
        let impostor = SchoolKey::from_private_bytes(key.id(), &stranger.private_bytes()).unwrap();
        assert_eq!(
            impostor.open_epoch(school, &epoch_key).unwrap_err(),
            SealError::DoesNotOpen("epoch key")
        );
    }

    #[test]
    fn an_event_opens_in_its_own_place_only() {
        let (school, key) = (SchoolId::draw(&System), SchoolKey::draw(&System));
        let (cipher, _) = begin_epoch(school, &key.public(), &System).unwrap();
        let sealed = cipher.seal(at(&cipher, Lane::Urgent, 7), b"worry".to_vec()).unwrap();
        for elsewhere in [
            at(&cipher, Lane::Routine, 7),
            at(&cipher, Lane::Urgent, 8),
            Position { epoch: Epoch::draw(&System), lane: Lane::Urgent, sequence: 7 },
        ] {
            assert_eq!(cipher.open(elsewhere, &sealed), Err(SealError::DoesNotOpen("event")));
        }
    }

    #[test]
    fn an_epoch_s_key_is_bound_to_its_school_and_epoch() {
        let (school, key) = (SchoolId::draw(&System), SchoolKey::draw(&System));
        let (_, epoch_key) = begin_epoch(school, &key.public(), &System).unwrap();
        let other_epoch =
            v1::EpochKey { epoch: Epoch::draw(&System).to_vec(), ..epoch_key.clone() };
        for (school, epoch_key) in [(SchoolId::draw(&System), epoch_key), (school, other_epoch)] {
            assert_eq!(
                key.open_epoch(school, &epoch_key).unwrap_err(),
                SealError::DoesNotOpen("epoch key")
            );
        }
    }

    #[test]
    fn a_damaged_event_does_not_open() {
        let (school, key) = (SchoolId::draw(&System), SchoolKey::draw(&System));
        let (cipher, _) = begin_epoch(school, &key.public(), &System).unwrap();
        let position = at(&cipher, Lane::Routine, 1);
        let mut sealed = cipher.seal(position, b"worry".to_vec()).unwrap();
        sealed[2] ^= 1;
        assert_eq!(cipher.open(position, &sealed), Err(SealError::DoesNotOpen("event")));
        assert_eq!(cipher.open(position, &[]), Err(SealError::DoesNotOpen("event")));
    }

    fn at(cipher: &EpochCipher, lane: Lane, sequence: u64) -> Position {
        Position { epoch: cipher.epoch(), lane, sequence }
    }
}
