//! Groups of accounts, as a policy names them: `t-*`, `jsmith`; of a proxy's users, who have a domain, also
//! `staff\\*`. A device knows its own users without one: a pattern without a domain is for every account of that
//! name, one with a domain for a proxy's alone.

/// Names of accounts in any letter case, `*` standing for any part of one, also for none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Accounts(Vec<Vec<String>>);

impl Accounts {
    /// Reads the patterns; one that is blank names nobody.
    #[must_use]
    pub fn new<S: AsRef<str>>(patterns: &[S]) -> Self {
        let parts = |pattern: &S| -> Option<Vec<String>> {
            let pattern = folded(pattern.as_ref());
            (!pattern.is_empty()).then(|| pattern.split('*').map(str::to_owned).collect())
        };
        Self(patterns.iter().filter_map(parts).collect())
    }

    /// Whether an account is among them; letter case does not count.
    #[must_use]
    pub fn contain(&self, account: &str) -> bool {
        let account = folded(account);
        let bare = account.rsplit_once('\\').map_or(account.as_str(), |(_, name)| name);
        self.0.iter().any(|parts| fits(parts, &account) || fits(parts, bare))
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Compares a text with the parts of a pattern between its `*`. Takes time linear in the text for each part:
/// the first place at which a part fits is as good as any later one.
pub(super) fn fits(parts: &[String], text: &str) -> bool {
    let [first, rest @ ..] = parts else { return false };
    let [middle @ .., last] = rest else { return text == first };
    let Some(mut left) = text.strip_prefix(first.as_str()) else { return false };
    for part in middle {
        let Some(at) = left.find(part.as_str()) else { return false };
        left = &left[at + part.len()..];
    }
    left.ends_with(last.as_str())
}

fn folded(account: &str) -> String {
    account.trim().to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_are_named_whole_or_by_parts() {
        for (pattern, account, named) in [
            ("jsmith", "JSmith", true),
            ("jsmith", "jsmith2", false),
            ("t-*", r"SCHOOL\t-ann", true),
            ("t-*", "t-ann", true),
            (r"STAFF\*", r"staff\ann", true),
            (r"STAFF\*", r"pupils\staff", false),
            ("*@staff.school.example", "ann@staff.school.example", true),
            ("*@staff.school.example", "ann@staff.school.example.org", false),
            ("t*r", "tr", true),
            ("t*r", "t", false),
            ("a*b*c", "axxbyyc", true),
            ("a*b*c", "acb", false),
            ("ab*ba", "aba", false),
            ("*", "", true),
            ("", "", false),
            ("  ", "  ", false),
        ] {
            assert_eq!(Accounts::new(&[pattern]).contain(account), named, "{pattern} {account}");
        }
        assert!(!Accounts::default().contain("ann"));
    }
}
