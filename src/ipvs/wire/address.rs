//! Addresses and their families, as services, servers and daemons have them.

use crate::model::Family;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

const AF_INET: u16 = 2;
const AF_INET6: u16 = 10;

/// The number of the family in sys/socket.h.
pub(super) fn family_number(family: Family) -> u16 {
    match family {
        Family::Inet => AF_INET,
        Family::Inet6 => AF_INET6,
    }
}

/// The family with that number; `None` for one that IPVS does not have.
pub(super) fn family_of(number: u16) -> Option<Family> {
    match number {
        AF_INET => Some(Family::Inet),
        AF_INET6 => Some(Family::Inet6),
        _ => None,
    }
}

/// The kernel's `union nf_inet_addr`: 16 bytes, an IPv4 address in the first 4.
pub(super) fn address_bytes(address: &IpAddr) -> [u8; 16] {
    match address {
        IpAddr::V6(v6) => v6.octets(),
        IpAddr::V4(v4) => {
            let mut bytes = [0; 16];
            bytes[..4].copy_from_slice(&v4.octets());
            bytes
        }
    }
}

/// The address in such a union. Nothing in it says which family it is of.
pub(super) fn address_of(family: Family, bytes: &[u8]) -> Option<IpAddr> {
    match family {
        Family::Inet => bytes
            .first_chunk()
            .map(|b: &[u8; 4]| Ipv4Addr::from(*b).into()),
        Family::Inet6 => bytes
            .first_chunk()
            .map(|b: &[u8; 16]| Ipv6Addr::from(*b).into()),
    }
}
