//! How good the rule packs are, measured on labelled texts.
//!
//! A set is a file of JSON Lines ([`labelled`]), judged text by text ([`rates`]) and shown as a table ([`report`]). The
//! sets that belong to the packs lie beside them, in `collector/rules/golden`. From the same sets, [`fit`] proposes the
//! signs of a rule.

pub mod fit;
pub mod labelled;
pub mod packs;
pub mod rates;
pub mod report;
