//! What a rule makes of a hit: whether its conditions hold, and how grave the match is.
//!
//! Conditions look at a bounded number of words round the hit. In running prose (typed text and
//! pages) `unless`, `maybe` and the persons of a sentence do not reach into the next sentence; a
//! search, a title or a path is read as a whole.
//!
//! `unless` drops a match, `maybe` lowers it and says why: a word that often makes a text harmless
//! must not silence a child who uses it in earnest.
//!
//! A negation counts where it can turn the hit: before it, with nobody named in between ("I do not
//! want to …", not "I do not care, I want to …"), or in the gap after the hit's own subject ("I
//! didn't take …"), unless the phrase is itself about a negation ("I don't want to live").

use std::ops::Range;
use std::sync::Arc;

use crate::category::{Category, Place, Severity};
use crate::language::{FIRST_PERSON, Language, NEGATION, OTHER_PERSON, SUBJECT};
use crate::pack::{self, Effect, Pack};
use crate::phrase::{Item, Phrase};
use crate::phrase_set::PhraseSet;
use crate::view::View;
use crate::vocabulary::Vocabulary;

/// How far from a hit a benign context counts, in words.
const UNLESS_WINDOW: usize = 12;
/// How many grades a context of `maybe` takes off: what rings at 5 is still looked at within days.
const DOUBT: u8 = 2;
/// How far from a hit the person that a sentence speaks of is looked for, in words.
const PERSON_WINDOW: usize = 8;
/// How far before a hit a negation turns it.
const NEGATION_WINDOW: usize = 4;
/// The farthest that any condition looks from a hit, in words.
pub(crate) const FARTHEST: usize = 50;

/// A rule, compiled.
#[derive(Debug)]
pub(crate) struct Rule {
    pub(crate) id: Arc<str>,
    pub(crate) category: Category,
    pub(crate) note: String,
    severity: Severity,
    places: u8,
    near: Option<(PhraseSet, usize)>,
    unless: PhraseSet,
    maybe: Vec<(String, PhraseSet)>,
    first_person: bool,
    about_other: Effect,
    negation: Effect,
    adjustments: Vec<Adjustment>,
    persons: Arc<Persons>,
}

#[derive(Debug)]
struct Adjustment {
    reason: String,
    up: bool,
    by: u8,
    phrases: Option<(PhraseSet, usize)>,
    first_person: bool,
    places: u8,
}

/// The built-in classes of a language that conditions speak of.
#[derive(Debug)]
pub(crate) struct Persons {
    first: PhraseSet,
    subject: PhraseSet,
    other: PhraseSet,
    negation: PhraseSet,
}

/// What a rule says of a hit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub(crate) severity: Severity,
    pub(crate) reasons: Vec<String>,
}

impl Rule {
    pub(crate) fn of(
        pack: &Pack,
        rule: &pack::Rule,
        persons: &Arc<Persons>,
        vocabulary: &mut Vocabulary,
    ) -> Self {
        let mut set = |phrases: &[Phrase]| PhraseSet::of(phrases, pack.language, vocabulary);
        Self {
            id: rule.id.value.as_str().into(),
            category: pack.category,
            note: rule.note.clone(),
            severity: rule.severity,
            places: bits(&rule.places),
            near: (!rule.near.is_empty()).then(|| (set(&rule.near), rule.within)),
            unless: set(&rule.unless),
            maybe: rule
                .maybe
                .iter()
                .map(|it| (it.reason.clone(), set(std::slice::from_ref(&it.phrase))))
                .collect(),
            first_person: rule.first_person,
            about_other: rule.about_other,
            negation: rule.negation,
            adjustments: rule
                .adjustments
                .iter()
                .map(|it| Adjustment {
                    reason: it.reason.clone(),
                    up: it.up,
                    by: it.by,
                    phrases: (!it.phrases.is_empty()).then(|| (set(&it.phrases), it.within)),
                    first_person: it.first_person,
                    places: bits(&it.places),
                })
                .collect(),
            persons: Arc::clone(persons),
        }
    }

    /// Gives the greatest severity that a match of it can have.
    pub(crate) fn gravest(&self) -> Severity {
        let raised = self.adjustments.iter().filter(|it| it.up);
        raised.fold(self.severity, |severity, it| severity.raised(it.by))
    }

    pub(crate) fn looks_at(&self, place: Place) -> bool {
        self.places & place.bit() != 0
    }

    /// Judges a hit; nothing if a condition keeps it from being a match. `opening` is how many of
    /// its words a negation may stand among.
    pub(crate) fn judge(
        &self,
        view: &View<'_>,
        span: &Range<usize>,
        opening: usize,
        place: Place,
    ) -> Option<Verdict> {
        if let Some((near, within)) = &self.near
            && !near.is_within(view, &view.around(span, *within, *within))
        {
            return None;
        }
        let context = match place {
            Place::Typed | Place::PageText => {
                view.within_sentence(span, UNLESS_WINDOW, UNLESS_WINDOW)
            }
            Place::Search | Place::Title | Place::UrlPath | Place::Host | Place::Program => {
                view.around(span, UNLESS_WINDOW, UNLESS_WINDOW)
            }
        };
        if self.unless.is_within(view, &context) {
            return None;
        }
        let sentence = view.within_sentence(span, PERSON_WINDOW, PERSON_WINDOW);
        let first = self.persons.first.is_within(view, &sentence);
        if self.first_person && !first {
            return None;
        }
        let mut verdict = Verdict { severity: self.severity, reasons: Vec::new() };
        if first {
            verdict.reasons.push("in the first person".to_owned());
        }
        let other = || {
            !self.persons.subject.is_within(view, &sentence)
                && self.persons.other.is_within(view, &sentence)
        };
        verdict.apply(self.about_other, "about somebody else", other)?;
        verdict.apply(self.negation, "negated", || self.persons.negate(view, span, opening))?;
        if let Some((reason, _)) = self.maybe.iter().find(|(_, set)| set.is_within(view, &context))
        {
            verdict.severity = verdict.severity.lowered(DOUBT);
            verdict.reasons.push(reason.clone());
        }
        for adjustment in &self.adjustments {
            adjustment.apply(&mut verdict, view, span, place, first);
        }
        Some(verdict)
    }
}

impl Verdict {
    fn apply(&mut self, effect: Effect, reason: &str, holds: impl Fn() -> bool) -> Option<()> {
        match effect {
            Effect::Ignore => Some(()),
            Effect::Drop => (!holds()).then_some(()),
            Effect::Lower => {
                if holds() {
                    self.severity = self.severity.lowered(1);
                    self.reasons.push(reason.to_owned());
                }
                Some(())
            }
        }
    }
}

impl Adjustment {
    fn apply(
        &self,
        verdict: &mut Verdict,
        view: &View<'_>,
        span: &Range<usize>,
        place: Place,
        first: bool,
    ) {
        let said = self.phrases.as_ref().is_none_or(|(phrases, within)| {
            phrases.is_within(view, &view.around(span, *within, *within))
        });
        if said && (first || !self.first_person) && self.places & place.bit() != 0 {
            verdict.severity = if self.up {
                verdict.severity.raised(self.by)
            } else {
                verdict.severity.lowered(self.by)
            };
            verdict.reasons.push(self.reason.clone());
        }
    }
}

impl Persons {
    pub(crate) fn of(language: Language, vocabulary: &mut Vocabulary) -> Self {
        let mut class = |name: &str| {
            let runs = language.classes().iter().filter(|class| class.name == name);
            let alternatives: Vec<_> = runs
                .flat_map(|class| class.phrases)
                .filter_map(|text| crate::phrase::run_of_words(text).ok())
                .collect();
            let item = Item::Choice { alternatives, optional: false };
            PhraseSet::of(&[Phrase { items: vec![item] }], language, vocabulary)
        };
        Self {
            first: class(FIRST_PERSON),
            subject: class(SUBJECT),
            other: class(OTHER_PERSON),
            negation: class(NEGATION),
        }
    }

    /// Says whether a negation turns a hit.
    fn negate(&self, view: &View<'_>, span: &Range<usize>, opening: usize) -> bool {
        let before = view.within_sentence(span, NEGATION_WINDOW, 0).start;
        let after_persons = (before..=span.start)
            .rev()
            .find(|token| self.names_somebody(view, *token))
            .map_or(before, |person| person + 1);
        let inside = span.start..span.end.min(span.start + opening);
        self.negation.is_within(view, &(after_persons..span.start))
            || self.negation.is_within(view, &inside)
    }

    fn names_somebody(&self, view: &View<'_>, token: usize) -> bool {
        let word = token..token + 1;
        self.first.is_within(view, &word) || self.other.is_within(view, &word)
    }
}

/// Gives how many words of a hit a negation may stand among: those up to the end of the phrase's
/// first gap, none if the phrase writes a negation of its own.
pub(crate) fn opening(phrase: &Phrase, language: Language) -> usize {
    let negations: Vec<&str> = language
        .classes()
        .iter()
        .filter(|class| class.name == NEGATION)
        .flat_map(|class| class.phrases.iter().copied())
        .collect();
    let negates = |item: &Item| match item {
        Item::Choice { alternatives, .. } => {
            alternatives.iter().flatten().any(|it| negations.contains(&it.word.as_str()))
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

fn bits(places: &[Place]) -> u8 {
    places.iter().fold(0, |bits, place| bits | place.bit())
}
