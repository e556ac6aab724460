//! unbound's log with `log-queries`, and what `log-replies`, `log-tag-queryreply`, `log-local-actions` and an
//! RPZ's `rpz-log` add to it; in a file of its own, with either kind of time, or by syslog.
//!
//! ```text
//! [1795317608] unbound[13016:0] info: 192.0.2.1 www.example.com. A IN
//! Nov 22 08:33:34 unbound[23126:0] query: 192.0.2.1 www.example.com. A IN
//! Nov 22 08:33:34 host unbound: [23126:0] info: 192.0.2.1 www.example.com. A IN
//! … info: example.com. always_nxdomain 192.0.2.1@41663 www.example.com. A IN
//! … info: rpz: applied [adult] *.example.com. rpz-nxdomain 192.0.2.1@32810 www.example.com. A IN
//! … info: 192.0.2.1 www.example.com. A IN NXDOMAIN 0.000000 1 44
//! ```
//!
//! # What counts as blocked
//! A local zone whose type refuses ([`REFUSES`]), and an RPZ that does not let the name pass ([`RPZ_REFUSES`]);
//! they are in the log only with `log-local-actions` or `rpz-log`. An answer REFUSED, too. A zone of type
//! `redirect`, or an RPZ with data of its own, may answer with a block page or with a search engine's strict
//! mode: the log does not say which, and it is allowed here. So is `static`, of which unbound has many of its
//! own. The RPZ's `rpz-log-name` is the category.

use super::dnsmasq::name;
use super::entry::{Client, Entry, address};
use super::lookups::{Kind, Step};
use super::text::{find, number, split_at_byte, split_at_last, text, told};
use super::time::{Clues, program, syslog, unix};
use super::{FormatError, LineFormat, Made, Understood};
use crate::observation::Action;

/// Types of local zones that refuse a name (unbound.conf, `local-zone`).
const REFUSES: &[&[u8]] = &[
    b"deny",
    b"refuse",
    b"inform_deny",
    b"always_deny",
    b"always_refuse",
    b"always_nxdomain",
    b"always_nodata",
    b"always_null",
];
/// What an RPZ does to refuse a name.
const RPZ_REFUSES: &[&[u8]] = &[b"rpz-nxdomain", b"rpz-nodata", b"rpz-drop"];
/// Levels under which queries and replies are logged.
const LEVELS: &[&[u8]] = &[b"info:", b"query:", b"reply:"];

#[derive(Debug)]
struct Unbound;

/// `unbound`.
pub(super) fn make(argument: Option<&str>) -> Made {
    match argument {
        None => Ok(Box::new(Unbound)),
        Some(_) => Err(FormatError::NoArgument("unbound")),
    }
}

impl LineFormat for Unbound {
    fn read<'a>(&self, line: &'a [u8], clues: &Clues) -> Option<Understood<'a>> {
        let (at, rest) = match line {
            [b'[', rest @ ..] => {
                let (seconds, rest) = split_at_byte(rest, b']')?;
                (unix(seconds, b"")?, rest)
            }
            line => syslog(line, clues)?,
        };
        let Some((thread, rest)) = thread(rest) else {
            // Another program's, which syslog put into the same file.
            let others = !line.starts_with(b"[") && program(rest).is_some();
            return others.then_some(Understood::Nothing);
        };
        let (level, message) = split_at_byte(rest, b' ')?;
        if !level.ends_with(b":") {
            return None;
        }
        let kind = LEVELS.contains(&level).then(|| kind(at, message)).flatten();
        Some(Understood::Lookup(Step { thread, kind: kind.unwrap_or(Kind::Other) }))
    }
}

/// The process and thread of `unbound[13016:0] `, the thread in hexadecimal digits, and what follows.
fn thread(rest: &[u8]) -> Option<(u64, &[u8])> {
    let end = find(rest, b"] ").filter(|end| rest[..*end].contains(&b':'))?;
    // By syslog, `unbound[13016]: [13016:0] `.
    let (end, open) = match rest[..end].iter().rposition(|byte| *byte == b'[') {
        Some(open) if rest[open..end].contains(&b':') => (end, open),
        _ => return None,
    };
    let (process, thread) = split_at_byte(&rest[open + 1..end], b':')?;
    let thread = u64::from_str_radix(str::from_utf8(thread).ok()?, 16).ok()?;
    let process: u32 = number(process)?;
    Some((u64::from(process) << 32 | (thread & 0xFFFF_FFFF), &rest[end + 2..]))
}

fn kind(at: jiff::Timestamp, message: &[u8]) -> Option<Kind<'_>> {
    let by_space = |byte: &u8| *byte == b' ';
    let mut words = message.split(by_space);
    let first = words.next()?;
    if let Some(client) = address(first) {
        let (host, _type, class) = (words.next()?, words.next()?, words.next()?);
        let entry = Entry { client: Some(Client::Address(client)), ..Entry::new(at, name(host)?) };
        if !is_class(class) {
            return None;
        }
        return Some(match words.next() {
            None => Kind::Query(entry),
            Some(b"REFUSED") => {
                let reason = Some("REFUSED".into());
                Kind::Reply(Entry { action: Action::Blocked, reason, ..entry })
            }
            Some(_) => Kind::Reply(entry),
        });
    }
    let (category, refuses) = match message.strip_prefix(b"rpz: applied ") {
        None => (None, REFUSES),
        Some(applied) => {
            let (list, rest) = match applied.strip_prefix(b"[") {
                Some(named) => split_at_byte(named, b']')?,
                None => (&b""[..], applied),
            };
            words = rest.strip_prefix(b" ").unwrap_or(rest).split(by_space);
            words.next()?;
            (told(list), RPZ_REFUSES)
        }
    };
    let (action, client) = (words.next()?, words.next()?);
    let (host, _type, class) = (words.next()?, words.next()?, words.next()?);
    let (client, _port) = split_at_last(client, b'@')?;
    if !is_class(class) || words.next().is_some() {
        return None;
    }
    let blocked = refuses.contains(&action);
    Some(Kind::Verdict(Entry {
        client: Some(Client::Address(address(client)?)),
        action: if blocked { Action::Blocked } else { Action::Allowed },
        category: category.filter(|_| blocked),
        reason: blocked.then(|| text(action)),
        ..Entry::new(at, name(host)?)
    }))
}

fn is_class(class: &[u8]) -> bool {
    matches!(class, b"IN" | b"CH" | b"HS" | b"ANY") || class.starts_with(b"CLASS")
}
