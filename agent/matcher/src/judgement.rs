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

use crate::category::{AgeGroup, Category, Place, Setting, Severity};
use crate::language::{FIRST_PERSON, Language, METHOD, NEGATION, OTHER_PERSON, SUBJECT};
use crate::pack::{self, Effect, Pack};
use crate::phrase::{Item, Phrase};
use crate::phrase_set::PhraseSet;
use crate::quotation;
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

/// How far from a hit the question for a method counts, in words.
const METHOD_WINDOW: usize = 16;

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
    quoted: Effect,
    seeks_method: bool,
    ages: u8,
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
    seeks_method: bool,
    ages: u8,
    places: u8,
}

/// A text, and where it was seen.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scene<'a> {
    pub(crate) text: &'a str,
    pub(crate) setting: Setting,
}

/// What a sentence says that adjustments ask for.
struct Said {
    first: bool,
    method: bool,
}

/// The built-in classes of a language that conditions speak of.
#[derive(Debug)]
pub(crate) struct Persons {
    first: PhraseSet,
    subject: PhraseSet,
    other: PhraseSet,
    negation: PhraseSet,
    method: PhraseSet,
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
            quoted: rule.quoted,
            seeks_method: rule.seeks_method,
            ages: age_bits(&rule.ages),
            adjustments: rule
                .adjustments
                .iter()
                .map(|it| Adjustment {
                    reason: it.reason.clone(),
                    up: it.up,
                    by: it.by,
                    phrases: (!it.phrases.is_empty()).then(|| (set(&it.phrases), it.within)),
                    first_person: it.first_person,
                    seeks_method: it.seeks_method,
                    ages: age_bits(&it.ages),
                    places: bits(&it.places),
                })
                .collect(),
            persons: Arc::clone(persons),
        }
    }

    /// Says whether the phrases of the rule are looked for in this place.
    pub(crate) fn looks_at(&self, place: Place) -> bool {
        self.places & place.bit() != 0
    }

    /// Judges a hit; nothing if a condition keeps it from being a match. `opening` is how many of
    /// its words a negation may stand among.
    pub(crate) fn judge(
        &self,
        view: &View,
        span: &Range<usize>,
        opening: usize,
        scene: Scene<'_>,
    ) -> Option<Verdict> {
        // Of whom nothing is known, a rule is for: to miss a child is worse.
        let age = scene.setting.age;
        if age.is_some_and(|age| self.ages != 0 && self.ages & age.bit() == 0) {
            return None;
        }
        if let Some((near, within)) = &self.near
            && !near.is_within(view, &view.around(span, *within, *within))
        {
            return None;
        }
        let around = |words| match scene.setting.place {
            Place::Typed | Place::PageText => view.within_sentence(span, words, words),
            Place::Search | Place::Title | Place::UrlPath | Place::Host | Place::Program => {
                view.around(span, words, words)
            }
        };
        let context = around(UNLESS_WINDOW);
        if self.unless.is_within(view, &context) {
            return None;
        }
        let sentence = view.within_sentence(span, PERSON_WINDOW, PERSON_WINDOW);
        let asks = self.seeks_method || self.adjustments.iter().any(|it| it.seeks_method);
        let said = Said {
            first: self.persons.first.is_within(view, &sentence),
            method: asks && self.persons.method.is_within(view, &around(METHOD_WINDOW)),
        };
        if (self.first_person && !said.first) || (self.seeks_method && !said.method) {
            return None;
        }
        let mut verdict = Verdict { severity: self.severity, reasons: Vec::new() };
        if said.first {
            verdict.reasons.push("in the first person".to_owned());
        }
        if self.seeks_method {
            verdict.reasons.push("asks how".to_owned());
        }
        if let Some(age) = age.filter(|_| self.ages != 0) {
            verdict.reasons.push(format!("of {} age", age.label()));
        }
        let other = || {
            !self.persons.subject.is_within(view, &sentence)
                && self.persons.other.is_within(view, &sentence)
        };
        verdict.apply(self.about_other, "about somebody else", other)?;
        verdict.apply(self.negation, "negated", || self.persons.negate(view, span, opening))?;
        verdict.apply(self.quoted, "in quotation marks", || is_quoted(view, span, scene))?;
        if let Some((reason, _)) = self.maybe.iter().find(|(_, set)| set.is_within(view, &context))
        {
            verdict.severity = verdict.severity.lowered(DOUBT);
            verdict.reasons.push(reason.clone());
        }
        for adjustment in &self.adjustments {
            adjustment.apply(&mut verdict, view, span, scene.setting, &said);
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
        view: &View,
        span: &Range<usize>,
        setting: Setting,
        said: &Said,
    ) {
        // Of whom nothing is known, nothing is raised or lowered.
        let aged = self.ages == 0 || setting.age.is_some_and(|it| self.ages & it.bit() != 0);
        let holds = self.places & setting.place.bit() != 0
            && aged
            && (said.first || !self.first_person)
            && (said.method || !self.seeks_method);
        let spoken = || {
            self.phrases.as_ref().is_none_or(|(phrases, within)| {
                phrases.is_within(view, &view.around(span, *within, *within))
            })
        };
        if holds && spoken() {
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
                .filter_map(|text| crate::phrase::runs_of_words(text, language).ok())
                .flatten()
                .collect();
            let item = Item::Choice { alternatives, optional: false };
            PhraseSet::of(&[Phrase { items: vec![item] }], language, vocabulary)
        };
        Self {
            first: class(FIRST_PERSON),
            subject: class(SUBJECT),
            other: class(OTHER_PERSON),
            negation: class(NEGATION),
            method: class(METHOD),
        }
    }

    /// Says whether a negation turns a hit.
    fn negate(&self, view: &View, span: &Range<usize>, opening: usize) -> bool {
        let before = view.within_sentence(span, NEGATION_WINDOW, 0).start;
        let after_persons = (before..=span.start)
            .rev()
            .find(|token| self.names_somebody(view, *token))
            .map_or(before, |person| person + 1);
        let inside = span.start..span.end.min(span.start + opening);
        self.negation.is_within(view, &(after_persons..span.start))
            || self.negation.is_within(view, &inside)
    }

    fn names_somebody(&self, view: &View, token: usize) -> bool {
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

fn is_quoted(view: &View, span: &Range<usize>, scene: Scene<'_>) -> bool {
    let tokens = view.tokens().get(span.clone()).unwrap_or_default();
    let (Some(first), Some(last)) = (tokens.first(), tokens.last()) else { return false };
    let (start, end) = (first.start as usize, last.end as usize);
    quotation::is_quoted(scene.text, start, end, scene.setting.place)
}

/// No bit is set for a rule or adjustment that is for everybody.
fn age_bits(ages: &[AgeGroup]) -> u8 {
    ages.iter().fold(0, |bits, age| bits | age.bit())
}

fn bits(places: &[Place]) -> u8 {
    places.iter().fold(0, |bits, place| bits | place.bit())
}
