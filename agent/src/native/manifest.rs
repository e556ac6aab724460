//! The manifest by which a browser finds the host ("Native messaging", Chrome for Developers; "Native
//! manifests", MDN). An installer prints it into the browser's folder; where that is, is the installer's.

use std::path::Path;

use clap::ValueEnum;
use serde::Serialize;

use super::HOST_NAME;

/// The extension's id in Chromium's family: it follows from `key` in its manifest.
pub const CHROMIUM_EXTENSION: &str = "cemoeckodanlogblodheojhpojljnkkg";
/// The extension's id in Firefox.
pub const FIREFOX_EXTENSION: &str = "redshank@redshank.example";

/// A family of browsers with one form of manifest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Family {
    /// Chrome, Edge, Chromium, Brave, Opera, Vivaldi
    Chromium,
    /// Firefox
    Firefox,
}

/// Why there is no manifest.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// Browsers take absolute paths only.
    #[error("{0}: a browser needs the program's absolute path, in UTF-8")]
    Program(String),
}

#[derive(Serialize)]
struct Manifest<'a> {
    name: &'a str,
    description: &'a str,
    path: &'a str,
    #[serde(rename = "type")]
    kind: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    allowed_origins: Option<[String; 1]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    allowed_extensions: Option<[&'a str; 1]>,
}

/// The manifest, as JSON, for the host that `program` is.
///
/// # Errors
/// [`ManifestError::Program`].
pub fn manifest(family: Family, program: &Path) -> Result<String, ManifestError> {
    let wrong = || ManifestError::Program(program.display().to_string());
    let path = program.to_str().filter(|_| program.is_absolute()).ok_or_else(wrong)?;
    let manifest = Manifest {
        name: HOST_NAME,
        description: "Redshank: hands what the extension sees to the agent on this device",
        path,
        kind: "stdio",
        allowed_origins: (family == Family::Chromium)
            .then(|| [format!("chrome-extension://{CHROMIUM_EXTENSION}/")]),
        allowed_extensions: (family == Family::Firefox).then_some([FIREFOX_EXTENSION]),
    };
    // Strings alone always have a JSON form.
    Ok(serde_json::to_string_pretty(&manifest).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::digest;
    use data_encoding::BASE64;
    use serde_json::Value;

    use super::*;

    /// Chromium's id of an extension: the first half of its key's SHA-256, in hex digits written `a` to `p`.
    #[test]
    fn the_ids_are_the_extensions_own() {
        let extension: Value =
            serde_json::from_str(include_str!("../../extension/manifest.json")).unwrap();
        let key = BASE64.decode(extension["key"].as_str().unwrap().as_bytes()).unwrap();
        let digest = digest::digest(&digest::SHA256, &key);
        let digits = digest.as_ref()[..16].iter().flat_map(|byte| [byte >> 4, byte & 15]);
        let id: String = digits.map(|digit| char::from(b'a' + digit)).collect();
        assert_eq!(id, CHROMIUM_EXTENSION);
        assert_eq!(extension["browser_specific_settings"]["gecko"]["id"], FIREFOX_EXTENSION);
    }

    #[test]
    fn each_family_has_its_own_form() {
        let program =
            if cfg!(windows) { r"C:\redshank-agent.exe" } else { "/usr/bin/redshank-agent" };
        let read = |family| -> Value {
            serde_json::from_str(&manifest(family, Path::new(program)).unwrap()).unwrap()
        };
        let (chromium, firefox) = (read(Family::Chromium), read(Family::Firefox));
        for manifest in [&chromium, &firefox] {
            assert_eq!(manifest["name"], "uk.redshank.agent");
            assert_eq!(manifest["path"], program);
            assert_eq!(manifest["type"], "stdio");
        }
        let origin = chromium["allowed_origins"][0].as_str().unwrap();
        assert_eq!(origin.len(), "chrome-extension:///".len() + 32);
        assert!(chromium.get("allowed_extensions").is_none());
        assert_eq!(firefox["allowed_extensions"][0], FIREFOX_EXTENSION);
        assert!(firefox.get("allowed_origins").is_none());
    }

    #[test]
    fn a_relative_program_is_refused() {
        let error = manifest(Family::Firefox, Path::new("redshank-agent")).unwrap_err();
        assert!(error.to_string().contains("absolute"), "{error}");
    }
}
