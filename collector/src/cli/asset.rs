//! `asset import` and `asset list`.

use std::fs::File;
use std::io::{Read as _, Write};
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;
use serde_json::json;

use super::{Format, Host};
use crate::asset_log::{self, LOG_BYTES};
use crate::store::Scope;
use crate::store::assets::AssetRow;

pub(super) async fn import(
    host: &Host,
    school: &str,
    file: &Path,
    format: Format,
    out: &mut (dyn Write + Send),
) -> anyhow::Result<ExitCode> {
    let school = host.school(school).await?;
    let bytes = read(file).with_context(|| format!("{} cannot be read", file.display()))?;
    let assets = match asset_log::parse(&file.display().to_string(), &bytes) {
        Ok(assets) => assets,
        Err(mistakes) => {
            for mistake in mistakes {
                writeln!(out, "{mistake}")?;
            }
            writeln!(out, "Nothing was imported; the asset log is as it was.")?;
            return Ok(ExitCode::FAILURE);
        }
    };
    let write = move |edit: &crate::store::Edit<'_>| edit.replace_asset_log(school, &assets);
    let imported = host.store.write(&Scope::command_line(), write).await?;
    if format.json {
        let told = json!({
            "assets": imported.assets,
            "added": imported.added,
            "retired": imported.retired,
            "approved": imported.approved,
        });
        writeln!(out, "{told}")?;
    } else {
        writeln!(
            out,
            "{} assets are in the log: {} new, {} gone. {} waiting devices were approved by it.",
            imported.assets, imported.added, imported.retired, imported.approved
        )?;
    }
    Ok(ExitCode::SUCCESS)
}

pub(super) async fn list(
    host: &Host,
    school: &str,
    format: Format,
    out: &mut (dyn Write + Send),
) -> anyhow::Result<()> {
    let school = host.school(school).await?;
    let scope = Scope::command_line();
    let assets = host.store.read(&scope, move |view| view.asset_log(school)).await?;
    if format.json {
        let rows: Vec<_> = assets
            .iter()
            .map(|asset| {
                json!({
                    "asset_tag": asset.asset_tag,
                    "serial_number": asset.serial_number,
                    "kind": asset.sort.as_str(),
                    "shared": asset.shared,
                    "allocated": asset.allocated,
                    "macs": asset.macs,
                    "device": asset.device.map(|(device, _)| device.to_string()),
                    "last_seen_at": asset.device.and_then(|(_, seen)| seen).map(|at| at.to_string()),
                })
            })
            .collect();
        writeln!(out, "{}", serde_json::Value::from(rows))?;
    } else if assets.is_empty() {
        writeln!(out, "The asset log is empty; `asset import --school NAME FILE.csv` fills it.")?;
    } else {
        for asset in assets {
            writeln!(out, "{}", row(&asset))?;
        }
    }
    Ok(())
}

/// Reads at most one byte more than a log may have: the reader tells what is longer.
fn read(file: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(file)?.take(LOG_BYTES as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn row(asset: &AssetRow) -> String {
    let whose = match (asset.shared, asset.allocated) {
        (true, _) => "shared",
        (false, true) => "allocated",
        (false, false) => "nobody's",
    };
    let seen = match asset.device {
        Some((_, Some(at))) => format!("seen {at}"),
        Some((_, None)) => "enrolled".to_owned(),
        None => "no agent".to_owned(),
    };
    format!(
        "{:<20}  {:<10}  {:<9}  {:<20}  {} MAC  {seen}",
        asset.asset_tag,
        asset.sort.as_str(),
        whose,
        asset.serial_number.as_deref().unwrap_or("-"),
        asset.macs,
    )
}
