//! Devices behind a proxy or a name server that the asset log does not know: for a technician to find and to enter.
//! No content, no browsing, nobody's name; by the day, and nothing that an alert would change.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::Console;
use super::failure::Failure;
use super::frame::{Frame, Place, respond};
use super::who::SignedIn;
use crate::store::View;

#[derive(Template)]
#[template(path = "unknown.html")]
struct Page {
    frame: Frame,
    rows: Vec<Row>,
}

struct Row {
    address: Option<String>,
    mac: Option<String>,
    host_id: String,
    host: String,
    first: Day,
    last: Day,
}

/// A day by the school's clock.
struct Day {
    /// As people say it: "Monday 14 July".
    text: String,
    /// For the machine.
    iso: String,
}

/// The page.
pub(super) async fn page(
    State(console): State<Console>,
    SignedIn(session): SignedIn,
) -> Result<Response, Failure> {
    let (id, scope, now) = (session.school, session.scope(), console.clock.now());
    let read = move |view: &View<'_>| Ok((view.school(id)?, view.unknown_devices(id, now)?));
    let (school, unknown) = console.store.read(&scope, read).await?;
    let zone = TimeZone::get(&school.time_zone).unwrap_or(TimeZone::UTC);
    let page = Page {
        frame: Frame::inside("Unknown devices — Redshank", Place::Devices, &session),
        rows: unknown
            .into_iter()
            .map(|unknown| Row {
                address: unknown.address,
                mac: unknown.mac,
                host_id: unknown.device.to_string(),
                host: unknown.host_name,
                first: day(unknown.first_at, &zone),
                last: day(unknown.last_at, &zone),
            })
            .collect(),
    };
    respond(StatusCode::OK, &page)
}

fn day(at: Timestamp, zone: &TimeZone) -> Day {
    let day = at.to_zoned(zone.clone()).date();
    Day { text: day.strftime("%A %-d %B").to_string(), iso: day.to_string() }
}
