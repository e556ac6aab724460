//! Signing in and out.
//!
//! Whatever is wrong — address, password, a locked account — the words are the same and a hash is computed,
//! so that neither tells who has an account. Only who knows the password hears that a role waits for approval.

use std::net::{IpAddr, SocketAddr};

use askama::Template;
use axum::extract::rejection::FormRejection;
use axum::extract::{ConnectInfo, FromRequestParts, Query, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::{Extension, Form};
use http::header::{HeaderValue, RETRY_AFTER, SET_COOKIE};
use http::request::Parts;
use http::{HeaderMap, StatusCode};
use serde::Deserialize;
use zeroize::Zeroizing;

use super::Console;
use super::failure::Failure;
use super::frame::{Frame, respond};
use super::who::{self, Button, COOKIE_NAME, Posted, SignedIn};
use crate::store::sessions::{SessionToken, SignIn};
use crate::store::users::Attempt;
use crate::store::{Purpose, Role, Scope, StoreError};

/// Bytes of an email address (RFC 5321, section 4.5.3.1.3).
const EMAIL_BYTES: usize = 254;
/// Bytes of a place to go on to.
const PLACE_BYTES: usize = 128;
const ATTRIBUTES: &str = "Path=/; Secure; HttpOnly; SameSite=Strict";

#[derive(Debug, Deserialize)]
pub(super) struct Opened {
    next: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Filled {
    email: String,
    password: String,
    next: Option<String>,
}

#[derive(Template)]
#[template(path = "sign_in.html")]
struct Page {
    frame: Frame,
    email: String,
    next: String,
    problem: Option<Problem>,
}

/// Why somebody is not signed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Problem {
    Refused,
    Pending,
    Disabled,
    Throttled,
}

impl Problem {
    fn text(self) -> &'static str {
        match self {
            Self::Refused => {
                "That email address and password do not match, or there were too many attempts. After five \
                 mistakes an account rests for a minute, then longer, a quarter of an hour at most."
            }
            Self::Pending => {
                "The password is right, and the role waits for approval. Somebody at your school whose role \
                 opens alerts approves it under People."
            }
            Self::Disabled => "The password is right, and this account has been closed.",
            Self::Throttled => {
                "There were too many attempts from this network. Wait a minute, then try again."
            }
        }
    }

    fn status(self) -> StatusCode {
        match self {
            Self::Refused => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Pending | Self::Disabled => StatusCode::FORBIDDEN,
            Self::Throttled => StatusCode::TOO_MANY_REQUESTS,
        }
    }
}

/// The form; whoever is signed in already goes on.
pub(super) async fn page(
    State(console): State<Console>,
    Query(opened): Query<Opened>,
    mut parts: Parts,
) -> Result<Response, Failure> {
    let next = opened.next.filter(|next| is_place(next));
    if let Ok(SignedIn(session)) = SignedIn::from_request_parts(&mut parts, &console).await {
        return Ok(Redirect::to(&home(session.role, next)).into_response());
    }
    form(String::new(), next, None)
}

/// Signs in.
pub(super) async fn sign_in(
    State(console): State<Console>,
    peer: Option<Extension<ConnectInfo<SocketAddr>>>,
    headers: HeaderMap,
    filled: Result<Form<Filled>, FormRejection>,
) -> Result<Response, Failure> {
    let Ok(Form(Filled { email, password, next })) = filled else { return Err(Failure::BadForm) };
    let next = next.filter(|next| is_place(next));
    let address = peer.map(|Extension(ConnectInfo(address))| address.ip());
    if !console.admits(&email, address).await? {
        return form(email, next, Some(Problem::Throttled));
    }
    let Some(candidate) = console.verify(&email, address, Zeroizing::new(password)).await? else {
        return form(email, next, Some(Problem::Refused));
    };
    let token = SessionToken::draw(&*console.randomness);
    let (begun, before) = (token.clone(), who::token(&headers));
    let scope = Scope::system(Purpose::SignIn);
    let signed_in = console.store.write(&scope, move |edit| {
        if let Some(before) = before {
            edit.end_session(&before)?;
        }
        edit.signed_in(candidate, address, &begun)
    });
    match signed_in.await? {
        SignIn::Pending => form(email, next, Some(Problem::Pending)),
        SignIn::Disabled => form(email, next, Some(Problem::Disabled)),
        SignIn::Begun(role) => {
            let cookie = format!("{COOKIE_NAME}={}; {ATTRIBUTES}", token.text());
            Ok(with_cookie(Redirect::to(&home(role, next)), &cookie))
        }
    }
}

/// Signs out.
pub(super) async fn sign_out(
    State(console): State<Console>,
    headers: HeaderMap,
    _: Posted<SignedIn, Button>,
) -> Result<Response, Failure> {
    if let Some(token) = who::token(&headers) {
        let scope = Scope::system(Purpose::SignIn);
        console.store.write(&scope, move |edit| edit.end_session(&token)).await?;
    }
    let cookie = format!("{COOKIE_NAME}=; Max-Age=0; {ATTRIBUTES}");
    Ok(with_cookie(Redirect::to("/sign-in"), &cookie))
}

/// Whether it is the address of a page of ours, and of nothing else: where a sign-in may go on to.
pub(super) fn is_place(path: &str) -> bool {
    let id = |character: u8| matches!(character, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'/');
    path.len() <= PLACE_BYTES
        && path.bytes().all(id)
        && !path.starts_with("//")
        && (path == "/"
            || ["/alerts/", "/devices", "/people", "/account"]
                .iter()
                .any(|at| path.starts_with(at)))
}

impl Console {
    /// Whether an attempt may be made: one of its network's is left, or it is of somebody who has signed in from
    /// there of late, whom whoever else is on that network cannot keep out by using them up.
    async fn admits(&self, email: &str, address: Option<IpAddr>) -> Result<bool, StoreError> {
        if self.throttle.admit(address, self.clock.since_boot()) {
            return Ok(true);
        }
        if email.len() > EMAIL_BYTES {
            return Ok(false);
        }
        let (email, now) = (email.to_owned(), self.clock.now());
        self.store
            .read(&Scope::system(Purpose::SignIn), move |view| {
                view.signs_in_from(&email, address, now)
            })
            .await
    }

    /// Whose address and password these are.
    async fn verify(
        &self,
        email: &str,
        address: Option<IpAddr>,
        password: Zeroizing<String>,
    ) -> Result<Option<redshank_proto::id::UserId>, StoreError> {
        let scope = Scope::system(Purpose::SignIn);
        let attempt = if email.len() <= EMAIL_BYTES {
            let email = email.to_owned();
            self.store.write(&scope, move |edit| edit.begin_sign_in(&email, address)).await?
        } else {
            Attempt::Unknown
        };
        let (user, hash) = match attempt {
            Attempt::Candidate { user, password } => (Some(user), Some(password)),
            Attempt::Unknown | Attempt::Locked => (None, None),
        };
        if self.verifier.verify(password, hash).await {
            return Ok(user);
        }
        if let Some(user) = user {
            self.store.write(&scope, move |edit| edit.sign_in_failed(user)).await?;
        }
        Ok(None)
    }
}

fn form(
    email: String,
    next: Option<String>,
    problem: Option<Problem>,
) -> Result<Response, Failure> {
    let title =
        if problem.is_some() { "Not signed in — Redshank" } else { "Sign in — Redshank" };
    let page =
        Page { frame: Frame::outside(title), email, next: next.unwrap_or_default(), problem };
    let mut response = respond(problem.map_or(StatusCode::OK, Problem::status), &page)?;
    if problem == Some(Problem::Throttled) {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("60"));
    }
    Ok(response)
}

fn home(role: Role, next: Option<String>) -> String {
    let first = match role {
        Role::Dsl => "/",
        Role::Technician => "/devices",
    };
    next.unwrap_or_else(|| first.to_owned())
}

fn with_cookie(redirect: Redirect, cookie: &str) -> Response {
    let mut response = redirect.into_response();
    if let Ok(cookie) = HeaderValue::from_str(cookie) {
        response.headers_mut().insert(SET_COOKIE, cookie);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sign_in_goes_on_to_our_own_pages_only() {
        for (path, expected) in [
            ("/", true),
            ("/alerts/0f8fad5b-d9cb-469f-a165-70867728950e", true),
            ("/devices", true),
            ("//evil.example", false),
            ("/\\evil.example", false),
            ("https://evil.example", false),
            ("/alerts/../sign-out", false),
            ("/alerts/\r\nSet-Cookie:x", false),
            ("/sign-out", false),
            ("", false),
        ] {
            assert_eq!(is_place(path), expected, "{path:?}");
        }
    }
}
