//! ISC's `dhcpd.leases` (`man dhcpd.leases`).
//!
//! ```text
//! lease 192.168.4.17 {
//!   starts 0 2026/11/22 03:19:46;
//!   ends 0 2026/11/22 15:19:46;
//!   binding state active;
//!   hardware ethernet a4:b1:c1:00:05:ff;
//!   client-hostname "ipad-17";
//! }
//! ```
//! A later block of an address overrides an earlier one; the earlier ones are its history. Times are in
//! UTC (`db-time-format default`) or `epoch 1764000000; # …`. DHCPv6's blocks (`ia-na`) name no
//! interface, as dnsmasq's (see [`super::dnsmasq`]), and are passed over with whatever else is no lease.

use std::net::IpAddr;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::mac::Mac;

/// Tokens of one block that are looked at; dhcpd writes some forty.
const MOST_TOKENS: usize = 1_024;
/// Bytes of a token that may mean something here.
const MOST_TOKEN: usize = 64;

/// What one block says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record {
    pub(in super::super) address: IpAddr,
    /// Whose it is or was; `None` if the block does not say.
    pub(in super::super) mac: Option<Mac>,
    pub(in super::super) from: Timestamp,
    /// [`Timestamp::MAX`] for ever.
    pub(in super::super) until: Timestamp,
    /// Whether the device may use it; else the lease ended then.
    pub(in super::super) active: bool,
}

/// What a file, or the part of it that was appended, says.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Records {
    /// In the order of the file.
    pub(in super::super) records: Vec<Record>,
    /// Blocks of leases that could not be read.
    pub unread: u64,
    /// Up to where there are whole blocks; what follows is being written.
    pub whole: usize,
}

/// Reads as many whole blocks as there are.
#[must_use]
pub fn read(file: &[u8]) -> Records {
    let mut read = Records::default();
    let mut tokens = Tokens { rest: file };
    let mut statement = Vec::new();
    // The tokens of one statement, with all that stands in its braces; of one too long, the beginning.
    let mut depth = 0_u32;
    while let Some(token) = tokens.next() {
        match token {
            b"{" => depth = depth.saturating_add(1),
            b"}" => depth = depth.saturating_sub(1),
            _ => {}
        }
        if statement.len() < MOST_TOKENS {
            statement.push(token);
        }
        if depth == 0 && matches!(token, b"}" | b";") {
            if let [b"lease", rest @ ..] = statement.as_slice() {
                match record(rest) {
                    Some(record) => read.records.push(record),
                    None => read.unread += 1,
                }
            }
            statement.clear();
            read.whole = file.len() - tokens.rest.len();
        }
    }
    read
}

fn record(tokens: &[&[u8]]) -> Option<Record> {
    let [address, b"{", body @ .., b"}"] = tokens else { return None };
    let address = text(address)?.parse().ok()?;
    let (mut from, mut until, mut active, mut mac) = (None, None, None, None);
    for statement in body.split(|token| *token == b";") {
        match statement {
            [b"starts", time @ ..] => from = Some(read_time(time)?),
            [b"ends", time @ ..] => until = Some(read_time(time)?),
            [b"binding", b"state", state] => active = Some(*state == b"active"),
            [b"hardware", b"ethernet", address] => mac = text(address)?.parse::<Mac>().ok(),
            _ => {}
        }
    }
    Some(Record { address, mac, from: from?, until: until?, active: active? })
}

fn read_time(tokens: &[&[u8]]) -> Option<Timestamp> {
    match tokens {
        [b"never"] => Some(Timestamp::MAX),
        [b"epoch", seconds] => Timestamp::from_second(text(seconds)?.parse().ok()?).ok(),
        [_weekday, date, time] => {
            let at = format!("{}T{}", text(date)?.replace('/', "-"), text(time)?);
            let at: DateTime = at.parse().ok()?;
            TimeZone::UTC.to_timestamp(at).ok()
        }
        _ => None,
    }
}

fn text(token: &[u8]) -> Option<&str> {
    if token.len() > MOST_TOKEN { None } else { std::str::from_utf8(token).ok() }
}

/// Words, `{`, `}`, `;` and strings, without comments.
struct Tokens<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Tokens<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        loop {
            self.rest = self.rest.trim_ascii_start();
            if !self.rest.starts_with(b"#") {
                break;
            }
            let end = self.rest.iter().position(|byte| *byte == b'\n');
            self.rest = &self.rest[end.unwrap_or(self.rest.len())..];
        }
        let length = match self.rest.first()? {
            b'{' | b'}' | b';' => 1,
            b'"' => quoted(self.rest),
            _ => {
                let ends = |byte: &u8| byte.is_ascii_whitespace() || b"{};\"#".contains(byte);
                self.rest.iter().position(ends).unwrap_or(self.rest.len())
            }
        };
        let (token, rest) = self.rest.split_at(length);
        self.rest = rest;
        Some(token)
    }
}

/// How long the string is with which `text` begins; all of it if it does not end.
fn quoted(text: &[u8]) -> usize {
    let mut at = 1;
    while let Some(byte) = text.get(at) {
        at += match byte {
            b'\\' => 2,
            b'"' => return at + 1,
            _ => 1,
        };
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const FILE: &str = r#"# The format of this file is documented in the dhcpd.leases(5) manual page.
authoring-byte-order little-endian;
server-duid "\000\001\"};";
lease 192.168.4.17 {
  starts 0 2026/11/22 03:19:46;
  ends 0 2026/11/22 15:19:46;
  cltt 0 2026/11/22 03:19:46;
  binding state active;
  next binding state free;
  rewind binding state free;
  hardware ethernet A4:b1:c1:00:05:ff;
  uid "\001\244{;}";
  on expiry { set gone = "yes"; }
}
lease 192.168.4.18 {
  starts epoch 1764000000; # Mon Nov 24 16:00:00 2025
  ends never;
  binding state active;
}
lease 192.168.4.17 {
  starts 0 2026/11/22 03:19:46;
  ends 0 2026/11/22 04:00:00;
  binding state released;
  hardware ethernet a4:b1:c1:00:05:ff;
}
lease 192.168.4.19 {
  starts 0 2026/11/22 03:19:46;
  binding state active;
}
ia-na "x" { iaaddr 2001:db8::1 { binding state active; } }
lease 192.168.4.20 {
  starts 0 2026/11/22 0"#;

    #[test]
    fn blocks_are_read_and_what_is_being_written_waits() {
        let mac = Some("a4:b1:c1:00:05:ff".parse().unwrap());
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let (from, until) = (at("2026-11-22T03:19:46Z"), at("2026-11-22T15:19:46Z"));
        let address = "192.168.4.17".parse().unwrap();
        let read = read(FILE.as_bytes());
        assert_eq!(
            read.records,
            [
                Record { address, mac, from, until, active: true },
                Record {
                    address: "192.168.4.18".parse().unwrap(),
                    mac: None,
                    from: Timestamp::from_second(1_764_000_000).unwrap(),
                    until: Timestamp::MAX,
                    active: true
                },
                Record { address, mac, from, until: at("2026-11-22T04:00:00Z"), active: false },
            ]
        );
        assert_eq!(read.unread, 1, "a block without an end is none");
        assert_eq!(&FILE[read.whole..], "\nlease 192.168.4.20 {\n  starts 0 2026/11/22 0");
    }

    proptest! {
        /// Wherever the file is cut, the parts give what the whole gives.
        #[test]
        fn a_file_that_is_being_written_is_read_on_from_its_whole_blocks(cut in 0..FILE.len()) {
            let whole = read(FILE.as_bytes());
            let first = read(&FILE.as_bytes()[..cut]);
            let second = read(&FILE.as_bytes()[first.whole..]);
            let together: Vec<_> = first.records.into_iter().chain(second.records).collect();
            prop_assert_eq!(together, whole.records);
            prop_assert_eq!(first.unread + second.unread, whole.unread);
        }

        #[test]
        fn any_bytes_are_read(file in "[lease {};\"#\\\\\n0-9./:abinding]{0,300}") {
            let read = read(file.as_bytes());
            prop_assert!(read.whole <= file.len());
        }
    }
}
