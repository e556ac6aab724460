//! What was seen, after all has been left out that its purpose does not need.

use aws_lc_rs::digest;
use url::Url;

use super::Address;
use crate::observation::{Action, Medium, Missed, NoticeShown, Program, TextKind, Transition};

/// What was seen. Every string is within its bound of the wire.
#[derive(Debug, Clone, PartialEq)]
pub enum Content {
    /// A page was visited.
    Visit(Visit),
    /// The title of a visit that was yielded before without it.
    LateTitle(Visit),
    /// Text on a page.
    Text(PageText),
    /// A request that somebody else logged.
    Request(Request),
    /// A program runs; its path names no user.
    Program(Program),
    /// A removable medium came or went.
    Medium(Medium),
    /// The source could not keep what it saw.
    Missed(Missed),
    /// Somebody was shown what is collected here.
    NoticeShown(NoticeShown),
}

/// One visit to one address.
#[derive(Debug, Clone, PartialEq)]
pub struct Visit {
    /// The browser's family name.
    pub browser: String,
    /// The profile's folder name; empty if the source cannot know it.
    pub profile: String,
    /// Where.
    pub address: Address,
    /// The page's title; never empty.
    pub title: Option<String>,
    /// What was searched for; never empty.
    pub search_terms: Option<String>,
    /// How the browser came there.
    pub transition: Transition,
    /// Whether it was in a private window.
    pub private_window: bool,
    /// Tells this page from others whose address differs only in what was left out.
    pub key: PageKey,
}

/// Stands for an address but for its scheme, query and fragment included, without saying it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PageKey(pub [u8; 8]);

/// Text on a page.
#[derive(Debug, Clone, PartialEq)]
pub struct PageText {
    /// The browser's family name.
    pub browser: String,
    /// Where.
    pub address: Address,
    /// The page's title; never empty.
    pub title: Option<String>,
    /// What kind of text.
    pub kind: TextKind,
    /// Which field it stands in.
    pub field: u64,
    /// The text.
    pub text: String,
    /// Whether it was in a private window.
    pub private_window: bool,
}

/// A request that a proxy or a name server logged. No string is empty.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// What was asked for.
    pub place: Place,
    /// What became of it.
    pub action: Action,
    /// The filter's category.
    pub category: Option<String>,
    /// The filter's reason.
    pub reason: Option<String>,
    /// What was searched for.
    pub search_terms: Option<String>,
    /// The client's user agent.
    pub user_agent: Option<String>,
    /// The HTTP status.
    pub status: Option<u16>,
}

/// What a request asked for.
#[derive(Debug, Clone, PartialEq)]
pub enum Place {
    /// A page.
    Page(Address),
    /// A host, of which no page is known; in the one spelling that the private list compares.
    Host(String),
}

impl PageKey {
    pub(super) fn of(url: &Url) -> Self {
        let text = url.as_str();
        let rest = text.split_once("://").map_or(text, |(_, rest)| rest);
        let digest = digest::digest(&digest::SHA256, rest.as_bytes());
        let mut key = [0; 8];
        key.copy_from_slice(&digest.as_ref()[..8]);
        Self(key)
    }
}

impl Place {
    /// The address, or the host where that is all.
    #[must_use]
    pub fn text(&self) -> &str {
        match self {
            Self::Page(address) => address.text(),
            Self::Host(host) => host,
        }
    }

    /// The host.
    #[must_use]
    pub fn host(&self) -> &str {
        match self {
            Self::Page(address) => address.host(),
            Self::Host(host) => host,
        }
    }

    /// The path, where one is known.
    #[must_use]
    pub fn path(&self) -> Option<&str> {
        match self {
            Self::Page(address) => Some(address.path()),
            Self::Host(_) => None,
        }
    }
}

/// Takes the user's own folder off the front of a path: `/home/ann/tor` becomes `~/tor`.
pub(super) fn without_user(path: &str) -> String {
    let parts: Vec<&str> = path.split(['/', '\\']).collect();
    let homes = parts
        .iter()
        .position(|part| part.eq_ignore_ascii_case("home") || part.eq_ignore_ascii_case("users"));
    match homes {
        // `/home/…`, `C:\Users\…`, `/var/home/…`: near the root, with a name after it.
        Some(at) if at <= 2 && parts.len() > at + 2 => format!("~/{}", parts[at + 2..].join("/")),
        _ => path.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_does_not_name_its_user() {
        for (path, shown) in [
            ("/home/ann/Tor Browser/tor", "~/Tor Browser/tor"),
            ("/var/home/ann/tor", "~/tor"),
            (r"C:\Users\Ann Bee\AppData\psiphon.exe", "~/AppData/psiphon.exe"),
            ("/Users/ann/Applications/NordVPN.app", "~/Applications/NordVPN.app"),
            ("/usr/bin/tor", "/usr/bin/tor"),
            ("/srv/data/home/x/tor", "/srv/data/home/x/tor"),
            ("", ""),
        ] {
            assert_eq!(without_user(path), shown);
        }
    }
}
