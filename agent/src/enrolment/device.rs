//! What the device says of itself, so that a technician recognises it in the asset log.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use redshank_proto::{bounds, v1};

/// The longest platform name and agent version (`DeviceDescription`).
const VERSION_BYTES: usize = 64;

/// Where Linux shows the maker's serial number: firmware of PCs, and of boards with a device tree.
const SERIAL_FILES: [&str; 2] =
    ["/sys/class/dmi/id/product_serial", "/sys/firmware/devicetree/base/serial-number"];

/// What firmware holds where nobody wrote a serial number.
const NO_SERIAL: [&str; 6] = [
    "default string",
    "none",
    "not specified",
    "system serial number",
    "to be filled by o.e.m.",
    "0",
];

/// Describes this device.
#[must_use]
pub fn describe() -> v1::DeviceDescription {
    // What cannot be found out is left empty: a description is a help, not a condition.
    let long = |text: Result<String, sysinfo::Error>| {
        tidy(&text.unwrap_or_default(), bounds::LONG_NAME_BYTES)
    };
    v1::DeviceDescription {
        host_name: long(sysinfo::System::host_name()),
        serial_number: serial_number(),
        platform: std::env::consts::OS.to_owned(),
        os_version: long(sysinfo::System::long_os_version()),
        agent_version: tidy(env!("CARGO_PKG_VERSION"), VERSION_BYTES),
    }
}

fn serial_number() -> String {
    let found = if cfg!(target_os = "linux") {
        SERIAL_FILES.iter().find_map(|file| read_serial(Path::new(file)))
    } else {
        sysinfo::Product::serial_number().ok()
    };
    found.map(|text| serial(&text)).unwrap_or_default()
}

/// The first file that can be read decides; only root may read the first.
fn read_serial(file: &Path) -> Option<String> {
    let mut text = String::new();
    let bound = bounds::LONG_NAME_BYTES as u64;
    File::open(file).ok()?.take(bound).read_to_string(&mut text).ok()?;
    Some(text).filter(|text| !text.trim().is_empty())
}

fn serial(text: &str) -> String {
    let text = tidy(text, bounds::LONG_NAME_BYTES);
    if NO_SERIAL.contains(&text.to_lowercase().as_str()) { String::new() } else { text }
}

/// Printable characters only, within the bound.
fn tidy(text: &str, bytes: usize) -> String {
    let text: String = text.chars().filter(|c| !c.is_control()).collect();
    bounds::cut(text.trim(), bytes).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_description_keeps_its_bounds() {
        let device = describe();
        assert_eq!(device.platform, std::env::consts::OS);
        assert!(!device.agent_version.is_empty());
        for text in [&device.host_name, &device.serial_number, &device.os_version] {
            assert!(text.len() <= bounds::LONG_NAME_BYTES);
        }
    }

    #[test]
    fn a_serial_number_that_nobody_wrote_is_none() {
        for (text, expected) in [
            (" PF3ABCDE\n", "PF3ABCDE"),
            ("10000000abcdef\0", "10000000abcdef"),
            ("To be filled by O.E.M.", ""),
            ("Default string", ""),
            ("0", ""),
            ("", ""),
        ] {
            assert_eq!(serial(text), expected, "{text:?}");
        }
        assert_eq!(serial(&"é".repeat(200)).len(), bounds::LONG_NAME_BYTES);
    }
}
