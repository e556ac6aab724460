//! Holds what a rule says of severities, places and reasons against itself.

use crate::category::{Place, Severity};
use crate::diagnostic::Diagnostic;
use crate::pack::{Adjustment, Effect, Pack, Rule};

/// From this severity somebody is called away from their work: the note must say why.
const GRAVE: u8 = 4;
/// The fewest words that say what a rule finds and why.
const NOTE_WORDS: usize = 5;

/// A raise or lower that changes nothing misleads whoever reads the rule.
pub(super) fn lint_adjustments(pack: &Pack, rule: &Rule, wrong: &mut Vec<Diagnostic>) {
    for adjustment in &rule.adjustments {
        let Some((message, help)) = idle(rule, adjustment) else { continue };
        let message = format!("\"{}\" {message}", adjustment.reason);
        wrong.push(pack.diagnostic(adjustment.at, &rule.id.value, message, help));
    }
}

/// Says why an adjustment never changes anything.
fn idle(rule: &Rule, adjustment: &Adjustment) -> Option<(&'static str, &'static str)> {
    let lowers =
        [rule.about_other, rule.negation, rule.quoted, rule.prose].contains(&Effect::Lower);
    let raises = rule.adjustments.iter().any(|it| it.up);
    if adjustment.up && rule.severity == Severity::GREATEST && !lowers && rule.maybe.is_empty() {
        return Some(("raises what is at 5 already", "take it out, or begin lower"));
    }
    if !adjustment.up && rule.severity == Severity::LEAST && !raises {
        return Some(("lowers what is at 1 already", "take it out, or begin higher"));
    }
    let host = (!rule.hosts.is_empty()).then_some(&Place::Host);
    let mut places = rule.places.iter().chain(host);
    if !places.any(|place| adjustment.places.contains(place)) {
        return Some(("is for places where the rule does not look", "correct one of the two"));
    }
    let ages = (adjustment.ages.as_slice(), rule.ages.as_slice());
    if let ([_, ..], [_, ..]) = ages
        && !ages.0.iter().any(|age| ages.1.contains(age))
    {
        return Some(("is for ages that the rule is not for", "correct one of the two"));
    }
    None
}

/// A note at severity 4 and 5 must tell those who are called why.
pub(super) fn lint_note(pack: &Pack, rule: &Rule, wrong: &mut Vec<Diagnostic>) {
    let words = rule.note.value.split_whitespace().count();
    if rule.severity.get() >= GRAVE && words < NOTE_WORDS {
        let message = format!("the note does not say why this is severity {}", rule.severity.get());
        let help = "say in a sentence what the rule finds and why it cannot wait";
        wrong.push(pack.diagnostic(rule.note.at, &rule.id.value, message, help));
    }
}

/// A rule that looks at hosts, of whose examples none can be one, was never tried there.
pub(super) fn lint_places(pack: &Pack, rule: &Rule, wrong: &mut Vec<Diagnostic>) {
    if !rule.signs.is_empty() && !rule.places.iter().any(|place| place.is_own_writing()) {
        let message = "signs are weighed in search and typed alone, where the rule does not look";
        let help = "add one of the two to places, or write phrases";
        wrong.push(pack.diagnostic(rule.id.at, &rule.id.value, message.to_owned(), help));
    }
    let chosen = rule.places.len() < Place::ALL.len() && rule.places.contains(&Place::Host);
    let no_host = |text: &str| text.trim().contains(char::is_whitespace);
    if chosen
        && !rule.phrases.is_empty()
        && rule.hosts.is_empty()
        && !rule.matching.is_empty()
        && rule.matching.iter().all(|example| no_host(&example.value))
    {
        let message = "none of the examples under match can be a host".to_owned();
        let help = "add a host that must match, or take host out of places";
        wrong.push(pack.diagnostic(rule.id.at, &rule.id.value, message, help));
    }
}

/// A class that no phrase names is a list that nobody keeps.
pub(super) fn lint_classes(pack: &Pack, wrong: &mut Vec<Diagnostic>) {
    for class in &pack.unused_classes {
        let at = class.at.position(&pack.text);
        wrong.push(Diagnostic {
            file: pack.file.clone(),
            line: at.line,
            column: at.column,
            rule: None,
            message: format!("class \"{}\" is used nowhere", class.value),
            help: format!("write [{}] in a phrase, or take the class out", class.value),
        });
    }
}
