//! The text of an enrolment token: what a technician puts into MDM.
//!
//! `rsk1-` then base32 (RFC 4648, lower case, no padding) of the secret (32 bytes), the SHA-256 of the
//! school's trust bundle (32 bytes) and a checksum (the first 4 bytes of the SHA-256 of both). The
//! bundle's hash is why a box that owns the device's root store cannot stand between: the agent believes
//! the bundle with that hash and no other. The checksum tells a mistyped token from a refused one.

use std::fmt;
use std::str::FromStr;

use aws_lc_rs::digest;
use data_encoding::{BASE32_NOPAD, HEXLOWER};
use zeroize::Zeroizing;

use crate::clock::{Randomness, draw};

const PREFIX: &str = "rsk1-";
const SECRET_BYTES: usize = 32;
const HASH_BYTES: usize = 32;
const CHECKSUM_BYTES: usize = 4;
/// Nothing longer can be a token.
const LONGEST_TEXT: usize = 256;

/// An enrolment token.
#[derive(Clone, PartialEq, Eq)]
pub struct Token {
    secret: Zeroizing<[u8; SECRET_BYTES]>,
    bundle_sha256: [u8; HASH_BYTES],
}

/// Why a text is not a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// It has another beginning.
    #[error(
        "an enrolment token begins with `{PREFIX}`; copy the whole line that `token create` printed"
    )]
    Prefix,
    /// It is cut short, or a character is wrong.
    #[error(
        "the enrolment token is incomplete or mistyped; copy the whole line that `token create` printed"
    )]
    Damaged,
}

impl Token {
    /// Draws a token for a trust bundle.
    #[must_use]
    pub fn draw(bundle_sha256: [u8; HASH_BYTES], randomness: &dyn Randomness) -> Self {
        Self { secret: Zeroizing::new(draw(randomness)), bundle_sha256 }
    }

    /// The secret that buys a certificate: shown only to a collector that the bundle's root vouches for.
    #[must_use]
    pub fn secret(&self) -> &[u8; SECRET_BYTES] {
        &self.secret
    }

    /// What a collector stores of the secret: its SHA-256, enough for 256 random bits.
    #[must_use]
    pub fn secret_sha256(&self) -> [u8; HASH_BYTES] {
        sha256(&*self.secret)
    }

    /// SHA-256 of the trust bundle that the token's holder is to believe.
    #[must_use]
    pub fn bundle_sha256(&self) -> &[u8; HASH_BYTES] {
        &self.bundle_sha256
    }
}

/// SHA-256 of some bytes.
#[must_use]
pub fn sha256(bytes: &[u8]) -> [u8; HASH_BYTES] {
    let mut hash = [0; HASH_BYTES];
    hash.copy_from_slice(digest::digest(&digest::SHA256, bytes).as_ref());
    hash
}

impl fmt::Display for Token {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let body = [self.secret.as_slice(), &self.bundle_sha256].concat();
        let whole = [body.as_slice(), &sha256(&body)[..CHECKSUM_BYTES]].concat();
        write!(formatter, "{PREFIX}{}", BASE32_NOPAD.encode(&whole).to_lowercase())
    }
}

impl FromStr for Token {
    type Err = TokenError;

    fn from_str(text: &str) -> Result<Self, TokenError> {
        let text = text.trim();
        if text.len() > LONGEST_TEXT {
            return Err(TokenError::Damaged);
        }
        let text = text.strip_prefix(PREFIX).ok_or(TokenError::Prefix)?;
        let whole = BASE32_NOPAD
            .decode(text.to_uppercase().as_bytes())
            .map(Zeroizing::new)
            .map_err(|_| TokenError::Damaged)?;
        let (body, checksum) =
            whole.split_last_chunk::<CHECKSUM_BYTES>().ok_or(TokenError::Damaged)?;
        if sha256(body)[..CHECKSUM_BYTES] != *checksum {
            return Err(TokenError::Damaged);
        }
        let (secret, hash) = body.split_first_chunk().ok_or(TokenError::Damaged)?;
        let bundle_sha256 = hash.try_into().map_err(|_| TokenError::Damaged)?;
        Ok(Self { secret: Zeroizing::new(*secret), bundle_sha256 })
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Token(bundle {})", HEXLOWER.encode(&self.bundle_sha256))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::System;

    #[test]
    fn a_token_survives_its_text_in_either_case_with_spaces_round_it() {
        let token = Token::draw([3; 32], &System);
        let text = token.to_string();
        assert_eq!(text.parse(), Ok(token.clone()));
        let shouted = format!("  {PREFIX}{}\n", text[PREFIX.len()..].to_uppercase());
        assert_eq!(shouted.parse(), Ok(token));
    }

    #[test]
    fn a_mistyped_token_is_told_from_a_refused_one() {
        let text = Token::draw([3; 32], &System).to_string();
        assert_eq!("hunter2".parse::<Token>(), Err(TokenError::Prefix));
        assert_eq!(text[..text.len() - 1].parse::<Token>(), Err(TokenError::Damaged));
        assert_eq!("rsk1-".parse::<Token>(), Err(TokenError::Damaged));
        assert_eq!(format!("{text}{}", "a".repeat(300)).parse::<Token>(), Err(TokenError::Damaged));
        let swapped: String =
            text.chars().enumerate().map(|(at, c)| if at == 20 { other(c) } else { c }).collect();
        assert_eq!(swapped.parse::<Token>(), Err(TokenError::Damaged));
    }

    #[test]
    fn debug_does_not_show_the_secret() {
        let token = Token::draw([3; 32], &System);
        assert!(!format!("{token:?}").contains(&HEXLOWER.encode(token.secret())));
    }

    fn other(c: char) -> char {
        if c == 'a' { 'b' } else { 'a' }
    }
}
