//! Holds every value of a school's file against its bounds and against the rules it speaks of.

use std::collections::HashSet;
use std::ops::Range;

use jiff::civil::{self, Weekday};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan as _};
use redshank_matcher::{AgeGroup, Category, Phrases};
use redshank_proto::{bounds, time, v1};
use toml::Spanned;
use toml::value::Datetime;

use super::{
    Ages, Exemption, FilterCategory, Hours, LONGEST_DAYS, Notice, Packs, Program, Programs, Written,
};
use super::{notice, text_policy};
use crate::policy::mistakes::Mistakes;
use crate::policy::{Choices, Languages, Rules, programs};
use crate::store::schools::School;

/// Bytes of a text for people and of an account (`policy.proto`).
const TEXT_BYTES: usize = bounds::LONG_NAME_BYTES;
/// Categories of one exemption (`policy.proto`).
const CATEGORIES: usize = 32;
/// Rules that are no pack's: matches that the agent makes of what it sees begin with these.
const MADE_BY_AGENTS: [Category; 4] = [
    Category::FilterBreach,
    Category::Bypass,
    Category::UnapprovedSoftware,
    Category::RemovableMedia,
];

/// Reads one file's values.
pub(super) struct Reader<'a> {
    pub(super) mistakes: Mistakes<'a>,
    school: &'a School,
    zone: TimeZone,
    rules: &'a Rules,
}

impl<'a> Reader<'a> {
    pub(super) fn new(mistakes: Mistakes<'a>, school: &'a School, rules: &'a Rules) -> Self {
        let zone = TimeZone::get(&school.time_zone).unwrap_or(TimeZone::UTC);
        Self { mistakes, school, zone, rules }
    }

    pub(super) fn choices(&mut self, choices: Choices, written: &Written) -> Choices {
        let staff_accounts = written.staff_accounts.as_ref();
        let staff_accounts =
            staff_accounts.map_or_else(Vec::new, |it| self.accounts(it, bounds::STAFF_ACCOUNTS));
        let defaults = super::defaults(choices, self.school, self.rules);
        let filter_categories = match &written.filter_category {
            Some(categories) => self.filter_categories(categories),
            None => defaults.filter_categories,
        };
        let exemptions: Vec<_> =
            written.exemption.iter().filter_map(|it| self.exemption(it)).collect();
        let (phrase_exemptions, exemptions) =
            exemptions.into_iter().partition(|it| !it.phrases.is_empty());
        let age_group = written.age_group.as_ref();
        let age_group = age_group.map_or(v1::AgeGroup::Unspecified, |it| self.age_group(it));
        self.most(written.ages.len(), bounds::AGES, "groups of ages");
        self.most(written.exemption.len(), bounds::EXEMPTIONS, "exemptions");
        Choices {
            languages: self.languages(&written.rules),
            filter_categories,
            text: text_policy(&written.text),
            staff_accounts,
            age_group,
            ages: written.ages.iter().map(|it| self.ages(it)).collect(),
            school_hours: self.school_hours(&written.school_hours),
            exemptions,
            phrase_exemptions,
            programs: self.programs(&written.programs),
            programs_only_allowed: written.programs.only_allowed,
            media: v1::MediaPolicy {
                allowed: written.media.allowed,
                severity: self.severity(written.media.severity.as_ref(), 0),
            },
            notice: self.notice(&written.notice),
            ..defaults
        }
    }

    fn accounts(&mut self, accounts: &Spanned<Vec<String>>, most: usize) -> Vec<String> {
        let fine = |account: &String| {
            (1..=TEXT_BYTES).contains(&account.trim().len())
                && account.chars().any(char::is_alphanumeric)
        };
        if accounts.get_ref().len() > most || !accounts.get_ref().iter().all(fine) {
            let message =
                format!("give at most {most} accounts of 1 to 256 bytes, each with a letter");
            let help = "leave the key out if everybody is meant";
            self.mistakes.add(&accounts.span(), &message, help);
        }
        accounts.get_ref().clone()
    }

    fn languages(&mut self, written: &Packs) -> Languages {
        let Some(languages) = &written.languages else { return Languages::default() };
        let known = self.rules.languages();
        let help =
            format!("write some of those that there are rule packs in: {}", known.join(", "));
        if languages.get_ref().is_empty() {
            let message = "no languages: without rule packs nothing is seen";
            self.mistakes.add(&languages.span(), message, &help);
        }
        let mut seen = HashSet::new();
        for language in languages.get_ref() {
            let name = language.get_ref().as_str();
            if !known.contains(&name) {
                let message = format!("there are no rule packs in \"{name}\"");
                self.mistakes.add(&language.span(), &message, &help);
            } else if !seen.insert(name) {
                self.mistakes.add(&language.span(), "the language stands twice", "keep it once");
            }
        }
        languages.get_ref().iter().map(|language| language.get_ref().clone()).collect()
    }

    fn ages(&mut self, written: &Ages) -> v1::AccountAges {
        if written.accounts.get_ref().is_empty() {
            let help = "name some, or write age_group at the top for the whole school";
            self.mistakes.add(&written.accounts.span(), "no accounts", help);
        }
        let accounts = self.accounts(&written.accounts, bounds::AGE_ACCOUNTS);
        v1::AccountAges { accounts, group: self.age_group(&written.group).into() }
    }

    fn age_group(&mut self, name: &Spanned<String>) -> v1::AgeGroup {
        match name.get_ref().parse() {
            Ok(AgeGroup::Primary) => v1::AgeGroup::Primary,
            Ok(AgeGroup::Secondary) => v1::AgeGroup::Secondary,
            Ok(AgeGroup::SixthForm) => v1::AgeGroup::SixthForm,
            Err(error) => {
                let help = "leave it out where pupils are of several groups or nobody knows";
                self.mistakes.add(&name.span(), &error.to_string(), help);
                v1::AgeGroup::Unspecified
            }
        }
    }

    fn filter_categories(&mut self, categories: &[FilterCategory]) -> Vec<v1::FilterCategory> {
        self.most(categories.len(), bounds::FILTER_CATEGORIES, "filter categories");
        let mut seen = HashSet::new();
        let mut read = Vec::new();
        for category in categories {
            let name = category.name.get_ref().trim().to_owned();
            if !(1..=bounds::FILTER_CATEGORY_BYTES).contains(&name.len()) {
                let message = "the category's name is empty or over 128 bytes";
                self.mistakes.add(&category.name.span(), message, "write it as the log has it");
            }
            if !seen.insert(name.to_lowercase()) {
                let help = "keep it once; letter case does not count";
                self.mistakes.add(&category.name.span(), "the category stands twice", help);
            }
            read.push(v1::FilterCategory {
                name,
                severity: self.severity(Some(&category.severity), 1),
            });
        }
        read
    }

    fn school_hours(&mut self, hours: &[Hours]) -> Option<v1::SchoolHours> {
        let mut periods = Vec::new();
        for stretch in hours {
            let from = self.minute(&stretch.from);
            let until = self.minute(&stretch.until);
            if let (Some(from), Some(until)) = (from, until)
                && from >= until
            {
                let help = "a stretch ends on the day on which it begins";
                self.mistakes.add(&stretch.until.span(), "until is not after from", help);
            }
            if stretch.days.get_ref().is_empty() {
                self.mistakes.add(&stretch.days.span(), "no days", "name at least one");
            }
            for day in stretch.days.get_ref() {
                let Some(day) = weekday(day) else {
                    let message = format!("`{day}` is not a day");
                    self.mistakes.add(&stretch.days.span(), &message, "write monday to sunday");
                    continue;
                };
                periods.push(v1::SchoolPeriod {
                    day: day.to_monday_one_offset().unsigned_abs().into(),
                    from_minute: from.unwrap_or_default(),
                    until_minute: until.unwrap_or_default(),
                });
            }
        }
        self.most(periods.len(), bounds::SCHOOL_PERIODS, "stretches of school hours");
        (!periods.is_empty())
            .then(|| v1::SchoolHours { time_zone: self.school.time_zone.clone(), periods })
    }

    /// Minutes since midnight of `08:30`; `24:00` is the day's end.
    fn minute(&mut self, text: &Spanned<String>) -> Option<u32> {
        let minute = text.get_ref().split_once(':').and_then(|(hour, minute)| {
            let two = |text: &str| (text.len() == 2).then(|| text.parse::<u32>().ok()).flatten();
            let (hour, minute) = (two(hour)?, two(minute)?);
            (minute < 60 && hour * 60 + minute <= 1_440).then_some(hour * 60 + minute)
        });
        if minute.is_none() {
            let message = format!("`{}` is not a time of day", text.get_ref());
            self.mistakes.add(&text.span(), &message, "write it as \"08:30\"");
        }
        minute
    }

    fn exemption(&mut self, written: &Exemption) -> Option<v1::Exemption> {
        let reason = self.text(&written.reason, "the reason", "say why, and who agreed");
        let from = self.moment(&written.from, false);
        let until = self.moment(&written.until, true);
        if let (Some(from), Some(until)) = (from, until) {
            if until <= from {
                let help = "an exemption ends after it begins";
                self.mistakes.add(&written.until.span(), "until is not after from", help);
            }
            let longest = SignedDuration::from_hours(24 * LONGEST_DAYS);
            if until.duration_since(from) > longest + DAYLIGHT_SAVING {
                let message = format!("the exemption lasts longer than {LONGEST_DAYS} days");
                let help = "end it earlier, and decide again then";
                self.mistakes.add(&written.until.span(), &message, help);
            }
        }
        let accounts = written.accounts.as_ref();
        let accounts = accounts.map_or_else(Vec::new, |it| {
            if it.get_ref().is_empty() {
                let help = "leave the key out if everybody is meant";
                self.mistakes.add(&it.span(), "no accounts", help);
            }
            self.accounts(it, bounds::EXEMPTIONS)
        });
        let categories = self.categories(written.categories.as_ref());
        let rules = self.rules_named(written.rules.as_ref());
        let phrases = self.phrases(written);
        self.more_than_severity_5(written, &categories, &rules);
        Some(v1::Exemption {
            reason,
            from: Some(time::to_wire(from?)),
            until: Some(time::to_wire(until?)),
            accounts,
            categories,
            rules,
            phrases,
        })
    }

    /// Reads phrases as the devices will: one that cannot be compiled would cost them the whole policy.
    fn phrases(&mut self, written: &Exemption) -> Vec<String> {
        let Some(phrases) = &written.phrases else { return Vec::new() };
        if phrases.get_ref().is_empty() {
            self.empty(&phrases.span(), "no phrases");
        }
        if written.categories.is_some() || written.rules.is_some() {
            let help = "write two exemptions: one of the phrases, one of the rest";
            self.mistakes.add(&phrases.span(), "phrases beside categories or rules", help);
        }
        self.most(phrases.get_ref().len(), bounds::EXEMPTION_PHRASES, "phrases of one exemption");
        let mut read: Vec<String> = Vec::new();
        for phrase in phrases.get_ref() {
            let text = phrase.get_ref();
            let (message, help) = if text.len() > bounds::EXEMPTION_PHRASE_BYTES {
                ("the phrase is over 256 bytes", "shorten it")
            } else if read.contains(text) {
                ("the phrase stands twice", "keep it once")
            } else {
                read.push(text.clone());
                continue;
            };
            self.mistakes.add(&phrase.span(), message, help);
        }
        let texts: Vec<&str> = phrases.get_ref().iter().map(|it| it.get_ref().as_str()).collect();
        for mistake in Phrases::parse(&texts).err().unwrap_or_default() {
            let Some(phrase) = phrases.get_ref().get(mistake.index) else { continue };
            // Past the quotation mark: an escape before the mistake puts the column out by a little.
            let start = phrase.span().start + 1 + mistake.offset;
            self.mistakes.add(&(start..start), &mistake.message, &mistake.help);
        }
        read
    }

    fn categories(&mut self, categories: Option<&Spanned<Vec<String>>>) -> Vec<String> {
        let Some(categories) = categories else { return Vec::new() };
        if categories.get_ref().is_empty() {
            self.empty(&categories.span(), "no categories");
        }
        self.most(categories.get_ref().len(), CATEGORIES, "categories of one exemption");
        for category in categories.get_ref() {
            if let Err(error) = category.parse::<Category>() {
                self.mistakes.add(&categories.span(), &error.to_string(), "correct the name");
            }
        }
        categories.get_ref().clone()
    }

    fn rules_named(&mut self, rules: Option<&Spanned<Vec<String>>>) -> Vec<String> {
        let Some(rules) = rules else { return Vec::new() };
        if rules.get_ref().is_empty() {
            self.empty(&rules.span(), "no rules");
        }
        self.most(rules.get_ref().len(), bounds::EXEMPTIONS, "rules of one exemption");
        for rule in rules.get_ref() {
            if !self.rules.severities.contains_key(rule) && !is_made_by_agents(rule) {
                let message = format!("there is no rule `{rule}`");
                let help = "write its id as the rule packs and the alert's page have it";
                self.mistakes.add(&rules.span(), &message, help);
            }
        }
        rules.get_ref().clone()
    }

    /// Neither a pause by mistake, nor an exemption that looks like one.
    fn empty(&mut self, span: &Range<usize>, what: &str) {
        let message = format!("the exemption names {what}");
        let help =
            "name some, or leave the key out; without categories, rules and phrases it is a pause";
        self.mistakes.add(span, &message, help);
    }

    /// Refuses an exemption of nothing but severity 5: it would do nothing, and its author would not know.
    fn more_than_severity_5(
        &mut self,
        written: &Exemption,
        categories: &[String],
        rules: &[String],
    ) {
        if categories.is_empty() && rules.is_empty() {
            return;
        }
        let lesser = |rule: &str| self.rules.severities.get(rule).is_none_or(|it| it.1 < 5);
        let any_rule = rules.iter().any(|rule| lesser(rule));
        let any_category = categories.iter().any(|category| {
            MADE_BY_AGENTS.iter().any(|it| it.as_str() == category)
                || self.rules.severities.values().any(|it| it.0.as_str() == category && it.1 < 5)
        });
        if !any_rule && !any_category {
            let message = "the exemption covers nothing but severity 5, which is never left alone";
            let help = "take it out: what it names goes on reaching the DSL";
            self.mistakes.add(&written.reason.span(), message, help);
        }
    }

    /// A date, a time of the school's, or a time with an offset of its own.
    fn moment(&mut self, written: &Spanned<Datetime>, end: bool) -> Option<Timestamp> {
        let at = timestamp(written.get_ref(), &self.zone, end);
        if at.is_none() {
            let message = format!("`{}` is not a date", written.get_ref());
            self.mistakes.add(&written.span(), &message, "write 2026-11-23 or 2026-11-23T08:30:00");
        }
        at
    }

    fn programs(&mut self, written: &Programs) -> Vec<v1::ProgramEntry> {
        let bypass = self.severity(written.bypass_severity.as_ref(), 0);
        let remote = self.severity(written.remote_control_severity.as_ref(), 0);
        let mut programs = self.rules.programs.clone();
        for program in &mut programs {
            program.severity = match program.list() {
                v1::ProgramList::Bypass => bypass,
                v1::ProgramList::RemoteControl => remote,
                _ => 0,
            };
        }
        for (list, entries) in [
            (v1::ProgramList::Allowed, &written.allowed),
            (v1::ProgramList::Denied, &written.denied),
        ] {
            for entry in entries {
                programs.push(self.program(list, entry));
            }
        }
        self.most(programs.len(), bounds::PROGRAMS, "programs");
        programs
    }

    fn program(&mut self, list: v1::ProgramList, entry: &Spanned<Program>) -> v1::ProgramEntry {
        let Program { name, path, publisher, reason, severity } = entry.get_ref();
        let given: Vec<&String> =
            [name, path, publisher].into_iter().filter(|text| !text.is_empty()).collect();
        if given.is_empty() {
            let help = "give its name, path or publisher";
            self.mistakes.add(&entry.span(), "the entry names no program", help);
        }
        for pattern in given {
            if let Some(message) = programs::wrong(pattern) {
                self.mistakes.add(&entry.span(), message, "write more of it, on one line");
            }
        }
        if reason.len() > TEXT_BYTES {
            self.mistakes.add(&entry.span(), "the reason is over 256 bytes", "shorten it");
        }
        if let (v1::ProgramList::Allowed, Some(severity)) = (list, severity) {
            let help = "take it out";
            self.mistakes.add(&severity.span(), "what is allowed has no severity", help);
        }
        v1::ProgramEntry {
            list: list as i32,
            name: name.clone(),
            path: path.clone(),
            publisher: publisher.clone(),
            reason: reason.clone(),
            severity: self.severity(severity.as_ref(), 0),
        }
    }

    fn notice(&mut self, written: &Notice) -> v1::Notice {
        let mut text = |text: &Option<Spanned<String>>, what| {
            let help = "say it in words that a pupil understands";
            text.as_ref().map(|text| self.text(text, what, help))
        };
        let watched_by = text(&written.watched_by, "watched_by");
        let help = text(&written.help, "help");
        if let Some(version) = written.version.as_ref().filter(|it| *it.get_ref() == 0) {
            self.mistakes.add(&version.span(), "the version is 0", "begin with 1");
        }
        notice(self.school, watched_by, help, written.version.as_ref().map(|it| *it.get_ref()))
    }

    fn text(&mut self, text: &Spanned<String>, what: &str, help: &str) -> String {
        let plain = text.get_ref().trim();
        if plain.is_empty() || plain.len() > TEXT_BYTES || plain.chars().any(char::is_control) {
            let message = format!("{what} is empty, over 256 bytes or has a line break");
            self.mistakes.add(&text.span(), &message, help);
        }
        plain.to_owned()
    }

    fn severity(&mut self, severity: Option<&Spanned<u32>>, least: u32) -> u32 {
        let Some(severity) = severity else { return 0 };
        if !(least..=5).contains(severity.get_ref()) {
            let message = format!("the severity is {}", severity.get_ref());
            self.mistakes.add(&severity.span(), &message, &format!("write {least} to 5"));
        }
        *severity.get_ref()
    }

    fn most(&mut self, count: usize, most: usize, what: &str) {
        if count > most {
            let message = format!("more than {most} {what}");
            self.mistakes.add(&(0..0), &message, "merge or take out some");
        }
    }
}

/// A period that begins in summer and ends in winter is an hour longer than its days.
const DAYLIGHT_SAVING: SignedDuration = SignedDuration::from_hours(1);

fn timestamp(written: &Datetime, zone: &TimeZone, end: bool) -> Option<Timestamp> {
    let date: civil::Date = written.date?.to_string().parse().ok()?;
    let at = match (written.time, written.offset) {
        (Some(_), Some(_)) => return written.to_string().parse().ok(),
        (Some(time), None) => date.to_datetime(time.to_string().parse().ok()?),
        (None, None) if end => date.checked_add(1.day()).ok()?.to_datetime(civil::Time::midnight()),
        (None, None) => date.to_datetime(civil::Time::midnight()),
        (None, Some(_)) => return None,
    };
    Some(at.to_zoned(zone.clone()).ok()?.timestamp())
}

fn weekday(name: &str) -> Option<Weekday> {
    Some(match name.to_lowercase().as_str() {
        "monday" => Weekday::Monday,
        "tuesday" => Weekday::Tuesday,
        "wednesday" => Weekday::Wednesday,
        "thursday" => Weekday::Thursday,
        "friday" => Weekday::Friday,
        "saturday" => Weekday::Saturday,
        "sunday" => Weekday::Sunday,
        _ => return None,
    })
}

fn is_made_by_agents(rule: &str) -> bool {
    MADE_BY_AGENTS.iter().any(|category| {
        rule.strip_prefix(category.as_str())
            .is_some_and(|rest| rest.len() > 1 && rest.starts_with('.'))
    })
}
