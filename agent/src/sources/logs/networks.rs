//! Ranges of addresses, as a technician writes them.

use std::net::IpAddr;
use std::str::FromStr;

/// A range of addresses: `192.168.4.0/22`, or one address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    bits: u8,
}

/// It is no range of addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected a network as 192.168.4.0/22 or 2001:db8::/64, without bits beyond its length")]
pub struct NoNetwork;

impl Network {
    /// Whether an address lies in it.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(network), IpAddr::V4(address)) => {
                same_bits(network.to_bits().into(), address.to_bits().into(), 32, self.bits)
            }
            (IpAddr::V6(network), IpAddr::V6(address)) => {
                same_bits(network.to_bits(), address.to_bits(), 128, self.bits)
            }
            _ => false,
        }
    }
}

impl FromStr for Network {
    type Err = NoNetwork;

    fn from_str(text: &str) -> Result<Self, NoNetwork> {
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| NoNetwork)?;
        let (value, most) = match address {
            IpAddr::V4(address) => (u128::from(address.to_bits()), 32),
            IpAddr::V6(address) => (address.to_bits(), 128),
        };
        let bits = match bits {
            // "+8" is a number to Rust.
            Some(bits) if !bits.bytes().all(|digit| digit.is_ascii_digit()) => {
                return Err(NoNetwork);
            }
            Some(bits) => bits.parse().ok().filter(|bits| *bits <= most).ok_or(NoNetwork)?,
            None => most,
        };
        let beyond = u32::from(most - bits);
        let whole = beyond == 128 && value == 0 || beyond < 128 && value.trailing_zeros() >= beyond;
        if whole { Ok(Self { address, bits }) } else { Err(NoNetwork) }
    }
}

fn same_bits(one: u128, other: u128, of: u8, bits: u8) -> bool {
    (one ^ other).checked_shr(u32::from(of - bits)).unwrap_or(0) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_in_its_network_and_in_no_other() {
        for (network, address, is_in) in [
            ("192.168.4.0/22", "192.168.7.255", true),
            ("192.168.4.0/22", "::ffff:192.168.7.255", true),
            ("192.168.4.0/22", "192.168.8.0", false),
            ("192.168.4.9", "192.168.4.9", true),
            ("192.168.4.9", "192.168.4.8", false),
            ("0.0.0.0/0", "10.0.0.1", true),
            ("0.0.0.0/0", "::1", false),
            ("::/0", "2001:db8::1", true),
            ("2001:db8::/64", "2001:db8::ffff:0:0:1", true),
            ("2001:db8::/64", "2001:db8:0:1::", false),
        ] {
            let network: Network = network.parse().unwrap();
            assert_eq!(network.contains(address.parse().unwrap()), is_in, "{network:?} {address}");
        }
    }

    #[test]
    fn what_is_no_network_is_refused() {
        for text in
            ["", "192.168.4.0/33", "192.168.4.1/22", "192.168.4/22", "10.0.0.0/+8", "::1/0", "a/8"]
        {
            assert_eq!(text.parse::<Network>(), Err(NoNetwork), "{text}");
        }
    }
}
