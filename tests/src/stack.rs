//! A collector with a school, its people and an enrolled device, all real, in a folder of its own.

use std::fs::File;
use std::io::Read as _;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, bail};
use serde::Deserialize;
use tempfile::TempDir;
use tokio::process::Command;

use crate::programs::{Programs, Running, command, output, succeed};

/// A collector that is not ready by now will not be.
const START_TIMEOUT: Duration = Duration::from_secs(30);

/// Of a log, for an error.
const LOG_BYTES: u64 = 1024 * 1024;

/// Names the folder in which the agent keeps the notices that everybody may read.
const NOTICE_VARIABLE: &str = "REDSHANK_NOTICE";

/// Names the socket between a browser's native host and the agent, to both.
pub const SOCKET_VARIABLE: &str = "REDSHANK_SOCKET";

/// The school of every test.
pub const SCHOOL: &str = "Marsh Lane Academy";

/// Somebody who can sign in.
#[derive(Debug, Clone)]
pub struct Account {
    /// The address to sign in with.
    pub email: String,
    /// The password.
    pub password: String,
}

/// A collector and an agent on this machine.
#[derive(Debug)]
pub struct Stack {
    programs: Programs,
    folder: TempDir,
    ports: Ports,
    collector: Option<Running>,
    agent: Option<Running>,
    /// The Designated Safeguarding Lead.
    pub dsl: Account,
    /// The technician.
    pub technician: Account,
    /// The folder of a monitoring service's credential.
    pub reader: PathBuf,
}

/// Chosen once, so that a collector that was killed comes back where it was.
#[derive(Debug, Clone, Copy)]
struct Ports {
    enrolment: u16,
    agents: u16,
    console: u16,
}

#[derive(Debug, Deserialize)]
struct Added {
    password: String,
}

impl Stack {
    /// Makes a collector on a fresh database with a school, a DSL, a technician and a monitoring service, and
    /// serves it.
    ///
    /// # Errors
    /// If any of it fails, with what the program said.
    pub async fn start(programs: Programs) -> anyhow::Result<Self> {
        let folder = TempDir::with_prefix("redshank-")?;
        let account = |email: &str| Account { email: email.to_owned(), password: String::new() };
        let mut stack = Self {
            programs,
            folder,
            ports: Ports { enrolment: free_port()?, agents: free_port()?, console: free_port()? },
            collector: None,
            agent: None,
            dsl: account("dsl@marsh-lane.example"),
            technician: account("technician@marsh-lane.example"),
            reader: PathBuf::new(),
        };
        stack.set_up().await?;
        stack.start_collector().await?;
        Ok(stack)
    }

    /// Enrols the agent with a fresh token, approves the device, and writes the agent's settings: it follows
    /// the browsers whose user-data folders are `profiles`.
    ///
    /// # Errors
    /// If any of it fails, with what the program said.
    pub async fn enrol(&self, profiles: &[PathBuf]) -> anyhow::Result<()> {
        let mut create = self.collector_command(["token", "create", "--school", SCHOOL]);
        create.args(["--purpose", "the demo"]);
        let token = succeed(create, "").await?;
        let mut enrol = self.agent_command(["enrol"]);
        enrol.args(["--collector", &self.enrolment_url()]).args(["--token", token.trim()]);
        succeed(enrol, "").await?;
        #[derive(Deserialize)]
        struct Device {
            device: String,
        }
        let list = self.collector_command(["device", "list", "--school", SCHOOL, "--json"]);
        let devices: Vec<Device> = serde_json::from_str(&succeed(list, "").await?)?;
        let device = devices.last().context("the device is not in the collector's list")?;
        succeed(self.collector_command(["device", "approve", &device.device]), "").await?;
        let quoted: Vec<String> =
            profiles.iter().map(|profile| format!("{:?}", profile.display().to_string())).collect();
        let settings = format!("extra_profiles = [{}]\n", quoted.join(", "));
        tokio::fs::write(self.agent_folder().join("agent.toml"), settings).await?;
        Ok(())
    }

    /// Starts the collector; returns once it listens.
    ///
    /// # Errors
    /// If it does not come up.
    pub async fn start_collector(&mut self) -> anyhow::Result<()> {
        let log = self.folder.path().join("collector.log");
        let mut collector = Running::start(self.collector_command(["serve"]), &log).await?;
        let ready = async {
            while let Some(line) = collector.line().await? {
                if line == "ready" {
                    return Ok(());
                }
            }
            bail!("the collector has ended; see its log: {}", tail(&log))
        };
        tokio::time::timeout(START_TIMEOUT, ready).await.context("the collector hangs")??;
        self.collector = Some(collector);
        Ok(())
    }

    /// Starts the agent.
    ///
    /// # Errors
    /// If it cannot be started.
    pub async fn start_agent(&mut self) -> anyhow::Result<()> {
        let log = self.folder.path().join("agent.log");
        self.agent = Some(Running::start(self.agent_command(["run"]), &log).await?);
        Ok(())
    }

    /// Kills the collector in the middle of whatever it does.
    ///
    /// # Errors
    /// If it does not run.
    pub async fn kill_collector(&mut self) -> anyhow::Result<()> {
        self.collector.take().context("the collector does not run")?.kill().await
    }

    /// Kills the agent in the middle of whatever it does.
    ///
    /// # Errors
    /// If it does not run.
    pub async fn kill_agent(&mut self) -> anyhow::Result<()> {
        self.agent.take().context("the agent does not run")?.kill().await
    }

    /// Asks both to end, and waits for it.
    ///
    /// # Errors
    /// If one does not end with success.
    pub async fn stop(&mut self) -> anyhow::Result<()> {
        if let Some(agent) = self.agent.take() {
            agent.stop().await.context("the agent")?;
        }
        if let Some(collector) = self.collector.take() {
            collector.stop().await.context("the collector")?;
        }
        Ok(())
    }

    /// Has the school decide: writes its policy's file and publishes it.
    ///
    /// # Errors
    /// If the collector does not take it.
    pub async fn decide(&self, policy: &str) -> anyhow::Result<()> {
        let mut files = tokio::fs::read_dir(self.collector_folder().join("policy")).await?;
        let file = files.next_entry().await?.context("the school has no policy's file")?;
        tokio::fs::write(file.path(), policy).await?;
        succeed(self.collector_command(["policy", "publish"]), "").await?;
        Ok(())
    }

    /// Has the collector judge by one pack of rules in place of those that it ships; what was decided before is
    /// published with it by the next [`decide`](Self::decide).
    ///
    /// # Errors
    /// If it cannot be written.
    pub async fn judge_by(&self, language: &str, category: &str, pack: &str) -> anyhow::Result<()> {
        let folder = self.folder.path().join("rules");
        tokio::fs::create_dir_all(folder.join(language)).await?;
        tokio::fs::write(folder.join(language).join(category).with_extension("toml"), pack).await?;
        let settings = self.collector_folder().join("collector.toml");
        #[expect(clippy::disallowed_methods, reason = "a file of the test's own collector")]
        let written = tokio::fs::read_to_string(&settings).await?;
        let rules = format!("[policy]\nrules = {:?}\n", folder.display().to_string());
        tokio::fs::write(settings, written.replacen("[policy]\n", &rules, 1)).await?;
        Ok(())
    }

    /// Makes a monitoring service's credential; returns its folder.
    ///
    /// # Errors
    /// If the collector refuses.
    pub async fn add_reader(&self, name: &str) -> anyhow::Result<PathBuf> {
        let folder = self.folder.path().join(format!("credential of {name}"));
        let mut add = self.collector_command(["reader", "add", name, "--school", SCHOOL, "--out"]);
        add.arg(&folder);
        succeed(add, "").await?;
        Ok(folder)
    }

    /// What `redshank-agent status --json` says.
    ///
    /// # Errors
    /// If the agent fails or says no JSON.
    pub async fn agent_status(&self) -> anyhow::Result<serde_json::Value> {
        let status = output(self.agent_command(["status", "--json"]), "").await?;
        serde_json::from_str(&status.stdout).with_context(|| status.stderr)
    }

    /// A command of the agent, on this stack's state.
    #[must_use]
    pub fn agent_command<const N: usize>(&self, arguments: [&str; N]) -> Command {
        let mut agent = command(&self.programs.agent);
        agent.arg("--state").arg(self.agent_folder()).args(arguments);
        agent.env(SOCKET_VARIABLE, self.socket());
        agent.env(NOTICE_VARIABLE, self.folder.path().join("notice"));
        agent
    }

    /// A command of the collector, on this stack's data.
    #[must_use]
    pub fn collector_command<const N: usize>(&self, arguments: [&str; N]) -> Command {
        let mut collector = command(&self.programs.collector);
        collector.arg("--data").arg(self.collector_folder()).args(arguments);
        collector
    }

    /// The root certificate of the collector's authority, which a browser would have to be told to trust.
    #[must_use]
    pub fn root(&self) -> PathBuf {
        self.reader.join("root.pem")
    }

    /// The folder of everything.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The collector's data.
    #[must_use]
    pub fn collector_folder(&self) -> PathBuf {
        self.folder.path().join("collector")
    }

    /// The agent's state.
    #[must_use]
    pub fn agent_folder(&self) -> PathBuf {
        self.folder.path().join("agent")
    }

    /// Where the agent listens for the browsers' extensions, instead of the machine's one place for it.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        self.folder.path().join("run").join("browser.sock")
    }

    /// Where devices enrol.
    #[must_use]
    pub fn enrolment_url(&self) -> String {
        format!("https://localhost:{}", self.ports.enrolment)
    }

    /// Where agents report and readers read.
    #[must_use]
    pub fn agents_url(&self) -> String {
        format!("https://localhost:{}", self.ports.agents)
    }

    /// Where people sign in.
    #[must_use]
    pub fn console_url(&self) -> String {
        format!("https://localhost:{}", self.ports.console)
    }

    async fn set_up(&mut self) -> anyhow::Result<()> {
        let Ports { enrolment, agents, console } = self.ports;
        let mut init =
            self.collector_command(["init", "--name", "localhost", "--name", "127.0.0.1"]);
        init.arg("--enrolment").arg(format!("127.0.0.1:{enrolment}"));
        init.arg("--agents").arg(format!("127.0.0.1:{agents}"));
        init.arg("--console").arg(format!("127.0.0.1:{console}"));
        succeed(init, "").await?;
        let school = ["school", "add", SCHOOL, "--time-zone", "Europe/London"];
        succeed(self.collector_command(school), "").await?;
        self.dsl.password = self.add_user("dsl", "Dana Lead", &self.dsl.email).await?;
        let technician = self.technician.email.clone();
        self.technician.password = self.add_user("technician", "Toni Tech", &technician).await?;
        self.reader = self.add_reader("Heron Watch").await?;
        Ok(())
    }

    async fn add_user(&self, role: &str, name: &str, email: &str) -> anyhow::Result<String> {
        let mut add = self.collector_command(["user", "add", "--school", SCHOOL, "--role", role]);
        add.args(["--name", name, "--email", email, "--json"]);
        let added: Added = serde_json::from_str(&succeed(add, "").await?)?;
        Ok(added.password)
    }
}

/// A port that was free a moment ago.
pub(crate) fn free_port() -> anyhow::Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

/// The end of a log, for an error.
pub(crate) fn tail(log: &Path) -> String {
    let mut text = String::new();
    let read = File::open(log).and_then(|log| log.take(LOG_BYTES).read_to_string(&mut text));
    if let Err(error) = read {
        return error.to_string();
    }
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(10)..].join("\n")
}
