//! From the steps of a name server to one entry for each query.
//!
//! A name server writes that a client asks, and in a later line what it decided. What it decides by its own
//! configuration it decides at once, so that line is the next that the same process or thread writes. So
//! each query is held back until that thread's next line: if it is the verdict on this query, the entry is
//! blocked; any other line lets it go. At most [`MOST_THREADS`] are held back; more let the oldest go.
//!
//! Where the log has replies but no queries (unbound with `log-replies` alone), each reply is an entry. That
//! is known by the queries: as soon as one was seen, replies count no more. A reader that starts between
//! a query and its reply counts that one twice.
//!
//! # What it cannot know
//! A verdict that comes later than the next line, of an upstream filter for instance, is not in the log in
//! any form that is told apart from a name that does not exist; such a query is allowed here.

use std::collections::VecDeque;

use super::{Entry, Was};
use crate::observation::Action;

/// Processes and threads of a name server of which one query each is held back.
pub const MOST_THREADS: usize = 64;

/// One step of a name server in answering clients.
#[derive(Debug, Clone, PartialEq)]
pub struct Step<'a> {
    /// The process or thread that wrote it.
    pub thread: u64,
    /// What it is.
    pub kind: Kind<'a>,
}

/// The kinds of step.
#[derive(Debug, Clone, PartialEq)]
pub enum Kind<'a> {
    /// A client asks.
    Query(Entry<'a>),
    /// The server's own configuration decides; the entry has the action and what is known of the reason.
    /// dnsmasq does not repeat the client.
    Verdict(Entry<'a>),
    /// The client was answered.
    Reply(Entry<'a>),
    /// Anything else.
    Other,
}

/// Queries that are held back, and whether there are any queries in this log.
#[derive(Debug, Default)]
pub struct Lookups {
    queries_seen: bool,
    /// The oldest first.
    held: VecDeque<(u64, Entry<'static>)>,
}

impl Lookups {
    /// Takes the next step; `out` gets the entries that are complete by it.
    pub fn next(&mut self, step: Step<'_>, out: &mut impl FnMut(Entry<'_>)) -> Was {
        let at = self.held.iter().position(|(thread, _)| *thread == step.thread);
        match step.kind {
            Kind::Query(entry) => {
                self.let_go(at, out);
                self.queries_seen = true;
                self.hold(step.thread, entry, out);
                Was::Request
            }
            Kind::Verdict(verdict) => {
                if let Some((_, held)) = at.and_then(|at| self.held.get_mut(at))
                    && is_on(&verdict, held)
                {
                    let verdict = verdict.into_owned();
                    if verdict.action == Action::Blocked {
                        held.action = Action::Blocked;
                    }
                    held.category = verdict.category.or(held.category.take());
                    held.reason = verdict.reason.or(held.reason.take());
                    return Was::Nothing;
                }
                self.let_go(at, out);
                if self.queries_seen || verdict.client.is_none() {
                    return Was::Nothing;
                }
                self.hold(step.thread, verdict, out);
                Was::Request
            }
            Kind::Reply(reply) => {
                let answered = at
                    .and_then(|at| self.held.get(at))
                    .is_some_and(|(_, held)| is_on(&reply, held));
                if answered
                    && reply.action == Action::Blocked
                    && let Some((_, held)) = at.and_then(|at| self.held.get_mut(at))
                {
                    held.action = Action::Blocked;
                    if held.reason.is_none() {
                        held.reason = reply.into_owned().reason;
                    }
                    self.let_go(at, out);
                    return Was::Nothing;
                }
                self.let_go(at, out);
                if answered || self.queries_seen {
                    return Was::Nothing;
                }
                out(reply);
                Was::Request
            }
            Kind::Other => {
                self.let_go(at, out);
                Was::Nothing
            }
        }
    }

    /// Whether anything is held back.
    #[must_use]
    pub fn holds_back(&self) -> bool {
        !self.held.is_empty()
    }

    /// Hands out what was held back.
    pub fn flush(&mut self, out: &mut impl FnMut(Entry<'_>)) {
        self.held.drain(..).for_each(|(_, entry)| out(entry));
    }

    fn hold(&mut self, thread: u64, entry: Entry<'_>, out: &mut impl FnMut(Entry<'_>)) {
        if self.held.len() >= MOST_THREADS {
            self.let_go(Some(0), out);
        }
        self.held.push_back((thread, entry.into_owned()));
    }

    fn let_go(&mut self, at: Option<usize>, out: &mut impl FnMut(Entry<'_>)) {
        if let Some((_, entry)) = at.and_then(|at| self.held.remove(at)) {
            out(entry);
        }
    }
}

/// Whether a step is about a query that is held back.
fn is_on(step: &Entry<'_>, held: &Entry<'_>) -> bool {
    step.target == held.target && (step.client.is_none() || step.client == held.client)
}
