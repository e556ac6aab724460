//! Which alert an event goes into.
//!
//! Alerts fold by school, person (else device) and category, over time by corrected occurrence. An event
//! joins the newest alert of its key that is not closed and that it lies close to; an alert spans at most a
//! day, so that a habit is a row of alerts and not one that never ends. A closed alert never grows: what
//! comes after a decision is news.
//!
//! Folding changes nothing of who sees what. An event joins only an alert that nobody it is about may see:
//! else they would read of themselves, or see their alert vanish. And only one that everybody may see who may
//! see the event: else a child who names a member of staff once would hide from them all that follows.

use jiff::{SignedDuration, Timestamp};

use super::routing::Routing;
use crate::store::alerts::{AlertStatus, PastAlert};

/// How far from an alert's events an event may lie: a lesson, a break and another lesson; an evening.
pub(super) const WINDOW: SignedDuration = SignedDuration::from_hours(4);
/// How long an alert may last.
pub(super) const LONGEST: SignedDuration = SignedDuration::from_hours(24);

/// Picks the alert that an event of `category`, routed so, joins, of `past` in the order newest first.
pub(super) fn joins<'a>(
    past: &'a [PastAlert],
    routing: &Routing,
    category: &str,
    occurred_at: Timestamp,
    last_occurred_at: Timestamp,
) -> Option<&'a PastAlert> {
    past.iter().find(|alert| {
        let grows = match alert.status {
            AlertStatus::Open | AlertStatus::Acknowledged => true,
            AlertStatus::Closed => false,
        };
        let from = alert.first_occurred_at.min(occurred_at);
        let until = alert.last_occurred_at.max(last_occurred_at);
        let sees = |user| alert.viewers.contains(user);
        grows
            && !routing.subjects.iter().any(sees)
            && routing.viewers.iter().all(sees)
            && alert.category == category
            && occurred_at.duration_since(alert.last_occurred_at) <= WINDOW
            && alert.first_occurred_at.duration_since(last_occurred_at) <= WINDOW
            && until.duration_since(from) <= LONGEST
    })
}

#[cfg(test)]
mod tests {
    use redshank_proto::clock::System;
    use redshank_proto::id::{AlertId, UserId};

    use super::*;
    use crate::store::alerts::Basis;
    use crate::triage::routing::Adult;

    #[test]
    fn an_event_joins_the_newest_alert_that_it_is_close_to() {
        use AlertStatus::{Acknowledged, Closed, Open};
        // Each row: status, first and last event of one alert, the event, all in hours; whether it joins.
        for (status, first, last, at, joined) in [
            (Open, 0.0, 0.0, 4.0, true),
            (Open, 0.0, 0.0, 4.01, false),
            (Open, 0.0, 3.0, 7.0, true),
            (Open, 4.0, 4.0, 0.0, true),
            (Open, 4.01, 5.0, 0.0, false),
            (Acknowledged, 0.0, 0.0, 1.0, true),
            (Closed, 0.0, 0.0, 1.0, false),
            (Open, 0.0, 21.0, 24.0, true),
            (Open, 0.0, 21.0, 24.01, false),
        ] {
            let past = [alert("suicide", status, first, last)];
            let found = joins(&past, &routed(&[], &[]), "suicide", hours(at), hours(at));
            assert_eq!(found.is_some(), joined, "{status:?} {first}–{last}, {at}");
            let other = joins(&past, &routed(&[], &[]), "drugs", hours(at), hours(at));
            assert_eq!(other, None);
        }
        let past = [alert("suicide", Open, 3.0, 3.0), alert("suicide", Open, 2.0, 2.0)];
        let found = joins(&past, &routed(&[], &[]), "suicide", hours(4.0), hours(4.0));
        assert_eq!(found, Some(&past[0]));
    }

    #[test]
    fn an_event_joins_no_alert_of_its_subject_s_and_none_that_a_viewer_of_it_would_miss() {
        let [jane, tom] = [1, 2].map(|n| UserId::from_bytes([n; 16]));
        // Each row: who sees the alert, who may see the event, whom it is about; whether it joins.
        type Users<'a> = &'a [UserId];
        let table: [(Users<'_>, Users<'_>, Users<'_>, bool); 7] = [
            (&[jane, tom], &[jane, tom], &[], true),
            (&[jane, tom], &[jane], &[], true),
            (&[jane, tom], &[jane], &[tom], false),
            (&[jane], &[jane], &[tom], true),
            (&[jane], &[jane, tom], &[], false),
            (&[], &[], &[jane], true),
            (&[], &[jane], &[], false),
        ];
        for (seen_by, viewers, subjects, joined) in table {
            let mut past = [alert("suicide", AlertStatus::Open, 0.0, 0.0)];
            past[0].viewers = seen_by.to_vec();
            let routing = routed(viewers, subjects);
            let found = joins(&past, &routing, "suicide", hours(1.0), hours(1.0));
            assert_eq!(found.is_some(), joined, "{seen_by:?} {routing:?}");
        }
    }

    #[test]
    fn an_event_that_repeats_joins_by_any_of_its_repeats() {
        let past = [alert("suicide", AlertStatus::Open, 6.0, 6.0)];
        let routing = routed(&[], &[]);
        assert!(joins(&past, &routing, "suicide", hours(0.0), hours(3.0)).is_some());
        assert!(joins(&past, &routing, "suicide", hours(0.0), hours(1.0)).is_none());
    }

    fn routed(viewers: &[UserId], subjects: &[UserId]) -> Routing {
        Routing {
            viewers: viewers.to_vec(),
            subjects: subjects.to_vec(),
            adult: Adult::NotMentioned,
        }
    }

    fn hours(hours: f64) -> Timestamp {
        Timestamp::from_second(1_800_000_000).unwrap()
            + SignedDuration::from_secs_f64(hours * 3_600.0)
    }

    fn alert(category: &str, status: AlertStatus, first: f64, last: f64) -> PastAlert {
        PastAlert {
            alert: AlertId::draw(&System),
            category: category.to_owned(),
            status,
            disposition: None,
            basis: Basis::SignedIn,
            severity: 3,
            priority: 300,
            factors: Vec::new(),
            verified: true,
            first_occurred_at: hours(first),
            last_occurred_at: hours(last),
            event_count: 1,
            viewers: Vec::new(),
        }
    }
}
