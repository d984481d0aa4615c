//! Connections to servers that have been removed.

use crate::check::facts::Facts;
use crate::check::{Finding, Findings, Kind};
use crate::render::words::count;
use ipvs::{DaemonRole, Server, ServerKey, ServiceKey};
use std::collections::HashMap;
use std::net::SocketAddr;

const SETTING: &str = "net/ipv4/vs/expire_nodest_conn";

/// The kernel drops the packets of such a connection until both sides have been
/// silent for its time-out; neither side is notified.
pub(super) fn check(facts: &Facts, report: &mut Findings) {
    let (true, Some(seen)) = (facts.settings.is(SETTING, 0), gone(facts)) else {
        return;
    };
    // A backup daemon also receives connections to servers that only the master
    // has, and these are forwarded.
    if facts.daemons.is_none() || facts.has_daemon(DaemonRole::Backup) {
        return report.unsure(format!("whether the master still has the servers: {seen}"));
    }
    let seen = format!("{seen}; expire_nodest_conn is 0");
    let finding = Finding::new(Kind::GoneServers, seen);
    report.find(finding.sysctl(SETTING, 1));
}

type Services<'a> = HashMap<ServiceKey, &'a [Server]>;

/// How many there are, and where most of them are.
fn gone(facts: &Facts) -> Option<String> {
    if facts.open.is_empty() {
        return None;
    }
    let services: Services = facts
        .table
        .services
        .iter()
        .map(|(service, servers)| (service.key, servers.as_slice()))
        .collect();
    let gone: Vec<_> = facts
        .open
        .iter()
        .filter(|((service, server), _)| !is_known(facts, &services, service, server))
        .collect();
    let ((service, server), most) = gone.iter().max_by_key(|(_, open)| *open)?;
    let ServiceKey::Address { address, port, .. } = *service else {
        return None;
    };
    let total: u64 = gone.iter().map(|(_, open)| *open).sum();
    let most_of_them = match gone.len() {
        1 => String::new(),
        _ => format!("{most} of them "),
    };
    Some(format!(
        "{} to servers that are gone, {most_of_them}from {} to {}",
        count(total, "open connection"),
        SocketAddr::new(address, port),
        SocketAddr::new(server.address, server.port)
    ))
}

/// Whether the server of a connection belongs to its service. Where the service is
/// not known, as with marks and the data connections of FTP, any service counts.
fn is_known(facts: &Facts, services: &Services, service: &ServiceKey, server: &ServerKey) -> bool {
    let has = |servers: &[Server]| {
        let mut keys = servers.iter().map(|server| server.key);
        // A server may have port 0 in a service for all ports or with a mark.
        keys.any(|key| key.address == server.address && [0, server.port].contains(&key.port))
    };
    let all_ports = match *service {
        ServiceKey::Address {
            protocol, address, ..
        } => ServiceKey::Address {
            protocol,
            address,
            port: 0,
        },
        mark @ ServiceKey::Fwmark { .. } => mark,
    };
    let own = [service, &all_ports].map(|key| services.get(key));
    if own == [None, None] {
        return facts.table.services.iter().any(|(_, servers)| has(servers));
    }
    let is_mark = |key: &ServiceKey| matches!(key, ServiceKey::Fwmark { .. });
    let mut table = facts.table.services.iter();
    own.into_iter().flatten().any(|servers| has(servers))
        || table.any(|(service, servers)| is_mark(&service.key) && has(servers))
}
