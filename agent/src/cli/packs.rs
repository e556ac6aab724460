//! Rule packs from a folder, for `match --rules`: what an editor tries before a policy carries it.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use redshank_matcher::{Diagnostic, Matcher, Pack};
use redshank_proto::bounds;

/// Packs lie in a folder per language; more depth than this is a wrong folder.
const DEEPEST: usize = 4;
/// Entries of all folders together, packs and others: past it, this is no folder of packs.
const MOST_ENTRIES: usize = 4_096;

/// What stands beside the packs in a collector's folder of rules, and is none.
const NO_PACKS: [&str; 2] = ["private.toml", "programs.toml"];

/// Compiles every `*.toml` below `folder`, in the order of their names.
///
/// # Errors
/// Names every mistake of every pack with its file and line; also if there is no pack at all, or there
/// are more than a policy may carry.
pub fn compile_folder(folder: &Path) -> anyhow::Result<Matcher> {
    let mut files = Vec::new();
    let mut entries = 0;
    collect(folder, DEEPEST, &mut entries, &mut files)?;
    files.sort();
    if files.is_empty() {
        bail!("{}: no rule pack (*.toml) in this folder", folder.display());
    }
    if files.len() > bounds::RULE_PACKS {
        bail!("{}: more than {} rule packs", folder.display(), bounds::RULE_PACKS);
    }
    let packs = files
        .iter()
        .map(|file| Ok((name(folder, file), read(file)?)))
        .collect::<anyhow::Result<Vec<_>>>()?;
    compile(packs.iter().map(|(name, text)| (name.as_str(), text.as_str())))
}

/// Compiles packs given as name and text.
///
/// # Errors
/// Names every mistake of every pack with its file and line.
pub(super) fn compile<'a>(
    packs: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> anyhow::Result<Matcher> {
    let mut read = Vec::new();
    let mut wrong = Vec::new();
    for (name, text) in packs {
        match Pack::parse(name, text) {
            Ok(pack) => read.push(pack),
            Err(diagnostics) => wrong.extend(diagnostics),
        }
    }
    if wrong.is_empty() {
        match Matcher::compile(&read) {
            Ok(matcher) => return Ok(matcher),
            Err(diagnostics) => wrong = diagnostics,
        }
    }
    let lines: Vec<String> = wrong.iter().map(Diagnostic::to_string).collect();
    bail!("the rule packs have {} mistakes:\n{}", lines.len(), lines.join("\n"))
}

fn collect(
    folder: &Path,
    depth: usize,
    entries: &mut usize,
    files: &mut Vec<PathBuf>,
) -> anyhow::Result<()> {
    let at = || format!("{}", folder.display());
    for entry in fs::read_dir(folder).with_context(at)? {
        let entry = entry.with_context(at)?;
        *entries += 1;
        if *entries > MOST_ENTRIES {
            bail!("{}: too many files for a folder of rule packs", folder.display());
        }
        let path = entry.path();
        // Not followed: a link to a folder above would go round.
        if entry.file_type().with_context(at)?.is_dir() {
            if depth > 0 {
                collect(&path, depth - 1, entries, files)?;
            }
        } else if is_pack(&path) {
            files.push(path);
        }
    }
    Ok(())
}

fn is_pack(path: &Path) -> bool {
    let toml = path.extension().is_some_and(|extension| extension == "toml");
    let beside = path.file_name().is_some_and(|name| NO_PACKS.iter().any(|it| name == *it));
    toml && path.is_file() && !beside
}

fn read(file: &Path) -> anyhow::Result<String> {
    let read = || -> io::Result<String> {
        let mut text = String::new();
        let bound = bounds::RULE_PACK_BYTES as u64 + 1;
        File::open(file)?.take(bound).read_to_string(&mut text)?;
        Ok(text)
    };
    let text = read().with_context(|| format!("{}", file.display()))?;
    if text.len() > bounds::RULE_PACK_BYTES {
        bail!("{}: a rule pack has at most {} bytes", file.display(), bounds::RULE_PACK_BYTES);
    }
    Ok(text)
}

/// The name that a policy would give it: its path below the folder.
fn name(folder: &Path, file: &Path) -> String {
    let below = file.strip_prefix(folder).unwrap_or(file);
    let parts: Vec<_> = below.iter().map(|part| part.to_string_lossy()).collect();
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use redshank_matcher::Place;

    use super::*;

    #[test]
    fn packs_are_found_below_the_folder_and_named_by_their_path() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("en")).unwrap();
        fs::write(folder.path().join("en/lonely.toml"), pack("wellbeing.lonely")).unwrap();
        fs::write(folder.path().join("README.md"), "no pack").unwrap();
        fs::write(folder.path().join("private.toml"), "[[entry]]").unwrap();
        let matcher = compile_folder(folder.path()).unwrap();
        assert_eq!(matcher.find("i have no friends", Place::Typed).severity(), 3);

        fs::write(folder.path().join("en/again.toml"), pack("wellbeing.lonely")).unwrap();
        let error = compile_folder(folder.path()).unwrap_err().to_string();
        assert!(error.contains("en/lonely.toml:7"), "{error}");
    }

    #[test]
    fn the_collectors_own_folder_of_rules_is_one() {
        let rules = Path::new(env!("CARGO_MANIFEST_DIR")).join("../collector/rules");
        let matcher = compile_folder(&rules).unwrap();
        assert!(matcher.find("how to kill myself", Place::Search).severity() >= 4);
    }

    #[test]
    fn a_folder_without_packs_is_an_error_that_names_it() {
        let folder = tempfile::tempdir().unwrap();
        let error = compile_folder(folder.path()).unwrap_err().to_string();
        assert!(error.contains("no rule pack") && error.contains(&name_of(folder.path())));
        let missing = folder.path().join("missing");
        let error = format!("{:#}", compile_folder(&missing).unwrap_err());
        assert!(error.contains("missing"), "{error}");
    }

    #[test]
    fn every_mistake_of_every_pack_is_named() {
        let error = compile([("a.toml", "format = "), ("b.toml", "=")]).unwrap_err().to_string();
        assert!(error.contains("a.toml:1") && error.contains("b.toml:1"), "{error}");
    }

    #[test]
    fn a_pack_past_its_bound_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let text = "#".repeat(bounds::RULE_PACK_BYTES + 1);
        fs::write(folder.path().join("large.toml"), text).unwrap();
        let error = compile_folder(folder.path()).unwrap_err().to_string();
        assert!(error.contains("large.toml") && error.contains("at most"), "{error}");
    }

    fn pack(id: &str) -> String {
        format!(
            "format = 1\ncategory = \"wellbeing\"\nlanguage = \"en\"\nversion = 1\n\
             reviewed = \"nobody yet\"\n[[rule]]\nid = \"{id}\"\nseverity = 3\n\
             note = \"Says that nobody is there for them.\"\nphrases = [\"i have no friends\"]\n"
        )
    }

    fn name_of(path: &Path) -> String {
        path.display().to_string()
    }
}
