//! Virtual services (`IPVS_SVC_ATTR_*`).

use super::attribute::{Writer, be16_of, by_kind, find, u16_of, u32_of};
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
pub(super) fn emit_key(key: &ServiceKey, out: &mut Writer) {
    out.put_u16(IPVS_SVC_ATTR_AF, family_number(key.family()));
    match key {
        ServiceKey::Fwmark { mark, .. } => out.put_u32(IPVS_SVC_ATTR_FWMARK, mark.get()),
        ServiceKey::Address {
            protocol,
            address,
            port,
        } => {
            out.put_u16(IPVS_SVC_ATTR_PROTOCOL, *protocol as u16);
            out.put(IPVS_SVC_ATTR_ADDR, &address_bytes(address));
            out.put_be16(IPVS_SVC_ATTR_PORT, *port);
        }
    }
}

/// The rest of what a new or edited service carries; the kernel asks for all
/// of it, but for the persistence engine.
pub(super) fn emit_config(config: &ServiceConfig, out: &mut Writer) {
    out.put_text(IPVS_SVC_ATTR_SCHED_NAME, config.scheduler.as_bytes());
    if let Some(engine) = config.engine {
        out.put_text(IPVS_SVC_ATTR_PE_NAME, engine.as_bytes());
    }
    out.put(IPVS_SVC_ATTR_FLAGS, &flags_bytes(config.flags));
    out.put_u32(IPVS_SVC_ATTR_TIMEOUT, config.timeout);
    out.put(IPVS_SVC_ATTR_NETMASK, &netmask_bytes(config.netmask));
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

/// The values of a service's attributes by type.
struct Values<'a>([&'a [u8]; IPVS_SVC_ATTR_STATS64 as usize + 1]);

impl<'a> Values<'a> {
    fn of(&self, kind: u16) -> &'a [u8] {
        self.0.get(usize::from(kind)).copied().unwrap_or_default()
    }

    fn number(&self, kind: u16) -> Option<u32> {
        u32_of(self.of(kind))
    }

    fn key(&self) -> Option<ServiceKey> {
        let family = family_of(u16_of(self.of(IPVS_SVC_ATTR_AF))?)?;
        if let Some(mark) = self.number(IPVS_SVC_ATTR_FWMARK).and_then(NonZeroU32::new) {
            return Some(ServiceKey::Fwmark { mark, family });
        }
        Some(ServiceKey::Address {
            protocol: Protocol::from_number(u16_of(self.of(IPVS_SVC_ATTR_PROTOCOL))?)?,
            address: address_of(family, self.of(IPVS_SVC_ATTR_ADDR))?,
            port: be16_of(self.of(IPVS_SVC_ATTR_PORT))?,
        })
    }

    fn config(&self, family: Family) -> ServiceConfig {
        let scheduler = self.name(IPVS_SVC_ATTR_SCHED_NAME);
        let netmask = netmask_of(family, self.of(IPVS_SVC_ATTR_NETMASK));
        ServiceConfig {
            scheduler: scheduler.unwrap_or_else(|| Name::from("none")),
            flags: ServiceFlags(self.number(IPVS_SVC_ATTR_FLAGS).unwrap_or(0)),
            timeout: self.number(IPVS_SVC_ATTR_TIMEOUT).unwrap_or(0),
            netmask: netmask.unwrap_or_else(|| Netmask::host(family)),
            engine: self.name(IPVS_SVC_ATTR_PE_NAME),
        }
    }

    fn name(&self, kind: u16) -> Option<Name> {
        let bytes = self.of(kind);
        // Without an engine there is no attribute; spare it the copying.
        let name = (!bytes.is_empty()).then(|| Name::cut(bytes, Name::CAPACITY));
        name.filter(|name| !name.is_empty())
    }

    fn stats(&self) -> Stats {
        match (self.of(IPVS_SVC_ATTR_STATS64), self.of(IPVS_SVC_ATTR_STATS)) {
            ([], narrow) => parse_stats(narrow),
            (wide, _) => parse_stats(wide),
        }
    }
}

/// The service in the attributes of a reply (`IPVS_CMD_NEW_SERVICE`).
///
/// What an old kernel leaves out gets the kernel's default. `None` when the
/// message names no service, or one of a protocol or family that this program
/// cannot name: it could be neither shown nor changed.
pub fn parse_service(attributes_of_reply: &[u8]) -> Option<Service> {
    let values = Values(by_kind(find(attributes_of_reply, IPVS_CMD_ATTR_SERVICE)?));
    let key = values.key()?;
    Some(Service {
        key,
        config: values.config(key.family()),
        stats: values.stats(),
    })
}
