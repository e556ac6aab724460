//! A pupil who goes through a script: in a real browser, or by a history that one wrote.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use tokio::sync::mpsc;

use crate::browser::Browser;
use crate::programs::Running;
use crate::replay;
use crate::script::Step;
use crate::site::{Site, Visited};

/// How long a page is looked at.
const LOOK: Duration = Duration::from_millis(300);

/// A pupil at work.
#[derive(Debug)]
pub struct Pupil {
    doing: Doing,
}

#[derive(Debug)]
enum Doing {
    Browsing { site: Box<Site>, _browser: Box<Running> },
    Replaying { visits: mpsc::Receiver<Visited> },
}

impl Pupil {
    /// Browses through a script, one page after the other.
    ///
    /// # Errors
    /// If the browser or the site cannot be started.
    pub async fn browse(
        browser: &Browser,
        profile: &Path,
        script: Arc<[Step]>,
        log: &Path,
    ) -> anyhow::Result<Self> {
        let site = Site::serve(script).await?;
        let running = browser.start(profile, &site.start(), log).await?;
        site.give_turn();
        let (site, browser) = (Box::new(site), Box::new(running));
        Ok(Self { doing: Doing::Browsing { site, _browser: browser } })
    }

    /// Replays a history that Chromium wrote for this very script, visit by visit, dated now.
    ///
    /// # Errors
    /// If the profile cannot be written.
    pub fn replay(profile: &Path, script: Arc<[Step]>) -> anyhow::Result<Self> {
        let (visit, visits) = mpsc::channel(script.len().max(1));
        let history = replay::History::begin(profile).context("the replay cannot be prepared")?;
        tokio::spawn(async move {
            for step in 0..script.len() {
                tokio::time::sleep(LOOK).await;
                let Ok(at) = history.visit(&script[step]) else { return };
                if visit.send(Visited { step, at }).await.is_err() {
                    return;
                }
            }
            // The channel stays open: a pupil who has finished is no pupil who has left.
            visit.closed().await;
        });
        Ok(Self { doing: Doing::Replaying { visits } })
    }

    /// The next page opened; `None` once the pupil is gone.
    pub async fn visited(&mut self) -> Option<Visited> {
        match &mut self.doing {
            Doing::Replaying { visits } => visits.recv().await,
            Doing::Browsing { site, .. } => {
                let visited = site.visited().await;
                tokio::time::sleep(LOOK).await;
                site.give_turn();
                visited
            }
        }
    }
}
