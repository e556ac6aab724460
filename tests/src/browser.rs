//! A browser of this machine, headless, with a profile of its own.

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

/// Quiet, and every name is this machine: nothing that a test does leaves it.
const CHROMIUM_ARGUMENTS: [&str; 14] = [
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
    "--host-resolver-rules=MAP * 127.0.0.1",
    // The site speaks plain HTTP; an attempt at HTTPS first would only delay it.
    "--disable-features=HttpsUpgrades,HttpsFirstBalancedModeAutoEnable",
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
        let first = |names: &[&str]| names.iter().find_map(|name| program(name));
        first(&CHROMIUM_FAMILY).map(Self::Chromium).or_else(|| first(&FIREFOX).map(Self::Firefox))
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
        let mut browser = command(self.path());
        match self {
            Self::Chromium(_) => {
                browser.args(CHROMIUM_ARGUMENTS);
                browser.arg(format!("--user-data-dir={}", profile.display()));
            }
            Self::Firefox(_) => {
                tokio::fs::create_dir_all(profile).await?;
                let settings = "user_pref(\"network.dns.forceResolve\", \"127.0.0.1\");\n\
                                user_pref(\"datareporting.policy.dataSubmissionEnabled\", false);\n\
                                user_pref(\"app.update.enabled\", false);\n\
                                user_pref(\"network.captive-portal-service.enabled\", false);\n";
                tokio::fs::write(profile.join("user.js"), settings).await?;
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

fn program(name: &str) -> Option<PathBuf> {
    if name.starts_with('/') {
        return Some(PathBuf::from(name)).filter(|path| path.is_file());
    }
    let folders = std::env::var_os("PATH")?;
    std::env::split_paths(&folders).map(|folder| folder.join(name)).find(|path| path.is_file())
}
