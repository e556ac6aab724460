//! A `logformat` of squid.conf, turned into a pattern that reads back what it writes.
//!
//! ```text
//! %[modifiers][-][0][width][.most][{argument}]CODE[{argument}]
//! ```
//! Literal text stands between codes. A `"` or `[` in it turns on that quoting for the codes after it, up to
//! the next `"` or `]`, as in Squid's src/format/Token.cc, which this follows. A code that is not known
//! takes what stands up to the literal text behind it.
//!
//! # What falls short
//! A format whose separator is neither a space nor quoted (`%ru|%un`) writes lines that mean two things if an
//! address has the separator in it; the shortest address that fits is taken.
//!
//! # What is refused
//! What Squid itself would not take; two codes with nothing between them whose bound cannot be seen; a
//! format without a time, or without any of `%ru`, `%>ru`, `%<ru`, `%>rd`; a `strftime` argument whose
//! output does not give back its time.

use std::borrow::Cow;

use jiff::Timestamp;

use super::super::entry::Client;
use super::super::time::{Clues, unix, unix_point};
use super::super::{FormatError, LineFormat, Understood};
use super::Fields;
use super::codes::{SLOTS, Slot, Text, code};
use super::date::Date;
use super::pattern::{Field, Padding, Pattern, Piece, Spans};
use super::quoting::{Quoting, unescape};

/// Pieces of a format: far more than any has, and a bound on how deep a match nests.
const MOST_PIECES: usize = 256;
/// Bytes of an argument.
const MOST_ARGUMENT: usize = 256;
/// The marks that choose a quoting for one code.
const MODIFIERS: &[(&str, Quoting)] = &[
    ("\"", Quoting::Quotes),
    ("'", Quoting::Raw),
    ("[", Quoting::Mime),
    ("#", Quoting::Url),
    ("/", Quoting::Shell),
];

/// A `logformat`, ready to read lines.
#[derive(Debug)]
pub(in super::super) struct Logformat {
    pattern: Pattern,
    quoting: [Quoting; SLOTS],
}

impl Logformat {
    /// The format that `definition`, what stands after the name in squid.conf, defines.
    pub(in super::super) fn parse(definition: &str) -> Result<Self, FormatError> {
        let mut parser = Parser {
            definition,
            at: 0,
            pieces: Vec::new(),
            between: Quoting::Plain,
            quoting: [Quoting::Plain; SLOTS],
        };
        while parser.at < definition.len() {
            parser.piece()?;
        }
        if ![Slot::Seconds, Slot::Start, Slot::Local].into_iter().any(|slot| parser.has(slot)) {
            return Err(FormatError::Incomplete("time; add %ts.%03tu to it"));
        }
        let addresses = [Slot::Url, Slot::ClientUrl, Slot::ServerUrl, Slot::Domain];
        if !addresses.into_iter().any(|slot| parser.has(slot)) {
            return Err(FormatError::Incomplete("address; add %ru to it"));
        }
        Ok(Self { pattern: Pattern::new(parser.pieces), quoting: parser.quoting })
    }

    /// The same, with the headers that `log_mime_hdrs` adds in brackets.
    pub(in super::super) fn with_headers_after(mut self) -> Self {
        self.pattern.headers_after = true;
        self
    }

    /// The time of a line.
    fn time(&self, spans: &Spans<'_>, clues: &Clues) -> Option<Timestamp> {
        if let Some(seconds) = spans.get(Slot::Seconds) {
            return unix(seconds, spans.get(Slot::Fraction).unwrap_or_default());
        }
        if let Some(start) = spans.get(Slot::Start) {
            return unix_point(start);
        }
        let whole = self.pattern.date()?.time(spans.get(Slot::Local)?, clues)?;
        let Some(fraction) = spans.get(Slot::Fraction) else { return Some(whole) };
        let fraction = unix(b"0", fraction)?;
        whole.checked_add(fraction.duration_since(Timestamp::UNIX_EPOCH)).ok()
    }

    /// The address, whole or put together of its parts.
    fn url<'a>(&self, spans: &Spans<'a>) -> Option<Cow<'a, [u8]>> {
        let told = |slot: Slot| self.told(spans, slot);
        let address = |slot: Slot| match self.quoting[slot as usize] {
            // What is quoted in an address that is written plainly is the address's own.
            Quoting::Plain => unescape(spans.get(slot)?, Quoting::Raw),
            _ => told(slot),
        };
        let whole = [Slot::ClientUrl, Slot::Url, Slot::ServerUrl].into_iter().find_map(address);
        if whole.is_some() {
            return whole;
        }
        let domain = address(Slot::Domain)?;
        let port = told(Slot::Port);
        let mut url = match told(Slot::Scheme) {
            Some(scheme) => [&scheme[..], b"://"].concat(),
            None if spans.get(Slot::Path).is_some() && port.as_deref() != Some(b"443") => {
                b"http://".to_vec()
            }
            None => Vec::new(),
        };
        let tunnel = url.is_empty();
        url.extend_from_slice(&domain);
        if let Some(port) = port {
            url.push(b':');
            url.extend_from_slice(&port);
        }
        if !tunnel {
            url.extend_from_slice(&address(Slot::Path).unwrap_or_default());
        }
        Some(Cow::Owned(url))
    }

    fn told<'a>(&self, spans: &Spans<'a>, slot: Slot) -> Option<Cow<'a, [u8]>> {
        unescape(spans.get(slot)?, self.quoting[slot as usize])
    }
}

impl LineFormat for Logformat {
    fn read<'a>(&self, line: &'a [u8], clues: &Clues) -> Option<Understood<'a>> {
        let spans = self.pattern.read(line)?;
        let told = |slot: Slot| self.told(&spans, slot);
        let by_address = spans.get(Slot::Client).and_then(Client::of);
        let fields = Fields {
            client: by_address.or_else(|| spans.get(Slot::ClientName).and_then(Client::of)),
            user: [Slot::User, Slot::Login, Slot::External, Slot::Ident].into_iter().find_map(told),
            method: told(Slot::Method),
            url: self.url(&spans),
            sni: told(Slot::Sni),
            status: spans.get(Slot::Status).unwrap_or_default(),
            result: spans.get(Slot::Result).unwrap_or_default(),
            category: told(Slot::Tag),
            reason: told(Slot::Log),
            error: told(Slot::Error),
            user_agent: told(Slot::UserAgent),
        };
        let at = self.time(&spans, clues)?;
        Some(fields.understand(at))
    }
}

/// Reads a definition from left to right.
struct Parser<'d> {
    definition: &'d str,
    /// Bytes that are read.
    at: usize,
    pieces: Vec<Piece>,
    /// The quoting that literal text has turned on.
    between: Quoting,
    /// The quoting of each slot's field.
    quoting: [Quoting; SLOTS],
}

impl<'d> Parser<'d> {
    /// Reads a piece of literal text, or a code.
    fn piece(&mut self) -> Result<(), FormatError> {
        if self.pieces.len() >= MOST_PIECES {
            return Err(self.wrong(self.at, format!("it has more than {MOST_PIECES} parts")));
        }
        let rest = self.rest();
        let literal = &rest[..rest.find('%').unwrap_or(rest.len())];
        if literal.is_empty() {
            return self.field();
        }
        for mark in literal.bytes() {
            self.between = match (mark, self.between) {
                (b'"', Quoting::Plain) => Quoting::Quotes,
                (b'[', Quoting::Plain) => Quoting::Mime,
                (b'"', Quoting::Quotes) | (b']', Quoting::Mime) => Quoting::Plain,
                (_, as_before) => as_before,
            };
        }
        self.at += literal.len();
        self.literal(literal.as_bytes());
        Ok(())
    }

    /// Reads a code with all that belongs to it.
    fn field(&mut self) -> Result<(), FormatError> {
        let start = self.at;
        self.at += 1;
        if self.eat("%") {
            self.literal(b"%");
            return Ok(());
        }
        let asked = MODIFIERS.iter().find(|(mark, _)| self.eat(mark));
        let quoting = asked.map_or(self.between, |(_, quoting)| *quoting);
        let left = self.eat("-");
        self.eat("0");
        let width = self.digits();
        if self.eat(".") {
            self.digits();
        }
        let before = self.argument()?;
        let (text, slot, length) = code(self.rest());
        if length == 0 {
            let problem = "a code must follow `%`, such as `%ru`; write `%%` for a percent sign";
            return Err(self.wrong(start, problem.to_owned()));
        }
        let name = &self.rest()[..length];
        self.at += length;
        let argument = match before {
            Some(argument) => Some(argument),
            None => self.argument()?,
        };
        let date = match text {
            Text::Date(utc) => {
                let date =
                    Date::parse(argument, utc).map_err(|problem| self.wrong(start, problem))?;
                Some(date)
            }
            _ => None,
        };
        let slot = slot.or_else(|| by_argument(name, argument)).filter(|slot| !self.has(*slot));
        if let Some(slot) = slot {
            // What Squid does not take for a client's it quotes only where the format asks for it.
            self.quoting[slot as usize] = match (text, quoting) {
                (Text::Sent, quoting) => quoting,
                (_, Quoting::Plain) => Quoting::Raw,
                (_, quoting) => quoting,
            };
        }
        let padding = match (width, left) {
            (0, _) => Padding::None,
            (_, false) => Padding::Before,
            (width, true) => Padding::After(width),
        };
        let field = Field { slot, text, quoting, padding, date };
        if let Some(Piece::Field(before)) = self.pieces.last()
            && !before.ends_before(&field)
        {
            let problem = "nothing stands between this code and the one before it, so a line cannot be taken \
                           apart; put a space or another mark between them";
            return Err(self.wrong(start, problem.to_owned()));
        }
        self.pieces.push(Piece::Field(field));
        Ok(())
    }

    /// Adds literal text, to what stands before it if that is literal too.
    fn literal(&mut self, text: &[u8]) {
        match self.pieces.last_mut() {
            Some(Piece::Literal(before)) => before.extend_from_slice(text),
            _ => self.pieces.push(Piece::Literal(text.to_vec())),
        }
    }

    /// Reads `{argument}`, if there is one.
    fn argument(&mut self) -> Result<Option<&'d str>, FormatError> {
        let start = self.at;
        if !self.eat("{") {
            return Ok(None);
        }
        let rest = self.rest();
        let end = rest.find('}').filter(|end| *end <= MOST_ARGUMENT).ok_or_else(|| {
            self.wrong(start, "this `{` has no `}` after it; close the argument".to_owned())
        })?;
        self.at += end + 1;
        Ok(Some(&rest[..end]))
    }

    fn digits(&mut self) -> usize {
        let rest = self.rest();
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        self.at += digits;
        // No digits are no width, and more than fit are a width that no line has.
        if digits == 0 { 0 } else { rest[..digits].parse().unwrap_or(usize::MAX) }
    }

    fn eat(&mut self, mark: &str) -> bool {
        let there = self.rest().starts_with(mark);
        self.at += if there { mark.len() } else { 0 };
        there
    }

    fn rest(&self) -> &'d str {
        &self.definition[self.at..]
    }

    fn has(&self, slot: Slot) -> bool {
        let of = |piece: &Piece| matches!(piece, Piece::Field(field) if field.slot == Some(slot));
        self.pieces.iter().any(of)
    }

    fn wrong(&self, at: usize, problem: String) -> FormatError {
        FormatError::Logformat { at: self.definition[..at].chars().count() + 1, problem }
    }
}

/// What a code is for by its argument: a header, or a note.
fn by_argument(name: &str, argument: Option<&str>) -> Option<Slot> {
    let argument = argument?;
    match name.trim_start_matches("http::") {
        ">h" | ">ha" if argument.eq_ignore_ascii_case("user-agent") => Some(Slot::UserAgent),
        "note" if argument.eq_ignore_ascii_case("category") => Some(Slot::Tag),
        "note" if argument.eq_ignore_ascii_case("reason") => Some(Slot::Log),
        _ => None,
    }
}
