//! Reads the shipped lists of programs: those that get round the filter, those by which somebody else uses a
//! device.
//!
//! ```toml
//! format = 1
//! [[entry]]
//! list = "bypass"                   # or "remote_control"
//! reason = "Tor: goes round the filter"   # for those who read the list
//! names = ["tor", "tor-browser*"]   # each name, path and publisher is an entry of its own; one is enough
//! paths = ["Tor Browser/Browser"]
//! publishers = ["org.torproject.*"]
//! ```

use redshank_matcher::Diagnostic;
use redshank_proto::{bounds, v1};
use serde::Deserialize;
use toml::Spanned;

use super::mistakes::Mistakes;

/// The version of the lists' format.
const FORMAT: u32 = 1;
/// Bytes of a reason (`policy.proto`).
const REASON_BYTES: usize = 256;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Lists {
    format: Spanned<u32>,
    entry: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    list: Spanned<String>,
    reason: Spanned<String>,
    #[serde(default)]
    names: Vec<Spanned<String>>,
    #[serde(default)]
    paths: Vec<Spanned<String>>,
    #[serde(default)]
    publishers: Vec<Spanned<String>>,
}

/// Reads the lists' text. The severities are the school's to set: all are 0.
///
/// # Errors
/// Every mistake, with its line.
pub(super) fn parse(file: &str, text: &str) -> Result<Vec<v1::ProgramEntry>, Vec<Diagnostic>> {
    let mut mistakes = Mistakes::new(file, text);
    let lists: Lists = match toml::from_str(text) {
        Ok(lists) => lists,
        Err(error) => {
            let help = "write [[entry]] with list, reason, and names, paths or publishers";
            mistakes.add(&error.span().unwrap_or_default(), error.message(), help);
            return Err(mistakes.found());
        }
    };
    if *lists.format.get_ref() != FORMAT {
        mistakes.add(&lists.format.span(), "the format is not known", "write format = 1");
    }
    let mut programs = Vec::new();
    for entry in &lists.entry {
        read(entry, &mut programs, &mut mistakes);
    }
    if programs.len() > bounds::PROGRAMS {
        let help = "use * for versions of one program";
        mistakes.add(&(0..0), "the lists are longer than 4,096 entries", help);
    }
    mistakes.or(programs)
}

fn read(entry: &Entry, programs: &mut Vec<v1::ProgramEntry>, mistakes: &mut Mistakes<'_>) {
    let list = match entry.list.get_ref().as_str() {
        "bypass" => v1::ProgramList::Bypass,
        "remote_control" => v1::ProgramList::RemoteControl,
        other => {
            let message = format!("there is no list `{other}`");
            mistakes.add(&entry.list.span(), &message, "write bypass or remote_control");
            return;
        }
    };
    let reason = entry.reason.get_ref();
    if reason.trim().is_empty() || reason.len() > REASON_BYTES {
        mistakes.add(&entry.reason.span(), "the reason is empty or over 256 bytes", "say why");
    }
    let before = programs.len();
    let none = || v1::ProgramEntry {
        list: list as i32,
        reason: reason.clone(),
        ..v1::ProgramEntry::default()
    };
    for (patterns, entry_of) in [
        (&entry.names, (|name, entry| v1::ProgramEntry { name, ..entry }) as fn(_, _) -> _),
        (&entry.paths, |path, entry| v1::ProgramEntry { path, ..entry }),
        (&entry.publishers, |publisher, entry| v1::ProgramEntry { publisher, ..entry }),
    ] {
        for pattern in patterns {
            if let Some(message) = wrong(pattern.get_ref()) {
                let help = "write more of it: a pattern that fits everything accuses everybody";
                mistakes.add(&pattern.span(), message, help);
            }
            programs.push(entry_of(pattern.get_ref().clone(), none()));
        }
    }
    if programs.len() == before {
        let help = "give names, paths or publishers";
        mistakes.add(&entry.list.span(), "the entry names no program", help);
    }
}

/// What is wrong with a pattern of a name, a path or a publisher.
pub(super) fn wrong(pattern: &str) -> Option<&'static str> {
    let letters = pattern.chars().filter(|c| c.is_alphanumeric()).count();
    if pattern.len() > bounds::LONG_NAME_BYTES || pattern.chars().any(char::is_control) {
        Some("the pattern is over 256 bytes or has a line break")
    } else if letters < 2 {
        Some("the pattern has fewer than two letters")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_path_and_publisher_is_an_entry() {
        let text = "format = 1\n[[entry]]\nlist = \"bypass\"\nreason = \"Tor\"\nnames = [\"tor\"]\n\
                    paths = [\"Tor Browser/Browser\"]\n[[entry]]\nlist = \"remote_control\"\n\
                    reason = \"AnyDesk\"\npublishers = [\"AnyDesk*\"]\n";
        let programs = parse("programs.toml", text).unwrap();
        let plain: Vec<_> = programs
            .iter()
            .map(|it| (it.list(), &*it.name, &*it.path, &*it.publisher, &*it.reason, it.severity))
            .collect();
        assert_eq!(
            plain,
            [
                (v1::ProgramList::Bypass, "tor", "", "", "Tor", 0),
                (v1::ProgramList::Bypass, "", "Tor Browser/Browser", "", "Tor", 0),
                (v1::ProgramList::RemoteControl, "", "", "AnyDesk*", "AnyDesk", 0),
            ]
        );
    }

    #[test]
    fn mistakes_are_told_with_line_and_column() {
        let entry = |body: &str| format!("format = 1\n[[entry]]\nreason = \"Tor\"\n{body}\n");
        for (text, place, message) in [
            ("format = 2\nentry = []".to_owned(), (1, 10), "format"),
            (entry("list = \"vpn\""), (4, 8), "no list `vpn`"),
            (entry("list = \"bypass\""), (4, 8), "names no program"),
            (
                entry("list = \"bypass\"\nnames = [\"ab\", \"*\"]"),
                (5, 16),
                "fewer than two letters",
            ),
            (entry("list = \"bypass\"\nname = \"tor\""), (5, 1), "unknown field"),
            (entry("list = \"bypass\"\nnames = [\"tor\"]").replace("Tor", ""), (3, 10), "reason"),
        ] {
            let wrong = parse("programs.toml", &text).unwrap_err();
            assert_eq!((wrong[0].line, wrong[0].column), place, "{text}: {}", wrong[0]);
            assert!(wrong[0].message.contains(message), "{text}: {}", wrong[0]);
        }
    }
}
