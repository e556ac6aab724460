//! The starts of this installation, as its collector tells a cloned disk by them.
//!
//! The file `runs` holds the last run that a collector welcomed (an empty line if none) and, one a line, those
//! begun since. A disk that is cloned takes the file along: both copies then follow the same welcomed run with
//! runs of their own, and neither names the other's.

use redshank_proto::bounds;
use redshank_proto::id::RunId;

/// This start, and those before it that matter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Runs {
    /// This start.
    pub run: RunId,
    /// The last run that was welcomed.
    pub previous: Option<RunId>,
    /// The runs begun since and before this one, newest last; at most [`bounds::RUNS_SINCE`].
    pub since: Vec<RunId>,
}

/// What the file holds.
#[derive(Debug, Default)]
pub(super) struct Remembered {
    welcomed: Option<RunId>,
    since: Vec<RunId>,
}

impl Runs {
    /// Reads the file. A damaged line counts for none: at worst the collector marks a fork that a technician
    /// resolves.
    pub(super) fn parse(text: &[u8]) -> Remembered {
        let text = String::from_utf8_lossy(text);
        let mut lines = text.lines();
        let welcomed = lines.next().and_then(|line| line.trim().parse().ok());
        Remembered { welcomed, since: lines.filter_map(|line| line.trim().parse().ok()).collect() }
    }

    /// The file while this run has not been welcomed.
    pub(super) fn remembered(&self) -> String {
        let first = self.previous.map_or_else(String::new, |run| run.to_string());
        let since = self.since.iter().chain([&self.run]).map(|run| format!("\n{run}"));
        first + &since.collect::<String>()
    }

    /// The file once it has been.
    pub(super) fn welcomed(&self) -> String {
        self.run.to_string()
    }
}

impl Remembered {
    pub(super) fn begin(mut self, run: RunId) -> Runs {
        let surplus = self.since.len().saturating_sub(bounds::RUNS_SINCE);
        self.since.drain(..surplus);
        Runs { run, previous: self.welcomed, since: self.since }
    }
}

#[cfg(test)]
mod tests {
    use redshank_proto::clock::System;

    use super::*;

    #[test]
    fn a_run_follows_the_last_one_welcomed_and_names_those_since() {
        let draw = || RunId::draw(&System);
        let (a, b, c) = (draw(), draw(), draw());
        let first = Remembered::default().begin(a);
        assert_eq!(first, Runs { run: a, previous: None, since: vec![] });
        let second = Runs::parse(first.remembered().as_bytes()).begin(b);
        assert_eq!(second, Runs { run: b, previous: None, since: vec![a] });
        let third = Runs::parse(second.welcomed().as_bytes()).begin(c);
        assert_eq!(third, Runs { run: c, previous: Some(b), since: vec![] });
    }

    #[test]
    fn years_offline_are_bounded() {
        let mut runs = Remembered::default().begin(RunId::draw(&System));
        for _ in 0..200 {
            runs = Runs::parse(runs.remembered().as_bytes()).begin(RunId::draw(&System));
            assert!(runs.since.len() <= bounds::RUNS_SINCE);
        }
    }
}
