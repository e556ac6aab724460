//! `capture log`: a technician's check that a log is read.

use std::io::Write;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use jiff::tz::TimeZone;
use redshank_proto::clock::{Clock as _, System};

use crate::sources::logs::capture::{Reading, capture};
use crate::sources::logs::formats::Format;

#[derive(Debug, Args)]
pub(super) struct LogArgs {
    /// squid, squid-common, squid-combined, squid:LOGFORMAT, e2guardian:1 to e2guardian:8, dnsmasq, unbound
    ///
    /// LOGFORMAT is what stands after the name in a `logformat` line of squid.conf.
    #[arg(long, value_name = "NAME[:LOGFORMAT]")]
    format: String,
    /// The zone of the host that wrote the log, where the log has none: Europe/London [default: this
    /// device's]
    #[arg(long, value_name = "ZONE")]
    zone: Option<String>,
    /// Log files, .gz too
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
}

/// Writes the requests to `out`, and what the lines were to `counts`.
pub(super) fn capture_log(
    args: &LogArgs,
    out: &mut impl Write,
    counts: &mut impl Write,
) -> anyhow::Result<()> {
    let format = Format::parse_name(&args.format).context("--format")?;
    let zone = match &args.zone {
        Some(zone) => TimeZone::get(zone).with_context(|| {
            format!("--zone: there is no zone {zone:?}; name one such as Europe/London")
        })?,
        None => TimeZone::system(),
    };
    let reading = Reading { format: &format, zone, now: System.now() };
    Ok(capture(&reading, &args.files, out, counts)?)
}
