//! Phrases written for other engines, so that they can be compared with this one on the same
//! packs: `cargo bench -p redshank-matcher`.

use crate::anchor::anchors;
use crate::pack::Pack;
use crate::phrase::{Item, Pattern, Phrase};

/// A phrase of a pack, for an engine that reads regular expressions or literal texts.
///
/// It says what the phrase says of plain ASCII text that is written without tricks: words, order,
/// alternatives and gaps. It knows no disguise, no apostrophe inside a word, no sentence and no
/// condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expression {
    /// A regular expression in the syntax that PCRE and the `regex` crate share, to be read
    /// without regard to case. Words are bounded, and anything but letters and digits parts them.
    pub regex: String,
    /// The words of which every text that holds the phrase has one, the rarest there are.
    pub anchors: Vec<String>,
}

impl Pack {
    /// Gives the phrases of all its rules, those of conditions left out.
    #[must_use]
    pub fn expressions(&self) -> Vec<Expression> {
        let phrases = self.rules.iter().flat_map(|rule| &rule.phrases);
        phrases
            .map(|phrase| Expression {
                regex: regex(phrase),
                anchors: anchors(phrase, self.language)
                    .into_iter()
                    .map(|pattern| pattern.word.to_string())
                    .collect(),
            })
            .collect()
    }
}

/// What stands between two words in [`Expression::regex`].
pub const BETWEEN_WORDS: &str = "[^0-9A-Za-z]+";
const WORD: &str = "[0-9A-Za-z]+";

fn regex(phrase: &Phrase) -> String {
    let mut regex = String::from("\\b");
    let mut first = true;
    for item in &phrase.items {
        match item {
            Item::Start => regex = String::from("^[^0-9A-Za-z]*"),
            Item::End => regex.push_str("[^0-9A-Za-z]*$"),
            Item::Gap { min, max } => {
                regex.push_str(&format!("(?:{BETWEEN_WORDS}{WORD}){{{min},{max}}}"));
            }
            Item::Choice { alternatives, optional } => {
                let between = if first { "" } else { BETWEEN_WORDS };
                let runs: Vec<String> = alternatives.iter().map(run_regex).collect();
                let mark = if *optional { "?" } else { "" };
                regex.push_str(&format!("(?:{between}(?:{})){mark}", runs.join("|")));
                first = false;
            }
        }
    }
    if phrase.items.last() != Some(&Item::End) {
        regex.push_str("\\b");
    }
    regex
}

fn run_regex(run: &[Pattern]) -> String {
    let words = run.iter().map(|pattern| {
        // Letters and digits alone: nothing to escape.
        let rest = if pattern.prefix { "[0-9A-Za-z]*" } else { "" };
        format!("{}{rest}", pattern.word)
    });
    words.collect::<Vec<_>>().join(BETWEEN_WORDS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::Language;
    use crate::phrase::Classes;

    #[test]
    fn a_phrase_says_the_same_to_other_engines() {
        for (phrase, hits, misses) in [
            ("kill myself", vec!["kill, MYSELF"], vec!["kill me", "skill myself", "kill myselfs"]),
            ("kill* <2> (me|my dog)", vec!["killing me", "kills all of me"], vec!["kill my cat"]),
            ("i really? want", vec!["i want", "i really want"], vec!["i very want"]),
            ("^ free _ vpn $", vec![" free good vpn."], vec!["a free good vpn", "free vpn"]),
        ] {
            let phrase = Phrase::parse(phrase, &Classes::new(Language::English)).unwrap();
            let regex =
                regex::RegexBuilder::new(&regex(&phrase)).case_insensitive(true).build().unwrap();
            for (text, expected) in
                hits.iter().map(|hit| (hit, true)).chain(misses.iter().map(|miss| (miss, false)))
            {
                assert_eq!(regex.is_match(text), expected, "{regex} on {text:?}");
            }
        }
    }
}
