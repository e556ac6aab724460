//! What the engine knows of a language: its commonest words, and the classes every pack of that
//! language may use.
//!
//! A further language is one more value of [`Language`] and a module with its tables; packs of several languages
//! live in one matcher side by side.

mod english;
mod inflection;

use std::str::FromStr;

pub(crate) use inflection::Refusal;

/// A language that packs may be written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Language {
    English,
}

/// A word class that every pack of a language may name in `[brackets]`.
pub(crate) struct BuiltInClass {
    pub(crate) name: &'static str,
    pub(crate) phrases: &'static [&'static str],
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
            _ => Err(()),
        }
    }
}

impl Language {
    /// Names the codes that `language` takes, for messages.
    pub(crate) const EXPECTED: &str = "\"en\"";

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::English => "en",
        }
    }

    pub(crate) const fn classes(self) -> &'static [BuiltInClass] {
        match self {
            Self::English => english::CLASSES,
        }
    }

    /// Gives the classes that only the engine looks at: packs cannot name them and may use the
    /// names. A language may do without any of them.
    pub(crate) const fn turns(self) -> &'static [BuiltInClass] {
        match self {
            Self::English => english::TURNS,
        }
    }

    /// Gives every form of a word, itself first, or why it has none; nothing for a language whose
    /// forms no rules are written for.
    pub(crate) fn forms(self, word: &str) -> Option<Result<Vec<String>, Refusal>> {
        match self {
            Self::English => Some(inflection::forms(word)),
        }
    }

    /// Says whether nearly every text holds this word, so that no phrase should hang on it.
    pub(crate) fn is_common(self, word: &str) -> bool {
        match self {
            Self::English => english::COMMON.binary_search(&word).is_ok(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn common_words_are_in_order_for_looking_them_up() {
        assert!(english::COMMON.is_sorted());
        assert!(Language::English.is_common("the") && !Language::English.is_common("theft"));
    }
}
