//! Enrolment: a token and a signing request buy a certificate; a certificate and its key renew it.
//!
//! The one listener that talks to strangers. What always holds:
//! - A message is at most 32 KiB, a signing request at most 8 KiB, and is verified before the database is
//!   asked anything. Failures of one address are bounded ([`attempts`]).
//! - Whoever does not hold the token's secret learns nothing but "unknown"; whoever does is told why it
//!   enrols nothing.
//! - The device's row is committed, then its certificate is recorded, then it is handed out: a crash or a
//!   lost answer costs nothing, because the same token and key give the same device.
//! - A device is pending until a technician approves it, whatever it says of itself.
//! - Renewal needs no unexpired certificate: a laptop from a drawer is let back in by the signature of its
//!   key. It needs one that we issued, that is not revoked, of a device that is not.

pub mod attempts;

use std::sync::Arc;

use redshank_proto::clock::Clock;
use redshank_proto::id::{DeviceId, SchoolId};
use redshank_proto::peer::Peer;
use redshank_proto::trust::{RENEWAL_CONTEXT, verify_p256};
use redshank_proto::v1::enrolment_service_server::{EnrolmentService, EnrolmentServiceServer};
use redshank_proto::v1::{
    EnrolRequest, EnrolResponse, GetTrustBundleRequest, GetTrustBundleResponse, RenewRequest,
    RenewResponse,
};
use redshank_proto::{bounds, time, token};
use tonic::{Request, Response, Status};
use x509_parser::prelude::{FromDer as _, X509Certificate};

use self::attempts::Attempts;
use crate::ingest::admit::check_description;
use crate::ingest::status;
use crate::keys::{KeyError, KeyRing, public_key_sha256, signing_request_key};
use crate::listen::Caller;
use crate::store::devices::DeviceStatus;
use crate::store::devices::enrolling::Serial;
use crate::store::{Purpose, Scope, Store, StoreError};

/// The service. See the module.
#[derive(Debug)]
pub struct Enrolment {
    store: Store,
    ring: KeyRing,
    /// What enrolled devices are told to connect to.
    ingest_url: String,
    clock: Arc<dyn Clock>,
    attempts: Attempts,
}

/// Makes the service. `ingest_url` is what enrolled devices are told to connect to.
#[must_use]
pub fn service(
    store: Store,
    ring: KeyRing,
    ingest_url: String,
    clock: Arc<dyn Clock>,
) -> EnrolmentServiceServer<Enrolment> {
    let attempts = Attempts::default();
    EnrolmentServiceServer::new(Enrolment { store, ring, ingest_url, clock, attempts })
        .max_decoding_message_size(bounds::ENROLMENT_MESSAGE_BYTES)
}

#[tonic::async_trait]
impl EnrolmentService for Enrolment {
    async fn get_trust_bundle(
        &self,
        request: Request<GetTrustBundleRequest>,
    ) -> Result<Response<GetTrustBundleResponse>, Status> {
        let address = Caller::of(request.extensions())?.address.ip();
        self.attempts.check(address, self.clock.now())?;
        let answer = self.bundle(request.into_inner()).await;
        self.attempts.count(address, self.clock.now(), answer.is_ok());
        answer.map(Response::new)
    }

    async fn enrol(
        &self,
        request: Request<EnrolRequest>,
    ) -> Result<Response<EnrolResponse>, Status> {
        let address = Caller::of(request.extensions())?.address.ip();
        self.attempts.check(address, self.clock.now())?;
        let answer = self.enrolled(request.into_inner()).await;
        self.attempts.count(address, self.clock.now(), answer.is_ok());
        answer.map(Response::new)
    }

    async fn renew(
        &self,
        request: Request<RenewRequest>,
    ) -> Result<Response<RenewResponse>, Status> {
        let address = Caller::of(request.extensions())?.address.ip();
        self.attempts.check(address, self.clock.now())?;
        let answer = self.renewed(request.into_inner()).await;
        self.attempts.count(address, self.clock.now(), answer.is_ok());
        answer.map(Response::new)
    }
}

impl Enrolment {
    async fn bundle(
        &self,
        request: GetTrustBundleRequest,
    ) -> Result<GetTrustBundleResponse, Status> {
        let sha256: [u8; 32] = request
            .bundle_sha256
            .try_into()
            .map_err(|_| Status::invalid_argument("a bundle's hash is 32 bytes"))?;
        match self.store.read(&scope(), move |view| view.bundles(&sha256)).await {
            Ok(bundles) => {
                let newer = bundles.newest != bundles.asked;
                Ok(GetTrustBundleResponse {
                    trust_bundle: Some(bundles.asked),
                    newest: newer.then_some(bundles.newest),
                })
            }
            Err(StoreError::Missing(_)) => Err(Status::not_found("there is no such trust bundle")),
            Err(error) => Err(status(&error)),
        }
    }

    async fn enrolled(&self, request: EnrolRequest) -> Result<EnrolResponse, Status> {
        let secret: [u8; 32] = request.token_secret.try_into().map_err(|_| unknown_token())?;
        let description = request.device.unwrap_or_default();
        check_description(&description)?;
        let csr = request.certificate_signing_request;
        let key = signing_request_key(&csr).map_err(|error| refuse(&error))?;
        let (secret, key) = (token::sha256(&secret), public_key_sha256(&key));
        let enrolled = self
            .store
            .write(&scope(), move |edit| edit.enrol_device(&secret, &key, &description))
            .await
            .map_err(|error| match error {
                StoreError::Missing(_) => unknown_token(),
                error => status(&error),
            })?
            .map_err(|refusal| Status::permission_denied(refusal.to_string()))?;
        let (school, device) = (enrolled.school, enrolled.device);
        if !self.ring.holds(school) {
            self.ring.refresh(&self.store).await.map_err(|error| refuse(&error))?;
        }
        let chain = self.issue(school, device, &csr, false).await?;
        let policy = self
            .store
            .read(&scope(), move |view| view.policy(school))
            .await
            .map_err(|error| status(&error))?
            .ok_or_else(|| Status::unavailable("the school has no policy yet; try again"))?;
        tracing::info!(%school, %device, "a device enrolled");
        Ok(EnrolResponse {
            device_id: device.to_vec(),
            certificate_chain: chain,
            ingest_url: self.ingest_url.clone(),
            policy: Some(policy),
            enrolled_at: Some(time::to_wire(enrolled.enrolled_at)),
            pending: enrolled.status == DeviceStatus::Pending,
        })
    }

    async fn renewed(&self, request: RenewRequest) -> Result<RenewResponse, Status> {
        let csr = request.certificate_signing_request;
        let (school, device, serial) =
            self.holder(&request.certificate).ok_or_else(not_renewable)?;
        let message = [RENEWAL_CONTEXT, &csr].concat();
        verify_p256(&request.certificate, &message, &request.signature, "renewal")
            .map_err(|_| not_renewable())?;
        let asker = scope();
        let read = self.store.read(&asker, move |view| {
            let peer = Peer::Device { school, device };
            let standing = view.enrolled(school, device)?;
            Ok(view.certificate_stands(&serial, peer)? && standing.status != DeviceStatus::Revoked)
        });
        match read.await {
            Ok(true) => {}
            Ok(false) | Err(StoreError::Missing(_)) => return Err(not_renewable()),
            Err(error) => return Err(status(&error)),
        }
        let chain = self.issue(school, device, &csr, true).await?;
        let bundle = self
            .store
            .read(&asker, move |view| view.newest_bundle(school))
            .await
            .map_err(|error| status(&error))?;
        tracing::info!(%school, %device, "a device's certificate was renewed");
        Ok(RenewResponse { certificate_chain: chain, trust_bundle: Some(bundle) })
    }

    /// The device of a certificate that our issuing CA signed, expired or not.
    fn holder(&self, certificate: &[u8]) -> Option<(SchoolId, DeviceId, Serial)> {
        if certificate.len() > bounds::CERTIFICATE_BYTES {
            return None;
        }
        let (rest, parsed) = X509Certificate::from_der(certificate).ok()?;
        let issuer = self.ring.issuers().first().filter(|_| rest.is_empty())?;
        let signed = parsed.tbs_certificate.as_ref();
        verify_p256(issuer, signed, &parsed.signature_value.data, "certificate").ok()?;
        match Peer::from_certificate(certificate).ok()? {
            Peer::Device { school, device } => {
                Some((school, device, parsed.raw_serial().try_into().ok()?))
            }
            Peer::Reader { .. } => None,
        }
    }

    /// Issues and records a certificate.
    async fn issue(
        &self,
        school: SchoolId,
        device: DeviceId,
        csr: &[u8],
        renewal: bool,
    ) -> Result<Vec<Vec<u8>>, Status> {
        let holder = Peer::Device { school, device };
        let issued = self.ring.issue_client(holder, csr).map_err(|error| refuse(&error))?;
        let (serial, expires_at) = (issued.serial, issued.expires_at);
        self.store
            .write(&scope(), move |edit| {
                edit.record_certificate(&serial, Some(holder), expires_at)?;
                if renewal { edit.renewed(school, device) } else { Ok(()) }
            })
            .await
            .map_err(|error| status(&error))?;
        Ok(issued.chain)
    }
}

fn scope() -> Scope {
    Scope::system(Purpose::Enrolment)
}

fn unknown_token() -> Status {
    Status::permission_denied(
        "the enrolment token is unknown here; check that it belongs to this collector",
    )
}

fn not_renewable() -> Status {
    Status::permission_denied("the certificate is revoked or unknown to this collector")
}

fn refuse(error: &KeyError) -> Status {
    match error {
        KeyError::SigningRequest => Status::invalid_argument(error.to_string()),
        KeyError::Store(error) => status(error),
        error => {
            tracing::error!(%error, "a certificate could not be issued");
            Status::internal("the collector could not issue a certificate")
        }
    }
}

#[cfg(test)]
mod tests;
