//! Slips of the pen and of the keyboard: "mysefl", "sucide", "kil", "suiside", "wantto".
//!
//! Only words of rules that say `misspelt = true` are looked for. Each of them is entered under
//! itself and under itself without each of its letters, and so is a written word looked up: what
//! is one slip away shares an entry. A second kind of entry is how a word sounds, for those who
//! spell by ear. The kind of slip is then verified, so that not every near word counts. A look-up
//! costs one probe of a table for each letter of the word.

use std::cmp::Ordering;

use super::ordinary;
use crate::key::Key;
use crate::phrase::{Item, Phrase};
use crate::stored::{Reader, Unreadable, Writer, ensure};
use crate::vocabulary::Vocabulary;

/// The shortest word that may be misspelt: of shorter ones nearly every slip is a word.
const MIN_MEANT: usize = 4;
/// From this length slips are believed that change more than they keep of a short word.
const MIN_CLEAR: usize = 5;
/// From this length a word is recognised by its sound.
const MIN_SOUND: usize = 6;
/// How many letters may be wrong in what sounds right.
const MAX_CHANGES: usize = 2;
/// The longest written word that is looked up.
const MAX_WRITTEN: usize = 24;
/// The most words that one written word may mean.
const MAX_MEANT: usize = 4;
/// The most ordinary words that a beginning ("suicid*") lends.
const MAX_ENDINGS: usize = 24;
/// The shortest word that a blank in its midst is a slip of ("my self").
const MIN_PARTED: usize = 6;
/// The shortest two words that a blank may be missing between ("wantto").
const MIN_RUN_TOGETHER: usize = 6;

/// What "self" is the beginning of.
const AFTER_SELF: [&str; 21] = [
    "abuse",
    "assessment",
    "care",
    "confidence",
    "conscious",
    "control",
    "defence",
    "destruct",
    "diagnosis",
    "discipline",
    "doubt",
    "esteem",
    "harm",
    "harmed",
    "harming",
    "hatred",
    "help",
    "image",
    "injury",
    "portrait",
    "worth",
];

/// The words that may be misspelt.
#[derive(Debug, Default)]
pub(crate) struct Slips {
    words: Sorted,
    near: Near,
}

/// Words in order.
#[derive(Debug, Default)]
struct Sorted {
    /// All words, one behind the other, and where each ends.
    texts: String,
    ends: Box<[u32]>,
    /// Bits of what the words begin with and how long they are: of two words of a text that stand
    /// side by side nearly none make a word, and one look says so.
    field: Box<[u64]>,
}

/// Which words are entered under a hash.
#[derive(Debug, Default)]
struct Near {
    /// Where the entries of each bucket begin; one more for the end, or nothing.
    starts: Box<[u32]>,
    /// The number of a word in the lower bits, above them a part of the hash; sorted in a bucket.
    entries: Box<[u32]>,
}

/// How many bits of a hash number its bucket: some seven entries share one.
const BUCKET_BITS: u32 = 14;
/// How many bits number a word; the packs' bounds keep far below.
const WORD_BITS: u32 = 20;
/// How many bits of the field a number picks one of; 16 KiB.
const FIELD_BITS: u32 = 17;

/// What a written word may mean.
#[derive(Debug, Default)]
pub(super) struct Meant<'a> {
    /// By the likeliest kind of slip; empty if it is likelier none of the packs' words.
    pub(super) likely: Vec<&'a str>,
    /// By any.
    pub(super) all: Vec<&'a str>,
}

impl Slips {
    /// Enters the words of phrases.
    pub(crate) fn of<'a>(phrases: impl Iterator<Item = &'a Phrase>) -> Self {
        let mut words: Vec<&str> = Vec::new();
        let mut beginnings: Vec<&str> = Vec::new();
        for item in phrases.flat_map(|phrase| &phrase.items) {
            let Item::Choice { alternatives, .. } = item else { continue };
            for pattern in alternatives.iter().flatten() {
                if pattern.prefix {
                    beginnings.push(&pattern.word);
                }
                if may_be_misspelt(&pattern.word) {
                    words.push(&pattern.word);
                }
            }
        }
        beginnings.sort_unstable();
        beginnings.dedup();
        for beginning in beginnings {
            let longer = ordinary::beginning_with(beginning).take(MAX_ENDINGS);
            for word in longer.filter(|word| may_be_misspelt(word)) {
                words.push(word);
            }
        }
        words.sort_unstable();
        words.dedup();
        let near = Near::of(&words);
        Self { words: Sorted::of(&words), near }
    }

    /// Writes the words with their entries, which it takes many times longer to sort than to read.
    pub(crate) fn write(&self, out: &mut Writer) {
        out.numbers(&self.words.ends);
        out.text(&self.words.texts);
        out.numbers(&self.near.starts);
        out.numbers(&self.near.entries);
    }

    pub(crate) fn read(from: &mut Reader<'_>) -> Result<Self, Unreadable> {
        let (ends, texts) = (from.numbers()?, from.text()?);
        let starts = [0].iter().chain(&ends);
        let words: Option<Vec<&str>> = starts
            .zip(&ends)
            .map(|(start, end)| texts.get(*start as usize..*end as usize))
            .collect();
        let words = words.ok_or(Unreadable::Broken)?;
        ensure(words.iter().all(|word| may_be_misspelt(word)) && words.is_sorted())?;
        let (starts, entries) = (from.numbers()?, from.numbers()?);
        let is_word = |entry: &u32| ((entry & ((1 << WORD_BITS) - 1)) as usize) < words.len();
        ensure(entries.iter().all(is_word) && starts.is_sorted())?;
        ensure(starts.last().map_or(0, |end| *end as usize) == entries.len())?;
        Ok(Self { words: Sorted::of(&words), near: Near { starts, entries } })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.words.ends.is_empty()
    }

    /// Gives the words that a written one, which is unknown, may mean, with those first that the
    /// likeliest kind of slip makes it.
    pub(super) fn meant(&self, written: &str) -> Meant<'_> {
        let letters = written.bytes().all(|byte| byte.is_ascii_lowercase());
        if !letters || written.len() < MIN_MEANT - 1 || written.len() > MAX_WRITTEN {
            return Meant::default();
        }
        let mut meant: Vec<(Slip, bool, &str)> = Vec::new();
        for_each_near(written.as_bytes(), |hash| {
            for word in self.near.entered(hash).map(|number| self.words.get(number)) {
                let new = meant.iter().all(|(_, _, known)| *known != word);
                if new
                    && !is_same(written, word)
                    && meant.len() < MAX_MEANT
                    && let Some(slip) = slip(written.as_bytes(), word.as_bytes())
                {
                    meant.push((slip, !ordinary::is_ordinary(word), word));
                }
            }
        });
        let likeliest = meant.iter().map(|(slip, rare, _)| (*slip, *rare)).min();
        // "taching" is rather "teaching", which no pack knows, than "touching".
        let other = likeliest.is_some_and(|(slip, _)| is_rather_ordinary(written, slip));
        let mut words = Meant::default();
        for (slip, rare, word) in meant {
            if Some((slip, rare)) == likeliest && !other {
                words.likely.push(word);
            }
            words.all.push(word);
        }
        // One word by the surest kinds of slip leaves no doubt.
        if words.likely.len() == 1 && likeliest.is_some_and(|(slip, _)| slip <= Slip::Number) {
            words.all.clone_from(&words.likely);
        }
        words
    }

    /// Gives the word that two make which a blank parts ("my self", "sui cide"), but not where both
    /// are words that stand side by side anyway ("hit her").
    /// nor where the second begins a word of its own ("my self esteem").
    pub(super) fn parted(
        &self,
        left: &str,
        right: &str,
        after: Option<&str>,
        vocabulary: &Vocabulary,
    ) -> Option<&str> {
        let length = left.len() + right.len();
        if !(MIN_PARTED..=MAX_WRITTEN).contains(&length) {
            return None;
        }
        let pronoun = match right {
            "self" => !after.is_some_and(|after| AFTER_SELF.contains(&after)),
            "selfs" | "selves" | "one" | "body" | "thing" => true,
            _ => false,
        };
        let whole = self.words.whole(left, right)?;
        let is_word = |word: &str| ordinary::is_ordinary(word) || vocabulary.knows(word);
        if !pronoun && is_word(left) && is_word(right) {
            return None;
        }
        Some(whole)
    }

    /// Gives two words of the packs between which a blank is missing ("wantto").
    pub(super) fn run_together<'a>(
        &self,
        written: &'a str,
        vocabulary: &Vocabulary,
    ) -> Option<(&'a str, &'a str)> {
        if !(MIN_RUN_TOGETHER..=MAX_WRITTEN).contains(&written.len()) {
            return None;
        }
        // Both are words of the packs, and a long one among them.
        (2..=written.len() - 2).rev().find_map(|at| {
            let (left, right) = written.split_at_checked(at)?;
            let known = self.words.has(left) || self.words.has(right);
            (known && vocabulary.knows(left) && vocabulary.knows(right)).then_some((left, right))
        })
    }
}

impl Sorted {
    fn of(words: &[&str]) -> Self {
        let mut field = vec![0; 1 << (FIELD_BITS - u64::BITS.trailing_zeros())];
        let mut texts = String::with_capacity(words.iter().map(|word| word.len()).sum());
        let mut ends = Vec::with_capacity(words.len());
        for word in words {
            texts.push_str(word);
            ends.push(number(texts.len()));
            let (place, bit) = place_in_field(word, "");
            if let Some(bits) = field.get_mut(place) {
                *bits |= bit;
            }
        }
        Self { texts, ends: ends.into(), field: field.into() }
    }

    fn get(&self, number: usize) -> &str {
        let start = number.checked_sub(1).and_then(|before| self.ends.get(before));
        let end = self.ends.get(number).map_or(0, |end| *end as usize);
        self.texts.get(start.map_or(0, |start| *start as usize)..end).unwrap_or_default()
    }

    fn has(&self, word: &str) -> bool {
        self.whole(word, "").is_some()
    }

    /// Gives the word that two halves make.
    fn whole(&self, left: &str, right: &str) -> Option<&str> {
        let (place, bit) = place_in_field(left, right);
        if self.field.get(place)? & bit == 0 {
            return None;
        }
        let (mut from, mut to) = (0, self.ends.len());
        while from < to {
            let middle = from + (to - from) / 2;
            let word = self.get(middle);
            match word.bytes().cmp(left.bytes().chain(right.bytes())) {
                Ordering::Equal => return Some(word),
                Ordering::Less => from = middle + 1,
                Ordering::Greater => to = middle,
            }
        }
        None
    }
}

/// Gives the bit of a word, in two halves, and where in the field it is.
fn place_in_field(left: &str, right: &str) -> (usize, u64) {
    let first = |word: &str| Key::of_folded(word.as_bytes()).first;
    let shift = u32::try_from(8 * left.len()).unwrap_or(u32::MAX);
    let beginning = first(left) | first(right).checked_shl(shift).unwrap_or_default();
    let length = (left.len() + right.len()) as u64;
    let mixed = (beginning ^ length.rotate_right(8)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let bit = usize::try_from(mixed >> (u64::BITS - FIELD_BITS)).unwrap_or_default();
    (bit / 64, 1 << (bit % 64))
}

impl Near {
    fn of(words: &[&str]) -> Self {
        let mut near: Vec<(usize, u32)> = Vec::new();
        for (index, word) in (0..1 << WORD_BITS).zip(words) {
            for_each_near(word.as_bytes(), |hash| {
                let (bucket, tag) = parts(hash);
                near.push((bucket, tag | index));
            });
        }
        near.sort_unstable();
        near.dedup();
        let starts = (0..=1 << BUCKET_BITS)
            .map(|bucket| number(near.partition_point(|(known, _)| *known < bucket)));
        let starts = starts.collect();
        Self { starts, entries: near.into_iter().map(|(_, entry)| entry).collect() }
    }

    /// Gives the numbers of the words under a hash, and seldom of others.
    fn entered(&self, hash: u32) -> impl Iterator<Item = usize> {
        let (bucket, tag) = parts(hash);
        let bounds = self.starts.get(bucket).zip(self.starts.get(bucket + 1));
        let sharing = bounds
            .and_then(|(start, end)| self.entries.get(*start as usize..*end as usize))
            .unwrap_or_default();
        let same = sharing.iter().filter(move |entry| (*entry ^ tag) >> WORD_BITS == 0);
        same.map(move |entry| (entry ^ tag) as usize)
    }
}

/// Gives the bucket of a hash, and what of the rest is kept with a word.
fn parts(hash: u32) -> (usize, u32) {
    ((hash >> (u32::BITS - BUCKET_BITS)) as usize, hash << WORD_BITS)
}

/// The bounds of packs keep every count far below.
fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// Says whether two words are one, or its plural: packs have the forms that they mean.
fn is_same(written: &str, word: &str) -> bool {
    written == word
        || written.strip_suffix('s') == Some(word)
        || word.strip_suffix('s') == Some(written)
}

fn may_be_misspelt(word: &str) -> bool {
    (MIN_MEANT..=MAX_WRITTEN).contains(&word.len())
        && word.bytes().all(|byte| byte.is_ascii_lowercase())
}

/// Gives the hashes under which a word of at most [`MAX_WRITTEN`] letters is entered and looked up.
fn for_each_near(word: &[u8], mut emit: impl FnMut(u32)) {
    // By these, the hash without any letter is told without another look at the others.
    let mut before = [0_u32; MAX_WRITTEN + 1];
    for (at, letter) in word.iter().enumerate().take(MAX_WRITTEN) {
        before[at + 1] = before[at].wrapping_mul(SPREAD).wrapping_add(u32::from(*letter));
    }
    emit(mixed(before[word.len().min(MAX_WRITTEN)]));
    let (mut after, mut weight) = (0_u32, 1_u32);
    let mut without = [0; MAX_WRITTEN];
    for (at, letter) in word.iter().enumerate().take(MAX_WRITTEN).rev() {
        without[at] = before[at].wrapping_mul(weight).wrapping_add(after);
        after = after.wrapping_add(weight.wrapping_mul(u32::from(*letter)));
        weight = weight.wrapping_mul(SPREAD);
    }
    without.iter().take(word.len()).for_each(|hash| emit(mixed(*hash)));
    if word.len() + 2 >= MIN_SOUND {
        // Upper case keeps it apart from what is spelt so.
        let hash = |hash: u32, letter: u8| hash.wrapping_mul(SPREAD).wrapping_add(letter.into());
        emit(mixed(sound(word).into_iter().fold(0, hash)));
    }
}

/// What a letter's place in a word multiplies it by: odd and without a pattern.
const SPREAD: u32 = 0x0100_0193;

/// Mixes a hash; what collides is verified.
fn mixed(hash: u32) -> u32 {
    let mixed = (hash ^ hash >> 15).wrapping_mul(0x9e37_79b1);
    mixed ^ mixed >> 16
}

/// Kinds of slips, the likeliest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Slip {
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
fn slip(written: &[u8], meant: &[u8]) -> Option<Slip> {
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
fn is_rather_ordinary(written: &str, than: Slip) -> bool {
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
fn sound(word: &[u8]) -> Vec<u8> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::phrase::Classes;

    #[test]
    fn slips_of_every_kind_are_understood() {
        let slips = slips(&["kill myself want suicide suicidal committing paracetamol overdose"]);
        for (written, meant) in [
            ("mysefl", "myself"),
            ("mysel", "myself"),
            ("myselff", "myself"),
            ("myswlf", "myself"),
            ("mysalf", "myself"),
            ("kil", "kill"),
            ("kll", ""),
            ("klil", "kill"),
            ("kkill", "kill"),
            ("killk", ""),
            ("kikl", "kill"),
            ("wnat", "want"),
            ("wamt", "want"),
            ("sucide", "suicide"),
            ("suiside", "suicide"),
            ("suicde", "suicide"),
            ("sucidal", "suicidal"),
            ("comiting", "committing"),
            ("comitting", "committing"),
            ("paracetemol", "paracetamol"),
            ("parasetamol", "paracetamol"),
            ("paracetmol", "paracetamol"),
            ("overdoze", "overdose"),
            ("ovredose", "overdose"),
        ] {
            let likely = slips.meant(written).likely;
            assert_eq!(likely.first().copied().unwrap_or_default(), meant, "{written}");
        }
    }

    #[test]
    fn what_nobody_slips_to_is_left() {
        let slips = slips(&["kill myself want suicide"]);
        for written in
            ["ill", "il", "skill", "kilt", "kale", "want2", "ant", "herself", "sixth", ""]
        {
            let all = slips.meant(written).all;
            assert!(all.is_empty(), "{written} for {all:?}");
        }
    }

    #[test]
    fn blanks_slip_too() {
        let slips = slips(&["kill myself want to"]);
        let mut vocabulary = Vocabulary::default();
        for word in ["want", "to", "kill", "myself"] {
            let pattern = crate::phrase::Pattern { word: word.into(), prefix: false };
            vocabulary.intern(&pattern);
        }
        let parted = |left, right, after| slips.parted(left, right, after, &vocabulary);
        assert_eq!(parted("my", "self", None), Some("myself"));
        assert_eq!(parted("my", "self", Some("esteem")), None);
        assert_eq!(parted("ki", "ll", None), None);
        assert_eq!(slips.run_together("wantto", &vocabulary), Some(("want", "to")));
        assert_eq!(slips.run_together("killmyself", &vocabulary), Some(("kill", "myself")));
        assert_eq!(slips.run_together("wanted", &vocabulary), None);
    }

    #[test]
    fn a_beginning_lends_the_ordinary_words_that_begin_so() {
        let slips = slips(&["suicid*"]);
        assert_eq!(slips.meant("sucidal").likely, ["suicidal"]);
        assert!(slips.meant("sucidalxyz").all.is_empty());
    }

    fn slips(phrases: &[&str]) -> Slips {
        let classes = Classes::new(crate::language::Language::English);
        let phrases: Vec<Phrase> =
            phrases.iter().map(|text| Phrase::parse(text, &classes).unwrap()).collect();
        Slips::of(phrases.iter())
    }
}
