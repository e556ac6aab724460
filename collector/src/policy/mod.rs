//! Policies: what a school watches, made of rule packs and the private list, signed, given to its agents.
//!
//! - The shipped packs ([`shipped`]), the shipped private list and the shipped lists of programs are compiled in;
//!   a folder named by `policy.rules` in `collector.toml` takes their place, whole: a school that edits rules
//!   sees every rule it has in one folder. A folder without `private.toml` or `programs.toml` keeps the shipped
//!   one.
//! - Of the packs a school uses those in English, and in the further languages that its file names ([`Languages`]).
//! - What a school decides besides the rules stands in a file of its own ([`school`]): a pause of one school's
//!   monitoring must not be able to pause another's.
//! - Rules that do not pass their own examples are never published: [`Rules::read`] lints them, and what it
//!   finds names file, line, rule and the way out. What was in force stays in force.
//! - A policy is published ([`publish`]) when its content differs from the one in force, or that one has
//!   lived for half of its time: with the next serial, for 400 days. Serials never fall. What it leaves alone for
//!   a time is on the audit trail with its reason, and on the console until it ends.

mod decisions;
mod languages;
mod mistakes;
mod private;
mod programs;
mod publish;
pub mod school;
mod service;
pub mod shipped;

use std::collections::HashMap;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use redshank_matcher::{Category, Diagnostic, Pack, lint};
use redshank_proto::{bounds, v1};
use serde::Deserialize;

pub use self::decisions::Decisions;
pub use self::languages::{Languages, SoundPack};
pub use self::publish::{Published, publish};
pub use self::service::service;
use crate::settings::Settings;

/// The private list's file among the packs.
const PRIVATE: &str = "private.toml";
/// The file of the lists of programs.
const PROGRAMS: &str = "programs.toml";

/// Rule packs, private list and lists of programs, sound.
#[derive(Debug, Clone, PartialEq)]
pub struct Rules {
    /// The packs, by name.
    pub packs: Vec<SoundPack>,
    /// The private list.
    pub private_list: Vec<v1::PrivateEntry>,
    /// Programs that get round the filter or let somebody else use a device; without severities.
    pub programs: Vec<v1::ProgramEntry>,
    /// Category and severity of each rule of the packs, by its id.
    pub severities: HashMap<String, (Category, u32)>,
}

/// What a school's policy says besides the rules.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Choices {
    /// Whether visits without a match leave the devices too.
    pub report_visits: bool,
    /// In which languages the packs are that its devices use.
    pub languages: Languages,
    /// Accounts that several people share.
    pub shared_logins: Vec<String>,
    /// The filter's categories that reach the DSL.
    pub filter_categories: Vec<v1::FilterCategory>,
    /// Which text of pages is read.
    pub text: v1::TextPolicy,
    /// Patterns of staff's accounts.
    pub staff_accounts: Vec<String>,
    /// How old the school's pupils are.
    pub age_group: v1::AgeGroup,
    /// Accounts of pupils of another age group.
    pub ages: Vec<v1::AccountAges>,
    /// When pupils' own devices are watched.
    pub school_hours: Option<v1::SchoolHours>,
    /// What is left alone for a time.
    pub exemptions: Vec<v1::Exemption>,
    /// What is left alone by its words.
    pub phrase_exemptions: Vec<v1::Exemption>,
    /// Programs by list.
    pub programs: Vec<v1::ProgramEntry>,
    /// Whether every program that is not allowed counts as denied.
    pub programs_only_allowed: bool,
    /// Removable media.
    pub media: v1::MediaPolicy,
    /// What the notice says of the school.
    pub notice: v1::Notice,
}

/// Why rules are not published.
#[derive(Debug, thiserror::Error)]
pub enum RulesError {
    /// The folder or a file in it cannot be read.
    #[error("{path}: {reason}")]
    File {
        /// The folder or file.
        path: String,
        /// What is wrong, and the way out.
        reason: String,
    },
    /// The packs, a list or a school's file have mistakes.
    #[error("the rules or a school's policy have mistakes:\n{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Mistakes(Vec<Diagnostic>),
}

impl Choices {
    /// What the settings say, for every school.
    #[must_use]
    pub fn of(settings: &Settings) -> Self {
        let shared_logins = settings.shared_logins.clone();
        Self { report_visits: settings.report_visits, shared_logins, ..Self::default() }
    }
}

impl Rules {
    /// Reads and lints the rules of a folder; without one, those that are shipped.
    ///
    /// # Errors
    /// [`RulesError`] with every mistake.
    pub fn read(folder: Option<&Path>) -> Result<Self, RulesError> {
        let Some(folder) = folder else {
            return Self::check(shipped::packs(), shipped::PRIVATE, shipped::PROGRAMS);
        };
        let list = |name: &str, shipped: &str| {
            let path = folder.join(name);
            if path.exists() { read(&path) } else { Ok(shipped.to_owned()) }
        };
        let private = list(PRIVATE, shipped::PRIVATE)?;
        let programs = list(PROGRAMS, shipped::PROGRAMS)?;
        Self::check(packs_of(folder)?, &private, &programs)
    }

    fn check(packs: Vec<v1::RulePack>, private: &str, programs: &str) -> Result<Self, RulesError> {
        let mut mistakes = Vec::new();
        let mut parsed = Vec::new();
        for pack in &packs {
            match Pack::parse(&pack.name, &pack.text) {
                Ok(pack) => parsed.push(pack),
                Err(wrong) => mistakes.extend(wrong),
            }
        }
        if mistakes.is_empty() {
            mistakes.extend(lint(&parsed));
        }
        let mut list = |mistake: Vec<Diagnostic>| mistakes.extend(mistake);
        let private_list = private::parse(PRIVATE, private).map_err(&mut list).unwrap_or_default();
        let programs = programs::parse(PROGRAMS, programs).map_err(&mut list).unwrap_or_default();
        if mistakes.is_empty() {
            let severities = packs.iter().flat_map(|pack| severities(&pack.text)).collect();
            let packs = packs.into_iter().zip(&parsed).map(|(pack, parsed)| SoundPack {
                pack,
                language: parsed.language(),
                reviewed: parsed.is_reviewed(),
            });
            Ok(Self { packs: packs.collect(), private_list, programs, severities })
        } else {
            Err(RulesError::Mistakes(mistakes))
        }
    }
}

/// The rules of a sound pack, with their category and severity: for schools that exempt one.
fn severities(pack: &str) -> Vec<(String, (Category, u32))> {
    #[derive(Deserialize)]
    struct Named {
        category: String,
        rule: Vec<Rule>,
    }
    #[derive(Deserialize)]
    struct Rule {
        id: String,
        severity: u32,
    }
    let Ok(pack) = toml::from_str::<Named>(pack) else { return Vec::new() };
    let Ok(category) = pack.category.parse() else { return Vec::new() };
    pack.rule.into_iter().map(|rule| (rule.id, (category, rule.severity))).collect()
}

/// The packs of a folder: `LANGUAGE/CATEGORY.toml`.
fn packs_of(folder: &Path) -> Result<Vec<v1::RulePack>, RulesError> {
    let mut packs = Vec::new();
    for language in entries(folder)?.into_iter().filter(|path| path.is_dir()) {
        for file in entries(&language)? {
            if file.extension().is_some_and(|extension| extension == "toml") {
                let name = file.strip_prefix(folder).unwrap_or(&file);
                let name = name.to_string_lossy().replace(std::path::MAIN_SEPARATOR, "/");
                packs.push(v1::RulePack { name, text: read(&file)? });
            }
        }
    }
    match packs.len() {
        0 => Err(failed(
            folder,
            "holds no rule packs; expected LANGUAGE/CATEGORY.toml, en/drugs.toml",
        )),
        1..=bounds::RULE_PACKS => Ok(packs),
        _ => Err(failed(folder, &format!("holds more than {} rule packs", bounds::RULE_PACKS))),
    }
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, RulesError> {
    let read = || folder.read_dir()?.map(|entry| Ok(entry?.path())).collect::<Result<_, _>>();
    let mut entries: Vec<PathBuf> = read().map_err(|error: std::io::Error| {
        failed(folder, &format!("cannot be listed ({error}); check policy.rules in collector.toml"))
    })?;
    entries.sort();
    Ok(entries)
}

fn read(path: &Path) -> Result<String, RulesError> {
    let read = || {
        let mut text = String::new();
        let most = bounds::RULE_PACK_BYTES as u64 + 1;
        File::open(path)?.take(most).read_to_string(&mut text)?;
        Ok(text)
    };
    let text = read()
        .map_err(|error: std::io::Error| failed(path, &format!("cannot be read ({error})")))?;
    if text.len() > bounds::RULE_PACK_BYTES {
        return Err(failed(path, "is longer than 512 KiB; split it by category"));
    }
    Ok(text)
}

fn failed(path: &Path, reason: &str) -> RulesError {
    RulesError::File { path: path.display().to_string(), reason: reason.to_owned() }
}

#[cfg(test)]
mod tests;
