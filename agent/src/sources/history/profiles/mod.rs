//! Where browsers keep their history, and which of those places exist on this machine.
//!
//! ```text
//! homes (one per account) × places (one per browser) = user data folders
//! user data folder / profile folder / history database
//! ```
//! The tables are data ([`places`]), so that every platform's paths are tested on each. A search
//! follows no link below a home: a folder on the way that is one is reported, never entered.
//! A profile that is reached by two ways (a folder of the settings that is a well-known place, too) is
//! found once, by the first of them: a well-known place, which names browser and account.
//! Every list is bounded: a pupil who makes a hundred thousand folders slows nobody but himself.

mod homes;
mod places;
#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, HashSet};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use aws_lc_rs::digest;
use data_encoding::HEXLOWER;

use super::folder::{Folder, Owner, Refusal};
pub(super) use places::browser_of_path;

/// Accounts that are looked at; a shared machine has tens, a terminal server hundreds.
const MOST_HOMES: usize = 1_024;
/// Entries of a user data folder that are looked at; Chromium has some fifty there beside its profiles.
const MOST_ENTRIES: usize = 1_024;
/// Profiles of one user data folder that are followed.
const MOST_PROFILES: usize = 64;

/// Whose paths to use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Platform {
    /// Linux, with Debian's, snap's and Flatpak's places.
    Linux,
    /// Windows.
    Windows,
    /// macOS.
    MacOs,
}

impl Platform {
    /// The platform that this was built for; other Unix systems keep Linux's paths.
    pub const CURRENT: Self = if cfg!(windows) {
        Self::Windows
    } else if cfg!(target_os = "macos") {
        Self::MacOs
    } else {
        Self::Linux
    };
}

/// A family of browsers that keeps its history in one kind of file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Family {
    Chromium,
    Firefox,
    Safari,
}

impl Family {
    pub(super) const ALL: [Self; 3] = [Self::Chromium, Self::Firefox, Self::Safari];

    /// The name of the history database within a profile.
    pub(super) fn database(self) -> &'static str {
        match self {
            Self::Chromium => "History",
            Self::Firefox => "places.sqlite",
            Self::Safari => "History.db",
        }
    }

    /// The family's name on screen, where the browser's own is not known.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Chromium => "Chromium",
            Self::Firefox => "Firefox",
            Self::Safari => "Safari",
        }
    }
}

/// One browser profile that has a history file, of whatever kind that file may prove to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Profile {
    pub(super) browser: &'static str,
    pub(super) family: Family,
    /// The profile folder's name, as shown.
    pub(super) name: String,
    /// The account's home, or the folder of the settings: trusted as a path.
    pub(super) base: PathBuf,
    /// The profile folder below it: not trusted.
    pub(super) below: PathBuf,
    /// The account that owns it.
    pub(super) account: String,
    pub(super) owner: Owner,
}

impl Profile {
    /// The profile folder, spelt the same whichever way led there: without `.` or a slash at its end.
    pub(super) fn folder(&self) -> PathBuf {
        self.base.join(&self.below).components().collect()
    }

    /// Names this profile stably across restarts, in a checkpoint: `history:` and 32 hex digits.
    pub(super) fn input(&self) -> String {
        format!("history:{}", &self.digest()[..32])
    }

    /// Names this profile in its coverage.
    pub(super) fn label(&self) -> String {
        label(self.browser, &self.name, &self.digest())
    }

    fn digest(&self) -> String {
        let mut context = digest::Context::new(&digest::SHA256);
        context.update(self.family.database().as_bytes());
        context.update(&[0]);
        context.update(self.folder().as_os_str().as_encoded_bytes());
        HEXLOWER.encode(context.finish().as_ref())
    }
}

/// The name of the account with this number, by which its profiles' visits are reported, too. Blocking.
#[cfg(unix)]
pub(crate) fn account_of_uid(platform: Platform, root: &Path, uid: u32) -> String {
    homes::account_of(platform, root, Owner::from_uid(uid))
}

/// What a search found.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) profiles: Vec<Profile>,
    /// Folders in which a change matters: those of profiles, and those in which one may appear.
    pub(super) watched: BTreeSet<PathBuf>,
    /// Places that exist and were not entered: their label, and why.
    pub(super) refused: Vec<(String, Refusal)>,
    /// Whether a bound cut the search short.
    pub(super) cut_short: bool,
}

/// Looks for all profiles, those of the settings included. Blocking.
pub(super) fn find(platform: Platform, root: &Path, extra: &[PathBuf]) -> Found {
    let mut found = Found::default();
    let (homes, cut_short) = homes::homes(platform, root, MOST_HOMES);
    found.cut_short = cut_short;
    found.watched.extend(homes::parents(platform, root));
    for home in &homes {
        found.watched.insert(home.path.clone());
        for place in places::places(platform) {
            search(
                &mut found,
                &Place {
                    browser: place.browser,
                    families: &[place.family],
                    base: &home.path,
                    below: &place.below(),
                    account: &home.account,
                    owner: home.owner,
                },
            );
        }
    }
    for folder in extra {
        let Some((owner, account)) = homes::owner_of(root, folder, &homes) else {
            found.watched.extend(nearest_existing(folder));
            continue;
        };
        search(
            &mut found,
            &Place {
                browser: browser_of_path(folder).unwrap_or(""),
                families: &Family::ALL,
                base: folder,
                below: Path::new(""),
                account: &account,
                owner,
            },
        );
    }
    let mut inputs = HashSet::new();
    found.profiles.retain(|profile| inputs.insert(profile.input()));
    found
}

/// A user data folder, which may not exist.
struct Place<'a> {
    /// Empty if only the family can tell.
    browser: &'static str,
    families: &'a [Family],
    base: &'a Path,
    below: &'a Path,
    account: &'a str,
    owner: Owner,
}

/// Looks for the profiles of one user data folder: the folder itself, as Safari's and older Opera's, and those in it.
fn search(found: &mut Found, place: &Place<'_>) {
    let folder = match Folder::open(place.base, place.below) {
        Ok(folder) => folder,
        Err(Refusal::Missing) => {
            watch_way(found, place);
            return;
        }
        Err(refusal) => {
            refuse(found, place, refusal);
            return;
        }
    };
    found.watched.insert(place.base.join(place.below));
    consider(found, place, &folder, place.below);
    let (mut entries, cut_short) = match folder.folders(MOST_ENTRIES) {
        Ok(listed) => listed,
        Err(refusal) => {
            refuse(found, place, refusal);
            return;
        }
    };
    found.cut_short |= cut_short;
    if cut_short && !entries.iter().any(|entry| entry == "Default") {
        entries.push("Default".into());
    }
    // Whoever makes hundreds of profiles shall not crowd out those that a browser makes.
    entries.sort_by_key(|entry| !looks_like_a_profile(entry));
    let mut followed = 0;
    for entry in entries {
        let below = place.below.join(&entry);
        let Ok(profile) = Folder::open(place.base, &below) else { continue };
        if followed == MOST_PROFILES {
            found.cut_short = true;
            break;
        }
        if consider(found, place, &profile, &below) {
            followed += 1;
        } else if looks_like_a_profile(&entry) {
            found.watched.insert(place.base.join(&below));
        }
    }
}

/// Tells of a user data folder that is there and is not entered.
fn refuse(found: &mut Found, place: &Place<'_>, refusal: Refusal) {
    let path = place.base.join(place.below);
    let digest = digest::digest(&digest::SHA256, path.as_os_str().as_encoded_bytes());
    let digest = HEXLOWER.encode(digest.as_ref());
    let browser = if place.browser.is_empty() { "Browser" } else { place.browser };
    found.refused.push((label(browser, "profiles", &digest), refusal));
}

/// Adds the profile in `folder` if it has a history database, of whatever type that file is.
fn consider(found: &mut Found, place: &Place<'_>, folder: &Folder, below: &Path) -> bool {
    let mut any = false;
    for &family in place.families {
        if !folder.has(family.database()) {
            continue;
        }
        any = true;
        let path = place.base.join(below);
        let browser = if place.browser.is_empty() { family.name() } else { place.browser };
        found.watched.insert(path.clone());
        found.profiles.push(Profile {
            browser,
            family,
            name: shown(path.file_name().unwrap_or_default()),
            base: place.base.to_owned(),
            below: below.to_owned(),
            account: place.account.to_owned(),
            owner: place.owner,
        });
    }
    any
}

/// Names that a browser gives a profile folder before there is a history in it.
fn looks_like_a_profile(name: &OsStr) -> bool {
    let name = name.to_string_lossy();
    name == "Default" || name.starts_with("Profile ") || name.contains(".default")
}

/// Watches the deepest folder that exists on the way to a place: the next one will appear in it.
fn watch_way(found: &mut Found, place: &Place<'_>) {
    let mut below = place.below;
    while let Some(parent) = below.parent() {
        if Folder::open(place.base, parent).is_ok() {
            found.watched.insert(place.base.join(parent));
            return;
        }
        below = parent;
    }
}

fn nearest_existing(folder: &Path) -> Option<PathBuf> {
    folder.ancestors().skip(1).find(|ancestor| ancestor.is_dir()).map(Path::to_owned)
}

/// Longest profile folder name that is shown, in characters: a pupil chooses it.
const SHOWN_CHARACTERS: usize = 48;

/// Makes a folder's name fit to be shown: bounded, and without control characters.
pub(super) fn shown(name: &OsStr) -> String {
    let visible = |c: char| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c };
    name.to_string_lossy().chars().take(SHOWN_CHARACTERS).map(visible).collect()
}

fn label(browser: &str, profile: &str, digest: &str) -> String {
    // A character may take four bytes; the label is bounded in bytes.
    let profile = &profile[..profile.floor_char_boundary(96)];
    format!("{browser} {profile} #{}", &digest[..8])
}
