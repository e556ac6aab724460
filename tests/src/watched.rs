//! A browser as a school's device has it: the extension installed, the native host registered, the notice
//! shown. It is used as a person uses it, by its mouse, keys and windows.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, bail};
use jiff::Timestamp;
use redshank_proto::clock::{Clock as _, System};
use serde_json::{Value, json};

use crate::browser::{Browser, chromium_arguments, write_firefox_settings};
use crate::devtools::{Chromium, Tab, Target};
use crate::marionette::Firefox;
use crate::pages::Pages;
use crate::programs::{Running, command, succeed};
use crate::stack::{SOCKET_VARIABLE, Stack};

/// Between two keys: a quick typist.
const BETWEEN_KEYS: Duration = Duration::from_millis(40);
/// The native host's name, and that of its manifest.
const HOST_MANIFEST: &str = "uk.redshank.agent.json";
/// The extension's id in Chromium, which follows from the key in its manifest.
pub const CHROMIUM_ID: &str = "cemoeckodanlogblodheojhpojljnkkg";
/// A Firefox that has not said its port by then will not.
const START_TIMEOUT: Duration = Duration::from_secs(60);
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Whether the extension collects: the agent has said welcome and the notice has been shown.
const COLLECTS: &str = "chrome.runtime.sendMessage({type: 'status'})
    .then(said => said.state === 'on' && said.noticeDue === null)";

/// A browser with the extension in it, and the tab that is used.
#[derive(Debug)]
pub struct Watched {
    steered: Steered,
}

#[derive(Debug)]
enum Steered {
    Chromium { browser: Box<Chromium>, notice: Tab, tab: Tab },
    Firefox(Box<Firefox>),
}

impl Watched {
    /// Starts Chromium with a profile of its own and waits until the extension collects.
    ///
    /// # Errors
    /// If there is no Chromium, or the extension does not come to collect.
    pub async fn chromium(stack: &Stack, profile: &Path, pages: &Pages) -> anyhow::Result<Self> {
        let hosts = profile.join("NativeMessagingHosts");
        register(stack, "chromium", &hosts).await?;
        let preferences = profile.join("Default").join("Preferences");
        if !preferences.exists() {
            // Who installs an extension from a folder is a developer to the browser, and has said so.
            let developer = json!({"extensions": {"ui": {"developer_mode": true}}});
            tokio::fs::create_dir_all(profile.join("Default")).await?;
            tokio::fs::write(preferences, developer.to_string()).await?;
        }
        let mut arguments = chromium_arguments(profile, Some(pages.port()));
        arguments.push(format!("--load-extension={}", folder().display()).into());
        let browser = Browser::chromium().context("install Debian's chromium")?;
        let socket = (SOCKET_VARIABLE, stack.socket().into_os_string());
        let log = stack.folder().join("browser.log");
        let mut browser = Chromium::start(browser.path(), arguments, [socket], &log).await?;
        let notice = browser.page("/notice/notice.html").await?;
        browser.until(&notice, COLLECTS).await.context("the extension does not collect")?;
        let tab = browser.new_tab("about:blank").await?;
        Ok(Self { steered: Steered::Chromium { browser: Box::new(browser), notice, tab } })
    }

    /// Starts Firefox with a profile of its own and waits until the extension collects; `private` is the toggle
    /// that lets it run in private windows.
    ///
    /// # Errors
    /// If there is no Firefox, or the extension does not come to collect.
    pub async fn firefox(
        stack: &Stack,
        profile: &Path,
        pages: &Pages,
        private: bool,
    ) -> anyhow::Result<Self> {
        let home = stack.folder().join("home");
        register(stack, "firefox", &home.join(".mozilla").join("native-messaging-hosts")).await?;
        let settings = [
            // Any free port; it is written to the profile.
            "user_pref(\"marionette.port\", 0);".to_owned(),
            format!("user_pref(\"network.socket.forcePort\", \"80={}\");", pages.port()),
        ];
        write_firefox_settings(profile, &settings).await?;
        let browser = Browser::firefox().context("install Debian's firefox-esr")?;
        let mut firefox = command(browser.path());
        firefox.args(["--headless", "--no-remote", "--marionette", "--profile"]).arg(profile);
        firefox.arg("about:blank").env("HOME", home).env(SOCKET_VARIABLE, stack.socket());
        let running = Running::start(firefox, &stack.folder().join("browser.log")).await?;
        let port = active_port(&profile.join("MarionetteActivePort")).await?;
        let mut firefox = Firefox::connect(running, port).await?;
        firefox.install(&folder(), private).await?;
        firefox.switch_to("/notice/notice.html").await?;
        let collects = format!("return {COLLECTS}");
        let collecting = async {
            while firefox.evaluate(&collects).await? != Value::Bool(true) {
                tokio::time::sleep(LOOK_EVERY).await;
            }
            anyhow::Ok(())
        };
        let collecting = tokio::time::timeout(START_TIMEOUT, collecting).await;
        collecting.context("the extension does not collect")??;
        Ok(Self { steered: Steered::Firefox(Box::new(firefox)) })
    }

    /// Goes to an address.
    ///
    /// # Errors
    /// If the page does not come.
    pub async fn open(&mut self, url: &str) -> anyhow::Result<()> {
        match &mut self.steered {
            Steered::Chromium { browser, tab, .. } => browser.open(tab, url).await,
            Steered::Firefox(firefox) => firefox.open(url).await,
        }
    }

    /// Clicks what `css` finds.
    ///
    /// # Errors
    /// If there is nothing.
    pub async fn click(&mut self, css: &str) -> anyhow::Result<()> {
        match &mut self.steered {
            Steered::Chromium { browser, tab, .. } => browser.click(tab, css).await,
            Steered::Firefox(firefox) => firefox.click(css).await,
        }
    }

    /// Types, key by key, where the caret is; `\n` is Enter. Says when the last key was about to be pressed.
    ///
    /// # Errors
    /// If the page is gone.
    pub async fn keys(&mut self, text: &str) -> anyhow::Result<Timestamp> {
        let mut last = System.now();
        for key in text.chars() {
            tokio::time::sleep(BETWEEN_KEYS).await;
            last = System.now();
            match &mut self.steered {
                Steered::Chromium { browser, tab, .. } => browser.key(tab, key).await?,
                Steered::Firefox(firefox) => firefox.key(key).await?,
            }
        }
        Ok(last)
    }

    /// Clicks into what `css` finds and types there.
    ///
    /// # Errors
    /// If there is no such field.
    pub async fn type_into(&mut self, css: &str, text: &str) -> anyhow::Result<Timestamp> {
        self.click(css).await?;
        self.keys(text).await
    }

    /// What stands in a field, or its text.
    ///
    /// # Errors
    /// If there is no such field.
    pub async fn content(&mut self, css: &str) -> anyhow::Result<String> {
        let script = format!(
            "(() => {{ const it = document.querySelector({css:?}); return it.value ?? it.textContent; }})()"
        );
        let said = match &mut self.steered {
            Steered::Chromium { browser, tab, .. } => browser.evaluate(tab, &script).await?,
            Steered::Firefox(firefox) => firefox.evaluate(&format!("return {script}")).await?,
        };
        Ok(said.as_str().with_context(|| format!("{css} has no text"))?.to_owned())
    }

    /// Opens a private window and works in it from here on.
    ///
    /// # Errors
    /// If none opens.
    pub async fn private_window(&mut self) -> anyhow::Result<()> {
        match &mut self.steered {
            Steered::Chromium { browser, tab, .. } => *tab = browser.private_window(tab).await?,
            Steered::Firefox(firefox) => firefox.window(true).await?,
        }
        Ok(())
    }

    /// Lets the extension run in private windows, by the switch that Chromium has for it among the extension's
    /// details, where the person stays; Chromium starts the extension anew.
    ///
    /// # Errors
    /// If the switch is not there.
    pub async fn allow_private_windows(&mut self) -> anyhow::Result<()> {
        let Steered::Chromium { browser, tab, .. } = &mut self.steered else {
            bail!("Firefox is told when the extension is installed")
        };
        let details = browser.new_tab(&format!("chrome://extensions/?id={CHROMIUM_ID}")).await?;
        let switch = "document.querySelector('extensions-manager').shadowRoot
            .querySelector('extensions-detail-view').shadowRoot
            .querySelector('#allow-incognito').shadowRoot.querySelector('cr-toggle')";
        browser.until(&details, &format!("{switch} !== null")).await?;
        browser.evaluate(&details, &format!("{switch}.click()")).await?;
        browser.until(&details, &format!("{switch}.checked")).await?;
        *tab = details;
        Ok(())
    }

    /// Stops the extension's worker, as Chromium itself does with an idle one; the next event starts it again.
    ///
    /// # Errors
    /// If it does not run.
    pub async fn stop_worker(&mut self) -> anyhow::Result<()> {
        let Steered::Chromium { browser, .. } = &mut self.steered else {
            bail!("only Chromium's worker can be stopped from outside")
        };
        let workers = browser.targets("service_worker", CHROMIUM_ID).await?;
        let worker = workers.first().context("the worker does not run")?;
        browser.close(&worker.target_id).await?;
        let stopped = async {
            // Another may have been started since, for the next event.
            let is_there = |it: &Target| it.target_id == worker.target_id;
            while browser.targets("service_worker", CHROMIUM_ID).await?.iter().any(is_there) {
                tokio::time::sleep(LOOK_EVERY).await;
            }
            anyhow::Ok(())
        };
        tokio::time::timeout(START_TIMEOUT, stopped).await.context("the worker does not stop")?
    }

    /// Waits until what the extension keeps in memory holds `part`, written as JSON. Its notice is asked, which is
    /// open still: a worker that a debugger has looked into is not started again as others are.
    ///
    /// # Errors
    /// If it does not.
    pub async fn until_kept(&mut self, part: &str) -> anyhow::Result<()> {
        let Steered::Chromium { browser, notice, .. } = &mut self.steered else {
            bail!("only in Chromium is the notice at hand")
        };
        let keeps = format!(
            "chrome.storage.session.get(null).then(all => JSON.stringify(all).includes({part:?}))"
        );
        browser.until(notice, &keeps).await
    }

    /// Quits as a person does, so that the browser writes what it has to write.
    ///
    /// # Errors
    /// If it does not end.
    pub async fn quit(self) -> anyhow::Result<()> {
        match self.steered {
            Steered::Chromium { browser, .. } => browser.quit().await,
            Steered::Firefox(firefox) => firefox.quit().await,
        }
    }
}

/// The extension, as it lies in the repository.
#[must_use]
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join("agent").join("extension")
}

/// Registers the native host with a browser, as an installer does: by the manifest that the agent prints.
async fn register(stack: &Stack, family: &str, folder: &Path) -> anyhow::Result<()> {
    let manifest = succeed(stack.agent_command(["native-host", "--manifest", family]), "").await?;
    tokio::fs::create_dir_all(folder).await?;
    tokio::fs::write(folder.join(HOST_MANIFEST), manifest).await?;
    Ok(())
}

/// The port at which a Firefox can be steered, once it has written it down.
async fn active_port(file: &Path) -> anyhow::Result<u16> {
    let begun = tokio::time::Instant::now();
    loop {
        #[expect(clippy::disallowed_methods, reason = "a file of the test's own browser")]
        let written = tokio::fs::read_to_string(file).await;
        match written.map(|port| port.trim().parse()) {
            Ok(Ok(port)) => return Ok(port),
            _ if begun.elapsed() > START_TIMEOUT => bail!("Firefox has not said its port"),
            _ => tokio::time::sleep(LOOK_EVERY).await,
        }
    }
}
