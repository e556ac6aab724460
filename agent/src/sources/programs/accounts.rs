//! Whose a process is: a person's, by the account's name, or the system's.
//!
//! A person has the name under which the history source knows the same account. On Linux that is the name
//! in `/etc/passwd`, or of the home folder for an account of a directory service; on macOS and Windows the
//! home folder's.

use std::collections::HashMap;
use std::path::PathBuf;

use sysinfo::Uid;

use crate::sources::history::Platform;
#[cfg(unix)]
use crate::sources::history::account_of_uid;

/// The first number that people's accounts have (login.defs(5) `UID_MIN`; macOS counts from 501).
#[cfg(unix)]
const FIRST_PERSON: [u32; 2] = [1_000, 501];
/// Unknown numbers that are looked up between two looks at all processes: each reads the list of accounts, and
/// a container may have thousands of numbers.
const LOOKS: u32 = 8;
/// `nobody`, by convention.
#[cfg(unix)]
const NOBODY: u32 = 65_534;
/// How the security identifiers begin of people's accounts, of the machine or a domain, and of Entra ID.
#[cfg(windows)]
const PEOPLE: [&str; 2] = ["S-1-5-21-", "S-1-12-1-"];

/// The accounts, looked up when one is met that is not known.
#[cfg(unix)]
pub(in crate::sources) struct Accounts {
    platform: Platform,
    first_person: u32,
    root: PathBuf,
    names: HashMap<u32, String>,
    /// How many that are not known may be looked for.
    looks: u32,
}

#[cfg(unix)]
impl Accounts {
    pub(in crate::sources) fn new(platform: Platform, root: PathBuf) -> Self {
        let first_person = FIRST_PERSON[usize::from(platform == Platform::MacOs)];
        Self { platform, first_person, root, names: HashMap::new(), looks: LOOKS }
    }

    /// Lets the accounts be read again, should an unknown one be met: so not at every look.
    pub(in crate::sources) fn look_again(&mut self) {
        self.looks = LOOKS;
    }

    /// The person's account; `None` for the system's own, and for a number that nobody here has.
    pub(in crate::sources) fn person(&mut self, uid: &Uid) -> Option<String> {
        self.person_by_number(**uid)
    }

    /// As [`person`](Self::person), by the number.
    pub(in crate::sources) fn person_by_number(&mut self, uid: u32) -> Option<String> {
        if uid < self.first_person || uid == NOBODY {
            return None;
        }
        if self.looks > 0 && !self.names.contains_key(&uid) {
            self.looks -= 1;
            let name = account_of_uid(self.platform, &self.root, uid);
            // What has neither an entry nor a home is called by its number: a container's own accounts.
            if name != format!("uid {uid}") {
                self.names.insert(uid, name);
            }
        }
        self.names.get(&uid).cloned()
    }
}

/// The accounts, looked up when one is met that is not known.
#[cfg(windows)]
pub(in crate::sources) struct Accounts {
    names: HashMap<String, String>,
    /// How many that are not known may be looked for.
    looks: u32,
}

#[cfg(windows)]
impl Accounts {
    pub(in crate::sources) fn new(_platform: Platform, _root: PathBuf) -> Self {
        Self { names: HashMap::new(), looks: LOOKS }
    }

    /// Lets unknown accounts be asked for again: so not at every look, for a domain may be asked.
    pub(in crate::sources) fn look_again(&mut self) {
        self.looks = LOOKS;
    }

    /// The person's account; `None` for the system's own, and for one that Windows does not name.
    pub(in crate::sources) fn person(&mut self, uid: &Uid) -> Option<String> {
        let identifier = uid.to_string();
        if !PEOPLE.iter().any(|people| identifier.starts_with(people)) {
            return None;
        }
        if self.looks > 0 && !self.names.contains_key(&identifier) {
            self.looks -= 1;
            let name = redshank_windows::account::name(&identifier);
            if name != identifier {
                self.names.insert(identifier.clone(), name);
            }
        }
        self.names.get(&identifier).cloned()
    }
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_are_named_and_the_systems_accounts_are_not() {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(root.path().join("etc")).unwrap();
        let passwd = "root:x:0:0::/root:/bin/sh\ndebian-tor:x:110:1::/var/lib/tor:/bin/false\n\
                      amy:x:1001:1::/home/amy:/bin/sh\nnobody:x:65534:1::/:/bin/false\n";
        std::fs::write(root.path().join("etc/passwd"), passwd).unwrap();
        let mut accounts = Accounts::new(Platform::Linux, root.path().to_owned());
        for (uid, expected) in
            [(0, None), (110, None), (1001, Some("amy")), (1002, None), (65_534, None)]
        {
            assert_eq!(accounts.person_by_number(uid).as_deref(), expected, "{uid}");
        }
        let bob = format!("{passwd}bob:x:1002:1::/home/bob:/bin/sh\n");
        std::fs::write(root.path().join("etc/passwd"), bob).unwrap();
        for uid in 2_000..2_000 + LOOKS {
            assert_eq!(accounts.person_by_number(uid), None);
        }
        assert_eq!(accounts.person_by_number(1002), None, "not before the next look at all");
        accounts.look_again();
        assert_eq!(accounts.person_by_number(1002).as_deref(), Some("bob"));
    }
}
