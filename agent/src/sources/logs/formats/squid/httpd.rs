//! The common and combined formats as Squid writes them itself, without a `logformat`.
//!
//! ```text
//! CLIENT IDENT USER [22/Nov/2026:03:18:26 +0000] "METHOD URL HTTP/1.1" STATUS BYTES RESULT:HIERARCHY
//! … STATUS BYTES "REFERER" "USER AGENT" RESULT:HIERARCHY
//! ```
//!
//! The user has spaces, but no bracket; the address has quotes, but no space; referer and user agent have
//! whatever the client sent, quotes and backslashes as they are. So the line is read from both ends, and the
//! referer ends at the first `" "` after it, as its author could not have moved it any further.

use std::borrow::Cow;

use super::super::text::{find, split_at_byte, split_at_last};
use super::super::time::{Clues, httpd};
use super::super::{LineFormat, Understood};
use super::quoting::{Quoting, unescape};
use super::{Client, Fields};

/// Squid's own common or combined format.
#[derive(Debug)]
pub(super) struct Httpd {
    combined: bool,
}

impl Httpd {
    pub(super) const COMMON: Self = Self { combined: false };
    pub(super) const COMBINED: Self = Self { combined: true };
}

impl LineFormat for Httpd {
    fn read<'a>(&self, line: &'a [u8], _: &Clues) -> Option<Understood<'a>> {
        let (client, rest) = split_at_byte(line, b' ')?;
        let bracket = find(rest, b" [")?;
        let (_ident, user) = split_at_byte(&rest[..bracket], b' ')?;
        let (at, rest) = split_at_byte(&rest[bracket + 2..], b']')?;
        let (method, rest) = split_at_byte(rest.strip_prefix(b" \"")?, b' ')?;
        let (url, rest) = split_at_byte(rest, b' ')?;
        let (_version, rest) = split_at_byte(rest, b' ')?;
        let (status, rest) = split_at_byte(rest, b' ')?;
        let (_bytes, rest) = split_at_byte(rest, b' ')?;
        // With log_mime_hdrs the headers follow in brackets.
        let rest =
            find(rest, b" [").filter(|_| rest.ends_with(b"]")).map_or(rest, |at| &rest[..at]);
        let (user_agent, result) = if self.combined {
            let (quoted, result) = split_at_last(rest, b' ')?;
            let quoted = quoted.strip_prefix(b"\"")?.strip_suffix(b"\"")?;
            (&quoted[find(quoted, b"\" \"")? + 3..], result)
        } else {
            (&b"-"[..], rest)
        };
        let (result, _hierarchy) = split_at_byte(result, b':')?;
        let fields = Fields {
            client: Client::of(client),
            user: unescape(user, Quoting::Mime),
            method: unescape(method, Quoting::Raw),
            url: Some(Cow::Borrowed(url)),
            status: super::super::text::number::<u16>(status).map(|_| status)?,
            result,
            user_agent: unescape(user_agent, Quoting::Raw),
            ..Fields::default()
        };
        Some(fields.understand(httpd(at)?))
    }
}
