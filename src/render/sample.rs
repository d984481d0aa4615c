//! Invented services and servers for the tests of this module.

use super::Buffer;
use crate::names::Names;
use ipvs::{
    Family, Forwarding, Protocol, Server, ServerConfig, ServerKey, Service, ServiceConfig,
    ServiceKey, Stats,
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
    ServiceConfig::new(scheduler, family)
}

/// Scheduled by rr and counted.
pub(crate) fn service(key: ServiceKey) -> Service {
    let mut service = Service::new(key, config("rr", key.family()));
    service.stats = stats();
    service
}

pub(crate) fn server_key(address: &str, port: u16) -> ServerKey {
    let address = address.parse().unwrap();
    ServerKey { address, port }
}

pub(crate) fn server(address: &str, port: u16, forwarding: Forwarding) -> Server {
    let mut server = Server::new(server_key(address, port), server_config(forwarding));
    (server.active, server.inactive, server.persistent) = (12, 3456, 7);
    server.stats = stats();
    server
}

pub(crate) fn server_config(forwarding: Forwarding) -> ServerConfig {
    ServerConfig::new(forwarding)
}

fn stats() -> Stats {
    let mut stats = Stats::default();
    stats.conns = 1;
    stats.in_packets = 22;
    stats.out_packets = 333;
    stats.in_bytes = 123_456_789;
    stats.out_bytes = 5_000_000_000;
    stats.cps = 4;
    stats.in_pps = 123_456_789;
    stats.in_bps = 6;
    stats.out_bps = 100_000_000;
    stats
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
