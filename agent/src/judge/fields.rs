//! What of a field's text has been told already.
//!
//! A field's text comes again and again while somebody types. A match that was told with the state before is not
//! told again while it stands there, unless it has grown graver. Once it is gone from the field, the same words
//! are news: who writes "i want to die" at night has said it again, whatever stood there in the morning.

use std::collections::VecDeque;

use redshank_proto::v1;

/// Fields that are remembered: those of every page that a class has open at a time.
const FIELDS: usize = 256;

/// The fields in which something stands that was told, the latest last.
#[derive(Debug, Default)]
pub(super) struct Fields(VecDeque<Field>);

#[derive(Debug)]
struct Field {
    user: String,
    id: u64,
    told: Vec<Told>,
}

#[derive(Debug, PartialEq, Eq)]
struct Told {
    rule: String,
    text: String,
    severity: u32,
}

impl Fields {
    /// Takes up the state of a field by what matches in it; says of each match whether it is news.
    pub(super) fn news(&mut self, user: &str, field: u64, found: &[v1::Match]) -> Vec<bool> {
        let known = self.0.iter().position(|it| it.id == field && it.user == user);
        let before = known.and_then(|at| self.0.remove(at)).map_or(Vec::new(), |it| it.told);
        let stands = |found: &v1::Match| {
            let same = |told: &&Told| told.rule == found.rule && told.text == matched_text(found);
            before.iter().find(same).map_or(0, |told| told.severity)
        };
        let news = found.iter().map(|found| found.severity > stands(found)).collect();
        let told = |found: &v1::Match| Told {
            rule: found.rule.clone(),
            text: matched_text(found).to_owned(),
            severity: found.severity.max(stands(found)),
        };
        let told: Vec<_> = found.iter().map(told).collect();
        if !told.is_empty() {
            if self.0.len() >= FIELDS {
                self.0.pop_front();
            }
            self.0.push_back(Field { user: user.to_owned(), id: field, told });
        }
        news
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
    fn a_match_is_told_once_while_it_stands_unless_it_grows_graver() {
        let mut fields = Fields::default();
        let mut state = |user, field, found: &[v1::Match]| fields.news(user, field, found);
        assert_eq!(state("ann", 1, &[a_match("want to die", 4)]), [true]);
        assert_eq!(state("ann", 1, &[a_match("want to die", 4)]), [false]);
        assert_eq!(state("ann", 1, &[a_match("want to die", 3)]), [false]);
        assert_eq!(
            state("ann", 1, &[a_match("want to die", 5), a_match("pills", 3)]),
            [true, true]
        );
        assert_eq!(
            state("ann", 1, &[a_match("want to die", 4), a_match("pills", 3)]),
            [false, false]
        );
        assert_eq!(state("ann", 2, &[a_match("want to die", 4)]), [true]);
        assert_eq!(state("ben", 1, &[a_match("want to die", 4)]), [true]);
    }

    #[test]
    fn what_has_gone_from_the_field_is_news_when_it_comes_again() {
        let mut fields = Fields::default();
        for _ in 0..3 {
            assert_eq!(fields.news("ann", 1, &[a_match("want to die", 5)]), [true]);
            assert_eq!(fields.news("ann", 1, &[]), [false; 0]);
        }
    }

    #[test]
    fn the_memory_is_bounded_and_forgets_what_was_used_longest_ago() {
        let mut fields = Fields::default();
        let found = [a_match("want to die", 4)];
        for field in 0..FIELDS as u64 + 10 {
            fields.news("ann", field, &found);
            assert_eq!(fields.news("ann", 0, &found), [false]);
        }
        assert_eq!(fields.0.len(), FIELDS);
        assert_eq!(fields.news("ann", 1, &found), [true]);
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
