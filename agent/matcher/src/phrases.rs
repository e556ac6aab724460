//! Phrases by themselves, without rules: what a school leaves alone by its words.

use std::ops::Range;
use std::sync::Arc;

use crate::language::Language;
use crate::matcher;
use crate::phrase::{Classes, Item, Phrase};
use crate::phrase_set::{Growing, PhraseSet};
use crate::view::View;
use crate::vocabulary::Vocabulary;
use crate::words::Words;

/// Phrases in the syntax of rule packs, without classes, compiled. Cloning shares them.
#[derive(Debug, Clone, Default)]
pub struct Phrases(Arc<Compiled>);

#[derive(Debug, Default)]
struct Compiled {
    texts: Vec<String>,
    vocabulary: Vocabulary,
    set: PhraseSet,
}

/// What is wrong with one of several phrases.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("phrase {}: {message}; {help}", .index + 1)]
pub struct PhraseMistake {
    /// Which of the phrases, counted from 0.
    pub index: usize,
    /// Where in it, in bytes, on a character bound.
    pub offset: usize,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub help: String,
}

impl Phrases {
    /// Reads phrases. They have no classes, and no `^` and `$`: who looks at a part of a text
    /// cannot tell where the whole begins. `word~` takes English forms.
    ///
    /// # Errors
    /// Gives every mistake.
    pub fn parse<S: AsRef<str>>(texts: &[S]) -> Result<Self, Vec<PhraseMistake>> {
        // What words are common decides on speed alone.
        let language = Language::English;
        let mut compiled = Compiled::default();
        let mut set = Growing::default();
        let mut wrong = Vec::new();
        for (index, text) in texts.iter().enumerate() {
            let text = text.as_ref();
            match read(text, language) {
                Ok(phrase) => set.add(&phrase, language, &mut compiled.vocabulary),
                Err((offset, message, help)) => {
                    wrong.push(PhraseMistake { index, offset, message, help });
                }
            }
            compiled.texts.push(text.to_owned());
        }
        compiled.set = set.finish();
        compiled.vocabulary.forget_shared();
        if wrong.is_empty() { Ok(Self(Arc::new(compiled))) } else { Err(wrong) }
    }

    /// Finds where the phrases stand, in bytes of the text; linear in its length. Disguises are not
    /// seen through.
    #[must_use]
    pub fn spans(&self, text: &str) -> Vec<Range<usize>> {
        let view = View::plain(&Words::of(matcher::read(text)), &self.0.vocabulary);
        let mut spans = Vec::new();
        for token in 0..view.len() {
            self.0.set.at(&view, token, |_, span| {
                spans.extend(view.bytes(&span).map(|(start, end)| start..end));
            });
        }
        spans
    }
}

impl PartialEq for Phrases {
    fn eq(&self, other: &Self) -> bool {
        self.0.texts == other.0.texts
    }
}

impl Eq for Phrases {}

fn read(text: &str, language: Language) -> Result<Phrase, (usize, String, String)> {
    if let Some(offset) = text.find('[') {
        let message = format!("\"{text}\": there are no classes here");
        return Err((offset, message, "write the words out, as (one|other)".to_owned()));
    }
    let phrase = Phrase::parse(text, &Classes::new(language))
        .map_err(|wrong| (wrong.offset, format!("\"{text}\": {}", wrong.message), wrong.help))?;
    if phrase.items.iter().any(|item| matches!(item, Item::Start | Item::End)) {
        let message = format!("\"{text}\": no ^ and $ here");
        let help = "leave it out: the phrase counts wherever it stands".to_owned();
        return Err((text.find(['^', '$']).unwrap_or(0), message, help));
    }
    Ok(phrase)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn phrases_are_found_where_they_stand() {
        let phrases = Phrases::parse(&["of mice and men", "kill~ the (pig|beast)"]).unwrap();
        let text = "“Of Mice and Mén”: they killed the pig";
        let found: Vec<&str> = phrases.spans(text).into_iter().map(|it| &text[it]).collect();
        assert_eq!(found, ["Of Mice and Mén", "killed the pig"]);
        assert!(phrases.spans("k1ll the p1g").is_empty());
        assert!(Phrases::default().spans(text).is_empty());
    }

    #[test]
    fn every_mistake_is_told_with_its_place() {
        let wrong =
            Phrases::parse(&["fine", "kill [study]", "^ kill", "kill (me", ""]).unwrap_err();
        let told: Vec<(usize, usize)> = wrong.iter().map(|it| (it.index, it.offset)).collect();
        assert_eq!(told, [(1, 5), (2, 0), (3, 5), (4, 0)]);
        assert_eq!(
            wrong[0].to_string(),
            "phrase 2: \"kill [study]\": there are no classes here; write the words out, as (one|other)"
        );
    }

    proptest! {
        #[test]
        fn spans_are_on_character_bounds(text in "(\\PC|kill|me| ){0,20}") {
            for span in Phrases::parse(&["kill <2> me"]).unwrap().spans(&text) {
                prop_assert!(text.get(span).is_some_and(|it| it.to_lowercase().contains("kill")));
            }
        }
    }
}
