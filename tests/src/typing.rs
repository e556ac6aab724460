//! How long typed text takes to the DSL's queue, and how much of that is the extension's own pause.
//!
//! Each round types one sentence with a mark of its own into a chat, key by key, and the next begins only when it
//! is in the queue. Two times are taken: just before the last key was pressed, and when the alert's page showed
//! the mark to the DSL. Between them lies the pause after which the extension takes a thought for complete.

use std::io::Write;
use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;

use crate::console::Console;
use crate::measure::{percentile, queued};
use crate::pages::Pages;
use crate::stack::Stack;
use crate::watched::{Watched, folder};

/// Sentences. Twenty are asked for; some more make the 95th percentile more than the last but one.
const ROUNDS: usize = 24;
/// Past this something is broken.
const ROUND_TIMEOUT: Duration = Duration::from_secs(20);
/// What was promised from the end of the pause to the queue, at the 95th percentile.
const PROMISE_SECONDS: f64 = 0.5;

/// Measures, and writes to `out` what was seen.
///
/// # Errors
/// If a sentence does not reach the queue at all, or `out` cannot be written.
pub async fn run(
    stack: &Stack,
    console: &Console,
    profile: &Path,
    out: &mut impl Write,
) -> anyhow::Result<()> {
    let pause = pause().await?;
    let pages = Pages::serve().await?;
    let mut browser = Watched::chromium(stack, profile, &pages).await?;
    writeln!(out, "\nTyping {ROUNDS} sentences into a chat …")?;
    writeln!(out, "{:>5} {:>16} {:>18}", "", "pause to queue", "last key to queue")?;
    let (mut from_pause, mut from_key) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        let mark = format!("mark{round:03}");
        // A match is told once of a field, and a page that is opened anew has others.
        browser.open("http://chat.example/chat").await?;
        // The one field and the other, in turn.
        let field = if round % 2 == 0 { "#message" } else { "#rich" };
        let last = browser.type_into(field, &format!("i want to kill myself {mark}")).await?;
        let seen = tokio::time::timeout(ROUND_TIMEOUT, queued(console, &mark)).await;
        let seen = seen.with_context(|| format!("round {round} never arrived"))??;
        let seconds = seen.duration_since(last).as_secs_f64();
        writeln!(out, "{round:>5} {:>14.3} s {seconds:>16.3} s", seconds - pause)?;
        from_pause.push(seconds - pause);
        from_key.push(seconds);
    }
    browser.quit().await?;
    writeln!(out, "\n{:<18} {:>9} {:>9} {:>9}", "seconds", "median", "95th", "longest")?;
    for (name, seconds) in
        [("pause to queue", &mut from_pause), ("last key to queue", &mut from_key)]
    {
        seconds.sort_by(f64::total_cmp);
        let [median, high, longest] = [0.5, 0.95, 1.0].map(|part| percentile(seconds, part));
        writeln!(out, "{name:<18} {median:>9.3} {high:>9.3} {longest:>9.3}")?;
    }
    writeln!(
        out,
        "\nThe extension's pause is {pause} s. Promised: end of the pause to queue within {PROMISE_SECONDS} s at \
         the 95th percentile; seen: {:.2} of it.",
        percentile(&from_pause, 0.95) / PROMISE_SECONDS
    )?;
    Ok(())
}

/// The extension's pause, in seconds, as its source has it.
async fn pause() -> anyhow::Result<f64> {
    #[expect(clippy::disallowed_methods, reason = "a file of this repository")]
    let source = tokio::fs::read_to_string(folder().join("page").join("typed.js")).await?;
    let millis = source.lines().find_map(|line| line.strip_prefix("const PAUSE = "));
    let millis = millis.context("the extension says its pause in another way")?;
    let millis: f64 = millis.trim_end_matches(';').replace('_', "").parse()?;
    Ok(millis / 1_000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_extension_s_pause_is_found() {
        let pause = pause().await.unwrap();
        assert!((0.2..=5.0).contains(&pause), "{pause}");
    }
}
