//! The lists of programs: bypass tools, remote control, and what the school itself allows or denies.
//!
//! # How an entry is held against a program
//! - An entry has a name, a path and a publisher, at least one of them; all that it has must fit.
//! - Letter case does not count, nor does `.exe` at the end of a file's name; `*` stands for any run of
//!   characters, an empty one too.
//! - A name is the whole file name: `tor` is not found in `tutor`.
//! - A path is one or more neighbouring folders and files of the program's path, each compared as a whole:
//!   `Tor Browser/Browser` fits wherever the folder was unpacked to. One that begins with `/`, or with a
//!   drive (`C:/`, `*:/`), begins where the program's path does. `\` and `/` are the same.
//! - A publisher is the whole of what the system says.
//!
//! # What the lists mean together
//! - An allowed program is on no other list, whatever else names it, if the entry has a name or a path. A
//!   publisher alone is what the file says of itself: it allows what no other list names.
//! - Among the others the entry with the highest severity counts, of equals the first.
//! - Where only allowed programs may run, every other one that a person runs counts as denied, but for the
//!   system's own: what lies in a folder of the operating system, where only an administrator installs.
//!   The source says who runs a program; see [`ProgramList::verdict`].
//!
//! A program that was renamed is found by its path or its publisher, if at all: no file is hashed, and none
//! of its content compared.

use redshank_proto::v1;

use super::accounts::fits;
use crate::observation::Program;

/// Bytes of each pattern and of a reason (`policy.proto`).
const TEXT_BYTES: usize = 256;
/// The most severe grade; 0 is the weekly summary alone.
const SEVEREST: u32 = 5;
/// Why a program counts as denied that no entry names.
const NOT_ALLOWED: &str = "not on the school's list of allowed programs";

/// Folders of the operating system's own programs: only an administrator installs there.
const SYSTEM: &[&str] = &[
    "/bin",
    "/lib",
    "/lib64",
    "/sbin",
    "/usr/bin",
    "/usr/games",
    "/usr/lib",
    "/usr/lib64",
    "/usr/libexec",
    "/usr/sbin",
    "/usr/share",
    "/Library/Apple",
    "/System",
    "*:/Windows/ImmersiveControlPanel",
    "*:/Windows/System32",
    "*:/Windows/SystemApps",
    "*:/Windows/SysWOW64",
    "*:/Windows/servicing",
    "*:/Windows/WinSxS",
    "*:/Windows/explorer.exe",
];

/// Which list a program is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum List {
    /// Gets round the filter.
    Bypass,
    /// Lets somebody else use the device from afar.
    RemoteControl,
    /// The school does not want it.
    Denied,
    /// The school wants it, whatever the other lists say.
    Allowed,
}

/// What the lists say of a program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// The list.
    pub list: List,
    /// 1 to 5: an alert of this severity. 0: part of the weekly summary alone.
    pub severity: u8,
    /// Why it is on the list, as the entry says.
    pub reason: String,
}

/// Who runs a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunBy {
    /// An account of a person.
    Person,
    /// The system, or an account that nobody signs in to.
    System,
}

/// Why the lists cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("entry {entry} of the programs: {problem}")]
pub struct ProgramListError {
    /// The entry's number, from 1.
    pub entry: usize,
    /// What is wrong with it.
    pub problem: ProgramProblem,
}

/// What can be wrong with an entry.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProgramProblem {
    /// Its list is none that this agent knows.
    #[error("its list is not known; a newer agent may know it")]
    List,
    /// It has neither name nor path nor publisher.
    #[error("it names nothing; give a name, a path or a publisher")]
    Empty,
    /// A pattern fits everything.
    #[error("`{0}` fits every program; name one")]
    Everything(String),
    /// A pattern or the reason is too long.
    #[error("its {0} is longer than {TEXT_BYTES} bytes")]
    Long(&'static str),
    /// Its severity is none.
    #[error("severity {0} is not between 0 and {SEVEREST}")]
    Severity(u32),
}

/// The lists, compiled.
#[derive(Debug, Clone, Default)]
pub struct ProgramList {
    entries: Vec<Entry>,
    only_allowed: bool,
}

#[derive(Debug, Clone)]
struct Entry {
    name: Option<Pattern>,
    path: Option<PathPattern>,
    publisher: Option<Pattern>,
    listed: Listed,
}

impl ProgramList {
    /// Reads the entries of a policy; with `only_allowed`, what no entry allows is denied.
    ///
    /// # Errors
    /// [`ProgramListError`] for the first entry that cannot be used.
    pub fn compile(
        entries: &[v1::ProgramEntry],
        only_allowed: bool,
    ) -> Result<Self, ProgramListError> {
        let compiled = entries.iter().enumerate().map(|(index, entry)| {
            Entry::compile(entry).map_err(|problem| ProgramListError { entry: index + 1, problem })
        });
        Ok(Self { entries: compiled.collect::<Result<_, _>>()?, only_allowed })
    }

    /// Says on which list a program is; `None` if on none.
    ///
    /// `run_by` matters only where nothing but allowed programs may run: what the system runs, or lies in
    /// a folder of the operating system, or of which the path is not known, is not denied unnamed.
    #[must_use]
    pub fn verdict(&self, program: &Program, run_by: RunBy) -> Option<Listed> {
        let seen = Seen::of(program);
        let mut found: Option<&Listed> = None;
        for entry in self.entries.iter().filter(|entry| entry.fits(&seen)) {
            if entry.listed.list == List::Allowed {
                if entry.names_a_file() {
                    return Some(entry.listed.clone());
                }
                continue;
            }
            if found.is_none_or(|found| entry.listed.severity > found.severity) {
                found = Some(&entry.listed);
            }
        }
        let by_publisher =
            || self.entries.iter().any(|it| it.listed.list == List::Allowed && it.fits(&seen));
        let unnamed = || {
            let denied = self.only_allowed
                && run_by == RunBy::Person
                && seen.is_brought()
                && !by_publisher();
            denied.then(|| Listed {
                list: List::Denied,
                severity: 0,
                reason: NOT_ALLOWED.to_owned(),
            })
        };
        found.cloned().or_else(unnamed)
    }

    /// Whether no program is listed or denied.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty() && !self.only_allowed
    }
}

impl Entry {
    fn compile(entry: &v1::ProgramEntry) -> Result<Self, ProgramProblem> {
        let list = match entry.list() {
            v1::ProgramList::Bypass => List::Bypass,
            v1::ProgramList::RemoteControl => List::RemoteControl,
            v1::ProgramList::Denied => List::Denied,
            v1::ProgramList::Allowed => List::Allowed,
            v1::ProgramList::Unspecified => return Err(ProgramProblem::List),
        };
        for (what, text) in [
            ("name", &entry.name),
            ("path", &entry.path),
            ("publisher", &entry.publisher),
            ("reason", &entry.reason),
        ] {
            if text.len() > TEXT_BYTES {
                return Err(ProgramProblem::Long(what));
            }
        }
        let severity = u8::try_from(entry.severity).ok().filter(|it| u32::from(*it) <= SEVEREST);
        let compiled = Self {
            name: given(&entry.name)
                .map(|name| Pattern::of(without_exe(&folded(name))))
                .transpose()?,
            path: given(&entry.path).map(PathPattern::of).transpose()?,
            publisher: given(&entry.publisher).map(|it| Pattern::of(&folded(it))).transpose()?,
            listed: Listed {
                list,
                severity: severity.ok_or(ProgramProblem::Severity(entry.severity))?,
                reason: entry.reason.clone(),
            },
        };
        let empty =
            compiled.name.is_none() && compiled.path.is_none() && compiled.publisher.is_none();
        if empty { Err(ProgramProblem::Empty) } else { Ok(compiled) }
    }

    /// Whether it says more than a publisher, which is the file's own word.
    fn names_a_file(&self) -> bool {
        self.name.is_some() || self.path.is_some()
    }

    fn fits(&self, seen: &Seen) -> bool {
        let publisher = |pattern: &Pattern| {
            seen.publisher.as_deref().is_some_and(|publisher| pattern.fits(publisher))
        };
        self.name.as_ref().is_none_or(|pattern| pattern.fits(&seen.name))
            && self.path.as_ref().is_none_or(|pattern| pattern.fits(&seen.path))
            && self.publisher.as_ref().is_none_or(publisher)
    }
}

/// A program, folded for comparing.
struct Seen {
    name: String,
    /// Folders and file, the root's empty name left out; empty if the path is not known.
    path: Vec<String>,
    publisher: Option<String>,
}

impl Seen {
    fn of(program: &Program) -> Self {
        Self {
            name: without_exe(&folded(&program.name)).to_owned(),
            path: program.path.as_deref().map(parts).unwrap_or_default(),
            publisher: program.publisher.as_deref().map(folded),
        }
    }

    /// Whether its path is known, and is none of the operating system's own folders.
    fn is_brought(&self) -> bool {
        let system = |folder: &&str| PathPattern::of(folder).is_ok_and(|it| it.fits(&self.path));
        !self.path.is_empty() && !SYSTEM.iter().any(system)
    }
}

/// Neighbouring parts of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
struct PathPattern {
    parts: Vec<Pattern>,
    from_root: bool,
}

impl PathPattern {
    fn of(text: &str) -> Result<Self, ProgramProblem> {
        let parts = parts(text);
        let from_root = text.starts_with(['/', '\\'])
            || parts.first().is_some_and(|first| first.len() == 2 && first.ends_with(':'));
        if parts.iter().all(|part| part.bytes().all(|byte| byte == b'*')) {
            return Err(ProgramProblem::Everything(text.to_owned()));
        }
        let parts = parts.iter().map(|part| Pattern::part(part)).collect();
        Ok(Self { parts, from_root })
    }

    fn fits(&self, path: &[String]) -> bool {
        let mut windows = path.windows(self.parts.len());
        let fits =
            |window: &[String]| self.parts.iter().zip(window).all(|(it, part)| it.fits(part));
        if self.from_root { windows.next().is_some_and(fits) } else { windows.any(fits) }
    }
}

/// A text in which `*` stands for any run of characters: what stands between them.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Pattern(Vec<String>);

impl Pattern {
    fn of(text: &str) -> Result<Self, ProgramProblem> {
        if text.bytes().all(|byte| byte == b'*') {
            return Err(ProgramProblem::Everything(text.to_owned()));
        }
        Ok(Self::part(text))
    }

    fn part(text: &str) -> Self {
        Self(text.split('*').map(str::to_owned).collect())
    }

    fn fits(&self, text: &str) -> bool {
        fits(&self.0, text)
    }
}

fn given(text: &str) -> Option<&str> {
    Some(text.trim()).filter(|text| !text.is_empty())
}

fn folded(text: &str) -> String {
    text.trim().to_lowercase()
}

fn without_exe(name: &str) -> &str {
    name.strip_suffix(".exe").filter(|rest| !rest.is_empty()).unwrap_or(name)
}

fn parts(path: &str) -> Vec<String> {
    let folded = folded(path);
    let parts = folded.split(['/', '\\']).filter(|part| !part.is_empty());
    parts.map(|part| without_exe(part).to_owned()).collect()
}

#[cfg(test)]
mod tests;
