//! How old the pupil behind an account is, as far as the school says: rules may be for an age group.

use redshank_matcher::AgeGroup;
use redshank_proto::v1;

use super::Accounts;

/// The school's own age group, and the accounts that are of another.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ages {
    school: Option<AgeGroup>,
    accounts: Vec<(Accounts, Option<AgeGroup>)>,
}

impl Ages {
    /// Reads what a policy says of ages. A group that this agent does not know is unknown.
    #[must_use]
    pub fn new(school: v1::AgeGroup, accounts: &[v1::AccountAges]) -> Self {
        let read = |entry: &v1::AccountAges| (Accounts::new(&entry.accounts), group(entry.group()));
        Self { school: group(school), accounts: accounts.iter().map(read).collect() }
    }

    /// The age group of whoever uses an account; without an account the school's.
    #[must_use]
    pub fn of(&self, account: Option<&str>) -> Option<AgeGroup> {
        let own = account
            .and_then(|account| self.accounts.iter().find(|(group, _)| group.contain(account)));
        own.map_or(self.school, |(_, group)| *group)
    }
}

fn group(group: v1::AgeGroup) -> Option<AgeGroup> {
    match group {
        v1::AgeGroup::Unspecified => None,
        v1::AgeGroup::Primary => Some(AgeGroup::Primary),
        v1::AgeGroup::Secondary => Some(AgeGroup::Secondary),
        v1::AgeGroup::SixthForm => Some(AgeGroup::SixthForm),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_group_that_names_an_account_counts_and_else_the_school() {
        let entry = |accounts: &[&str], group: v1::AgeGroup| v1::AccountAges {
            accounts: accounts.iter().map(|it| (*it).to_owned()).collect(),
            group: group.into(),
        };
        let ages = Ages::new(
            v1::AgeGroup::Secondary,
            &[
                entry(&["y12-*", "y13-*"], v1::AgeGroup::SixthForm),
                entry(&["y*-guest"], v1::AgeGroup::Unspecified),
                entry(&["y13-ann"], v1::AgeGroup::Primary),
            ],
        );
        for (account, expected) in [
            (Some("Y12-ben"), Some(AgeGroup::SixthForm)),
            (Some(r"PUPILS\y13-ann"), Some(AgeGroup::SixthForm)),
            (Some("y9-guest"), None),
            (Some("y9-ann"), Some(AgeGroup::Secondary)),
            (None, Some(AgeGroup::Secondary)),
        ] {
            assert_eq!(ages.of(account), expected, "{account:?}");
        }
        assert_eq!(Ages::default().of(Some("ann")), None);
        let newer = v1::AccountAges { accounts: vec!["ann".into()], group: 99 };
        assert_eq!(Ages::new(v1::AgeGroup::Primary, &[newer]).of(Some("ann")), None);
    }
}
