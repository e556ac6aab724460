//! The collector's binary: reads the command line, says what went wrong.

use std::io::Write as _;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser as _;
use redshank_collector::cli::{Cli, run};
use redshank_proto::clock::System;
use tracing_subscriber::EnvFilter;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let filter = EnvFilter::try_from_env("REDSHANK_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    let answered = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(anyhow::Error::from)
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
