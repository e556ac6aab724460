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
use std::path::Path;

#[cfg(any(target_os = "macos", test))]
mod bundle;
mod version_info;

use super::table::Running;

/// Elsewhere there are no bundles, and what reads their property lists is not built in.
#[cfg(not(any(target_os = "macos", test)))]
mod bundle {
    pub(super) fn identifier(_path: &str) -> Option<String> {
        None
    }
}

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
        bundle::identifier(path)
    } else {
        flatpak(path, process.pid)
    }?;
    let publisher = publisher.trim();
    let end = publisher.floor_char_boundary(PUBLISHER_BYTES);
    (!publisher.is_empty()).then(|| publisher[..end].to_owned())
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

    // rustix makes no FIFO on macOS.
    #[cfg(target_os = "linux")]
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
