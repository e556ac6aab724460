//! Every way in which a connection or a stream can end, and what follows from it.
//!
//! Nothing that a collector, a clock or a box in between does makes an agent forget its identity, its
//! spool or its policy. What follows is only when to try again, and what to tell the technician.

use redshank_proto::tls::ConnectError;
use tonic::{Code, Status};

use super::backoff::Pace;
use super::session::Fault;
use super::transport::plain;
use crate::spool::SpoolError;

/// How it ended.
#[derive(Debug, thiserror::Error)]
pub enum Ending {
    /// There was no connection.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The stream ended with a status.
    #[error("the collector ended the stream: {} ({:?})", plain(.0.message()), .0.code())]
    Status(#[from] Status),
    /// The stream ended without one.
    #[error("the collector closed the stream")]
    Closed,
    /// The collector did not answer in time.
    #[error("the collector took the connection and then did not answer")]
    Silent,
    /// The collector said what it may not.
    #[error("{0}")]
    Fault(#[from] Fault),
    /// The certificate is due for renewal.
    #[error("the certificate is due for renewal")]
    RenewalDue,
    /// The spool failed.
    #[error(transparent)]
    Spool(#[from] SpoolError),
    /// TLS could not be set up from what the state folder and the settings hold.
    #[error("TLS cannot be set up: {0}")]
    Setup(String),
}

/// What follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Try again.
    Retry,
    /// Renew the certificate, then try again.
    RenewThenRetry,
    /// This device is not wanted: keep everything and go on trying, slowly.
    Refused,
    /// Something in between, or the set-up, must be put right by a technician: tell, and go on trying.
    Intercepted,
    /// The collector has enough to do, or another stream of this device took over: leave it in peace.
    SlowDown,
    /// The spool must be opened anew, which the next start of the agent does.
    EndRun,
}

impl Outcome {
    /// How soon the next try comes.
    #[must_use]
    pub fn pace(self) -> Pace {
        match self {
            Self::Retry | Self::RenewThenRetry | Self::Intercepted => Pace::Normal,
            Self::SlowDown => Pace::Yielding,
            Self::Refused | Self::EndRun => Pace::Slow,
        }
    }
}

/// What follows from an ending; `expired` says whether the device's certificate has run out.
#[must_use]
pub fn outcome(ending: &Ending, expired: bool) -> Outcome {
    match ending {
        Ending::Connect(error) => match error {
            ConnectError::Intercepted { .. } | ConnectError::WrongName { .. } => {
                Outcome::Intercepted
            }
            // A collector that refuses our certificate during the handshake does not say why.
            ConnectError::Tls { .. } if expired => Outcome::RenewThenRetry,
            ConnectError::Address(_)
            | ConnectError::Unreachable { .. }
            | ConnectError::Timeout { .. }
            | ConnectError::WrongTime { .. }
            | ConnectError::Tls { .. } => Outcome::Retry,
        },
        Ending::Status(status) => match status.code() {
            Code::PermissionDenied => Outcome::Refused,
            Code::Unauthenticated => Outcome::RenewThenRetry,
            // With TLS 1.3 a refused certificate shows as a connection that breaks.
            Code::Unavailable | Code::Unknown | Code::Cancelled | Code::Internal if expired => {
                Outcome::RenewThenRetry
            }
            // A newer stream of this device. Two that fight for the place are a cloned disk.
            Code::Aborted => Outcome::SlowDown,
            Code::ResourceExhausted => Outcome::SlowDown,
            // Versions that do not fit each other: time mends that, insisting does not.
            Code::Unimplemented | Code::FailedPrecondition | Code::InvalidArgument => {
                Outcome::SlowDown
            }
            Code::Ok
            | Code::Cancelled
            | Code::Unknown
            | Code::DeadlineExceeded
            | Code::NotFound
            | Code::AlreadyExists
            | Code::OutOfRange
            | Code::Internal
            | Code::Unavailable
            | Code::DataLoss => Outcome::Retry,
        },
        Ending::RenewalDue => Outcome::RenewThenRetry,
        Ending::Closed | Ending::Silent | Ending::Setup(_) => Outcome::Retry,
        Ending::Fault(_) => Outcome::SlowDown,
        Ending::Spool(error) if error.is_transient() => Outcome::Retry,
        Ending::Spool(_) => Outcome::EndRun,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_ending_has_its_outcome() {
        use Outcome::{Intercepted, Refused, RenewThenRetry, Retry, SlowDown};

        let host = || "collector:7443".to_owned();
        let tls = || ConnectError::Tls { host: host(), reason: String::new() };
        let status = |code| Ending::from(Status::new(code, ""));
        let table: [(Ending, Outcome, Outcome); 27] = [
            // How it ended, what follows while the certificate is good, and once it has run out.
            (ConnectError::Address(host()).into(), Retry, Retry),
            (
                ConnectError::Unreachable { host: host(), reason: String::new() }.into(),
                Retry,
                Retry,
            ),
            (ConnectError::Timeout { host: host() }.into(), Retry, Retry),
            (
                ConnectError::Intercepted { host: host(), issuer: String::new() }.into(),
                Intercepted,
                Intercepted,
            ),
            (ConnectError::WrongName { host: host() }.into(), Intercepted, Intercepted),
            (ConnectError::WrongTime { host: host() }.into(), Retry, Retry),
            (tls().into(), Retry, RenewThenRetry),
            (status(Code::Ok), Retry, Retry),
            (status(Code::Cancelled), Retry, RenewThenRetry),
            (status(Code::Unknown), Retry, RenewThenRetry),
            (status(Code::InvalidArgument), SlowDown, SlowDown),
            (status(Code::DeadlineExceeded), Retry, Retry),
            (status(Code::NotFound), Retry, Retry),
            (status(Code::AlreadyExists), Retry, Retry),
            (status(Code::PermissionDenied), Refused, Refused),
            (status(Code::ResourceExhausted), SlowDown, SlowDown),
            (status(Code::FailedPrecondition), SlowDown, SlowDown),
            (status(Code::Aborted), SlowDown, SlowDown),
            (status(Code::OutOfRange), Retry, Retry),
            (status(Code::Unimplemented), SlowDown, SlowDown),
            (status(Code::Internal), Retry, RenewThenRetry),
            (status(Code::Unavailable), Retry, RenewThenRetry),
            (status(Code::DataLoss), Retry, Retry),
            (status(Code::Unauthenticated), RenewThenRetry, RenewThenRetry),
            (Ending::Closed, Retry, Retry),
            (Ending::Fault(Fault::NotSent), SlowDown, SlowDown),
            (Ending::RenewalDue, RenewThenRetry, RenewThenRetry),
        ];
        for (ending, good, expired) in table {
            assert_eq!(outcome(&ending, false), good, "{ending:?}");
            assert_eq!(outcome(&ending, true), expired, "{ending:?}, expired");
        }
        assert_eq!(outcome(&Ending::Silent, true), Retry);
        assert_eq!(outcome(&SpoolError::Full("spool".into()).into(), false), Retry);
        assert_eq!(outcome(&SpoolError::InUse("spool".into()).into(), false), Outcome::EndRun);
        assert_eq!(outcome(&Ending::Setup(String::new()), true), Retry);
    }

    #[test]
    fn an_ending_says_one_printable_line() {
        let ending = Ending::from(Status::unavailable(format!("a\nb{}", "é".repeat(1_000))));
        let line = ending.to_string();
        assert!(line.len() < 400 && !line.contains('\n'), "{line}");
    }
}
