//! One stream's conversation, without the stream: messages and the time go in, actions come out.
//!
//! # What always holds
//! - Nothing is sent before the collector's `Welcome`, but our `Hello`.
//! - Urgent goes first: whenever the urgent lane may hold something, that is what is asked for next.
//! - At most a window of routine bytes is unacknowledged. One event larger than the window goes alone.
//! - The key of an epoch stands before the first event of that epoch.
//! - An acknowledgement counts only for what was sent on this stream, in the log generation that the
//!   `Welcome` named. Anything else ends the stream, and nothing is settled by it.
//! - A pause asked for is for routine alone and has an end.
//!
//! A session lives as long as its stream. The next one begins at the first waiting event, so that what
//! was sent and not settled is sent again.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use redshank_proto::id::{CheckId, Epoch, Generation, Lane, Position};
use redshank_proto::v1::{report_request, report_response};
use redshank_proto::{bounds, time, v1};

/// Bytes of sealed payload in one batch: an eighth of what is allowed, so that little stands in memory
/// and before the next urgent event.
const BATCH_BYTES: usize = bounds::BATCH_BYTES / 8;
/// A collector that asks more often for a check has one answer a second.
const CHECK_EVERY: Duration = Duration::from_secs(1);

/// One event to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offered {
    /// Its identity.
    pub position: Position,
    /// As the spool holds it.
    pub sealed_payload: Vec<u8>,
}

/// What the session would send next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Want {
    /// Of this lane.
    pub lane: Lane,
    /// So many events at most.
    pub max_events: usize,
    /// So many bytes of sealed payload at most.
    pub max_bytes: usize,
}

/// What is to go out for what was offered.
#[derive(Debug, Default, PartialEq)]
pub struct Outgoing {
    /// The messages, in their order.
    pub messages: Vec<v1::ReportRequest>,
    /// How many of the offered events are in them, from the first on.
    pub taken: usize,
}

/// What has become of events of one epoch and lane.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settlement {
    /// The log they are in.
    pub generation: Generation,
    /// Their epoch.
    pub epoch: Epoch,
    /// Their lane.
    pub lane: Lane,
    /// All up to and with this sequence.
    pub settled_through: u64,
    /// But these were refused: sequence, and the reason's number.
    pub rejected: Vec<(u64, i32)>,
}

/// What is to be done about a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// The collector's log has this generation; events may be sent.
    Meet(Generation),
    /// Events are settled.
    Settle(Settlement),
    /// A newer policy is there to be fetched.
    FetchPolicy,
    /// The self-check is asked for.
    Check(CheckId),
}

/// A message that a sound collector does not send.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The first message was another than `Welcome`.
    #[error("the collector's first message is no Welcome")]
    BeforeWelcome,
    /// `Welcome` came twice.
    #[error("the collector said Welcome twice")]
    WelcomeTwice,
    /// A field is malformed or past its bound.
    #[error("the collector's {0} is malformed")]
    Malformed(&'static str),
    /// The log changed under the stream.
    #[error("the collector acknowledges for another log generation than its Welcome named")]
    OtherGeneration,
    /// Something was acknowledged that was not sent here.
    #[error("the collector acknowledges events that were not sent on this stream")]
    NotSent,
}

/// The conversation on one stream.
#[derive(Debug)]
pub struct Session {
    policy: PolicyState,
    generation: Option<Generation>,
    window: usize,
    /// Whether each lane may hold something that was not looked at; urgent first.
    may_wait: [bool; 2],
    announced: BTreeSet<Epoch>,
    /// The highest sequence sent in each epoch and lane.
    sent: BTreeMap<(Epoch, Lane), u64>,
    /// Routine events that are not settled: epoch, sequence, bytes.
    in_flight: VecDeque<(Epoch, u64, usize)>,
    /// Whether the next routine event is larger than the window has room for.
    held_back: bool,
    paused_until: Duration,
    checked: Option<Duration>,
}

#[derive(Debug)]
struct PolicyState {
    held: u64,
    offered: u64,
    fetching: bool,
}

impl Session {
    /// Begins; `policy_serial` is of the policy in force, 0 if none.
    #[must_use]
    pub fn new(policy_serial: u64) -> Self {
        Self {
            policy: PolicyState { held: policy_serial, offered: 0, fetching: false },
            generation: None,
            window: 0,
            may_wait: [true; 2],
            announced: BTreeSet::new(),
            sent: BTreeMap::new(),
            in_flight: VecDeque::new(),
            held_back: false,
            paused_until: Duration::ZERO,
            checked: None,
        }
    }

    /// Whether the collector has said `Welcome`.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.generation.is_some()
    }

    /// Takes a message of the collector; `now` is time since any fixed moment.
    ///
    /// # Errors
    /// [`Fault`]: the stream is to be ended.
    pub fn received(
        &mut self,
        response: v1::ReportResponse,
        now: Duration,
    ) -> Result<Vec<Action>, Fault> {
        use report_response::Message;

        // A kind of message that this version does not know is none of its business.
        let Some(message) = response.message else { return Ok(Vec::new()) };
        let Some(generation) = self.generation else {
            let Message::Welcome(welcome) = message else { return Err(Fault::BeforeWelcome) };
            return self.welcome(&welcome);
        };
        match message {
            Message::Welcome(_) => Err(Fault::WelcomeTwice),
            Message::Acknowledgement(acknowledgement) => {
                self.acknowledged(generation, acknowledgement)
            }
            Message::PolicyOffer(offer) => {
                self.policy.offered = self.policy.offered.max(offer.serial);
                Ok(self.fetch_policy())
            }
            Message::RunCheck(check) => self.check(&check, now),
            Message::SlowDown(slow_down) => {
                let pause = time::duration_from_wire(slow_down.pause.as_ref()).unwrap_or_default();
                self.paused_until = now + pause.min(bounds::LONGEST_SLOW_DOWN);
                Ok(Vec::new())
            }
        }
    }

    /// What to send next; `None` until something changes or a pause ends.
    #[must_use]
    pub fn wants(&self, now: Duration) -> Option<Want> {
        self.generation?;
        let [urgent, routine] = self.may_wait;
        let want = |lane, max_bytes| Want { lane, max_events: bounds::BATCH_EVENTS, max_bytes };
        if urgent {
            return Some(want(Lane::Urgent, BATCH_BYTES));
        }
        let room = self.room();
        let free = routine && !self.held_back && room > 0 && now >= self.paused_until;
        free.then(|| want(Lane::Routine, room))
    }

    /// When a pause ends, if one holds routine events back.
    #[must_use]
    pub fn pause_ends(&self, now: Duration) -> Option<Duration> {
        (self.is_open() && now < self.paused_until).then_some(self.paused_until)
    }

    /// Hears that something was put into the spool.
    pub fn appended(&mut self) {
        self.may_wait = [true; 2];
    }

    /// The epochs among `offered` whose keys this stream has not seen.
    #[must_use]
    pub fn unannounced(&self, offered: &[Offered]) -> BTreeSet<Epoch> {
        offered
            .iter()
            .map(|event| event.position.epoch)
            .filter(|epoch| !self.announced.contains(epoch))
            .collect()
    }

    /// Makes messages of what the spool had for `want`; `keys` are those of the unannounced epochs.
    ///
    /// Nothing offered means that the lane is empty. A first event larger than `want` asked for goes out
    /// alone, but a routine one only while nothing else is unacknowledged.
    pub fn send(
        &mut self,
        want: Want,
        offered: Vec<Offered>,
        keys: Vec<(Epoch, v1::EpochKey)>,
    ) -> Outgoing {
        if offered.is_empty() {
            self.may_wait[place(want.lane)] = false;
            return Outgoing::default();
        }
        let first = offered.first().map_or(0, |event| event.sealed_payload.len());
        if want.lane == Lane::Routine && first > want.max_bytes && !self.in_flight.is_empty() {
            self.held_back = true;
            return Outgoing::default();
        }
        let mut messages = Vec::new();
        for (epoch, key) in keys {
            if self.announced.insert(epoch) {
                messages.push(request(report_request::Message::EpochKey(key)));
            }
        }
        let mut bytes = 0;
        let mut events = Vec::new();
        for event in offered.into_iter().take(want.max_events) {
            bytes += event.sealed_payload.len();
            if bytes > want.max_bytes && !events.is_empty() {
                break;
            }
            events.push(self.note(event));
        }
        let taken = events.len();
        messages.push(request(report_request::Message::Events(v1::EventBatch { events })));
        Outgoing { messages, taken }
    }

    /// Hears how the fetching of a policy ended, and with which serial in force.
    pub fn policy_fetched(&mut self, held: u64) -> Vec<Action> {
        let moved = held > self.policy.held;
        self.policy.held = held;
        self.policy.fetching = false;
        // A collector that offers what it does not give is asked again with its next offer.
        if moved { self.fetch_policy() } else { Vec::new() }
    }

    fn welcome(&mut self, welcome: &v1::Welcome) -> Result<Vec<Action>, Fault> {
        let generation = Generation::try_from(welcome.log_generation.as_slice())
            .map_err(|_| Fault::Malformed("log generation"))?;
        self.generation = Some(generation);
        let window = welcome.routine_window_bytes.min(bounds::ROUTINE_WINDOW_BYTES);
        self.window = usize::try_from(window).unwrap_or(usize::MAX);
        Ok(vec![Action::Meet(generation)])
    }

    fn acknowledged(
        &mut self,
        generation: Generation,
        acknowledgement: v1::Acknowledgement,
    ) -> Result<Vec<Action>, Fault> {
        if acknowledgement.log_generation != generation.as_bytes() {
            return Err(Fault::OtherGeneration);
        }
        let settlements = acknowledgement
            .lanes
            .into_iter()
            .map(|lane| self.settlement(generation, &lane))
            .collect::<Result<Vec<_>, _>>()?;
        for settled in &settlements {
            if settled.lane == Lane::Routine {
                self.held_back = false;
                self.in_flight.retain(|(epoch, sequence, _)| {
                    *epoch != settled.epoch || *sequence > settled.settled_through
                });
            }
        }
        Ok(settlements.into_iter().map(Action::Settle).collect())
    }

    fn settlement(
        &self,
        generation: Generation,
        lane: &v1::LaneAcknowledgement,
    ) -> Result<Settlement, Fault> {
        let epoch = Epoch::try_from(lane.epoch.as_slice())
            .map_err(|_| Fault::Malformed("acknowledged epoch"))?;
        let settled_through = lane.settled_through;
        let rejected: Vec<_> =
            lane.rejected.iter().map(|event| (event.sequence, event.reason)).collect();
        let lane = Lane::from_number(lane.lane).ok_or(Fault::Malformed("acknowledged lane"))?;
        let sent = self.sent.get(&(epoch, lane)).ok_or(Fault::NotSent)?;
        if settled_through > *sent || rejected.iter().any(|(it, _)| *it > settled_through) {
            return Err(Fault::NotSent);
        }
        Ok(Settlement { generation, epoch, lane, settled_through, rejected })
    }

    fn check(&mut self, check: &v1::RunCheck, now: Duration) -> Result<Vec<Action>, Fault> {
        let id = CheckId::try_from(check.check_id.as_slice())
            .map_err(|_| Fault::Malformed("id of a check"))?;
        if self.checked.is_some_and(|last| now.saturating_sub(last) < CHECK_EVERY) {
            return Ok(Vec::new());
        }
        self.checked = Some(now);
        Ok(vec![Action::Check(id)])
    }

    fn fetch_policy(&mut self) -> Vec<Action> {
        if self.policy.fetching || self.policy.offered <= self.policy.held {
            return Vec::new();
        }
        self.policy.fetching = true;
        vec![Action::FetchPolicy]
    }

    /// Bytes of routine events that may go out.
    fn room(&self) -> usize {
        let in_flight = self.in_flight.iter().map(|(_, _, bytes)| bytes).sum();
        // An event larger than the window would otherwise wait for ever.
        if self.in_flight.is_empty() {
            self.window.max(1)
        } else {
            self.window.saturating_sub(in_flight)
        }
    }

    fn note(&mut self, event: Offered) -> v1::SealedEvent {
        let Position { epoch, lane, sequence } = event.position;
        let sent = self.sent.entry((epoch, lane)).or_default();
        *sent = sequence.max(*sent);
        if lane == Lane::Routine {
            self.in_flight.push_back((epoch, sequence, event.sealed_payload.len()));
        }
        v1::SealedEvent {
            epoch: epoch.to_vec(),
            lane: lane.number(),
            sequence,
            sealed_payload: event.sealed_payload,
        }
    }
}

/// Wraps one kind of message.
#[must_use]
pub fn request(message: report_request::Message) -> v1::ReportRequest {
    v1::ReportRequest { message: Some(message) }
}

fn place(lane: Lane) -> usize {
    match lane {
        Lane::Urgent => 0,
        Lane::Routine => 1,
    }
}

#[cfg(test)]
mod tests;
