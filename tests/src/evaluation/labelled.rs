//! Labelled texts: one JSON object a line.
//!
//! `text`; `kind`, the place it was seen; `expect`, a category or "none"; `severity`: what an expected match has at
//! least, or what a harmless text must stay below. Left out, it is the severity from which a match is an alert.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use redshank_matcher::{Category, Place, Severity};
use serde::Deserialize;

/// Folders below the one that is named; deeper ones are a wrong folder.
const DEEPEST: usize = 4;

/// What a text must raise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// No alert of any category.
    Nothing,
    /// This category.
    Match(Category),
}

impl Expected {
    /// The category, if there must be a match.
    #[must_use]
    pub fn category(self) -> Option<Category> {
        match self {
            Self::Nothing => None,
            Self::Match(category) => Some(category),
        }
    }
}

/// One labelled text.
#[derive(Debug, Clone)]
pub struct Example {
    /// Its line in the file, counted from 1.
    pub line: usize,
    /// What was written.
    pub text: String,
    /// Where it was seen.
    pub kind: Place,
    /// What it must raise.
    pub expect: Expected,
    /// What an expected match has at least, or what a harmless text must stay below; from 1 to 5.
    pub severity: Option<u8>,
}

/// The texts of one file.
#[derive(Debug)]
pub struct Set {
    /// The file below the folder, without its ending.
    pub name: String,
    /// The texts, in their order.
    pub examples: Vec<Example>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    text: String,
    kind: String,
    expect: String,
    severity: Option<u8>,
}

impl Set {
    /// Reads every `*.jsonl` below a folder, in the order of their names.
    ///
    /// # Errors
    /// Names the file and line that is no labelled text, or is there twice; also if there is no set at all.
    pub fn read_all(folder: &Path) -> anyhow::Result<Vec<Self>> {
        let mut files = Vec::new();
        collect(folder, DEEPEST, &mut files)?;
        files.sort();
        if files.is_empty() {
            bail!("{}: no labelled texts (*.jsonl) in this folder", folder.display());
        }
        files.iter().map(|file| Self::read(folder, file)).collect()
    }

    fn read(folder: &Path, file: &Path) -> anyhow::Result<Self> {
        let text = super::read(file)?;
        let mut seen = HashSet::new();
        let mut examples = Vec::new();
        for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            let at = || format!("{}:{}", file.display(), number + 1);
            let example = example(number + 1, line).with_context(at)?;
            if !seen.insert((example.text.clone(), example.kind)) {
                bail!("{}: this text stands twice in the set", at());
            }
            examples.push(example);
        }
        let below = file.strip_prefix(folder).unwrap_or(file).with_extension("");
        Ok(Self { name: below.display().to_string(), examples })
    }
}

fn example(number: usize, line: &str) -> anyhow::Result<Example> {
    let line: Line = serde_json::from_str(line).context("no labelled text")?;
    if let Some(severity) = line.severity
        && Severity::new(severity).is_none()
    {
        bail!("severity {severity}: severities go from 1 to 5");
    }
    let expect = match line.expect.as_str() {
        "none" => Expected::Nothing,
        name => Expected::Match(name.parse()?),
    };
    Ok(Example {
        line: number,
        text: line.text,
        kind: line.kind.parse()?,
        expect,
        severity: line.severity,
    })
}

fn collect(folder: &Path, depth: usize, files: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    let at = || format!("{}", folder.display());
    for entry in fs::read_dir(folder).with_context(at)? {
        let path = entry.with_context(at)?.path();
        if path.is_dir() && depth > 0 {
            collect(&path, depth - 1, files)?;
        } else if path.extension().is_some_and(|extension| extension == "jsonl") {
            files.push(path);
        }
    }
    Ok(())
}
