//! The texts that signs are fitted on, and how much each counts.
//!
//! | text | is | counts |
//! |---|---|---|
//! | of a labelled set, of the category | to be found | 1 |
//! | of a set that also holds such: a near miss, written against it | harmless | 1 |
//! | of another set | harmless | 0.7: there are many, and few come near |
//! | of another category that is named neutral | left out: close to the category, and an alert anyway | |
//! | an example of the category's pack | to be found | 1 |
//! | what an example of any pack must not find | harmless | 1: the nearest misses there are |
//! | an ordinary search | harmless | 1 |
//! | a window of prose | harmless | 1: an essay has hundreds, and each alert is one too many |

use std::collections::HashSet;
use std::path::Path;

use anyhow::Context as _;
use redshank_matcher::Category;
use serde::Deserialize;

use crate::evaluation::labelled::{Expected, Set};
use crate::evaluation::{self, packs};

/// What a text far from the category counts.
const FAR: f64 = 1.0;
/// What every other text counts.
const NEAR: f64 = 1.0;
/// The words of a window of prose: as many as the engine weighs together.
const WINDOW: usize = 60;
/// The shortest window, in bytes: a heading or a page number teaches nothing.
const SHORTEST: usize = 20;

/// A text with what it teaches.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// What was written.
    pub text: String,
    /// Whether it is to be found.
    pub positive: bool,
    /// How much it counts.
    pub weight: f64,
}

/// Which texts are to be found, and which say nothing either way.
#[derive(Debug, Clone)]
pub struct Aim {
    /// What is to be found.
    pub category: Category,
    /// Categories whose texts are neither found nor harmless.
    pub neutral: Vec<Category>,
}

/// What of a pack is read here: the engine gives no examples.
#[derive(Debug, Deserialize)]
struct Pack {
    category: String,
    #[serde(default, rename = "rule")]
    rules: Vec<Rule>,
}

#[derive(Debug, Deserialize)]
struct Rule {
    id: String,
    #[serde(default, rename = "match")]
    matching: Vec<String>,
    #[serde(default, rename = "miss")]
    missing: Vec<String>,
}

/// What the packs of a language say.
#[derive(Debug, Default)]
pub struct Packs {
    /// Their examples.
    pub samples: Vec<Sample>,
    /// Rules that the pack of the category has.
    pub rules: HashSet<String>,
}

impl Aim {
    /// Says whether a text is to be found; nothing if it is neutral.
    #[must_use]
    pub fn wants(&self, expect: Expected) -> Option<bool> {
        match expect {
            Expected::Match(category) if category == self.category => Some(true),
            Expected::Match(category) if self.neutral.contains(&category) => None,
            Expected::Match(_) | Expected::Nothing => Some(false),
        }
    }

    /// Gives what a labelled set teaches.
    #[must_use]
    pub fn of_set(&self, set: &Set) -> Vec<Sample> {
        let aimed = set.examples.iter().any(|it| self.wants(it.expect) == Some(true));
        let weight = if aimed { NEAR } else { FAR };
        let sample = |positive, text: &String| Sample { text: text.clone(), positive, weight };
        let samples = set.examples.iter();
        samples.filter_map(|it| Some(sample(self.wants(it.expect)?, &it.text))).collect()
    }

    /// Gives what the packs of a language teach.
    ///
    /// # Errors
    /// Names the pack that cannot be read.
    pub fn of_packs(&self, folder: &Path) -> anyhow::Result<Packs> {
        let mut packs = Packs::default();
        for file in packs::files(folder)? {
            let at = || format!("{}", file.display());
            self.of_pack(toml::from_str(&evaluation::read(&file)?).with_context(at)?, &mut packs);
        }
        Ok(packs)
    }

    fn of_pack(&self, pack: Pack, packs: &mut Packs) {
        // What other packs find was not written with this category in mind: some of it is both.
        let own = pack.category == self.category.as_str();
        let sample = |text, positive| Sample { text, positive, weight: NEAR };
        for rule in pack.rules {
            if own {
                packs.samples.extend(rule.matching.into_iter().map(|it| sample(it, true)));
                packs.rules.insert(rule.id);
            }
            packs.samples.extend(rule.missing.into_iter().map(|it| sample(it, false)));
        }
    }
}

/// Gives the windows of prose, each text once.
#[must_use]
pub fn of_prose(sets: &[Set]) -> Vec<Sample> {
    let mut seen = HashSet::new();
    let texts = sets.iter().flat_map(|set| &set.examples).map(|it| it.text.as_str());
    let mut samples = Vec::new();
    for text in texts.filter(|text| seen.insert(*text)) {
        let words: Vec<&str> = text.split_whitespace().collect();
        let windows = words.chunks(WINDOW).map(|words| words.join(" "));
        let long = windows.filter(|text| text.len() > SHORTEST);
        samples.extend(long.map(|text| Sample { text, positive: false, weight: NEAR }));
    }
    samples
}

/// Gives ordinary searches, one a line.
#[must_use]
pub fn of_searches(text: &str) -> Vec<Sample> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.map(|line| Sample { text: line.to_owned(), positive: false, weight: NEAR }).collect()
}

#[cfg(test)]
mod tests {
    use redshank_matcher::Place;

    use super::*;
    use crate::evaluation::labelled::Example;

    #[test]
    fn a_text_counts_by_what_its_set_holds() {
        let aim = aim();
        let taught = |categories: &[Option<Category>]| -> Vec<(bool, f64)> {
            aim.of_set(&set(categories)).iter().map(|it| (it.positive, it.weight)).collect()
        };
        let (own, neutral, other) = (Category::Suicide, Category::SelfHarm, Category::Drugs);
        assert_eq!(taught(&[None, Some(other)]), [(false, FAR), (false, FAR)]);
        assert_eq!(
            taught(&[Some(own), None, Some(neutral), Some(other)]),
            [(true, NEAR), (false, NEAR), (false, NEAR)],
        );
        assert_eq!(taught(&[Some(neutral), None]), [(false, FAR)]);
    }

    #[test]
    fn packs_teach_what_they_find_and_what_they_must_not() {
        let mut packs = Packs::default();
        for category in ["suicide", "drugs"] {
            let text = format!(
                "category = \"{category}\"\n[[rule]]\nid = \"{category}.a\"\nseverity = 4\nmatch = [\"found\"]\nmiss = [\"{category}\"]"
            );
            aim().of_pack(toml::from_str(&text).unwrap(), &mut packs);
        }
        let taught: Vec<(&str, bool)> =
            packs.samples.iter().map(|it| (it.text.as_str(), it.positive)).collect();
        assert_eq!(taught, [("found", true), ("suicide", false), ("drugs", false)]);
        assert!(packs.rules.contains("suicide.a") && packs.rules.len() == 1);
    }

    #[test]
    fn prose_is_cut_into_windows_and_read_once() {
        let mut prose = set(&[None, None, None]);
        let long = "word ".repeat(WINDOW + 10);
        for (example, text) in
            prose.examples.iter_mut().zip([long.as_str(), long.as_str(), "short"])
        {
            text.clone_into(&mut example.text);
        }
        let words: Vec<usize> =
            of_prose(&[prose]).iter().map(|it| it.text.split(' ').count()).collect();
        assert_eq!(words, [WINDOW, 10]);
    }

    fn aim() -> Aim {
        Aim { category: Category::Suicide, neutral: vec![Category::SelfHarm, Category::Suicide] }
    }

    fn set(categories: &[Option<Category>]) -> Set {
        let example = |(line, category): (usize, &Option<Category>)| Example {
            line,
            text: format!("text {line}"),
            kind: Place::Typed,
            expect: category.map_or(Expected::Nothing, Expected::Match),
            severity: None,
        };
        let examples = categories.iter().enumerate().map(example).collect();
        Set { name: "set".to_owned(), examples }
    }
}
