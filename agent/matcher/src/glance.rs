//! What is undone at a glance, in pages: "k1ll", "s.u.i.c.i.d.e", "k i l l", "su-icide", "$uicide",
//! "killlll".
//!
//! There are two ways to undo disguises. What a pupil writes, and what a title says, is short and
//! all of it is read by [`disguise`](crate::disguise), which costs more for a word than all else
//! together. A page is a thousand times as long, was written by others, and is seldom disguised:
//! here only what a few bits beside a word betray is undone, so that [`Blur`](crate::blur) can tell
//! without a look-up that nearly every place hides nothing. What characters are drawn for stands in
//! one table that both ways read.
//!
//! The plain view stands as it is; this makes a second view in which disguised words are undone,
//! only if a text has any. Pieces are joined only if the whole is a word of the packs, so that
//! "self-report" stays two words. Every step looks at a bounded number of neighbours.

use std::borrow::Cow;

use crate::disguise::glyph::letters;
use crate::view::{Spelling, View};
use crate::vocabulary::{Vocabulary, WordId};
use crate::words::{Joint, Word, Words};

/// The most pieces a word is put together from: the length of the longest words worth hiding.
const MAX_PIECES: usize = 16;
/// Joined pieces shorter than this are too often chance ("as-is").
const MIN_JOINED: usize = 5;
/// The same for single letters and symbols for letters, where chance is less ("t o d i e", "k!ll").
const MIN_SPREAD: usize = 2;
/// A run of one letter this long is no English spelling.
const STRETCH: usize = 3;

/// Undoes disguises, or gives nothing if the text has none that the packs know.
pub(crate) fn unmask(
    words: &Words,
    plain: &View<'_>,
    vocabulary: &Vocabulary,
) -> Option<View<'static>> {
    let all = words.as_slice();
    let mut view = View::default();
    let mut found = false;
    let mut at = 0;
    while let Some(word) = all.get(at) {
        let taken = joined(words, at, vocabulary, &mut view);
        found |= taken > 0;
        if taken > 0 {
            at += taken;
            continue;
        }
        let mut ids = Vec::new();
        if let Some(written) = suspicious(words, word) {
            undone_ids(&written, vocabulary, &mut ids);
        }
        let disguised = ids.iter().any(|id| !plain.ids(at).contains(id));
        found |= disguised;
        let spelling = if disguised { Spelling::Disguised } else { Spelling::Plain };
        view.push((word.start, word.end), word.joint == Joint::Sentence, spelling, |all_ids| {
            all_ids.extend_from_slice(plain.ids(at));
            all_ids.append(&mut ids);
        });
        at += 1;
    }
    found.then_some(view)
}

/// Puts together a word of the packs whose pieces begin here; gives how many it took. Of several, the one that is
/// longest itself or leaves room for the longest word after it: letters that stand apart can be cut in many ways
/// ("t o k i l l": "to kill" rather than "tok ill"), and long words are least often chance.
fn joined(words: &Words, at: usize, vocabulary: &Vocabulary, view: &mut View<'_>) -> usize {
    let Some(first) = words.as_slice().get(at) else { return 0 };
    let after = |word: &Joined| {
        let next = candidates(words, at + word.pieces, vocabulary);
        next.iter().map(|word| word.length).max().unwrap_or_default()
    };
    let found = candidates(words, at, vocabulary);
    let best = match found.as_slice() {
        [] | [_] => found.into_iter().next(),
        _ => found.into_iter().max_by_key(|word| (word.length.max(after(word)), word.length)),
    };
    let Some(mut best) = best else { return 0 };
    let sentence = first.joint == Joint::Sentence;
    view.push((first.start, best.end), sentence, Spelling::Disguised, |ids| {
        ids.append(&mut best.ids);
    });
    best.pieces
}

/// A word of the packs in pieces.
struct Joined {
    pieces: usize,
    /// The length of the joined text, in bytes.
    length: usize,
    end: u32,
    ids: Vec<WordId>,
}

/// Gives every word of the packs whose pieces begin here, at most [`MAX_PIECES`].
fn candidates(words: &Words, at: usize, vocabulary: &Vocabulary) -> Vec<Joined> {
    let (text, pieces) = pieces(words, at, vocabulary.longest());
    let mut found = Vec::new();
    for (index, piece) in pieces.iter().enumerate().skip(1) {
        let Some(text) = text.get(..piece.length) else { continue };
        let least = if piece.deliberate { MIN_SPREAD } else { MIN_JOINED };
        if piece.length < least {
            continue;
        }
        let mut ids = Vec::new();
        for reading in readings(text) {
            if vocabulary.knows(&reading) {
                vocabulary.ids(&reading, &mut ids);
            }
        }
        if !ids.is_empty() {
            let (length, end) = (piece.length, piece.end);
            found.push(Joined { pieces: index + 1, length, end, ids });
        }
    }
    found
}

/// How far the joined text reaches with a piece.
struct Piece {
    /// The length of the text up to here, in bytes.
    length: usize,
    /// Whether every piece is one letter, or a symbol stands for a letter between them.
    deliberate: bool,
    /// Where the piece ends in the original text.
    end: u32,
}

/// Writes the pieces from here on together, with the letters that the symbols between them stand
/// for, as long as a word of the packs can be.
fn pieces(words: &Words, at: usize, longest: usize) -> (String, Vec<Piece>) {
    let mut text = String::new();
    let mut pieces: Vec<Piece> = Vec::new();
    let (mut letters_only, mut symbols) = (true, false);
    let mut before: Option<&Word> = None;
    for word in words.as_slice().iter().skip(at).take(MAX_PIECES) {
        if before.is_some_and(|before| !hangs_together(words, before, word)) {
            break;
        }
        // The first piece's symbol counts if it is not what joins it to an earlier word.
        if before.is_some() || word.joint != Joint::Tight {
            let symbol = word.lead.and_then(symbol_letter);
            symbols |= before.is_some() && symbol.is_some();
            text.extend(symbol);
        }
        text.push_str(words.text(word));
        letters_only &= is_letter(words.text(word));
        if text.len() > longest {
            break;
        }
        let deliberate = letters_only || symbols;
        pieces.push(Piece { length: text.len(), deliberate, end: word.end });
        before = Some(word);
    }
    (text, pieces)
}

/// Says whether two neighbours may be pieces of one word.
fn hangs_together(words: &Words, left: &Word, right: &Word) -> bool {
    match right.joint {
        Joint::Tight => true,
        Joint::Blank => is_letter(words.text(left)) && is_letter(words.text(right)),
        Joint::Loose | Joint::Sentence => false,
    }
}

fn is_letter(text: &str) -> bool {
    text.chars().nth(1).is_none()
}

/// Gives the word as written, if something about it looks disguised.
fn suspicious(words: &Words, word: &Word) -> Option<String> {
    let text = words.text(word);
    let symbol = word.lead.and_then(symbol_letter).filter(|_| word.joint != Joint::Tight);
    let digits = text.bytes().any(|byte| byte.is_ascii_digit());
    if symbol.is_none() && !digits && !is_stretched(text) {
        return None;
    }
    Some(symbol.into_iter().chain(text.chars()).collect())
}

fn undone_ids(written: &str, vocabulary: &Vocabulary, ids: &mut Vec<WordId>) {
    for reading in readings(written) {
        vocabulary.ids(&reading, ids);
        if is_stretched(&reading) {
            vocabulary.stretched_ids(&reading, ids);
        }
    }
}

/// Gives what a word with digits for letters may say; "1" is drawn for "i" and for "l".
fn readings(written: &str) -> Vec<Cow<'_, str>> {
    let digits = written.bytes().filter(u8::is_ascii_digit).count();
    let letters = written.chars().count() - digits;
    if digits == 0 {
        return vec![Cow::Borrowed(written)];
    }
    // "4x4" and "b12" are what they are.
    if letters < 2 && digits + letters < 4 || letters * 3 < digits {
        return Vec::new();
    }
    let read = |stroke: char| -> Option<Cow<'_, str>> {
        let letters = written.chars().map(|c| letter(c, stroke));
        letters.collect::<Option<String>>().map(Cow::Owned)
    };
    let mut readings: Vec<Cow<'_, str>> = read('i').into_iter().collect();
    if written.contains('1') {
        readings.extend(read('l'));
    }
    readings
}

/// Gives the letter that a character is drawn for, itself if for none, nothing for digits that are
/// numbers at a glance. `stroke` is what an upright stroke ("1", "!", "|") stands for.
pub(crate) fn letter(c: char, stroke: char) -> Option<char> {
    match (c, letters(c)) {
        ('2' | '6', _) => None,
        (_, ['i', 'l']) => Some(stroke),
        (_, [letter, ..]) => Some(*letter),
        (_, []) => Some(c),
    }
}

/// Says whether a symbol stands for a letter at a glance; of brackets and dashes pages are full.
pub(crate) fn stands_for_letter(symbol: char) -> bool {
    matches!(symbol, '@' | '$' | '!' | '+' | '|' | '€')
}

/// Gives the letter of such a symbol, "1" for a stroke.
fn symbol_letter(symbol: char) -> Option<char> {
    stands_for_letter(symbol).then(|| letter(symbol, '1')).flatten()
}

fn is_stretched(text: &str) -> bool {
    let mut run = 0;
    let mut last = None;
    text.chars().any(|c| {
        run = if last == Some(c) { run + 1 } else { 1 };
        last = Some(c);
        run >= STRETCH
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::phrase::Pattern;

    #[test]
    fn disguised_words_are_undone() {
        for text in [
            "k1ll",
            "ki11",
            "k!ll",
            "k i l l",
            "k.i.l.l",
            "k-i-l-l",
            "killlll",
            "kiiilll",
            "$uicide",
            "su1c1d3",
            "su-icide",
            "s u i c i d e",
            "su.ic.ide",
            "$u!c!d3",
            "s_u_i_c_i_d_e",
        ] {
            let view = view_of(text).unwrap_or_else(|| panic!("{text} is not seen through"));
            assert_eq!(view.len(), 1, "{text}");
            assert_eq!(view.ids(0).len(), 1, "{text}");
        }
    }

    #[test]
    fn ordinary_words_stay_what_they_are() {
        for text in
            ["kill", "self-report", "b12", "4x4", "a b c", "i o u", "www.example.org", "100%"]
        {
            assert!(view_of(text).is_none(), "{text}");
        }
    }

    #[test]
    fn spread_letters_fall_into_words() {
        let view = view_of("i want to k i l l m e").expect("seen through");
        assert_eq!(view.tokens().iter().filter(|it| it.spelling == Spelling::Disguised).count(), 1);
    }

    fn view_of(text: &str) -> Option<View<'static>> {
        let mut vocabulary = Vocabulary::default();
        for word in ["kill", "suicide"] {
            vocabulary.intern(&Pattern { word: word.into(), prefix: false });
        }
        let words = Words::of(text);
        let plain = View::plain(&words, &vocabulary);
        unmask(&words, &plain, &vocabulary)
    }
}
