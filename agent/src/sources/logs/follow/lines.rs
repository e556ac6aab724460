//! From portions of bytes to lines, in bounded memory.
//!
//! An unterminated line waits in the buffer for its end. One that grows past [`MOST_LINE`] is told once
//! and skipped up to its end, wherever that is: no more than two portions are ever held.
//!
//! A line never begins with NUL: such bytes are the hole that a writer leaves who goes on at his old offset
//! after the log was emptied under him (Squid's `stdio:` module does). They are passed over.

/// The longest line that is read. Squid cuts an address at 8 KiB; headers double it.
pub(in super::super) const MOST_LINE: usize = 64 * 1024;

/// Bytes that have been read ahead of the place.
#[derive(Debug, Default)]
pub(super) struct Lines {
    buffer: Vec<u8>,
    /// What lies before is consumed.
    start: usize,
    /// No line ends between `start` and here.
    searched: usize,
    skipping: bool,
}

/// What the place moves over next.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Piece<'a> {
    /// All bytes of it, its line ending included.
    pub(super) bytes: &'a [u8],
    pub(super) kind: Kind,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// One whole line.
    Line,
    /// The first part, or all, of a line that is too long.
    TooLong,
    /// A further part of one, or bytes that are no line's.
    Skipped,
}

impl Lines {
    /// Begins with nothing, perhaps within a line that is being skipped.
    pub(super) fn begin(skipping: bool) -> Self {
        Self { skipping, ..Self::default() }
    }

    /// Whether the last piece was within a line that goes on.
    pub(super) fn skipping(&self) -> bool {
        self.skipping
    }

    /// How many bytes wait for the end of their line.
    pub(super) fn waiting(&self) -> usize {
        self.buffer.len() - self.start
    }

    /// What has been read and not consumed.
    pub(super) fn ahead(&self) -> &[u8] {
        &self.buffer[self.start..]
    }

    /// Room for `bytes` more, to be read into; [`filled`](Self::filled) says how much was.
    pub(super) fn room(&mut self, bytes: usize) -> &mut [u8] {
        self.buffer.drain(..self.start);
        self.searched -= self.start;
        self.start = 0;
        let length = self.buffer.len();
        self.buffer.resize(length + bytes, 0);
        &mut self.buffer[length..]
    }

    /// Says how many of the `bytes` of [`room`](Self::room) hold something.
    pub(super) fn filled(&mut self, bytes: usize, of: usize) {
        let length = self.buffer.len();
        self.buffer.truncate(length.saturating_sub(of.saturating_sub(bytes)));
    }

    pub(super) fn next(&mut self) -> Option<Piece<'_>> {
        let begun = self.start;
        let hole = self.buffer[begun..].iter().take_while(|byte| **byte == 0).count();
        if hole > 0 && !self.skipping {
            self.start += hole;
            self.searched = self.searched.max(self.start);
            return Some(Piece { bytes: &self.buffer[begun..self.start], kind: Kind::Skipped });
        }
        let (end, kind) = match self.buffer[self.searched..].iter().position(|byte| *byte == b'\n')
        {
            Some(at) => {
                let end = self.searched + at + 1;
                let kind = if std::mem::take(&mut self.skipping) {
                    Kind::Skipped
                } else if end - begun > MOST_LINE {
                    Kind::TooLong
                } else {
                    Kind::Line
                };
                (end, kind)
            }
            None => {
                let end = self.buffer.len();
                self.searched = end;
                let kind = match (self.skipping, end - begun) {
                    (_, 0) => return None,
                    (true, _) => Kind::Skipped,
                    (false, waiting) if waiting >= MOST_LINE => Kind::TooLong,
                    (false, _) => return None,
                };
                self.skipping = true;
                (end, kind)
            }
        };
        (self.start, self.searched) = (end, end);
        Some(Piece { bytes: &self.buffer[begun..end], kind })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_line_waits_for_its_end() {
        let mut lines = Lines::default();
        push(&mut lines, b"one\ntw");
        assert_eq!(lines.next(), Some(Piece { bytes: b"one\n", kind: Kind::Line }));
        assert_eq!(lines.next(), None);
        assert_eq!(lines.ahead(), b"tw");
        push(&mut lines, b"o\n\n");
        assert_eq!(lines.next(), Some(Piece { bytes: b"two\n", kind: Kind::Line }));
        assert_eq!(lines.next(), Some(Piece { bytes: b"\n", kind: Kind::Line }));
        assert_eq!(lines.next(), None);
        assert_eq!(lines.waiting(), 0);
    }

    #[test]
    fn a_hole_before_a_line_is_passed_over() {
        let mut lines = Lines::default();
        push(&mut lines, &[0; 70_000]);
        assert_eq!(lines.next(), Some(Piece { bytes: &[0; 70_000], kind: Kind::Skipped }));
        assert_eq!(lines.next(), None);
        push(&mut lines, b"\0\0one\0\n\0");
        assert_eq!(lines.next(), Some(Piece { bytes: b"\0\0", kind: Kind::Skipped }));
        assert_eq!(lines.next(), Some(Piece { bytes: b"one\0\n", kind: Kind::Line }));
        assert_eq!(lines.next(), Some(Piece { bytes: b"\0", kind: Kind::Skipped }));
        assert!(!lines.skipping());
    }

    proptest! {
        /// However the bytes come, no byte is lost, and what is too long is told once.
        #[test]
        fn pieces_are_the_bytes_and_lines_are_the_lines(
            lengths in proptest::collection::vec(prop_oneof![0..90_usize, 65_000..200_000_usize], 1..8),
            portion in 1_000..70_000_usize,
        ) {
            let mut written = Vec::new();
            for length in &lengths {
                written.extend(std::iter::repeat_n(b'x', *length));
                written.push(b'\n');
            }
            let (mut lines, mut read, mut whole, mut too_long) = (Lines::default(), Vec::new(), 0, 0);
            for portion in written.chunks(portion) {
                push(&mut lines, portion);
                while let Some(piece) = lines.next() {
                    read.extend_from_slice(piece.bytes);
                    match piece.kind {
                        Kind::Line => {
                            prop_assert!(piece.bytes.len() <= MOST_LINE + 1);
                            whole += 1;
                        }
                        Kind::TooLong => too_long += 1,
                        Kind::Skipped => {}
                    }
                }
                prop_assert!(lines.buffer.len() <= 2 * MOST_LINE + portion.len());
            }
            prop_assert_eq!(read, written);
            prop_assert_eq!(whole + too_long, lengths.len());
            prop_assert_eq!(too_long, lengths.iter().filter(|length| **length >= MOST_LINE).count());
        }
    }

    fn push(lines: &mut Lines, bytes: &[u8]) {
        let room = lines.room(bytes.len() + 3);
        room[..bytes.len()].copy_from_slice(bytes);
        lines.filled(bytes.len(), bytes.len() + 3);
    }
}
