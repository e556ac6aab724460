//! How the agent is: what its sources see, how full the spool is, which policy is in force.
//!
//! The same facts go to the collector ([`v1::Health`]) and into `status.json`, which `redshank-agent
//! status` reads. Counters only, and none of them tells that an alert was raised: the two lanes are never
//! counted apart, because a pupil who is an administrator may read the file and watch it change.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use redshank_proto::clock::Clock;
use redshank_proto::id::{DeviceId, SchoolId};
use redshank_proto::v1::CoverageState;
use redshank_proto::{bounds, time, v1};
use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::policy::{PolicyInForce, PolicyStore};
use crate::sources::Coverage;
use crate::spool::{Spool, SpoolError};
use crate::state::StateDir;
use crate::uplink::Reach;

/// How finely waiting events are counted. One event more is a match, where policy reports no visits: a pupil or
/// technician who watched an exact count would know that an alert had been raised.
const EVENTS_STEP: u64 = 100;
/// How finely the spool's bytes are counted, for the same reason.
const BYTES_STEP: u64 = 1024 * 1024;

/// How often `status.json` is written unasked: fresh enough for a person, rare enough for a laptop's disk.
const STATUS_EVERY: Duration = Duration::from_secs(30);
/// How close to each other two writes may be.
const STATUS_APART: Duration = Duration::from_secs(1);
/// The name under which the policy's own state is reported.
const POLICY: &str = "policy";
/// The name under which it is reported whose the device is.
const DEVICE: &str = "device";

/// Puts the agent's health together. Cloning shares its parts.
#[derive(Debug, Clone)]
pub struct Monitor {
    coverage: watch::Receiver<Vec<Coverage>>,
    spool: Arc<Spool>,
    policy: Arc<PolicyStore>,
    clock: Arc<dyn Clock>,
    started: Duration,
    personal: bool,
}

impl Monitor {
    /// Begins to count the agent's uptime; `coverage` is what the sources say of themselves, `personal`
    /// whether the device is set up as a pupil's own.
    #[must_use]
    pub fn new(
        coverage: watch::Receiver<Vec<Coverage>>,
        spool: Arc<Spool>,
        policy: Arc<PolicyStore>,
        clock: Arc<dyn Clock>,
        personal: bool,
    ) -> Self {
        let started = clock.since_boot();
        Self { coverage, spool, policy, clock, started, personal }
    }

    /// How the agent is. Blocks on the spool.
    ///
    /// # Errors
    /// [`SpoolError`] as the disk fails.
    pub fn health(&self) -> Result<v1::Health, SpoolError> {
        let stats = self.spool.stats()?;
        let in_force = self.policy.subscribe().borrow().clone();
        let policy = policy_health(in_force.as_deref(), self.policy.problem(), self.clock.now());
        let mut sources = vec![policy];
        sources.extend(self.personal.then(pupils_own));
        sources.extend(self.coverage.borrow().iter().map(|source| within_bounds(&source.into())));
        sources.truncate(bounds::HEALTH_SOURCES);
        Ok(v1::Health {
            sources,
            spooled_events: coarse(stats.urgent.saturating_add(stats.routine), EVENTS_STEP),
            spooled_bytes: coarse(stats.bytes, BYTES_STEP),
            lost_events: stats.lost,
            dead_letters: stats.dead_letters,
            policy_serial: in_force.map_or(0, |policy| policy.serial()),
            uptime: Some(time::duration_to_wire(
                self.clock.since_boot().saturating_sub(self.started),
            )),
        })
    }

    /// Changes whenever a source says something else of itself.
    #[must_use]
    pub fn changed(&self) -> watch::Receiver<Vec<Coverage>> {
        let mut coverage = self.coverage.clone();
        coverage.mark_unchanged();
        coverage
    }
}

/// What `status.json` says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Status {
    /// When this was written, by the device's clock.
    pub written_at: Timestamp,
    /// The agent's version.
    pub agent_version: String,
    /// How long the agent had been running, in seconds.
    pub uptime_seconds: u64,
    /// Whether the collector was connected.
    pub connected: bool,
    /// When the collector last said something.
    pub last_contact: Option<Timestamp>,
    /// Why the last connection, or try, came to an end.
    pub last_error: Option<String>,
    /// When that was.
    pub last_error_at: Option<Timestamp>,
    /// The sources.
    pub sources: Vec<SourceStatus>,
    /// Events that wait in the spool.
    pub spooled_events: u64,
    /// Bytes of the spool's file.
    pub spooled_bytes: u64,
    /// Events given up since enrolment.
    pub lost_events: u64,
    /// Events that the collector refused since enrolment.
    pub dead_letters: u64,
    /// Serial of the policy in force; 0 if none is.
    pub policy_serial: u64,
}

/// One source, as `status.json` has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceStatus {
    /// Its kind.
    pub source: String,
    /// Which of its inputs.
    pub input: String,
    /// `ok`, `degraded`, `blind` or `unknown`.
    pub state: String,
    /// Why not all.
    pub reason: String,
}

/// What `status --json` prints: enrolment from the state folder, and the rest from the running agent.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// Whether an agent runs on this state folder.
    pub running: bool,
    /// Whom this device belongs to; absent if it is not enrolled.
    pub enrolment: Option<EnrolmentStatus>,
    /// What the agent last wrote of itself; absent if none ever ran.
    pub agent: Option<Status>,
}

/// What the state folder says of the enrolment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EnrolmentStatus {
    /// The school.
    #[serde(serialize_with = "as_text")]
    pub school: SchoolId,
    /// The device.
    #[serde(serialize_with = "as_text")]
    pub device: DeviceId,
    /// The enrolment listener.
    pub collector: String,
    /// The agents' listener.
    pub ingest: String,
    /// Since when, by the collector's clock.
    pub enrolled_at: Timestamp,
    /// Whether a technician had yet to approve the device at that time.
    pub pending_at_enrolment: bool,
    /// Until when the certificate is good.
    pub certificate_until: Timestamp,
    /// Serial of the stored policy; 0 if there is none that can be in force.
    pub policy_serial: u64,
    /// Whether that policy should have been replaced by now.
    pub policy_expired: bool,
    /// Why a stored policy is not in force.
    pub policy_problem: Option<String>,
}

/// Writes `status.json` every half minute and on every change, until it is cancelled.
pub async fn keep_status(
    state: StateDir,
    monitor: Monitor,
    mut reach: watch::Receiver<Reach>,
    cancel: CancellationToken,
) {
    let mut coverage = monitor.changed();
    let mut written = None;
    while !cancel.is_cancelled() {
        let now = reach.borrow_and_update().clone();
        coverage.mark_unchanged();
        let (state, monitor) = (state.clone(), monitor.clone());
        let write = tokio::task::spawn_blocking(move || {
            let status = status(&monitor.health()?, now, monitor.clock.now());
            let json = serde_json::to_vec_pretty(&status)?;
            anyhow::Ok(state.set_status(&json)?)
        });
        match write.await.map_err(anyhow::Error::from).and_then(|result| result) {
            Ok(()) => written = None,
            // Told once, not every half minute: the disk is full, most likely.
            Err(error) => {
                let error = format!("{error:#}");
                if written.as_ref() != Some(&error) {
                    tracing::warn!(error, "the status is not written");
                }
                written = Some(error);
            }
        }
        tokio::select! {
            () = cancel.cancelled() => {}
            () = tokio::time::sleep(STATUS_EVERY) => {}
            Ok(()) = reach.changed() => tokio::time::sleep(STATUS_APART).await,
            Ok(()) = coverage.changed() => tokio::time::sleep(STATUS_APART).await,
        }
    }
}

fn status(health: &v1::Health, reach: Reach, now: Timestamp) -> Status {
    let uptime = time::duration_from_wire(health.uptime.as_ref()).unwrap_or_default();
    Status {
        written_at: now,
        agent_version: env!("CARGO_PKG_VERSION").to_owned(),
        uptime_seconds: uptime.as_secs(),
        connected: reach.connected,
        last_contact: reach.last_contact,
        last_error: reach.last_error,
        last_error_at: reach.last_error_at,
        sources: health.sources.iter().map(source_status).collect(),
        spooled_events: health.spooled_events,
        spooled_bytes: health.spooled_bytes,
        lost_events: health.lost_events,
        dead_letters: health.dead_letters,
        policy_serial: health.policy_serial,
    }
}

fn source_status(source: &v1::SourceHealth) -> SourceStatus {
    let state = match source.state() {
        CoverageState::Unspecified => "unknown",
        CoverageState::Ok => "ok",
        CoverageState::Degraded => "degraded",
        CoverageState::Blind => "blind",
    };
    SourceStatus {
        source: source.source.clone(),
        input: source.input.clone(),
        state: state.to_owned(),
        reason: source.reason.clone(),
    }
}

/// The policy is what the sources are judged by: without it the device is as blind as without sources.
fn policy_health(
    policy: Option<&PolicyInForce>,
    problem: Option<String>,
    now: Timestamp,
) -> v1::SourceHealth {
    let (state, reason) = match (policy, problem) {
        (None, None) => (CoverageState::Blind, "no policy has come yet".to_owned()),
        (None, Some(problem)) => (CoverageState::Blind, problem),
        (Some(_), Some(problem)) => (CoverageState::Degraded, problem),
        (Some(policy), None) if policy.is_expired(now) => {
            let reason = "the policy has expired; it stays in force until a newer one comes";
            (CoverageState::Degraded, reason.to_owned())
        }
        (Some(policy), None) => match policy.exemptions().paused(now) {
            Some((reason, until)) => {
                let paused =
                    format!("watching is paused until {until:.0}, but for severity 5: {reason}");
                (CoverageState::Degraded, paused)
            }
            None => (CoverageState::Ok, String::new()),
        },
    };
    within_bounds(&v1::SourceHealth {
        source: POLICY.to_owned(),
        input: String::new(),
        state: state.into(),
        reason,
    })
}

/// A pupil's own device is watched less; whoever sets one up so, or changes it on the device, a technician
/// sees it.
fn pupils_own() -> v1::SourceHealth {
    v1::SourceHealth {
        source: DEVICE.to_owned(),
        input: "ownership".to_owned(),
        state: CoverageState::Degraded.into(),
        reason: "set up as a pupil's own: only the browser with the extension is watched, in school hours"
            .to_owned(),
    }
}

/// Rounds a count down to whole steps.
fn coarse(count: u64, step: u64) -> u64 {
    count - count % step
}

fn within_bounds(source: &v1::SourceHealth) -> v1::SourceHealth {
    v1::SourceHealth {
        source: bounds::cut(&source.source, bounds::NAME_BYTES).to_owned(),
        input: bounds::cut(&source.input, bounds::LONG_NAME_BYTES).to_owned(),
        state: source.state,
        reason: bounds::cut(&source.reason, bounds::HEALTH_REASON_BYTES).to_owned(),
    }
}

fn as_text<S: serde::Serializer>(
    id: &impl std::fmt::Display,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_str(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_policy_s_state_is_reported_as_coverage() {
        let policy = PolicyInForce::compile(v1::Policy {
            serial: 3,
            expires_at: Some(time::to_wire(Timestamp::from_second(1_000).unwrap())),
            ..Default::default()
        })
        .unwrap();
        let problem = || Some("line 3 is wrong".to_owned());
        for (policy, problem, second, state, reason) in [
            (None, None, 0, CoverageState::Blind, "no policy"),
            (None, problem(), 0, CoverageState::Blind, "line 3"),
            (Some(&policy), problem(), 0, CoverageState::Degraded, "line 3"),
            (Some(&policy), None, 1_000, CoverageState::Degraded, "expired"),
            (Some(&policy), None, 999, CoverageState::Ok, ""),
        ] {
            let now = Timestamp::from_second(second).unwrap();
            let health = policy_health(policy, problem, now);
            assert_eq!(health.state(), state);
            assert!(health.reason.contains(reason), "{}", health.reason);
        }
    }

    #[test]
    fn a_pause_is_told_while_it_lasts() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let policy = PolicyInForce::compile(v1::Policy {
            expires_at: Some(time::to_wire(at(1_000))),
            exemptions: vec![v1::Exemption {
                reason: "the boiler is mended".to_owned(),
                from: Some(time::to_wire(at(10))),
                until: Some(time::to_wire(at(20))),
                ..Default::default()
            }],
            ..Default::default()
        });
        let policy = policy.unwrap();
        let health = policy_health(Some(&policy), None, at(10));
        assert_eq!(health.state(), CoverageState::Degraded);
        assert!(health.reason.contains("1970-01-01T00:00:20Z"), "{}", health.reason);
        assert!(health.reason.ends_with("the boiler is mended"), "{}", health.reason);
        assert_eq!(policy_health(Some(&policy), None, at(20)).state(), CoverageState::Ok);
    }

    #[test]
    fn a_single_event_does_not_show_in_a_count() {
        for (count, shown) in [(0, 0), (1, 0), (99, 0), (100, 100), (257, 200)] {
            assert_eq!(coarse(count, EVENTS_STEP), shown);
        }
    }

    #[test]
    fn a_source_is_cut_to_its_bounds() {
        let long = "é".repeat(1_000);
        let source = within_bounds(&v1::SourceHealth {
            source: long.clone(),
            input: long.clone(),
            state: 1,
            reason: long,
        });
        assert_eq!(
            (source.source.len(), source.input.len(), source.reason.len()),
            (bounds::NAME_BYTES, bounds::LONG_NAME_BYTES, bounds::HEALTH_REASON_BYTES)
        );
    }

    #[test]
    fn the_status_survives_its_json_and_never_counts_the_lanes_apart() {
        let health = v1::Health {
            sources: vec![v1::SourceHealth {
                source: "browser_history".to_owned(),
                input: "Firefox".to_owned(),
                state: CoverageState::Degraded.into(),
                reason: "the file is damaged".to_owned(),
            }],
            spooled_events: 7,
            uptime: Some(time::duration_to_wire(Duration::from_secs(90))),
            ..Default::default()
        };
        let reach = Reach { connected: true, ..Default::default() };
        let status = status(&health, reach, Timestamp::UNIX_EPOCH);
        let json = serde_json::to_string(&status).unwrap();
        assert_eq!(serde_json::from_str::<Status>(&json).unwrap(), status);
        assert!(json.contains("\"degraded\"") && json.contains("\"uptime_seconds\":90"));
        for word in ["urgent", "routine", "severity", "alert"] {
            assert!(!json.contains(word), "{word}");
        }
    }
}
