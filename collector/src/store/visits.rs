//! Visits without a match: scheme, host and path, kept for a short while for the browsing around an alert.
//!
//! Nobody reads them but beside an alert (`alerts::detail`). A school whose policy reports no visits has none.

use jiff::{SignedDuration, Timestamp};
use redshank_proto::id::{DeviceId, PersonId, SchoolId};

use super::assets::ClientId;
use super::{Edit, Purpose, StoreError};

/// How long they are kept: a concern that comes to light in the month after still finds its surroundings;
/// longer would be a record of what every child reads.
const KEPT_DAYS: i64 = 30;

/// One visit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoutineVisit<'a> {
    /// Its event's place in the event log.
    pub position: i64,
    /// The school.
    pub school: SchoolId,
    /// The device.
    pub device: DeviceId,
    /// The person, if one is known.
    pub person: Option<PersonId>,
    /// Who is behind the device, if it reports for others.
    pub client: Option<ClientId>,
    /// When, corrected for the device's skew.
    pub occurred_at: Timestamp,
    /// Scheme, host and path.
    pub address: &'a str,
}

impl Edit<'_> {
    /// Keeps a visit, once; says whether it was new.
    ///
    /// # Errors
    /// [`StoreError::OutOfScope`] unless triage asks.
    pub fn add_visit(&self, visit: &RoutineVisit<'_>) -> Result<bool, StoreError> {
        self.scope().require_system(&[Purpose::Triage])?;
        let expires = self.now() + SignedDuration::from_hours(24 * KEPT_DAYS);
        let added = self
            .sql()
            .prepare_cached(
                "INSERT OR IGNORE INTO visits (position, school, device, person, client, kind, expires_at,
                   occurred_at, address)
                 VALUES (?1, ?2, ?3, ?4, ?5, 'visit', ?6, ?7, ?8)",
            )?
            .execute((
                visit.position,
                visit.school.as_bytes(),
                visit.device.as_bytes(),
                visit.person.as_ref().map(PersonId::as_bytes),
                visit.client.as_ref().map(ClientId::as_bytes),
                expires.as_microsecond(),
                visit.occurred_at.as_microsecond(),
                visit.address,
            ))?;
        Ok(added > 0)
    }
}
