//! Keys from `init` to a certificate that TLS takes.

use std::sync::Arc;

use rcgen::{CertificateParams, KeyPair};
use redshank_proto::clock::System;
use redshank_proto::id::{DeviceId, KeyId, ReaderId, SchoolId};
use redshank_proto::peer::Peer;
use redshank_proto::token;
use redshank_proto::trust::Trust;
use tempfile::TempDir;
use zeroize::Zeroizing;

use super::root_ca::RootCa;
use super::wrap::RootKey;
use super::*;
use crate::store::keys::{KeyKind, WrappedKey};
use crate::store::tests::Scratch;
use crate::store::{Scope, Store};

#[tokio::test]
async fn a_school_s_bundle_is_believed_and_its_policies_verify_under_it() {
    let scratch = Scratch::new();
    let (ring, school) = ring_with_school(&scratch.store).await;
    let line = Scope::command_line();
    let signed = scratch.store.read(&line, move |view| view.newest_bundle(school)).await.unwrap();
    let hash = token::sha256(&signed.bundle);
    let trust = Trust::from_token(signed, &hash).unwrap();
    assert_eq!(trust.school(), school);

    let policy =
        redshank_proto::v1::Policy { school_id: school.to_vec(), serial: 1, ..Default::default() };
    let encoded = prost::Message::encode_to_vec(&policy);
    let signed = ring.sign_policy(school, encoded).unwrap();
    assert_eq!(trust.policy(&signed, 0).unwrap(), policy);
    let key = KeyId::try_from(trust.hpke_key().key_id.as_slice()).unwrap();
    assert!(ring.school_key(school, key).is_some());
    assert!(ring.school_key(SchoolId::draw(&System), key).is_none());
}

#[tokio::test]
async fn a_ring_finds_a_school_that_another_process_added() {
    let scratch = Scratch::new();
    let (ring, _) = ring_with_school(&scratch.store).await;
    let later = add_school(&scratch.store, "Hill Top").await;
    assert!(!ring.holds(later));
    ring.refresh(&scratch.store).await.unwrap();
    assert!(ring.holds(later));
}

#[tokio::test]
async fn pseudonyms_are_stable_within_a_school_and_meaningless_outside() {
    let scratch = Scratch::new();
    let (ring, ours) = ring_with_school(&scratch.store).await;
    let theirs = add_school(&scratch.store, "Hill Top").await;
    ring.refresh(&scratch.store).await.unwrap();
    let pseudonym = ring.pseudonym(ours, b"a person").unwrap();
    assert_eq!(ring.pseudonym(ours, b"a person"), Some(pseudonym));
    assert_ne!(ring.pseudonym(ours, b"another"), Some(pseudonym));
    assert_ne!(ring.pseudonym(theirs, b"a person"), Some(pseudonym));
}

#[tokio::test]
async fn a_certificate_names_its_holder_and_nobody_the_request_asked_for() {
    let scratch = Scratch::new();
    let (ring, school) = ring_with_school(&scratch.store).await;
    let holders = [
        Peer::Device { school, device: DeviceId::draw(&System) },
        Peer::Reader { reader: ReaderId::draw(&System) },
    ];
    for holder in holders {
        let other = Peer::Device { school, device: DeviceId::draw(&System) };
        let issued = ring.issue_client(holder, &request(&[other.to_string()])).unwrap();
        assert_eq!(Peer::from_certificate(&issued.chain[0]), Ok(holder));
        let (_, leaf) = x509_parser::parse_x509_certificate(&issued.chain[0]).unwrap();
        assert_eq!(leaf.raw_serial(), issued.serial);
        assert!(!leaf.is_ca());
    }
}

#[tokio::test]
async fn what_is_no_signing_request_is_refused() {
    let scratch = Scratch::new();
    let (ring, school) = ring_with_school(&scratch.store).await;
    let holder = Peer::Device { school, device: DeviceId::draw(&System) };
    let good = request(&[]);
    let mut forged = good.clone();
    let last = forged.len() - 1;
    forged[last] ^= 1;
    let ed25519 = KeyPair::generate_for(&rcgen::PKCS_ED25519).unwrap();
    let other_algorithm = CertificateParams::default().serialize_request(&ed25519).unwrap();
    let long = [good.clone(), vec![0; 9_000]].concat();
    for bad in [b"".to_vec(), forged, other_algorithm.der().to_vec(), long] {
        assert!(matches!(ring.issue_client(holder, &bad), Err(KeyError::SigningRequest)));
    }
    assert!(ring.issue_client(holder, &good).is_ok());
}

#[tokio::test]
async fn another_root_key_opens_nothing() {
    let scratch = Scratch::new();
    ring_with_school(&scratch.store).await;
    let other = RootKey::new(&Zeroizing::new([9; 32])).unwrap();
    let loaded = KeyRing::load(other, &scratch.store, Arc::new(System), Arc::new(System)).await;
    assert!(matches!(loaded, Err(KeyError::DoesNotOpen(_))));
}

#[tokio::test]
async fn the_listeners_certificate_is_kept_until_its_names_change() {
    let scratch = Scratch::new();
    let (ring, _) = ring_with_school(&scratch.store).await;
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let one = names(&["localhost", "127.0.0.1"]);
    let first = server_identity(&scratch.store, &ring, &one).await.unwrap();
    let again = server_identity(&scratch.store, &ring, &one).await.unwrap();
    assert_eq!(first.chain, again.chain);
    let two = names(&["collector.school.example"]);
    let other = server_identity(&scratch.store, &ring, &two).await.unwrap();
    assert_ne!(first.chain[0], other.chain[0]);
}

#[test]
fn the_data_folder_gives_back_what_init_put_there() {
    let folder = TempDir::new().unwrap();
    let data = DataFolder::new(folder.path().join("data"));
    data.create().unwrap();
    let root = data.draw_root_key(&System).unwrap();
    let key = data.draw_database_key(&root, &System).unwrap();
    assert_eq!(data.database_key(&data.root_key().unwrap()).unwrap(), key);
    let error = data.create().unwrap_err().to_string();
    assert!(error.contains("not empty"), "{error}");
    assert!(data.draw_root_key(&System).is_err());
}

#[cfg(unix)]
#[test]
fn a_root_key_that_others_can_read_or_that_is_a_link_is_refused() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = TempDir::new().unwrap();
    let data = DataFolder::new(folder.path());
    data.draw_root_key(&System).unwrap();
    let path = folder.path().join("root.key");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
    let error = data.root_key().unwrap_err().to_string();
    assert!(error.contains("root.key") && error.contains("chmod 600"), "{error}");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    std::fs::rename(&path, folder.path().join("elsewhere")).unwrap();
    std::os::unix::fs::symlink(folder.path().join("elsewhere"), &path).unwrap();
    assert!(data.root_key().is_err());
}

#[test]
fn an_offline_root_may_be_moved_away_and_given_back() {
    let folder = TempDir::new().unwrap();
    let data = DataFolder::new(folder.path());
    let root = data.draw_root_key(&System).unwrap();
    let ca = RootCa::draw(redshank_proto::clock::Clock::now(&System), &System).unwrap();
    data.keep_root_ca(&root, &ca, &System).unwrap();
    let moved = folder.path().join("stick");
    std::fs::rename(data.offline_root(), &moved).unwrap();
    let certificate = ca.certificate().to_vec();
    let error = data.root_ca(None, &root, certificate.clone()).unwrap_err().to_string();
    assert!(error.contains("--root-ca"), "{error}");
    assert!(data.root_ca(Some(&moved), &root, certificate).is_ok());
}

/// A root key, an issuing CA and one school, as `init` and `school add` make them.
pub(crate) async fn ring_with_school(store: &Store) -> (KeyRing, SchoolId) {
    let (ca, root) = (root_ca(), root_key());
    let now = redshank_proto::clock::Clock::now(&System);
    let (key, issuing) = ca.draw_issuing(now, &System).unwrap();
    let id = KeyId::draw(&System);
    let row = WrappedKey {
        key: id,
        school: None,
        kind: KeyKind::Issuing,
        wrapped: root.wrap(KeyKind::Issuing.as_str(), id, &key, &System).unwrap(),
        chain: vec![issuing, ca.certificate().to_vec()],
    };
    let line = Scope::command_line();
    store.write(&line, move |edit| edit.add_key(&row)).await.unwrap();
    let school = add_school(store, "Marsh Lane").await;
    let ring = KeyRing::load(root, store, Arc::new(System), Arc::new(System)).await.unwrap();
    (ring, school)
}

/// Adds a school with its keys and bundle.
pub(crate) async fn add_school(store: &Store, name: &'static str) -> SchoolId {
    let new = NewSchool::draw(&root_key(), &System).unwrap();
    let ca = root_ca();
    let line = Scope::command_line();
    let write = store.write(&line, move |edit| {
        let school = edit.add_school(name, "Europe/London")?;
        for key in new.keys_of(school) {
            edit.add_key(&key)?;
        }
        let bundle = new.bundle_of(school, &ca, b"issuing", edit.now()).unwrap();
        edit.add_bundle(school, 1, &bundle)?;
        Ok(school)
    });
    write.await.unwrap()
}

/// A signing request for a new key, asking for `names`.
pub(crate) fn request(names: &[String]) -> Vec<u8> {
    let mut params = CertificateParams::default();
    for name in names {
        params.subject_alt_names.push(rcgen::SanType::URI(name.as_str().try_into().unwrap()));
    }
    params.serialize_request(&KeyPair::generate().unwrap()).unwrap().der().to_vec()
}

fn root_key() -> RootKey {
    RootKey::new(&Zeroizing::new([5; 32])).unwrap()
}

fn root_ca() -> RootCa {
    static CA: std::sync::OnceLock<(Vec<u8>, Vec<u8>)> = std::sync::OnceLock::new();
    let (key, certificate) = CA.get_or_init(|| {
        let ca = RootCa::draw(redshank_proto::clock::Clock::now(&System), &System).unwrap();
        (ca.key().to_vec(), ca.certificate().to_vec())
    });
    RootCa::open(key, certificate.clone()).unwrap()
}
