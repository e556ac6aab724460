//! Who is signed in at the device's own screen, by account name, as evidence for what nobody's process did.
//!
//! | system | where it stands |
//! |---|---|
//! | Linux | systemd-logind's files below `/run/systemd/sessions`: the session that is active on `seat0` |
//! | macOS | the owner of `/dev/console` |
//! | Windows | the account that runs `explorer.exe`, if all that run are one account's |
//!
//! logind's files rather than `utmp`: Debian 13 and others no longer keep `utmp`, and only logind says which
//! of two signed-in people has the screen. They are private to systemd by its word, but have had the same
//! lines (`STATE`, `UID`, `SEAT`, `CLASS`) since 2011; where they are not there or say something else, nobody
//! is known, which is an answer. Sessions by network are nobody's screen.
//!
//! A name is told only if it is certain: two people, or none, is `None`.

#[cfg(unix)]
use std::path::Path;
use std::path::PathBuf;

use super::history::Platform;
use super::programs::accounts::Accounts;

/// Session files that are looked at: one for each session, and greeters.
#[cfg(unix)]
const MOST_SESSIONS: usize = 256;
/// Bytes of a session's file; they have some 400.
#[cfg(unix)]
const SESSION_BYTES: u64 = 16 * 1024;
/// The seat of the built-in screen and keyboard.
#[cfg(unix)]
const SEAT: &str = "seat0";

/// Tells who has the screen. Every answer may read a few files: blocking.
pub(crate) struct SignedIn {
    platform: Platform,
    #[cfg(unix)]
    root: PathBuf,
    accounts: Accounts,
}

impl SignedIn {
    /// `root` is the file system's: another folder in tests.
    pub(crate) fn new(platform: Platform, root: PathBuf) -> Self {
        Self {
            platform,
            #[cfg(unix)]
            root: root.clone(),
            accounts: Accounts::new(platform, root),
        }
    }

    /// The account that has the screen; `None` if nobody has, or it is not certain who.
    pub(crate) fn now(&mut self) -> Option<String> {
        self.accounts.look_again();
        match self.platform {
            #[cfg(unix)]
            Platform::Linux => {
                let mut people = active_people(&self.root.join("run/systemd/sessions"));
                people.sort_unstable();
                people.dedup();
                let [uid] = people[..] else { return None };
                self.accounts.person_by_number(uid)
            }
            #[cfg(unix)]
            Platform::MacOs => {
                use std::os::unix::fs::MetadataExt as _;
                let console = std::fs::metadata(self.root.join("dev/console")).ok()?;
                self.accounts.person_by_number(console.uid())
            }
            #[cfg(windows)]
            Platform::Windows => self.owner_of_the_desktop(),
            _ => None,
        }
    }

    #[cfg(windows)]
    fn owner_of_the_desktop(&mut self) -> Option<String> {
        use sysinfo::{ProcessRefreshKind, ProcessesToUpdate, System, UpdateKind};
        let mut system = System::new().ok()?;
        let kind = ProcessRefreshKind::nothing().with_user(UpdateKind::Always).without_tasks();
        system.refresh_processes_specifics(ProcessesToUpdate::All, true, kind);
        let desktops = system
            .processes()
            .values()
            .filter(|process| process.name().eq_ignore_ascii_case("explorer.exe"));
        let mut people: Vec<_> =
            desktops.filter_map(|process| self.accounts.person(process.user_id()?)).collect();
        people.sort_unstable();
        people.dedup();
        if people.len() == 1 { people.pop() } else { None }
    }
}

/// The numbers of the accounts whose session is active on the built-in seat.
#[cfg(unix)]
fn active_people(sessions: &Path) -> Vec<u32> {
    let Ok(entries) = std::fs::read_dir(sessions) else { return Vec::new() };
    let files = entries.take(MOST_SESSIONS).filter_map(Result::ok);
    let files = files.filter(|entry| !entry.file_name().to_string_lossy().ends_with(".ref"));
    files.filter_map(|entry| active_person(&session(&entry.path())?)).collect()
}

/// The lines of a session's file: systemd's own, in a folder where only root writes.
#[cfg(unix)]
fn session(file: &Path) -> Option<String> {
    use std::io::Read as _;
    if !std::fs::symlink_metadata(file).ok()?.is_file() {
        return None;
    }
    let mut text = String::new();
    std::fs::File::open(file).ok()?.take(SESSION_BYTES).read_to_string(&mut text).ok()?;
    Some(text)
}

#[cfg(unix)]
fn active_person(session: &str) -> Option<u32> {
    let value = |key: &str| {
        let mut lines = session.lines().filter_map(|line| line.split_once('='));
        lines.find(|(name, _)| *name == key).map(|(_, value)| value.trim_matches('"'))
    };
    let active = value("STATE") == Some("active") || value("ACTIVE") == Some("1");
    let person = value("CLASS").is_none_or(|class| class.starts_with("user"));
    (active && person && value("SEAT") == Some(SEAT)).then(|| value("UID")?.parse().ok()).flatten()
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_has_the_screen_by_logind() {
        let amy = "UID=1001\nUSER=amy\nACTIVE=1\nSTATE=active\nREMOTE=0\nCLASS=user\nSEAT=seat0\n";
        let bob = amy.replace("1001", "1002").replace("amy", "bob");
        let online = bob.replace("STATE=active", "STATE=online").replace("ACTIVE=1", "ACTIVE=0");
        let greeter = amy.replace("CLASS=user", "CLASS=greeter").replace("1001", "110");
        let network = bob.replace("SEAT=seat0\n", "REMOTE=1\n");
        for (sessions, expected) in [
            (vec![amy], Some("amy")),
            (vec![amy, amy], Some("amy")),
            (vec![amy, &online, &network], Some("amy")),
            (vec![amy, &bob], None),
            (vec![&greeter], None),
            (vec![&network], None),
            (vec!["nothing of the kind", "UID=\n=\n"], None),
            (vec![], None),
        ] {
            assert_eq!(who(&sessions).as_deref(), expected, "{sessions:?}");
        }
    }

    #[test]
    fn who_has_the_screen_by_the_consoles_owner() {
        use std::os::unix::fs::MetadataExt as _;
        let root = machine();
        std::fs::create_dir_all(root.path().join("dev")).unwrap();
        std::fs::write(root.path().join("dev/console"), b"").unwrap();
        std::fs::create_dir_all(root.path().join("Users/amy")).unwrap();
        let owner = std::fs::metadata(root.path().join("dev/console")).unwrap().uid();
        let expected = (owner >= 501).then_some("amy");
        let mut signed_in = SignedIn::new(Platform::MacOs, root.path().to_owned());
        assert_eq!(signed_in.now().as_deref(), expected);
        std::fs::remove_file(root.path().join("dev/console")).unwrap();
        assert_eq!(signed_in.now(), None);
    }

    fn who(sessions: &[&str]) -> Option<String> {
        let root = machine();
        let folder = root.path().join("run/systemd/sessions");
        std::fs::create_dir_all(&folder).unwrap();
        for (number, text) in sessions.iter().enumerate() {
            std::fs::write(folder.join(number.to_string()), text).unwrap();
        }
        SignedIn::new(Platform::Linux, root.path().to_owned()).now()
    }

    fn machine() -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(root.path().join("etc")).unwrap();
        let passwd = "amy:x:1001:1::/home/amy:/bin/sh\nbob:x:1002:1::/home/bob:/bin/sh\n";
        std::fs::write(root.path().join("etc/passwd"), passwd).unwrap();
        root
    }
}
