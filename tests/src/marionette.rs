//! Firefox, steered as a person would: by its mouse, its keys and its windows.
//!
//! By Marionette, Firefox's own protocol below WebDriver (“Marionette”, Firefox Source Docs): `LENGTH:JSON` in both
//! directions, a request being `[0, id, command, parameters]` and its answer `[1, id, error, result]`. It installs
//! an extension as a developer does, until Firefox quits.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;

use crate::programs::Running;

/// Enter, as WebDriver writes it (W3C WebDriver, “Keyboard actions”).
const ENTER: char = '\u{E007}';
/// By this name WebDriver hands over an element (W3C WebDriver, “Elements”).
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";
/// No answer is longer; nor is its length.
const ANSWER_BYTES: u64 = 16 * 1024 * 1024;
const LENGTH_BYTES: u64 = 16;
/// A browser that takes longer for one command hangs.
const TIMEOUT: Duration = Duration::from_secs(60);
/// How often something that has to come is looked for.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// A Firefox that runs.
#[derive(Debug)]
pub struct Firefox {
    running: Running,
    stream: BufReader<TcpStream>,
    last: u64,
}

impl Firefox {
    /// Takes hold of a Firefox that was told to listen at `port`.
    ///
    /// # Errors
    /// If it does not listen in time.
    pub async fn connect(running: Running, port: u16) -> anyhow::Result<Self> {
        let begun = tokio::time::Instant::now();
        let stream = loop {
            match TcpStream::connect(("127.0.0.1", port)).await {
                Ok(stream) => break stream,
                Err(error) if begun.elapsed() > TIMEOUT => {
                    bail!("Firefox does not listen: {error}")
                }
                Err(_) => tokio::time::sleep(LOOK_EVERY).await,
            }
        };
        let mut firefox = Self { running, stream: BufReader::new(stream), last: 0 };
        // It greets first.
        firefox.read().await.context("no greeting")?;
        firefox.call("WebDriver:NewSession", json!({})).await?;
        Ok(firefox)
    }

    /// Installs an extension from its folder; `private` is the toggle “Run in Private Windows”.
    ///
    /// # Errors
    /// If Firefox refuses it.
    pub async fn install(&mut self, folder: &Path, private: bool) -> anyhow::Result<()> {
        let how = json!({"path": folder, "temporary": true, "allowPrivateBrowsing": private});
        self.call("Addon:Install", how).await?;
        Ok(())
    }

    /// Opens a window and works in it from here on.
    ///
    /// # Errors
    /// If none opens.
    pub async fn window(&mut self, private: bool) -> anyhow::Result<()> {
        let how = json!({"type": "window", "focus": true, "private": private});
        let opened = self.call("WebDriver:NewWindow", how).await?;
        let which = json!({"handle": opened["handle"], "focus": true});
        self.call("WebDriver:SwitchToWindow", which).await?;
        Ok(())
    }

    /// Goes to a tab whose address contains `part`, once there is one.
    ///
    /// # Errors
    /// If none comes.
    pub async fn switch_to(&mut self, part: &str) -> anyhow::Result<()> {
        let begun = tokio::time::Instant::now();
        loop {
            let handles = self.call("WebDriver:GetWindowHandles", json!({})).await?;
            for handle in handles.as_array().context("no windows")? {
                let which = json!({"handle": handle, "focus": true});
                self.call("WebDriver:SwitchToWindow", which).await?;
                let url = self.call("WebDriver:GetCurrentURL", json!({})).await?;
                if url["value"].as_str().is_some_and(|url| url.contains(part)) {
                    return Ok(());
                }
            }
            ensure!(begun.elapsed() < TIMEOUT, "no tab with `{part}` has come");
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Goes to an address; returns once the page is there.
    ///
    /// # Errors
    /// If the page does not come.
    pub async fn open(&mut self, url: &str) -> anyhow::Result<()> {
        self.call("WebDriver:Navigate", json!({"url": url})).await?;
        Ok(())
    }

    /// Clicks what `css` finds, once there is something: while the page before this one is still
    /// being replaced, Firefox looks for it there.
    ///
    /// # Errors
    /// If there is nothing.
    pub async fn click(&mut self, css: &str) -> anyhow::Result<()> {
        let begun = tokio::time::Instant::now();
        while let Err(error) = self.click_now(css).await {
            if begun.elapsed() > TIMEOUT {
                return Err(error.context(format!("`{css}` cannot be clicked")));
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
        Ok(())
    }

    async fn click_now(&mut self, css: &str) -> anyhow::Result<()> {
        let what = json!({"using": "css selector", "value": css});
        let found = self.call("WebDriver:FindElement", what).await?;
        let id = &found["value"][ELEMENT];
        self.call("WebDriver:ElementClick", json!({"id": id})).await?;
        Ok(())
    }

    /// Presses one key; `\n` is Enter.
    ///
    /// # Errors
    /// If the page is gone.
    pub async fn key(&mut self, key: char) -> anyhow::Result<()> {
        let key = if key == '\n' { ENTER } else { key };
        let presses =
            [json!({"type": "keyDown", "value": key}), json!({"type": "keyUp", "value": key})];
        let actions = json!({"actions": [{"type": "key", "id": "keys", "actions": presses}]});
        self.call("WebDriver:PerformActions", actions).await?;
        Ok(())
    }

    /// What a piece of script says, which is the body of an async function.
    ///
    /// # Errors
    /// If it throws.
    pub async fn evaluate(&mut self, script: &str) -> anyhow::Result<Value> {
        let what = json!({"script": script, "args": []});
        let mut said = self.call("WebDriver:ExecuteScript", what).await?;
        Ok(said["value"].take())
    }

    /// Quits as a person does, so that it writes what it has to write.
    ///
    /// # Errors
    /// If it does not end.
    pub async fn quit(mut self) -> anyhow::Result<()> {
        self.call("Marionette:Quit", json!({"flags": ["eAttemptQuit"]})).await?;
        self.running.ended().await
    }

    async fn call(&mut self, method: &str, params: Value) -> anyhow::Result<Value> {
        let called = tokio::time::timeout(TIMEOUT, self.ask(method, params)).await;
        called.with_context(|| format!("{method} hangs"))?.with_context(|| method.to_owned())
    }

    async fn ask(&mut self, method: &str, params: Value) -> anyhow::Result<Value> {
        self.last += 1;
        let request = serde_json::to_vec(&json!([0, self.last, method, params]))?;
        self.stream.write_all(format!("{}:", request.len()).as_bytes()).await?;
        self.stream.write_all(&request).await?;
        loop {
            let mut answer = self.read().await?;
            if answer[1] == self.last {
                ensure!(answer[2].is_null(), "{}: {}", answer[2]["error"], answer[2]["message"]);
                return Ok(answer[3].take());
            }
        }
    }

    async fn read(&mut self) -> anyhow::Result<Value> {
        let mut length = Vec::new();
        (&mut self.stream).take(LENGTH_BYTES).read_until(b':', &mut length).await?;
        ensure!(length.pop() == Some(b':'), "Firefox has ended");
        let length: u64 = std::str::from_utf8(&length)?.parse()?;
        ensure!(length <= ANSWER_BYTES, "an answer of {length} bytes");
        let mut bytes = Vec::new();
        (&mut self.stream).take(length).read_to_end(&mut bytes).await?;
        Ok(serde_json::from_slice(&bytes)?)
    }
}
