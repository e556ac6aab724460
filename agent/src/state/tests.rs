//! The state folder: who may use it, and that what it holds is whole.

use rcgen::{CertificateParams, KeyPair, SanType};
use redshank_proto::clock::System;
use redshank_proto::id::DeviceId;
use redshank_proto::peer::Peer;

use super::*;

#[test]
fn a_folder_is_made_private_and_found_again() {
    let temp = tempfile::tempdir().unwrap();
    let path = temp.path().join("below/state");
    assert!(matches!(StateDir::open(&path), Err(StateError::Missing(_))));
    let state = StateDir::create(&path).unwrap();
    state.set_status(b"{}").unwrap();
    assert_eq!(StateDir::open(&path).unwrap().status().unwrap().unwrap(), b"{}");
    #[cfg(unix)]
    {
        assert_eq!(mode(&path), 0o700);
        assert_eq!(mode(&path.join(STATUS)), 0o600);
    }
}

#[test]
fn a_file_or_a_link_is_no_state_folder() {
    let temp = tempfile::tempdir().unwrap();
    let file = temp.path().join("file");
    fs::write(&file, "").unwrap();
    assert!(matches!(StateDir::create(&file), Err(StateError::NotAFolder(_))));
    #[cfg(unix)]
    {
        let link = temp.path().join("link");
        std::os::unix::fs::symlink(temp.path(), &link).unwrap();
        assert!(matches!(StateDir::open(&link), Err(StateError::NotAFolder(_))));
    }
}

#[cfg(unix)]
#[test]
fn a_folder_that_others_may_write_to_is_refused_with_the_way_out() {
    use std::os::unix::fs::PermissionsExt as _;

    let temp = tempfile::tempdir().unwrap();
    let path = temp.path().join("state");
    StateDir::create(&path).unwrap();
    for mode in [0o720, 0o702, 0o777] {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        let error = StateDir::open(&path).unwrap_err().to_string();
        assert!(error.contains("chmod 700"), "{error}");
    }
}

#[cfg(windows)]
#[test]
fn a_folder_that_is_open_to_others_is_refused_with_the_way_out() {
    // Everybody may use the folder of public documents.
    let public = PathBuf::from(std::env::var_os("PUBLIC").unwrap());
    for state in [StateDir::open(&public), StateDir::create(&public)] {
        let error = state.unwrap_err();
        assert!(matches!(&error, StateError::Open { path, .. } if *path == public), "{error:?}");
        let told = error.to_string();
        assert!(told.contains("icacls") && told.contains("S-1-5-32-544"), "{told}");
    }
}

#[test]
fn one_agent_at_a_time_holds_the_lock() {
    let (_temp, state) = state();
    assert!(!state.is_locked().unwrap());
    let lock = state.lock().unwrap();
    assert!(state.is_locked().unwrap());
    assert!(matches!(state.lock(), Err(StateError::Locked(_))));
    drop(lock);
    assert!(state.lock().is_ok());
}

#[test]
fn a_write_leaves_the_new_file_and_nothing_beside_it() {
    let (_temp, state) = state();
    state.set_status(b"old").unwrap();
    state.set_status(b"new").unwrap();
    assert_eq!(state.status().unwrap().unwrap(), b"new");
    assert_eq!(fs::read_dir(state.path()).unwrap().count(), 1);
}

#[test]
fn a_write_that_fails_leaves_the_old_file() {
    let (_temp, state) = state();
    let path = state.path().join("taken");
    fs::create_dir(&path).unwrap();
    assert!(matches!(write_atomically(&path, b"x"), Err(StateError::Io { .. })));
    assert!(path.is_dir());
    assert_eq!(fs::read_dir(state.path()).unwrap().count(), 1, "the temporary file is gone");
}

#[test]
fn a_file_past_its_bound_is_not_read() {
    let (_temp, state) = state();
    state.set_status(&[b' '; 16]).unwrap();
    assert!(read_bounded(&state.path().join(STATUS), 16).is_ok());
    assert!(matches!(read_bounded(&state.path().join(STATUS), 15), Err(StateError::Io { .. })));
}

#[test]
fn each_run_names_the_one_before() {
    let (_temp, state) = state();
    let first = state.begin_run(&System).unwrap();
    let second = state.begin_run(&System).unwrap();
    assert_eq!((second.previous, &second.since), (None, &vec![first.run]));
    state.welcomed(&second).unwrap();
    let third = state.begin_run(&System).unwrap();
    assert_eq!((third.previous, third.since.len()), (Some(second.run), 0));
}

#[test]
fn an_identity_survives_its_file_and_ends_the_enrolment() {
    let (_temp, state) = state();
    assert!(state.identity().unwrap().is_none());
    let (key, certificate) = device();
    state.set_enrolling_key(&key.serialize_pem()).unwrap();
    let identity = DeviceIdentity::new(key, vec![certificate.clone(), certificate]).unwrap();
    state.set_identity(&identity).unwrap();
    let read = state.identity().unwrap().unwrap();
    assert_eq!(read.device(), identity.device());
    assert_eq!(read.chain(), identity.chain());
    assert_eq!(read.key().serialized_der(), identity.key().serialized_der());
    assert_eq!(state.enrolling_key().unwrap(), None);
    #[cfg(unix)]
    assert_eq!(mode(&state.path().join(IDENTITY)), 0o600);
}

#[test]
fn a_chain_of_another_key_is_no_identity() {
    let (key, _) = device();
    let (_, certificate) = device();
    assert_eq!(DeviceIdentity::new(key, vec![certificate]).unwrap_err(), IdentityError::OtherKey);
    assert_eq!(DeviceIdentity::new(device().0, Vec::new()).unwrap_err(), IdentityError::Chain);
}

#[test]
fn a_damaged_identity_is_named_with_the_way_out() {
    let (_temp, state) = state();
    write_atomically(&state.path().join(IDENTITY), b"not PEM").unwrap();
    let error = state.identity().unwrap_err().to_string();
    assert!(error.contains("identity.pem is damaged") && error.contains("--again"), "{error}");
}

#[test]
fn an_installation_survives_its_file() {
    let (_temp, state) = state();
    let school = state.school(SchoolId::draw(&System));
    assert!(matches!(school.installation(), Err(StateError::Damaged { .. })));
    school.create().unwrap();
    let installation = Installation {
        enrolment_url: "https://collector.example:7443".to_owned(),
        ingest_url: "https://collector.example:7444".to_owned(),
        enrolled_at: "2026-09-01T08:30:00.000001Z".parse().unwrap(),
        asked_at_own_clock: Some("2026-09-01T07:30:00Z".parse().unwrap()),
        pending: true,
    };
    school.set_installation(&installation).unwrap();
    assert_eq!(school.installation().unwrap(), installation);
}

#[test]
fn visits_are_read_since_the_earlier_of_both_clocks_times() {
    let (_temp, state) = state();
    let school = state.school(SchoolId::draw(&System));
    school.create().unwrap();
    for (own, since) in [
        ("", "2026-09-01T08:30:00Z"),
        ("asked_at_own_clock = \"2026-09-01T07:30:00Z\"\n", "2026-09-01T07:30:00Z"),
        ("asked_at_own_clock = \"2026-09-01T09:30:00Z\"\n", "2026-09-01T08:30:00Z"),
    ] {
        let file = format!(
            "enrolment_url = \"https://c:1\"\ningest_url = \"https://c:2\"\n\
             enrolled_at = \"2026-09-01T08:30:00Z\"\npending = false\n{own}"
        );
        write_atomically(&school.path().join("installation.toml"), file.as_bytes()).unwrap();
        let installation = school.installation().unwrap();
        assert_eq!(installation.reads_visits_since().to_string(), since, "{own}");
    }
}

#[test]
fn extra_roots_are_certificates_or_an_error_that_names_the_file() {
    let (_temp, state) = state();
    let school = state.school(SchoolId::draw(&System));
    school.create().unwrap();
    assert_eq!(school.extra_roots().unwrap(), []);
    school.set_extra_roots(Some(b"no certificate")).unwrap();
    let error = school.extra_roots().unwrap_err().to_string();
    assert!(error.contains("extra-ca.pem"), "{error}");
    school.set_extra_roots(None).unwrap();
    assert_eq!(school.extra_roots().unwrap(), []);
    assert!(matches!(read_roots(&state.path().join("no such file")), Err(StateError::Io { .. })));
}

fn state() -> (tempfile::TempDir, StateDir) {
    let temp = tempfile::tempdir().unwrap();
    let state = StateDir::create(&temp.path().join("state")).unwrap();
    (temp, state)
}

fn device() -> (KeyPair, rustls_pki_types::CertificateDer<'static>) {
    let key = KeyPair::generate().unwrap();
    let name = Peer::Device { school: SchoolId::draw(&System), device: DeviceId::draw(&System) };
    let mut params = CertificateParams::default();
    params.subject_alt_names.push(SanType::URI(name.to_string().try_into().unwrap()));
    let certificate = params.self_signed(&key).unwrap().der().clone();
    (key, certificate)
}

#[cfg(unix)]
fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt as _;
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}
