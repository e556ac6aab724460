//! From a log's entry to an observation: what is left out, and what speaks for who it was.
//!
//! The strongest evidence comes first: the name that the proxy knows, then the device that had the
//! client's address at that time, then the address, which is always there.

use std::net::IpAddr;

use jiff::Timestamp;

use super::formats::{self, Client, Entry};
use super::leases::Leases;
use super::networks::Network;
use crate::observation::{Content, Evidence, Observation, Request, Source, Target};

/// Bytes of a name: an account's, or a domain's (RFC 1035 allows 255).
const NAME: usize = 256;
/// Bytes of a filter's category.
const CATEGORY: usize = 1024;
/// Bytes of any other text beside the address.
const TEXT: usize = 4 * 1024;
/// Bytes that an observation takes beside its texts, or so.
const FRAME: usize = 256;

/// Makes observations of one log's entries.
#[derive(Debug)]
pub(super) struct Observer {
    pub(super) source: Source,
    /// Who vouches for names that do not say it themselves.
    pub(super) authority: Option<String>,
    /// Whose requests these are; anybody's if it is empty.
    pub(super) clients: Vec<Network>,
    /// What was before is none of ours.
    pub(super) since: Timestamp,
}

impl Observer {
    /// What an entry is to those who judge it; `None` for a mere request of the proxy to log in, for what
    /// was before the enrolment, and for clients that are not meant.
    pub(super) fn observe(&self, entry: &Entry<'_>, leases: &Leases) -> Option<Observation> {
        let address = match &entry.client {
            Some(Client::Address(address)) => Some(address.to_canonical()),
            Some(Client::Name(_)) | None => None,
        };
        let is_meant = self.clients.is_empty()
            || address.is_some_and(|address| self.clients.iter().any(|it| it.contains(address)));
        if entry.login_asked || entry.at < self.since || !is_meant {
            return None;
        }
        Some(Observation {
            source: self.source,
            occurred_at: entry.at,
            evidence: self.evidence(entry, address, leases),
            content: Content::Request(request(entry)),
        })
    }

    fn evidence(
        &self,
        entry: &Entry<'_>,
        address: Option<IpAddr>,
        leases: &Leases,
    ) -> Vec<Evidence> {
        let user = entry.user.as_deref().filter(|user| !user.is_empty());
        let user = user.map(|user| {
            let (name, authority) = split(user);
            let authority = authority.or(self.authority.as_deref()).unwrap_or_default();
            Evidence::ProxyUser { name: cut(name, NAME), authority: cut(authority, NAME) }
        });
        let mac = address.and_then(|address| leases.holder(address, entry.at));
        let lease = mac.map(|mac| Evidence::Lease { mac: mac.to_string() });
        user.into_iter().chain(lease).chain(address.map(Evidence::ClientAddress)).collect()
    }
}

/// What an observation weighs in a batch.
pub(super) fn weight(observation: &Observation) -> usize {
    let Content::Request(request) = &observation.content else { return FRAME };
    let target = match &request.target {
        Target::Url(text) | Target::Host(text) => text.len(),
    };
    let texts = [&request.category, &request.reason, &request.search_terms, &request.user_agent];
    FRAME + target + texts.into_iter().flatten().map(String::len).sum::<usize>()
}

fn request(entry: &Entry<'_>) -> Request {
    let text = |text: Option<&str>, most| text.map(|text| cut(text, most));
    Request {
        target: match &entry.target {
            formats::Target::Url(url) => Target::Url(url.clone().into_owned()),
            formats::Target::Host(host) => Target::Host(host.clone().into_owned()),
        },
        action: entry.action,
        category: text(entry.category.as_deref(), CATEGORY),
        reason: text(entry.reason.as_deref(), TEXT),
        search_terms: text(entry.search_terms().as_deref(), TEXT),
        user_agent: text(entry.user_agent.as_deref(), TEXT),
        status: entry.status,
    }
}

/// A name and who vouches for it, as Windows and Kerberos write them. What the log says of the authority
/// is believed before the settings: another domain's `amy` is another person.
fn split(user: &str) -> (&str, Option<&str>) {
    let both = |one: &str, other: &str| !one.is_empty() && !other.is_empty();
    match (user.split_once('\\'), user.rsplit_once('@')) {
        (Some((domain, name)), _) if both(domain, name) => (name, Some(domain)),
        (_, Some((name, realm))) if both(name, realm) => (name, Some(realm)),
        _ => (user, None),
    }
}

fn cut(text: &str, most: usize) -> String {
    text[..text.floor_char_boundary(most)].to_owned()
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::super::leases::{LeaseFormat, LeaseSettings};
    use super::*;

    #[test]
    fn the_evidence_is_told_strongest_first() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("dnsmasq.leases");
        std::fs::write(&path, "0 a4:b1:c1:00:05:01 192.168.4.17 * *\n").unwrap();
        let mut leases = Leases::new(vec![LeaseSettings { path, format: LeaseFormat::Dnsmasq }]);
        leases.refresh(late());
        let address = || Evidence::ClientAddress("192.168.4.17".parse().unwrap());
        let lease = || Evidence::Lease { mac: "a4:b1:c1:00:05:01".to_owned() };
        let name = |name: &str, authority: &str| Evidence::ProxyUser {
            name: name.to_owned(),
            authority: authority.to_owned(),
        };
        for (user, expected) in [
            (None, vec![lease(), address()]),
            (Some("amy"), vec![name("amy", "SCHOOL"), lease(), address()]),
            (Some("OTHER\\amy"), vec![name("amy", "OTHER"), lease(), address()]),
            (Some("amy@other.example"), vec![name("amy", "other.example"), lease(), address()]),
            (Some("@amy"), vec![name("@amy", "SCHOOL"), lease(), address()]),
        ] {
            let mut entry = entry();
            entry.user = user.map(Cow::Borrowed);
            assert_eq!(observer().observe(&entry, &leases).unwrap().evidence, expected);
        }
        let mut early = entry();
        early.at = Timestamp::from_second(1_000).unwrap();
        assert_eq!(observer().observe(&early, &leases).unwrap().evidence, [address()]);
    }

    #[test]
    fn what_is_not_meant_is_left_out() {
        let leases = Leases::new(Vec::new());
        let mut observer = observer();
        let mut entry = entry();
        assert!(observer.observe(&entry, &leases).is_some());
        observer.clients = vec!["192.168.8.0/24".parse().unwrap()];
        assert!(observer.observe(&entry, &leases).is_none());
        observer.clients.push("192.168.4.0/24".parse().unwrap());
        assert!(observer.observe(&entry, &leases).is_some());
        entry.client = Some(Client::Name(Cow::Borrowed("ipad-17")));
        assert!(observer.observe(&entry, &leases).is_none());
        observer.clients.clear();
        assert_eq!(observer.observe(&entry, &leases).unwrap().evidence, []);
        entry.login_asked = true;
        assert!(observer.observe(&entry, &leases).is_none());
        entry.login_asked = false;
        observer.since = late();
        entry.at = Timestamp::from_second(1_000).unwrap();
        assert!(observer.observe(&entry, &leases).is_none());
    }

    #[test]
    fn long_texts_are_cut_at_a_character() {
        let mut entry = entry();
        entry.category = Some("é".repeat(1_000).into());
        entry.user = Some("é".repeat(1_000).into());
        let seen = observer().observe(&entry, &Leases::new(Vec::new())).unwrap();
        let weight = weight(&seen);
        let Content::Request(request) = seen.content else { panic!() };
        assert_eq!(request.category.unwrap().len(), CATEGORY);
        assert!(
            matches!(&seen.evidence[0], Evidence::ProxyUser { name, .. } if name.len() == NAME)
        );
        assert!(weight > CATEGORY + FRAME && weight < CATEGORY + 2 * FRAME);
    }

    fn observer() -> Observer {
        Observer {
            source: Source::ProxyLog,
            authority: Some("SCHOOL".to_owned()),
            clients: Vec::new(),
            since: Timestamp::UNIX_EPOCH,
        }
    }

    fn entry() -> Entry<'static> {
        Entry {
            at: late(),
            target: formats::Target::Url(Cow::Borrowed("http://a.example/")),
            user: None,
            client: Some(Client::Address("::ffff:192.168.4.17".parse().unwrap())),
            action: crate::observation::Action::Allowed,
            category: None,
            reason: None,
            logged_terms: None,
            user_agent: None,
            status: None,
            method: None,
            login_asked: false,
        }
    }

    /// After whatever the file system's clock says.
    fn late() -> Timestamp {
        Timestamp::from_second(4_000_000_000).unwrap()
    }
}
