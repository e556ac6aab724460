//! Mistakes in a file that a person wrote, each with its line, its column and the way out.

use std::ops::Range;

use redshank_matcher::Diagnostic;

/// The mistakes of one file.
pub(super) struct Mistakes<'a> {
    file: &'a str,
    text: &'a str,
    found: Vec<Diagnostic>,
}

impl<'a> Mistakes<'a> {
    /// None yet, of a file of this name and text.
    pub(super) fn new(file: &'a str, text: &'a str) -> Self {
        Self { file, text, found: Vec::new() }
    }

    /// Adds one at a place in the text, in bytes.
    pub(super) fn add(&mut self, span: &Range<usize>, message: &str, help: &str) {
        let before = self.text.get(..span.start).unwrap_or(self.text);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        self.found.push(Diagnostic {
            file: self.file.to_owned(),
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
            rule: None,
            message: message.to_owned(),
            help: help.to_owned(),
        });
    }

    /// All of them.
    pub(super) fn found(self) -> Vec<Diagnostic> {
        self.found
    }

    /// What was read, if there are none.
    pub(super) fn or<T>(self, read: T) -> Result<T, Vec<Diagnostic>> {
        if self.found.is_empty() { Ok(read) } else { Err(self.found) }
    }
}
