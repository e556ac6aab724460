//! A word as a few numbers, so that it is hashed and compared without a loop over its letters.

/// Bytes that one number holds.
const WIDTH: usize = 8;
const LOWER_CASE: u64 = 0x2020_2020_2020_2020;

/// A folded word: its first and last bytes and its length, which is the whole of it up to
/// [`Key::WHOLE`] bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Key {
    pub(crate) first: u64,
    /// The last eight bytes of a word that is longer than that, else nothing.
    last: u64,
    pub(crate) length: usize,
}

impl Key {
    /// The length up to which two words with equal keys are equal.
    pub(crate) const WHOLE: usize = 2 * WIDTH;

    /// Takes a word of ASCII letters and digits in any case, which stands somewhere in a text.
    #[inline]
    pub(crate) fn of_plain(text: &[u8], start: usize, end: usize) -> Self {
        let length = end - start;
        let kept = u64::MAX >> (64 - 8 * length.clamp(1, WIDTH));
        let first = (load(text, start) | LOWER_CASE) & kept;
        let last = load(text, end.saturating_sub(WIDTH)) | LOWER_CASE;
        Self { first, last: if length > WIDTH { last } else { 0 }, length }
    }

    /// Takes a folded word.
    pub(crate) fn of_folded(word: &[u8]) -> Self {
        let first = load(word, 0);
        let last = if word.len() > WIDTH { load(word, word.len() - WIDTH) } else { 0 };
        Self { first, last, length: word.len() }
    }

    /// Mixes the word; the highest bits are the best mixed.
    #[inline]
    pub(crate) fn hash(&self) -> u64 {
        // Odd constants without a pattern: the fractions of the golden ratio and of √2.
        self.first.wrapping_mul(0x9e37_79b9_7f4a_7c15)
            ^ self.last.wrapping_mul(0x6a09_e667_f3bc_c909)
    }

    /// Says whether the word begins with this one, as far as the first eight bytes tell.
    pub(crate) fn may_begin_with(&self, beginning: &Self) -> bool {
        let kept = u64::MAX >> (64 - 8 * beginning.length.clamp(1, WIDTH));
        beginning.length <= self.length && (self.first ^ beginning.first) & kept == 0
    }
}

/// Reads eight bytes, with zeros behind the end of the text.
#[inline]
fn load(text: &[u8], at: usize) -> u64 {
    match text.get(at..).and_then(<[u8]>::first_chunk::<WIDTH>) {
        Some(bytes) => u64::from_le_bytes(*bytes),
        None => load_end(text, at),
    }
}

/// Reads what is left of a text, fewer than eight bytes, by loads that overlap.
fn load_end(text: &[u8], at: usize) -> u64 {
    let rest = text.get(at..).unwrap_or_default();
    let length = rest.len();
    match (rest.first_chunk::<4>(), rest.last_chunk::<4>()) {
        (Some(first), Some(last)) => {
            let (first, last) = (u32::from_le_bytes(*first), u32::from_le_bytes(*last));
            u64::from(first) | u64::from(last) << (8 * (length - 4))
        }
        _ => (0..).zip(rest).fold(0, |number, (at, byte)| number | u64::from(*byte) << (8 * at)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_plain_word_has_the_key_of_its_folded_form(
            before in "[ -~]{0,9}", word in "[a-zA-Z0-9]{1,20}", after in "[ -~]{0,9}",
        ) {
            let text = format!("{before}{word}{after}");
            let key = Key::of_plain(text.as_bytes(), before.len(), before.len() + word.len());
            prop_assert_eq!(key, Key::of_folded(word.to_ascii_lowercase().as_bytes()));
        }

        #[test]
        fn different_words_have_different_keys(a in "[a-z]{1,16}", b in "[a-z]{1,16}") {
            let equal = Key::of_folded(a.as_bytes()) == Key::of_folded(b.as_bytes());
            prop_assert_eq!(equal, a == b);
        }

        #[test]
        fn a_word_may_begin_with_its_beginnings(word in "[a-z]{1,20}", length in 1_usize..20) {
            let key = Key::of_folded(word.as_bytes());
            let length = length.min(word.len());
            prop_assert!(key.may_begin_with(&Key::of_folded(&word.as_bytes()[..length])));
            prop_assert!(!key.may_begin_with(&Key::of_folded(b"-")));
        }
    }
}
