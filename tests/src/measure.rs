//! How long a visit takes to the DSL's queue, and how much of that is the browser's own delay.
//!
//! Each round is one search with a mark of its own, and the next begins only when it is in the queue, so that
//! each is a separate write of the browser's history file. Three times are taken: when the request reached the
//! site (the visit), when the history file first held it (the write, by the file's own time of change), and when
//! the alert's page showed it to the DSL (the queue).

use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use jiff::Timestamp;
use redshank_proto::clock::{Clock as _, System};

use crate::browser::Browser;
use crate::console::Console;
use crate::history::HistoryWatch;
use crate::script::Step;
use crate::site::Site;
use crate::stack::Stack;

/// Separate writes. Twenty are asked for; some more make the 95th percentile more than the last but one.
const ROUNDS: usize = 24;
/// Chromium writes ten seconds after a visit at most; past this something is broken.
const ROUND_TIMEOUT: Duration = Duration::from_secs(40);
/// What was promised for write to queue, at the 95th percentile.
const PROMISE_SECONDS: f64 = 1.0;

/// Measures, and writes to `out` what was seen.
///
/// # Errors
/// If a visit does not reach the queue at all, or `out` cannot be written.
pub async fn run(
    stack: &Stack,
    console: &Console,
    browser: &Browser,
    profile: PathBuf,
    out: &mut impl Write,
) -> anyhow::Result<()> {
    ensure!(matches!(browser, Browser::Chromium(_)), "measuring needs Chromium's history file");
    let mark = |round: usize| format!("mark{round:03}");
    let script: Arc<[Step]> = (0..ROUNDS)
        .map(|round| Step::search(format!("how to kill myself {}", mark(round))))
        .collect();
    let mut site = Site::serve(script).await?;
    let history = HistoryWatch::new(browser.history_file(&profile))?;
    let log = stack.folder().join("browser.log");
    let browser = browser.start(&profile, &site.start(), &log).await?;
    writeln!(
        out,
        "\nMeasuring {ROUNDS} separate writes of the history file, some ten seconds each …"
    )?;
    writeln!(out, "{:>5} {:>15} {:>15}", "", "write to queue", "visit to queue")?;
    let (mut from_write, mut from_visit) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        site.give_turn();
        let visit = site.visited().await.context("the browser has ended")?.at;
        let mark = mark(round);
        let seen = async { tokio::try_join!(history.written(&mark), queued(console, &mark)) };
        let seen = tokio::time::timeout(ROUND_TIMEOUT, seen).await;
        let (written, queued) = seen.with_context(|| format!("round {round} never arrived"))??;
        let seconds = |from: Timestamp| queued.duration_since(from).as_secs_f64();
        writeln!(out, "{round:>5} {:>13.3} s {:>13.3} s", seconds(written), seconds(visit))?;
        from_write.push(seconds(written));
        from_visit.push(seconds(visit));
    }
    drop(browser);
    writeln!(out, "\n{:<16} {:>9} {:>9} {:>9}", "seconds", "median", "95th", "longest")?;
    for (name, seconds) in
        [("write to queue", &mut from_write), ("visit to queue", &mut from_visit)]
    {
        seconds.sort_by(f64::total_cmp);
        let [median, high, longest] = [0.5, 0.95, 1.0].map(|part| percentile(seconds, part));
        writeln!(out, "{name:<16} {median:>9.3} {high:>9.3} {longest:>9.3}")?;
    }
    let high = percentile(&from_write, 0.95);
    writeln!(
        out,
        "\nPromised: write to queue within {PROMISE_SECONDS} s at the 95th percentile; seen: {:.2} of it.",
        high / PROMISE_SECONDS
    )?;
    Ok(())
}

/// Waits until an alert's page shows a mark, and says when it did.
///
/// # Errors
/// If the console fails.
pub(crate) async fn queued(console: &Console, mark: &str) -> anyhow::Result<Timestamp> {
    let mut live = console.live().await?;
    loop {
        for row in console.queue().await? {
            if console.alert(&row.alert).await?.contains(mark) {
                return Ok(System.now());
            }
        }
        live.changed().await?;
    }
}

/// The nearest-rank percentile of sorted, non-empty values.
pub(crate) fn percentile(sorted: &[f64], part: f64) -> f64 {
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a handful of rounds, and a part between 0 and 1"
    )]
    let rank = (part * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_the_nearest_rank() {
        let values: Vec<f64> = (1..=20).map(f64::from).collect();
        for (part, expected) in [(0.5, 10.0), (0.95, 19.0), (1.0, 20.0)] {
            assert!((percentile(&values, part) - expected).abs() < f64::EPSILON, "{part}");
        }
    }
}
