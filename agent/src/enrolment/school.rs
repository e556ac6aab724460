//! A school's collector for tests: its keys, and an enrolment service in this process.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _,
};
use prost::Message as _;
use rcgen::{
    BasicConstraints, CertificateParams, CertificateSigningRequestParams, IsCa, Issuer, KeyPair,
    SanType,
};
use redshank_proto::clock::System;
use redshank_proto::id::{DeviceId, SchoolId};
use redshank_proto::peer::Peer;
use redshank_proto::seal::SchoolKey;
use redshank_proto::token::{Token, sha256};
use redshank_proto::trust::{BUNDLE_CONTEXT, POLICY_CONTEXT, RENEWAL_CONTEXT, verify_p256};
use redshank_proto::v1::enrolment_service_server::{EnrolmentService, EnrolmentServiceServer};
use redshank_proto::{time, v1};
use tonic::{Request, Response, Status};

/// A school with its root, its issuing CA and its policy key.
pub(crate) struct School {
    pub(crate) id: SchoolId,
    pub(crate) key: SchoolKey,
    root: EcdsaKeyPair,
    root_certificate: Vec<u8>,
    issuing: Issuer<'static, KeyPair>,
    issuing_certificate: Vec<u8>,
    policy_key: Ed25519KeyPair,
}

impl School {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let (root_key, issuing_key) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
        let root_certificate = params.self_signed(&root_key).unwrap().der().to_vec();
        let root =
            EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &root_key.serialize_der());
        let root_issuer = Issuer::new(params.clone(), root_key);
        let issuing = params.signed_by(&issuing_key, &root_issuer).unwrap().der().to_vec();
        Self {
            id: SchoolId::draw(&System),
            key: SchoolKey::draw(&System),
            root: root.unwrap(),
            root_certificate,
            issuing: Issuer::new(params, issuing_key),
            issuing_certificate: issuing,
            policy_key: Ed25519KeyPair::generate().unwrap(),
        }
    }

    pub(crate) fn bundle(&self, serial: u64) -> v1::SignedTrustBundle {
        let bundle = v1::TrustBundle {
            school_id: self.id.to_vec(),
            serial,
            root_certificate: self.root_certificate.clone(),
            issuing_certificates: vec![self.issuing_certificate.clone()],
            hpke_keys: vec![self.key.public()],
            policy_keys: vec![v1::PolicyKey {
                key_id: vec![9; 16],
                public_key: self.policy_key.public_key().as_ref().to_vec(),
            }],
            issued_at: None,
        }
        .encode_to_vec();
        let message = [BUNDLE_CONTEXT, &bundle].concat();
        let signature = self.root.sign(&SystemRandom::new(), &message).unwrap();
        v1::SignedTrustBundle { bundle, signature: signature.as_ref().to_vec() }
    }

    pub(crate) fn token(&self) -> Token {
        Token::draw(sha256(&self.bundle(1).bundle), &System)
    }

    pub(crate) fn policy(&self, serial: u64) -> v1::SignedPolicy {
        let policy = v1::Policy { school_id: self.id.to_vec(), serial, ..Default::default() };
        let policy = policy.encode_to_vec();
        let message = [POLICY_CONTEXT, &policy].concat();
        let signature = self.policy_key.sign(&message).as_ref().to_vec();
        v1::SignedPolicy { policy, key_id: vec![9; 16], signature }
    }

    /// The chain of a device's certificate for the key of a signing request.
    pub(crate) fn issue(&self, request: &[u8], school: SchoolId, device: DeviceId) -> Vec<Vec<u8>> {
        let name = Peer::Device { school, device }.to_string();
        self.certify(request, SanType::URI(name.try_into().unwrap()))
    }

    /// The chain of a certificate for the key of a signing request, under any name.
    pub(crate) fn certify(&self, request: &[u8], name: SanType) -> Vec<Vec<u8>> {
        let mut request = CertificateSigningRequestParams::from_der(&request.into()).unwrap();
        request.params.subject_alt_names = vec![name];
        let leaf = request.signed_by(&self.issuing).unwrap();
        vec![leaf.der().to_vec(), self.issuing_certificate.clone(), self.root_certificate.clone()]
    }
}

/// A way in which a collector, or what pretends to be one, misbehaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mischief {
    None,
    OtherBundle,
    OtherSchoolsName,
    OtherSchoolsAuthority,
    OtherKey,
    OtherDevice,
    LostAnswer,
    NoPolicy,
    ForeignPolicy,
    NoTime,
    NoAddress,
}

impl Mischief {
    /// Those that an enrolment must not survive.
    pub(crate) const FORGERIES: [Self; 9] = [
        Self::OtherBundle,
        Self::OtherSchoolsName,
        Self::OtherSchoolsAuthority,
        Self::OtherKey,
        Self::OtherDevice,
        Self::NoPolicy,
        Self::ForeignPolicy,
        Self::NoTime,
        Self::NoAddress,
    ];
}

/// A collector's enrolment service.
#[derive(Clone)]
pub(crate) struct Collector(Arc<State>);

struct State {
    school: School,
    stranger: School,
    secret_sha256: [u8; 32],
    newest: u64,
    mischief: Mutex<Mischief>,
    secrets_seen: Mutex<usize>,
    devices: Mutex<HashMap<Vec<u8>, DeviceId>>,
}

impl Collector {
    pub(crate) fn new(school: School, token: &Token) -> Self {
        Self(Arc::new(State {
            school,
            stranger: School::new(),
            secret_sha256: token.secret_sha256(),
            newest: 2,
            mischief: Mutex::new(Mischief::None),
            secrets_seen: Mutex::default(),
            devices: Mutex::default(),
        }))
    }

    pub(crate) fn school(&self) -> &School {
        &self.0.school
    }

    pub(crate) fn does(&self, mischief: Mischief) {
        *self.0.mischief.lock().unwrap() = mischief;
    }

    pub(crate) fn secrets_seen(&self) -> usize {
        *self.0.secrets_seen.lock().unwrap()
    }

    pub(crate) fn devices(&self) -> Vec<DeviceId> {
        self.0.devices.lock().unwrap().values().copied().collect()
    }

    pub(crate) fn service(&self) -> EnrolmentServiceServer<Self> {
        EnrolmentServiceServer::new(self.clone())
    }

    fn mischief(&self) -> Mischief {
        *self.0.mischief.lock().unwrap()
    }

    fn chain(&self, request: &[u8], device: DeviceId) -> Vec<Vec<u8>> {
        let State { school, stranger, .. } = &*self.0;
        let other_key = || {
            let key = KeyPair::generate().unwrap();
            CertificateParams::default().serialize_request(&key).unwrap().der().to_vec()
        };
        match self.mischief() {
            Mischief::OtherSchoolsName => school.issue(request, stranger.id, device),
            Mischief::OtherSchoolsAuthority => stranger.issue(request, school.id, device),
            Mischief::OtherKey => school.issue(&other_key(), school.id, device),
            Mischief::OtherDevice => school.issue(request, school.id, DeviceId::draw(&System)),
            _ => school.issue(request, school.id, device),
        }
    }
}

#[tonic::async_trait]
impl EnrolmentService for Collector {
    async fn get_trust_bundle(
        &self,
        request: Request<v1::GetTrustBundleRequest>,
    ) -> Result<Response<v1::GetTrustBundleResponse>, Status> {
        let State { school, stranger, newest, .. } = &*self.0;
        let bundle = school.bundle(1);
        // An ECDSA signature differs each time, the bundle under it does not.
        if request.into_inner().bundle_sha256 != sha256(&bundle.bundle) {
            return Err(Status::not_found("no such bundle"));
        }
        let other = self.mischief() == Mischief::OtherBundle;
        Ok(Response::new(v1::GetTrustBundleResponse {
            trust_bundle: Some(if other { stranger.bundle(1) } else { bundle }),
            newest: (!other).then(|| school.bundle(*newest)),
        }))
    }

    async fn enrol(
        &self,
        request: Request<v1::EnrolRequest>,
    ) -> Result<Response<v1::EnrolResponse>, Status> {
        let State { school, stranger, .. } = &*self.0;
        *self.0.secrets_seen.lock().unwrap() += 1;
        let request = request.into_inner();
        if sha256(&request.token_secret) != self.0.secret_sha256 {
            return Err(Status::permission_denied("the token is revoked"));
        }
        let csr = &request.certificate_signing_request;
        let parsed = CertificateSigningRequestParams::from_der(&csr.as_slice().into()).unwrap();
        let key = rcgen::PublicKeyData::der_bytes(&parsed.public_key).to_vec();
        let device = *self.0.devices.lock().unwrap().entry(key).or_insert(DeviceId::draw(&System));
        let mischief = self.mischief();
        if mischief == Mischief::LostAnswer {
            return Err(Status::unavailable("the connection broke"));
        }
        let policy = match mischief {
            Mischief::NoPolicy => None,
            Mischief::ForeignPolicy => Some(stranger.policy(3)),
            _ => Some(school.policy(3)),
        };
        Ok(Response::new(v1::EnrolResponse {
            device_id: device.to_vec(),
            certificate_chain: self.chain(csr, device),
            ingest_url: match mischief {
                Mischief::NoAddress => "http://collector/".to_owned(),
                _ => "https://collector.example:7444".to_owned(),
            },
            policy,
            enrolled_at: (mischief != Mischief::NoTime)
                .then(|| time::to_wire("2026-09-01T08:30:00Z".parse().unwrap())),
            pending: true,
        }))
    }

    async fn renew(
        &self,
        request: Request<v1::RenewRequest>,
    ) -> Result<Response<v1::RenewResponse>, Status> {
        let request = request.into_inner();
        let csr = &request.certificate_signing_request;
        let message = [RENEWAL_CONTEXT, csr].concat();
        verify_p256(&request.certificate, &message, &request.signature, "renewal")
            .map_err(|error| Status::permission_denied(error.to_string()))?;
        let Ok(Peer::Device { device, .. }) = Peer::from_certificate(&request.certificate) else {
            return Err(Status::permission_denied("no device"));
        };
        Ok(Response::new(v1::RenewResponse {
            certificate_chain: self.chain(csr, device),
            trust_bundle: Some(self.0.school.bundle(7)),
        }))
    }
}
