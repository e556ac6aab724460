//! Which device had which address when, as far as one lease file has told.
//!
//! # What counts as known
//! - **ISC's file** has a beginning and an end for each lease: they are taken as they stand, and the next
//!   lease of an address ends the one before.
//! - **dnsmasq's file** has only the end, and is rewritten as a whole. A lease that stands in it was valid
//!   from the file's last change on, since it was in the file then. If the address was free at the reading
//!   before, a shortest lease or less ago, then from that reading on: nobody else can have had it since.
//!   If another device had it then, that one had it until that reading, and between the two nobody can say.
//! - Who is not in the file any more had the address until the file was changed, or until his lease ended,
//!   whichever came first. A renewal moves the end.
//!
//! **If two devices may have had an address at a time, nobody is named.** The wrong child is worse than no
//! child: the address alone is still told.
//!
//! The table holds [`KEPT`], and of an address no more than [`MOST_HOLDINGS`]; it is not stored. After a
//! start, lines from before the lease file's last change are matched to ISC's history only.

use std::collections::HashMap;
use std::net::IpAddr;

use jiff::{SignedDuration, Timestamp};

use super::dnsmasq::Lease;
use super::isc::Record;
use super::mac::Mac;

/// How long it is remembered who had an address: a log that is read late is of yesterday.
const KEPT: SignedDuration = SignedDuration::from_hours(48);
/// dnsmasq gives no shorter lease (`man dnsmasq`, `--dhcp-range`).
const SHORTEST: SignedDuration = SignedDuration::from_mins(2);
/// Devices that are remembered for one address. The shortest lease that a school gives is a lesson's.
const MOST_HOLDINGS: usize = 64;
/// Addresses that are remembered: a /16.
const MOST_ADDRESSES: usize = 65_536;

/// One device had one address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Holding {
    /// `None`: some device of which the file tells no MAC address.
    mac: Option<Mac>,
    from: Timestamp,
    /// The first moment at which it had it no more.
    until: Timestamp,
}

/// The addresses of one lease file.
#[derive(Debug, Default)]
pub(super) struct Table {
    addresses: HashMap<IpAddr, Vec<Holding>>,
    /// Of dnsmasq's file: when it was read last.
    read_at: Option<Timestamp>,
}

impl Table {
    /// The devices that may have had the address at a time; `None` stands for one that cannot be named.
    pub(super) fn holders(&self, address: IpAddr, at: Timestamp) -> Vec<Option<Mac>> {
        let holdings = self.addresses.get(&address).map_or(&[][..], Vec::as_slice);
        let held = holdings.iter().filter(|held| held.from <= at && at < held.until);
        let mut holders: Vec<_> = held.map(|held| held.mac).collect();
        holders.sort_unstable();
        holders.dedup();
        holders
    }

    /// The devices that have an address now.
    pub(super) fn devices(&self, now: Timestamp) -> impl Iterator<Item = Mac> + '_ {
        self.addresses
            .values()
            .flatten()
            .filter_map(move |held| held.mac.filter(|_| held.from <= now && now < held.until))
    }

    /// Takes over what dnsmasq's file says: `changed` is when it was last changed, `now` when it was read.
    pub(super) fn replace(&mut self, leases: &[Lease], changed: Timestamp, now: Timestamp) {
        let changed = changed.min(now);
        let before = self.read_at.replace(now).map_or(changed, |before| before.min(changed));
        let present: HashMap<_, _> = leases.iter().map(|lease| (lease.address, lease)).collect();
        for (address, holdings) in &mut self.addresses {
            if !present.contains_key(address) {
                for held in holdings.iter_mut().filter(|held| held.until > changed) {
                    held.until = changed.max(held.from);
                }
            }
        }
        for lease in present.into_values() {
            self.hold(lease, before, changed);
        }
        self.tidy(now);
    }

    /// Takes over one lease of a file that was read `before`, and `changed` since.
    fn hold(&mut self, lease: &Lease, before: Timestamp, changed: Timestamp) {
        if !self.addresses.contains_key(&lease.address) && self.addresses.len() >= MOST_ADDRESSES {
            return;
        }
        let holdings = self.addresses.entry(lease.address).or_default();
        if let Some(last) = holdings.last_mut()
            && (last.mac.is_some() && last.mac == lease.mac && last.until >= changed)
        {
            last.until = lease.until.max(last.from);
            return;
        }
        let free = holdings.iter().all(|held| held.until <= before);
        for held in holdings.iter_mut().filter(|held| held.until > changed) {
            // Whoever has it by now may have had it since the last reading.
            held.until = before.max(held.from);
        }
        // Who came and went between two readings needed the shortest lease at least.
        let from = if free && changed.duration_since(before) < SHORTEST { before } else { changed };
        if from < lease.until {
            holdings.push(Holding { mac: lease.mac, from, until: lease.until });
        }
    }

    /// Takes over what one block of ISC's file says; later ones override earlier ones.
    pub(super) fn record(&mut self, record: &Record) {
        if !self.addresses.contains_key(&record.address) && self.addresses.len() >= MOST_ADDRESSES {
            return;
        }
        let holdings = self.addresses.entry(record.address).or_default();
        let Record { mac, from, until, active, .. } = *record;
        let until = until.max(from);
        for held in holdings.iter_mut().filter(|held| held.from != from || held.mac != mac) {
            // One that began before this one ended when this one began; unless it is a renewal's
            // beginning, of the same device.
            if held.from <= from && held.until > from && (held.mac != mac || mac.is_none()) {
                held.until = from;
            }
            // It was given up: what was known of its end is overtaken.
            if !active && held.mac == mac && held.from <= until && held.until > until {
                held.until = until;
            }
        }
        match holdings.iter_mut().find(|held| held.from == from && held.mac == mac) {
            Some(held) => held.until = until,
            None => holdings.push(Holding { mac, from, until }),
        }
        if holdings.len() > MOST_HOLDINGS {
            holdings.remove(0);
        }
    }

    /// Forgets what was too long ago.
    pub(super) fn tidy(&mut self, now: Timestamp) {
        let oldest = now.saturating_sub(KEPT).unwrap_or(Timestamp::MIN);
        self.addresses.retain(|_, holdings| {
            holdings.retain(|held| held.until > oldest && held.from < held.until);
            let surplus = holdings.len().saturating_sub(MOST_HOLDINGS);
            holdings.drain(..surplus);
            !holdings.is_empty()
        });
    }
}

#[cfg(test)]
mod tests;
