//! A pattern of literal text and fields, and how a line is laid over it.
//!
//! Each field ends where the literal text behind it first stands, if what is between can be the field's
//! text. A user's name may have that text in it too: then the field is tried longer, until the rest of the
//! line fits. All of a line's tries together have a bound ([`MOST_TRIES`]), so a line that was made to cost
//! time is unreadable instead.

use super::codes::{SLOTS, Slot, Text};
use super::date::Date;
use super::quoting::Quoting;

/// Ends of fields that are tried for one line: far more than a name with many spaces needs.
const MOST_TRIES: u32 = 4096;

/// A format's pieces, in their order.
#[derive(Debug)]
pub(super) struct Pattern {
    pieces: Vec<Piece>,
    /// Whether headers in brackets may follow.
    pub(super) headers_after: bool,
}

/// A piece of a pattern.
#[derive(Debug)]
pub(super) enum Piece {
    /// This text.
    Literal(Vec<u8>),
    /// What a code wrote.
    Field(Field),
}

/// What one code wrote.
#[derive(Debug)]
pub(super) struct Field {
    pub(super) slot: Option<Slot>,
    pub(super) text: Text,
    pub(super) quoting: Quoting,
    pub(super) padding: Padding,
    pub(super) date: Option<Date>,
}

/// Where a field is filled up with spaces.
#[derive(Debug, Clone, Copy)]
pub(super) enum Padding {
    None,
    Before,
    /// Up to this width.
    After(usize),
}

/// Where the fields of one line stand.
#[derive(Debug)]
pub(super) struct Spans<'a> {
    line: &'a [u8],
    spans: [(usize, usize); SLOTS],
}

/// A span that was not filled.
const UNFILLED: (usize, usize) = (usize::MAX, usize::MAX);

impl<'a> Spans<'a> {
    /// A field's text as it stands; `None` if the format has no such field.
    pub(super) fn get(&self, slot: Slot) -> Option<&'a [u8]> {
        let (start, end) = self.spans[slot as usize];
        self.line.get(start..end)
    }
}

impl Pattern {
    pub(super) fn new(pieces: Vec<Piece>) -> Self {
        Self { pieces, headers_after: false }
    }

    /// The date of the format, if it has one.
    pub(super) fn date(&self) -> Option<&Date> {
        self.pieces.iter().find_map(|piece| match piece {
            Piece::Field(field) if field.slot == Some(Slot::Local) => field.date.as_ref(),
            _ => None,
        })
    }

    /// Lays `line` over the pattern; `None` if it does not fit.
    pub(super) fn read<'a>(&self, line: &'a [u8]) -> Option<Spans<'a>> {
        let spans = Spans { line, spans: [UNFILLED; SLOTS] };
        let mut fit = Fit { pattern: self, spans, tries: MOST_TRIES };
        fit.fits(0, 0).then_some(fit.spans)
    }
}

/// One line on its way over a pattern.
struct Fit<'p, 'a> {
    pattern: &'p Pattern,
    spans: Spans<'a>,
    tries: u32,
}

impl<'p> Fit<'p, '_> {
    /// Whether the line from `at` on fits the pieces from `piece` on.
    fn fits(&mut self, piece: usize, at: usize) -> bool {
        let pattern: &'p Pattern = self.pattern;
        let rest = &self.spans.line[at..];
        match pattern.pieces.get(piece) {
            None => rest.is_empty() || pattern.headers_after && rest.starts_with(b" ["),
            Some(Piece::Literal(text)) => {
                rest.starts_with(text) && self.fits(piece + 1, at + text.len())
            }
            Some(Piece::Field(field)) => self.field(field, piece, at),
        }
    }

    /// Whether the line from `at` on fits `field`, which is the piece `piece`, and those after it.
    fn field(&mut self, field: &Field, piece: usize, at: usize) -> bool {
        let line = self.spans.line;
        let start = match field.padding {
            Padding::Before => at + line[at..].iter().take_while(|byte| **byte == b' ').count(),
            _ => at,
        };
        let Some(most) = field.most(&line[start..]) else { return false };
        let pieces: &'p [Piece] = &self.pattern.pieces;
        let behind = match pieces.get(piece + 1) {
            Some(Piece::Literal(text)) => text.first().copied(),
            _ => None,
        };
        // Where the text can end: there alone where it ends by itself, or else before what stands behind it.
        let (mut end, only) = match behind {
            Some(byte) if !field.ends_at(byte) => (start, false),
            _ => (start + most, true),
        };
        loop {
            if let (Some(byte), false) = (behind, only) {
                let next = line[end..start + most].iter().position(|found| *found == byte);
                end = next.map_or(start + most, |next| end + next);
            }
            if self.tries == 0 {
                return false;
            }
            self.tries -= 1;
            let after = match field.padding {
                Padding::After(width) => {
                    let padded = start.saturating_add(width).clamp(end, line.len());
                    end + line[end..padded].iter().take_while(|byte| **byte == b' ').count()
                }
                _ => end,
            };
            if self.fits(piece + 1, after) {
                if let Some(slot) = field.slot {
                    self.spans.spans[slot as usize] = (start, end);
                }
                return true;
            }
            if only || end >= start + most {
                return false;
            }
            end += 1;
        }
    }
}

impl Field {
    /// How many bytes at the beginning of `rest` can be this field's text; `None` if it cannot begin here.
    fn most(&self, rest: &[u8]) -> Option<usize> {
        let run =
            |ends: fn(u8) -> bool| rest.iter().position(|byte| ends(*byte)).unwrap_or(rest.len());
        let some = |length: usize| (length > 0).then_some(length);
        match (self.text, self.quoting) {
            (Text::Whole | Text::Decimal, _) => {
                let point = self.text == Text::Decimal;
                let sign = usize::from(rest.first() == Some(&b'-'));
                let digit = |byte: &&u8| byte.is_ascii_digit() || point && **byte == b'.';
                some(sign + rest[sign..].iter().take_while(digit).count())
            }
            (Text::Date(_), _) => self.date.as_ref()?.length(rest),
            (_, Quoting::Quotes) => Some(quoted(rest)),
            (_, Quoting::Shell) if rest.starts_with(b"\"") => {
                Some((quoted(&rest[1..]) + 2).min(rest.len()))
            }
            (_, Quoting::Shell) => some(run(|byte| byte == b' ')),
            (Text::Word, _) | (Text::Sent, Quoting::Plain) | (_, Quoting::Url) => {
                some(run(|byte| byte == b' ' || byte == b'\t'))
            }
            (Text::Sent | Text::Free, Quoting::Mime) => {
                Some(run(|byte| !(b' '..=b'~').contains(&byte) || b"[]".contains(&byte)))
            }
            (Text::Sent | Text::Free, Quoting::Raw) | (Text::Free, Quoting::Plain) => {
                Some(rest.len())
            }
        }
    }

    /// Whether `byte` cannot be in this field's text, so that the text goes as far as it can.
    fn ends_at(&self, byte: u8) -> bool {
        match (self.text, self.quoting) {
            (Text::Whole, _) => !byte.is_ascii_digit(),
            (Text::Decimal, _) => !byte.is_ascii_digit() && byte != b'.',
            (Text::Date(_), _) => true,
            (_, Quoting::Quotes) => byte == b'"',
            (Text::Word, _) | (Text::Sent, Quoting::Plain) | (_, Quoting::Url) => {
                byte == b' ' || byte == b'\t'
            }
            (_, Quoting::Shell) => byte == b' ',
            (Text::Sent | Text::Free, Quoting::Mime) => byte == b'[' || byte == b']',
            (Text::Sent | Text::Free, _) => false,
        }
    }

    /// Whether it can be seen where this field ends if `next` follows at once.
    pub(super) fn ends_before(&self, next: &Self) -> bool {
        let numeric = |field: &Self| matches!(field.text, Text::Whole | Text::Decimal);
        match self.text {
            Text::Date(_) => true,
            Text::Whole | Text::Decimal => !numeric(next) && !matches!(next.text, Text::Date(_)),
            _ => false,
        }
    }
}

/// How far text goes in which quotes and backslashes have a backslash before them.
fn quoted(rest: &[u8]) -> usize {
    let mut escaped = false;
    for (at, byte) in rest.iter().enumerate() {
        match byte {
            b'"' if !escaped => return at,
            b'\\' => escaped = !escaped,
            _ => escaped = false,
        }
    }
    rest.len()
}
