//! Real handshakes over loopback.

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::*;
use crate::clock::{Fixed, System};

#[tokio::test]
async fn both_sides_meet_over_tls13_with_a_post_quantum_exchange() {
    let ca = Ca::new();
    let config =
        mutual_server(ca.issue("localhost"), &[ca.certificate()], Arc::new(System)).unwrap();
    let target = serve(config).await;
    let dialer = client(&[ca.certificate()], Some(ca.issue("device")), Arc::new(System)).unwrap();
    let mut stream = dialer.connect(&target).await.unwrap();
    let (_, session) = stream.get_ref();
    assert_eq!(session.protocol_version(), Some(rustls::ProtocolVersion::TLSv1_3));
    assert_eq!(
        session.negotiated_key_exchange_group().unwrap().name(),
        rustls::NamedGroup::X25519MLKEM768
    );
    let mut greeting = [0; 2];
    stream.read_exact(&mut greeting).await.unwrap();
    assert_eq!(&greeting, b"hi");
}

#[tokio::test]
async fn a_box_that_intercepts_is_named() {
    let (ours, theirs) = (Ca::new(), Ca::named("CN=Wall Inc. Inspection"));
    let target =
        serve(server(theirs.issue("localhost"), &[ALPN_H2], Arc::new(System)).unwrap()).await;
    let dialer = client(&[ours.certificate()], None, Arc::new(System)).unwrap();
    let error = dialer.connect(&target).await.unwrap_err().to_string();
    assert!(error.contains("Wall Inc. Inspection") && error.contains("intercepts TLS"), "{error}");
}

#[tokio::test]
async fn a_wrong_name_and_a_wrong_time_are_told_apart() {
    let ca = Ca::new();
    let target = serve(server(ca.issue("elsewhere"), &[ALPN_H2], Arc::new(System)).unwrap()).await;
    let dialer = client(&[ca.certificate()], None, Arc::new(System)).unwrap();
    let error = dialer.connect(&target).await.unwrap_err();
    assert!(matches!(error, ConnectError::WrongName { .. }), "{error}");

    let target = serve(server(ca.issue("localhost"), &[ALPN_H2], Arc::new(System)).unwrap()).await;
    let long_ago = Fixed::new("1970-01-02T00:00:00Z".parse().unwrap(), 0);
    let dialer = client(&[ca.certificate()], None, Arc::new(long_ago)).unwrap();
    let error = dialer.connect(&target).await.unwrap_err();
    assert!(matches!(error, ConnectError::WrongTime { .. }), "{error}");
}

#[tokio::test]
async fn a_certificate_of_another_ca_does_not_get_in() {
    let (ours, theirs) = (Ca::new(), Ca::new());
    let config =
        mutual_server(ours.issue("localhost"), &[ours.certificate()], Arc::new(System)).unwrap();
    for identity in [Some(theirs.issue("device")), None] {
        let target = serve(config.clone()).await;
        let dialer = client(&[ours.certificate()], identity, Arc::new(System)).unwrap();
        // In TLS 1.3 the client hears of it with its first read.
        let refused = match dialer.connect(&target).await {
            Ok(mut stream) => stream.read_u8().await.is_err(),
            Err(_) => true,
        };
        assert!(refused);
    }
}

#[tokio::test]
async fn the_bundle_s_client_takes_any_server() {
    let ca = Ca::new();
    let target = serve(server(ca.issue("elsewhere"), &[ALPN_H2], Arc::new(System)).unwrap()).await;
    assert!(bundle_client(Arc::new(System)).unwrap().connect(&target).await.is_ok());
}

#[tokio::test]
async fn nothing_there_is_said_with_what_to_check() {
    let port = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let target = Target::parse(&format!("https://127.0.0.1:{port}")).unwrap();
    let error = bundle_client(Arc::new(System)).unwrap().connect(&target).await.unwrap_err();
    assert!(matches!(error, ConnectError::Unreachable { .. }), "{error}");
}

/// Takes one connection, says `hi`, and returns where.
async fn serve(config: ServerConfig) -> Target {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        if let Ok(mut stream) = TlsAcceptor::from(Arc::new(config)).accept(stream).await {
            stream.write_all(b"hi").await.unwrap();
            stream.flush().await.unwrap();
            let _ = stream.read(&mut [0]).await;
        }
    });
    Target::parse(&format!("https://localhost:{port}")).unwrap()
}

struct Ca {
    certificate: rcgen::Certificate,
    issuer: Issuer<'static, KeyPair>,
}

impl Ca {
    fn new() -> Self {
        Self::named("CN=ours")
    }

    fn named(name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(rcgen::DnType::CommonName, name.trim_start_matches("CN="));
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        Self { certificate: params.self_signed(&key).unwrap(), issuer: Issuer::new(params, key) }
    }

    fn certificate(&self) -> CertificateDer<'static> {
        self.certificate.der().clone()
    }

    fn issue(&self, name: &str) -> Identity {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new([name.to_owned()]).unwrap();
        let leaf = params.signed_by(&key, &self.issuer).unwrap();
        Identity {
            chain: vec![leaf.der().clone(), self.certificate()],
            key: PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
        }
    }
}
