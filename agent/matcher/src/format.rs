//! The shape of a rule pack in TOML, before anything is checked. Unknown fields are refused: a
//! misspelt condition must not silently widen a rule. The `README.md` beside the packs explains
//! every field to those who edit them.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::ops::Deref;

use serde::Deserialize;
use toml::Spanned;

/// A string and where it stands.
pub(crate) type Text<'a> = Spanned<Written<'a>>;

/// A string of the file, copied only if it is written with escapes.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(transparent)]
pub(crate) struct Written<'a>(#[serde(borrow)] Cow<'a, str>);

impl Written<'_> {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl Deref for Written<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Written<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawPack<'a> {
    pub(crate) format: Spanned<u32>,
    #[serde(borrow)]
    pub(crate) category: Text<'a>,
    #[serde(borrow)]
    pub(crate) language: Text<'a>,
    pub(crate) version: u32,
    #[serde(borrow)]
    pub(crate) reviewed: Text<'a>,
    /// "reviewed" or "unreviewed"; a pack that does not say is unreviewed.
    #[serde(borrow)]
    pub(crate) status: Option<Text<'a>>,
    /// Where the rules look unless they say so themselves; everywhere if absent.
    #[serde(borrow, default)]
    pub(crate) places: Vec<Text<'a>>,
    /// What the rules say of misspellings unless they say so themselves; not seen through if absent.
    pub(crate) misspelt: Option<bool>,
    /// What a long text does to a match unless the rules say so themselves; nothing if absent.
    #[serde(borrow)]
    pub(crate) prose: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub(crate) classes: BTreeMap<Written<'a>, Vec<Text<'a>>>,
    #[serde(borrow, default, rename = "rule")]
    pub(crate) rules: Vec<RawRule<'a>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawRule<'a> {
    #[serde(borrow)]
    pub(crate) id: Text<'a>,
    pub(crate) severity: Spanned<u8>,
    #[serde(borrow)]
    pub(crate) note: Text<'a>,
    #[serde(borrow, default)]
    pub(crate) phrases: Vec<Text<'a>>,
    #[serde(borrow, default)]
    pub(crate) hosts: Vec<Text<'a>>,
    #[serde(borrow)]
    pub(crate) source: Option<Text<'a>>,
    /// Phrases with their points, for or against.
    #[serde(borrow, default)]
    pub(crate) signs: BTreeMap<Text<'a>, Spanned<i32>>,
    pub(crate) points: Option<Spanned<i32>>,
    pub(crate) balanced: Option<Spanned<bool>>,
    #[serde(borrow, default)]
    pub(crate) near: Vec<Text<'a>>,
    pub(crate) within: Option<Spanned<usize>>,
    #[serde(borrow, default)]
    pub(crate) unless: Vec<Text<'a>>,
    #[serde(borrow, default)]
    pub(crate) maybe: Vec<Text<'a>>,
    #[serde(default)]
    pub(crate) first_person: bool,
    #[serde(borrow)]
    pub(crate) about_other: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) negation: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) quoted: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) prose: Option<Text<'a>>,
    pub(crate) seeks_method: Option<Spanned<bool>>,
    #[serde(borrow, default)]
    pub(crate) ages: Vec<Text<'a>>,
    #[serde(borrow, default)]
    pub(crate) places: Vec<Text<'a>>,
    pub(crate) misspelt: Option<bool>,
    #[serde(borrow, default)]
    pub(crate) raise: Vec<RawAdjustment<'a>>,
    #[serde(borrow, default)]
    pub(crate) lower: Vec<RawAdjustment<'a>>,
    #[serde(borrow, default, rename = "match")]
    pub(crate) matching: Vec<Text<'a>>,
    #[serde(borrow, default, rename = "miss")]
    pub(crate) missing: Vec<Text<'a>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawAdjustment<'a> {
    #[serde(borrow)]
    pub(crate) reason: Text<'a>,
    pub(crate) by: Option<Spanned<u8>>,
    #[serde(borrow, default)]
    pub(crate) phrases: Vec<Text<'a>>,
    pub(crate) within: Option<Spanned<usize>>,
    #[serde(default)]
    pub(crate) first_person: bool,
    pub(crate) seeks_method: Option<Spanned<bool>>,
    #[serde(borrow, default)]
    pub(crate) ages: Vec<Text<'a>>,
    #[serde(borrow, default)]
    pub(crate) places: Vec<Text<'a>>,
}
