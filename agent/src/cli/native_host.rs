//! `native-host`: between a browser's standard input and output and the agent's socket; or the manifest
//! by which a browser finds it.

use std::io::Write;
use std::path::PathBuf;

use anyhow::Context as _;
use redshank_proto::clock::System;

use crate::native::manifest::{Family, manifest};
use crate::native::{host, local};

/// What `native-host` may be told.
#[derive(Debug, Default, clap::Args)]
pub(super) struct Args {
    /// Prints the manifest by which browsers of this family find the host, for an installer
    #[arg(long, value_name = "FAMILY")]
    manifest: Option<Family>,
    /// The program that the manifest names [default: this one]
    #[arg(long, value_name = "PATH", requires = "manifest")]
    program: Option<PathBuf>,
}

/// Relays until the browser ends it, or prints the manifest.
///
/// # Errors
/// If the browser's messages cannot be read, or there can be no manifest.
pub(super) fn native_host(args: &Args, out: &mut impl Write) -> anyhow::Result<()> {
    let Some(family) = args.manifest else { return relay() };
    let program = match &args.program {
        Some(program) => program.clone(),
        None => std::env::current_exe().context("this program's path cannot be found")?,
    };
    writeln!(out, "{}", manifest(family, &program)?)?;
    Ok(())
}

fn relay() -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (input, output) = (tokio::io::stdin(), tokio::io::stdout());
    let ended = runtime.block_on(host::run(input, output, &local::address(), &System));
    // A thread may be reading the browser's end still; it ends with the process.
    runtime.shutdown_background();
    Ok(ended?)
}
