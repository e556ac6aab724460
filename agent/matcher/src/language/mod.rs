//! What the engine knows of a language: its commonest words, and the classes every pack of that
//! language may use.
//!
//! A further language is one more value of [`Language`] and a module with its tables; packs of several languages
//! live in one matcher side by side.

mod english;
mod inflection;
mod polish;
mod urdu;
mod welsh;

use std::str::FromStr;

pub(crate) use inflection::Refusal;

/// A language that packs may be written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Language {
    English,
    Welsh,
    Polish,
    /// In its own script and in Latin letters.
    Urdu,
}

/// A word class that every pack of a language may name in `[brackets]`.
pub(crate) struct BuiltInClass {
    pub(crate) name: &'static str,
    pub(crate) phrases: &'static [&'static str],
}

/// Joins two lists, for a class that holds another.
const fn join<const N: usize>(
    first: &[&'static str],
    second: &[&'static str],
) -> [&'static str; N] {
    let mut all = [""; N];
    let mut at = 0;
    while at < N {
        all[at] = if at < first.len() { first[at] } else { second[at - first.len()] };
        at += 1;
    }
    all
}

/// The class that says "the writer speaks of themselves" (`first_person = true`).
pub(crate) const FIRST_PERSON: &str = "first_person";
/// The class that says "the writer is the one who acts or suffers": unlike "my", none of these
/// stands in a sentence that is about somebody else alone ("my friend wants to …").
pub(crate) const SUBJECT: &str = "i";
/// The class that says "somebody else is spoken of" (`about_other`).
pub(crate) const OTHER_PERSON: &str = "other_person";
/// The class that turns a phrase into its opposite (`negation`).
pub(crate) const NEGATION: &str = "negation";

/// Words of [`SUBJECT`] that are something else where they stand so ("is ill", "student id").
pub(crate) const NO_SUBJECT: &str = "no_subject";
/// What a sentence says in which the writer does something to themselves.
pub(crate) const OWN_SELF: &str = "own_self";
/// The same of somebody else.
pub(crate) const OTHER_SELF: &str = "other_self";
/// What joins clauses and persons.
pub(crate) const CONJUNCTION: &str = "conjunction";
/// Words after which what is denied is over ("not okay, …").
pub(crate) const NEGATION_ENDS: &str = "negation_ends";
/// Turns of phrase with a word of [`NEGATION`] that deny nothing ("why not …").
pub(crate) const NO_NEGATION: &str = "no_negation";
/// The words of [`NEGATION`] that [`MORE_THAN_EVER`] makes stronger instead.
pub(crate) const NEVER: &str = "never";
/// What makes a "never" say "more than ever".
pub(crate) const MORE_THAN_EVER: &str = "more_than_ever";
/// The class that says "asks how, where, how much" (`seeks_method = true`).
pub(crate) const METHOD: &str = "how";

impl FromStr for Language {
    type Err = ();

    fn from_str(name: &str) -> Result<Self, ()> {
        match name {
            "en" => Ok(Self::English),
            "cy" => Ok(Self::Welsh),
            "pl" => Ok(Self::Polish),
            "ur" => Ok(Self::Urdu),
            _ => Err(()),
        }
    }
}

impl Language {
    /// Names the codes that `language` takes, for messages.
    pub(crate) const EXPECTED: &str = "\"en\", \"cy\", \"pl\" or \"ur\"";

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Welsh => "cy",
            Self::Polish => "pl",
            Self::Urdu => "ur",
        }
    }

    pub(crate) const fn classes(self) -> &'static [BuiltInClass] {
        match self {
            Self::English => english::CLASSES,
            Self::Welsh => welsh::CLASSES,
            Self::Polish => polish::CLASSES,
            Self::Urdu => urdu::CLASSES,
        }
    }

    /// Gives the classes that only the engine looks at: packs cannot name them and may use the
    /// names. A language may do without any of them.
    pub(crate) const fn turns(self) -> &'static [BuiltInClass] {
        match self {
            Self::English => english::TURNS,
            Self::Welsh => welsh::TURNS,
            Self::Polish => polish::TURNS,
            Self::Urdu => urdu::TURNS,
        }
    }

    /// Gives every form of a word, itself first, or why it has none; nothing for a language whose
    /// forms no rules are written for.
    pub(crate) fn forms(self, word: &str) -> Option<Result<Vec<String>, Refusal>> {
        match self {
            Self::English => Some(inflection::forms(word)),
            Self::Welsh | Self::Polish | Self::Urdu => None,
        }
    }

    /// Says whether nearly every text holds this word, so that no phrase should hang on it.
    pub(crate) fn is_common(self, word: &str) -> bool {
        self.common().binary_search(&word).is_ok()
    }

    /// The commonest words, folded as [`crate::fold`] folds texts.
    const fn common(self) -> &'static [&'static str] {
        match self {
            Self::English => english::COMMON,
            Self::Welsh => welsh::COMMON,
            Self::Polish => polish::COMMON,
            Self::Urdu => urdu::COMMON,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::phrase::Classes;
    use crate::words::Words;

    const ALL: [Language; 4] =
        [Language::English, Language::Welsh, Language::Polish, Language::Urdu];

    /// The classes that conditions speak of, and those that the README offers to every pack.
    const OFFERED: [&str; 13] = [
        FIRST_PERSON,
        SUBJECT,
        OTHER_PERSON,
        NEGATION,
        METHOD,
        "self",
        "study",
        "coursework",
        "fiction",
        "catalogue",
        "game",
        "support",
        "looking_for_help",
    ];

    #[test]
    fn every_language_has_the_classes_that_packs_may_name() {
        for language in ALL {
            for name in OFFERED {
                let found = language.classes().iter().filter(|class| class.name == name).count();
                assert_eq!(found, 1, "{} {name}", language.as_str());
            }
            assert_eq!(language.as_str().parse(), Ok(language));
            assert!(Language::EXPECTED.contains(&format!("\"{}\"", language.as_str())));
        }
    }

    #[test]
    fn every_entry_of_a_class_is_words() {
        for language in ALL {
            for class in language.classes() {
                for entry in class.phrases {
                    let read = crate::phrase::runs_of_words(entry, &Classes::new(language));
                    assert!(read.is_ok(), "{} {}: {entry}", language.as_str(), class.name);
                }
            }
        }
    }

    #[test]
    fn the_commonest_words_are_written_as_texts_are_folded() {
        for language in ALL {
            for word in language.common() {
                let folded: Vec<String> = Words::of(word).texts().map(str::to_owned).collect();
                assert_eq!(folded, [*word], "{}", language.as_str());
            }
        }
    }

    #[test]
    fn common_words_are_in_order_for_looking_them_up() {
        for language in ALL {
            assert!(language.common().is_sorted(), "{}", language.as_str());
        }
        assert!(Language::English.is_common("the") && !Language::English.is_common("theft"));
    }
}
