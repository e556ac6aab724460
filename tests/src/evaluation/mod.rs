//! How good the rule packs are, measured on labelled texts.
//!
//! A set is a file of JSON Lines ([`labelled`]), judged text by text ([`rates`]) and shown as a table ([`report`]). The
//! sets that belong to the packs lie beside them, in `collector/rules/golden`.

pub mod labelled;
pub mod packs;
pub mod rates;
pub mod report;

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use anyhow::{Context as _, bail};

/// The largest file of texts that is read, in bytes: a hundred thousand documents.
const LARGEST: u64 = 1024 * 1024 * 1024;

/// Reads a file of texts.
///
/// # Errors
/// Names the file that cannot be read, or is larger than a gibibyte.
pub fn read(file: &Path) -> anyhow::Result<String> {
    let at = || format!("{}", file.display());
    let mut bytes = Vec::new();
    File::open(file)
        .with_context(at)?
        .take(LARGEST + 1)
        .read_to_end(&mut bytes)
        .with_context(at)?;
    if bytes.len() as u64 > LARGEST {
        bail!("{}: larger than {LARGEST} bytes", at());
    }
    // Searches that people typed are not all UTF-8.
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
