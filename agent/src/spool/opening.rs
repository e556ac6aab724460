//! How the spool's file comes to be open: the one that is there, the first, or a new one in place
//! of one that is damaged or gone.

use std::fs::OpenOptions;
use std::path::Path;

use redshank_proto::clock::Clock;
use rusqlite::Connection;

use super::copy::{Copy, CopyFile};
use super::error::{Fault, Meaning, SpoolError};
use super::inner::begin;
use super::schema::{self, Found};
use super::{Limits, checkpoints, gap, quarantine, settlement};

/// Opens the file, or begins one: the first, or in place of one that is damaged or gone.
pub(super) fn open_or_begin(
    folder: &Path,
    limits: &Limits,
    copy: &CopyFile,
    clock: &dyn Clock,
) -> Result<Connection, SpoolError> {
    let path = folder.join(super::FILE);
    create(&path)?;
    let opened = match schema::open(&path, limits) {
        Ok((db, found @ (Found::Spool | Found::Nothing))) => Some((db, found)),
        Err(fault) if fault.meaning() != Meaning::Damaged => return Err(fault.at(&path)),
        Ok((_, Found::Damage)) | Err(_) => None,
    };
    // A damaged one is closed by now: Windows renames no file that is open.
    let damaged = opened.is_none();
    let (mut db, found) = match opened {
        Some(opened) => opened,
        None => {
            tracing::error!("the spool is damaged: it is set aside and a new one begun");
            quarantine::set_aside(folder).map_err(SpoolError::io(&path, "set aside"))?;
            create(&path)?;
            schema::open(&path, limits).map_err(|fault| fault.at(&path))?
        }
    };
    let now = clock.now();
    let mut prepare = || -> Result<(), Fault> {
        let transaction = begin(&mut db)?;
        if found == Found::Spool {
            settlement::drop_outdated(&transaction, now)?;
        } else {
            schema::lay_out(&transaction)?;
            if damaged || copy.exists() {
                gap::quarantined(&transaction, now)?;
            }
            restore(&transaction, &copy.read().unwrap_or_default())?;
        }
        Ok(transaction.commit()?)
    };
    match prepare() {
        // What is past its time can go later; a disk that is full must not keep the agent from
        // starting.
        Err(fault) if found == Found::Spool && fault.meaning() == Meaning::Full => {}
        other => other.map_err(|fault| fault.at(&path))?,
    }
    if !copy.exists()
        && let Err(error) = copy.write(&Copy::default())
    {
        tracing::warn!(%error, "the copy of the checkpoints could not be written");
    }
    Ok(db)
}

/// Makes the file if there is none, for its owner alone; SQLite gives its companions the same mode.
fn create(path: &Path) -> Result<(), SpoolError> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => close_to_others(path),
        other => other.map(|_| ()).map_err(SpoolError::io(path, "made")),
    }
}

#[cfg(unix)]
fn close_to_others(path: &Path) -> Result<(), SpoolError> {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;
    // Not through a link: that would change a file elsewhere.
    if fs::symlink_metadata(path).is_ok_and(|it| it.is_file()) {
        fs::set_permissions(path, fs::Permissions::from_mode(0o600))
            .map_err(SpoolError::io(path, "closed to other users"))?;
    }
    Ok(())
}

/// On Windows the state folder's access list does this.
#[cfg(not(unix))]
fn close_to_others(_path: &Path) -> Result<(), SpoolError> {
    Ok(())
}

fn restore(db: &Connection, copy: &Copy) -> rusqlite::Result<()> {
    let kept = copy.checkpoints.iter();
    checkpoints::keep(db, kept.map(|(input, place)| (input.as_str(), place.as_slice())))?;
    schema::count(db, "lost", copy.lost)?;
    schema::count(db, "dead_letters", copy.dead_letters)
}
