//! What is kept of the matches in a text: those of one rule that overlap are one, and a rule has no
//! more than [`MAX_PER_RULE`], the gravest.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use crate::category::{Category, Severity};
use crate::judgement::{Rule, Verdict};
use crate::matcher::{Candidate, MAX_PER_RULE, Match};
use crate::view::{Spelling, View};

/// The matches so far, bounded for each rule.
pub(crate) struct Kept<'a> {
    by_rule: BTreeMap<usize, Vec<Stretch>>,
    counts: &'a dyn Fn(Candidate) -> bool,
}

struct Stretch {
    start: usize,
    end: usize,
    verdict: Verdict,
}

impl Stretch {
    /// Widens by one that overlaps; the graver verdict stands, at a tie the earlier one.
    fn takes_in(&mut self, kept: &Self) -> bool {
        let overlaps = kept.start < self.end && self.start < kept.end;
        if overlaps {
            self.start = self.start.min(kept.start);
            self.end = self.end.max(kept.end);
            if kept.verdict.severity >= self.verdict.severity {
                self.verdict = kept.verdict.clone();
            }
        }
        overlaps
    }
}

impl<'a> Kept<'a> {
    /// Keeps those alone that `counts` lets count.
    pub(crate) fn of(counts: &'a dyn Fn(Candidate) -> bool) -> Self {
        Self { by_rule: BTreeMap::new(), counts }
    }

    /// Keeps a match: folded with those of the same rule that it overlaps, otherwise beside the
    /// others, at the bound in place of one less grave.
    pub(crate) fn keep(
        &mut self,
        (rule, category): (usize, Category),
        (view, span): (&View<'_>, &Range<usize>),
        spelling: Spelling,
        mut verdict: Verdict,
    ) {
        let Some((start, end)) = view.bytes(span) else { return };
        if !(self.counts)(Candidate { category, severity: verdict.severity, start, end }) {
            return;
        }
        let reason = match spelling {
            Spelling::Plain => None,
            Spelling::Disguised => Some("disguised spelling"),
            Spelling::Slip => Some("misspelt"),
        };
        verdict.reasons.extend(reason.map(str::to_owned));
        let mut stretch = Stretch { start, end, verdict };
        let stretches = self.by_rule.entry(rule).or_default();
        // What is kept overlaps nothing else that is kept, so that one pass takes in all.
        stretches.retain(|kept| !stretch.takes_in(kept));
        if stretches.len() < MAX_PER_RULE {
            stretches.push(stretch);
        } else if let Some(least) = stretches.iter_mut().min_by_key(|it| it.verdict.severity)
            && least.verdict.severity < stretch.verdict.severity
        {
            *least = stretch;
        }
    }

    /// Says whether a hit can change nothing, whatever its verdict: the rule has all the matches it
    /// may have, each as grave as they can be, and the hit overlaps none.
    pub(crate) fn is_settled(
        &self,
        rule: usize,
        gravest: Severity,
        view: &View<'_>,
        span: &Range<usize>,
    ) -> bool {
        let Some(stretches) = self.by_rule.get(&rule) else { return false };
        let Some((start, end)) = view.bytes(span) else { return true };
        stretches.len() >= MAX_PER_RULE
            && stretches.iter().all(|kept| {
                kept.verdict.severity >= gravest && (end <= kept.start || kept.end <= start)
            })
    }

    /// Gives the matches in the order they stand.
    pub(crate) fn into_matches(self, rules: &[Rule]) -> Vec<Match> {
        let mut matches = Vec::new();
        for (rule, stretches) in self.by_rule {
            let Some(rule) = rules.get(rule) else { continue };
            matches.extend(stretches.into_iter().map(|stretch| Match {
                rule: Arc::clone(&rule.id),
                category: rule.category,
                severity: stretch.verdict.severity,
                start: stretch.start,
                end: stretch.end,
                reasons: stretch.verdict.reasons,
            }));
        }
        matches.sort_by(|a, b| (a.start, a.end, &a.rule).cmp(&(b.start, b.end, &b.rule)));
        matches
    }
}
