//! `policy lint` and `policy publish`, and the file of a new school.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;

use super::Host;
use crate::keys::KeyRing;
use crate::policy::school::template as school_template;
use crate::policy::{Choices, Decisions, Languages, Published, Rules, RulesError, publish};
use crate::store::Scope;
use crate::store::schools::School;

/// Bytes of a file's name, on every file system.
const FILE_NAME_BYTES: usize = 200;

pub(super) fn lint(
    folder: Option<&Path>,
    out: &mut (dyn Write + Send),
) -> anyhow::Result<ExitCode> {
    match Rules::read(folder) {
        Ok(rules) => {
            let (packs, private) = (rules.packs.len(), rules.private_list.len());
            let programs = rules.programs.len();
            writeln!(
                out,
                "{packs} rule packs, {private} private hosts and {programs} patterns of programs are sound."
            )?;
            for language in rules.told_of(None) {
                writeln!(out, "{language}.")?;
            }
            let usual = Languages::default();
            writeln!(
                out,
                "A school uses those in {usual} unless its file names other languages under [rules]."
            )?;
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

pub(super) async fn publish_all(
    host: &Host,
    out: &mut (dyn Write + Send),
) -> anyhow::Result<ExitCode> {
    let rules = Rules::read(host.settings.rules.as_deref())?;
    let schools = host.schools().await?;
    let decisions = Decisions::read(&host.folder.policies(), &schools)?;
    let (ring, scope) = (host.ring().await?, Scope::command_line());
    let mut code = ExitCode::SUCCESS;
    for mistake in decisions.unplaced() {
        writeln!(out, "{mistake}")?;
        code = ExitCode::FAILURE;
    }
    for school in schools {
        match publish_to(host, &ring, &scope, &school, &rules, &decisions).await {
            Ok((published, languages)) => {
                let name = &school.name;
                match published {
                    Published::Signed(serial) => {
                        writeln!(out, "{name}: policy {serial} is signed.")?;
                    }
                    Published::Unchanged(serial) => {
                        writeln!(out, "{name}: policy {serial} stays; nothing has changed.")?;
                    }
                }
                for language in rules.told_of(Some(&languages)) {
                    writeln!(out, "  {language}.")?;
                }
            }
            Err(error) => {
                writeln!(out, "{}: the policy in force stays as it is: {error:#}", school.name)?;
                code = ExitCode::FAILURE;
            }
        }
    }
    Ok(code)
}

/// Publishes one school's policy if something has changed; gives the languages of its rule packs, too.
pub(super) async fn publish_to(
    host: &Host,
    ring: &KeyRing,
    scope: &Scope,
    school: &School,
    rules: &Rules,
    decisions: &Decisions,
) -> anyhow::Result<(Published, Languages)> {
    let choices = decisions.of(school, rules, Choices::of(&host.settings))?;
    let now = host.clock.now();
    let published = publish(&host.store, ring, scope, school.school, rules, &choices, now).await?;
    Ok((published, choices.languages))
}

/// Writes the file of what a school decides, as it is by default; one that is there stays as it is.
pub(super) fn write_template(host: &Host, school: &School) -> anyhow::Result<()> {
    let folder = host.folder.policies();
    std::fs::create_dir_all(&folder).with_context(|| format!("{}", folder.display()))?;
    let plain: String = school
        .name
        .to_lowercase()
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join("-");
    let own = school.school.to_string();
    // The name of another school may look the same.
    for name in [plain.clone(), format!("{plain}-{own}")] {
        if name.is_empty() || name.len() > FILE_NAME_BYTES {
            continue;
        }
        let path = folder.join(format!("{name}.toml"));
        match File::create_new(&path) {
            Ok(mut file) => {
                return file
                    .write_all(school_template(&school.name).as_bytes())
                    .with_context(|| format!("{}", path.display()));
            }
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error).with_context(|| format!("{}", path.display())),
        }
    }
    Ok(())
}
