//! What the table alone shows.

use crate::check::facts::Facts;
use crate::check::{Finding, Findings, Fix, Kind};
use crate::render::sched_flags::general_name;
use crate::render::words::count;
use ipvs::{Change, Name, SCHEDULERS, Server, ServerConfig, Service, ServiceFlags};

pub(super) fn check(facts: &Facts, report: &mut Findings) {
    for (service, servers) in &facts.table.services {
        has_servers(service, servers, report);
        flags(service, report);
        weights(service, servers, report);
        if facts
            .settings
            .is("net/ipv4/vs/expire_quiescent_template", 0)
        {
            quiescent(service, servers, report);
        }
    }
}

/// Whether a new connection finds a server.
fn has_servers(service: &Service, servers: &[Server], report: &mut Findings) {
    let Some(first) = servers.first() else {
        let finding = Finding::new(Kind::NoServers, "no real servers").of_service(&service.key);
        return report.find(finding.fix(Fix::AddServer(service.key)));
    };
    let edit = |server: &Server, config| Change::EditServer(service.key, server.key, config);
    let mut weighted = servers.iter().filter(|server| server.config.weight > 0);
    let Some(first_weighted) = weighted.next() else {
        let seen = format!(
            "{} with weight 0",
            count(servers.len() as u64, "real server")
        );
        let config = ServerConfig {
            weight: 1,
            ..first.config
        };
        let finding = Finding::new(Kind::NoWeight, seen).of_service(&service.key);
        return report.find(finding.change(edit(first, config)));
    };
    if is_full(first_weighted) && weighted.all(is_full) {
        let now = connections(first_weighted);
        let limit = first_weighted.config.upper_threshold;
        let config = ServerConfig {
            upper_threshold: limit.saturating_mul(2).min(i32::MAX as u32),
            ..first_weighted.config
        };
        let seen = format!("{now} connections, and the threshold is {limit}");
        let finding =
            Finding::new(Kind::AllFull, seen).of_server(&service.key, &first_weighted.key);
        report.find(finding.change(edit(first_weighted, config)));
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

/// Only sh and mh have flags, two of the three.
fn flags(service: &Service, report: &mut Findings) {
    let config = service.config;
    let known = match config.scheduler.as_bytes() {
        b"sh" | b"mh" => ServiceFlags::SCHED1 | ServiceFlags::SCHED2,
        // A scheduler that this program does not know may have flags.
        name if !is_known(name) => return,
        _ => ServiceFlags::empty(),
    };
    let ignored = config.flags & (ServiceFlags::SCHED - known);
    if !ignored.is_empty() {
        let names: Vec<_> = ignored.iter().map(general_name).collect();
        let seen = format!("{} with scheduler {}", names.join(","), config.scheduler);
        let mut fixed = config;
        fixed.flags -= ignored;
        let finding = Finding::new(Kind::FlagsIgnored, seen).of_service(&service.key);
        report.find(finding.change(Change::EditService(service.key, fixed)));
    }
}

fn is_known(scheduler: &[u8]) -> bool {
    SCHEDULERS.iter().any(|name| name.as_bytes() == scheduler)
}

/// rr and lc treat all servers alike whose weight is not 0.
fn weights(service: &Service, servers: &[Server], report: &mut Findings) {
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
        let mut fixed = config;
        fixed.scheduler = Name::from(better);
        let finding = Finding::new(Kind::WeightsIgnored, seen).of_service(&service.key);
        report.find(finding.change(Change::EditService(service.key, fixed)));
    }
}

/// A persistent client returns to its server, whatever the weight. A persistence
/// time-out that is shorter than the sessions is not a mistake: a template lives
/// as long as connections belong to it (ip_vs_conn_expire).
fn quiescent(service: &Service, servers: &[Server], report: &mut Findings) {
    if !service.config.flags.persistent() {
        return;
    }
    let mut kept = servers
        .iter()
        .filter(|s| s.config.weight == 0 && s.persistent > 0);
    if let Some(server) = kept.next() {
        let clients = count(server.persistent.into(), "persistent client");
        let seen = format!("{clients}, weight 0, expire_quiescent_template is 0");
        let finding =
            Finding::new(Kind::QuiescentClients, seen).of_server(&service.key, &server.key);
        report.find(finding.sysctl("net/ipv4/vs/expire_quiescent_template", 1));
    }
}
