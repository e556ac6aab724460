//! Setting a damaged spool aside.
//!
//! The file is renamed with its write-ahead log, never deleted at once: a technician may send it
//! in. The newest is number 1; the ones before it move up, and the one past [`KEPT`] goes.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Damaged spools that are kept: each may be as large as the spool's quotas.
pub(super) const KEPT: u32 = 3;
/// What SQLite keeps beside its file.
const COMPANIONS: [&str; 3] = ["", "-wal", "-shm"];

/// Sets the spool in `folder` aside.
pub(super) fn set_aside(folder: &Path) -> io::Result<()> {
    for companion in COMPANIONS {
        remove(&aside(folder, KEPT, companion))?;
        for number in (1..KEPT).rev() {
            rename(&aside(folder, number, companion), &aside(folder, number + 1, companion))?;
        }
        let spool = folder.join(format!("{}{companion}", super::FILE));
        rename(&spool, &aside(folder, 1, companion))?;
    }
    // Makes the renames durable; NTFS journals them by itself.
    if cfg!(unix) { fs::File::open(folder)?.sync_all() } else { Ok(()) }
}

fn aside(folder: &Path, number: u32, companion: &str) -> PathBuf {
    folder.join(format!("spool.quarantined-{number}.sqlite{companion}"))
}

fn remove(path: &Path) -> io::Result<()> {
    absent_is_fine(fs::remove_file(path))
}

fn rename(from: &Path, to: &Path) -> io::Result<()> {
    absent_is_fine(fs::rename(from, to))
}

fn absent_is_fine(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    #[test]
    fn the_newest_three_are_kept_and_the_newest_is_number_one() {
        let folder = tempfile::tempdir().unwrap();
        for text in ["first", "second", "third", "fourth"] {
            fs::write(folder.path().join(super::super::FILE), text).unwrap();
            set_aside(folder.path()).unwrap();
        }
        let mut names: Vec<_> = fs::read_dir(folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        assert_eq!(names, [1, 2, 3].map(|n| format!("spool.quarantined-{n}.sqlite")));
        let read = |name: &String| {
            let mut text = String::new();
            let file = fs::File::open(folder.path().join(name)).unwrap();
            file.take(100).read_to_string(&mut text).unwrap();
            text
        };
        assert_eq!(names.iter().map(read).collect::<Vec<_>>(), ["fourth", "third", "second"]);
    }
}
