//! The listeners from outside: health, who may do what, the console over HTTPS.

use std::sync::Arc;

use rcgen::{CertificateParams, KeyPair};
use redshank_proto::clock::System;
use redshank_proto::tls::{self, Identity, Target};
use redshank_proto::v1;
use redshank_proto::v1::feed_service_client::FeedServiceClient;
use redshank_proto::v1::ingest_service_client::IngestServiceClient;
use redshank_proto::v1::policy_service_client::PolicyServiceClient;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};
use tonic::Code;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

use crate::cli::tests::running::{Agent, Running};

#[tokio::test(flavor = "multi_thread")]
async fn a_device_s_certificate_does_not_read_and_a_reader_s_does_not_report() {
    let running = Running::start().await;
    let device = running.agent().await;
    let mut feed = FeedServiceClient::new(device.channel().await);
    let refused = feed.subscribe(v1::SubscribeRequest::default()).await.unwrap_err();
    assert_eq!(refused.code(), Code::PermissionDenied);

    let folder = tempfile::TempDir::new().unwrap();
    let out = folder.path().join("watch");
    let school = running.school.to_string();
    let add = ["reader", "add", "Watch", "--school", &school, "--out", out.to_str().unwrap()];
    running.run(&add).await;
    let chain = CertificateDer::pem_file_iter(out.join("reader.pem")).unwrap();
    let identity = Identity {
        chain: chain.map(Result::unwrap).collect(),
        key: PrivateKeyDer::from_pem_file(out.join("reader.key")).unwrap(),
    };
    let reader = Agent { identity, ..device };
    let mut ingest = IngestServiceClient::new(reader.channel().await);
    let refused = ingest.report(tokio_stream::empty()).await.unwrap_err();
    assert_eq!(refused.code(), Code::PermissionDenied);
    let mut policies = PolicyServiceClient::new(reader.channel().await);
    let refused = policies.get_policy(v1::GetPolicyRequest {}).await.unwrap_err();
    assert_eq!(refused.code(), Code::PermissionDenied);
    let mut feed = FeedServiceClient::new(reader.channel().await);
    assert!(feed.subscribe(v1::SubscribeRequest::default()).await.is_ok());
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn health_is_told_on_the_agents_listener() {
    let running = Running::start().await;
    let agent = running.agent().await;
    let mut health = HealthClient::new(agent.channel().await);
    for service in ["", "redshank.v1.IngestService", "redshank.v1.FeedService"] {
        let asked = HealthCheckRequest { service: service.to_owned() };
        assert_eq!(health.check(asked).await.unwrap().into_inner().status, 1, "{service}");
    }
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn reflection_names_our_services_in_both_versions() {
    use tonic_reflection::pb::{v1 as newer, v1alpha as older};
    let running = Running::start().await;
    let agent = running.agent().await;
    let services = [
        "grpc.health.v1.Health",
        "redshank.v1.FeedService",
        "redshank.v1.IngestService",
        "redshank.v1.PolicyService",
    ];
    let request = newer::ServerReflectionRequest {
        message_request: Some(newer::server_reflection_request::MessageRequest::ListServices(
            String::new(),
        )),
        ..Default::default()
    };
    let mut client =
        newer::server_reflection_client::ServerReflectionClient::new(agent.channel().await);
    let mut answers =
        client.server_reflection_info(tokio_stream::once(request)).await.unwrap().into_inner();
    let answer = answers.message().await.unwrap().unwrap().message_response.unwrap();
    let newer::server_reflection_response::MessageResponse::ListServicesResponse(listed) = answer
    else {
        panic!("{answer:?}")
    };
    let mut names: Vec<_> = listed.service.into_iter().map(|service| service.name).collect();
    names.sort();
    assert_eq!(names, services);

    let request = older::ServerReflectionRequest {
        message_request: Some(older::server_reflection_request::MessageRequest::ListServices(
            String::new(),
        )),
        ..Default::default()
    };
    let mut client =
        older::server_reflection_client::ServerReflectionClient::new(agent.channel().await);
    let mut answers =
        client.server_reflection_info(tokio_stream::once(request)).await.unwrap().into_inner();
    let answer = answers.message().await.unwrap().unwrap().message_response.unwrap();
    let older::server_reflection_response::MessageResponse::ListServicesResponse(listed) = answer
    else {
        panic!("{answer:?}")
    };
    let mut names: Vec<_> = listed.service.into_iter().map(|service| service.name).collect();
    names.sort();
    assert_eq!(names, services);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_console_answers_over_https() {
    let running = Running::start().await;
    let agent = running.agent().await;
    let answer = home_page(&running, agent.trust.root()).await;
    assert!(answer.starts_with("HTTP/1.1 "), "{answer}");
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_console_serves_under_the_school_s_own_certificate() {
    let own = CertifiedKey::of("localhost");
    let folder = tempfile::TempDir::new().unwrap();
    let (certificate, key) = (folder.path().join("own.pem"), folder.path().join("own.key"));
    std::fs::write(&certificate, own.certificate.pem()).unwrap();
    std::fs::write(&key, own.key.serialize_pem()).unwrap();
    let settings = format!("[console]\ncertificate = {certificate:?}\nkey = {key:?}\n");
    let running = Running::start_with_settings(|text| text.replace("[console]\n", &settings)).await;
    let answer = home_page(&running, own.certificate.der().clone()).await;
    assert!(answer.starts_with("HTTP/1.1 "), "{answer}");
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_s_certificate_does_not_reach_a_service() {
    let (ours, theirs) = (Running::start().await, Running::start().await);
    let (known, stranger) = (ours.agent().await, theirs.agent().await);
    let dialer = tls::client(&[known.trust.root()], Some(stranger.identity), Arc::new(System));
    let target = Target::parse(&ours.addresses.agents).unwrap();
    // In TLS 1.3 the client hears of it with its first call.
    let refused = match dialer.unwrap().channel(&target).await {
        Ok(channel) => {
            let mut policies = PolicyServiceClient::new(channel);
            policies.get_policy(v1::GetPolicyRequest {}).await.is_err()
        }
        Err(_) => true,
    };
    assert!(refused);
    ours.stop().await;
    theirs.stop().await;
}

/// Asks the console for its home page, and trusts one root alone.
async fn home_page(running: &Running, root: CertificateDer<'static>) -> String {
    let mut roots = RootCertStore::empty();
    roots.add(root).unwrap();
    let provider = Arc::new(tokio_rustls::rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![tls::ALPN_HTTP1.to_vec()];
    let address = running.addresses.console.replace("https://", "");
    let stream = tokio::net::TcpStream::connect(&address).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    let mut stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await.unwrap();
    let request = format!("GET / HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.take(64 * 1024).read_to_end(&mut answer).await.unwrap();
    String::from_utf8(answer).unwrap()
}

/// A certificate as a school may bring it, which signs itself.
struct CertifiedKey {
    certificate: rcgen::Certificate,
    key: KeyPair,
}

impl CertifiedKey {
    fn of(name: &str) -> Self {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new([name.to_owned()]).unwrap();
        Self { certificate: params.self_signed(&key).unwrap(), key }
    }
}
