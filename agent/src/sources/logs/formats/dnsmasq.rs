//! dnsmasq's log with `log-queries` or `log-queries=extra`, in a file of its own or by syslog.
//!
//! ```text
//! Nov 22 03:19:47 dnsmasq[12868]: query[A] www.example.com from 192.0.2.1
//! Nov 22 03:19:47 host dnsmasq[12868]: 1 192.0.2.1/55280 query[A] www.example.com from 192.0.2.1
//! Nov 22 03:19:47 dnsmasq[12868]: config www.example.com is NXDOMAIN
//! ```
//! The date has no year and no zone, unless syslog was told to write them. Lines of other programs, which
//! syslog may put into the same file, are no requests.
//!
//! # What counts as blocked
//! An answer of dnsmasq's own configuration (`config …`) or of a hosts file (`/etc/block.hosts …`) that says
//! that the name does not exist or has the address `0.0.0.0` or `::`: so it answers for `address=/name/`,
//! `address=/name/#` and hosts files, as block lists have them. It answers and logs the same for a missing name below `local=/domain/`; the log does not tell the two apart,
//! and such a name is blocked here, with the answer as its reason. An answer with another address
//! (`address=/name/192.0.2.9`) may be a block page or a search engine's strict mode: allowed.

use super::entry::{Client, Entry, Target};
use super::lookups::{Kind, Step};
use super::text::{number, split_at_byte, text};
use super::time::{Clues, program, syslog};
use super::{FormatError, LineFormat, Made, Understood};
use crate::observation::Action;

/// Answers that a block list makes.
const BLOCKED: &[&[u8]] = &[b"NXDOMAIN", b"0.0.0.0", b"::"];

#[derive(Debug)]
struct Dnsmasq;

/// `dnsmasq`.
pub(super) fn make(argument: Option<&str>) -> Made {
    match argument {
        None => Ok(Box::new(Dnsmasq)),
        Some(_) => Err(FormatError::NoArgument("dnsmasq")),
    }
}

impl LineFormat for Dnsmasq {
    fn read<'a>(&self, line: &'a [u8], clues: &Clues) -> Option<Understood<'a>> {
        let (at, rest) = syslog(line, clues)?;
        let (program, message) = program(rest)?;
        // `dnsmasq-dhcp` and its like ask for no names.
        let Some(process) = program.strip_prefix(b"dnsmasq[") else {
            return Some(Understood::Nothing);
        };
        let thread = number(process.strip_suffix(b"]")?)?;
        let kind = kind(at, message).or_else(|| kind(at, without_extra(message)?));
        Some(Understood::Lookup(Step { thread, kind: kind.unwrap_or(Kind::Other) }))
    }
}

/// A message without the serial number and the client's address and port that `extra` puts before it.
fn without_extra(message: &[u8]) -> Option<&[u8]> {
    let (serial, rest) = split_at_byte(message, b' ')?;
    let (_client, rest) = split_at_byte(rest, b' ')?;
    number::<u64>(serial).map(|_| rest)
}

fn kind(at: jiff::Timestamp, message: &[u8]) -> Option<Kind<'_>> {
    let (first, rest) = split_at_byte(message, b' ')?;
    if first.ends_with(b"]") && (first.starts_with(b"query[") || first.starts_with(b"auth[")) {
        let from = rest.windows(6).rposition(|window| window == b" from ")?;
        let target = name(&rest[..from])?;
        let client = Client::of(&rest[from + 6..]);
        return Some(Kind::Query(Entry { client, ..Entry::new(at, target) }));
    }
    if first == b"config" || first.starts_with(b"/") {
        let is = rest.windows(4).rposition(|window| window == b" is ")?;
        let (target, answer) = (name(&rest[..is])?, &rest[is + 4..]);
        let blocked = BLOCKED.contains(&answer);
        return Some(Kind::Verdict(Entry {
            action: if blocked { Action::Blocked } else { Action::Allowed },
            reason: blocked.then(|| text(answer)),
            ..Entry::new(at, target)
        }));
    }
    None
}

/// The host of a name; the root is none.
pub(super) fn name(name: &[u8]) -> Option<Target<'_>> {
    let name = text(name.strip_suffix(b".").unwrap_or(name));
    (!name.is_empty()).then_some(Target::Host(name))
}
