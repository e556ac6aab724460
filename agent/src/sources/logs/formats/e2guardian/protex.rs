//! Protex's fields: formats 5 to 8.
//!
//! ```text
//! SECONDS SERVER USER CLIENT [CLIENTHOST] URL METHOD STATUS SIZE TYPE USERAGENT RESULT DURATION PEER
//!   MESSAGE WHAT WEIGHT CATEGORY GROUPNAME GROUP [SEARCHED FLAGS]
//! ```
//! CLIENTHOST is there by `logclientnameandip`, which version 5.3 has always on; without it CLIENT may be the
//! host's name. Version 5.3 knows formats up to 6, and 5.5 adds the last two fields in 7 and 8.

use super::super::text::{find, number};
use super::super::time::{Clues, unix_point};
use super::super::{LineFormat, Understood};
use super::{Fields, is_method};

/// Formats 5 to 8.
#[derive(Debug)]
pub(super) struct Protex {
    /// Whether the last two fields are there.
    pub(super) searched: bool,
}

impl LineFormat for Protex {
    fn read<'a>(&self, line: &'a [u8], _: &Clues) -> Option<Understood<'a>> {
        let mut left = line;
        let mut next = || {
            let at = left.iter().position(|byte| *byte == b'\t')?;
            let field = &left[..at];
            left = &left[at + 1..];
            Some(field)
        };
        let (seconds, _server, user, client) = (next()?, next()?, next()?, next()?);
        let mut url = next()?;
        let mut method = next()?;
        if find(url, b"://").is_none() || !is_method(method) {
            (url, method) = (method, next()?);
        }
        let (status, _size, _type) = (next()?, next()?, next()?);
        let mut right = left;
        let mut last = || {
            let at = right.iter().rposition(|byte| *byte == b'\t')?;
            let field = &right[at + 1..];
            right = &right[..at];
            Some(field)
        };
        let searched = if self.searched {
            let _flags = last()?;
            last()?
        } else {
            b""
        };
        let (group, _groupname, category, weight, what) =
            (last()?, last()?, last()?, last()?, last()?);
        let (_message, _peer, _duration, _result) = (last()?, last()?, last()?, last()?);
        if !is_method(method) || number::<u16>(status).is_none() || number::<u32>(group).is_none() {
            return None;
        }
        number::<u64>(weight.strip_prefix(b"-").unwrap_or(weight))?;
        let fields = Fields {
            user,
            client,
            url,
            method,
            status,
            what,
            category,
            user_agent: right,
            searched,
        };
        Some(fields.understand(unix_point(seconds)?))
    }
}
