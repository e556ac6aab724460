//! What is left alone for a time: a class that studies drugs, a pause of monitoring.
//!
//! An exemption has a reason, a beginning and an end, and takes away matches of severity 1 to 4 alone: a
//! paused monitor that silently drops the most serious alerts is what schools complain of.
//!
//! One of phrases takes away what lies wholly on one of them, hit by hit: the title of a set text is left alone,
//! and the same words elsewhere in the page are not. It never hides that something is illegal imagery.

use jiff::Timestamp;
use redshank_matcher::{Candidate, Category, PhraseMistake, Phrases, Severity};
use redshank_proto::{time, v1};

use super::Accounts;

/// The severity that no exemption covers.
const NEVER: u32 = 5;

/// The exemptions of a policy.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Exemptions(Vec<Exemption>);

/// One of them.
#[derive(Debug, Clone, PartialEq)]
struct Exemption {
    reason: String,
    from: Timestamp,
    until: Timestamp,
    /// Nobody named: everybody.
    accounts: Accounts,
    everybody: bool,
    categories: Vec<String>,
    rules: Vec<String>,
    /// If there are any, they alone count.
    phrases: Option<Phrases>,
}

/// Why exemptions cannot be used; each names one by its number in its list, from 1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExemptionError {
    /// It has no reason or no period.
    #[error("exemption {0}: needs a reason, a beginning, and an end after it")]
    Period(usize),
    /// It is one of phrases, and has none, or more than those.
    #[error("exemption of phrases {0}: needs phrases, without categories and rules")]
    Phrases(usize),
    /// One of its phrases cannot be read.
    #[error("exemption of phrases {0}: {1}")]
    Phrase(usize, PhraseMistake),
}

impl Exemptions {
    /// Reads the exemptions of a policy, and those of phrases.
    ///
    /// # Errors
    /// [`ExemptionError`] for the first that cannot be used.
    pub fn new(
        entries: &[v1::Exemption],
        of_phrases: &[v1::Exemption],
    ) -> Result<Self, ExemptionError> {
        let plain = entries.iter().enumerate();
        let plain = plain.map(|(index, entry)| Exemption::read(index + 1, entry, None));
        let of_phrases = of_phrases.iter().enumerate().map(|(index, entry)| {
            let phrases = phrases(index + 1, entry)?;
            Exemption::read(index + 1, entry, Some(phrases))
        });
        plain.chain(of_phrases).collect::<Result<_, _>>().map(Self)
    }

    /// Whether a match is left alone.
    #[must_use]
    pub fn cover(&self, found: &v1::Match, account: Option<&str>, at: Timestamp) -> bool {
        found.severity < NEVER
            && self.in_force(account, at).any(|exemption| {
                exemption.is_pause()
                    || exemption.categories.contains(&found.category)
                    || exemption.rules.contains(&found.rule)
            })
    }

    /// The phrases that are left alone.
    #[must_use]
    pub fn phrases(&self, account: Option<&str>, at: Timestamp) -> Vec<&Phrases> {
        let in_force = self.0.iter().filter(|exemption| exemption.is_in_force(account, at));
        in_force.filter_map(|exemption| exemption.phrases.as_ref()).collect()
    }

    /// Whether monitoring of an account is paused: what has no match is not reported either.
    #[must_use]
    pub fn pause(&self, account: Option<&str>, at: Timestamp) -> bool {
        self.in_force(account, at).any(Exemption::is_pause)
    }

    /// The reason for which everybody's monitoring is paused, and until when.
    #[must_use]
    pub fn paused(&self, at: Timestamp) -> Option<(&str, Timestamp)> {
        self.in_force(None, at)
            .find(|exemption| exemption.is_pause())
            .map(|exemption| (exemption.reason.as_str(), exemption.until))
    }

    fn in_force<'a>(
        &'a self,
        account: Option<&'a str>,
        at: Timestamp,
    ) -> impl Iterator<Item = &'a Exemption> {
        self.0.iter().filter(move |exemption| exemption.is_in_force(account, at))
    }
}

/// Whether words may leave a hit alone, if they cover it.
#[must_use]
pub fn may_be_left_alone(hit: Candidate) -> bool {
    hit.severity < Severity::GREATEST && hit.category != Category::IllegalImagery
}

fn phrases(number: usize, entry: &v1::Exemption) -> Result<Phrases, ExemptionError> {
    if entry.phrases.is_empty() || !entry.categories.is_empty() || !entry.rules.is_empty() {
        return Err(ExemptionError::Phrases(number));
    }
    Phrases::parse(&entry.phrases).map_err(|wrong| match wrong.into_iter().next() {
        Some(mistake) => ExemptionError::Phrase(number, mistake),
        None => ExemptionError::Phrases(number),
    })
}

impl Exemption {
    fn read(
        number: usize,
        entry: &v1::Exemption,
        phrases: Option<Phrases>,
    ) -> Result<Self, ExemptionError> {
        let wrong = ExemptionError::Period(number);
        let (Some(from), Some(until)) =
            (time::from_wire(entry.from.as_ref()), time::from_wire(entry.until.as_ref()))
        else {
            return Err(wrong);
        };
        if entry.reason.trim().is_empty() || until <= from {
            return Err(wrong);
        }
        Ok(Self {
            reason: entry.reason.clone(),
            from,
            until,
            accounts: Accounts::new(&entry.accounts),
            everybody: entry.accounts.is_empty(),
            categories: entry.categories.clone(),
            rules: entry.rules.clone(),
            phrases,
        })
    }

    fn is_in_force(&self, account: Option<&str>, at: Timestamp) -> bool {
        (self.from..self.until).contains(&at)
            && (self.everybody || account.is_some_and(|account| self.accounts.contain(account)))
    }

    fn is_pause(&self) -> bool {
        self.categories.is_empty() && self.rules.is_empty() && self.phrases.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exemption_covers_its_matches_for_its_accounts_in_its_time() {
        let drugs = v1::Exemption { categories: vec!["drugs".into()], ..entry(&["year9\\*"]) };
        let exemptions = Exemptions::new(&[drugs], &[]).unwrap();
        for (category, severity, account, second, covered) in [
            ("drugs", 4, Some(r"YEAR9\ann"), 10, true),
            ("drugs", 5, Some(r"YEAR9\ann"), 10, false),
            ("drugs", 4, Some(r"YEAR9\ann"), 9, false),
            ("drugs", 4, Some(r"YEAR9\ann"), 20, false),
            ("drugs", 4, Some(r"YEAR8\ann"), 10, false),
            ("drugs", 4, None, 10, false),
            ("hate", 4, Some(r"YEAR9\ann"), 10, false),
        ] {
            let found = a_match(category, severity);
            assert_eq!(exemptions.cover(&found, account, at(second)), covered, "{category}");
            assert!(!exemptions.pause(account, at(second)));
        }
    }

    #[test]
    fn a_pause_covers_all_but_the_gravest() {
        let exemptions = Exemptions::new(&[entry(&[])], &[]).unwrap();
        assert!(exemptions.cover(&a_match("hate", 4), None, at(10)));
        assert!(!exemptions.cover(&a_match("suicide", 5), None, at(10)));
        assert!(exemptions.pause(Some("ann"), at(10)));
        assert_eq!(exemptions.paused(at(10)), Some(("a reason", at(20))));
        assert_eq!(exemptions.paused(at(20)), None);
    }

    #[test]
    fn one_without_reason_or_period_is_named() {
        let wrongs = [
            v1::Exemption { reason: " ".into(), ..entry(&[]) },
            v1::Exemption { from: None, ..entry(&[]) },
            v1::Exemption { until: None, ..entry(&[]) },
            v1::Exemption { until: entry(&[]).from, ..entry(&[]) },
        ];
        for wrong in wrongs {
            let entries = [entry(&[]), wrong];
            assert_eq!(Exemptions::new(&entries, &[]), Err(ExemptionError::Period(2)));
        }
    }

    #[test]
    fn one_of_phrases_has_nothing_else_and_is_no_pause() {
        let of = |phrases: &[&str]| v1::Exemption {
            phrases: phrases.iter().map(|&it| it.to_owned()).collect(),
            ..entry(&["y9-*"])
        };
        let exemptions = Exemptions::new(&[], &[of(&["of mice and men"])]).unwrap();
        let account = Some("y9-ann");
        assert_eq!(exemptions.phrases(account, at(10)).len(), 1);
        assert!(!exemptions.pause(account, at(10)));
        assert!(!exemptions.cover(&a_match("violence", 1), account, at(10)));
        for (account, second) in [(Some("y8-ann"), 10), (None, 10), (account, 9), (account, 20)] {
            assert!(exemptions.phrases(account, at(second)).is_empty(), "{account:?} {second}");
        }
        for (wrong, message) in [
            (of(&[]), "needs phrases"),
            (v1::Exemption { rules: vec!["a.b".into()], ..of(&["x y"]) }, "needs phrases"),
            (v1::Exemption { categories: vec!["hate".into()], ..of(&["x y"]) }, "needs phrases"),
            (of(&["kill (the pig"]), "exemption of phrases 2: phrase 1: \"kill (the pig\": no"),
        ] {
            let error = Exemptions::new(&[], &[of(&["x"]), wrong]).unwrap_err().to_string();
            assert!(error.contains(message), "{error}");
        }
    }

    fn entry(accounts: &[&str]) -> v1::Exemption {
        v1::Exemption {
            reason: "a reason".into(),
            from: Some(time::to_wire(at(10))),
            until: Some(time::to_wire(at(20))),
            accounts: accounts.iter().map(|&it| it.to_owned()).collect(),
            ..Default::default()
        }
    }

    fn a_match(category: &str, severity: u32) -> v1::Match {
        v1::Match { category: category.into(), severity, ..Default::default() }
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }
}
