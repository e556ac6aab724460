//! The accounts of the machine and their homes.
//!
//! A home's own path comes from the system (`/etc/passwd`, or a folder that only an administrator can
//! add to) and is trusted; what lies in it is not. The owner of a home is the owner of its folder:
//! an account of a directory service, which `/etc/passwd` does not list, is found all the same.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};

use super::super::folder::Owner;
use super::Platform;

/// Bytes of `/etc/passwd` that are read: some 40,000 accounts.
const PASSWD_BYTES: u64 = 4 * 1024 * 1024;
/// Bytes of an account's name: Linux allows 32, Windows 256.
const ACCOUNT_BYTES: usize = 256;

/// Folders of `Users` that belong to no account.
const NOBODYS: &[&str] = &["Public", "Default", "Default User", "All Users", "Shared"];

/// One account's home.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Home {
    pub(super) path: PathBuf,
    pub(super) account: String,
    pub(super) owner: Owner,
}

/// Lists the homes below `root`, at most `most`, and whether there were more.
pub(super) fn homes(platform: Platform, root: &Path, most: usize) -> (Vec<Home>, bool) {
    let mut homes = BTreeMap::new();
    match platform {
        Platform::Linux => {
            for account in passwd(root) {
                let path = root.join(account.home.trim_start_matches('/'));
                if path != root && Owner::of(&path) == Some(account.owner) {
                    homes.entry(path).or_insert((account.name, account.owner));
                }
            }
            add_folders(&mut homes, &root.join("root"), None);
            let known = passwd(root);
            for name in folders(&root.join("home"), most) {
                let path = root.join("home").join(&name);
                add_home(&mut homes, &known, &path, &name);
                if Owner::of(&path).is_some_and(Owner::is_administrator) {
                    // A directory service's homes: `/home/DOMAIN/account`, where the domain's folder is root's.
                    for name in folders(&path, most) {
                        let path = path.join(&name);
                        if !Owner::of(&path).is_some_and(Owner::is_administrator) {
                            add_home(&mut homes, &known, &path, &name);
                        }
                    }
                }
            }
        }
        Platform::Windows | Platform::MacOs => {
            add_folders(&mut homes, &root.join("var/root"), Some("root"));
            for name in folders(&root.join("Users"), most) {
                if !NOBODYS.iter().any(|nobodys| name == *nobodys) {
                    add_home(&mut homes, &[], &root.join("Users").join(&name), &name);
                }
            }
        }
    }
    let cut_short = homes.len() > most;
    let homes = homes
        .into_iter()
        .take(most)
        .map(|(path, (account, owner))| Home { path, account, owner })
        .collect();
    (homes, cut_short)
}

/// The folders in which a new account's home appears.
pub(super) fn parents(platform: Platform, root: &Path) -> Option<PathBuf> {
    let parent = match platform {
        Platform::Linux => root.join("home"),
        Platform::Windows | Platform::MacOs => root.join("Users"),
    };
    parent.is_dir().then_some(parent)
}

/// The owner of a folder of the settings and his account's name; `None` if there is no such folder.
pub(super) fn owner_of(root: &Path, folder: &Path, homes: &[Home]) -> Option<(Owner, String)> {
    let owner = Owner::of(folder)?;
    let account = name_of(owner, homes, &passwd(root)).or_else(|| below_users(folder));
    Some((owner, account.unwrap_or_else(|| owner.to_string())))
}

/// The name of the account with this number, the same that its home's profiles are given.
#[cfg(unix)]
pub(super) fn account_of(platform: Platform, root: &Path, owner: Owner) -> String {
    let (homes, _) = homes(platform, root, super::MOST_HOMES);
    name_of(owner, &homes, &passwd(root)).unwrap_or_else(|| owner.to_string())
}

/// The name of an account by a path that leads into its home: the folder below `Users`.
fn below_users(path: &Path) -> Option<String> {
    let mut parts = path.components().skip_while(|part| part.as_os_str() != "Users").skip(1);
    parts.next().map(|part| bounded(part.as_os_str().to_string_lossy().into_owned()))
}

/// An account's name by its number: the system's list has it, or else its home does. The administrator's
/// home may be any folder that the system made.
fn name_of(owner: Owner, homes: &[Home], known: &[Account]) -> Option<String> {
    let listed = known.iter().find(|account| account.owner == owner);
    let by_home = || {
        let told_apart = owner.is_known() && !owner.is_administrator();
        homes.iter().find(|home| told_apart && home.owner == owner)
    };
    listed
        .map(|account| account.name.clone())
        .or_else(|| by_home().map(|home| home.account.clone()))
}

type Homes = BTreeMap<PathBuf, (String, Owner)>;

fn add_folders(homes: &mut Homes, path: &Path, account: Option<&str>) {
    if let Some(owner) = Owner::of(path) {
        let name = account.unwrap_or("root").to_owned();
        homes.entry(path.to_owned()).or_insert((name, owner));
    }
}

fn add_home(homes: &mut Homes, known: &[Account], path: &Path, name: &OsString) {
    let Some(owner) = Owner::of(path) else { return };
    if homes.contains_key(path) {
        return;
    }
    let listed = known.iter().find(|account| account.owner == owner && !owner.is_administrator());
    let name = listed.map_or_else(|| name.to_string_lossy().into_owned(), |a| a.name.clone());
    homes.insert(path.to_owned(), (bounded(name), owner));
}

fn folders(parent: &Path, most: usize) -> Vec<OsString> {
    let Ok(entries) = fs::read_dir(parent) else { return Vec::new() };
    entries
        .take(most.saturating_mul(4))
        .filter_map(Result::ok)
        .filter(|entry| entry.path().is_dir())
        .map(|entry| entry.file_name())
        .take(most.saturating_add(1))
        .collect()
}

/// A line of `/etc/passwd`.
#[derive(Debug, Clone)]
struct Account {
    name: String,
    owner: Owner,
    home: String,
}

fn passwd(root: &Path) -> Vec<Account> {
    let Ok(file) = File::open(root.join("etc/passwd")) else { return Vec::new() };
    let lines = BufReader::new(file.take(PASSWD_BYTES)).lines().map_while(Result::ok);
    lines.filter_map(|line| account(&line)).collect()
}

/// Reads `name:password:uid:gid:comment:home:shell` (passwd(5)).
fn account(line: &str) -> Option<Account> {
    let mut fields = line.split(':');
    let name = fields.next()?;
    let uid = fields.nth(1)?.parse().ok()?;
    let home = fields.nth(2)?;
    (home.starts_with('/') && !home.split('/').any(|part| part == "..")).then(|| Account {
        name: bounded(name.to_owned()),
        owner: Owner::from_uid(uid),
        home: home.to_owned(),
    })
}

fn bounded(mut name: String) -> String {
    name.truncate(name.floor_char_boundary(ACCOUNT_BYTES));
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_passwd_are_read_and_others_left() {
        for (line, expected) in [
            ("amy:x:1001:1001:Amy,,,:/home/amy:/bin/bash", Some(("amy", "/home/amy"))),
            ("bob:x:1002:1002::/srv/homes/bob:", Some(("bob", "/srv/homes/bob"))),
            ("bad:x:many:1:::", None),
            ("up:x:1:1::/home/../etc:/bin/sh", None),
            ("short:x:1", None),
            ("", None),
        ] {
            let read = account(line);
            let read = read.as_ref().map(|a| (a.name.as_str(), a.home.as_str()));
            assert_eq!(read, expected, "{line}");
        }
    }

    #[test]
    fn homes_on_windows_and_macos_are_the_folders_of_users() {
        for platform in [Platform::Windows, Platform::MacOs] {
            let root = tempfile::tempdir().unwrap();
            for name in ["amy", "Public", "Shared"] {
                fs::create_dir_all(root.path().join("Users").join(name)).unwrap();
            }
            let (homes, _) = homes(platform, root.path(), 10);
            let accounts: Vec<_> = homes.iter().map(|home| home.account.as_str()).collect();
            assert_eq!(accounts, ["amy"]);
        }
    }

    #[test]
    fn homes_past_the_bound_are_said_to_be_left_out() {
        let root = tempfile::tempdir().unwrap();
        for number in 0..6 {
            fs::create_dir_all(root.path().join(format!("home/pupil{number}"))).unwrap();
        }
        let (found, cut_short) = homes(Platform::Linux, root.path(), 5);
        assert_eq!((found.len(), cut_short), (5, true));
        let (found, cut_short) = homes(Platform::Linux, root.path(), 6);
        assert_eq!((found.len(), cut_short), (6, false));
    }

    /// The extension's peer is known by its number, the history's profile by its home: one name for both.
    #[cfg(unix)]
    #[test]
    fn an_account_has_one_name_by_its_number_and_by_its_home() {
        use std::os::unix::fs::{MetadataExt as _, chown};
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join("etc")).unwrap();
        fs::create_dir_all(root.path().join("home/dora")).unwrap();
        fs::create_dir_all(root.path().join("srv/amy")).unwrap();
        let own = fs::metadata(root.path()).unwrap().uid();
        let passwd = format!("amy:x:{own}:1::/srv/amy:/bin/sh\n");
        fs::write(root.path().join("etc/passwd"), passwd).unwrap();
        let mut accounts = vec![(own, "amy"), (own + 7, "uid")];
        // Only an administrator may give a folder away: others try the list alone.
        if chown(root.path().join("home/dora"), Some(own + 5), None).is_ok() {
            accounts.push((own + 5, "dora"));
        }
        let (homes, _) = homes(Platform::Linux, root.path(), 10);
        for (uid, name) in accounts {
            let found = account_of(Platform::Linux, root.path(), Owner::from_uid(uid));
            match homes.iter().find(|home| home.owner == Owner::from_uid(uid)) {
                Some(home) => assert_eq!((found.as_str(), home.account.as_str()), (name, name)),
                None => assert_eq!(found, format!("{name} {uid}")),
            }
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_home_elsewhere_counts_if_it_is_its_accounts_own() {
        use std::os::unix::fs::MetadataExt as _;
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join("srv/amy")).unwrap();
        fs::create_dir_all(root.path().join("etc")).unwrap();
        let uid = fs::metadata(root.path()).unwrap().uid();
        let passwd =
            format!("amy:x:{uid}:1::/srv/amy:/bin/sh\nother:x:{}:1::/srv/amy:/bin/sh\n", uid + 1);
        fs::write(root.path().join("etc/passwd"), passwd).unwrap();
        let (homes, _) = homes(Platform::Linux, root.path(), 10);
        assert_eq!(homes.len(), 1);
        assert_eq!(homes[0].account, "amy");
        assert_eq!(homes[0].path, root.path().join("srv/amy"));
    }
}
