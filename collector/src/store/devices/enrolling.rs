//! How a device comes to be: a token buys one row, and the same token with the same key always the same.
//!
//! The row is committed before its certificate is signed, and the certificate is recorded before it is
//! handed out. A crash between the two costs nothing: the device asks again and is recognised by its key.
//! A device whose serial number stands in the asset log is approved at once ([`crate::store::assets`]).
//! A revoked token enrols nothing, not even a device it enrolled before; an expired or used-up one still
//! answers a device that it had enrolled, whose answer was lost.

use jiff::Timestamp;
use redshank_proto::bounds;
use redshank_proto::id::{DeviceId, SchoolId, TokenId};
use redshank_proto::peer::Peer;
use redshank_proto::v1;
use rusqlite::OptionalExtension as _;

use super::super::audit::Action;
use super::super::scope::{Purpose, Viewer};
use super::super::tokens::{Token, TokenRefusal};
use super::super::value::{collect, id, time};
use super::super::{Edit, StoreError, View};
use super::DeviceStatus;

/// Certificates of one device that are not expired: a renewal a year, and tries whose answers were lost.
const CERTIFICATES_PER_DEVICE: u32 = 64;

/// A certificate's serial number, as issued here: 16 random bytes.
pub type Serial = [u8; 16];

/// A device as it stands after enrolment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Enrolled {
    /// Its id.
    pub device: DeviceId,
    /// Its school.
    pub school: SchoolId,
    /// When it enrolled, the first time it asked.
    pub enrolled_at: Timestamp,
    /// Where it stands.
    pub status: DeviceStatus,
}

impl View<'_> {
    /// A device as it stands, looked up by itself or for its renewal.
    ///
    /// # Errors
    /// [`StoreError::Missing`] if there is none of that id in that school.
    pub fn enrolled(&self, school: SchoolId, device: DeviceId) -> Result<Enrolled, StoreError> {
        match self.scope().viewer() {
            Viewer::System(Purpose::Enrolment) => {}
            Viewer::Device(viewer) if *viewer == device => {}
            _ => return Err(StoreError::OutOfScope),
        }
        self.scope().require_school(school)?;
        self.sql()
            .prepare_cached(
                "SELECT device, school, enrolled_at, status FROM devices
                 WHERE device = ?1 AND school = ?2",
            )?
            .query_row((device.as_bytes(), school.as_bytes()), |row| Ok(read(row)))
            .optional()?
            .ok_or(StoreError::Missing("device"))?
    }

    /// Whether a certificate was issued here to that holder, and not revoked since.
    ///
    /// # Errors
    /// [`StoreError::OutOfScope`] unless enrolment or the holder itself asks.
    pub fn certificate_stands(&self, serial: &Serial, holder: Peer) -> Result<bool, StoreError> {
        match (self.scope().viewer(), holder) {
            (Viewer::System(Purpose::Enrolment), _) => {}
            (Viewer::Device(viewer), Peer::Device { device, .. }) if *viewer == device => {}
            (Viewer::Reader(viewer), Peer::Reader { reader }) if *viewer == reader => {}
            _ => return Err(StoreError::OutOfScope),
        }
        let (device, reader) = columns(holder);
        Ok(self
            .sql()
            .prepare_cached(
                "SELECT EXISTS (SELECT 1 FROM certificates
                 WHERE serial = ?1 AND device IS ?2 AND reader IS ?3 AND revoked_at IS NULL)",
            )?
            .query_row((serial, device, reader), |row| row.get(0))?)
    }

    /// The serial numbers of all certificates that are refused though not expired: revoked themselves, or
    /// their device's.
    ///
    /// # Errors
    /// [`StoreError::OutOfScope`] unless the collector itself asks.
    pub fn refused_certificates(&self, now: Timestamp) -> Result<Vec<Serial>, StoreError> {
        self.scope().require_system(&[Purpose::Start])?;
        let mut statement = self.sql().prepare_cached(
            "SELECT c.serial FROM certificates c LEFT JOIN devices d ON d.device = c.device
             WHERE c.expires_at > ?1 AND (c.revoked_at IS NOT NULL OR d.status = 'revoked')",
        )?;
        collect(statement.query([now.as_microsecond()])?, |row| Ok(row.get(0)?))
    }
}

impl Edit<'_> {
    /// Enrols a device, or recognises one that this token and key have enrolled before.
    ///
    /// # Errors
    /// [`StoreError::Missing`] if there is no such token; [`StoreError::OutOfScope`] unless enrolment asks.
    pub fn enrol_device(
        &self,
        secret_sha256: &[u8; 32],
        public_key_sha256: &[u8; 32],
        device: &v1::DeviceDescription,
    ) -> Result<Result<Enrolled, TokenRefusal>, StoreError> {
        let token = self.view().token(secret_sha256)?;
        if let Some(known) = self.recognise(token.token, public_key_sha256)? {
            let refused = token.revoked_at.is_some() || known.status == DeviceStatus::Revoked;
            return Ok(if refused { Err(TokenRefusal::Revoked) } else { Ok(known) });
        }
        if let Err(refusal) = token.admits(self.now()) {
            return Ok(Err(refusal));
        }
        self.spend_token(token.token)?;
        self.insert(&token, public_key_sha256, device).map(Ok)
    }

    /// Records a certificate before it is handed out. `holder` is `None` for one of our own listeners.
    ///
    /// # Errors
    /// [`StoreError::OutOfScope`] unless enrolment, the collector at its start or the command line asks;
    /// [`StoreError::Conflict`] if the device has asked for too many.
    pub fn record_certificate(
        &self,
        serial: &Serial,
        holder: Option<Peer>,
        expires_at: Timestamp,
    ) -> Result<(), StoreError> {
        match self.scope().viewer() {
            Viewer::CommandLine | Viewer::System(Purpose::Enrolment | Purpose::Start) => {}
            _ => return Err(StoreError::OutOfScope),
        }
        let (device, reader) = holder.map_or((None, None), columns);
        let now = self.now().as_microsecond();
        if device.is_some() {
            let held: u32 = self
                .sql()
                .prepare_cached(
                    "SELECT count(*) FROM certificates WHERE device = ?1 AND expires_at > ?2",
                )?
                .query_row((device, now), |row| row.get(0))?;
            if held >= CERTIFICATES_PER_DEVICE {
                return Err(StoreError::Conflict("the device has asked for too many certificates"));
            }
        }
        self.sql()
            .prepare_cached(
                "INSERT INTO certificates (serial, device, reader, issued_at, expires_at)
                 VALUES (?1, ?2, ?3, ?4, ?5)",
            )?
            .execute((serial, device, reader, now, expires_at.as_microsecond()))?;
        Ok(())
    }

    /// Puts the renewal of a device's certificate on the audit trail.
    ///
    /// # Errors
    /// [`StoreError::OutOfScope`] unless enrolment asks.
    pub fn renewed(&self, school: SchoolId, device: DeviceId) -> Result<(), StoreError> {
        self.scope().require_system(&[Purpose::Enrolment])?;
        self.audit(Action::DeviceRenewed, Some(school), Some(device.as_bytes()), None)
    }

    fn recognise(
        &self,
        token: TokenId,
        public_key_sha256: &[u8; 32],
    ) -> Result<Option<Enrolled>, StoreError> {
        self.sql()
            .prepare_cached(
                "SELECT device, school, enrolled_at, status FROM devices
                 WHERE token = ?1 AND public_key_sha256 = ?2",
            )?
            .query_row((token.as_bytes(), public_key_sha256), |row| Ok(read(row)))
            .optional()?
            .transpose()
    }

    fn insert(
        &self,
        token: &Token,
        public_key_sha256: &[u8; 32],
        description: &v1::DeviceDescription,
    ) -> Result<Enrolled, StoreError> {
        let device = DeviceId::draw(self.randomness());
        let long = |text: &str| bounds::cut(text, bounds::LONG_NAME_BYTES).to_owned();
        self.sql()
            .prepare_cached(
                "INSERT INTO devices (device, school, token, public_key_sha256, status, host_name,
                   serial_number, platform, os_version, agent_version, enrolled_at)
                 VALUES (?1, ?2, ?3, ?4, 'pending', ?5, ?6, ?7, ?8, ?9, ?10)",
            )?
            .execute((
                device.as_bytes(),
                token.school.as_bytes(),
                token.token.as_bytes(),
                public_key_sha256,
                long(&description.host_name),
                long(&description.serial_number),
                bounds::cut(&description.platform, 32),
                long(&description.os_version),
                bounds::cut(&description.agent_version, bounds::NAME_BYTES),
                self.now().as_microsecond(),
            ))?;
        self.audit(Action::DeviceEnrolled, Some(token.school), Some(device.as_bytes()), None)?;
        // As it will be read back, so that the same question always has the same answer.
        let enrolled_at = Timestamp::from_microsecond(self.now().as_microsecond())
            .map_err(|_| StoreError::Malformed("time"))?;
        let school = token.school;
        let known = self.approve_if_in_asset_log(school, device)?;
        let status = if known { DeviceStatus::Approved } else { DeviceStatus::Pending };
        Ok(Enrolled { device, school, enrolled_at, status })
    }
}

fn columns(holder: Peer) -> (Option<[u8; 16]>, Option<[u8; 16]>) {
    match holder {
        Peer::Device { device, .. } => (Some(*device.as_bytes()), None),
        Peer::Reader { reader } => (None, Some(*reader.as_bytes())),
    }
}

fn read(row: &rusqlite::Row<'_>) -> Result<Enrolled, StoreError> {
    Ok(Enrolled {
        device: id(row, "device")?,
        school: id(row, "school")?,
        enrolled_at: time(row, "enrolled_at")?,
        status: DeviceStatus::parse(&row.get::<_, String>("status")?)?,
    })
}
