//! Who was shown what is collected, in which version, and when first.
//!
//! A school must be able to show that people were told. How many have been told is for everybody who signs in;
//! who has is for those whose role opens content, and their look at it is on the audit trail.

use jiff::{SignedDuration, Timestamp};
use redshank_proto::id::{DeviceId, PersonId, SchoolId};

use super::alerts::{Basis, CONTENT_KEPT_DAYS};
use super::audit::Action;
use super::persons::shown;
use super::value::{collect, time};
use super::{Edit, Purpose, StoreError, View, Viewer};

/// People listed: more than a school has.
const LISTED: u32 = 10_000;

/// Whom a notice is written for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Audience {
    /// Young children.
    YoungChildren,
    /// Pupils.
    Pupils,
    /// Staff.
    Staff,
    /// Families.
    Families,
    /// Of a kind unknown here.
    Other,
}

impl Audience {
    /// Every audience.
    pub const ALL: [Self; 5] =
        [Self::YoungChildren, Self::Pupils, Self::Staff, Self::Families, Self::Other];

    fn as_str(self) -> &'static str {
        match self {
            Self::YoungChildren => "young_children",
            Self::Pupils => "pupils",
            Self::Staff => "staff",
            Self::Families => "families",
            Self::Other => "other",
        }
    }

    fn parse(name: &str) -> Result<Self, StoreError> {
        Self::ALL
            .into_iter()
            .find(|audience| audience.as_str() == name)
            .ok_or(StoreError::Malformed("audience"))
    }
}

/// That a notice was shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoticeShown {
    /// The school.
    pub school: SchoolId,
    /// Who was shown it, if that is known.
    pub person: Option<PersonId>,
    /// What speaks for it.
    pub basis: Basis,
    /// On which device.
    pub device: DeviceId,
    /// The version.
    pub version: u32,
    /// Whom it is written for.
    pub audience: Audience,
    /// When, corrected.
    pub at: Timestamp,
}

/// How many have been shown one version, by audience.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Told {
    /// Whom it is written for.
    pub audience: Audience,
    /// Persons who were shown it.
    pub persons: u32,
    /// Devices on which it was shown to nobody who is known.
    pub unknown: u32,
}

/// Somebody who was shown a notice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToldPerson {
    /// Their name or account; none once deleted.
    pub name: Option<String>,
    /// Whether it may stand without "possibly".
    pub certain: bool,
    /// Whom the notice is written for.
    pub audience: Audience,
    /// When first.
    pub at: Timestamp,
}

impl Edit<'_> {
    /// Keeps that a notice was shown; the first time counts.
    ///
    /// # Errors
    /// [`StoreError::OutOfScope`] unless triage asks.
    pub fn add_notice_shown(&self, notice: &NoticeShown) -> Result<(), StoreError> {
        self.scope().require_system(&[Purpose::Triage])?;
        let expires = self.now() + SignedDuration::from_hours(24 * CONTENT_KEPT_DAYS);
        self.sql()
            .prepare_cached(
                "INSERT INTO notices_shown (school, person, device, version, audience, kind, expires_at,
                   basis, at)
                 VALUES (?1, ?2, ?3, ?4, ?5, 'notice_shown', ?6, ?7, ?8)
                 ON CONFLICT DO UPDATE SET at = min(at, excluded.at)",
            )?
            .execute((
                notice.school.as_bytes(),
                notice.person.map(PersonId::to_vec).unwrap_or_default(),
                notice.device.as_bytes(),
                notice.version,
                notice.audience.as_str(),
                expires.as_microsecond(),
                notice.basis.as_str(),
                notice.at.as_microsecond(),
            ))?;
        Ok(())
    }

    /// Who has been shown a version, by name; a look at it that is put on the audit trail.
    ///
    /// # Errors
    /// [`StoreError::OutOfScope`] unless somebody of the school whose role opens content asks.
    pub fn view_told_people(
        &self,
        school: SchoolId,
        version: u32,
    ) -> Result<Vec<ToldPerson>, StoreError> {
        self.scope().require_content()?;
        self.scope().require_school(school)?;
        self.audit(Action::NoticesShownViewed, Some(school), None, None)?;
        let mut statement = self.sql().prepare_cached(
            "SELECT s.audience, min(s.at) AS at, max(s.basis = 'signed_in') AS certain,
                    (SELECT n.value FROM person_names n WHERE n.person = s.person
                     ORDER BY n.kind = 'name' DESC, n.value LIMIT 1) AS name
             FROM notices_shown s WHERE s.school = ?1 AND s.version = ?2 AND s.person <> x''
             GROUP BY s.person, s.audience ORDER BY name, s.audience LIMIT ?3",
        )?;
        collect(statement.query((school.as_bytes(), version, LISTED))?, |row| {
            let name: Option<String> = row.get("name")?;
            Ok(ToldPerson {
                name: name.map(|name| shown(&name).to_owned()),
                certain: row.get("certain")?,
                audience: Audience::parse(&row.get::<_, String>("audience")?)?,
                at: time(row, "at")?,
            })
        })
    }
}

impl View<'_> {
    /// The version of the notice in the school's policy; 0 if it has none.
    ///
    /// # Errors
    /// [`StoreError::OutOfScope`] unless somebody of the school asks.
    pub fn notice_version(&self, school: SchoolId) -> Result<u32, StoreError> {
        self.scope().require_school(school)?;
        let Viewer::User(..) = self.scope().viewer() else { return Err(StoreError::OutOfScope) };
        let version: Option<u32> = self
            .sql()
            .prepare_cached(
                "SELECT max(notice_version) FROM (SELECT notice_version FROM policies WHERE school = ?1
                   ORDER BY serial DESC LIMIT 1)",
            )?
            .query_row([school.as_bytes()], |row| row.get(0))?;
        Ok(version.unwrap_or_default())
    }

    /// How many have been shown a version, by audience.
    ///
    /// # Errors
    /// [`StoreError::OutOfScope`] unless somebody of the school asks.
    pub fn told(&self, school: SchoolId, version: u32) -> Result<Vec<Told>, StoreError> {
        self.scope().require_school(school)?;
        let Viewer::User(..) = self.scope().viewer() else { return Err(StoreError::OutOfScope) };
        let mut statement = self.sql().prepare_cached(
            "SELECT audience, count(DISTINCT nullif(person, x'')) AS persons,
                    sum(person = x'') AS unknown
             FROM notices_shown WHERE school = ?1 AND version = ?2 GROUP BY audience",
        )?;
        let mut told = collect(statement.query((school.as_bytes(), version))?, |row| {
            Ok(Told {
                audience: Audience::parse(&row.get::<_, String>("audience")?)?,
                persons: row.get("persons")?,
                unknown: row.get("unknown")?,
            })
        })?;
        told.sort_by_key(|told| told.audience);
        Ok(told)
    }
}
