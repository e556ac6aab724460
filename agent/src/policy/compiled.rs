//! The rules of the policy in force as they were compiled, so that the next start need not compile
//! them: reading them back takes about a tenth of the time.
//!
//! # The file
//! SHA-256 of the policy that they are of (32 bytes), then what
//! [`Matcher::to_bytes`](redshank_matcher::Matcher::to_bytes) gave, which begins with the build that
//! wrote it and a checksum. Written as a whole, like the policy, and after it.
//!
//! # What always holds
//! - The policy counts, and the file only saves time. If it is missing, damaged, of another policy or
//!   of another build, the rules are compiled from the policy, and it is written anew. If that fails,
//!   the next start compiles again.
//! - It is not signed: its place vouches for it. Only the agent's own user and administrators can
//!   write in the state folder, as [`state`](crate::state) demands at every start. Whoever can put a
//!   file here can as well put a trust bundle beside it and a policy that its key signed, for the
//!   bundle that was kept is believed for its place, too.
//! - The log says why it was passed over, and nothing that stands in it.

use std::path::{Path, PathBuf};

use redshank_matcher::{Matcher, Unreadable};

use crate::state::{read_bounded, write_atomically};

/// The file's name in the school's folder, beside the policy.
const FILE: &str = "compiled-rules";
/// The most that is read or written: twice what the largest policy of packs compiles to.
const FILE_BYTES: u64 = 32 * 1024 * 1024;

/// SHA-256 of a policy's bytes, as they were signed.
pub(super) type PolicyHash = [u8; 32];

/// Where compiled rules are kept.
#[derive(Debug)]
pub(super) struct CompiledRules {
    path: PathBuf,
}

impl CompiledRules {
    pub(super) fn in_folder(folder: &Path) -> Self {
        Self { path: folder.join(FILE) }
    }

    /// Reads the rules of this policy; `None` if they are to be compiled.
    pub(super) fn read(&self, policy: &PolicyHash) -> Option<Matcher> {
        let bytes = match read_bounded(&self.path, FILE_BYTES) {
            Ok(bytes) => bytes?,
            Err(error) => {
                tracing::warn!(%error, "the compiled rules cannot be read; compiling them anew");
                return None;
            }
        };
        // Those of another policy are what is expected when a newer one has come.
        let compiled = bytes.strip_prefix(policy)?;
        match Matcher::from_bytes(compiled) {
            Ok(matcher) => Some(matcher),
            Err(Unreadable::Build) => {
                tracing::info!("the rules were compiled by another build; compiling them anew");
                None
            }
            Err(error @ Unreadable::Broken) => {
                tracing::warn!(%error, "the compiled rules are damaged; compiling them anew");
                None
            }
        }
    }

    /// Keeps the rules of this policy in place of the last.
    pub(super) fn write(&self, policy: &PolicyHash, rules: &Matcher) {
        let bytes = [policy.as_slice(), &rules.to_bytes()].concat();
        if bytes.len() as u64 > FILE_BYTES {
            tracing::warn!("the compiled rules are too large to be kept");
        } else if let Err(error) = write_atomically(&self.path, &bytes) {
            tracing::warn!(%error, "the compiled rules are not kept");
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::fs;

    use redshank_matcher::Pack;

    use super::*;

    #[test]
    fn rules_are_read_for_their_policy_alone() {
        let folder = tempfile::tempdir().unwrap();
        let kept = CompiledRules::in_folder(folder.path());
        assert!(kept.read(&[1; 32]).is_none(), "nothing there");
        kept.write(&[1; 32], &rules("a strange phrase"));
        assert!(hears(&kept.read(&[1; 32]).unwrap(), "a strange phrase"));
        assert!(kept.read(&[2; 32]).is_none());
        kept.write(&[2; 32], &rules("another phrase"));
        assert!(hears(&kept.read(&[2; 32]).unwrap(), "another phrase"));
        assert!(kept.read(&[1; 32]).is_none());
    }

    #[test]
    fn what_is_damaged_or_of_another_build_is_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let kept = CompiledRules::in_folder(folder.path());
        kept.write(&[1; 32], &rules("a strange phrase"));
        let whole = content(folder.path());
        for at in [0, BUILD_AT, BUILD_AT + 15, whole.len() / 2, whole.len() - 1] {
            let mut damaged = whole.clone();
            damaged[at] ^= 1;
            put(folder.path(), &damaged);
            assert!(kept.read(&[1; 32]).is_none(), "byte {at}");
        }
        for cut in [0, 31, 32, BUILD_AT, whole.len() - 1] {
            put(folder.path(), &whole[..cut]);
            assert!(kept.read(&[1; 32]).is_none(), "cut at {cut}");
        }
        put(folder.path(), &whole);
        assert!(kept.read(&[1; 32]).is_some());
    }

    #[test]
    fn what_cannot_be_read_or_kept_is_no_fault() {
        let folder = tempfile::tempdir().unwrap();
        let kept = CompiledRules::in_folder(folder.path());
        fs::create_dir(folder.path().join(FILE)).unwrap();
        kept.write(&[1; 32], &rules("a strange phrase"));
        assert!(kept.read(&[1; 32]).is_none());
    }

    /// Where the build's name begins: behind the policy's hash and eight bytes that say what it is.
    pub(in crate::policy) const BUILD_AT: usize = 32 + 8;

    pub(in crate::policy) fn rules(phrase: &str) -> Matcher {
        let text = format!(
            "format = 1\ncategory = \"bypass\"\nlanguage = \"en\"\nversion = 1\n\
             reviewed = \"for tests\"\n[[rule]]\nid = \"bypass.test\"\nseverity = 3\n\
             note = \"a test\"\nphrases = [\"{phrase}\"]\n"
        );
        Matcher::compile(&[Pack::parse("en/bypass.toml", &text).unwrap()]).unwrap()
    }

    pub(in crate::policy) fn hears(rules: &Matcher, phrase: &str) -> bool {
        !rules.find(phrase, redshank_matcher::Place::Search).matches.is_empty()
    }

    pub(in crate::policy) fn content(folder: &Path) -> Vec<u8> {
        read_bounded(&folder.join(FILE), FILE_BYTES).unwrap().unwrap()
    }

    pub(in crate::policy) fn put(folder: &Path, bytes: &[u8]) {
        write_atomically(&folder.join(FILE), bytes).unwrap();
    }
}
