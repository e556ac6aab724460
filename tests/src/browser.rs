//! A browser of this machine, headless, with a profile of its own.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use crate::programs::{Running, command};

/// Chromium-family browsers by the names they have on Linux and macOS, the commonest first.
const CHROMIUM_FAMILY: [&str; 10] = [
    "google-chrome",
    "google-chrome-stable",
    "chromium",
    "chromium-browser",
    "microsoft-edge",
    "microsoft-edge-stable",
    "brave-browser",
    "vivaldi",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
];
const FIREFOX: [&str; 3] =
    ["firefox", "firefox-esr", "/Applications/Firefox.app/Contents/MacOS/firefox"];

/// Quiet: nothing that a test does leaves this machine.
const CHROMIUM_ARGUMENTS: [&str; 13] = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--password-store=basic",
    "--use-mock-keychain",
    // The sites speak plain HTTP; an attempt at HTTPS first would only delay them, or fail in private windows.
    "--disable-features=HttpsUpgrades,HttpsFirstBalancedModeAutoEnable,HttpsFirstModeIncognito",
];
const FIREFOX_SETTINGS: [&str; 6] = [
    r#"user_pref("network.dns.forceResolve", "127.0.0.1");"#,
    r#"user_pref("datareporting.policy.dataSubmissionEnabled", false);"#,
    r#"user_pref("app.update.enabled", false);"#,
    r#"user_pref("network.captive-portal-service.enabled", false);"#,
    r#"user_pref("dom.security.https_first", false);"#,
    r#"user_pref("dom.security.https_first_pbm", false);"#,
];

/// A browser that this machine has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Browser {
    /// Of the Chromium family.
    Chromium(PathBuf),
    /// Firefox.
    Firefox(PathBuf),
}

impl Browser {
    /// Looks for one, Chromium's family first.
    #[must_use]
    pub fn find() -> Option<Self> {
        Self::chromium().or_else(Self::firefox)
    }

    /// Looks for one of the Chromium family.
    #[must_use]
    pub fn chromium() -> Option<Self> {
        CHROMIUM_FAMILY.iter().find_map(|name| program(name)).map(Self::Chromium)
    }

    /// Looks for Firefox.
    #[must_use]
    pub fn firefox() -> Option<Self> {
        FIREFOX.iter().find_map(|name| program(name)).map(Self::Firefox)
    }

    /// Its program.
    #[must_use]
    pub fn path(&self) -> &Path {
        match self {
            Self::Chromium(path) | Self::Firefox(path) => path,
        }
    }

    /// Starts it at an address, with `profile` as its user-data folder.
    ///
    /// # Errors
    /// If it cannot be started.
    pub async fn start(
        &self,
        profile: &Path,
        address: &str,
        log: &Path,
    ) -> anyhow::Result<Running> {
        self.start_with(&[], profile, address, log).await
    }

    /// The same, with further arguments.
    ///
    /// # Errors
    /// If it cannot be started.
    pub async fn start_with(
        &self,
        arguments: &[String],
        profile: &Path,
        address: &str,
        log: &Path,
    ) -> anyhow::Result<Running> {
        let mut browser = command(self.path());
        browser.args(arguments);
        match self {
            Self::Chromium(_) => {
                browser.args(chromium_arguments(profile, None));
            }
            Self::Firefox(_) => {
                write_firefox_settings(profile, &[]).await?;
                browser.args(["--headless", "--no-remote", "--profile"]).arg(profile);
            }
        }
        browser.arg(address);
        Running::start(browser, log).await.context("the browser does not start")
    }

    /// The folder that the agent is told to follow, for a user-data folder given to [`Browser::start`].
    #[must_use]
    pub fn history_file(&self, profile: &Path) -> PathBuf {
        match self {
            Self::Chromium(_) => profile.join("Default").join("History"),
            Self::Firefox(_) => profile.join("places.sqlite"),
        }
    }
}

/// The arguments of a Chromium in which every name is this machine, and every port `port` if there is one.
pub(crate) fn chromium_arguments(profile: &Path, port: Option<u16>) -> Vec<OsString> {
    let port = port.map_or_else(String::new, |port| format!(":{port}"));
    let mut arguments: Vec<OsString> = CHROMIUM_ARGUMENTS.iter().map(OsString::from).collect();
    arguments.push(format!("--host-resolver-rules=MAP * 127.0.0.1{port}").into());
    let mut folder = OsString::from("--user-data-dir=");
    folder.push(profile);
    arguments.push(folder);
    arguments
}

/// Writes the settings of a Firefox in which every name is this machine, and `more`.
pub(crate) async fn write_firefox_settings(profile: &Path, more: &[String]) -> anyhow::Result<()> {
    tokio::fs::create_dir_all(profile).await?;
    let mut settings = FIREFOX_SETTINGS.join("\n");
    for line in more {
        settings.push('\n');
        settings.push_str(line);
    }
    settings.push('\n');
    tokio::fs::write(profile.join("user.js"), settings).await?;
    Ok(())
}

fn program(name: &str) -> Option<PathBuf> {
    if name.starts_with('/') {
        return Some(PathBuf::from(name)).filter(|path| path.is_file());
    }
    let folders = std::env::var_os("PATH")?;
    std::env::split_paths(&folders).map(|folder| folder.join(name)).find(|path| path.is_file())
}
