//! One character, folded: what a reader sees, in lower-case letters without marks.
//!
//! In this order: compatibility decomposition (full-width, mathematical and ligature letters fall
//! to plain ones), combining marks and invisible characters dropped, lower case, and look-alikes
//! of other scripts replaced by the ASCII character they are drawn like (Unicode Technical Standard
//! 39, the `skeleton` of `unicode-security`). ASCII is never replaced: the skeleton of "m" is "rn".
//! Letters of the Arabic script stay letters of that script, those that are typed for one another as
//! one; its digits and marks of punctuation become the ASCII ones of the same meaning.
//! Rule packs are folded by the same function, so that a pack in another script meets its texts
//! however its letters fold. Folding what is folded changes nothing.

use std::sync::OnceLock;

use unicode_normalization::char::{decompose_compatible, is_combining_mark};
use unicode_security::confusable_detection::skeleton;

/// Characters whose folded forms are remembered together, once one of them was met.
const PAGE: usize = Page::LENGTH as usize;
/// How far they are remembered: the planes of all living scripts and of letters for mathematics.
const REMEMBERED: usize = 0x2_0000;

/// What was met so far, under half a MiB for most of the world's texts. It only saves time: a
/// character folds alike whether it is remembered or not.
static PAGES: [OnceLock<Page>; REMEMBERED / PAGE] = [const { OnceLock::new() }; REMEMBERED / PAGE];

/// One character of a folded form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Folded {
    pub(crate) character: char,
    /// Whether it is part of a word.
    pub(crate) alphanumeric: bool,
}

/// The folded forms of neighbouring characters.
#[derive(Debug)]
struct Page {
    /// Where each one's form begins, and where the last one's ends.
    starts: [u16; PAGE + 1],
    forms: Box<[Folded]>,
}

/// Gives `emit` the folded form of `c`: none, one or several characters.
pub(crate) fn fold(c: char, emit: &mut impl FnMut(Folded)) {
    if c.is_ascii() {
        emit(Folded::of(c.to_ascii_lowercase()));
        return;
    }
    let code = c as usize;
    match PAGES.get(code / PAGE) {
        Some(page) => {
            page.get_or_init(|| Page::of(c)).form(code % PAGE).iter().copied().for_each(emit);
        }
        None => fold_afresh(c, &mut |part| emit(Folded::of(part))),
    }
}

impl Folded {
    fn of(character: char) -> Self {
        Self { character, alphanumeric: character.is_alphanumeric() }
    }
}

impl Page {
    const LENGTH: u32 = 64;

    /// Folds the neighbours of a character.
    fn of(c: char) -> Self {
        let code = u32::from(c);
        let first = code - code % Self::LENGTH;
        let mut starts = [0; PAGE + 1];
        let mut forms = Vec::new();
        for (code, end) in (first..).zip(starts.iter_mut().skip(1)) {
            if let Some(c) = char::from_u32(code) {
                fold_afresh(c, &mut |part| forms.push(Folded::of(part)));
            }
            // No character folds to more than a few dozen.
            *end = u16::try_from(forms.len()).unwrap_or(u16::MAX);
        }
        Self { starts, forms: forms.into() }
    }

    fn form(&self, index: usize) -> &[Folded] {
        let start = self.starts.get(index).copied().unwrap_or_default();
        let end = self.starts.get(index + 1).copied().unwrap_or_default();
        self.forms.get(start.into()..end.into()).unwrap_or_default()
    }
}

fn fold_afresh(c: char, emit: &mut impl FnMut(char)) {
    if c.is_ascii() {
        emit(c.to_ascii_lowercase());
        return;
    }
    if let Some(letter) = drawn_as_letter(c) {
        emit(letter);
        return;
    }
    decompose_compatible(c, |part| {
        if part.is_ascii() {
            emit(part.to_ascii_lowercase());
        } else if !is_invisible(part) && !is_combining_mark(part) {
            fold_foreign(part, emit);
        }
    });
}

/// Folds one decomposed character outside ASCII. The result depends only on the pair of its lower
/// and upper case, so that both cases fold alike ("в" is drawn like no ASCII letter, "В" like "B").
fn fold_foreign(c: char, emit: &mut impl FnMut(char)) {
    if matches!(c, '\u{600}'..='\u{6FF}' | '\u{750}'..='\u{77F}') {
        if let Some(letter) = arabic(c) {
            emit(letter);
        }
        return;
    }
    if matches!(c, 'ß' | 'ẞ') {
        emit('s');
        emit('s');
        return;
    }
    if let Some(letter) = drawn_as_letter(c) {
        emit(letter);
        return;
    }
    if let Some(plain) = drawn_like(c.to_lowercase()).or_else(|| drawn_like(c.to_uppercase())) {
        plain.chars().for_each(emit);
        return;
    }
    c.to_lowercase().filter(|lower| !is_combining_mark(*lower)).for_each(emit);
}

/// Folds one character of the Arabic script. Keyboards for Arabic, Persian and Urdu give different
/// characters for the same letter. Nobody hides a Latin word in letters that join and run from right
/// to left, so that look-alikes (alef and "l", heh and "o") would only tear words of the script apart.
fn arabic(c: char) -> Option<char> {
    Some(match c {
        'ي' | 'ى' | 'ې' => 'ی',
        'ك' => 'ک',
        'ه' | 'ھ' | 'ة' | 'ە' => 'ہ',
        // Tatweel only stretches a word.
        'ـ' => return None,
        '۔' => '.',
        '؟' => '?',
        '؛' => ';',
        '،' => ',',
        '\u{660}'..='\u{669}' | '\u{6F0}'..='\u{6F9}' => {
            char::from_digit(u32::from(c) & 0xF, 10).unwrap_or(c)
        }
        other => other,
    })
}

/// Gives the letter for characters that Unicode's tables do not know as look-alikes, but people
/// use as such: small capitals, and letters in dark squares and circles.
fn drawn_as_letter(c: char) -> Option<char> {
    let letter = match c.to_lowercase().next().unwrap_or(c) {
        'ᴀ' | 'ɐ' => 'a',
        'ʙ' => 'b',
        'ϲ' => 'c',
        'ᴅ' => 'd',
        'ᴇ' | 'ə' | 'ǝ' | 'ɘ' | 'ɛ' => 'e',
        'ꜰ' => 'f',
        'ɢ' => 'g',
        'ʜ' | 'ɥ' => 'h',
        'ᴊ' => 'j',
        'ᴋ' | 'ʞ' => 'k',
        'ʟ' => 'l',
        'ᴍ' => 'm',
        'ɴ' => 'n',
        'ᴘ' => 'p',
        'ʀ' | 'ɹ' => 'r',
        'ᴛ' | 'ʇ' => 't',
        'ʌ' => 'v',
        'ʏ' | 'ʎ' => 'y',
        _ => return in_dark_shape(c),
    };
    Some(letter)
}

/// Gives the letter in a dark circle (U+1F150 to U+1F169) or square (U+1F170 to U+1F189).
fn in_dark_shape(c: char) -> Option<char> {
    let index = match u32::from(c) {
        point @ 0x1F150..=0x1F169 => point - 0x1F150,
        point @ 0x1F170..=0x1F189 => point - 0x1F170,
        _ => return None,
    };
    char::from_u32(u32::from('a') + index)
}

/// Gives the ASCII that these characters are drawn like, in lower case, if there is one.
fn drawn_like(characters: impl Iterator<Item = char>) -> Option<String> {
    let text: String = characters.collect();
    let plain: String = skeleton(&text).filter(|part| !is_combining_mark(*part)).collect();
    // The skeleton of "m", and so of whatever is drawn like it, is "rn".
    let plain = if plain == "rn" { "m".to_owned() } else { plain };
    (!plain.is_empty() && plain.is_ascii()).then(|| plain.to_ascii_lowercase())
}

/// Says whether a character takes no room: soft hyphen, zero-width spaces and joiners, direction
/// marks, variation selectors, tags (Unicode's `Default_Ignorable_Code_Point`).
fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{AD}'
            | '\u{34F}'
            | '\u{61C}'
            | '\u{115F}'..='\u{1160}'
            | '\u{17B4}'..='\u{17B5}'
            | '\u{180B}'..='\u{180F}'
            | '\u{200B}'..='\u{200F}'
            | '\u{202A}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}'
            | '\u{3164}'
            | '\u{FE00}'..='\u{FE0F}'
            | '\u{FEFF}'
            | '\u{FFA0}'
            // Interlinear annotation marks (U+FFF9 on) are shown by nothing that pupils use.
            | '\u{FFF0}'..='\u{FFFB}'
            | '\u{1BCA0}'..='\u{1BCA3}'
            | '\u{1D173}'..='\u{1D17A}'
            | '\u{E0000}'..='\u{E0FFF}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_looks_alike_folds_alike() {
        for (disguised, plain) in [
            ("Suicide", "suicide"),
            ("ѕuісіdе", "suicide"),
            ("ｓｕｉｃｉｄｅ", "suicide"),
            ("𝓼𝓾𝓲𝓬𝓲𝓭𝓮", "suicide"),
            ("s\u{200B}u\u{200D}i\u{AD}cide", "suicide"),
            ("s̶u̶i̶c̶i̶d̶e̶", "suicide"),
            ("süïcîdé", "suicide"),
            ("Straße", "strasse"),
            ("don’t", "don't"),
            ("КІLL", "kill"),
            ("Łódź", "lodz"),
            ("ﻣﯿﮟ", "میں"),
            ("كي", "کی"),
            ("مَرنـــا", "مرنا"),
            ("ہو\u{200C}ں؟", "ہوں?"),
            ("تهه", "تہہ"),
            ("٣۳", "33"),
            ("кіll", "kill"),
            ("ᴋɪʟʟ", "kill"),
            ("🅺🅸🅻🅻", "kill"),
            ("🅚🅘🅛🅛", "kill"),
        ] {
            assert_eq!(folded(disguised), plain, "{disguised}");
        }
    }

    proptest! {
        #[test]
        fn folding_what_is_folded_changes_nothing(text in any::<String>()) {
            let once = folded(&text);
            prop_assert_eq!(folded(&once), once);
        }

        #[test]
        fn what_is_remembered_is_what_is_folded(c in any::<char>()) {
            let mut afresh = String::new();
            fold_afresh(c, &mut |part| afresh.push(part));
            prop_assert_eq!(folded(c.encode_utf8(&mut [0; 4])), afresh);
        }

        #[test]
        fn every_character_folds_once_and_for_all(c in any::<char>()) {
            let once = folded(c.encode_utf8(&mut [0; 4]));
            prop_assert_eq!(folded(&once), once);
        }
    }

    fn folded(text: &str) -> String {
        let mut out = String::new();
        for c in text.chars() {
            fold(c, &mut |part| out.push(part.character));
        }
        out
    }
}
