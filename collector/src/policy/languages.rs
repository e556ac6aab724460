//! In which languages a school's rule packs are.
//!
//! English is used unless a school says otherwise, although no safeguarding professional has reviewed its packs yet
//! either: a school without any would see nothing. A further language is used only where the school's file names it,
//! because somebody there must be able to read what it raises, and should have read its packs first.

use std::collections::BTreeMap;
use std::fmt;

use redshank_proto::v1;

use super::Rules;

/// The language of a school that says nothing.
const USUAL: &str = "en";

/// Languages, as BCP 47 tags.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Languages(Vec<String>);

impl Default for Languages {
    fn default() -> Self {
        Self(vec![USUAL.to_owned()])
    }
}

impl fmt::Display for Languages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join(", "))
    }
}

impl FromIterator<String> for Languages {
    fn from_iter<I: IntoIterator<Item = String>>(languages: I) -> Self {
        Self(languages.into_iter().collect())
    }
}

impl Languages {
    /// Whether a language is among them.
    #[must_use]
    pub fn have(&self, language: &str) -> bool {
        self.0.iter().any(|it| it == language)
    }
}

/// A rule pack that passed its own examples.
#[derive(Debug, Clone, PartialEq)]
pub struct SoundPack {
    /// The pack as agents get it.
    pub pack: v1::RulePack,
    /// The language that it says it is in.
    pub language: &'static str,
    /// Whether it says that a safeguarding professional reviewed it.
    pub reviewed: bool,
}

impl Rules {
    /// The packs in these languages, as agents get them.
    #[must_use]
    pub fn packs_in(&self, languages: &Languages) -> Vec<v1::RulePack> {
        let packs = self.packs.iter().filter(|it| languages.have(it.language));
        packs.map(|it| it.pack.clone()).collect()
    }

    /// The languages that there are packs in, in the order of their tags.
    #[must_use]
    pub fn languages(&self) -> Vec<&'static str> {
        self.by_language().into_keys().collect()
    }

    /// What people are told of the packs in each of these languages, a line each: `en: 21 rule packs, none reviewed`.
    #[must_use]
    pub fn told_of(&self, languages: Option<&Languages>) -> Vec<String> {
        let used = |language: &str| languages.is_none_or(|it| it.have(language));
        self.by_language()
            .into_iter()
            .filter(|(language, _)| used(language))
            .map(|(language, packs)| {
                format!("{language}: {} rule packs, {}", packs.len(), review(&packs))
            })
            .collect()
    }

    fn by_language(&self) -> BTreeMap<&'static str, Vec<&SoundPack>> {
        let mut languages: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for pack in &self.packs {
            languages.entry(pack.language).or_default().push(pack);
        }
        languages
    }
}

fn review(packs: &[&SoundPack]) -> String {
    let unreviewed: Vec<&str> =
        packs.iter().filter(|it| !it.reviewed).map(|it| it.pack.name.as_str()).collect();
    if unreviewed.is_empty() {
        "all reviewed by a safeguarding professional".to_owned()
    } else if unreviewed.len() == packs.len() {
        "none reviewed by a safeguarding professional".to_owned()
    } else {
        format!("not reviewed by a safeguarding professional: {}", unreviewed.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    #[test]
    fn only_packs_in_the_languages_named_are_used() {
        let rules = rules();
        let names = |languages: &[&str]| -> Vec<String> {
            let languages = languages.iter().map(|it| (*it).to_owned()).collect();
            rules.packs_in(&languages).into_iter().map(|pack| pack.name).collect()
        };
        assert_eq!(names(&["cy", "en"]), ["cy/a.toml", "cy/b.toml", "en/a.toml"]);
        assert_eq!(names(&["en"]), ["en/a.toml"]);
        assert_eq!(names(&["fr"]), [""; 0]);
        assert_eq!(rules.packs_in(&Languages::default()), rules.packs_in(&usual()));
    }

    #[test]
    fn unreviewed_packs_are_told_of_by_language() {
        assert_eq!(rules().languages(), ["cy", "en", "pl"]);
        let cy = "cy: 2 rule packs, not reviewed by a safeguarding professional: cy/b.toml";
        let en = "en: 1 rule packs, none reviewed by a safeguarding professional";
        let pl = "pl: 1 rule packs, all reviewed by a safeguarding professional";
        assert_eq!(rules().told_of(None), [cy, en, pl]);
        assert_eq!(rules().told_of(Some(&usual())), [en]);
    }

    fn usual() -> Languages {
        [USUAL.to_owned()].into_iter().collect()
    }

    fn rules() -> Rules {
        let pack = |name: &str, language, reviewed| SoundPack {
            pack: v1::RulePack { name: name.to_owned(), text: String::new() },
            language,
            reviewed,
        };
        Rules {
            packs: vec![
                pack("cy/a.toml", "cy", true),
                pack("cy/b.toml", "cy", false),
                pack("en/a.toml", "en", false),
                pack("pl/a.toml", "pl", true),
            ],
            private_list: Vec::new(),
            programs: Vec::new(),
            severities: HashMap::new(),
        }
    }
}
