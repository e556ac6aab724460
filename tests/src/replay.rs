//! A history database that Chromium wrote while it went through the demo's script, replayed visit by visit.
//!
//! The fixture is that browser's own file. For each visit the rows that it had are written again, with the
//! present time: what the agent then reads is a real Chromium schema with real rows, and only the times are
//! ours. It stands in where no browser is installed, and the demo says so.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use jiff::Timestamp;
use redshank_proto::clock::{Clock as _, System};
use rusqlite::{Connection, OptionalExtension as _, params};

use crate::script::Step;

/// `tests/fixtures/README.md` says how it was made.
const FIXTURE: &[u8] = include_bytes!("../fixtures/demo-history.sqlite");
/// Chromium counts microseconds from 1601-01-01.
pub(crate) const CHROMIUM_EPOCH_MICROS: i64 = 11_644_473_600_000_000;

/// A history into which visits are replayed.
#[derive(Debug)]
pub struct History {
    file: PathBuf,
}

impl History {
    /// Puts the fixture, without its visits, where a Chromium with this user-data folder has its history.
    ///
    /// # Errors
    /// If the folder cannot be written.
    pub fn begin(profile: &Path) -> anyhow::Result<Self> {
        let folder = profile.join("Default");
        std::fs::create_dir_all(&folder)?;
        let (file, source) = (folder.join("History"), folder.join("fixture.sqlite"));
        std::fs::write(&source, FIXTURE)?;
        std::fs::write(&file, FIXTURE)?;
        let database = Connection::open(&file)?;
        database.execute_batch(
            "DELETE FROM visits; DELETE FROM urls; DELETE FROM keyword_search_terms; VACUUM;",
        )?;
        Ok(Self { file })
    }

    /// Writes the visit of one step, dated now, and says when that was.
    ///
    /// # Errors
    /// If the fixture has no such visit, or the file cannot be written.
    pub fn visit(&self, step: &Step) -> anyhow::Result<Timestamp> {
        let database = Connection::open(&self.file)?;
        let source = self.file.with_file_name("fixture.sqlite");
        database.execute("ATTACH ?1 AS fixture", [source.display().to_string()])?;
        let title = match step {
            Step::Search { words } => format!("{words} – Search"),
            Step::Page { title, .. } => title.clone(),
        };
        let found: Option<(i64, i64)> = database
            .query_row(
                "SELECT v.id, v.url FROM fixture.visits v JOIN fixture.urls u ON u.id = v.url
                 WHERE u.title = ?1 ORDER BY v.id LIMIT 1",
                [&title],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )
            .optional()?;
        let (visit, url) = found.with_context(|| format!("the fixture has no “{title}”"))?;
        let at = System.now();
        let time = at.as_microsecond() + CHROMIUM_EPOCH_MICROS;
        let tx = database.unchecked_transaction()?;
        tx.execute("INSERT INTO urls SELECT * FROM fixture.urls WHERE id = ?1", [url])?;
        tx.execute("UPDATE urls SET last_visit_time = ?1 WHERE id = ?2", params![time, url])?;
        tx.execute("INSERT INTO visits SELECT * FROM fixture.visits WHERE id = ?1", [visit])?;
        tx.execute("UPDATE visits SET visit_time = ?1 WHERE id = ?2", params![time, visit])?;
        tx.commit()?;
        Ok(at)
    }
}
