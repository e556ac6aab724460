//! Names this build by a digest of its sources: what one build compiled from rule packs is read by no
//! other, and nobody has to remember to raise a number when a rule of a language changes.

use std::path::{Path, PathBuf};
use std::{env, fs, io};

#[expect(clippy::disallowed_methods, reason = "the files of this crate have a known size")]
fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=src");
    let mut files = Vec::new();
    gather(Path::new("src"), &mut files)?;
    files.sort_unstable();
    let version = env::var("CARGO_PKG_VERSION").map_err(io::Error::other)?;
    let mut digest = fnv(FNV, version.as_bytes());
    for file in files {
        let content = fs::read(&file)?;
        digest = fnv(digest, file.as_os_str().as_encoded_bytes());
        digest = fnv(digest, &content.len().to_le_bytes());
        digest = fnv(digest, &content);
    }
    println!("cargo::rustc-env=REDSHANK_MATCHER_BUILD={digest:016x}");
    Ok(())
}

fn gather(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() { gather(&path, files)? } else { files.push(path) }
    }
    Ok(())
}

/// What FNV-1a begins with, 64 bits (draft-eastlake-fnv).
const FNV: u64 = 0xcbf2_9ce4_8422_2325;

fn fnv(digest: u64, bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(digest, |it, byte| (it ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3))
}
