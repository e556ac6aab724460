//! Who it was, as far as evidence goes: the wrong child is a real harm.
//!
//! The strongest evidence decides, and what it rests on goes with the alert wherever that is shown. Two
//! accounts of one method contradict each other and count for nothing. A login that several people share
//! names nobody, whatever else is said: the device is then all that is known. Accounts are compared in
//! lower case, and only under the authority that vouches for them: "emma" of one laptop is not "emma" of
//! another, because joining two children is worse than splitting one.
//!
//! What evidence does not name, the school's asset log may:
//! - **A lease** names a device by its MAC: in the asset log it is that asset, and the pupil it is allocated to.
//!   A shared asset is nobody's. A MAC that the log does not know, two MACs at once, or an address alone is an
//!   unknown device, and nobody.
//! - **The reporting device's own allocation** counts where nothing else names anybody, and never for what a
//!   proxy or a name server logged: the device there is the host, and whoever holds it did none of it.

use std::collections::BTreeSet;

use redshank_proto::v1::event_payload::Content;
use redshank_proto::v1::{AttributionMethod, EventPayload, Evidence};

use crate::asset_log;
use crate::store::alerts::Basis;
use crate::store::assets::Asset;
use crate::store::persons::Account;

/// What evidence amounts to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Attribution {
    /// What it rests on.
    pub(super) basis: Basis,
    /// The person's account; none if the basis names none.
    pub(super) account: Option<Account>,
}

/// On which device it happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Scene {
    /// On the one that reports it.
    Reporting,
    /// On one behind it, of which a log tells so much.
    Behind {
        /// Its MAC, if leases tell one.
        mac: Option<String>,
        /// Its address, if the log gives one.
        address: Option<String>,
    },
    /// Nobody can say: the content is of a kind unknown here.
    Unknown,
}

/// Says on which device an event happened.
pub(super) fn scene(payload: &EventPayload) -> Scene {
    let one = |method| {
        let mut values: BTreeSet<&str> =
            values(&payload.evidence, method).map(|piece| piece.value.trim()).collect();
        if values.len() == 1 { values.pop_first().map(str::to_owned) } else { None }
    };
    let has = |method| values(&payload.evidence, method).next().is_some();
    let from_log = matches!(payload.content, Some(Content::Request(_)))
        || [
            AttributionMethod::ProxyUser,
            AttributionMethod::AddressLease,
            AttributionMethod::ClientAddress,
        ]
        .into_iter()
        .any(has);
    if from_log {
        let mac = one(AttributionMethod::AddressLease).and_then(|mac| asset_log::mac(&mac));
        return Scene::Behind { mac, address: one(AttributionMethod::ClientAddress) };
    }
    if payload.content.is_none() { Scene::Unknown } else { Scene::Reporting }
}

/// Weighs what evidence says of persons alone.
pub(super) fn personal(evidence: &[Evidence]) -> Attribution {
    let accounts = |method: AttributionMethod| -> BTreeSet<Account> {
        values(evidence, method)
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
    Attribution { basis: Basis::Unknown, account: None }
}

/// Weighs all that is known: evidence, and the asset on which it happened, if the asset log has it.
pub(super) fn attribute(
    evidence: &[Evidence],
    scene: &Scene,
    asset: Option<&Asset>,
) -> Attribution {
    let personal = personal(evidence);
    if personal.basis != Basis::Unknown {
        return personal;
    }
    let Some(asset) = asset else { return personal };
    match scene {
        Scene::Behind { .. } => {
            Attribution { basis: Basis::AddressLease, account: asset.holder.clone() }
        }
        // An allocated device at which two people say that they are signed in is nobody's.
        Scene::Reporting if is_silent(evidence) => match &asset.holder {
            Some(holder) => {
                Attribution { basis: Basis::AllocatedDevice, account: Some(holder.clone()) }
            }
            None => personal,
        },
        Scene::Reporting | Scene::Unknown => personal,
    }
}

/// Whether evidence names nobody at all.
fn is_silent(evidence: &[Evidence]) -> bool {
    use AttributionMethod::{AllocatedDevice, ProxyUser, SignedIn};
    [SignedIn, AllocatedDevice, ProxyUser]
        .into_iter()
        .all(|method| values(evidence, method).all(|piece| piece.value.trim().is_empty()))
}

fn values(evidence: &[Evidence], method: AttributionMethod) -> impl Iterator<Item = &Evidence> {
    evidence.iter().filter(move |piece| piece.method() == method)
}

#[cfg(test)]
mod tests {
    use redshank_proto::v1;

    use super::*;
    use crate::store::assets::tests::client;
    use crate::triage::scene::a_visit;

    const MAC: &str = "02:00:5e:00:53:01";

    #[test]
    fn the_strongest_evidence_decides_and_only_signing_in_is_certain() {
        use AttributionMethod::{AllocatedDevice, ProxyUser, SharedLogin, SignedIn, Unspecified};
        type Row = (&'static [(AttributionMethod, &'static str)], Basis, Option<&'static str>);
        let table: [Row; 11] = [
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
            (&[(SharedLogin, "class3")], Basis::SharedLogin, None),
            (&[(SignedIn, "class3"), (SharedLogin, "class3")], Basis::SharedLogin, None),
            (&[(Unspecified, "amy"), (SignedIn, "  ")], Basis::Unknown, None),
            (&[], Basis::Unknown, None),
        ];
        for (evidence, basis, account) in table {
            let attribution = personal(&pieces(evidence));
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
        assert_eq!(personal(&[of("SCHOOL"), of("school")]).basis, Basis::SignedIn);
        assert_eq!(personal(&[of("SCHOOL"), of("")]).basis, Basis::Unknown);
    }

    #[test]
    fn the_asset_log_names_whom_evidence_does_not() {
        use AttributionMethod::{AddressLease, ClientAddress, ProxyUser, SharedLogin, SignedIn};
        #[derive(Clone, Copy)]
        enum Is {
            Amys,
            Shared,
            Unknown,
        }
        use Is::{Amys, Shared, Unknown};
        type Row =
            (bool, &'static [(AttributionMethod, &'static str)], Is, Basis, Option<&'static str>);
        // Each row: whether a log tells it, the evidence, whose the asset is; the basis and the account.
        let table: [Row; 14] = [
            (true, &[(AddressLease, MAC)], Amys, Basis::AddressLease, Some("amy")),
            (true, &[(AddressLease, MAC)], Shared, Basis::AddressLease, None),
            (true, &[(AddressLease, MAC)], Unknown, Basis::Unknown, None),
            (true, &[(ClientAddress, "10.0.0.7")], Unknown, Basis::Unknown, None),
            (true, &[], Unknown, Basis::Unknown, None),
            (true, &[(ProxyUser, "ben"), (AddressLease, MAC)], Amys, Basis::ProxyUser, Some("ben")),
            (true, &[(SharedLogin, "y3"), (AddressLease, MAC)], Amys, Basis::SharedLogin, None),
            (false, &[], Amys, Basis::AllocatedDevice, Some("amy")),
            (false, &[], Shared, Basis::Unknown, None),
            (false, &[], Unknown, Basis::Unknown, None),
            (false, &[(SignedIn, "ben")], Amys, Basis::SignedIn, Some("ben")),
            (false, &[(SignedIn, "ben"), (SignedIn, "cat")], Amys, Basis::Unknown, None),
            (false, &[(SignedIn, " ")], Amys, Basis::AllocatedDevice, Some("amy")),
            (false, &[(SharedLogin, "y3")], Amys, Basis::SharedLogin, None),
        ];
        for (from_log, evidence, is, basis, account) in table {
            let evidence = pieces(evidence);
            let scene = scene(&payload(from_log, evidence.clone()));
            let holder = Some(Account::new("school", "amy"));
            let asset = match is {
                Amys => Some(Asset { client: client(1), holder }),
                Shared => Some(Asset { client: client(1), holder: None }),
                Unknown => None,
            };
            let account = account.map(|account| Account::new("school", account));
            let attribution = attribute(&evidence, &scene, asset.as_ref());
            assert_eq!(attribution, Attribution { basis, account }, "{evidence:?}");
        }
    }

    #[test]
    fn what_a_log_tells_happened_behind_its_host_and_never_on_it() {
        use AttributionMethod::{AddressLease, ClientAddress, ProxyUser, SignedIn};
        let behind = |mac: Option<&str>, address: Option<&str>| Scene::Behind {
            mac: mac.map(str::to_owned),
            address: address.map(str::to_owned),
        };
        type Row = (bool, &'static [(AttributionMethod, &'static str)], Scene);
        let table: [Row; 10] = [
            (false, &[(SignedIn, "amy")], Scene::Reporting),
            (false, &[], Scene::Reporting),
            (true, &[], behind(None, None)),
            (true, &[(SignedIn, "root")], behind(None, None)),
            (false, &[(ProxyUser, "amy")], behind(None, None)),
            (
                true,
                &[(AddressLease, "02-00-5E-00-53-01"), (ClientAddress, "10.0.0.7")],
                behind(Some(MAC), Some("10.0.0.7")),
            ),
            (true, &[(AddressLease, MAC), (AddressLease, "02:00:5e:00:53:02")], behind(None, None)),
            (true, &[(AddressLease, "10.0.0.7")], behind(None, None)),
            (true, &[(ClientAddress, "10.0.0.7")], behind(None, Some("10.0.0.7"))),
            (true, &[(ClientAddress, "10.0.0.7"), (ClientAddress, "10.0.0.8")], behind(None, None)),
        ];
        for (from_log, evidence, expected) in table {
            assert_eq!(scene(&payload(from_log, pieces(evidence))), expected, "{evidence:?}");
        }
        let unknown = EventPayload { content: None, ..EventPayload::default() };
        assert_eq!(scene(&unknown), Scene::Unknown);
    }

    fn payload(from_log: bool, evidence: Vec<Evidence>) -> EventPayload {
        let content = if from_log {
            Content::Request(v1::LoggedRequest::default())
        } else {
            a_visit("https://a.example/", None)
        };
        EventPayload { evidence, content: Some(content), ..EventPayload::default() }
    }

    fn pieces(evidence: &[(AttributionMethod, &str)]) -> Vec<Evidence> {
        evidence
            .iter()
            .map(|(method, value)| Evidence {
                method: *method as i32,
                value: (*value).to_owned(),
                authority: "SCHOOL".to_owned(),
            })
            .collect()
    }
}
