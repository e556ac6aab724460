//! One alert with everything that the person who decides needs on one page.

use jiff::{SignedDuration, Timestamp};
use redshank_proto::id::{AlertId, PersonId, UserId};
use redshank_proto::{time as wire, v1};

use super::queue::{self, QueueRow};
use super::{Disposition, Factor, factors, flag, payload, visible};
use crate::store::value::{collect, count, id, time, time_or_none};
use crate::store::{StoreError, View};

/// Events that a page shows, the latest: a hundred of one kind within a day say no more than this.
const EVENTS: u32 = 100;
/// Visits around the latest event that a page shows.
const AROUND: u32 = 60;
/// How far the browsing around an alert reaches back from its latest event, in minutes.
const AROUND_BEFORE: i64 = 30;
/// And how far past it.
const AROUND_AFTER: i64 = 15;
/// Two records of one visit (its own, and as context of a match) are one, if this close.
const SAME_VISIT: SignedDuration = SignedDuration::from_secs(2);
/// An event's corrected time may differ by so much from what the device claims before the page says that
/// the device's clock is in doubt.
const DOUBT: SignedDuration = SignedDuration::from_mins(5);

/// One alert in full.
#[derive(Debug, Clone, PartialEq)]
pub struct AlertDetail {
    /// As in the queue.
    pub row: QueueRow,
    /// Its priority, factor by factor; their points add up to it, before its bounds.
    pub factors: Vec<Factor>,
    /// Its latest events, oldest first; those whose content has been deleted are left out.
    pub events: Vec<AlertEventRow>,
    /// The browsing around its latest event, oldest first.
    pub around: Vec<AroundVisit>,
    /// What monitoring services made of it, oldest first.
    pub assessments: Vec<AssessmentRow>,
    /// Who took it up, their name, and when.
    pub acknowledged: Option<(UserId, String, Timestamp)>,
    /// Who closed it and why.
    pub closed: Option<Closing>,
}

/// One event of an alert.
#[derive(Debug, Clone, PartialEq)]
pub struct AlertEventRow {
    /// When it happened, corrected for the device's skew.
    pub occurred_at: Timestamp,
    /// When the collector received it.
    pub received_at: Timestamp,
    /// When the agent saw it, by the device's own clock.
    pub observed_at: Option<Timestamp>,
    /// Whether the time that the device gave could not be right, so that `occurred_at` is the time of receipt.
    pub time_in_doubt: bool,
    /// Whether it came from an approved device that is no known clone.
    pub verified: bool,
    /// 1 to 5.
    pub severity: u8,
    /// What was seen.
    pub payload: v1::EventPayload,
}

/// One page that was opened around an alert.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AroundVisit {
    /// When, corrected for the device's skew.
    pub occurred_at: Timestamp,
    /// Scheme, host and path.
    pub address: String,
    /// Its title, which leaves a device only beside a match.
    pub title: Option<String>,
}

/// What a monitoring service made of an alert.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AssessmentRow {
    /// The service's name.
    pub reader: String,
    /// Its grade, 1 to 5.
    pub grade: u8,
    /// Whether it telephoned the school.
    pub school_called: bool,
    /// What it saw in it; none once deleted.
    pub note: Option<String>,
    /// When.
    pub at: Timestamp,
}

/// How an alert was closed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closing {
    /// Who closed it.
    pub user: UserId,
    /// Their name.
    pub name: String,
    /// When.
    pub at: Timestamp,
    /// As what.
    pub disposition: Disposition,
    /// Why; empty once deleted.
    pub reason: String,
}

impl View<'_> {
    /// One alert. Showing it is [`crate::store::Edit::view_alert`]'s to record, first.
    ///
    /// # Errors
    /// [`StoreError::Missing`] if there is none that the viewer may see; [`StoreError::OutOfScope`] for a
    /// role that opens no content.
    pub fn alert(&self, alert: AlertId) -> Result<AlertDetail, StoreError> {
        visible(self, alert)?;
        let row = queue::one(self, alert)?;
        let events = events(self, alert)?;
        let (factors, acknowledged, closed) = decisions(self, alert)?;
        Ok(AlertDetail {
            around: around(self, &row, &events)?,
            assessments: assessments(self, alert)?,
            events: events.into_iter().map(|(event, _)| event).collect(),
            factors,
            acknowledged,
            closed,
            row,
        })
    }
}

/// The latest events, oldest first, each with the skew of its device's clock in microseconds.
fn events(view: &View<'_>, alert: AlertId) -> Result<Vec<(AlertEventRow, i64)>, StoreError> {
    let mut statement = view.sql().prepare_cached(&format!(
        "SELECT e.occurred_at, e.received_at, e.severity, c.content, l.skew_micros,
                l.verified = 1 AND l.forked = 0 AND l.conflict = 0 AS verified
         FROM alert_events e
         JOIN alert_contents c ON c.alert = e.alert AND c.position = e.position
         JOIN events l ON l.position = e.position
         WHERE e.alert = ?1 ORDER BY e.occurred_at DESC, e.position DESC LIMIT {EVENTS}"
    ))?;
    let mut events = collect(statement.query([alert.as_bytes()])?, |row| {
        let payload = payload(&row.get::<_, Vec<u8>>("content")?)?;
        let skew: i64 = row.get("skew_micros")?;
        let occurred_at = time(row, "occurred_at")?;
        let claimed = wire::from_wire(payload.occurred_at.as_ref()).map(|at| corrected(at, skew));
        let event = AlertEventRow {
            occurred_at,
            received_at: time(row, "received_at")?,
            observed_at: wire::from_wire(payload.observed_at.as_ref()),
            time_in_doubt: claimed.is_none_or(|at| at.duration_since(occurred_at).abs() > DOUBT),
            verified: flag(row, "verified")?,
            severity: count(row, "severity")?,
            payload,
        };
        Ok((event, skew))
    })?;
    events.reverse();
    Ok(events)
}

/// What the same person (or, if nobody is known, the same device) opened around the latest event, and what
/// that event brought along as its context. Behind a host that reports for others the same device is the one
/// client: what others behind it opened is not shown.
fn around(
    view: &View<'_>,
    row: &QueueRow,
    events: &[(AlertEventRow, i64)],
) -> Result<Vec<AroundVisit>, StoreError> {
    let middle = row.last_occurred_at;
    let from = middle.saturating_sub(SignedDuration::from_mins(AROUND_BEFORE));
    let until = middle.saturating_add(SignedDuration::from_mins(AROUND_AFTER));
    let (Ok(from), Ok(until)) = (from, until) else { return Ok(Vec::new()) };
    let context = events.last().into_iter().flat_map(|(event, skew)| {
        event.payload.context.iter().filter_map(|visit| {
            Some(AroundVisit {
                occurred_at: corrected(wire::from_wire(visit.occurred_at.as_ref())?, *skew),
                address: visit.address.clone(),
                title: visit.title.clone(),
            })
        })
    });
    let mut all: Vec<AroundVisit> = context.collect();
    let mut statement = view.sql().prepare_cached(&format!(
        "SELECT occurred_at, address FROM visits
         WHERE device = ?1 AND school = ?2 AND occurred_at BETWEEN ?3 AND ?4
           AND iif(?5 IS NULL, client IS (SELECT a.client FROM alerts a WHERE a.alert = ?7)
                 AND NOT EXISTS (SELECT 1 FROM unknown_devices k WHERE k.unknown = client AND k.known_as = ''),
               person = ?5)
         ORDER BY abs(occurred_at - ?6) LIMIT {AROUND}"
    ))?;
    let visits = statement.query((
        row.device.as_bytes(),
        row.school.as_bytes(),
        from.as_microsecond(),
        until.as_microsecond(),
        row.person.person.as_ref().map(PersonId::as_bytes),
        middle.as_microsecond(),
        row.alert.as_bytes(),
    ))?;
    for visit in collect(visits, |row| {
        Ok(AroundVisit {
            occurred_at: time(row, "occurred_at")?,
            address: row.get("address")?,
            title: None,
        })
    })? {
        let seen = all.iter().any(|known| {
            known.address == visit.address
                && known.occurred_at.duration_since(visit.occurred_at).abs() <= SAME_VISIT
        });
        if !seen {
            all.push(visit);
        }
    }
    all.sort_by_key(|visit| visit.occurred_at);
    Ok(all)
}

fn assessments(view: &View<'_>, alert: AlertId) -> Result<Vec<AssessmentRow>, StoreError> {
    let mut statement = view.sql().prepare_cached(
        "SELECT r.name, s.grade, s.school_called, n.note, s.at
         FROM assessments s JOIN readers r ON r.reader = s.reader
         LEFT JOIN assessment_notes n ON n.assessment = s.assessment
         WHERE s.alert = ?1 ORDER BY s.at, s.assessment LIMIT 100",
    )?;
    collect(statement.query([alert.as_bytes()])?, |row| {
        Ok(AssessmentRow {
            reader: row.get("name")?,
            grade: count(row, "grade")?,
            school_called: flag(row, "school_called")?,
            note: row.get("note")?,
            at: time(row, "at")?,
        })
    })
}

type Decisions = (Vec<Factor>, Option<(UserId, String, Timestamp)>, Option<Closing>);

fn decisions(view: &View<'_>, alert: AlertId) -> Result<Decisions, StoreError> {
    let mut statement = view.sql().prepare_cached(
        "SELECT a.factors, a.acknowledged_by, a.acknowledged_at, a.closed_by, a.closed_at,
                a.disposition, coalesce(u.name, '') AS acknowledger, coalesce(w.name, '') AS closer,
                CAST(c.content AS TEXT) AS reason
         FROM alerts a
         LEFT JOIN users u ON u.user = a.acknowledged_by
         LEFT JOIN users w ON w.user = a.closed_by
         LEFT JOIN alert_contents c ON c.alert = a.alert AND c.position = 0
         WHERE a.alert = ?1",
    )?;
    collect(statement.query([alert.as_bytes()])?, |row| {
        let acknowledged = match time_or_none(row, "acknowledged_at")? {
            Some(at) => Some((id(row, "acknowledged_by")?, row.get("acknowledger")?, at)),
            None => None,
        };
        let closed = match time_or_none(row, "closed_at")? {
            Some(at) => Some(Closing {
                user: id(row, "closed_by")?,
                name: row.get("closer")?,
                at,
                disposition: Disposition::parse(&row.get::<_, String>("disposition")?)
                    .ok_or(StoreError::Malformed("disposition"))?,
                reason: row.get::<_, Option<String>>("reason")?.unwrap_or_default(),
            }),
            None => None,
        };
        Ok((factors(row)?, acknowledged, closed))
    })?
    .pop()
    .ok_or(StoreError::Missing("alert"))
}

fn corrected(at: Timestamp, skew_micros: i64) -> Timestamp {
    at.checked_sub(SignedDuration::from_micros(skew_micros)).unwrap_or(at)
}
