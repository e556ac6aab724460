//! Devices behind a proxy or a name server that the asset log does not know: for a technician to find and to enter.
//! No content, no browsing, nobody's name.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use http::StatusCode;

use super::Console;
use super::failure::Failure;
use super::frame::{Frame, Place, respond};
use super::when::{Moment, SchoolTime};
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
    first: Moment,
    last: Moment,
    count: u64,
}

/// The page.
pub(super) async fn page(
    State(console): State<Console>,
    SignedIn(session): SignedIn,
) -> Result<Response, Failure> {
    let (id, scope) = (session.school, session.scope());
    let read = move |view: &View<'_>| Ok((view.school(id)?, view.unknown_devices(id)?));
    let (school, unknown) = console.store.read(&scope, read).await?;
    let time = SchoolTime::new(&school.time_zone, console.clock.now());
    let page = Page {
        frame: Frame::inside("Unknown devices — Redshank", Place::Devices, &session),
        rows: unknown
            .into_iter()
            .map(|unknown| Row {
                address: unknown.address,
                mac: unknown.mac,
                host_id: unknown.device.to_string(),
                host: unknown.host_name,
                first: time.moment(unknown.first_at),
                last: time.moment(unknown.last_at),
                count: unknown.count,
            })
            .collect(),
    };
    respond(StatusCode::OK, &page)
}
