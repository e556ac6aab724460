//! The shipped packs of all languages, stored as bytes and read back: the same matcher.

#![expect(
    clippy::panic,
    clippy::unwrap_used,
    reason = "the helpers of a test report by panicking too"
)]

use std::path::{Path, PathBuf};

use redshank_matcher::{AgeGroup, Matcher, Pack, Place, Setting};

#[test]
fn what_was_read_back_finds_the_same_in_every_text_and_place() {
    let compiled = compiled();
    let read = Matcher::from_bytes(&compiled.to_bytes()).unwrap();
    let texts = texts();
    assert!(texts.len() > 10_000, "the golden sets are there");
    let mut found = 0;
    for (number, text) in texts.iter().enumerate() {
        assert_eq!(read.hits(text), compiled.hits(text), "{text}");
        let age = AgeGroup::ALL.get(number % (AgeGroup::ALL.len() + 1)).copied();
        for place in Place::ALL {
            let setting = Setting { age, ..(*place).into() };
            let expected = compiled.find_in(text, setting);
            assert_eq!(read.find_in(text, setting), expected, "{text}");
            found += expected.matches.len();
        }
    }
    assert!(found > texts.len(), "{found} matches");
}

#[test]
fn the_shipped_packs_make_the_same_bytes_however_they_came() {
    let bytes = compiled().to_bytes();
    assert!(compiled().to_bytes() == bytes, "compiled again");
    assert!(Matcher::from_bytes(&bytes).unwrap().to_bytes() == bytes, "read back");
}

fn compiled() -> Matcher {
    let packs: Vec<Pack> = files("toml")
        .into_iter()
        .filter(|file| file.components().count() == rules().components().count() + 2)
        .map(|file| {
            let name = file.strip_prefix(rules()).unwrap().to_string_lossy();
            Pack::parse(&name, &content(&file)).unwrap_or_else(|wrong| panic!("{}", wrong[0]))
        })
        .collect();
    Matcher::compile(&packs).unwrap_or_else(|wrong| panic!("{}", wrong[0]))
}

/// Gives every example of the packs and every text of the golden sets.
fn texts() -> Vec<String> {
    let mut texts = Vec::new();
    for file in files("toml") {
        let pack: toml::Table = content(&file).parse().unwrap();
        let rules = pack.get("rule").and_then(toml::Value::as_array).into_iter().flatten();
        for rule in rules {
            let examples = ["match", "miss"].into_iter().filter_map(|kind| rule.get(kind));
            let examples = examples.filter_map(toml::Value::as_array).flatten();
            texts.extend(examples.filter_map(toml::Value::as_str).map(str::to_owned));
        }
    }
    for line in files("jsonl")
        .iter()
        .flat_map(|file| content(file).lines().map(str::to_owned).collect::<Vec<_>>())
    {
        let entry: serde_json::Value = serde_json::from_str(&line).unwrap_or_default();
        texts.extend(entry.get("text").and_then(|text| text.as_str()).map(str::to_owned));
    }
    texts
}

/// Gives the files of the rules' folder that end so, in order.
fn files(ending: &str) -> Vec<PathBuf> {
    let (mut files, mut folders) = (Vec::new(), vec![rules()]);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|it| it == ending) {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}

fn rules() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../collector/rules")
}

#[expect(clippy::disallowed_methods, reason = "files of this repository have a known size")]
fn content(file: &Path) -> String {
    std::fs::read_to_string(file).unwrap()
}
