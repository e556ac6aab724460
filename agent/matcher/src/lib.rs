//! Finds the phrases of safeguarding rule packs in text, in linear time.
//!
//! # What always holds
//! - Pure: no file, clock, socket or randomness; the same packs and text give the same findings.
//!   It also compiles for wasm32.
//! - Linear: the time for a text is bounded by its length times a constant of the packs. No rule
//!   can make it slow, because no phrase spans more than 40 words, no condition looks further than
//!   50, and nothing is tried twice.
//! - A match names bytes of the original text, on character bounds, whatever was folded.
//! - At most [`MAX_TEXT`] bytes are read, and [`Findings::cut_at`] says when that was less than all.
//!
//! # From text to match
//! ```text
//! text ─► words ─► plain view ────────┐
//!           │      (ids of the packs' ├─► phrases hung on their ─► judgement ─► matches,
//!           └────► unmasked view ─────┘   rarest words              near, unless,  folded
//!                  (only if disguised)                              maybe, persons by rule
//! ```
//! `fold` draws every character to what a reader sees; `words` cuts and remembers offsets;
//! `disguise` undoes digits for letters, spread and stretched words; `phrase_set` finds phrases;
//! `judgement` holds a hit against its rule's conditions. Ordinary text has few words of the packs
//! and wakes nearly nothing.
//!
//! What is not seen through: words written without any blank ("iwanttodie"), letters left out or
//! censored ("k*ll"), reversed text, and misspellings that keep no rule.
//!
//! # Packs
//! TOML, one file per category and language, read by [`Pack::parse`], tried against their own
//! examples by [`lint()`], compiled by [`Matcher::compile`]. The format is explained in the
//! `README.md` beside the shipped packs (`collector/rules`), the phrase syntax also in `phrase`.
//!
//! ```
//! use redshank_matcher::{Category, Matcher, Pack, Place};
//!
//! let pack = Pack::parse("en/wellbeing.toml", r#"
//!     format = 1
//!     category = "wellbeing"
//!     language = "en"
//!     version = 1
//!     reviewed = "nobody yet"
//!     [[rule]]
//!     id = "wellbeing.lonely"
//!     severity = 3
//!     note = "Says that nobody is there for them."
//!     phrases = ["i have no friends"]
//! "#).map_err(|wrong| wrong[0].to_string())?;
//! let matcher = Matcher::compile(&[pack]).map_err(|wrong| wrong[0].to_string())?;
//! let findings = matcher.find("I have no fr1ends!", Place::Typed);
//! assert_eq!(findings.matches[0].category, Category::Wellbeing);
//! # Ok::<(), String>(())
//! ```

mod block;
mod blur;
mod category;
mod diagnostic;
mod disguise;
mod expression;
mod fold;
mod format;
mod host;
mod judgement;
mod key;
mod language;
mod lexicon;
mod lint;
mod matcher;
mod pack;
mod persons;
mod phrase;
mod phrase_set;
mod phrases;
mod quotation;
mod scan;
mod signs;
mod unmasking;
mod view;
mod vocabulary;
mod words;

pub use category::{AgeGroup, Category, FourC, Place, Setting, Severity, UnknownName};
pub use diagnostic::Diagnostic;
pub use expression::{BETWEEN_WORDS, Expression};
pub use lint::{MIN_EXAMPLES, lint};
pub use matcher::{Candidate, Findings, Hit, MAX_PER_RULE, MAX_TEXT, Match, Matcher};
pub use pack::{FORMAT, MAX_PACK, Pack};
pub use phrases::{PhraseMistake, Phrases};
pub use words::{PART_SEPARATOR, normalise};
