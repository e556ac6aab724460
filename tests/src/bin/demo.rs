//! `cargo demo`: the whole job on one machine, with nothing pretended.
//!
//! A collector on a fresh encrypted database, a school with a DSL and a technician, an agent enrolled over
//! real TLS, and a real browser in which a pupil searches. Each alert is printed as it reaches the DSL's queue
//! in the console, which is where the time stops.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program speaks by printing")]

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::Parser;
use jiff::Timestamp;
use redshank_proto::clock::{Clock as _, System};
use redshank_tests::browser::Browser;
use redshank_tests::console::Console;
use redshank_tests::measure;
use redshank_tests::programs::Programs;
use redshank_tests::pupil::Pupil;
use redshank_tests::script::{self, Expectation};
use redshank_tests::stack::Stack;
use redshank_tests::typing;

/// Past this, what has not arrived will not.
const ONCE_TIMEOUT: Duration = Duration::from_secs(50);
/// An alert that nobody expected would have come by then, beside the last one that was.
const STRAGGLERS: Duration = Duration::from_secs(2);

/// Shows the whole job: a pupil searches, and the DSL has it in the queue.
#[derive(Debug, Parser)]
struct Arguments {
    /// Ends once every expected alert has arrived; fails if one is missing or another came
    #[arg(long, conflicts_with_all = ["measure", "measure_typing"])]
    once: bool,
    /// Measures how long a visit takes to the queue, over separate writes of the browser's history file
    #[arg(long)]
    measure: bool,
    /// Measures how long text that is typed into a page takes to the queue, by way of the extension
    #[arg(long, conflicts_with = "measure")]
    measure_typing: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    match demo(&Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("demo: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn demo(arguments: &Arguments) -> anyhow::Result<()> {
    println!("Building the agent and the collector …");
    let programs = Programs::build().await?;
    let mut stack = Stack::start(programs).await?;
    let profile = stack.folder().join("pupil");
    stack.enrol(std::slice::from_ref(&profile)).await?;
    stack.start_agent().await?;
    println!("\nA collector and an agent run in {}", stack.folder().display());
    println!("Console     {}  (its certificate is the demo's own)", stack.console_url());
    for (who, account) in [("DSL", &stack.dsl), ("Technician", &stack.technician)] {
        println!("{who:<11} {}  {}", account.email, account.password);
    }
    let console = Console::sign_in(&stack.console_url(), &stack.root(), &stack.dsl).await?;
    let result = tokio::select! {
        result = show(arguments, &stack, profile, &console) => result,
        _ = tokio::signal::ctrl_c() => Ok(()),
    };
    stack.stop().await?;
    result
}

async fn show(
    arguments: &Arguments,
    stack: &Stack,
    profile: PathBuf,
    console: &Console,
) -> anyhow::Result<()> {
    if arguments.measure_typing {
        return typing::run(stack, console, &profile, &mut std::io::stdout()).await;
    }
    let browser = Browser::find();
    if arguments.measure {
        let browser = browser.context("measuring needs a browser of the Chromium family")?;
        return measure::run(stack, console, &browser, profile, &mut std::io::stdout()).await;
    }
    let script = script::demo();
    let steps = script.iter().map(|expectation| expectation.step.clone()).collect();
    let mut pupil = match &browser {
        Some(browser) => {
            println!("\nA pupil browses, with {} …\n", browser.path().display());
            Pupil::browse(browser, &profile, steps, &stack.folder().join("browser.log")).await?
        }
        None => {
            println!(
                "\nNo browser is installed here. A history that Chromium wrote is replayed …\n"
            );
            Pupil::replay(&profile, steps)?
        }
    };
    let watch = follow(&script, &mut pupil, console);
    if arguments.once {
        return tokio::time::timeout(ONCE_TIMEOUT, watch).await.unwrap_or_else(|_| {
            bail!("not every expected alert has arrived within {} s", ONCE_TIMEOUT.as_secs())
        });
    }
    watch.await?;
    println!("\nSign in to look at them. Ctrl-C ends everything and removes the folder.");
    std::future::pending().await
}

/// Prints each alert as it reaches the queue, until all that were expected have.
async fn follow(
    script: &[Expectation],
    pupil: &mut Pupil,
    console: &Console,
) -> anyhow::Result<()> {
    let mut live = console.live().await?;
    let mut visited: Vec<Option<Timestamp>> = vec![None; script.len()];
    let mut arrived = vec![false; script.len()];
    let mut unexpected = Vec::new();
    let expected = script.iter().filter(|expectation| expectation.alert.is_some()).count();
    let mut deadline = None;
    println!("{:>9}  severity  category and what raised it", "time");
    loop {
        tokio::select! {
            visit = pupil.visited() => {
                let visit = visit.context("the browser has ended")?;
                visited[visit.step] = Some(visit.at);
            }
            changed = live.changed() => changed?,
            () = until(deadline) => break,
        }
        for row in console.queue().await? {
            let of = |e: &Expectation| e.alert.is_some_and(|(c, _)| c.label() == row.category);
            let Some(at) = script.iter().position(of) else {
                if !unexpected.contains(&row.category) {
                    println!("unexpected: severity {}, {}", row.severity, row.category);
                    unexpected.push(row.category);
                }
                continue;
            };
            if std::mem::replace(&mut arrived[at], true) {
                continue;
            }
            let least = script[at].alert.map_or(1, |(_, severity)| severity);
            let took = visited[at].map(|visit| System.now().duration_since(visit).as_secs_f64());
            let took = took.map_or_else(String::new, |seconds| format!("{seconds:.1} s"));
            let what = script[at].step.label();
            println!("{took:>9}  {:<8}  {}: {what}", row.severity, row.category);
            if row.severity < least {
                bail!("{} has severity {}, below {least}", row.category, row.severity);
            }
        }
        if deadline.is_none() && arrived.iter().filter(|arrived| **arrived).count() == expected {
            deadline = Some(tokio::time::Instant::now() + STRAGGLERS);
        }
    }
    let quiet = script.len() - expected;
    if unexpected.is_empty() {
        println!("\n{expected} alerts, as expected; {quiet} other visits raised none.");
        Ok(())
    } else {
        bail!("an alert came that should not have: {}", unexpected.join(", "))
    }
}

async fn until(deadline: Option<tokio::time::Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}
