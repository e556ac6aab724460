//! What a source saw, before anybody has judged it.
//!
//! Every source speaks in these types and in no other, so that the minimiser, the matcher and the
//! spool behind them never learn which source it was. A [`Batch`] carries observations together
//! with the [`Checkpoint`] from which the source would go on: the spool commits both in one
//! transaction, so a crash at any moment neither loses an observation nor captures it twice.

use std::net::IpAddr;

use jiff::Timestamp;
use tokio::sync::oneshot;

/// What one reading of a source yielded, and where that reading ended.
#[derive(Debug, Default)]
pub struct Batch {
    /// In the order in which the source wants them reported, oldest first.
    pub observations: Vec<Observation>,
    /// Places to go on from after a restart; committed with the observations.
    pub checkpoints: Vec<Checkpoint>,
    /// Told once all of it is durable; dropped untold if it never will be before a restart.
    pub done: Option<oneshot::Sender<()>>,
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
    /// What speaks for who it was, the strongest first; never a person, only evidence.
    pub evidence: Vec<Evidence>,
    /// What was seen.
    pub content: Content,
}

/// The kinds of source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Source {
    /// The history database that a browser keeps in a user's profile.
    BrowserHistory,
    /// The extension in a browser.
    BrowserExtension,
    /// The access log of a proxy or filter on this host.
    ProxyLog,
    /// The query log of a name server on this host.
    DnsLog,
    /// The programs that run.
    Programs,
    /// USB sticks and the like.
    RemovableMedia,
    /// What people were told of all this.
    Notice,
}

impl Source {
    /// The name by which health reports and checkpoints know it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::BrowserHistory => "browser_history",
            Self::BrowserExtension => "browser_extension",
            Self::ProxyLog => "proxy_log",
            Self::DnsLog => "dns_log",
            Self::Programs => "programs",
            Self::RemovableMedia => "removable_media",
            Self::Notice => "notice",
        }
    }
}

/// What was seen.
#[derive(Debug, Clone, PartialEq)]
pub enum Content {
    /// A page was visited.
    Visit(Visit),
    /// The title of a visit that was yielded before, without one: to be matched, not counted again.
    LateTitle(Visit),
    /// Text on a page: typed there, or shown.
    Text(PageText),
    /// A request that somebody else logged.
    Request(Request),
    /// A program runs.
    Program(Program),
    /// A removable medium came or went.
    Medium(Medium),
    /// The source could not keep what it saw.
    Missed(Missed),
    /// Somebody was shown what is collected here.
    NoticeShown(NoticeShown),
}

/// One visit to one address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Visit {
    /// The browser's family name, as on screen: `Chrome`, `Edge`, `Firefox`, …
    pub browser: String,
    /// The profile's folder name, `Default` for instance; empty where the source cannot know it.
    pub profile: String,
    /// The address as the browser stored it; at most 64 KiB, cut at a character's bound.
    pub url: String,
    /// The page's title where there is one; at most 4 KiB.
    pub title: Option<String>,
    /// What was searched for, by the browser's own record or else by the address; at most 4 KiB.
    pub search_terms: Option<String>,
    /// How the browser came there.
    pub transition: Transition,
    /// Whether it was in a private window.
    pub private_window: bool,
}

/// Text on a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageText {
    /// The browser's family name, as on screen.
    pub browser: String,
    /// The page's address; at most 64 KiB.
    pub url: String,
    /// The page's title where there is one; at most 4 KiB.
    pub title: Option<String>,
    /// What kind of text.
    pub kind: TextKind,
    /// Which field of which document it stands in, for as long as that is open: the same text of one
    /// field comes again as it grows, and is not to be told again.
    pub field: u64,
    /// The text; at most 32 KiB.
    pub text: String,
    /// Whether it was in a private window.
    pub private_window: bool,
}

/// The kinds of text on a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TextKind {
    /// Typed into a field.
    Typed,
    /// Typed to an AI chat.
    Prompt,
    /// What an AI chat answered.
    Answer,
    /// What the page shows.
    Page,
}

/// A request that a proxy or a name server logged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// What was asked for.
    pub target: Target,
    /// What became of it.
    pub action: Action,
    /// The filter's category, if the log has it; at most 1 KiB.
    pub category: Option<String>,
    /// The filter's reason, if the log has it; at most 4 KiB.
    pub reason: Option<String>,
    /// What was searched for, by the log or else by the address; at most 4 KiB.
    pub search_terms: Option<String>,
    /// The client's user agent; at most 4 KiB.
    pub user_agent: Option<String>,
    /// The HTTP status, if the log has it.
    pub status: Option<u16>,
}

/// What a request asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// A page; at most 64 KiB.
    Url(String),
    /// A host, of which no page is known: a tunnel, or a name looked up.
    Host(String),
}

/// What became of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// It passed.
    Allowed,
    /// The filter blocked it.
    Blocked,
}

/// A program that runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    /// The file's name, or what the system calls it; at most 1 KiB.
    pub name: String,
    /// Where the file lies; at most 4 KiB.
    pub path: Option<String>,
    /// Who made it, as the system tells; at most 1 KiB.
    pub publisher: Option<String>,
}

/// A removable medium that came or went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Medium {
    /// Which of the two.
    pub change: MediumChange,
    /// Its name; at most 1 KiB.
    pub name: String,
    /// Its size in bytes; 0 if it is not known.
    pub bytes: u64,
}

/// Whether a medium came or went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MediumChange {
    /// It was inserted.
    Inserted,
    /// It was removed.
    Removed,
}

/// Observations that were lost before the source could send them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Missed {
    /// How many; 0 if nobody can know.
    pub count: u64,
}

/// Somebody was shown what is collected here: the person of the evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoticeShown {
    /// The version that was shown.
    pub version: u32,
    /// Whom it was written for.
    pub audience: Audience,
}

/// Who a notice is written for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Audience {
    /// Young children: pictures and short words.
    YoungChildren,
    /// Pupils.
    Pupils,
    /// Staff.
    Staff,
    /// Families.
    Families,
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
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Evidence {
    /// The operating system's user whose profile, browser or program it was: his account name.
    OsUser(String),
    /// The user whom a proxy authenticated.
    ProxyUser {
        /// The account name.
        name: String,
        /// Who vouches for it, a directory's domain for instance; empty: this proxy alone.
        authority: String,
    },
    /// The device that had the client's address at the time.
    Lease {
        /// Its MAC address, `02:00:5e:00:53:01`.
        mac: String,
    },
    /// The address from which the request came.
    ClientAddress(IpAddr),
}
