//! Squid's access log: its own formats, and any `logformat`.
//!
//! The native format is a `logformat` like any other (squid.conf, `logformat squid`) and read as one. The
//! common and combined formats are not: what Squid writes for `access_log … common` and `combined` quotes
//! neither address nor user agent, as its own `logformat` would ([`httpd`]).
//!
//! # What Squid's words mean
//! - **Blocked** is a result code with `DENIED` in it (`TCP_DENIED`, `TCP_DENIED_REPLY`), or the error page
//!   `ERR_ACCESS_DENIED` (`%err_code`). A filter behind a URL rewriter or ICAP leaves no such mark: its block
//!   page is an ordinary answer here. A format with neither code shows nothing as blocked.
//! - **407** with `DENIED` asks for a login.
//! - **Category and reason** are there only where the format has them: `%et` (an ACL helper's tag) or
//!   `%{category}note`, and `%ea` (a helper's log text) or `%{reason}note`; else the error page's name.
//! - **A user** is written by `%[un` with `\\` for a backslash and `%xx` for bytes that are not ASCII, and by
//!   a plain `%un` as it is. Either may have spaces in it. Squid folds the case of basic logins.
//! - **Status 000** (or 0) is a client that went away before an answer.

mod codes;
mod date;
mod httpd;
mod logformat;
mod pattern;
mod quoting;

use std::borrow::Cow;

use jiff::Timestamp;

use self::httpd::Httpd;
use self::logformat::Logformat;
use super::entry::{Client, Entry, Target};
use super::text::{find, status, text_of};
use super::{FormatError, Made, Understood};
use crate::observation::Action;

/// `logformat squid` of squid.conf.documented.
const NATIVE: &str = "%ts.%03tu %6tr %>a %Ss/%03>Hs %<st %rm %ru %[un %Sh/%<a %mt";

/// The same with the user as he is, as e2guardian writes it.
pub(super) const PLAIN_USER: &str = "%ts.%03tu %6tr %>a %Ss/%03>Hs %<st %rm %ru %'un %Sh/%<a %mt";

/// `squid`, or `squid:LOGFORMAT`.
pub(super) fn make(logformat: Option<&str>) -> Made {
    Ok(Box::new(match logformat {
        // With log_mime_hdrs the headers follow in brackets.
        None => Logformat::parse(NATIVE)?.with_headers_after(),
        Some(logformat) => Logformat::parse(logformat)?,
    }))
}

/// `squid-common`.
pub(super) fn make_common(argument: Option<&str>) -> Made {
    match argument {
        None => Ok(Box::new(Httpd::COMMON)),
        Some(_) => Err(FormatError::NoArgument("squid-common")),
    }
}

/// `squid-combined`.
pub(super) fn make_combined(argument: Option<&str>) -> Made {
    match argument {
        None => Ok(Box::new(Httpd::COMBINED)),
        Some(_) => Err(FormatError::NoArgument("squid-combined")),
    }
}

/// What a line says in each of its fields, escapes undone; a dash is `None`.
#[derive(Debug, Default)]
struct Fields<'a> {
    client: Option<Client<'a>>,
    user: Option<Cow<'a, [u8]>>,
    method: Option<Cow<'a, [u8]>>,
    url: Option<Cow<'a, [u8]>>,
    /// The host of the TLS handshake, where the address has only a number.
    sni: Option<Cow<'a, [u8]>>,
    status: &'a [u8],
    result: &'a [u8],
    category: Option<Cow<'a, [u8]>>,
    reason: Option<Cow<'a, [u8]>>,
    error: Option<Cow<'a, [u8]>>,
    user_agent: Option<Cow<'a, [u8]>>,
}

impl<'a> Fields<'a> {
    /// What the line says as a whole.
    fn understand(self, at: Timestamp) -> Understood<'a> {
        let Some(url) = self.url else { return Understood::Nothing };
        let method = self.method.unwrap_or_default();
        let Some(mut target) = Target::of_request(&method, text_of(url)) else {
            return Understood::Nothing;
        };
        if let (Target::Host(host), Some(sni)) = (&target, self.sni)
            && is_address(host)
            && let Some(named) = Target::host_of(text_of(sni))
        {
            target = named;
        }
        let status = status(self.status);
        let denied = find(self.result, b"DENIED").is_some()
            || self.error.as_deref() == Some(b"ERR_ACCESS_DENIED");
        let login_asked = status == Some(407) && (denied || self.result.is_empty());
        let action = if denied && !login_asked { Action::Blocked } else { Action::Allowed };
        Understood::Request(Entry {
            client: self.client,
            user: self.user.map(text_of),
            action,
            category: self.category.map(text_of),
            reason: self.reason.or(self.error).map(text_of),
            user_agent: self.user_agent.map(text_of),
            status,
            method: (!method.is_empty()).then(|| text_of(method)),
            login_asked,
            ..Entry::new(at, target)
        })
    }
}

fn is_address(host: &str) -> bool {
    host.starts_with('[') || super::entry::address(host.as_bytes()).is_some()
}
