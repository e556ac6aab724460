//! `status`: how the agent is, for a technician or a program. Reads the state folder alone.

use std::io::Write;
use std::path::Path;

use jiff::{Timestamp, ToSpan as _};
use redshank_proto::clock::{Clock, System};

use crate::health::{EnrolmentStatus, Report, Status};
use crate::policy::PolicyStore;
use crate::state::{StateDir, StateError};

/// Prints the status of the agent on a state folder.
pub(super) fn status(state: &Path, json: bool, out: &mut impl Write) -> anyhow::Result<()> {
    let report = report(state, System.now())?;
    if json {
        serde_json::to_writer_pretty(&mut *out, &report)?;
        writeln!(out)?;
    } else {
        write_text(&report, out)?;
    }
    Ok(())
}

fn report(state: &Path, now: Timestamp) -> anyhow::Result<Report> {
    let state = match StateDir::open(state) {
        Err(StateError::Missing(_)) => {
            return Ok(Report { running: false, enrolment: None, agent: None });
        }
        other => other?,
    };
    let agent = state.status()?.and_then(|json| serde_json::from_slice::<Status>(&json).ok());
    Ok(Report { running: state.is_locked()?, enrolment: enrolment(&state, now)?, agent })
}

fn enrolment(state: &StateDir, now: Timestamp) -> anyhow::Result<Option<EnrolmentStatus>> {
    let Some(identity) = state.identity()? else { return Ok(None) };
    let school = state.school(identity.school());
    let installation = school.installation()?;
    let policy = PolicyStore::open(school.path(), &school.trust()?)?;
    let in_force = policy.subscribe().borrow().clone();
    Ok(Some(EnrolmentStatus {
        school: identity.school(),
        device: identity.device(),
        collector: installation.enrolment_url,
        ingest: installation.ingest_url,
        enrolled_at: installation.enrolled_at,
        pending_at_enrolment: installation.pending,
        certificate_until: identity.not_after(),
        policy_serial: policy.serial(),
        policy_expired: in_force.is_some_and(|policy| policy.is_expired(now)),
        policy_problem: policy.problem(),
    }))
}

fn write_text(report: &Report, out: &mut impl Write) -> std::io::Result<()> {
    match &report.enrolment {
        None => writeln!(
            out,
            "enrolment    none; run `redshank-agent enrol --collector URL --token-file FILE`"
        )?,
        Some(enrolment) => write_enrolment(enrolment, out)?,
    }
    match (&report.agent, report.running) {
        (None, false) => writeln!(out, "agent        not running, and never did")?,
        (None, true) => writeln!(out, "agent        running; it has said nothing of itself yet")?,
        (Some(agent), running) => {
            if running {
                let since =
                    agent.written_at - i64::try_from(agent.uptime_seconds).unwrap_or(0).seconds();
                writeln!(out, "agent        running since {}", second(since))?;
            } else {
                let last = second(agent.written_at);
                writeln!(out, "agent        NOT RUNNING; what follows is from {last}")?;
            }
            write_agent(agent, running, out)?;
        }
    }
    Ok(())
}

fn write_enrolment(enrolment: &EnrolmentStatus, out: &mut impl Write) -> std::io::Result<()> {
    let EnrolmentStatus { device, school, .. } = enrolment;
    writeln!(out, "enrolment    device {device} of school {school}")?;
    writeln!(
        out,
        "             at {} since {}",
        enrolment.collector,
        second(enrolment.enrolled_at)
    )?;
    if enrolment.pending_at_enrolment {
        writeln!(
            out,
            "             awaiting approval when enrolled; the console knows whether it has it"
        )?;
    }
    writeln!(out, "certificate  until {}", second(enrolment.certificate_until))?;
    match (enrolment.policy_serial, enrolment.policy_expired) {
        (0, _) => writeln!(out, "policy       none: nothing is watched until one comes")?,
        (serial, false) => writeln!(out, "policy       {serial}, in force")?,
        (serial, true) => {
            writeln!(out, "policy       {serial}, expired; in force until a newer one comes")?;
        }
    }
    if let Some(problem) = &enrolment.policy_problem {
        writeln!(out, "             {problem}")?;
    }
    Ok(())
}

fn write_agent(agent: &Status, running: bool, out: &mut impl Write) -> std::io::Result<()> {
    match (agent.connected && running, agent.last_contact) {
        (true, _) => writeln!(out, "collector    connected")?,
        (false, Some(at)) => writeln!(out, "collector    last heard of at {}", second(at))?,
        (false, None) => writeln!(out, "collector    not reached since the agent's last start")?,
    }
    if let (Some(error), Some(at)) = (&agent.last_error, agent.last_error_at) {
        writeln!(out, "             last trouble at {}: {error}", second(at))?;
    }
    let Status { spooled_events, spooled_bytes, lost_events, dead_letters, .. } = agent;
    writeln!(
        out,
        "spool        {}; {lost_events} given up, {dead_letters} refused",
        waiting(*spooled_events, *spooled_bytes)
    )?;
    for source in &agent.sources {
        writeln!(out, "{:<12} {} {}", source.state, source.source, source.input)?;
        if !source.reason.is_empty() {
            writeln!(out, "             {}", source.reason)?;
        }
    }
    Ok(())
}

/// Health counts coarsely, so that a single event does not show.
fn waiting(events: u64, bytes: u64) -> String {
    match events {
        0 => "fewer than 100 events wait".to_owned(),
        _ => format!("{events} or more events wait ({} MiB)", bytes / (1024 * 1024)),
    }
}

/// A time to the second: more is noise to a person.
fn second(time: Timestamp) -> Timestamp {
    Timestamp::from_second(time.as_second()).unwrap_or(time)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::health::SourceStatus;

    #[test]
    fn a_device_that_is_not_enrolled_is_told_how() {
        let temp = tempfile::tempdir().unwrap();
        let text = text_of(&report(&temp.path().join("none"), Timestamp::UNIX_EPOCH).unwrap());
        assert!(text.contains("redshank-agent enrol") && text.contains("never did"), "{text}");
    }

    #[test]
    fn an_agent_that_does_not_run_is_said_to_not_run() {
        let temp = tempfile::tempdir().unwrap();
        let state = StateDir::create(&temp.path().join("state")).unwrap();
        state.set_status(&serde_json::to_vec(&agent()).unwrap()).unwrap();
        let stopped = report(state.path(), Timestamp::UNIX_EPOCH).unwrap();
        let text = text_of(&stopped);
        assert!(text.contains("NOT RUNNING; what follows is from 1970-01-01T01:00:00Z"), "{text}");
        assert!(!text.contains("connected"), "{text}");

        let _lock = state.lock().unwrap();
        let text = text_of(&report(state.path(), Timestamp::UNIX_EPOCH).unwrap());
        assert!(text.contains("running since 1970-01-01T00:58:30Z"), "{text}");
        for told in [
            "collector    connected",
            "last trouble at 1970-01-01T00:30:00Z: collector:7444 cannot be reached",
            "700 or more events wait (12 MiB); 1 given up, 2 refused",
            "degraded     browser_history Firefox",
            "the file is damaged",
        ] {
            assert!(text.contains(told), "{told}: {text}");
        }
    }

    #[test]
    fn a_status_file_that_is_damaged_is_no_status() {
        let temp = tempfile::tempdir().unwrap();
        let state = StateDir::create(&temp.path().join("state")).unwrap();
        state.set_status(b"{\"written_at\":").unwrap();
        assert_eq!(report(state.path(), Timestamp::UNIX_EPOCH).unwrap().agent, None);
    }

    fn agent() -> Status {
        Status {
            written_at: Timestamp::from_second(3_600).unwrap(),
            agent_version: "0.1.0".to_owned(),
            uptime_seconds: 90,
            connected: true,
            last_contact: Some(Timestamp::from_second(3_599).unwrap()),
            last_error: Some("collector:7444 cannot be reached".to_owned()),
            last_error_at: Some(Timestamp::from_second(1_800).unwrap()),
            sources: vec![SourceStatus {
                source: "browser_history".to_owned(),
                input: "Firefox".to_owned(),
                state: "degraded".to_owned(),
                reason: "the file is damaged".to_owned(),
            }],
            spooled_events: 700,
            spooled_bytes: 12 << 20,
            lost_events: 1,
            dead_letters: 2,
            policy_serial: 3,
        }
    }

    fn text_of(report: &Report) -> String {
        let mut out = Vec::new();
        write_text(report, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }
}
