//! The reader's own account, and the notices that they have read.

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse as _, Redirect, Response};
use http::StatusCode;
use jiff::Timestamp;
use serde::Deserialize;

use super::Console;
use super::failure::Failure;
use super::frame::{Frame, Place, respond};
use super::when::{Moment, SchoolTime};
use super::who::{Posted, SignedIn};
use super::words;
use crate::store::notices::Notice;
use crate::store::sessions::{IDLE, LIFETIME};

#[derive(Template)]
#[template(path = "account.html")]
struct Page {
    frame: Frame,
    school: String,
    role: &'static str,
    opens: &'static str,
    idle_minutes: u64,
    lifetime_hours: u64,
}

/// Notices as the top of a page shows them.
#[derive(Debug)]
pub(super) struct Notices {
    pub(super) items: Vec<(Moment, String)>,
    /// In microseconds since 1970: what "I have read these" covers.
    pub(super) shown_until: i64,
}

impl Notices {
    pub(super) fn new(notices: &[Notice], time: &SchoolTime) -> Self {
        Self {
            items: notices
                .iter()
                .map(|notice| (time.moment(notice.at), words::notice(notice)))
                .collect(),
            shown_until: notices
                .iter()
                .map(|notice| notice.at.as_microsecond())
                .max()
                .unwrap_or_default(),
        }
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct Read {
    shown_until: String,
}

/// Who am I?
pub(super) async fn page(
    State(console): State<Console>,
    SignedIn(session): SignedIn,
) -> Result<Response, Failure> {
    let school = session.school;
    let school = console.store.read(&session.scope(), move |view| view.school(school)).await?;
    let page = Page {
        frame: Frame::inside("Your account — Redshank", Place::Account, &session),
        school: school.name,
        role: words::role(session.role),
        opens: words::opens(session.role),
        idle_minutes: IDLE.as_secs() / 60,
        lifetime_hours: LIFETIME.as_secs() / 3_600,
    };
    respond(StatusCode::OK, &page)
}

/// Takes the notices that were shown off the reader's pages.
pub(super) async fn read_notices(
    State(console): State<Console>,
    posted: Posted<SignedIn, Read>,
) -> Result<Response, Failure> {
    let shown_until = posted.form.shown_until.parse().map_err(|_| Failure::BadForm)?;
    let shown_until = Timestamp::from_microsecond(shown_until).map_err(|_| Failure::BadForm)?;
    let scope = posted.who.0.scope();
    console.store.write(&scope, move |edit| edit.read_notices(shown_until)).await?;
    Ok(Redirect::to("/people").into_response())
}
