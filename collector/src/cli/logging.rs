//! The log: standard error, and our own words alone.
//!
//! `REDSHANK_LOG` says how much (`info` without it). Whatever it says, only what this project's own code
//! logs passes: a library at its finest prints headers, statements and bytes of messages, which may be
//! content. A panic's own message may be too (a slice out of bounds quotes the text), so that of a panic
//! only its place is told.

use std::panic::PanicHookInfo;

use anyhow::Context as _;
use tracing::Subscriber;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, registry};

/// Names how much is logged.
const LOG_VARIABLE: &str = "REDSHANK_LOG";
/// What the targets of all our crates begin with.
const OURS: &str = "redshank";

/// Logs to standard error from now on.
///
/// # Errors
/// If `REDSHANK_LOG` is not understood, or something else logs already.
pub fn log_to_stderr() -> anyhow::Result<()> {
    let wanted = std::env::var(LOG_VARIABLE).unwrap_or_else(|_| "info".to_owned());
    subscriber(&wanted, std::io::stderr)?.try_init()?;
    std::panic::set_hook(Box::new(tell_of_panic));
    Ok(())
}

fn tell_of_panic(panic: &PanicHookInfo<'_>) {
    let (file, line) = panic.location().map_or(("unknown", 0), |at| (at.file(), at.line()));
    tracing::error!(file, line, "a bug: something panicked; please report this line");
}

fn subscriber<W>(wanted: &str, writer: W) -> anyhow::Result<impl Subscriber + Send + Sync>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let filter = EnvFilter::try_new(wanted)
        .with_context(|| format!("{LOG_VARIABLE} is not understood; try `info` or `debug`"))?;
    Ok(registry()
        .with(filter)
        .with(filter_fn(|metadata| metadata.target().starts_with(OURS)))
        .with(tracing_subscriber::fmt::layer().with_writer(writer)))
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::{Arc, Mutex};

    use super::*;

    #[test]
    fn a_library_s_words_pass_at_no_level() {
        for wanted in ["trace", "info", "h2=trace,redshank_collector=info", "error"] {
            let said = said(wanted);
            assert!(said.contains("ours is told"), "{wanted}: {said}");
            assert!(!said.contains("a pupil"), "{wanted}: {said}");
        }
    }

    #[test]
    fn what_is_not_understood_is_told_with_the_way_out() {
        let error = subscriber("info=what=ever", std::io::stderr).err().unwrap();
        assert!(error.to_string().contains("REDSHANK_LOG"), "{error}");
    }

    #[test]
    fn a_panic_is_told_by_its_place_alone() {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(tell_of_panic));
        let said = said_during("error", || {
            assert!(std::panic::catch_unwind(|| panic!("a pupil's words")).is_err());
        });
        std::panic::set_hook(before);
        assert!(said.contains("logging.rs") && said.contains("panicked"), "{said}");
        assert!(!said.contains("pupil"), "{said}");
    }

    /// What the log has once everybody has spoken.
    fn said(wanted: &str) -> String {
        said_during(wanted, || {
            tracing::error!("ours is told");
            tracing::error!(target: "h2::codec", "a pupil's words");
            tracing::info!(target: "rusqlite", "a pupil's words");
            tracing::trace!(target: "hyper::proto", "a pupil's words");
        })
    }

    fn said_during(wanted: &str, speak: impl FnOnce()) -> String {
        let lines = Lines::default();
        let writer = lines.clone();
        let subscriber = subscriber(wanted, move || writer.clone()).unwrap();
        tracing::subscriber::with_default(subscriber, speak);
        let bytes = lines.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    #[derive(Debug, Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
}
