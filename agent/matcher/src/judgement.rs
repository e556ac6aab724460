//! What a rule makes of a hit: whether its conditions hold, and how grave the match is.
//!
//! Conditions look at a bounded number of words round the hit. In running prose (typed text and
//! pages) `unless`, `maybe` and the persons of a sentence do not reach into the next sentence; a
//! search, a title or a path is read as a whole.
//!
//! `unless` drops a match, `maybe` lowers it and says why: a word that often makes a text harmless
//! must not silence a child who uses it in earnest.

use std::ops::Range;
use std::sync::Arc;

use crate::category::{AgeGroup, Category, Place, Setting, Severity};
use crate::pack::{self, Effect, Pack};
pub(crate) use crate::persons::{Persons, opening};
use crate::phrase::Phrase;
use crate::phrase_set::PhraseSet;
use crate::quotation;
use crate::stored::{Reader, Unreadable, Writer};
use crate::view::{Spelling, View};
use crate::vocabulary::Vocabulary;

/// How far from a hit a benign context counts, in words.
const UNLESS_WINDOW: usize = 12;
/// How many grades a context of `maybe` takes off: what rings at 5 is still looked at within days.
const DOUBT: u8 = 2;
/// From how many bytes on a typed text is an essay or a story rather than a message: some seventy words.
const PROSE: usize = 400;
/// How far from a hit the person that a sentence speaks of is looked for, in words.
const PERSON_WINDOW: usize = 8;
/// How far from a hit the question for a method counts, in words.
const METHOD_WINDOW: usize = 16;
/// The farthest that any condition looks from a hit, in words.
pub(crate) const FARTHEST: usize = 50;

/// A rule, compiled.
#[derive(Debug)]
pub(crate) struct Rule {
    pub(crate) id: Arc<str>,
    pub(crate) category: Category,
    pub(crate) note: String,
    misspelt: bool,
    severity: Severity,
    points: i32,
    places: u8,
    near: Option<(PhraseSet, usize)>,
    unless: PhraseSet,
    maybe: Vec<(String, PhraseSet)>,
    first_person: bool,
    about_other: Effect,
    negation: Effect,
    quoted: Effect,
    prose: Effect,
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
            note: rule.note.value.clone(),
            misspelt: rule.misspelt,
            severity: rule.severity,
            points: rule.points,
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
            prose: rule.prose,
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

    pub(crate) fn write(&self, out: &mut Writer) {
        let Self { id, category, note, misspelt, severity, points, places, near, .. } = self;
        let Self { unless, maybe, first_person, about_other, negation, quoted, .. } = self;
        let Self { prose, seeks_method, ages, adjustments, persons, .. } = self;
        [&**id, category.as_str(), note].iter().for_each(|text| out.text(text));
        [severity.get(), *places, *ages].iter().for_each(|it| out.byte(*it));
        out.number(points.cast_unsigned());
        write_near(near.as_ref(), out);
        unless.write(out);
        out.list(maybe, |out, (reason, set)| {
            out.text(reason);
            set.write(out);
        });
        [about_other, negation, quoted, prose].iter().for_each(|it| out.byte(**it as u8));
        [misspelt, first_person, seeks_method].iter().for_each(|it| out.byte((**it).into()));
        out.list(adjustments, |out, adjustment| adjustment.write(out));
        out.shared(persons, |out, persons| persons.write(out));
    }

    pub(crate) fn read(from: &mut Reader<'_>) -> Result<Self, Unreadable> {
        // Fields are read in the order that they are named in.
        Ok(Self {
            id: from.text()?.into(),
            category: from.text()?.parse().map_err(|_| Unreadable::Broken)?,
            note: from.text()?.to_owned(),
            severity: Severity::new(from.byte()?).ok_or(Unreadable::Broken)?,
            places: from.byte()?,
            ages: from.byte()?,
            points: from.number()?.cast_signed(),
            near: read_near(from)?,
            unless: PhraseSet::read(from)?,
            maybe: from.list(|from| Ok((from.text()?.to_owned(), PhraseSet::read(from)?)))?,
            about_other: read_effect(from)?,
            negation: read_effect(from)?,
            quoted: read_effect(from)?,
            prose: read_effect(from)?,
            misspelt: from.flag()?,
            first_person: from.flag()?,
            seeks_method: from.flag()?,
            adjustments: from.list(Adjustment::read)?,
            persons: from.shared(Persons::read)?,
        })
    }

    /// Says whether so many points of its signs make a match.
    pub(crate) fn is_enough(&self, points: i32) -> bool {
        points >= self.points
    }

    /// Gives the greatest severity that a match of it can have.
    pub(crate) fn gravest(&self) -> Severity {
        let raised = self.adjustments.iter().filter(|it| it.up);
        raised.fold(self.severity, |severity, it| severity.raised(it.by))
    }

    pub(crate) fn looks_at(&self, place: Place) -> bool {
        self.places & place.bit() != 0
    }

    /// Says whether it looks at what an unmasked view shows so: plain words were seen before.
    pub(crate) fn sees(&self, spelling: Spelling) -> bool {
        match spelling {
            Spelling::Plain => false,
            Spelling::Disguised => true,
            Spelling::Slip => self.misspelt,
        }
    }

    /// Judges a hit; nothing if a condition keeps it from being a match. `opening` is how many of
    /// its words a negation may stand among.
    pub(crate) fn judge(
        &self,
        view: &View<'_>,
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
            first: self.persons.is_first(view, &sentence),
            method: asks && self.persons.ask_how(view, &around(METHOD_WINDOW)),
        };
        if (self.first_person && !said.first) || (self.seeks_method && !said.method) {
            return None;
        }
        let mut verdict = Verdict { severity: self.severity, reasons: Vec::new() };
        let other = || self.persons.are_about_other(view, span, &sentence);
        verdict.apply(self.about_other, 1, "about somebody else", other)?;
        // "My friend" is somebody else, although it says "my".
        if said.first && verdict.reasons.is_empty() {
            verdict.reasons.push("in the first person".to_owned());
        }
        if self.seeks_method {
            verdict.reasons.push("asks how".to_owned());
        }
        if let Some(age) = age.filter(|_| self.ages != 0) {
            verdict.reasons.push(format!("of {} age", age.label()));
        }
        verdict.apply(self.negation, 1, "negated", || self.persons.negate(view, span, opening))?;
        verdict.apply(self.quoted, 1, "in quotation marks", || is_quoted(view, span, scene))?;
        verdict.apply(self.prose, DOUBT, "in a long text", || is_prose(scene))?;
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
    /// Does what a circumstance does if it holds; lowering takes `by` grades. Nothing is left of a
    /// verdict that it drops.
    fn apply(
        &mut self,
        effect: Effect,
        by: u8,
        reason: &str,
        holds: impl Fn() -> bool,
    ) -> Option<()> {
        match effect {
            Effect::Ignore => Some(()),
            Effect::Drop => (!holds()).then_some(()),
            Effect::Lower => {
                if holds() {
                    self.severity = self.severity.lowered(by);
                    self.reasons.push(reason.to_owned());
                }
                Some(())
            }
        }
    }
}

impl Adjustment {
    fn write(&self, out: &mut Writer) {
        let Self { reason, up, by, phrases, first_person, seeks_method, ages, places } = self;
        out.text(reason);
        [*by, *ages, *places].iter().for_each(|it| out.byte(*it));
        [up, first_person, seeks_method].iter().for_each(|it| out.byte((**it).into()));
        write_near(phrases.as_ref(), out);
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, Unreadable> {
        Ok(Self {
            reason: from.text()?.to_owned(),
            by: from.byte()?,
            ages: from.byte()?,
            places: from.byte()?,
            up: from.flag()?,
            first_person: from.flag()?,
            seeks_method: from.flag()?,
            phrases: read_near(from)?,
        })
    }

    fn apply(
        &self,
        verdict: &mut Verdict,
        view: &View<'_>,
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

/// Says whether a text is prose that somebody typed: an essay or a story, which speaks of many things.
fn is_prose(scene: Scene<'_>) -> bool {
    scene.setting.place == Place::Typed && scene.text.len() > PROSE
}

/// Writes phrases and how far away they may be.
fn write_near(near: Option<&(PhraseSet, usize)>, out: &mut Writer) {
    out.size(near.map_or(0, |(_, within)| *within));
    if let Some((set, _)) = near {
        set.write(out);
    }
}

fn read_near(from: &mut Reader<'_>) -> Result<Option<(PhraseSet, usize)>, Unreadable> {
    match from.size(FARTHEST)? {
        0 => Ok(None),
        within => Ok(Some((PhraseSet::read(from)?, within))),
    }
}

fn read_effect(from: &mut Reader<'_>) -> Result<Effect, Unreadable> {
    let effects = [Effect::Ignore, Effect::Lower, Effect::Drop];
    effects.get(usize::from(from.byte()?)).copied().ok_or(Unreadable::Broken)
}

fn is_quoted(view: &View<'_>, span: &Range<usize>, scene: Scene<'_>) -> bool {
    let Some((start, end)) = view.bytes(span) else { return false };
    quotation::is_quoted(scene.text, start, end, scene.setting.place)
}

/// No bit is set for a rule or adjustment that is for everybody.
fn age_bits(ages: &[AgeGroup]) -> u8 {
    ages.iter().fold(0, |bits, age| bits | age.bit())
}

fn bits(places: &[Place]) -> u8 {
    places.iter().fold(0, |bits, place| bits | place.bit())
}
