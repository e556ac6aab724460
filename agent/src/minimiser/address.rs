//! An address as little as it may be: scheme, host, port and path.

use percent_encoding::percent_decode_str;
use redshank_proto::bounds;
use url::Url;

use super::private_list::canonical;

/// The schemes of pages on a network.
const SCHEMES: [&str; 3] = ["http", "https", "ftp"];

/// An address without user info, query and fragment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    text: String,
    host: String,
    path: String,
}

impl Address {
    /// Reads an address; `None` if it is no page on a network. The URL beside it still has all of it.
    pub(super) fn parse(raw: &str) -> Option<(Self, Url)> {
        let url = Url::parse(raw.trim()).ok()?;
        if !SCHEMES.contains(&url.scheme()) {
            return None;
        }
        let host = canonical(url.host()?)?;
        let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
        let text = format!("{}://{host}{port}{}", url.scheme(), url.path());
        let path = percent_decode_str(url.path()).decode_utf8_lossy();
        let path = bounds::cut(&path, bounds::ADDRESS_BYTES).to_owned();
        Some((Self { text: super::bounded(text, bounds::ADDRESS_BYTES), host, path }, url))
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

/// Says whether a title is no more than the page's address, with a part that must not pass.
pub(super) fn is_address(title: &str, raw: &str) -> bool {
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
