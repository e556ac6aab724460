//! Host names that rules list, and which of them a host is or lies below.
//!
//! Compared by whole labels from the right: `bet365.com` finds `www.bet365.com` and never
//! `notbet365.com`. A look-up costs one hash for each label of the host, at the place host only.

use std::collections::HashMap;
use std::net::Ipv4Addr;
use std::ops::Range;

use crate::stored::{Reader, Unreadable, Writer, ensure};

/// The longest host name (RFC 1035, 2.3.4) and its longest label.
const MAX_HOST: usize = 253;
const MAX_LABEL: usize = 63;
/// The most labels that are looked at and listed: more than any service has.
const MAX_LABELS: usize = 16;

/// Ends of names that belong to nobody: a rule about one would find half of the country.
const PUBLIC_ENDS: &[&str] = &[
    "ac.uk",
    "co.uk",
    "com.au",
    "gov.uk",
    "ltd.uk",
    "me.uk",
    "net.uk",
    "nhs.uk",
    "org.uk",
    "plc.uk",
    "police.uk",
    "sch.uk",
];

/// The listed hosts of all rules.
#[derive(Debug, Default)]
pub(crate) struct HostSet {
    rules: HashMap<Box<str>, Vec<usize>>,
}

impl HostSet {
    /// Adds a host of a rule.
    pub(crate) fn add(&mut self, host: &str, rule: usize) {
        self.rules.entry(host.into()).or_default().push(rule);
    }

    pub(crate) fn write(&self, out: &mut Writer) {
        let mut all: Vec<_> = self.rules.iter().collect();
        all.sort_unstable();
        out.list(&all, |out, (host, rules)| {
            out.text(host);
            out.list(rules, |out, rule| out.size(*rule));
        });
    }

    /// Reads the hosts of so many rules.
    pub(crate) fn read(from: &mut Reader<'_>, rules: usize) -> Result<Self, Unreadable> {
        let mut this = Self::default();
        from.list(|from| {
            let host = from.text()?;
            from.list(|from| {
                let rule = from.size(rules)?;
                ensure(rule < rules)?;
                this.add(host, rule);
                Ok(())
            })
        })?;
        Ok(this)
    }

    /// Gives `found` every rule that lists this host or one that it lies below, with the bytes of
    /// the listed part.
    pub(crate) fn at(&self, host: &str, mut found: impl FnMut(usize, Range<usize>)) {
        let name = host.trim_end().trim_end_matches('.');
        if self.rules.is_empty() || name.len() > MAX_HOST {
            return;
        }
        let lower = name.to_ascii_lowercase();
        for part in std::iter::once(lower.as_str()).chain(above(&lower)) {
            for rule in self.rules.get(part).into_iter().flatten() {
                found(*rule, name.len() - part.len()..name.len());
            }
        }
    }
}

/// Gives the names that a host lies below, the longest first.
pub(crate) fn above(host: &str) -> impl Iterator<Item = &str> {
    host.match_indices('.').filter_map(|(dot, _)| host.get(dot + 1..)).take(MAX_LABELS)
}

/// Says whether a text has the form of a host name, for the examples of a rule.
pub(crate) fn is_host(text: &str) -> bool {
    check(text.trim_start_matches("www.")).is_ok()
}

/// Checks a listed host; gives what is wrong and the way out.
pub(crate) fn check(host: &str) -> Result<(), (&'static str, &'static str)> {
    if host.parse::<Ipv4Addr>().is_ok() {
        return Ok(());
    }
    let wrong = if host.contains("://") {
        ("has a scheme", "write the host alone, as example.com")
    } else if host.contains(['/', '?', '#']) {
        ("has a path", "write the host alone, as example.com; a path is what url_path is for")
    } else if host.contains(':') {
        ("has a port or is an IPv6 address", "write the host alone, as example.com")
    } else if host.contains('*') {
        ("has a star", "leave *. out: hosts below are found anyway")
    } else if !host.is_ascii() {
        ("is not in ASCII", "write its ASCII form, which begins with xn--")
    } else if host.bytes().any(|byte| byte.is_ascii_uppercase()) {
        ("has capitals", "write it in lower case")
    } else if host.starts_with("www.") {
        ("begins with www", "leave www. out: hosts below are found anyway")
    } else if !is_name(host) {
        ("is no host", "write labels of a to z, digits and hyphens with full stops between them")
    } else if PUBLIC_ENDS.contains(&host) {
        ("is the end of many schools' and firms' names", "write the hosts that are meant")
    } else {
        return Ok(());
    };
    Err(wrong)
}

fn is_name(host: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let label = |label: &str| {
        (1..=MAX_LABEL).contains(&label.len())
            && label.bytes().all(plain)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let top = host.rsplit('.').next().unwrap_or_default();
    host.len() <= MAX_HOST
        && (2..=MAX_LABELS).contains(&host.split('.').count())
        && host.split('.').all(label)
        && !top.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_host_is_found_by_whole_labels_from_the_right() {
        for (host, expected) in [
            ("cricket.co.uk", Some("cricket.co.uk")),
            ("CRICKET.co.uk.", Some("CRICKET.co.uk")),
            ("news.live.cricket.co.uk", Some("cricket.co.uk")),
            ("sussexcricket.co.uk", None),
            ("cricket.co", None),
            ("cricket.co.uk.example.org", None),
            ("co.uk", None),
            ("10.0.0.1", Some("10.0.0.1")),
            ("", None),
            ("...", None),
        ] {
            assert_eq!(found(host), expected, "{host}");
        }
    }

    #[test]
    fn what_is_no_plain_host_is_refused() {
        for (host, expected) in [
            ("https://example.com", "has a scheme"),
            ("example.com/play", "has a path"),
            ("example.com:8080", "has a port or is an IPv6 address"),
            ("::1", "has a port or is an IPv6 address"),
            ("*.example.com", "has a star"),
            ("exámple.com", "is not in ASCII"),
            ("Example.com", "has capitals"),
            ("www.example.com", "begins with www"),
            ("example", "is no host"),
            ("example..com", "is no host"),
            ("-a.com", "is no host"),
            ("a b.com", "is no host"),
            ("", "is no host"),
            ("1.2.3", "is no host"),
            ("999.1.1.1", "is no host"),
            ("co.uk", "is the end of many schools' and firms' names"),
        ] {
            assert_eq!(check(host).unwrap_err().0, expected, "{host}");
        }
        for host in ["example.com", "xn--bcher-kva.example", "10.0.0.1", "a-b.c_d.co.uk"] {
            assert_eq!(check(host), Ok(()), "{host}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_looked_up_on_its_bounds(host in "\\PC{0,60}") {
            let mut set = HostSet::default();
            set.add("cricket.co.uk", 0);
            set.at(&host, |_, range| assert!(host.get(range).is_some()));
            let below = format!("{host}.cricket.co.uk");
            let mut hits = 0;
            set.at(&below, |_, range| {
                assert_eq!(&below[range], "cricket.co.uk");
                hits += 1;
            });
            prop_assert!(hits == 1 || below.len() > MAX_HOST || host.contains('.'));
        }
    }

    fn found(host: &str) -> Option<&str> {
        let mut set = HostSet::default();
        set.add("cricket.co.uk", 7);
        set.add("10.0.0.1", 7);
        let mut hit = None;
        set.at(host, |rule, range| {
            assert_eq!(rule, 7);
            hit = host.get(range);
        });
        hit
    }
}
