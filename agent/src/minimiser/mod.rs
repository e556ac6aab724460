//! The one gate between every source and everything else: what passes it is the least that its
//! purpose needs, and there is no way round it.
//!
//! [`Minimised`] can be made by [`minimise`] alone, and [`judge`](crate::judge) takes nothing else.
//!
//! # What always holds
//! - An observation on the private list ([`PrivateList`]) is dropped, whatever its source and
//!   however grave its words. Its address counts, not what is said on it; the search that led there
//!   is an observation of its own, at the search engine's address. Of a host that is known without
//!   a page (a tunnel, a name looked up), an entry for all of the host decides.
//! - An address is scheme, host, port and path. No user info, query or fragment passes, and no
//!   title that is just the address (browsers put it where a page has none, query and all).
//! - Only `http`, `https` and `ftp` pass. A local file's path holds names, `data:` and `blob:` hold
//!   content, `about:` and `chrome:` are the browser's own pages: all of it is dropped, and not
//!   kept as context either.
//! - A program's path does not name the user in whose folder it lies.
//! - Every string has its bound.

mod address;
mod content;
mod private_list;

use jiff::Timestamp;
use redshank_proto::bounds;

pub use self::address::Address;
pub use self::content::{Content, PageKey, PageText, Place, Request, Visit};
pub use self::private_list::{PrivateList, PrivateListError};
use crate::observation::{self, Evidence, Medium, Observation, Program, Source, Target};

/// An observation of which nothing more can be left out before it is judged.
#[derive(Debug, Clone, PartialEq)]
pub struct Minimised {
    source: Source,
    occurred_at: Timestamp,
    evidence: Vec<Evidence>,
    content: Content,
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
    let content = match seen.content {
        observation::Content::Visit(seen) => Content::Visit(visit(private, seen)?),
        observation::Content::LateTitle(seen) => Content::LateTitle(visit(private, seen)?),
        observation::Content::Text(seen) => Content::Text(page_text(private, seen)?),
        observation::Content::Request(seen) => Content::Request(request(private, seen)?),
        observation::Content::Program(seen) => Content::Program(program(seen)),
        observation::Content::Medium(seen) => Content::Medium(medium(seen)),
        observation::Content::Missed(seen) => Content::Missed(seen),
        observation::Content::NoticeShown(seen) => Content::NoticeShown(seen),
    };
    Ok(Minimised {
        source: seen.source,
        occurred_at: seen.occurred_at,
        evidence: evidence(seen.evidence),
        content,
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

    /// What was seen.
    #[must_use]
    pub fn content(&self) -> &Content {
        &self.content
    }

    /// A visit that another source told of before: only its title may be news, of the visit at `told_at`.
    #[must_use]
    pub fn into_late_title(mut self, told_at: Timestamp) -> Self {
        if let Content::Visit(visit) = self.content {
            self.content = Content::LateTitle(visit);
            self.occurred_at = told_at;
        }
        self
    }
}

/// Parses an address, unless the page is none of ours.
fn page(private: &PrivateList, raw: &str) -> Result<(Address, PageKey), Dropped> {
    let (address, url) = Address::parse(raw).ok_or(Dropped::NoPage)?;
    if private.covers(address.host(), url.path()) {
        return Err(Dropped::Private);
    }
    Ok((address, PageKey::of(&url)))
}

fn visit(private: &PrivateList, seen: observation::Visit) -> Result<Visit, Dropped> {
    let (address, key) = page(private, &seen.url)?;
    Ok(Visit {
        browser: bounded(seen.browser, bounds::NAME_BYTES),
        profile: bounded(seen.profile, bounds::LONG_NAME_BYTES),
        title: title(seen.title, &seen.url),
        search_terms: seen.search_terms.and_then(|terms| text(terms, bounds::TITLE_BYTES)),
        address,
        key,
        transition: seen.transition,
        private_window: seen.private_window,
    })
}

fn page_text(private: &PrivateList, seen: observation::PageText) -> Result<PageText, Dropped> {
    let (address, _) = page(private, &seen.url)?;
    Ok(PageText {
        browser: bounded(seen.browser, bounds::NAME_BYTES),
        title: title(seen.title, &seen.url),
        address,
        kind: seen.kind,
        field: seen.field,
        text: bounded(seen.text, bounds::TEXT_BYTES),
        private_window: seen.private_window,
    })
}

fn request(private: &PrivateList, seen: observation::Request) -> Result<Request, Dropped> {
    let place = match seen.target {
        Target::Url(url) => Place::Page(page(private, &url)?.0),
        Target::Host(host) => {
            let host = private_list::logged(&host).ok_or(Dropped::NoPage)?;
            if private.covers(&host, "") {
                return Err(Dropped::Private);
            }
            Place::Host(host)
        }
    };
    let words = |words: Option<String>, bytes| words.and_then(|words| text(words, bytes));
    Ok(Request {
        place,
        action: seen.action,
        category: words(seen.category, bounds::FILTER_CATEGORY_BYTES),
        reason: words(seen.reason, bounds::FILTER_REASON_BYTES),
        search_terms: words(seen.search_terms, bounds::TITLE_BYTES),
        user_agent: words(seen.user_agent, bounds::USER_AGENT_BYTES),
        status: seen.status,
    })
}

fn program(seen: Program) -> Program {
    Program {
        name: bounded(seen.name, bounds::LONG_NAME_BYTES),
        path: seen.path.map(|path| bounded(content::without_user(&path), bounds::PATH_BYTES)),
        publisher: seen.publisher.and_then(|name| text(name, bounds::LONG_NAME_BYTES)),
    }
}

fn medium(seen: Medium) -> Medium {
    Medium { name: bounded(seen.name, bounds::LONG_NAME_BYTES), ..seen }
}

fn evidence(found: Vec<Evidence>) -> Vec<Evidence> {
    let name = |name: String| text(name, bounds::EVIDENCE_BYTES);
    let usable = |piece: Evidence| match piece {
        Evidence::OsUser(user) => name(user).map(Evidence::OsUser),
        Evidence::ProxyUser { name: user, authority } => Some(Evidence::ProxyUser {
            name: name(user)?,
            authority: bounded(authority, bounds::LONG_NAME_BYTES),
        }),
        Evidence::Lease { mac } => name(mac).map(|mac| Evidence::Lease { mac }),
        Evidence::ClientAddress(_) => Some(piece),
    };
    found.into_iter().filter_map(usable).take(bounds::EVIDENCE).collect()
}

/// A title, unless it is empty or no more than the page's address.
fn title(title: Option<String>, url: &str) -> Option<String> {
    let title = title.filter(|title| !address::is_address(title, url))?;
    text(title, bounds::TITLE_BYTES)
}

fn text(text: String, bytes: usize) -> Option<String> {
    let text = bounded(text, bytes);
    (!text.trim().is_empty()).then_some(text)
}

fn bounded(mut text: String, bytes: usize) -> String {
    text.truncate(bounds::cut(&text, bytes).len());
    text
}

#[cfg(test)]
mod tests;
