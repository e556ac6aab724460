//! `policy lint` and `policy publish`.

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use redshank_proto::id::SchoolId;

use super::Host;
use crate::keys::KeyRing;
use crate::policy::{Choices, Published, Rules, RulesError, publish};
use crate::store::Scope;

pub(super) fn lint(
    folder: Option<&Path>,
    out: &mut (dyn Write + Send),
) -> anyhow::Result<ExitCode> {
    match Rules::read(folder) {
        Ok(rules) => {
            let (packs, private) = (rules.packs.len(), rules.private_list.len());
            writeln!(out, "{packs} rule packs and {private} private hosts are sound.")?;
            Ok(ExitCode::SUCCESS)
        }
        Err(RulesError::Mistakes(mistakes)) => {
            for mistake in mistakes {
                writeln!(out, "{mistake}")?;
            }
            Ok(ExitCode::FAILURE)
        }
        Err(error @ RulesError::File { .. }) => Err(error.into()),
    }
}

pub(super) async fn publish_all(host: &Host, out: &mut (dyn Write + Send)) -> anyhow::Result<()> {
    let rules = Rules::read(host.settings.rules.as_deref())?;
    let (ring, scope) = (host.ring().await?, Scope::command_line());
    for school in host.schools().await? {
        match publish_to(host, &ring, &scope, school.school, &rules).await? {
            Published::Signed(serial) => {
                writeln!(out, "{}: policy {serial} is signed.", school.name)?;
            }
            Published::Unchanged(serial) => {
                writeln!(out, "{}: policy {serial} stays; nothing has changed.", school.name)?;
            }
        }
    }
    Ok(())
}

/// Publishes one school's policy if something has changed.
pub(super) async fn publish_to(
    host: &Host,
    ring: &KeyRing,
    scope: &Scope,
    school: SchoolId,
    rules: &Rules,
) -> anyhow::Result<Published> {
    let (choices, now) = (Choices::of(&host.settings), host.clock.now());
    Ok(publish(&host.store, ring, scope, school, rules, &choices, now).await?)
}
