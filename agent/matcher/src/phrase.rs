//! The phrase syntax of rule packs, read into items.
//!
//! | written | means |
//! |---|---|
//! | `kill` | that word, however it is spelt with capitals, accents or look-alikes |
//! | `kill*` | any word that begins so |
//! | `kill~` | the word in every form: kill, kills, killed, killing, killin |
//! | `(end\|take my\|[verb] your) it` | one of the alternatives, of words and classes |
//! | `[method]` | any phrase of the class `method` |
//! | `the?`, `(so\|very)?`, `[name]?` | may be absent |
//! | `_` | any one word |
//! | `<3>` | up to three words |
//! | `^`, `$` | the beginning, the end of the whole text |
//!
//! A phrase lies within one sentence. It spans at most [`MAX_SPAN`] words, which is what lets the
//! engine hold every way of reading it in one 64-bit set and never go back.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::hash::BuildHasherDefault;
use std::sync::Arc;

use crate::language::{Language, Refusal};
use crate::vocabulary::{FastMap, Fnv, MAX_WORD_BYTES};
use crate::words::{SPEAKING, Words};

/// The most words a phrase can span, gaps included.
pub(crate) const MAX_SPAN: usize = 40;
/// The most alternatives in one group or class: a longer list belongs in several rules.
pub(crate) const MAX_ALTERNATIVES: usize = 400;
/// The widest gap: further apart, words have little to do with each other.
const MAX_GAP: u8 = 8;

/// One word of a phrase.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Pattern {
    /// The folded word.
    pub(crate) word: Arc<str>,
    /// Whether longer words that begin so count too.
    pub(crate) prefix: bool,
}

/// The runs of words that may stand at one position of a phrase, one behind the other.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Alternatives {
    words: Vec<Pattern>,
    /// Where each run ends among the words.
    ends: Vec<u32>,
}

/// One position of a phrase.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Item {
    /// The beginning of the text.
    Start,
    /// The end of the text.
    End,
    /// Any words, from `min` to `max` of them.
    Gap { min: u8, max: u8 },
    /// One of several runs of words, shared by all phrases of a pack that write it alike.
    Choice { alternatives: Arc<Alternatives>, optional: bool },
}

/// A phrase as read from a pack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Phrase {
    pub(crate) items: Vec<Item>,
}

impl Phrase {
    /// Gives its words if it is nothing but one run of them.
    pub(crate) fn plain_run(&self) -> Option<Vec<&Pattern>> {
        let mut words = Vec::new();
        for item in &self.items {
            let Item::Choice { alternatives, optional: false } = item else { return None };
            let mut runs = alternatives.iter();
            let (Some(run), None) = (runs.next(), runs.next()) else { return None };
            words.extend(run);
        }
        words.iter().all(|word| !word.prefix).then_some(words)
    }
}

/// What is wrong with a phrase.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PhraseError {
    /// The byte offset of the mistake in the phrase.
    pub(crate) offset: usize,
    pub(crate) message: String,
    pub(crate) help: String,
}

/// The word classes of a pack by name, the pack's language, and what was read so far.
#[derive(Debug)]
pub(crate) struct Classes {
    language: Language,
    own: HashMap<String, Arc<Alternatives>>,
    /// Built-in classes, groups and words as they are written.
    read: RefCell<FastMap<Box<str>, Arc<Alternatives>>>,
    /// Each word once.
    words: RefCell<HashSet<Arc<str>, BuildHasherDefault<Fnv>>>,
}

impl Classes {
    /// Makes a set of those classes that the language has.
    pub(crate) fn new(language: Language) -> Self {
        let (read, words) = (RefCell::default(), RefCell::default());
        Self { language, own: HashMap::new(), read, words }
    }

    /// Gives the pattern of a folded word.
    fn pattern(&self, word: &str, prefix: bool) -> Pattern {
        let mut words = self.words.borrow_mut();
        let word = words.get(word).map(Arc::clone).unwrap_or_else(|| {
            let word: Arc<str> = word.into();
            words.insert(Arc::clone(&word));
            word
        });
        Pattern { word, prefix }
    }

    /// Says whether phrases can name such a class.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.own.contains_key(name) || self.is_built_in(name)
    }

    /// Says whether the language has such a class.
    pub(crate) fn is_built_in(&self, name: &str) -> bool {
        self.language.classes().iter().any(|class| class.name == name)
    }

    /// Adds a class of the pack's own.
    pub(crate) fn add(&mut self, name: &str, alternatives: Alternatives) {
        self.own.insert(name.to_owned(), Arc::new(alternatives));
    }

    fn named(&self, name: &str) -> Option<Arc<Alternatives>> {
        if let Some(own) = self.own.get(name) {
            return Some(Arc::clone(own));
        }
        let built_in = self.language.classes().iter().find(|class| class.name == name)?;
        let read = || Ok(of_entries(built_in.phrases, self));
        self.shared(&format!("[{name}]"), read).ok()
    }

    /// Gives what was read where the same was written before, or reads it now.
    fn shared(
        &self,
        written: &str,
        read: impl FnOnce() -> Result<Alternatives, PhraseError>,
    ) -> Result<Arc<Alternatives>, PhraseError> {
        if let Some(known) = self.read.borrow().get(written) {
            return Ok(Arc::clone(known));
        }
        let alternatives = Arc::new(read()?);
        self.read.borrow_mut().insert(written.into(), Arc::clone(&alternatives));
        Ok(alternatives)
    }
}

impl Alternatives {
    /// Makes one run of each word.
    fn of_words(words: Vec<Pattern>) -> Self {
        let ends = (1..).take(words.len()).collect();
        Self { words, ends }
    }

    /// Gives how many runs there are.
    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    /// Gives a run.
    pub(crate) fn get(&self, run: usize) -> Option<&[Pattern]> {
        let end = *self.ends.get(run)? as usize;
        let start = run.checked_sub(1).and_then(|before| self.ends.get(before));
        self.words.get(start.map_or(0, |start| *start as usize)..end)
    }

    /// Gives the runs in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &[Pattern]> {
        (0..self.len()).filter_map(|run| self.get(run))
    }

    /// Gives the words of all runs.
    pub(crate) fn words(&self) -> &[Pattern] {
        &self.words
    }

    /// Gives where each run ends among the words.
    pub(crate) fn ends(&self) -> &[u32] {
        &self.ends
    }

    /// Ends the run of the words that were added last.
    fn end_run(&mut self) {
        self.ends.push(u32::try_from(self.words.len()).unwrap_or(u32::MAX));
    }

    pub(crate) fn append(&mut self, more: &Self) {
        for run in more.iter() {
            self.words.extend_from_slice(run);
            self.end_run();
        }
    }

    /// Puts each of the next runs behind each of these.
    fn followed_by(&self, next: &Self) -> Self {
        let mut all = Self::default();
        all.words.reserve(self.words.len() * next.len() + self.len() * next.words.len());
        all.ends.reserve(self.len() * next.len());
        for run in self.iter() {
            for end in next.iter() {
                all.words.extend_from_slice(run);
                all.words.extend_from_slice(end);
                all.end_run();
            }
        }
        all
    }
}

impl Phrase {
    /// Reads a phrase.
    pub(crate) fn parse(text: &str, classes: &Classes) -> Result<Self, PhraseError> {
        let items = Reader { text, at: 0, classes, bare: false }.items()?;
        let phrase = Self { items };
        phrase.check(text)?;
        Ok(phrase)
    }

    fn check(&self, text: &str) -> Result<(), PhraseError> {
        let words =
            self.items.iter().any(|item| matches!(item, Item::Choice { optional: false, .. }));
        if !words {
            return Err(error(
                0,
                "phrase has no word of its own",
                "write at least one word that is not optional",
            ));
        }
        let edge = |item: Option<&Item>| {
            matches!(item, Some(Item::Gap { .. } | Item::Choice { optional: true, .. }))
        };
        if edge(self.items.first()) || edge(self.items.last()) {
            return Err(error(
                0,
                "phrase begins or ends with something that may be absent",
                "leave it out: it changes nothing there",
            ));
        }
        for (index, item) in self.items.iter().enumerate() {
            let misplaced = match item {
                Item::Start => index != 0,
                Item::End => index + 1 != self.items.len(),
                Item::Gap { .. } | Item::Choice { .. } => false,
            };
            if misplaced {
                let offset = text.find(['^', '$']).unwrap_or(0);
                return Err(error(offset, "^ or $ inside a phrase", "^ stands first and $ last"));
            }
        }
        let span: usize = self.items.iter().map(Item::longest).sum();
        if span > MAX_SPAN {
            return Err(error(
                0,
                &format!("phrase can span {span} words"),
                &format!("shorten its gaps: at most {MAX_SPAN} words"),
            ));
        }
        Ok(())
    }
}

impl Item {
    /// The most words it can take.
    pub(crate) fn longest(&self) -> usize {
        match self {
            Self::Start | Self::End => 0,
            Self::Gap { max, .. } => usize::from(*max),
            Self::Choice { alternatives, .. } => {
                alternatives.iter().map(<[Pattern]>::len).max().unwrap_or_default()
            }
        }
    }
}

/// Reads words and nothing else, for an entry of a class: every run of words that it can make.
pub(crate) fn runs_of_words(text: &str, classes: &Classes) -> Result<Alternatives, PhraseError> {
    if text.trim().is_empty() {
        return Err(error(0, "phrase is empty", "write at least one word"));
    }
    let mut runs = Alternatives::default();
    Reader { text, at: 0, classes, bare: true }.alternative(text, 0, &mut runs)?;
    Ok(runs)
}

/// Reads the entries of a class that is built in.
pub(crate) fn of_entries(entries: &[&str], classes: &Classes) -> Alternatives {
    let mut all = Alternatives::default();
    entries
        .iter()
        .filter_map(|text| runs_of_words(text, classes).ok())
        .for_each(|runs| all.append(&runs));
    all
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    classes: &'a Classes,
    /// Whether no class may be named.
    bare: bool,
}

impl<'a> Reader<'a> {
    fn items(&mut self) -> Result<Vec<Item>, PhraseError> {
        let mut items = Vec::new();
        while let Some(c) = self.skip_blanks() {
            let item = match c {
                '^' => self.single(Item::Start),
                '$' => self.single(Item::End),
                '<' => self.gap()?,
                '(' => self.group()?,
                '[' => self.class()?,
                _ => self.word()?,
            };
            items.push(item);
        }
        if items.is_empty() {
            return Err(error(0, "phrase is empty", "write at least one word"));
        }
        Ok(items)
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn skip_blanks(&mut self) -> Option<char> {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start().len();
        self.rest().chars().next()
    }

    fn single(&mut self, item: Item) -> Item {
        self.at += 1;
        item
    }

    /// Takes what stands between the bracket here and the closing one.
    fn bracketed(&mut self, close: char) -> Result<(usize, &'a str), PhraseError> {
        let start = self.at;
        let Some(length) = self.rest().find(close) else {
            return Err(error(start, &format!("no closing \"{close}\""), "close the bracket"));
        };
        let inner = self.text.get(start + 1..start + length).unwrap_or_default();
        self.at = start + length + close.len_utf8();
        Ok((start + 1, inner))
    }

    fn optional(&mut self) -> bool {
        let optional = self.rest().starts_with('?');
        self.at += usize::from(optional);
        optional
    }

    fn gap(&mut self) -> Result<Item, PhraseError> {
        let (offset, inner) = self.bracketed('>')?;
        match inner.parse::<u8>() {
            Ok(max @ 1..=MAX_GAP) => Ok(Item::Gap { min: 0, max }),
            _ => Err(error(
                offset,
                &format!("\"<{inner}>\" is no gap"),
                &format!("write <1> to <{MAX_GAP}>: up to so many words"),
            )),
        }
    }

    fn group(&mut self) -> Result<Item, PhraseError> {
        let start = self.at;
        let (offset, inner) = self.bracketed(')')?;
        let alternatives = self.classes.shared(self.written(start), || {
            let mut alternatives = Alternatives::default();
            let mut at = offset;
            for alternative in inner.split('|') {
                self.alternative(alternative, at, &mut alternatives)?;
                at += alternative.len() + 1;
            }
            Ok(alternatives)
        })?;
        self.choice(alternatives, offset)
    }

    /// Gives what was taken since `start`.
    fn written(&self, start: usize) -> &'a str {
        self.text.get(start..self.at).unwrap_or_default()
    }

    /// Reads words and classes into every run of words that they can make.
    fn alternative(
        &self,
        text: &str,
        offset: usize,
        all: &mut Alternatives,
    ) -> Result<(), PhraseError> {
        let empty = || error(offset, "alternative is empty", "write a word or drop the |");
        if !text.contains(['~', '[']) {
            // Words alone make one run.
            let from = all.words.len();
            for (at, written) in parts(text) {
                all.words.push(pattern(written, offset + at, self.classes)?);
            }
            all.end_run();
            return if all.words.len() > from { Ok(()) } else { Err(empty()) };
        }
        let mut runs: Option<Arc<Alternatives>> = None;
        for (at, written) in parts(text) {
            let class = written.strip_prefix('[').and_then(|name| name.strip_suffix(']'));
            let next = match class {
                Some(name) => self.named(name, offset + at + 1)?,
                None => self.words(written, offset + at)?,
            };
            if runs.as_ref().map_or(1, |runs| runs.len()) * next.len() > MAX_ALTERNATIVES {
                let message = format!("over {MAX_ALTERNATIVES} alternatives in one group");
                return Err(error(offset, &message, "split the rule"));
            }
            runs = Some(runs.map_or_else(|| Arc::clone(&next), |it| it.followed_by(&next).into()));
        }
        all.append(&*runs.ok_or_else(empty)?);
        Ok(())
    }

    fn words(&self, written: &str, offset: usize) -> Result<Arc<Alternatives>, PhraseError> {
        self.classes.shared(written, || {
            Ok(Alternatives::of_words(patterns(written, offset, self.classes)?))
        })
    }

    fn class(&mut self) -> Result<Item, PhraseError> {
        let (offset, name) = self.bracketed(']')?;
        let alternatives = self.named(name, offset)?;
        self.choice(alternatives, offset)
    }

    fn named(&self, name: &str, offset: usize) -> Result<Arc<Alternatives>, PhraseError> {
        let class = if self.bare { None } else { self.classes.named(name) };
        class.ok_or_else(|| {
            let own = self.classes.own.keys().map(String::as_str);
            let built_in = self.classes.language.classes().iter().map(|class| class.name);
            let mut known: Vec<&str> = own.chain(built_in.filter(|_| !self.bare)).collect();
            known.sort_unstable();
            let known = known.join(", ");
            error(
                offset,
                &format!("unknown class \"{name}\""),
                &format!("define it under [classes] or use one of {known}"),
            )
        })
    }

    fn choice(
        &mut self,
        alternatives: Arc<Alternatives>,
        offset: usize,
    ) -> Result<Item, PhraseError> {
        if alternatives.len() > MAX_ALTERNATIVES {
            return Err(error(
                offset,
                &format!("{} alternatives", alternatives.len()),
                &format!("keep to {MAX_ALTERNATIVES}: split the rule"),
            ));
        }
        Ok(Item::Choice { alternatives, optional: self.optional() })
    }

    fn word(&mut self) -> Result<Item, PhraseError> {
        let offset = self.at;
        let rest = self.rest();
        let length = rest
            .find(|c: char| c.is_whitespace() || matches!(c, '(' | '[' | '<' | '^' | '$' | '?'))
            .unwrap_or(rest.len());
        let written = rest.get(..length).unwrap_or_default();
        self.at += length;
        if written == "_" {
            return Ok(Item::Gap { min: 1, max: 1 });
        }
        let alternatives = self.words(written, offset)?;
        self.choice(alternatives, offset)
    }
}

/// Gives what blanks part, and where in the text each begins.
fn parts(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let begins = text.as_ptr().addr();
    text.split_whitespace().map(move |part| (part.as_ptr().addr() - begins, part))
}

/// Reads one written word into the words that it stands for: several if it is written with `~`.
fn patterns(written: &str, offset: usize, classes: &Classes) -> Result<Vec<Pattern>, PhraseError> {
    let Some(stem) = written.strip_suffix('~') else {
        return Ok(vec![pattern(written, offset, classes)?]);
    };
    if stem.ends_with('*') {
        let help = "write one of the two: * finds whatever begins so, ~ the forms of the word";
        return Err(error(offset, &format!("\"{written}\" has both * and ~"), help));
    }
    let plain = pattern(stem, offset, classes)?;
    let Some(forms) = classes.language.forms(&plain.word) else {
        let message = format!("\"{written}\": ~ is not known in this language");
        let help = "write each form, as (one|other), or their common beginning with *";
        return Err(error(offset, &message, help));
    };
    let forms = forms.map_err(|refusal| {
        let (message, help) = match refusal {
            Refusal::NoLetters => (
                format!("\"{written}\" has no forms"),
                "write ~ after a word of two or more letters from a to z".to_owned(),
            ),
            Refusal::Inflected(of) => (
                format!("\"{written}\" is no plain form"),
                format!(
                    "write {} or, without ~, each form that is meant",
                    of.map_or("the plain form (kill~ for killing)".to_owned(), |of| format!(
                        "{of}~"
                    ))
                ),
            ),
        };
        error(offset, &message, &help)
    })?;
    Ok(forms.into_iter().map(|word| classes.pattern(&word, false)).collect())
}

/// Folds one written word, which must stay one word.
fn pattern(written: &str, offset: usize, classes: &Classes) -> Result<Pattern, PhraseError> {
    let (stem, prefix) = match written.strip_suffix('*') {
        Some(stem) => (stem, true),
        None => (written, false),
    };
    // What nearly all words are, they stay when folded.
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    if (3..=MAX_WORD_BYTES).contains(&stem.len()) && stem.bytes().all(plain) {
        return Ok(classes.pattern(stem, prefix));
    }
    let words = Words::of(stem);
    let mut texts = words.texts();
    match (texts.next(), texts.next()) {
        (Some(word), None)
            if stem.chars().all(|c| {
                c.is_alphanumeric() || "'’\u{FE0F}".contains(c) || SPEAKING.contains(&c)
            }) =>
        {
            if word.len() > MAX_WORD_BYTES {
                return Err(error(
                    offset,
                    "word is too long",
                    &format!("keep to {MAX_WORD_BYTES} bytes"),
                ));
            }
            if prefix && word.chars().count() < 3 {
                return Err(error(
                    offset,
                    &format!("\"{written}\" begins too many words"),
                    "write at least three letters before *",
                ));
            }
            Ok(classes.pattern(word, prefix))
        }
        _ => Err(error(
            offset,
            &format!("\"{written}\" is not one word"),
            "write letters and digits, a blank where a hyphen or full stop stands, * or ~ only at the end",
        )),
    }
}

fn error(offset: usize, message: &str, help: &str) -> PhraseError {
    PhraseError { offset, message: message.to_owned(), help: help.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn phrases_read_as_written() {
        let phrase = parse("Kill* <3> (my self|a [pet]) _ the? [pet] $").unwrap();
        assert_eq!(
            phrase.items,
            vec![
                choice(&["kill*"], false),
                Item::Gap { min: 0, max: 3 },
                choice(&["my self", "a cat", "a guinea pig*"], false),
                Item::Gap { min: 1, max: 1 },
                choice(&["the"], true),
                choice(&["cat", "guinea pig*"], false),
                Item::End,
            ]
        );
    }

    #[test]
    fn a_word_stands_for_its_forms_wherever_a_word_may_stand() {
        let stabs = ["stab", "stabs", "stabbed", "stabbing", "stabbin"];
        let with = |rest: &str| stabs.map(|form| format!("{form}{rest}"));
        for (text, expected) in [
            ("stab~", choice(&stabs, false)),
            ("(stab~ me|hit)", {
                let mut runs = with(" me").to_vec();
                runs.push("hit".to_owned());
                choice(&runs.iter().map(String::as_str).collect::<Vec<_>>(), false)
            }),
            (
                "[attack]",
                choice(&with(" up").iter().map(String::as_str).collect::<Vec<_>>(), false),
            ),
        ] {
            assert_eq!(parse(text).unwrap().items, [expected], "{text}");
        }
        let optional = parse("dont stab~? me").unwrap();
        assert_eq!(optional.items[1], choice(&stabs, true));
    }

    #[test]
    fn mistakes_are_explained_where_they_stand() {
        for (text, offset, message) in [
            ("", 0, "phrase is empty"),
            ("   ", 0, "phrase is empty"),
            ("kill [method]", 6, "unknown class \"method\""),
            ("kill (my", 5, "no closing \")\""),
            ("(a||b)", 3, "alternative is empty"),
            ("(a|my [cat])", 7, "unknown class \"cat\""),
            ("kill <9> me", 6, "\"<9>\" is no gap"),
            ("self-harm", 0, "\"self-harm\" is not one word"),
            ("ki* me", 0, "\"ki*\" begins too many words"),
            ("<2> me", 0, "phrase begins or ends with something that may be absent"),
            ("me you?", 0, "phrase begins or ends with something that may be absent"),
            ("a ^ b", 2, "^ or $ inside a phrase"),
            ("i kill*~", 2, "\"kill*~\" has both * and ~"),
            ("(a|killed~)", 3, "\"killed~\" is no plain form"),
            ("i~ go", 0, "\"i~\" has no forms"),
            ("ki~ll", 0, "\"ki~ll\" is not one word"),
            ("(take~ go~ see~ be~)", 1, "over 400 alternatives in one group"),
            ("a <8> b <8> c <8> d <8> e <8> f", 0, "phrase can span 46 words"),
        ] {
            let wrong = parse(text).unwrap_err();
            assert_eq!((wrong.offset, wrong.message.as_str()), (offset, message), "{text:?}");
            assert!(!wrong.help.is_empty());
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_explained(text in "[a-c ()|<>\\[\\]^$?*~_1-9é-]{0,24}") {
            if let Err(wrong) = parse(&text) {
                prop_assert!(text.is_char_boundary(wrong.offset));
            }
        }
    }

    fn parse(text: &str) -> Result<Phrase, PhraseError> {
        Phrase::parse(text, &classes())
    }

    fn classes() -> Classes {
        let mut classes = Classes::new(Language::English);
        for (name, entries) in [("pet", vec!["cat", "guinea pig*"]), ("attack", vec!["stab~ up"])] {
            let alternatives = of_entries(&entries, &classes);
            classes.add(name, alternatives);
        }
        classes
    }

    fn choice(entries: &[&str], optional: bool) -> Item {
        let alternatives = Arc::new(of_entries(entries, &classes()));
        assert!(alternatives.len() >= entries.len(), "every entry is read");
        Item::Choice { alternatives, optional }
    }
}
