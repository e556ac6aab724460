//! What is left alone for a time: a class that studies drugs, a pause of monitoring.
//!
//! An exemption has a reason, a beginning and an end, and takes away matches of severity 1 to 4 alone: a
//! paused monitor that silently drops the most serious alerts is what schools complain of.

use jiff::Timestamp;
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
}

/// Why exemptions cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("exemption {0}: needs a reason, a beginning, and an end after it")]
pub struct ExemptionError(pub usize);

impl Exemptions {
    /// Reads the exemptions of a policy.
    ///
    /// # Errors
    /// [`ExemptionError`] with the number, from 1, of the first that has no reason or no period.
    pub fn new(entries: &[v1::Exemption]) -> Result<Self, ExemptionError> {
        let read = |(index, entry): (usize, &v1::Exemption)| {
            let wrong = ExemptionError(index + 1);
            let (Some(from), Some(until)) =
                (time::from_wire(entry.from.as_ref()), time::from_wire(entry.until.as_ref()))
            else {
                return Err(wrong);
            };
            if entry.reason.trim().is_empty() || until <= from {
                return Err(wrong);
            }
            Ok(Exemption {
                reason: entry.reason.clone(),
                from,
                until,
                accounts: Accounts::new(&entry.accounts),
                everybody: entry.accounts.is_empty(),
                categories: entry.categories.clone(),
                rules: entry.rules.clone(),
            })
        };
        entries.iter().enumerate().map(read).collect::<Result<_, _>>().map(Self)
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
        self.0.iter().filter(move |exemption| {
            (exemption.from..exemption.until).contains(&at)
                && (exemption.everybody
                    || account.is_some_and(|account| exemption.accounts.contain(account)))
        })
    }
}

impl Exemption {
    fn is_pause(&self) -> bool {
        self.categories.is_empty() && self.rules.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exemption_covers_its_matches_for_its_accounts_in_its_time() {
        let drugs = v1::Exemption { categories: vec!["drugs".into()], ..entry(&["year9\\*"]) };
        let exemptions = Exemptions::new(&[drugs]).unwrap();
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
        let exemptions = Exemptions::new(&[entry(&[])]).unwrap();
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
            assert_eq!(Exemptions::new(&[entry(&[]), wrong]), Err(ExemptionError(2)));
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
