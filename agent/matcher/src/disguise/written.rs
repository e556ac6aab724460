//! One word written with other characters than its letters: "k1ll", "$u!c!d3", "k.i.l.l",
//! "su-icide", "k*ll", "killlll", "|<i11".
//!
//! The glyphs from one blank to the next are read from the left, every way at once, along the
//! packs' words. A way ends where no word goes on so; the ways that are open at one place are
//! bounded. What reaches the end of a written word and is a word of the packs is what it says.

use super::Effort;
use super::glyph::{Glyph, Reading, is_indicator, is_letter_at_edges, letters, readings};
use super::ordinary::{is_common, is_ordinary};
use super::word_list::{Reach, WordList};

/// The most ways that are open at one place.
const MAX_WAYS: usize = 32;
/// Pieces joined over a hyphen or stop are too often chance below this ("as-is") ...
const MIN_JOINED: usize = 5;
/// ... unless a piece is no word by itself ("kil-l"), ...
const MIN_BROKEN: usize = 4;
/// ... or all are single letters ("m-e").
const MIN_SPREAD: usize = 2;
/// Digits and marks for letters are chance in shorter words ("m3").
const MIN_DRAWN: usize = 3;
/// From this length they may be nearly all of it ("57471571c5").
const MIN_MOSTLY_DRAWN: usize = 6;
/// A word with a letter censored ("k*ll") needs others that tell it.
const MIN_CENSORED: usize = 4;
/// With two of them censored.
const MIN_CENSORED_TWICE: usize = 6;
/// A run of one letter this long is no English spelling.
const STRETCH: usize = 3;
/// So many doubled letters are none either, in what is no ordinary word ("ssuuiicide").
const DOUBLED: usize = 2;

/// What a stretch of glyphs says.
#[derive(Debug)]
pub(super) struct Said {
    /// How many glyphs it takes.
    pub(super) glyphs: usize,
    /// The words of the packs that it may be.
    pub(super) words: Vec<String>,
    /// Whether digits or symbols stand for letters in it, ...
    pub(super) drawn: bool,
    /// ... and several of them for one.
    pub(super) strokes: bool,
}

/// One way of reading, up to some glyph.
#[derive(Debug, Clone)]
struct Way {
    /// Nothing after a beginning that any letters may follow.
    reach: Option<Reach>,
    word: String,
    itself: usize,
    drawn: usize,
    /// How many of the drawn letters are digits, and how many indicators.
    digits: usize,
    indicators: usize,
    censored: usize,
    /// Separators so far.
    separators: usize,
    /// Whether one of them is none that ordinary words are joined by.
    odd: bool,
    /// Whether a letter is drawn with several characters.
    strokes: bool,
    /// How many letters stand together here, and the most that did.
    piece: usize,
    longest_piece: usize,
}

/// Reads the longest word of the packs that begins with the first glyph. `generous` also reads
/// what is a number in most texts; a text that draws digits for letters elsewhere asks for it.
pub(super) fn read(
    glyphs: &[Glyph],
    word_list: &WordList,
    generous: bool,
    effort: &mut Effort,
) -> Option<Said> {
    let stretched = is_stretched(glyphs);
    let mut open: Vec<Vec<Way>> = vec![Vec::new(); glyphs.len() + 1];
    open.first_mut()?.push(Way::start(word_list));
    let mut said = None;
    for at in 0..=glyphs.len() {
        let ways = open.get_mut(at).map(std::mem::take).unwrap_or_default();
        let rest = glyphs.get(at..).unwrap_or_default();
        let at_end = !goes_on(rest);
        if at > 0 && at_end {
            let taken = glyphs.get(..at).unwrap_or_default();
            said = words_of(&ways, word_list, taken, stretched, generous).or(said);
        }
        for way in ways {
            if !effort.spend(1) {
                return None;
            }
            readings(rest, |length, reading| {
                let Some(ways) = open.get_mut(at + length) else { return };
                way.read(reading, length, rest, word_list, stretched, &mut |next| {
                    let known = ways.iter().any(|it| it.is_like(&next));
                    if ways.len() < MAX_WAYS && !known {
                        ways.push(next);
                    }
                });
            });
        }
    }
    said
}

/// Gives what the ways that end here say, if it is convincing.
fn words_of(
    ways: &[Way],
    word_list: &WordList,
    glyphs: &[Glyph],
    stretched: bool,
    generous: bool,
) -> Option<Said> {
    let whole = |way: &&Way| {
        way.reach.is_none_or(|reach| word_list.is_word(reach))
            && way.is_convincing(glyphs, stretched, generous)
    };
    let mut found: Vec<&Way> = ways.iter().filter(whole).collect();
    // A mark is a letter rather than nothing, and nothing rather than any letter.
    let plainest = found.iter().map(|way| (way.censored, way.separators)).min()?;
    found.retain(|way| (way.censored, way.separators) == plainest);
    let drawn = found.iter().any(|way| way.drawn > 0);
    let strokes = found.iter().any(|way| way.strokes);
    let mut words: Vec<String> = found.into_iter().map(|way| way.word.clone()).collect();
    words.sort_unstable();
    words.dedup();
    // "k*ll" may be one word only.
    (plainest.0 == 0 || words.len() == 1).then_some(Said {
        glyphs: glyphs.len(),
        words,
        drawn,
        strokes,
    })
}

impl Way {
    fn start(word_list: &WordList) -> Self {
        Self {
            reach: Some(word_list.start()),
            word: String::new(),
            itself: 0,
            drawn: 0,
            digits: 0,
            indicators: 0,
            censored: 0,
            separators: 0,
            odd: false,
            strokes: false,
            piece: 0,
            longest_piece: 0,
        }
    }

    /// Says whether two ways go on alike, whatever else they are.
    fn is_like(&self, other: &Self) -> bool {
        self.reach == other.reach
            && self.word == other.word
            && self.separators == other.separators
            && self.censored == other.censored
    }

    /// Goes on by one reading.
    fn read(
        &self,
        reading: Reading,
        length: usize,
        rest: &[Glyph],
        word_list: &WordList,
        stretched: bool,
        emit: &mut impl FnMut(Self),
    ) {
        let first = rest.first().map(|glyph| glyph.c);
        match reading {
            Reading::Nothing if self.word.is_empty() => {}
            // "kill*" takes "killjoy", not "kill-switch".
            Reading::Nothing if self.reach.is_none() && self.longest_piece > 1 => {}
            Reading::Nothing => {
                let mut next = self.clone();
                // An apostrophe stands within many words.
                if !matches!(first, Some('\'' | '’' | '`')) {
                    next.separators += 1;
                    next.odd |= !matches!(first, Some('-' | '.' | '/' | ',' | ':' | '&'));
                    next.piece = 0;
                }
                emit(next);
            }
            Reading::Censored => {
                if self.word.is_empty() || self.censored > 1 {
                    return;
                }
                let Some(reach) = self.reach else { return };
                for letter in word_list.letters(reach) {
                    self.spell(letter, word_list, false, &mut |mut next| {
                        next.censored += 1;
                        emit(next);
                    });
                }
            }
            Reading::Itself(letter) => {
                self.spell(letter, word_list, stretched, &mut |mut next| {
                    next.itself += 1;
                    emit(next);
                });
            }
            // "friend*" takes "friend$", but the last of "friends!" ends a sentence.
            Reading::Drawn(_) if self.reach.is_none() && is_closing(rest) => {}
            Reading::Drawn(letter) => {
                self.spell(letter, word_list, stretched, &mut |mut next| {
                    next.drawn += 1;
                    next.digits += usize::from(first.is_some_and(|c| c.is_ascii_digit()));
                    next.indicators += usize::from(first.is_some_and(is_indicator));
                    next.strokes |= length > 1;
                    emit(next);
                });
            }
        }
    }

    /// Goes on by one letter, which a stretched word has more often, or less, than it should.
    fn spell(
        &self,
        letter: char,
        word_list: &WordList,
        stretched: bool,
        emit: &mut impl FnMut(Self),
    ) {
        let mut next = self.clone();
        next.piece += 1;
        next.longest_piece = next.longest_piece.max(next.piece);
        if stretched && self.word.ends_with(letter) {
            emit(next.clone());
        }
        next.word.push(letter);
        let Some(reach) = self.reach else {
            emit(next);
            return;
        };
        let Some(reach) = word_list.step(reach, letter) else { return };
        next.reach = Some(reach);
        if word_list.is_beginning(reach) {
            let mut free = next.clone();
            free.reach = None;
            emit(free);
        }
        if stretched && let Some(twice) = word_list.step(reach, letter) {
            let mut double = next.clone();
            double.reach = Some(twice);
            double.word.push(letter);
            emit(double);
        }
        emit(next);
    }

    /// Says whether so much chance is unlikely.
    fn is_convincing(&self, glyphs: &[Glyph], stretched: bool, generous: bool) -> bool {
        let letters = self.itself + self.drawn;
        let length = self.word.chars().count();
        if self.separators > 0 {
            let least = if self.longest_piece == 1 {
                MIN_SPREAD
            } else if self.odd || self.drawn > 0 || has_broken_piece(glyphs) {
                MIN_BROKEN
            } else {
                MIN_JOINED
            };
            if length < least {
                return false;
            }
        }
        if self.censored > 0 {
            let least = if self.censored == 1 { MIN_CENSORED } else { MIN_CENSORED_TWICE };
            return length >= least && self.longest_piece > 1;
        }
        if self.drawn == 0 {
            return self.separators > 0 || stretched || letters < glyphs.len();
        }
        // Brackets and marks round a word that stands by itself belong to the text.
        let marked = |glyph: Option<&Glyph>| {
            glyph.is_some_and(|glyph| !glyph.c.is_alphabetic() && !is_letter_at_edges(glyph.c))
        };
        if !self.strokes
            && !generous
            && (marked(glyphs.first()) || marked(glyphs.last()))
            && has_word_within(glyphs)
        {
            return false;
        }
        // "4x4" and "b12" are what they are.
        let marks = self.drawn - self.digits;
        generous
            || self.indicators == self.drawn && self.itself > 0
            || letters >= MIN_DRAWN
                && (self.strokes || self.itself > 0 && self.itself * 4 >= self.digits)
            || letters > MIN_DRAWN && marks > 1
            || letters >= MIN_MOSTLY_DRAWN && self.itself > 0
    }
}

/// Says whether a word goes on here: with a letter, or with a mark that is drawn for one and has
/// a letter after it ("w0g" is not what "w0g@n" says).
fn goes_on(rest: &[Glyph]) -> bool {
    match rest {
        [] => false,
        [next, ..] if next.c.is_alphanumeric() => true,
        [mark, next, ..] => !letters(mark.c).is_empty() && next.c.is_alphanumeric(),
        [_] => false,
    }
}

/// Says whether nothing is left but marks that stand at the end of any text.
fn is_closing(rest: &[Glyph]) -> bool {
    rest.iter().all(|glyph| !glyph.c.is_alphanumeric() && !is_letter_at_edges(glyph.c))
}

/// Says whether what stands between marks is a common word, or a number.
fn has_word_within(glyphs: &[Glyph]) -> bool {
    let text: String = glyphs.iter().map(|glyph| glyph.c).collect();
    let inner = text.trim_matches(|c: char| !c.is_alphanumeric());
    is_common(inner) || inner.chars().all(|c| c.is_ascii_digit())
}

/// Says whether the glyphs are an ordinary word, if marks and digits in it are read as letters.
pub(super) fn is_drawn_word(glyphs: &[Glyph]) -> bool {
    let mark = |glyph: &Glyph| !glyph.c.is_alphanumeric() && !letters(glyph.c).is_empty();
    let marked = glyphs.iter().any(|glyph| mark(glyph) || glyph.c == '\\');
    marked
        && glyphs.iter().any(|glyph| glyph.c.is_alphabetic())
        && (0..2).any(|choice| is_ordinary(&drawn(glyphs, choice)))
}

/// Reads each glyph, or the most of them that are drawn as one letter, as that letter; the first
/// or the second one that it may be.
fn drawn(glyphs: &[Glyph], choice: usize) -> String {
    let mut word = String::new();
    let mut at = 0;
    while let Some(rest) = glyphs.get(at..).filter(|rest| !rest.is_empty()) {
        let mut longest = (1, rest.first().map(|glyph| glyph.c));
        let mut choices = 0;
        readings(rest, |length, reading| match reading {
            Reading::Itself(letter) | Reading::Drawn(letter) => {
                if length > longest.0 || length == 1 && choices <= choice {
                    longest = (length, Some(letter));
                }
                choices += 1;
            }
            Reading::Nothing | Reading::Censored => {}
        });
        word.extend(longest.1);
        at += longest.0;
    }
    word
}

/// Says whether some piece between separators is no word by itself.
fn has_broken_piece(glyphs: &[Glyph]) -> bool {
    let text: String = glyphs.iter().map(|glyph| glyph.c).collect();
    text.split(|c: char| !c.is_alphanumeric()).any(|piece| piece.len() > 1 && !is_ordinary(piece))
}

/// Says whether letters are written more often than any spelling has them.
pub(super) fn is_stretched(glyphs: &[Glyph]) -> bool {
    let (mut run, mut doubled) = (0, 0);
    let mut last = None;
    for glyph in glyphs {
        let more = last == Some(glyph.c) && glyph.c.is_alphanumeric();
        run = if more { run + 1 } else { 1 };
        last = Some(glyph.c);
        doubled += usize::from(run == 2);
        if run >= STRETCH {
            return true;
        }
    }
    doubled >= DOUBLED && {
        let word: String = glyphs.iter().map(|it| it.c).take_while(|c| c.is_alphabetic()).collect();
        !is_ordinary(&word)
    }
}
