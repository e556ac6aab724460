//! What triage reads of earlier alerts, and how it opens one or lets one grow.
//!
//! Rules of folding are triage's (`crate::triage::fold`); here is what the tables demand. An alert's row, its
//! event, its content, its viewers and its change commit together with triage's cursor, so a crash leaves
//! either all of an event or nothing of it.

use jiff::{SignedDuration, Timestamp};
use redshank_proto::id::{AlertId, DeviceId, PersonId, SchoolId, UserId};
use redshank_proto::v1::ChangeKind;
use rusqlite::OptionalExtension as _;

use super::{
    AlertStatus, Basis, CONTENT_KEPT_DAYS, Disposition, Factor, basis, factors, flag, payload,
    status,
};
use crate::store::assets::ClientId;
use crate::store::value::{collect, count, id, id_or_none, time};
use crate::store::{Edit, Purpose, Role, StoreError, View};

/// Earlier alerts that triage looks at: enough to see repetition; a person with more is at the top anyway.
const PAST_ALERTS: u32 = 100;
/// Open alerts that a new user's grant goes through. A school with more has nobody who looks at any.
const GRANTED: u32 = 5_000;

/// By what alerts fold, beside the category: the person, else the client behind the device, else the device. So two
/// unknown devices behind one proxy never share an alert, as far as its log tells them apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct FoldKey {
    /// The school.
    pub school: SchoolId,
    /// The person, if one is known.
    pub person: Option<PersonId>,
    /// Who is behind the device, if it reports for others.
    pub client: Option<ClientId>,
    /// The device.
    pub device: DeviceId,
}

impl FoldKey {
    fn folded_by(&self) -> &[u8; 16] {
        let client = self.client.as_ref().map_or(self.device.as_bytes(), ClientId::as_bytes);
        self.person.as_ref().map_or(client, PersonId::as_bytes)
    }
}

/// An earlier alert under the same key, whatever its category.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PastAlert {
    /// The alert.
    pub alert: AlertId,
    /// Its category's field name.
    pub category: String,
    /// Where it stands.
    pub status: AlertStatus,
    /// As what it was closed, if it was.
    pub disposition: Option<Disposition>,
    /// What speaks for the person.
    pub basis: Basis,
    /// 1 to 5.
    pub severity: u8,
    /// 0 to 1,000.
    pub priority: u32,
    /// Why.
    pub factors: Vec<Factor>,
    /// Whether all its events came from approved devices that are no known clones.
    pub verified: bool,
    /// When its earliest event occurred.
    pub first_occurred_at: Timestamp,
    /// When its latest did.
    pub last_occurred_at: Timestamp,
    /// Events in it.
    pub event_count: u32,
    /// Who may see it.
    pub viewers: Vec<UserId>,
}

/// An event with a match, as it goes into an alert.
#[derive(Debug, Clone)]
pub struct RaisedEvent {
    /// Its place in the event log.
    pub position: i64,
    /// When it happened, corrected.
    pub occurred_at: Timestamp,
    /// When its last repeat happened, corrected; not before `occurred_at`.
    pub last_occurred_at: Timestamp,
    /// When the collector received it.
    pub received_at: Timestamp,
    /// 1 to 5.
    pub severity: u8,
    /// The `EventPayload` as the agent encoded it.
    pub content: Vec<u8>,
}

/// An alert to open.
#[derive(Debug, Clone)]
pub struct NewAlert {
    /// By what it folds.
    pub key: FoldKey,
    /// Its category's field name.
    pub category: &'static str,
    /// What speaks for the person.
    pub basis: Basis,
    /// 0 to 1,000.
    pub priority: u32,
    /// Why.
    pub factors: Vec<Factor>,
    /// Whether its event came from an approved device that is no known clone.
    pub verified: bool,
    /// Its first event, which gives it its severity.
    pub event: RaisedEvent,
    /// Who may see it.
    pub viewers: Vec<UserId>,
}

/// What an event makes of an alert that is there.
#[derive(Debug, Clone)]
pub struct Growth {
    /// The alert, as triage saw it.
    pub alert: AlertId,
    /// Its school.
    pub school: SchoolId,
    /// What it stands at from here on.
    pub status: AlertStatus,
    /// What speaks for the person, over all events.
    pub basis: Basis,
    /// Over all events.
    pub severity: u8,
    /// 0 to 1,000.
    pub priority: u32,
    /// Why.
    pub factors: Vec<Factor>,
    /// Over all events.
    pub verified: bool,
    /// The event.
    pub event: RaisedEvent,
}

impl View<'_> {
    /// The newest alerts under a key whose last event occurred at `since` or later, whatever their category
    /// and status; newest first, at most 100.
    ///
    /// # Errors
    /// [`StoreError::OutOfScope`] unless triage asks.
    pub fn past_alerts(
        &self,
        key: &FoldKey,
        since: Timestamp,
    ) -> Result<Vec<PastAlert>, StoreError> {
        self.scope().require_system(&[Purpose::Triage])?;
        let mut statement = self.sql().prepare_cached(&format!(
            "SELECT alert, category, status, disposition, basis, severity, priority, factors, verified,
                    first_occurred_at, last_occurred_at, event_count
             FROM alerts WHERE school = ?1 AND folded_by = ?2 AND last_occurred_at >= ?3
             ORDER BY last_occurred_at DESC, alert LIMIT {PAST_ALERTS}"
        ))?;
        let parameters = (key.school.as_bytes(), key.folded_by(), since.as_microsecond());
        collect(statement.query(parameters)?, |row| {
            let alert = id(row, "alert")?;
            Ok(PastAlert {
                alert,
                category: row.get("category")?,
                status: status(row)?,
                disposition: row
                    .get::<_, Option<String>>("disposition")?
                    .and_then(|name| Disposition::parse(&name)),
                basis: basis(row)?,
                severity: count(row, "severity")?,
                priority: count(row, "priority")?,
                factors: factors(row)?,
                verified: flag(row, "verified")?,
                first_occurred_at: time(row, "first_occurred_at")?,
                last_occurred_at: time(row, "last_occurred_at")?,
                event_count: count(row, "event_count")?,
                viewers: self.viewers_of(alert)?,
            })
        })
    }

    fn viewers_of(&self, alert: AlertId) -> Result<Vec<UserId>, StoreError> {
        let mut statement =
            self.sql().prepare_cached("SELECT user FROM alert_viewers WHERE alert = ?1")?;
        collect(statement.query([alert.as_bytes()])?, |row| id(row, "user"))
    }

    /// Whether an event is in an alert already.
    ///
    /// # Errors
    /// [`StoreError::OutOfScope`] unless triage asks.
    pub fn is_in_alert(&self, position: i64) -> Result<bool, StoreError> {
        self.scope().require_system(&[Purpose::Triage])?;
        let mut statement =
            self.sql().prepare_cached("SELECT 1 FROM alert_events WHERE position = ?1")?;
        Ok(statement.exists([position])?)
    }
}

impl Edit<'_> {
    /// Opens an alert and says how many may see it.
    ///
    /// # Errors
    /// [`StoreError::OutOfScope`] unless triage asks; [`StoreError::Sqlite`] if the event is in an alert.
    pub fn open_alert(&self, new: &NewAlert) -> Result<(AlertId, u32), StoreError> {
        self.scope().require_system(&[Purpose::Triage])?;
        let alert = AlertId::draw(self.randomness());
        let (key, event) = (&new.key, &new.event);
        self.sql()
            .prepare_cached(
                "INSERT INTO alerts (alert, school, person, device, client, folded_by, category,
                     window_start, basis, severity, priority, factors, status, verified,
                     first_occurred_at, last_occurred_at, received_at, last_received_at, event_count)
                 VALUES (?1, ?2, ?3, ?4, ?16, ?5, ?6, ?7, ?8, ?9, ?10, ?11, 'open', ?12, ?13, ?14, ?15,
                     ?15, 1)",
            )?
            .execute((
                alert.as_bytes(),
                key.school.as_bytes(),
                key.person.as_ref().map(PersonId::as_bytes),
                key.device.as_bytes(),
                key.folded_by(),
                new.category,
                self.free_window(key, new.category, event.occurred_at)?,
                new.basis.as_str(),
                event.severity,
                new.priority,
                json(&new.factors)?,
                new.verified,
                event.occurred_at.as_microsecond(),
                event.last_occurred_at.as_microsecond(),
                event.received_at.as_microsecond(),
                key.client.as_ref().map(ClientId::as_bytes),
            ))?;
        for viewer in &new.viewers {
            self.add_viewer(alert, *viewer)?;
        }
        self.add_alert_event(key.school, alert, event)?;
        self.record_change(key.school, alert, ChangeKind::Opened)?;
        Ok((alert, self.viewers(alert)?))
    }

    /// Lets an alert grow by an event and says how many may still see it.
    ///
    /// # Errors
    /// As [`Edit::open_alert`].
    pub fn grow_alert(&self, growth: &Growth) -> Result<u32, StoreError> {
        self.scope().require_system(&[Purpose::Triage])?;
        let event = &growth.event;
        self.sql()
            .prepare_cached(
                "UPDATE alerts SET status = ?2, basis = ?3, severity = ?4, priority = ?5, factors = ?6,
                     verified = ?7, first_occurred_at = min(first_occurred_at, ?8),
                     last_occurred_at = max(last_occurred_at, ?9),
                     last_received_at = max(last_received_at, ?10), event_count = event_count + 1,
                     acknowledged_by = iif(?2 = 'open', NULL, acknowledged_by),
                     acknowledged_at = iif(?2 = 'open', NULL, acknowledged_at)
                 WHERE alert = ?1",
            )?
            .execute((
                growth.alert.as_bytes(),
                growth.status.as_str(),
                growth.basis.as_str(),
                growth.severity,
                growth.priority,
                json(&growth.factors)?,
                growth.verified,
                event.occurred_at.as_microsecond(),
                event.last_occurred_at.as_microsecond(),
                event.received_at.as_microsecond(),
            ))?;
        self.add_alert_event(growth.school, growth.alert, event)?;
        self.record_change(growth.school, growth.alert, ChangeKind::Grew)?;
        self.viewers(growth.alert)
    }

    /// Lets a user whose role has come to open content see the alerts of their school that are not closed, but
    /// for those that are about them; says how many. Whoever grants learns no content by it.
    ///
    /// # Errors
    /// [`StoreError::Missing`] if there is no such user whose role opens content;
    /// [`StoreError::OutOfScope`] unless the command line or somebody of that school whose role opens content
    /// asks.
    pub fn grant_open_alerts(&self, user: UserId) -> Result<usize, StoreError> {
        if self.scope().require_command_line().is_err() {
            self.scope().require_content()?;
        }
        let (school, name) = self.content_user(user)?;
        self.scope().require_school(school)?;
        let mut statement = self.sql().prepare_cached(&format!(
            "SELECT alert, person FROM alerts WHERE school = ?1 AND status IN ('open', 'acknowledged')
             ORDER BY priority DESC LIMIT {GRANTED}"
        ))?;
        let alerts: Vec<(AlertId, Option<PersonId>)> =
            collect(statement.query([school.as_bytes()])?, |row| {
                Ok((id(row, "alert")?, id_or_none(row, "person")?))
            })?;
        let mut contents = self.sql().prepare_cached(
            "SELECT content FROM alert_contents WHERE alert = ?1 AND kind = 'event'",
        )?;
        let mut granted = 0;
        for (alert, person) in alerts {
            let names = match person {
                Some(person) => self.view().names_of(person)?,
                None => Vec::new(),
            };
            let events = collect(contents.query([alert.as_bytes()])?, |row| {
                payload(&row.get::<_, Vec<u8>>("content")?)
            })?;
            if !crate::triage::is_kept_from(&name, &events, &names, self.viewers(alert)? > 0) {
                self.add_viewer(alert, user)?;
                granted += 1;
            }
        }
        Ok(granted)
    }

    fn content_user(&self, user: UserId) -> Result<(SchoolId, String), StoreError> {
        let found = self
            .sql()
            .prepare_cached("SELECT school, name, role FROM users WHERE user = ?1")?
            .query_row([user.as_bytes()], |row| {
                Ok((row.get::<_, [u8; 16]>(0)?, row.get(1)?, row.get::<_, String>(2)?))
            })
            .optional()?;
        match found {
            Some((school, name, role)) if Role::parse(&role).is_some_and(Role::opens_content) => {
                Ok((SchoolId::from_bytes(school), name))
            }
            Some(_) | None => Err(StoreError::Missing("user")),
        }
    }

    fn viewers(&self, alert: AlertId) -> Result<u32, StoreError> {
        Ok(self
            .sql()
            .prepare_cached("SELECT count(*) FROM alert_viewers WHERE alert = ?1")?
            .query_row([alert.as_bytes()], |row| row.get(0))?)
    }

    fn add_viewer(&self, alert: AlertId, user: UserId) -> Result<(), StoreError> {
        self.sql()
            .prepare_cached("INSERT OR IGNORE INTO alert_viewers (alert, user) VALUES (?1, ?2)")?
            .execute((alert.as_bytes(), user.as_bytes()))?;
        Ok(())
    }

    /// The first start of a window from `from` on that no alert of this key has: one that was closed may
    /// have begun in the very microsecond.
    fn free_window(
        &self,
        key: &FoldKey,
        category: &str,
        from: Timestamp,
    ) -> Result<i64, StoreError> {
        let mut statement = self.sql().prepare_cached(
            "SELECT window_start FROM alerts
             WHERE school = ?1 AND folded_by = ?2 AND category = ?3 AND window_start >= ?4
             ORDER BY window_start",
        )?;
        let mut free = from.as_microsecond();
        let mut rows = statement.query((key.school.as_bytes(), key.folded_by(), category, free))?;
        while let Some(row) = rows.next()? {
            if row.get::<_, i64>(0)? != free {
                break;
            }
            free += 1;
        }
        Ok(free)
    }

    fn add_alert_event(
        &self,
        school: SchoolId,
        alert: AlertId,
        event: &RaisedEvent,
    ) -> Result<(), StoreError> {
        self.sql()
            .prepare_cached(
                "INSERT INTO alert_events (alert, position, occurred_at, received_at, severity)
                 VALUES (?1, ?2, ?3, ?4, ?5)",
            )?
            .execute((
                alert.as_bytes(),
                event.position,
                event.occurred_at.as_microsecond(),
                event.received_at.as_microsecond(),
                event.severity,
            ))?;
        let expires = self.now() + SignedDuration::from_hours(24 * CONTENT_KEPT_DAYS);
        self.sql()
            .prepare_cached(
                "INSERT INTO alert_contents (alert, position, school, kind, expires_at, content)
                 VALUES (?1, ?2, ?3, 'event', ?4, ?5)",
            )?
            .execute((
                alert.as_bytes(),
                event.position,
                school.as_bytes(),
                expires.as_microsecond(),
                event.content.as_slice(),
            ))?;
        Ok(())
    }
}

fn json(factors: &[Factor]) -> Result<String, StoreError> {
    serde_json::to_string(factors).map_err(|_| StoreError::Malformed("factors"))
}
