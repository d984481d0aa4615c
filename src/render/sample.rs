//! Invented services and servers for the tests of this module.

use super::Buffer;
use crate::names::Names;
use ipvs::{
    Family, Forwarding, Name, Netmask, Protocol, Server, ServerConfig, ServerKey, Service,
    ServiceConfig, ServiceFlags, ServiceKey, Stats,
};
use std::net::IpAddr;
use std::num::NonZeroU32;

pub(crate) fn tcp(address: &str, port: u16) -> ServiceKey {
    ServiceKey::Address {
        protocol: Protocol::Tcp,
        address: address.parse().unwrap(),
        port,
    }
}

pub(crate) fn mark(mark: u32, family: Family) -> ServiceKey {
    let mark = NonZeroU32::new(mark).unwrap();
    ServiceKey::Fwmark { mark, family }
}

pub(crate) fn config(scheduler: &str, family: Family) -> ServiceConfig {
    ServiceConfig {
        scheduler: Name::from(scheduler),
        flags: ServiceFlags::default(),
        timeout: 0,
        netmask: Netmask::host(family),
        engine: None,
    }
}

/// Scheduled by rr and counted.
pub(crate) fn service(key: ServiceKey) -> Service {
    Service {
        key,
        config: config("rr", key.family()),
        stats: stats(),
    }
}

pub(crate) fn server_key(address: &str, port: u16) -> ServerKey {
    let address = address.parse().unwrap();
    ServerKey { address, port }
}

pub(crate) fn server(address: &str, port: u16, forwarding: Forwarding) -> Server {
    Server {
        key: server_key(address, port),
        config: server_config(forwarding),
        active: 12,
        inactive: 3456,
        persistent: 7,
        stats: stats(),
    }
}

pub(crate) fn server_config(forwarding: Forwarding) -> ServerConfig {
    ServerConfig {
        forwarding,
        weight: 1,
        upper_threshold: 0,
        lower_threshold: 0,
    }
}

fn stats() -> Stats {
    Stats {
        conns: 1,
        in_packets: 22,
        out_packets: 333,
        in_bytes: 123_456_789,
        out_bytes: 5_000_000_000,
        cps: 4,
        in_pps: 123_456_789,
        out_pps: 0,
        in_bps: 6,
        out_bps: 100_000_000,
    }
}

/// One host name for all hosts and `http` for all ports.
pub(super) struct Named(pub(super) &'static str);

impl Names for Named {
    fn host(&self, _: &IpAddr) -> Option<&[u8]> {
        Some(self.0.as_bytes())
    }

    fn service(&self, _: u16, _: Protocol) -> Option<&[u8]> {
        Some(b"http")
    }
}

/// What `write` writes.
pub(crate) fn written(write: impl FnOnce(&mut Buffer)) -> String {
    let mut out = Buffer::default();
    write(&mut out);
    String::from_utf8(out.as_bytes().to_vec()).unwrap()
}
