//! DansGuardian's fields: formats 1, 2 and 4.
//!
//! ```text
//! DATE TIME [SECONDS] USER CLIENT URL WHAT METHOD SIZE WEIGHT CATEGORY GROUP STATUS TYPE HOST GROUPNAME
//!   USERAGENT PARAMETERS ID1 ID2 POSTDATA
//! ```
//! SECONDS, since 1970, are there with `logtimestamp`. With spaces (1), user, what, category, group name and
//! user agent have spaces of their own. The line is taken apart at what cannot be mistaken: the client's
//! address with a URL behind it; then the first method, size and weight in a row; then the first group and
//! status. Group name and user agent part at the first word with a slash, a product's version. In CSV (2) quotes
//! within a field are not doubled: an address with `","` in it, which no browser sends, is cut there.

use jiff::Timestamp;

use super::super::text::{number, split_at_byte};
use super::super::time::{Clues, dotted, unix_point};
use super::super::{LineFormat, Understood};
use super::{Fields, address, find, is_method};

/// Fields before WHAT, and after it.
const BEFORE: usize = 4;
/// METHOD to POSTDATA.
const AFTER: usize = 14;

/// Formats 1, 2 and 4.
#[derive(Debug)]
pub(super) struct Listed(pub(super) Separator);

/// What stands between two fields.
#[derive(Debug, Clone, Copy)]
pub(super) enum Separator {
    Space,
    /// Quotes around, and a comma between.
    Quoted,
    Tab,
}

impl LineFormat for Listed {
    fn read<'a>(&self, line: &'a [u8], clues: &Clues) -> Option<Understood<'a>> {
        let (at, fields) = match self.0 {
            Separator::Space => spaced(line, clues)?,
            Separator::Quoted => {
                let line = line.strip_prefix(b"\"")?.strip_suffix(b"\"")?;
                separated(line, b"\",\"", clues)?
            }
            Separator::Tab => separated(line, b"\t", clues)?,
        };
        Some(fields.understand(at))
    }
}

/// Fields with a separator of their own; what has it in it is WHAT or the user agent.
fn separated<'a>(
    line: &'a [u8],
    separator: &[u8],
    clues: &Clues,
) -> Option<(Timestamp, Fields<'a>)> {
    let parts = Parts::of(line, separator);
    let when = parts.at(0)?;
    // METHOD to POSTDATA must fit behind it; WHAT ends before it.
    let method =
        (BEFORE + 1..=parts.count().checked_sub(AFTER)?).find(|at| parts.is_method(*at))?;
    let status = parts.at(method + 5)?;
    number::<u16>(status)?;
    let fields = Fields {
        user: parts.at(1)?,
        client: parts.at(2)?,
        url: parts.at(3)?,
        method: parts.at(method)?,
        status,
        what: parts.span(BEFORE, method),
        category: parts.at(method + 3)?,
        user_agent: parts.span(method + 9, parts.count() - 4),
        searched: b"",
    };
    let at = match when.get(20..) {
        Some(seconds) => unix_point(seconds)?,
        None => dotted(when, clues)?,
    };
    Some((at, fields))
}

/// Format 1.
fn spaced<'a>(line: &'a [u8], clues: &Clues) -> Option<(Timestamp, Fields<'a>)> {
    let (when, rest) = line.split_at_checked(19)?;
    let mut at = dotted(when, clues)?;
    let mut rest = rest.strip_prefix(b" ")?;
    if let Some((seconds, after)) = split_at_byte(rest, b' ')
        && seconds.contains(&b'.')
        && let Some(precise) = unix_point(seconds)
    {
        (at, rest) = (precise, after);
    }
    let words = Parts::of(rest, b" ");
    let before_url = |at: &usize| words.at(at + 1).is_some_and(|word| find(word, b"://").is_some());
    let is_address = |at: &usize| words.at(*at).and_then(address).is_some();
    let clients = || (0..words.count()).filter(before_url);
    let client = clients().find(is_address).or_else(|| clients().next())?;
    let method = (client + 2..words.count()).find(|at| words.is_method(*at))?;
    let is_status = |at: &usize| {
        let (group, status) = (words.at(*at), words.at(at + 1));
        group.and_then(number::<u32>).is_some()
            && status.is_some_and(|status| status.len() == 3 && number::<u16>(status).is_some())
    };
    let group = (method + 3..words.count()).find(is_status)?;
    // GROUP STATUS TYPE HOST, then GROUPNAME USERAGENT, then the last four.
    let (name, end) = (group + 4, words.count().checked_sub(4)?);
    let product = |at: &usize| words.at(*at).is_some_and(|word| word.contains(&b'/'));
    let agent = (name + 1..end).find(product).unwrap_or(name + 1);
    let fields = Fields {
        user: words.span(0, client),
        client: words.at(client)?,
        url: words.at(client + 1)?,
        method: words.at(method)?,
        status: words.at(group + 1)?,
        what: words.span(client + 2, method),
        category: words.span(method + 3, group),
        user_agent: words.span(agent, end),
        searched: b"",
    };
    Some((at, fields))
}

/// A line and where its parts stand.
struct Parts<'a> {
    line: &'a [u8],
    spans: Vec<(usize, usize)>,
}

impl<'a> Parts<'a> {
    fn of(line: &'a [u8], separator: &[u8]) -> Self {
        let mut spans = Vec::with_capacity(32);
        let mut start = 0;
        while let Some(at) = find(&line[start..], separator) {
            spans.push((start, start + at));
            start += at + separator.len();
        }
        spans.push((start, line.len()));
        Self { line, spans }
    }

    fn count(&self) -> usize {
        self.spans.len()
    }

    fn at(&self, at: usize) -> Option<&'a [u8]> {
        let (start, end) = *self.spans.get(at)?;
        self.line.get(start..end)
    }

    /// The parts from `first` up to `end`, without it, and what is between them; nothing if there are none.
    fn span(&self, first: usize, end: usize) -> &'a [u8] {
        let (Some(first), Some(last)) = (
            self.spans.get(first),
            end.checked_sub(1).filter(|last| *last >= first).and_then(|last| self.spans.get(last)),
        ) else {
            return b"";
        };
        self.line.get(first.0..last.1).unwrap_or_default()
    }

    /// Whether METHOD SIZE WEIGHT begin here.
    fn is_method(&self, at: usize) -> bool {
        // A weight may be negative.
        let weight = |field: &'a [u8]| field.strip_prefix(b"-").unwrap_or(field);
        self.at(at).is_some_and(is_method)
            && self.at(at + 1).and_then(number::<u64>).is_some()
            && self.at(at + 2).map(weight).and_then(number::<u64>).is_some()
    }
}
