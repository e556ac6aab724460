//! Alerts: what triage found, who may see it, and what people did about it.
//!
//! - **Who sees it** is a list of persons (`alert_viewers`), written as the alert opens and never widened to
//!   somebody it is about. Every read for a user joins that list; an alert that is not on it answers exactly
//!   as one that does not exist, in lists, counts, pages and changes alike. A reader of the feed sees the
//!   alerts of its schools; a technician, a device and the command line see none.
//! - **What it says** lies in `alert_contents`, one deletable row for each event, beside `alert_events`,
//!   which holds ids and times only. An alert whose content has been deleted still counts and explains its
//!   priority: factors hold no content.
//! - **What became of it** is a disposition with a reason. Nothing here deletes an alert, and a closed one
//!   never changes again.
//!
//! | file | for whom |
//! |---|---|
//! | `folding` | triage: what is known already; open, grow |
//! | `queue`, `detail` | the console: the list, one alert |
//! | `handling` | the console: view, acknowledge, close; who is granted what |
//! | `delivery` | the feed: alerts as a reader sees them |

pub(in crate::store) mod delivery;
mod detail;
mod folding;
mod handling;
mod queue;
#[cfg(test)]
mod tests;

pub use self::delivery::DeliveredAlert;
pub use self::detail::{AlertDetail, AlertEventRow, AroundVisit, AssessmentRow, Closing};
pub use self::folding::{FoldKey, Growth, NewAlert, PastAlert, RaisedEvent};
pub use self::handling::REASON_BYTES;
pub use self::queue::{Deed, PersonLabel, QUEUE_ROWS, QueueFilter, QueueRow};

use redshank_proto::id::{AlertId, SchoolId, UserId};
use rusqlite::{OptionalExtension as _, Row};
use serde::{Deserialize, Serialize};

use super::{StoreError, View, value};

/// How long an alert's content is kept: a school year and the handover into the next, so that a new
/// Designated Safeguarding Lead finds what the last one saw. What became a case is copied to the school's
/// own record by then.
pub const CONTENT_KEPT_DAYS: i64 = 400;

/// Where an alert stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AlertStatus {
    /// Nobody has taken it up.
    Open,
    /// Somebody at the school has.
    Acknowledged,
    /// Closed with a disposition.
    Closed,
}

impl AlertStatus {
    const ALL: [Self; 3] = [Self::Open, Self::Acknowledged, Self::Closed];

    /// Its name in the store.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Acknowledged => "acknowledged",
            Self::Closed => "closed",
        }
    }
}

/// What speaks for who it was, the strongest first: the order is what [`Basis::weaker`] goes by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Basis {
    /// The account signed in to the operating system: the one that names a child without "possibly".
    SignedIn,
    /// The device is allocated to one pupil.
    AllocatedDevice,
    /// The user name that a proxy authenticated.
    ProxyUser,
    /// The device that held an address.
    AddressLease,
    /// An account that several people share.
    SharedLogin,
    /// Nothing is known.
    Unknown,
}

impl Basis {
    /// Every basis, the strongest first.
    pub const ALL: [Self; 6] = [
        Self::SignedIn,
        Self::AllocatedDevice,
        Self::ProxyUser,
        Self::AddressLease,
        Self::SharedLogin,
        Self::Unknown,
    ];

    /// Its name in the store.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SignedIn => "signed_in",
            Self::AllocatedDevice => "allocated_device",
            Self::ProxyUser => "proxy_user",
            Self::AddressLease => "address_lease",
            Self::SharedLogin => "shared_login",
            Self::Unknown => "unknown",
        }
    }

    /// Its words for the screen.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::SignedIn => "signed in to the device",
            Self::AllocatedDevice => "the device is allocated to them",
            Self::ProxyUser => "named by the proxy",
            Self::AddressLease => "by the device's address",
            Self::SharedLogin => "a login that several people share",
            Self::Unknown => "nothing says who it was",
        }
    }

    /// Whether it names somebody without "possibly".
    #[must_use]
    pub fn is_certain(self) -> bool {
        self == Self::SignedIn
    }

    /// The weaker of two: what an alert of several events can claim.
    #[must_use]
    pub fn weaker(self, other: Self) -> Self {
        self.max(other)
    }
}

/// How an alert was closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Disposition {
    /// A concern, and it is being dealt with inside the school.
    ConcernConfirmed,
    /// The child was spoken to and supported.
    SupportGiven,
    /// Referred to an agency: police, social care, CEOP, Prevent, health.
    Referred,
    /// Seen, true, and no concern: lesson work, a song, a known matter.
    NoConcern,
    /// What was seen does not mean what the rule took it for.
    FalsePositive,
    /// Dealt with under another alert.
    Duplicate,
}

impl Disposition {
    /// Every disposition, in the order of the screen.
    pub const ALL: [Self; 6] = [
        Self::ConcernConfirmed,
        Self::SupportGiven,
        Self::Referred,
        Self::NoConcern,
        Self::FalsePositive,
        Self::Duplicate,
    ];

    /// Its name in the store and in forms.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ConcernConfirmed => "concern_confirmed",
            Self::SupportGiven => "support_given",
            Self::Referred => "referred",
            Self::NoConcern => "no_concern",
            Self::FalsePositive => "false_positive",
            Self::Duplicate => "duplicate",
        }
    }

    /// Its words for the screen.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::ConcernConfirmed => "Concern confirmed, handled in school",
            Self::SupportGiven => "Support given",
            Self::Referred => "Referred to an agency",
            Self::NoConcern => "No concern",
            Self::FalsePositive => "False positive",
            Self::Duplicate => "Dealt with under another alert",
        }
    }

    /// The disposition of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|disposition| disposition.as_str() == name)
    }
}

/// One reason for a priority: words for the screen and the feed, never content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Factor {
    /// What it is.
    pub label: String,
    /// Its points; may be negative.
    pub points: i32,
}

/// The alert's school, if the signed-in viewer may see the alert.
///
/// # Errors
/// [`StoreError::OutOfScope`] for a role that opens no content, whatever the id;
/// [`StoreError::Missing`] for an alert that does not exist or is not for this viewer.
pub(super) fn visible(view: &View<'_>, alert: AlertId) -> Result<(SchoolId, UserId), StoreError> {
    let user = view.scope().require_content()?;
    let school: Option<[u8; 16]> = view
        .sql()
        .prepare_cached(
            "SELECT a.school FROM alerts a JOIN alert_viewers v ON v.alert = a.alert
             WHERE a.alert = ?1 AND v.user = ?2",
        )?
        .query_row((alert.as_bytes(), user.as_bytes()), |row| row.get(0))
        .optional()?;
    match school.map(SchoolId::from_bytes) {
        Some(school) if view.scope().covers(school) => Ok((school, user)),
        Some(_) | None => Err(StoreError::Missing("alert")),
    }
}

fn status(row: &Row<'_>) -> Result<AlertStatus, StoreError> {
    let name = row.get_ref("status")?.as_str().map_err(|_| StoreError::Malformed("status"))?;
    AlertStatus::ALL
        .into_iter()
        .find(|status| status.as_str() == name)
        .ok_or(StoreError::Malformed("status"))
}

fn basis(row: &Row<'_>) -> Result<Basis, StoreError> {
    let name = row.get_ref("basis")?.as_str().map_err(|_| StoreError::Malformed("basis"))?;
    Basis::ALL
        .into_iter()
        .find(|basis| basis.as_str() == name)
        .ok_or(StoreError::Malformed("basis"))
}

fn factors(row: &Row<'_>) -> Result<Vec<Factor>, StoreError> {
    let text = row.get_ref("factors")?.as_str().map_err(|_| StoreError::Malformed("factors"))?;
    serde_json::from_str(text).map_err(|_| StoreError::Malformed("factors"))
}

fn payload(bytes: &[u8]) -> Result<redshank_proto::v1::EventPayload, StoreError> {
    prost::Message::decode(bytes).map_err(|_| StoreError::Malformed("event payload"))
}

/// Reads a flag.
fn flag(row: &Row<'_>, column: &str) -> Result<bool, StoreError> {
    Ok(value::count::<u8>(row, column)? != 0)
}
