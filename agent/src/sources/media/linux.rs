//! The removable disks of Linux, by the kernel's own list, `/sys/class/block`.
//!
//! Not by the list of mounted file systems: sysinfo reads 16 KiB of that, which a machine with snaps
//! exceeds, asks each file system for its size, which one of a pupil's own making (FUSE) may never answer,
//! and calls removable only what is a USB disk. The kernel's list has a stick that nobody mounted, too.
//!
//! A disk is removable if the kernel says so, if it hangs on a USB port (a hard disk in a case calls itself
//! fixed), or if it is an SD card. Its name is the label of its first file system that has one, by the links
//! that udev makes in `/dev/disk/by-label`; else vendor and model.

use std::fs::{self, File};
use std::io::Read as _;
use std::path::Path;

use super::present::Found;

/// Entries of a folder that are looked at; a server with a hundred disks has fewer.
const MOST_ENTRIES: usize = 4_096;
/// Bytes of one of the kernel's values: a line.
const VALUE_BYTES: u64 = 4_096;
/// The unit of a disk's size, whatever its own sectors are.
const SECTOR: u64 = 512;
/// Kinds of device that are no media that one carries about: optical drives tell a disc's size without one
/// in, and the others are memory.
const NONE: &[&str] = &["sr", "fd", "loop", "ram", "zram", "dm-", "md", "nbd"];

/// The removable disks that have a medium in them; `None` if the kernel gives no list. Blocking.
pub(super) fn list(root: &Path) -> Option<Vec<Found>> {
    let folder = root.join("sys/class/block");
    let labels = labels(&root.join("dev/disk/by-label"));
    let names = fs::read_dir(&folder).ok()?.take(MOST_ENTRIES).filter_map(Result::ok);
    let mut names: Vec<String> =
        names.filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.sort_unstable();
    Some(names.iter().filter_map(|name| disk(&folder.join(name), name, &labels)).collect())
}

fn disk(device: &Path, name: &str, labels: &[(String, String)]) -> Option<Found> {
    let whole = !device.join("partition").exists();
    if !whole || NONE.iter().any(|kind| name.starts_with(kind)) || !is_removable(device) {
        return None;
    }
    let sectors: u64 = value(&device.join("size"))?.parse().ok()?;
    if sectors == 0 {
        return None; // A card reader without a card.
    }
    let label = labels.iter().find(|(of, _)| of == name || is_partition(device, of));
    let named = label.map(|(_, label)| label.clone()).or_else(|| model(device));
    // Counted up by the kernel with each insertion, since Linux 5.15.
    let sequence = value(&device.join("diskseq")).unwrap_or_default();
    Some(Found {
        id: format!("{name} {sequence} {sectors}"),
        name: named.unwrap_or_else(|| name.to_owned()),
        bytes: sectors.saturating_mul(SECTOR),
        mounted: String::new(),
    })
}

fn is_removable(device: &Path) -> bool {
    let on_usb = || {
        let place = fs::canonicalize(device).unwrap_or_default();
        place.components().any(|part| {
            let part = part.as_os_str().to_string_lossy();
            let bus = part.strip_prefix("usb");
            bus.is_some_and(|bus| !bus.is_empty() && bus.bytes().all(|it| it.is_ascii_digit()))
        })
    };
    value(&device.join("removable")).as_deref() == Some("1")
        || value(&device.join("device/type")).as_deref() == Some("SD")
        || on_usb()
}

/// Whether a device of this name is a partition of the disk.
fn is_partition(disk: &Path, name: &str) -> bool {
    disk.join(name).join("partition").exists()
}

/// `SanDisk Cruzer Blade`; the kernel fills both with blanks.
fn model(device: &Path) -> Option<String> {
    let parts = ["device/vendor", "device/model", "device/name"];
    let parts: Vec<_> = parts.iter().filter_map(|part| value(&device.join(part))).collect();
    let model = parts.join(" ");
    (!model.trim().is_empty()).then(|| model.trim().to_owned())
}

/// The devices that have a label, each with it, by device.
fn labels(folder: &Path) -> Vec<(String, String)> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let labels = entries.take(MOST_ENTRIES).filter_map(Result::ok).filter_map(|entry| {
        let device = fs::read_link(entry.path()).ok()?;
        let device = device.file_name()?.to_str()?.to_owned();
        let label = unescaped(entry.file_name().to_str()?);
        (!label.trim().is_empty()).then(|| (device, label.trim().to_owned()))
    });
    let mut labels: Vec<_> = labels.collect();
    labels.sort_unstable();
    labels
}

/// Reads udev's `\x20` as the byte that it stands for.
fn unescaped(name: &str) -> String {
    let mut bytes = Vec::with_capacity(name.len());
    let mut rest = name;
    while let Some((before, after)) = rest.split_once(r"\x") {
        bytes.extend(before.as_bytes());
        match after.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            None => {
                bytes.extend(br"\x");
                rest = after;
            }
        }
    }
    bytes.extend(rest.as_bytes());
    String::from_utf8_lossy(&bytes).into_owned()
}

/// One of the kernel's values, without the blanks around it; `None` if there is none.
fn value(file: &Path) -> Option<String> {
    let mut text = String::new();
    File::open(file).ok()?.take(VALUE_BYTES).read_to_string(&mut text).ok()?;
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    const USB: &str = "pci0000:00/0000:00:14.0/usb1/1-2/1-2:1.0/host4/target4:0:0/4:0:0:0/block";

    #[test]
    fn sticks_cards_and_cases_are_removable_and_the_own_disk_is_not() {
        let root = machine();
        disk(&root, "pci0000:00/ata1/block", "sda", &[("removable", "0"), ("size", "1000")]);
        disk(&root, "virtual/block", "loop0", &[("removable", "0"), ("size", "8")]);
        disk(&root, "pci0000:00/ata2/block", "sr0", &[("removable", "1"), ("size", "2097151")]);
        assert_eq!(list(root.path()).unwrap(), []);

        let stick = [
            ("removable", "1"),
            ("size", "30310400"),
            ("diskseq", "12"),
            ("device/vendor", "SanDisk "),
            ("device/model", "Cruzer Blade    "),
            ("sdb1/partition", "1"),
        ];
        let device = disk(&root, USB, "sdb", &stick);
        symlink(device.join("sdb1"), root.path().join("sys/class/block/sdb1")).unwrap();
        disk(
            &root,
            &USB.replace("1-2", "1-3"),
            "sdc",
            &[("removable", "0"), ("size", "1953525168")],
        );
        disk(&root, &USB.replace("1-2", "1-4"), "sdd", &[("removable", "1"), ("size", "0")]);
        let card =
            [("removable", "0"), ("size", "8"), ("device/type", "SD"), ("device/name", "SC16G")];
        disk(&root, "platform/mmc0/block", "mmcblk0", &card);
        let soldered = [("removable", "0"), ("size", "8"), ("device/type", "MMC")];
        disk(&root, "platform/mmc1/block", "mmcblk1", &soldered);
        let expected = [
            ("SC16G", 4_096),
            ("SanDisk Cruzer Blade", 15_518_924_800),
            ("sdc", 1_000_204_886_016),
        ];
        assert_eq!(names(&root), expected.map(|(name, bytes)| (name.to_owned(), bytes)));

        let labels = root.path().join("dev/disk/by-label");
        symlink("../../sdb1", labels.join(r"AMY\x27S\x20STICK")).unwrap();
        symlink("../../sda1", labels.join("root")).unwrap();
        assert_eq!(names(&root)[1].0, "AMY'S STICK");
    }

    #[test]
    fn the_same_stick_put_in_again_is_another_insertion() {
        let root = machine();
        let device =
            disk(&root, USB, "sdb", &[("removable", "1"), ("size", "8"), ("diskseq", "12")]);
        let first = list(root.path()).unwrap();
        fs::write(device.join("diskseq"), "13\n").unwrap();
        assert_ne!(list(root.path()).unwrap()[0].id, first[0].id);
    }

    #[test]
    fn udevs_escapes_are_read() {
        for (name, expected) in [
            ("PLAIN", "PLAIN"),
            (r"A\x20B", "A B"),
            (r"caf\xc3\xa9", "café"),
            (r"\xzz\x4", r"\xzz\x4"),
            (r"\xé", r"\xé"),
        ] {
            assert_eq!(unescaped(name), expected);
        }
    }

    #[test]
    fn this_machine_gives_a_list() {
        assert!(list(Path::new("/")).is_some());
        assert!(list(machine().path().join("none").as_path()).is_none());
    }

    fn names(root: &tempfile::TempDir) -> Vec<(String, u64)> {
        let found = list(root.path()).unwrap();
        found.into_iter().map(|found| (found.name, found.bytes)).collect()
    }

    fn machine() -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for folder in ["sys/class/block", "dev/disk/by-label"] {
            fs::create_dir_all(root.path().join(folder)).unwrap();
        }
        root
    }

    /// Lays out a disk as the kernel does: below its place in the tree of devices, with a link to it.
    fn disk(
        root: &tempfile::TempDir,
        place: &str,
        name: &str,
        values: &[(&str, &str)],
    ) -> std::path::PathBuf {
        let device = root.path().join("sys/devices").join(place).join(name);
        for (file, value) in values {
            let file = device.join(file);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, format!("{value}\n")).unwrap();
        }
        symlink(&device, root.path().join("sys/class/block").join(name)).unwrap();
        device
    }
}
