//! Enrolment and renewal over real TLS.

use std::sync::Arc;

use jiff::ToSpan as _;
use rcgen::{KeyPair, SigningKey as _};
use redshank_proto::clock::{Clock, Fixed, System};
use redshank_proto::peer::Peer;
use redshank_proto::token::Token;
use redshank_proto::v1;
use redshank_proto::v1::enrolment_service_client::EnrolmentServiceClient;
use tonic::Code;
use tonic::transport::Channel;

use super::RENEWAL_CONTEXT;
use crate::cli::tests::running::{Agent, Running, signing_request};

#[tokio::test(flavor = "multi_thread")]
async fn a_device_enrols_once_however_often_it_asks() {
    let running = Running::start().await;
    let (token, key) = (running.token().await, KeyPair::generate().unwrap());
    let first = running.enrol(&token, &key).await.unwrap();
    let again = running.enrol(&token, &key).await.unwrap();
    let other = running.enrol(&token, &KeyPair::generate().unwrap()).await.unwrap();
    assert_eq!(first.device, again.device);
    assert_eq!(first.answer.enrolled_at, again.answer.enrolled_at);
    assert_ne!(first.device, other.device);
    assert!(first.answer.pending);
    let peer = Peer::Device { school: running.school, device: first.device };
    assert_eq!(Peer::from_certificate(&first.answer.certificate_chain[0]), Ok(peer));
    let policy = first.trust.policy(&first.answer.policy.unwrap(), 0).unwrap();
    assert!(policy.serial == 1 && !policy.rule_packs.is_empty() && policy.report_visits);
    let listed = running.json(&["device", "list", "--json"]).await;
    assert_eq!(listed.as_array().unwrap().len(), 2);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_school_added_while_serving_enrols_at_once() {
    let mut running = Running::start().await;
    let said = running.json(&["school", "add", "Hill Top", "--json"]).await;
    running.school = said["school"].as_str().unwrap().parse().unwrap();
    let agent = running.agent().await;
    assert_eq!(agent.trust.school(), running.school);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_token_a_wrong_request_and_an_unknown_bundle_are_told_apart() {
    let running = Running::start().await;
    let token = running.token().await;
    let wrong = Token::draw(*token.bundle_sha256(), &System);
    let refused = running.enrol(&wrong, &KeyPair::generate().unwrap()).await.unwrap_err();
    assert_eq!(refused.code(), Code::PermissionDenied);
    assert!(refused.message().contains("unknown"), "{refused}");

    let (_, mut client) = running.enrolment(&token).await;
    let request = v1::EnrolRequest {
        token_secret: token.secret().to_vec(),
        certificate_signing_request: b"no request".to_vec(),
        device: None,
    };
    assert_eq!(client.enrol(request).await.unwrap_err().code(), Code::InvalidArgument);
    let long =
        v1::EnrolRequest { certificate_signing_request: vec![0; 40 * 1024], ..Default::default() };
    assert_eq!(client.enrol(long).await.unwrap_err().code(), Code::OutOfRange);
    let unknown = v1::GetTrustBundleRequest { bundle_sha256: vec![0; 32] };
    for _ in 0..200 {
        let refused = client.get_trust_bundle(unknown.clone()).await.unwrap_err();
        assert!(matches!(refused.code(), Code::NotFound | Code::ResourceExhausted), "{refused}");
    }
    let refused = client.get_trust_bundle(unknown).await.unwrap_err();
    assert_eq!(refused.code(), Code::ResourceExhausted, "a stranger does not ask all day");
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_certificate_renews_and_a_revoked_one_does_not() {
    let clock = Arc::new(Fixed::new(System.now(), 0));
    let running = Running::start_with(clock.clone()).await;
    let (token, key) = (running.token().await, KeyPair::generate().unwrap());
    let agent = running.enrol(&token, &key).await.unwrap();
    let (_, mut client) = running.enrolment(&token).await;
    clock.set(clock.now() + (500 * 24).hours());
    let renewed = renew(&mut client, &agent, &key, &key).await.unwrap();
    assert_ne!(renewed.certificate_chain[0], agent.answer.certificate_chain[0]);
    let peer = Peer::Device { school: running.school, device: agent.device };
    assert_eq!(Peer::from_certificate(&renewed.certificate_chain[0]), Ok(peer));
    assert!(agent.trust.newer(renewed.trust_bundle.unwrap()).is_ok());

    let stolen = renew(&mut client, &agent, &KeyPair::generate().unwrap(), &key).await;
    assert_eq!(stolen.unwrap_err().code(), Code::PermissionDenied);
    running.run(&["device", "revoke", &agent.device.to_string()]).await;
    let revoked = renew(&mut client, &agent, &key, &key).await;
    assert_eq!(revoked.unwrap_err().code(), Code::PermissionDenied);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_of_another_collector_does_not_renew() {
    let (ours, theirs) = (Running::start().await, Running::start().await);
    let key = KeyPair::generate().unwrap();
    let stranger = theirs.enrol(&theirs.token().await, &key).await.unwrap();
    let (_, mut client) = ours.enrolment(&ours.token().await).await;
    let refused = renew(&mut client, &stranger, &key, &key).await.unwrap_err();
    assert_eq!(refused.code(), Code::PermissionDenied);
    ours.stop().await;
    theirs.stop().await;
}

async fn renew(
    client: &mut EnrolmentServiceClient<Channel>,
    agent: &Agent,
    signs: &KeyPair,
    new: &KeyPair,
) -> Result<v1::RenewResponse, tonic::Status> {
    let certificate_signing_request = signing_request(new);
    let message = [RENEWAL_CONTEXT, &certificate_signing_request].concat();
    let request = v1::RenewRequest {
        certificate: agent.answer.certificate_chain[0].clone(),
        signature: signs.sign(&message).unwrap(),
        certificate_signing_request,
    };
    Ok(client.renew(request).await?.into_inner())
}
