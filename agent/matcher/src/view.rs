//! A text as the phrases see it: a row of tokens, each with the packs' words it may stand for.

use std::cell::Cell;
use std::ops::Range;

use crate::key::Key;
use crate::lexicon::{Lexicon, Purpose, SetId, signature};
use crate::vocabulary::{Vocabulary, WordId};
use crate::words::{Joint, Words};

/// How a token was written, from what is most like plain writing on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Spelling {
    /// As it stands.
    Plain,
    /// In a disguise that was undone.
    Disguised,
    /// Misspelt: it counts only for rules that see misspellings through.
    Slip,
}

/// One token of a view.
#[derive(Debug, Clone)]
pub(crate) struct Token {
    /// The range in the original text, in bytes.
    pub(crate) start: u32,
    pub(crate) end: u32,
    ids: Cell<Ids>,
    /// Whether a sentence begins here.
    pub(crate) sentence: bool,
    pub(crate) spelling: Spelling,
    /// Whether a part of the text begins here, the first one apart.
    part: bool,
}

/// What tokens of one view are in another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Same {
    /// These tokens.
    Tokens(Range<usize>),
    /// Only a part of a word that was undone ("die" in "di.e-hard").
    Fragment,
    /// Parted otherwise.
    Other,
}

/// Where a token's ids are.
#[derive(Debug, Clone, Copy)]
enum Ids {
    /// To be looked up when somebody asks; the token is plain ASCII.
    Unread,
    /// A set of the lexicon.
    Known(SetId),
    /// An entry of [`View::own`].
    Own(u32),
}

/// A row of tokens: of a whole text, or of a stretch of one.
#[derive(Debug)]
pub(crate) struct View<'a> {
    tokens: Vec<Token>,
    /// The ids of tokens that were pushed, and where each token's are.
    ids: Vec<WordId>,
    own: Vec<(u32, u32)>,
    text: &'a str,
    lexicon: Option<&'a Lexicon>,
    /// Whether the view's first and last tokens are those of the text.
    whole: (bool, bool),
    /// How often a word was looked up or a phrase looked at.
    steps: Cell<u64>,
}

impl Default for View<'_> {
    fn default() -> Self {
        Self::of_text("", None)
    }
}

impl<'a> View<'a> {
    /// Reads the words as they stand.
    pub(crate) fn plain(words: &Words, vocabulary: &Vocabulary) -> Self {
        let mut view = Self::default();
        for word in words.as_slice() {
            let sentence = word.joint == Joint::Sentence;
            view.push((word.start, word.end), sentence, Spelling::Plain, |ids| {
                vocabulary.ids(words.text(word), ids);
            });
            if word.part {
                view.begin_part();
            }
        }
        view.begin_parts(words);
        view
    }

    /// Gives a view of some of the tokens.
    pub(crate) fn part(&self, tokens: &Range<usize>) -> Self {
        let mut part = Self::of_text(self.text, self.lexicon);
        part.tokens = self.tokens.get(tokens.clone()).unwrap_or_default().to_vec();
        part
    }

    /// Begins a view whose tokens a lexicon knows.
    pub(crate) fn of_text(text: &'a str, lexicon: Option<&'a Lexicon>) -> Self {
        Self {
            tokens: Vec::new(),
            ids: Vec::new(),
            own: Vec::new(),
            text,
            lexicon,
            whole: (true, true),
            steps: Cell::new(0),
        }
    }

    /// Says whether the view holds the text's beginning and end.
    pub(crate) fn cut_from(&mut self, begins: bool, ends: bool) {
        self.whole = (begins, ends);
    }

    /// Makes room for so many tokens.
    pub(crate) fn reserve(&mut self, tokens: usize) {
        self.tokens.reserve(tokens);
    }

    /// Appends a plain ASCII word of the text, to be looked up when somebody asks.
    #[inline]
    pub(crate) fn push_unread(&mut self, (start, end): (u32, u32), sentence: bool) {
        let ids = Cell::new(Ids::Unread);
        let spelling = Spelling::Plain;
        self.tokens.push(Token { start, end, ids, sentence, spelling, part: false });
    }

    /// Appends a word that was looked up.
    pub(crate) fn push_known(&mut self, (start, end): (u32, u32), sentence: bool, set: SetId) {
        let ids = Cell::new(Ids::Known(set));
        let spelling = Spelling::Plain;
        self.tokens.push(Token { start, end, ids, sentence, spelling, part: false });
    }

    /// Appends a token with the ids that `fill` appends.
    pub(crate) fn push(
        &mut self,
        (start, end): (u32, u32),
        sentence: bool,
        spelling: Spelling,
        fill: impl FnOnce(&mut Vec<WordId>),
    ) {
        let from = self.ids.len();
        fill(&mut self.ids);
        let ids = Cell::new(Ids::Own(index_of(self.own.len())));
        self.own.push((index_of(from), index_of(self.ids.len())));
        self.tokens.push(Token { start, end, ids, sentence, spelling, part: false });
    }

    /// Notes that a part of the text begins with the last token.
    pub(crate) fn begin_part(&mut self) {
        if let Some(last) = self.tokens.last_mut() {
            last.part = true;
        }
    }

    /// Notes where parts of the text begin, for tokens that were pushed without; each begins with
    /// one of the words or takes in several of a part.
    pub(crate) fn begin_parts(&mut self, words: &Words) {
        let mut parts = words.as_slice().iter().filter(|word| word.part).peekable();
        for token in &mut self.tokens {
            token.part = parts.next_if(|word| word.start == token.start).is_some();
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.tokens.len()
    }

    pub(crate) fn tokens(&self) -> &[Token] {
        &self.tokens
    }

    /// Gives the ids of a token, none beyond the view.
    pub(crate) fn ids(&self, token: usize) -> &[WordId] {
        match (self.read(token), self.lexicon) {
            (Some(Ids::Known(set)), Some(lexicon)) => lexicon.ids(set),
            (Some(Ids::Own(own)), _) => self
                .own
                .get(own as usize)
                .and_then(|(start, end)| self.ids.get(*start as usize..*end as usize))
                .unwrap_or_default(),
            _ => &[],
        }
    }

    /// Gives the [`signature`] of a token's ids.
    pub(crate) fn signature(&self, token: usize) -> u64 {
        match (self.read(token), self.lexicon) {
            (Some(Ids::Known(set)), Some(lexicon)) => lexicon.signature(set),
            _ => signature(self.ids(token)),
        }
    }

    /// Says whether a phrase hangs on a token that is not pushed with ids of its own.
    pub(crate) fn wakes(&self, token: usize, purpose: Purpose) -> bool {
        match (self.read(token), self.lexicon) {
            (Some(Ids::Known(set)), Some(lexicon)) => lexicon.wakes(set, purpose),
            _ => false,
        }
    }

    /// Finds where a token's ids are, and remembers it.
    fn read(&self, token: usize) -> Option<Ids> {
        self.step();
        let token = self.tokens.get(token)?;
        if let (Ids::Unread, Some(lexicon)) = (token.ids.get(), self.lexicon) {
            let (start, end) = (token.start as usize, token.end as usize);
            let bytes = self.text.as_bytes();
            let key = Key::of_plain(bytes, start, end);
            let word = bytes.get(start..end).unwrap_or_default();
            token.ids.set(Ids::Known(lexicon.set_of(&key, word)));
        }
        Some(token.ids.get())
    }

    /// Counts one more look at a word or a phrase.
    pub(crate) fn step(&self) {
        self.steps.set(self.steps.get() + 1);
    }

    /// Gives the number of looks so far.
    pub(crate) fn steps(&self) -> u64 {
        self.steps.get()
    }

    /// Says whether the text or a part of it begins with this token.
    pub(crate) fn begins_text(&self, token: usize) -> bool {
        token == 0 && self.whole.0 || self.begins_part(token)
    }

    /// Says whether the text or a part of it ends before this token.
    pub(crate) fn ends_text(&self, token: usize) -> bool {
        token == self.len() && self.whole.1 || self.begins_part(token)
    }

    /// Says whether a part of the text begins with this token, the first one apart.
    pub(crate) fn begins_part(&self, token: usize) -> bool {
        self.tokens.get(token).is_some_and(|token| token.part)
    }

    /// Says whether some token of a range was undone from a disguise.
    pub(crate) fn is_disguised(&self, span: &Range<usize>) -> bool {
        self.spelling(span) == Spelling::Disguised
    }

    /// Gives how the tokens of a range are written: what is least like plain writing among them.
    pub(crate) fn spelling(&self, span: &Range<usize>) -> Spelling {
        let tokens = self.tokens.get(span.clone()).unwrap_or_default();
        tokens.iter().map(|token| token.spelling).max().unwrap_or(Spelling::Plain)
    }

    /// Gives the tokens that so many words with a token among them that is not written plainly may
    /// hold, in order: whatever else the view shows, the plain one shows too.
    pub(crate) fn beside_undone(&self, words: usize) -> impl Iterator<Item = usize> {
        let mut from = 0;
        let undone = self.tokens.iter().enumerate();
        let undone = undone.filter(|(_, token)| token.spelling != Spelling::Plain);
        undone.flat_map(move |(at, _)| {
            let start = at.saturating_sub(words).max(from);
            from = (at + words).min(self.len()).max(from);
            start..from
        })
    }

    /// Finds what tokens of another view of the same text are here.
    pub(crate) fn same(&self, other: &View<'_>, span: &Range<usize>) -> Same {
        let tokens = other.tokens.get(span.clone()).unwrap_or_default();
        let (Some(first), Some(last)) = (tokens.first(), tokens.last()) else {
            return Same::Other;
        };
        let from = self.tokens.partition_point(|token| token.end <= first.start);
        let cuts = |token: &Token| {
            token.spelling == Spelling::Disguised
                && (token.start < first.start && first.start < token.end
                    || token.start < last.end && last.end < token.end)
        };
        let around = self.tokens.iter().skip(from).take_while(|token| token.start < last.end);
        if around.into_iter().any(cuts) {
            return Same::Fragment;
        }
        let begins = self.tokens.get(from).is_some_and(|token| token.start == first.start);
        let to = self.tokens.partition_point(|token| token.start < last.end);
        let ends = self.tokens.get(..to).and_then(<[Token]>::last);
        let same = begins && from < to && ends.is_some_and(|token| token.end == last.end);
        if same { Same::Tokens(from..to) } else { Same::Other }
    }

    /// Gives the range of the original text that some tokens stand for, none for no tokens.
    pub(crate) fn bytes(&self, span: &Range<usize>) -> Option<(usize, usize)> {
        let tokens = self.tokens.get(span.clone())?;
        Some((tokens.first()?.start as usize, tokens.last()?.end as usize))
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
