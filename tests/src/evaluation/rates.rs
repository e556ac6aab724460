//! What is counted of labelled texts, and how sure a rate is.

use std::collections::BTreeMap;

use redshank_matcher::{Category, Findings};

use super::labelled::{Example, Expected};

/// The severity from which a match is an alert: somebody looks at it within days.
pub const ALERT: u8 = 3;
/// The standard normal deviate of a 95 % interval.
const Z: f64 = 1.96;

/// So many of so many.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Share {
    /// So many.
    pub part: usize,
    /// Of so many.
    pub whole: usize,
}

impl Share {
    fn count(&mut self, counts: bool) {
        self.whole += 1;
        self.part += usize::from(counts);
    }

    fn add(&mut self, other: Self) {
        self.part += other.part;
        self.whole += other.whole;
    }

    /// Gives the share, from 0 to 1; nothing of nothing.
    #[must_use]
    pub fn rate(self) -> Option<f64> {
        (self.whole > 0).then(|| number(self.part) / number(self.whole))
    }

    /// Gives the bounds of the rate that chance leaves open at 95 % (Wilson's score interval, 1927), from 0 to 1.
    #[must_use]
    pub fn interval(self) -> Option<(f64, f64)> {
        let (rate, n) = (self.rate()?, number(self.whole));
        let middle = rate + Z * Z / (2.0 * n);
        let half = Z * (rate * (1.0 - rate) / n + Z * Z / (4.0 * n * n)).sqrt();
        let scale = 1.0 + Z * Z / n;
        Some((((middle - half) / scale).max(0.0), ((middle + half) / scale).min(1.0)))
    }
}

/// What is counted of one category.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counted {
    /// Of the texts that must raise it: how many do, gravely enough.
    pub recall: Share,
    /// Of the texts that must raise it: how many raise some category so gravely.
    pub noticed: Share,
    /// Of the alerts of this category: how many are of texts that must raise it. Alerts beside the one that another
    /// category must raise are in neither number: a text may well be about two.
    pub precision: Share,
}

/// How a text was judged wrongly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wrong {
    /// It must be raised and is not.
    Missed,
    /// It must be raised and is, less gravely than it must be.
    TooLow,
    /// It must not be raised and is.
    Raised,
}

impl Wrong {
    /// Says it in the file of errors.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Missed => "missed",
            Self::TooLow => "too low",
            Self::Raised => "raised",
        }
    }
}

/// What is counted of a set.
#[derive(Debug, Default)]
pub struct Rates {
    /// By category; those that nothing was expected of, or raised, are absent.
    pub categories: BTreeMap<Category, Counted>,
    /// Of the texts that must raise nothing: how many raise an alert.
    pub alerts: Share,
}

impl Rates {
    /// Counts a text; says what is wrong if its findings are. `at` is the severity of an alert, from 1 to 5.
    pub fn take(&mut self, example: &Example, findings: &Findings, at: u8) -> Option<Wrong> {
        let severity_of = |category: Category| {
            let of_it = findings.matches.iter().filter(|it| it.category == category);
            of_it.map(|it| it.severity.get()).max().unwrap_or_default()
        };
        let least = example.severity.unwrap_or(at);
        match example.expect {
            Expected::Nothing => {
                let alert = findings.severity() >= least;
                self.alerts.count(findings.severity() >= at);
                for category in Category::ALL {
                    if severity_of(*category) >= least {
                        self.of(*category).precision.count(false);
                    }
                }
                alert.then_some(Wrong::Raised)
            }
            Expected::Match(category) => {
                let severity = severity_of(category);
                let counted = self.of(category);
                counted.recall.count(severity >= least);
                counted.noticed.count(findings.severity() >= least);
                if severity >= least.min(at) {
                    counted.precision.count(true);
                }
                match severity {
                    0 => Some(Wrong::Missed),
                    severity if severity < least => Some(Wrong::TooLow),
                    _ => None,
                }
            }
        }
    }

    /// Adds what another set counted.
    pub fn add(&mut self, other: &Self) {
        for (category, counted) in &other.categories {
            let mine = self.of(*category);
            mine.recall.add(counted.recall);
            mine.noticed.add(counted.noticed);
            mine.precision.add(counted.precision);
        }
        self.alerts.add(other.alerts);
    }

    fn of(&mut self, category: Category) -> &mut Counted {
        self.categories.entry(category).or_default()
    }
}

/// Counts of texts are far below 2⁵², where a float is exact.
#[expect(clippy::cast_precision_loss, reason = "counts of texts are small")]
fn number(count: usize) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interval_is_wilsons() {
        // Newcombe, "Two-sided confidence intervals for the single proportion" (1998), table I: 81 of 263, 0 of 20.
        for (part, whole, low, high) in [(81, 263, 0.2553, 0.3662), (0, 20, 0.0, 0.1611)] {
            let (lower, upper) = Share { part, whole }.interval().expect("of something");
            assert!((lower - low).abs() < 1e-4 && (upper - high).abs() < 1e-4, "{lower} {upper}");
        }
        assert_eq!(Share::default().interval(), None);
    }
}
