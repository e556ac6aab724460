//! Devices: who they say they are, where they stand, how they are.
//!
//! What a device says of itself (its name, its maker's serial number) is claimed and never trusted; it
//! serves a technician to recognise it. A device is *pending* until its serial number stands in the asset log
//! or a technician approves it: its events are taken and marked unverified. A revoked device is refused, and
//! never approved again: it enrols anew.
//!
//! [`enrolling`] has how a device comes to be, [`reporting`] what it tells while it is connected.

pub mod enrolling;
pub mod reporting;

use jiff::Timestamp;
use redshank_proto::id::{DeviceId, SchoolId};
use rusqlite::{OptionalExtension as _, Row};

use super::audit::Action;
use super::scope::{Role, Viewer};
use super::value::{collect, count, id, time, time_or_none};
use super::{Edit, StoreError, View};

/// Devices listed at once: more than any school has.
const LISTED: u32 = 20_000;

/// Where a device stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DeviceStatus {
    /// Nobody has approved it: its events are taken and marked unverified.
    Pending,
    /// A technician has, or the asset log.
    Approved,
    /// It is refused.
    Revoked,
}

impl DeviceStatus {
    /// Its name in the store and on the command line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Approved => "approved",
            Self::Revoked => "revoked",
        }
    }

    fn parse(name: &str) -> Result<Self, StoreError> {
        [Self::Pending, Self::Approved, Self::Revoked]
            .into_iter()
            .find(|status| status.as_str() == name)
            .ok_or(StoreError::Malformed("device's status"))
    }
}

/// A device, without any content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceSummary {
    /// Its random id.
    pub device: DeviceId,
    /// Its tag in the asset log, where it has one.
    pub asset_tag: Option<String>,
    /// The computer's name, as claimed.
    pub host_name: String,
    /// The maker's serial number, as claimed; may be empty.
    pub serial_number: String,
    /// `linux`, `windows` or `macos`, as claimed.
    pub platform: String,
    /// The operating system, as claimed.
    pub os_version: String,
    /// The agent's version, as claimed.
    pub agent_version: String,
    /// Where it stands.
    pub status: DeviceStatus,
    /// When it enrolled.
    pub enrolled_at: Timestamp,
    /// When it last sent anything; `None` before the first time.
    pub last_seen_at: Option<Timestamp>,
    /// Whether two successors of one run were seen: a cloned disk.
    pub forked: bool,
    /// Serial of the policy in force on it; 0 if it has none or has not said.
    pub policy_serial: u64,
    /// Events waiting on it.
    pub spooled_events: u64,
    /// Events it gave up since enrolment.
    pub lost_events: u64,
    /// Events the collector refused since enrolment.
    pub dead_letters: u64,
    /// The worst state among its sources (`CoverageState`); `None` if it has not reported any.
    pub worst: Option<i32>,
    /// Whether it is a pupil's own: only the managed browser is watched, and only in school hours.
    pub pupils_own: bool,
}

/// How much one source of a device sees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Coverage {
    /// The source, `browser_history` for instance.
    pub source: String,
    /// Which of its inputs.
    pub input: String,
    /// How much it sees (`CoverageState`).
    pub state: i32,
    /// Why not all; empty when all.
    pub reason: String,
    /// When the device said so.
    pub reported_at: Timestamp,
}

const SUMMARY: &str =
    "SELECT device, school, asset_tag, host_name, serial_number, platform, os_version,
   agent_version, status, enrolled_at, last_seen_at, forked_at, policy_serial, spooled_events,
   lost_events, dead_letters,
   (SELECT max(state) FROM device_coverage c WHERE c.device = d.device) AS worst,
   EXISTS (SELECT 1 FROM device_coverage c WHERE c.device = d.device AND c.source = 'device'
     AND c.input = 'ownership') AS pupils_own
 FROM devices d";

impl View<'_> {
    /// The devices of a school, by name.
    ///
    /// # Errors
    /// [`StoreError::OutOfScope`] unless somebody of the school or the command line asks.
    pub fn devices(&self, school: SchoolId) -> Result<Vec<DeviceSummary>, StoreError> {
        self.scope().require_people()?;
        self.scope().require_school(school)?;
        let mut statement = self.sql().prepare_cached(&format!(
            "{SUMMARY} WHERE school = ?1 ORDER BY host_name, device LIMIT ?2"
        ))?;
        collect(statement.query((school.as_bytes(), LISTED))?, read)
    }

    /// A device of the viewer's schools.
    ///
    /// # Errors
    /// [`StoreError::Missing`] if there is none of that id, as far as the viewer may know.
    pub fn device(&self, device: DeviceId) -> Result<DeviceSummary, StoreError> {
        self.scope().require_people()?;
        self.school_of(device)?;
        self.sql()
            .prepare_cached(&format!("{SUMMARY} WHERE device = ?1"))?
            .query_row([device.as_bytes()], |row| Ok(read(row)))
            .optional()?
            .ok_or(StoreError::Missing("device"))?
    }

    /// What each source of a device sees, the worst first: blind, degraded, of a state unknown here, whole.
    ///
    /// # Errors
    /// [`StoreError::Missing`] if there is no such device, as far as the viewer may know.
    pub fn coverage(&self, device: DeviceId) -> Result<Vec<Coverage>, StoreError> {
        self.scope().require_people()?;
        self.school_of(device)?;
        let mut statement = self.sql().prepare_cached(
            "SELECT source, input, state, reason, reported_at FROM device_coverage
             WHERE device = ?1
             ORDER BY CASE state WHEN 3 THEN 0 WHEN 2 THEN 1 WHEN 1 THEN 3 ELSE 2 END, source, input",
        )?;
        collect(statement.query([device.as_bytes()])?, |row| {
            Ok(Coverage {
                source: row.get("source")?,
                input: row.get("input")?,
                state: row.get("state")?,
                reason: row.get("reason")?,
                reported_at: time(row, "reported_at")?,
            })
        })
    }

    /// The school of a device that the viewer may know of.
    pub(in crate::store) fn school_of(&self, device: DeviceId) -> Result<SchoolId, StoreError> {
        let school = self
            .sql()
            .prepare_cached("SELECT school FROM devices WHERE device = ?1")?
            .query_row([device.as_bytes()], |row| Ok(id(row, "school")))
            .optional()?
            .ok_or(StoreError::Missing("device"))??;
        self.scope().require_school(school).map_err(|_| StoreError::Missing("device"))?;
        Ok(school)
    }
}

impl Edit<'_> {
    /// Approves a pending device: from its next stream on, its events count as verified.
    ///
    /// # Errors
    /// [`StoreError::OutOfScope`] unless a technician or the command line asks, [`StoreError::Missing`] if
    /// there is no such device in their schools, [`StoreError::Conflict`] if it is not pending.
    pub fn approve_device(&self, device: DeviceId) -> Result<(), StoreError> {
        let school = self.decided_in(device)?;
        let approved = self
            .sql()
            .prepare_cached(
                "UPDATE devices SET status = 'approved', decided_at = ?2
                 WHERE device = ?1 AND status = 'pending'",
            )?
            .execute((device.as_bytes(), self.now().as_microsecond()))?;
        if approved == 0 {
            return Err(StoreError::Conflict("the device is not pending"));
        }
        self.audit(Action::DeviceApproved, Some(school), Some(device.as_bytes()), None)
    }

    /// Revokes a device for good: its certificates are refused from then on, and none is renewed.
    ///
    /// # Errors
    /// [`StoreError::OutOfScope`] unless a technician or the command line asks, [`StoreError::Missing`] if
    /// there is no such device in their schools, [`StoreError::Conflict`] if it is revoked already.
    pub fn revoke_device(&self, device: DeviceId) -> Result<(), StoreError> {
        let school = self.decided_in(device)?;
        let revoked = self
            .sql()
            .prepare_cached(
                "UPDATE devices SET status = 'revoked', decided_at = ?2
                 WHERE device = ?1 AND status <> 'revoked'",
            )?
            .execute((device.as_bytes(), self.now().as_microsecond()))?;
        if revoked == 0 {
            return Err(StoreError::Conflict("the device is revoked already"));
        }
        self.audit(Action::DeviceRevoked, Some(school), Some(device.as_bytes()), None)
    }

    /// The school of a device about which the viewer may decide.
    fn decided_in(&self, device: DeviceId) -> Result<SchoolId, StoreError> {
        match self.scope().viewer() {
            Viewer::User(_, Role::Technician) | Viewer::CommandLine => {}
            _ => return Err(StoreError::OutOfScope),
        }
        self.view().school_of(device)
    }
}

fn read(row: &Row<'_>) -> Result<DeviceSummary, StoreError> {
    Ok(DeviceSummary {
        device: id(row, "device")?,
        asset_tag: row.get("asset_tag")?,
        host_name: row.get("host_name")?,
        serial_number: row.get("serial_number")?,
        platform: row.get("platform")?,
        os_version: row.get("os_version")?,
        agent_version: row.get("agent_version")?,
        status: DeviceStatus::parse(&row.get::<_, String>("status")?)?,
        enrolled_at: time(row, "enrolled_at")?,
        last_seen_at: time_or_none(row, "last_seen_at")?,
        forked: row.get::<_, Option<i64>>("forked_at")?.is_some(),
        policy_serial: count(row, "policy_serial")?,
        spooled_events: count(row, "spooled_events")?,
        lost_events: count(row, "lost_events")?,
        dead_letters: count(row, "dead_letters")?,
        worst: row.get("worst")?,
        pupils_own: row.get("pupils_own")?,
    })
}

#[cfg(test)]
pub(crate) mod tests;
