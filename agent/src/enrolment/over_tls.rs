//! The whole enrolment over real TLS on loopback, as the command does it.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use rcgen::{CertificateParams, KeyPair, SanType};
use redshank_proto::clock::System;
use redshank_proto::tls::{self, ALPN_H2, Identity};
use rustls_pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::Server;
use tonic::transport::server::Connected;

use super::school::{Collector, Mischief, School};
use super::*;

#[tokio::test]
async fn a_device_enrols_and_enrols_again_after_a_lost_answer() {
    let (school, temp) = (School::new(), tempfile::tempdir().unwrap());
    let token = school.token();
    let collector = Collector::new(school, &token);
    let url = serve(&collector, collector.school()).await;
    let state = StateDir::create(&temp.path().join("state")).unwrap();
    collector.does(Mischief::LostAnswer);
    let error = enrol(&state, &enrolment(&url, &token), Arc::new(System)).await.unwrap_err();
    assert!(matches!(error, EnrolmentError::Call(_)), "{error}");
    collector.does(Mischief::None);
    let enrolled = enrol(&state, &enrolment(&url, &token), Arc::new(System)).await.unwrap();
    assert_eq!(collector.devices(), [enrolled.device]);
}

#[tokio::test]
async fn a_box_with_a_root_of_its_own_is_named_and_shown_no_secret() {
    let (school, temp) = (School::new(), tempfile::tempdir().unwrap());
    let token = school.token();
    let collector = Collector::new(school, &token);
    // The box passes the collector's public bundle on, under its own certificate.
    let url = serve(&collector, &School::new()).await;
    let state = StateDir::create(&temp.path().join("state")).unwrap();
    let error = enrol(&state, &enrolment(&url, &token), Arc::new(System)).await.unwrap_err();
    assert!(matches!(error, EnrolmentError::Connect(ConnectError::Intercepted { .. })), "{error}");
    assert_eq!(collector.secrets_seen(), 0);
    assert!(state.identity().unwrap().is_none());
}

#[tokio::test]
async fn an_extra_root_that_was_given_is_believed_too() {
    let (school, other, temp) = (School::new(), School::new(), tempfile::tempdir().unwrap());
    let token = school.token();
    let collector = Collector::new(school, &token);
    let url = serve(&collector, &other).await;
    let state = StateDir::create(&temp.path().join("state")).unwrap();
    let root = Trust::from_store(other.bundle(1)).unwrap().root();
    let extra_roots = Some((b"the file's text".to_vec(), vec![root]));
    let enrolment = Enrolment { extra_roots, ..enrolment(&url, &token) };
    enrol(&state, &enrolment, Arc::new(System)).await.unwrap();
}

fn enrolment(url: &str, token: &Token) -> Enrolment {
    Enrolment {
        collector: url.to_owned(),
        token: token.clone(),
        extra_roots: None,
        proxy: None,
        device: describe(),
        again: false,
    }
}

/// Serves the collector's enrolment under a certificate of `authority`; gives its address.
async fn serve(collector: &Collector, authority: &School) -> String {
    let key = KeyPair::generate().unwrap();
    let request = CertificateParams::default().serialize_request(&key).unwrap();
    let name = SanType::DnsName("localhost".try_into().unwrap());
    let chain = authority.certify(request.der(), name);
    let identity = Identity {
        chain: chain.into_iter().map(CertificateDer::from).collect(),
        key: PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der())),
    };
    let config = tls::server(identity, &[ALPN_H2], Arc::new(System)).unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (accepted, incoming) = mpsc::channel(8);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            // A client that breaks the handshake off is what one of the tests is about.
            if let Ok(stream) = acceptor.accept(stream).await {
                let _ = accepted.send(Ok::<_, std::io::Error>(Connection(stream))).await;
            }
        }
    });
    let server = Server::builder().add_service(collector.service());
    tokio::spawn(server.serve_with_incoming(ReceiverStream::new(incoming)));
    format!("https://localhost:{port}")
}

/// A TLS connection in tonic's terms.
struct Connection(TlsStream<TcpStream>);

impl Connected for Connection {
    type ConnectInfo = ();
    fn connect_info(&self) {}
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, buffer)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_flush(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}
