//! Connections whose server is no longer one.

use super::count;
use crate::check::facts::Facts;
use crate::check::{Finding, Kind};
use ipvs::{DaemonRole, Server, ServerKey, ServiceKey};
use std::collections::HashMap;

const SETTING: &str = "net/ipv4/vs/expire_nodest_conn";

/// The kernel drops the packets of such a connection until nobody sends any for
/// as long as its time-out, and neither side is told.
pub(super) fn check(facts: &Facts, found: &mut Vec<Finding>) {
    if is_backup(facts) {
        return;
    }
    if let Some(seen) = gone(facts) {
        let finding = Finding::new(
            Kind::GoneServers,
            format!("{seen}; expire_nodest_conn is 0"),
        );
        found.push(finding.sysctl(SETTING, 1));
    }
}

/// A backup daemon brings connections of servers that this director need not
/// have, and these are forwarded.
pub(super) fn unchecked(facts: &Facts) -> Option<String> {
    let seen = gone(facts).filter(|_| is_backup(facts))?;
    Some(format!("whether the master still has the servers: {seen}"))
}

fn is_backup(facts: &Facts) -> bool {
    let mut daemons = facts.daemons.iter();
    daemons.any(|daemon| daemon.role == DaemonRole::Backup)
}

/// How many there are, and where most of them are.
fn gone(facts: &Facts) -> Option<String> {
    if facts.open.is_empty() {
        return None;
    }
    let services: HashMap<ServiceKey, &[Server]> = facts
        .table
        .iter()
        .map(|(service, servers)| (service.key, servers.as_slice()))
        .collect();
    let gone = facts.open.iter();
    let gone: Vec<_> = gone
        .filter(|((service, server), _)| !is_known(facts, &services, service, server))
        .collect();
    let ((service, server), most) = gone.iter().max_by_key(|(_, count)| *count)?;
    let total: u64 = gone.iter().map(|(_, count)| *count).sum();
    let total = usize::try_from(total).unwrap_or(usize::MAX);
    let most_of = match (gone.len(), most) {
        (1, _) => String::new(),
        (_, most) => format!("{most} of them "),
    };
    let at = |address: std::net::IpAddr, port| std::net::SocketAddr::new(address, port);
    let ServiceKey::Address { address, port, .. } = service else {
        return None;
    };
    Some(format!(
        "{} of servers that are gone, {most_of}from {} to {}",
        count(total, "open connection"),
        at(*address, *port),
        at(server.address, server.port)
    ))
}

/// Whether the server of a connection is one of its service. Where that is not
/// known, as with marks and the data connections of FTP, one of any service.
fn is_known(
    facts: &Facts,
    services: &HashMap<ServiceKey, &[Server]>,
    service: &ServiceKey,
    server: &ServerKey,
) -> bool {
    let has = |servers: &[Server]| {
        let mut keys = servers.iter().map(|server| server.key);
        // A server of a service for all ports, or of a mark, may have none.
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
        return facts.table.iter().any(|(_, servers)| has(servers));
    }
    let marks = facts.table.iter();
    let mut marks = marks.filter(|(service, _)| matches!(service.key, ServiceKey::Fwmark { .. }));
    own.into_iter().flatten().any(|servers| has(servers)) || marks.any(|(_, servers)| has(servers))
}
