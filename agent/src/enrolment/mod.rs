//! How this device comes to have a certificate, and keeps one.
//!
//! # The exchange
//! 1. The token's text carries the SHA-256 of the school's trust bundle. The first connection takes any
//!    server, fetches that bundle, and believes it for its hash.
//! 2. The second connection is verified by the bundle's root (and an extra root, if one was given).
//!    Only there is the token's secret shown, together with a signing request for a key made here.
//! 3. The answer is held against the bundle: the chain must lead to its root, be for our key, and name a
//!    device of its school; the policy must be signed by one of its keys.
//!
//! # What always holds
//! - Everything is verified before anything is written, and the identity is written last
//!   ([`crate::state`]): an enrolment that fails leaves the device as it was.
//! - The key is kept from the first try on. Asking again with the same token and key gives the same
//!   device, so an answer that was lost costs nothing.
//! - A box that intercepts TLS sees the token's hash of a public bundle, never its secret.
//! - The time of enrolment is kept by both clocks, the collector's and the device's own; what each is
//!   for is told in [`Installation`]'s module.
//! - A device that is enrolled stays so: enrolling again takes `--again`, which makes a new key, because
//!   a cloned disk is what it is for.

mod certificate;
mod device;
pub mod renewal;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use rcgen::KeyPair;
use redshank_proto::clock::Clock;
use redshank_proto::id::{DeviceId, SchoolId};
use redshank_proto::tls::{self, ConnectError, HttpProxy, Target};
use redshank_proto::token::Token;
use redshank_proto::trust::{Trust, TrustError};
use redshank_proto::v1::enrolment_service_client::EnrolmentServiceClient;
use redshank_proto::{bounds, time, v1};
use rustls_pki_types::CertificateDer;
use tonic::{Code, Response, Status};

pub use self::certificate::CertificateError;
pub use self::device::describe;
use crate::policy::PolicyStore;
use crate::state::{Installation, SchoolDir, StateDir, StateError};
use crate::uplink::{Transport, plain};

/// A signed policy is the largest part of an answer; the rest is certificates and two bundles.
const ANSWER_BYTES: usize = bounds::POLICY_BYTES + 3 * bounds::TRUST_BUNDLE_BYTES;
/// A collector signs a certificate in milliseconds; a school's network may be slow.
const CALL_TIMEOUT: Duration = Duration::from_secs(30);

/// The generated client, with our bounds.
pub(crate) type Client<T> = EnrolmentServiceClient<T>;

/// What an enrolment needs.
#[derive(Debug)]
pub struct Enrolment {
    /// The enrolment listener, `https://host:port`.
    pub collector: String,
    /// The token.
    pub token: Token,
    /// A further root for the collector's certificate: the file's text, and what it holds.
    pub extra_roots: Option<(Vec<u8>, Vec<CertificateDer<'static>>)>,
    /// The way out of the school.
    pub proxy: Option<HttpProxy>,
    /// What the device says of itself.
    pub device: v1::DeviceDescription,
    /// Whether a device that is enrolled may enrol once more.
    pub again: bool,
}

/// What came of an enrolment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enrolled {
    /// The school.
    pub school: SchoolId,
    /// The device.
    pub device: DeviceId,
    /// Until when the certificate is good.
    pub certificate_until: Timestamp,
    /// Serial of the policy in force.
    pub policy_serial: u64,
    /// Whether a technician has yet to approve the device.
    pub pending: bool,
}

/// Why an enrolment or a renewal came to nothing.
#[derive(Debug, thiserror::Error)]
pub enum EnrolmentError {
    /// The device is enrolled.
    #[error(
        "this device is enrolled already, as {device} of school {school}; to give it a new key and a new \
         identity, add --again"
    )]
    Already {
        /// The school.
        school: SchoolId,
        /// The device.
        device: DeviceId,
    },
    /// The state folder cannot be used.
    #[error(transparent)]
    State(#[from] StateError),
    /// There is no connection.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// TLS cannot be set up.
    #[error("TLS cannot be set up: {0}; check the file given by --ca")]
    Tls(String),
    /// The collector does not know the bundle that the token names.
    #[error(
        "this collector does not know the school that the token is for; check that --collector and the \
         token belong together"
    )]
    OtherCollector,
    /// The collector says no.
    #[error("the collector refuses: {0}")]
    Refused(String),
    /// A call failed otherwise.
    #[error(
        "the collector did not answer ({0}); nothing is lost: the same command may be run again"
    )]
    Call(String),
    /// The answer lacks something.
    #[error("the collector's answer has no usable {0}; its version may not fit this agent's")]
    Answer(&'static str),
    /// The bundle or the policy is not to be believed.
    #[error("what the collector sent is refused: {0}")]
    Trust(#[from] TrustError),
    /// The certificate is not to be used.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// The policy could not be kept.
    #[error("the policy could not be stored: {0}")]
    Policy(String),
}

/// Enrols this device.
///
/// # Errors
/// [`EnrolmentError`]; the device then is as it was before.
pub async fn enrol(
    state: &StateDir,
    enrolment: &Enrolment,
    clock: Arc<dyn Clock>,
) -> Result<Enrolled, EnrolmentError> {
    let target = Target::parse(&enrolment.collector)?;
    let first = tls::bundle_client(clock.clone())
        .map_err(|error| EnrolmentError::Tls(error.to_string()))?
        .through(enrolment.proxy.clone());
    let verified = async |trust: Trust| {
        let extra = enrolment.extra_roots.iter().flat_map(|(_, roots)| roots.iter().cloned());
        let roots: Vec<_> = [trust.root()].into_iter().chain(extra).collect();
        let dialer = tls::client(&roots, None, clock.clone())
            .map_err(|error| EnrolmentError::Tls(error.to_string()))?
            .through(enrolment.proxy.clone());
        Ok(dialer.channel(&target).await?)
    };
    let unverified = async || Ok(first.channel(&target).await?);
    enrol_over(state, enrolment, &*clock, unverified, verified).await
}

/// Enrols over whatever connections it is given: one that nobody verified, one that a root vouches for.
async fn enrol_over<A: Transport, B: Transport>(
    state: &StateDir,
    enrolment: &Enrolment,
    clock: &dyn Clock,
    unverified: impl AsyncFnOnce() -> Result<A, EnrolmentError>,
    verified: impl AsyncFnOnce(Trust) -> Result<B, EnrolmentError>,
) -> Result<Enrolled, EnrolmentError> {
    if let Some(identity) = state.identity()?
        && !enrolment.again
    {
        let (school, device) = (identity.school(), identity.device());
        return Err(EnrolmentError::Already { school, device });
    }
    let key = key(state)?;
    let trust = fetch_trust(unverified().await?, &enrolment.token).await?;
    let request = v1::EnrolRequest {
        token_secret: enrolment.token.secret().to_vec(),
        certificate_signing_request: certificate::signing_request(&key)?,
        device: Some(enrolment.device.clone()),
    };
    let asked_at = clock.now();
    let answer = call(client(verified(trust.clone()).await?).enrol(request)).await?;
    settle(state, enrolment, &trust, key, answer, asked_at)
}

/// The key of the enrolment that is under way, made if none is.
fn key(state: &StateDir) -> Result<KeyPair, EnrolmentError> {
    let kept = state
        .enrolling_key()?
        .and_then(|pem| String::from_utf8(pem).ok())
        .and_then(|pem| KeyPair::from_pem(&pem).ok());
    if let Some(key) = kept {
        return Ok(key);
    }
    let key =
        KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).map_err(CertificateError::from)?;
    state.set_enrolling_key(&key.serialize_pem())?;
    Ok(key)
}

async fn fetch_trust<T: Transport>(transport: T, token: &Token) -> Result<Trust, EnrolmentError> {
    let hash = *token.bundle_sha256();
    let request = v1::GetTrustBundleRequest { bundle_sha256: hash.to_vec() };
    let mut client = client(transport);
    let answer = call(client.get_trust_bundle(request)).await?;
    let bundle = answer.trust_bundle.ok_or(EnrolmentError::Answer("trust bundle"))?;
    let trust = Trust::from_token(bundle, &hash)?;
    match answer.newest {
        None => Ok(trust),
        Some(newest) => Ok(trust.newer(newest)?),
    }
}

/// Verifies the answer, then keeps it: the identity last. `asked_at` is by the device's own clock.
fn settle(
    state: &StateDir,
    enrolment: &Enrolment,
    trust: &Trust,
    key: KeyPair,
    answer: v1::EnrolResponse,
    asked_at: Timestamp,
) -> Result<Enrolled, EnrolmentError> {
    let identity = certificate::accept(key, answer.certificate_chain, trust)?;
    if answer.device_id != identity.device().as_bytes() {
        return Err(EnrolmentError::Answer("certificate of the device that it names"));
    }
    let enrolled_at = time::from_wire(answer.enrolled_at.as_ref())
        .ok_or(EnrolmentError::Answer("time of enrolment"))?;
    Target::parse(&answer.ingest_url).map_err(|_| EnrolmentError::Answer("address for agents"))?;
    let signed = answer.policy.ok_or(EnrolmentError::Answer("policy"))?;
    let policy = trust.policy(&signed, 0)?;
    let installation = Installation {
        enrolment_url: enrolment.collector.clone(),
        ingest_url: answer.ingest_url,
        enrolled_at,
        asked_at_own_clock: Some(asked_at),
        pending: answer.pending,
    };

    let school = state.school(identity.school());
    school.create()?;
    school.set_trust(trust)?;
    school.set_extra_roots(enrolment.extra_roots.as_ref().map(|(pem, _)| pem.as_slice()))?;
    store_policy(&school, trust, &signed)?;
    school.set_installation(&installation)?;
    state.set_identity(&identity)?;
    Ok(Enrolled {
        school: identity.school(),
        device: identity.device(),
        certificate_until: identity.not_after(),
        policy_serial: policy.serial,
        pending: installation.pending,
    })
}

fn store_policy(
    school: &SchoolDir,
    trust: &Trust,
    signed: &v1::SignedPolicy,
) -> Result<(), EnrolmentError> {
    let policy = |error: &dyn std::error::Error| EnrolmentError::Policy(error.to_string());
    PolicyStore::open(school.path(), trust)
        .map_err(|error| policy(&error))?
        .accept(signed)
        .map_err(|error| policy(&error))?;
    Ok(())
}

/// Makes a client that reads no more than an answer can be.
pub(crate) fn client<T: Transport>(transport: T) -> Client<T> {
    EnrolmentServiceClient::new(transport).max_decoding_message_size(ANSWER_BYTES)
}

/// Waits for an answer, but not for ever, and says in plain words why there is none.
pub(crate) async fn call<M>(
    answer: impl Future<Output = Result<Response<M>, Status>>,
) -> Result<M, EnrolmentError> {
    match tokio::time::timeout(CALL_TIMEOUT, answer).await {
        Err(_) => Err(EnrolmentError::Call(format!("not within {} s", CALL_TIMEOUT.as_secs()))),
        Ok(Ok(answer)) => Ok(answer.into_inner()),
        Ok(Err(status)) => Err(match status.code() {
            // Of the three calls only that for a trust bundle knows this answer.
            Code::NotFound => EnrolmentError::OtherCollector,
            Code::PermissionDenied
            | Code::InvalidArgument
            | Code::FailedPrecondition
            | Code::Unauthenticated
            | Code::ResourceExhausted => EnrolmentError::Refused(plain(status.message())),
            Code::Unimplemented => EnrolmentError::Refused(
                "it has no enrolment service at this address; check host and port".to_owned(),
            ),
            _ => EnrolmentError::Call(plain(status.message())),
        }),
    }
}

#[cfg(test)]
mod over_tls;
#[cfg(test)]
pub(crate) mod school;
#[cfg(test)]
mod tests;
