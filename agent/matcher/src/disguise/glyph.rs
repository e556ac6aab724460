//! What a written character, or several drawn as one letter, may stand for.

use crate::fold::fold;
use crate::words::PART_SEPARATOR;

/// The most characters of a text that are looked at as one disguised word.
const MAX_GLYPHS: usize = 64;
/// A run of one character is kept up to this length: more says nothing more.
const MAX_RUN: usize = 4;

/// One folded character and where it stands in the original.
#[derive(Debug, Clone, Copy)]
pub(super) struct Glyph {
    pub(super) c: char,
    pub(super) start: u32,
    pub(super) end: u32,
}

/// What glyphs may stand for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reading {
    /// A letter that is written as itself.
    Itself(char),
    /// A letter that something else is drawn for.
    Drawn(char),
    /// Nothing: it only separates.
    Nothing,
    /// Any one letter: it was censored.
    Censored,
}

/// Letters that are drawn with several characters.
const COMPOUND: &[(&str, char)] = &[
    ("\\/\\/", 'w'),
    ("|\\/|", 'm'),
    ("/\\/\\", 'm'),
    ("|\\|", 'n'),
    ("/\\/", 'n'),
    ("|-|", 'h'),
    ("|_|", 'u'),
    ("\\/", 'v'),
    ("/\\", 'a'),
    ("|<", 'k'),
    ("|{", 'k'),
    ("|(", 'k'),
    ("|)", 'd'),
    ("|>", 'p'),
    ("()", 'o'),
    ("[]", 'o'),
    ("vv", 'w'),
    ("uu", 'w'),
    ("ph", 'f'),
];

/// Folds a stretch of a text that begins at a byte, up to the first blank or the end of its part.
pub(super) fn glyphs(text: &str, from: u32) -> Vec<Glyph> {
    let mut glyphs: Vec<Glyph> = Vec::new();
    let mut run = 0;
    let rest = text.get(from as usize..).unwrap_or_default();
    for (offset, c) in rest.char_indices().take_while(|(_, c)| !parts_words(*c)) {
        let start = from.saturating_add(u32::try_from(offset).unwrap_or(u32::MAX));
        let end = start.saturating_add(u32::try_from(c.len_utf8()).unwrap_or(u32::MAX));
        fold(c, &mut |folded| {
            let c = folded.character;
            run = if glyphs.last().is_some_and(|last| last.c == c) { run + 1 } else { 1 };
            match glyphs.last_mut() {
                Some(last) if run > MAX_RUN => last.end = end,
                _ => glyphs.push(Glyph { c, start, end }),
            }
        });
        if glyphs.len() >= MAX_GLYPHS {
            break;
        }
    }
    glyphs
}

/// Says whether no word goes on beyond this.
pub(super) fn parts_words(c: char) -> bool {
    c.is_whitespace() || c == PART_SEPARATOR
}

/// Gives `emit` whatever the first glyphs may stand for, with the number of glyphs it takes.
pub(super) fn readings(glyphs: &[Glyph], mut emit: impl FnMut(usize, Reading)) {
    let Some(first) = glyphs.first() else { return };
    if first.c.is_alphabetic() {
        emit(1, Reading::Itself(first.c));
    } else {
        letters(first.c).iter().for_each(|letter| emit(1, Reading::Drawn(*letter)));
        if !first.c.is_alphanumeric() {
            emit(1, Reading::Nothing);
        }
        if matches!(first.c, '*' | '#' | '_') {
            emit(1, Reading::Censored);
        }
    }
    if !begins_compound(first.c) {
        return;
    }
    for (drawn, letter) in COMPOUND {
        // All of them are ASCII.
        let length = drawn.len();
        let same = |(byte, glyph): (u8, &Glyph)| char::from(byte) == glyph.c;
        if glyphs.len() >= length && drawn.bytes().zip(glyphs).all(same) {
            emit(length, Reading::Drawn(*letter));
        }
    }
}

/// Says whether some of [`COMPOUND`] begin so.
fn begins_compound(c: char) -> bool {
    matches!(c, '\\' | '/' | '|' | '(' | '[' | 'v' | 'u' | 'p')
}

/// Gives the letters that a character is drawn for; the likeliest first.
pub(crate) fn letters(c: char) -> &'static [char] {
    match c {
        '0' => &['o'],
        '1' | '|' | '!' => &['i', 'l'],
        '2' => &['z'],
        '3' | '€' => &['e'],
        '4' | '@' | '^' => &['a'],
        '5' | '$' | '§' => &['s'],
        '6' => &['g', 'b'],
        '7' => &['t'],
        '8' => &['b'],
        '9' => &['g', 'q', 'p'],
        '+' | '†' => &['t'],
        '£' => &['l', 'e'],
        '(' | '<' | '{' | '[' | '¢' => &['c'],
        _ => indicated(c),
    }
}

const ALPHABET: &[char] = &[
    'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l', 'm', 'n', 'o', 'p', 'q', 'r', 's',
    't', 'u', 'v', 'w', 'x', 'y', 'z',
];

/// Gives the letter of a regional indicator. Two of them are a flag in most texts, which therefore
/// parts words; only where they spell a word of the packs are they letters.
fn indicated(c: char) -> &'static [char] {
    let index = u32::from(c).checked_sub(0x1F1E6).and_then(|index| usize::try_from(index).ok());
    index.and_then(|index| ALPHABET.get(index..=index)).unwrap_or_default()
}

/// Says whether this is a regional indicator.
pub(super) fn is_indicator(c: char) -> bool {
    !indicated(c).is_empty()
}

/// Says whether nobody writes this before or after a word but for a letter. Brackets, marks and
/// signs of arithmetic stand there in any text.
pub(super) fn is_letter_at_edges(c: char) -> bool {
    matches!(c, '$' | '@' | '€' | '£' | '¢' | '§') || c.is_ascii_digit() || is_indicator(c)
}
