//! What the agent can see of a device, each kind of sight in a module of its own.
//!
//! A source is a task: it sends [`Batch`](crate::observation::Batch)es into one bounded channel, goes
//! on from the [`Checkpoint`](crate::observation::Checkpoint)s that the spool kept for it, and says
//! through a watch channel how well it sees each of its inputs ([`Coverage`]). It judges nothing: what
//! is private, what matters and what leaves the device is decided behind it, in one place for all.

pub mod board;
pub mod extension;
pub mod history;
pub mod logs;
pub mod media;
pub mod programs;
pub mod search_terms;
pub(crate) mod signed_in;
mod watch;

use redshank_proto::v1;
use tokio::sync::watch as watch_channel;

use crate::observation::Source;

/// How well a source sees one of its inputs. Health, which a technician may read: it holds no
/// address, title, search or account name, and of a path at most a profile folder's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Coverage {
    /// The source that looks.
    pub source: Source,
    /// Names the input, stably across restarts: `Chrome Default #1f4a09c2` for a browser profile, where
    /// the number tells apart the profiles of several accounts without naming them. At most 128 bytes.
    pub input: String,
    /// How well it is seen.
    pub state: State,
}

/// How well an input is seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// All of it, in time.
    Ok,
    /// Not all of it, or late, for this reason; at most 256 bytes.
    Degraded(String),
    /// None of it, for this reason; at most 256 bytes.
    Blind(String),
}

/// Says how well a source sees, if that is news: nobody is woken for what is known.
pub(crate) fn publish(coverage: &watch_channel::Sender<Vec<Coverage>>, now: Vec<Coverage>) {
    coverage.send_if_modified(|before| {
        let changed = *before != now;
        *before = now;
        changed
    });
}

impl From<&Coverage> for v1::SourceHealth {
    fn from(coverage: &Coverage) -> Self {
        let (state, reason) = match &coverage.state {
            State::Ok => (v1::CoverageState::Ok, ""),
            State::Degraded(reason) => (v1::CoverageState::Degraded, reason.as_str()),
            State::Blind(reason) => (v1::CoverageState::Blind, reason.as_str()),
        };
        Self {
            source: coverage.source.as_str().to_owned(),
            input: coverage.input.clone(),
            state: state.into(),
            reason: reason.to_owned(),
        }
    }
}
