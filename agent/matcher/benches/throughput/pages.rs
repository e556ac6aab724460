//! The text that is searched.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;

/// Bytes of a page: the visible text of an ordinary one.
const PAGE: usize = 8 * 1024;
/// Bytes that are read of a file, and of what is left out at its beginning.
const PART: u64 = 4 * 1024 * 1024;
const SKIPPED: u64 = 256 * 1024;
/// Bytes of text at least: less is repeated.
const LEAST: usize = 2 * 1024 * 1024;
const DICTIONARIES: &[&str] = &[
    "/usr/share/dictd/gcide.dict.dz",
    "/usr/share/dictd/wn.dict.dz",
    "/usr/share/dictd/jargon.dict.dz",
];
/// English of this repository, from the matcher's folder.
const OWN: &[&str] = &["../../README.md", "../../LICENSE", "../../collector/rules/README.md"];

/// Reads the files given, else the dictionaries, else this repository's own English.
pub(crate) fn text(files: &[OsString]) -> io::Result<String> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let dictionaries: Vec<PathBuf> =
        DICTIONARIES.iter().map(PathBuf::from).filter(|file| file.exists()).collect();
    let (files, skipped): (Vec<PathBuf>, u64) = if !files.is_empty() {
        (files.iter().map(PathBuf::from).collect(), 0)
    } else if !dictionaries.is_empty() {
        (dictionaries, SKIPPED)
    } else {
        (OWN.iter().map(|file| here.join(file)).collect(), 0)
    };
    let mut text = String::new();
    for file in &files {
        text.push_str(&part(file, skipped)?);
        text.push('\n');
    }
    if text.trim().is_empty() {
        return Err(io::Error::other("the files hold no text"));
    }
    Ok(text.repeat(LEAST.div_ceil(text.len())))
}

/// Cuts a text into pages, at line ends where there are any.
pub(crate) fn cut(text: &str) -> Vec<&str> {
    let mut pages = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let most = rest.floor_char_boundary(PAGE);
        let end = rest
            .get(..most)
            .filter(|_| most < rest.len())
            .and_then(|page| page.rfind('\n'))
            .map_or(most, |newline| newline + 1);
        let (page, after) = rest.split_at(end);
        pages.push(page);
        rest = after;
    }
    pages
}

fn part(file: &Path, skipped: u64) -> io::Result<String> {
    let opened = File::open(file)
        .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", file.display())))?;
    let mut bytes = Vec::new();
    if file.extension().is_some_and(|it| it == "dz" || it == "gz") {
        MultiGzDecoder::new(opened).take(skipped + PART).read_to_end(&mut bytes)?;
    } else {
        opened.take(skipped + PART).read_to_end(&mut bytes)?;
    }
    let from = usize::try_from(skipped).unwrap_or(0).min(bytes.len());
    Ok(String::from_utf8_lossy(bytes.get(from..).unwrap_or_default()).into_owned())
}
