//! The rule packs of some languages, from the folder that holds a folder for each.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use redshank_matcher::{Diagnostic, Matcher, Pack, lint as lint_packs};

/// Reads every pack of these languages, in the order of their names.
///
/// # Errors
/// Names every mistake of every pack with its file and line; also a language without a pack.
pub fn read(rules: &Path, languages: &[String]) -> anyhow::Result<Vec<Pack>> {
    let mut packs = Vec::new();
    let mut wrong = Vec::new();
    for language in languages {
        let folder = rules.join(language);
        let before = packs.len();
        for file in files(&folder)? {
            let text = super::read(&file)?;
            let name = file.file_name().unwrap_or_default().to_string_lossy();
            match Pack::parse(&format!("{language}/{name}"), &text) {
                Ok(pack) => packs.push(pack),
                Err(mistakes) => wrong.extend(mistakes),
            }
        }
        if packs.len() == before && wrong.is_empty() {
            bail!("{}: no rule pack (*.toml) in this folder", folder.display());
        }
    }
    fail_on(&wrong)?;
    Ok(packs)
}

/// Gives the packs in the folder of a language, in the order of their names.
///
/// # Errors
/// If the folder cannot be read.
pub fn files(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let at = || format!("{}", folder.display());
    let entries = fs::read_dir(folder).with_context(at)?;
    let mut files: Vec<_> =
        entries.map(|it| Ok(it?.path())).collect::<std::io::Result<_>>().with_context(at)?;
    files.retain(|file| file.extension().is_some_and(|it| it == "toml"));
    files.sort();
    Ok(files)
}

/// Compiles packs.
///
/// # Errors
/// Names every mistake.
pub fn compile(packs: &[Pack]) -> anyhow::Result<Matcher> {
    Matcher::compile(packs).or_else(|wrong| {
        fail_on(&wrong)?;
        bail!("the rule packs do not compile")
    })
}

/// Holds packs against their own examples.
///
/// # Errors
/// Names every mistake.
pub fn lint(packs: &[Pack]) -> anyhow::Result<()> {
    fail_on(&lint_packs(packs))
}

fn fail_on(wrong: &[Diagnostic]) -> anyhow::Result<()> {
    if wrong.is_empty() {
        return Ok(());
    }
    let lines: Vec<String> = wrong.iter().map(Diagnostic::to_string).collect();
    bail!("the rule packs have {} mistakes:\n{}", lines.len(), lines.join("\n"))
}
