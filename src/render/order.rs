//! The order of listings: that of the original, with addresses and marks
//! compared as the unsigned numbers they are.
//!
//! This module must not print.

use crate::model::{Family, Server, Service, ServiceKey};
use std::net::{IpAddr, Ipv4Addr};

/// Mark, family, protocol, address, port. A service without a mark has mark 0
/// and so comes before all that have one.
type Rank = (u32, Family, u8, IpAddr, u16);

fn rank(key: &ServiceKey) -> Rank {
    match *key {
        ServiceKey::Address {
            protocol,
            address,
            port,
        } => (0, Family::of(&address), protocol as u8, address, port),
        ServiceKey::Fwmark { mark, family } => {
            (mark.get(), family, 0, Ipv4Addr::UNSPECIFIED.into(), 0)
        }
    }
}

/// Sorts services by mark, family, protocol, address, port.
pub fn services(services: &mut [Service]) {
    services.sort_unstable_by_key(|service| rank(&service.key));
}

/// Sorts servers by family, address, port.
pub fn servers(servers: &mut [Server]) {
    servers.sort_unstable_by_key(|server| server.key);
}
