//! Whether a stretch of a text stands between quotation marks.
//!
//! The nearest mark on each side decides: before the stretch one that opens, after it one that
//! closes. Straight marks open or close by what stands beside them, as a reader sees it. The look
//! is bounded and ends with the paragraph. Apostrophes and single marks are no quotation marks:
//! nobody can tell them apart.

use crate::category::Place;

/// How far on each side a mark is looked for, in bytes: about four lines.
const REACH: usize = 320;

/// Says whether the bytes from `start` to `end` are quoted. A search that stands in quotation
/// marks as a whole is one for the exact words and quotes nobody.
pub(crate) fn is_quoted(text: &str, start: usize, end: usize, place: Place) -> bool {
    let from = text.ceil_char_boundary(start.saturating_sub(REACH));
    let to = text.floor_char_boundary(end.saturating_add(REACH).min(text.len()));
    let (Some(before), Some(after)) = (text.get(from..start), text.get(end..to)) else {
        return false;
    };
    let before = before.rsplit("\n\n").next().unwrap_or_default();
    let after = after.split("\n\n").next().unwrap_or_default();
    let Some(opening) = before.rfind(is_mark) else { return false };
    let Some(closing) = after.find(is_mark) else { return false };
    let exact = place == Place::Search
        && before.get(..opening).is_some_and(|it| it.trim().is_empty())
        && after
            .get(closing..)
            .is_some_and(|it| it.chars().filter(|c| is_written(*c)).count() == 1);
    !exact
        && opens(before, opening, start - before.len(), text)
        && closes(after, closing, end, text)
}

fn is_mark(c: char) -> bool {
    matches!(
        c,
        '"' | '＂'
            | '“'
            | '”'
            | '„'
            | '‟'
            | '«'
            | '»'
            | '‹'
            | '›'
            | '「'
            | '」'
            | '『'
            | '』'
            | '〝'
            | '〞'
    )
}

fn is_written(c: char) -> bool {
    !c.is_whitespace()
}

/// Says whether the mark at `at` opens a quotation.
fn opens(before: &str, at: usize, offset: usize, text: &str) -> bool {
    match before.get(at..).and_then(|rest| rest.chars().next()) {
        Some('“' | '„' | '‟' | '«' | '‹' | '「' | '『' | '〝') => true,
        Some('"' | '＂') => {
            let left = text.get(..offset + at).and_then(|it| it.chars().next_back());
            let right = before.get(at..).and_then(|it| it.chars().nth(1));
            !left.is_some_and(char::is_alphanumeric) && !right.is_some_and(char::is_whitespace)
        }
        _ => false,
    }
}

/// Says whether the mark at `at` closes a quotation.
fn closes(after: &str, at: usize, offset: usize, text: &str) -> bool {
    let mark = after.get(at..).and_then(|rest| rest.chars().next());
    match mark {
        Some('”' | '»' | '›' | '」' | '』' | '〞') => true,
        // German closes with the mark that English opens with.
        Some('"' | '＂' | '“') => {
            let left = text.get(..offset + at).and_then(|it| it.chars().next_back());
            let right = after.get(at..).and_then(|it| it.chars().nth(1));
            !left.is_some_and(char::is_whitespace) && !right.is_some_and(char::is_alphanumeric)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_stretch_is_quoted_between_marks_that_open_and_close() {
        for (text, expected) in [
            ("he said \"oh red fox now\" and left", true),
            ("he said \"red fox\"", true),
            ("\"red fox,\" he said", true),
            ("he said “red fox” twice", true),
            ("er sagte „red fox“ dann", true),
            ("il dit « red fox » ici", true),
            ("(\"red fox\")", true),
            ("he said \"no\" and red fox and \"yes\"", false),
            ("\"no\" red fox", false),
            ("red fox \"no\"", false),
            ("he said \"red fox", false),
            ("a 6\" red fox 7\" long", false),
            ("the boys' red fox isn't ours", false),
            ("'red fox' he said", false),
            ("he said “one.\n\nred fox two”", false),
            ("“no” red fox “no”", false),
        ] {
            assert_eq!(quoted(text, Place::Typed), expected, "{text}");
        }
    }

    #[test]
    fn a_search_for_the_exact_words_quotes_nobody() {
        assert!(!quoted(" \"red fox\" ", Place::Search));
        assert!(quoted("\"red fox\" lyrics", Place::Search));
        assert!(quoted("\"red fox\"", Place::Typed));
    }

    #[test]
    fn a_mark_too_far_away_is_not_seen() {
        assert!(!quoted(&format!("\"{} red fox\"", "a ".repeat(REACH)), Place::Typed));
    }

    proptest! {
        #[test]
        fn any_text_is_read(before in "[\"“”«»é \n]{0,12}", after in "[\"“”«»é \n]{0,12}") {
            let text = format!("{before}red fox{after}");
            let marked = text.contains(is_mark);
            prop_assert!(!quoted(&text, Place::Typed) || marked);
        }
    }

    fn quoted(text: &str, place: Place) -> bool {
        let start = text.find("red fox").unwrap();
        is_quoted(text, start, start + "red fox".len(), place)
    }
}
