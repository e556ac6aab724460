//! What a minimised observation means under the policy in force: an event, or nothing.
//!
//! | seen | becomes |
//! |---|---|
//! | a visit with a match of severity 3 to 5 | an urgent event, with what its user opened before |
//! | a visit with a lesser match | a routine event without context |
//! | a visit without a match | a routine event, address only, if policy wants visits; or nothing |
//! | a late title | an event only for rules that the visit itself did not match |
//!
//! # What always holds
//! - Title and search terms leave only beside a match; a snippet is at most
//!   [`bounds::SNIPPET_BYTES`] round it.
//! - Context is in memory only, the last [`bounds::CONTEXT_VISITS`] visits of ten minutes for each
//!   user (`context`), and leaves only with a match of severity 3 or more.
//! - Of a page with a match of illegal imagery nothing leaves but the fact, the address and the
//!   times: no snippet of any of its matches, no title, no search terms, no context. That holds for
//!   its late title too, and for the page as context of another.
//! - A payload fits its bound: the oldest context is left out first, then the least severe matches.

mod context;
mod matches;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use prost::Message as _;
use redshank_proto::clock::Clock;
use redshank_proto::id::Lane;
use redshank_proto::seal::SEAL_OVERHEAD;
use redshank_proto::{bounds, time, v1};

use self::context::Context;
use self::matches::Matches;
use crate::minimiser::Minimised;
use crate::observation::{Evidence, Transition};
use crate::policy::PolicyInForce;
use crate::spool::{Captured, FoldKey};

/// The least severity that goes by the urgent lane, and takes context with it.
const URGENT: u8 = 3;
/// Bytes left free in a payload for what a fold adds: a count and a time.
const FOLD_BYTES: usize = 64;
/// Bytes of a payload before it is sealed.
const PAYLOAD_BYTES: usize = bounds::SEALED_PAYLOAD_BYTES - SEAL_OVERHEAD - FOLD_BYTES;

/// Judges observations in the order in which they come; remembers the last few for their context.
#[derive(Debug)]
pub struct Judge {
    clock: Arc<dyn Clock>,
    context: Context,
}

impl Judge {
    /// Makes one that remembers nothing.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, context: Context::default() }
    }

    /// Judges an observation; `None` if nothing of it leaves the device.
    pub fn judge(&mut self, policy: &PolicyInForce, seen: &Minimised) -> Option<Captured> {
        let matches = Matches::find(policy.matcher(), seen);
        let severity = matches.severity();
        let context = if severity >= URGENT && !matches.is_illegal() {
            self.context.before(seen)
        } else {
            Vec::new()
        };
        self.context.remember(seen, matches.is_illegal());
        if matches.is_empty() && (seen.is_late_title() || !policy.report_visits()) {
            return None;
        }

        let evidence: Vec<_> = seen.evidence().iter().map(|piece| to_wire(policy, piece)).collect();
        let visit = visit(seen, !matches.is_empty() && !matches.is_illegal());
        let fold = (!matches.is_empty()).then(|| fold_key(&evidence, &matches, &visit));
        let payload = v1::EventPayload {
            occurred_at: Some(time::to_wire(seen.occurred_at())),
            observed_at: Some(time::to_wire(self.clock.now())),
            boot_id: self.clock.boot_id().map(Vec::from).unwrap_or_default(),
            since_boot: Some(time::duration_to_wire(self.clock.since_boot())),
            evidence,
            policy_serial: policy.serial(),
            matches: matches.into_wire(),
            context,
            content: Some(v1::event_payload::Content::Visit(visit)),
            ..Default::default()
        };
        let lane = if severity >= URGENT { Lane::Urgent } else { Lane::Routine };
        Some(Captured { lane, severity, fold, payload: fitted(payload) })
    }
}

fn to_wire(policy: &PolicyInForce, piece: &Evidence) -> v1::Evidence {
    let (method, value) = match piece {
        Evidence::OsUser(name) if policy.is_shared_login(name) => {
            (v1::AttributionMethod::SharedLogin, name)
        }
        Evidence::OsUser(name) => (v1::AttributionMethod::SignedIn, name),
    };
    // The owner of a folder is known by the machine itself; which directory vouches for him, it does not say.
    v1::Evidence { method: method.into(), value: value.clone(), authority: String::new() }
}

fn visit(seen: &Minimised, with_words: bool) -> v1::Visit {
    let words = |text: Option<&str>| text.filter(|_| with_words).map(str::to_owned);
    v1::Visit {
        browser: seen.browser().to_owned(),
        profile: seen.profile().to_owned(),
        address: seen.address().text().to_owned(),
        title: words(seen.title()),
        search_terms: words(seen.search_terms()),
        transition: transition(seen.transition()).into(),
    }
}

fn transition(transition: Transition) -> v1::Transition {
    match transition {
        Transition::Link => v1::Transition::Link,
        Transition::Typed => v1::Transition::Typed,
        Transition::Bookmark => v1::Transition::Bookmark,
        Transition::Subframe => v1::Transition::Subframe,
        Transition::FormSubmit => v1::Transition::FormSubmit,
        Transition::Reload => v1::Transition::Reload,
        Transition::Redirect => v1::Transition::Redirect,
        Transition::Download => v1::Transition::Download,
        Transition::Search => v1::Transition::Search,
        Transition::Other => v1::Transition::Unspecified,
    }
}

/// Two events are repeats if person, rules, words and address are the same: the address too, so
/// that no worrying page vanishes behind another.
fn fold_key(evidence: &[v1::Evidence], matches: &Matches, visit: &v1::Visit) -> FoldKey {
    let mut parts: Vec<Vec<u8>> = vec![visit.address.clone().into_bytes()];
    parts.extend(evidence.iter().map(v1::Evidence::encode_to_vec));
    parts.extend(matches.wire().iter().map(v1::Match::encode_to_vec));
    for words in [&visit.title, &visit.search_terms] {
        parts.push(words.clone().unwrap_or_default().into_bytes());
    }
    FoldKey::of(parts.iter().map(Vec::as_slice))
}

fn fitted(mut payload: v1::EventPayload) -> v1::EventPayload {
    while payload.encoded_len() > PAYLOAD_BYTES {
        if !payload.context.is_empty() {
            payload.context.remove(0);
        } else if payload.matches.pop().is_none() {
            break;
        }
    }
    payload
}
