//! A text as the phrases see it: a row of tokens, each with the packs' words it may stand for.

use std::ops::Range;

use crate::vocabulary::{Vocabulary, WordId};
use crate::words::{Joint, Words};

/// One token of a view.
#[derive(Debug, Clone)]
pub(crate) struct Token {
    ids: (u32, u32),
    /// The range in the original text, in bytes.
    pub(crate) start: u32,
    pub(crate) end: u32,
    /// Whether a sentence begins here.
    pub(crate) sentence: bool,
    /// Whether the token was undone from a disguise.
    pub(crate) disguised: bool,
}

/// A row of tokens.
#[derive(Debug, Default)]
pub(crate) struct View {
    tokens: Vec<Token>,
    ids: Vec<WordId>,
}

impl View {
    /// Reads the words as they stand.
    pub(crate) fn plain(words: &Words, vocabulary: &Vocabulary) -> Self {
        let mut view = Self::default();
        for word in words.as_slice() {
            let sentence = word.joint == Joint::Sentence;
            view.push((word.start, word.end), sentence, false, |ids| {
                vocabulary.ids(words.text(word), ids);
            });
        }
        view
    }

    /// Appends a token with the ids that `fill` appends.
    pub(crate) fn push(
        &mut self,
        (start, end): (u32, u32),
        sentence: bool,
        disguised: bool,
        fill: impl FnOnce(&mut Vec<WordId>),
    ) {
        let from = self.ids.len();
        fill(&mut self.ids);
        let ids = (index_of(from), index_of(self.ids.len()));
        self.tokens.push(Token { ids, start, end, sentence, disguised });
    }

    pub(crate) fn len(&self) -> usize {
        self.tokens.len()
    }

    pub(crate) fn tokens(&self) -> &[Token] {
        &self.tokens
    }

    pub(crate) fn ids(&self, token: usize) -> &[WordId] {
        self.tokens
            .get(token)
            .and_then(|token| self.ids.get(token.ids.0 as usize..token.ids.1 as usize))
            .unwrap_or_default()
    }

    /// Says whether some token of a range was undone from a disguise.
    pub(crate) fn is_disguised(&self, span: &Range<usize>) -> bool {
        let tokens = self.tokens.get(span.clone()).unwrap_or_default();
        tokens.iter().any(|token| token.disguised)
    }

    pub(crate) fn begins_sentence(&self, token: usize) -> bool {
        self.tokens.get(token).is_none_or(|token| token.sentence)
    }

    /// Widens a range by so many tokens on each side.
    pub(crate) fn around(&self, span: &Range<usize>, before: usize, after: usize) -> Range<usize> {
        span.start.saturating_sub(before)..span.end.saturating_add(after).min(self.len())
    }

    /// Widens a range by so many tokens on each side, within its sentence.
    pub(crate) fn within_sentence(
        &self,
        span: &Range<usize>,
        before: usize,
        after: usize,
    ) -> Range<usize> {
        let widest = self.around(span, before, after);
        let start = (widest.start..span.start)
            .rev()
            .find(|token| self.begins_sentence(token + 1))
            .map_or(widest.start, |outside| outside + 1);
        let end =
            (span.end..widest.end).find(|token| self.begins_sentence(*token)).unwrap_or(widest.end);
        start..end
    }
}

/// Token and id counts fit: a text is cut at [`crate::MAX_TEXT`] before it comes here.
fn index_of(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_ends_with_its_sentence() {
        let words = Words::of("One two. Three four five six. Seven eight.");
        let view = View::plain(&words, &Vocabulary::default());
        for (span, before, after, expected) in [
            (3..4, 0, 0, 3..4),
            (3..4, 1, 1, 2..5),
            (3..4, 9, 9, 2..6),
            (0..1, 9, 9, 0..2),
            (7..8, 9, 9, 6..8),
            (2..3, 1, 0, 2..3),
        ] {
            assert_eq!(view.within_sentence(&span, before, after), expected, "{span:?}");
        }
        assert_eq!(view.around(&(3..4), 9, 9), 0..8);
    }
}
