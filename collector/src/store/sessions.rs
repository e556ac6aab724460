//! Sessions of the console: a random token in the browser, its SHA-256 here.
//!
//! A session ends thirty minutes after its person last did something, twelve hours after sign-in, at
//! sign-out, and the moment its user is no longer active: every request looks here. What the page fetches
//! by itself is nothing that a person did. Rows past their end are deleted at the next sign-in.

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use jiff::Timestamp;
use redshank_proto::clock::{Randomness, draw};
use redshank_proto::id::{SchoolId, UserId};

use super::audit::Action;
use super::exemptions::{Exempted, exemptions};
use super::users::{UserStatus, role, status, user_of};
use super::value::{id, time};
use super::{Edit, Purpose, Role, Scope, StoreError, View};

/// A lesson: long enough for a careful note, short enough for a screen that was left.
pub const IDLE: Duration = Duration::from_secs(30 * 60);
/// A working day: whoever starts the next one signs in.
pub const LIFETIME: Duration = Duration::from_secs(12 * 3_600);
/// How stale `last_used_at` may be, so that a busy page does not write at each of its requests.
const TOUCH_AFTER: Duration = Duration::from_secs(60);

/// Bytes of a token and of a CSRF token: past guessing.
pub const TOKEN_BYTES: usize = 32;

/// A session's token, as the browser holds it.
#[derive(Clone, PartialEq, Eq)]
pub struct SessionToken([u8; TOKEN_BYTES]);

impl SessionToken {
    /// Draws a new one.
    #[must_use]
    pub fn draw(randomness: &dyn Randomness) -> Self {
        Self(draw(randomness))
    }

    /// Reads one from a cookie.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = data_encoding::BASE64URL_NOPAD.decode(text.as_bytes()).ok()?;
        bytes.try_into().ok().map(Self)
    }

    /// Its text, for a cookie.
    #[must_use]
    pub fn text(&self) -> String {
        data_encoding::BASE64URL_NOPAD.encode(&self.0)
    }

    fn sha256(&self) -> Vec<u8> {
        digest(&SHA256, &self.0).as_ref().to_vec()
    }
}

impl fmt::Debug for SessionToken {
    /// Never shows the token: whoever reads it in a log is signed in.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("SessionToken(…)")
    }
}

/// Somebody signed in.
#[derive(Debug, Clone)]
pub struct Session {
    /// Who.
    pub user: UserId,
    /// Their school.
    pub school: SchoolId,
    /// What they may do.
    pub role: Role,
    /// Their name, for the screen.
    pub name: String,
    /// What every form must bring back.
    pub csrf: [u8; TOKEN_BYTES],
    /// Whether [`Edit::touch_session`] is due.
    pub stale: bool,
    /// IANA name of their school's time zone.
    pub time_zone: String,
    /// When the session was looked up.
    pub now: Timestamp,
    /// What is left alone at their school at that time.
    pub exempted: Vec<Exempted>,
}

impl Session {
    /// What they may ask the store.
    #[must_use]
    pub fn scope(&self) -> Scope {
        Scope::user(self.user, self.role, self.school)
    }
}

/// What came of a right password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignIn {
    /// The session stands.
    Begun(Role),
    /// The role waits for approval.
    Pending,
    /// The account is disabled.
    Disabled,
}

impl View<'_> {
    /// The live session of a token; none if it is unknown, has ended, or its user is not active.
    ///
    /// # Errors
    /// [`StoreError::OutOfScope`] unless sign-in asks.
    pub fn session(
        &self,
        token: &SessionToken,
        now: Timestamp,
    ) -> Result<Option<Session>, StoreError> {
        self.scope().require_system(&[Purpose::SignIn])?;
        let mut statement = self.sql().prepare_cached(
            "SELECT u.user, u.school, u.role, u.name, u.status, s.csrf, s.last_used_at, s.expires_at,
                    l.time_zone
             FROM sessions s JOIN users u ON u.user = s.user JOIN schools l ON l.school = u.school
             WHERE s.token_sha256 = ?1",
        )?;
        let mut rows = statement.query([token.sha256()])?;
        let Some(row) = rows.next()? else { return Ok(None) };
        let (last_used_at, expires_at) = (time(row, "last_used_at")?, time(row, "expires_at")?);
        let unused = now.duration_since(last_used_at).unsigned_abs();
        if status(row)? != UserStatus::Active || expires_at <= now || unused >= IDLE {
            return Ok(None);
        }
        let (school, role) = (id(row, "school")?, role(row)?);
        let mut exempted = exemptions(self, school, now, role.opens_content())?;
        exempted.retain(|exempted| exempted.from <= now);
        Ok(Some(Session {
            user: id(row, "user")?,
            school,
            role,
            time_zone: row.get("time_zone")?,
            now,
            exempted,
            name: row.get("name")?,
            csrf: row.get("csrf")?,
            stale: unused >= TOUCH_AFTER,
        }))
    }
}

impl Edit<'_> {
    /// Begins a session for whoever's password was right, and forgets their failures on
    /// that network and on the unknown ones.
    ///
    /// # Errors
    /// [`StoreError::OutOfScope`] unless sign-in asks.
    pub fn signed_in(
        &self,
        user: UserId,
        address: Option<IpAddr>,
        token: &SessionToken,
    ) -> Result<SignIn, StoreError> {
        self.scope().require_system(&[Purpose::SignIn])?;
        let user = user_of(self.view(), user)?.ok_or(StoreError::Missing("user"))?;
        self.forgive_failures(user.user, address)?;
        match user.status {
            UserStatus::Active => {}
            UserStatus::Pending => return Ok(SignIn::Pending),
            UserStatus::Disabled => return Ok(SignIn::Disabled),
        }
        let now = self.now().as_microsecond();
        let unused_since = self.now() - IDLE;
        self.sql()
            .prepare_cached("DELETE FROM sessions WHERE expires_at <= ?1 OR last_used_at <= ?2")?
            .execute((now, unused_since.as_microsecond()))?;
        self.sql()
            .prepare_cached(
                "INSERT INTO sessions (token_sha256, user, csrf, created_at, last_used_at, expires_at)
                 VALUES (?1, ?2, ?3, ?4, ?4, ?5)",
            )?
            .execute((
                token.sha256(),
                user.user.as_bytes(),
                draw::<TOKEN_BYTES>(self.randomness()),
                now,
                (self.now() + LIFETIME).as_microsecond(),
            ))?;
        self.audit(Action::SignedIn, Some(user.school), Some(user.user.as_bytes()), None)?;
        Ok(SignIn::Begun(user.role))
    }

    /// Records that the session's person has just done something.
    ///
    /// # Errors
    /// [`StoreError::OutOfScope`] unless sign-in asks.
    pub fn touch_session(&self, token: &SessionToken) -> Result<(), StoreError> {
        self.scope().require_system(&[Purpose::SignIn])?;
        self.sql()
            .prepare_cached("UPDATE sessions SET last_used_at = ?2 WHERE token_sha256 = ?1")?
            .execute((token.sha256(), self.now().as_microsecond()))?;
        Ok(())
    }

    /// Ends a session. One that has ended already stays so.
    ///
    /// # Errors
    /// [`StoreError::OutOfScope`] unless sign-in asks.
    pub fn end_session(&self, token: &SessionToken) -> Result<(), StoreError> {
        self.scope().require_system(&[Purpose::SignIn])?;
        let user: Option<UserId> = self
            .sql()
            .prepare_cached("DELETE FROM sessions WHERE token_sha256 = ?1 RETURNING user")?
            .query_and_then([token.sha256()], |row| id(row, "user"))?
            .next()
            .transpose()?;
        if let Some(user) = user {
            let school = user_of(self.view(), user)?.map(|user| user.school);
            self.audit(Action::SignedOut, school, Some(user.as_bytes()), None)?;
        }
        Ok(())
    }
}
