//! The agent's program: see the library.

use std::io::Write as _;
use std::process::ExitCode;

use redshank_agent::cli::Cli;

fn main() -> ExitCode {
    let (mut out, mut errors) = (std::io::stdout(), std::io::stderr());
    // Not locked: `native-host` reads it on a thread of its own.
    let input = std::io::BufReader::new(std::io::stdin());
    match Cli::from_arguments(std::env::args_os()).run(input, &mut out, &mut errors) {
        Ok(code) => code,
        Err(error) => {
            let _ = writeln!(errors, "redshank-agent: {error:#}");
            ExitCode::FAILURE
        }
    }
}
