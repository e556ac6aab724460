//! Where the signed policy is kept, and how a newer one takes its place.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use prost::Message as _;
use redshank_proto::trust::Trust;
use redshank_proto::{bounds, token, v1};
use tokio::sync::watch;

use super::compiled::{CompiledRules, PolicyHash};
use super::{PolicyError, PolicyInForce};
use crate::state::{read_bounded, write_atomically};

/// The file's name in the school's folder: a `SignedPolicy`, encoded.
const FILE: &str = "policy";
/// The most that is read: the largest policy, its key id and signature.
const FILE_BYTES: u64 = bounds::POLICY_BYTES as u64 + 1_024;

/// What became of a policy that was offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Accepted {
    /// It is in force, and on the disk.
    InForce,
    /// It was in force before.
    Unchanged,
}

/// The policy of one school on this device.
#[derive(Debug)]
pub struct PolicyStore {
    path: PathBuf,
    compiled: CompiledRules,
    held: Mutex<Held>,
    in_force: watch::Sender<Option<Arc<PolicyInForce>>>,
}

#[derive(Debug)]
struct Held {
    trust: Trust,
    serial: u64,
    sha256: Option<PolicyHash>,
    problem: Option<String>,
}

impl PolicyStore {
    /// Opens the store in `folder` and puts the policy that it holds in force, if it is still
    /// believed and compiles. Its rules need no compiling if they were kept compiled beside it.
    ///
    /// # Errors
    /// [`PolicyError::State`] if the file cannot be read. A file that is damaged or not believed is
    /// no error but a [`problem`](Self::problem): the collector gives a new one.
    pub fn open(folder: &Path, trust: &Trust) -> Result<Self, PolicyError> {
        let held = Held { trust: trust.clone(), serial: 0, sha256: None, problem: None };
        let store = Self {
            path: folder.join(FILE),
            compiled: CompiledRules::in_folder(folder),
            held: Mutex::new(held),
            in_force: watch::Sender::new(None),
        };
        if let Some(bytes) = read_bounded(&store.path, FILE_BYTES)? {
            let mut held = store.lock();
            match v1::SignedPolicy::decode(bytes.as_slice()) {
                Ok(signed) => {
                    let _ = store.put_in_force(&mut held, &signed, |_| Ok(()));
                }
                Err(_) => held.problem = Some(PolicyError::Damaged.to_string()),
            }
        }
        Ok(store)
    }

    /// Verifies a policy, compiles it, stores it and puts it in force, in this order. Blocks, for a
    /// large policy a good part of a second.
    ///
    /// # Errors
    /// [`PolicyError`] if it cannot be in force; the one before it then still is.
    pub fn accept(&self, signed: &v1::SignedPolicy) -> Result<Accepted, PolicyError> {
        let mut held = self.lock();
        self.put_in_force(&mut held, signed, |bytes| Ok(write_atomically(&self.path, bytes)?))
    }

    /// Believes a newer trust bundle from here on.
    pub fn believe(&self, trust: Trust) {
        self.lock().trust = trust;
    }

    /// Follows the policy in force.
    #[must_use]
    pub fn subscribe(&self) -> watch::Receiver<Option<Arc<PolicyInForce>>> {
        self.in_force.subscribe()
    }

    /// The serial of the policy in force; 0 if none is.
    #[must_use]
    pub fn serial(&self) -> u64 {
        self.lock().serial
    }

    /// Why the last policy that came is not in force; `None` if it is.
    #[must_use]
    pub fn problem(&self) -> Option<String> {
        self.lock().problem.clone()
    }

    fn put_in_force(
        &self,
        held: &mut Held,
        signed: &v1::SignedPolicy,
        store: impl FnOnce(&[u8]) -> Result<(), PolicyError>,
    ) -> Result<Accepted, PolicyError> {
        let result = self.replace(held, signed, store);
        held.problem = result.as_ref().err().map(ToString::to_string);
        result
    }

    fn replace(
        &self,
        held: &mut Held,
        signed: &v1::SignedPolicy,
        store: impl FnOnce(&[u8]) -> Result<(), PolicyError>,
    ) -> Result<Accepted, PolicyError> {
        let policy = held.trust.policy(signed, held.serial)?;
        let sha256 = token::sha256(&signed.policy);
        if held.sha256 == Some(sha256) {
            return Ok(Accepted::Unchanged);
        }
        let kept = self.compiled.read(&sha256);
        let is_kept = kept.is_some();
        let policy = PolicyInForce::with_rules(policy, kept)?;
        store(&signed.encode_to_vec())?;
        if !is_kept {
            self.compiled.write(&sha256, policy.matcher());
        }
        held.serial = policy.serial();
        held.sha256 = Some(sha256);
        self.in_force.send_replace(Some(Arc::new(policy)));
        Ok(Accepted::InForce)
    }

    fn lock(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::rand::SystemRandom;
    use aws_lc_rs::signature::{
        ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _,
    };
    use redshank_proto::clock::System;
    use redshank_proto::id::SchoolId;
    use redshank_proto::seal::SchoolKey;
    use redshank_proto::trust::{BUNDLE_CONTEXT, POLICY_CONTEXT, TrustError};

    use super::*;
    use crate::policy::compiled::tests::{BUILD_AT, content, hears, put, rules};
    use crate::policy::tests::policy;

    #[test]
    fn a_policy_is_in_force_at_once_and_after_a_restart() {
        let (folder, school) = (tempfile::tempdir().unwrap(), School::new());
        let store = PolicyStore::open(folder.path(), &school.trust).unwrap();
        let follow = store.subscribe();
        assert_eq!((store.serial(), follow.borrow().is_none()), (0, true));
        let signed = school.sign(policy(4));
        assert_eq!(store.accept(&signed).unwrap(), Accepted::InForce);
        assert_eq!(follow.borrow().as_ref().unwrap().serial(), 4);
        assert_eq!(store.accept(&signed).unwrap(), Accepted::Unchanged);

        let again = PolicyStore::open(folder.path(), &school.trust).unwrap();
        assert_eq!((again.serial(), again.problem()), (4, None));
    }

    #[test]
    fn what_cannot_be_in_force_leaves_the_old_one_and_is_reported() {
        let (folder, school) = (tempfile::tempdir().unwrap(), School::new());
        let store = PolicyStore::open(folder.path(), &school.trust).unwrap();
        store.accept(&school.sign(policy(4))).unwrap();

        let mut bad = policy(5);
        bad.rule_packs[0].text.push_str("surprise = true");
        let error = store.accept(&school.sign(bad)).unwrap_err();
        assert!(matches!(error, PolicyError::Rules(_)), "{error}");
        assert_eq!((store.serial(), store.problem()), (4, Some(error.to_string())));

        let fallen = store.accept(&school.sign(policy(3))).unwrap_err();
        assert!(matches!(fallen, PolicyError::Trust(TrustError::Serial { .. })), "{fallen}");
        let foreign = store.accept(&School::new().sign(policy(9))).unwrap_err();
        assert!(matches!(foreign, PolicyError::Trust(_)), "{foreign}");
        assert_eq!(store.subscribe().borrow().as_ref().unwrap().serial(), 4);

        store.accept(&school.sign(policy(6))).unwrap();
        assert_eq!((store.serial(), store.problem()), (6, None));
    }

    #[test]
    fn a_damaged_or_foreign_file_is_a_problem_and_not_the_end() {
        let (folder, school) = (tempfile::tempdir().unwrap(), School::new());
        for bytes in [b"\xff\xff".to_vec(), School::new().sign(policy(7)).encode_to_vec()] {
            write_atomically(&folder.path().join(FILE), &bytes).unwrap();
            let store = PolicyStore::open(folder.path(), &school.trust).unwrap();
            assert_eq!(store.serial(), 0);
            assert!(store.problem().is_some());
            assert_eq!(store.accept(&school.sign(policy(1))).unwrap(), Accepted::InForce);
        }
    }

    #[test]
    fn the_next_start_reads_the_compiled_rules_of_the_policy_it_holds() {
        let (folder, school) = (tempfile::tempdir().unwrap(), School::new());
        let signed = school.sign(policy(4));
        PolicyStore::open(folder.path(), &school.trust).unwrap().accept(&signed).unwrap();
        let compiled = content(folder.path());

        // Rules that stand in no pack of the policy tell where they were read from.
        let planted = [&compiled[..32], &rules("a strange phrase").to_bytes()].concat();
        put(folder.path(), &planted);
        assert!(starts_with_rules_for(&folder, &school, "a strange phrase"));
        assert_eq!(content(folder.path()), planted, "not written again");

        // The same rules are not read for another policy, nor if another build wrote them.
        let mut of_another_build = planted.clone();
        of_another_build[BUILD_AT] ^= 1;
        let mut damaged = planted.clone();
        *damaged.last_mut().unwrap() ^= 1;
        let of_another_policy = [[0; 32].as_slice(), &planted[32..]].concat();
        for passed_over in [of_another_build, damaged, of_another_policy, Vec::new()] {
            put(folder.path(), &passed_over);
            assert!(!starts_with_rules_for(&folder, &school, "a strange phrase"));
            assert_eq!(content(folder.path()), compiled, "written anew");
            assert!(starts_with_rules_for(&folder, &school, "how to end it all"));
        }
    }

    #[test]
    fn a_new_policy_brings_its_own_compiled_rules() {
        let (folder, school) = (tempfile::tempdir().unwrap(), School::new());
        let store = PolicyStore::open(folder.path(), &school.trust).unwrap();
        store.accept(&school.sign(policy(4))).unwrap();
        let former = content(folder.path());
        let mut newer = policy(5);
        newer.rule_packs.truncate(1);
        store.accept(&school.sign(newer)).unwrap();
        assert_ne!(content(folder.path()), former);
        assert!(starts_with_rules_for(&folder, &school, "how to end it all"));
        assert!(!starts_with_rules_for(&folder, &school, "cheap vapes"));

        let mut bad = policy(6);
        bad.rule_packs[0].text.push_str("surprise = true");
        let current = content(folder.path());
        store.accept(&school.sign(bad)).unwrap_err();
        assert_eq!(content(folder.path()), current, "what is not in force is not kept");
    }

    #[test]
    fn a_policy_that_cannot_be_stored_is_not_in_force() {
        let (folder, school) = (tempfile::tempdir().unwrap(), School::new());
        let store = PolicyStore::open(folder.path(), &school.trust).unwrap();
        folder.close().unwrap();
        let error = store.accept(&school.sign(policy(1))).unwrap_err();
        assert!(matches!(error, PolicyError::State(_)), "{error}");
        assert_eq!(store.serial(), 0);
    }

    fn starts_with_rules_for(folder: &tempfile::TempDir, school: &School, phrase: &str) -> bool {
        let store = PolicyStore::open(folder.path(), &school.trust).unwrap();
        assert_eq!(store.problem(), None);
        let in_force = store.subscribe().borrow().clone().unwrap();
        hears(in_force.matcher(), phrase)
    }

    struct School {
        trust: Trust,
        key: Ed25519KeyPair,
    }

    impl School {
        fn new() -> Self {
            let root = rcgen::KeyPair::generate().unwrap();
            let certificate =
                rcgen::CertificateParams::default().self_signed(&root).unwrap().der().to_vec();
            let root =
                EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &root.serialize_der())
                    .unwrap();
            let key = Ed25519KeyPair::generate().unwrap();
            let bundle = v1::TrustBundle {
                school_id: SchoolId::draw(&System).to_vec(),
                serial: 1,
                root_certificate: certificate.clone(),
                issuing_certificates: vec![certificate],
                hpke_keys: vec![SchoolKey::draw(&System).public()],
                policy_keys: vec![v1::PolicyKey {
                    key_id: vec![9; 16],
                    public_key: key.public_key().as_ref().to_vec(),
                }],
                issued_at: None,
            }
            .encode_to_vec();
            let message = [BUNDLE_CONTEXT, &bundle].concat();
            let signature = root.sign(&SystemRandom::new(), &message).unwrap().as_ref().to_vec();
            let trust = Trust::from_store(v1::SignedTrustBundle { bundle, signature }).unwrap();
            Self { trust, key }
        }

        fn sign(&self, policy: v1::Policy) -> v1::SignedPolicy {
            let policy =
                v1::Policy { school_id: self.trust.school().to_vec(), ..policy }.encode_to_vec();
            let message = [POLICY_CONTEXT, &policy].concat();
            let signature = self.key.sign(&message).as_ref().to_vec();
            v1::SignedPolicy { policy, key_id: vec![9; 16], signature }
        }
    }
}
