//! The identifier of an application's bundle, of macOS.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use super::open;

/// Bytes of an `Info.plist`; those of large applications have some 20 KiB.
const PLIST_BYTES: u64 = 256 * 1024;
/// Dictionaries and arrays of an `Info.plist`; those of large applications have some three hundred.
const PLIST_COLLECTIONS: usize = 1_000;

/// The identifier of the outermost application that a path lies in.
pub(super) fn identifier(path: &str) -> Option<String> {
    identifier_of(&outermost(path)?)
}

/// The outermost application that a path lies in.
fn outermost(path: &str) -> Option<PathBuf> {
    let end = path.find(".app/")? + ".app".len();
    Some(PathBuf::from(&path[..end]))
}

fn identifier_of(bundle: &Path) -> Option<String> {
    let mut bytes = Vec::new();
    open(&bundle.join("Contents/Info.plist"))?.take(PLIST_BYTES).read_to_end(&mut bytes).ok()?;
    named(&bytes)
}

/// The identifier among the plist's own keys. One that may nest deeply, or is binary, so that nobody can tell, is
/// not read: a value that nests by the thousand, as anybody can write one, takes the stack with it when it is
/// dropped.
fn named(plist: &[u8]) -> Option<String> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identifier_is_read_at_the_top_alone_and_no_deep_nest_is_entered() {
        let plist = |inner: &str| format!("<plist version=\"1.0\"><dict>{inner}</dict></plist>");
        let id = "<key>CFBundleIdentifier</key><string>org.example.vpn</string>";
        let nest = |deep: usize| {
            format!("{id}<key>A</key>{}{}", "<array>".repeat(deep), "</array>".repeat(deep))
        };
        for (inner, found) in [
            (id.to_owned(), true),
            (format!("<key>N</key><integer>1</integer>{id}"), true),
            (format!("<key>A</key><dict>{id}</dict>"), false),
            ("<key>A</key><string>CFBundleIdentifier</string>".to_owned(), false),
            (nest(100), true),
            (nest(1_001), false),
            (nest(17_000), false),
        ] {
            let id = named(plist(&inner).as_bytes());
            assert_eq!(id.as_deref(), found.then_some("org.example.vpn"), "{}", inner.len());
        }
    }

    #[test]
    fn an_application_is_named_by_its_bundle() {
        let folder = tempfile::tempdir().unwrap();
        let contents = folder.path().join("NordVPN.app/Contents");
        std::fs::create_dir_all(&contents).unwrap();
        let path = contents.join("Frameworks/Helper.app/Contents/MacOS/Helper");
        let bundle = outermost(path.to_str().unwrap()).unwrap();
        assert_eq!(bundle, folder.path().join("NordVPN.app"));
        assert_eq!(identifier_of(&bundle), None, "there is none yet");

        let mut plist = plist::Dictionary::new();
        plist.insert("CFBundleIdentifier".to_owned(), "com.nordvpn.macos".into());
        let plist = plist::Value::Dictionary(plist);
        let file = contents.join("Info.plist");
        plist.to_file_xml(&file).unwrap();
        assert_eq!(identifier_of(&bundle).as_deref(), Some("com.nordvpn.macos"));
        plist.to_file_binary(&file).unwrap();
        assert_eq!(identifier_of(&bundle), None, "nobody can tell how deeply it nests");

        std::fs::write(&file, b"bplist00 and nothing of the kind").unwrap();
        assert_eq!(identifier_of(&bundle), None);
        assert_eq!(outermost("/usr/bin/tor"), None);
    }
}
