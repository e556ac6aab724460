//! The command line: what a technician, an installer or a test may ask of the agent.
//!
//! No command executes, fetches or opens anything for a caller but the files that it names. Exit codes:
//! 0 done, 1 an error (said in one line on stderr) or, for `match`, a wrong line, 2 a command line that
//! is not understood.

mod capture_log;
mod enrol;
mod match_lines;
mod native_host;
mod notice;
mod packs;
mod run;
mod status;

use std::ffi::OsString;
use std::io::{BufRead, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use clap::{Args, Parser, Subcommand};
use jiff::Timestamp;
use redshank_matcher::Matcher;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use self::capture_log::LogArgs;
pub use self::match_lines::match_lines;
pub use self::packs::compile_folder;
use crate::native;
use crate::policy::PolicyStore;
use crate::sources;
use crate::state::{STATE_VARIABLE, Settings, StateDir, StateError};

/// The environment variable that holds the enrolment token.
pub const TOKEN_VARIABLE: &str = "REDSHANK_TOKEN";
/// The environment variable that says what is logged, in the manner of `RUST_LOG`.
pub const LOG_VARIABLE: &str = "REDSHANK_LOG";

/// Watches a school device, openly, and reports what worries.
#[derive(Debug, Parser)]
#[command(name = "redshank-agent", version)]
pub struct Cli {
    /// The state folder [default: the operating system's; or the variable REDSHANK_STATE]
    #[arg(long, global = true, value_name = "DIR")]
    state: Option<PathBuf>,
    /// The settings file [default: agent.toml in the state folder]
    #[arg(long, global = true, value_name = "FILE")]
    settings: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Trades an enrolment token for this device's certificate
    Enrol(EnrolArgs),
    /// Watches and reports, until it is stopped
    Run,
    /// Says how the agent is; works while it is not running, too
    Status {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Passes messages between the browser that starts it and the agent, until the browser ends it
    NativeHost(native_host::Args),
    /// Reads files once and prints what they hold, for checks; reports nothing
    #[command(subcommand)]
    Capture(Capture),
    /// Shows what is collected on this device, by whom, and where help is; anybody may ask
    Notice(notice::NoticeArgs),
    /// Tries texts on rule packs: JSON Lines {"id", "kind", "text"} in, one line out for each
    ///
    /// Out: {"id", "severity", "matches": [{"rule", "category", "severity", "start", "end", "text"}]}.
    /// "start" and "end" are offsets in bytes of the text's UTF-8, the end excluded.
    ///
    /// A wrong line, an empty one too, gives a line of the same shape, {"id", "severity": 0,
    /// "matches": [], "error"}, where "id" is null if it could not be read; the line's number and the
    /// error go to stderr as well, and the exit code is 1 in the end.
    Match {
        /// Packs to try [default: those of the policy in force on this device]
        #[arg(long, value_name = "DIR")]
        rules: Option<PathBuf>,
    },
}

#[derive(Debug, Subcommand)]
enum Capture {
    /// Prints every visit of browsers' history databases as JSON Lines; the files are not written to
    ///
    /// What the agent would leave alone is marked: "synced": true for a visit from another device, and,
    /// if this device is enrolled, "before_enrolment": true for a visit from before that.
    History {
        /// `History` of Chromium's family, `places.sqlite` of Firefox, `History.db` of Safari
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
    },
    /// Prints every request of proxies' and name servers' logs as JSON Lines; the files are not written to
    ///
    /// On stderr follows for each file how many of its lines are requests, no requests, and not understood,
    /// and of the first of those the offset and the shape. The exit code is 1 if a file cannot be read, or if
    /// no line of it is of the format.
    Log(LogArgs),
}

#[derive(Debug, Args)]
struct EnrolArgs {
    /// The collector's enrolment address, https://host:port
    #[arg(long, value_name = "URL")]
    collector: String,
    /// The token that `token create` printed; the process list shows it: --token-file or the variable
    /// REDSHANK_TOKEN does not
    #[arg(long, conflicts_with = "token_file")]
    token: Option<String>,
    /// A file that holds the token
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// A further root, in PEM, for the collector's certificate
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// Enrols a device that is enrolled once more, with a new key
    #[arg(long)]
    again: bool,
}

impl Cli {
    /// Reads the arguments, the program's own name first; ends the process if they are not understood. A
    /// browser's own (see [`native`]) mean `native-host`.
    #[must_use]
    pub fn from_arguments(arguments: impl IntoIterator<Item = OsString>) -> Self {
        let arguments: Vec<_> = arguments.into_iter().collect();
        if native::is_started_by_browser(&arguments) {
            let command = Command::NativeHost(native_host::Args::default());
            return Self { state: None, settings: None, command };
        }
        Self::parse_from(arguments)
    }

    /// Does what was asked.
    ///
    /// # Errors
    /// Says in one chain what went wrong, where, and the way out.
    pub fn run(
        self,
        input: impl BufRead,
        out: &mut impl Write,
        errors: &mut impl Write,
    ) -> anyhow::Result<ExitCode> {
        log_to_stderr()?;
        let state = self.state.clone().unwrap_or_else(state_path);
        match &self.command {
            Command::Enrol(args) => {
                let state = StateDir::create(&state)?;
                enrol::enrol(&state, &self.settings(&state)?, args, out)?;
            }
            Command::Run => {
                let state = StateDir::open(&state)?;
                run::run(&state, &self.settings(&state)?)?;
            }
            Command::NativeHost(args) => native_host::native_host(args, out)?,
            Command::Status { json } => status::status(&state, *json, out)?,
            Command::Capture(Capture::History { files }) => {
                sources::history::capture(files, enrolled_at(&state), out)?;
            }
            Command::Notice(args) => notice::notice(args, out)?,
            Command::Capture(Capture::Log(args)) => capture_log::capture_log(args, out, errors)?,
            Command::Match { rules } => {
                let matcher = match rules {
                    Some(folder) => compile_folder(folder)?,
                    None => matcher_in_force(&state)?,
                };
                let wrong = match_lines(&matcher, input, out, errors)?;
                if wrong > 0 {
                    return Ok(ExitCode::FAILURE);
                }
            }
        }
        Ok(ExitCode::SUCCESS)
    }

    /// The settings; a file that the command line names must be there.
    fn settings(&self, state: &StateDir) -> anyhow::Result<Settings> {
        match &self.settings {
            None => Ok(Settings::read(&state.settings_path())?.unwrap_or_default()),
            Some(path) => Settings::read(path)?
                .with_context(|| format!("{}: there is no such settings file", path.display())),
        }
    }
}

fn state_path() -> PathBuf {
    std::env::var_os(STATE_VARIABLE).map_or_else(StateDir::default_path, PathBuf::from)
}

/// Since when visits are read on this device; `None` if it is not enrolled, or if nobody may know here.
fn enrolled_at(state: &Path) -> Option<Timestamp> {
    let known = StateDir::open(state).and_then(|state| {
        let Some(identity) = state.identity()? else { return Ok(None) };
        Ok(Some(state.school(identity.school()).installation()?.reads_visits_since()))
    });
    match known {
        Ok(enrolled_at) => enrolled_at,
        Err(StateError::Missing(_)) => None,
        Err(error) => {
            tracing::warn!(%error, "visits from before the enrolment are not marked");
            None
        }
    }
}

fn matcher_in_force(state: &Path) -> anyhow::Result<Matcher> {
    let state = StateDir::open(state).context("there is no policy; name packs with --rules DIR")?;
    let Some(identity) = state.identity()? else {
        bail!("this device is not enrolled and has no policy; name packs with --rules DIR");
    };
    let school = state.school(identity.school());
    let policy = PolicyStore::open(school.path(), &school.trust()?)?;
    let in_force = policy.subscribe().borrow().clone();
    match (in_force, policy.problem()) {
        (Some(policy), _) => Ok(policy.matcher().clone()),
        (None, Some(problem)) => {
            bail!("the policy is not in force: {problem}; name packs with --rules DIR")
        }
        (None, None) => bail!("no policy has come yet; name packs with --rules DIR"),
    }
}

/// Logs what this project's own code says, and nothing of its dependencies: what they log at their
/// finest (paths, names) is not ours to vouch for.
fn log_to_stderr() -> anyhow::Result<()> {
    let wanted = std::env::var(LOG_VARIABLE).unwrap_or_else(|_| "info".to_owned());
    let filter = EnvFilter::try_new(&wanted)
        .with_context(|| format!("{LOG_VARIABLE} is not understood; try `info` or `debug`"))?;
    // A second subscriber in one process is a test's: the first goes on.
    let _ = tracing_subscriber::registry()
        .with(filter)
        .with(filter_fn(|metadata| metadata.target().starts_with("redshank")))
        .with(tracing_subscriber::fmt::layer().with_writer(std::io::stderr))
        .try_init();
    Ok(())
}

#[cfg(test)]
mod tests;
