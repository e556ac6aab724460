//! A collector that serves in this process, and an agent's side to try it with.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;

use clap::Parser as _;
use rcgen::{CertificateParams, KeyPair};
use redshank_proto::clock::{Clock, System};
use redshank_proto::id::{DeviceId, SchoolId};
use redshank_proto::tls::{self, Identity, Target};
use redshank_proto::token::Token;
use redshank_proto::trust::Trust;
use redshank_proto::v1;
use redshank_proto::v1::enrolment_service_client::EnrolmentServiceClient;
use serde_json::Value;
use tempfile::TempDir;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_util::sync::CancellationToken;
use tonic::Status;
use tonic::transport::Channel;

use crate::cli::{Addresses, Cli, Host, run, serve};
use crate::store::Store;

/// A collector on loopback with one school, Marsh Lane.
pub(crate) struct Running {
    folder: TempDir,
    clock: Arc<dyn Clock>,
    pub(crate) addresses: Addresses,
    pub(crate) school: SchoolId,
    stopping: CancellationToken,
    task: JoinHandle<anyhow::Result<()>>,
}

/// An agent's side of an enrolment.
#[derive(Debug, Clone)]
pub(crate) struct Agent {
    pub(crate) trust: Trust,
    pub(crate) device: DeviceId,
    pub(crate) identity: Identity,
    pub(crate) answer: v1::EnrolResponse,
}

impl Running {
    pub(crate) async fn start() -> Self {
        Self::start_with(Arc::new(System)).await
    }

    pub(crate) async fn start_with(clock: Arc<dyn Clock>) -> Self {
        Self::start_edited(clock, |settings| settings).await
    }

    /// Starts with other settings than those that `init` writes.
    pub(crate) async fn start_with_settings(edit: impl FnOnce(String) -> String) -> Self {
        Self::start_edited(Arc::new(System), edit).await
    }

    async fn start_edited(clock: Arc<dyn Clock>, edit: impl FnOnce(String) -> String) -> Self {
        let folder = TempDir::new().unwrap();
        let any = "127.0.0.1:0";
        let init =
            ["init", "--name", "localhost", "--enrolment", any, "--agents", any, "--console", any];
        run_in(folder.path(), &init, clock.clone()).await.unwrap();
        let settings = folder.path().join("collector.toml");
        let mut text = String::new();
        File::open(&settings).unwrap().take(64 * 1024).read_to_string(&mut text).unwrap();
        std::fs::write(&settings, edit(text)).unwrap();
        let add = ["school", "add", "Marsh Lane", "--json"];
        let (_, said) = run_in(folder.path(), &add, clock.clone()).await.unwrap();
        let said: Value = serde_json::from_str(&said).unwrap();
        let school = said["school"].as_str().unwrap().parse().unwrap();
        let host = Host::open(folder.path(), clock.clone(), Arc::new(System)).unwrap();
        let stopping = CancellationToken::new();
        let (ready, addresses) = oneshot::channel();
        let task = tokio::spawn(serve(host, stopping.clone(), |addresses: &Addresses| {
            ready.send(addresses.clone()).map_err(|_| std::io::ErrorKind::BrokenPipe.into())
        }));
        let addresses = addresses.await.unwrap();
        Self { folder, clock, addresses, school, stopping, task }
    }

    /// Stops, and says that it stopped well.
    pub(crate) async fn stop(self) {
        self.stopping.cancel();
        self.task.await.unwrap().unwrap();
    }

    /// Runs another command on the same folder.
    pub(crate) async fn run(&self, arguments: &[&str]) -> (std::process::ExitCode, String) {
        run_in(self.folder.path(), arguments, self.clock.clone()).await.unwrap()
    }

    pub(crate) async fn json(&self, arguments: &[&str]) -> Value {
        serde_json::from_str(&self.run(arguments).await.1).unwrap()
    }

    pub(crate) async fn token(&self) -> Token {
        let school = self.school.to_string();
        let create = ["token", "create", "--school", &school, "--purpose", "Year 7", "--uses", "9"];
        self.run(&create).await.1.parse().unwrap()
    }

    /// The same database, opened a second time, as another process would.
    pub(crate) fn store(&self) -> Store {
        Host::open(self.folder.path(), self.clock.clone(), Arc::new(System)).unwrap().store
    }

    /// A client of the enrolment listener, verified by the token's bundle.
    pub(crate) async fn enrolment(
        &self,
        token: &Token,
    ) -> (Trust, EnrolmentServiceClient<Channel>) {
        let target = Target::parse(&self.addresses.enrolment).unwrap();
        let unverified = tls::bundle_client(Arc::new(System)).unwrap();
        let mut client = EnrolmentServiceClient::new(unverified.channel(&target).await.unwrap());
        let asked = v1::GetTrustBundleRequest { bundle_sha256: token.bundle_sha256().to_vec() };
        let answer = client.get_trust_bundle(asked).await.unwrap().into_inner();
        let trust = Trust::from_token(answer.trust_bundle.unwrap(), token.bundle_sha256()).unwrap();
        let verified = tls::client(&[trust.root()], None, Arc::new(System)).unwrap();
        let client = EnrolmentServiceClient::new(verified.channel(&target).await.unwrap())
            .max_decoding_message_size(8 * 1024 * 1024);
        (trust, client)
    }

    pub(crate) async fn enrol(&self, token: &Token, key: &KeyPair) -> Result<Agent, Status> {
        let (trust, mut client) = self.enrolment(token).await;
        let request = v1::EnrolRequest {
            token_secret: token.secret().to_vec(),
            certificate_signing_request: signing_request(key),
            device: Some(v1::DeviceDescription {
                host_name: "MARSH-07".to_owned(),
                ..Default::default()
            }),
        };
        let answer = client.enrol(request).await?.into_inner();
        let device = DeviceId::try_from(answer.device_id.as_slice()).unwrap();
        let identity = identity(&answer.certificate_chain, key);
        Ok(Agent { trust, device, identity, answer })
    }

    /// Enrols a device with a token and a key of its own.
    pub(crate) async fn agent(&self) -> Agent {
        self.enrol(&self.token().await, &KeyPair::generate().unwrap()).await.unwrap()
    }
}

impl Agent {
    /// A channel to the agents' listener under this device's certificate.
    pub(crate) async fn channel(&self) -> Channel {
        let dialer =
            tls::client(&[self.trust.root()], Some(self.identity.clone()), Arc::new(System));
        let target = Target::parse(&self.answer.ingest_url).unwrap();
        dialer.unwrap().channel(&target).await.unwrap()
    }
}

/// Runs a command on a data folder; returns its exit code and what it said.
pub(crate) async fn run_in(
    data: &Path,
    arguments: &[&str],
    clock: Arc<dyn Clock>,
) -> anyhow::Result<(std::process::ExitCode, String)> {
    let data = data.to_str().unwrap();
    let whole = ["redshank-collector", "--data", data].into_iter().chain(arguments.iter().copied());
    let mut said = Vec::new();
    let code = run(Cli::try_parse_from(whole)?, clock, Arc::new(System), &mut said).await?;
    Ok((code, String::from_utf8(said)?))
}

pub(crate) fn signing_request(key: &KeyPair) -> Vec<u8> {
    CertificateParams::default().serialize_request(key).unwrap().der().to_vec()
}

pub(crate) fn identity(chain: &[Vec<u8>], key: &KeyPair) -> Identity {
    Identity {
        chain: chain.iter().cloned().map(CertificateDer::from).collect(),
        key: PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der())),
    }
}
