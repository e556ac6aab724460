//! The frame round every page: its title, who is signed in, where they can go.

use askama::Template;
use axum::response::{Html, IntoResponse as _, Response};
use http::StatusCode;

use super::assets;
use super::failure::Failure;
use super::words;
use crate::store::sessions::Session;

/// Which entry of the navigation the page belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// The queue of alerts.
    Queue,
    /// Devices.
    Devices,
    /// Who may see what.
    People,
    /// The reader's own account.
    Account,
}

/// What the frame's template needs.
#[derive(Debug, Clone)]
pub(super) struct Frame {
    /// The page's title: never content, never a name.
    pub(super) title: &'static str,
    /// Names the assets of this build.
    pub(super) assets: &'static str,
    /// Who reads it.
    pub(super) reader: Option<Reader>,
    place: Option<Place>,
}

/// Whoever reads the page.
#[derive(Debug, Clone)]
pub(super) struct Reader {
    /// Their name.
    pub(super) name: String,
    /// Their role, in words.
    pub(super) role: &'static str,
    /// Whether content is open to them.
    pub(super) opens_content: bool,
    /// The token that every form brings back.
    pub(super) csrf: String,
}

impl Frame {
    /// The frame for somebody signed in.
    pub(super) fn inside(title: &'static str, place: Place, session: &Session) -> Self {
        let reader = Reader {
            name: session.name.clone(),
            role: words::role(session.role),
            opens_content: session.role.opens_content(),
            csrf: data_encoding::HEXLOWER.encode(&session.csrf),
        };
        Self { title, assets: assets::version(), reader: Some(reader), place: Some(place) }
    }

    /// The frame for whoever is not.
    pub(super) fn outside(title: &'static str) -> Self {
        Self { title, assets: assets::version(), reader: None, place: None }
    }

    /// The forms' token.
    pub(super) fn csrf(&self) -> &str {
        self.reader.as_ref().map_or("", |reader| &reader.csrf)
    }

    pub(super) fn at_queue(&self) -> bool {
        self.place == Some(Place::Queue)
    }

    pub(super) fn at_devices(&self) -> bool {
        self.place == Some(Place::Devices)
    }

    pub(super) fn at_people(&self) -> bool {
        self.place == Some(Place::People)
    }

    pub(super) fn at_account(&self) -> bool {
        self.place == Some(Place::Account)
    }
}

/// Renders a page.
pub(super) fn respond(status: StatusCode, page: &impl Template) -> Result<Response, Failure> {
    match page.render() {
        Ok(html) => Ok((status, Html(html)).into_response()),
        Err(_) => {
            tracing::error!("a template failed");
            Err(Failure::Internal)
        }
    }
}
