//! Who signs in: names, roles and passwords' hashes.
//!
//! - **A role that opens content** is active at once only in a school that has nobody yet whose role does;
//!   after that it is pending until one of them approves. Everybody whose role opens content is told of
//!   the grant either way ([`super::notices`]), so that no grant is silent.
//! - **Attempts to sign in** and the locks against guessing are [`attempts`]'s.

mod attempts;

use jiff::Timestamp;
use redshank_proto::bounds::LONG_NAME_BYTES;
use redshank_proto::id::{SchoolId, UserId};
use rusqlite::Row;

use super::audit::Action;
use super::notices::NoticeKind;
use super::value::{collect, id, time};
use super::{Edit, Purpose, Role, StoreError, View, Viewer};

/// Whether somebody may sign in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UserStatus {
    /// The role opens content and nobody has approved it yet.
    Pending,
    /// May sign in.
    Active,
    /// May not, any more.
    Disabled,
}

impl UserStatus {
    /// Its name in the store.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Active => "active",
            Self::Disabled => "disabled",
        }
    }

    fn parse(name: &str) -> Option<Self> {
        [Self::Pending, Self::Active, Self::Disabled].into_iter().find(|s| s.as_str() == name)
    }
}

/// Somebody to be added. It holds a hash, so it is not to be printed.
#[derive(Clone)]
pub struct NewUser {
    /// The school.
    pub school: SchoolId,
    /// What they may do.
    pub role: Role,
    /// As on screen; what alerts are held against. 1 to 256 bytes.
    pub name: String,
    /// With which they sign in; any case. At most 254 bytes (RFC 5321).
    pub email: String,
    /// The password's argon2id hash as a PHC string: [`crate::console::password::hash`].
    pub password: String,
}

/// Somebody who signs in, as their school's people see them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Their id.
    pub user: UserId,
    /// Their school.
    pub school: SchoolId,
    /// What they may do.
    pub role: Role,
    /// As on screen.
    pub name: String,
    /// With which they sign in.
    pub email: String,
    /// Whether they may.
    pub status: UserStatus,
    /// When they were added.
    pub created_at: Timestamp,
}

/// Somebody whose role opens content, as routing needs them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContentUser {
    /// Their id.
    pub user: UserId,
    /// Their name, against which an alert's text is held.
    pub name: String,
}

/// What an attempt to sign in meets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Attempt {
    /// Nobody has that address.
    Unknown,
    /// Too many attempts have failed; this one is not looked at.
    Locked,
    /// The password is to be held against this one's.
    Candidate {
        /// Who it would be.
        user: UserId,
        /// The hash, a PHC string.
        password: String,
    },
}

impl View<'_> {
    /// The active users of a school whose role opens content, by name: for routing an alert.
    ///
    /// # Errors
    /// [`StoreError::OutOfScope`] unless triage asks.
    pub fn content_users(&self, school: SchoolId) -> Result<Vec<ContentUser>, StoreError> {
        self.scope().require_system(&[Purpose::Triage])?;
        content_users_of(self, school)
    }

    /// Everybody of a school who signs in, by name.
    ///
    /// # Errors
    /// [`StoreError::OutOfScope`] unless the command line asks or somebody of that school whose role opens
    /// content.
    pub fn users(&self, school: SchoolId) -> Result<Vec<User>, StoreError> {
        if *self.scope().viewer() != Viewer::CommandLine {
            self.scope().require_content()?;
            self.scope().require_school(school)?;
        }
        users_of(self, school)
    }
}

impl Edit<'_> {
    /// Adds somebody. If their role opens content, everybody whose role does is told; the first of a school
    /// sees the alerts that waited for somebody.
    ///
    /// # Errors
    /// [`StoreError::OutOfScope`] unless the command line asks, [`StoreError::Missing`] for an unknown school,
    /// [`StoreError::Conflict`] for a name or address that is none or an address that is taken.
    pub fn add_user(&self, new: &NewUser) -> Result<(UserId, UserStatus), StoreError> {
        self.scope().require_command_line()?;
        let (name, email) = (new.name.trim(), new.email.trim().to_lowercase());
        check(name, &email)?;
        let known = self
            .sql()
            .prepare_cached("SELECT 1 FROM schools WHERE school = ?1")?
            .exists([new.school.as_bytes()])?;
        if !known {
            return Err(StoreError::Missing("school"));
        }
        let taken =
            self.sql().prepare_cached("SELECT 1 FROM users WHERE email = ?1")?.exists([&email])?;
        if taken {
            return Err(StoreError::Conflict("somebody signs in with that email address already"));
        }
        let content_users = active_content_users(self.view(), new.school)?;
        let status = if new.role.opens_content() && !content_users.is_empty() {
            UserStatus::Pending
        } else {
            UserStatus::Active
        };
        let user = UserId::draw(self.randomness());
        self.sql()
            .prepare_cached(
                "INSERT INTO users (user, school, role, name, email, password, status, created_at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            )?
            .execute((
                user.as_bytes(),
                new.school.as_bytes(),
                new.role.as_str(),
                name,
                email,
                &new.password,
                status.as_str(),
                self.now().as_microsecond(),
            ))?;
        self.audit(Action::UserAdded, Some(new.school), Some(user.as_bytes()), None)?;
        if new.role.opens_content() {
            if status == UserStatus::Active {
                self.grant_open_alerts(user)?;
            }
            for reader in content_users {
                self.notify(new.school, reader.user, NoticeKind::RoleGranted, user)?;
            }
        }
        Ok((user, status))
    }

    /// Approves a pending role, opens to it the alerts that wait (but for those about whoever has it), and
    /// tells everybody whose role opens content.
    ///
    /// # Errors
    /// [`StoreError::OutOfScope`] unless somebody whose role opens content asks, [`StoreError::Missing`] if
    /// nobody of their school is so called, [`StoreError::Conflict`] if that role waits for no approval.
    pub fn approve_user(&self, user: UserId) -> Result<(), StoreError> {
        let approver = self.scope().require_content()?;
        let User { school, status, .. } = user_of(self.view(), user)?
            .filter(|user| self.scope().covers(user.school))
            .ok_or(StoreError::Missing("user"))?;
        if status != UserStatus::Pending {
            return Err(StoreError::Conflict("this role waits for no approval"));
        }
        let readers = active_content_users(self.view(), school)?;
        self.sql()
            .prepare_cached("UPDATE users SET status = 'active', approved_by = ?2 WHERE user = ?1")?
            .execute((user.as_bytes(), approver.as_bytes()))?;
        self.audit(Action::UserApproved, Some(school), Some(user.as_bytes()), None)?;
        self.grant_open_alerts(user)?;
        for reader in readers.iter().filter(|reader| reader.user != approver) {
            self.notify(school, reader.user, NoticeKind::RoleApproved, user)?;
        }
        Ok(())
    }
}

fn check(name: &str, email: &str) -> Result<(), StoreError> {
    if name.is_empty() || name.len() > LONG_NAME_BYTES || name.chars().any(char::is_control) {
        return Err(StoreError::Conflict("a name is 1 to 256 bytes of printable text"));
    }
    let address = email.split_once('@').is_some_and(|(local, domain)| {
        !local.is_empty() && !domain.is_empty() && !domain.contains('@')
    });
    if !address || email.len() > 254 || email.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Err(StoreError::Conflict("an email address is name@domain, at most 254 bytes"));
    }
    Ok(())
}

/// The active users of a school whose role opens content, for the modules that already know that the viewer
/// may.
pub(super) fn content_users_of(
    view: &View<'_>,
    school: SchoolId,
) -> Result<Vec<ContentUser>, StoreError> {
    Ok(active_content_users(view, school)?
        .into_iter()
        .map(|user| ContentUser { user: user.user, name: user.name })
        .collect())
}

/// One user, for the modules that already know that the viewer may.
pub(super) fn user_of(view: &View<'_>, user: UserId) -> Result<Option<User>, StoreError> {
    view.sql()
        .prepare_cached(
            "SELECT user, school, role, name, email, status, created_at FROM users WHERE user = ?1",
        )?
        .query_and_then([user.as_bytes()], read)?
        .next()
        .transpose()
}

pub(super) fn status(row: &Row<'_>) -> Result<UserStatus, StoreError> {
    UserStatus::parse(row.get_ref("status")?.as_str().unwrap_or_default())
        .ok_or(StoreError::Malformed("user's status"))
}

pub(super) fn role(row: &Row<'_>) -> Result<Role, StoreError> {
    Role::parse(row.get_ref("role")?.as_str().unwrap_or_default())
        .ok_or(StoreError::Malformed("role"))
}

fn active_content_users(view: &View<'_>, school: SchoolId) -> Result<Vec<User>, StoreError> {
    let mut users = users_of(view, school)?;
    users.retain(|user| user.status == UserStatus::Active && user.role.opens_content());
    Ok(users)
}

fn users_of(view: &View<'_>, school: SchoolId) -> Result<Vec<User>, StoreError> {
    let mut statement = view.sql().prepare_cached(
        "SELECT user, school, role, name, email, status, created_at FROM users
         WHERE school = ?1 ORDER BY name, user",
    )?;
    collect(statement.query([school.as_bytes()])?, read)
}

fn read(row: &Row<'_>) -> Result<User, StoreError> {
    Ok(User {
        user: id(row, "user")?,
        school: id(row, "school")?,
        role: role(row)?,
        name: row.get("name")?,
        email: row.get("email")?,
        status: status(row)?,
        created_at: time(row, "created_at")?,
    })
}

#[cfg(test)]
mod tests {
    use redshank_proto::clock::System;

    use super::*;
    use crate::store::Scope;
    use crate::store::tests::Scratch;

    #[tokio::test]
    async fn the_first_content_role_is_active_and_the_next_waits_and_is_told_of() {
        let scratch = Scratch::new();
        let (school, other) =
            (school(&scratch, "Marsh Lane").await, school(&scratch, "Hill").await);
        for (school, role, email, expected) in [
            (school, Role::Technician, "tech@marsh.example", UserStatus::Active),
            (school, Role::Dsl, "DSL@marsh.example", UserStatus::Active),
            (school, Role::Dsl, "deputy@marsh.example", UserStatus::Pending),
            (school, Role::Technician, "tech2@marsh.example", UserStatus::Active),
            (other, Role::Dsl, "dsl@hill.example", UserStatus::Active),
        ] {
            assert_eq!(add(&scratch, school, role, email).await.unwrap().1, expected, "{email}");
        }
        let readers = scratch
            .store
            .read(&Scope::system(Purpose::Triage), move |view| view.content_users(school))
            .await
            .unwrap();
        assert_eq!(readers.len(), 1, "a role that waits is not routed to");
        let scope = Scope::user(readers[0].user, Role::Dsl, school);
        let read = scratch.store.read(&scope, |view| {
            Ok(view.unread_notices()?.into_iter().map(|notice| notice.kind).collect::<Vec<_>>())
        });
        assert_eq!(read.await.unwrap(), [NoticeKind::RoleGranted]);
    }

    #[tokio::test]
    async fn what_is_no_user_is_refused_by_what_is_wrong() {
        let scratch = Scratch::new();
        let school = school(&scratch, "Marsh Lane").await;
        add(&scratch, school, Role::Dsl, "dsl@marsh.example").await.unwrap();
        for email in
            ["dsl@marsh.example", "DSL@Marsh.example ", "nobody", "@x", "a@", "a b@x", "a@b@c"]
        {
            let refused = add(&scratch, school, Role::Dsl, email).await.unwrap_err();
            assert!(matches!(refused, StoreError::Conflict(_)), "{email}: {refused:?}");
        }
        let nowhere = SchoolId::draw(&System);
        let refused = add(&scratch, nowhere, Role::Dsl, "other@marsh.example").await.unwrap_err();
        assert!(matches!(refused, StoreError::Missing("school")));
    }

    async fn school(scratch: &Scratch, name: &'static str) -> SchoolId {
        let scope = Scope::command_line();
        let add = scratch.store.write(&scope, move |edit| edit.add_school(name, "Europe/London"));
        add.await.unwrap()
    }

    async fn add(
        scratch: &Scratch,
        school: SchoolId,
        role: Role,
        email: &str,
    ) -> Result<(UserId, UserStatus), StoreError> {
        let new = NewUser {
            school,
            role,
            name: "Sam Reed".to_owned(),
            email: email.to_owned(),
            password: "$argon2id$".to_owned(),
        };
        scratch.store.write(&Scope::command_line(), move |edit| edit.add_user(&new)).await
    }
}
