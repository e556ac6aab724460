//! dnsmasq's lease file (`man dnsmasq`, `--dhcp-leasefile`; `lease_update_file` in its `lease.c`).
//!
//! ```text
//! 1764000000 a4:b1:c1:00:05:ff 192.168.4.17 ipad-17 01:a4:b1:c1:00:05:ff
//! duid 00:01:00:01:…
//! 1764000000 5678 2001:db8::17 ipad-17 00:01:00:01:…
//! ```
//! The first field is when the lease ends, in seconds since 1970; 0 is never. After `duid` come leases of
//! DHCPv6, which name no interface: the identifier at their end may hold the address of *some* interface
//! that the device once had, often a shared network adapter's. So they tell no MAC address.

use std::net::IpAddr;

use jiff::Timestamp;

use super::mac::Mac;

/// Lines that are read: a /16 of leases.
const MOST_LEASES: usize = 65_536;

/// What the file says of one address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lease {
    pub(in super::super) address: IpAddr,
    /// Whose it is; `None` if the file does not say in a way that tells a device.
    pub(in super::super) mac: Option<Mac>,
    /// Until when; [`Timestamp::MAX`] for ever.
    pub(in super::super) until: Timestamp,
}

/// What a file says.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Leases {
    pub(in super::super) leases: Vec<Lease>,
    /// Lines that are none, and lines past the bound.
    pub unread: u64,
}

/// Reads a whole lease file.
#[must_use]
pub fn read(file: &[u8]) -> Leases {
    let mut read = Leases::default();
    for line in file.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty()) {
        if line.starts_with(b"duid ") {
            continue;
        }
        match lease(line).filter(|_| read.leases.len() < MOST_LEASES) {
            Some(lease) => read.leases.push(lease),
            None => read.unread += 1,
        }
    }
    read
}

fn lease(line: &[u8]) -> Option<Lease> {
    let mut fields = line.split(u8::is_ascii_whitespace).filter(|field| !field.is_empty());
    let mut field = || std::str::from_utf8(fields.next()?).ok();
    let until: i64 = field()?.parse().ok().filter(|until| *until >= 0)?;
    let until = if until == 0 { Timestamp::MAX } else { Timestamp::from_second(until).ok()? };
    let mac = field()?;
    let address: IpAddr = field()?.parse().ok()?;
    field()?;
    let mac = if address.is_ipv4() { mac.parse().ok() } else { None };
    Some(Lease { address, mac, until })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_kind_of_line_is_read() {
        let read = read(
            b"1764000000 a4:b1:c1:00:05:ff 192.168.4.17 ipad-17 01:a4:b1:c1:00:05:ff\n\
              0 A4:B1:C1:00:05:01 192.168.4.18 * *\n\
              1764000000 06-00:11:22:33 192.168.4.19 other *\n\
              duid 00:01:00:01:2c:1d:aa:bb:a4:b1:c1:00:05:00\n\
              1764000000 5678 2001:db8::17 ipad-17 00:01:00:01:2c:1d:aa:bb:a4:b1:c1:00:05:ff\n\
              1764000000 T5678 2001:db8::18 * 00:03:00:01:a4:b1:c1:00:05:ff\n\
              half a line\n1764000000 a4:b1:c1:00:05:ff 192.168.4\n",
        );
        let until = Timestamp::from_second(1_764_000_000).unwrap();
        let lease = |address: &str, mac: Option<&str>, until| Lease {
            address: address.parse().unwrap(),
            mac: mac.map(|mac| mac.parse().unwrap()),
            until,
        };
        assert_eq!(
            read.leases,
            [
                lease("192.168.4.17", Some("a4:b1:c1:00:05:ff"), until),
                lease("192.168.4.18", Some("a4:b1:c1:00:05:01"), Timestamp::MAX),
                lease("192.168.4.19", None, until),
                lease("2001:db8::17", None, until),
                lease("2001:db8::18", None, until),
            ]
        );
        assert_eq!(read.unread, 2);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read(file in proptest::collection::vec(any::<u8>(), 0..400)) {
            let lines = file.split(|byte| *byte == b'\n').count();
            let read = read(&file);
            prop_assert!(read.leases.len() + usize::try_from(read.unread).unwrap() <= lines);
        }
    }
}
