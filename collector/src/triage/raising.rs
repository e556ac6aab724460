//! What an admitted event becomes: an alert, a visit, an alarm. Runs inside the writer, one transaction for a
//! batch; the decisions are the pure modules', the tables the store's.

use jiff::SignedDuration;
use jiff::tz::TimeZone;
use redshank_matcher::{Category, Severity};
use redshank_proto::id::UserId;
use redshank_proto::v1::event_payload::Content;

use super::admission::Admitted;
use super::attribution::{Attribution, attribute};
use super::fold;
use super::occurrence::corrected;
use super::priority::{EARLIER_WITHIN, Known, Priority, judge};
use super::routing::route;
use crate::store::alarms::AlarmKind;
use crate::store::alerts::{AlertStatus, FoldKey, Growth, NewAlert, PastAlert, RaisedEvent};
use crate::store::log::LoggedEvent;
use crate::store::visits::RoutineVisit;
use crate::store::{Edit, StoreError};

/// Writes what an event becomes.
///
/// # Errors
/// [`StoreError`] if the database fails.
pub(super) fn raise(
    edit: &Edit<'_>,
    event: &LoggedEvent,
    admitted: &Admitted,
) -> Result<(), StoreError> {
    if edit.view().is_in_alert(event.position)? {
        return Ok(());
    }
    let attribution = attribute(&admitted.payload.evidence);
    let person = match &attribution.account {
        Some(account) => Some(edit.person_of_account(event.school, event.device, account)?),
        None => None,
    };
    let key = FoldKey { school: event.school, person, device: event.device };
    if let Some(Content::Gap(gap)) = &admitted.payload.content {
        // A gap that nobody could count is one at least.
        let lost = gap.count.max(1);
        edit.raise_alarm(event.school, Some(event.device), AlarmKind::EventsLost, lost)?;
    }
    match (admitted.lead, &admitted.payload.content) {
        (Some((category, severity)), _) => {
            alert(edit, event, admitted, &key, &attribution, category, severity)
        }
        (None, Some(Content::Visit(visit))) => edit.add_visit(&RoutineVisit {
            position: event.position,
            school: event.school,
            device: event.device,
            person,
            occurred_at: corrected(admitted.occurred_at, event.skew_micros, event.received_at),
            address: &visit.address,
        }),
        (None, _) => Ok(()),
    }
}

fn alert(
    edit: &Edit<'_>,
    event: &LoggedEvent,
    admitted: &Admitted,
    key: &FoldKey,
    attribution: &Attribution,
    category: Category,
    severity: Severity,
) -> Result<(), StoreError> {
    let view = edit.view();
    let at = |claimed| corrected(claimed, event.skew_micros, event.received_at);
    let occurred_at = at(admitted.occurred_at);
    let last_occurred_at = at(admitted.last_occurred_at).max(occurred_at);
    let past = view.past_alerts(key, before(occurred_at))?;
    let routing = route(&view.content_users(event.school)?, &admitted.payload);
    let joined = fold::joins(&past, &routing, category.as_str(), occurred_at, last_occurred_at);
    let verified = event.verified && !event.forked && !event.conflict;
    let overall = joined.and_then(|alert| Severity::new(alert.severity)).unwrap_or(severity);
    let viewers = joined.map_or(&routing.viewers, |alert| &alert.viewers);
    let known = Known {
        past: &seen_by_all(&past, viewers),
        joins: joined,
        occurred_at,
        zone: &zone(edit, event)?,
        verified: verified && joined.is_none_or(|alert| alert.verified),
        adult: routing.adult,
    };
    let priority = judge(&admitted.payload, category, severity.max(overall), &known);
    let raised = RaisedEvent {
        position: event.position,
        occurred_at,
        last_occurred_at,
        received_at: event.received_at,
        severity: severity.get(),
        content: admitted.bytes.clone(),
    };
    let viewers = match joined {
        None => {
            let new = NewAlert {
                key: *key,
                category: category.as_str(),
                basis: attribution.basis,
                priority: priority.points,
                factors: priority.factors,
                verified,
                event: raised,
                viewers: routing.viewers,
            };
            edit.open_alert(&new)?.1
        }
        Some(joined) => {
            let mut growth = grown(event, joined, attribution, severity, priority, raised);
            growth.verified = known.verified;
            edit.grow_alert(&growth)?
        }
    };
    if viewers == 0 {
        // Without the device: whose it is, is more than a technician may know.
        edit.raise_alarm(event.school, None, AlarmKind::NoViewer, 1)?;
    }
    Ok(())
}

/// The earlier alerts that may be counted in words that these viewers read: those that each of them may see.
/// Otherwise "1 other alert" would tell somebody of the one that is about them.
fn seen_by_all(past: &[PastAlert], viewers: &[UserId]) -> Vec<PastAlert> {
    let seen = |alert: &&PastAlert| viewers.iter().all(|viewer| alert.viewers.contains(viewer));
    past.iter().filter(seen).cloned().collect()
}

/// What an alert is after an event joined it. Its severity and priority never fall, its basis never gets
/// stronger. One that somebody has taken up is open again when it has become graver, and with every event of
/// the greatest severity, which cannot: what was taken up was another.
fn grown(
    event: &LoggedEvent,
    joined: &PastAlert,
    attribution: &Attribution,
    severity: Severity,
    priority: Priority,
    raised: RaisedEvent,
) -> Growth {
    let reopens = severity.get() > joined.severity || severity == Severity::GREATEST;
    let (points, factors) = if priority.points >= joined.priority {
        (priority.points, priority.factors)
    } else {
        (joined.priority, joined.factors.clone())
    };
    Growth {
        alert: joined.alert,
        school: event.school,
        status: if reopens { AlertStatus::Open } else { joined.status },
        basis: joined.basis.weaker(attribution.basis),
        severity: joined.severity.max(severity.get()),
        priority: points,
        factors,
        verified: joined.verified,
        event: raised,
    }
}

/// How far back earlier alerts matter.
fn before(occurred_at: jiff::Timestamp) -> jiff::Timestamp {
    let reach: SignedDuration = EARLIER_WITHIN.max(fold::LONGEST + fold::WINDOW);
    occurred_at.checked_sub(reach).unwrap_or(occurred_at)
}

/// The school's time zone; UTC if the machine's database has lost it, which is an hour off at most where
/// these schools are.
fn zone(edit: &Edit<'_>, event: &LoggedEvent) -> Result<TimeZone, StoreError> {
    let school = edit.view().school(event.school)?;
    Ok(TimeZone::get(&school.time_zone).unwrap_or(TimeZone::UTC))
}
