//! The removable volumes that macOS and Windows list, by sysinfo.

use std::path::Path;

use sysinfo::{DiskRefreshKind, Disks};

use super::present::Found;

/// The system's list; `None` if it gives none. Blocking.
pub(super) fn list(_root: &Path) -> Option<Vec<Found>> {
    let kind = DiskRefreshKind::nothing().with_storage();
    let disks = Disks::new_with_refreshed_list_specifics(kind).ok()?;
    let removable = disks.iter().filter(|disk| disk.is_removable());
    Some(
        removable
            .map(|disk| {
                let (name, mounted) =
                    (disk.name().to_string_lossy(), disk.mount_point().to_string_lossy());
                let bytes = disk.total_space();
                Found {
                    id: format!("{mounted} {bytes} {name}"),
                    // A volume without a label is known by where it is: `E:\`.
                    name: if name.trim().is_empty() { &mounted } else { &name }.trim().to_owned(),
                    bytes,
                    mounted: mounted.into_owned(),
                }
            })
            .collect(),
    )
}
