//! Which changes in the profiles' folders matter: those of history databases and of their neighbours.

use std::path::Path;
use std::time::Duration;

use super::profiles::Family;
use crate::sources::watch::{Cares, Pace, Watch};

/// A change has settled if nothing followed it for this long: Chromium's commit is a handful of writes.
pub(super) const QUIET: Duration = Duration::from_millis(80);
/// A browser that writes without pause is read after this long all the same.
const LONGEST: Duration = Duration::from_millis(240);

/// Starts to watch nothing yet.
pub(super) fn new() -> Watch {
    Watch::new(
        Cares { file: is_of_history, folders: true },
        Pace { quiet: QUIET, longest: LONGEST },
    )
}

fn is_of_history(path: &Path) -> bool {
    path.file_name().is_some_and(|name| {
        let name = name.to_string_lossy();
        Family::ALL.iter().any(|family| {
            let suffix = name.strip_prefix(family.database());
            matches!(suffix, Some("" | "-wal" | "-journal"))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn databases_and_their_journals_matter() {
        for (path, matters) in [
            ("/p/History", true),
            ("/p/History-journal", true),
            ("/p/places.sqlite-wal", true),
            ("/p/History.db-wal", true),
            ("/p/History-shm", false),
            ("/p/History Provider Cache", false),
            ("/p/Cookies", false),
        ] {
            assert_eq!(is_of_history(Path::new(path)), matters, "{path}");
        }
    }
}
