//! What the matcher finds in the texts of one observation, each rule once.

use std::cell::OnceCell;
use std::ops::Range;

use jiff::Timestamp;
use redshank_matcher::{AgeGroup, Candidate, Category, Match, Matcher, Phrases, Place, Setting};
use redshank_proto::{bounds, v1};

use crate::policy::{PolicyInForce, may_be_left_alone};

/// The matches of one observation, most severe first, each rule once.
#[derive(Debug, Default)]
pub(super) struct Matches {
    wire: Vec<v1::Match>,
    illegal: bool,
}

/// One match, and the text that it stands in.
struct Found<'a> {
    place: Place,
    text: &'a str,
    found: Match,
}

/// How the texts of one observation are read: by which rules, for a pupil of which age, and which of their
/// phrases are left alone.
pub(super) struct Reading<'a> {
    matcher: &'a Matcher,
    age: Option<AgeGroup>,
    left_alone: Vec<&'a Phrases>,
}

/// The texts of an observation, the most telling first.
pub(super) type Texts<'a> = [(Place, Option<&'a str>)];

impl<'a> Reading<'a> {
    /// How a policy has texts read that an account saw or wrote at `at`.
    pub(super) fn of(policy: &'a PolicyInForce, account: Option<&'a str>, at: Timestamp) -> Self {
        let left_alone = policy.exemptions().phrases(account, at);
        Self { matcher: policy.matcher(), age: policy.age(account), left_alone }
    }

    fn find(&self, text: &str, place: Place) -> Vec<Match> {
        let setting = Setting { place, age: self.age };
        let spans = OnceCell::new();
        let covered = |hit: Candidate| {
            let spans: &Vec<Range<usize>> = spans
                .get_or_init(|| self.left_alone.iter().flat_map(|it| it.spans(text)).collect());
            spans.iter().any(|span| span.start <= hit.start && hit.end <= span.end)
        };
        let counts = |hit: Candidate| !(may_be_left_alone(hit) && covered(hit));
        self.matcher.find_counted(text, setting, &counts).matches
    }
}

impl Matches {
    /// Searches texts. Of a rule that matches in several, the most severe match counts, and among
    /// equals that in the most telling place.
    pub(super) fn find(reading: &Reading<'_>, texts: &Texts<'_>) -> Self {
        let found = by_rule(reading, texts);
        let illegal = any_illegal(&found);
        Self::new(found, illegal)
    }

    /// Searches texts that came late to others: only rules that those do not match count.
    pub(super) fn find_late(reading: &Reading<'_>, late: &Texts<'_>, known: &Texts<'_>) -> Self {
        let known = by_rule(reading, known);
        let mut late = by_rule(reading, late);
        // Also of a rule that was reported before, or that the bound cuts off.
        let illegal = any_illegal(&known) || any_illegal(&late);
        late.retain(|new| known.iter().all(|old| old.found.rule != new.found.rule));
        Self::new(late, illegal)
    }

    fn new(mut found: Vec<Found<'_>>, illegal: bool) -> Self {
        found.sort_by_key(|it| std::cmp::Reverse(it.found.severity));
        found.truncate(bounds::MATCHES);
        Self { wire: found.iter().map(|it| it.to_wire(illegal)).collect(), illegal }
    }

    /// Looks whether texts that leave beside a match say anything of illegal imagery; they make no match.
    pub(super) fn look_also(&mut self, reading: &Reading<'_>, texts: &[Option<&str>]) {
        let texts: Vec<_> = texts.iter().map(|text| (Place::Title, *text)).collect();
        if any_illegal(&by_rule(reading, &texts)) {
            self.redact();
        }
    }

    /// Takes all words away.
    fn redact(&mut self) {
        self.illegal = true;
        for known in &mut self.wire {
            known.snippet.clear();
            (known.start, known.end) = (0, 0);
        }
    }

    /// Adds a match that no rule pack made, first of its severity. One of illegal imagery takes the words of the
    /// others away.
    pub(super) fn add(&mut self, found: v1::Match) {
        if found.category == Category::IllegalImagery.as_str() {
            self.redact();
        }
        let at = self.wire.partition_point(|known| known.severity > found.severity);
        self.wire.insert(at, found);
        self.wire.truncate(bounds::MATCHES);
    }

    /// Keeps the matches of which `keep` holds.
    pub(super) fn retain(&mut self, keep: impl FnMut(&v1::Match) -> bool) {
        self.wire.retain(keep);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.wire.is_empty()
    }

    /// Whether anything of the page matches illegal imagery, be it reported here or, under a late
    /// title, with the visit before: then no words of the page may leave.
    pub(super) fn is_illegal(&self) -> bool {
        self.illegal
    }

    /// The greatest severity; 0 if there is no match.
    pub(super) fn severity(&self) -> u8 {
        self.wire.first().map_or(0, |first| u8::try_from(first.severity).unwrap_or(u8::MAX))
    }

    pub(super) fn wire(&self) -> &[v1::Match] {
        &self.wire
    }

    pub(super) fn into_wire(self) -> Vec<v1::Match> {
        self.wire
    }
}

fn any_illegal(found: &[Found<'_>]) -> bool {
    found.iter().any(|it| it.found.category == Category::IllegalImagery)
}

/// Finds the best match of each rule; the texts come most telling first.
fn by_rule<'a>(reading: &Reading<'_>, texts: &[(Place, Option<&'a str>)]) -> Vec<Found<'a>> {
    let mut best: Vec<Found<'a>> = Vec::new();
    for (place, text) in texts {
        let Some(text) = *text else { continue };
        for found in reading.find(text, *place) {
            match best.iter_mut().find(|it| it.found.rule == found.rule) {
                Some(known) if known.found.severity >= found.severity => {}
                Some(known) => *known = Found { place: *place, text, found },
                None => best.push(Found { place: *place, text, found }),
            }
        }
    }
    best
}

impl Found<'_> {
    fn to_wire(&self, without_words: bool) -> v1::Match {
        let (snippet, within) = if without_words {
            ("", 0..0)
        } else {
            snippet(self.text, self.found.start..self.found.end)
        };
        let reasons = self.found.reasons.iter().take(bounds::REASONS);
        v1::Match {
            rule: bounds::cut(&self.found.rule, bounds::RULE_BYTES).to_owned(),
            category: self.found.category.as_str().to_owned(),
            severity: u32::from(self.found.severity.get()),
            place: place(self.place).into(),
            snippet: snippet.to_owned(),
            start: u32::try_from(within.start).unwrap_or(0),
            end: u32::try_from(within.end).unwrap_or(0),
            reasons: reasons.map(|it| bounds::cut(it, bounds::REASON_BYTES).to_owned()).collect(),
        }
    }
}

fn place(place: Place) -> v1::Place {
    match place {
        Place::Search => v1::Place::Search,
        Place::Typed => v1::Place::Typed,
        Place::PageText => v1::Place::PageText,
        Place::Title => v1::Place::Title,
        Place::UrlPath => v1::Place::UrlPath,
        Place::Host => v1::Place::Host,
        Place::Program => v1::Place::Program,
    }
}

/// Cuts a text to what stands round a match, as much before it as after it, and gives the match's
/// bytes in that.
fn snippet(text: &str, within: Range<usize>) -> (&str, Range<usize>) {
    let start = text.floor_char_boundary(within.start);
    let end = text.ceil_char_boundary(within.end.max(start));
    let spare = bounds::SNIPPET_BYTES.saturating_sub(end - start);
    // What one side does not need, the other may have.
    let after = (text.len() - end).min((spare / 2).max(spare.saturating_sub(start)));
    let from = text.ceil_char_boundary(start.saturating_sub(spare - after));
    let to = text.floor_char_boundary((end + after).min(from + bounds::SNIPPET_BYTES));
    (&text[from..to], start - from..end.min(to) - from)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_short_text_is_its_own_snippet() {
        assert_eq!(snippet("a worrying text", 2..10), ("a worrying text", 2..10));
    }

    #[test]
    fn a_match_near_the_end_leaves_its_room_to_what_stands_before() {
        let text = format!("{}end", "x".repeat(1_000));
        let (cut, within) = snippet(&text, 1_000..1_003);
        assert_eq!((cut.len(), &cut[within]), (bounds::SNIPPET_BYTES, "end"));
    }

    proptest! {
        #[test]
        fn a_snippet_holds_the_match_within_its_bound(
            before in "\\PC{0,400}", hit in "\\PC{1,400}", after in "\\PC{0,400}",
        ) {
            let text = format!("{before}{hit}{after}");
            let (cut, within) = snippet(&text, before.len()..before.len() + hit.len());
            prop_assert!(cut.len() <= bounds::SNIPPET_BYTES);
            prop_assert!(hit.starts_with(&cut[within.clone()]));
            if hit.len() <= bounds::SNIPPET_BYTES - 3 {
                prop_assert_eq!(&cut[within], hit);
            }
        }
    }
}
