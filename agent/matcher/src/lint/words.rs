//! Holds the words of a rule against each other: its `unless` against its phrases, and its phrases
//! against one another.

use crate::diagnostic::Diagnostic;
use crate::pack::{Pack, Rule};
use crate::phrase::{Item, Pattern, Phrase};
use crate::phrase_set::PhraseSet;
use crate::view::View;
use crate::vocabulary::Vocabulary;
use crate::words::Words;

/// From this severity a first-person rule is a cry for help, which no single word may drop.
const CRY: u8 = 4;
/// In how many surroundings each alternative of a phrase is held against other words.
const WORDINGS: usize = 8;
/// Stands for any word: one that no pack speaks of ("xx" is in some).
const FILLER: &str = "qzxjq";

/// A phrase that its own rule drops never matches, and one word alone must not silence a child.
pub(super) fn lint_unless(pack: &Pack, rule: &Rule, wrong: &mut Vec<Diagnostic>) {
    let id = rule.id.value.as_str();
    let mut vocabulary = Vocabulary::default();
    let unless = PhraseSet::of(&rule.unless, pack.language, &mut vocabulary);
    let drops = |text: &String| {
        let view = View::plain(&Words::of(text), &vocabulary);
        unless.is_within(&view, &(0..view.len()))
    };
    for (phrase, source) in rule.phrases.iter().zip(&rule.phrase_sources) {
        if let Some(text) = dead_wording(phrase, drops) {
            let message = format!("\"{text}\" is dropped by the rule's own unless");
            let help = "narrow unless or take the words out of the phrase";
            wrong.push(pack.diagnostic(source.at, id, message, help));
        }
    }
    if !rule.first_person || rule.severity.get() < CRY {
        return;
    }
    for (phrase, source) in rule.unless.iter().zip(&rule.unless_sources) {
        let Some(text) = lone_word(phrase) else { continue };
        let message = format!("\"{text}\" alone drops what a child says of themselves");
        let help = "write it under maybe, or more of its words under unless";
        wrong.push(pack.diagnostic(source.at, id, message, help));
    }
}

/// Finds an alternative of a phrase that `drops` takes in whatever company.
fn dead_wording(phrase: &Phrase, drops: impl Fn(&String) -> bool) -> Option<String> {
    phrase.items.iter().enumerate().find_map(|(index, item)| {
        let Item::Choice { alternatives, .. } = item else { return None };
        (0..alternatives.len()).find_map(|alternative| {
            let mut wordings = (0..WORDINGS)
                .map(|others| wording(phrase, (index, alternative), others, Room::Narrow));
            let first = wordings.next()?;
            (drops(&first) && wordings.all(|text| drops(&text))).then_some(first)
        })
    })
}

/// How much of what may be absent is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Room {
    /// Gaps as short as they may be, nothing optional.
    Narrow,
    /// Gaps as wide as they may be, everything optional.
    Wide,
}

/// Writes a phrase with a chosen alternative, the other items by their alternative number `others`
/// (counted round).
fn wording(phrase: &Phrase, chosen: (usize, usize), others: usize, room: Room) -> String {
    let mut words: Vec<&str> = Vec::new();
    for (index, item) in phrase.items.iter().enumerate() {
        match item {
            Item::Start | Item::End => {}
            Item::Gap { min, max } => {
                let width = if room == Room::Wide { *max } else { *min };
                words.extend((0..width).map(|_| FILLER));
            }
            Item::Choice { alternatives, optional } => {
                let number = match index == chosen.0 {
                    true => chosen.1,
                    false if *optional && room == Room::Narrow => continue,
                    false => others % alternatives.len().max(1),
                };
                words.extend(alternatives.get(number).into_iter().flat_map(texts));
            }
        }
    }
    words.join(" ")
}

fn texts(run: &[Pattern]) -> impl Iterator<Item = &str> {
    run.iter().map(|pattern| &*pattern.word)
}

/// Gives the word that a phrase can be, if a single one is enough for it.
fn lone_word(phrase: &Phrase) -> Option<&str> {
    let mut required = phrase.items.iter().filter(|item| {
        matches!(item, Item::Choice { optional: false, .. } | Item::Gap { min: 1.., .. })
    });
    match (required.next(), required.next()) {
        (Some(Item::Choice { alternatives, .. }), None) => {
            let lone = alternatives.iter().find(|run| run.len() == 1)?;
            lone.first().map(|pattern| &*pattern.word)
        }
        _ => None,
    }
}

/// A phrase that says nothing but what another of its rule finds already is one line more to
/// review and no match more.
pub(super) fn lint_contained(pack: &Pack, rule: &Rule, wrong: &mut Vec<Diagnostic>) {
    let id = rule.id.value.as_str();
    let mut vocabulary = Vocabulary::default();
    let set = PhraseSet::of(&rule.phrases, pack.language, &mut vocabulary);
    for (index, (phrase, source)) in rule.phrases.iter().zip(&rule.phrase_sources).enumerate() {
        let Some(by) = contained_by(index, phrase, &set, &vocabulary) else { continue };
        // Of two that find the same, the later is told.
        let mutual = by > index
            && rule.phrases.get(by).is_some_and(|other| {
                contained_in(other, &set, &vocabulary, &mut vec![index]).contains(&index)
            });
        let Some(other) = rule.phrase_sources.get(by).filter(|_| !mutual) else { continue };
        let message = format!("\"{}\" is already found by \"{}\"", source.value, other.value);
        let help = "take it out, or widen the other";
        wrong.push(pack.diagnostic(source.at, id, message, help));
    }
}

/// Finds another phrase that stands in every wording of this one.
fn contained_by(
    index: usize,
    phrase: &Phrase,
    set: &PhraseSet,
    vocabulary: &Vocabulary,
) -> Option<usize> {
    let mut others = Vec::new();
    found_in(&surrounded(phrase, &wording(phrase, (0, 0), 0, Room::Narrow)), set, vocabulary)
        .into_iter()
        .filter(|found| *found != index)
        .for_each(|found| others.push(found));
    contained_in(phrase, set, vocabulary, &mut others).first().copied()
}

/// Leaves of some phrases those that stand in every wording of this one.
fn contained_in<'a>(
    phrase: &Phrase,
    set: &PhraseSet,
    vocabulary: &Vocabulary,
    others: &'a mut Vec<usize>,
) -> &'a [usize] {
    for (index, item) in phrase.items.iter().enumerate() {
        let Item::Choice { alternatives, .. } = item else { continue };
        for alternative in 0..alternatives.len() {
            for (number, room) in
                (0..WORDINGS).flat_map(|it| [(it, Room::Narrow), (it, Room::Wide)])
            {
                if others.is_empty() {
                    return others;
                }
                let text = wording(phrase, (index, alternative), number, room);
                let found = found_in(&surrounded(phrase, &text), set, vocabulary);
                others.retain(|other| found.contains(other));
            }
        }
    }
    others
}

/// Puts words round a wording, except where the phrase itself ends the text.
fn surrounded(phrase: &Phrase, text: &str) -> String {
    let edge = |item: Option<&Item>| matches!(item, Some(Item::Start | Item::End));
    let before = if edge(phrase.items.first()) { "" } else { FILLER };
    let after = if edge(phrase.items.last()) { "" } else { FILLER };
    format!("{before} {text} {after}")
}

fn found_in(text: &str, set: &PhraseSet, vocabulary: &Vocabulary) -> Vec<usize> {
    let view = View::plain(&Words::of(text), vocabulary);
    let mut found = Vec::new();
    for token in 0..view.len() {
        set.at(&view, token, |phrase, _| found.push(phrase));
    }
    found
}
