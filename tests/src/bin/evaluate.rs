//! Measures the rule packs on labelled texts: how many of those that must be raised are, how many of what is raised
//! should not be, and how often harmless text raises an alert.
//!
//! Every set below a folder is measured by itself and all together. What went wrong is written to a file, text by text,
//! to be read: a rate says how good the rules are, only the texts say why. Text that nobody labelled is counted, and
//! what it raises is written down, too (`--unlabelled`).

use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::Parser;
use redshank_matcher::{Category, Findings, Match, Matcher, Place};
use redshank_tests::evaluation::labelled::{Example, Expected, Set};
use redshank_tests::evaluation::rates::{ALERT, Rates};
use redshank_tests::evaluation::{self, packs, report};
use serde_json::json;

/// Measures the rule packs on labelled texts.
#[derive(Debug, Parser)]
struct Arguments {
    /// A folder of labelled texts: every *.jsonl below it is a set
    #[arg(required_unless_present_any = ["unlabelled", "lint"])]
    sets: Option<PathBuf>,
    /// A file of harmless or unknown texts, one a line: what is raised is counted by severity
    #[arg(long, conflicts_with = "sets")]
    unlabelled: Option<PathBuf>,
    /// Where the unlabelled texts were seen
    #[arg(long, default_value = "search")]
    kind: Place,
    /// The folder of the rule packs
    #[arg(long, default_value = "collector/rules")]
    rules: PathBuf,
    /// The languages whose packs are used
    #[arg(long, value_delimiter = ',', default_value = "en")]
    languages: Vec<String>,
    /// The severity from which a match is an alert
    #[arg(long, default_value_t = ALERT, value_parser = clap::value_parser!(u8).range(1..=5))]
    at: u8,
    /// Where each error is written, as JSON Lines
    #[arg(long, default_value = "target/evaluate-errors.jsonl")]
    errors: PathBuf,
    /// Only holds the packs against their own examples
    #[arg(long)]
    lint: bool,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let packs = packs::read(&arguments.rules, &arguments.languages)?;
    if arguments.lint {
        return packs::lint(&packs);
    }
    let matcher = packs::compile(&packs)?;
    let mut errors = Errors::create(&arguments.errors)?;
    let report = match (&arguments.sets, &arguments.unlabelled) {
        (Some(folder), _) => labelled(folder, &matcher, arguments.at, &mut errors)?,
        (None, Some(file)) => unlabelled(file, &matcher, &arguments, &mut errors)?,
        (None, None) => bail!("name a folder of labelled texts or --unlabelled FILE"),
    };
    let written = errors.finish()?;
    let mut out = std::io::stdout().lock();
    write!(out, "{report}")?;
    writeln!(out, "\n{written} texts to read in {}", arguments.errors.display())?;
    Ok(())
}

/// Measures every set below a folder.
fn labelled(
    folder: &Path,
    matcher: &Matcher,
    at: u8,
    errors: &mut Errors,
) -> anyhow::Result<String> {
    let mut all = Rates::default();
    let mut report = report::heading(at);
    for set in Set::read_all(folder)? {
        let mut rates = Rates::default();
        for example in &set.examples {
            let findings = matcher.find(&example.text, example.kind);
            if let Some(wrong) = rates.take(example, &findings, at) {
                errors.write(&set.name, example, wrong.as_str(), &findings)?;
            }
        }
        report.push_str(&report::set(&set.name, &rates));
        all.add(&rates);
    }
    report.push_str(&report::set("all", &all));
    Ok(report)
}

/// Counts what a file of texts raises.
fn unlabelled(
    file: &Path,
    matcher: &Matcher,
    arguments: &Arguments,
    errors: &mut Errors,
) -> anyhow::Result<String> {
    let texts = evaluation::read(file)?;
    let mut severities = [0_usize; 6];
    let mut count = 0;
    for (number, line) in texts.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        count += 1;
        let findings = matcher.find(line, arguments.kind);
        let severity = findings.severity();
        severities[usize::from(severity.min(5))] += 1;
        if severity >= arguments.at {
            let example = Example {
                line: number + 1,
                text: line.to_owned(),
                kind: arguments.kind,
                expect: Expected::Nothing,
                severity: None,
            };
            errors.write(&file.display().to_string(), &example, "raised", &findings)?;
        }
    }
    Ok(report::unlabelled(count, &severities))
}

/// The file that errors are written to.
struct Errors {
    file: BufWriter<File>,
    path: PathBuf,
    written: usize,
}

impl Errors {
    fn create(path: &Path) -> anyhow::Result<Self> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).with_context(|| format!("{}", folder.display()))?;
        }
        let file = File::create(path).with_context(|| format!("{}", path.display()))?;
        Ok(Self { file: BufWriter::new(file), path: path.to_owned(), written: 0 })
    }

    fn write(
        &mut self,
        set: &str,
        example: &Example,
        wrong: &str,
        findings: &Findings,
    ) -> anyhow::Result<()> {
        let found = |it: &Match| {
            json!({
                "rule": &*it.rule,
                "severity": it.severity.get(),
                "words": example.text.get(it.start..it.end),
                "reasons": it.reasons,
            })
        };
        let line = json!({
            "set": set,
            "line": example.line,
            "wrong": wrong,
            "expect": example.expect.category().map_or("none", Category::as_str),
            "severity": example.severity,
            "kind": example.kind.as_str(),
            "text": example.text,
            "found": findings.matches.iter().map(found).collect::<Vec<_>>(),
        });
        self.written += 1;
        writeln!(self.file, "{line}").with_context(|| format!("{}", self.path.display()))
    }

    fn finish(mut self) -> anyhow::Result<usize> {
        self.file.flush().with_context(|| format!("{}", self.path.display()))?;
        Ok(self.written)
    }
}
