//! Who asks, for which schools, and what for: no read and no write of the store goes without it.
//!
//! A scope is made where the asker is known for certain — from a client certificate, a session, the
//! command line — and carried from there. The nouns' modules leave out what the viewer may not see; no
//! caller filters afterwards.

use redshank_proto::id::{DeviceId, ReaderId, SchoolId, UserId};

use super::StoreError;

/// Who asks, for which schools, and what for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    schools: Schools,
    viewer: Viewer,
}

/// The schools that a scope covers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Schools {
    /// Every school: the collector's own cursors and its command line.
    All,
    /// These.
    Only(Vec<SchoolId>),
}

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Viewer {
    /// The collector itself, for the named purpose.
    System(Purpose),
    /// Whoever runs the command line on the collector's host.
    CommandLine,
    /// An enrolled device.
    Device(DeviceId),
    /// A reader of the feed.
    Reader(ReaderId),
    /// Somebody signed in to the console.
    User(UserId, Role),
}

/// What the collector itself reads and writes for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Reading its own keys and settings at start.
    Start,
    /// Verifying a token or a renewal, before the asker is known.
    Enrolment,
    /// Following the event log.
    Triage,
    /// Verifying a password or a session, before the asker is known.
    SignIn,
}

/// What somebody who signs in may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// Designated Safeguarding Lead or deputy: alerts and their content.
    Dsl,
    /// Devices and their health: no content, ever.
    Technician,
}

impl Role {
    /// Its name in the store and on the command line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Dsl => "dsl",
            Self::Technician => "technician",
        }
    }

    /// The role of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Dsl, Self::Technician].into_iter().find(|role| role.as_str() == name)
    }

    /// Whether the role opens what pupils wrote and saw.
    #[must_use]
    pub fn opens_content(self) -> bool {
        match self {
            Self::Dsl => true,
            Self::Technician => false,
        }
    }
}

impl Scope {
    /// The collector itself.
    #[must_use]
    pub fn system(purpose: Purpose) -> Self {
        Self { schools: Schools::All, viewer: Viewer::System(purpose) }
    }

    /// The command line on the collector's host.
    #[must_use]
    pub fn command_line() -> Self {
        Self { schools: Schools::All, viewer: Viewer::CommandLine }
    }

    /// A device, by its verified certificate.
    #[must_use]
    pub fn device(school: SchoolId, device: DeviceId) -> Self {
        Self { schools: Schools::Only(vec![school]), viewer: Viewer::Device(device) }
    }

    /// A reader of the feed, by its verified certificate and the schools it is entitled to.
    #[must_use]
    pub fn reader(reader: ReaderId, schools: Vec<SchoolId>) -> Self {
        Self { schools: Schools::Only(schools), viewer: Viewer::Reader(reader) }
    }

    /// Somebody signed in, by the session.
    #[must_use]
    pub fn user(user: UserId, role: Role, school: SchoolId) -> Self {
        Self { schools: Schools::Only(vec![school]), viewer: Viewer::User(user, role) }
    }

    /// Who asks.
    #[must_use]
    pub fn viewer(&self) -> &Viewer {
        &self.viewer
    }

    /// The schools covered.
    #[must_use]
    pub fn schools(&self) -> &Schools {
        &self.schools
    }

    /// Whether a school is covered.
    #[must_use]
    pub fn covers(&self, school: SchoolId) -> bool {
        match &self.schools {
            Schools::All => true,
            Schools::Only(schools) => schools.contains(&school),
        }
    }

    /// Requires that a school is covered.
    ///
    /// # Errors
    /// [`StoreError::OutOfScope`] if it is not.
    pub fn require_school(&self, school: SchoolId) -> Result<(), StoreError> {
        if self.covers(school) { Ok(()) } else { Err(StoreError::OutOfScope) }
    }

    /// Requires a person: somebody signed in, whatever the role, or the command line.
    ///
    /// # Errors
    /// [`StoreError::OutOfScope`] for everybody else.
    pub fn require_people(&self) -> Result<(), StoreError> {
        match self.viewer {
            Viewer::User(..) | Viewer::CommandLine => Ok(()),
            Viewer::System(_) | Viewer::Device(_) | Viewer::Reader(_) => {
                Err(StoreError::OutOfScope)
            }
        }
    }

    /// Requires somebody signed in whose role opens content, and says who.
    ///
    /// # Errors
    /// [`StoreError::OutOfScope`] for everybody else.
    pub fn require_content(&self) -> Result<UserId, StoreError> {
        match self.viewer {
            Viewer::User(user, role) if role.opens_content() => Ok(user),
            _ => Err(StoreError::OutOfScope),
        }
    }

    /// Requires the collector itself, acting for one of `purposes`.
    ///
    /// # Errors
    /// [`StoreError::OutOfScope`] for everybody else.
    pub fn require_system(&self, purposes: &[Purpose]) -> Result<(), StoreError> {
        match self.viewer {
            Viewer::System(purpose) if purposes.contains(&purpose) => Ok(()),
            _ => Err(StoreError::OutOfScope),
        }
    }

    /// Requires the command line.
    ///
    /// # Errors
    /// [`StoreError::OutOfScope`] for everybody else.
    pub fn require_command_line(&self) -> Result<(), StoreError> {
        match self.viewer {
            Viewer::CommandLine => Ok(()),
            _ => Err(StoreError::OutOfScope),
        }
    }

    /// Who asks, as the audit trail writes it.
    #[must_use]
    pub fn actor(&self) -> String {
        match &self.viewer {
            Viewer::System(_) => "system".to_owned(),
            Viewer::CommandLine => "command_line".to_owned(),
            Viewer::Device(device) => format!("device:{device}"),
            Viewer::Reader(reader) => format!("reader:{reader}"),
            Viewer::User(user, _) => format!("user:{user}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use redshank_proto::clock::System;

    use super::*;

    #[test]
    fn content_is_for_people_whose_role_opens_it_and_nobody_else() {
        let (school, user) = (SchoolId::draw(&System), UserId::draw(&System));
        assert_eq!(Scope::user(user, Role::Dsl, school).require_content().unwrap(), user);
        for scope in [
            Scope::user(user, Role::Technician, school),
            Scope::command_line(),
            Scope::system(Purpose::Triage),
            Scope::device(school, DeviceId::draw(&System)),
            Scope::reader(ReaderId::draw(&System), vec![school]),
        ] {
            assert!(scope.require_content().is_err(), "{scope:?}");
        }
    }

    #[test]
    fn people_are_who_is_signed_in_and_the_command_line() {
        let (school, user) = (SchoolId::draw(&System), UserId::draw(&System));
        for scope in [
            Scope::user(user, Role::Dsl, school),
            Scope::user(user, Role::Technician, school),
            Scope::command_line(),
        ] {
            assert!(scope.require_people().is_ok(), "{scope:?}");
        }
        for scope in [
            Scope::system(Purpose::Triage),
            Scope::device(school, DeviceId::draw(&System)),
            Scope::reader(ReaderId::draw(&System), vec![school]),
        ] {
            assert!(scope.require_people().is_err(), "{scope:?}");
        }
    }

    #[test]
    fn a_scope_covers_its_own_schools_only() {
        let (ours, theirs) = (SchoolId::draw(&System), SchoolId::draw(&System));
        let scope = Scope::reader(ReaderId::draw(&System), vec![ours]);
        assert!(scope.require_school(ours).is_ok());
        assert!(scope.require_school(theirs).is_err());
        assert!(Scope::command_line().require_school(theirs).is_ok());
    }
}
