//! Chromium, steered as a person would: by its mouse, its keys and its windows.
//!
//! By the DevTools protocol (“Chrome DevTools Protocol”, chromedevtools.github.io/devtools-protocol) over a pipe,
//! which needs no port: any number of browsers can be steered side by side.

use std::ffi::OsString;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::fs::File;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout};

use crate::programs::command;

/// The browser reads from descriptor 3 and writes to 4; here they are its standard input and output.
const PIPED: &str = r#"exec "$0" "$@" 3<&0 4>&1 </dev/null >/dev/null"#;
/// No answer is longer.
const ANSWER_BYTES: u64 = 16 * 1024 * 1024;
/// A browser that takes longer for one command hangs.
const TIMEOUT: Duration = Duration::from_secs(60);
/// How often something that has to come is looked for.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Control and Shift, in the protocol's bits.
const CONTROL_SHIFT: u8 = 2 | 8;

/// A browser that runs.
#[derive(Debug)]
pub struct Chromium {
    child: Child,
    requests: ChildStdin,
    answers: BufReader<ChildStdout>,
    last: u64,
}

/// A thing that can be steered: a page, a worker.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Target {
    /// Its id.
    pub target_id: String,
    /// `page`, `service_worker` and others.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its address.
    pub url: String,
}

/// A page that is steered.
#[derive(Debug, Clone)]
pub struct Tab {
    session: String,
}

impl Chromium {
    /// Starts it.
    ///
    /// # Errors
    /// If it cannot be started.
    pub async fn start(
        program: &Path,
        arguments: impl IntoIterator<Item = OsString>,
        variables: impl IntoIterator<Item = (&'static str, OsString)>,
        log: &Path,
    ) -> anyhow::Result<Self> {
        let log = File::options().create(true).append(true).open(log).await?.into_std().await;
        let mut shell = command("sh");
        shell.arg("-c").arg(PIPED).arg(program).arg("--remote-debugging-pipe").args(arguments);
        shell.envs(variables).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(log);
        let mut child = shell.spawn().context("the browser does not start")?;
        let requests = child.stdin.take().context("no pipe to the browser")?;
        let answers = BufReader::new(child.stdout.take().context("no pipe from the browser")?);
        Ok(Self { child, requests, answers, last: 0 })
    }

    /// All targets of one kind whose address contains `part`.
    ///
    /// # Errors
    /// If the browser is gone.
    pub async fn targets(&mut self, kind: &str, part: &str) -> anyhow::Result<Vec<Target>> {
        let mut answer = self.call(None, "Target.getTargets", json!({})).await?;
        let all: Vec<Target> = serde_json::from_value(answer["targetInfos"].take())?;
        Ok(all.into_iter().filter(|it| it.kind == kind && it.url.contains(part)).collect())
    }

    /// Waits for a page whose address contains `part`, and takes hold of it.
    ///
    /// # Errors
    /// If none comes, or the browser is gone.
    pub async fn page(&mut self, part: &str) -> anyhow::Result<Tab> {
        let begun = tokio::time::Instant::now();
        loop {
            if let Some(found) = self.targets("page", part).await?.pop() {
                return self.attach(&found.target_id).await;
            }
            ensure!(begun.elapsed() < TIMEOUT, "no page with `{part}` has come");
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Takes hold of a target.
    ///
    /// # Errors
    /// If it is gone.
    pub async fn attach(&mut self, target: &str) -> anyhow::Result<Tab> {
        let how = json!({"targetId": target, "flatten": true});
        let session = self.call(None, "Target.attachToTarget", how).await?;
        let session = session["sessionId"].as_str().context("no session")?.to_owned();
        Ok(Tab { session })
    }

    /// Opens a new tab in the front.
    ///
    /// # Errors
    /// If the browser does not.
    pub async fn new_tab(&mut self, url: &str) -> anyhow::Result<Tab> {
        let made = self.call(None, "Target.createTarget", json!({"url": url})).await?;
        self.attach(made["targetId"].as_str().context("no target")?).await
    }

    /// Closes a page, or stops a worker.
    ///
    /// # Errors
    /// If it is gone.
    pub async fn close(&mut self, target: &str) -> anyhow::Result<()> {
        self.call(None, "Target.closeTarget", json!({"targetId": target})).await?;
        Ok(())
    }

    /// Brings a tab to the front and goes to an address in it; returns once the page is there.
    ///
    /// # Errors
    /// If the page does not come.
    pub async fn open(&mut self, tab: &Tab, url: &str) -> anyhow::Result<()> {
        self.call(Some(tab), "Page.bringToFront", json!({})).await?;
        let how = json!({"url": url, "transitionType": "typed"});
        let went = self.call(Some(tab), "Page.navigate", how).await?;
        if let Some(error) = went["errorText"].as_str() {
            bail!("{url}: {error}");
        }
        self.until(tab, "document.readyState === 'complete'").await.with_context(|| url.to_owned())
    }

    /// Clicks the middle of what `css` finds.
    ///
    /// # Errors
    /// If there is nothing.
    pub async fn click(&mut self, tab: &Tab, css: &str) -> anyhow::Result<()> {
        let place = format!(
            "(() => {{ const found = document.querySelector({css:?}); found.scrollIntoView({{block: 'center'}});
               const {{x, y, width, height}} = found.getBoundingClientRect();
               return [x + width / 2, y + height / 2]; }})()"
        );
        let place = self.evaluate(tab, &place).await?;
        for kind in ["mousePressed", "mouseReleased"] {
            let (x, y) = (&place[0], &place[1]);
            let event = json!({"type": kind, "x": x, "y": y, "button": "left", "clickCount": 1});
            self.call(Some(tab), "Input.dispatchMouseEvent", event).await?;
        }
        Ok(())
    }

    /// Presses one key; `\n` is Enter.
    ///
    /// # Errors
    /// If the page is gone.
    pub async fn key(&mut self, tab: &Tab, key: char) -> anyhow::Result<()> {
        let mut event = match key {
            '\n' => {
                json!({"key": "Enter", "code": "Enter", "text": "\r", "windowsVirtualKeyCode": 13})
            }
            key => json!({"key": key, "text": key}),
        };
        for kind in ["keyDown", "keyUp"] {
            event["type"] = kind.into();
            self.call(Some(tab), "Input.dispatchKeyEvent", event.clone()).await?;
        }
        Ok(())
    }

    /// Opens a private window as a person does, with Control, Shift and N.
    ///
    /// # Errors
    /// If none opens.
    pub async fn private_window(&mut self, from: &Tab) -> anyhow::Result<Tab> {
        self.call(Some(from), "Page.bringToFront", json!({})).await?;
        for kind in ["rawKeyDown", "keyUp"] {
            let event = json!({
                "type": kind, "modifiers": CONTROL_SHIFT, "key": "N", "code": "KeyN",
                // Without the second the browser's own shortcuts do not see the key.
                "windowsVirtualKeyCode": 78, "nativeVirtualKeyCode": 78,
            });
            self.call(Some(from), "Input.dispatchKeyEvent", event).await?;
        }
        self.page("chrome://newtab").await
    }

    /// What a piece of script says.
    ///
    /// # Errors
    /// If it throws.
    pub async fn evaluate(&mut self, tab: &Tab, script: &str) -> anyhow::Result<Value> {
        let what = json!({"expression": script, "awaitPromise": true, "returnByValue": true});
        let mut answer = self.call(Some(tab), "Runtime.evaluate", what).await?;
        ensure!(answer.get("exceptionDetails").is_none(), "{script}: {answer}");
        Ok(answer["result"]["value"].take())
    }

    /// Waits until a piece of script says true.
    ///
    /// # Errors
    /// If it does not.
    pub async fn until(&mut self, tab: &Tab, script: &str) -> anyhow::Result<()> {
        let begun = tokio::time::Instant::now();
        // A page that is being replaced cannot be asked.
        while !self.evaluate(tab, script).await.is_ok_and(|said| said == Value::Bool(true)) {
            ensure!(begun.elapsed() < TIMEOUT, "`{script}` has not come true");
            tokio::time::sleep(LOOK_EVERY).await;
        }
        Ok(())
    }

    /// Quits as a person does, so that it writes what it has to write.
    ///
    /// # Errors
    /// If it does not end.
    pub async fn quit(mut self) -> anyhow::Result<()> {
        // It may be gone before it has answered.
        drop(self.call(None, "Browser.close", json!({})).await);
        tokio::time::timeout(TIMEOUT, self.child.wait()).await.context("it does not quit")??;
        Ok(())
    }

    async fn call(
        &mut self,
        tab: Option<&Tab>,
        method: &str,
        params: Value,
    ) -> anyhow::Result<Value> {
        let called = tokio::time::timeout(TIMEOUT, self.ask(tab, method, params)).await;
        called.with_context(|| format!("{method} hangs"))?.with_context(|| method.to_owned())
    }

    async fn ask(
        &mut self,
        tab: Option<&Tab>,
        method: &str,
        params: Value,
    ) -> anyhow::Result<Value> {
        self.last += 1;
        let mut request = json!({"id": self.last, "method": method, "params": params});
        if let Some(tab) = tab {
            request["sessionId"] = tab.session.clone().into();
        }
        let mut bytes = serde_json::to_vec(&request)?;
        bytes.push(0);
        self.requests.write_all(&bytes).await?;
        loop {
            let mut bytes = Vec::new();
            (&mut self.answers).take(ANSWER_BYTES).read_until(0, &mut bytes).await?;
            ensure!(bytes.pop() == Some(0), "the browser has ended");
            let mut answer: Value = serde_json::from_slice(&bytes)?;
            // All else are events, which nobody has asked for.
            if answer["id"] == self.last {
                ensure!(answer.get("error").is_none(), "{}", answer["error"]["message"]);
                return Ok(answer["result"].take());
            }
        }
    }
}
