//! Devices and how they are: what a technician works with. No content, and no name of a pupil.

use std::collections::HashMap;

use askama::Template;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use http::StatusCode;
use redshank_proto::id::DeviceId;

use super::Console;
use super::failure::Failure;
use super::frame::{Frame, Place, respond};
use super::when::{Moment, SchoolTime};
use super::who::{Button, Posted, SignedIn, Technician};
use super::words::{self, Level};
use crate::store::Role;
use crate::store::alarms::Alarm;
use crate::store::devices::{DeviceStatus, DeviceSummary};

#[derive(Template)]
#[template(path = "devices.html")]
struct ListPage {
    frame: Frame,
    may_approve: bool,
    pending: usize,
    devices: Vec<Row>,
    /// Devices behind a proxy that the asset log does not know.
    unknown: usize,
    assets: usize,
    alarms: Vec<AlarmRow>,
}

#[derive(Template)]
#[template(path = "device.html")]
struct OnePage {
    frame: Frame,
    may_approve: bool,
    device: Row,
    coverage: Vec<CoverageRow>,
    alarms: Vec<AlarmRow>,
}

struct Row {
    id: String,
    name: String,
    asset_tag: Option<String>,
    serial_number: String,
    platform: String,
    agent_version: String,
    status: &'static str,
    status_level: Level,
    pending: bool,
    forked: bool,
    pupils_own: bool,
    coverage: &'static str,
    coverage_level: Level,
    last_seen: Option<Moment>,
    enrolled: Moment,
    policy_serial: u64,
    spooled: u64,
    lost: u64,
    refused: u64,
}

struct CoverageRow {
    source: String,
    input: String,
    state: &'static str,
    level: Level,
    reason: String,
    reported: Moment,
}

struct AlarmRow {
    device: Option<(String, String)>,
    text: &'static str,
    count: u64,
    first: Moment,
    last: Moment,
}

/// Every device of the school.
pub(super) async fn list(
    State(console): State<Console>,
    SignedIn(session): SignedIn,
) -> Result<Response, Failure> {
    let (id, now) = (session.school, console.clock.now());
    let scope = session.scope();
    let read = console.store.read(&scope, move |view| {
        let (unknown, assets) = (view.unknown_devices(id, now)?.len(), view.asset_log(id)?.len());
        let (school, devices) = (view.school(id)?, view.devices(id)?);
        Ok((school, devices, view.open_alarms(id)?, unknown, assets))
    });
    let (school, devices, alarms, unknown, assets) = read.await?;
    let time = SchoolTime::new(&school.time_zone, now);
    let names: HashMap<DeviceId, String> =
        devices.iter().map(|device| (device.device, name(device))).collect();
    let mut devices: Vec<Row> = devices.into_iter().map(|device| row(device, &time)).collect();
    // What needs a technician comes first; the store's order, by name, stays within.
    devices.sort_by_key(|device| (!device.pending, !device.forked));
    let page = ListPage {
        frame: Frame::inside("Devices — Redshank", Place::Devices, &session),
        may_approve: session.role == Role::Technician,
        pending: devices.iter().filter(|device| device.pending).count(),
        alarms: alarms.iter().map(|alarm| alarm_row(alarm, &names, &time)).collect(),
        unknown,
        assets,
        devices,
    };
    respond(StatusCode::OK, &page)
}

/// One device, source by source.
pub(super) async fn one(
    State(console): State<Console>,
    Path(device): Path<String>,
    SignedIn(session): SignedIn,
) -> Result<Response, Failure> {
    let device: DeviceId = device.parse().map_err(|_| Failure::NotFound)?;
    let id = session.school;
    let scope = session.scope();
    let read = console.store.read(&scope, move |view| {
        let (summary, coverage) = (view.device(device)?, view.coverage(device)?);
        Ok((view.school(id)?, summary, coverage, view.open_alarms(id)?))
    });
    let (school, summary, coverage, alarms) = read.await?;
    let time = SchoolTime::new(&school.time_zone, console.clock.now());
    let names = HashMap::new();
    let alarms = alarms.iter().filter(|alarm| alarm.device == Some(device));
    let page = OnePage {
        frame: Frame::inside("Device — Redshank", Place::Devices, &session),
        may_approve: session.role == Role::Technician,
        alarms: alarms.map(|alarm| alarm_row(alarm, &names, &time)).collect(),
        device: row(summary, &time),
        coverage: coverage
            .into_iter()
            .map(|coverage| {
                let (state, level) = words::coverage(coverage.state);
                CoverageRow {
                    source: words::source(&coverage.source).into_owned(),
                    input: coverage.input,
                    state,
                    level,
                    reason: coverage.reason,
                    reported: time.moment(coverage.reported_at),
                }
            })
            .collect(),
    };
    respond(StatusCode::OK, &page)
}

/// Approves a pending device.
pub(super) async fn approve(
    State(console): State<Console>,
    Path(device): Path<String>,
    posted: Posted<Technician, Button>,
) -> Result<Response, Failure> {
    let device: DeviceId = device.parse().map_err(|_| Failure::NotFound)?;
    let scope = posted.who.0.scope();
    console.store.write(&scope, move |edit| edit.approve_device(device)).await?;
    Ok(Redirect::to(&format!("/devices/{device}")).into_response())
}

fn row(device: DeviceSummary, time: &SchoolTime) -> Row {
    let (status, status_level) = words::device_status(device.status);
    let (coverage, coverage_level) =
        device.worst.map_or(("nothing reported yet", Level::Unknown), words::coverage);
    Row {
        id: device.device.to_string(),
        name: name(&device),
        asset_tag: device.asset_tag,
        serial_number: device.serial_number,
        platform: match device.os_version.as_str() {
            "" => words::platform(&device.platform).to_owned(),
            version => version.to_owned(),
        },
        agent_version: device.agent_version,
        status,
        status_level,
        pending: device.status == DeviceStatus::Pending,
        forked: device.forked,
        pupils_own: device.pupils_own,
        coverage,
        coverage_level,
        last_seen: device.last_seen_at.map(|at| time.moment(at)),
        enrolled: time.moment(device.enrolled_at),
        policy_serial: device.policy_serial,
        spooled: device.spooled_events,
        lost: device.lost_events,
        refused: device.dead_letters,
    }
}

fn name(device: &DeviceSummary) -> String {
    if device.host_name.is_empty() { "unnamed device".to_owned() } else { device.host_name.clone() }
}

fn alarm_row(alarm: &Alarm, names: &HashMap<DeviceId, String>, time: &SchoolTime) -> AlarmRow {
    let device = alarm.device.and_then(|id| Some((id.to_string(), names.get(&id)?.clone())));
    AlarmRow {
        device,
        text: words::alarm(alarm.kind),
        count: alarm.count,
        first: time.moment(alarm.first_at),
        last: time.moment(alarm.last_at),
    }
}
