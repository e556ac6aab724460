//! The agent's program: see the library.

use std::io::Write as _;
use std::process::ExitCode;

use clap::Parser as _;
use redshank_agent::cli::Cli;

fn main() -> ExitCode {
    let (mut out, mut errors) = (std::io::stdout(), std::io::stderr());
    match Cli::parse().run(std::io::stdin().lock(), &mut out, &mut errors) {
        Ok(code) => code,
        Err(error) => {
            let _ = writeln!(errors, "redshank-agent: {error:#}");
            ExitCode::FAILURE
        }
    }
}
