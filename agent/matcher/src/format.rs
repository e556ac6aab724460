//! The shape of a rule pack in TOML, before anything is checked. Unknown fields are refused: a
//! misspelt condition must not silently widen a rule. The `README.md` beside the packs explains
//! every field to those who edit them.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

/// A string and where it stands.
pub(crate) type Text = Spanned<String>;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawPack {
    pub(crate) format: Spanned<u32>,
    pub(crate) category: Text,
    pub(crate) language: Text,
    pub(crate) version: u32,
    pub(crate) reviewed: Text,
    /// "reviewed" or "unreviewed"; a pack that does not say is unreviewed.
    pub(crate) status: Option<Text>,
    /// Where the rules look unless they say so themselves; everywhere if absent.
    #[serde(default)]
    pub(crate) places: Vec<Text>,
    /// What the rules say of misspellings unless they say so themselves; not seen through if absent.
    pub(crate) misspelt: Option<bool>,
    /// What a long text does to a match unless the rules say so themselves; nothing if absent.
    pub(crate) prose: Option<Text>,
    #[serde(default)]
    pub(crate) classes: BTreeMap<String, Vec<Text>>,
    #[serde(default, rename = "rule")]
    pub(crate) rules: Vec<RawRule>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawRule {
    pub(crate) id: Text,
    pub(crate) severity: Spanned<u8>,
    pub(crate) note: Text,
    #[serde(default)]
    pub(crate) phrases: Vec<Text>,
    #[serde(default)]
    pub(crate) hosts: Vec<Text>,
    pub(crate) source: Option<Text>,
    /// Phrases with their points, for or against.
    #[serde(default)]
    pub(crate) signs: BTreeMap<Text, Spanned<i32>>,
    pub(crate) points: Option<Spanned<i32>>,
    #[serde(default)]
    pub(crate) near: Vec<Text>,
    pub(crate) within: Option<Spanned<usize>>,
    #[serde(default)]
    pub(crate) unless: Vec<Text>,
    #[serde(default)]
    pub(crate) maybe: Vec<Text>,
    #[serde(default)]
    pub(crate) first_person: bool,
    pub(crate) about_other: Option<Text>,
    pub(crate) negation: Option<Text>,
    pub(crate) quoted: Option<Text>,
    pub(crate) prose: Option<Text>,
    pub(crate) seeks_method: Option<Spanned<bool>>,
    #[serde(default)]
    pub(crate) ages: Vec<Text>,
    #[serde(default)]
    pub(crate) places: Vec<Text>,
    pub(crate) misspelt: Option<bool>,
    #[serde(default)]
    pub(crate) raise: Vec<RawAdjustment>,
    #[serde(default)]
    pub(crate) lower: Vec<RawAdjustment>,
    #[serde(default, rename = "match")]
    pub(crate) matching: Vec<Text>,
    #[serde(default, rename = "miss")]
    pub(crate) missing: Vec<Text>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawAdjustment {
    pub(crate) reason: Text,
    pub(crate) by: Option<Spanned<u8>>,
    #[serde(default)]
    pub(crate) phrases: Vec<Text>,
    pub(crate) within: Option<Spanned<usize>>,
    #[serde(default)]
    pub(crate) first_person: bool,
    pub(crate) seeks_method: Option<Spanned<bool>>,
    #[serde(default)]
    pub(crate) ages: Vec<Text>,
    #[serde(default)]
    pub(crate) places: Vec<Text>,
}
