//! `History` of Chrome, Edge, Brave, Opera, Vivaldi and Chromium.
//!
//! Sources: Chromium's `components/history/core/browser/` (`visit_database.cc`, `url_database.cc`,
//! `history_types.h`) and `ui/base/page_transition_types.h`. The title belongs to the address, not to
//! the visit: an address seen before has the title it had then.

use rusqlite::types::ValueRef;

use super::database::{Tables, number};
use super::{Plan, bounded};
use crate::observation::Transition;

/// Microseconds from 1601-01-01, where Chromium counts from, to 1970.
const FROM_1601: i64 = 11_644_473_600_000_000;
/// `PAGE_TRANSITION_CORE_MASK`.
const CORE: i64 = 0xff;
/// `PAGE_TRANSITION_IS_REDIRECT_MASK`: a client's or a server's redirect.
const REDIRECT: i64 = 0xc000_0000;

pub(super) fn plan(tables: &Tables) -> Option<Plan> {
    let complete =
        tables.has("visits", &["id", "url", "visit_time"]) && tables.has("urls", &["id", "url"]);
    if !complete {
        return None;
    }
    let mut synced = vec!["0".to_owned()];
    if tables.has("visits", &["originator_cache_guid"]) {
        synced.push("coalesce(octet_length(v.originator_cache_guid), 0) > 0".to_owned());
    }
    if tables.has("visit_source", &["id", "source"]) {
        // `SOURCE_SYNCED`; what was browsed here has no row, what was imported another number.
        synced.push(
            "EXISTS (SELECT 1 FROM main.visit_source s WHERE s.id = v.id AND s.source = 0)"
                .to_owned(),
        );
    }
    let title = if tables.has("urls", &["title"]) { bounded("u.title") } else { "NULL".into() };
    let terms = if tables.has("keyword_search_terms", &["url_id", "term"]) {
        let term = bounded("k.term");
        format!("(SELECT {term} FROM main.keyword_search_terms k WHERE k.url_id = v.url LIMIT 1)")
    } else {
        "NULL".into()
    };
    let transition = if tables.has("visits", &["transition"]) { "v.transition" } else { "6" };
    Some(Plan {
        marks: format!("SELECT v.id, v.visit_time, {} FROM main.visits v", synced.join(" OR ")),
        text: format!(
            "SELECT {}, {title}, {terms}, {transition}, 0 \
             FROM main.visits v JOIN main.urls u ON u.id = v.url",
            bounded("u.url")
        ),
        time,
        transition: self::transition,
    })
}

fn time(value: ValueRef<'_>) -> Option<i64> {
    number(value)?.checked_sub(FROM_1601)
}

fn transition(value: i64, _: i64) -> Transition {
    if value & REDIRECT != 0 {
        return Transition::Redirect;
    }
    match value & CORE {
        0 => Transition::Link,
        1 => Transition::Typed,
        2 => Transition::Bookmark,
        3 | 4 => Transition::Subframe,
        // Chosen from the address bar's suggestions, or by a search engine's keyword.
        5 | 9 | 10 => Transition::Search,
        7 => Transition::FormSubmit,
        8 => Transition::Reload,
        _ => Transition::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn transitions_are_chromiums() {
        for (value, expected) in [
            (0x3000_0000, Transition::Link),
            (0x3000_0001, Transition::Typed),
            (2, Transition::Bookmark),
            (3, Transition::Subframe),
            (4, Transition::Subframe),
            (5, Transition::Search),
            (6, Transition::Other),
            (7, Transition::FormSubmit),
            (8, Transition::Reload),
            (9, Transition::Search),
            (10, Transition::Search),
            (0x4000_0000, Transition::Redirect),
            (0x8000_0001, Transition::Redirect),
            // As 32 bits with a sign, as old versions stored it.
            (i64::from(0x8000_0001_u32.cast_signed()), Transition::Redirect),
            (200, Transition::Other),
        ] {
            assert_eq!(transition(value, 0), expected, "{value:#x}");
        }
    }

    #[test]
    fn times_are_counted_from_1601() {
        assert_eq!(time(ValueRef::Integer(13_161_026_482_728_235)), Some(1_516_552_882_728_235));
        assert_eq!(time(ValueRef::Integer(i64::MIN)), None);
        assert_eq!(time(ValueRef::Text(b"13161026482728235")), None);
    }
}
