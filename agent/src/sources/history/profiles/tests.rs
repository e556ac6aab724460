//! Every browser on every platform, and what a search must not be led into.

use std::fs;

use super::*;

/// One database of each browser in each place where its platform keeps it.
const LAID_OUT: &[(Platform, &str, &str, &str)] = &[
    (Platform::Linux, "home/amy/.config/google-chrome/Default/History", "Chrome", "Default"),
    (Platform::Linux, "home/amy/.config/google-chrome/Profile 2/History", "Chrome", "Profile 2"),
    (Platform::Linux, "home/amy/.config/microsoft-edge/Default/History", "Edge", "Default"),
    (
        Platform::Linux,
        "home/amy/.config/BraveSoftware/Brave-Browser/Default/History",
        "Brave",
        "Default",
    ),
    (Platform::Linux, "home/amy/.config/opera/History", "Opera", "opera"),
    (Platform::Linux, "home/amy/.config/opera/Default/History", "Opera", "Default"),
    (Platform::Linux, "home/amy/.config/vivaldi/Default/History", "Vivaldi", "Default"),
    (Platform::Linux, "home/amy/.config/chromium/Default/History", "Chromium", "Default"),
    (
        Platform::Linux,
        "home/amy/snap/chromium/common/chromium/Default/History",
        "Chromium",
        "Default",
    ),
    (
        Platform::Linux,
        "home/amy/.var/app/com.google.Chrome/config/google-chrome/Default/History",
        "Chrome",
        "Default",
    ),
    (
        Platform::Linux,
        "home/amy/.mozilla/firefox/ab12.default-esr/places.sqlite",
        "Firefox",
        "ab12.default-esr",
    ),
    (
        Platform::Linux,
        "home/amy/.config/mozilla/firefox/x.default/places.sqlite",
        "Firefox",
        "x.default",
    ),
    (
        Platform::Linux,
        "home/amy/snap/firefox/common/.mozilla/firefox/x.default/places.sqlite",
        "Firefox",
        "x.default",
    ),
    (
        Platform::Linux,
        "home/amy/.var/app/org.mozilla.firefox/.mozilla/firefox/x.default/places.sqlite",
        "Firefox",
        "x.default",
    ),
    (Platform::Linux, "root/.config/chromium/Default/History", "Chromium", "Default"),
    (
        Platform::Windows,
        "Users/amy/AppData/Local/Google/Chrome/User Data/Default/History",
        "Chrome",
        "Default",
    ),
    (
        Platform::Windows,
        "Users/amy/AppData/Local/Microsoft/Edge/User Data/Profile 1/History",
        "Edge",
        "Profile 1",
    ),
    (
        Platform::Windows,
        "Users/amy/AppData/Local/BraveSoftware/Brave-Browser/User Data/Default/History",
        "Brave",
        "Default",
    ),
    (
        Platform::Windows,
        "Users/amy/AppData/Roaming/Opera Software/Opera Stable/History",
        "Opera",
        "Opera Stable",
    ),
    (
        Platform::Windows,
        "Users/amy/AppData/Local/Vivaldi/User Data/Default/History",
        "Vivaldi",
        "Default",
    ),
    (
        Platform::Windows,
        "Users/amy/AppData/Local/Chromium/User Data/Default/History",
        "Chromium",
        "Default",
    ),
    (
        Platform::Windows,
        "Users/amy/AppData/Roaming/Mozilla/Firefox/Profiles/x.default-release/places.sqlite",
        "Firefox",
        "x.default-release",
    ),
    (
        Platform::MacOs,
        "Users/amy/Library/Application Support/Google/Chrome/Default/History",
        "Chrome",
        "Default",
    ),
    (
        Platform::MacOs,
        "Users/amy/Library/Application Support/Microsoft Edge/Default/History",
        "Edge",
        "Default",
    ),
    (
        Platform::MacOs,
        "Users/amy/Library/Application Support/BraveSoftware/Brave-Browser/Default/History",
        "Brave",
        "Default",
    ),
    (
        Platform::MacOs,
        "Users/amy/Library/Application Support/com.operasoftware.Opera/Default/History",
        "Opera",
        "Default",
    ),
    (
        Platform::MacOs,
        "Users/amy/Library/Application Support/Vivaldi/Default/History",
        "Vivaldi",
        "Default",
    ),
    (
        Platform::MacOs,
        "Users/amy/Library/Application Support/Chromium/Default/History",
        "Chromium",
        "Default",
    ),
    (
        Platform::MacOs,
        "Users/amy/Library/Application Support/Firefox/Profiles/x.default/places.sqlite",
        "Firefox",
        "x.default",
    ),
    (Platform::MacOs, "Users/amy/Library/Safari/History.db", "Safari", "Safari"),
    (
        Platform::MacOs,
        "Users/amy/Library/Containers/com.apple.Safari/Data/Library/Safari/History.db",
        "Safari",
        "Safari",
    ),
];

#[test]
fn every_browser_is_found_in_every_place_of_its_platform() {
    for &(platform, path, browser, name) in LAID_OUT {
        let root = tempfile::tempdir().unwrap();
        lay_out(root.path(), path);
        let found = find(platform, root.path(), &[]);
        let seen: Vec<_> =
            found.profiles.iter().map(|p| (p.browser, p.name.as_str(), p.folder())).collect();
        let folder = root.path().join(path).parent().unwrap().to_owned();
        assert_eq!(seen, [(browser, name, folder.clone())], "{path}");
        assert!(found.watched.contains(&folder), "{path}");
        assert!(found.refused.is_empty() && !found.cut_short, "{path}");
    }
}

#[test]
fn an_extra_folder_tells_its_kind_by_its_contents() {
    for (file, browser) in [
        ("data/Default/History", "Chromium"),
        ("data/x.default/places.sqlite", "Firefox"),
        ("data/History.db", "Safari"),
    ] {
        let root = tempfile::tempdir().unwrap();
        let extra = root.path().join("data");
        let before = find(Platform::Linux, root.path(), std::slice::from_ref(&extra));
        assert!(before.profiles.is_empty());
        assert!(before.watched.contains(root.path()), "the folder it will appear in");

        lay_out(root.path(), file);
        let found = find(Platform::Linux, root.path(), &[extra]);
        assert_eq!(found.profiles.len(), 1, "{file}");
        assert_eq!(found.profiles[0].browser, browser);
    }
}

#[test]
fn made_up_profiles_crowd_out_no_real_one() {
    let root = tempfile::tempdir().unwrap();
    for number in 0..MOST_ENTRIES + 50 {
        lay_out(root.path(), &format!("home/amy/.config/chromium/A{number:04}/History"));
    }
    lay_out(root.path(), "home/amy/.config/chromium/Default/History");
    let found = find(Platform::Linux, root.path(), &[]);
    assert!(found.cut_short);
    assert_eq!(found.profiles.len(), MOST_PROFILES);
    assert_eq!(found.profiles.iter().filter(|profile| profile.name == "Default").count(), 1);
}

#[test]
fn a_profile_that_has_no_history_yet_is_watched() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("home/amy/.config/chromium/Default");
    fs::create_dir_all(&folder).unwrap();
    let found = find(Platform::Linux, root.path(), &[]);
    assert!(found.profiles.is_empty());
    assert!(found.watched.contains(&folder));
    assert!(found.watched.contains(&root.path().join("home/amy/.config")));
    assert!(
        found.watched.contains(&root.path().join("home")),
        "where the next account's home appears"
    );
}

#[test]
fn two_profiles_never_share_a_name_and_one_keeps_its_own() {
    let root = tempfile::tempdir().unwrap();
    lay_out(root.path(), "home/amy/.config/chromium/Default/History");
    lay_out(root.path(), "home/bob/.config/chromium/Default/History");
    let names = || -> Vec<_> {
        find(Platform::Linux, root.path(), &[])
            .profiles
            .iter()
            .map(|p| (p.input(), p.label()))
            .collect()
    };
    let (first, again) = (names(), names());
    assert_eq!(first, again);
    assert_ne!(first[0].0, first[1].0);
    assert_ne!(first[0].1, first[1].1);
    assert!(first[0].1.starts_with("Chromium Default #"));
    assert!(!first[0].1.contains("amy"));
}

#[test]
fn a_profile_that_two_ways_lead_to_is_found_once() {
    let root = tempfile::tempdir().unwrap();
    lay_out(root.path(), "home/amy/.config/google-chrome/Default/History");
    let chrome = root.path().join("home/amy/.config/google-chrome");
    let expected = find(Platform::Linux, root.path(), &[]).profiles;
    assert_eq!(expected.len(), 1);
    for extra in ["", "/", "/.", "/Default", "/Default/", "/./Default/."] {
        let extra = PathBuf::from(format!("{}{extra}", chrome.display()));
        let found = find(Platform::Linux, root.path(), std::slice::from_ref(&extra));
        assert_eq!(found.profiles, expected, "{}", extra.display());
    }
}

#[test]
fn a_profile_name_is_shown_bounded_and_without_control_characters() {
    assert_eq!(shown(OsStr::new("a\u{1b}[2Jb")), "a\u{fffd}[2Jb");
    let long = "é".repeat(200);
    assert_eq!(shown(OsStr::new(&long)).chars().count(), SHOWN_CHARACTERS);
    assert!(label("Chromium", &"𝄞".repeat(SHOWN_CHARACTERS), "0123456789").len() <= 128);
}

#[cfg(unix)]
#[test]
fn a_link_on_the_way_is_reported_and_not_entered() {
    let root = tempfile::tempdir().unwrap();
    lay_out(root.path(), "elsewhere/google-chrome/Default/History");
    lay_out(root.path(), "home/amy/keep");
    std::os::unix::fs::symlink(root.path().join("elsewhere"), root.path().join("home/amy/.config"))
        .unwrap();
    let found = find(Platform::Linux, root.path(), &[]);
    assert!(found.profiles.is_empty());
    assert!(
        found
            .refused
            .iter()
            .any(|(label, why)| label.starts_with("Chrome ") && *why == Refusal::Link),
        "{:?}",
        found.refused
    );
}

fn lay_out(root: &Path, file: &str) {
    let path = root.join(file);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, b"").unwrap();
}
