//! How well the extensions see: coverage for each browser of each account, and for the socket itself.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use data_encoding::HEXLOWER;
use tokio::sync::watch;

use super::users::key_of;
use crate::observation::Source;
use crate::sources::{Coverage, State, publish};

/// Browsers of accounts that are reported at once; a health report holds 256 inputs of all sources.
const MOST: usize = 96;
/// The browsers that are reported by name: those whose histories are followed, and the same names.
const BROWSERS: [&str; 8] =
    ["Chrome", "Edge", "Chromium", "Firefox", "Brave", "Opera", "Vivaldi", "Safari"];
/// What any other is called: its own name is its extension's word, and not for a report.
const OTHER: &str = "Browser";

/// What is known of one browser of one account since the agent's start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Standing {
    /// The extension speaks another version of the messages.
    pub(super) other_protocol: bool,
    /// Sessions that are connected.
    connected: u32,
    /// All of them may run in private windows, or the last one might.
    private_windows: bool,
    /// Items that it gave up.
    pub(super) lost: u64,
    /// Messages and items of it that were no use.
    pub(super) malformed: u64,
}

/// Collects and publishes coverage.
#[derive(Debug, Clone)]
pub(super) struct Report(Arc<Mutex<Inner>>);

#[derive(Debug)]
struct Inner {
    out: watch::Sender<Vec<Coverage>>,
    socket: State,
    refused: u64,
    browsers: BTreeMap<String, Standing>,
}

impl Report {
    pub(super) fn new(out: watch::Sender<Vec<Coverage>>) -> Self {
        let inner = Inner { out, socket: State::Ok, refused: 0, browsers: BTreeMap::new() };
        Self(Arc::new(Mutex::new(inner)))
    }

    /// The socket's own state.
    pub(super) fn socket(&self, state: State) {
        self.change(|inner| inner.socket = state);
    }

    /// A connection found no place.
    pub(super) fn refused(&self) {
        self.change(|inner| inner.refused = inner.refused.saturating_add(1));
    }

    /// Something new of one browser of one account.
    pub(super) fn browser(&self, label: &str, change: impl FnOnce(&mut Standing)) {
        self.change(|inner| {
            if inner.browsers.len() < MOST || inner.browsers.contains_key(label) {
                change(inner.browsers.entry(label.to_owned()).or_default());
            }
        });
    }

    fn change(&self, change: impl FnOnce(&mut Inner)) {
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut inner);
        let all = inner.coverage();
        publish(&inner.out, all);
    }
}

impl Inner {
    fn coverage(&self) -> Vec<Coverage> {
        let coverage = |input: &str, state| Coverage {
            source: Source::BrowserExtension,
            input: input.to_owned(),
            state,
        };
        let socket = match (&self.socket, self.refused) {
            (State::Ok, 1..) => State::Degraded(format!(
                "{} connections found no place: more than an account or the device may have",
                coarse(self.refused)
            )),
            (state, _) => state.clone(),
        };
        let browsers = self.browsers.iter().map(|(label, it)| coverage(label, it.state()));
        std::iter::once(coverage("Browser extensions", socket)).chain(browsers).collect()
    }
}

impl Standing {
    /// A session has begun.
    pub(super) fn here(&mut self, private_windows: bool) {
        self.other_protocol = false;
        self.private_windows = private_windows && (self.connected == 0 || self.private_windows);
        self.connected = self.connected.saturating_add(1);
    }

    /// A session has ended.
    pub(super) fn gone(&mut self) {
        self.connected = self.connected.saturating_sub(1);
    }

    fn state(self) -> State {
        if self.other_protocol {
            let reason =
                "its extension and this agent are of versions that do not understand each other";
            return State::Blind(reason.to_owned());
        }
        let mut reasons = Vec::new();
        if !self.private_windows {
            reasons.push(
                "private windows are not covered: the extension may not run there".to_owned(),
            );
        }
        if self.lost > 0 {
            reasons.push(format!("{} items were given up while the agent was away", self.lost));
        }
        if self.malformed > 0 {
            let malformed = coarse(self.malformed);
            reasons.push(format!("{malformed} or more items could not be understood"));
        }
        if reasons.is_empty() { State::Ok } else { State::Degraded(reasons.join("; ")) }
    }
}

/// Rounds down to a power of two: who makes a number grow does not make a report each time.
fn coarse(count: u64) -> u64 {
    count.checked_ilog2().map_or(0, |power| 1 << power)
}

/// Names a browser of an account in its coverage; the account by a number alone.
pub(super) fn label(browser: &str, account: &str) -> String {
    let browser = known_browser(browser);
    let digest = HEXLOWER.encode(&key_of(account).to_be_bytes());
    format!("{browser} extension #{}", &digest[..8])
}

/// The name under which a browser is reported.
pub(super) fn known_browser(name: &str) -> &'static str {
    let known = BROWSERS.into_iter().find(|known| known.eq_ignore_ascii_case(name.trim()));
    known.unwrap_or(OTHER)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_standing_says_all_that_is_missing() {
        let fine = Standing { private_windows: true, ..Standing::default() };
        for (standing, expected) in [
            (fine, State::Ok),
            (
                Standing { lost: 12, ..fine },
                degraded("12 items were given up while the agent was away"),
            ),
            (
                Standing { malformed: 5, ..Standing::default() },
                degraded(
                    "private windows are not covered: the extension may not run there; \
                     4 or more items could not be understood",
                ),
            ),
        ] {
            assert_eq!(standing.state(), expected);
        }
        let other = Standing { other_protocol: true, lost: u64::MAX, ..fine };
        assert!(matches!(other.state(), State::Blind(_)));
        let worst = Standing { lost: u64::MAX, malformed: u64::MAX, ..Standing::default() };
        let State::Degraded(reason) = worst.state() else { panic!("{worst:?}") };
        assert!(reason.len() <= 256, "{}", reason.len());
    }

    #[test]
    fn one_profile_without_private_windows_is_enough_to_say_so() {
        let mut standing = Standing::default();
        standing.here(true);
        assert_eq!(standing.state(), State::Ok);
        standing.here(false);
        assert!(matches!(standing.state(), State::Degraded(_)));
        standing.gone();
        standing.gone();
        standing.here(true);
        assert_eq!(standing.state(), State::Ok);
    }

    #[test]
    fn a_label_holds_no_account_and_no_name_of_the_peers() {
        let label = label("My <b>name</b>", "amy");
        assert!(label.starts_with("Browser extension #"), "{label}");
        assert!(!label.contains("amy"));
        assert_eq!(known_browser("firefox "), "Firefox");
    }

    #[test]
    fn the_report_is_bounded_and_published_when_it_changes() {
        let out = watch::Sender::new(Vec::new());
        let mut seen = out.subscribe();
        let report = Report::new(out);
        for number in 0..2 * MOST {
            report.browser(&format!("Chrome extension #{number}"), |it| it.malformed = 1);
        }
        assert_eq!(seen.borrow_and_update().len(), MOST + 1);
        report.browser("Chrome extension #0", |it| it.malformed = 1);
        assert!(!seen.has_changed().unwrap());
        report.refused();
        let socket = seen.borrow_and_update()[0].clone();
        assert!(matches!(socket.state, State::Degraded(_)), "{socket:?}");
    }

    fn degraded(reason: &str) -> State {
        State::Degraded(reason.to_owned())
    }
}
