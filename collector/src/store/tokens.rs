//! Enrolment tokens: a school, a purpose, an expiry, a number of uses.
//!
//! Only the SHA-256 of a token's secret is kept. A secret is 256 random bits, so its hash neither betrays
//! it nor, looked up in an index, tells by its timing how near a guess was: whoever can steer the hash
//! towards a stored one has broken SHA-256. The hash found is compared in constant time all the same.

use jiff::Timestamp;
use redshank_proto::id::{SchoolId, TokenId};
use rusqlite::OptionalExtension as _;
use subtle::ConstantTimeEq as _;

use super::audit::Action;
use super::scope::Purpose;
use super::value::{count, id, time, time_or_none};
use super::{Edit, StoreError, View};

/// Bytes of the words that say what a token is for.
const PURPOSE_BYTES: usize = 200;

/// A token to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewToken {
    /// The school it enrols into.
    pub school: SchoolId,
    /// SHA-256 of its secret.
    pub secret_sha256: [u8; 32],
    /// What it is for, in a technician's words.
    pub purpose: String,
    /// When it ends.
    pub expires_at: Timestamp,
    /// How many devices it enrols.
    pub uses: u32,
}

/// A token, found by its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// Its id.
    pub token: TokenId,
    /// The school it enrols into.
    pub school: SchoolId,
    /// When it ends.
    pub expires_at: Timestamp,
    /// How many more devices it enrols.
    pub uses_left: u32,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
}

/// Why a token enrols nothing, told to a holder whose secret is right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenRefusal {
    /// It was revoked.
    #[error("the enrolment token was revoked; ask the technician for another")]
    Revoked,
    /// Its time is over.
    #[error("the enrolment token has expired; make another with `token create`")]
    Expired,
    /// It has enrolled as many devices as it may.
    #[error("the enrolment token is used up; make another with `token create --uses`")]
    UsedUp,
}

impl Token {
    /// Whether it enrols a new device at `now`.
    ///
    /// # Errors
    /// [`TokenRefusal`] if not; a revoked token says so before all else.
    pub fn admits(&self, now: Timestamp) -> Result<(), TokenRefusal> {
        if self.revoked_at.is_some() {
            Err(TokenRefusal::Revoked)
        } else if self.expires_at <= now {
            Err(TokenRefusal::Expired)
        } else if self.uses_left == 0 {
            Err(TokenRefusal::UsedUp)
        } else {
            Ok(())
        }
    }
}

impl View<'_> {
    /// The token with a secret of this hash.
    ///
    /// # Errors
    /// [`StoreError::Missing`] if there is none; [`StoreError::OutOfScope`] unless enrolment asks.
    pub fn token(&self, secret_sha256: &[u8; 32]) -> Result<Token, StoreError> {
        self.scope().require_system(&[Purpose::Enrolment])?;
        let found = self
            .sql()
            .prepare_cached(
                "SELECT token, school, secret_sha256, expires_at, uses_left, revoked_at FROM tokens
                 WHERE secret_sha256 = ?1",
            )?
            .query_row([secret_sha256], |row| {
                let stored: [u8; 32] = row.get("secret_sha256")?;
                Ok((stored, read(row)))
            })
            .optional()?;
        match found {
            Some((stored, token)) if bool::from(stored.ct_eq(secret_sha256)) => token,
            _ => Err(StoreError::Missing("token")),
        }
    }
}

impl Edit<'_> {
    /// Makes a token.
    ///
    /// # Errors
    /// [`StoreError::OutOfScope`] unless the command line asks; [`StoreError::Conflict`] if it says not
    /// what it is for or enrols nothing.
    pub fn add_token(&self, token: &NewToken) -> Result<TokenId, StoreError> {
        self.scope().require_command_line()?;
        if token.purpose.trim().is_empty() || token.purpose.len() > PURPOSE_BYTES {
            return Err(StoreError::Conflict("a token's purpose has 1 to 200 bytes"));
        }
        if token.uses == 0 || token.expires_at <= self.now() {
            return Err(StoreError::Conflict("a token has a use and a day left at least"));
        }
        let id = TokenId::draw(self.randomness());
        self.sql()
            .prepare_cached(
                "INSERT INTO tokens (token, school, secret_sha256, purpose, created_at, expires_at, uses_left)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            )?
            .execute((
                id.as_bytes(),
                token.school.as_bytes(),
                token.secret_sha256,
                &token.purpose,
                self.now().as_microsecond(),
                token.expires_at.as_microsecond(),
                token.uses,
            ))?;
        let school = Some(token.school);
        self.audit(Action::TokenCreated, school, Some(id.as_bytes()), Some(&token.purpose))?;
        Ok(id)
    }

    /// Takes one use from a token that admits.
    pub(in crate::store) fn spend_token(&self, token: TokenId) -> Result<(), StoreError> {
        let spent = self
            .sql()
            .prepare_cached(
                "UPDATE tokens SET uses_left = uses_left - 1 WHERE token = ?1 AND uses_left > 0",
            )?
            .execute([token.as_bytes()])?;
        if spent == 1 { Ok(()) } else { Err(StoreError::Missing("token")) }
    }
}

fn read(row: &rusqlite::Row<'_>) -> Result<Token, StoreError> {
    Ok(Token {
        token: id(row, "token")?,
        school: id(row, "school")?,
        expires_at: time(row, "expires_at")?,
        uses_left: count(row, "uses_left")?,
        revoked_at: time_or_none(row, "revoked_at")?,
    })
}

#[cfg(test)]
mod tests {
    use jiff::ToSpan as _;
    use redshank_proto::clock::System;

    use super::*;

    #[test]
    fn a_token_admits_until_it_is_revoked_expired_or_used_up() {
        let now = Timestamp::UNIX_EPOCH;
        let (past, future) = (now - 1.second(), now + 1.second());
        for (expires_at, uses_left, revoked_at, expected) in [
            (future, 1, None, Ok(())),
            (now, 1, None, Err(TokenRefusal::Expired)),
            (past, 0, None, Err(TokenRefusal::Expired)),
            (future, 0, None, Err(TokenRefusal::UsedUp)),
            (future, 1, Some(past), Err(TokenRefusal::Revoked)),
            (past, 0, Some(past), Err(TokenRefusal::Revoked)),
        ] {
            let (token, school) = (TokenId::draw(&System), SchoolId::draw(&System));
            let token = Token { token, school, expires_at, uses_left, revoked_at };
            assert_eq!(token.admits(now), expected, "{token:?}");
        }
    }
}
