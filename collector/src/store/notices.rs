//! What somebody must be told at the next sign-in, kept until they say that they have read it.
//!
//! A notice says that something happened to who may see what; it holds ids and no content.

use jiff::Timestamp;
use redshank_proto::clock::draw;
use redshank_proto::id::{ID_BYTES, SchoolId, UserId};

use super::users::user_of;
use super::value::{collect, id_or_none, time};
use super::{Edit, Role, StoreError, View, Viewer};

/// Notices shown at once; the rest follow when these are read.
const SHOWN: u32 = 50;

/// What a notice is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoticeKind {
    /// A role that opens content was granted on the command line.
    RoleGranted,
    /// Somebody approved a role that opens content.
    RoleApproved,
}

impl NoticeKind {
    fn as_str(self) -> &'static str {
        match self {
            Self::RoleGranted => "role_granted",
            Self::RoleApproved => "role_approved",
        }
    }

    fn parse(name: &str) -> Option<Self> {
        [Self::RoleGranted, Self::RoleApproved].into_iter().find(|kind| kind.as_str() == name)
    }
}

/// A notice that is not read yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// What happened.
    pub kind: NoticeKind,
    /// To whom: name and role; none if that user is gone.
    pub subject: Option<(String, Role)>,
    /// When.
    pub at: Timestamp,
}

impl View<'_> {
    /// The viewer's unread notices, oldest first; at most 50.
    ///
    /// # Errors
    /// [`StoreError::OutOfScope`] unless somebody signed in asks.
    pub fn unread_notices(&self) -> Result<Vec<Notice>, StoreError> {
        let reader = signed_in(self)?;
        let mut statement = self.sql().prepare_cached(
            "SELECT kind, subject, at FROM notices WHERE user = ?1 AND read_at IS NULL
             ORDER BY at LIMIT ?2",
        )?;
        collect(statement.query((reader.as_bytes(), SHOWN))?, |row| {
            let subject = match id_or_none::<UserId>(row, "subject")? {
                Some(subject) => user_of(self, subject)?.map(|user| (user.name, user.role)),
                None => None,
            };
            let kind = NoticeKind::parse(row.get_ref("kind")?.as_str().unwrap_or_default())
                .ok_or(StoreError::Malformed("notice"))?;
            Ok(Notice { kind, subject, at: time(row, "at")? })
        })
    }
}

impl Edit<'_> {
    /// Marks the viewer's notices that are as old as `shown_until` as read.
    ///
    /// # Errors
    /// [`StoreError::OutOfScope`] unless somebody signed in asks.
    pub fn read_notices(&self, shown_until: Timestamp) -> Result<(), StoreError> {
        let reader = signed_in(self.view())?;
        self.sql()
            .prepare_cached(
                "UPDATE notices SET read_at = ?3 WHERE user = ?1 AND at <= ?2 AND read_at IS NULL",
            )?
            .execute((
                reader.as_bytes(),
                shown_until.as_microsecond(),
                self.now().as_microsecond(),
            ))?;
        Ok(())
    }

    /// Leaves a notice for somebody, for the modules that have checked who does so.
    pub(super) fn notify(
        &self,
        school: SchoolId,
        reader: UserId,
        kind: NoticeKind,
        subject: UserId,
    ) -> Result<(), StoreError> {
        self.sql()
            .prepare_cached(
                "INSERT INTO notices (notice, school, user, kind, subject, at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?
            .execute((
                draw::<ID_BYTES>(self.randomness()),
                school.as_bytes(),
                reader.as_bytes(),
                kind.as_str(),
                subject.as_bytes(),
                self.now().as_microsecond(),
            ))?;
        Ok(())
    }
}

fn signed_in(view: &View<'_>) -> Result<UserId, StoreError> {
    match view.scope().viewer() {
        Viewer::User(user, _) => Ok(*user),
        _ => Err(StoreError::OutOfScope),
    }
}
