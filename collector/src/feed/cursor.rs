//! A reader's cursor: the log's generation, then the change's random name; 32 bytes.
//!
//! After a restore the log is another, and a cursor of the one before must be refused by name instead of
//! pointing at whatever stands there.

use redshank_proto::id::{Generation, ID_BYTES};

use crate::store::changes::ChangeCursor;

/// The name that stands for the beginning of the log. No change is drawn as it: 2^-128.
const BEGINNING: ChangeCursor = [0; 16];

/// Where a reader is in this log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cursor {
    /// Before the first change.
    Beginning,
    /// After this one.
    After(ChangeCursor),
}

impl Cursor {
    /// Writes it for a reader.
    pub(super) fn encode(self, generation: Generation) -> Vec<u8> {
        let change = match self {
            Self::Beginning => BEGINNING,
            Self::After(change) => change,
        };
        [generation.as_bytes().as_slice(), &change].concat()
    }

    /// Reads it; nothing if it is malformed or of another generation.
    pub(super) fn decode(bytes: &[u8], generation: Generation) -> Option<Self> {
        let (log, change) = bytes.split_at_checked(ID_BYTES)?;
        if log != generation.as_bytes() {
            return None;
        }
        let change = ChangeCursor::try_from(change).ok()?;
        Some(if change == BEGINNING { Self::Beginning } else { Self::After(change) })
    }
}

#[cfg(test)]
mod tests {
    use redshank_proto::clock::System;

    use super::*;

    #[test]
    fn a_cursor_comes_back_in_its_own_generation_only() {
        let (ours, theirs) = (Generation::draw(&System), Generation::draw(&System));
        for cursor in [Cursor::Beginning, Cursor::After([7; 16])] {
            let bytes = cursor.encode(ours);
            assert!(bytes.len() <= 64);
            assert_eq!(Cursor::decode(&bytes, ours), Some(cursor));
            assert_eq!(Cursor::decode(&bytes, theirs), None);
            assert_eq!(Cursor::decode(&bytes[..31], ours), None);
            assert_eq!(Cursor::decode(&[&*bytes, &[0]].concat(), ours), None);
        }
        assert_eq!(Cursor::decode(b"", ours), None);
    }
}
