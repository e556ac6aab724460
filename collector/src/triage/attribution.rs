//! Who it was, as far as evidence goes: the wrong child is a real harm.
//!
//! The strongest evidence decides, and what it rests on goes with the alert wherever that is shown. Two
//! accounts of one method contradict each other and count for nothing. A login that several people share
//! names nobody, whatever else is said: the device is then all that is known. Accounts are compared in
//! lower case, and only under the authority that vouches for them: "emma" of one laptop is not "emma" of
//! another, because joining two children is worse than splitting one.

use std::collections::BTreeSet;

use redshank_proto::v1::{AttributionMethod, Evidence};

use crate::store::alerts::Basis;
use crate::store::persons::Account;

/// What evidence amounts to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Attribution {
    /// What it rests on.
    pub(super) basis: Basis,
    /// The person's account; none if the basis names none.
    pub(super) account: Option<Account>,
}

/// Weighs evidence.
pub(super) fn attribute(evidence: &[Evidence]) -> Attribution {
    let accounts = |method: AttributionMethod| -> BTreeSet<Account> {
        evidence
            .iter()
            .filter(|piece| piece.method() == method)
            .map(|piece| Account::new(&piece.authority, &piece.value))
            .filter(|account| !account.name().is_empty())
            .collect()
    };
    if !accounts(AttributionMethod::SharedLogin).is_empty() {
        return Attribution { basis: Basis::SharedLogin, account: None };
    }
    for (method, basis) in [
        (AttributionMethod::SignedIn, Basis::SignedIn),
        (AttributionMethod::AllocatedDevice, Basis::AllocatedDevice),
        (AttributionMethod::ProxyUser, Basis::ProxyUser),
    ] {
        let mut accounts = accounts(method);
        if accounts.len() == 1 {
            return Attribution { basis, account: accounts.pop_first() };
        }
    }
    // An address is a device's, not an account.
    let basis = if accounts(AttributionMethod::AddressLease).is_empty() {
        Basis::Unknown
    } else {
        Basis::AddressLease
    };
    Attribution { basis, account: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_strongest_evidence_decides_and_only_signing_in_is_certain() {
        use AttributionMethod::{
            AddressLease, AllocatedDevice, ProxyUser, SharedLogin, SignedIn, Unspecified,
        };
        type Row = (&'static [(AttributionMethod, &'static str)], Basis, Option<&'static str>);
        let table: [Row; 12] = [
            (&[(SignedIn, "Amy")], Basis::SignedIn, Some("amy")),
            (&[(SignedIn, "amy"), (SignedIn, " AMY ")], Basis::SignedIn, Some("amy")),
            (&[(ProxyUser, "amy"), (SignedIn, "ben")], Basis::SignedIn, Some("ben")),
            (&[(SignedIn, "amy"), (SignedIn, "ben")], Basis::Unknown, None),
            (
                &[(SignedIn, "amy"), (SignedIn, "ben"), (ProxyUser, "ben")],
                Basis::ProxyUser,
                Some("ben"),
            ),
            (&[(AllocatedDevice, "amy")], Basis::AllocatedDevice, Some("amy")),
            (&[(ProxyUser, "amy"), (AllocatedDevice, "ben")], Basis::AllocatedDevice, Some("ben")),
            (&[(AddressLease, "10.0.0.7")], Basis::AddressLease, None),
            (&[(SharedLogin, "class3")], Basis::SharedLogin, None),
            (&[(SignedIn, "class3"), (SharedLogin, "class3")], Basis::SharedLogin, None),
            (&[(Unspecified, "amy"), (SignedIn, "  ")], Basis::Unknown, None),
            (&[], Basis::Unknown, None),
        ];
        for (evidence, basis, account) in table {
            let pieces: Vec<_> = evidence
                .iter()
                .map(|(method, value)| Evidence {
                    method: *method as i32,
                    value: (*value).to_owned(),
                    authority: "SCHOOL".to_owned(),
                })
                .collect();
            let attribution = attribute(&pieces);
            let account = account.map(|account| Account::new("school", account));
            assert_eq!(attribution, Attribution { basis, account });
            assert_eq!(attribution.basis.is_certain(), basis == Basis::SignedIn);
        }
    }

    #[test]
    fn one_name_under_two_authorities_is_a_contradiction() {
        let of = |authority: &str| Evidence {
            method: AttributionMethod::SignedIn as i32,
            value: "emma".to_owned(),
            authority: authority.to_owned(),
        };
        assert_eq!(attribute(&[of("SCHOOL"), of("school")]).basis, Basis::SignedIn);
        assert_eq!(attribute(&[of("SCHOOL"), of("")]).basis, Basis::Unknown);
    }
}
