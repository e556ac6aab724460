//! What kinds of bytes stand in a block of text, one bit for each byte.
//!
//! The kinds are found by comparing bytes, which compilers do for many at once; the bits of eight
//! bytes are gathered by one multiplication. No table and no branch depends on the text, but for
//! blocks with several newlines.

use crate::words::PART_SEPARATOR;

/// Bytes in a block: as many as a word of the machine has bits.
pub(crate) const BLOCK: usize = 64;

/// The kinds of the bytes of a block; bit n stands for byte n.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Kinds {
    /// ASCII letters and digits.
    pub(crate) plain: u64,
    /// What needs a closer look to be cut into words: all but ASCII, apostrophes, and what parts a
    /// text.
    pub(crate) odd: u64,
    /// White space that ends a sentence: directly after a full stop or its like, or a newline after
    /// another with nothing but white space between.
    pub(crate) sentence: u64,
    /// Digits, and a byte that stands three times in a row, at the third.
    pub(crate) unusual: u64,
}

const PART_SEPARATOR_BYTE: u8 = PART_SEPARATOR as u8;
/// Bytes before a block that its kinds depend on.
pub(crate) const BEFORE: usize = 2;

impl Kinds {
    /// Looks at a block, which stands behind the two bytes before it. `newline` is whether a
    /// newline stands before it with nothing but white space after it, and is kept for the next.
    #[inline]
    pub(crate) fn of(window: &[u8; BEFORE + BLOCK], newline: &mut bool) -> Self {
        let mut kinds = [0; BLOCK];
        let mut newlines = false;
        for index in 0..BLOCK {
            let [second, previous, byte] = [window[index], window[index + 1], window[index + 2]];
            let digit = byte.wrapping_sub(b'0') < 10;
            let plain = digit | ((byte | 0x20).wrapping_sub(b'a') < 26);
            let odd =
                (byte >= 0x80) | (byte == b'\'') | (byte == b'`') | (byte == PART_SEPARATOR_BYTE);
            let sentence = is_stop(previous) & is_white(byte);
            // ASCII case is bit 5, and of the bytes that matter here only letters have it to lose.
            let thrice = ((byte ^ previous) | (byte ^ second)) & !0x20 == 0;
            kinds[index] = u8::from(plain)
                | u8::from(odd) << 1
                | u8::from(sentence) << 2
                | u8::from(digit | thrice) << 3;
            newlines |= byte == b'\n';
        }
        let [plain, odd, mut sentence, unusual] = gather(&kinds);
        if newlines | *newline {
            sentence |= empty_lines(window, newline);
        }
        Self { plain, odd, sentence, unusual }
    }
}

fn is_stop(byte: u8) -> bool {
    (byte == b'.') | (byte == b'!') | (byte == b'?') | (byte == b';') | (byte == b'|')
}

fn is_white(byte: u8) -> bool {
    (byte == b' ') | (byte.wrapping_sub(b'\t') < 5)
}

/// Marks the newlines before which another stands with nothing but white space between.
fn empty_lines(window: &[u8; BEFORE + BLOCK], newline: &mut bool) -> u64 {
    let mut marks = 0;
    for (index, byte) in window.iter().skip(BEFORE).enumerate() {
        if *byte == b'\n' {
            marks |= u64::from(*newline) << index;
            *newline = true;
        } else {
            *newline &= is_white(*byte);
        }
    }
    marks
}

/// Gathers the lowest four bits of the bytes, each into a number of its own.
#[inline]
fn gather(bytes: &[u8; BLOCK]) -> [u64; 4] {
    let (eights, _) = bytes.as_chunks::<8>();
    let mut bits = [0; 4];
    for (index, eight) in eights.iter().enumerate() {
        let eight = u64::from_le_bytes(*eight);
        for (kind, bits) in bits.iter_mut().enumerate() {
            // Byte n is moved to bit 56 + n; no two of the products' bits meet.
            let lowest = eight >> kind & 0x0101_0101_0101_0101;
            *bits |= (lowest.wrapping_mul(0x0102_0408_1020_4080) >> 56) << (8 * index);
        }
    }
    bits
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_byte_is_of_the_kinds_it_is_of(
            text in prop::collection::vec(prop::sample::select(b"ab0. \n\r\x1e!Aa'`;\x0b\x85\xc3@[{/:".as_slice()), 2 * BLOCK),
        ) {
            let mut newline = false;
            for number in 0..2 {
                let mut window = [0xff; BEFORE + BLOCK];
                for (index, byte) in window.iter_mut().enumerate() {
                    let at = (number * BLOCK + index).checked_sub(BEFORE);
                    *byte = at.map_or(0xff, |at| text[at]);
                }
                let kinds = Kinds::of(&window, &mut newline);
                for index in 0..BLOCK {
                    let at = number * BLOCK + index;
                    let byte = text[at];
                    let bit = |bits: u64| bits >> index & 1 == 1;
                    prop_assert_eq!(bit(kinds.plain), byte.is_ascii_alphanumeric());
                    prop_assert_eq!(bit(kinds.odd), !byte.is_ascii() || b"'`\x1e".contains(&byte));
                    prop_assert_eq!(bit(kinds.sentence), ends_sentence(&text, at), "{}", at);
                    let thrice = at >= 2
                        && text[at - 2..at].iter().all(|it| it | 0x20 == byte | 0x20);
                    prop_assert_eq!(bit(kinds.unusual), byte.is_ascii_digit() || thrice);
                }
            }
        }
    }

    fn ends_sentence(text: &[u8], at: usize) -> bool {
        let white = |byte: &u8| char::from(*byte).is_ascii() && char::from(*byte).is_whitespace();
        let before = text[..at].iter().rev();
        let after_stop =
            white(&text[at]) && before.clone().next().is_some_and(|it| b".!?;|".contains(it));
        let empty_line =
            text[at] == b'\n' && before.take_while(|it| white(it)).any(|it| *it == b'\n');
        after_stop || empty_line
    }
}
