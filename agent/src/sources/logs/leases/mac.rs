//! MAC addresses, as lease files write them and the asset log knows them.

use std::fmt;
use std::str::FromStr;

/// An Ethernet or Wi-Fi interface's address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(in super::super) struct Mac([u8; 6]);

impl Mac {
    /// Whether the device drew it itself, and shows another one elsewhere: the locally administered bit
    /// (IEEE 802, 8.4). iPads do so for every network unless they are told not to.
    pub(in super::super) fn is_private(self) -> bool {
        self.0[0] & 2 != 0
    }
}

impl fmt::Display for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
}

/// It is no Ethernet address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) struct NoMac;

impl FromStr for Mac {
    type Err = NoMac;

    /// Six bytes in hexadecimal, with colons between; ISC's leaves out no zero, but others do.
    fn from_str(text: &str) -> Result<Self, NoMac> {
        let mut bytes = [0; 6];
        let mut parts = text.split(':');
        for byte in &mut bytes {
            let part = parts.next().filter(|part| matches!(part.len(), 1 | 2)).ok_or(NoMac)?;
            if !part.bytes().all(|digit| digit.is_ascii_hexdigit()) {
                return Err(NoMac);
            }
            *byte = u8::from_str_radix(part, 16).map_err(|_| NoMac)?;
        }
        if parts.next().is_some() || bytes == [0; 6] || bytes[0] & 1 != 0 {
            return Err(NoMac);
        }
        Ok(Self(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_and_written_alike() {
        for (text, written) in [
            ("02:00:5e:00:53:01", Some("02:00:5e:00:53:01")),
            ("A4:B1:C1:0:5:FF", Some("a4:b1:c1:00:05:ff")),
            ("06-a4:b1:c1:00:05:ff", None),
            ("a4:b1:c1:00:05", None),
            ("a4:b1:c1:00:05:ff:00", None),
            ("a4:b1:c1:00:05:+f", None),
            ("00:00:00:00:00:00", None),
            ("ff:ff:ff:ff:ff:ff", None),
            ("", None),
        ] {
            let mac = text.parse::<Mac>().ok().map(|mac| mac.to_string());
            assert_eq!(mac.as_deref(), written, "{text}");
        }
        assert!("a2:b1:c1:00:05:ff".parse::<Mac>().unwrap().is_private());
        assert!(!"a4:b1:c1:00:05:ff".parse::<Mac>().unwrap().is_private());
    }
}
