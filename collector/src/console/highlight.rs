//! Where in a snippet the match stands, as three safe pieces of text.
//!
//! The offsets are an agent's word. Whatever they are, every character of the snippet is in exactly one piece
//! and none is cut: offsets that cannot be right mark nothing.

/// A snippet in three pieces. Together they are the snippet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Highlight {
    /// Before the match.
    pub(super) before: String,
    /// The match; empty if the offsets are wrong.
    pub(super) matched: String,
    /// After it.
    pub(super) after: String,
}

/// Cuts a snippet at the byte offsets of its match.
pub(super) fn highlight(snippet: &str, start: u32, end: u32) -> Highlight {
    let cut = || {
        let (start, end) = (usize::try_from(start).ok()?, usize::try_from(end).ok()?);
        Some((snippet.get(..start)?, snippet.get(start..end)?, snippet.get(end..)?))
    };
    let (before, matched, after) = cut().unwrap_or((snippet, "", ""));
    Highlight { before: before.to_owned(), matched: matched.to_owned(), after: after.to_owned() }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, proptest};

    use super::*;

    #[test]
    fn offsets_that_cannot_be_right_mark_nothing() {
        for (snippet, start, end, expected) in [
            ("how to hide it", 7, 11, ("how to ", "hide", " it")),
            ("hide", 0, 4, ("", "hide", "")),
            ("hide", 4, 4, ("hide", "", "")),
            ("hide", 3, 2, ("hide", "", "")),
            ("hide", 2, 5, ("hide", "", "")),
            ("hide", u32::MAX, u32::MAX, ("hide", "", "")),
            ("naïve", 3, 5, ("naïve", "", "")),
            ("naïve", 2, 4, ("na", "ï", "ve")),
            ("", 0, 0, ("", "", "")),
            ("", 1, 0, ("", "", "")),
        ] {
            let Highlight { before, matched, after } = highlight(snippet, start, end);
            assert_eq!((&*before, &*matched, &*after), expected, "{snippet} {start}..{end}");
        }
    }

    proptest! {
        #[test]
        fn the_pieces_are_the_snippet(snippet: String, start in any::<u32>(), end in 0_u32..40) {
            for (start, end) in [(start, end), (start % 20, end)] {
                let pieces = highlight(&snippet, start, end);
                assert_eq!(pieces.before + &pieces.matched + &pieces.after, snippet);
            }
        }
    }
}
