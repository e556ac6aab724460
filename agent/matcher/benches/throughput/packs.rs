//! The shipped packs, and packs as large as they may become.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use redshank_matcher::{Diagnostic, MAX_PACK, Pack};
use toml::{Table, Value};

/// A pack before it is read.
#[derive(Clone)]
pub(crate) struct Source {
    name: String,
    pub(crate) text: String,
}

/// Reads the packs of this repository, of all languages.
pub(crate) fn shipped() -> io::Result<Vec<Source>> {
    let rules = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../collector/rules");
    let mut sources = Vec::new();
    for language in entries(&rules)?.iter().filter(|path| path.join("suicide.toml").exists()) {
        for file in
            entries(language)?.iter().filter(|it| it.extension().is_some_and(|e| e == "toml"))
        {
            let mut text = String::new();
            File::open(file)?.take(MAX_PACK as u64).read_to_string(&mut text)?;
            let name = file.strip_prefix(&rules).unwrap_or(file).display().to_string();
            sources.push(Source { name, text });
        }
    }
    Ok(sources)
}

/// Gives the packs of one language: what a school has that names no other.
pub(crate) fn of_language(sources: &[Source], language: &str) -> Vec<Source> {
    let own = |source: &&Source| source.name.split('/').next() == Some(language);
    sources.iter().filter(own).cloned().collect()
}

/// Reads packs.
pub(crate) fn parse(sources: &[Source]) -> io::Result<Vec<Pack>> {
    let parsed = sources.iter().map(|source| Pack::parse(&source.name, &source.text));
    parsed.collect::<Result<_, _>>().map_err(|wrong| refused(&wrong))
}

pub(crate) fn refused(wrong: &[Diagnostic]) -> io::Error {
    io::Error::other(wrong.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
}

/// Keeps so many phrases of all rules, taken evenly, with all conditions of the rules that have one left.
pub(crate) fn sampled(sources: &[Source], most: usize) -> io::Result<Vec<Source>> {
    let packs: Result<Vec<Table>, _> = sources.iter().map(|source| source.text.parse()).collect();
    let mut packs = packs.map_err(io::Error::other)?;
    let all: usize = packs.iter_mut().flat_map(rules).filter_map(phrases).map(|it| it.len()).sum();
    let mut number = 0;
    for pack in &mut packs {
        for phrases in rules(pack).filter_map(phrases) {
            phrases.retain(|_| {
                number += 1;
                number * most / all > (number - 1) * most / all
            });
        }
        if let Some(rules) = pack.get_mut("rule").and_then(Value::as_array_mut) {
            let speaks = |rule: &Value| {
                let phrases = rule.get("phrases").and_then(Value::as_array);
                phrases.is_some_and(|phrases| !phrases.is_empty())
                    || rule.get("signs").is_some()
                    || rule.get("hosts").is_some()
            };
            rules.retain(speaks);
        }
    }
    let written = packs.iter().zip(sources).map(|(pack, source)| {
        let text = toml::to_string(pack).map_err(io::Error::other)?;
        Ok(Source { name: source.name.clone(), text })
    });
    written.collect()
}

fn rules(pack: &mut Table) -> impl Iterator<Item = &mut Value> {
    pack.get_mut("rule").and_then(Value::as_array_mut).into_iter().flatten()
}

fn phrases(rule: &mut Value) -> Option<&mut Vec<Value>> {
    rule.get_mut("phrases").and_then(Value::as_array_mut)
}

/// Adds copies of the packs whose rules have other ids and whose words are other words of `text`,
/// each of the same length and about as frequent, so that a copy wakes as often as the original.
/// Words of up to three letters stay: they make the grammar.
pub(crate) fn multiplied(
    sources: &[Source],
    multiple: usize,
    text: &str,
) -> io::Result<Vec<Source>> {
    let others = Others::of(text);
    let mut all = Vec::new();
    for copy in 0..multiple {
        for source in sources {
            let mut pack: Table = source.text.parse().map_err(io::Error::other)?;
            if copy > 0 {
                rewrite(&mut pack, copy, &others);
            }
            let text = toml::to_string(&pack).map_err(io::Error::other)?;
            all.push(Source { name: format!("{copy}/{}", source.name), text });
        }
    }
    Ok(all)
}

fn entries(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let entries: io::Result<Vec<PathBuf>> =
        std::fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect();
    entries.map(|mut entries| {
        entries.sort();
        entries
    })
}

fn rewrite(pack: &mut Table, copy: usize, others: &Others) {
    if let Some(Value::Table(classes)) = pack.get_mut("classes") {
        classes.iter_mut().for_each(|(_, class)| reword(class, copy, others));
    }
    for rule in rules(pack) {
        let Some(rule) = rule.as_table_mut() else { continue };
        if let Some(Value::String(id)) = rule.get_mut("id") {
            id.push_str(&format!("_{copy}"));
        }
        for field in ["phrases", "near", "unless", "maybe"] {
            rule.get_mut(field).into_iter().for_each(|list| reword(list, copy, others));
        }
        for field in ["raise", "lower"] {
            for one in rule.get_mut(field).and_then(Value::as_array_mut).into_iter().flatten() {
                one.get_mut("phrases").into_iter().for_each(|list| reword(list, copy, others));
            }
        }
    }
}

fn reword(list: &mut Value, copy: usize, others: &Others) {
    for entry in list.as_array_mut().into_iter().flatten() {
        let Value::String(phrase) = entry else { continue };
        let mut reworded = String::new();
        let mut class = false;
        for part in phrase.split_inclusive(|c: char| !c.is_ascii_alphabetic()) {
            let word = part.trim_end_matches(|c: char| !c.is_ascii_alphabetic());
            let rest = part.strip_prefix(word).unwrap_or_default();
            // The name of a class, a word with a digit or a letter outside ASCII, and one of all
            // its forms (`kill~`), which no other word may have, stay.
            let plain = !class && rest.chars().all(|c| c.is_ascii() && !matches!(c, '_' | '~'));
            reworded.push_str(if plain { others.instead_of(word, copy) } else { word });
            reworded.push_str(rest);
            class = match rest.chars().next_back() {
                Some('[') => true,
                Some(']') => false,
                _ => class,
            };
        }
        *phrase = reworded;
    }
}

/// The words of a text by length, from rare to frequent.
struct Others {
    by_length: BTreeMap<usize, Vec<(usize, String)>>,
    count: HashMap<String, usize>,
}

impl Others {
    fn of(text: &str) -> Self {
        let mut count: HashMap<String, usize> = HashMap::new();
        for word in text.split(|c: char| !c.is_ascii_alphabetic()) {
            *count.entry(word.to_ascii_lowercase()).or_default() += 1;
        }
        let mut by_length: BTreeMap<usize, Vec<(usize, String)>> = BTreeMap::new();
        for (word, times) in &count {
            by_length.entry(word.len()).or_default().push((*times, word.clone()));
        }
        by_length.values_mut().for_each(|words| words.sort());
        Self { by_length, count }
    }

    fn instead_of<'a>(&'a self, word: &'a str, copy: usize) -> &'a str {
        if word.len() < 4 {
            return word;
        }
        let Some(alike) = self.by_length.get(&word.len()) else { return word };
        let times = self.count.get(word).copied().unwrap_or(1);
        let place = alike.partition_point(|(other, _)| *other < times);
        // Neighbours in frequency, some places apart so that copies do not meet.
        let place = (place + copy * 7) % alike.len();
        alike.get(place).map_or(word, |(_, other)| other.as_str())
    }
}
