//! The uplink: brings what the spool holds to the collector, over one stream at a time.
//!
//! | module | what it settles |
//! |---|---|
//! | [`session`] | what is sent when, and what is believed of the answers; pure |
//! | `stream` | one stream's I/O |
//! | [`mod@outcome`] | what follows from each way in which it can end; pure |
//! | [`backoff`] | when the next try comes; pure |
//! | `transport` | what the generated clients speak over |
//!
//! # What always holds
//! - Nothing leaves the spool but by an acknowledgement on the stream that sent it.
//! - Whatever a collector answers, the agent keeps its identity, spool and policy and goes on trying:
//!   also one that is told it is revoked, for that may be a mistake. It only tries less often.
//! - An urgent event that comes while the uplink waits for its next try cuts the wait short, so that a
//!   network that is back is noticed; but tries stay ten seconds apart.
//! - The certificate is renewed before it runs out, and after ([`crate::enrolment::renewal`]).

pub mod backoff;
pub mod outcome;
pub mod session;
mod stream;
mod transport;

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use redshank_proto::clock::{Clock, Randomness};
use redshank_proto::tls::{self, HttpProxy, Identity, Target};
use redshank_proto::trust::Trust;
use redshank_proto::v1;
use rustls_pki_types::CertificateDer;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tonic::transport::Channel;

use self::backoff::{Backoff, Pace};
use self::outcome::{Ending, Outcome, outcome};
use self::stream::Desk;
pub use self::transport::{Transport, plain};
use crate::enrolment::{EnrolmentError, renewal};
use crate::health::Monitor;
use crate::policy::PolicyStore;
use crate::spool::Spool;
use crate::state::{DeviceIdentity, Installation, Runs, SchoolDir, StateDir};

/// Tries that urgent events bring forward begin no closer to each other than this.
const URGENT_APART: Duration = Duration::from_secs(10);

/// How the collector was last reached, for the technician.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reach {
    /// Whether a stream is open.
    pub connected: bool,
    /// When the collector last said something on a stream.
    pub last_contact: Option<Timestamp>,
    /// Why the last stream or try ended, in plain words.
    pub last_error: Option<String>,
    /// When that was.
    pub last_error_at: Option<Timestamp>,
}

/// What the uplink works with.
#[derive(Debug)]
pub struct Parts {
    /// The state folder.
    pub state: StateDir,
    /// The school's folder.
    pub school: SchoolDir,
    /// What enrolment settled.
    pub installation: Installation,
    /// The device's identity.
    pub identity: DeviceIdentity,
    /// Whom to trust.
    pub trust: Trust,
    /// Further roots for the collector's certificate.
    pub extra_roots: Vec<CertificateDer<'static>>,
    /// The way out of the school.
    pub proxy: Option<HttpProxy>,
    /// This start and those before it.
    pub runs: Runs,
    /// What the device says of itself.
    pub device: v1::DeviceDescription,
    /// What waits.
    pub spool: Arc<Spool>,
    /// The policy in force.
    pub policy: Arc<PolicyStore>,
    /// How the agent is.
    pub monitor: Monitor,
    /// Where to say how the collector was reached.
    pub reach: watch::Sender<Reach>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// For jitter.
    pub randomness: Arc<dyn Randomness>,
}

/// The connection to the collector, kept up.
#[derive(Debug)]
pub struct Uplink {
    state: StateDir,
    installation: Installation,
    identity: DeviceIdentity,
    trust: Trust,
    extra_roots: Vec<CertificateDer<'static>>,
    proxy: Option<HttpProxy>,
    desk: Desk,
    clock: Arc<dyn Clock>,
    randomness: Arc<dyn Randomness>,
    /// Where in the span for renewals this start falls.
    renewal_unit: f64,
    renewal_tried: Option<Instant>,
}

impl Uplink {
    /// Puts it together.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        let desk = Desk {
            state: parts.state.clone(),
            runs: parts.runs,
            device: parts.device,
            school: parts.school,
            spool: parts.spool,
            policy: parts.policy,
            monitor: parts.monitor,
            reach: parts.reach,
            clock: parts.clock.clone(),
        };
        Self {
            state: parts.state,
            installation: parts.installation,
            identity: parts.identity,
            trust: parts.trust,
            extra_roots: parts.extra_roots,
            proxy: parts.proxy,
            desk,
            clock: parts.clock,
            renewal_unit: parts.randomness.unit(),
            randomness: parts.randomness,
            renewal_tried: None,
        }
    }

    /// Reports until it is cancelled.
    ///
    /// # Errors
    /// [`Ending::Spool`] if the spool must be opened anew; a collector's doing never ends it.
    pub async fn run(mut self, cancel: CancellationToken) -> Result<(), Ending> {
        let mut backoff = Backoff::default();
        loop {
            let begun = Instant::now();
            let (ending, open) = tokio::select! {
                () = cancel.cancelled() => return Ok(()),
                ended = self.attempt() => ended,
            };
            let expired = renewal::is_expired(&self.identity, self.clock.now());
            let outcome = outcome(&ending, expired);
            self.tell(&ending, outcome);
            backoff.ended(open);
            let pace = match outcome {
                Outcome::EndRun => return Err(ending),
                // One reconnect a year, by our own wish: nothing to wait for.
                Outcome::RenewThenRetry if matches!(ending, Ending::RenewalDue) => {
                    self.renew().await;
                    continue;
                }
                Outcome::RenewThenRetry => {
                    self.renew().await;
                    outcome.pace()
                }
                Outcome::Retry | Outcome::Refused | Outcome::Intercepted | Outcome::SlowDown => {
                    outcome.pace()
                }
            };
            let wait = backoff.wait(pace, self.randomness.unit());
            tokio::select! {
                () = cancel.cancelled() => return Ok(()),
                () = tokio::time::sleep(wait) => {}
                () = self.something_urgent(begun), if pace == Pace::Normal => {}
            }
        }
    }

    /// Connects and reports; gives how it ended and how long the stream was open.
    async fn attempt(&mut self) -> (Ending, Duration) {
        let now = self.clock.now();
        if renewal::is_expired(&self.identity, now) || now >= self.renewal_due() {
            self.renew().await;
        }
        let url = self.installation.ingest_url.clone();
        match self.channel(&url, Some(self.identity.for_tls())).await {
            Ok(channel) => self.desk.report(channel, self.renewal_due()).await,
            Err(ending) => (ending, Duration::ZERO),
        }
    }

    /// When this start renews the certificate; a failed try puts it off while the certificate is good.
    fn renewal_due(&self) -> Timestamp {
        let (begin, end) = (self.identity.not_before(), self.identity.not_after());
        let due = renewal::due(begin, end, self.renewal_unit);
        let since = self.renewal_tried.map(|tried| tried.elapsed());
        match since.and_then(|since| renewal::RETRY.checked_sub(since)) {
            None => due,
            Some(rest) => due.max(self.clock.now().checked_add(rest).unwrap_or(due)),
        }
    }

    async fn renew(&mut self) {
        // A collector that takes no certificate of ours must not be asked for one each minute.
        let expired = renewal::is_expired(&self.identity, self.clock.now());
        let apart = if expired { URGENT_APART } else { renewal::RETRY };
        if self.renewal_tried.is_some_and(|tried| tried.elapsed() < apart) {
            return;
        }
        self.renewal_tried = Some(Instant::now());
        match self.try_to_renew().await {
            Ok((identity, trust)) => {
                tracing::info!(until = %identity.not_after(), "the certificate is renewed");
                self.identity = identity;
                self.desk.policy.believe(trust.clone());
                self.trust = trust;
            }
            Err(error) => {
                tracing::warn!(%error, "the certificate is not renewed; trying again");
                let now = self.clock.now();
                self.desk.reach.send_modify(|reach| {
                    reach.last_error = Some(format!("renewing the certificate: {error}"));
                    reach.last_error_at = Some(now);
                });
            }
        }
    }

    async fn try_to_renew(&self) -> Result<(DeviceIdentity, Trust), EnrolmentError> {
        let url = &self.installation.enrolment_url;
        let channel = self.channel(url, None).await.map_err(|ending| match ending {
            Ending::Connect(error) => EnrolmentError::Connect(error),
            other => EnrolmentError::Tls(other.to_string()),
        })?;
        let school = &self.desk.school;
        renewal::renew(&self.state, school, &self.identity, &self.trust, channel).await
    }

    async fn channel(&self, url: &str, identity: Option<Identity>) -> Result<Channel, Ending> {
        let target = Target::parse(url)?;
        let roots: Vec<_> =
            [self.trust.root()].into_iter().chain(self.extra_roots.iter().cloned()).collect();
        let dialer = tls::client(&roots, identity, self.clock.clone())
            .map_err(|error| Ending::Setup(error.to_string()))?
            .through(self.proxy.clone());
        Ok(dialer.channel(&target).await?)
    }

    fn tell(&self, ending: &Ending, outcome: Outcome) {
        match outcome {
            Outcome::Refused => tracing::error!(
                "{ending}; this device is refused or revoked: everything is kept, and it goes on trying"
            ),
            Outcome::Intercepted | Outcome::EndRun => tracing::error!("{ending}"),
            Outcome::Retry | Outcome::RenewThenRetry | Outcome::SlowDown => {
                tracing::warn!("{ending}");
            }
        }
        let now = self.clock.now();
        self.desk.reach.send_modify(|reach| {
            reach.connected = false;
            reach.last_error = Some(ending.to_string());
            reach.last_error_at = Some(now);
        });
    }

    /// Ends once an urgent event has been appended, but not too soon after the last try began.
    async fn something_urgent(&self, begun: Instant) {
        let urgent = async || {
            let spool = self.desk.spool.clone();
            let stats = tokio::task::spawn_blocking(move || spool.stats()).await;
            stats.ok().and_then(Result::ok).map_or(0, |stats| stats.urgent)
        };
        let mut appended = self.desk.spool.changed();
        let before = urgent().await;
        while appended.changed().await.is_ok() {
            if urgent().await > before {
                return tokio::time::sleep_until(begun + URGENT_APART).await;
            }
        }
        std::future::pending::<()>().await;
    }
}

#[cfg(test)]
mod tests;
