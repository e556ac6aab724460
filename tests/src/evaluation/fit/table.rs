//! Weights as points, and the rule as TOML.

use std::collections::HashMap;
use std::fmt::Write as _;

use anyhow::bail;
use redshank_matcher::{Category, MAX_POINTS, balanced};

use super::Model;
use super::features::{Feature, Reader};

/// Points of a weight of 1: whole points are near enough, and people read them.
const SCALE: f64 = 30.0;
/// What a sign for the category gives at most, of what is enough: none is enough alone, since at least six are balanced.
const CAP: f64 = 2.0;
/// What a sign against it takes at most, of what is enough: one harmless word must not hide a long cry for help.
const MOST_AGAINST: f64 = 2.0;
/// The rule's severity, until its editor knows better: to be looked at within the day.
const SEVERITY: u8 = 4;

/// Signs with their points.
#[derive(Debug)]
pub struct Table {
    /// From how many points on it is a match.
    pub enough: i32,
    signs: HashMap<Feature, i32>,
}

impl Table {
    /// Turns weights into points. `threshold` is the log-odds from which on a text is to be found.
    ///
    /// # Errors
    /// Says so if a text without any sign would be found.
    pub fn of(model: &Model, threshold: f64) -> anyhow::Result<Self> {
        let enough = points(threshold - model.bias);
        if enough < 1 {
            bail!(
                "{enough} points would be enough: too few harmless texts, or too low a threshold"
            );
        }
        let part = |share: f64| whole((f64::from(enough) * share).floor()).min(MAX_POINTS);
        let (most, least) = (part(CAP), -part(MOST_AGAINST));
        let signs = model.weights.iter().map(|(feature, weight)| (*feature, points(*weight)));
        let signs = signs
            .filter(|(_, points)| *points != 0)
            .map(|(feature, points)| (feature, points.clamp(least, most)))
            .collect();
        Ok(Self { enough, signs })
    }

    /// Says whether a text with these features, each once, is found.
    #[must_use]
    pub fn finds(&self, features: &[Feature]) -> bool {
        let signs: Vec<i32> =
            features.iter().filter_map(|it| self.signs.get(it)).copied().collect();
        balanced(signs.iter().sum(), signs.len()) >= self.enough
    }

    /// Gives how many signs there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.signs.len()
    }

    /// Says whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.signs.is_empty()
    }

    /// Writes the rule, to be read, cut and pasted into a pack.
    #[must_use]
    pub fn toml(&self, category: Category, reader: &Reader) -> String {
        let mut signs: Vec<(String, i32)> =
            self.signs.iter().map(|(sign, points)| (reader.written(*sign), *points)).collect();
        signs.sort_by(|(a, left), (b, right)| right.cmp(left).then(a.cmp(b)));
        let mut toml = String::new();
        // A String takes whatever is written to it. Words are letters and digits: nothing needs escaping.
        let _ = writeln!(
            toml,
            "[[rule]]\nid = \"{category}.quiet_signs\"\nseverity = {SEVERITY}\n\
             note = \"Signs that say little alone stand together ({}); read the text itself.\"\n\
             places = [\"search\", \"typed\"]\npoints = {}\nbalanced = true\n[rule.signs]",
            category.label(),
            self.enough,
        );
        for (sign, points) in &signs {
            let _ = writeln!(toml, "\"{sign}\" = {points}");
        }
        toml
    }
}

fn points(weight: f64) -> i32 {
    whole((SCALE * weight).round())
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "weights are small, and a cast of a float is clamped"
)]
fn whole(number: f64) -> i32 {
    number as i32
}

#[cfg(test)]
mod tests {
    use redshank_matcher::{Matcher, Pack, Place};

    use super::*;

    const HEAD: &str =
        "format = 1\ncategory = \"suicide\"\nlanguage = \"en\"\nversion = 1\nreviewed = \"no\"\n";

    #[test]
    fn weights_become_points_within_bounds() {
        let mut reader = Reader::default();
        let table = table(&mut reader);
        let toml = table.toml(Category::Suicide, &reader);
        let (_, signs) = toml.split_once("[rule.signs]\n").unwrap();
        assert_eq!(signs, "\"bleak\" = 210\n\"mum gone\" = 153\n\"tea\" = 7\n\"film\" = -240\n");
        assert!(toml.contains("points = 120\nbalanced = true\n"), "{toml}");
        assert_eq!((table.len(), table.is_empty()), (4, false));
    }

    #[test]
    fn the_engine_finds_what_the_table_finds() {
        let mut reader = Reader::default();
        let table = table(&mut reader);
        let pack = format!("{HEAD}{}", table.toml(Category::Suicide, &reader));
        let matcher = Matcher::compile(&[Pack::parse("en/suicide.toml", &pack).unwrap()]).unwrap();
        for (text, found) in [
            ("bleak. Mum gone", true),
            ("bleak, mum gone and bleak", true),
            ("bleak", false),
            ("mum gone, mum gone", false),
            ("bleak tea: mum gone", true),
            ("bleak film: mum gone", false),
            ("bleak. mum. gone", false),
        ] {
            assert_eq!(table.finds(&reader.features(text)), found, "{text}");
            assert_eq!(!matcher.find(text, Place::Typed).matches.is_empty(), found, "{text}");
        }
    }

    #[test]
    fn a_text_without_signs_is_never_found() {
        assert!(Table::of(&Model { weights: HashMap::new(), bias: 0.1 }, -0.3).is_err());
    }

    fn table(reader: &mut Reader) -> Table {
        let weights = [("bleak", 7.0), ("mum gone", 5.1), ("film", -12.0), ("tea", 0.24)];
        let known = reader.features("bleak mum gone film tea");
        let of = |name: &str| *known.iter().find(|it| reader.written(**it) == name).unwrap();
        let weights = weights.into_iter().map(|(name, weight)| (of(name), weight)).collect();
        Table::of(&Model { weights, bias: -4.3 }, -0.3).unwrap()
    }
}
