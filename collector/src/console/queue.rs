//! The queue: what waits for the reader, most urgent first.

use std::time::Duration;

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;
use http::StatusCode;
use jiff::Timestamp;
use redshank_proto::v1::CoverageState;
use serde::Deserialize;

use super::Console;
use super::account::Notices;
use super::failure::Failure;
use super::frame::{Frame, Place, respond};
use super::live;
use super::when::{Arrival, Moment, SchoolTime};
use super::who::Dsl;
use super::words;
use crate::store::alerts::{AlertStatus, PersonLabel, QUEUE_ROWS, QueueFilter, QueueRow};
use crate::store::audit::Action;
use crate::store::devices::{DeviceStatus, DeviceSummary};
use crate::store::notices::Notice;
use crate::store::sessions::Session;
use crate::store::{Edit, StoreError};

/// A device that has been silent for so long is worth saying where a quiet queue could reassure.
const SILENT: Duration = Duration::from_secs(24 * 3_600);

#[derive(Debug, Deserialize)]
pub(super) struct Opened {
    show: Option<String>,
}

#[derive(Template)]
#[template(path = "queue.html")]
struct Page {
    frame: Frame,
    notices: Notices,
    rows: Rows,
}

/// The rows alone, as the live page fetches them.
#[derive(Template)]
#[template(path = "queue_rows.html")]
struct Fragment {
    rows: Rows,
}

struct Rows {
    /// The newest change that these rows show.
    seen: String,
    closed: bool,
    rows: Vec<Row>,
    /// How many rows are shown, if there are more.
    cut_at: Option<usize>,
    coverage: Option<Quiet>,
    looked: Moment,
}

struct Row {
    id: String,
    severity: u8,
    severity_word: &'static str,
    category: String,
    headline: Option<String>,
    deed: Option<&'static str>,
    who: Person,
    device: String,
    verified: bool,
    arrival: Arrival,
    latest: Option<Moment>,
    count: u32,
    status: &'static str,
    status_class: &'static str,
    open: bool,
    priority: u32,
}

/// Who it was, as far as anybody knows.
pub(super) struct Person {
    /// The name or account.
    pub(super) name: Option<String>,
    /// Whether it may stand without "possibly".
    pub(super) certain: bool,
    /// What speaks for it.
    pub(super) basis: &'static str,
}

/// What a quiet queue rests on.
struct Quiet {
    devices: usize,
    silent: usize,
    blind: usize,
    pending: usize,
}

/// The page.
pub(super) async fn page(
    State(console): State<Console>,
    Query(opened): Query<Opened>,
    Dsl(session): Dsl,
) -> Result<Response, Failure> {
    let closed = opened.show.as_deref() == Some("closed");
    let (rows, notices, time) = load(&console, &session, closed).await?;
    let page = Page {
        frame: Frame::inside("Queue — Redshank", Place::Queue, &session),
        notices: Notices::new(&notices, &time),
        rows,
    };
    respond(StatusCode::OK, &page)
}

/// The rows alone.
pub(super) async fn rows(
    State(console): State<Console>,
    Query(opened): Query<Opened>,
    Dsl(session): Dsl,
) -> Result<Response, Failure> {
    let closed = opened.show.as_deref() == Some("closed");
    let (rows, _, _) = load(&console, &session, closed).await?;
    respond(StatusCode::OK, &Fragment { rows })
}

/// Reads the queue and records that it was seen, in one write.
async fn load(
    console: &Console,
    session: &Session,
    closed: bool,
) -> Result<(Rows, Vec<Notice>, SchoolTime), Failure> {
    let (id, now) = (session.school, console.clock.now());
    let filter = if closed { QueueFilter::Closed } else { QueueFilter::Active };
    let read = move |edit: &Edit<'_>| {
        let view = edit.view();
        let (seen, rows) = (live::newest(view)?, view.queue(filter)?);
        let coverage = if rows.is_empty() { Some(quiet(&view.devices(id)?, now)) } else { None };
        edit.audit(Action::QueueViewed, Some(id), None, None)?;
        Ok::<_, StoreError>((view.school(id)?, seen, rows, coverage, view.unread_notices()?))
    };
    let (school, seen, rows, coverage, notices) =
        console.store.write(&session.scope(), read).await?;
    let time = SchoolTime::new(&school.time_zone, now);
    let most = usize::try_from(QUEUE_ROWS).unwrap_or(usize::MAX);
    let rows = Rows {
        seen,
        closed,
        cut_at: (rows.len() > most).then_some(most),
        rows: rows.into_iter().take(most).map(|alert| row(alert, &time)).collect(),
        coverage,
        looked: time.moment(now),
    };
    Ok((rows, notices, time))
}

fn quiet(devices: &[DeviceSummary], now: Timestamp) -> Quiet {
    let count = |is: &dyn Fn(&DeviceSummary) -> bool| devices.iter().filter(|d| is(d)).count();
    let recent = now - SILENT;
    Quiet {
        devices: count(&|device| device.status != DeviceStatus::Revoked),
        silent: count(&|device| {
            device.status != DeviceStatus::Revoked
                && device.last_seen_at.is_none_or(|seen| seen < recent)
        }),
        blind: count(&|device| device.worst == Some(CoverageState::Blind as i32)),
        pending: count(&|device| device.status == DeviceStatus::Pending),
    }
}

fn row(alert: QueueRow, time: &SchoolTime) -> Row {
    Row {
        id: alert.alert.to_string(),
        severity: alert.severity,
        severity_word: words::severity(alert.severity),
        category: words::category(&alert.category).into_owned(),
        headline: alert.headline,
        deed: words::deed(alert.deed),
        who: person(alert.person),
        device: alert.client.as_ref().map_or(alert.device_name, words::client),
        verified: alert.verified,
        arrival: time.arrival(alert.first_occurred_at, alert.received_at),
        latest: (alert.event_count > 1).then(|| time.moment(alert.last_occurred_at)),
        count: alert.event_count,
        status: words::alert_status(alert.status),
        status_class: alert.status.as_str(),
        open: alert.status == AlertStatus::Open,
        priority: alert.priority,
    }
}

pub(super) fn person(label: PersonLabel) -> Person {
    Person { name: label.name_or_account, certain: label.certain, basis: label.basis.label() }
}
