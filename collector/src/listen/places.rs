//! Places for connections: so many in all, so many of one address.
//!
//! A school's devices come from one address (its router's), so the bound for an address counts only the
//! connections that are not authenticated: handshakes on the agents' listener, everything on the others. An
//! address of IPv6 counts as its [`network`].

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

/// Bounds of one listener.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Connections at once.
    pub in_all: usize,
    /// Connections of one address at once that are not authenticated.
    pub of_one_address: usize,
}

/// Enrolment: short calls, a whole school at once after an MDM roll-out.
pub const ENROLMENT: Bounds = Bounds { in_all: 2_048, of_one_address: 256 };
/// Agents and feed: one connection for each device of some twenty schools.
pub const AGENTS: Bounds = Bounds { in_all: 20_000, of_one_address: 256 };
/// Console: a few people, a few connections for each.
pub const CONSOLE: Bounds = Bounds { in_all: 1_024, of_one_address: 128 };

/// The places of one listener. Clones share them.
#[derive(Debug, Clone)]
pub struct Places(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    bounds: Bounds,
    taken: Mutex<Taken>,
}

#[derive(Debug, Default)]
struct Taken {
    in_all: usize,
    by_address: HashMap<IpAddr, usize>,
}

/// A place among all; given back when it is dropped.
#[derive(Debug)]
pub struct Place(Places);

/// A place among those of an address; given back when it is dropped.
#[derive(Debug)]
pub struct AddressPlace {
    places: Places,
    address: IpAddr,
}

impl Places {
    /// Makes the places of a listener.
    #[must_use]
    pub fn new(bounds: Bounds) -> Self {
        Self(Arc::new(Inner { bounds, taken: Mutex::default() }))
    }

    /// Takes a place for a connection from an address; `None` if there is none.
    #[must_use]
    pub fn take(&self, address: IpAddr) -> Option<(Place, AddressPlace)> {
        let address = network(address);
        let mut taken = self.0.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let of_address = taken.by_address.get(&address).copied().unwrap_or(0);
        if taken.in_all >= self.0.bounds.in_all || of_address >= self.0.bounds.of_one_address {
            return None;
        }
        taken.in_all += 1;
        taken.by_address.insert(address, of_address + 1);
        Some((Place(self.clone()), AddressPlace { places: self.clone(), address }))
    }
}

/// What counts as one address: of IPv6 the /64, because a home or a school has one to itself, and thus 2^64
/// addresses to come from.
#[must_use]
pub fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => {
            let bits = address.to_bits() >> 64 << 64;
            IpAddr::V6(bits.into())
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.0.0.taken.lock().unwrap_or_else(PoisonError::into_inner);
        taken.in_all = taken.in_all.saturating_sub(1);
    }
}

impl Drop for AddressPlace {
    fn drop(&mut self) {
        let mut taken = self.places.0.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = taken.by_address.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                taken.by_address.remove(&self.address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_of_ipv6_is_one_address() {
        for (address, expected) in [
            ("2001:db8::1", "2001:db8::"),
            ("2001:db8::ffff:1", "2001:db8::"),
            ("2001:db8:0:1::1", "2001:db8:0:1::"),
            ("::ffff:192.0.2.1", "192.0.2.1"),
        ] {
            let expected: IpAddr = expected.parse().unwrap();
            assert_eq!(network(address.parse().unwrap()), expected, "{address}");
        }
        let places = Places::new(Bounds { in_all: 9, of_one_address: 2 });
        let taken: Vec<_> =
            (1..5_u128).map(|n| places.take(IpAddr::V6((0xfd << 120 | n).into()))).collect();
        assert_eq!(taken.iter().flatten().count(), 2);
    }

    #[test]
    fn an_address_has_its_bound_and_gets_its_places_back() {
        let places = Places::new(Bounds { in_all: 3, of_one_address: 2 });
        let [one, other] = [[127, 0, 0, 1], [127, 0, 0, 2]].map(IpAddr::from);
        let first = places.take(one).unwrap();
        let second = places.take(one).unwrap();
        assert!(places.take(one).is_none());
        let (third, _authenticated) = places.take(other).unwrap();
        assert!(places.take(other).is_none(), "all are taken");
        drop(first);
        assert!(places.take(one).is_some());
        drop((second, third));
        assert_eq!(places.0.taken.lock().unwrap().in_all, 0);
    }
}
