//! The private list: helplines, health, counselling, faith, banking, staff systems.
//!
//! It comes with the policy. An entry covers its host, every host below it, and, if it names a
//! path, whatever lies under that path by whole segments. Where two spellings lead to one page,
//! both are private: letter case, `www.`, a trailing dot, Punycode, percent-encoding, doubled
//! slashes, and every form of an IP address. An entry that cannot be read makes the whole policy
//! refused: to leave it out in silence would bring a helpline into the console.

use std::collections::HashMap;
use std::net::{Ipv4Addr, Ipv6Addr};

use percent_encoding::percent_decode_str;
use redshank_proto::v1;
use url::Host;

/// Why a private list cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "entry {entry} of the private list: {host:?} is not a host; write a name as childline.org.uk, \
     without scheme or path, or an IP address"
)]
pub struct PrivateListError {
    /// The entry's number, from 1.
    pub entry: usize,
    /// What stands in it.
    pub host: String,
}

/// What no source ever yields.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PrivateList {
    /// By canonical host: the paths that are private, each as its segments; one without segments is
    /// all of the host.
    hosts: HashMap<String, Vec<Vec<String>>>,
}

impl PrivateList {
    /// Reads the entries of a policy.
    ///
    /// # Errors
    /// [`PrivateListError`] for the first that is not a host.
    pub fn new(entries: &[v1::PrivateEntry]) -> Result<Self, PrivateListError> {
        let mut hosts: HashMap<String, Vec<Vec<String>>> = HashMap::new();
        for (index, entry) in entries.iter().enumerate() {
            let host = parse(&entry.host)
                .ok_or_else(|| PrivateListError { entry: index + 1, host: entry.host.clone() })?;
            let paths = hosts.entry(without_www(&host).to_owned()).or_default();
            paths.push(segments(&entry.path_prefix));
        }
        Ok(Self { hosts })
    }

    /// Says whether a page is private; `host` is canonical, `path` as a parsed URL has it.
    #[must_use]
    pub fn covers(&self, host: &str, path: &str) -> bool {
        let path = segments(path);
        // A host is under every name that its labels end with; an IP address only under itself.
        let is_name = !host.starts_with('[') && host.parse::<Ipv4Addr>().is_err();
        let mut under = Some(host);
        while let Some(name) = under {
            let private = self.hosts.get(name).into_iter().flatten();
            if private.into_iter().any(|prefix| path.starts_with(prefix)) {
                return true;
            }
            under = name.split_once('.').map(|(_, rest)| rest).filter(|_| is_name);
        }
        false
    }

    /// The number of hosts.
    #[must_use]
    pub fn len(&self) -> usize {
        self.hosts.len()
    }

    /// Whether nothing is private.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.hosts.is_empty()
    }
}

/// The one spelling of a host: lower case, Punycode, no trailing dot, IPv6 in brackets.
pub(super) fn canonical<S: AsRef<str>>(host: Host<S>) -> Option<String> {
    let text = match host {
        Host::Domain(name) => name.as_ref().trim_end_matches('.').to_owned(),
        Host::Ipv4(address) => address.to_string(),
        Host::Ipv6(address) => match address.to_ipv4_mapped() {
            Some(address) => address.to_string(),
            None => format!("[{address}]"),
        },
    };
    (!text.is_empty()).then_some(text)
}

/// Reads a host as a log has it; names of services (`_dns.resolver.arpa`) too.
pub(super) fn logged(host: &str) -> Option<String> {
    let host = host.trim().trim_start_matches('[').trim_end_matches(']');
    match host.parse::<Ipv6Addr>() {
        Ok(address) => canonical(Host::<&str>::Ipv6(address)),
        Err(_) => canonical(Host::parse(host).ok()?),
    }
}

/// Reads a host as a person writes it.
fn parse(host: &str) -> Option<String> {
    let host = host.trim();
    if let Ok(address) = host.parse::<Ipv6Addr>() {
        return canonical(Host::<&str>::Ipv6(address));
    }
    // `Host::parse` reads percent-encoding too, which a person would not write there.
    let plain = !host.contains(['%', '*', '_']) && !host.starts_with('.');
    canonical(Host::parse(host).ok().filter(|_| plain)?)
}

/// `www.` in an entry is what people copy, not what they mean; `www.uk` is left as it is.
fn without_www(host: &str) -> &str {
    host.strip_prefix("www.").filter(|rest| rest.contains('.')).unwrap_or(host)
}

fn segments(path: &str) -> Vec<String> {
    let decode = |segment: &str| percent_decode_str(segment).decode_utf8_lossy().to_lowercase();
    path.split('/').filter(|segment| !segment.is_empty()).map(decode).collect()
}

#[cfg(test)]
mod tests {
    use url::Url;

    use super::*;

    #[test]
    fn a_host_covers_itself_and_all_below_it_and_nothing_beside_it() {
        let list = list(&[("childline.org.uk", ""), ("www.samaritans.org", ""), ("10.1.2.3", "")]);
        for (url, private) in [
            ("https://childline.org.uk/", true),
            ("https://www.childline.org.uk/get-support/", true),
            ("https://CHILDLINE.org.uk./", true),
            ("https://chat.secure.childline.org.uk:8443/x", true),
            ("https://user:pass@childline.org.uk/", true),
            ("https://samaritans.org/", true),
            ("https://www.samaritans.org/", true),
            ("http://10.1.2.3/", true),
            ("http://0x0a.1.515/", true),
            ("http://[::ffff:10.1.2.3]/", true),
            ("https://notchildline.org.uk/", false),
            ("https://childline.org.uk.example/", false),
            ("https://childline.org.uk@example.com/", false),
            ("https://example.com/childline.org.uk", false),
            ("https://org.uk/", false),
            ("http://9.10.1.2.3.example/", false),
        ] {
            assert_eq!(covers(&list, url), private, "{url}");
        }
    }

    #[test]
    fn a_path_covers_whole_segments_however_they_are_spelt() {
        let list = list(&[("nhs.uk", "/mental-health"), ("nhs.uk", "/Sexual%20Health/")]);
        for (url, private) in [
            ("https://www.nhs.uk/mental-health", true),
            ("https://www.nhs.uk/mental-health/depression?x", true),
            ("https://www.nhs.uk//Mental-Health//", true),
            ("https://www.nhs.uk/%6Dental-health/", true),
            ("https://www.nhs.uk/x/../mental-health/", true),
            ("https://www.nhs.uk/sexual health/a", true),
            ("https://www.nhs.uk/mental-healthy", false),
            ("https://www.nhs.uk/a/mental-health", false),
            ("https://www.nhs.uk/mental-health/..", false),
            ("https://www.nhs.uk/", false),
        ] {
            assert_eq!(covers(&list, url), private, "{url}");
        }
    }

    #[test]
    fn names_in_other_alphabets_and_addresses_have_one_spelling() {
        let list = list(&[("bücher.example", ""), ("::1", ""), ("[2001:db8::1]", "")]);
        for url in [
            "https://xn--bcher-kva.example/",
            "https://BÜCHER.example/",
            "http://[0:0::1]/",
            "http://[2001:DB8::1]/",
        ] {
            assert!(covers(&list, url), "{url}");
        }
        assert!(!covers(&list, "http://[::2]/"));
    }

    #[test]
    fn what_is_no_host_is_refused_by_its_number() {
        for host in
            ["", "https://childline.org.uk", "a/b", "*.nhs.uk", ".nhs.uk", "a b", "%61.uk", "."]
        {
            let entries = [entry("nhs.uk", ""), entry(host, "")];
            let error = PrivateList::new(&entries).unwrap_err();
            assert_eq!(error, PrivateListError { entry: 2, host: host.to_owned() });
        }
    }

    fn covers(list: &PrivateList, url: &str) -> bool {
        let url = Url::parse(url).unwrap();
        list.covers(&canonical(url.host().unwrap()).unwrap(), url.path())
    }

    fn list(entries: &[(&str, &str)]) -> PrivateList {
        let entries: Vec<_> = entries.iter().map(|(host, path)| entry(host, path)).collect();
        PrivateList::new(&entries).unwrap()
    }

    fn entry(host: &str, path_prefix: &str) -> v1::PrivateEntry {
        v1::PrivateEntry {
            host: host.to_owned(),
            path_prefix: path_prefix.to_owned(),
            reason: "helpline".to_owned(),
        }
    }
}
