//! The files in a log's folder: which of them may be what rotation made of it, and opening them.
//!
//! The technician named the log; its folder is trusted as a path, and a link that he named is resolved
//! once. Whatever else lies there is opened without following a link and without blocking, and only if
//! it is a regular file: whoever can write to the folder makes the agent read no file that he could not
//! have written himself.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File, Metadata, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use super::super::place::Identity;

/// Entries of the folder that are looked at.
const MOST_ENTRIES: usize = 4_096;
/// Files that may be former generations and are opened, the newest.
const MOST_RELATED: usize = 48;
/// A number after a log's name counts rotations if it is no longer than this; a longer one is a date.
const MOST_DIGITS: usize = 4;

/// Why a file is not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(in super::super) enum Refusal {
    #[error("it is not there")]
    Missing,
    #[error("no permission to read it")]
    NoPermission,
    #[error("it is not a regular file")]
    NotRegular,
    #[error("the operating system refused to read it ({0})")]
    Unreadable(io::ErrorKind),
}

/// Where a log is: its folder, after links, and its name in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct Location {
    pub(in super::super) folder: PathBuf,
    pub(in super::super) name: OsString,
}

/// A file by its name in the folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Related {
    pub(super) name: OsString,
    pub(super) live: bool,
    /// Whether the name says that rotation made it.
    pub(super) in_order: bool,
    pub(super) packed: bool,
}

/// What is told of an open file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) struct Stat {
    pub(super) identity: Option<Identity>,
    pub(super) bytes: u64,
    /// Whether it has a name still, where the platform tells.
    pub(super) named: bool,
}

impl Location {
    /// Resolves the path that the technician gave.
    ///
    /// # Errors
    /// [`Refusal::Missing`] if its folder is not there.
    pub(in super::super) fn resolve(path: &Path) -> Result<Self, Refusal> {
        let resolved = match fs::canonicalize(path) {
            Ok(resolved) => resolved,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let folder = match path.parent() {
                    Some(folder) if folder != Path::new("") => folder,
                    _ => Path::new("."),
                };
                let folder = fs::canonicalize(folder).map_err(|error| refusal(&error))?;
                folder.join(path.file_name().unwrap_or_default())
            }
            Err(error) => return Err(refusal(&error)),
        };
        match (resolved.parent(), resolved.file_name()) {
            (Some(folder), Some(name)) => {
                Ok(Self { folder: folder.to_owned(), name: name.to_owned() })
            }
            _ => Err(Refusal::NotRegular),
        }
    }

    /// What is told of the log itself, unopened.
    pub(super) fn stat(&self) -> Result<Stat, Refusal> {
        let metadata = fs::symlink_metadata(self.folder.join(&self.name));
        judge(&metadata.map_err(|error| refusal(&error))?)
    }

    /// Opens a file of the folder.
    pub(in super::super) fn open(&self, name: &OsStr) -> Result<(File, Stat), Refusal> {
        let path = self.folder.join(name);
        // Its type is seen before it is opened, for opening alone may do something to a device.
        judge(&fs::symlink_metadata(&path).map_err(|error| refusal(&error))?)?;
        let file = without_links(OpenOptions::new().read(true))
            .open(&path)
            .map_err(|error| refusal(&error))?;
        let stat = judge(&file.metadata().map_err(|error| refusal(&error))?)?;
        Ok((file, stat))
    }

    /// The files that may be this log or what rotation made of it, oldest first, the log itself last;
    /// and one of whatever name that has the identity `sought`.
    pub(super) fn related(&self, sought: Option<Identity>) -> Result<Vec<Related>, Refusal> {
        let mut kin = Vec::new();
        let mut live = None;
        let entries = fs::read_dir(&self.folder).map_err(|error| refusal(&error))?;
        for entry in entries.take(MOST_ENTRIES) {
            let Ok(entry) = entry else { continue };
            let name = entry.file_name();
            if name == self.name {
                live = Some(Related { live: true, in_order: true, packed: false, name });
                continue;
            }
            let order = order_of(&self.name, &name);
            // Metadata of an entry does not follow a link.
            let Ok(metadata) = entry.metadata() else { continue };
            let Ok(stat) = judge(&metadata) else { continue };
            if order.is_some() || stat.identity.is_some() && stat.identity == sought {
                let order = order.unwrap_or(Order::Unknown);
                let packed = name.as_encoded_bytes().ends_with(PACKED.as_bytes());
                let in_order = order != Order::Unknown;
                kin.push((
                    order,
                    modified(&metadata),
                    Related { name, live: false, in_order, packed },
                ));
            }
        }
        sort(&mut kin);
        let skipped = kin.len().saturating_sub(MOST_RELATED);
        Ok(kin.into_iter().skip(skipped).map(|(_, _, file)| file).chain(live).collect())
    }
}

/// What `gzip` adds to a name.
const PACKED: &str = ".gz";
/// What other programs add, whose files are not read.
const OTHER_PACKED: [&str; 5] = [".xz", ".bz2", ".zst", ".lz4", ".Z"];

/// What a name says of the order of rotation.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Order {
    /// So many rotations ago, or so: the greater, the older.
    Number(u32),
    /// A date, or what is written like one: the greater, the newer.
    Date(String),
    /// A name that begins as the log's: `access.log.bak`.
    Unknown,
}

/// What the name of a file says, if it may be of the log with this name.
fn order_of(log: &OsStr, name: &OsStr) -> Option<Order> {
    let (log, name) = (log.to_str()?, name.to_str()?);
    if OTHER_PACKED.iter().any(|ending| name.ends_with(ending)) {
        return None;
    }
    let name = name.strip_suffix(PACKED).unwrap_or(name);
    if let Some(rest) = name.strip_prefix(log) {
        return match rest.chars().next() {
            // Packed by hand, beside the log.
            None => Some(Order::Unknown),
            Some('.' | '-' | '_') => Some(order_in(&rest[1..]).unwrap_or(Order::Unknown)),
            Some(_) => None,
        };
    }
    // logrotate's `extension`: the number stands before it.
    let (stem, ending) = log.rsplit_once('.')?;
    let between = name.strip_prefix(stem)?.strip_suffix(ending)?.strip_suffix('.')?;
    order_in(between.strip_prefix(['.', '-', '_'])?)
}

fn order_in(text: &str) -> Option<Order> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_number && text.len() <= MOST_DIGITS {
        return text.parse().ok().map(Order::Number);
    }
    let is_date = text.bytes().next().is_some_and(|byte| byte.is_ascii_digit())
        && text.bytes().all(|byte| byte.is_ascii_digit() || b"-_.:T".contains(&byte));
    is_date.then(|| Order::Date(text.to_owned()))
}

/// Sorts by what the names say, if they all say the same kind of thing; else by the last change.
fn sort(kin: &mut [(Order, i128, Related)]) {
    let numbered = kin.iter().all(|(order, ..)| matches!(order, Order::Number(_)));
    let dated = kin.iter().all(|(order, ..)| matches!(order, Order::Date(_)));
    kin.sort_by(|(one, one_changed, one_file), (other, other_changed, other_file)| {
        let by_order = match (one, other) {
            (Order::Number(one), Order::Number(other)) if numbered => other.cmp(one),
            (Order::Date(one), Order::Date(other)) if dated => one.cmp(other),
            _ => one_changed.cmp(other_changed),
        };
        by_order
            .then(one_file.packed.cmp(&other_file.packed))
            .then(one_file.name.cmp(&other_file.name))
    });
}

fn modified(metadata: &Metadata) -> i128 {
    let since = |time: std::time::SystemTime| match time.duration_since(std::time::UNIX_EPOCH) {
        Ok(after) => i128::try_from(after.as_nanos()).unwrap_or(i128::MAX),
        Err(before) => -i128::try_from(before.duration().as_nanos()).unwrap_or(i128::MAX),
    };
    metadata.modified().map_or(0, since)
}

fn judge(metadata: &Metadata) -> Result<Stat, Refusal> {
    if !metadata.is_file() {
        return Err(Refusal::NotRegular);
    }
    Ok(Stat { identity: identity(metadata), bytes: metadata.len(), named: is_named(metadata) })
}

pub(super) fn stat(file: &File) -> Result<Stat, Refusal> {
    judge(&file.metadata().map_err(|error| refusal(&error))?)
}

#[cfg(unix)]
#[expect(clippy::unnecessary_wraps, reason = "other systems tell none")]
pub(in super::super) fn identity(metadata: &Metadata) -> Option<Identity> {
    use std::os::unix::fs::MetadataExt as _;
    Some((metadata.dev(), metadata.ino()))
}

#[cfg(unix)]
fn is_named(metadata: &Metadata) -> bool {
    std::os::unix::fs::MetadataExt::nlink(metadata) > 0
}

#[cfg(not(unix))]
fn is_named(_metadata: &Metadata) -> bool {
    true
}

#[cfg(not(unix))]
pub(in super::super) fn identity(_metadata: &Metadata) -> Option<Identity> {
    None
}

#[cfg(unix)]
fn without_links(options: &mut OpenOptions) -> &mut OpenOptions {
    use rustix::fs::OFlags;
    use std::os::unix::fs::OpenOptionsExt as _;
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY;
    options.custom_flags(flags.bits().cast_signed())
}

#[cfg(windows)]
fn without_links(options: &mut OpenOptions) -> &mut OpenOptions {
    use std::os::windows::fs::OpenOptionsExt as _;
    /// `FILE_FLAG_OPEN_REPARSE_POINT` (Windows SDK, winbase.h): opens a link itself, not what it names.
    const OPEN_REPARSE_POINT: u32 = 0x0020_0000;
    options.custom_flags(OPEN_REPARSE_POINT)
}

pub(in super::super) fn refusal(error: &io::Error) -> Refusal {
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Refusal::Missing,
        io::ErrorKind::PermissionDenied => Refusal::NoPermission,
        kind => Refusal::Unreadable(kind),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_what_rotation_made() {
        let number = |number| Some(Order::Number(number));
        let date = |date: &str| Some(Order::Date(date.to_owned()));
        for (log, name, expected) in [
            ("access.log", "access.log.1", number(1)),
            ("access.log", "access.log.12.gz", number(12)),
            ("access.log", "access.log-20261122", date("20261122")),
            ("access.log", "access.log-20261122.gz", date("20261122")),
            ("access.log", "access.log-20261122-1", date("20261122-1")),
            ("access.log", "access.log-2026-11-22T03:15", date("2026-11-22T03:15")),
            ("access.log", "access-20261122.log", date("20261122")),
            ("access.log", "access.1.log.gz", number(1)),
            ("access.log", "access.log.bak", Some(Order::Unknown)),
            ("access.log", "access.log.gz", Some(Order::Unknown)),
            ("access.log", "access.log.1.xz", None),
            ("access.log", "access.logs", None),
            ("access.log", "cache.log", None),
            ("access.log", "access-old.log", None),
            ("queries", "queries.0", number(0)),
        ] {
            assert_eq!(order_of(OsStr::new(log), OsStr::new(name)), expected, "{name}");
        }
    }

    #[test]
    fn the_oldest_comes_first() {
        for (names, sorted) in [
            (&["l.1", "l.10.gz", "l.2.gz", "l.2"][..], &["l.10.gz", "l.2", "l.2.gz", "l.1"][..]),
            (&["l-20261201", "l-20261122.gz"], &["l-20261122.gz", "l-20261201"]),
            // Last changed in the order of these names.
            (&["l.2", "l-20261201", "l.bak"], &["l.2", "l-20261201", "l.bak"]),
        ] {
            let mut kin: Vec<_> = names
                .iter()
                .zip(0..)
                .map(|(name, changed)| {
                    let order = order_of(OsStr::new("l"), OsStr::new(name)).unwrap();
                    let packed = name.ends_with(PACKED);
                    let name = OsString::from(name);
                    (order, changed, Related { name, live: false, in_order: true, packed })
                })
                .collect();
            sort(&mut kin);
            let names: Vec<_> = kin.iter().map(|(.., file)| file.name.to_str().unwrap()).collect();
            assert_eq!(names, sorted);
        }
    }

    #[cfg(unix)]
    #[test]
    fn only_a_regular_file_is_opened_and_only_the_log_s_own_link_is_followed() {
        use std::os::unix::fs::symlink;

        let root = tempfile::tempdir().unwrap();
        let at = |name: &str| root.path().join(name);
        fs::create_dir(at("logs")).unwrap();
        fs::write(at("logs/access.log"), b"x").unwrap();
        fs::write(at("secret"), b"x").unwrap();
        symlink(at("logs/access.log"), at("named")).unwrap();
        symlink(at("secret"), at("logs/access.log.1")).unwrap();
        // A FIFO, but on macOS, where rustix makes none: a socket is no regular file either.
        #[cfg(not(target_os = "macos"))]
        rustix::fs::mknodat(
            rustix::fs::CWD,
            at("logs/access.log.2"),
            rustix::fs::FileType::Fifo,
            rustix::fs::Mode::RUSR,
            0,
        )
        .unwrap();
        #[cfg(target_os = "macos")]
        std::os::unix::net::UnixListener::bind(at("logs/access.log.2")).unwrap();
        let location = Location::resolve(&at("named")).unwrap();
        assert_eq!(location, Location::resolve(&at("logs/access.log")).unwrap());
        assert_eq!(location.stat().unwrap().bytes, 1);
        assert!(location.open(&location.name).is_ok());
        for name in ["access.log.1", "access.log.2", "."] {
            let refused = location.open(OsStr::new(name)).err();
            assert_eq!(refused, Some(Refusal::NotRegular), "{name}");
        }
        assert_eq!(location.related(None).unwrap().len(), 1, "links and FIFOs are no candidates");
        let missing = Location::resolve(&at("logs/other.log")).unwrap();
        assert_eq!(missing.stat(), Err(Refusal::Missing));
        assert_eq!(Location::resolve(&at("nowhere/other.log")), Err(Refusal::Missing));
    }
}
