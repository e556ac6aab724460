//! What of a field's text has been told already.
//!
//! A field's text comes again and again while somebody types. A match that was told with an earlier state of
//! the field is not told again, unless it has grown graver.

use std::collections::VecDeque;

use redshank_proto::v1;

/// Fields that are remembered: those of every page that a class has open at a time.
const FIELDS: usize = 256;
/// Matches remembered of one field.
const TOLD: usize = 64;

/// The fields in which something matched, the latest last.
#[derive(Debug, Default)]
pub(super) struct Fields(VecDeque<Field>);

#[derive(Debug)]
struct Field {
    user: String,
    id: u64,
    told: VecDeque<Told>,
}

#[derive(Debug, PartialEq, Eq)]
struct Told {
    rule: String,
    text: String,
    severity: u32,
}

impl Fields {
    /// Says whether a match in a field is news, and remembers it.
    pub(super) fn is_news(&mut self, user: &str, field: u64, found: &v1::Match) -> bool {
        let known = self.0.iter().position(|it| it.id == field && it.user == user);
        let mut entry = known.and_then(|at| self.0.remove(at)).unwrap_or_else(|| Field {
            user: user.to_owned(),
            id: field,
            told: VecDeque::new(),
        });
        let text = matched_text(found);
        let told = entry
            .told
            .iter()
            .any(|it| it.rule == found.rule && it.text == text && it.severity >= found.severity);
        if !told {
            if entry.told.len() >= TOLD {
                entry.told.pop_front();
            }
            let (rule, text) = (found.rule.clone(), text.to_owned());
            entry.told.push_back(Told { rule, text, severity: found.severity });
        }
        if self.0.len() >= FIELDS {
            self.0.pop_front();
        }
        self.0.push_back(entry);
        !told
    }
}

fn matched_text(found: &v1::Match) -> &str {
    let within = |at: u32| usize::try_from(at).unwrap_or(usize::MAX);
    found.snippet.get(within(found.start)..within(found.end)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_match_is_told_once_in_a_field_unless_it_grows_graver() {
        let mut fields = Fields::default();
        assert!(fields.is_news("ann", 1, &a_match("want to die", 4)));
        assert!(!fields.is_news("ann", 1, &a_match("want to die", 4)));
        assert!(!fields.is_news("ann", 1, &a_match("want to die", 3)));
        assert!(fields.is_news("ann", 1, &a_match("want to die", 5)));
        assert!(fields.is_news("ann", 1, &a_match("wanna die", 4)));
        assert!(fields.is_news("ann", 2, &a_match("want to die", 4)));
        assert!(fields.is_news("ben", 1, &a_match("want to die", 4)));
    }

    #[test]
    fn the_memory_is_bounded_and_forgets_what_was_used_longest_ago() {
        let mut fields = Fields::default();
        for field in 0..FIELDS as u64 + 10 {
            fields.is_news("ann", field, &a_match("want to die", 4));
            assert!(!fields.is_news("ann", 0, &a_match("want to die", 4)));
        }
        assert_eq!(fields.0.len(), FIELDS);
        assert!(fields.is_news("ann", 1, &a_match("want to die", 4)));
        for n in 0..2 * TOLD {
            fields.is_news("ann", 1, &a_match(&n.to_string(), 4));
        }
        assert_eq!(fields.0.back().unwrap().told.len(), TOLD);
    }

    fn a_match(text: &str, severity: u32) -> v1::Match {
        let end = u32::try_from(text.len()).unwrap();
        v1::Match {
            rule: "a.rule".into(),
            severity,
            snippet: text.into(),
            end,
            ..Default::default()
        }
    }
}
