//! Kinds of slips, and which of them makes one word another.

use super::ordinary;

/// From this length slips are believed that change more than they keep of a short word.
const MIN_CLEAR: usize = 5;
/// From this length a word is recognised by its sound.
pub(super) const MIN_SOUND: usize = 6;
/// How many letters may be wrong in what sounds right.
const MAX_CHANGES: usize = 2;

/// Kinds of slips, the likeliest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Slip {
    /// Two letters stand the wrong way round.
    Swapped,
    /// A letter is missing, or there twice.
    Number,
    /// A neighbouring key, a vowel for another, a letter that looks or sounds alike.
    Letter,
    /// A key too much.
    Key,
    /// It sounds so.
    Sound,
}

/// Gives the slip by which somebody who means one word may have written the other.
pub(super) fn slip(written: &[u8], meant: &[u8]) -> Option<Slip> {
    let same = |pair: &(&u8, &u8)| pair.0 == pair.1;
    let before = written.iter().zip(meant).take_while(same).count();
    let (left, right) = (written.get(before..)?, meant.get(before..)?);
    let after = left.iter().rev().zip(right.iter().rev()).take_while(same).count();
    let left = left.get(..left.len() - after)?;
    let right = right.get(..right.len() - after)?;
    let long = meant.len() >= MIN_CLEAR;
    let near = |place: Option<usize>, letter: u8| {
        place.and_then(|place| written.get(place)).is_some_and(|it| are_neighbours(*it, letter))
    };
    let sound = || sounds_like(written, meant).then_some(Slip::Sound);
    match (left, right) {
        // Left out: one of a doubled letter, or any but the first of a longer word.
        ([], [gone]) => {
            let doubled = before > 0 && meant.get(before - 1) == Some(gone)
                || meant.get(before + 1) == Some(gone);
            (doubled || before > 0 && long).then_some(Slip::Number)
        }
        ([more], []) if before > 0 && written.get(before - 1) == Some(more) => Some(Slip::Number),
        ([more], []) if long && before > 0 => {
            let slipped = near(before.checked_sub(1), *more) || near(Some(before + 1), *more);
            (slipped || is_vowel(*more)).then_some(Slip::Key).or_else(sound)
        }
        ([wrong], [right]) if before > 0 => {
            let alike = is_vowel(*wrong) && is_vowel(*right) || is_mixed_up(*wrong, *right);
            let plausible = are_neighbours(*wrong, *right) || long && alike;
            plausible.then_some(Slip::Letter).or_else(sound)
        }
        ([a, b], [c, d]) if a == d && b == c => Some(Slip::Swapped),
        _ => sound(),
    }
}

/// Says whether a likelier kind of slip makes an ordinary word the written one.
pub(super) fn is_rather_ordinary(written: &str, than: Slip) -> bool {
    let letters = written.as_bytes();
    let with = |at: usize, taken: usize, put: &[u8]| {
        let before = letters.get(..at).unwrap_or_default();
        let after = letters.get(at + taken..).unwrap_or_default();
        let word = [before, put, after].concat();
        std::str::from_utf8(&word).is_ok_and(ordinary::is_ordinary)
    };
    let swapped = |at: usize| match letters.get(at..at + 2) {
        Some([a, b]) => a != b && with(at, 2, &[*b, *a]),
        _ => false,
    };
    let number = |at: usize| {
        let twice = at > 0 && letters.get(at - 1) == letters.get(at);
        twice && with(at, 1, &[]) || at > 0 && (b'a'..=b'z').any(|letter| with(at, 0, &[letter]))
    };
    than > Slip::Swapped && (0..letters.len()).any(swapped)
        || than > Slip::Number && (0..=letters.len()).any(number)
}

fn is_vowel(letter: u8) -> bool {
    matches!(letter, b'a' | b'e' | b'i' | b'o' | b'u' | b'y')
}

fn is_mixed_up(a: u8, b: u8) -> bool {
    let pair = (a.min(b), a.max(b));
    matches!(pair, (b'c', b'k') | (b'c', b's') | (b's', b'z') | (b'c', b'z') | (b'g', b'j'))
        // Mirrored, as children write them.
        || matches!(pair, (b'b', b'd') | (b'p', b'q'))
}

/// Says whether two letters lie side by side on a British or American keyboard.
fn are_neighbours(a: u8, b: u8) -> bool {
    let beside: &[u8] = match a {
        b'a' => b"qwsz",
        b'b' => b"vghn",
        b'c' => b"xdfv",
        b'd' => b"serfcx",
        b'e' => b"wsdr",
        b'f' => b"drtgvc",
        b'g' => b"ftyhbv",
        b'h' => b"gyujnb",
        b'i' => b"ujko",
        b'j' => b"huikmn",
        b'k' => b"jiolm",
        b'l' => b"kop",
        b'm' => b"njk",
        b'n' => b"bhjm",
        b'o' => b"iklp",
        b'p' => b"ol",
        b'q' => b"wa",
        b'r' => b"edft",
        b's' => b"awedxz",
        b't' => b"rfgy",
        b'u' => b"yhji",
        b'v' => b"cfgb",
        b'w' => b"qase",
        b'x' => b"zsdc",
        b'y' => b"tghu",
        b'z' => b"asx",
        _ => b"",
    };
    beside.contains(&b)
}

/// Says whether words of some length sound alike, begin alike, and differ in few letters.
fn sounds_like(written: &[u8], meant: &[u8]) -> bool {
    meant.len() >= MIN_SOUND
        && written.len().abs_diff(meant.len()) <= MAX_CHANGES
        && written.first() == meant.first()
        && sound(written) == sound(meant)
        && changes(written, meant) <= MAX_CHANGES
}

/// Counts the letters that are left out, put in or changed (Levenshtein), row by row.
fn changes(written: &[u8], meant: &[u8]) -> usize {
    let mut row: Vec<usize> = (0..=meant.len()).collect();
    for (index, letter) in written.iter().enumerate() {
        let mut left = index + 1;
        let mut next = vec![left];
        for (other, pair) in meant.iter().zip(row.windows(2)) {
            let [corner, above] = pair else { continue };
            left = (corner + usize::from(letter != other)).min(above + 1).min(left + 1);
            next.push(left);
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

/// Writes how a word sounds: its consonants by sound, each run of vowels as one, a silent "e" at
/// the end left out.
pub(super) fn sound(word: &[u8]) -> Vec<u8> {
    let mut sound = Vec::with_capacity(word.len());
    for (index, letter) in word.iter().enumerate() {
        let next = word.get(index + 1);
        let heard = match letter {
            b'e' if index > 0 && next.is_none() => continue,
            // Which vowel a word ends with is heard ("promo" is not "promia").
            vowel if is_vowel(*vowel) && next.is_none() => *vowel,
            vowel if is_vowel(*vowel) => b'A',
            b'c' if matches!(next, Some(b'e' | b'i' | b'y')) => b'S',
            b'c' | b'q' | b'k' => b'K',
            b's' | b'z' => b'S',
            b'p' if next == Some(&b'h') => b'F',
            b'h' if index > 0 && word.get(index - 1) == Some(&b'p') => continue,
            other => other.to_ascii_uppercase(),
        };
        if sound.last() != Some(&heard) {
            sound.push(heard);
        }
    }
    sound
}
