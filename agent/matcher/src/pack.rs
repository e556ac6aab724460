//! A rule pack: the TOML file of one category and language, read and checked.
//!
//! Reading settles everything a single file can say: names, severities, phrase syntax, classes,
//! bounds. Every mistake is reported, each at its line and column, except that a text which is no
//! TOML of this shape stops at its first. The examples are held against the rules by
//! [`lint()`](crate::lint()), which needs the compiled matcher.

use std::collections::{BTreeMap, HashSet};

use crate::category::{AgeGroup, Category, Place, Severity};
use crate::diagnostic::{Diagnostic, Offset, Position, Sourced};
use crate::format::{RawAdjustment, RawPack, RawRule, Text, Written};
use crate::host;
use crate::language::{Language, METHOD};
use crate::phrase::{self, Alternatives, Classes, Phrase, PhraseError};

/// The version of the file format that this engine reads.
pub const FORMAT: u32 = 1;
/// The longest rule pack, in bytes; the shipped ones have a twentieth of it.
pub const MAX_PACK: usize = 1024 * 1024;
/// The most rules in a pack and phrases in a list: what a person can still review.
const MAX_ENTRIES: usize = 500;
/// The most hosts in a rule's list.
const MAX_HOSTS: usize = 5_000;
/// The most signs of a rule.
pub const MAX_SIGNS: usize = 6000;
/// The most points of a sign, for or against.
pub const MAX_POINTS: i32 = 1000;
/// How far away a `near` phrase may be, in words, if a rule does not say.
const DEFAULT_WITHIN: usize = 8;
/// The widest `within`, so that judging a hit has a bound.
const MAX_WITHIN: usize = 50;

/// A rule pack that was read and found sound.
#[derive(Debug, Clone)]
pub struct Pack {
    pub(crate) file: String,
    /// The whole of it, in which the places of mistakes are looked up.
    pub(crate) text: Box<str>,
    pub(crate) category: Category,
    pub(crate) language: Language,
    version: u32,
    reviewed: bool,
    pub(crate) rules: Vec<Rule>,
    /// Classes of its own that no phrase names.
    pub(crate) unused_classes: Vec<Sourced<String>>,
}

/// A rule as its pack has it.
#[derive(Debug, Clone)]
pub(crate) struct Rule {
    pub(crate) id: Sourced<String>,
    pub(crate) severity: Severity,
    pub(crate) note: Sourced<String>,
    pub(crate) phrases: Vec<Phrase>,
    /// The phrases as they are written.
    pub(crate) phrase_sources: Vec<Sourced<String>>,
    pub(crate) hosts: Vec<Sourced<String>>,
    pub(crate) signs: Vec<Sign>,
    /// From how many points of its signs on it is a match.
    pub(crate) points: i32,
    /// Whether their sum is divided by the root of their number.
    pub(crate) balanced: bool,
    pub(crate) near: Vec<Phrase>,
    pub(crate) within: usize,
    pub(crate) unless: Vec<Phrase>,
    /// What is under `unless` as it is written.
    pub(crate) unless_sources: Vec<Sourced<String>>,
    pub(crate) maybe: Vec<Doubt>,
    pub(crate) first_person: bool,
    pub(crate) about_other: Effect,
    pub(crate) negation: Effect,
    pub(crate) quoted: Effect,
    pub(crate) prose: Effect,
    pub(crate) seeks_method: bool,
    /// For whom it is; for everybody if empty.
    pub(crate) ages: Vec<AgeGroup>,
    pub(crate) places: Vec<Place>,
    /// Whether misspellings of its words are seen through.
    pub(crate) misspelt: bool,
    pub(crate) adjustments: Vec<Adjustment>,
    pub(crate) matching: Vec<Sourced<String>>,
    pub(crate) missing: Vec<Sourced<String>>,
}

/// A phrase that says little alone.
#[derive(Debug, Clone)]
pub(crate) struct Sign {
    pub(crate) phrase: Phrase,
    /// For the rule, or against it if less than nothing.
    pub(crate) points: i32,
}

/// A context in which a match may mean nothing.
#[derive(Debug, Clone)]
pub(crate) struct Doubt {
    /// What people are told: "may be fiction".
    pub(crate) reason: String,
    pub(crate) phrase: Phrase,
}

/// What a circumstance does to a match.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effect {
    Ignore,
    Lower,
    Drop,
}

/// A reason to grade a match higher or lower; all its conditions must hold.
#[derive(Debug, Clone)]
pub(crate) struct Adjustment {
    /// Where its reason stands.
    pub(crate) at: Offset,
    pub(crate) reason: String,
    pub(crate) up: bool,
    pub(crate) by: u8,
    pub(crate) phrases: Vec<Phrase>,
    pub(crate) within: usize,
    pub(crate) first_person: bool,
    pub(crate) seeks_method: bool,
    /// For whom it is; for everybody if empty.
    pub(crate) ages: Vec<AgeGroup>,
    pub(crate) places: Vec<Place>,
}

impl Rule {
    /// Gives every phrase that decides about it: what is misspelt in a condition counts too.
    pub(crate) fn every_phrase(&self) -> impl Iterator<Item = &Phrase> {
        let adjustments = self.adjustments.iter().flat_map(|it| &it.phrases);
        let doubts = self.maybe.iter().map(|it| &it.phrase);
        let signs = self.signs.iter().map(|it| &it.phrase);
        let own = self.phrases.iter().chain(signs);
        own.chain(&self.near).chain(&self.unless).chain(doubts).chain(adjustments)
    }
}

impl Pack {
    /// Reads a pack; `file_name` is how messages name it, for instance `en/suicide.toml`.
    ///
    /// # Errors
    /// Gives every mistake with its line and column.
    pub fn parse(file_name: &str, text: &str) -> Result<Self, Vec<Diagnostic>> {
        let mut reader = Reader { file: file_name, text, rule: None, wrong: Vec::new() };
        if text.len() > MAX_PACK {
            reader.report(0, "pack is too long", &format!("keep to {MAX_PACK} bytes: split it"));
            return Err(reader.wrong);
        }
        let raw: RawPack<'_> = match toml::from_str(text) {
            Ok(raw) => raw,
            Err(error) => {
                let offset = error.span().map_or(0, |span| span.start);
                reader.report(offset, error.message(), "see the README beside the rules");
                return Err(reader.wrong);
            }
        };
        match reader.pack(&raw) {
            Some(pack) if reader.wrong.is_empty() => Ok(pack),
            _ => Err(reader.wrong),
        }
    }

    /// Gives the name of the file as it was read.
    #[must_use]
    pub fn file(&self) -> &str {
        &self.file
    }

    /// Gives the category of every rule in it.
    #[must_use]
    pub fn category(&self) -> Category {
        self.category
    }

    /// Gives the language as a BCP 47 tag, for instance `en`.
    #[must_use]
    pub fn language(&self) -> &'static str {
        self.language.as_str()
    }

    /// Gives the version of the pack, which its editors raise with each change.
    #[must_use]
    pub fn version(&self) -> u32 {
        self.version
    }

    /// Says whether a safeguarding professional who speaks the language has reviewed the pack, as
    /// its own `status` has it; who and when stands in its `reviewed`, for people.
    #[must_use]
    pub fn is_reviewed(&self) -> bool {
        self.reviewed
    }

    /// Gives the number of rules.
    #[must_use]
    pub fn rule_count(&self) -> usize {
        self.rules.len()
    }

    pub(crate) fn diagnostic(
        &self,
        at: Offset,
        rule: &str,
        message: String,
        help: &str,
    ) -> Diagnostic {
        let Position { line, column } = at.position(&self.text);
        Diagnostic {
            file: self.file.clone(),
            line,
            column,
            rule: Some(rule.to_owned()),
            message,
            help: help.to_owned(),
        }
    }
}

struct Reader<'a> {
    file: &'a str,
    text: &'a str,
    rule: Option<String>,
    wrong: Vec<Diagnostic>,
}

impl Reader<'_> {
    fn report(&mut self, offset: usize, message: &str, help: &str) {
        let Position { line, column } = Position::of(self.text, offset);
        self.wrong.push(Diagnostic {
            file: self.file.to_owned(),
            line,
            column,
            rule: self.rule.clone(),
            // The TOML reader puts further lines into some messages.
            message: message.trim().replace('\n', ", "),
            help: help.to_owned(),
        });
    }

    fn pack(&mut self, raw: &RawPack<'_>) -> Option<Pack> {
        if *raw.format.get_ref() != FORMAT {
            let message = format!("unknown format {}", raw.format.get_ref());
            self.report(raw.format.span().start, &message, &format!("write format = {FORMAT}"));
        }
        let category = self.named::<Category>(&raw.category);
        let language = raw.language.get_ref().parse::<Language>();
        if language.is_err() {
            let message = format!("unknown language \"{}\"", raw.language.get_ref());
            let help = format!("expected {}", Language::EXPECTED);
            self.report(raw.language.span().start, &message, &help);
        }
        if raw.reviewed.get_ref().trim().is_empty() {
            let help = "say who reviewed the pack and when, or that nobody has yet";
            self.report(raw.reviewed.span().start, "reviewed is empty", help);
        }
        let reviewed = self.status(raw.status.as_ref());
        let places = self.places(&raw.places);
        let prose = self.effect(raw.prose.as_ref());
        let (category, language) = (category?, language.ok()?);
        let classes = self.classes(&raw.classes, language);
        if raw.rules.is_empty() {
            self.report(0, "pack has no rule", "add a [[rule]]");
        }
        self.bound(raw.rules.len(), 0, "rules");
        let mut ids = HashSet::new();
        let mut rules = Vec::new();
        for rule in &raw.rules {
            self.rule = Some(rule.id.get_ref().as_str().to_owned());
            if !ids.insert(rule.id.get_ref().as_str()) {
                self.report(rule.id.span().start, "id is used twice", "give each rule its own id");
            }
            let mut read = self.rule(rule, category, &classes, &places);
            if rule.prose.is_none() {
                read.prose = prose;
            }
            read.misspelt = rule.misspelt.or(raw.misspelt).unwrap_or(false);
            rules.push(read);
            self.rule = None;
        }
        let file = self.file.to_owned();
        let unused_classes = Self::unused_classes(raw);
        let (text, version) = (self.text.into(), raw.version);
        Some(Pack { file, text, category, language, version, reviewed, rules, unused_classes })
    }

    fn unused_classes(raw: &RawPack<'_>) -> Vec<Sourced<String>> {
        let phrases = raw.rules.iter().flat_map(|rule| {
            let adjustments = rule.raise.iter().chain(&rule.lower);
            let lists = [&rule.phrases, &rule.near, &rule.unless, &rule.maybe];
            let lists = lists.into_iter().chain(adjustments.map(|it| &it.phrases)).flatten();
            lists.chain(rule.signs.keys())
        });
        // What is named is what stands before a closing bracket.
        let names = phrases.flat_map(|phrase| phrase.get_ref().split(']'));
        let names = names.filter_map(|part| part.rsplit_once('['));
        let named: HashSet<&str> = names.map(|(_, name)| name).collect();
        let unused = raw.classes.iter().filter(|(name, _)| !named.contains(name.as_str()));
        // A key has no place of its own: its list begins on the same line or the next.
        unused
            .filter_map(|(name, entries)| {
                Some(Sourced::new(&entries.first()?.span(), name.as_str().to_owned()))
            })
            .collect()
    }

    fn rule(
        &mut self,
        raw: &RawRule<'_>,
        category: Category,
        classes: &Classes,
        pack_places: &[Place],
    ) -> Rule {
        self.check_id(&raw.id, category);
        let severity = Severity::new(*raw.severity.get_ref());
        if severity.is_none() {
            let message = format!("severity {}", raw.severity.get_ref());
            self.report(raw.severity.span().start, &message, "severities go from 1 to 5");
        }
        if raw.note.get_ref().trim().is_empty() {
            self.report(raw.note.span().start, "note is empty", "say why the rule exists");
        }
        if raw.phrases.is_empty() && raw.hosts.is_empty() && raw.signs.is_empty() {
            let help = "write one of them, or several";
            self.report(raw.id.span().start, "rule has no phrases, hosts or signs", help);
        }
        self.check_hosts(raw);
        if raw.near.is_empty() && raw.within.is_some() {
            self.report(raw.id.span().start, "within without near", "add near or leave it out");
        }
        let own_places = self.places(&raw.places);
        let mut adjustments: Vec<Adjustment> = Vec::new();
        for (up, list) in [(true, &raw.raise), (false, &raw.lower)] {
            for adjustment in list {
                adjustments.push(self.adjustment(adjustment, up, classes));
            }
        }
        Rule {
            id: Sourced::new(&raw.id.span(), raw.id.get_ref().as_str().to_owned()),
            // An unknown severity was reported: the pack is refused whatever stands here.
            severity: severity.unwrap_or(Severity::GREATEST),
            note: Sourced::new(&raw.note.span(), raw.note.get_ref().as_str().to_owned()),
            phrases: self.phrases(&raw.phrases, classes),
            phrase_sources: Self::strings(&raw.phrases),
            hosts: Self::strings(&raw.hosts),
            signs: self.signs(raw, classes),
            points: raw.points.as_ref().map_or(i32::MAX, |points| *points.get_ref()),
            balanced: raw.balanced.as_ref().is_some_and(|it| *it.get_ref()),
            near: self.phrases(&raw.near, classes),
            within: self.within(raw.within.as_ref()),
            unless: self.phrases(&raw.unless, classes),
            unless_sources: Self::strings(&raw.unless),
            maybe: self.doubts(&raw.maybe, classes),
            first_person: raw.first_person,
            about_other: self.effect(raw.about_other.as_ref()),
            negation: self.effect(raw.negation.as_ref()),
            quoted: self.effect(raw.quoted.as_ref()),
            prose: self.effect(raw.prose.as_ref()),
            seeks_method: self.seeks_method(raw.seeks_method.as_ref(), classes),
            ages: self.ages(&raw.ages),
            places: if raw.places.is_empty() { pack_places.to_vec() } else { own_places },
            misspelt: false,
            adjustments,
            matching: Self::strings(&raw.matching),
            missing: Self::strings(&raw.missing),
        }
    }

    /// Reads signs with their points.
    fn signs(&mut self, raw: &RawRule<'_>, classes: &Classes) -> Vec<Sign> {
        let first = raw.signs.keys().next().map_or(0, |first| first.span().start);
        if raw.signs.len() > MAX_SIGNS {
            let message = format!("{} signs", raw.signs.len());
            self.report(first, &message, &format!("keep to {MAX_SIGNS}: leave out the weakest"));
        }
        match &raw.points {
            Some(points) if raw.signs.is_empty() => {
                self.report(points.span().start, "points without signs", "add [rule.signs]");
            }
            Some(points) if *points.get_ref() < 1 => {
                let help = "write from how many points on it is a match, at least 1";
                self.report(points.span().start, &format!("points = {}", points.get_ref()), help);
            }
            None if !raw.signs.is_empty() => {
                let help = "write points = and from how many on it is a match";
                self.report(raw.id.span().start, "signs without points", help);
            }
            Some(_) | None => {}
        }
        if let Some(balanced) = raw.balanced.as_ref().filter(|_| raw.signs.is_empty()) {
            self.report(balanced.span().start, "balanced without signs", "add [rule.signs]");
        }
        let mut signs = Vec::new();
        for (text, points) in &raw.signs {
            if *points.get_ref() == 0 || points.get_ref().unsigned_abs() > MAX_POINTS.unsigned_abs()
            {
                let message = format!("a sign of {} points", points.get_ref());
                let help = format!("from -{MAX_POINTS} to {MAX_POINTS}, and not 0");
                self.report(points.span().start, &message, &help);
            }
            let phrase = self.phrase(text, classes);
            signs.extend(phrase.map(|phrase| Sign { phrase, points: *points.get_ref() }));
        }
        signs
    }

    fn check_id(&mut self, id: &Text<'_>, category: Category) {
        let rest = id.get_ref().strip_prefix(category.as_str()).and_then(|it| it.strip_prefix('.'));
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        if !rest.is_some_and(|rest| !rest.is_empty() && rest.chars().all(plain)) {
            let help = format!(
                "write {category}. and a name of lower-case letters, digits and underscores"
            );
            self.report(id.span().start, "id is not of this category", &help);
        }
    }

    fn check_hosts(&mut self, raw: &RawRule<'_>) {
        let sourced = raw.source.as_ref().is_some_and(|it| !it.get_ref().trim().is_empty());
        match raw.hosts.first() {
            Some(first) if !sourced => {
                let help = "say in source where the list comes from and its date";
                self.report(first.span().start, "hosts without a source", help);
            }
            None if raw.source.is_some() => {
                let help = "add hosts or leave it out";
                self.report(raw.id.span().start, "source without hosts", help);
            }
            _ => {}
        }
        let spoken = !raw.near.is_empty() || raw.first_person || raw.seeks_method.is_some();
        if let Some(first) = raw.hosts.first().filter(|_| spoken) {
            let help = "give the hosts a rule of their own, without near, first_person and \
                        seeks_method";
            self.report(first.span().start, "a host's name says nothing of that kind", help);
        }
        if raw.hosts.len() > MAX_HOSTS {
            let message = format!("{} hosts", raw.hosts.len());
            self.report(raw.id.span().start, &message, &format!("keep to {MAX_HOSTS}"));
        }
        let listed: HashSet<&str> = raw.hosts.iter().map(|it| it.get_ref().as_str()).collect();
        let mut seen = HashSet::new();
        for host in &raw.hosts {
            let name = host.get_ref().as_str();
            let above = host::above(name).find(|above| listed.contains(above));
            let (message, help) = match (host::check(name), above) {
                (Err((message, help)), _) => (message.to_owned(), help),
                _ if !seen.insert(name) => ("is listed twice".to_owned(), "take one of them out"),
                (Ok(()), Some(above)) => (
                    format!("lies below \"{above}\", which is listed"),
                    "take it out: hosts below are found anyway",
                ),
                (Ok(()), None) => continue,
            };
            self.report(host.span().start, &format!("\"{name}\" {message}"), help);
        }
    }

    fn seeks_method(&mut self, raw: Option<&toml::Spanned<bool>>, classes: &Classes) -> bool {
        let Some(raw) = raw.filter(|raw| *raw.get_ref()) else { return false };
        if !classes.has(METHOD) {
            let message = format!("this language has no class [{METHOD}]");
            self.report(raw.span().start, &message, "write the questions that are meant in near");
        }
        true
    }

    fn ages(&mut self, raw: &[Text<'_>]) -> Vec<AgeGroup> {
        let ages: Vec<AgeGroup> = raw.iter().filter_map(|name| self.named(name)).collect();
        if let Some(first) =
            raw.first().filter(|_| AgeGroup::ALL.iter().all(|it| ages.contains(it)))
        {
            let help = "leave ages out: it is for everybody then";
            self.report(first.span().start, "every age group is named", help);
        }
        ages
    }

    fn adjustment(&mut self, raw: &RawAdjustment<'_>, up: bool, classes: &Classes) -> Adjustment {
        let seeks_method = self.seeks_method(raw.seeks_method.as_ref(), classes);
        let lists = raw.phrases.len() + raw.places.len() + raw.ages.len();
        if lists == 0 && !raw.first_person && !seeks_method {
            let help = "add phrases, places, ages, first_person or seeks_method, or change the \
                        rule's severity";
            self.report(raw.reason.span().start, "always true", help);
        }
        if raw.reason.get_ref().trim().is_empty() {
            let help = "say in a few words what the reader shall see";
            self.report(raw.reason.span().start, "reason is empty", help);
        }
        Adjustment {
            at: Offset::of(raw.reason.span().start),
            reason: raw.reason.get_ref().as_str().to_owned(),
            up,
            by: self.by(raw.by.as_ref()),
            phrases: self.phrases(&raw.phrases, classes),
            within: self.within(raw.within.as_ref()),
            first_person: raw.first_person,
            seeks_method,
            ages: self.ages(&raw.ages),
            places: self.places(&raw.places),
        }
    }

    fn by(&mut self, raw: Option<&toml::Spanned<u8>>) -> u8 {
        let Some(by) = raw else { return 1 };
        if !(1..=4).contains(by.get_ref()) {
            let message = format!("by = {}", by.get_ref());
            self.report(by.span().start, &message, "write a number of grades from 1 to 4");
        }
        *by.get_ref()
    }

    fn classes(
        &mut self,
        raw: &BTreeMap<Written<'_>, Vec<Text<'_>>>,
        language: Language,
    ) -> Classes {
        let mut classes = Classes::new(language);
        for (name, entries) in raw {
            let offset = entries.first().map_or(0, |entry| entry.span().start);
            if entries.is_empty() {
                self.report(offset, &format!("class \"{name}\" is empty"), "add words to it");
            }
            self.bound(entries.len(), offset, "entries");
            let mut runs = Alternatives::default();
            for entry in entries {
                match phrase::runs_of_words(entry.get_ref(), &classes) {
                    Ok(more) => runs.append(&more),
                    Err(wrong) => self.phrase_error(entry, &wrong),
                }
            }
            classes.add(name, runs);
            if classes.is_built_in(name) {
                let message = format!("class \"{name}\" is built in");
                self.report(offset, &message, "give it another name");
            }
        }
        classes
    }

    fn phrases(&mut self, raw: &[Text<'_>], classes: &Classes) -> Vec<Phrase> {
        self.bound(raw.len(), raw.first().map_or(0, |first| first.span().start), "phrases");
        raw.iter().filter_map(|text| self.phrase(text, classes)).collect()
    }

    fn phrase(&mut self, text: &Text<'_>, classes: &Classes) -> Option<Phrase> {
        match Phrase::parse(text.get_ref(), classes) {
            Ok(phrase) => Some(phrase),
            Err(wrong) => {
                self.phrase_error(text, &wrong);
                None
            }
        }
    }

    /// Reads contexts; one that is a class alone lends its name to the reason.
    fn doubts(&mut self, raw: &[Text<'_>], classes: &Classes) -> Vec<Doubt> {
        self.bound(raw.len(), raw.first().map_or(0, |first| first.span().start), "phrases");
        let doubt = |text: &Text<'_>, phrase| {
            let class = text.get_ref().strip_prefix('[').and_then(|it| it.strip_suffix(']'));
            let context = class.unwrap_or("harmless").replace('_', " ");
            Doubt { reason: format!("may be {context}"), phrase }
        };
        raw.iter().filter_map(|text| Some(doubt(text, self.phrase(text, classes)?))).collect()
    }

    /// Reports a mistake inside a string, at its own column if the string has no escapes.
    fn phrase_error(&mut self, text: &Text<'_>, wrong: &PhraseError) {
        let span = text.span();
        let verbatim = self
            .text
            .get(span.start + 1..)
            .is_some_and(|it| it.starts_with(text.get_ref().as_str()));
        let offset = if verbatim { span.start + 1 + wrong.offset } else { span.start };
        let message = format!("\"{}\": {}", text.get_ref(), wrong.message);
        self.report(offset, &message, &wrong.help);
    }

    fn status(&mut self, raw: Option<&Text<'_>>) -> bool {
        let Some(status) = raw else { return false };
        match status.get_ref().as_str() {
            "reviewed" => true,
            "unreviewed" => false,
            other => {
                let message = format!("unknown status \"{other}\"");
                self.report(status.span().start, &message, "expected reviewed or unreviewed");
                false
            }
        }
    }

    fn places(&mut self, raw: &[Text<'_>]) -> Vec<Place> {
        if raw.is_empty() {
            return Place::ALL.to_vec();
        }
        raw.iter().filter_map(|name| self.named::<Place>(name)).collect()
    }

    fn effect(&mut self, raw: Option<&Text<'_>>) -> Effect {
        let Some(name) = raw else { return Effect::Ignore };
        match name.get_ref().as_str() {
            "ignore" => Effect::Ignore,
            "lower" => Effect::Lower,
            "drop" => Effect::Drop,
            other => {
                let message = format!("unknown effect \"{other}\"");
                self.report(name.span().start, &message, "expected ignore, lower or drop");
                Effect::Ignore
            }
        }
    }

    fn within(&mut self, raw: Option<&toml::Spanned<usize>>) -> usize {
        let Some(within) = raw else { return DEFAULT_WITHIN };
        if !(1..=MAX_WITHIN).contains(within.get_ref()) {
            let message = format!("within = {}", within.get_ref());
            let help = format!("write a number of words from 1 to {MAX_WITHIN}");
            self.report(within.span().start, &message, &help);
        }
        *within.get_ref()
    }

    fn strings(raw: &[Text<'_>]) -> Vec<Sourced<String>> {
        raw.iter()
            .map(|text| Sourced::new(&text.span(), text.get_ref().as_str().to_owned()))
            .collect()
    }

    fn named<T: std::str::FromStr<Err = crate::UnknownName>>(
        &mut self,
        name: &Text<'_>,
    ) -> Option<T> {
        match name.get_ref().parse() {
            Ok(value) => Some(value),
            Err(unknown) => {
                self.report(name.span().start, &unknown.to_string(), "write one of these names");
                None
            }
        }
    }

    fn bound(&mut self, count: usize, offset: usize, what: &str) {
        if count > MAX_ENTRIES {
            self.report(offset, &format!("{count} {what}"), &format!("keep to {MAX_ENTRIES}"));
        }
    }
}
