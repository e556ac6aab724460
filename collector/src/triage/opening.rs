//! Opens sealed events, outside of the writer: asymmetric once for an epoch, symmetric for each event.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use prost::Message as _;
use redshank_proto::id::{DeviceId, Epoch, KeyId, Position};
use redshank_proto::seal::EpochCipher;
use redshank_proto::v1;

use super::admission::{Admitted, Refusal};
use crate::keys::KeyRing;
use crate::store::log::LoggedEvent;
use crate::store::{Purpose, Scope, Store, StoreError};

/// Epochs whose keys are kept open: a large trust's devices of one morning. Past it the memory is emptied and
/// filled again, a fraction of a millisecond for each.
const CIPHERS: usize = 4_096;

/// What an event of the log holds.
#[derive(Debug)]
pub(super) enum Opened {
    /// An admitted payload.
    Content(Box<Admitted>),
    /// Nothing any more: its content is past its time.
    Expired,
}

/// Opens events, and remembers the keys of their epochs.
pub(super) struct Opener {
    store: Store,
    keys: KeyRing,
    ciphers: HashMap<(DeviceId, Epoch), Arc<EpochCipher>>,
}

impl Opener {
    pub(super) fn new(store: Store, keys: KeyRing) -> Self {
        Self { store, keys, ciphers: HashMap::new() }
    }

    /// Opens an event and holds it against its bounds.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails. What is wrong with the event is the inner result.
    pub(super) async fn open(
        &mut self,
        event: &LoggedEvent,
    ) -> Result<Result<Opened, Refusal>, StoreError> {
        let Some(sealed) = &event.sealed else { return Ok(Ok(Opened::Expired)) };
        let cipher = match self.cipher(event).await? {
            Ok(cipher) => cipher,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let position = Position { epoch: event.epoch, lane: event.lane, sequence: event.sequence };
        // A panic in here would end triage for every school.
        let looked = catch_unwind(AssertUnwindSafe(|| look(&cipher, position, sealed)));
        Ok(looked.unwrap_or(Err(Refusal::Panicked)))
    }

    async fn cipher(
        &mut self,
        event: &LoggedEvent,
    ) -> Result<Result<Arc<EpochCipher>, Refusal>, StoreError> {
        let place = (event.device, event.epoch);
        if let Some(cipher) = self.ciphers.get(&place) {
            return Ok(Ok(cipher.clone()));
        }
        let (device, epoch) = place;
        let scope = Scope::system(Purpose::Triage);
        let Some(sealed_key) =
            self.store.read(&scope, move |view| view.epoch_key(device, epoch)).await?
        else {
            return Ok(Err(Refusal::NoEpochKey));
        };
        if !self.keys.holds(event.school)
            && let Err(error) = self.keys.refresh(&self.store).await
        {
            tracing::error!(%error, "the keys of a new school could not be read");
        }
        let cipher = KeyId::try_from(sealed_key.hpke_key_id.as_slice())
            .ok()
            .and_then(|id| self.keys.school_key(event.school, id))
            .ok_or(Refusal::NoSchoolKey)
            .and_then(|key| {
                key.open_epoch(event.school, &sealed_key).map_err(|_| Refusal::DoesNotOpen)
            });
        Ok(cipher.map(|cipher| {
            if self.ciphers.len() >= CIPHERS {
                self.ciphers.clear();
            }
            let cipher = Arc::new(cipher);
            self.ciphers.insert(place, cipher.clone());
            cipher
        }))
    }
}

fn look(cipher: &EpochCipher, position: Position, sealed: &[u8]) -> Result<Opened, Refusal> {
    let bytes = cipher.open(position, sealed).map_err(|_| Refusal::DoesNotOpen)?;
    let payload = v1::EventPayload::decode(bytes.as_slice()).map_err(|_| Refusal::Malformed)?;
    Ok(Opened::Content(Box::new(Admitted::check(payload, bytes)?)))
}
