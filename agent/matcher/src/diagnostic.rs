//! What is wrong with a rule pack, told to the person who edits it: file, line, rule, what was
//! found, and the way out.

use std::fmt;
use std::ops::Range;

/// One mistake in a rule pack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// The file as its reader named it, for instance `en/suicide.toml`.
    pub file: String,
    /// The line, counted from 1.
    pub line: usize,
    /// The column in characters, counted from 1.
    pub column: usize,
    /// The id of the rule, absent where the mistake is in no rule.
    pub rule: Option<String>,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub help: String,
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}: ", self.file, self.line, self.column)?;
        if let Some(rule) = &self.rule {
            write!(f, "rule {rule}: ")?;
        }
        write!(f, "{}; {}", self.message, self.help)
    }
}

impl std::error::Error for Diagnostic {}

/// A line and a column, each counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Position {
    pub(crate) line: usize,
    pub(crate) column: usize,
}

impl Position {
    /// Finds the place of a byte offset in a text.
    pub(crate) fn of(text: &str, offset: usize) -> Self {
        let before = text.get(..offset).unwrap_or(text);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Self {
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
        }
    }
}

/// A byte of a file. Lines are only counted once somebody has to be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Offset(u32);

impl Offset {
    /// Packs are far shorter than this can tell.
    pub(crate) fn of(offset: usize) -> Self {
        Self(u32::try_from(offset).unwrap_or(u32::MAX))
    }

    pub(crate) fn position(self, text: &str) -> Position {
        Position::of(text, self.0 as usize)
    }
}

/// A value and where in its file it stands.
#[derive(Debug, Clone)]
pub(crate) struct Sourced<T> {
    pub(crate) value: T,
    pub(crate) at: Offset,
}

impl<T> Sourced<T> {
    pub(crate) fn new(span: &Range<usize>, value: T) -> Self {
        Self { value, at: Offset::of(span.start) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_count_lines_and_characters_from_one() {
        let text = "a = 1\né = \"x\"\n";
        for (offset, line, column) in [(0, 1, 1), (4, 1, 5), (6, 2, 1), (11, 2, 5), (99, 3, 1)] {
            assert_eq!(Position::of(text, offset), Position { line, column }, "offset {offset}");
        }
    }

    #[test]
    fn a_diagnostic_names_file_line_rule_and_the_way_out() {
        let diagnostic = Diagnostic {
            file: "en/suicide.toml".into(),
            line: 12,
            column: 5,
            rule: Some("suicide.method".into()),
            message: "phrase is empty".into(),
            help: "write at least one word".into(),
        };
        assert_eq!(
            diagnostic.to_string(),
            "en/suicide.toml:12:5: rule suicide.method: phrase is empty; write at least one word"
        );
    }
}
