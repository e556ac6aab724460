//! Who calls: put into every request's extensions by the acceptor, taken out by the services.

use std::net::SocketAddr;

use redshank_proto::id::{DeviceId, ReaderId, SchoolId};
use redshank_proto::peer::Peer;
use tonic::{Extensions, Status};

use crate::store::devices::enrolling::Serial;

/// The other end of a connection, as TLS verified it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Caller {
    /// Its address.
    pub address: SocketAddr,
    /// Its certificate, where the listener asks for one.
    pub certificate: Option<ClientCertificate>,
}

/// What a verified client certificate says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientCertificate {
    /// Its holder.
    pub peer: Peer,
    /// Its serial number.
    pub serial: Serial,
}

impl Caller {
    /// The caller of a request.
    ///
    /// # Errors
    /// `UNAUTHENTICATED` if it did not come through our acceptor.
    pub fn of(extensions: &Extensions) -> Result<Self, Status> {
        extensions
            .get::<Self>()
            .copied()
            .ok_or_else(|| Status::unauthenticated("the connection has no known caller"))
    }

    /// The device that calls, and its certificate's serial number.
    ///
    /// # Errors
    /// `PERMISSION_DENIED` for everybody else.
    pub fn device(extensions: &Extensions) -> Result<(SchoolId, DeviceId, Serial), Status> {
        match Self::of(extensions)?.certificate {
            Some(ClientCertificate { peer: Peer::Device { school, device }, serial }) => {
                Ok((school, device, serial))
            }
            _ => Err(Status::permission_denied("this is for enrolled devices")),
        }
    }

    /// The feed reader that calls, and its certificate's serial number.
    ///
    /// # Errors
    /// `PERMISSION_DENIED` for everybody else.
    pub fn reader(extensions: &Extensions) -> Result<(ReaderId, Serial), Status> {
        match Self::of(extensions)?.certificate {
            Some(ClientCertificate { peer: Peer::Reader { reader }, serial }) => {
                Ok((reader, serial))
            }
            _ => Err(Status::permission_denied("this is for readers of the feed")),
        }
    }
}
