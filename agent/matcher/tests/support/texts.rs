//! The texts to disguise: the packs' own examples and the golden sets beside them.

use std::path::{Path, PathBuf};

use redshank_matcher::{Category, Matcher, Pack, Place};

/// A text and what it should raise.
#[derive(Debug, Clone)]
pub struct Text {
    pub text: String,
    pub place: Place,
    /// Nothing for a near miss.
    pub expected: Option<Category>,
}

/// Compiles the shipped English packs as if every rule saw misspellings through.
pub fn matcher() -> Matcher {
    let packs: Vec<Pack> = files("en", "toml")
        .iter()
        .map(|file| {
            let text = read(file);
            let text = match text.contains("\nmisspelt = ") {
                true => text,
                false => format!("misspelt = true\n{text}"),
            };
            let name = file.file_name().unwrap().to_string_lossy();
            Pack::parse(&name, &text).unwrap_or_else(|wrong| panic!("{}", wrong[0]))
        })
        .collect();
    Matcher::compile(&packs).unwrap_or_else(|wrong| panic!("{}", wrong[0]))
}

/// Gives every example of the packs and every text of the golden sets that somebody wrote.
pub fn texts() -> Vec<Text> {
    let mut texts = Vec::new();
    for file in files("en", "toml") {
        examples(&file, &mut texts);
    }
    for file in files("golden/en", "jsonl") {
        for line in read(&file).lines().filter(|line| !line.trim().is_empty()) {
            texts.extend(golden(line));
        }
    }
    texts
}

fn examples(file: &Path, texts: &mut Vec<Text>) {
    let pack: toml::Table = read(file).parse().unwrap();
    let category: Category = pack["category"].as_str().unwrap().parse().unwrap();
    for rule in pack["rule"].as_array().unwrap() {
        let places = rule.get("places").or_else(|| pack.get("places"));
        let named = |name: &str| {
            places
                .is_none_or(|it| it.as_array().unwrap().iter().any(|it| it.as_str() == Some(name)))
        };
        let place = match (named("search"), named("typed")) {
            (true, _) => Place::Search,
            (false, true) => Place::Typed,
            (false, false) => continue,
        };
        for (field, expected) in [("match", Some(category)), ("miss", None)] {
            let examples = rule.get(field).and_then(toml::Value::as_array);
            texts.extend(examples.into_iter().flatten().map(|text| Text {
                text: text.as_str().unwrap().to_owned(),
                place,
                expected,
            }));
        }
    }
}

fn golden(line: &str) -> Option<Text> {
    let entry: serde_json::Value = serde_json::from_str(line).unwrap();
    let place: Place = entry["kind"].as_str()?.parse().ok()?;
    let expected = match entry["expect"].as_str()? {
        "none" => None,
        category => Some(category.parse().ok()?),
    };
    let text = entry["text"].as_str()?.to_owned();
    matches!(place, Place::Search | Place::Typed).then_some(Text { text, place, expected })
}

fn files(folder: &str, ending: &str) -> Vec<PathBuf> {
    let rules = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../collector/rules");
    let Ok(entries) = std::fs::read_dir(rules.join(folder)) else { return Vec::new() };
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|it| it == ending));
    files.sort();
    files
}

#[expect(clippy::disallowed_methods, reason = "files of this repository have a known size")]
fn read(file: &Path) -> String {
    std::fs::read_to_string(file).unwrap()
}
