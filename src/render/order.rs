//! The order of listings: that of C ipvsadm, but addresses and marks are
//! compared as unsigned numbers.

use ipvs::{Family, Server, Service, ServiceKey, Table};
use std::net::{IpAddr, Ipv4Addr};

/// Mark, family, protocol, address, port. A service without a mark has mark 0
/// and so comes before all that have one.
type Rank = (u32, Family, u16, IpAddr, u16);

fn rank(key: &ServiceKey) -> Rank {
    match *key {
        ServiceKey::Address {
            protocol,
            address,
            port,
        } => (0, Family::of(&address), protocol.number(), address, port),
        ServiceKey::Fwmark { mark, family } => {
            (mark.get(), family, 0, Ipv4Addr::UNSPECIFIED.into(), 0)
        }
    }
}

/// Sorts services and the servers of each.
pub fn table(table: &mut Table) {
    table
        .services
        .sort_unstable_by_key(|(service, _)| rank(&service.key));
    for (_, rows) in &mut table.services {
        servers(rows);
    }
}

/// Sorts services by mark, family, protocol, address, port.
pub fn services(services: &mut [Service]) {
    services.sort_unstable_by_key(|service| rank(&service.key));
}

/// Sorts servers by address and port. Addresses are compared byte by byte
/// whatever their family, so that IPv4 and IPv6 servers of one service are
/// interleaved, as in C ipvsadm.
pub fn servers(servers: &mut [Server]) {
    servers.sort_unstable_by_key(|server| {
        let address = server.key.address;
        (first_bytes(&address), server.key.port, Family::of(&address))
    });
}

/// The address as a number whose highest byte is the first.
fn first_bytes(address: &IpAddr) -> u128 {
    match address {
        IpAddr::V4(v4) => u128::from(v4.to_bits()) << 96,
        IpAddr::V6(v6) => v6.to_bits(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::{mark, server, service, tcp};
    use super::*;
    use ipvs::{Forwarding, Protocol};

    fn key(protocol: Protocol, address: &str, port: u16) -> ServiceKey {
        ServiceKey::Address {
            protocol,
            address: address.parse().unwrap(),
            port,
        }
    }

    #[test]
    fn services_are_sorted_as_unsigned_numbers() {
        let wanted = [
            tcp("10.0.0.1", 80),
            tcp("10.0.0.1", 40000),
            tcp("100.0.0.1", 80),
            tcp("192.168.0.1", 80),
            key(Protocol::Udp, "1.0.0.1", 53),
            key(Protocol::Sctp, "1.0.0.1", 53),
            tcp("::1", 80),
            tcp("fe80::1", 80),
            mark(1, Family::Inet),
            mark(1, Family::Inet6),
            mark(0x8000_0000, Family::Inet),
            mark(u32::MAX, Family::Inet),
        ];
        let mut rows: Vec<Service> = wanted.into_iter().rev().map(service).collect();
        services(&mut rows);
        let found: Vec<ServiceKey> = rows.iter().map(|row| row.key).collect();
        assert_eq!(found, wanted);
    }

    #[test]
    fn servers_are_sorted_by_address_and_port() {
        let wanted = [
            ("::2", 80),
            ("10.0.0.2", 80),
            ("10.0.0.2", 8080),
            ("2001:db8::2", 80),
            ("2001:db8::9", 80),
            ("192.168.0.2", 80),
            ("fe80::2", 1),
        ];
        let mut rows: Vec<Server> = wanted
            .iter()
            .rev()
            .map(|(address, port)| server(address, *port, Forwarding::Masq))
            .collect();
        servers(&mut rows);
        let found: Vec<(String, u16)> = rows
            .iter()
            .map(|row| (row.key.address.to_string(), row.key.port))
            .collect();
        let wanted = wanted.map(|(address, port)| (address.to_owned(), port));
        assert_eq!(found, wanted);
    }
}
