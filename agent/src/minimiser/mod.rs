//! The one gate between every source and everything else: what passes it is the least that its
//! purpose needs, and there is no way round it.
//!
//! [`Minimised`] can be made by [`minimise`] alone, and [`judge`](crate::judge) takes nothing else.
//!
//! # What always holds
//! - An observation on the private list ([`PrivateList`]) is dropped, whatever its source and
//!   however grave its words. Its address counts, not what is said on it; the search that led there
//!   is an observation of its own, at the search engine's address.
//! - An address is scheme, host, port and path. No user info, query or fragment passes, and no
//!   title that is just the address (browsers put it where a page has none, query and all).
//! - Only `http`, `https` and `ftp` pass. A local file's path holds names, `data:` and `blob:` hold
//!   content, `about:` and `chrome:` are the browser's own pages: all of it is dropped, and not
//!   kept as context either.
//! - Every string has its bound.

mod private_list;

use jiff::Timestamp;
use percent_encoding::percent_decode_str;
use redshank_proto::bounds;
use url::Url;

pub use self::private_list::{PrivateList, PrivateListError};
use crate::observation::{Content, Evidence, Observation, Source, Transition, Visit};

/// The schemes of pages on a network.
const SCHEMES: [&str; 3] = ["http", "https", "ftp"];

/// A visit of which nothing more can be left out before it is judged.
#[derive(Debug, Clone, PartialEq)]
pub struct Minimised {
    source: Source,
    occurred_at: Timestamp,
    evidence: Vec<Evidence>,
    late_title: bool,
    browser: String,
    profile: String,
    address: Address,
    title: Option<String>,
    search_terms: Option<String>,
    transition: Transition,
}

/// An address without user info, query and fragment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    text: String,
    host: String,
    path: String,
}

/// Why an observation goes no further.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Dropped {
    /// It is on the private list.
    Private,
    /// It is no page on a network.
    NoPage,
}

/// Reduces an observation to what its purpose needs.
///
/// # Errors
/// [`Dropped`] if nothing of it may go further.
pub fn minimise(private: &PrivateList, seen: Observation) -> Result<Minimised, Dropped> {
    let (visit, late_title) = match seen.content {
        Content::Visit(visit) => (visit, false),
        Content::LateTitle(visit) => (visit, true),
    };
    let url = Url::parse(visit.url.trim()).map_err(|_| Dropped::NoPage)?;
    if !SCHEMES.contains(&url.scheme()) {
        return Err(Dropped::NoPage);
    }
    let address = Address::of(&url).ok_or(Dropped::NoPage)?;
    if private.covers(&address.host, url.path()) {
        return Err(Dropped::Private);
    }
    let Visit { url: raw, browser, profile, title, search_terms, transition } = visit;
    Ok(Minimised {
        source: seen.source,
        occurred_at: seen.occurred_at,
        evidence: evidence(seen.evidence),
        late_title,
        browser: bounded(browser, bounds::NAME_BYTES),
        profile: bounded(profile, bounds::LONG_NAME_BYTES),
        title: title.filter(|title| !is_address(title, &raw)).and_then(text),
        search_terms: search_terms.and_then(text),
        address,
        transition,
    })
}

impl Minimised {
    /// The kind of source that saw it.
    #[must_use]
    pub fn source(&self) -> Source {
        self.source
    }

    /// When it happened by the source's clock.
    #[must_use]
    pub fn occurred_at(&self) -> Timestamp {
        self.occurred_at
    }

    /// What speaks for who it was; at most [`bounds::EVIDENCE`].
    #[must_use]
    pub fn evidence(&self) -> &[Evidence] {
        &self.evidence
    }

    /// Whether the visit itself was yielded before, without its title.
    #[must_use]
    pub fn is_late_title(&self) -> bool {
        self.late_title
    }

    /// The browser's family name.
    #[must_use]
    pub fn browser(&self) -> &str {
        &self.browser
    }

    /// The profile's folder name.
    #[must_use]
    pub fn profile(&self) -> &str {
        &self.profile
    }

    /// Where.
    #[must_use]
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// The page's title; never empty.
    #[must_use]
    pub fn title(&self) -> Option<&str> {
        self.title.as_deref()
    }

    /// What was searched for; never empty.
    #[must_use]
    pub fn search_terms(&self) -> Option<&str> {
        self.search_terms.as_deref()
    }

    /// How the browser came there.
    #[must_use]
    pub fn transition(&self) -> Transition {
        self.transition
    }
}

impl Address {
    fn of(url: &Url) -> Option<Self> {
        let host = private_list::canonical(url.host()?)?;
        let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
        let text = format!("{}://{host}{port}{}", url.scheme(), url.path());
        let path = percent_decode_str(url.path()).decode_utf8_lossy();
        let path = bounds::cut(&path, bounds::ADDRESS_BYTES).to_owned();
        Some(Self { text: bounded(text, bounds::ADDRESS_BYTES), host, path })
    }

    /// `scheme://host[:port]/path`, at most [`bounds::ADDRESS_BYTES`].
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The host, in lower case, without a trailing dot.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The path, percent-decoded; at most [`bounds::ADDRESS_BYTES`].
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }
}

fn evidence(found: Vec<Evidence>) -> Vec<Evidence> {
    let usable = |piece: Evidence| match piece {
        Evidence::OsUser(name) if name.is_empty() => None,
        Evidence::OsUser(name) => Some(Evidence::OsUser(bounded(name, bounds::EVIDENCE_BYTES))),
    };
    found.into_iter().filter_map(usable).take(bounds::EVIDENCE).collect()
}

/// Says whether a title is no more than the page's address, with a part that must not pass.
fn is_address(title: &str, raw: &str) -> bool {
    let bare = |text: &str| {
        let text = text.trim();
        let text = text.split_once("://").map_or(text, |(_, rest)| rest);
        text.strip_prefix("www.").unwrap_or(text).to_lowercase()
    };
    let title = bare(title);
    // Browsers shorten a long one.
    let title = title.trim_end_matches(['…', '.']);
    title.contains(['?', '#', '@']) && bare(raw).starts_with(title)
}

fn text(text: String) -> Option<String> {
    let text = bounded(text, bounds::TITLE_BYTES);
    (!text.trim().is_empty()).then_some(text)
}

fn bounded(mut text: String, bytes: usize) -> String {
    text.truncate(bounds::cut(&text, bytes).len());
    text
}

#[cfg(test)]
mod tests;
