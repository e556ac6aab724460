//! What a line looks like, without what it says: for a technician who named the wrong format.
//!
//! A shape is made of a fixed vocabulary of words, of marks between them, and of counts. Nothing of the
//! line's content gets into it, so it may be logged and sent.

/// Bytes of fields that a shape names; of those after them only the number is told. With that, and in a
/// sentence about it, it fits in the 256 bytes of a coverage's reason.
const MOST_BYTES: usize = 160;
/// Parts of one field, between slashes for instance, that a shape names.
const MOST_PARTS: usize = 4;
/// Bytes of a field that are looked at.
const FIELD_BYTES: usize = 256;

/// The shape of a line: `decimal number ip word/number number word url word, 8 by space`.
#[must_use]
pub fn shape(line: &[u8]) -> String {
    let (separator, name) = if line.contains(&b'\t') {
        (b'\t', "tab")
    } else if line.windows(3).any(|window| window == b"\",\"") {
        (b',', "comma")
    } else {
        (b' ', "space")
    };
    let fields = || line.split(|byte| *byte == separator).filter(|field| !field.is_empty());
    let total = fields().count();
    let mut told = String::new();
    for (at, next) in fields().map(field).enumerate() {
        if told.len() + next.len() > MOST_BYTES {
            told.push_str(" …");
            break;
        }
        told.push_str(if at == 0 { "" } else { " " });
        told.push_str(&next);
    }
    format!("{told}, {total} by {name}")
}

/// One field: what it is as a whole, or what its parts are.
fn field(field: &[u8]) -> String {
    let field = &field[..field.len().min(FIELD_BYTES)];
    let (open, inner, close) = bare(field);
    let parts: Vec<&[u8]> = inner.split(|byte| *byte == b'/').collect();
    let told = match whole(inner) {
        Some(whole) => whole.to_owned(),
        None if (2..=MOST_PARTS).contains(&parts.len()) => {
            let parts: Vec<_> =
                parts.into_iter().map(|part| whole(part).unwrap_or("text")).collect();
            parts.join("/")
        }
        None => "text".to_owned(),
    };
    format!("{open}{told}{close}")
}

/// A field without the quotes or brackets at its ends, and those.
fn bare(field: &[u8]) -> (&'static str, &[u8], &'static str) {
    const PAIRS: [(u8, &str, u8, &str); 3] =
        [(b'"', "\"", b'"', "\""), (b'[', "[", b']', "]"), (b'<', "<", b'>', ">")];
    for (open, open_text, close, close_text) in PAIRS {
        let starts = field.first() == Some(&open);
        let ends = field.last() == Some(&close) && field.len() > usize::from(starts);
        match (starts, ends) {
            (true, true) => return (open_text, &field[1..field.len() - 1], close_text),
            (true, false) => return (open_text, &field[1..], ""),
            (false, true) => return ("", &field[..field.len() - 1], close_text),
            (false, false) => {}
        }
    }
    ("", field, "")
}

/// The word of the vocabulary for a field, if there is one.
fn whole(field: &[u8]) -> Option<&'static str> {
    let all = |test: fn(&u8) -> bool| !field.is_empty() && field.iter().all(test);
    let has = |byte: u8| field.contains(&byte);
    if field.is_empty() {
        return Some("nothing");
    }
    if field == b"-" {
        return Some("-");
    }
    if all(u8::is_ascii_digit) {
        return Some("number");
    }
    if super::entry::address(field).is_some() {
        return Some("ip");
    }
    if field.windows(3).any(|window| window == b"://") {
        return Some("url");
    }
    if all(|byte| byte.is_ascii_digit() || *byte == b':') {
        return Some("time");
    }
    if all(|byte| byte.is_ascii_digit() || matches!(byte, b'-' | b'+' | b'.')) {
        let points = field.iter().filter(|byte| **byte == b'.').count();
        return Some(if points == 1 { "decimal" } else { "date" });
    }
    if all(|byte| byte.is_ascii_digit() || matches!(byte, b'-' | b':' | b'.' | b'T' | b'Z' | b'+'))
    {
        return Some("datetime");
    }
    if all(|byte| byte.is_ascii_alphabetic() || matches!(byte, b'_' | b'-')) {
        return Some("word");
    }
    let named = all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'));
    (named && has(b'.')).then_some("name")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_shape_tells_the_fields_apart() {
        for (line, expected) in [
            (
                "1795317506.497     26 127.0.0.1 TCP_MISS/200 440 GET http://www.example.com/ pupil01 HIER_DIRECT/127.0.0.2 text/html",
                "decimal number ip word/number number word url text word/ip word/word, 10 by space",
            ),
            (
                "Nov 22 03:19:46 host dnsmasq[1]: query",
                "word number time word text word, 6 by space",
            ),
            ("\"2026.11.22 03:26:04\",\"a\",\"-\"", "\"text\" \"word\" \"-\", 3 by comma"),
            ("a\t\tb", "word word, 2 by tab"),
            ("", ", 0 by space"),
        ] {
            assert_eq!(shape(line.as_bytes()), expected, "{line}");
        }
    }

    #[test]
    fn a_shape_is_short_whatever_the_line() {
        let line = "\"secret/secret/secret/secret\" ".repeat(2_000);
        assert!(shape(line.as_bytes()).len() <= 200);
    }

    proptest! {
        #[test]
        fn a_shape_holds_nothing_of_the_line(
            bytes in proptest::collection::vec(any::<u8>(), 0..300),
        ) {
            vocabulary_only(&shape(&bytes));
        }

        #[test]
        fn a_shape_holds_no_token_of_content(
            tokens in proptest::collection::vec("[a-z0-9./:?=%\"\\[\\]_-]{1,24}", 1..30),
            separator in prop_oneof![Just(" "), Just("\t"), Just("\",\"")],
        ) {
            vocabulary_only(&shape(tokens.join(separator).as_bytes()));
        }
    }

    /// Every word of a shape is of the vocabulary, or the count.
    fn vocabulary_only(shape: &str) {
        const WORDS: &[&str] = &[
            "nothing", "number", "ip", "url", "time", "decimal", "date", "datetime", "word",
            "name", "text", "by", "space", "tab", "comma",
        ];
        let (fields, count) = shape.rsplit_once(", ").unwrap();
        let (count, by) = count.split_once(' ').unwrap();
        assert!(count.bytes().all(|byte| byte.is_ascii_digit()) && by.starts_with("by "));
        for word in fields.split(|c: char| " /\"[]<>…-".contains(c)).filter(|word| !word.is_empty())
        {
            assert!(WORDS.contains(&word), "{word} in {shape}");
        }
        assert!(
            fields.chars().all(|c| c.is_ascii_lowercase() || " /\"[]<>…-".contains(c)),
            "{fields}"
        );
    }
}
