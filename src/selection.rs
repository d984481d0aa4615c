//! Parts of the table, by what they are about: a virtual service, a virtual IP
//! address, a real server.
//!
//! This module only compares; who reads the table, and what an empty part
//! means, is the business of `run`.

use ipvs::{Family, Server, ServerKey, ServiceKey, Table};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A part of the table. What is `None` may be anything; all that is not must
/// hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// The virtual service.
    pub service: Option<ServiceKey>,
    /// The address and port of virtual services; those of a mark have none.
    pub vip: Option<EndpointFilter>,
    /// The real servers. Of services without such a server nothing is meant.
    pub server: Option<EndpointFilter>,
}

impl Selection {
    /// Whether everything is meant.
    pub fn is_whole(&self) -> bool {
        *self == Selection::default()
    }

    /// Whether hosts are meant, whatever the service.
    pub fn selects_hosts(&self) -> bool {
        self.vip.is_some() || self.server.is_some()
    }

    /// Whether this service is meant, whatever its real servers.
    pub fn has_service(&self, key: &ServiceKey) -> bool {
        self.service.is_none_or(|service| service == *key)
            && self.vip.is_none_or(|vip| match key {
                ServiceKey::Address { address, port, .. } => vip.matches(address, *port),
                ServiceKey::Fwmark { .. } => false,
            })
    }

    /// Whether this real server of a service that is meant is meant.
    pub fn has_server(&self, key: &ServerKey) -> bool {
        self.server
            .is_none_or(|server| server.matches(&key.address, key.port))
    }

    /// Those of `servers` that are meant, in their order; the others are moved
    /// behind them. `None` where their service is not meant for want of any.
    pub fn servers<'a>(&self, servers: &'a mut [Server]) -> Option<&'a mut [Server]> {
        if self.server.is_none() {
            return Some(servers);
        }
        let mut count = 0;
        for at in 0..servers.len() {
            if self.has_server(&servers[at].key) {
                servers.swap(count, at);
                count += 1;
            }
        }
        (count > 0).then(|| &mut servers[..count])
    }

    /// Takes out of `table` what is not meant.
    pub fn reduce(&self, table: &mut Table) {
        if self.is_whole() {
            return;
        }
        table.services.retain_mut(|(service, servers)| {
            let meant = self.has_service(&service.key);
            let left = self.servers(servers).map(|servers| servers.len());
            servers.truncate(left.unwrap_or_default());
            meant && left.is_some()
        });
    }
}

/// Addresses, and one of their ports or all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EndpointFilter {
    /// The addresses.
    pub network: Network,
    /// The port, or all of them.
    pub port: Option<u16>,
}

impl EndpointFilter {
    /// One address, with port 0 for all of its ports.
    pub fn host(address: IpAddr, port: u16) -> EndpointFilter {
        EndpointFilter {
            network: Network::host(address),
            port: Some(port).filter(|port| *port != 0),
        }
    }

    /// Whether this address and port are meant.
    pub fn matches(&self, address: &IpAddr, port: u16) -> bool {
        self.port.is_none_or(|wanted| wanted == port) && self.network.contains(address)
    }
}

/// The addresses that begin alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    first: IpAddr,
    prefix: u8,
}

impl Network {
    /// The addresses that have the first `prefix` bits of `address`; all bits
    /// where it has no more.
    pub fn of(address: IpAddr, prefix: u8) -> Network {
        match address {
            IpAddr::V4(v4) => {
                let prefix = prefix.min(32);
                let mask = u32::MAX.checked_shl(u32::from(32 - prefix)).unwrap_or(0);
                let first = Ipv4Addr::from_bits(v4.to_bits() & mask).into();
                Network { first, prefix }
            }
            IpAddr::V6(v6) => {
                let prefix = prefix.min(128);
                let mask = u128::MAX.checked_shl(u32::from(128 - prefix)).unwrap_or(0);
                let first = Ipv6Addr::from_bits(v6.to_bits() & mask).into();
                Network { first, prefix }
            }
        }
    }

    /// One address alone.
    pub fn host(address: IpAddr) -> Network {
        let prefix = if address.is_ipv4() { 32 } else { 128 };
        Network {
            first: address,
            prefix,
        }
    }

    /// The first address.
    pub fn first(&self) -> IpAddr {
        self.first
    }

    /// The family of the addresses.
    pub fn family(&self) -> Family {
        Family::of(&self.first)
    }

    /// How many bits the addresses have in common; `None` if there is only one.
    pub fn prefix(&self) -> Option<u8> {
        let all = if self.first.is_ipv4() { 32 } else { 128 };
        Some(self.prefix).filter(|prefix| *prefix < all)
    }

    /// Whether `address` is one of them.
    pub fn contains(&self, address: &IpAddr) -> bool {
        Network::of(*address, self.prefix).first == self.first
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ipvs::Protocol;
    use std::num::NonZeroU32;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_part_has_what_matches_all_that_it_names() {
        let web = ServiceKey::new(Protocol::Tcp, ([10, 0, 0, 1], 80).into());
        let dns = ServiceKey::new(Protocol::Udp, ([10, 0, 0, 1], 53).into());
        let mark = ServiceKey::Fwmark {
            mark: NonZeroU32::MIN,
            family: Family::Inet,
        };
        let whole = Selection::default();
        assert!(whole.is_whole() && whole.has_service(&web) && whole.has_service(&mark));
        let vip = Selection {
            vip: Some(EndpointFilter::host(ip("10.0.0.1"), 0)),
            ..whole
        };
        assert!(vip.has_service(&web) && vip.has_service(&dns) && !vip.has_service(&mark));
        let port = Selection {
            vip: Some(EndpointFilter::host(ip("10.0.0.1"), 53)),
            ..whole
        };
        assert!(!port.has_service(&web) && port.has_service(&dns));
        let one = Selection {
            service: Some(mark),
            ..whole
        };
        assert!(one.has_service(&mark) && !one.has_service(&web) && !one.is_whole());
        let host = Selection {
            server: Some(EndpointFilter::host(ip("10.0.0.11"), 0)),
            ..whole
        };
        let server = |address, port| ServerKey {
            address: ip(address),
            port,
        };
        assert!(host.has_server(&server("10.0.0.11", 80)));
        assert!(!host.has_server(&server("10.0.0.1", 80)));
        assert!(host.has_service(&web));
    }

    #[test]
    fn a_network_has_the_addresses_that_begin_like_it() {
        for (address, prefix, inside, outside) in [
            ("10.1.2.3", 24, "10.1.2.255", "10.1.3.3"),
            ("10.1.2.3", 32, "10.1.2.3", "10.1.2.2"),
            ("10.1.2.3", 255, "10.1.2.3", "10.1.2.2"),
            ("10.1.2.3", 0, "255.0.0.1", "::"),
            ("0.0.0.0", 0, "255.0.0.1", "::"),
            ("2001:db8::1", 32, "2001:db8:ffff::", "2001:db9::1"),
            ("2001:db8::1", 128, "2001:db8::1", "2001:db8::2"),
            ("::", 0, "2001:db8::1", "0.0.0.0"),
            ("::a01:203", 128, "::a01:203", "10.1.2.3"),
        ] {
            let network = Network::of(ip(address), prefix);
            assert!(network.contains(&ip(inside)), "{network:?}");
            assert!(!network.contains(&ip(outside)), "{network:?}");
        }
        assert_eq!(Network::of(ip("10.1.2.3"), 24).first(), ip("10.1.2.0"));
        assert_eq!(Network::of(ip("10.1.2.3"), 24).prefix(), Some(24));
        assert_eq!(Network::of(ip("10.1.2.3"), 64).prefix(), None);
        assert_eq!(Network::of(ip("::1"), 64).prefix(), Some(64));
        assert_eq!(Network::host(ip("::1")).prefix(), None);
    }
}
