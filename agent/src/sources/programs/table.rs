//! The process table, by sysinfo, with no more of each process than is needed.
//!
//! Listing the processes is cheap, asking after each is not. So on Linux, where a listing is one reading of
//! `/proc`, only those are asked after that are new: [`LOOKS`] times, for a process begins as a copy of the
//! one that started it and becomes its own program a moment later. Elsewhere the system gives the whole
//! table at once.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use sysinfo::{
    Pid, Process, ProcessRefreshKind, ProcessStatus, ProcessesToUpdate, System, ThreadKind,
    UpdateKind,
};

use super::accounts::Accounts;
use crate::sources::history::Platform;

/// How often a new process is looked at.
const LOOKS: u8 = 2;
/// Bytes of a name; Linux and Windows allow 255 of a file's.
const NAME_BYTES: usize = 256;
/// Bytes of a path: Linux's own bound; what is past it is cut.
const PATH_BYTES: usize = 4_096;
/// What Windows lists as processes and has no file: its kernel's own.
const KERNELS: &[&str] =
    &["System", "System Idle Process", "Registry", "Memory Compression", "Secure System", "Idle"];

/// Where the runtime of AppImages mounts them: this, six letters of the file's name, six random ones.
const APP_IMAGE: &str = "/tmp/.mount_";
const APP_IMAGE_RANDOM: usize = 6;
/// The process that every Unix system starts first, and that is everybody's to see but with hidepid.
const FIRST: u32 = 1;

/// A program that runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Running {
    /// The person's account; `None` for the system's.
    pub(super) account: Option<String>,
    /// The file's name, or the system's name of the process where the file is not shown.
    pub(super) name: String,
    pub(super) path: Option<String>,
    pub(super) pid: u32,
}

/// How well the table is seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sight {
    /// No process is listed.
    Nothing,
    /// Others' processes are hidden.
    Own,
    /// All are listed; of so many the file is not shown.
    All { unreadable: usize },
}

/// What one look came to.
#[derive(Debug)]
pub(super) struct Look {
    pub(super) running: Vec<Running>,
    /// Known after a look at all.
    pub(super) sight: Option<Sight>,
}

pub(super) struct Table {
    /// `None` where sysinfo has nothing to say.
    system: Option<System>,
    /// Processes of Linux's last listing, and how often each is still to be looked at.
    young: HashMap<Pid, u8>,
    accounts: Accounts,
}

impl Table {
    pub(super) fn new(platform: Platform, root: PathBuf) -> Self {
        Self {
            system: System::new().ok(),
            young: HashMap::new(),
            accounts: Accounts::new(platform, root),
        }
    }

    /// Looks at what is new, or at all. Blocking.
    pub(super) fn look(&mut self, all: bool) -> Look {
        let listed = listing();
        let asked = listed.as_ref().map(|listed| self.newly(listed));
        let Some(system) = &mut self.system else {
            return Look { running: Vec::new(), sight: Some(Sight::Nothing) };
        };
        let kind = ProcessRefreshKind::nothing()
            .with_exe(UpdateKind::Always)
            .with_user(UpdateKind::Always)
            .without_tasks();
        let asked = asked.filter(|_| !all);
        match &asked {
            Some(asked) => {
                system.refresh_processes_specifics(ProcessesToUpdate::Some(asked), true, kind);
            }
            None => {
                system.refresh_processes_specifics(ProcessesToUpdate::All, true, kind);
            }
        }
        let looked_at: Vec<&Process> = match &asked {
            Some(asked) => asked.iter().filter_map(|pid| system.process(*pid)).collect(),
            None => system.processes().values().collect(),
        };
        let accounts = &mut self.accounts;
        if asked.is_none() {
            accounts.look_again();
        }
        let running: Vec<Running> =
            looked_at.into_iter().filter_map(|process| running(process, accounts)).collect();
        let sight = asked.is_none().then(|| {
            let hidden = listed.is_some_and(|listed| !listed.contains(&Pid::from_u32(FIRST)));
            sight(&running, hidden)
        });
        Look { running, sight }
    }

    /// Which processes are to be asked after by the latest listing: the young, and those that have ended,
    /// for sysinfo to forget.
    fn newly(&mut self, listed: &HashSet<Pid>) -> Vec<Pid> {
        let ended = self.young.keys().filter(|pid| !listed.contains(*pid)).copied();
        let mut asked: Vec<Pid> = ended.collect();
        for pid in &asked {
            self.young.remove(pid);
        }
        for pid in listed {
            let left = self.young.entry(*pid).or_insert(LOOKS);
            if *left > 0 {
                *left -= 1;
                asked.push(*pid);
            }
        }
        asked
    }
}

/// What runs, of one process; `None` for what is no program of its own: a part of the kernel, or of another
/// process, or one that has ended and waits to be forgotten.
fn running(process: &Process, accounts: &mut Accounts) -> Option<Running> {
    let path = process.exe().filter(|path| !path.as_os_str().is_empty()).map(shown);
    let ended = matches!(process.status(), ProcessStatus::Zombie | ProcessStatus::Dead);
    if process.thread_kind() == Some(ThreadKind::Kernel) || (ended && path.is_none()) {
        return None;
    }
    let system_name = process.name().to_string_lossy();
    if path.is_none() && (system_name.is_empty() || KERNELS.contains(&&*system_name)) {
        return None;
    }
    let file = path.as_deref().and_then(|path| path.rsplit(['/', '\\']).next());
    let name = file.filter(|name| !name.is_empty()).unwrap_or(&system_name).to_owned();
    Some(Running {
        account: process.user_id().and_then(|uid| accounts.person(uid)),
        name: bounded(name, NAME_BYTES),
        path: path.map(|path| bounded(path, PATH_BYTES)),
        pid: process.pid().as_u32(),
    })
}

fn sight(running: &[Running], hidden: bool) -> Sight {
    if running.is_empty() {
        return Sight::Nothing;
    }
    if hidden {
        return Sight::Own;
    }
    Sight::All { unreadable: running.iter().filter(|process| process.path.is_none()).count() }
}

/// A path as text, without what differs at each start: the random end of the folder where an AppImage is
/// mounted (`/tmp/.mount_NordVPaB3xYz`), and Windows' prefix for long paths.
fn shown(path: &Path) -> String {
    let text = path.to_string_lossy();
    let text = text.strip_prefix(r"\\?\").unwrap_or(&text);
    let Some((folder, rest)) = text.strip_prefix(APP_IMAGE).and_then(|rest| rest.split_once('/'))
    else {
        return text.to_owned();
    };
    let stable = folder.len().checked_sub(APP_IMAGE_RANDOM).and_then(|end| folder.get(..end));
    format!("{APP_IMAGE}{}/{rest}", stable.unwrap_or(folder))
}

fn bounded(mut text: String, bytes: usize) -> String {
    text.truncate(text.floor_char_boundary(bytes));
    text
}

/// The ids of all processes, where listing them costs less than asking after them.
#[cfg(target_os = "linux")]
fn listing() -> Option<HashSet<Pid>> {
    let entries = std::fs::read_dir("/proc").ok()?.filter_map(Result::ok);
    Some(
        entries
            .filter_map(|entry| entry.file_name().to_str()?.parse().ok().map(Pid::from_u32))
            .collect(),
    )
}

#[cfg(not(target_os = "linux"))]
fn listing() -> Option<HashSet<Pid>> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_that_differ_at_each_start_are_shown_alike() {
        for (path, expected) in [
            ("/tmp/.mount_NordVPaB3xYz/usr/bin/nordvpn", "/tmp/.mount_NordVP/usr/bin/nordvpn"),
            ("/tmp/.mount_é/x", "/tmp/.mount_é/x"),
            ("/tmp/.mount_NordVPaB3xYz", "/tmp/.mount_NordVPaB3xYz"),
            (r"\\?\C:\Program Files\x.exe", r"C:\Program Files\x.exe"),
            ("/usr/bin/tor", "/usr/bin/tor"),
        ] {
            assert_eq!(shown(Path::new(path)), expected);
        }
    }

    #[test]
    fn a_new_process_is_asked_after_twice_and_an_ended_one_forgotten() {
        let mut table = Table::new(Platform::CURRENT, PathBuf::from("/"));
        let pids =
            |pids: &[u32]| pids.iter().map(|pid| Pid::from_u32(*pid)).collect::<HashSet<_>>();
        let mut asked = |listed: &[u32]| {
            let mut asked: Vec<_> =
                table.newly(&pids(listed)).iter().map(|it| it.as_u32()).collect();
            asked.sort_unstable();
            asked
        };
        assert_eq!(asked(&[1, 2]), [1, 2]);
        assert_eq!(asked(&[1, 2]), [1, 2]);
        assert_eq!(asked(&[1, 2, 3]), [3]);
        assert_eq!(asked(&[1, 3]), [2, 3], "2 has ended");
        assert_eq!(asked(&[1, 2, 3]), [2], "another by its number");
    }

    #[test]
    fn what_is_not_shown_is_counted() {
        let process = |path: Option<&str>| Running {
            account: None,
            name: "x".to_owned(),
            path: path.map(str::to_owned),
            pid: 7,
        };
        let some = [process(Some("/x")), process(None), process(None)];
        assert_eq!(sight(&some, false), Sight::All { unreadable: 2 });
        assert_eq!(sight(&some, true), Sight::Own);
        assert_eq!(sight(&[], false), Sight::Nothing);
    }

    #[test]
    fn this_very_test_is_seen_with_its_file() {
        let look = Table::new(Platform::CURRENT, PathBuf::from("/")).look(true);
        let own = look.running.iter().find(|process| process.pid == std::process::id()).unwrap();
        let file = std::env::current_exe().unwrap();
        assert_eq!(own.path.as_deref(), file.to_str());
        assert_eq!(own.name, file.file_name().unwrap().to_str().unwrap());
    }
}
