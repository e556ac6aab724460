//! An opened collector: its folder, settings, root key and database, as every command needs them.

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use data_encoding::HEXLOWER;
use redshank_proto::clock::{Clock, Randomness};
use redshank_proto::id::SchoolId;

use crate::keys::wrap::RootKey;
use crate::keys::{DataFolder, KeyRing};
use crate::settings::Settings;
use crate::store::schools::School;
use crate::store::{Scope, Store};

/// An opened collector.
#[derive(Debug)]
pub struct Host {
    pub(super) folder: DataFolder,
    pub(super) settings: Settings,
    pub(super) store: Store,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) randomness: Arc<dyn Randomness>,
}

impl Host {
    /// Opens the collector of a data folder.
    ///
    /// # Errors
    /// If the settings have a mistake, a key is missing or readable by others, or the database does not open.
    pub fn open(
        data: &Path,
        clock: Arc<dyn Clock>,
        randomness: Arc<dyn Randomness>,
    ) -> anyhow::Result<Self> {
        let folder = DataFolder::new(data);
        let settings = Settings::read(&folder.settings())?;
        let key = folder.database_key(&folder.root_key()?)?;
        let store = Store::open(&folder.database(), &key, clock.clone(), randomness.clone())?;
        Ok(Self { folder, settings, store, clock, randomness })
    }

    pub(super) fn root_key(&self) -> anyhow::Result<RootKey> {
        Ok(self.folder.root_key()?)
    }

    pub(super) async fn ring(&self) -> anyhow::Result<KeyRing> {
        let (clock, randomness) = (self.clock.clone(), self.randomness.clone());
        Ok(KeyRing::load(self.root_key()?, &self.store, clock, randomness).await?)
    }

    /// The school of a name or id.
    pub(super) async fn school(&self, name_or_id: &str) -> anyhow::Result<SchoolId> {
        let schools = self.schools().await?;
        let id = name_or_id.parse().ok();
        let found = schools
            .iter()
            .find(|school| Some(school.school) == id || school.name == name_or_id)
            .map(|school| school.school);
        if let Some(found) = found {
            return Ok(found);
        }
        let names: Vec<_> = schools.into_iter().map(|school| school.name).collect();
        match names.as_slice() {
            [] => bail!("there is no school yet; add one with `school add NAME`"),
            names => bail!("there is no school \"{name_or_id}\"; there are: {}", names.join(", ")),
        }
    }

    pub(super) async fn schools(&self) -> anyhow::Result<Vec<School>> {
        let scope = Scope::command_line();
        self.store.read(&scope, |view| view.schools()).await.context("schools cannot be read")
    }
}

/// Walks the audit chain.
pub(super) async fn verify_audit(
    host: &Host,
    out: &mut (dyn Write + Send),
) -> anyhow::Result<ExitCode> {
    let scope = Scope::command_line();
    match host.store.read(&scope, |view| view.verify_audit()).await? {
        Ok(whole) => {
            let head = HEXLOWER.encode(&whole.head);
            writeln!(out, "The audit trail is whole: {} entries, head {head}.", whole.entries)?;
            Ok(ExitCode::SUCCESS)
        }
        Err(broken) => {
            writeln!(out, "The audit trail is broken at entry {}: {}.", broken.seq, broken.what)?;
            Ok(ExitCode::FAILURE)
        }
    }
}
