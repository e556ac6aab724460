//! The queue: what waits for the viewer, most urgent first.

use jiff::Timestamp;
use redshank_proto::id::{AlertId, DeviceId, PersonId, SchoolId};
use redshank_proto::v1::{self, event_payload::Content};
use rusqlite::{OptionalExtension as _, Row};

use super::{AlertStatus, Basis, basis, flag, payload, status};
use crate::store::assets::{CLIENT_COLUMNS, CLIENT_JOINS, ClientName, client_name};
use crate::store::persons::shown;
use crate::store::value::{collect, count, id, id_or_none, time};
use crate::store::{StoreError, View};

/// Rows that the queue shows: more than anybody works through in a day; what is below is less urgent, and the
/// page says that there is more.
pub const QUEUE_ROWS: u32 = 200;

/// Which alerts a queue shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QueueFilter {
    /// Open and acknowledged ones.
    Active,
    /// Closed ones, the latest closed first.
    Closed,
}

/// One alert in the queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueRow {
    /// The alert.
    pub alert: AlertId,
    /// Its school.
    pub school: SchoolId,
    /// Its category, by its field name (`self_harm`).
    pub category: String,
    /// 1 to 5.
    pub severity: u8,
    /// 0 to 1,000; higher is sooner.
    pub priority: u32,
    /// Where it stands.
    pub status: AlertStatus,
    /// Who it was, as far as anybody knows.
    pub person: PersonLabel,
    /// The device that reported its first event.
    pub device: DeviceId,
    /// That device's asset tag, else its computer's name.
    pub device_name: String,
    /// What stands behind that device, if it reports for others: the device on which it happened.
    pub client: Option<ClientName>,
    /// When its first event occurred, corrected for the device's skew.
    pub first_occurred_at: Timestamp,
    /// When its last one did.
    pub last_occurred_at: Timestamp,
    /// When the collector received its first event.
    pub received_at: Timestamp,
    /// When the collector received its last.
    pub last_received_at: Timestamp,
    /// Events folded into it.
    pub event_count: u32,
    /// Whether all of them came from approved devices that are no known clones.
    pub verified: bool,
    /// The words that matched, of its most severe event; none for imagery and deleted content.
    pub headline: Option<String>,
    /// What that event was.
    pub deed: Deed,
}

/// What an event was, as a queue says it beside the words that matched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Deed {
    /// Something was searched for.
    Searched,
    /// A page was opened.
    Visited,
    /// Something was typed into a page.
    Typed,
    /// Something was typed to an AI chat.
    Prompted,
    /// An AI chat answered.
    Answered,
    /// It stood in a page's text.
    PageText,
    /// A request that the filter blocked.
    Blocked,
    /// A program ran.
    Program,
    /// A removable medium.
    Medium,
    /// Nothing more is known of it here, or its content has been deleted.
    Unknown,
}

/// Who it was, as far as anybody knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonLabel {
    /// The person; none if nothing says who it was.
    pub person: Option<PersonId>,
    /// Their name if it is known, else their account; none too once those have been deleted.
    pub name_or_account: Option<String>,
    /// Whether it may be shown without "possibly".
    pub certain: bool,
    /// What speaks for it.
    pub basis: Basis,
}

impl View<'_> {
    /// The alerts that the viewer may see: open before acknowledged (but for those of severity 5, which keep
    /// their place until they are closed), then the highest priority, then the latest received; at most
    /// [`QUEUE_ROWS`] and one more, which says that there are more.
    ///
    /// # Errors
    /// [`StoreError::OutOfScope`] unless somebody whose role opens content asks.
    pub fn queue(&self, filter: QueueFilter) -> Result<Vec<QueueRow>, StoreError> {
        let user = self.scope().require_content()?;
        let tail = match filter {
            QueueFilter::Active => {
                "a.status IN ('open', 'acknowledged')
                 ORDER BY a.status = 'acknowledged' AND a.severity < 5, a.priority DESC,
                          a.received_at DESC"
            }
            QueueFilter::Closed => "a.status = 'closed' ORDER BY a.closed_at DESC",
        };
        let mut statement = self.sql().prepare_cached(&format!(
            "{} WHERE v.alert = a.alert AND v.user = ?1 AND {tail} LIMIT {QUEUE_ROWS} + 1",
            rows("alert_viewers v JOIN")
        ))?;
        let rows = collect(statement.query([user.as_bytes()])?, |row| read(self, row))?;
        Ok(rows.into_iter().filter(|row| self.scope().covers(row.school)).collect())
    }
}

/// One alert's row, whoever asks: the caller has checked that they may.
pub(super) fn one(view: &View<'_>, alert: AlertId) -> Result<QueueRow, StoreError> {
    let mut statement = view.sql().prepare_cached(&format!("{} WHERE a.alert = ?1", rows("")))?;
    collect(statement.query([alert.as_bytes()])?, |row| read(view, row))?
        .pop()
        .ok_or(StoreError::Missing("alert"))
}

const OWN_COLUMNS: &str =
    "a.alert, a.school, a.category, a.severity, a.priority, a.status, a.basis,
     a.person, a.device, coalesce(nullif(d.asset_tag, ''), d.host_name) AS device_name,
     a.first_occurred_at, a.last_occurred_at, a.received_at, a.last_received_at, a.event_count,
     a.verified,
     (SELECT n.value FROM person_names n WHERE n.person = a.person
      ORDER BY n.kind = 'name' DESC, n.value LIMIT 1) AS person_name";
const TABLES: &str = "alerts a JOIN devices d ON d.device = a.device";

/// The statement of every row, without its condition.
fn rows(joins: &str) -> String {
    format!("SELECT {OWN_COLUMNS}, {CLIENT_COLUMNS} FROM {joins} {TABLES} {CLIENT_JOINS}")
}

fn read(view: &View<'_>, row: &Row<'_>) -> Result<QueueRow, StoreError> {
    let alert = id(row, "alert")?;
    let basis = basis(row)?;
    let (headline, deed) = headline(view, alert)?;
    Ok(QueueRow {
        alert,
        school: id(row, "school")?,
        category: row.get("category")?,
        severity: count(row, "severity")?,
        priority: count(row, "priority")?,
        status: status(row)?,
        person: PersonLabel {
            person: id_or_none(row, "person")?,
            name_or_account: row
                .get::<_, Option<String>>("person_name")?
                .map(|name| shown(&name).to_owned()),
            certain: basis.is_certain(),
            basis,
        },
        device: id(row, "device")?,
        device_name: row.get("device_name")?,
        client: client_name(row)?,
        first_occurred_at: time(row, "first_occurred_at")?,
        last_occurred_at: time(row, "last_occurred_at")?,
        received_at: time(row, "received_at")?,
        last_received_at: time(row, "last_received_at")?,
        event_count: count(row, "event_count")?,
        verified: flag(row, "verified")?,
        headline,
        deed,
    })
}

fn headline(view: &View<'_>, alert: AlertId) -> Result<(Option<String>, Deed), StoreError> {
    let content: Option<Vec<u8>> = view
        .sql()
        .prepare_cached(
            "SELECT c.content FROM alert_events e
             JOIN alert_contents c ON c.alert = e.alert AND c.position = e.position
             WHERE e.alert = ?1 ORDER BY e.severity DESC, e.position DESC LIMIT 1",
        )?
        .query_row([alert.as_bytes()], |row| row.get(0))
        .optional()?;
    let Some(content) = content else { return Ok((None, Deed::Unknown)) };
    let payload = payload(&content)?;
    Ok((matched_words(&payload), deed(&payload)))
}

fn deed(payload: &v1::EventPayload) -> Deed {
    match &payload.content {
        Some(Content::Visit(visit)) if visit.search_terms.is_some() => Deed::Searched,
        Some(Content::Visit(_)) => Deed::Visited,
        Some(Content::Text(text)) => match text.kind() {
            v1::TextKind::Typed => Deed::Typed,
            v1::TextKind::Prompt => Deed::Prompted,
            v1::TextKind::Answer => Deed::Answered,
            v1::TextKind::Page => Deed::PageText,
            v1::TextKind::Unspecified => Deed::Unknown,
        },
        Some(Content::Request(request)) => {
            if request.action() == v1::FilterAction::Blocked {
                Deed::Blocked
            } else if request.search_terms.is_some() {
                Deed::Searched
            } else {
                Deed::Visited
            }
        }
        Some(Content::Program(_)) => Deed::Program,
        Some(Content::Medium(_)) => Deed::Medium,
        Some(Content::Gap(_) | Content::FilterCounts(_) | Content::NoticeShown(_)) | None => {
            Deed::Unknown
        }
    }
}

/// The words that the most severe match of an event is about.
fn matched_words(payload: &v1::EventPayload) -> Option<String> {
    let worst = payload.matches.iter().rev().max_by_key(|found| found.severity)?;
    let (start, end) = (usize::try_from(worst.start).ok()?, usize::try_from(worst.end).ok()?);
    worst.snippet.get(start..end).filter(|words| !words.is_empty()).map(str::to_owned)
}
