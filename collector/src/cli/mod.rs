//! The command line: setting up, serving, and what a technician does on the collector's host.
//!
//! Every command but `serve` and `init` may run while `serve` does: both open the same database, which lets
//! one write at a time. What a command prints on standard output is its answer alone (`--json` for
//! programs); everything else goes to the log on standard error.

mod asset;
mod device;
mod host;
mod init;
mod logging;
mod people;
mod policy;
mod school;
mod serve;
mod token;

use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Args, Parser, Subcommand, ValueEnum};
use redshank_proto::clock::{Clock, Randomness};
use redshank_proto::id::DeviceId;

pub use self::host::Host;
pub use self::logging::log_to_stderr;
pub use self::serve::{Addresses, serve};
use crate::store::Role;

/// Takes what the agents report, prioritises it, and brings it to the people who act.
#[derive(Debug, Parser)]
#[command(name = "redshank-collector", version)]
pub struct Cli {
    /// The data folder; without it, what REDSHANK_DATA names, or /var/lib/redshank-collector.
    #[arg(long, global = true, value_name = "DIR")]
    data: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Makes a new collector: keys, database, collector.toml.
    Init(Init),
    /// Serves enrolment, agents, feed and console until it is told to stop.
    Serve,
    /// Schools.
    #[command(subcommand)]
    School(School),
    /// Enrolment tokens.
    #[command(subcommand)]
    Token(Token),
    /// Devices.
    #[command(subcommand)]
    Device(Device),
    /// The asset log: which device is whose.
    #[command(subcommand)]
    Asset(Asset),
    /// People who sign in to the console.
    #[command(subcommand)]
    User(User),
    /// Readers of the feed: monitoring services.
    #[command(subcommand)]
    Reader(Reader),
    /// What is watched.
    #[command(subcommand)]
    Policy(Policy),
    /// The audit trail.
    #[command(subcommand)]
    Audit(Audit),
}

#[derive(Debug, Args)]
struct Init {
    /// A DNS name or address under which agents and people reach the collector; repeat for more.
    #[arg(long = "name", required = true, value_name = "NAME")]
    names: Vec<String>,
    /// Where devices enrol.
    #[arg(long, default_value = "[::]:7443", value_name = "IP:PORT")]
    enrolment: SocketAddr,
    /// Where agents report and monitoring services read the feed.
    #[arg(long, default_value = "[::]:7444", value_name = "IP:PORT")]
    agents: SocketAddr,
    /// Where people sign in.
    #[arg(long, default_value = "[::]:8443", value_name = "IP:PORT")]
    console: SocketAddr,
}

#[derive(Debug, Subcommand)]
enum School {
    /// Adds a school: its keys, its trust bundle, its first policy.
    Add {
        /// Its name, as on screen.
        name: String,
        /// IANA name of its time zone.
        #[arg(long, default_value = "Europe/London")]
        time_zone: String,
        /// The offline root's file, if it was moved away.
        #[arg(long, value_name = "FILE")]
        root_ca: Option<PathBuf>,
        #[command(flatten)]
        format: Format,
    },
}

#[derive(Debug, Subcommand)]
enum Token {
    /// Makes a token and prints its text: what goes into MDM.
    Create {
        /// The school, by name or id.
        #[arg(long)]
        school: String,
        /// What it is for: "Year 7 laptops".
        #[arg(long)]
        purpose: String,
        /// How many devices it enrols.
        #[arg(long, default_value_t = 1)]
        uses: u32,
        /// For how many days, at most 366.
        #[arg(long, default_value_t = 14, value_parser = clap::value_parser!(u16).range(1..=366))]
        days: u16,
        #[command(flatten)]
        format: Format,
    },
}

#[derive(Debug, Subcommand)]
enum Device {
    /// Lists devices.
    List {
        /// Of this school only, by name or id.
        #[arg(long)]
        school: Option<String>,
        #[command(flatten)]
        format: Format,
    },
    /// Approves a pending device.
    Approve {
        /// The device's id, as `device list` prints it.
        device: DeviceId,
    },
    /// Refuses a device from now on and for good.
    Revoke {
        /// The device's id, as `device list` prints it.
        device: DeviceId,
    },
}

#[derive(Debug, Subcommand)]
enum Asset {
    /// Puts a CSV file in place of a school's asset log, whole or not at all.
    ///
    /// Columns, named in the first row: asset_tag, serial_number, mac (several separated by ;), allocated_to (an
    /// account, or DOMAIN\name), shared (yes or no), kind (laptop, desktop, chromebook, ipad, tablet, phone,
    /// other), note (left alone). Only asset_tag is required. Pending devices whose serial number it names are
    /// approved.
    Import {
        /// The school, by name or id.
        #[arg(long)]
        school: String,
        /// The file.
        file: PathBuf,
        #[command(flatten)]
        format: Format,
    },
    /// Lists a school's asset log, without whose each device is.
    List {
        /// The school, by name or id.
        #[arg(long)]
        school: String,
        #[command(flatten)]
        format: Format,
    },
}

#[derive(Debug, Subcommand)]
enum User {
    /// Adds somebody who signs in.
    Add(AddUser),
}

#[derive(Debug, Args)]
struct AddUser {
    /// The school, by name or id.
    #[arg(long)]
    school: String,
    /// What they may do.
    #[arg(long)]
    role: RoleName,
    /// Their name, as on screen.
    #[arg(long)]
    name: String,
    /// With which they sign in.
    #[arg(long)]
    email: String,
    /// A file with the password; `-` is standard input. Without it one is drawn and printed once.
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    #[command(flatten)]
    format: Format,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum RoleName {
    /// Designated Safeguarding Lead or deputy: alerts and their content.
    Dsl,
    /// Devices and their health: no content.
    Technician,
}

impl From<RoleName> for Role {
    fn from(name: RoleName) -> Self {
        match name {
            RoleName::Dsl => Self::Dsl,
            RoleName::Technician => Self::Technician,
        }
    }
}

#[derive(Debug, Subcommand)]
enum Reader {
    /// Adds a reader and writes its credential: reader.pem, reader.key, root.pem.
    Add {
        /// The monitoring service's name.
        name: String,
        /// A school it may read, by name or id; repeat for more.
        #[arg(long = "school", required = true, value_name = "SCHOOL")]
        schools: Vec<String>,
        /// The folder for its files.
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
        #[command(flatten)]
        format: Format,
    },
}

#[derive(Debug, Subcommand)]
enum Policy {
    /// Holds rule packs and private list against their own examples.
    Lint {
        /// The folder; without it, the shipped rules.
        folder: Option<PathBuf>,
    },
    /// Signs a new policy for each school whose rules or settings have changed.
    Publish,
}

#[derive(Debug, Subcommand)]
enum Audit {
    /// Walks the whole chain.
    Verify,
}

#[derive(Debug, Clone, Copy, Args)]
struct Format {
    /// Prints one JSON object.
    #[arg(long)]
    json: bool,
}

/// Runs a command; its answer goes to `out`.
///
/// # Errors
/// What went wrong, in words for whoever typed the command.
pub async fn run(
    cli: Cli,
    clock: Arc<dyn Clock>,
    randomness: Arc<dyn Randomness>,
    out: &mut (dyn Write + Send),
) -> anyhow::Result<ExitCode> {
    let data = cli.data.unwrap_or_else(default_data);
    let open = || Host::open(&data, clock.clone(), randomness.clone());
    match cli.command {
        Command::Init(init) => init::init(&data, &init, &clock, &randomness, out).await?,
        Command::Serve => serve::until_signalled(open()?, out).await?,
        Command::School(School::Add { name, time_zone, root_ca, format }) => {
            school::add(&open()?, &name, &time_zone, root_ca.as_deref(), format, out).await?;
        }
        Command::Token(Token::Create { school, purpose, uses, days, format }) => {
            token::create(&open()?, &school, purpose, uses, days, format, out).await?;
        }
        Command::Device(Device::List { school, format }) => {
            device::list(&open()?, school.as_deref(), format, out).await?;
        }
        Command::Device(Device::Approve { device }) => {
            device::approve(&open()?, device, out).await?;
        }
        Command::Device(Device::Revoke { device }) => device::revoke(&open()?, device, out).await?,
        Command::Asset(Asset::Import { school, file, format }) => {
            return asset::import(&open()?, &school, &file, format, out).await;
        }
        Command::Asset(Asset::List { school, format }) => {
            asset::list(&open()?, &school, format, out).await?;
        }
        Command::User(User::Add(user)) => people::add_user(&open()?, user, out).await?,
        Command::Reader(Reader::Add { name, schools, out: folder, format }) => {
            people::add_reader(&open()?, name, &schools, &folder, format, out).await?;
        }
        Command::Policy(Policy::Lint { folder }) => return policy::lint(folder.as_deref(), out),
        Command::Policy(Policy::Publish) => return policy::publish_all(&open()?, out).await,
        Command::Audit(Audit::Verify) => return host::verify_audit(&open()?, out).await,
    }
    Ok(ExitCode::SUCCESS)
}

fn default_data() -> PathBuf {
    std::env::var_os("REDSHANK_DATA")
        .map_or_else(|| PathBuf::from("/var/lib/redshank-collector"), PathBuf::from)
}

#[cfg(test)]
pub(crate) mod tests;
