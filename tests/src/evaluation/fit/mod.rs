//! Proposes the signs of a rule: a logistic regression as a table that people can read.
//!
//! ```text
//! labelled sets, examples of the packs,       features         regression        table
//! searches, prose ─► texts ─► which words ─► columns ─► choose, then weigh ─► points
//! ```
//! The points are arithmetic over texts that somebody wrote for the purpose. They know nothing of children: a person
//! reads the table, strikes out what is no sign of anything, adds examples, and answers for what is pasted into a pack.
//!
//! The same texts give the same table: nothing is random, and columns are sorted by their words, which are numbered as
//! they are met.

pub mod features;
pub mod forbidden;
pub mod regression;
pub mod sources;
pub mod table;

use std::collections::HashMap;

use features::{Feature, Reader};
use redshank_matcher::MAX_SIGNS;
use regression::{Fit, Limits, Penalty, Problem};
use sources::Sample;

/// In how many texts a feature must stand: what one text has is chance.
const LEAST_TEXTS: u32 = 2;
/// The most signs that are proposed: a rule takes so many.
const MOST_SIGNS: usize = MAX_SIGNS;
/// What a weight costs when signs are chosen, and when those that are kept are weighed: it keeps what stands in few texts
/// from gathering points.
const COST: Penalty = Penalty(0.05);
/// Choosing needs to know which weights are small, not their last digit.
const CHOOSING_LIMITS: Limits = Limits { steps: 1500, still: 1e-2 };
/// A thirtieth of a weight is one point.
const WEIGHING_LIMITS: Limits = Limits { steps: 3000, still: 1e-3 };

/// Features with their weights.
#[derive(Debug)]
pub struct Model {
    /// Each with its weight.
    pub weights: HashMap<Feature, f64>,
    /// What a text has that none of them stands in.
    pub bias: f64,
}

impl Model {
    /// Gives the log-odds that a text with these features, each once, is of the category.
    #[must_use]
    pub fn score(&self, features: &[Feature]) -> f64 {
        let weights: Vec<f64> =
            features.iter().filter_map(|it| self.weights.get(it)).copied().collect();
        self.bias + regression::balanced(&weights)
    }
}

/// Chooses features and weighs them.
pub fn fit(samples: &[Sample], reader: &mut Reader, tell: &mut dyn FnMut(&str)) -> Model {
    let columns = columns(samples, reader);
    tell(&format!("{} texts, {} features in {LEAST_TEXTS} or more", samples.len(), columns.len()));
    let number: HashMap<Feature, u32> = columns.iter().copied().zip(0..).collect();
    let problem = Problem {
        rows: samples.iter().map(|sample| row(&sample.text, reader, &number)).collect(),
        positive: samples.iter().map(|sample| sample.positive).collect(),
        weights: samples.iter().map(|sample| sample.weight).collect(),
        columns: columns.len(),
    };
    let first = regression::fit(&problem, COST, CHOOSING_LIMITS, &mut |line| {
        tell(&format!("choosing: {line}"));
    });
    let kept = weightiest(&problem, &first);
    tell(&format!("{} features chosen", kept.len()));
    let second = regression::fit(&problem.only(&kept), COST, WEIGHING_LIMITS, &mut |line| {
        tell(&format!("weighing: {line}"));
    });
    let chosen = kept.iter().filter_map(|column| columns.get(*column).copied());
    Model { weights: chosen.zip(second.weights).collect(), bias: second.bias }
}

/// Gives what may be a sign, sorted: a map has no order of its own.
fn columns(samples: &[Sample], reader: &mut Reader) -> Vec<Feature> {
    let mut counts: HashMap<Feature, u32> = HashMap::new();
    for sample in samples {
        for feature in reader.features(&sample.text) {
            *counts.entry(feature).or_default() += 1;
        }
    }
    counts.retain(|feature, count| *count >= LEAST_TEXTS && reader.may_be_sign(*feature));
    let mut columns: Vec<Feature> = counts.into_keys().collect();
    columns.sort_unstable();
    columns
}

fn row(text: &str, reader: &mut Reader, number: &HashMap<Feature, u32>) -> Vec<u32> {
    let features = reader.features(text);
    let mut row: Vec<u32> = features.iter().filter_map(|it| number.get(it).copied()).collect();
    row.sort_unstable();
    row
}

/// Gives the columns that weigh most, in their order: a weight counts by how often it is used, as the root, because
/// errors of many texts partly cancel.
fn weightiest(problem: &Problem, fit: &Fit) -> Vec<usize> {
    let uses = problem.uses();
    let scored = fit.weights.iter().zip(uses).map(|(weight, used)| weight.abs() * used.sqrt());
    let mut scored: Vec<(usize, f64)> = scored.enumerate().filter(|(_, it)| *it > 0.0).collect();
    scored.sort_by(|(a, left), (b, right)| right.total_cmp(left).then(a.cmp(b)));
    scored.truncate(MOST_SIGNS);
    let mut kept: Vec<usize> = scored.into_iter().map(|(column, _)| column).collect();
    kept.sort_unstable();
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_tells_the_texts_apart_is_chosen() {
        let text = |text: &str, positive| Sample { text: text.to_owned(), positive, weight: 1.0 };
        let places = ["here", "there", "home", "school", "town", "bed", "work", "church"];
        let samples: Vec<Sample> = places
            .iter()
            .flat_map(|place| {
                [
                    text(&format!("cold rain at {place}"), true),
                    text(&format!("cold sun at {place}"), false),
                ]
            })
            .collect();
        let mut reader = Reader::default();
        let model = fit(&samples, &mut reader, &mut |_| ());
        let mut score = |text: &str| model.score(&reader.features(text));
        assert!(score("rain at sea") > 0.0 && score("sun at sea") < 0.0);
        let weight = |name: &str| {
            let known = model.weights.iter().find(|(it, _)| reader.written(**it) == name);
            known.map_or(0.0, |(_, weight)| *weight)
        };
        assert!(weight("rain") > 1.0 && weight("sun") < -1.0);
        assert!(weight("cold").abs() < 0.1, "both kinds of text have it");
    }
}
