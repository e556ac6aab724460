//! Blocked requests of which the school wants the count alone.

use std::collections::BTreeMap;

use redshank_proto::{bounds, v1};

/// Blocked requests by the filter's category since the last [`take`](Self::take).
#[derive(Debug, Default)]
pub(super) struct Counts(BTreeMap<String, u64>);

impl Counts {
    /// Counts one; past [`bounds::FILTER_COUNTS`] categories the rest share the empty one.
    pub(super) fn add(&mut self, category: Option<&str>) {
        let category = category.unwrap_or_default().to_lowercase();
        let full = self.0.len() >= bounds::FILTER_COUNTS - 1 && !self.0.contains_key(&category);
        *self.0.entry(if full { String::new() } else { category }).or_default() += 1;
    }

    /// What was counted, and begins anew; `None` if that is nothing.
    pub(super) fn take(&mut self) -> Option<v1::FilterCounts> {
        let counts: Vec<_> = std::mem::take(&mut self.0)
            .into_iter()
            .map(|(category, count)| v1::FilterCount { category, count })
            .collect();
        (!counts.is_empty()).then_some(v1::FilterCounts { counts })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn categories_are_counted_in_any_case_and_the_rest_together() {
        let mut counts = Counts::default();
        assert_eq!(counts.take(), None);
        for category in [Some("Games"), Some("games"), None] {
            counts.add(category);
        }
        let counted = |category: &str, count| v1::FilterCount { category: category.into(), count };
        let taken = counts.take().unwrap().counts;
        assert_eq!(taken, [counted("", 1), counted("games", 2)]);
        for number in 0..500 {
            counts.add(Some(&number.to_string()));
        }
        let taken = counts.take().unwrap().counts;
        assert_eq!(taken.len(), bounds::FILTER_COUNTS);
        assert_eq!(taken.iter().map(|it| it.count).sum::<u64>(), 500);
    }
}
