//! Holds rule packs against their own examples.
//!
//! Every rule carries texts it must match and near misses it must not. A matching example must
//! match in every place the rule looks at; a near miss must match in none.

use crate::category::Place;
use crate::diagnostic::{Diagnostic, Sourced};
use crate::matcher::{Match, Matcher};
use crate::pack::{Pack, Rule};

/// The fewest examples of each kind: one shows a rule, three show where it ends.
pub const MIN_EXAMPLES: usize = 3;

/// Runs every rule's examples and explains each mistake; empty if all is well.
#[must_use]
pub fn lint(packs: &[Pack]) -> Vec<Diagnostic> {
    let matcher = match Matcher::compile(packs) {
        Ok(matcher) => matcher,
        Err(wrong) => return wrong,
    };
    let mut wrong = Vec::new();
    for pack in packs {
        for rule in &pack.rules {
            lint_rule(pack, rule, &matcher, &mut wrong);
        }
    }
    wrong
}

fn lint_rule(pack: &Pack, rule: &Rule, matcher: &Matcher, wrong: &mut Vec<Diagnostic>) {
    let id = rule.id.value.as_str();
    for (name, examples) in [("match", &rule.matching), ("miss", &rule.missing)] {
        if examples.len() < MIN_EXAMPLES {
            let message = format!("{} examples under {name}", examples.len());
            let help = format!("give at least {MIN_EXAMPLES}, as people would write them");
            wrong.push(pack.diagnostic(rule.id.at, id, message, &help));
        }
    }
    for example in &rule.matching {
        let silent = rule.places.iter().find(|place| hit(matcher, id, example, **place).is_none());
        if let Some(place) = silent {
            let message = format!("\"{}\" does not match in {place}", example.value);
            let help = "add a phrase, loosen a condition, or take the example out";
            wrong.push(pack.diagnostic(example.at, id, message, help));
        }
    }
    for example in &rule.missing {
        let loud = rule.places.iter().find_map(|place| hit(matcher, id, example, *place));
        if let Some(found) = loud {
            let text = example.value.get(found.start..found.end).unwrap_or_default();
            let message = format!("\"{}\" matches by \"{text}\"", example.value);
            let help = "narrow the phrase or add the benign context to unless";
            wrong.push(pack.diagnostic(example.at, id, message, help));
        }
    }
}

fn hit(matcher: &Matcher, rule: &str, example: &Sourced<String>, place: Place) -> Option<Match> {
    matcher.find(&example.value, place).matches.into_iter().find(|found| &*found.rule == rule)
}
