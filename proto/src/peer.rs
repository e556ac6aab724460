//! Who a client certificate says its holder is: one URI among its subject alternative names.
//!
//! `redshank:device/<school>/<device>` or `redshank:reader/<reader>`. The subject carries no meaning. Nothing
//! in the issuing CA's certificate keeps it from signing other names: its key is the collector's, whose code
//! puts one such name, of its own choosing, into a client's certificate whatever the signing request asks.

use std::fmt;

use x509_parser::prelude::{FromDer as _, GeneralName, X509Certificate};

use crate::id::{DeviceId, ReaderId, SchoolId};

const SCHEME: &str = "redshank:";

/// The holder of a client certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Peer {
    /// An enrolled device.
    Device {
        /// Its school.
        school: SchoolId,
        /// The device.
        device: DeviceId,
    },
    /// A reader of the feed. Which schools it may read stands in the collector's store.
    Reader {
        /// The reader.
        reader: ReaderId,
    },
}

/// Why a certificate names nobody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PeerError {
    /// Not an X.509 certificate.
    #[error("not an X.509 certificate in DER")]
    NotACertificate,
    /// A certificate without exactly one name of ours.
    #[error("the certificate has no `{SCHEME}` name, or several")]
    NoName,
}

impl Peer {
    /// Reads the holder from a certificate in DER that TLS has already verified.
    ///
    /// # Errors
    /// [`PeerError`] if it is no certificate or does not name exactly one peer.
    pub fn from_certificate(der: &[u8]) -> Result<Self, PeerError> {
        let (_, certificate) =
            X509Certificate::from_der(der).map_err(|_| PeerError::NotACertificate)?;
        let names = certificate
            .subject_alternative_name()
            .map_err(|_| PeerError::NotACertificate)?
            .ok_or(PeerError::NoName)?;
        let mut peers = names.value.general_names.iter().filter_map(|name| match name {
            GeneralName::URI(uri) => Self::parse(uri),
            _ => None,
        });
        match (peers.next(), peers.next()) {
            (Some(peer), None) => Ok(peer),
            _ => Err(PeerError::NoName),
        }
    }

    fn parse(uri: &str) -> Option<Self> {
        let mut parts = uri.strip_prefix(SCHEME)?.split('/');
        let peer = match (parts.next()?, parts.next()?, parts.next()) {
            ("device", school, Some(device)) => {
                Self::Device { school: school.parse().ok()?, device: device.parse().ok()? }
            }
            ("reader", reader, None) => Self::Reader { reader: reader.parse().ok()? },
            _ => return None,
        };
        parts.next().is_none().then_some(peer)
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Device { school, device } => {
                write!(formatter, "{SCHEME}device/{school}/{device}")
            }
            Self::Reader { reader } => write!(formatter, "{SCHEME}reader/{reader}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair, SanType};

    use super::*;
    use crate::clock::System;

    #[test]
    fn a_certificate_names_its_holder() {
        for peer in [device(), Peer::Reader { reader: ReaderId::draw(&System) }] {
            assert_eq!(Peer::from_certificate(&certificate(&[peer.to_string()])), Ok(peer));
        }
    }

    #[test]
    fn a_certificate_with_no_name_or_two_names_nobody() {
        let two = [device().to_string(), device().to_string()];
        let long = [format!("{}/more", device())];
        for names in [&[][..], &["https://example.org/".to_owned()], &two, &long] {
            assert_eq!(Peer::from_certificate(&certificate(names)), Err(PeerError::NoName));
        }
        assert_eq!(Peer::from_certificate(b"no certificate"), Err(PeerError::NotACertificate));
    }

    fn device() -> Peer {
        Peer::Device { school: SchoolId::draw(&System), device: DeviceId::draw(&System) }
    }

    fn certificate(names: &[String]) -> Vec<u8> {
        let mut params = CertificateParams::default();
        for name in names {
            params.subject_alt_names.push(SanType::URI(name.as_str().try_into().unwrap()));
        }
        params.self_signed(&KeyPair::generate().unwrap()).unwrap().der().to_vec()
    }
}
