//! Who made a program, as far as the system tells.
//!
//! - Windows: the company in the file's version information ([`version_info`]). What the file says of
//!   itself: its signature is not looked at.
//! - macOS: the bundle identifier of the outermost application that the file lies in (`com.nordvpn.macos`).
//! - Linux: the id of a Flatpak application (`com.protonvpn.www`), by the group that it was started in. What
//!   `dpkg` or `rpm` know is of packages, and not of what a pupil brought.
//!
//! The file may be a pupil's own: it is opened only if it is a regular file, read within bounds and never
//! followed further.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

mod version_info;

use super::table::Running;

/// Bytes of an `Info.plist`; those of large applications have some 20 KiB.
const PLIST_BYTES: u64 = 256 * 1024;
/// Dictionaries and arrays of an `Info.plist`; those of large applications have some three hundred.
const PLIST_COLLECTIONS: usize = 1_000;
/// Bytes of `/proc/<pid>/cgroup`: a line or a dozen.
const CGROUP_BYTES: u64 = 16 * 1024;
/// Bytes of a publisher.
const PUBLISHER_BYTES: usize = 256;

/// The program's publisher. Blocking: it may read of the program's file.
pub(super) fn of(process: &Running) -> Option<String> {
    let path = process.path.as_deref()?;
    // To open a file of somebody's server would be to sign in there as this machine.
    if path.starts_with(r"\\") && !path.starts_with(r"\\?\") {
        return None;
    }
    let publisher = if cfg!(windows) {
        version_info::company(&mut open(Path::new(path))?)
    } else if cfg!(target_os = "macos") {
        bundle_identifier(&bundle(path)?)
    } else {
        flatpak(path, process.pid)
    }?;
    let publisher = publisher.trim();
    let end = publisher.floor_char_boundary(PUBLISHER_BYTES);
    (!publisher.is_empty()).then(|| publisher[..end].to_owned())
}

/// The outermost application that a path lies in.
fn bundle(path: &str) -> Option<PathBuf> {
    let end = path.find(".app/")? + ".app".len();
    Some(PathBuf::from(&path[..end]))
}

fn bundle_identifier(bundle: &Path) -> Option<String> {
    let mut bytes = Vec::new();
    open(&bundle.join("Contents/Info.plist"))?.take(PLIST_BYTES).read_to_end(&mut bytes).ok()?;
    identifier(&bytes)
}

/// The identifier among the plist's own keys. One that may nest deeply, or is binary, so that nobody can tell, is not
/// read: a value that nests by the thousand, as anybody can write one, takes the stack with it when it is dropped.
fn identifier(plist: &[u8]) -> Option<String> {
    if !plist.starts_with(b"<") || collections(plist) > PLIST_COLLECTIONS {
        return None;
    }
    let plist = plist::Value::from_reader_xml(std::io::Cursor::new(plist)).ok()?;
    Some(plist.as_dictionary()?.get("CFBundleIdentifier")?.as_string()?.to_owned())
}

/// How many collections begin in it; they nest no deeper, whatever stands between them.
fn collections(xml: &[u8]) -> usize {
    let begins = |at: &usize| xml[*at..].starts_with(b"<array") || xml[*at..].starts_with(b"<dict");
    (0..xml.len()).filter(begins).count()
}

fn flatpak(path: &str, pid: u32) -> Option<String> {
    if !path.starts_with("/app/") {
        return None;
    }
    let mut groups = String::new();
    let file = File::open(format!("/proc/{pid}/cgroup")).ok()?;
    file.take(CGROUP_BYTES).read_to_string(&mut groups).ok()?;
    flatpak_of_groups(&groups)
}

/// The id in a systemd scope, `app-flatpak-ID-NUMBER.scope`; in it a `-` is written `\x2d`.
fn flatpak_of_groups(groups: &str) -> Option<String> {
    let scope = groups.split(['/', '\n']).find_map(|it| it.strip_prefix("app-flatpak-"))?;
    let (id, _) = scope.strip_suffix(".scope")?.rsplit_once('-')?;
    Some(id.replace(r"\x2d", "-"))
}

/// Opens a regular file; anything else might block or act.
fn open(path: &Path) -> Option<File> {
    if !std::fs::metadata(path).ok()?.is_file() {
        return None;
    }
    let mut options = File::options();
    options.read(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        // What took its place since is not waited for.
        let flags = rustix::fs::OFlags::NONBLOCK | rustix::fs::OFlags::NOCTTY;
        options.custom_flags(i32::try_from(flags.bits()).ok()?);
    }
    let file = options.open(path).ok()?;
    file.metadata().ok()?.is_file().then_some(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identifier_is_read_at_the_top_alone_and_no_nest_is_entered() {
        let plist = |inner: &str| format!("<plist version=\"1.0\"><dict>{inner}</dict></plist>");
        let named = "<key>CFBundleIdentifier</key><string>org.example.vpn</string>";
        let nested = format!("<key>A</key><dict>{named}</dict>");
        let list =
            "<key>A</key><array><string>CFBundleIdentifier</string><string>x</string></array>";
        let value = "<key>A</key><string>CFBundleIdentifier</string>";
        for (inner, found) in [
            (named.to_owned(), true),
            (format!("<key>N</key><integer>1</integer>{named}"), true),
            (format!("{list}{value}{named}"), true),
            (nested, false),
            (value.to_owned(), false),
            (format!("<key>A</key>{}", "<array>".repeat(10_000)), false),
            (
                format!("{named}<key>A</key>{}{}", "<array>".repeat(99), "</array>".repeat(99)),
                false,
            ),
        ] {
            let id = identifier(plist(&inner).as_bytes());
            assert_eq!(id.as_deref(), found.then_some("org.example.vpn"));
        }
    }

    #[test]
    fn an_application_is_named_by_its_bundle() {
        let folder = tempfile::tempdir().unwrap();
        let contents = folder.path().join("NordVPN.app/Contents");
        std::fs::create_dir_all(&contents).unwrap();
        let path = contents.join("Frameworks/Helper.app/Contents/MacOS/Helper");
        let bundle = bundle(path.to_str().unwrap()).unwrap();
        assert_eq!(bundle, folder.path().join("NordVPN.app"));
        assert_eq!(bundle_identifier(&bundle), None, "there is none yet");

        let mut plist = plist::Dictionary::new();
        plist.insert("CFBundleIdentifier".to_owned(), "com.nordvpn.macos".into());
        let plist = plist::Value::Dictionary(plist);
        let file = contents.join("Info.plist");
        plist.to_file_xml(&file).unwrap();
        assert_eq!(bundle_identifier(&bundle).as_deref(), Some("com.nordvpn.macos"));
        plist.to_file_binary(&file).unwrap();
        assert_eq!(bundle_identifier(&bundle).as_deref(), Some("com.nordvpn.macos"));

        std::fs::write(&file, b"bplist00 and nothing of the kind").unwrap();
        assert_eq!(bundle_identifier(&bundle), None);
        assert_eq!(super::bundle("/usr/bin/tor"), None);
    }

    #[test]
    fn a_flatpak_is_named_by_its_group() {
        let scope = "0::/user.slice/user-1000.slice/user@1000.service/app.slice/";
        for (groups, expected) in [
            (
                format!("{scope}app-flatpak-com.protonvpn.www-4711.scope\n"),
                Some("com.protonvpn.www"),
            ),
            (
                format!("{scope}app-flatpak-org.some\\x2dthing.App-1.scope"),
                Some("org.some-thing.App"),
            ),
            (format!("{scope}app-gnome-firefox-1.scope"), None),
            (String::new(), None),
        ] {
            assert_eq!(flatpak_of_groups(&groups).as_deref(), expected);
        }
    }

    #[cfg(unix)]
    #[test]
    fn what_is_no_regular_file_is_not_opened() {
        let folder = tempfile::tempdir().unwrap();
        let fifo = folder.path().join("fifo");
        rustix::fs::mknodat(
            rustix::fs::CWD,
            &fifo,
            rustix::fs::FileType::Fifo,
            rustix::fs::Mode::RUSR,
            0,
        )
        .unwrap();
        assert!(open(&fifo).is_none());
        assert!(open(folder.path()).is_none());
        assert!(open(Path::new("/dev/zero")).is_none());
    }
}
