//! What of a text may be a sign: words, and runs of two and three.
//!
//! Each feature is written as a phrase of a pack and is found where the engine finds that phrase: words are folded by
//! the matcher itself, and none reaches beyond a sentence.

use std::collections::HashMap;

use redshank_matcher::{PART_SEPARATOR, normalise};

use super::forbidden::is_forbidden;

/// The longest word that is taken, in bytes: a phrase takes up to 63, and what is longer is no word.
const LONGEST_WORD: usize = 40;

/// The number of a word with a [`Reader`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Token(u32);

/// What may be a sign. Only the [`Reader`] that made it knows its words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Feature {
    /// A word.
    One(Token),
    /// One directly after the other.
    Two(Token, Token),
    /// Three in a row.
    Three(Token, Token, Token),
}

/// Reads texts into features.
#[derive(Debug, Default)]
pub struct Reader {
    numbers: HashMap<String, Token>,
    tokens: Vec<Kind>,
}

#[derive(Debug)]
struct Kind {
    written: String,
    never: bool,
}

impl Reader {
    /// Gives the features of a text, each once, in order.
    pub fn features(&mut self, text: &str) -> Vec<Feature> {
        let mut features = Vec::new();
        for sentence in sentences(text) {
            let words = normalise(sentence);
            let words: Vec<Token> =
                words.split(' ').filter(|it| !it.is_empty()).map(|it| self.token(it)).collect();
            features.extend(words.iter().copied().map(Feature::One));
            features.extend(words.array_windows().map(|[a, b]| Feature::Two(*a, *b)));
            features.extend(words.array_windows().map(|[a, b, c]| Feature::Three(*a, *b, *c)));
        }
        features.sort_unstable();
        features.dedup();
        features
    }

    /// Writes a feature as a phrase of a pack.
    #[must_use]
    pub fn written(&self, feature: Feature) -> String {
        let name = |token| self.kind(token).map_or("", |kind| kind.written.as_str());
        match feature {
            Feature::One(a) => name(a).to_owned(),
            Feature::Two(a, b) => format!("{} {}", name(a), name(b)),
            Feature::Three(a, b, c) => format!("{} {} {}", name(a), name(b), name(c)),
        }
    }

    /// Says whether a rule may have it: no word of it tells who somebody is, or is no word at all.
    #[must_use]
    pub fn may_be_sign(&self, feature: Feature) -> bool {
        let may = |token| self.kind(token).is_some_and(|kind| !kind.never);
        match feature {
            Feature::One(a) => may(a),
            Feature::Two(a, b) => may(a) && may(b),
            Feature::Three(a, b, c) => may(a) && may(b) && may(c),
        }
    }

    fn token(&mut self, written: &str) -> Token {
        if let Some(token) = self.numbers.get(written) {
            return *token;
        }
        // There is no text with four thousand million words.
        let token = Token(u32::try_from(self.tokens.len()).unwrap_or(u32::MAX));
        self.tokens.push(Kind {
            written: written.to_owned(),
            never: is_forbidden(written) || written.len() > LONGEST_WORD,
        });
        self.numbers.insert(written.to_owned(), token);
        token
    }

    fn kind(&self, token: Token) -> Option<&Kind> {
        self.tokens.get(token.0 as usize)
    }
}

/// Cuts a text where the engine ends a sentence: at a full stop, question mark and the like before a blank, at an
/// empty line, and at [`PART_SEPARATOR`]. Marks that the engine folds to these (full-width ones) are not known here:
/// English texts have none.
fn sentences(text: &str) -> Vec<&str> {
    let mut sentences = Vec::new();
    let (mut from, mut stop, mut newlines) = (0, false, 0);
    for (at, c) in text.char_indices() {
        newlines = if c.is_whitespace() { newlines + usize::from(c == '\n') } else { 0 };
        if c == PART_SEPARATOR || newlines > 1 || (stop && c.is_whitespace()) {
            sentences.extend(text.get(from..at));
            from = at;
        }
        stop = matches!(c, '.' | '!' | '?' | ';' | '|' | '…' | '。' | '۔' | '؟');
    }
    sentences.extend(text.get(from..));
    sentences
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use redshank_matcher::{Matcher, Pack, Place};

    use super::*;

    /// Rules in a pack that is tried: it may have 500.
    const RULES: usize = 400;
    const TEXTS: &[&str] = &[
        "I don't want my mum to find me. Not ever!",
        "he said “no.” then left; dad was NOT there…  why",
        "self-harm/cutting 5 times a day\n\nnew paragraph\nsame one",
        "Zoë’s mum: 'leave it'. 100% over 💊 it? ok.no blank",
        "dogs'. x | y\u{1E}z not mum dont dad",
    ];

    #[test]
    fn features_are_words_and_runs() {
        let mut reader = reader();
        let mut written = written(&mut reader, "My mum left. The end");
        written.sort();
        let mut expected =
            vec!["my", "mum", "left", "my mum", "mum left", "my mum left", "the", "end", "the end"];
        expected.sort_unstable();
        assert_eq!(written, expected);
    }

    #[test]
    fn the_engine_finds_a_feature_as_a_phrase_where_it_is_one_and_nowhere_else() {
        let own: Vec<Vec<String>> = TEXTS.iter().map(|it| written(&mut reader(), it)).collect();
        let all: Vec<&String> = own.iter().flatten().collect::<BTreeSet<_>>().into_iter().collect();
        for some in all.chunks(RULES) {
            let matcher = matcher(some);
            for (text, own) in TEXTS.iter().zip(&own) {
                let found = matcher.find(text, Place::Typed).matches;
                for (number, phrase) in some.iter().enumerate() {
                    let id = format!("wellbeing.sign_{number}");
                    let is_found = found.iter().any(|it| *it.rule == *id);
                    assert_eq!(is_found, own.contains(phrase), "{phrase:?} in {text:?}");
                }
            }
        }
    }

    #[test]
    fn who_somebody_is_is_no_sign() {
        let mut reader = reader();
        let features = reader.features("gay mum waits prays prayer");
        let may: Vec<String> = features
            .iter()
            .filter(|it| reader.may_be_sign(**it))
            .map(|it| reader.written(*it))
            .collect();
        assert!(may.contains(&"mum waits".to_owned()));
        assert!(may.iter().all(|it| !it.contains("gay") && !it.contains("pray")), "{may:?}");
    }

    fn reader() -> Reader {
        Reader::default()
    }

    fn written(reader: &mut Reader, text: &str) -> Vec<String> {
        reader.features(text).into_iter().map(|it| reader.written(it)).collect()
    }

    /// Makes a rule of each phrase.
    fn matcher(phrases: &[&String]) -> Matcher {
        let mut pack = String::from(
            "format = 1\ncategory = \"wellbeing\"\nlanguage = \"en\"\nversion = 1\nreviewed = \"no\"\n",
        );
        for (number, phrase) in phrases.iter().enumerate() {
            pack += &format!(
                "[[rule]]\nid = \"wellbeing.sign_{number}\"\nseverity = 3\nnote = \"A sign that is tried.\"\n\
                 places = [\"search\", \"typed\"]\npoints = 1\n[rule.signs]\n\"{phrase}\" = 1\n"
            );
        }
        let pack = Pack::parse("en/wellbeing.toml", &pack).unwrap();
        Matcher::compile(&[pack]).unwrap()
    }
}
