//! The frame round every page: its title, who is signed in, where they can go.

use askama::Template;
use axum::response::{Html, IntoResponse as _, Response};
use http::StatusCode;

use super::assets;
use super::failure::Failure;
use super::when::{Moment, SchoolTime};
use super::words;
use crate::store::exemptions::Exempted;
use crate::store::sessions::Session;

/// Which entry of the navigation the page belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// The queue of alerts.
    Queue,
    /// The weekly summary.
    Summary,
    /// Devices.
    Devices,
    /// How monitoring itself stands.
    Monitoring,
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
    /// What is left alone at this moment: at the top of every page.
    pub(super) banners: Vec<Banner>,
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

/// That something is left alone for a time.
#[derive(Debug, Clone)]
pub(super) struct Banner {
    /// "Monitoring of everybody is paused".
    pub(super) what: String,
    /// Until when.
    pub(super) until: Moment,
    /// Why.
    pub(super) reason: String,
}

impl Banner {
    pub(super) fn new(exempted: &Exempted, time: &SchoolTime) -> Self {
        let whom = match (exempted.account_count, exempted.accounts.as_slice()) {
            (0, _) => "everybody".to_owned(),
            (1, []) => "one account or group".to_owned(),
            (count, []) => format!("{count} accounts or groups"),
            (_, accounts) => accounts.join(", "),
        };
        let what = if exempted.is_pause() {
            format!("Monitoring of {whom} is paused")
        } else {
            let categories = exempted.categories.iter().map(|name| words::category(name));
            let rules = exempted.rules.iter().map(|rule| format!("rule {rule}").into());
            let phrases = exempted.phrases.iter().map(|it| format!("the words “{it}”").into());
            let what: Vec<_> = categories.chain(rules).chain(phrases).collect();
            format!("Not watched for {whom}: {}", what.join(", "))
        };
        Self { what, until: time.moment(exempted.until), reason: exempted.reason.clone() }
    }
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
        let time = SchoolTime::new(&session.time_zone, session.now);
        let banners = session.exempted.iter().map(|it| Banner::new(it, &time)).collect();
        let (assets, reader, place) = (assets::version(), Some(reader), Some(place));
        Self { title, assets, reader, banners, place }
    }

    /// The frame for whoever is not.
    pub(super) fn outside(title: &'static str) -> Self {
        let assets = assets::version();
        Self { title, assets, reader: None, banners: Vec::new(), place: None }
    }

    /// The forms' token.
    pub(super) fn csrf(&self) -> &str {
        self.reader.as_ref().map_or("", |reader| &reader.csrf)
    }

    pub(super) fn at_queue(&self) -> bool {
        self.place == Some(Place::Queue)
    }

    pub(super) fn at_summary(&self) -> bool {
        self.place == Some(Place::Summary)
    }

    pub(super) fn at_monitoring(&self) -> bool {
        self.place == Some(Place::Monitoring)
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
