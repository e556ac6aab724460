//! What a device tells while it is connected: its runs, its clock, its health.
//!
//! Each start of an agent has a run. It names the last run that was welcomed here, and those begun since
//! that were not. Two runs that follow the same one, of which the later does not know the earlier, can only
//! come from a copied disk: the device is marked as forked from then on, both go on being taken, and a
//! technician is told. Runs older than the last [`RUNS_KEPT`] of a device are forgotten.

use redshank_proto::id::{DeviceId, RunId, SchoolId};
use redshank_proto::{bounds, v1};

use super::super::alarms::AlarmKind;
use super::super::scope::Viewer;
use super::super::value::{collect, count, id};
use super::super::{Edit, StoreError};

/// Runs of a device that are remembered: a year of school days, so that a disk image taken last summer is
/// still recognised.
pub const RUNS_KEPT: u32 = 256;

/// What a device says as it connects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connecting {
    /// This start of its agent.
    pub run: RunId,
    /// The last start that was welcomed; `None` if none was.
    pub previous_run: Option<RunId>,
    /// The starts since that one, this one left out.
    pub runs_since: Vec<RunId>,
    /// Its clock minus ours, in microseconds.
    pub skew_micros: i64,
    /// Serial of the policy it has.
    pub policy_serial: u64,
    /// What it says it is.
    pub description: v1::DeviceDescription,
}

impl Edit<'_> {
    /// Takes note that a device connects; says whether it is forked, by this connect or an earlier one.
    ///
    /// # Errors
    /// [`StoreError::OutOfScope`] unless the device itself asks.
    pub fn connect_device(
        &self,
        school: SchoolId,
        device: DeviceId,
        connecting: &Connecting,
    ) -> Result<bool, StoreError> {
        self.require_device(school, device)?;
        let forks = self.begin_run(device, connecting)?;
        if forks {
            self.raise_alarm(school, Some(device), AlarmKind::Clone, 1)?;
        }
        let description = &connecting.description;
        let now = self.now().as_microsecond();
        let forked: Option<i64> = self
            .sql()
            .prepare_cached(
                "UPDATE devices SET last_seen_at = ?2, skew_micros = ?3, policy_serial = ?4,
                   os_version = ?5, agent_version = ?6,
                   forked_at = CASE WHEN ?7 THEN coalesce(forked_at, ?2) ELSE forked_at END
                 WHERE device = ?1 RETURNING forked_at",
            )?
            .query_row(
                (
                    device.as_bytes(),
                    now,
                    connecting.skew_micros,
                    stored(connecting.policy_serial),
                    bounds::cut(&description.os_version, bounds::LONG_NAME_BYTES),
                    bounds::cut(&description.agent_version, bounds::NAME_BYTES),
                    forks,
                ),
                |row| row.get(0),
            )?;
        Ok(forked.is_some())
    }

    /// Keeps how a device says it is, in place of what it said before.
    ///
    /// # Errors
    /// [`StoreError::OutOfScope`] unless the device itself asks.
    pub fn report_health(
        &self,
        school: SchoolId,
        device: DeviceId,
        health: &v1::Health,
    ) -> Result<(), StoreError> {
        self.require_device(school, device)?;
        let (lost, refused): (u64, u64) = self
            .sql()
            .prepare_cached("SELECT lost_events, dead_letters FROM devices WHERE device = ?1")?
            .query_row([device.as_bytes()], |row| {
                Ok((count(row, "lost_events"), count(row, "dead_letters")))
            })
            .map(|(lost, refused)| Ok::<_, StoreError>((lost?, refused?)))??;
        for (kind, before, after) in [
            (AlarmKind::EventsLost, lost, health.lost_events),
            (AlarmKind::EventsRefused, refused, health.dead_letters),
        ] {
            if after > before {
                self.raise_alarm(school, Some(device), kind, after - before)?;
            }
        }
        let now = self.now().as_microsecond();
        self.sql()
            .prepare_cached(
                "UPDATE devices SET last_seen_at = ?2, health_at = ?2, policy_serial = ?3,
                   spooled_events = ?4, lost_events = ?5, dead_letters = ?6 WHERE device = ?1",
            )?
            .execute((
                device.as_bytes(),
                now,
                stored(health.policy_serial),
                stored(health.spooled_events),
                stored(health.lost_events),
                stored(health.dead_letters),
            ))?;
        self.sql()
            .prepare_cached("DELETE FROM device_coverage WHERE device = ?1")?
            .execute([device.as_bytes()])?;
        let mut insert = self.sql().prepare_cached(
            "INSERT OR REPLACE INTO device_coverage (device, source, input, state, reason, reported_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?;
        for source in health.sources.iter().take(bounds::HEALTH_SOURCES) {
            // A state of a later version than ours is unknown to us.
            let state = v1::CoverageState::try_from(source.state).unwrap_or_default();
            insert.execute((
                device.as_bytes(),
                bounds::cut(&source.source, bounds::NAME_BYTES),
                bounds::cut(&source.input, bounds::LONG_NAME_BYTES),
                i32::from(state),
                bounds::cut(&source.reason, bounds::HEALTH_REASON_BYTES),
                now,
            ))?;
        }
        Ok(())
    }

    /// Requires that the device itself asks.
    pub(in crate::store) fn require_device(
        &self,
        school: SchoolId,
        device: DeviceId,
    ) -> Result<(), StoreError> {
        self.scope().require_school(school)?;
        match self.scope().viewer() {
            Viewer::Device(viewer) if *viewer == device => Ok(()),
            _ => Err(StoreError::OutOfScope),
        }
    }

    /// Remembers a run; says whether another one, of which it does not know, follows the same.
    fn begin_run(&self, device: DeviceId, connecting: &Connecting) -> Result<bool, StoreError> {
        let previous = connecting.previous_run.map(RunId::to_vec).unwrap_or_default();
        let (device, run) = (device.as_bytes(), connecting.run.as_bytes());
        let new = self
            .sql()
            .prepare_cached(
                "INSERT INTO device_runs (device, run, previous_run, connected_at)
                 VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING",
            )?
            .execute((device, run, &previous, self.now().as_microsecond()))?;
        if new == 0 {
            return Ok(false);
        }
        let mut statement = self.sql().prepare_cached(
            "SELECT run FROM device_runs WHERE device = ?1 AND previous_run = ?2 AND run <> ?3",
        )?;
        let siblings: Vec<RunId> =
            collect(statement.query((device, &previous, run))?, |row| id(row, "run"))?;
        let forks = siblings.iter().any(|sibling| !connecting.runs_since.contains(sibling));
        self.sql()
            .prepare_cached(
                "DELETE FROM device_runs WHERE device = ?1 AND run IN (SELECT run FROM device_runs
                   WHERE device = ?1 ORDER BY connected_at DESC LIMIT -1 OFFSET ?2)",
            )?
            .execute((device, RUNS_KEPT))?;
        Ok(forks)
    }
}

/// A count as a column holds it.
fn stored(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
