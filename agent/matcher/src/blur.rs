//! A quick no to most places where a word may be hidden.
//!
//! Blurring a word lets everything go that a disguise changes: digits and symbols become the letters
//! that they are drawn for, "l" becomes "i" because "1" is drawn for both, and of a run of one
//! letter one stays. Whatever `glance` undoes to a word of the packs blurs to what that word blurs
//! to, so that a place whose blurred readings are none of theirs hides none.

use std::ops::Range;

use crate::glance::{letter, stands_for_letter};
use crate::scan::is_unusual;
use crate::view::Token;
use crate::vocabulary::Vocabulary;

/// Words of 64 bits in a field of bits; 16 KiB.
const FIELD: usize = 2048;
/// The most pieces that are put together to one word.
pub(crate) const MAX_PIECES: usize = 16;

/// The packs' words, blurred.
#[derive(Debug)]
pub(crate) struct Blur {
    whole: Box<[u64; FIELD]>,
    beginnings: Box<[u64; FIELD]>,
    longest: usize,
}

impl Default for Blur {
    fn default() -> Self {
        Self::of(&Vocabulary::default())
    }
}

impl Blur {
    /// Blurs a vocabulary.
    pub(crate) fn of(vocabulary: &Vocabulary) -> Self {
        let mut this = Self {
            whole: Box::new([0; FIELD]),
            beginnings: Box::new([0; FIELD]),
            longest: vocabulary.longest(),
        };
        let blurred = |word: &str| {
            let mut reading = Reading::default();
            let plain = word.bytes().all(|byte| reading.take(byte).is_some());
            // A word with letters beyond ASCII is in no place that this is asked about.
            plain.then_some(reading.hash)
        };
        for hash in vocabulary.exact_words().chain(vocabulary.beginnings()).filter_map(blurred) {
            mark(&mut this.whole, hash);
        }
        for hash in vocabulary.beginnings().filter_map(blurred) {
            mark(&mut this.beginnings, hash);
        }
        this
    }

    /// Says whether these tokens, which begin and end where no words hang together, may hide a word
    /// of the packs; never wrongly no.
    pub(crate) fn may_hide(&self, text: &str, all: &[Token], run: &Range<usize>) -> bool {
        let bytes = text.as_bytes();
        run.clone().any(|first| {
            let pieces = all.get(first..run.end.min(first + MAX_PIECES)).unwrap_or_default();
            self.may_begin(bytes, pieces).unwrap_or(true)
        })
    }

    /// Says whether a hidden word may begin with the first piece; nothing if that is hard to say.
    fn may_begin(&self, text: &[u8], pieces: &[Token]) -> Option<bool> {
        let symbol = lead(text, pieces.first()?)?;
        let mut bare = Reading::default();
        let hides = self.may_read(text, pieces, &mut bare, false)?;
        match symbol {
            Some(symbol) if !hides => {
                let mut led = Reading::default();
                led.take(symbol);
                self.may_read(text, pieces, &mut led, true)
            }
            _ => Some(hides),
        }
    }

    fn may_read(
        &self,
        text: &[u8],
        pieces: &[Token],
        reading: &mut Reading,
        led: bool,
    ) -> Option<bool> {
        for (number, piece) in pieces.iter().enumerate() {
            let word = text.get(piece.start as usize..piece.end as usize)?;
            if number > 0
                && let Some(symbol) = lead(text, piece)?
            {
                reading.take(symbol);
            }
            // A piece by itself hides something only if it is written oddly.
            let alone = number == 0 && (led || is_unusual(word));
            let mut begins = false;
            for byte in word {
                reading.take(*byte)?;
                begins |= alone && holds(&self.beginnings, reading.hash);
            }
            // Digits by themselves are a number.
            if !reading.letters {
                continue;
            }
            if begins || (alone || number > 0) && holds(&self.whole, reading.hash) {
                return Some(true);
            }
            if reading.length > self.longest {
                break;
            }
        }
        Some(false)
    }
}

/// A word that is being blurred.
#[derive(Default)]
struct Reading {
    hash: u64,
    last: u8,
    length: usize,
    /// Whether it has more than digits.
    letters: bool,
}

impl Reading {
    /// Takes in one more byte; nothing if it is no letter, digit, symbol or apostrophe of ASCII.
    fn take(&mut self, byte: u8) -> Option<()> {
        if matches!(byte, b'\'' | b'`') {
            return Some(());
        }
        let letter = blurred(byte)?;
        self.length += 1;
        self.letters |= !byte.is_ascii_digit();
        if letter != self.last {
            self.hash =
                (self.hash.rotate_left(5) ^ u64::from(letter)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        }
        self.last = letter;
        Some(())
    }
}

fn blurred(byte: u8) -> Option<u8> {
    match byte.to_ascii_lowercase() {
        b'l' => Some(b'i'),
        letter if letter.is_ascii_lowercase() => Some(letter),
        drawn if drawn.is_ascii_digit() || stands_for_letter(char::from(drawn)) => {
            letter(char::from(drawn), 'i').map_or(Some(drawn), |letter| u8::try_from(letter).ok())
        }
        _ => None,
    }
}

/// Gives the symbol before a piece, if it may stand for a letter; nothing outside if that is hard
/// to say.
fn lead(text: &[u8], piece: &Token) -> Option<Option<u8>> {
    let before = text.get(..piece.start as usize)?;
    match before.last() {
        None => Some(None),
        Some(byte) if byte.is_ascii() => {
            Some(stands_for_letter(char::from(*byte)).then_some(*byte))
        }
        // Dashes and quotation marks are what prose has.
        Some(_) => ["–", "—", "‘", "’", "“", "”"]
            .iter()
            .any(|mark| before.ends_with(mark.as_bytes()))
            .then_some(None),
    }
}

fn mark(field: &mut [u64; FIELD], hash: u64) {
    let bit = place(hash);
    field[bit / 64 % FIELD] |= 1 << (bit % 64);
}

fn holds(field: &[u64; FIELD], hash: u64) -> bool {
    let bit = place(hash);
    field[bit / 64 % FIELD] >> (bit % 64) & 1 != 0
}

fn place(hash: u64) -> usize {
    (hash >> 47) as usize
}
