//! One alert: what was seen, who it may have been, why it stands where it does, and what to do.
//!
//! An alert grows while somebody reads it. Both its forms say how many events their page showed; if it has
//! more, nothing is done: the page comes back with what arrived, and with what had been filled in.

mod seen;

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use http::StatusCode;
use redshank_proto::id::AlertId;
use serde::Deserialize;

use self::seen::{Seen, What};
use super::Console;
use super::failure::Failure;
use super::frame::{Frame, Place, respond};
use super::queue::{Person, person};
use super::when::{Arrival, Moment, SchoolTime};
use super::who::{Dsl, Posted};
use super::words;
use crate::store::alerts::{
    AlertDetail, AlertStatus, AssessmentRow, Disposition, Factor, REASON_BYTES,
};
use crate::store::sessions::Session;
use crate::store::{Edit, StoreError};

/// The severity at which a child's life may be at risk.
const IMMEDIATE: u8 = 5;

#[derive(Debug, Deserialize)]
pub(super) struct Opened {
    done: Option<String>,
}

/// How somebody takes an alert up or closes it.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Filled {
    /// Events of the alert on the page that the form stood on, as text: a flattened form's fields are.
    seen: String,
    #[serde(default)]
    disposition: String,
    #[serde(default)]
    reason: String,
}

#[derive(Template)]
#[template(path = "alert.html")]
struct Page {
    frame: Frame,
    id: String,
    done: Option<&'static str>,
    problems: Vec<Problem>,
    severity: u8,
    severity_word: &'static str,
    immediate: bool,
    category: String,
    guidance: Option<&'static str>,
    who: Person,
    device_id: String,
    device: String,
    /// The device behind that one, if it reports for others.
    client: Option<String>,
    verified: bool,
    arrival: Arrival,
    latest: Option<Arrival>,
    count: u32,
    status: &'static str,
    status_class: &'static str,
    priority: u32,
    factors: Vec<Factor>,
    /// Whether the points add up to something else, past the bounds.
    bounded: bool,
    seen: Vec<Seen>,
    around: Vec<Visit>,
    assessments: Vec<Assessment>,
    history: Vec<(Moment, String)>,
    closing: Option<(&'static str, String)>,
    may_acknowledge: bool,
    may_close: bool,
    dispositions: Vec<Choice>,
    reason: String,
    reason_bytes: usize,
}

/// What is wrong with a form, and the field that it is about.
struct Problem {
    field: &'static str,
    text: &'static str,
}

struct Choice {
    name: &'static str,
    label: &'static str,
    hint: &'static str,
    chosen: bool,
}

struct Visit {
    at: Moment,
    address: String,
    title: Option<String>,
}

struct Assessment {
    at: Moment,
    service: String,
    grade: u8,
    called: bool,
    note: Option<String>,
}

/// The page.
pub(super) async fn page(
    State(console): State<Console>,
    Path(alert): Path<String>,
    Query(opened): Query<Opened>,
    Dsl(session): Dsl,
) -> Result<Response, Failure> {
    let alert = alert.parse().map_err(|_| Failure::NotFound)?;
    let done = match opened.done.as_deref() {
        Some("acknowledged") => Some("You have taken this alert up."),
        Some("closed") => Some("The alert is closed."),
        _ => None,
    };
    show(&console, &session, alert, done, Vec::new(), None).await
}

/// Takes it up.
pub(super) async fn acknowledge(
    State(console): State<Console>,
    Path(alert): Path<String>,
    posted: Posted<Dsl, Filled>,
) -> Result<Response, Failure> {
    let alert: AlertId = alert.parse().map_err(|_| Failure::NotFound)?;
    let Posted { who: Dsl(session), form } = posted;
    let seen = form.seen()?;
    let acknowledge = move |edit: &Edit<'_>| edit.acknowledge_alert(alert);
    if decided(&console, &session, alert, seen, acknowledge).await? {
        return Ok(Redirect::to(&format!("/alerts/{alert}?done=acknowledged")).into_response());
    }
    show(&console, &session, alert, None, Vec::new(), Some(form)).await
}

/// Closes it with a disposition and a reason; a form that lacks one comes back as it was filled in.
pub(super) async fn close(
    State(console): State<Console>,
    Path(alert): Path<String>,
    posted: Posted<Dsl, Filled>,
) -> Result<Response, Failure> {
    let alert: AlertId = alert.parse().map_err(|_| Failure::NotFound)?;
    let Posted { who: Dsl(session), form } = posted;
    let seen = form.seen()?;
    let disposition = match check(&form) {
        Ok(disposition) => disposition,
        Err(problems) => return show(&console, &session, alert, None, problems, Some(form)).await,
    };
    let reason = form.reason.clone();
    let close = move |edit: &Edit<'_>| edit.close_alert(alert, disposition, reason.trim());
    if decided(&console, &session, alert, seen, close).await? {
        return Ok(Redirect::to(&format!("/alerts/{alert}?done=closed")).into_response());
    }
    show(&console, &session, alert, None, Vec::new(), Some(form)).await
}

/// Acts on an alert as its reader saw it, and says whether it did: not if something has joined it since.
async fn decided(
    console: &Console,
    session: &Session,
    alert: AlertId,
    seen: u32,
    act: impl FnOnce(&Edit<'_>) -> Result<(), StoreError> + Send + 'static,
) -> Result<bool, Failure> {
    let unless_grown = move |edit: &Edit<'_>| {
        let grown = edit.alert_has_grown(alert, seen)?;
        if !grown {
            act(edit)?;
        }
        Ok(!grown)
    };
    Ok(console.store.write(&session.scope(), unless_grown).await?)
}

impl Filled {
    fn seen(&self) -> Result<u32, Failure> {
        self.seen.parse().map_err(|_| Failure::BadForm)
    }
}

fn check(form: &Filled) -> Result<Disposition, Vec<Problem>> {
    let mut problems = Vec::new();
    let disposition = Disposition::parse(&form.disposition);
    if disposition.is_none() {
        problems.push(Problem { field: "concern_confirmed", text: "Choose what became of it" });
    }
    let reason = form.reason.trim();
    if reason.is_empty() {
        problems.push(Problem { field: "reason", text: "Give the reason" });
    } else if reason.len() > REASON_BYTES {
        let text = "Shorten the reason to 2,000 characters";
        problems.push(Problem { field: "reason", text });
    }
    match disposition {
        Some(disposition) if problems.is_empty() => Ok(disposition),
        _ => Err(problems),
    }
}

/// Records that the alert was seen, reads it, and shows it; with a form that was refused, also what arrived
/// since that form's page.
async fn show(
    console: &Console,
    session: &Session,
    alert: AlertId,
    done: Option<&'static str>,
    mut problems: Vec<Problem>,
    refused: Option<Filled>,
) -> Result<Response, Failure> {
    let seen = refused.as_ref().map(Filled::seen).transpose()?;
    let school = session.school;
    let scope = session.scope();
    let read = console.store.write(&scope, move |edit| {
        edit.view_alert(alert)?;
        let grown = seen.map_or(Ok(false), |seen| edit.alert_has_grown(alert, seen))?;
        Ok((edit.view().school(school)?, edit.view().alert(alert)?, grown))
    });
    let (school, detail, grown) = read.await?;
    if grown {
        let text = "Something new arrived while you were deciding: read it first";
        problems.insert(0, Problem { field: "seen-heading", text });
    }
    let time = SchoolTime::new(&school.time_zone, console.clock.now());
    let status =
        if problems.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let frame = Frame::inside("Alert — Redshank", Place::Queue, session);
    respond(
        status,
        &Page { done, problems, ..assemble(detail, &time, frame, refused.unwrap_or_default()) },
    )
}

fn assemble(detail: AlertDetail, time: &SchoolTime, frame: Frame, filled: Filled) -> Page {
    let history = history(&detail, time);
    let AlertDetail { row, factors, events, around, assessments, closed, .. } = detail;
    let latest =
        (row.event_count > 1).then(|| time.arrival(row.last_occurred_at, row.last_received_at));
    Page {
        frame,
        id: row.alert.to_string(),
        done: None,
        problems: Vec::new(),
        severity: row.severity,
        severity_word: words::severity(row.severity),
        immediate: row.severity == IMMEDIATE && row.status != AlertStatus::Closed,
        category: words::category(&row.category).into_owned(),
        guidance: words::guidance(&row.category),
        who: person(row.person),
        device_id: row.device.to_string(),
        device: row.device_name,
        client: row.client.as_ref().map(words::client),
        verified: row.verified,
        arrival: time.arrival(row.first_occurred_at, row.received_at),
        latest,
        count: row.event_count,
        status: words::alert_status(row.status),
        status_class: row.status.as_str(),
        priority: row.priority,
        bounded: factors.iter().map(|factor| i64::from(factor.points)).sum::<i64>()
            != i64::from(row.priority),
        factors,
        // The newest first: what happened last is what matters now.
        seen: events.iter().rev().map(|event| Seen::new(event, time)).collect(),
        around: around
            .into_iter()
            .map(|visit| Visit {
                at: time.moment(visit.occurred_at),
                address: visit.address,
                title: visit.title,
            })
            .collect(),
        assessments: assessments.into_iter().map(|row| assessment(row, time)).collect(),
        history,
        closing: closed.map(|closing| (closing.disposition.label(), closing.reason)),
        may_acknowledge: row.status == AlertStatus::Open,
        may_close: row.status != AlertStatus::Closed,
        dispositions: choices(&filled.disposition),
        reason: filled.reason,
        reason_bytes: REASON_BYTES,
    }
}

fn history(detail: &AlertDetail, time: &SchoolTime) -> Vec<(Moment, String)> {
    let mut history = vec![(time.moment(detail.row.received_at), "Raised".to_owned())];
    if let Some((_, name, at)) = &detail.acknowledged {
        history.push((time.moment(*at), format!("Taken up by {name}")));
    }
    if let Some(closing) = &detail.closed {
        let text = format!("Closed by {}: {}", closing.name, closing.disposition.label());
        history.push((time.moment(closing.at), text));
    }
    history
}

fn assessment(row: AssessmentRow, time: &SchoolTime) -> Assessment {
    Assessment {
        at: time.moment(row.at),
        service: row.reader,
        grade: row.grade,
        called: row.school_called,
        note: row.note,
    }
}

fn choices(chosen: &str) -> Vec<Choice> {
    Disposition::ALL
        .into_iter()
        .map(|disposition| Choice {
            name: disposition.as_str(),
            label: disposition.label(),
            hint: match disposition {
                Disposition::ConcernConfirmed => {
                    "True, and dealt with by the school’s own procedures."
                }
                Disposition::SupportGiven => {
                    "Somebody has spoken with the pupil and support is in place."
                }
                Disposition::Referred => "Police, social care, CEOP, Prevent, health: say which.",
                Disposition::NoConcern => {
                    "Seen, true, and nothing to worry about: lesson work, a song."
                }
                Disposition::FalsePositive => {
                    "It does not mean what the rule took it for. Helps to tune it."
                }
                Disposition::Duplicate => "Say which alert or record has it.",
            },
            chosen: disposition.as_str() == chosen,
        })
        .collect()
}
