//! Virtual services (`IPVS_SVC_ATTR_*`).

use super::attribute::{Sink, attributes, be16_of, find, u16_of, u32_of};
use super::request::IPVS_CMD_ATTR_SERVICE;
use super::stats::parse_stats;
use crate::model::{
    Family, Name, Netmask, Protocol, Service, ServiceConfig, ServiceFlags, ServiceKey, Stats,
};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::num::NonZeroU32;

const IPVS_SVC_ATTR_AF: u16 = 1;
const IPVS_SVC_ATTR_PROTOCOL: u16 = 2;
const IPVS_SVC_ATTR_ADDR: u16 = 3;
const IPVS_SVC_ATTR_PORT: u16 = 4;
const IPVS_SVC_ATTR_FWMARK: u16 = 5;
const IPVS_SVC_ATTR_SCHED_NAME: u16 = 6;
const IPVS_SVC_ATTR_FLAGS: u16 = 7;
const IPVS_SVC_ATTR_TIMEOUT: u16 = 8;
const IPVS_SVC_ATTR_NETMASK: u16 = 9;
const IPVS_SVC_ATTR_STATS: u16 = 10;
const IPVS_SVC_ATTR_PE_NAME: u16 = 11;
const IPVS_SVC_ATTR_STATS64: u16 = 12;

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

/// What names a service, as every request that is about one carries it.
pub(super) fn emit_key(key: &ServiceKey, sink: &mut impl Sink) {
    sink.put_u16(IPVS_SVC_ATTR_AF, family_number(key.family()));
    match key {
        ServiceKey::Fwmark { mark, .. } => sink.put_u32(IPVS_SVC_ATTR_FWMARK, mark.get()),
        ServiceKey::Address {
            protocol,
            address,
            port,
        } => {
            sink.put_u16(IPVS_SVC_ATTR_PROTOCOL, *protocol as u16);
            sink.put(IPVS_SVC_ATTR_ADDR, &address_bytes(address));
            sink.put_be16(IPVS_SVC_ATTR_PORT, *port);
        }
    }
}

/// The rest of what a new or edited service carries; the kernel asks for all
/// of it, but for the persistence engine.
pub(super) fn emit_config(config: &ServiceConfig, sink: &mut impl Sink) {
    sink.put_text(IPVS_SVC_ATTR_SCHED_NAME, config.scheduler.as_bytes());
    if let Some(engine) = config.engine {
        sink.put_text(IPVS_SVC_ATTR_PE_NAME, engine.as_bytes());
    }
    sink.put(IPVS_SVC_ATTR_FLAGS, &flags_bytes(config.flags));
    sink.put_u32(IPVS_SVC_ATTR_TIMEOUT, config.timeout);
    sink.put(IPVS_SVC_ATTR_NETMASK, &netmask_bytes(config.netmask));
}

/// `struct ip_vs_flags`: the flags and a mask of those that count: all.
fn flags_bytes(flags: ServiceFlags) -> [u8; 8] {
    let mut bytes = [0xff; 8];
    bytes[..4].copy_from_slice(&flags.0.to_ne_bytes());
    bytes
}

/// A dotted mask is big-endian, a prefix length is a number of this machine.
fn netmask_bytes(mask: Netmask) -> [u8; 4] {
    match mask {
        Netmask::V4(mask) => mask.octets(),
        Netmask::V6(prefix) => prefix.to_ne_bytes(),
    }
}

fn netmask_of(family: Family, bytes: &[u8]) -> Option<Netmask> {
    match family {
        Family::Inet => bytes
            .first_chunk()
            .map(|b: &[u8; 4]| Netmask::V4((*b).into())),
        Family::Inet6 => u32_of(bytes).map(Netmask::V6),
    }
}

/// The identifying attributes, wherever in the message they stood.
#[derive(Default)]
struct RawKey<'a> {
    family: Option<Family>,
    protocol: Option<u16>,
    address: Option<&'a [u8]>,
    port: Option<u16>,
    mark: Option<u32>,
}

impl<'a> RawKey<'a> {
    /// Takes the attribute if it is one of the key's.
    fn take(&mut self, kind: u16, value: &'a [u8]) {
        match kind {
            IPVS_SVC_ATTR_AF => self.family = u16_of(value).and_then(family_of),
            IPVS_SVC_ATTR_PROTOCOL => self.protocol = u16_of(value),
            IPVS_SVC_ATTR_ADDR => self.address = Some(value),
            IPVS_SVC_ATTR_PORT => self.port = be16_of(value),
            IPVS_SVC_ATTR_FWMARK => self.mark = u32_of(value),
            _ => {}
        }
    }

    /// The key, once all of it is there.
    fn key(&self) -> Option<ServiceKey> {
        let family = self.family?;
        if let Some(mark) = self.mark.and_then(NonZeroU32::new) {
            return Some(ServiceKey::Fwmark { mark, family });
        }
        Some(ServiceKey::Address {
            protocol: Protocol::from_number(self.protocol?)?,
            address: address_of(family, self.address?)?,
            port: self.port?,
        })
    }
}

/// The service in the attributes of a reply (`IPVS_CMD_NEW_SERVICE`).
///
/// What an old kernel leaves out gets the kernel's default. `None` when the
/// message names no service, or one of a protocol or family that this program
/// cannot name: it could be neither shown nor changed.
pub fn parse_service(attributes_of_reply: &[u8]) -> Option<Service> {
    let mut raw = RawKey::default();
    let (mut netmask, mut stats, mut stats64) = (None, None, None);
    let mut config = ServiceConfig {
        scheduler: Name::from("none"),
        flags: ServiceFlags::default(),
        timeout: 0,
        netmask: Netmask::V6(128),
        engine: None,
    };
    for (kind, value) in attributes(find(attributes_of_reply, IPVS_CMD_ATTR_SERVICE)?) {
        match kind {
            IPVS_SVC_ATTR_SCHED_NAME => config.scheduler = Name::cut(value, Name::CAPACITY),
            IPVS_SVC_ATTR_FLAGS => config.flags = ServiceFlags(u32_of(value).unwrap_or(0)),
            IPVS_SVC_ATTR_TIMEOUT => config.timeout = u32_of(value).unwrap_or(0),
            IPVS_SVC_ATTR_NETMASK => netmask = Some(value),
            IPVS_SVC_ATTR_STATS => stats = Some(value),
            IPVS_SVC_ATTR_PE_NAME => config.engine = Some(Name::cut(value, Name::CAPACITY)),
            IPVS_SVC_ATTR_STATS64 => stats64 = Some(value),
            _ => raw.take(kind, value),
        }
    }
    let key = raw.key()?;
    config.engine = config.engine.filter(|name| !name.is_empty());
    config.netmask = netmask
        .and_then(|bytes| netmask_of(key.family(), bytes))
        .unwrap_or_else(|| Netmask::host(key.family()));
    let stats = stats64.or(stats).map_or(Stats::default(), parse_stats);
    Some(Service { key, config, stats })
}
