//! What a line of a proxy's or name server's log says, format by format. Pure: bytes in, an entry out.
//!
//! ```text
//!  line ──► Format::read ──► Understood ──► Lookups ──► Entry
//!  bytes    one line, no      a request, a    what of a     one for each
//!           state             step of a       query is      request or
//!                             lookup, or      still to      lookup
//!                             nothing         come
//! ```
//!
//! [`Reader`] is the two together, and all that a caller needs. A format is a module that makes a
//! [`LineFormat`], and a row in [`ROWS`]; nothing else knows of it.
//!
//! | name | what writes it |
//! |---|---|
//! | `squid` | Squid, `access_log … squid`, its native format |
//! | `squid-common`, `squid-combined` | Squid, as it writes these two itself, with its own gaps in quoting |
//! | `squid:LOGFORMAT` | Squid, any `logformat`, as written in squid.conf after the name |
//! | `e2guardian:1` … `e2guardian:8` | e2guardian, the number of `logfileformat` |
//! | `dnsmasq` | dnsmasq with `log-queries` or `log-queries=extra`, in a file or by syslog |
//! | `unbound` | unbound with `log-queries`, and what `log-replies`, `log-local-actions`, `rpz-log` add |
//!
//! # What always holds
//! - **Every line is accounted for**: it is an entry, it is known to be no request (a start-up message, a
//!   reply, an error before any request), or it is [`Unreadable`] with the shape of its fields.
//! - **A shape holds no content**, so it may be logged and shown to a technician ([`shape`]).
//! - **No line panics**, and none costs more than a bounded number of steps. A line over [`MOST_LINE`] is
//!   unreadable. Bytes that are not UTF-8 are replaced in the field in which they stand, and only there.
//! - **Nothing is invented**: what the log does not say is `None`. A date without a year is the last such
//!   date that is not after [`Clues::now`]; a time without a zone is in [`Clues::zone`], and of the hour
//!   that a clock change repeats, the first.
//! - **A request that was only asked for a login** (407) is an entry with [`Entry::login_asked`]: the
//!   client sends it again with a name, or gives up. `capture log` shows it; it is nobody's request.
//!
//! # Lookups of names
//! Each query of a client is one entry: A, AAAA and HTTPS of one name are three, since the log says so;
//! whoever counts may fold them. Whether a query was blocked stands in a later line, see [`lookups`].

mod dnsmasq;
mod e2guardian;
mod entry;
pub mod lookups;
mod shape;
mod squid;
mod text;
mod time;
mod unbound;

use std::fmt::Debug;

pub use self::entry::{Client, Entry, Target};
use self::lookups::{Lookups, Step};
pub use self::shape::shape;
pub use self::time::Clues;
use crate::observation::Source;

/// Bytes of a line that is still read. Squid cuts a URL at 8 KiB and a header at 64 KiB.
pub const MOST_LINE: usize = 64 * 1024;

/// A log format, ready to read lines.
#[derive(Debug)]
pub struct Format {
    source: Source,
    lines: Box<dyn LineFormat>,
}

/// One way of writing a line.
pub(crate) trait LineFormat: Debug + Send + Sync {
    /// What `line` says; it has no line end and at most [`MOST_LINE`] bytes. `None` if it is not of this
    /// format.
    fn read<'a>(&self, line: &'a [u8], clues: &Clues) -> Option<Understood<'a>>;
}

/// A way of writing a line, made of what stands after a name's colon.
type Made = Result<Box<dyn LineFormat>, FormatError>;

/// What one line says by itself.
#[derive(Debug, Clone, PartialEq)]
pub enum Understood<'a> {
    /// A request, complete.
    Request(Entry<'a>),
    /// A step of a name server in answering a client.
    Lookup(Step<'a>),
    /// A line that is no request.
    Nothing,
}

/// A line that is not of the format.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{shape}")]
pub struct Unreadable {
    /// Its fields without their content, at most 200 bytes: `date time word ip url, 5 by space`.
    pub shape: String,
}

/// Why a format's name is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FormatError {
    /// The name before the colon is not known.
    #[error("there is no log format `{0}`; name one of {known}", known = known())]
    Unknown(String),
    /// Something stands after the colon of a format that takes nothing.
    #[error("`{0}` takes nothing after it; write just `{0}`")]
    NoArgument(&'static str),
    /// e2guardian has eight formats.
    #[error(
        "{0}; write e2guardian:1 to e2guardian:8, the number of `logfileformat` in e2guardian.conf"
    )]
    E2guardian(String),
    /// Squid would not understand the `logformat` either, or it cannot be read back.
    #[error("logformat, character {at}: {problem}")]
    Logformat {
        /// Where, counted from 1.
        at: usize,
        /// What is wrong, and what to do.
        problem: String,
    },
    /// The `logformat` leaves out what an entry needs.
    #[error("the logformat has no {0}")]
    Incomplete(&'static str),
}

/// One format that can be named.
struct Row {
    name: &'static str,
    /// How it is written on the command line and in settings.
    written: &'static str,
    source: Source,
    /// Makes it of what stands after the colon.
    make: fn(Option<&str>) -> Made,
}

const ROWS: &[Row] = &[
    Row {
        name: "squid",
        written: "squid, squid:LOGFORMAT",
        source: Source::ProxyLog,
        make: squid::make,
    },
    Row {
        name: "squid-common",
        written: "squid-common",
        source: Source::ProxyLog,
        make: squid::make_common,
    },
    Row {
        name: "squid-combined",
        written: "squid-combined",
        source: Source::ProxyLog,
        make: squid::make_combined,
    },
    Row {
        name: "e2guardian",
        written: "e2guardian:1 to e2guardian:8",
        source: Source::ProxyLog,
        make: e2guardian::make,
    },
    Row { name: "dnsmasq", written: "dnsmasq", source: Source::DnsLog, make: dnsmasq::make },
    Row { name: "unbound", written: "unbound", source: Source::DnsLog, make: unbound::make },
];

fn known() -> String {
    ROWS.iter().map(|row| row.written).collect::<Vec<_>>().join(", ")
}

impl Format {
    /// The format that `name` names: see the table above.
    ///
    /// # Errors
    /// Says what is wrong, where, and what may stand there.
    pub fn parse_name(name: &str) -> Result<Self, FormatError> {
        let (name, argument) = match name.split_once(':') {
            Some((name, argument)) => (name, Some(argument)),
            None => (name, None),
        };
        let row = ROWS.iter().find(|row| row.name == name.trim());
        let row = row.ok_or_else(|| FormatError::Unknown(cut(name, 64).to_owned()))?;
        Ok(Self { source: row.source, lines: (row.make)(argument)? })
    }

    /// What kind of log it is.
    #[must_use]
    pub fn source(&self) -> Source {
        self.source
    }

    /// What `line` says by itself; a line end at its end does no harm.
    ///
    /// # Errors
    /// [`Unreadable`] if it is not of this format, or over [`MOST_LINE`].
    pub fn read<'a>(&self, line: &'a [u8], clues: &Clues) -> Result<Understood<'a>, Unreadable> {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.len() > MOST_LINE {
            return Err(Unreadable { shape: format!("more than {MOST_LINE} bytes") });
        }
        if line.iter().all(u8::is_ascii_whitespace) {
            return Ok(Understood::Nothing);
        }
        self.lines.read(line, clues).ok_or_else(|| Unreadable { shape: shape(line) })
    }
}

/// Reads the lines of one log in their order.
#[derive(Debug)]
pub struct Reader<'f> {
    format: &'f Format,
    lookups: Lookups,
}

/// What a line was, once it was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Was {
    /// A request, or a query; its entry may be handed out later, or was.
    Request,
    /// No request.
    Nothing,
}

impl<'f> Reader<'f> {
    /// A reader at the start of a log, or at the place where another one stopped.
    #[must_use]
    pub fn new(format: &'f Format) -> Self {
        Self { format, lookups: Lookups::default() }
    }

    /// Reads the next line. `out` gets the entries that are complete by it, in the order of their lines:
    /// none, one, or a few.
    ///
    /// # Errors
    /// As [`Format::read`]; the reader goes on with the next line.
    pub fn read(
        &mut self,
        line: &[u8],
        clues: &Clues,
        out: &mut impl FnMut(Entry<'_>),
    ) -> Result<Was, Unreadable> {
        match self.format.read(line, clues)? {
            Understood::Request(entry) => {
                out(entry);
                Ok(Was::Request)
            }
            Understood::Lookup(step) => Ok(self.lookups.next(step, out)),
            Understood::Nothing => Ok(Was::Nothing),
        }
    }

    /// Whether an entry is held back for what the next line may say of it: a name server writes both at
    /// once, so after a moment without a line [`flush`](Self::flush) loses nothing.
    #[must_use]
    pub fn holds_back(&self) -> bool {
        self.lookups.holds_back()
    }

    /// Hands out what was held back: at the end of a file, or when the log is quiet.
    pub fn flush(&mut self, out: &mut impl FnMut(Entry<'_>)) {
        self.lookups.flush(out);
    }
}

/// At most `most` bytes of `text`, cut at a character's bound.
fn cut(text: &str, most: usize) -> &str {
    &text[..text.floor_char_boundary(most)]
}

#[cfg(test)]
mod tests;
