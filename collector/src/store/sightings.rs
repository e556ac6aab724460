//! Programs and removable media without a match, for the Designated Safeguarding Lead's weekly summary.
//!
//! - **One row for each event**, so that a replay adds nothing; what people see is counted from them.
//! - **Whoever it is about sees nothing of it**: a row of somebody is left out for a viewer who is, or may be,
//!   that person, by the same rules as an alert ([`crate::triage::is_kept_from_account`]). What a possible
//!   namesake alone could see is shown to them: else nobody would see it.
//! - Rows last [`KEPT_DAYS`]: two weeks are shown, and a device that was offline reports late.

use jiff::{SignedDuration, Timestamp};
use redshank_proto::id::{DeviceId, PersonId, SchoolId};
use rusqlite::Row;

use super::alerts::{Basis, PersonLabel};
use super::audit::Action;
use super::persons::shown;
use super::users::{ContentUser, content_users_of};
use super::value::{count, id, id_or_none, time};
use super::{Edit, Purpose, StoreError, View};

/// How long a row is kept: this week, the last, and a fortnight's holiday.
const KEPT_DAYS: i64 = 35;
/// Rows of a summary: more than anybody reads; the page says that there is more.
pub const SUMMARY_ROWS: u32 = 500;

/// What was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Thing {
    /// A program that gets round the filter.
    BypassProgram,
    /// A program by which somebody else uses the device.
    RemoteControlProgram,
    /// A program against the school's own rules.
    DeniedProgram,
    /// A program of a list unknown here.
    OtherProgram,
    /// A medium that policy does not allow.
    MediumNotAllowed,
    /// A medium that it does.
    Medium,
}

impl Thing {
    /// Everything, what matters most first.
    pub const ALL: [Self; 6] = [
        Self::BypassProgram,
        Self::RemoteControlProgram,
        Self::DeniedProgram,
        Self::OtherProgram,
        Self::MediumNotAllowed,
        Self::Medium,
    ];

    fn columns(self) -> (&'static str, &'static str) {
        match self {
            Self::BypassProgram => ("program", "bypass"),
            Self::RemoteControlProgram => ("program", "remote_control"),
            Self::DeniedProgram => ("program", "denied"),
            Self::OtherProgram => ("program", "other"),
            Self::MediumNotAllowed => ("medium", "not_allowed"),
            Self::Medium => ("medium", "allowed"),
        }
    }

    fn read(row: &Row<'_>) -> Result<Self, StoreError> {
        let (kind, list): (String, String) = (row.get("kind")?, row.get("list")?);
        Self::ALL
            .into_iter()
            .find(|thing| thing.columns() == (kind.as_str(), list.as_str()))
            .ok_or(StoreError::Malformed("sighting"))
    }
}

/// One sighting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sighting<'a> {
    /// Its event's place in the event log.
    pub position: i64,
    /// The school.
    pub school: SchoolId,
    /// The device.
    pub device: DeviceId,
    /// The person, if one is known.
    pub person: Option<PersonId>,
    /// What speaks for the person.
    pub basis: Basis,
    /// When, corrected.
    pub occurred_at: Timestamp,
    /// What.
    pub thing: Thing,
    /// The program's or the medium's name.
    pub name: &'a str,
}

/// One line of a summary: a thing on a device, by a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SummaryRow {
    /// What.
    pub thing: Thing,
    /// The program's or the medium's name.
    pub name: String,
    /// Who it was, as far as anybody knows.
    pub person: PersonLabel,
    /// The device.
    pub device: DeviceId,
    /// Its asset tag, else its computer's name.
    pub device_name: String,
    /// How often since the week began.
    pub this_week: u32,
    /// How often in the week before.
    pub last_week: u32,
    /// When first in these two weeks.
    pub first_at: Timestamp,
    /// When last.
    pub last_at: Timestamp,
}

impl Edit<'_> {
    /// Keeps a sighting, once.
    ///
    /// # Errors
    /// [`StoreError::OutOfScope`] unless triage asks.
    pub fn add_sighting(&self, sighting: &Sighting<'_>) -> Result<(), StoreError> {
        self.scope().require_system(&[Purpose::Triage])?;
        let expires = self.now() + SignedDuration::from_hours(24 * KEPT_DAYS);
        let (kind, list) = sighting.thing.columns();
        self.sql()
            .prepare_cached(
                "INSERT OR IGNORE INTO sightings (position, school, device, person, basis, kind, expires_at,
                   occurred_at, list, name)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
            )?
            .execute((
                sighting.position,
                sighting.school.as_bytes(),
                sighting.device.as_bytes(),
                sighting.person.as_ref().map(PersonId::as_bytes),
                sighting.basis.as_str(),
                kind,
                expires.as_microsecond(),
                sighting.occurred_at.as_microsecond(),
                list,
                sighting.name,
            ))?;
        Ok(())
    }

    /// The summary of the weeks that began at `this_week` and at `last_week`, what matters most first, then what
    /// was seen last; at most [`SUMMARY_ROWS`] and one more, which says that there are more. Its view is put on
    /// the audit trail.
    ///
    /// # Errors
    /// [`StoreError::OutOfScope`] unless somebody of the school whose role opens content asks.
    pub fn view_summary(
        &self,
        school: SchoolId,
        last_week: Timestamp,
        this_week: Timestamp,
    ) -> Result<Vec<SummaryRow>, StoreError> {
        let viewer = self.scope().require_content()?;
        self.scope().require_school(school)?;
        self.audit(Action::SummaryViewed, Some(school), None, None)?;
        let view = self.view();
        let users = content_users_of(view, school)?;
        // Whoever is no longer of this school's people sees nothing.
        let Some(own) = users.iter().find(|user| user.user == viewer) else {
            return Ok(Vec::new());
        };
        let others: Vec<&ContentUser> = users.iter().filter(|user| user.user != viewer).collect();
        let mut statement = self.sql().prepare_cached(
            "SELECT g.kind, g.list, g.name, g.person, g.device, g.basis,
                    coalesce(nullif(d.asset_tag, ''), d.host_name) AS device_name,
                    sum(g.occurred_at >= ?3) AS this_week, sum(g.occurred_at < ?3) AS last_week,
                    min(g.occurred_at) AS first_at, max(g.occurred_at) AS last_at,
                    (SELECT n.value FROM person_names n WHERE n.person = g.person
                     ORDER BY n.kind = 'name' DESC, n.value LIMIT 1) AS person_name
             FROM (SELECT * FROM sightings
                   WHERE school = ?1 AND occurred_at >= ?2) g
             JOIN devices d ON d.device = g.device
             GROUP BY g.kind, g.list, g.name, g.person, g.device, g.basis
             ORDER BY last_at DESC",
        )?;
        let parameters =
            (school.as_bytes(), last_week.as_microsecond(), this_week.as_microsecond());
        let mut rows = statement.query(parameters)?;
        let mut summary = Vec::new();
        let most = usize::try_from(SUMMARY_ROWS).unwrap_or(usize::MAX);
        while let Some(row) = rows.next()? {
            let row = read(row)?;
            let names = match row.person.person {
                Some(person) => view.names_of(person)?,
                None => Vec::new(),
            };
            let about = |user: &ContentUser, others_see_it| {
                crate::triage::is_kept_from_account(&user.name, &names, &row.name, others_see_it)
            };
            let others_see_it = others.iter().any(|user| !about(user, true));
            if !about(own, others_see_it) {
                summary.push(row);
            }
        }
        // A stable sort: what was seen last stays first within its kind.
        summary.sort_by_key(|row| row.thing);
        summary.truncate(most + 1);
        Ok(summary)
    }
}

impl View<'_> {
    /// Whether a school's devices have reported a program or a medium at all, to tell a quiet week from a blind
    /// one.
    ///
    /// # Errors
    /// [`StoreError::OutOfScope`] unless somebody of the school whose role opens content asks.
    pub fn devices_that_watch_programs(&self, school: SchoolId) -> Result<u32, StoreError> {
        self.scope().require_content()?;
        self.scope().require_school(school)?;
        Ok(self
            .sql()
            .prepare_cached(
                "SELECT count(DISTINCT c.device) FROM device_coverage c
                 JOIN devices d ON d.device = c.device
                 WHERE d.school = ?1 AND d.status <> 'revoked'
                   AND c.source IN ('programs', 'removable_media')",
            )?
            .query_row([school.as_bytes()], |row| row.get(0))?)
    }
}

fn read(row: &Row<'_>) -> Result<SummaryRow, StoreError> {
    let basis: String = row.get("basis")?;
    let basis = Basis::ALL
        .into_iter()
        .find(|known| known.as_str() == basis)
        .ok_or(StoreError::Malformed("basis"))?;
    let name: Option<String> = row.get("person_name")?;
    Ok(SummaryRow {
        thing: Thing::read(row)?,
        name: row.get("name")?,
        person: PersonLabel {
            person: id_or_none(row, "person")?,
            name_or_account: name.map(|name| shown(&name).to_owned()),
            certain: basis.is_certain(),
            basis,
        },
        device: id(row, "device")?,
        device_name: row.get("device_name")?,
        this_week: count(row, "this_week")?,
        last_week: count(row, "last_week")?,
        first_at: time(row, "first_at")?,
        last_at: time(row, "last_at")?,
    })
}
