//! How monitoring itself stands: what is left alone for a time, what the filter blocked by number, and how many have
//! been told. The numbers are everybody's; names of those who were told are for those whose role opens content.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use jiff::ToSpan as _;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::Console;
use super::failure::Failure;
use super::frame::{Banner, Frame, Place, respond};
use super::when::{Moment, SchoolTime};
use super::who::SignedIn;
use super::words;
use crate::store::notices_shown::{Told, ToldPerson};
use crate::store::{Edit, StoreError, View};

/// Days of blocked requests that are shown, today's among them.
const DAYS: i64 = 30;

#[derive(Template)]
#[template(path = "monitoring.html")]
struct Page {
    frame: Frame,
    exemptions: Vec<(Banner, Moment)>,
    days: i64,
    blocked: Vec<(Option<String>, u64)>,
    total: u64,
    version: u32,
    told: Vec<(&'static str, Told)>,
    /// Who was told; none for those who may not know.
    people: Option<Vec<Row>>,
}

struct Row {
    name: String,
    certain: bool,
    audience: &'static str,
    at: Moment,
}

/// What the page shows to everybody.
struct Numbers {
    time: SchoolTime,
    exemptions: Vec<(Banner, Moment)>,
    blocked: Vec<(String, u64)>,
    version: u32,
    told: Vec<Told>,
}

/// The page.
pub(super) async fn page(
    State(console): State<Console>,
    SignedIn(session): SignedIn,
) -> Result<Response, Failure> {
    let (id, now, scope) = (session.school, console.clock.now(), session.scope());
    let numbers = move |view: &View<'_>| {
        let school = view.school(id)?;
        let zone = TimeZone::get(&school.time_zone).unwrap_or(TimeZone::UTC);
        let since = first_day(now.to_zoned(zone).date());
        let time = SchoolTime::new(&school.time_zone, now);
        let version = view.notice_version(id)?;
        let exemptions = view.exemptions(id, now)?;
        Ok::<_, StoreError>(Numbers {
            exemptions: exemptions
                .iter()
                .map(|exempted| (Banner::new(exempted, &time), time.moment(exempted.from)))
                .collect(),
            blocked: view.filter_counts(id, since)?,
            told: view.told(id, version)?,
            version,
            time,
        })
    };
    let (numbers, people) = if session.role.opens_content() {
        let read = move |edit: &Edit<'_>| {
            let numbers = numbers(edit.view())?;
            let people = edit.view_told_people(id, numbers.version)?;
            Ok((numbers, Some(people)))
        };
        console.store.write(&scope, read).await?
    } else {
        console.store.read(&scope, move |view| Ok((numbers(view)?, None))).await?
    };
    let frame = Frame::inside("Monitoring — Redshank", Place::Monitoring, &session);
    respond(StatusCode::OK, &assemble(frame, numbers, people))
}

fn first_day(today: Date) -> Date {
    today.saturating_sub((DAYS - 1).days())
}

fn assemble(frame: Frame, numbers: Numbers, people: Option<Vec<ToldPerson>>) -> Page {
    let Numbers { time, exemptions, blocked, version, told } = numbers;
    let row = |person: ToldPerson| Row {
        name: person.name.unwrap_or_else(|| "somebody whose name has been deleted".to_owned()),
        certain: person.certain,
        audience: words::audience(person.audience),
        at: time.moment(person.at),
    };
    Page {
        frame,
        exemptions,
        days: DAYS,
        total: blocked.iter().map(|(_, count)| count).sum(),
        blocked: blocked
            .into_iter()
            .map(|(category, count)| (Some(category).filter(|it| !it.is_empty()), count))
            .collect(),
        version,
        told: told.into_iter().map(|told| (words::audience(told.audience), told)).collect(),
        people: people.map(|people| people.into_iter().map(row).collect()),
    }
}
