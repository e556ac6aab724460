//! Alerts as a reader of the feed is given them, for it to be made pseudonymous by the feed.
//!
//! Which schools a reader may read stands in `reader_schools`, and every statement here joins it: an
//! entitlement that is withdrawn ends with the next page, whatever scope the stream began with.

use jiff::Timestamp;
use redshank_proto::id::{AlertId, DeviceId, PersonId, ReaderId, SchoolId};
use redshank_proto::v1;
use rusqlite::Row;

use super::{AlertStatus, Basis, Factor, basis, factors, payload, status};
use crate::store::assets::ClientId;
use crate::store::audit::Action;
use crate::store::value::{collect, count, id, id_or_none, time};
use crate::store::{Edit, StoreError, View, Viewer};

/// Events of one alert in the feed (`redshank.v1.Alert.events`).
const EVENTS: u32 = 10;

/// An alert on its way to a reader. It still holds what identifies: the feed turns that into pseudonyms.
#[derive(Debug, Clone)]
pub struct DeliveredAlert {
    /// The alert.
    pub alert: AlertId,
    /// Its school.
    pub school: SchoolId,
    /// The school's name.
    pub school_name: String,
    /// The person; none if nothing says who it was.
    pub person: Option<PersonId>,
    /// The device of its first event.
    pub device: DeviceId,
    /// What stands behind that device, if it reports for others.
    pub client: Option<ClientId>,
    /// What speaks for the person.
    pub basis: Basis,
    /// Its category's field name.
    pub category: String,
    /// 1 to 5.
    pub severity: u8,
    /// 0 to 1,000.
    pub priority: u32,
    /// Why.
    pub factors: Vec<Factor>,
    /// Where it stands.
    pub status: AlertStatus,
    /// When its first event occurred, corrected.
    pub first_occurred_at: Timestamp,
    /// When its last did.
    pub last_occurred_at: Timestamp,
    /// When the collector received its first event.
    pub received_at: Timestamp,
    /// Events in it.
    pub event_count: u32,
    /// Its latest events, newest last: corrected occurrence, receipt, payload.
    pub events: Vec<(Timestamp, Timestamp, v1::EventPayload)>,
    /// What must not leave, wherever it stands: the person's names and accounts.
    pub names: Vec<String>,
    /// The device's name, which must not leave either.
    pub host_name: String,
    /// The client's asset tag, which must not either.
    pub asset_tag: Option<String>,
}

impl View<'_> {
    /// An alert as the asking reader is given it.
    ///
    /// # Errors
    /// [`StoreError::Missing`] if there is none among the reader's schools; [`StoreError::OutOfScope`] unless a
    /// reader asks.
    pub fn delivered_alert(&self, alert: AlertId) -> Result<DeliveredAlert, StoreError> {
        let reader = reader(self)?;
        let mut statement = self.sql().prepare_cached(
            "SELECT a.alert, a.school, s.name AS school_name, a.person, a.device, a.basis, a.category,
                    a.severity, a.priority, a.factors, a.status, a.first_occurred_at,
                    a.last_occurred_at, a.received_at, a.event_count, d.host_name, a.client,
                    t.asset_tag
             FROM alerts a
             JOIN reader_schools r ON r.school = a.school AND r.reader = ?2
             JOIN schools s ON s.school = a.school
             JOIN devices d ON d.device = a.device
             LEFT JOIN assets t ON t.asset = a.client
             WHERE a.alert = ?1",
        )?;
        collect(statement.query((alert.as_bytes(), reader.as_bytes()))?, |row| {
            delivered(self, row)
        })?
        .pop()
        .ok_or(StoreError::Missing("alert"))
    }

    /// Alerts of the reader's schools that are not closed, after `after` in the order of their random ids; at
    /// most `limit`.
    ///
    /// # Errors
    /// [`StoreError::OutOfScope`] unless a reader asks.
    pub fn alerts_for_snapshot(
        &self,
        after: Option<AlertId>,
        limit: u32,
    ) -> Result<Vec<AlertId>, StoreError> {
        let reader = reader(self)?;
        let after = after.map_or_else(Vec::new, AlertId::to_vec);
        let mut statement = self.sql().prepare_cached(
            "SELECT a.alert FROM alerts a
             JOIN reader_schools r ON r.school = a.school AND r.reader = ?1
             WHERE a.alert > ?2 AND a.status IN ('open', 'acknowledged')
             ORDER BY a.alert LIMIT ?3",
        )?;
        collect(statement.query((reader.as_bytes(), after, limit))?, |row| id(row, "alert"))
    }
}

impl Edit<'_> {
    /// Records that alerts are sent to the asking reader with their content, one entry for each; to be
    /// called before they are.
    ///
    /// # Errors
    /// [`StoreError::OutOfScope`] unless a reader asks.
    pub fn deliver_alerts(&self, alerts: &[(SchoolId, AlertId)]) -> Result<(), StoreError> {
        reader(self.view())?;
        for (school, alert) in alerts {
            self.audit(Action::AlertDelivered, Some(*school), Some(alert.as_bytes()), None)?;
        }
        Ok(())
    }
}

/// The reader that asks.
pub(in crate::store) fn reader(view: &View<'_>) -> Result<ReaderId, StoreError> {
    match view.scope().viewer() {
        Viewer::Reader(reader) => Ok(*reader),
        _ => Err(StoreError::OutOfScope),
    }
}

fn delivered(view: &View<'_>, row: &Row<'_>) -> Result<DeliveredAlert, StoreError> {
    let alert: AlertId = id(row, "alert")?;
    let person: Option<PersonId> = id_or_none(row, "person")?;
    let names = match person {
        Some(person) => view.names_of(person)?,
        None => Vec::new(),
    };
    Ok(DeliveredAlert {
        alert,
        school: id(row, "school")?,
        school_name: row.get("school_name")?,
        person,
        device: id(row, "device")?,
        client: ClientId::read(row, "client")?,
        basis: basis(row)?,
        category: row.get("category")?,
        severity: count(row, "severity")?,
        priority: count(row, "priority")?,
        factors: factors(row)?,
        status: status(row)?,
        first_occurred_at: time(row, "first_occurred_at")?,
        last_occurred_at: time(row, "last_occurred_at")?,
        received_at: time(row, "received_at")?,
        event_count: count(row, "event_count")?,
        events: latest_events(view, alert)?,
        names,
        host_name: row.get("host_name")?,
        asset_tag: row.get("asset_tag")?,
    })
}

fn latest_events(
    view: &View<'_>,
    alert: AlertId,
) -> Result<Vec<(Timestamp, Timestamp, v1::EventPayload)>, StoreError> {
    let mut statement = view.sql().prepare_cached(&format!(
        "SELECT e.occurred_at, e.received_at, c.content FROM alert_events e
         JOIN alert_contents c ON c.alert = e.alert AND c.position = e.position
         WHERE e.alert = ?1 ORDER BY e.occurred_at DESC, e.position DESC LIMIT {EVENTS}"
    ))?;
    let mut events = collect(statement.query([alert.as_bytes()])?, |row| {
        let content = payload(&row.get::<_, Vec<u8>>("content")?)?;
        Ok((time(row, "occurred_at")?, time(row, "received_at")?, content))
    })?;
    events.reverse();
    Ok(events)
}
