//! The weekly summary: programs and removable media, by person and device, this week beside the last. What policy
//! makes an alert of is in the queue and not here.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};

use super::Console;
use super::failure::Failure;
use super::frame::{Frame, Place, respond};
use super::queue::{Person, person};
use super::when::{Moment, SchoolTime};
use super::who::Dsl;
use super::words;
use crate::store::Edit;
use crate::store::sightings::{SUMMARY_ROWS, SummaryRow, Thing};

#[derive(Template)]
#[template(path = "summary.html")]
struct Page {
    frame: Frame,
    this_week: String,
    last_week: String,
    sections: Vec<Section>,
    /// How many lines are shown, if there are more.
    cut_at: Option<usize>,
    /// Devices that tell of programs or media.
    watching: u32,
}

struct Section {
    id: String,
    heading: &'static str,
    rows: Vec<Row>,
}

struct Row {
    name: String,
    who: Person,
    device_id: String,
    device: String,
    this_week: u32,
    last_week: u32,
    first: Moment,
    last: Moment,
}

/// The page.
pub(super) async fn page(
    State(console): State<Console>,
    Dsl(session): Dsl,
) -> Result<Response, Failure> {
    let (id, now) = (session.school, console.clock.now());
    let read = move |edit: &Edit<'_>| {
        let school = edit.view().school(id)?;
        let weeks = Weeks::of(&school.time_zone, now);
        let rows = edit.view_summary(id, weeks.last_begins, weeks.this_begins)?;
        Ok((school, weeks, rows, edit.view().devices_that_watch_programs(id)?))
    };
    let (school, weeks, mut rows, watching) = console.store.write(&session.scope(), read).await?;
    let time = SchoolTime::new(&school.time_zone, now);
    let most = usize::try_from(SUMMARY_ROWS).unwrap_or(usize::MAX);
    let cut_at = (rows.len() > most).then_some(most);
    rows.truncate(most);
    let page = Page {
        frame: Frame::inside("Summary — Redshank", Place::Summary, &session),
        this_week: day(weeks.this),
        last_week: day(weeks.last),
        sections: sections(rows, &time),
        cut_at,
        watching,
    };
    respond(StatusCode::OK, &page)
}

/// The week of a moment and the one before, from Monday on, by the school's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Weeks {
    this: Date,
    this_begins: Timestamp,
    last: Date,
    last_begins: Timestamp,
}

impl Weeks {
    fn of(zone: &str, now: Timestamp) -> Self {
        let zone = TimeZone::get(zone).unwrap_or(TimeZone::UTC);
        let today = now.to_zoned(zone.clone()).date();
        let since_monday = i64::from(today.weekday().to_monday_zero_offset());
        let this = today.saturating_sub(since_monday.days());
        let last = this.saturating_sub(7.days());
        let begins =
            |day: Date| day.to_zoned(zone.clone()).map_or(now, |midnight| midnight.timestamp());
        Self { this, this_begins: begins(this), last, last_begins: begins(last) }
    }
}

fn day(day: Date) -> String {
    day.strftime("%A %-d %B").to_string()
}

fn sections(rows: Vec<SummaryRow>, time: &SchoolTime) -> Vec<Section> {
    let mut sections: Vec<Section> = Vec::new();
    let mut last: Option<Thing> = None;
    for row in rows {
        if last != Some(row.thing) {
            last = Some(row.thing);
            let id = format!("section-{}", sections.len() + 1);
            sections.push(Section { id, heading: words::thing(row.thing), rows: Vec::new() });
        }
        if let Some(section) = sections.last_mut() {
            section.rows.push(Row {
                name: row.name,
                who: person(row.person),
                device_id: row.device.to_string(),
                device: row.device_name,
                this_week: row.this_week,
                last_week: row.last_week,
                first: time.moment(row.first_at),
                last: time.moment(row.last_at),
            });
        }
    }
    sections
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_week_begins_on_monday_by_the_school_s_clock() {
        for (now, this, last) in [
            // A Monday at half past midnight in London, which is still Sunday in UTC.
            ("2025-07-13T23:30:00Z", "2025-07-13T23:00:00Z", "2025-07-06T23:00:00Z"),
            ("2025-07-13T22:30:00Z", "2025-07-06T23:00:00Z", "2025-06-29T23:00:00Z"),
            ("2026-01-15T12:00:00Z", "2026-01-12T00:00:00Z", "2026-01-05T00:00:00Z"),
            // The clocks went forward on Sunday 29 March.
            ("2026-04-01T12:00:00Z", "2026-03-29T23:00:00Z", "2026-03-23T00:00:00Z"),
        ] {
            let weeks = Weeks::of("Europe/London", now.parse().unwrap());
            assert_eq!(weeks.this_begins.to_string(), this, "{now}");
            assert_eq!(weeks.last_begins.to_string(), last, "{now}");
        }
        assert_eq!(day("2026-01-12".parse().unwrap()), "Monday 12 January");
    }
}
