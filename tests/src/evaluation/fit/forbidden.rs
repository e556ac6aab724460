//! Words that are never a sign.
//!
//! Texts of children in need name who they are: their faith, whom they love, what they are ill with. A regression
//! takes each such word for evidence and would then watch every child of that faith. Who somebody is says nothing of
//! what somebody will do, and equality law forbids to treat it as if it did (Equality Act 2010, section 4).

/// The words, folded as the matcher folds, with what they tell of somebody.
const FORBIDDEN: &[(&str, &str)] = &[
    ("whom they love, who they are", "gay lesbian trans bi queer lgbt"),
    (
        "faith",
        "muslim islam christian jewish jew hindu sikh god church mosque pray prayer ramadan hijab",
    ),
    ("health", "pregnant period periods autistic autism adhd cancer"),
    ("origin", "black white asian polish england english africa"),
];

/// Says whether a folded word may never be, or stand in, a sign.
#[must_use]
pub fn is_forbidden(word: &str) -> bool {
    FORBIDDEN.iter().any(|(_, words)| words.split(' ').any(|it| it == word))
}
