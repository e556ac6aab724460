//! Who may see what: everybody of the school who signs in, notices of grants, and the roles that wait.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use http::StatusCode;
use redshank_proto::id::UserId;

use super::Console;
use super::account::Notices;
use super::failure::Failure;
use super::frame::{Frame, Place, respond};
use super::when::{Moment, SchoolTime};
use super::who::{Button, Dsl, Posted};
use super::words;
use crate::store::users::{User, UserStatus};

#[derive(Template)]
#[template(path = "people.html")]
struct Page {
    frame: Frame,
    notices: Notices,
    waiting: Vec<Row>,
    people: Vec<Row>,
}

struct Row {
    id: String,
    name: String,
    email: String,
    role: &'static str,
    opens: &'static str,
    status: &'static str,
    added: Moment,
}

/// The page.
pub(super) async fn page(
    State(console): State<Console>,
    Dsl(session): Dsl,
) -> Result<Response, Failure> {
    let id = session.school;
    let scope = session.scope();
    let read = console
        .store
        .read(&scope, move |view| Ok((view.school(id)?, view.users(id)?, view.unread_notices()?)));
    let (school, users, notices) = read.await?;
    let time = SchoolTime::new(&school.time_zone, console.clock.now());
    let (waiting, people) =
        users.into_iter().partition::<Vec<_>, _>(|user| user.status == UserStatus::Pending);
    let rows = |users: Vec<User>| users.into_iter().map(|user| row(user, &time)).collect();
    let page = Page {
        frame: Frame::inside("People — Redshank", Place::People, &session),
        notices: Notices::new(&notices, &time),
        waiting: rows(waiting),
        people: rows(people),
    };
    respond(StatusCode::OK, &page)
}

/// Approves a role that opens content.
pub(super) async fn approve(
    State(console): State<Console>,
    Path(user): Path<String>,
    posted: Posted<Dsl, Button>,
) -> Result<Response, Failure> {
    let user: UserId = user.parse().map_err(|_| Failure::NotFound)?;
    let scope = posted.who.0.scope();
    console.store.write(&scope, move |edit| edit.approve_user(user)).await?;
    Ok(Redirect::to("/people").into_response())
}

fn row(user: User, time: &SchoolTime) -> Row {
    Row {
        id: user.user.to_string(),
        name: user.name,
        email: user.email,
        role: words::role(user.role),
        opens: words::opens(user.role),
        status: words::user_status(user.status),
        added: time.moment(user.created_at),
    }
}
