//! Reads the feed of a collector as a monitoring service does: prints each change of an alert as a line of
//! JSON and acknowledges it once it is printed, so that the next start goes on after it.

use std::io::Write as _;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Parser;
use redshank_proto::time;
use redshank_proto::v1::{Alert, AlertChange, AlertStatus};
use redshank_tests::feed::Reader;
use serde_json::json;

/// Reads the feed and prints each change of an alert as a line of JSON.
#[derive(Debug, Parser)]
struct Arguments {
    /// Where the collector's agents and readers connect: https://host:port
    #[arg(long)]
    collector: String,
    /// The folder that `redshank-collector reader add --out` wrote
    #[arg(long)]
    credential: PathBuf,
    /// Ends after so many changes, by default never
    #[arg(long)]
    count: Option<u64>,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let mut reader = Reader::connect(&arguments.collector, &arguments.credential).await?;
    // No cursor of our own: the collector keeps our place, and we acknowledge what we have printed.
    let mut subscription = reader.subscribe(Vec::new()).await?;
    let mut left = arguments.count.unwrap_or(u64::MAX);
    while left > 0 {
        let change = subscription.next().await?.context("the collector has ended the feed")?;
        let mut out = std::io::stdout().lock();
        writeln!(out, "{}", line(&change))?;
        out.flush()?;
        drop(out);
        reader.acknowledge(change.cursor).await?;
        left -= 1;
    }
    Ok(())
}

fn line(change: &AlertChange) -> serde_json::Value {
    json!({ "change": change.kind().as_str_name(), "alert": change.alert.as_ref().map(alert) })
}

fn alert(alert: &Alert) -> serde_json::Value {
    let id = |bytes: &[u8]| uuid(bytes).unwrap_or_default();
    let time = |t| time::from_wire(t).map(|time| time.to_string());
    json!({
        "id": id(&alert.alert_id),
        "school": alert.school_name,
        "person": alert.person_pseudonym,
        "person_certain": alert.person_certain,
        "category": alert.category,
        "severity": alert.severity,
        "priority": alert.priority,
        "status": AlertStatus::try_from(alert.status).unwrap_or_default().as_str_name(),
        "first_occurred_at": time(alert.first_occurred_at.as_ref()),
        "received_at": time(alert.received_at.as_ref()),
        "events": alert.event_count,
        "why": alert.factors.iter().map(|f| json!({ "factor": f.label, "points": f.points })).collect::<Vec<_>>(),
        "seen": alert.events.iter().flat_map(|event| &event.matches).map(|m| &m.snippet).collect::<Vec<_>>(),
    })
}

fn uuid(bytes: &[u8]) -> Option<String> {
    redshank_proto::id::AlertId::try_from(bytes).ok().map(|id| id.to_string())
}
