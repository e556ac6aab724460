//! How soon an alert is to be looked at, and why: a sum that explains itself.
//!
//! Severity says how grave a thing is if it is what it seems; priority orders the queue. Each factor below
//! gives its points and its words; a priority is their sum, brought into 0 to 1,000. The words hold no
//! content, so that they may stay when content is deleted. Nothing here silences or hides: the least
//! likely alert is at the end of the queue, not out of it.
//!
//! A device's clock, its user's age and other sources than browsing will count once they are known here.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use redshank_matcher::{Category, Severity};
use redshank_proto::v1;

use super::routing::Adult;
use crate::store::alerts::{Disposition, Factor, PastAlert};

/// The highest priority.
pub(super) const HIGHEST: u32 = 1_000;

/// Points of severity 1 to 5. The steps are wide enough that no single other factor outweighs one.
const SEVERITY: [i32; 5] = [20, 120, 300, 500, 700];
/// Somebody who speaks of themselves is nearer to harm than somebody who reads about it.
const FIRST_PERSON: i32 = 80;
/// Looking for a means is a step from thought to deed.
const METHOD: i32 = 80;
/// For each repeat: insistence counts, and a page loaded ten times is not ten times as bad.
const REPEAT: i32 = 15;
const MOST_REPEATS: i32 = 60;
/// Concerns of different kinds at one time make each of them likelier.
const SEVERAL_KINDS: i32 = 40;
/// For each other alert about the same person of late.
const EARLIER: i32 = 15;
const MOST_EARLIER: i32 = 45;
/// One of those was grave.
const EARLIER_GRAVE: i32 = 30;
/// Awake and alone at night.
const LATE: i32 = 40;
/// What a child says of an adult with power over them does not wait behind the rest.
const ADULT_NAMED: i32 = 50;
/// A device that nobody has approved, or a known clone, may say anything.
const UNVERIFIED: i32 = -60;

/// From this hour on it is late, in the school's time zone: past a teenager's bedtime on a school night.
const LATE_FROM: i8 = 22;
/// Until this hour.
const LATE_UNTIL: i8 = 6;
/// How long another alert counts as earlier.
pub(super) const EARLIER_WITHIN: SignedDuration = SignedDuration::from_hours(7 * 24);
/// How close another kind of concern counts as at one time.
const SEVERAL_WITHIN: SignedDuration = SignedDuration::from_hours(24);
/// What `redshank-matcher` says of a match in the first person.
const FIRST_PERSON_REASON: &str = "in the first person";
/// How the ids of rules end that look for a means.
const METHOD_RULE: &str = ".method";

/// What is known beside the event itself.
#[derive(Debug, Clone, Copy)]
pub(super) struct Known<'a> {
    /// Earlier alerts of the same person, else of the same device, the one it joins included; only those that
    /// all of its viewers may see, who read the words below.
    pub(super) past: &'a [PastAlert],
    /// The alert that it joins.
    pub(super) joins: Option<&'a PastAlert>,
    /// When it occurred, corrected.
    pub(super) occurred_at: Timestamp,
    /// The school's time zone.
    pub(super) zone: &'a TimeZone,
    /// Whether every device of the alert is approved and no known clone.
    pub(super) verified: bool,
    /// What it says of the school's adults.
    pub(super) adult: Adult,
}

/// A priority and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Priority {
    /// 0 to [`HIGHEST`].
    pub(super) points: u32,
    /// What adds up to it.
    pub(super) factors: Vec<Factor>,
}

/// Judges an event that leads with `category`, for an alert of `severity` over all its events.
pub(super) fn judge(
    payload: &v1::EventPayload,
    category: Category,
    severity: Severity,
    known: &Known<'_>,
) -> Priority {
    let of_category = || payload.matches.iter().filter(|found| found.category == category.as_str());
    let first_person =
        of_category().any(|found| found.reasons.iter().any(|reason| reason == FIRST_PERSON_REASON));
    let method = of_category().any(|found| found.rule.ends_with(METHOD_RULE));
    let factors = [
        Some((format!("Severity {}", severity.get()), severity_points(severity))),
        first_person.then(|| ("In the first person".to_owned(), FIRST_PERSON)),
        method.then(|| ("Looks for a method".to_owned(), METHOD)),
        repeats(payload, known),
        several_kinds(payload, category, known)
            .then(|| ("More than one kind of concern within a day".to_owned(), SEVERAL_KINDS)),
        earlier(known),
        earlier_grave(known)
            .then(|| ("A severity of 4 or 5 in the last 7 days".to_owned(), EARLIER_GRAVE)),
        is_late(known).then(|| (format!("Between {LATE_FROM}:00 and {LATE_UNTIL:02}:00"), LATE)),
        match known.adult {
            Adult::NotMentioned => None,
            Adult::Unnamed => {
                Some(("May be about an adult of the school, not named".to_owned(), 0))
            }
            Adult::Named => {
                Some(("About a member of staff, who does not see this".to_owned(), ADULT_NAMED))
            }
        },
        (!known.verified).then(|| ("From a device that is not verified".to_owned(), UNVERIFIED)),
    ];
    let factors: Vec<Factor> =
        factors.into_iter().flatten().map(|(label, points)| Factor { label, points }).collect();
    let sum: i32 = factors.iter().map(|factor| factor.points).sum();
    Priority { points: u32::try_from(sum).unwrap_or(0).min(HIGHEST), factors }
}

fn severity_points(severity: Severity) -> i32 {
    SEVERITY[usize::from(severity.get() - 1)]
}

/// How often it was seen, in this event and in the alert that it joins.
fn repeats(payload: &v1::EventPayload, known: &Known<'_>) -> Option<(String, i32)> {
    let before = known.joins.map_or(0, |alert| alert.event_count);
    let times = payload.occurrences.max(1).saturating_add(before);
    let points = i32::try_from(times - 1).unwrap_or(i32::MAX).saturating_mul(REPEAT);
    (times > 1).then(|| (format!("Seen {times} times"), points.min(MOST_REPEATS)))
}

fn several_kinds(payload: &v1::EventPayload, category: Category, known: &Known<'_>) -> bool {
    payload.matches.iter().any(|found| found.category != category.as_str())
        || others(known).any(|alert| {
            alert.category != category.as_str()
                && alert.last_occurred_at.duration_since(known.occurred_at).abs() <= SEVERAL_WITHIN
        })
}

fn earlier(known: &Known<'_>) -> Option<(String, i32)> {
    let count = i32::try_from(others(known).count()).unwrap_or(i32::MAX);
    let words = if count == 1 {
        "1 other alert in the last 7 days".to_owned()
    } else {
        format!("{count} other alerts in the last 7 days")
    };
    (count > 0).then(|| (words, count.saturating_mul(EARLIER).min(MOST_EARLIER)))
}

fn earlier_grave(known: &Known<'_>) -> bool {
    others(known).any(|alert| alert.severity >= 4)
}

/// Other alerts of late that were not found to be nothing.
fn others<'a>(known: &Known<'a>) -> impl Iterator<Item = &'a PastAlert> {
    let (joined, occurred_at) = (known.joins.map(|alert| alert.alert), known.occurred_at);
    known.past.iter().filter(move |alert| {
        let was_nothing = match alert.disposition {
            Some(Disposition::NoConcern | Disposition::FalsePositive | Disposition::Duplicate) => {
                true
            }
            Some(
                Disposition::ConcernConfirmed | Disposition::SupportGiven | Disposition::Referred,
            )
            | None => false,
        };
        !was_nothing
            && Some(alert.alert) != joined
            && alert.last_occurred_at.duration_since(occurred_at).abs() <= EARLIER_WITHIN
    })
}

fn is_late(known: &Known<'_>) -> bool {
    let hour = known.occurred_at.to_zoned(known.zone.clone()).hour();
    !(LATE_UNTIL..LATE_FROM).contains(&hour)
}

#[cfg(test)]
mod tests {
    use redshank_matcher::{Matcher, Pack, Place};
    use redshank_proto::clock::System;
    use redshank_proto::id::AlertId;

    use super::*;
    use crate::store::alerts::{AlertStatus, Basis};
    use crate::triage::scene::{a_match, worrying};

    #[test]
    fn each_factor_gives_its_points_and_they_add_up() {
        type Change = fn(&mut Case);
        let table: [(&str, Change, u32); 19] = [
            ("severity 1", |c| c.severity = 1, 20),
            ("severity 2", |c| c.severity = 2, 120),
            ("severity 3", |c| c.severity = 3, 300),
            ("severity 4", |c| c.severity = 4, 500),
            ("severity 5", |c| c.severity = 5, 700),
            ("first person", |c| c.say("in the first person"), 580),
            ("another reason", |c| c.say("negated"), 500),
            ("method", |c| c.payload.matches[0].rule = "suicide.method".into(), 580),
            ("three times", |c| c.payload.occurrences = 3, 530),
            ("very often", |c| c.payload.occurrences = u32::MAX, 560),
            ("joins two events", |c| c.joins(2), 530),
            ("two kinds at once", |c| c.payload.matches.push(a_match("drugs", 2)), 540),
            ("another kind before", |c| c.past("drugs", 3, 2, None), 555),
            ("the same kind before", |c| c.past("suicide", 3, 30, None), 515),
            ("a grave one before", |c| c.past("suicide", 4, 30, None), 545),
            (
                "a false positive before",
                |c| c.past("suicide", 5, 30, Some(Disposition::FalsePositive)),
                500,
            ),
            ("too long before", |c| c.past("suicide", 5, 8 * 24, None), 500),
            ("about staff", |c| c.adult = Adult::Named, 550),
            ("not verified", |c| c.verified = false, 440),
        ];
        for (name, change, expected) in table {
            let mut case = Case::new();
            change(&mut case);
            let priority = case.judge();
            assert_eq!(priority.points, expected, "{name}: {:?}", priority.factors);
            let sum: i32 = priority.factors.iter().map(|factor| factor.points).sum();
            assert_eq!(sum, i32::try_from(expected).unwrap(), "{name}");
        }
    }

    #[test]
    fn it_is_late_by_the_school_s_clock_in_summer_and_winter() {
        for (occurred_at, late) in [
            ("2026-07-01T20:59:00Z", false), // 21:59 in London
            ("2026-07-01T21:00:00Z", true),
            ("2026-07-02T04:59:59Z", true),
            ("2026-07-02T05:00:00Z", false),
            ("2026-01-10T21:59:00Z", false),
            ("2026-01-10T22:00:00Z", true),
            ("2026-01-11T05:59:59Z", true),
            ("2026-01-11T06:00:00Z", false),
        ] {
            let mut case = Case::new();
            case.occurred_at = occurred_at.parse().unwrap();
            assert_eq!(case.judge().points, if late { 540 } else { 500 }, "{occurred_at}");
        }
    }

    #[test]
    fn a_priority_stays_within_its_bounds() {
        let mut worst = Case::new();
        worst.severity = 5;
        worst.say("in the first person");
        worst.payload.matches[0].rule = "suicide.method".into();
        worst.payload.occurrences = 99;
        worst.past("drugs", 5, 1, None);
        worst.adult = Adult::Named;
        worst.occurred_at = "2026-01-10T23:00:00Z".parse().unwrap();
        assert_eq!(worst.judge().points, HIGHEST);
        let mut least = Case::new();
        (least.severity, least.verified) = (1, false);
        assert_eq!(least.judge().points, 0);
    }

    #[test]
    fn an_adult_without_a_name_is_said_and_moves_nothing() {
        let mut case = Case::new();
        case.adult = Adult::Unnamed;
        let priority = case.judge();
        assert_eq!((priority.points, priority.factors.len()), (500, 2));
    }

    #[test]
    fn the_matcher_says_the_first_person_in_the_words_that_count_here() {
        let text = r#"
            format = 1
            category = "wellbeing"
            language = "en"
            version = 1
            reviewed = "a test"
            [[rule]]
            id = "wellbeing.lonely"
            severity = 3
            note = "Says that nobody is there for them."
            phrases = ["i have no friends"]
        "#;
        let pack = Pack::parse("en/wellbeing.toml", text).unwrap();
        let found = Matcher::compile(&[pack]).unwrap().find("i have no friends", Place::Search);
        assert_eq!(found.matches[0].reasons, [FIRST_PERSON_REASON]);
    }

    struct Case {
        payload: v1::EventPayload,
        severity: u8,
        past: Vec<PastAlert>,
        joined: bool,
        occurred_at: Timestamp,
        adult: Adult,
        verified: bool,
    }

    impl Case {
        fn new() -> Self {
            Self {
                payload: worrying("suicide", 4),
                severity: 4,
                past: Vec::new(),
                joined: false,
                occurred_at: "2026-01-10T12:00:00Z".parse().unwrap(),
                adult: Adult::NotMentioned,
                verified: true,
            }
        }

        fn judge(&self) -> Priority {
            let known = Known {
                past: &self.past,
                joins: self.past.first().filter(|_| self.joined),
                occurred_at: self.occurred_at,
                zone: &TimeZone::get("Europe/London").unwrap(),
                verified: self.verified,
                adult: self.adult,
            };
            let severity = Severity::new(self.severity).unwrap();
            judge(&self.payload, Category::Suicide, severity, &known)
        }

        fn say(&mut self, reason: &str) {
            self.payload.matches[0].reasons.push(reason.to_owned());
        }

        fn joins(&mut self, events: u32) {
            self.past("suicide", 4, 1, None);
            self.past[0].event_count = events;
            self.joined = true;
        }

        fn past(
            &mut self,
            category: &str,
            severity: u8,
            hours_ago: i64,
            disposition: Option<Disposition>,
        ) {
            let at = self.occurred_at - SignedDuration::from_hours(hours_ago);
            self.past.push(PastAlert {
                alert: AlertId::draw(&System),
                category: category.to_owned(),
                status: AlertStatus::Open,
                disposition,
                basis: Basis::SignedIn,
                severity,
                priority: 500,
                factors: Vec::new(),
                verified: true,
                first_occurred_at: at,
                last_occurred_at: at,
                event_count: 1,
                viewers: Vec::new(),
            });
        }
    }
}
