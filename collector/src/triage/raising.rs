//! What an admitted event becomes: an alert, a visit, a sighting, a number, an alarm.
//!
//! Runs inside the writer, one transaction for a batch; the decisions are the pure modules', the tables the
//! store's.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use redshank_matcher::{Category, Severity};
use redshank_proto::id::UserId;
use redshank_proto::v1::{self, event_payload::Content};

use super::admission::Admitted;
use super::attribution::{Attribution, Scene, attribute, scene};
use super::fold;
use super::occurrence::corrected;
use super::priority::{EARLIER_WITHIN, Known, Priority, judge};
use super::routing::route;
use crate::store::alarms::AlarmKind;
use crate::store::alerts::{AlertStatus, FoldKey, Growth, NewAlert, PastAlert, RaisedEvent};
use crate::store::log::LoggedEvent;
use crate::store::notices_shown::{Audience, NoticeShown};
use crate::store::sightings::{Sighting, Thing};
use crate::store::unknown::Stranger;
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
    if let Some(Content::Gap(gap)) = &admitted.payload.content {
        // A gap that nobody could count is one at least.
        let lost = gap.count.max(1);
        edit.raise_alarm(event.school, Some(event.device), AlarmKind::EventsLost, lost)?;
    }
    let at = |claimed| corrected(claimed, event.skew_micros, event.received_at);
    let occurred_at = at(admitted.occurred_at);
    match (admitted.lead, &admitted.payload.content) {
        (Some((category, severity)), _) => {
            let who = Who::of(edit, event, admitted, occurred_at)?;
            alert(edit, event, admitted, &who, category, severity)?;
            who.meet(edit)
        }
        (None, Some(Content::Visit(visit))) => {
            opened(edit, event, admitted, occurred_at, &visit.address)
        }
        // What the filter blocked was not opened; that it was blocked is counted, if the school wants it.
        (None, Some(Content::Request(request)))
            if request.action() == v1::FilterAction::Blocked =>
        {
            Ok(())
        }
        (None, Some(Content::Request(request))) => {
            opened(edit, event, admitted, occurred_at, &request.address)
        }
        (None, Some(Content::Program(program))) => {
            let thing = match program.list() {
                v1::ProgramList::Bypass => Thing::BypassProgram,
                v1::ProgramList::RemoteControl => Thing::RemoteControlProgram,
                v1::ProgramList::Denied => Thing::DeniedProgram,
                v1::ProgramList::Unspecified | v1::ProgramList::Allowed => Thing::OtherProgram,
            };
            sighted(edit, event, admitted, occurred_at, thing, &program.name)
        }
        (None, Some(Content::Medium(medium))) => {
            // Who takes one out has put one in: that is counted.
            if medium.change() == v1::MediumChange::Removed {
                return Ok(());
            }
            let thing = if medium.allowed { Thing::Medium } else { Thing::MediumNotAllowed };
            sighted(edit, event, admitted, occurred_at, thing, &medium.name)
        }
        (None, Some(Content::FilterCounts(counts))) => {
            let day = occurred_at.to_zoned(zone(edit, event)?).date();
            edit.add_filter_counts(event.position, event.school, event.device, day, counts)
        }
        (None, Some(Content::NoticeShown(notice))) => {
            let who = Who::of(edit, event, admitted, occurred_at)?;
            edit.add_notice_shown(&NoticeShown {
                school: event.school,
                person: who.key.person,
                basis: who.attribution.basis,
                device: event.device,
                version: notice.version,
                audience: audience(notice.audience()),
                at: occurred_at,
            })
        }
        // Text without a match does not pass admission.
        (None, Some(Content::Gap(_) | Content::Text(_)) | None) => Ok(()),
    }
}

/// Whose an event is, as far as anybody knows.
struct Who {
    attribution: Attribution,
    key: FoldKey,
    /// The unknown device that it happened on, if it happened on one.
    stranger: Option<Stranger>,
}

impl Who {
    fn of(
        edit: &Edit<'_>,
        event: &LoggedEvent,
        admitted: &Admitted,
        occurred_at: Timestamp,
    ) -> Result<Self, StoreError> {
        let (view, evidence) = (edit.view(), &admitted.payload.evidence);
        let scene = scene(&admitted.payload);
        let asset = match &scene {
            Scene::Reporting => view.asset_of_device(event.device)?,
            Scene::Behind { mac: Some(mac), .. } => view.asset_of_mac(event.school, mac)?,
            Scene::Behind { mac: None, .. } | Scene::Unknown => None,
        };
        let stranger = match &scene {
            Scene::Behind { mac, address } if asset.is_none() => Some(Stranger {
                school: event.school,
                device: event.device,
                mac: mac.clone().unwrap_or_default(),
                address: address.clone().unwrap_or_default(),
                at: occurred_at,
                today: edit.now().to_zoned(zone(edit, event)?).date(),
            }),
            Scene::Behind { .. } | Scene::Reporting | Scene::Unknown => None,
        };
        let client = match (&scene, &asset, &stranger) {
            (Scene::Behind { .. }, Some(asset), _) => Some(asset.client),
            (Scene::Behind { .. }, None, Some(stranger)) => Some(edit.unknown_client(stranger)?),
            _ => None,
        };
        let attribution = attribute(evidence, &scene, asset.as_ref());
        let person = match &attribution.account {
            Some(account) => Some(edit.person_of_account(event.school, event.device, account)?),
            None => None,
        };
        let key = FoldKey { school: event.school, person, client, device: event.device };
        // Whom the proxy names is known, whatever they hold.
        let stranger = stranger.filter(|_| person.is_none());
        Ok(Self { attribution, key, stranger })
    }

    /// Keeps where the unknown device was, for its alert. A technician is told nothing of it.
    fn meet(&self, edit: &Edit<'_>) -> Result<(), StoreError> {
        match (self.key.client, &self.stranger) {
            (Some(client), Some(stranger)) => edit.met_unknown(client, stranger),
            _ => Ok(()),
        }
    }

    /// Lists the unknown device for the technician: for an ordinary request, and for nothing else.
    fn list(&self, edit: &Edit<'_>) -> Result<(), StoreError> {
        match (self.key.client, &self.stranger) {
            (Some(client), Some(stranger)) => edit.list_unknown(client, stranger),
            _ => Ok(()),
        }
    }
}

/// Keeps a page that was opened, for the browsing around an alert.
fn opened(
    edit: &Edit<'_>,
    event: &LoggedEvent,
    admitted: &Admitted,
    occurred_at: Timestamp,
    address: &str,
) -> Result<(), StoreError> {
    let who = Who::of(edit, event, admitted, occurred_at)?;
    let added = edit.add_visit(&RoutineVisit {
        position: event.position,
        school: event.school,
        device: event.device,
        person: who.key.person,
        client: who.key.client,
        occurred_at,
        address,
    })?;
    if added { who.list(edit) } else { Ok(()) }
}

/// Keeps a program or a medium, for the weekly summary.
fn sighted(
    edit: &Edit<'_>,
    event: &LoggedEvent,
    admitted: &Admitted,
    occurred_at: Timestamp,
    thing: Thing,
    name: &str,
) -> Result<(), StoreError> {
    let who = Who::of(edit, event, admitted, occurred_at)?;
    edit.add_sighting(&Sighting {
        position: event.position,
        school: event.school,
        device: event.device,
        person: who.key.person,
        basis: who.attribution.basis,
        occurred_at,
        thing,
        name,
    })
}

fn audience(audience: v1::NoticeAudience) -> Audience {
    match audience {
        v1::NoticeAudience::YoungChildren => Audience::YoungChildren,
        v1::NoticeAudience::Pupils => Audience::Pupils,
        v1::NoticeAudience::Staff => Audience::Staff,
        v1::NoticeAudience::Families => Audience::Families,
        v1::NoticeAudience::Unspecified => Audience::Other,
    }
}

fn alert(
    edit: &Edit<'_>,
    event: &LoggedEvent,
    admitted: &Admitted,
    who: &Who,
    category: Category,
    severity: Severity,
) -> Result<(), StoreError> {
    let (view, Who { attribution, key, .. }) = (edit.view(), who);
    let at = |claimed| corrected(claimed, event.skew_micros, event.received_at);
    let occurred_at = at(admitted.occurred_at);
    let last_occurred_at = at(admitted.last_occurred_at).max(occurred_at);
    let past = view.past_alerts(key, before(occurred_at))?;
    let users = view.content_users(event.school)?;
    let routing = route(&users, &admitted.payload, attribution.account.as_ref());
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
fn before(occurred_at: Timestamp) -> Timestamp {
    let reach: SignedDuration = EARLIER_WITHIN.max(fold::LONGEST + fold::WINDOW);
    occurred_at.checked_sub(reach).unwrap_or(occurred_at)
}

/// The school's time zone; UTC if the machine's database has lost it, which is an hour off at most where
/// these schools are.
fn zone(edit: &Edit<'_>, event: &LoggedEvent) -> Result<TimeZone, StoreError> {
    let school = edit.view().school(event.school)?;
    Ok(TimeZone::get(&school.time_zone).unwrap_or(TimeZone::UTC))
}
