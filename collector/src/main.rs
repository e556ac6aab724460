//! The collector's binary: reads the command line, says what went wrong.

use std::io::Write as _;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser as _;
use redshank_collector::cli::{Cli, log_to_stderr, run};
use redshank_proto::clock::System;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let answered = log_to_stderr()
        .and_then(|()| {
            let mut runtime = tokio::runtime::Builder::new_multi_thread();
            runtime.enable_all().build().map_err(anyhow::Error::from)
        })
        .and_then(|runtime| {
            let system = Arc::new(System);
            runtime.block_on(run(cli, system.clone(), system, &mut std::io::stdout()))
        });
    answered.unwrap_or_else(|error| {
        // Whoever cannot be told on standard error cannot be told.
        drop(writeln!(std::io::stderr(), "redshank-collector: {error:#}"));
        ExitCode::FAILURE
    })
}
