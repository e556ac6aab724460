//! Texts and disguises for the tests.

pub mod chance;
pub mod disguise;
pub mod texts;
