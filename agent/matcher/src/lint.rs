//! Holds rule packs against their own examples.
//!
//! Every rule carries texts it must match and near misses it must not. A matching example must
//! match in every place the rule looks at (a host of a rule with hosts: at the place host); a near
//! miss must match in none.
//!
//! Two faults of `unless` show without examples: a phrase that its own words drop never matches,
//! and one word alone must not silence a child who speaks of themselves at severity 4 or 5.

use crate::category::Place;
use crate::diagnostic::{Diagnostic, Sourced};
use crate::host;
use crate::matcher::{Match, Matcher};
use crate::pack::{Pack, Rule};
use crate::phrase::{Item, Pattern, Phrase};
use crate::phrase_set::PhraseSet;
use crate::view::View;
use crate::vocabulary::Vocabulary;
use crate::words::Words;

/// The fewest examples of each kind: one shows a rule, three show where it ends.
pub const MIN_EXAMPLES: usize = 3;
/// From this severity a first-person rule is a cry for help, which no single word may drop.
const CRY: u8 = 4;
/// In how many surroundings each alternative of a phrase is held against `unless`.
const WORDINGS: usize = 8;
/// Stands for any word: one that no pack speaks of.
const FILLER: &str = "xx";

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
    lint_unless(pack, rule, wrong);
    for example in &rule.matching {
        let mut places = matching_places(rule, &example.value).iter();
        let silent = places.find(|place| hit(matcher, id, example, **place).is_none());
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

/// Gives where an example must match: a host at its place, anything else wherever the phrases look.
fn matching_places<'a>(rule: &'a Rule, example: &str) -> &'a [Place] {
    if rule.phrases.is_empty() || (!rule.hosts.is_empty() && host::is_host(example)) {
        &[Place::Host]
    } else {
        &rule.places
    }
}

fn lint_unless(pack: &Pack, rule: &Rule, wrong: &mut Vec<Diagnostic>) {
    let id = rule.id.value.as_str();
    let mut vocabulary = Vocabulary::default();
    let unless = PhraseSet::of(&rule.unless, pack.language, &mut vocabulary);
    let drops = |text: &String| {
        let view = View::plain(&Words::of(text), &vocabulary);
        unless.is_within(&view, &(0..view.len()))
    };
    for phrase in &rule.phrases {
        if let Some(text) = dead_wording(phrase, drops) {
            let message = format!("\"{text}\" is dropped by the rule's own unless");
            let help = "narrow unless or take the words out of the phrase";
            wrong.push(pack.diagnostic(rule.id.at, id, message, help));
        }
    }
    if !rule.first_person || rule.severity.get() < CRY {
        return;
    }
    for text in rule.unless.iter().filter_map(lone_word) {
        let message = format!("\"{text}\" alone drops what a child says of themselves");
        let help = "write it under maybe, or more of its words under unless";
        wrong.push(pack.diagnostic(rule.id.at, id, message, help));
    }
}

/// Finds an alternative of a phrase that `drops` takes in whatever company.
fn dead_wording(phrase: &Phrase, drops: impl Fn(&String) -> bool) -> Option<String> {
    phrase.items.iter().enumerate().find_map(|(index, item)| {
        let Item::Choice { alternatives, .. } = item else { return None };
        (0..alternatives.len()).find_map(|alternative| {
            let mut wordings =
                (0..WORDINGS).map(|others| wording(phrase, (index, alternative), others));
            let first = wordings.next()?;
            (drops(&first) && wordings.all(|text| drops(&text))).then_some(first)
        })
    })
}

/// Writes a phrase with a chosen alternative, the other items by their alternative number `others`
/// (counted round), gaps as short as they may be.
fn wording(phrase: &Phrase, chosen: (usize, usize), others: usize) -> String {
    let mut words: Vec<&str> = Vec::new();
    for (index, item) in phrase.items.iter().enumerate() {
        match item {
            Item::Start | Item::End => {}
            Item::Gap { min, .. } => words.extend((0..*min).map(|_| FILLER)),
            Item::Choice { alternatives, optional } => {
                let number = match index == chosen.0 {
                    true => chosen.1,
                    false if *optional => continue,
                    false => others % alternatives.len().max(1),
                };
                words.extend(alternatives.get(number).into_iter().flat_map(|run| texts(run)));
            }
        }
    }
    words.join(" ")
}

fn texts(run: &[Pattern]) -> impl Iterator<Item = &str> {
    run.iter().map(|pattern| pattern.word.as_str())
}

/// Gives the word that a phrase can be, if a single one is enough for it.
fn lone_word(phrase: &Phrase) -> Option<&str> {
    let mut required = phrase.items.iter().filter(|item| {
        matches!(item, Item::Choice { optional: false, .. } | Item::Gap { min: 1.., .. })
    });
    match (required.next(), required.next()) {
        (Some(Item::Choice { alternatives, .. }), None) => {
            let lone = alternatives.iter().find(|run| run.len() == 1)?;
            lone.first().map(|pattern| pattern.word.as_str())
        }
        _ => None,
    }
}

fn hit(matcher: &Matcher, rule: &str, example: &Sourced<String>, place: Place) -> Option<Match> {
    matcher.find(&example.value, place).matches.into_iter().find(|found| &*found.rule == rule)
}
