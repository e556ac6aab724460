//! Where each browser keeps its user data folder below an account's home.
//!
//! Sources: Chromium's `docs/user_data_dir.md`; Mozilla's "Profiles: where Firefox stores your user
//! data"; the snap and Flatpak packages of each browser. Paths are written with `/` on every platform.

use std::path::{Path, PathBuf};

use super::{Family, Platform};

/// One browser's user data folder.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub(super) browser: &'static str,
    pub(super) family: Family,
    path: &'static str,
}

impl Place {
    /// The folder, below the home.
    pub(super) fn below(&self) -> PathBuf {
        self.path.split('/').collect()
    }
}

/// The places of one platform.
pub(super) fn places(platform: Platform) -> &'static [Place] {
    match platform {
        Platform::Linux => LINUX,
        Platform::Windows => WINDOWS,
        Platform::MacOs => MACOS,
    }
}

/// Names the browser whose folder lies on `path`, if a place of any platform does.
pub(in super::super) fn browser_of_path(path: &Path) -> Option<&'static str> {
    let parts: Vec<_> = path.components().map(|part| part.as_os_str().to_string_lossy()).collect();
    [LINUX, WINDOWS, MACOS].into_iter().flatten().find_map(|place| {
        let wanted: Vec<_> = place.path.split('/').collect();
        parts
            .windows(wanted.len())
            .any(|window| window.iter().zip(&wanted).all(|(part, wanted)| part == wanted))
            .then_some(place.browser)
    })
}

const fn chromium(browser: &'static str, path: &'static str) -> Place {
    Place { browser, family: Family::Chromium, path }
}

const fn firefox(path: &'static str) -> Place {
    Place { browser: "Firefox", family: Family::Firefox, path }
}

const fn safari(path: &'static str) -> Place {
    Place { browser: "Safari", family: Family::Safari, path }
}

const LINUX: &[Place] = &[
    chromium("Chrome", ".config/google-chrome"),
    chromium("Chrome", ".config/google-chrome-beta"),
    chromium("Chrome", ".config/google-chrome-unstable"),
    chromium("Chrome", ".var/app/com.google.Chrome/config/google-chrome"),
    chromium("Edge", ".config/microsoft-edge"),
    chromium("Edge", ".config/microsoft-edge-beta"),
    chromium("Edge", ".config/microsoft-edge-dev"),
    chromium("Edge", ".var/app/com.microsoft.Edge/config/microsoft-edge"),
    chromium("Brave", ".config/BraveSoftware/Brave-Browser"),
    chromium("Brave", ".var/app/com.brave.Browser/config/BraveSoftware/Brave-Browser"),
    chromium("Opera", ".config/opera"),
    chromium("Opera", ".config/opera-beta"),
    chromium("Opera", ".var/app/com.opera.Opera/config/opera"),
    chromium("Vivaldi", ".config/vivaldi"),
    chromium("Vivaldi", ".config/vivaldi-snapshot"),
    chromium("Vivaldi", ".var/app/com.vivaldi.Vivaldi/config/vivaldi"),
    chromium("Chromium", ".config/chromium"),
    chromium("Chromium", "snap/chromium/common/chromium"),
    chromium("Chromium", ".var/app/org.chromium.Chromium/config/chromium"),
    firefox(".mozilla/firefox"),
    firefox(".config/mozilla/firefox"),
    firefox("snap/firefox/common/.mozilla/firefox"),
    firefox(".var/app/org.mozilla.firefox/.mozilla/firefox"),
    firefox(".var/app/org.mozilla.firefox/config/mozilla/firefox"),
];

const WINDOWS: &[Place] = &[
    chromium("Chrome", "AppData/Local/Google/Chrome/User Data"),
    chromium("Chrome", "AppData/Local/Google/Chrome Beta/User Data"),
    chromium("Chrome", "AppData/Local/Google/Chrome Dev/User Data"),
    chromium("Chrome", "AppData/Local/Google/Chrome SxS/User Data"),
    chromium("Edge", "AppData/Local/Microsoft/Edge/User Data"),
    chromium("Edge", "AppData/Local/Microsoft/Edge Beta/User Data"),
    chromium("Edge", "AppData/Local/Microsoft/Edge Dev/User Data"),
    chromium("Edge", "AppData/Local/Microsoft/Edge SxS/User Data"),
    chromium("Brave", "AppData/Local/BraveSoftware/Brave-Browser/User Data"),
    chromium("Opera", "AppData/Roaming/Opera Software/Opera Stable"),
    chromium("Opera", "AppData/Roaming/Opera Software/Opera GX Stable"),
    chromium("Opera", "AppData/Roaming/Opera Software/Opera Next"),
    chromium("Vivaldi", "AppData/Local/Vivaldi/User Data"),
    chromium("Chromium", "AppData/Local/Chromium/User Data"),
    firefox("AppData/Roaming/Mozilla/Firefox/Profiles"),
];

const MACOS: &[Place] = &[
    chromium("Chrome", "Library/Application Support/Google/Chrome"),
    chromium("Chrome", "Library/Application Support/Google/Chrome Beta"),
    chromium("Chrome", "Library/Application Support/Google/Chrome Canary"),
    chromium("Edge", "Library/Application Support/Microsoft Edge"),
    chromium("Edge", "Library/Application Support/Microsoft Edge Beta"),
    chromium("Brave", "Library/Application Support/BraveSoftware/Brave-Browser"),
    chromium("Opera", "Library/Application Support/com.operasoftware.Opera"),
    chromium("Opera", "Library/Application Support/com.operasoftware.OperaGX"),
    chromium("Vivaldi", "Library/Application Support/Vivaldi"),
    chromium("Chromium", "Library/Application Support/Chromium"),
    firefox("Library/Application Support/Firefox/Profiles"),
    safari("Library/Safari"),
    safari("Library/Containers/com.apple.Safari/Data/Library/Safari"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_names_its_browser_where_a_known_folder_lies_on_it() {
        for (path, browser) in [
            ("/mnt/amy/.config/google-chrome/Default/History", Some("Chrome")),
            ("/x/AppData/Local/Microsoft/Edge/User Data/Default/History", Some("Edge")),
            ("/x/Library/Safari/History.db", Some("Safari")),
            ("/evidence/History", None),
            ("/evidence/.config/google-chromeium/History", None),
        ] {
            assert_eq!(browser_of_path(Path::new(path)), browser, "{path}");
        }
    }

    #[test]
    fn no_place_leaves_its_home() {
        for place in [LINUX, WINDOWS, MACOS].into_iter().flatten() {
            assert!(place.below().is_relative(), "{}", place.path);
            assert!(!place.path.contains("..") && !place.path.contains('\\'), "{}", place.path);
        }
    }
}
