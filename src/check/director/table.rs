//! What the table alone shows.

use crate::check::facts::Facts;
use crate::check::{Finding, Kind, Mend};
use ipvs::{Change, Name, SCHEDULERS, SchedFlag, Server, ServerConfig, Service, ServiceFlags};

pub(super) fn check(facts: &Facts, found: &mut Vec<Finding>) {
    for (service, servers) in &facts.table {
        has_servers(service, servers, found);
        flags(service, found);
        weights(service, servers, found);
        if facts
            .settings
            .is("net/ipv4/vs/expire_quiescent_template", 0)
        {
            quiescent(service, servers, found);
        }
    }
}

/// Whether a new connection finds a server.
fn has_servers(service: &Service, servers: &[Server], found: &mut Vec<Finding>) {
    let Some(first) = servers.first() else {
        let mut finding = Finding::new(Kind::NoServers, "no real server".into());
        finding.mend.push(Mend::AddServer(service.key));
        return found.push(finding.of(&service.key));
    };
    let edit = |server: &Server, config| Change::EditServer(service.key, server.key, config);
    let mut weighty = servers.iter().filter(|server| server.config.weight > 0);
    let Some(first_weighty) = weighty.next() else {
        let seen = format!("{} of weight 0", super::count(servers.len(), "real server"));
        let config = ServerConfig {
            weight: 1,
            ..first.config
        };
        let finding = Finding::new(Kind::NoWeight, seen).of(&service.key);
        return found.push(finding.change(edit(first, config)));
    };
    if is_full(first_weighty) && weighty.all(is_full) {
        let (now, limit) = (
            connections(first_weighty),
            first_weighty.config.upper_threshold,
        );
        let config = ServerConfig {
            upper_threshold: limit.saturating_mul(2).min(i32::MAX as u32),
            ..first_weighty.config
        };
        let seen = format!("{now} connections, and the threshold is {limit}");
        let finding = Finding::new(Kind::AllFull, seen).at(&service.key, &first_weighty.key);
        found.push(finding.change(edit(first_weighty, config)));
    }
}

/// What the kernel holds against the thresholds (ip_vs_dest_totalconns).
fn connections(server: &Server) -> u64 {
    u64::from(server.active) + u64::from(server.inactive)
}

fn is_full(server: &Server) -> bool {
    let limit = server.config.upper_threshold;
    limit > 0 && connections(server) >= limit.into()
}

/// Only sh and mh look at flags, and at two of the three.
fn flags(service: &Service, found: &mut Vec<Finding>) {
    let config = service.config;
    let known: &[SchedFlag] = match config.scheduler.as_bytes() {
        b"sh" | b"mh" => &[SchedFlag::Flag1, SchedFlag::Flag2],
        // What a scheduler that this program does not know does is not known.
        name if !is_known(name) => return,
        _ => &[],
    };
    let unknown = SchedFlag::ALL
        .into_iter()
        .filter(|flag| !known.contains(flag));
    let ignored = unknown.map(SchedFlag::bit).collect::<ServiceFlags>() & config.flags;
    if !ignored.is_empty() {
        let scheduler = config.scheduler;
        let names: Vec<String> = (1..)
            .zip(SchedFlag::ALL)
            .filter(|(_, flag)| ignored.contains(flag.bit()))
            .map(|(number, _)| format!("flag-{number}"))
            .collect();
        let seen = format!("{} with scheduler {scheduler}", names.join(","));
        let mut mended = config;
        mended.flags -= ignored;
        let finding = Finding::new(Kind::FlagsIgnored, seen).of(&service.key);
        found.push(finding.change(Change::EditService(service.key, mended)));
    }
}

fn is_known(scheduler: &[u8]) -> bool {
    let known = SCHEDULERS.iter();
    known
        .map(|name| name.as_bytes())
        .any(|name| name == scheduler)
}

/// rr and lc take every server with a weight for equal.
fn weights(service: &Service, servers: &[Server], found: &mut Vec<Finding>) {
    let config = service.config;
    let better = match config.scheduler.as_bytes() {
        b"rr" => "wrr",
        b"lc" => "wlc",
        _ => return,
    };
    let mut weights = servers.iter().map(|server| server.config.weight);
    let Some(first) = weights.find(|weight| *weight > 0) else {
        return;
    };
    if let Some(other) = weights.find(|weight| *weight > 0 && *weight != first) {
        let seen = format!(
            "weights {first} and {other} with scheduler {}",
            config.scheduler
        );
        let mut mended = config;
        mended.scheduler = Name::from(better);
        let finding = Finding::new(Kind::WeightsIgnored, seen).of(&service.key);
        found.push(finding.change(Change::EditService(service.key, mended)));
    }
}

/// A client that persists with a server comes back to it, whatever its weight.
/// That persistence ends before the sessions do is no mistake: a template lives
/// as long as a connection belongs to it (ip_vs_conn_expire).
fn quiescent(service: &Service, servers: &[Server], found: &mut Vec<Finding>) {
    if !service.config.flags.persistent() {
        return;
    }
    let mut kept = servers
        .iter()
        .filter(|s| s.config.weight == 0 && s.persistent > 0);
    if let Some(server) = kept.next() {
        let clients = super::count(server.persistent as usize, "persistent client");
        let seen = format!("{clients}, weight 0, expire_quiescent_template is 0");
        let finding = Finding::new(Kind::QuiescentClients, seen).at(&service.key, &server.key);
        found.push(finding.sysctl("net/ipv4/vs/expire_quiescent_template", 1));
    }
}
