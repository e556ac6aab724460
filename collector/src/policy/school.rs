//! Reads what one school has decided: `policy/NAME.toml` in the data folder.
//!
//! - **A file is a school's by its first key**, `school = "Marsh Lane"`; what the file is called does not matter.
//!   A school without a file has the defaults, which are what [`template`] writes. `school add` writes one.
//! - **Nothing unknown is ignored**, every mistake is told with line and column, and a school with one keeps the
//!   policy that it has. A file that cannot be read at all may be any school's: it holds up those without one.
//! - **An exemption has a reason and an end** at most [`LONGEST_DAYS`] after its beginning. It never covers
//!   severity 5: one that names nothing else is refused, because its author believes something that is not so.
//! - Times are the school's own. A date stands for its beginning in `from` and for its end in `until`.

mod reading;

use redshank_matcher::Diagnostic;
use redshank_proto::v1;
use serde::Deserialize;
use toml::Spanned;
use toml::value::Datetime;

use self::reading::Reader;
use super::mistakes::Mistakes;
use super::{Choices, Rules};
use crate::store::schools::School;

/// How long an exemption lasts at most: a term. A longer one is a decision to be taken again.
pub const LONGEST_DAYS: i64 = 90;
/// The filter's categories that reach the DSL if a school names none, as filters call them, and how grave a
/// blocked request is. Topics that support sites are misfiled under ("adult", "sexuality", "health") are not
/// among them.
const FILTER_CATEGORIES: [(&str, u32); 22] = [
    ("child abuse", 5),
    ("csam", 5),
    ("iwf", 5),
    ("extremism", 4),
    ("radicalisation", 4),
    ("terrorism", 4),
    ("self harm", 4),
    ("self-harm", 4),
    ("suicide", 4),
    ("drugs", 3),
    ("hate", 3),
    ("intolerance", 3),
    ("porn", 3),
    ("pornography", 3),
    ("violence", 3),
    ("weapons", 3),
    ("anonymizers", 2),
    ("gambling", 2),
    ("proxies", 2),
    ("proxy", 2),
    ("proxy avoidance", 2),
    ("vpn", 2),
];

/// A file that is well-formed.
pub(super) struct File {
    name: String,
    text: String,
    written: Written,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    school: Spanned<String>,
    staff_accounts: Option<Spanned<Vec<String>>>,
    age_group: Option<Spanned<String>>,
    #[serde(default)]
    ages: Vec<Ages>,
    #[serde(default)]
    rules: Packs,
    #[serde(default)]
    text: Text,
    filter_category: Option<Vec<FilterCategory>>,
    #[serde(default)]
    school_hours: Vec<Hours>,
    #[serde(default)]
    exemption: Vec<Exemption>,
    #[serde(default)]
    programs: Programs,
    #[serde(default)]
    media: Media,
    #[serde(default)]
    notice: Notice,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Packs {
    languages: Option<Spanned<Vec<Spanned<String>>>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
#[expect(clippy::struct_excessive_bools, reason = "four switches of one file, each by its name")]
struct Text {
    typed: bool,
    staff_typed: bool,
    page_text: bool,
    ai_answers: bool,
}

impl Default for Text {
    fn default() -> Self {
        Self { typed: true, staff_typed: false, page_text: false, ai_answers: false }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Ages {
    accounts: Spanned<Vec<String>>,
    group: Spanned<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FilterCategory {
    name: Spanned<String>,
    severity: Spanned<u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Hours {
    days: Spanned<Vec<String>>,
    from: Spanned<String>,
    until: Spanned<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Exemption {
    reason: Spanned<String>,
    from: Spanned<Datetime>,
    until: Spanned<Datetime>,
    accounts: Option<Spanned<Vec<String>>>,
    categories: Option<Spanned<Vec<String>>>,
    rules: Option<Spanned<Vec<String>>>,
    phrases: Option<Spanned<Vec<Spanned<String>>>>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Programs {
    bypass_severity: Option<Spanned<u32>>,
    remote_control_severity: Option<Spanned<u32>>,
    only_allowed: bool,
    allowed: Vec<Spanned<Program>>,
    denied: Vec<Spanned<Program>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Program {
    #[serde(default)]
    name: String,
    #[serde(default)]
    path: String,
    #[serde(default)]
    publisher: String,
    #[serde(default)]
    reason: String,
    severity: Option<Spanned<u32>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Media {
    allowed: bool,
    severity: Option<Spanned<u32>>,
}

impl Default for Media {
    fn default() -> Self {
        Self { allowed: true, severity: None }
    }
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Notice {
    watched_by: Option<Spanned<String>>,
    help: Option<Spanned<String>>,
    version: Option<Spanned<u32>>,
}

impl File {
    /// Reads a file's text.
    ///
    /// # Errors
    /// The first mistake in its form.
    pub(super) fn parse(name: &str, text: String) -> Result<Self, Vec<Diagnostic>> {
        match toml::from_str(&text) {
            Ok(written) => Ok(Self { name: name.to_owned(), text, written }),
            Err(error) => {
                let mut mistakes = Mistakes::new(name, &text);
                let help = "see the comments that `school add` writes into a new file of policy/";
                mistakes.add(&error.span().unwrap_or_default(), error.message(), help);
                Err(mistakes.found())
            }
        }
    }

    /// Whether it is a school's.
    pub(super) fn is_of(&self, school: &School) -> bool {
        let named = self.written.school.get_ref();
        *named == school.name || named.parse() == Ok(school.school)
    }

    /// Says that no school is called what it says, or that another file is that school's already.
    pub(super) fn misplaced(&self, message: &str, help: &str) -> Vec<Diagnostic> {
        let mut mistakes = Mistakes::new(&self.name, &self.text);
        mistakes.add(&self.written.school.span(), message, help);
        mistakes.found()
    }

    /// The school as the file names it.
    pub(super) fn school(&self) -> &str {
        self.written.school.get_ref()
    }

    /// What the school has decided.
    ///
    /// # Errors
    /// Every mistake, with its line.
    pub(super) fn choices(
        &self,
        choices: Choices,
        school: &School,
        rules: &Rules,
    ) -> Result<Choices, Vec<Diagnostic>> {
        let mut reader = Reader::new(Mistakes::new(&self.name, &self.text), school, rules);
        let read = reader.choices(choices, &self.written);
        reader.mistakes.or(read)
    }
}

/// What a school without a file has decided.
pub(super) fn defaults(choices: Choices, school: &School, rules: &Rules) -> Choices {
    let text = Text::default();
    Choices {
        filter_categories: FILTER_CATEGORIES
            .map(|(name, severity)| v1::FilterCategory { name: name.to_owned(), severity })
            .into(),
        text: text_policy(&text),
        programs: rules.programs.clone(),
        media: v1::MediaPolicy { allowed: true, severity: 0 },
        notice: notice(school, None, None, None),
        ..choices
    }
}

/// The text of a new file, with its comments.
#[must_use]
pub fn template(school: &str) -> String {
    let name = toml::Value::from(school);
    let categories: String = FILTER_CATEGORIES
        .map(|(name, severity)| {
            format!("[[filter_category]]\nname = \"{name}\"\nseverity = {severity}\n")
        })
        .concat();
    let text = include_str!("school/template.toml").replace("{school}", &name.to_string());
    format!("{text}{categories}")
}

fn text_policy(text: &Text) -> v1::TextPolicy {
    v1::TextPolicy {
        typed: text.typed,
        staff_typed: text.staff_typed,
        page_text: text.page_text,
        ai_answers: text.ai_answers,
    }
}

fn notice(
    school: &School,
    watched_by: Option<String>,
    help: Option<String>,
    version: Option<u32>,
) -> v1::Notice {
    v1::Notice {
        school_name: school.name.clone(),
        watched_by: watched_by.unwrap_or_else(|| "the school's safeguarding team".to_owned()),
        help: help.unwrap_or_default(),
        version: version.unwrap_or(1),
    }
}

#[cfg(test)]
mod tests;
