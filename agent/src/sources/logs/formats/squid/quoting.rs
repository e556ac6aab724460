//! How Squid quotes a field's text (its src/format/Quoting.cc and Format.cc), undone.

use std::borrow::Cow;

/// The ways in which a field is quoted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Quoting {
    /// No modifier: what a client sent has `%xx` for a space and the like; what it has of its own stays.
    Plain,
    /// `%"`, or between quotes in the format: a backslash before quotes and backslashes, `\r`, `\n`, `\t`.
    Quotes,
    /// `%[`, or between brackets in the format: `%xx` for brackets, `%`, controls and bytes from 0x7F; `\\`.
    Mime,
    /// `%#`: `%xx` for everything that may not stand in an address, `%` too.
    Url,
    /// `%/`: as [`Quotes`](Self::Quotes), and in quotes if there is a space.
    Shell,
    /// `%'`: as it is.
    Raw,
}

/// A field's text, its escapes undone; `None` for a dash, with which Squid says that there is nothing.
pub(super) fn unescape(field: &[u8], quoting: Quoting) -> Option<Cow<'_, [u8]>> {
    if matches!(field, b"" | b"-") {
        return None;
    }
    Some(match quoting {
        Quoting::Raw => Cow::Borrowed(field),
        Quoting::Plain | Quoting::Url => decode(field, true, false),
        Quoting::Mime => decode(field, true, true),
        Quoting::Quotes => decode(field, false, true),
        Quoting::Shell => {
            let inner = field.strip_prefix(b"\"").and_then(|inner| inner.strip_suffix(b"\""));
            decode(inner.unwrap_or(field), false, true)
        }
    })
}

/// Undoes `%xx`, backslashes, or both. What is no escape stays as it is.
fn decode(field: &[u8], percent: bool, backslash: bool) -> Cow<'_, [u8]> {
    let escape = |byte: &u8| (percent && *byte == b'%') || (backslash && *byte == b'\\');
    let Some(first) = field.iter().position(escape) else { return Cow::Borrowed(field) };
    let mut plain = Vec::with_capacity(field.len());
    plain.extend_from_slice(&field[..first]);
    let mut rest = &field[first..];
    loop {
        rest = match rest {
            [] => return Cow::Owned(plain),
            [b'%', high, low, after @ ..] if percent && let Some(byte) = hex(*high, *low) => {
                plain.push(byte);
                after
            }
            [b'\\', escaped, after @ ..] if backslash => {
                plain.push(match escaped {
                    b'r' => b'\r',
                    b'n' => b'\n',
                    b't' => b'\t',
                    other => *other,
                });
                after
            }
            [byte, after @ ..] => {
                plain.push(*byte);
                after
            }
        };
    }
}

fn hex(high: u8, low: u8) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    Some(digit(high)? << 4 | digit(low)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_quoting_is_undone() {
        for (field, quoting, expected) in [
            (r"school\\jdoe", Quoting::Mime, r"school\jdoe"),
            ("zo%c3%ab%5bx%5d \"q\"", Quoting::Mime, "zoë[x] \"q\""),
            (r"school\jdoe", Quoting::Raw, r"school\jdoe"),
            (r#"a \"b\" \\ \tc"#, Quoting::Quotes, "a \"b\" \\ \tc"),
            (r#""a \"b\"""#, Quoting::Shell, "a \"b\""),
            ("bare", Quoting::Shell, "bare"),
            ("a%2520b", Quoting::Url, "a%20b"),
            ("caf%C3%A9%20100%", Quoting::Plain, "café 100%"),
            (r"ends\", Quoting::Quotes, r"ends\"),
            ("%zz%4", Quoting::Mime, "%zz%4"),
        ] {
            let text = unescape(field.as_bytes(), quoting).unwrap();
            assert_eq!(String::from_utf8(text.into_owned()).unwrap(), expected, "{field}");
        }
        assert_eq!(unescape(b"-", Quoting::Raw), None);
    }
}
