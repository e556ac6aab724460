//! What the tests share: a stack with a browser's profile, and patience with a bound.

use std::path::PathBuf;
use std::time::Duration;

use redshank_tests::browser::Browser;
use redshank_tests::console::Console;
use redshank_tests::programs::Programs;
use redshank_tests::stack::{Account, Stack};

/// Chromium writes its history ten seconds late; two kills later it is still there by then.
const PATIENCE: Duration = Duration::from_secs(60);
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// A running stack and the profile that its agent follows.
pub(crate) struct Scene {
    pub(crate) stack: Stack,
    pub(crate) profile: PathBuf,
}

impl Scene {
    /// Starts everything but a browser.
    pub(crate) async fn start() -> Self {
        let mut stack = Stack::start(Programs::built().unwrap()).await.unwrap();
        let profile = stack.folder().join("pupil");
        stack.enrol(std::slice::from_ref(&profile)).await.unwrap();
        stack.start_agent().await.unwrap();
        Self { stack, profile }
    }

    /// The DSL, signed in.
    pub(crate) async fn dsl(&self) -> Console {
        self.signed_in(&self.stack.dsl).await
    }

    /// Somebody, signed in.
    pub(crate) async fn signed_in(&self, account: &Account) -> Console {
        let (url, root) = (self.stack.console_url(), self.stack.root());
        Console::sign_in(&url, &root, account).await.unwrap()
    }
}

/// The browser of this machine; a test that needs one fails without it.
pub(crate) fn browser() -> Browser {
    Browser::find().expect("these tests need a browser: install Debian's chromium")
}

/// Waits until something is there.
pub(crate) async fn eventually<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let begun = tokio::time::Instant::now();
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(begun.elapsed() < PATIENCE, "{what}: not within {} s", PATIENCE.as_secs());
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// Waits until an alert's page shows a mark, and returns the page.
pub(crate) async fn alert_with(dsl: &Console, mark: &str) -> String {
    eventually(&format!("an alert with {mark}"), async || {
        for row in dsl.queue().await.ok()? {
            let page = dsl.alert(&row.alert).await.ok()?;
            if page.contains(mark) {
                return Some(page);
            }
        }
        None
    })
    .await
}
