//! Devices behind a proxy or a name server that the asset log does not know. An alert needs them as its client; a
//! technician needs a list of them: where they were met, and on which days. No content and no browsing.
//!
//! - **The list says nothing of alerts.** Ordinary requests alone put a device on it, move it, displace another
//!   and raise the alarm: what an alert rests on changes no column of which a technician is told.
//! - **One row for each** (host, MAC), and where no lease tells of a MAC, (host, address). An address without
//!   a lease may be one device in the morning and another at noon: the row says no more than that.
//! - **One alarm a day** for each listed row, by the school's clock.
//! - **Bounded.** A host has at most [`PER_HOST`] rows that are listed, and as many that are not; beyond, the one
//!   not seen for longest makes room among its own.
//! - A device whose MAC has come into the asset log is known from then on, and off the list.

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use redshank_proto::id::{DeviceId, SchoolId};
use rusqlite::OptionalExtension as _;

use super::alarms::AlarmKind;
use super::assets::ClientId;
use super::value::{collect, id, time};
use super::{Edit, Purpose, StoreError, View};

/// How long after it was last met a row is kept, and after its last ordinary request listed: a half-term's
/// holiday and the week after it.
const KEPT_DAYS: i64 = 30;
/// Rows of one host on the list, and off it: a large school's devices, and a guest network's telephones.
const PER_HOST: u32 = 2_000;
/// Rows listed at once.
const LISTED: u32 = 500;

/// What a log tells of a device that nobody knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stranger {
    /// The school.
    pub school: SchoolId,
    /// The host whose log tells of it.
    pub device: DeviceId,
    /// Its MAC; empty: no lease told.
    pub mac: String,
    /// Its address; empty: the log gives none.
    pub address: String,
    /// When, corrected.
    pub at: Timestamp,
    /// The day of the alarm, by the school's clock.
    pub today: Date,
}

/// One unknown device on the list. All of it is of ordinary requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownDevice {
    /// The host whose log tells of it.
    pub device: DeviceId,
    /// That host's name.
    pub host_name: String,
    /// Its MAC, if a lease told.
    pub mac: Option<String>,
    /// The last address it had, if the log gives any.
    pub address: Option<String>,
    /// When first.
    pub first_at: Timestamp,
    /// When last.
    pub last_at: Timestamp,
}

/// Whether a row is on the technician's list.
#[derive(Clone, Copy)]
enum Listing {
    On,
    Off,
}

impl View<'_> {
    /// The unknown devices on a school's list, the last seen first; at most 500.
    ///
    /// # Errors
    /// [`StoreError::OutOfScope`] unless somebody of the school or the command line asks.
    pub fn unknown_devices(
        &self,
        school: SchoolId,
        now: Timestamp,
    ) -> Result<Vec<UnknownDevice>, StoreError> {
        self.scope().require_people()?;
        self.scope().require_school(school)?;
        let mut statement = self.sql().prepare_cached(
            "SELECT k.device, d.host_name, k.mac, k.listed_address, k.first_listed_at, k.last_listed_at
             FROM unknown_devices k JOIN devices d ON d.device = k.device
             WHERE k.school = ?1 AND k.last_listed_at >= ?2 AND NOT EXISTS (
               SELECT 1 FROM asset_addresses m WHERE m.school = k.school AND m.mac = k.mac)
             ORDER BY k.last_listed_at DESC, k.unknown LIMIT ?3",
        )?;
        let since = (now - SignedDuration::from_hours(24 * KEPT_DAYS)).as_microsecond();
        let filled = |text: String| Some(text).filter(|text| !text.is_empty());
        collect(statement.query((school.as_bytes(), since, LISTED))?, |row| {
            Ok(UnknownDevice {
                device: id(row, "device")?,
                host_name: row.get("host_name")?,
                mac: filled(row.get("mac")?),
                address: filled(row.get("listed_address")?),
                first_at: time(row, "first_listed_at")?,
                last_at: time(row, "last_listed_at")?,
            })
        })
    }
}

impl Edit<'_> {
    /// The client that an unknown device is, made at first sight. It is not listed yet.
    ///
    /// # Errors
    /// [`StoreError::OutOfScope`] unless triage asks.
    pub fn unknown_client(&self, stranger: &Stranger) -> Result<ClientId, StoreError> {
        self.scope().require_system(&[Purpose::Triage])?;
        let known_as = stranger.known_as();
        let known = self
            .sql()
            .prepare_cached(
                "SELECT unknown FROM unknown_devices WHERE device = ?1 AND known_as = ?2",
            )?
            .query_row((stranger.device.as_bytes(), known_as), |row| {
                Ok(ClientId::read(row, "unknown"))
            })
            .optional()?
            .transpose()?
            .flatten();
        if let Some(known) = known {
            return Ok(known);
        }
        self.make_room(stranger.device, Listing::Off)?;
        let client = ClientId::draw(self.randomness());
        let at = stranger.at.as_microsecond();
        self.sql()
            .prepare_cached(
                "INSERT INTO unknown_devices (unknown, school, device, kind, expires_at, known_as, mac,
                   address, last_at, listed_address, alarmed_on)
                 VALUES (?1, ?2, ?3, 'unknown_device', ?4, ?5, ?6, ?7, ?8, '', '')",
            )?
            .execute((
                client.as_bytes(),
                stranger.school.as_bytes(),
                stranger.device.as_bytes(),
                self.unknown_kept_until(),
                known_as,
                &stranger.mac,
                &stranger.address,
                at,
            ))?;
        Ok(client)
    }

    /// Keeps where an unknown device was last, for the alert that it is the client of.
    ///
    /// # Errors
    /// [`StoreError::OutOfScope`] unless triage asks.
    pub fn met_unknown(&self, client: ClientId, stranger: &Stranger) -> Result<(), StoreError> {
        self.scope().require_system(&[Purpose::Triage])?;
        self.sql()
            .prepare_cached(
                "UPDATE unknown_devices SET address = iif(?2 >= last_at AND ?3 <> '', ?3, address),
                   last_at = max(last_at, ?2), expires_at = ?4
                 WHERE unknown = ?1",
            )?
            .execute((
                client.as_bytes(),
                stranger.at.as_microsecond(),
                &stranger.address,
                self.unknown_kept_until(),
            ))?;
        Ok(())
    }

    /// Puts an unknown device on the technician's list for an ordinary request, and raises the day's alarm.
    ///
    /// # Errors
    /// [`StoreError::OutOfScope`] unless triage asks.
    pub fn list_unknown(&self, client: ClientId, stranger: &Stranger) -> Result<(), StoreError> {
        self.met_unknown(client, stranger)?;
        let (is_listed, alarmed_on): (bool, String) = self
            .sql()
            .prepare_cached(
                "SELECT last_listed_at IS NOT NULL, alarmed_on FROM unknown_devices WHERE unknown = ?1",
            )?
            .query_row([client.as_bytes()], |row| Ok((row.get(0)?, row.get(1)?)))?;
        if !is_listed {
            self.make_room(stranger.device, Listing::On)?;
        }
        let today = stranger.today.to_string();
        self.sql()
            .prepare_cached(
                "UPDATE unknown_devices SET
                   listed_address =
                     iif(?2 >= ifnull(last_listed_at, ?2) AND ?3 <> '', ?3, listed_address),
                   first_listed_at = min(ifnull(first_listed_at, ?2), ?2),
                   last_listed_at = max(ifnull(last_listed_at, ?2), ?2), alarmed_on = ?4
                 WHERE unknown = ?1",
            )?
            .execute((
                client.as_bytes(),
                stranger.at.as_microsecond(),
                &stranger.address,
                &today,
            ))?;
        if alarmed_on != today {
            let host = Some(stranger.device);
            self.raise_alarm(stranger.school, host, AlarmKind::UnknownDevice, 1)?;
        }
        Ok(())
    }

    /// Makes room for one more row of a host, on the list or off it. Neither displaces a row of the other: an
    /// alert's client would otherwise take a device off the list.
    fn make_room(&self, device: DeviceId, listing: Listing) -> Result<(), StoreError> {
        let sql = match listing {
            Listing::On => {
                "DELETE FROM unknown_devices WHERE unknown IN (SELECT unknown FROM unknown_devices
                   WHERE device = ?1 AND last_listed_at IS NOT NULL
                   ORDER BY last_listed_at DESC LIMIT -1 OFFSET ?2)"
            }
            Listing::Off => {
                "DELETE FROM unknown_devices WHERE unknown IN (SELECT unknown FROM unknown_devices
                   WHERE device = ?1 AND last_listed_at IS NULL
                   ORDER BY last_at DESC LIMIT -1 OFFSET ?2)"
            }
        };
        self.sql().prepare_cached(sql)?.execute((device.as_bytes(), PER_HOST - 1))?;
        Ok(())
    }

    fn unknown_kept_until(&self) -> i64 {
        (self.now() + SignedDuration::from_hours(24 * KEPT_DAYS)).as_microsecond()
    }
}

impl Stranger {
    fn known_as(&self) -> &str {
        if self.mac.is_empty() { &self.address } else { &self.mac }
    }
}
