//! Bytes of a line, and the text in them.

use std::borrow::Cow;

/// The text of a field, where it is not UTF-8 with replacement characters.
pub(super) fn text(field: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(field)
}

/// The text of a field that is empty or a dash when there is nothing to say.
pub(super) fn told(field: &[u8]) -> Option<Cow<'_, str>> {
    (!matches!(field, b"" | b"-")).then(|| text(field))
}

/// As [`text`], of bytes that may have been made for it.
pub(super) fn text_of(field: Cow<'_, [u8]>) -> Cow<'_, str> {
    match field {
        Cow::Borrowed(field) => text(field),
        Cow::Owned(field) => match String::from_utf8(field) {
            Ok(text) => Cow::Owned(text),
            Err(error) => Cow::Owned(text(error.as_bytes()).into_owned()),
        },
    }
}

/// What stands before the first `byte`, and what after it.
pub(super) fn split_at_byte(bytes: &[u8], byte: u8) -> Option<(&[u8], &[u8])> {
    let at = bytes.iter().position(|found| *found == byte)?;
    Some((&bytes[..at], &bytes[at + 1..]))
}

/// What stands before the last `byte`, and what after it.
pub(super) fn split_at_last(bytes: &[u8], byte: u8) -> Option<(&[u8], &[u8])> {
    let at = bytes.iter().rposition(|found| *found == byte)?;
    Some((&bytes[..at], &bytes[at + 1..]))
}

/// Where `needle`, which is not empty, first stands.
pub(super) fn find(bytes: &[u8], needle: &[u8]) -> Option<usize> {
    let first = *needle.first()?;
    let mut start = 0;
    loop {
        start += bytes[start..].iter().position(|byte| *byte == first)?;
        if bytes[start..].starts_with(needle) {
            return Some(start);
        }
        start += 1;
    }
}

/// A number in decimal digits and nothing else.
pub(super) fn number<N: std::str::FromStr>(field: &[u8]) -> Option<N> {
    if field.is_empty() || !field.iter().all(u8::is_ascii_digit) {
        return None;
    }
    str::from_utf8(field).ok()?.parse().ok()
}

/// An HTTP status; 0 stands for none.
pub(super) fn status(field: &[u8]) -> Option<u16> {
    number(field).filter(|status| (100..1000).contains(status))
}
