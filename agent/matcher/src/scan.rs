//! A text read into a view in one pass, with the tokens that deserve a second look.
//!
//! What stands between ASCII characters other than letters, digits and apostrophes is a chunk. A
//! chunk of ASCII letters and digits is one word, and is cut, hashed and held against the lexicon's
//! bit fields without a loop over its bytes. Any other chunk ("don't", "naïve", "кіll") is cut by
//! [`Words`], whose result is the same for every chunk: no word reaches beyond its chunk.
//!
//! Two lists come out beside the tokens: those on which a phrase hangs, and those at which a
//! disguise may be. Neither ever lacks one; both may hold some that turn out to be nothing.

use std::ops::Range;

use crate::block::{BEFORE, BLOCK, Kinds};
use crate::glance::stands_for_letter;
use crate::key::Key;
use crate::lexicon::{Lexicon, Purpose};
use crate::view::View;
use crate::words::{Gap, Joint, Word, Words};

/// Bytes of a text for which room for a token is made: English has one in five and a half.
const BYTES_PER_TOKEN: usize = 5;

/// A text as read.
#[derive(Debug)]
pub(crate) struct Scan<'a> {
    pub(crate) view: View<'a>,
    /// The tokens that wake a phrase for the purpose of the reading, in order.
    pub(crate) waking: Vec<u32>,
    /// The tokens that may be disguised or that hang together with the one before, in order:
    /// whatever `glance::unmask` could undo begins at one of them or at the token before it.
    pub(crate) suspects: Vec<u32>,
}

/// Reads a text, which is shorter than 4 GiB.
pub(crate) fn scan<'a>(text: &'a str, lexicon: &'a Lexicon, purpose: Purpose) -> Scan<'a> {
    let mut view = View::of_text(text, Some(lexicon));
    view.reserve(text.len() / BYTES_PER_TOKEN + 1);
    let mut scanner = Scanner {
        text,
        lexicon,
        purpose,
        scan: Scan { view, waking: Vec::new(), suspects: Vec::new() },
        last: Last::default(),
        gap: None,
        sentence: false,
        open: None,
    };
    let bytes = text.as_bytes();
    let (mut at, mut newline) = (0, false);
    // The first block has nothing before it, the last is filled with blanks: one at least, which
    // closes the last chunk.
    scanner.block(0, Kinds::of(&edge(bytes, 0), &mut newline));
    while at + BLOCK <= bytes.len() {
        at += BLOCK;
        let kinds = match bytes.get(at - BEFORE..).and_then(<[u8]>::first_chunk) {
            Some(window) => Kinds::of(window, &mut newline),
            None => Kinds::of(&edge(bytes, at), &mut newline),
        };
        scanner.block(at, kinds);
    }
    scanner.scan
}

/// Gives the window of a block at the text's beginning or end.
fn edge(bytes: &[u8], at: usize) -> [u8; BEFORE + BLOCK] {
    let mut window = [b' '; BEFORE + BLOCK];
    for (index, to) in window.iter_mut().enumerate() {
        match (at + index).checked_sub(BEFORE).map(|at| bytes.get(at)) {
            Some(Some(byte)) => *to = *byte,
            Some(None) => {}
            // No byte of a text: it is like none.
            None => *to = 0xff,
        }
    }
    window
}

struct Scanner<'a> {
    text: &'a str,
    lexicon: &'a Lexicon,
    purpose: Purpose,
    scan: Scan<'a>,
    last: Last,
    /// The gap since the last word, up to the end of the last chunk; nothing if that chunk was a
    /// plain word.
    gap: Option<Gap>,
    /// Whether a sentence ended since the last chunk, in blocks before this one.
    sentence: bool,
    /// A chunk that reaches into the next block.
    open: Option<Open>,
}

/// The end of what was read, and the word there.
#[derive(Debug, Clone, Copy, Default)]
struct Last {
    /// Where the last chunk ended, in bytes.
    end: usize,
    /// Whether the last token has one letter.
    letter: bool,
    /// Whether there is a token before.
    any: bool,
}

/// What is known of a chunk so far.
#[derive(Debug, Clone, Copy)]
struct Open {
    start: usize,
    odd: bool,
    unusual: bool,
    sentence: bool,
}

impl Scanner<'_> {
    fn block(&mut self, at: usize, kinds: Kinds) {
        let chunks = kinds.plain | kinds.odd;
        let before = chunks << 1 | u64::from(self.open.is_some());
        let mut starts = chunks & !before;
        let mut ends = !chunks & before;
        // What stands in this block before `from` belongs to chunks that are done with.
        let mut from = 0;
        let mut open = self.open.take();
        loop {
            let chunk = match open.take() {
                Some(chunk) => chunk,
                None if starts == 0 => break,
                None => {
                    let start = starts.trailing_zeros();
                    starts &= starts - 1;
                    let gap = below(start) & !below(from);
                    let sentence = self.sentence | (kinds.sentence & gap != 0);
                    self.sentence = false;
                    from = start;
                    Open { start: at + start as usize, odd: false, unusual: false, sentence }
                }
            };
            let end = ends.trailing_zeros();
            let inside = below(end) & !below(from);
            let odd = chunk.odd | (kinds.odd & inside != 0);
            let unusual = chunk.unusual | (kinds.unusual & inside != 0);
            if ends == 0 {
                self.open = Some(Open { odd, unusual, ..chunk });
                return;
            }
            ends &= ends - 1;
            from = end;
            let range = chunk.start..at + end as usize;
            if odd {
                self.odd_chunk(range);
            } else if self.gap.is_some() {
                self.word_after_odd(range, unusual);
            } else {
                self.word(range, chunk.sentence, unusual);
            }
        }
        self.sentence |= kinds.sentence & !below(from) != 0;
    }

    /// Takes in a plain word after a plain gap.
    #[inline(always)]
    fn word(&mut self, range: Range<usize>, sentence: bool, unusual: bool) {
        let bytes = self.text.as_bytes();
        let before = range.start.checked_sub(1).and_then(|at| bytes.get(at)).copied();
        let letter = range.len() == 1;
        if unusual || before != Some(b' ') || letter && self.last.letter {
            let alone = range.start == self.last.end + 1;
            let joint = match before {
                _ if !self.last.any || !alone => Joint::Loose,
                Some(byte) if is_white(byte) => Joint::Blank,
                _ => Joint::Tight,
            };
            self.suspect(joint, before.map(char::from), letter, || {
                unusual && is_unusual(bytes.get(range.clone()).unwrap_or_default())
            });
        }
        self.push(range, sentence && self.last.any, letter);
    }

    /// Takes in a plain word after a gap that has been read in part.
    #[cold]
    fn word_after_odd(&mut self, range: Range<usize>, unusual: bool) {
        let gap = self.gap_before(range.start);
        let joint = gap.joint(!self.last.any);
        let bytes = self.text.as_bytes();
        let letter = range.len() == 1;
        self.suspect(joint, gap.lead(), letter, || {
            unusual && is_unusual(bytes.get(range.clone()).unwrap_or_default())
        });
        self.push(range, joint == Joint::Sentence, letter);
        if gap.parts() {
            self.scan.view.begin_part();
        }
    }

    #[inline(always)]
    fn push(&mut self, range: Range<usize>, sentence: bool, letter: bool) {
        let key = Key::of_plain(self.text.as_bytes(), range.start, range.end);
        let token = self.scan.view.len();
        self.scan.view.push_unread((offset_of(range.start), offset_of(range.end)), sentence);
        self.last = Last { end: range.end, letter, any: true };
        if self.lexicon.may_wake(&key, self.purpose) {
            self.wake(token);
        }
    }

    #[inline(never)]
    fn wake(&mut self, token: usize) {
        if self.scan.view.wakes(token, self.purpose) {
            self.scan.waking.push(offset_of(token));
        }
    }

    /// Takes in a chunk that is more than a plain word, or less.
    fn odd_chunk(&mut self, range: Range<usize>) {
        let gap = self.gap_before(range.start);
        let end = range.end;
        let (words, gap) = Words::of_part(self.text, range, gap, !self.last.any);
        for word in words.as_slice() {
            self.folded_word(words.text(word), word);
        }
        self.gap = Some(gap);
        self.last.end = end;
    }

    fn folded_word(&mut self, text: &str, word: &Word) {
        let letter = is_letter(text);
        self.suspect(word.joint, word.lead, letter, || is_unusual_text(text));
        let set = self.lexicon.set_of(&Key::of_folded(text.as_bytes()), text.as_bytes());
        let token = self.scan.view.len();
        self.scan.view.push_known((word.start, word.end), word.joint == Joint::Sentence, set);
        if word.part {
            self.scan.view.begin_part();
        }
        self.last.letter = letter;
        self.last.any = true;
        self.wake(token);
    }

    /// Gives the gap that ends at `start`, where a chunk begins.
    fn gap_before(&mut self, start: usize) -> Gap {
        let mut gap = self.gap.take().unwrap_or_default();
        let bytes = self.text.as_bytes();
        for byte in bytes.get(self.last.end..start).unwrap_or_default() {
            gap.see(char::from(byte.to_ascii_lowercase()));
        }
        gap
    }

    /// Notes the next token if it may be disguised.
    #[inline(never)]
    fn suspect(
        &mut self,
        joint: Joint,
        lead: Option<char>,
        letter: bool,
        unusual: impl FnOnce() -> bool,
    ) {
        let hangs = match joint {
            Joint::Tight => true,
            Joint::Blank => letter && self.last.letter,
            Joint::Loose | Joint::Sentence => false,
        };
        if hangs || lead.is_some_and(stands_for_letter) || unusual() {
            self.scan.suspects.push(offset_of(self.scan.view.len()));
        }
    }
}

/// The bits below one, all for 64.
#[inline]
fn below(bit: u32) -> u64 {
    1_u64.checked_shl(bit).unwrap_or(0).wrapping_sub(1)
}

fn is_white(byte: u8) -> bool {
    char::from(byte).is_whitespace() && byte.is_ascii()
}

/// Says whether a plain word has digits among letters, or three of a letter.
pub(crate) fn is_unusual(word: &[u8]) -> bool {
    let digits = word.iter().filter(|byte| byte.is_ascii_digit()).count();
    let thrice = |three: &[u8]| matches!(three, [a, b, c] if a.eq_ignore_ascii_case(b) && b.eq_ignore_ascii_case(c));
    digits < word.len() && (digits > 0 || word.windows(3).any(thrice))
}

/// The same of a folded word.
fn is_unusual_text(word: &str) -> bool {
    let digits = word.bytes().filter(u8::is_ascii_digit).count();
    let (mut last, mut run) = (None, 0);
    let mut thrice = word.chars().map(|c| {
        run = if last == Some(c) { run + 1 } else { 1 };
        last = Some(c);
        run == 3
    });
    digits < word.len() && (digits > 0 || thrice.any(|thrice| thrice))
}

fn is_letter(text: &str) -> bool {
    text.chars().nth(1).is_none()
}

/// Offsets fit: a text is cut at [`crate::MAX_TEXT`] before it comes here.
fn offset_of(offset: usize) -> u32 {
    u32::try_from(offset).unwrap_or(u32::MAX)
}
