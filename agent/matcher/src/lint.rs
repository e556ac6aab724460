//! Holds rule packs against their own examples.
//!
//! Every rule carries texts it must match and near misses it must not. A matching example must
//! match in every place the rule looks at (a host of a rule with hosts: at the place host); a near
//! miss must match in none.
//!
//! What else is told needs no example: words that drop or repeat each other (`words`), severities,
//! places and notes that say nothing (`grades`), examples that stand twice or contradict another
//! rule's.

mod grades;
mod words;

use std::collections::HashMap;

use crate::category::Place;
use crate::diagnostic::{Diagnostic, Sourced};
use crate::host;
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
    let mut contradictions = Vec::new();
    lint_contradictions(packs, &mut contradictions);
    let mut all = Vec::new();
    for pack in packs {
        let mut wrong = Vec::new();
        grades::lint_classes(pack, &mut wrong);
        for rule in &pack.rules {
            lint_rule(pack, rule, &matcher, &mut wrong);
        }
        wrong.extend(contradictions.extract_if(.., |it| it.file == pack.file));
        wrong.sort_by_key(|it| (it.line, it.column));
        all.append(&mut wrong);
    }
    all
}

/// The same text cannot be a concern to one rule of a category and harmless to another, at the same
/// place.
fn lint_contradictions(packs: &[Pack], wrong: &mut Vec<Diagnostic>) {
    let mut matching: HashMap<String, Vec<(&Pack, &Rule)>> = HashMap::new();
    for (pack, rule) in all_rules(packs) {
        for example in &rule.matching {
            matching.entry(same(&example.value)).or_default().push((pack, rule));
        }
    }
    for (pack, rule) in all_rules(packs) {
        for example in &rule.missing {
            let others = matching.get(&same(&example.value)).into_iter().flatten();
            let contradicts = |(other_pack, other): &&(&Pack, &Rule)| {
                other_pack.category == pack.category
                    && other.id.value != rule.id.value
                    && other.places.iter().any(|place| rule.places.contains(place))
            };
            if let Some((_, other)) = others.into_iter().find(contradicts) {
                let message =
                    format!("\"{}\" stands under match of {}", example.value, other.id.value);
                let help = "decide whether it is harmless, and take it out of one of the two";
                wrong.push(pack.diagnostic(example.at, &rule.id.value, message, help));
            }
        }
    }
}

fn all_rules(packs: &[Pack]) -> impl Iterator<Item = (&Pack, &Rule)> {
    packs.iter().flat_map(|pack| pack.rules.iter().map(move |rule| (pack, rule)))
}

/// Gives a text as far as it counts for whether two examples are the same.
fn same(example: &str) -> String {
    example.trim().to_lowercase()
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
    words::lint_unless(pack, rule, wrong);
    words::lint_contained(pack, rule, wrong);
    grades::lint_adjustments(pack, rule, wrong);
    grades::lint_note(pack, rule, wrong);
    grades::lint_places(pack, rule, wrong);
    lint_repeated(pack, rule, wrong);
    for example in &rule.matching {
        let mut places = matching_places(rule, &example.value).into_iter();
        let silent = places.find(|place| hit(matcher, id, example, *place).is_none());
        if let Some(place) = silent {
            let message = format!("\"{}\" does not match in {place}", example.value);
            let help = "add a phrase, loosen a condition, or take the example out";
            wrong.push(pack.diagnostic(example.at, id, message, help));
        }
    }
    for example in &rule.missing {
        let mut places = rule.places.iter().chain((!rule.hosts.is_empty()).then_some(&Place::Host));
        let loud = places.find_map(|place| hit(matcher, id, example, *place));
        if let Some(found) = loud {
            let text = example.value.get(found.start..found.end).unwrap_or_default();
            let message = format!("\"{}\" matches by \"{text}\"", example.value);
            let help = "narrow the phrase or add the benign context to unless";
            wrong.push(pack.diagnostic(example.at, id, message, help));
        }
    }
}

/// Gives where an example must match: a host at its place, what signs may carry where they are
/// weighed, anything else wherever the phrases look.
fn matching_places(rule: &Rule, example: &str) -> Vec<Place> {
    let spoken = !rule.phrases.is_empty() || !rule.signs.is_empty();
    if !rule.hosts.is_empty() && (!spoken || host::is_host(example)) {
        return vec![Place::Host];
    }
    let weighed = |place: &&Place| rule.signs.is_empty() || place.is_own_writing();
    rule.places.iter().filter(weighed).copied().collect()
}

/// An example that stands twice tests nothing more; under match and miss at once it cannot hold.
fn lint_repeated(pack: &Pack, rule: &Rule, wrong: &mut Vec<Diagnostic>) {
    let mut seen: HashMap<String, bool> = HashMap::new();
    let matching = rule.matching.iter().map(|example| (example, true));
    let missing = rule.missing.iter().map(|example| (example, false));
    for (example, must_match) in matching.chain(missing) {
        let (what, help) = match seen.insert(same(&example.value), must_match) {
            None => continue,
            Some(before) if before == must_match => ("stands twice", "keep it once"),
            Some(_) => ("stands under match and under miss", "take it out of one of the two"),
        };
        let message = format!("\"{}\" {what}", example.value);
        wrong.push(pack.diagnostic(example.at, &rule.id.value, message, help));
    }
}

fn hit(matcher: &Matcher, rule: &str, example: &Sourced<String>, place: Place) -> Option<Match> {
    matcher.find(&example.value, place).matches.into_iter().find(|found| &*found.rule == rule)
}
