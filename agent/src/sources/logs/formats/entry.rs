//! What a line of a log says of a request, in the words of no particular log.

use std::borrow::Cow;
use std::net::IpAddr;

use jiff::Timestamp;

use super::text::text;
use crate::observation::Action;
use crate::sources::search_terms::search_terms;

/// One request, or one lookup of a name.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry<'a> {
    /// When the log says that it was; Squid and e2guardian write when it was over.
    pub at: Timestamp,
    /// What was asked for.
    pub target: Target<'a>,
    /// The user whom the proxy knows, as it wrote him, its escapes undone.
    pub user: Option<Cow<'a, str>>,
    /// Who asked.
    pub client: Option<Client<'a>>,
    /// What became of it, as far as the log tells.
    pub action: Action,
    /// The filter's category.
    pub category: Option<Cow<'a, str>>,
    /// The filter's reason.
    pub reason: Option<Cow<'a, str>>,
    /// What was searched for, where the log has a field for it.
    pub logged_terms: Option<Cow<'a, str>>,
    /// The client's user agent.
    pub user_agent: Option<Cow<'a, str>>,
    /// The HTTP status that the client got; `None` if it got none.
    pub status: Option<u16>,
    /// The HTTP method.
    pub method: Option<Cow<'a, str>>,
    /// The proxy asked for a login, and nothing else came of it.
    pub login_asked: bool,
}

/// What was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target<'a> {
    /// A page, by its address as logged.
    Url(Cow<'a, str>),
    /// A host by its name or address, without a port or a dot at the end; an IPv6 address in brackets.
    Host(Cow<'a, str>),
}

/// Who asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Client<'a> {
    /// By address; an IPv4 address in IPv6 notation is shown as what it is.
    Address(IpAddr),
    /// By a name, where the log has no address.
    Name(Cow<'a, str>),
}

impl<'a> Entry<'a> {
    /// An entry of which nothing else is known.
    pub(super) fn new(at: Timestamp, target: Target<'a>) -> Self {
        Self {
            at,
            target,
            user: None,
            client: None,
            action: Action::Allowed,
            category: None,
            reason: None,
            logged_terms: None,
            user_agent: None,
            status: None,
            method: None,
            login_asked: false,
        }
    }

    /// What was searched for: by the address, which has it as it was typed, or else by the log's own field.
    #[must_use]
    pub fn search_terms(&self) -> Option<Cow<'_, str>> {
        let by_address = match &self.target {
            Target::Url(url) => search_terms(url).map(Cow::Owned),
            Target::Host(_) => None,
        };
        by_address.or_else(|| self.logged_terms.as_deref().map(Cow::Borrowed))
    }

    /// The same, of its own.
    #[must_use]
    pub fn into_owned(self) -> Entry<'static> {
        fn owned(text: Option<Cow<'_, str>>) -> Option<Cow<'static, str>> {
            text.map(|text| Cow::Owned(text.into_owned()))
        }
        Entry {
            at: self.at,
            target: match self.target {
                Target::Url(url) => Target::Url(Cow::Owned(url.into_owned())),
                Target::Host(host) => Target::Host(Cow::Owned(host.into_owned())),
            },
            user: owned(self.user),
            client: self.client.map(|client| match client {
                Client::Address(address) => Client::Address(address),
                Client::Name(name) => Client::Name(Cow::Owned(name.into_owned())),
            }),
            action: self.action,
            category: owned(self.category),
            reason: owned(self.reason),
            logged_terms: owned(self.logged_terms),
            user_agent: owned(self.user_agent),
            status: self.status,
            method: owned(self.method),
            login_asked: self.login_asked,
        }
    }
}

impl<'a> Target<'a> {
    /// What a proxy's request was for. `None` if it was for nothing: Squid logs `error:…` for a connection
    /// that ended before there was a request, and `/` or `*` for one that names no host.
    pub(super) fn of_request(method: &[u8], url: Cow<'a, str>) -> Option<Self> {
        if url.starts_with("error:") {
            return None;
        }
        match url.find("://") {
            Some(0) => None,
            Some(scheme) if method == b"CONNECT" => {
                let rest = sub(url, scheme + 3, |rest| rest.find(['/', '?']).unwrap_or(rest.len()));
                Self::host_of(rest)
            }
            Some(scheme) => (!url[scheme + 3..].starts_with(['/', '?', '#'])
                && url.len() > scheme + 3)
                .then_some(Self::Url(url)),
            None if url.starts_with(['/', '*', '-', '?']) => None,
            None => Self::host_of(url),
        }
    }

    /// The host of `host:port` or `host`.
    pub(super) fn host_of(authority: Cow<'a, str>) -> Option<Self> {
        let host = sub(authority, 0, |text| {
            let bracket = text.starts_with('[').then(|| text.find(']')).flatten();
            let end = bracket.map_or(0, |bracket| bracket + 1);
            let end = text[end..].rfind(':').map_or(text.len(), |colon| end + colon);
            text[..end].trim_end_matches('.').len()
        });
        let sound = !host.is_empty() && !host.contains(|c: char| c.is_whitespace() || c == '/');
        sound.then_some(Self::Host(host))
    }
}

impl<'a> Client<'a> {
    /// The client that `field` names; `None` for a dash.
    pub(super) fn of(field: &'a [u8]) -> Option<Self> {
        if matches!(field, b"" | b"-") {
            return None;
        }
        Some(address(field).map_or_else(|| Self::Name(text(field)), Self::Address))
    }
}

/// The address that `field` is.
pub(super) fn address(field: &[u8]) -> Option<IpAddr> {
    let address: IpAddr = str::from_utf8(field).ok()?.parse().ok()?;
    Some(address.to_canonical())
}

/// The part of `text` from `start` up to where `end` says, counted from `start`, without a copy.
fn sub(text: Cow<'_, str>, start: usize, end: impl FnOnce(&str) -> usize) -> Cow<'_, str> {
    let end = start + end(&text[start..]);
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(&text[start..end]),
        Cow::Owned(mut text) => {
            text.truncate(end);
            text.drain(..start);
            Cow::Owned(text)
        }
    }
}
