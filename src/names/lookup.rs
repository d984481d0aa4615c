//! From words to addresses and ports, for the command line.
//!
//! This module must not be asked for numbers: whoever asks has tried them.

use super::services::Services;
use crate::model::Protocol;
use dns_lookup::{AddrFamily, AddrInfoHints, SockType, getaddrinfo};
use std::fs;
use std::net::{IpAddr, Ipv4Addr};

/// Where services have their names.
pub(super) const SERVICES_FILE: &str = "/etc/services";

/// Looks words up.
pub trait Lookup {
    /// The first IPv4 address of a host. There are no others: the original has
    /// always taken a name for an IPv4 host.
    fn host(&mut self, name: &[u8]) -> Option<Ipv4Addr>;

    /// The port of a service.
    fn port(&mut self, name: &[u8], protocol: Protocol) -> Option<u16>;
}

/// Looks words up as the system does.
#[derive(Debug, Default)]
pub struct SystemLookup {
    services: Option<Services>,
}

impl Lookup for SystemLookup {
    fn host(&mut self, name: &[u8]) -> Option<Ipv4Addr> {
        let name = std::str::from_utf8(name).ok()?;
        let hints = AddrInfoHints {
            socktype: SockType::Stream.into(),
            address: AddrFamily::Inet.into(),
            ..AddrInfoHints::default()
        };
        let found = getaddrinfo(Some(name), None, Some(hints)).ok()?;
        found.flatten().find_map(|entry| match entry.sockaddr.ip() {
            IpAddr::V4(address) => Some(address),
            IpAddr::V6(_) => None,
        })
    }

    fn port(&mut self, name: &[u8], protocol: Protocol) -> Option<u16> {
        self.services
            .get_or_insert_with(system_services)
            .port(name, protocol)
    }
}

/// Knows no names: for tests.
#[cfg(test)]
#[derive(Debug)]
pub struct NoLookup;

#[cfg(test)]
impl Lookup for NoLookup {
    fn host(&mut self, _: &[u8]) -> Option<Ipv4Addr> {
        None
    }

    fn port(&mut self, _: &[u8], _: Protocol) -> Option<u16> {
        None
    }
}

/// The services of this machine; none where the file cannot be read.
pub(super) fn system_services() -> Services {
    Services::parse(&fs::read(SERVICES_FILE).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn localhost_is_known_and_nonsense_is_not() {
        let mut lookup = SystemLookup::default();
        assert_eq!(lookup.host(b"localhost"), Some(Ipv4Addr::LOCALHOST));
        assert_eq!(lookup.host(b"local\0host"), None);
        assert_eq!(lookup.host(b"\xff"), None);
        assert_eq!(lookup.port(b"no such service", Protocol::Tcp), None);
    }
}
