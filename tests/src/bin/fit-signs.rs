//! Proposes the signs of a rule from labelled texts, as TOML to be read, cut and pasted into a pack.
//!
//! The points are proposed by arithmetic; a person decides. Nothing that comes out here goes into a pack unread: the
//! editor strikes out what is no sign, adds examples, and measures the pack with `evaluate` on texts that were not
//! used here.
//!
//! ```text
//! fit-signs --category suicide --neutral self_harm SETS… --prose FILE… --searches FILE --test SETS…
//! ```

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program speaks by printing")]

use std::path::PathBuf;

use anyhow::bail;
use clap::Parser;
use redshank_matcher::Category;
use redshank_tests::evaluation;
use redshank_tests::evaluation::fit::features::Reader;
use redshank_tests::evaluation::fit::sources::{Aim, Sample, of_prose, of_searches};
use redshank_tests::evaluation::fit::table::Table;
use redshank_tests::evaluation::fit::{Model, fit};
use redshank_tests::evaluation::labelled::Set;

/// Proposes the signs of a rule from labelled texts: arithmetic proposes, a person decides.
#[derive(Debug, Parser)]
struct Arguments {
    /// Labelled texts: files, or folders with *.jsonl below
    #[arg(required = true)]
    sets: Vec<PathBuf>,
    /// What is to be found
    #[arg(long)]
    category: Category,
    /// Categories whose texts are neither to be found nor harmless
    #[arg(long, value_delimiter = ',')]
    neutral: Vec<Category>,
    /// Labelled harmless prose, cut into windows of 60 words
    #[arg(long, num_args = 1..)]
    prose: Vec<PathBuf>,
    /// Ordinary searches, one a line
    #[arg(long)]
    searches: Option<PathBuf>,
    /// Labelled texts that are not learnt from: what the signs find of them is told
    #[arg(long, num_args = 1..)]
    test: Vec<PathBuf>,
    /// The folder of the rule packs, whose examples are learnt from
    #[arg(long, default_value = "collector/rules")]
    rules: PathBuf,
    /// The language whose packs are read
    #[arg(long, default_value = "en")]
    language: String,
    /// The log-odds from which on a text is to be found: lower finds more, rightly and wrongly
    #[arg(long, default_value_t = -0.3, allow_negative_numbers = true)]
    threshold: f64,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let aim = Aim { category: arguments.category, neutral: arguments.neutral.clone() };
    let mut reader = Reader::default();
    let samples = samples(&arguments, &aim)?;
    let model = fit(&samples, &mut reader, &mut |line| eprintln!("{line}"));
    let table = Table::of(&model, arguments.threshold)?;
    eprintln!("{} signs, {} points are enough", table.len(), table.enough);
    for set in read(&arguments.test)? {
        eprintln!("{}: {}", set.name, tested(&set, &aim, &model, &table, &mut reader));
    }
    print!("{}", table.toml(arguments.category, &reader));
    Ok(())
}

/// Reads whatever is learnt from.
fn samples(arguments: &Arguments, aim: &Aim) -> anyhow::Result<Vec<Sample>> {
    let packs = aim.of_packs(&arguments.rules.join(&arguments.language))?;
    let id = format!("{}.quiet_signs", aim.category);
    if packs.rules.contains(&id) {
        eprintln!(
            "the pack has a rule {id}: paste the signs into it, or give the new one another name"
        );
    }
    let mut samples: Vec<Sample> =
        read(&arguments.sets)?.iter().flat_map(|set| aim.of_set(set)).collect();
    samples.extend(packs.samples);
    samples.extend(of_prose(&read(&arguments.prose)?));
    if let Some(file) = &arguments.searches {
        samples.extend(of_searches(&evaluation::read(file)?));
    }
    if samples.iter().all(|it| it.positive) || !samples.iter().any(|it| it.positive) {
        bail!("there must be texts of {} and harmless ones", aim.category);
    }
    Ok(samples)
}

fn read(paths: &[PathBuf]) -> anyhow::Result<Vec<Set>> {
    let mut sets = Vec::new();
    for path in paths {
        sets.extend(Set::read_at(path)?);
    }
    Ok(sets)
}

/// Says what is found of a set: by the weights at log-odds of 0, and by the points of the table.
fn tested(set: &Set, aim: &Aim, model: &Model, table: &Table, reader: &mut Reader) -> String {
    let (mut wanted, mut harmless) = ([0_usize; 3], [0_usize; 3]);
    for sample in aim.of_set(set) {
        let features = reader.features(&sample.text);
        let counts = if sample.positive { &mut wanted } else { &mut harmless };
        counts[0] += 1;
        counts[1] += usize::from(model.score(&features) >= 0.0);
        counts[2] += usize::from(table.finds(&features));
    }
    let ([all, even, found], [others, evenly, wrongly]) = (wanted, harmless);
    format!(
        "by weights {even} of {all} found and {evenly} of {others} harmless ones; by points {found} and {wrongly}"
    )
}
