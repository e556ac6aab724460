//! Passwords: what is accepted as one, and how it is kept.
//!
//! - Rules as the National Cyber Security Centre advises ("Password policy: updating your approach", "three
//!   random words"): a length and a short deny list, no demands on composition, no expiry.
//! - argon2id with 19 MiB, two passes and one lane, the OWASP Password Storage Cheat Sheet's parameters.
//!   Each hash holds its memory for some ten milliseconds, so only a few are computed at once and the rest
//!   wait: a flood of sign-ins costs time, never memory.
//! - A wrong password and an address that nobody has take the same time: where there is no hash, one that
//!   nothing matches is computed against.

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use argon2::{Algorithm, Argon2, Params, Version};
use redshank_proto::clock::{Randomness, draw};
use tokio::sync::Semaphore;
use zeroize::Zeroizing;

/// Fewest characters: three short words.
const SHORTEST: usize = 12;
/// Most bytes: past any passphrase, and nobody makes us hash a book.
const LONGEST_BYTES: usize = 256;
/// Hashes computed at once, of 19 MiB each.
const AT_ONCE: usize = 4;
/// Bytes of a salt (RFC 9106, section 3.1).
const SALT_BYTES: usize = 16;
/// The hash of 32 random bytes that nobody knows: what a password is held against where there is no account.
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$cmVkc2hhbmstbm9ib2R5IQ$\
                      p0m8v7n3ZcU1dQ4o2hJ6sT9xWfYkLrEaBgCiVqMjNuA";
/// What people choose first, with what a school adds to it: compared without case, digits and marks.
const DENIED: &[&str] = &[
    "password",
    "passwordpassword",
    "letmein",
    "letmeinplease",
    "qwertyuiop",
    "qwertyuiopasdfghjkl",
    "iloveyou",
    "administrator",
    "welcome",
    "changeme",
    "changemeplease",
    "safeguarding",
    "designatedsafeguardinglead",
    "correcthorsebatterystaple",
    "threerandomwords",
    "redshank",
    "redshankredshank",
];

/// Why a password is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    /// Too short.
    #[error("a password is at least 12 characters long; three random words make a good one")]
    Short,
    /// Too long.
    #[error("a password is at most 256 bytes long")]
    Long,
    /// Among the first that are tried.
    #[error("this password is among the first that are tried; three random words make a good one")]
    Common,
    /// It could not be hashed.
    #[error("the password could not be hashed")]
    Hash,
}

/// Hashes a new password to a PHC string. Takes some ten milliseconds of a thread.
///
/// # Errors
/// [`PasswordError`] if the password is not good enough.
pub fn hash(password: &str, randomness: &dyn Randomness) -> Result<String, PasswordError> {
    check(password)?;
    let salt: [u8; SALT_BYTES] = draw(randomness);
    argon2()
        .hash_password_with_salt(password.as_bytes(), &salt)
        .map(|hash: PasswordHash| hash.to_string())
        .map_err(|_| PasswordError::Hash)
}

fn check(password: &str) -> Result<(), PasswordError> {
    if password.chars().count() < SHORTEST {
        return Err(PasswordError::Short);
    }
    if password.len() > LONGEST_BYTES {
        return Err(PasswordError::Long);
    }
    let letters: String =
        password.chars().filter(|c| c.is_alphabetic()).flat_map(char::to_lowercase).collect();
    let mut characters: Vec<char> = password.chars().collect();
    characters.sort_unstable();
    characters.dedup();
    // "aaaaaaaaaaaa", "123412341234"
    if characters.len() < 5 || letters.is_empty() || DENIED.contains(&letters.as_str()) {
        return Err(PasswordError::Common);
    }
    Ok(())
}

/// Verifies passwords, a few at once.
#[derive(Debug)]
pub(crate) struct Verifier {
    places: Semaphore,
}

impl Verifier {
    pub(crate) fn new() -> Self {
        Self { places: Semaphore::new(AT_ONCE) }
    }

    /// Whether `password` is the one behind `hash`; `None` takes as long and is never so.
    pub(crate) async fn verify(&self, password: Zeroizing<String>, hash: Option<String>) -> bool {
        let Ok(_place) = self.places.acquire().await else { return false };
        let verified = tokio::task::spawn_blocking(move || {
            let known = hash.is_some();
            let hash = hash.unwrap_or_else(|| NOBODY.to_owned());
            known & matches(&password, &hash)
        });
        verified.await.unwrap_or(false)
    }
}

fn matches(password: &str, hash: &str) -> bool {
    if password.len() > LONGEST_BYTES {
        return false;
    }
    PasswordHash::new(hash)
        .is_ok_and(|hash| argon2().verify_password(password.as_bytes(), &hash).is_ok())
}

fn argon2() -> Argon2<'static> {
    Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::DEFAULT)
}

#[cfg(test)]
mod tests {
    use redshank_proto::clock::System;

    use super::*;

    #[test]
    fn what_is_tried_first_is_refused_and_three_words_are_not() {
        for (password, expected) in [
            ("marsh warden bell", Ok(())),
            ("sehr lange Wörter", Ok(())),
            ("short", Err(PasswordError::Short)),
            ("Safeguarding2026!", Err(PasswordError::Common)),
            ("Password123456", Err(PasswordError::Common)),
            ("aaaaaaaaaaaaaaaa", Err(PasswordError::Common)),
            ("123456789012345", Err(PasswordError::Common)),
        ] {
            assert_eq!(check(password), expected, "{password}");
        }
        assert_eq!(check(&"long words ".repeat(40)), Err(PasswordError::Long));
    }

    #[tokio::test]
    async fn a_password_verifies_against_its_own_hash_only() {
        let hash = hash("marsh warden bell", &System).unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        let verifier = Verifier::new();
        for (password, hash, expected) in [
            ("marsh warden bell", Some(hash.clone()), true),
            ("marsh warden bells", Some(hash.clone()), false),
            ("marsh warden bell", None, false),
            ("marsh warden bell", Some("no hash".to_owned()), false),
        ] {
            let verified = verifier.verify(Zeroizing::new(password.to_owned()), hash).await;
            assert_eq!(verified, expected, "{password}");
        }
    }

    #[test]
    fn the_hash_of_nobody_costs_what_every_other_costs() {
        let nobody = PasswordHash::new(NOBODY).unwrap();
        let somebody = hash("marsh warden bell", &System).unwrap();
        let somebody = PasswordHash::new(&somebody).unwrap();
        assert_eq!(nobody.params, somebody.params);
        assert_eq!(nobody.algorithm, somebody.algorithm);
        assert!(nobody.salt.is_some() && nobody.hash.is_some());
    }
}
