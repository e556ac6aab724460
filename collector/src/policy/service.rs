//! Gives a device its school's policy.

use redshank_proto::v1::policy_service_server::{PolicyService, PolicyServiceServer};
use redshank_proto::v1::{GetPolicyRequest, GetPolicyResponse};
use redshank_proto::{bounds, peer::Peer};
use tonic::{Request, Response, Status};

use crate::ingest::status;
use crate::listen::Caller;
use crate::store::devices::DeviceStatus;
use crate::store::{Scope, Store, StoreError};

/// The service.
#[derive(Debug)]
pub struct Policies {
    store: Store,
}

/// Makes the service.
#[must_use]
pub fn service(store: Store) -> PolicyServiceServer<Policies> {
    PolicyServiceServer::new(Policies { store })
        .max_decoding_message_size(bounds::ENROLMENT_MESSAGE_BYTES)
}

#[tonic::async_trait]
impl PolicyService for Policies {
    async fn get_policy(
        &self,
        request: Request<GetPolicyRequest>,
    ) -> Result<Response<GetPolicyResponse>, Status> {
        let (school, device, serial) = Caller::device(request.extensions())?;
        let scope = Scope::device(school, device);
        let read = self.store.read(&scope, move |view| {
            let peer = Peer::Device { school, device };
            let revoked = view.enrolled(school, device)?.status == DeviceStatus::Revoked;
            if revoked || !view.certificate_stands(&serial, peer)? {
                return Err(StoreError::OutOfScope);
            }
            view.policy(school)
        });
        let policy = read
            .await
            .map_err(|error| status(&error))?
            .ok_or_else(|| Status::unavailable("the school has no policy yet; try again"))?;
        Ok(Response::new(GetPolicyResponse { policy: Some(policy) }))
    }
}
