//! e2guardian's access log, `logfileformat` 1 to 8.
//!
//! | number | how it is written | read by |
//! |---|---|---|
//! | 1, 2, 4 | DansGuardian's nineteen fields, with spaces, as CSV without escapes, with tabs | [`listed`] |
//! | 3 | as Squid's native format, with no word of the filter but its 403 | Squid's `logformat` |
//! | 5, 6 | Protex's fields with tabs; 6 leaves the server's name empty | [`protex`] |
//! | 7, 8 | the same, then what was searched for, and flags | [`protex`] |
//!
//! e2guardian escapes nothing: a user agent may have any byte but a line end. Lines are read from both ends
//! towards such a field.
//!
//! # What its words mean
//! What the filter did stands before its reason, between asterisks: `*DENIED* Blocked site: x.example`,
//! `*URLMOD* *DENIED* …`, `*TRUSTED* Site match: …`. **Blocked** is `DENIED` (also `DENIED-POST` and the like)
//! or `INFECTED`; or, since a school may have e2guardian speak its own language, any such word that is not
//! one of those known to let a page pass, together with the status 403. A 403 without any word is the site's
//! own answer.
//!
//! A tunnel is logged as `https://host:443` with the method CONNECT: it is a host here.

mod listed;
mod protex;

use std::borrow::Cow;

use jiff::Timestamp;

use self::listed::{Listed, Separator};
use self::protex::Protex;
use super::entry::{Client, Entry, Target, address};
use super::squid::PLAIN_USER;
use super::text::{find, status, text, told};
use super::{FormatError, Made, Understood, squid};
use crate::observation::Action;

/// Words between asterisks with which a page passes (messages 51 and 54 to 59 of e2guardian's languages, and
/// the one that earlier versions had for 51).
const PASSES: &[&[u8]] = &[
    b"TRUSTED",
    b"EXCEPTION",
    b"SEMI-EXCEPTION",
    b"SCANNED",
    b"CONTENTMOD",
    b"URLMOD",
    b"HEADERMOD",
    b"HEADERADD",
    b"NETERROR",
];

/// `e2guardian:1` to `e2guardian:8`.
pub(super) fn make(number: Option<&str>) -> Made {
    Ok(match number.map(str::trim) {
        Some("1") => Box::new(Listed(Separator::Space)),
        Some("2") => Box::new(Listed(Separator::Quoted)),
        Some("3") => squid::make(Some(PLAIN_USER))?,
        Some("4") => Box::new(Listed(Separator::Tab)),
        Some("5" | "6") => Box::new(Protex { searched: false }),
        Some("7" | "8") => Box::new(Protex { searched: true }),
        Some(other) => {
            let other = super::cut(other, 16);
            return Err(FormatError::E2guardian(format!("e2guardian has no format `{other}`")));
        }
        None => {
            let problem = "e2guardian has several formats".to_owned();
            return Err(FormatError::E2guardian(problem));
        }
    })
}

/// The fields of a line that count here.
#[derive(Debug)]
struct Fields<'a> {
    user: &'a [u8],
    client: &'a [u8],
    url: &'a [u8],
    method: &'a [u8],
    status: &'a [u8],
    /// What the filter did, and why.
    what: &'a [u8],
    category: &'a [u8],
    user_agent: &'a [u8],
    searched: &'a [u8],
}

impl<'a> Fields<'a> {
    /// What the line says as a whole.
    fn understand(self, at: Timestamp) -> Understood<'a> {
        let Some(target) = Target::of_request(self.method, text(self.url)) else {
            return Understood::Nothing;
        };
        let status = status(self.status);
        let (blocked, reason) = judged(self.what, status);
        Understood::Request(Entry {
            user: told(self.user),
            client: Client::of(self.client),
            action: if blocked { Action::Blocked } else { Action::Allowed },
            category: told(self.category),
            reason: told(reason),
            logged_terms: told(self.searched).map(decoded),
            user_agent: told(self.user_agent),
            status,
            method: told(self.method),
            login_asked: status == Some(407),
            ..Entry::new(at, target)
        })
    }
}

/// Whether the filter blocked, and its reason without the words between asterisks.
fn judged(what: &[u8], status: Option<u16>) -> (bool, &[u8]) {
    let (mut blocked, mut unknown) = (false, false);
    let mut rest = what;
    while let Some(after) = rest.strip_prefix(b"*")
        && let Some(end) = after.iter().position(|byte| *byte == b'*')
    {
        let word = after[..end].trim_ascii();
        let denied = word.starts_with(b"DENIED") || word.starts_with(b"INFECTED");
        blocked |= denied;
        unknown |= !denied && !word.is_empty() && !PASSES.contains(&word);
        rest = after[end + 1..].trim_ascii_start();
    }
    (blocked || unknown && status == Some(403), rest)
}

/// What was searched for: e2guardian undoes `+` alone.
fn decoded(terms: Cow<'_, str>) -> Cow<'_, str> {
    if !terms.contains('%') {
        return terms;
    }
    let decoded = percent_encoding::percent_decode_str(&terms).decode_utf8_lossy().into_owned();
    Cow::Owned(decoded)
}

/// Whether a field can be a method.
fn is_method(field: &[u8]) -> bool {
    !field.is_empty() && field.iter().all(|byte| byte.is_ascii_uppercase() || b"-_".contains(byte))
}
