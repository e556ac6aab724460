//! Of whom a sentence speaks, whether it denies what it says, and whether it asks how.
//!
//! All by the built-in classes of a language, within a bounded number of words of a hit; a language
//! without a class does without what it is for.
//!
//! # About somebody else
//! The hit's own words decide first: "himself" is somebody else, "myself" or "I" the writer. Then
//! the nearest person before it, as the one who acts: "I think my *friend* wants to …", "my mum
//! knows that *I* want to …". Past an "and" or "but" the writer is looked for further back ("I love
//! him and want to …"), and "me and my friend" holds the writer too. Only a sentence that names
//! nobody before the hit is judged by what follows it. In doubt it is the writer.
//!
//! # Negation
//! It counts where it can turn the hit: before it, with nobody named in between ("I do not want to
//! …", not "I do not care, I want to …"), or in the gap after the hit's own subject ("I didn't take
//! …"), unless the phrase is itself about a negation ("I don't want to live"). Words that end what
//! is denied break it ("not okay, want to …"), and so do turns of phrase that deny nothing ("why
//! not …", "can't promise I won't …", "never wanted to … more").

use std::ops::Range;

use crate::language::{self, Language};
use crate::phrase::{Alternatives, Classes, Item, Phrase, of_entries};
use crate::phrase_set::PhraseSet;
use crate::stored::{Reader, Unreadable, Writer};
use crate::view::View;
use crate::vocabulary::Vocabulary;

/// How far before a hit a negation turns it, in words.
const NEGATION_WINDOW: usize = 4;
/// How far round a negation a turn of phrase reaches that denies nothing.
const TURN_WINDOW: usize = 4;
/// How far behind a hit "more than ever" may stand.
const MORE_WINDOW: usize = 5;
/// How far before a person "me and my" may begin.
const COMPANY: usize = 3;

/// The built-in classes of a language that conditions speak of.
#[derive(Debug)]
pub(crate) struct Persons {
    first: PhraseSet,
    subject: PhraseSet,
    no_subject: PhraseSet,
    own_self: PhraseSet,
    other: PhraseSet,
    other_self: PhraseSet,
    conjunction: PhraseSet,
    negation: PhraseSet,
    negation_ends: PhraseSet,
    no_negation: PhraseSet,
    never: PhraseSet,
    more_than_ever: PhraseSet,
    method: PhraseSet,
}

impl Persons {
    pub(crate) fn of(language: Language, vocabulary: &mut Vocabulary) -> Self {
        let written = Classes::new(language);
        let mut class = |name: &str| {
            let classes = language.classes().iter().chain(language.turns());
            let runs = classes.filter(|class| class.name == name);
            let mut alternatives = Alternatives::default();
            runs.for_each(|class| alternatives.append(&of_entries(class.phrases, &written)));
            let item = Item::Choice { alternatives: alternatives.into(), optional: false };
            PhraseSet::of(&[Phrase { items: vec![item] }], language, vocabulary)
        };
        Self {
            first: class(language::FIRST_PERSON),
            subject: class(language::SUBJECT),
            no_subject: class(language::NO_SUBJECT),
            own_self: class(language::OWN_SELF),
            other: class(language::OTHER_PERSON),
            other_self: class(language::OTHER_SELF),
            conjunction: class(language::CONJUNCTION),
            negation: class(language::NEGATION),
            negation_ends: class(language::NEGATION_ENDS),
            no_negation: class(language::NO_NEGATION),
            never: class(language::NEVER),
            more_than_ever: class(language::MORE_THAN_EVER),
            method: class(language::METHOD),
        }
    }

    pub(crate) fn write(&self, out: &mut Writer) {
        let Self { first, subject, no_subject, own_self, other, other_self, .. } = self;
        let Self { conjunction, negation, negation_ends, no_negation, .. } = self;
        let Self { never, more_than_ever, method, .. } = self;
        let sets = [first, subject, no_subject, own_self, other, other_self, conjunction, negation];
        let more = [negation_ends, no_negation, never, more_than_ever, method];
        sets.into_iter().chain(more).for_each(|set| set.write(out));
    }

    pub(crate) fn read(from: &mut Reader<'_>) -> Result<Self, Unreadable> {
        let mut set = || PhraseSet::read(from);
        Ok(Self {
            first: set()?,
            subject: set()?,
            no_subject: set()?,
            own_self: set()?,
            other: set()?,
            other_self: set()?,
            conjunction: set()?,
            negation: set()?,
            negation_ends: set()?,
            no_negation: set()?,
            never: set()?,
            more_than_ever: set()?,
            method: set()?,
        })
    }

    /// Says whether the writer is named at all.
    pub(crate) fn is_first(&self, view: &View<'_>, range: &Range<usize>) -> bool {
        self.first.is_within(view, range)
    }

    /// Says whether these words ask for a method.
    pub(crate) fn ask_how(&self, view: &View<'_>, range: &Range<usize>) -> bool {
        self.method.is_within(view, range)
    }

    /// Says whether a hit is about somebody else, as far as its sentence tells.
    pub(crate) fn are_about_other(
        &self,
        view: &View<'_>,
        span: &Range<usize>,
        sentence: &Range<usize>,
    ) -> bool {
        if self.own_self.is_within(view, span) {
            return false;
        }
        if self.other_self.is_within(view, span) {
            return true;
        }
        if span.clone().any(|token| self.is_writer(view, token)) {
            return false;
        }
        let mut joined = false;
        for token in (sentence.start..span.start).rev() {
            if self.is_writer(view, token) {
                return false;
            }
            if self.is_other(view, token) {
                let earlier = if joined { sentence.start } else { token.saturating_sub(COMPANY) };
                return !self.is_in_company(view, earlier..token, joined);
            }
            joined |= self.conjunction.is_within(view, &(token..token + 1));
        }
        let mut after = span.end..sentence.end;
        !after.clone().any(|token| self.is_writer(view, token))
            && after.any(|token| self.is_other(view, token))
    }

    /// Says whether the writer acts in these words before somebody else: anywhere, if another
    /// clause follows; otherwise only joined by "and".
    fn is_in_company(&self, view: &View<'_>, before: Range<usize>, joined: bool) -> bool {
        before.clone().any(|token| {
            self.is_writer(view, token)
                && (joined || self.conjunction.is_within(view, &(token + 1..token + 2)))
        })
    }

    /// Says whether a negation turns a hit. `opening` is how many of its words a negation may stand
    /// among.
    pub(crate) fn negate(&self, view: &View<'_>, span: &Range<usize>, opening: usize) -> bool {
        let before = view.within_sentence(span, NEGATION_WINDOW, 0).start;
        let after_persons = (before..=span.start)
            .rev()
            .find(|token| self.is_somebody(view, *token))
            .map_or(before, |person| person + 1);
        let inside = span.start..span.end.min(span.start + opening);
        [after_persons..span.start, inside].into_iter().any(|range| {
            range.clone().any(|token| {
                let rest = token..range.end;
                self.is_negation(view, token, range.end)
                    && !self.negation_ends.is_within(view, &rest)
                    && !self.denies_nothing(view, token, span)
            })
        })
    }

    /// Says whether a negation begins here: one word, or two as "no longer".
    fn is_negation(&self, view: &View<'_>, token: usize, end: usize) -> bool {
        let within = |range: Range<usize>| self.negation.is_within(view, &range);
        within(token..token + 1)
            || (token + 2 <= end && within(token..token + 2) && !within(token + 1..token + 2))
    }

    fn denies_nothing(&self, view: &View<'_>, negation: usize, span: &Range<usize>) -> bool {
        let around = view.around(&(negation..negation + 1), TURN_WINDOW, TURN_WINDOW);
        self.no_negation.is_within(view, &around)
            || (self.never.is_within(view, &(negation..negation + 1))
                && self.more_than_ever.is_within(view, &{
                    let after = view.within_sentence(span, 0, MORE_WINDOW);
                    span.end..after.end
                }))
    }

    /// Says whether a word is the writer who acts: "ill" may be "I'll", and is not in "is ill".
    fn is_writer(&self, view: &View<'_>, token: usize) -> bool {
        self.subject.is_within(view, &(token..token + 1))
            && !self.no_subject.is_within(view, &view.around(&(token..token + 1), 1, 1))
    }

    fn is_other(&self, view: &View<'_>, token: usize) -> bool {
        self.other.is_within(view, &(token..token + 1))
    }

    fn is_somebody(&self, view: &View<'_>, token: usize) -> bool {
        self.first.is_within(view, &(token..token + 1)) || self.is_other(view, token)
    }
}

/// Gives how many words of a hit a negation may stand among: those up to the end of the phrase's
/// first gap, none if the phrase writes a negation of its own.
pub(crate) fn opening(phrase: &Phrase, language: Language) -> usize {
    let negations: Vec<&str> = language
        .classes()
        .iter()
        .filter(|class| class.name == language::NEGATION)
        .flat_map(|class| class.phrases.iter().copied())
        .collect();
    let negates = |item: &Item| match item {
        Item::Choice { alternatives, .. } => {
            alternatives.words().iter().any(|it| negations.contains(&&*it.word))
        }
        Item::Start | Item::End | Item::Gap { .. } => false,
    };
    let gap = phrase.items.iter().position(|item| matches!(item, Item::Gap { .. }));
    match gap {
        Some(gap) if !phrase.items.iter().any(negates) => {
            phrase.items.iter().take(gap + 1).map(Item::longest).sum()
        }
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::Words;

    #[test]
    fn a_hit_is_about_who_acts_in_it() {
        for (text, other) in [
            ("i want to die", false),
            ("my friend wants to die", true),
            ("my friend wants to kill himself", true),
            ("my friend told me he wants to die", true),
            ("i think my friend wants to die", true),
            ("i told my mum i want to die", false),
            ("my mum knows that i want to die", false),
            ("he makes me want to die", false),
            ("everyone hates me want to die", false),
            ("me and my friend want to die", false),
            ("she and i want to die", false),
            ("i love him and want to die", false),
            ("i cried and my friend wants to die", true),
            ("my friend is sad and wants to die", true),
            ("my mum is ill and wants to die", true),
            ("my mum is mentally ill wants to die", true),
            ("ill be alone and want to die", false),
            ("she told me to kill myself", false),
            ("he said i should kill myself", false),
            ("how do people kill themselves", true),
            ("want to die my friend", true),
            ("want to die she left me", false),
            ("want to die", false),
            ("my friend left. want to die", false),
        ] {
            let (view, span, persons) = hit(text);
            let sentence = view.within_sentence(&span, 8, 8);
            assert_eq!(persons.are_about_other(&view, &span, &sentence), other, "{text}");
        }
    }

    #[test]
    fn a_negation_counts_where_it_turns_the_hit() {
        for (text, negated) in [
            ("i dont want to die", true),
            ("i do not really want to die", true),
            ("i would never kill myself", true),
            ("im not going to kill myself", true),
            ("i havent tried to kill myself", true),
            ("i no longer want to die", true),
            ("i never said that i want to die", false),
            ("i dont care anymore want to die", false),
            ("im not okay want to die", false),
            ("not gonna lie want to die", false),
            ("not joking want to die", false),
            ("i cant sleep and want to die", false),
            ("i do not sleep and want to die", false),
            ("why not kill myself", false),
            ("why not just kill myself", false),
            ("i cant promise i wont kill myself", false),
            ("if i dont kill myself", false),
            ("i wish i didnt want to die", false),
            ("i have never wanted to die more", false),
            ("i have never wanted to die so much", false),
            ("i have never wanted to die", true),
            ("dont stop me i want to die", false),
            ("dont make me kill myself", false),
            ("not today. want to die", false),
        ] {
            let (view, span, persons) = hit(text);
            assert_eq!(persons.negate(&view, &span, 0), negated, "{text}");
        }
    }

    /// Reads a text, and finds in it that somebody wants to die or kills somebody.
    fn hit(text: &str) -> (View<'static>, Range<usize>, Persons) {
        let mut vocabulary = Vocabulary::default();
        let persons = Persons::of(Language::English, &mut vocabulary);
        let classes = Classes::new(Language::English);
        let phrases = ["want~ to die", "kill~ (myself|himself|themselves)"]
            .map(|text| Phrase::parse(text, &classes).unwrap());
        let set = PhraseSet::of(&phrases, Language::English, &mut vocabulary);
        let view = View::plain(&Words::of(text), &vocabulary);
        let mut spans = Vec::new();
        for token in 0..view.len() {
            set.at(&view, token, |_, span| spans.push(span));
        }
        let span = spans.pop().unwrap_or_else(|| panic!("no hit in {text:?}"));
        (view, span, persons)
    }
}
