//! `redshank-agent capture log --format FORMAT FILE…`: every request of the named logs, as JSON Lines.
//!
//! For a technician who checks that the agent reads his log before it does so for good. One object a
//! line, in the order of the file: `at` (RFC 3339, UTC), `url` or `host`, `user`, `client`, `action` (`allowed`
//! or `blocked`), `category`, `reason`, `search_terms`, `user_agent`, `status`; what the log does not say is `null`.
//!
//! At the end there is for each file a count of its lines on the other output: entries, lines that are no
//! requests, lines not understood, and of the first of those the offset and the shape. A request that the
//! proxy answered with the question for a login (407) is written out as allowed, with its status; the source
//! leaves it alone.
//!
//! # What always holds
//! - **Memory is flat**: one line at a time, whatever the file's size, and a line over the bound is passed over
//!   without being held.
//! - **A file's year** is taken from its last change, where the format has no year.
//! - A file that begins as gzip does is unpacked as it is read; offsets are of the unpacked text.
//! - The files are only read.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

use flate2::bufread::MultiGzDecoder;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;

use super::formats::{Client, Clues, Entry, Format, MOST_LINE, Reader, Target, Was};
use crate::observation::Action;

/// Bytes that are read, or written, at once.
const BUFFER: usize = 64 * 1024;
/// Lines not understood that are told one by one.
const MOST_SHAPES: usize = 5;
/// A file changed before 2000 has no true date: it was unpacked by something that sets none.
const NO_DATE_BEFORE: i64 = 946_684_800;

/// What went wrong; the files that are not named in it were written out in full.
#[derive(Debug, thiserror::Error)]
pub enum CaptureError {
    /// Files that could not be read, each with its reason.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Files(Vec<FileError>),
    /// The output could not be written; what was to follow is not there.
    #[error("the requests could not be written out: {0}")]
    Output(#[source] io::Error),
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
    #[error("there is no such file; name a log file")]
    Missing,
    #[error("it cannot be opened ({0}); run this as an account that may read it")]
    Unopenable(io::ErrorKind),
    #[error("it is not a file; name a log file itself")]
    NotAFile,
    #[error("it is compressed with {0}; unpack it first")]
    Compressed(&'static str),
    #[error(
        "it cannot be read on from byte {offset} ({kind}); what stands before that was written out"
    )]
    Broken { offset: u64, kind: io::ErrorKind },
    #[error("none of its lines is of that format; name the one that its program is set to write")]
    OtherFormat,
}

/// How the lines of a log are to be understood.
#[derive(Debug)]
pub struct Reading<'f> {
    /// The format.
    pub format: &'f Format,
    /// The zone of the host that wrote it.
    pub zone: TimeZone,
    /// The time; of a format without a year, a file's last change counts before it.
    pub now: Timestamp,
}

/// Writes every request in `files` to `out`, and what the lines were to `counts`. A file that cannot be read
/// does not keep the others back.
///
/// # Errors
/// [`CaptureError::Files`] names each file that could not be read, or of which no line was understood, after
/// all others were written.
pub fn capture(
    reading: &Reading<'_>,
    files: &[PathBuf],
    out: &mut impl Write,
    counts: &mut impl Write,
) -> Result<(), CaptureError> {
    let mut out = BufWriter::with_capacity(BUFFER, out);
    let mut failed = Vec::new();
    for file in files {
        let told = match capture_file(reading, file, &mut out) {
            Ok(told) => told,
            Err(Failure::Output(error)) => return Err(CaptureError::Output(error)),
            Err(Failure::File(reason)) => {
                failed.push(FileError { file: file.clone(), reason });
                continue;
            }
        };
        out.flush().map_err(CaptureError::Output)?;
        told.counted.write(file, counts).map_err(CaptureError::Output)?;
        if let Some(reason) = told.stopped.or_else(|| told.counted.problem()) {
            failed.push(FileError { file: file.clone(), reason });
        }
    }
    out.flush().map_err(CaptureError::Output)?;
    if failed.is_empty() { Ok(()) } else { Err(CaptureError::Files(failed)) }
}

enum Failure {
    File(Reason),
    Output(io::Error),
}

impl From<Reason> for Failure {
    fn from(reason: Reason) -> Self {
        Self::File(reason)
    }
}

/// What became of a file that could be opened.
struct Told {
    counted: Counted,
    /// Why its end was not reached.
    stopped: Option<Reason>,
}

/// What the lines of a file were.
#[derive(Debug, Default)]
struct Counted {
    lines: u64,
    entries: u64,
    nothing: u64,
    unreadable: u64,
    /// Of the first unreadable ones, where they begin and what they look like.
    shapes: Vec<(u64, String)>,
}

fn capture_file(reading: &Reading<'_>, file: &Path, out: &mut impl Write) -> Result<Told, Failure> {
    let (log, changed) = open(file)?;
    let clues = Clues { now: changed.unwrap_or(reading.now), zone: reading.zone.clone() };
    let mut lines = Lines::new(log);
    let mut reader = Reader::new(reading.format);
    let mut counted = Counted::default();
    let mut written = Ok(());
    let stopped = loop {
        let (offset, line) = match lines.next() {
            Ok(None) => break None,
            Ok(Some(next)) => next,
            Err(error) => {
                break Some(Reason::Broken { offset: lines.offset, kind: error.kind() });
            }
        };
        counted.lines += 1;
        let mut hand_out = |entry: Entry<'_>| {
            counted.entries += 1;
            if written.is_ok() {
                written = write(&entry, out);
            }
        };
        match reader.read(line, &clues, &mut hand_out) {
            Ok(Was::Request) => {}
            Ok(Was::Nothing) => counted.nothing += 1,
            Err(unreadable) => {
                counted.unreadable += 1;
                if counted.shapes.len() < MOST_SHAPES {
                    counted.shapes.push((offset, unreadable.shape));
                }
            }
        }
        if let Err(error) = written {
            return Err(Failure::Output(error));
        }
    };
    reader.flush(&mut |entry| {
        counted.entries += 1;
        if written.is_ok() {
            written = write(&entry, out);
        }
    });
    written.map_err(Failure::Output)?;
    Ok(Told { counted, stopped })
}

/// The text of a log, unpacked, and when the file was last changed.
fn open(file: &Path) -> Result<(Box<dyn BufRead>, Option<Timestamp>), Reason> {
    let log = File::open(file).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => Reason::Missing,
        kind => Reason::Unopenable(kind),
    })?;
    let metadata = log.metadata().map_err(|error| Reason::Unopenable(error.kind()))?;
    if metadata.is_dir() {
        return Err(Reason::NotAFile);
    }
    let changed = metadata.modified().ok().and_then(|changed| Timestamp::try_from(changed).ok());
    let changed = changed.filter(|changed| changed.as_second() >= NO_DATE_BEFORE);
    let mut log = BufReader::with_capacity(BUFFER, log);
    let start = log.fill_buf().map_err(|error| Reason::Unopenable(error.kind()))?;
    let log: Box<dyn BufRead> = match start {
        [0x1F, 0x8B, ..] => Box::new(BufReader::with_capacity(BUFFER, MultiGzDecoder::new(log))),
        [0x28, 0xB5, 0x2F, 0xFD, ..] => return Err(Reason::Compressed("zstd")),
        [0xFD, b'7', b'z', b'X', b'Z', ..] => return Err(Reason::Compressed("xz")),
        [b'B', b'Z', b'h', ..] => return Err(Reason::Compressed("bzip2")),
        _ => Box::new(log),
    };
    Ok((log, changed))
}

/// The lines of a text, one at a time, none of them held longer than just over the bound.
struct Lines {
    log: Box<dyn BufRead>,
    line: Vec<u8>,
    /// Bytes that are read.
    offset: u64,
}

impl Lines {
    fn new(log: Box<dyn BufRead>) -> Self {
        Self { log, line: Vec::new(), offset: 0 }
    }

    /// Where the next line begins, and the line, its end too if it has one. Of a line that is too long there
    /// is just enough to tell.
    fn next(&mut self) -> io::Result<Option<(u64, &[u8])>> {
        /// A line, its end, and one byte more.
        const ENOUGH: usize = MOST_LINE + 3;
        self.line.clear();
        let start = self.offset;
        loop {
            let buffer = match self.log.fill_buf() {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                buffer => buffer?,
            };
            let end = buffer.iter().position(|byte| *byte == b'\n').map(|at| at + 1);
            let taken = end.unwrap_or(buffer.len());
            let wanted = taken.min(ENOUGH - self.line.len());
            self.line.extend_from_slice(&buffer[..wanted]);
            self.log.consume(taken);
            self.offset += taken as u64;
            if end.is_some() || taken == 0 {
                break;
            }
        }
        Ok((self.offset > start).then_some((start, &self.line)))
    }
}

impl Counted {
    fn write(&self, file: &Path, out: &mut impl Write) -> io::Result<()> {
        let file = file.display();
        let Self { lines, entries, nothing, unreadable, shapes } = self;
        writeln!(
            out,
            "{file}: {lines} lines: {entries} entries, {nothing} no requests, {unreadable} not understood"
        )?;
        for (offset, shape) in shapes {
            writeln!(out, "{file}: not understood at byte {offset}: {shape}")?;
        }
        let more = unreadable.saturating_sub(shapes.len() as u64);
        if more > 0 {
            writeln!(out, "{file}: not understood: {more} more")?;
        }
        Ok(())
    }

    /// A file of which nothing was understood is of another format.
    fn problem(&self) -> Option<Reason> {
        (self.lines > 0 && self.unreadable == self.lines).then_some(Reason::OtherFormat)
    }
}

#[derive(Debug, Serialize)]
struct Line<'a> {
    at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    host: Option<&'a str>,
    user: Option<&'a str>,
    client: Option<Cow<'a, str>>,
    action: &'static str,
    category: Option<&'a str>,
    reason: Option<&'a str>,
    search_terms: Option<Cow<'a, str>>,
    user_agent: Option<&'a str>,
    status: Option<u16>,
}

fn write(entry: &Entry<'_>, out: &mut impl Write) -> io::Result<()> {
    let (url, host) = match &entry.target {
        Target::Url(url) => (Some(&**url), None),
        Target::Host(host) => (None, Some(&**host)),
    };
    let line = Line {
        at: entry.at,
        url,
        host,
        user: entry.user.as_deref(),
        client: entry.client.as_ref().map(|client| match client {
            Client::Address(address) => Cow::Owned(address.to_string()),
            Client::Name(name) => Cow::Borrowed(&**name),
        }),
        action: match entry.action {
            Action::Allowed => "allowed",
            Action::Blocked => "blocked",
        },
        category: entry.category.as_deref(),
        reason: entry.reason.as_deref(),
        search_terms: entry.search_terms(),
        user_agent: entry.user_agent.as_deref(),
        status: entry.status,
    };
    serde_json::to_writer(&mut *out, &line)?;
    out.write_all(b"\n")
}
