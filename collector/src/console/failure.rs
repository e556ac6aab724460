//! What a request can end in other than its page: one enum, one page each, no detail that helps an attacker.

use askama::Template;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::{HeaderValue, RETRY_AFTER};

use super::frame::{Frame, respond};
use crate::store::{Role, StoreError};

/// Why a request does not get its page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Failure {
    /// Nobody is signed in. A person who opens a page is sent to the sign-in page instead.
    SignedOut,
    /// The reader's role does not open it.
    Forbidden(Role),
    /// Another site made the browser send it, or the form is of another session.
    CrossSite,
    /// The form is not one of ours.
    BadForm,
    /// No such page, or not for this reader: the same answer.
    NotFound,
    /// The page is not asked for in this way.
    Method,
    /// It stands in a state in which this cannot be done.
    Conflict(&'static str),
    /// Too many at once.
    Busy,
    /// Our fault.
    Internal,
}

#[derive(Template)]
#[template(path = "failure.html")]
struct Page {
    frame: Frame,
    heading: &'static str,
    text: &'static str,
}

impl Failure {
    fn page(self) -> (StatusCode, &'static str, &'static str) {
        match self {
            Self::SignedOut => {
                (StatusCode::UNAUTHORIZED, "You are signed out", "Sign in again to go on.")
            }
            Self::Forbidden(Role::Technician) => (
                StatusCode::FORBIDDEN,
                "Not open to technicians",
                "This page can show what pupils wrote or saw. Your role opens devices and their health, and \
                 never content. If you are also a safeguarding lead, sign in with that account.",
            ),
            Self::Forbidden(Role::Dsl) => (
                StatusCode::FORBIDDEN,
                "For the technician",
                "Devices are approved by a technician of the school.",
            ),
            Self::CrossSite => (
                StatusCode::FORBIDDEN,
                "This form is out of date",
                "Nothing was changed. Open the page again and repeat what you did.",
            ),
            Self::BadForm => (
                StatusCode::BAD_REQUEST,
                "This form cannot be read",
                "Nothing was changed. Open the page again and repeat what you did.",
            ),
            Self::NotFound => (
                StatusCode::NOT_FOUND,
                "There is no such page",
                "It may have been removed, or it is not open to you.",
            ),
            Self::Method => (
                StatusCode::METHOD_NOT_ALLOWED,
                "This page is not used in this way",
                "Nothing was changed.",
            ),
            Self::Conflict(text) => (StatusCode::CONFLICT, "That cannot be done", text),
            Self::Busy => (
                StatusCode::SERVICE_UNAVAILABLE,
                "Too many live pages are open",
                "Close pages that you do not need, then reload.",
            ),
            Self::Internal => (
                StatusCode::INTERNAL_SERVER_ERROR,
                "Something went wrong on our side",
                "Try again in a minute. If it stays so, tell your technician: the collector's log says why. If a \
                 child may be in danger, do not wait for this page.",
            ),
        }
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let (status, heading, text) = self.page();
        let page = Page { frame: Frame::outside("Redshank"), heading, text };
        let mut response = respond(status, &page).unwrap_or_else(|_| status.into_response());
        if self == Self::Busy {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("30"));
        }
        response
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Missing(_) | StoreError::OutOfScope => Self::NotFound,
            StoreError::Conflict(text) => Self::Conflict(text),
            StoreError::Sqlite(_)
            | StoreError::Malformed(_)
            | StoreError::Open { .. }
            | StoreError::NotCommitted
            | StoreError::Closed => {
                let error: &dyn std::error::Error = &error;
                tracing::error!(error, "a page of the console failed");
                Self::Internal
            }
        }
    }
}
