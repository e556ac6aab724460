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

/// What reading a stretch of glyphs came to.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    /// What it says, if that is convincing.
    pub(super) said: Option<Said>,
    /// Whether it may say anything to somebody who is more easily convinced.
    pub(super) doubtful: bool,
}

/// The ways that are open at each place, kept from one reading to the next.
#[derive(Debug, Default)]
pub(super) struct Ways(Vec<Vec<Way>>);

/// One way of reading, up to some glyph.
#[derive(Debug, Clone)]
struct Way {
    reach: Reach,
    /// Whether what was reached is a beginning that any letters may follow, and those that did.
    free: bool,
    ending: String,
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
    Ways(open): &mut Ways,
    effort: &mut Effort,
) -> Outcome {
    let mut outcome = Outcome::default();
    let stretched = is_stretched(glyphs);
    open.iter_mut().for_each(Vec::clear);
    if open.len() <= glyphs.len() {
        open.resize_with(glyphs.len() + 1, Vec::new);
    }
    // Up to where some way comes.
    let mut farthest = 0;
    if let Some(first) = open.first_mut() {
        first.push(Way::start(word_list));
    }
    for at in 0..=glyphs.len() {
        if at > farthest {
            break;
        }
        let mut ways = open.get_mut(at).map(std::mem::take).unwrap_or_default();
        let rest = glyphs.get(at..).unwrap_or_default();
        if at > 0 && !ways.is_empty() && !goes_on(rest) {
            let whole = |way: &Way| way.free || word_list.is_word(way.reach);
            outcome.doubtful |= ways.iter().any(whole);
            let taken = glyphs.get(..at).unwrap_or_default();
            outcome.said = words_of(&ways, word_list, taken, stretched, generous).or(outcome.said);
        }
        for way in ways.drain(..) {
            if !effort.spend(1) {
                return Outcome::default();
            }
            readings(rest, |length, reading| {
                let Some(ways) = open.get_mut(at + length) else { return };
                way.read(reading, length, rest, word_list, stretched, &mut |next| {
                    let known = ways.iter().any(|it| it.is_like(&next, word_list));
                    if ways.len() < MAX_WAYS && !known {
                        farthest = farthest.max(at + length);
                        ways.push(next);
                    }
                });
            });
        }
        if let Some(place) = open.get_mut(at) {
            *place = ways;
        }
    }
    outcome
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
        (way.free || word_list.is_word(way.reach))
            && way.is_convincing(glyphs, word_list, stretched, generous)
    };
    let mut found: Vec<&Way> = ways.iter().filter(whole).collect();
    // A mark is a letter rather than nothing, and nothing rather than any letter.
    let plainest = found.iter().map(|way| (way.censored, way.separators)).min()?;
    found.retain(|way| (way.censored, way.separators) == plainest);
    let drawn = found.iter().any(|way| way.drawn > 0);
    let strokes = found.iter().any(|way| way.strokes);
    let mut words: Vec<String> = found.into_iter().map(|way| way.word(word_list)).collect();
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
            reach: word_list.start(),
            free: false,
            ending: String::new(),
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
    fn is_like(&self, other: &Self, word_list: &WordList) -> bool {
        let same = || {
            let (letters, others) = (self.letters(word_list), other.letters(word_list));
            self.reach == other.reach && self.ending == other.ending || letters.eq(others)
        };
        self.free == other.free
            && self.separators == other.separators
            && self.censored == other.censored
            && if self.free { same() } else { self.reach == other.reach }
    }

    /// Gives the letters read so far.
    fn letters<'a>(&'a self, word_list: &'a WordList) -> impl DoubleEndedIterator<Item = char> {
        word_list.text(self.reach).chars().chain(self.ending.chars())
    }

    fn word(&self, word_list: &WordList) -> String {
        [word_list.text(self.reach), &self.ending].concat()
    }

    fn is_empty(&self) -> bool {
        self.reach.is_empty()
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
            Reading::Nothing if self.is_empty() => {}
            // "kill*" takes "killjoy", not "kill-switch".
            Reading::Nothing if self.free && self.longest_piece > 1 => {}
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
                if self.is_empty() || self.censored > 1 || self.free {
                    return;
                }
                for letter in word_list.letters(self.reach) {
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
            Reading::Drawn(_) if self.free && is_closing(rest) => {}
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
        let twice = stretched && self.letters(word_list).next_back() == Some(letter);
        let on = (!self.free).then(|| word_list.step(self.reach, letter));
        if !twice && on == Some(None) {
            return;
        }
        let mut next = self.clone();
        next.piece += 1;
        next.longest_piece = next.longest_piece.max(next.piece);
        if twice {
            emit(next.clone());
        }
        match on {
            None => next.ending.push(letter),
            Some(None) => return,
            Some(Some(reach)) => {
                next.reach = reach;
                if word_list.is_beginning(reach) {
                    emit(Self { free: true, ..next.clone() });
                }
                if stretched && let Some(reach) = word_list.step(reach, letter) {
                    emit(Self { reach, ..next.clone() });
                }
            }
        }
        emit(next);
    }

    /// Says whether so much chance is unlikely.
    fn is_convincing(
        &self,
        glyphs: &[Glyph],
        word_list: &WordList,
        stretched: bool,
        generous: bool,
    ) -> bool {
        let letters = self.itself + self.drawn;
        let length = self.letters(word_list).count();
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
