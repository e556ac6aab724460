//! What a source saw, before anybody has judged it.
//!
//! Every source speaks in these types and in no other, so that the minimiser, the matcher and the
//! spool behind them never learn which source it was. A [`Batch`] carries observations together
//! with the [`Checkpoint`] from which the source would go on: the spool commits both in one
//! transaction, so a crash at any moment neither loses an observation nor captures it twice.

use jiff::Timestamp;

/// What one reading of a source yielded, and where that reading ended.
#[derive(Debug, Default)]
pub struct Batch {
    /// In the order in which the source wants them reported, oldest first.
    pub observations: Vec<Observation>,
    /// Places to go on from after a restart; committed with the observations.
    pub checkpoints: Vec<Checkpoint>,
}

/// The place in one input (a browser profile, a log file) up to which it has been read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// Names the input; stable across restarts; at most 1,024 bytes.
    pub input: String,
    /// The source's own encoding of the place; at most 64 KiB.
    pub place: Vec<u8>,
}

/// One thing seen on the device.
#[derive(Debug, Clone, PartialEq)]
pub struct Observation {
    /// Where it was seen.
    pub source: Source,
    /// When it happened by the source's own clock.
    pub occurred_at: Timestamp,
    /// What speaks for who it was; never a person, only evidence.
    pub evidence: Vec<Evidence>,
    /// What was seen.
    pub content: Content,
}

/// The kinds of source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Source {
    /// The history database that a browser keeps in a user's profile.
    BrowserHistory,
}

/// What was seen.
#[derive(Debug, Clone, PartialEq)]
pub enum Content {
    /// A page was visited.
    Visit(Visit),
    /// The title of a visit that was yielded before, without one: to be matched, not counted again.
    LateTitle(Visit),
}

/// One visit to one address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Visit {
    /// The browser's family name, as on screen: `Chrome`, `Edge`, `Firefox`, …
    pub browser: String,
    /// The profile's folder name, `Default` for instance.
    pub profile: String,
    /// The address as the browser stored it; at most 64 KiB, cut at a character's bound.
    pub url: String,
    /// The page's title where there is one; at most 4 KiB.
    pub title: Option<String>,
    /// What was searched for, by the browser's own record or else by the address; at most 4 KiB.
    pub search_terms: Option<String>,
    /// How the browser came there.
    pub transition: Transition,
}

/// How a browser came to a page: Chromium's core page transitions, which the others map onto.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Transition {
    /// A link was followed.
    Link,
    /// The address was typed or chosen from suggestions.
    Typed,
    /// A bookmark or similar was opened.
    Bookmark,
    /// Content of a frame, loaded with its page.
    Subframe,
    /// A form was submitted.
    FormSubmit,
    /// The page was loaded again.
    Reload,
    /// A redirect led here.
    Redirect,
    /// A file was downloaded.
    Download,
    /// A search from the address bar.
    Search,
    /// The browser started here, or the database does not say.
    Other,
}

/// One piece of evidence of who used the device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Evidence {
    /// The operating system's user who owns the profile: his account name.
    OsUser(String),
}
