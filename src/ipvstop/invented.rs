//! Invented tables for the tests.

use crate::sample::{Sample, ServerRow, ServiceRow, hosts};
use ipvs::{
    Family, Forwarding, Protocol, Server, ServerConfig, ServerKey, Service, ServiceConfig,
    ServiceKey,
};
use ipvsadm::rates::Rates;
use std::net::Ipv4Addr;
use std::time::{Duration, UNIX_EPOCH};

/// Numbers count from 1.
pub fn service_key(number: u32) -> ServiceKey {
    ServiceKey::Address {
        protocol: Protocol::Tcp,
        address: Ipv4Addr::from_bits(0xc000_0200 + number).into(),
        port: 80,
    }
}

pub fn server_key(number: u32) -> ServerKey {
    ServerKey {
        address: Ipv4Addr::from_bits(0x0a00_0000 + number).into(),
        port: 8080,
    }
}

fn server(number: u32) -> Server {
    let mut config = ServerConfig::new(Forwarding::Masq);
    config.weight = number as i32;
    (config.upper_threshold, config.lower_threshold) = (1000, 800);
    let mut server = Server::new(server_key(number), config);
    (server.active, server.inactive) = (10 * number, 1);
    server
}

fn rates(conns: f64) -> Option<Rates> {
    Some(Rates {
        conns,
        in_packets: 6.0 * conns,
        out_packets: 4.0 * conns,
        in_bytes: 600.0 * conns,
        out_bytes: 9400.0 * conns,
    })
}

/// A table of services with so many servers each, where the service with the
/// number n has n times `conns` connections a second.
pub fn sample(services: u32, servers: u32, conns: f64) -> Sample {
    let services = (1..=services).map(|number| ServiceRow {
        service: Service::new(service_key(number), ServiceConfig::new("wlc", Family::Inet)),
        rates: rates(conns * f64::from(number)),
        active: u64::from(10 * number),
        inactive: u64::from(number),
        servers: (1..=servers)
            .map(|server| ServerRow {
                server: self::server(server),
                rates: rates(conns * f64::from(number) / f64::from(servers)),
            })
            .collect(),
    });
    let services: Vec<ServiceRow> = services.collect();
    Sample {
        // 2026-11-23 08:41:02
        time: UNIX_EPOCH + Duration::from_secs(1_795_423_262),
        hosts: hosts(&services),
        services,
        frozen: false,
    }
}
