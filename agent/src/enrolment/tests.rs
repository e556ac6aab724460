//! Enrolment and renewal against a collector in this process, honest and not.

use redshank_proto::clock::Fixed;
use redshank_proto::tls::ConnectError;

use super::school::{Collector, Mischief, School};
use super::*;
use crate::state::DeviceIdentity;

#[tokio::test]
async fn a_token_buys_a_certificate_and_everything_is_stored() {
    let device = Device::new();
    let enrolled = device.enrol().await.unwrap();
    assert_eq!(enrolled.school, device.collector.school().id);
    assert_eq!((enrolled.policy_serial, enrolled.pending), (3, true));

    let identity = device.identity().unwrap();
    assert_eq!((identity.school(), identity.device()), (enrolled.school, enrolled.device));
    let school = device.state.school(enrolled.school);
    let installation = school.installation().unwrap();
    assert_eq!(installation.ingest_url, "https://collector.example:7444");
    assert_eq!(installation.enrolled_at.to_string(), "2026-09-01T08:30:00Z");
    let since = installation.reads_visits_since().to_string();
    assert_eq!(since, OWN_CLOCK, "the device's clock is behind, and stamps its visits");
    let trust = school.trust().unwrap();
    assert_eq!(trust.signed().bundle, device.collector.school().bundle(2).bundle, "the newest");
    assert_eq!(PolicyStore::open(school.path(), &trust).unwrap().serial(), 3);
    assert_eq!(device.state.enrolling_key().unwrap(), None);
}

#[tokio::test]
async fn no_forgery_is_taken_and_none_leaves_a_trace() {
    for mischief in Mischief::FORGERIES {
        let device = Device::new();
        device.collector.does(mischief);
        let error = device.enrol().await.unwrap_err();
        let fits = match mischief {
            Mischief::OtherBundle => {
                matches!(error, EnrolmentError::Trust(TrustError::WrongBundle))
            }
            Mischief::OtherSchoolsName => {
                matches!(error, EnrolmentError::Certificate(CertificateError::OtherSchool))
            }
            Mischief::OtherSchoolsAuthority => {
                matches!(error, EnrolmentError::Certificate(CertificateError::NotOurs(_)))
            }
            Mischief::OtherKey => {
                matches!(error, EnrolmentError::Certificate(CertificateError::Identity(_)))
            }
            Mischief::ForeignPolicy => matches!(error, EnrolmentError::Trust(_)),
            _ => matches!(error, EnrolmentError::Answer(_)),
        };
        assert!(fits, "{mischief:?}: {error}");
        assert!(device.identity().is_none(), "{mischief:?}");
        let school = device.state.school(device.collector.school().id);
        assert!(!school.path().exists(), "{mischief:?}");
        let secrets = usize::from(mischief != Mischief::OtherBundle);
        assert_eq!(device.collector.secrets_seen(), secrets, "{mischief:?}");

        device.collector.does(Mischief::None);
        device.enrol().await.unwrap();
    }
}

#[tokio::test]
async fn a_box_that_intercepts_never_sees_the_secret() {
    let device = Device::new();
    let intercepted = async |_| {
        let (host, issuer) = ("collector:7443".to_owned(), "CN=Wall Inc.".to_owned());
        Err::<tonic::transport::Channel, _>(ConnectError::Intercepted { host, issuer }.into())
    };
    let unverified = async || Ok(device.collector.service());
    let error =
        enrol_over(&device.state, &device.enrolment, &own_clock(), unverified, intercepted).await;
    let error = error.unwrap_err().to_string();
    assert!(error.contains("Wall Inc.") && error.contains("intercepts TLS"), "{error}");
    assert_eq!(device.collector.secrets_seen(), 0);
    assert!(device.identity().is_none());
}

#[tokio::test]
async fn an_answer_that_was_lost_costs_no_second_device() {
    let device = Device::new();
    device.collector.does(Mischief::LostAnswer);
    let error = device.enrol().await.unwrap_err();
    assert!(matches!(error, EnrolmentError::Call(_)), "{error}");
    device.collector.does(Mischief::None);
    let enrolled = device.enrol().await.unwrap();
    assert_eq!(device.collector.devices(), [enrolled.device]);
}

#[tokio::test]
async fn a_device_that_is_enrolled_stays_so_unless_told_again() {
    let mut device = Device::new();
    let first = device.enrol().await.unwrap();
    let error = device.enrol().await.unwrap_err().to_string();
    assert!(error.contains("--again") && error.contains(&first.device.to_string()), "{error}");
    device.enrolment.again = true;
    let second = device.enrol().await.unwrap();
    assert_ne!(first.device, second.device, "a new key, and so a new device");
    assert_eq!(device.identity().unwrap().device(), second.device);
}

#[tokio::test]
async fn a_refusal_is_told_in_the_collector_s_words() {
    let mut device = Device::new();
    let other = Device::new();
    device.enrolment.token = other.enrolment.token;
    let error = device.enrol().await.unwrap_err().to_string();
    assert!(error.contains("does not know the school"), "{error}");
    device.enrolment.token = device.collector.school().token();
    let error = device.enrol().await.unwrap_err().to_string();
    assert!(error.contains("refuses: the token is revoked"), "{error}");
}

#[tokio::test]
async fn a_certificate_is_renewed_by_its_key_and_the_newest_bundle_kept() {
    let device = Device::new();
    let enrolled = device.enrol().await.unwrap();
    let (school, identity) = (device.state.school(enrolled.school), device.identity().unwrap());
    let trust = school.trust().unwrap();
    let (renewed, newest) = device.renew(&identity, &trust).await.unwrap();
    assert_ne!(renewed.chain(), identity.chain());
    assert_eq!(device.identity().unwrap().chain(), renewed.chain());
    assert_eq!(renewed.key().serialized_der(), identity.key().serialized_der());
    assert_eq!(school.trust().unwrap(), newest);
    assert_eq!(newest.signed().bundle, device.collector.school().bundle(7).bundle);
}

#[tokio::test]
async fn a_forged_renewal_changes_nothing() {
    let device = Device::new();
    let enrolled = device.enrol().await.unwrap();
    let (school, identity) = (device.state.school(enrolled.school), device.identity().unwrap());
    let trust = school.trust().unwrap();
    for mischief in [
        Mischief::OtherSchoolsName,
        Mischief::OtherSchoolsAuthority,
        Mischief::OtherKey,
        Mischief::OtherDevice,
    ] {
        device.collector.does(mischief);
        assert!(device.renew(&identity, &trust).await.is_err(), "{mischief:?}");
        assert_eq!(device.identity().unwrap().chain(), identity.chain(), "{mischief:?}");
        assert_eq!(school.trust().unwrap(), trust, "{mischief:?}");
    }
}

/// Half an hour behind the collector's.
const OWN_CLOCK: &str = "2026-09-01T08:00:00Z";

fn own_clock() -> Fixed {
    Fixed::new(OWN_CLOCK.parse().unwrap(), 1)
}

struct Device {
    _temp: tempfile::TempDir,
    state: StateDir,
    collector: Collector,
    enrolment: Enrolment,
}

impl Device {
    fn new() -> Self {
        let temp = tempfile::tempdir().unwrap();
        let school = School::new();
        let token = school.token();
        let enrolment = Enrolment {
            collector: "https://collector.example:7443".to_owned(),
            token: token.clone(),
            extra_roots: None,
            proxy: None,
            device: describe(),
            again: false,
        };
        Self {
            state: StateDir::create(&temp.path().join("state")).unwrap(),
            _temp: temp,
            collector: Collector::new(school, &token),
            enrolment,
        }
    }

    async fn enrol(&self) -> Result<Enrolled, EnrolmentError> {
        let service = || self.collector.service();
        let (unverified, verified) = (async || Ok(service()), async |_| Ok(service()));
        enrol_over(&self.state, &self.enrolment, &own_clock(), unverified, verified).await
    }

    async fn renew(
        &self,
        identity: &DeviceIdentity,
        trust: &Trust,
    ) -> Result<(DeviceIdentity, Trust), EnrolmentError> {
        let school = self.state.school(identity.school());
        renewal::renew(&self.state, &school, identity, trust, self.collector.service()).await
    }

    fn identity(&self) -> Option<DeviceIdentity> {
        self.state.identity().unwrap()
    }
}
