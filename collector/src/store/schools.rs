//! Schools, and the policies signed for them.
//!
//! A policy is kept for good once it was published: what was watched on a given day must be provable.

use prost::Message as _;
use redshank_proto::id::SchoolId;
use redshank_proto::{time, v1};
use rusqlite::{OptionalExtension as _, Row};

use super::audit::Action;
use super::scope::{Purpose, Viewer};
use super::value::{collect, count, id};
use super::{Edit, StoreError, View};

/// Bytes of a school's name: what fits on a screen's line.
const NAME_BYTES: usize = 200;

/// A school.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct School {
    /// Its random id.
    pub school: SchoolId,
    /// Its name, as on screen.
    pub name: String,
    /// IANA name of its time zone, `Europe/London`.
    pub time_zone: String,
}

impl View<'_> {
    /// A school of the viewer's.
    ///
    /// # Errors
    /// [`StoreError::Missing`] if there is none of that id, as far as the viewer may know.
    pub fn school(&self, school: SchoolId) -> Result<School, StoreError> {
        self.scope().require_school(school).map_err(|_| StoreError::Missing("school"))?;
        self.sql()
            .prepare_cached("SELECT school, name, time_zone FROM schools WHERE school = ?1")?
            .query_row([school.as_bytes()], |row| Ok(read(row)))
            .optional()?
            .ok_or(StoreError::Missing("school"))?
    }

    /// Every school of the viewer's, by name.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails.
    pub fn schools(&self) -> Result<Vec<School>, StoreError> {
        let mut statement = self
            .sql()
            .prepare_cached("SELECT school, name, time_zone FROM schools ORDER BY name")?;
        let mut schools = collect(statement.query([])?, read)?;
        schools.retain(|school| self.scope().covers(school.school));
        Ok(schools)
    }

    /// The newest policy of a school; `None` before its first.
    ///
    /// # Errors
    /// [`StoreError::OutOfScope`] unless a device of the school, the command line or the collector asks.
    pub fn policy(&self, school: SchoolId) -> Result<Option<v1::SignedPolicy>, StoreError> {
        self.scope().require_school(school)?;
        match self.scope().viewer() {
            Viewer::CommandLine
            | Viewer::Device(_)
            | Viewer::System(Purpose::Start | Purpose::Enrolment) => {}
            Viewer::System(_) | Viewer::Reader(_) | Viewer::User(..) => {
                return Err(StoreError::OutOfScope);
            }
        }
        let signed: Option<Vec<u8>> = self
            .sql()
            .prepare_cached(
                "SELECT signed FROM policies WHERE school = ?1 ORDER BY serial DESC LIMIT 1",
            )?
            .query_row([school.as_bytes()], |row| row.get(0))
            .optional()?;
        signed
            .map(|signed| v1::SignedPolicy::decode(signed.as_slice()))
            .transpose()
            .map_err(|_| StoreError::Malformed("policy"))
    }

    /// The serial of each school's newest policy.
    ///
    /// # Errors
    /// [`StoreError::OutOfScope`] unless the collector asks at its start or after it.
    pub fn policy_serials(&self) -> Result<Vec<(SchoolId, u64)>, StoreError> {
        self.scope().require_system(&[Purpose::Start])?;
        let mut statement = self
            .sql()
            .prepare_cached("SELECT school, max(serial) AS serial FROM policies GROUP BY school")?;
        collect(statement.query([])?, |row| Ok((id(row, "school")?, count(row, "serial")?)))
    }
}

impl Edit<'_> {
    /// Adds a school.
    ///
    /// # Errors
    /// [`StoreError::OutOfScope`] unless the command line asks; [`StoreError::Conflict`] if the name is
    /// empty, too long, or another school's.
    pub fn add_school(&self, name: &str, time_zone: &str) -> Result<SchoolId, StoreError> {
        self.scope().require_command_line()?;
        if name.trim().is_empty() || name.len() > NAME_BYTES {
            return Err(StoreError::Conflict("a school's name has 1 to 200 bytes"));
        }
        let taken: bool = self
            .sql()
            .prepare_cached("SELECT EXISTS (SELECT 1 FROM schools WHERE name = ?1)")?
            .query_row([name], |row| row.get(0))?;
        if taken {
            return Err(StoreError::Conflict("there is a school of this name already"));
        }
        let school = SchoolId::draw(self.randomness());
        self.sql()
            .prepare_cached(
                "INSERT INTO schools (school, name, time_zone, created_at) VALUES (?1, ?2, ?3, ?4)",
            )?
            .execute((school.as_bytes(), name, time_zone, self.now().as_microsecond()))?;
        self.audit(Action::SchoolAdded, Some(school), Some(school.as_bytes()), Some(name))?;
        Ok(school)
    }

    /// Publishes a policy: its serial must be above the one in force. What it leaves alone for a time goes on the
    /// audit trail with its reason.
    ///
    /// # Errors
    /// [`StoreError::OutOfScope`] unless the command line or the collector at its start asks;
    /// [`StoreError::Conflict`] if the serial has been used.
    pub fn publish_policy(
        &self,
        school: SchoolId,
        policy: &v1::Policy,
        signed: &v1::SignedPolicy,
    ) -> Result<(), StoreError> {
        match self.scope().viewer() {
            Viewer::CommandLine | Viewer::System(Purpose::Start) => {}
            _ => return Err(StoreError::OutOfScope),
        }
        let newest: i64 = self
            .sql()
            .prepare_cached("SELECT coalesce(max(serial), 0) FROM policies WHERE school = ?1")?
            .query_row([school.as_bytes()], |row| row.get(0))?;
        let serial =
            i64::try_from(policy.serial).map_err(|_| StoreError::Malformed("policy's serial"))?;
        if serial <= newest {
            return Err(StoreError::Conflict("a newer policy was published meanwhile; try again"));
        }
        let issued = time::from_wire(policy.issued_at.as_ref()).unwrap_or(self.now());
        self.sql()
            .prepare_cached(
                "INSERT INTO policies (school, serial, signed, issued_at, notice_version)
                 VALUES (?1, ?2, ?3, ?4, ?5)",
            )?
            .execute((
                school.as_bytes(),
                serial,
                signed.encode_to_vec(),
                issued.as_microsecond(),
                policy.notice.as_ref().map_or(0, |notice| notice.version),
            ))?;
        let detail = format!("serial {serial}");
        self.audit(Action::PolicyPublished, Some(school), None, Some(&detail))?;
        let exemptions: Vec<_> =
            policy.exemptions.iter().chain(&policy.phrase_exemptions).collect();
        self.replace_exemptions(school, &exemptions)
    }
}

fn read(row: &Row<'_>) -> Result<School, StoreError> {
    Ok(School {
        school: id(row, "school")?,
        name: row.get("name")?,
        time_zone: row.get("time_zone")?,
    })
}

#[cfg(test)]
mod tests {
    use redshank_proto::clock::System;
    use redshank_proto::id::ReaderId;

    use super::*;
    use crate::store::Scope;
    use crate::store::tests::Scratch;

    #[tokio::test]
    async fn a_viewer_knows_its_own_schools_only() {
        let scratch = Scratch::new();
        let line = Scope::command_line();
        let [ours, theirs] = ["Marsh Lane", "Hill Top"].map(|name| {
            scratch.store.write(&line, move |edit| edit.add_school(name, "Europe/London"))
        });
        let (ours, theirs) = (ours.await.unwrap(), theirs.await.unwrap());
        let reader = Scope::reader(ReaderId::draw(&System), vec![ours]);
        let seen = scratch.store.read(&reader, |view| view.schools()).await.unwrap();
        assert_eq!(seen.iter().map(|school| school.school).collect::<Vec<_>>(), [ours]);
        let hidden = scratch.store.read(&reader, move |view| view.school(theirs)).await;
        assert!(matches!(hidden, Err(StoreError::Missing("school"))));
    }

    #[tokio::test]
    async fn a_name_is_one_school_s() {
        let scratch = Scratch::new();
        let line = Scope::command_line();
        for (name, fine) in [("Marsh Lane", true), ("Marsh Lane", false), (" ", false)] {
            let added = scratch
                .store
                .write(&line, move |edit| edit.add_school(name, "Europe/London"))
                .await;
            assert_eq!(added.is_ok(), fine, "{name}");
        }
    }

    #[tokio::test]
    async fn a_policy_s_serial_only_rises() {
        let scratch = Scratch::new();
        let line = Scope::command_line();
        let school = scratch
            .store
            .write(&line, |edit| edit.add_school("Marsh Lane", "Europe/London"))
            .await
            .unwrap();
        for (serial, fine) in [(2, true), (2, false), (1, false), (3, true)] {
            let policy = v1::Policy { serial, ..Default::default() };
            let signed = v1::SignedPolicy { policy: policy.encode_to_vec(), ..Default::default() };
            let published = scratch
                .store
                .write(&line, move |edit| edit.publish_policy(school, &policy, &signed))
                .await;
            assert_eq!(published.is_ok(), fine, "{serial}");
        }
        let newest = scratch.store.read(&line, move |view| view.policy(school)).await.unwrap();
        let newest = v1::Policy::decode(newest.unwrap().policy.as_slice()).unwrap();
        assert_eq!(newest.serial, 3);
    }
}
