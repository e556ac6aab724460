//! The agent and the collector: built, started, killed.
//!
//! This is the one place of the project that starts programs, and it starts them for tests and the demo.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context as _, bail};
use tokio::fs::File;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, Command};

/// Longest output of a command that ends by itself.
const OUTPUT_BYTES: u64 = 1024 * 1024;
/// A command that ends by itself takes seconds; past this it hangs.
const COMMAND_TIMEOUT: Duration = Duration::from_secs(60);
/// How long a program may take to end after it was asked to.
const STOP_TIMEOUT: Duration = Duration::from_secs(10);

/// Where the two programs are.
#[derive(Debug, Clone)]
pub struct Programs {
    /// `redshank-agent`.
    pub agent: PathBuf,
    /// `redshank-collector`.
    pub collector: PathBuf,
}

impl Programs {
    /// Builds both, each by itself, in the profile of this very program, beside which cargo puts them.
    ///
    /// # Errors
    /// If cargo fails; what it says goes to standard error.
    pub async fn build() -> anyhow::Result<Self> {
        let folder = Self::folder()?;
        for package in ["redshank-agent", "redshank-collector"] {
            let mut cargo = command(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
            cargo.args(["build", "--quiet", "--package", package]);
            cargo.current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
            if !cfg!(debug_assertions) {
                cargo.arg("--release");
            }
            // What cargo set for this crate must not reach the build of another.
            for variable in ["CARGO_MANIFEST_DIR", "CARGO_PKG_NAME"] {
                cargo.env_remove(variable);
            }
            let status = cargo.status().await.context("cargo cannot be started")?;
            if !status.success() {
                bail!("cargo could not build {package}");
            }
        }
        Self::at(&folder)
    }

    /// Finds both where `cargo build` has put them.
    ///
    /// # Errors
    /// If one has not been built; the message says with which command.
    pub fn built() -> anyhow::Result<Self> {
        Self::at(&Self::folder()?)
    }

    fn at(folder: &Path) -> anyhow::Result<Self> {
        let find = |name: &str| {
            let path = folder.join(name).with_extension(std::env::consts::EXE_EXTENSION);
            if !path.is_file() {
                bail!("{} is missing; run `cargo build --package {name}`", path.display());
            }
            Ok(path)
        };
        Ok(Self { agent: find("redshank-agent")?, collector: find("redshank-collector")? })
    }

    /// `target/<profile>`: two folders above a test, one above a program.
    fn folder() -> anyhow::Result<PathBuf> {
        let own = std::env::current_exe().context("this program's own path is unknown")?;
        let folder = own.parent().context("this program is in no folder")?;
        let folder = if folder.ends_with("deps") { folder.parent() } else { Some(folder) };
        Ok(folder.context("this program is in no folder")?.to_owned())
    }
}

/// A command, with nothing on its standard input and killed if it is dropped.
#[expect(clippy::disallowed_methods, reason = "the tests and the demo start programs, here")]
pub fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    command.stdin(Stdio::null()).kill_on_drop(true);
    command
}

/// What a command that ended by itself said.
#[derive(Debug)]
pub struct Output {
    /// How it ended.
    pub status: ExitStatus,
    /// Its standard output.
    pub stdout: String,
    /// Its standard error.
    pub stderr: String,
}

/// Runs a command to its end, with `input` on its standard input.
///
/// # Errors
/// If it cannot be started, hangs, or writes more than a mebibyte.
pub async fn output(mut command: Command, input: &str) -> anyhow::Result<Output> {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().with_context(|| format!("{command:?} cannot be started"))?;
    let mut stdin = child.stdin.take().context("no standard input")?;
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let run = async {
        let write = async {
            // A command that does not read its input may end before it is written.
            let written = stdin.write_all(input.as_bytes()).await;
            drop(stdin);
            written.or_else(|error| match error.kind() {
                std::io::ErrorKind::BrokenPipe => Ok(()),
                _ => Err(error),
            })
        };
        let ((), stdout, stderr) = tokio::try_join!(write, read(stdout), read(stderr))?;
        Ok::<_, std::io::Error>(Output { status: child.wait().await?, stdout, stderr })
    };
    let output = tokio::time::timeout(COMMAND_TIMEOUT, run).await;
    output.with_context(|| format!("{command:?} hangs"))?.context("its output cannot be read")
}

/// Runs a command that must succeed, and returns its standard output.
///
/// # Errors
/// As [`output`], and if it fails: with what it said.
pub async fn succeed(command: Command, input: &str) -> anyhow::Result<String> {
    let name = format!("{command:?}");
    let output = output(command, input).await?;
    if !output.status.success() {
        bail!("{name} failed ({}): {}{}", output.status, output.stdout, output.stderr);
    }
    Ok(output.stdout)
}

/// A program that goes on until it is ended.
#[derive(Debug)]
pub struct Running {
    child: Child,
    lines: Option<tokio::io::Lines<BufReader<tokio::process::ChildStdout>>>,
}

impl Running {
    /// Starts it, its standard error appended to `log`.
    ///
    /// # Errors
    /// If it cannot be started or the log cannot be written.
    pub async fn start(mut command: Command, log: &Path) -> anyhow::Result<Self> {
        let log = File::options().create(true).append(true).open(log).await?.into_std().await;
        command.stdout(Stdio::piped()).stderr(log);
        let mut child = command.spawn().with_context(|| format!("{command:?} cannot start"))?;
        let lines = child.stdout.take().map(|stdout| BufReader::new(stdout).lines());
        Ok(Self { child, lines })
    }

    /// The next line that it prints; `None` once it prints no more.
    ///
    /// # Errors
    /// If its output cannot be read.
    pub async fn line(&mut self) -> anyhow::Result<Option<String>> {
        match &mut self.lines {
            Some(lines) => Ok(lines.next_line().await?),
            None => Ok(None),
        }
    }

    /// Its process id, while it runs.
    #[must_use]
    pub fn id(&self) -> Option<u32> {
        self.child.id()
    }

    /// Kills it with SIGKILL: no chance to tidy up.
    ///
    /// # Errors
    /// If it had ended by itself.
    pub async fn kill(mut self) -> anyhow::Result<()> {
        if let Some(status) = self.child.try_wait()? {
            bail!("it had ended by itself: {status}");
        }
        self.child.kill().await.context("it cannot be killed")
    }

    /// Waits until it has ended by itself.
    ///
    /// # Errors
    /// If it does not end in time.
    pub async fn ended(mut self) -> anyhow::Result<()> {
        tokio::time::timeout(STOP_TIMEOUT, self.child.wait())
            .await
            .context("it does not end")??;
        Ok(())
    }

    /// Asks it to end (SIGTERM) and waits until it has.
    ///
    /// # Errors
    /// If it does not end in time or not with success.
    pub async fn stop(mut self) -> anyhow::Result<()> {
        if let Some(id) = self.child.id() {
            let mut kill = command("kill");
            kill.arg(id.to_string());
            kill.status().await.context("`kill` cannot be started")?;
        }
        match tokio::time::timeout(STOP_TIMEOUT, self.child.wait()).await {
            Ok(status) if status.as_ref().is_ok_and(ExitStatus::success) => Ok(()),
            Ok(status) => bail!("it ended with {status:?}"),
            Err(_) => bail!("it does not end when asked to"),
        }
    }
}

async fn read(stream: Option<impl tokio::io::AsyncRead + Unpin>) -> std::io::Result<String> {
    let mut text = Vec::new();
    if let Some(stream) = stream {
        stream.take(OUTPUT_BYTES).read_to_end(&mut text).await?;
    }
    Ok(String::from_utf8_lossy(&text).into_owned())
}
