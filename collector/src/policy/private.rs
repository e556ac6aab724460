//! Reads the private list: what no source ever yields.
//!
//! ```toml
//! format = 1
//! [[entry]]
//! reason = "Counselling"            # why it is private, for those who read the list
//! hosts = ["childline.org.uk"]      # each host, and every host below it
//! path_prefix = "/mental-health"    # optional: only paths that begin with this, by whole segments
//! ```

use std::collections::HashSet;

use redshank_matcher::Diagnostic;
use redshank_proto::{bounds, v1};
use serde::Deserialize;
use toml::Spanned;

use super::mistakes::Mistakes;

/// The version of the list's format.
const FORMAT: u32 = 1;
/// Bytes of a path and of a reason (`policy.proto`).
const PATH_BYTES: usize = 1_024;
const REASON_BYTES: usize = 256;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    format: Spanned<u32>,
    entry: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    reason: Spanned<String>,
    hosts: Vec<Spanned<String>>,
    path_prefix: Option<Spanned<String>>,
}

/// Reads the list's text.
///
/// # Errors
/// Every mistake, with its line.
pub(super) fn parse(file: &str, text: &str) -> Result<Vec<v1::PrivateEntry>, Vec<Diagnostic>> {
    let mut mistakes = Mistakes::new(file, text);
    let list: List = match toml::from_str(text) {
        Ok(list) => list,
        Err(error) => {
            let help = "write [[entry]] with reason, hosts and, if need be, path_prefix";
            mistakes.add(&error.span().unwrap_or_default(), error.message(), help);
            return Err(mistakes.found());
        }
    };
    if *list.format.get_ref() != FORMAT {
        mistakes.add(&list.format.span(), "the format is not known", "write format = 1");
    }
    let mut entries = Vec::new();
    let mut seen = HashSet::new();
    for entry in &list.entry {
        check(entry, &mut mistakes);
        let path_prefix = entry.path_prefix.as_ref().map(|path| path.get_ref().clone());
        let path_prefix = path_prefix.unwrap_or_default();
        for host in &entry.hosts {
            if !seen.insert((host.get_ref().clone(), path_prefix.clone())) {
                let help = "keep it once, under the reason that fits best";
                mistakes.add(&host.span(), "the host stands twice", help);
            }
            entries.push(v1::PrivateEntry {
                host: host.get_ref().clone(),
                path_prefix: path_prefix.clone(),
                reason: entry.reason.get_ref().clone(),
            });
        }
    }
    if entries.len() > bounds::PRIVATE_ENTRIES {
        let help = "name the site, not each of its hosts";
        mistakes.add(&(0..0), "the list is longer than 20,000 entries", help);
    }
    mistakes.or(entries)
}

fn check(entry: &Entry, mistakes: &mut Mistakes<'_>) {
    let reason = entry.reason.get_ref();
    if reason.trim().is_empty() || reason.len() > REASON_BYTES {
        mistakes.add(&entry.reason.span(), "the reason is empty or over 256 bytes", "say why");
    }
    if entry.hosts.is_empty() {
        mistakes.add(&entry.reason.span(), "the entry has no hosts", "name at least one");
    }
    for host in &entry.hosts {
        let name = host.get_ref();
        let fine = crate::settings::is_name(name) && name.to_lowercase() == *name;
        if !fine {
            let message = format!("`{name}` is not a host in lower case");
            let help = "write it as it stands in an address, without https:// and path";
            mistakes.add(&host.span(), &message, help);
        }
    }
    if let Some(path) = &entry.path_prefix {
        let prefix = path.get_ref();
        if !prefix.starts_with('/') || prefix.len() > PATH_BYTES || prefix.contains(['?', '#']) {
            let help = "begin it with / and leave out ? and #";
            mistakes.add(&path.span(), "the path_prefix is no path", help);
        }
    }
}
