//! `places.sqlite` of Firefox.
//!
//! Source: Mozilla's `toolkit/components/places/` (`nsINavHistoryService.idl`, `Database.cpp`).
//! `moz_historyvisits.source` (since schema 61 or so) says that an address was searched for or bookmarked,
//! not on which device: desktop Firefox does not record that a visit came by Sync (the cursor makes up
//! for it). Firefox for Android's `is_local` says so, and is heeded where it is.

use rusqlite::types::ValueRef;

use super::database::{Tables, number};
use super::{Plan, bounded};
use crate::observation::Transition;

/// `VISIT_SOURCE_SEARCHED`.
const SEARCHED: i64 = 3;

pub(super) fn plan(tables: &Tables) -> Option<Plan> {
    let visits = tables.has("moz_historyvisits", &["id", "place_id", "visit_date"]);
    if !(visits && tables.has("moz_places", &["id", "url"])) {
        return None;
    }
    let column = |name: &'static str, expression: &'static str, absent: &'static str| {
        if tables.has("moz_historyvisits", &[name]) { expression } else { absent }
    };
    let synced = column("is_local", "coalesce(v.is_local, 1) = 0", "0");
    let kind = column("visit_type", "v.visit_type", "0");
    let source = column("source", "v.source", "0");
    let title =
        if tables.has("moz_places", &["title"]) { bounded("p.title") } else { "NULL".into() };
    Some(Plan {
        marks: format!("SELECT v.id, v.visit_date, {synced} FROM main.moz_historyvisits v"),
        text: format!(
            "SELECT {}, {title}, NULL, {kind}, {source} \
             FROM main.moz_historyvisits v JOIN main.moz_places p ON p.id = v.place_id",
            bounded("p.url")
        ),
        time: time as fn(ValueRef<'_>) -> Option<i64>,
        transition,
    })
}

/// Microseconds since 1970 as they are.
fn time(value: ValueRef<'_>) -> Option<i64> {
    number(value)
}

fn transition(kind: i64, source: i64) -> Transition {
    match kind {
        1 | 2 if source == SEARCHED => Transition::Search,
        1 => Transition::Link,
        2 => Transition::Typed,
        3 => Transition::Bookmark,
        4 | 8 => Transition::Subframe,
        5 | 6 => Transition::Redirect,
        7 => Transition::Download,
        9 => Transition::Reload,
        _ => Transition::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn transitions_are_firefoxs() {
        for (kind, source, expected) in [
            (1, 0, Transition::Link),
            (2, 0, Transition::Typed),
            (2, SEARCHED, Transition::Search),
            (3, SEARCHED, Transition::Bookmark),
            (4, 0, Transition::Subframe),
            (5, 0, Transition::Redirect),
            (6, 0, Transition::Redirect),
            (7, 0, Transition::Download),
            (8, 0, Transition::Subframe),
            (9, 0, Transition::Reload),
            (10, 0, Transition::Other),
        ] {
            assert_eq!(transition(kind, source), expected, "{kind} {source}");
        }
    }
}
