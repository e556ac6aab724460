//! Policies: what a school watches, made of rule packs and the private list, signed, given to its agents.
//!
//! - The shipped packs ([`shipped`]) and the shipped private list are compiled in; a folder named by
//!   `policy.rules` in `collector.toml` takes their place, whole: a school that edits rules sees every rule
//!   it has in one folder. A folder without `private.toml` keeps the shipped private list.
//! - Rules that do not pass their own examples are never published: [`Rules::read`] lints them, and what it
//!   finds names file, line, rule and the way out. What was in force stays in force.
//! - A policy is published ([`publish`]) when its content differs from the one in force, or that one has
//!   lived for half of its time: with the next serial, for 400 days. Serials never fall.

mod private;
mod publish;
mod service;
pub mod shipped;

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use redshank_matcher::{Diagnostic, Pack, lint};
use redshank_proto::{bounds, v1};

pub use self::publish::{Published, publish};
pub use self::service::service;
use crate::settings::Settings;

/// The private list's file among the packs.
const PRIVATE: &str = "private.toml";

/// Rule packs and private list, sound.
#[derive(Debug, Clone, PartialEq)]
pub struct Rules {
    /// The packs, by name.
    pub packs: Vec<v1::RulePack>,
    /// The private list.
    pub private_list: Vec<v1::PrivateEntry>,
}

/// What a school's policy says besides the rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choices {
    /// Whether visits without a match leave the devices too.
    pub report_visits: bool,
    /// Accounts that several people share.
    pub shared_logins: Vec<String>,
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
    /// The packs or the private list have mistakes.
    #[error("the rules have mistakes:\n{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Mistakes(Vec<Diagnostic>),
}

impl Choices {
    /// What the settings say.
    #[must_use]
    pub fn of(settings: &Settings) -> Self {
        let shared_logins = settings.shared_logins.clone();
        Self { report_visits: settings.report_visits, shared_logins }
    }
}

impl Rules {
    /// Reads and lints the rules of a folder; without one, those that are shipped.
    ///
    /// # Errors
    /// [`RulesError`] with every mistake.
    pub fn read(folder: Option<&Path>) -> Result<Self, RulesError> {
        let (packs, private) = match folder {
            None => (shipped::packs(), shipped::PRIVATE.to_owned()),
            Some(folder) => {
                let private = folder.join(PRIVATE);
                let shipped = || Ok(shipped::PRIVATE.to_owned());
                let private = if private.exists() { read(&private) } else { shipped() }?;
                (packs_of(folder)?, private)
            }
        };
        Self::check(packs, &private)
    }

    fn check(packs: Vec<v1::RulePack>, private: &str) -> Result<Self, RulesError> {
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
        match private::parse(PRIVATE, private) {
            Ok(private_list) if mistakes.is_empty() => Ok(Self { packs, private_list }),
            Ok(_) => Err(RulesError::Mistakes(mistakes)),
            Err(wrong) => {
                mistakes.extend(wrong);
                Err(RulesError::Mistakes(mistakes))
            }
        }
    }
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
