//! What the extension and the agent say to each other: JSON objects with a `type`, one in each frame.
//!
//! ```text
//! extension ► agent   hello, items
//! `notice --shown` ► agent   notice_shown
//! agent ► extension   welcome, private, stored, refused, noted;  away and back are the native host's
//! ```
//! # What always holds
//! - Whoever holds the socket may say anything: every list and every string is bounded here, and what is
//!   too long is cut on a character's bound, not refused, for a page's title is nobody's attack.
//! - Fields that are not known are passed over; a message of an unknown type, or an item of an unknown
//!   kind, is told apart from a malformed one. So a newer extension can say more to an older agent.
//! - Items are read one by one ([`Items::each`]): a malformed one takes none of its neighbours with it.
//! - Nothing here says in its errors what a message held.

use std::borrow::Cow;

use jiff::Timestamp;
use serde::de::{Error as _, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

use super::frame::{Frame, FrameError, TO_BROWSER};
use crate::notice::confirm;
use crate::observation::{NoticeShown, TextKind, Transition};

/// The version of these messages.
pub const PROTOCOL: u64 = 1;
/// Items in one message.
pub const MOST_ITEMS: usize = 64;
/// Entries of the private list in one message.
pub const MOST_PRIVATE: usize = 1_000;
/// Bytes of an address, as [`Visit::url`](crate::observation::Visit) bounds it.
const URL_BYTES: usize = 64 * 1024;
/// Bytes of a title, likewise.
const TITLE_BYTES: usize = 4 * 1024;
/// Bytes of text, as [`PageText::text`](crate::observation::PageText) bounds it.
const TEXT_BYTES: usize = 32 * 1024;
/// Bytes of a browser's name or a version.
const NAME_BYTES: usize = 64;
/// The largest integer that JavaScript counts to without a gap.
const MOST_COUNT: u64 = (1 << 53) - 1;

/// A message is not what the protocol says; nothing of it is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the message is malformed")]
pub struct Malformed;

/// A message of the extension's.
#[derive(Debug)]
pub enum FromExtension<'a> {
    /// The first of every connection.
    Hello(Hello),
    /// What was seen.
    Items(Items<'a>),
    /// The notice was shown at sign-in: of the `notice` command, which says nothing else.
    NoticeShown(NoticeShown),
    /// A type that is not known here.
    Unknown,
}

/// How a connection begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hello {
    /// The version of the messages that it speaks.
    pub protocol: u64,
    /// Names the extension's session, from the browser's start to its end, and all its items' numbers.
    pub session: Session,
    /// The browser's name, as it gives it; at most 64 bytes.
    pub browser: String,
    /// Whether the extension may run in private windows.
    pub private_windows: bool,
}

/// A session's name: 64 random bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Session(pub u64);

/// A list of items, not yet read.
#[derive(Debug)]
pub struct Items<'a>(Vec<&'a RawValue>);

/// One thing that the extension saw.
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    /// Its number in its session, rising from 1.
    pub n: u64,
    /// When, by the browser's clock.
    pub at: Timestamp,
    /// Whether it was in a private window.
    pub private: bool,
    /// What.
    pub body: Body,
}

/// What an item says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    /// A page was visited.
    Visit {
        /// Where; at most 64 KiB.
        url: String,
        /// What it was called by then; at most 4 KiB.
        title: Option<String>,
        /// How the browser came there.
        transition: Transition,
    },
    /// The page's title came later, or changed.
    Title {
        /// Where.
        url: String,
        /// The title.
        title: String,
    },
    /// Text on a page.
    Text {
        /// Where.
        url: String,
        /// What the page is called.
        title: Option<String>,
        /// What kind of text.
        what: TextKind,
        /// Which field of which document.
        field: u64,
        /// The text; at most 32 KiB.
        text: String,
    },
    /// So many items were given up.
    Lost {
        /// How many.
        count: u64,
    },
    /// The extension's own notice was on the screen.
    Notice {
        /// Its version.
        version: u32,
    },
}

/// Why an item is none; its number, if that much could be read, so that it is not sent for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BadItem {
    /// Its number.
    pub n: Option<u64>,
}

impl<'a> FromExtension<'a> {
    /// Reads a frame's payload.
    ///
    /// # Errors
    /// [`Malformed`].
    pub fn read(payload: &'a [u8]) -> Result<Self, Malformed> {
        let text = std::str::from_utf8(payload).map_err(|_| Malformed)?;
        let kind: Kind<'_> = serde_json::from_str(text).map_err(|_| Malformed)?;
        match &*kind.kind {
            "hello" => {
                let raw: RawHello<'_> = serde_json::from_str(text).map_err(|_| Malformed)?;
                raw.checked().map(Self::Hello).ok_or(Malformed)
            }
            "items" => {
                let raw: RawItems<'_> = serde_json::from_str(text).map_err(|_| Malformed)?;
                Ok(Self::Items(Items(raw.items)))
            }
            "notice_shown" => confirm::parse(payload).map(Self::NoticeShown).ok_or(Malformed),
            _ => Ok(Self::Unknown),
        }
    }
}

impl Session {
    /// Reads 16 hex digits.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        digits.then(|| u64::from_str_radix(text, 16).ok().map(Self)).flatten()
    }
}

impl Items<'_> {
    /// How many there are; at most [`MOST_ITEMS`].
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Reads each, in order.
    pub fn each(&self) -> impl Iterator<Item = Result<Item, BadItem>> {
        self.0.iter().map(|raw| item(raw.get()))
    }
}

/// A message of the agent's, or of the host's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ToExtension {
    /// What holds here; after each hello, and whenever it changes.
    Welcome(Welcome),
    /// A portion of the private list.
    Private {
        /// At most [`MOST_PRIVATE`].
        entries: Vec<PrivateEntry>,
    },
    /// Everything up to this number is durable, or was judged to be nothing.
    Stored {
        /// The number.
        n: u64,
    },
    /// That the notice was shown is durable.
    Noted,
    /// The agent cannot speak with this extension, and will not listen to it until it says hello anew.
    Refused {
        /// The version of the messages that the agent speaks.
        protocol: u64,
        /// Why, in words for a technician.
        reason: &'static str,
    },
    /// From the native host: the agent does not answer.
    Away,
    /// From the native host: it does again.
    Back,
}

/// What holds on this device for this account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Welcome {
    /// The version of the messages.
    pub protocol: u64,
    /// The school's name.
    pub school: String,
    /// Who sees what is reported.
    pub watched_by: String,
    /// Where help is.
    pub help: String,
    /// The version of the notice.
    pub notice_version: u32,
    /// Whether typed text is collected.
    pub typed: bool,
    /// Whether pages' visible text is.
    pub page_text: bool,
    /// Whether AI chats' answers are.
    pub answers: bool,
    /// Whether anything is, at this hour.
    pub active: bool,
    /// How many entries of the private list follow.
    pub private: usize,
}

/// An entry of the private list, in its one spelling: the host as a parsed URL has it, without `www.`, and
/// the path's segments percent-decoded and in lower case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PrivateEntry {
    /// The host: itself and all below it.
    pub host: String,
    /// The path: itself and all under it, by whole segments; empty is all of the host.
    pub path: String,
}

impl ToExtension {
    /// Frames the message.
    ///
    /// # Errors
    /// [`FrameError::TooLong`] past [`TO_BROWSER`].
    pub fn frame(&self) -> Result<Frame, FrameError> {
        let json = serde_json::to_vec(self).map_err(|error| FrameError::Io(error.into()))?;
        Frame::new(&json, TO_BROWSER)
    }
}

#[derive(Deserialize)]
struct Kind<'a> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
}

#[derive(Deserialize)]
struct RawHello<'a> {
    protocol: u64,
    #[serde(borrow)]
    session: Cow<'a, str>,
    #[serde(borrow, default)]
    browser: Cow<'a, str>,
    #[serde(default)]
    private_windows: bool,
}

impl RawHello<'_> {
    fn checked(self) -> Option<Hello> {
        Some(Hello {
            protocol: self.protocol,
            session: Session::parse(&self.session)?,
            browser: cut(&self.browser, NAME_BYTES),
            private_windows: self.private_windows,
        })
    }
}

#[derive(Deserialize)]
struct RawItems<'a> {
    #[serde(borrow, deserialize_with = "at_most_64")]
    items: Vec<&'a RawValue>,
}

/// Reads a list of raw values, and stops at one too many.
fn at_most_64<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<&'de RawValue>, D::Error> {
    struct List;

    impl<'de> Visitor<'de> for List {
        type Value = Vec<&'de RawValue>;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            write!(f, "at most {MOST_ITEMS} items")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
            let mut items = Vec::new();
            while let Some(item) = seq.next_element()? {
                if items.len() == MOST_ITEMS {
                    return Err(A::Error::invalid_length(MOST_ITEMS + 1, &self));
                }
                items.push(item);
            }
            Ok(items)
        }
    }

    from.deserialize_seq(List)
}

#[derive(Deserialize)]
struct RawItem<'a> {
    n: u64,
    at: f64,
    #[serde(default)]
    private: bool,
    #[serde(borrow)]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    url: Option<Cow<'a, str>>,
    #[serde(borrow)]
    title: Option<Cow<'a, str>>,
    #[serde(borrow)]
    transition: Option<Cow<'a, str>>,
    #[serde(borrow)]
    what: Option<Cow<'a, str>>,
    field: Option<u64>,
    #[serde(borrow)]
    text: Option<Cow<'a, str>>,
    count: Option<u64>,
    version: Option<u32>,
}

#[derive(Deserialize)]
struct Number {
    n: u64,
}

fn item(json: &str) -> Result<Item, BadItem> {
    let in_order = |n: u64| (1..=MOST_COUNT).contains(&n).then_some(n);
    let bad = || {
        let number = serde_json::from_str(json).ok();
        BadItem { n: number.and_then(|number: Number| in_order(number.n)) }
    };
    let raw: RawItem<'_> = serde_json::from_str(json).map_err(|_| bad())?;
    let item = || {
        Some(Item {
            n: in_order(raw.n)?,
            at: milliseconds(raw.at)?,
            private: raw.private,
            body: body(&raw)?,
        })
    };
    item().ok_or_else(bad)
}

fn body(raw: &RawItem<'_>) -> Option<Body> {
    let url = || raw.url.as_deref().map(|url| cut(url, URL_BYTES));
    let title = raw.title.as_deref().map(|title| cut(title, TITLE_BYTES));
    match &*raw.kind {
        "visit" => Some(Body::Visit {
            url: url()?,
            title,
            transition: transition(raw.transition.as_deref().unwrap_or_default()),
        }),
        "title" => Some(Body::Title { url: url()?, title: title? }),
        "text" => Some(Body::Text {
            url: url()?,
            title,
            what: match raw.what.as_deref()? {
                "typed" => TextKind::Typed,
                "prompt" => TextKind::Prompt,
                "answer" => TextKind::Answer,
                "page" => TextKind::Page,
                _ => return None,
            },
            field: raw.field?,
            text: cut(raw.text.as_deref()?, TEXT_BYTES),
        }),
        "lost" => Some(Body::Lost { count: raw.count?.min(MOST_COUNT) }),
        "notice" => Some(Body::Notice { version: raw.version? }),
        _ => None,
    }
}

fn transition(name: &str) -> Transition {
    match name {
        "link" => Transition::Link,
        "typed" => Transition::Typed,
        "bookmark" => Transition::Bookmark,
        "form_submit" => Transition::FormSubmit,
        "reload" => Transition::Reload,
        "redirect" => Transition::Redirect,
        "search" => Transition::Search,
        _ => Transition::Other,
    }
}

/// A time in milliseconds since 1970, of the past or the future, within what a timestamp can hold.
#[expect(
    clippy::cast_possible_truncation,
    reason = "the range is checked, and a part of a microsecond is nothing"
)]
fn milliseconds(at: f64) -> Option<Timestamp> {
    // The year 9999, past which no clock of ours reads.
    let plausible = (0.0..253_402_300_800_000.0).contains(&at);
    plausible.then(|| Timestamp::from_microsecond((at * 1_000.0) as i64).ok()).flatten()
}

fn cut(text: &str, bytes: usize) -> String {
    text[..text.floor_char_boundary(bytes)].to_owned()
}

#[cfg(test)]
mod tests;
