//! `redshank-agent capture history FILE…`: every visit of the named databases, as JSON Lines.
//!
//! For a technician who checks what the agent would see, and for evidence that somebody secured. Unlike
//! the source it leaves nothing out but marks what the source would leave alone: visits that came from
//! another device have `"synced": true`, and on a device that is enrolled, visits from before the enrolment
//! have `"before_enrolment": true`. Without an enrolment (a file looked at elsewhere) there is nothing
//! to mark by, and no visit has the second mark. The file is named by the operator, so it may be a
//! link and may be anybody's; it is copied and read as carefully as any other, and neither it nor what
//! lies beside it is written.
//!
//! One object a line, in the order of the database:
//! `browser`, `profile`, `url`, `title` (empty or `null` if there is none, as the database has it),
//! `visited_at` (RFC 3339, UTC, microseconds), `transition`, `search_terms` (`null` if there are none), and
//! `synced` and `before_enrolment` only if it is so.

use std::ffi::OsStr;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use redshank_proto::clock::System;
use serde::Serialize;

use super::copy::{Copies, CopyError, Taken};
use super::folder::{Folder, Owner, Refusal};
use super::profiles::{browser_of_path, shown};
use super::reader::{ReadError, Reader};
use super::reading::visit;
use crate::observation::{Transition, Visit};

/// Marks that are read at once.
const MARKS: usize = 512;

/// What went wrong; the files that are not named in it were written out in full.
#[derive(Debug, thiserror::Error)]
pub enum CaptureError {
    /// Files that could not be read, each with its reason.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Files(Vec<FileError>),
    /// The output could not be written; what was to follow is not there.
    #[error("the visits could not be written out: {0}")]
    Output(#[source] io::Error),
    /// There is no temporary folder for the private copy.
    #[error(
        "no private copy can be made in the temporary folder: {0}; free some space there, or set TMPDIR"
    )]
    Temporary(#[source] io::Error),
}

/// One file that could not be read.
#[derive(Debug, thiserror::Error)]
#[error("{}: {reason}", file.display())]
pub struct FileError {
    /// The file, as it was named.
    pub file: PathBuf,
    /// What is wrong, and what to do.
    reason: Reason,
}

#[derive(Debug, thiserror::Error)]
enum Reason {
    #[error("there is no such file; name a browser's History, places.sqlite or History.db")]
    Missing,
    #[error("it cannot be opened ({0}); run this as an account that may read it")]
    Unopenable(io::ErrorKind),
    #[error("{0}; name a browser's History, places.sqlite or History.db itself")]
    Refused(Refusal),
    #[error(
        "no private copy of it could be made ({0}); free space in the temporary folder, or set TMPDIR"
    )]
    NoRoom(io::ErrorKind),
    #[error("it is being written without pause; close the browser and try again")]
    Unsettled,
    #[error("{0}; close the browser and try again, or name another copy of the file")]
    Damaged(ReadError),
    #[error("{0}; name a browser's History, places.sqlite or History.db")]
    NotHistory(ReadError),
}

impl From<CopyError> for Reason {
    fn from(error: CopyError) -> Self {
        match error {
            CopyError::Refused(Refusal::Missing) => Self::Missing,
            CopyError::Refused(Refusal::Unreadable(kind)) => Self::Unopenable(kind),
            CopyError::Refused(refusal) => Self::Refused(refusal),
            CopyError::Disk(kind) => Self::NoRoom(kind),
        }
    }
}

impl From<ReadError> for Reason {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Damaged => Self::Damaged(error),
            ReadError::NotADatabase
            | ReadError::NotHistory
            | ReadError::TooMuch
            | ReadError::Sqlite(_) => Self::NotHistory(error),
        }
    }
}

/// Writes every visit in `files` to `out`. A file that cannot be read does not keep the others back.
///
/// Visits from before `enrolled_at` are marked; `None` marks none.
///
/// # Errors
/// [`CaptureError::Files`] names each file that could not be read, after all others were written.
pub fn capture(
    files: &[PathBuf],
    enrolled_at: Option<Timestamp>,
    out: &mut impl Write,
) -> Result<(), CaptureError> {
    let folder = tempfile::tempdir().map_err(CaptureError::Temporary)?;
    let copies = Copies::prepare(folder.path()).map_err(CaptureError::Temporary)?;
    let mut failed = Vec::new();
    for file in files {
        match capture_file(file, enrolled_at, &copies, out) {
            Ok(()) => {}
            Err(Failure::Output(error)) => return Err(CaptureError::Output(error)),
            Err(Failure::File(reason)) => failed.push(FileError { file: file.clone(), reason }),
        }
    }
    out.flush().map_err(CaptureError::Output)?;
    if failed.is_empty() { Ok(()) } else { Err(CaptureError::Files(failed)) }
}

enum Failure {
    File(Reason),
    Output(io::Error),
}

impl<E: Into<Reason>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::File(error.into())
    }
}

fn capture_file(
    file: &Path,
    enrolled_at: Option<Timestamp>,
    copies: &Copies,
    out: &mut impl Write,
) -> Result<(), Failure> {
    // SQLite's own rule: the neighbours of a link lie beside what it names.
    let real = file.canonicalize().map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => Reason::Missing,
        kind => Reason::Unopenable(kind),
    })?;
    let (parent, name) = (real.parent().unwrap_or(&real), real.file_name().unwrap_or_default());
    let folder = Folder::open(parent, Path::new("")).map_err(CopyError::Refused)?;
    let name = name.to_str().ok_or(Reason::Unopenable(io::ErrorKind::InvalidFilename))?;
    let Taken::Copied(copy) = copies.take(&folder, name, Owner::ANYBODY, None, &System)? else {
        return Err(Reason::Unsettled.into());
    };
    let reader = Reader::open(&copy.database())?;
    let browser = browser_of_path(&real).unwrap_or_else(|| reader.family.name());
    let profile = shown(parent.file_name().unwrap_or_else(|| OsStr::new("")));
    let mut after = i64::MIN;
    loop {
        reader.allow_work();
        let marks = reader.marks(after, MARKS)?;
        let Some(last) = marks.last() else { return Ok(()) };
        after = last.id;
        for mark in marks {
            let Ok(at) = Timestamp::from_microsecond(mark.time) else { continue };
            let Some(text) = reader.text_of(mark.id)? else { continue };
            let marks = Marks {
                synced: mark.synced,
                before_enrolment: enrolled_at.is_some_and(|enrolled| at < enrolled),
            };
            let line = Line::new(&visit(browser, &profile, text), at, marks);
            line.write(out).map_err(Failure::Output)?;
        }
    }
}

#[derive(Debug, Serialize)]
struct Line {
    browser: String,
    profile: String,
    url: String,
    title: Option<String>,
    visited_at: String,
    transition: &'static str,
    search_terms: Option<String>,
    #[serde(flatten)]
    marks: Marks,
}

/// Why the source would leave a visit alone.
#[derive(Debug, Clone, Copy, Default, Serialize)]
struct Marks {
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    synced: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    before_enrolment: bool,
}

impl Line {
    fn new(visit: &Visit, at: Timestamp, marks: Marks) -> Self {
        Self {
            browser: visit.browser.clone(),
            profile: visit.profile.clone(),
            url: visit.url.clone(),
            title: visit.title.clone(),
            visited_at: at.strftime("%Y-%m-%dT%H:%M:%S%.6fZ").to_string(),
            transition: name(visit.transition),
            search_terms: visit.search_terms.clone(),
            marks,
        }
    }

    fn write(&self, out: &mut impl Write) -> io::Result<()> {
        serde_json::to_writer(&mut *out, self)?;
        out.write_all(b"\n")
    }
}

fn name(transition: Transition) -> &'static str {
    match transition {
        Transition::Link => "link",
        Transition::Typed => "typed",
        Transition::Bookmark => "bookmark",
        Transition::Subframe => "subframe",
        Transition::FormSubmit => "form_submit",
        Transition::Reload => "reload",
        Transition::Redirect => "redirect",
        Transition::Download => "download",
        Transition::Search => "search",
        Transition::Other => "other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_microseconds_and_marks_only_where_they_hold() {
        let visit = Visit {
            browser: "Chrome".into(),
            profile: "Default".into(),
            url: "https://example.org/".into(),
            title: None,
            search_terms: None,
            transition: Transition::FormSubmit,
            private_window: false,
        };
        let at: Timestamp = "2018-01-21T16:41:22Z".parse().unwrap();
        let mut out = Vec::new();
        let (synced, before_enrolment) = (true, true);
        for marks in [
            Marks::default(),
            Marks { synced, ..Marks::default() },
            Marks { before_enrolment, ..Marks::default() },
        ] {
            Line::new(&visit, at, marks).write(&mut out).unwrap();
        }
        let start = r#"{"browser":"Chrome","profile":"Default","url":"https://example.org/","title":null,"visited_at":"2018-01-21T16:41:22.000000Z","transition":"form_submit","search_terms":null"#;
        assert_eq!(
            String::from_utf8(out).unwrap(),
            format!("{start}}}\n{start},\"synced\":true}}\n{start},\"before_enrolment\":true}}\n")
        );
    }
}
