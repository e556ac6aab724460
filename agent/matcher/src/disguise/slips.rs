//! Slips of the pen and of the keyboard: "mysefl", "sucide", "kil", "suiside", "wantto".
//!
//! Only words of rules that say `misspelt = true` are looked for. Each of them is entered under
//! itself and under itself without each of its letters, and so is a written word looked up: what
//! is one slip away shares an entry. A second kind of entry is how a word sounds, for those who
//! spell by ear. The kind of slip is then verified, so that not every near word counts. A look-up
//! costs one probe of a table for each letter of the word.

mod kinds;
mod near;

use super::ordinary;
use crate::phrase::{Item, Phrase};
use crate::stored::{Reader, Unreadable, Writer, ensure};
use crate::vocabulary::Vocabulary;
use kinds::{Slip, is_rather_ordinary, slip};
use near::{Near, Sorted, for_each_near};

/// The shortest word that may be misspelt: of shorter ones nearly every slip is a word.
const MIN_MEANT: usize = 4;
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
        self.words.write(out);
        self.near.write(out);
    }

    pub(crate) fn read(from: &mut Reader<'_>) -> Result<Self, Unreadable> {
        let words = Sorted::read(from)?;
        ensure(words.iter().all(may_be_misspelt))?;
        let near = Near::read(from, words.len())?;
        Ok(Self { words, near })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.words.len() == 0
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
