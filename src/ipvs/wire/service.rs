//! Virtual services (`IPVS_SVC_ATTR_*`).

use super::address::{address_bytes, address_of, family_number, family_of};
use super::attribute::{Sink, Values, find};
use super::stats::parse_stats;
use crate::model::{
    Family, Name, Netmask, Protocol, Service, ServiceConfig, ServiceFlags, ServiceKey,
};
use std::num::NonZeroU32;

const IPVS_CMD_ATTR_SERVICE: u16 = 1;

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
const IPVS_SVC_ATTR_MAX: u16 = IPVS_SVC_ATTR_STATS64;

/// A service: what names it, as every request that is about one carries it, and
/// for a new or edited one also how it is set up.
pub(super) fn emit(key: &ServiceKey, config: Option<&ServiceConfig>, out: &mut impl Sink) {
    out.nest(IPVS_CMD_ATTR_SERVICE, |out| {
        emit_key(key, out);
        if let Some(config) = config {
            emit_config(config, out);
        }
    });
}

fn emit_key(key: &ServiceKey, out: &mut impl Sink) {
    out.put_u16(IPVS_SVC_ATTR_AF, family_number(key.family()));
    match key {
        ServiceKey::Fwmark { mark, .. } => out.put_u32(IPVS_SVC_ATTR_FWMARK, mark.get()),
        ServiceKey::Address {
            protocol,
            address,
            port,
        } => {
            out.put_u16(IPVS_SVC_ATTR_PROTOCOL, protocol.number());
            out.put(IPVS_SVC_ATTR_ADDR, &address_bytes(address));
            out.put_be16(IPVS_SVC_ATTR_PORT, *port);
        }
    }
}

/// The kernel asks for all of it, but for the persistence engine.
fn emit_config(config: &ServiceConfig, out: &mut impl Sink) {
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
    bytes[..4].copy_from_slice(&flags.bits().to_ne_bytes());
    bytes
}

/// A dotted mask is big-endian, a prefix length is a number of this machine.
fn netmask_bytes(mask: Netmask) -> [u8; 4] {
    match mask {
        Netmask::V4(mask) => mask.octets(),
        Netmask::V6(prefix) => prefix.to_ne_bytes(),
    }
}

/// The attributes of a service by type.
type Attributes<'a> = Values<'a, { IPVS_SVC_ATTR_MAX as usize + 1 }>;

fn parse_key(values: &Attributes) -> Option<ServiceKey> {
    let family = family_of(values.u16::<IPVS_SVC_ATTR_AF>()?)?;
    if let Some(mark) = values
        .u32::<IPVS_SVC_ATTR_FWMARK>()
        .and_then(NonZeroU32::new)
    {
        return Some(ServiceKey::Fwmark { mark, family });
    }
    Some(ServiceKey::Address {
        protocol: Protocol::from_number(values.u16::<IPVS_SVC_ATTR_PROTOCOL>()?),
        address: address_of(family, values.of::<IPVS_SVC_ATTR_ADDR>())?,
        port: values.be16::<IPVS_SVC_ATTR_PORT>()?,
    })
}

fn parse_config(values: &Attributes, family: Family) -> ServiceConfig {
    let scheduler = name_of(values.of::<IPVS_SVC_ATTR_SCHED_NAME>());
    let netmask = netmask_of(family, values);
    ServiceConfig {
        scheduler: scheduler.unwrap_or_else(|| Name::from("none")),
        flags: ServiceFlags::from_bits_retain(values.u32::<IPVS_SVC_ATTR_FLAGS>().unwrap_or(0)),
        timeout: values.u32::<IPVS_SVC_ATTR_TIMEOUT>().unwrap_or(0),
        netmask: netmask.unwrap_or_else(|| Netmask::host(family)),
        engine: name_of(values.of::<IPVS_SVC_ATTR_PE_NAME>()),
    }
}

fn netmask_of(family: Family, values: &Attributes) -> Option<Netmask> {
    match family {
        Family::Inet => {
            let octets: &[u8; 4] = values.of::<IPVS_SVC_ATTR_NETMASK>().first_chunk()?;
            Some(Netmask::V4((*octets).into()))
        }
        Family::Inet6 => values.u32::<IPVS_SVC_ATTR_NETMASK>().map(Netmask::V6),
    }
}

fn name_of(bytes: &[u8]) -> Option<Name> {
    // Without an engine there is no attribute; spare it the copying.
    let name = (!bytes.is_empty()).then(|| Name::cut(bytes, Name::CAPACITY));
    name.filter(|name| !name.is_empty())
}

/// The service in the attributes of a reply (`IPVS_CMD_NEW_SERVICE`).
///
/// What an old kernel leaves out gets the kernel's default. `None` when the
/// message names no service, or one of a protocol or family that this crate
/// cannot name: it could be neither shown nor changed.
pub fn parse_service(attributes_of_reply: &[u8]) -> Option<Service> {
    let values = Attributes::new(find(attributes_of_reply, IPVS_CMD_ATTR_SERVICE)?);
    let key = parse_key(&values)?;
    Some(Service {
        key,
        config: parse_config(&values, key.family()),
        stats: parse_stats(
            values.of::<IPVS_SVC_ATTR_STATS64>(),
            values.of::<IPVS_SVC_ATTR_STATS>(),
        ),
    })
}
