//! `History.db` of Safari.
//!
//! Apple documents none of it; the tables are read as plaso's and other independent readers do.
//! `origin` 1 is a visit that came from another device by iCloud. The title belongs to the visit.

use rusqlite::types::ValueRef;

use super::database::Tables;
use super::{Plan, bounded};
use crate::observation::Transition;

/// Microseconds from 1970 to 2001-01-01, where Apple counts from.
const TO_2001: i64 = 978_307_200_000_000;
/// Seconds beyond which a time is no time: the year 9999 and its like before 2001.
const FAR: f64 = 252_423_993_600.0;

pub(super) fn plan(tables: &Tables) -> Option<Plan> {
    let visits = tables.has("history_visits", &["id", "history_item", "visit_time"]);
    if !(visits && tables.has("history_items", &["id", "url"])) {
        return None;
    }
    let column = |name: &'static str, expression: &'static str| {
        if tables.has("history_visits", &[name]) { expression } else { "0" }
    };
    let synced = column("origin", "coalesce(v.origin, 0) = 1");
    let redirected = column("redirect_source", "v.redirect_source IS NOT NULL");
    let posted = column("http_non_get", "coalesce(v.http_non_get, 0) <> 0");
    let title =
        if tables.has("history_visits", &["title"]) { bounded("v.title") } else { "NULL".into() };
    Some(Plan {
        marks: format!("SELECT v.id, v.visit_time, {synced} FROM main.history_visits v"),
        text: format!(
            "SELECT {}, {title}, NULL, {redirected}, {posted} \
             FROM main.history_visits v JOIN main.history_items i ON i.id = v.history_item",
            bounded("i.url")
        ),
        time: time as fn(ValueRef<'_>) -> Option<i64>,
        transition,
    })
}

/// Seconds since 2001 with a fraction, which a floating-point number holds to some 60 ns: so rounded.
fn time(value: ValueRef<'_>) -> Option<i64> {
    let micros = match value {
        ValueRef::Real(seconds) if seconds.abs() < FAR => {
            #[expect(clippy::cast_possible_truncation, reason = "bounded by FAR")]
            let micros = (seconds * 1e6).round() as i64;
            micros
        }
        ValueRef::Integer(seconds) => seconds.checked_mul(1_000_000)?,
        _ => return None,
    };
    micros.checked_add(TO_2001)
}

fn transition(redirected: i64, posted: i64) -> Transition {
    match (redirected, posted) {
        (0, 0) => Transition::Other,
        (0, _) => Transition::FormSubmit,
        _ => Transition::Redirect,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_counted_from_2001_and_rounded() {
        assert_eq!(time(ValueRef::Real(531_955_487.072_969_9)), Some(1_510_262_687_072_970));
        assert_eq!(time(ValueRef::Real(0.0)), Some(TO_2001));
        assert_eq!(time(ValueRef::Integer(1)), Some(TO_2001 + 1_000_000));
        for none in [f64::NAN, f64::INFINITY, 1e300, -1e300] {
            assert_eq!(time(ValueRef::Real(none)), None, "{none}");
        }
        assert_eq!(time(ValueRef::Integer(i64::MAX)), None);
    }
}
