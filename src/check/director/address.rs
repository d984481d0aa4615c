//! Whether the kernel takes packets for the virtual addresses.

use crate::check::facts::Facts;
use crate::check::{Finding, Kind, on_loopback};
use ipvs::{DaemonRole, ServiceKey};
use std::collections::HashSet;
use std::net::IpAddr;

pub(super) fn check(facts: &Facts, found: &mut Vec<Finding>) {
    let problems = problems(facts);
    found.extend(problems.filter(|finding| !is_elsewhere(facts, finding)));
}

/// A standby gets the addresses when it takes over.
pub(super) fn unchecked(facts: &Facts) -> Option<String> {
    let missing = problems(facts).filter(|finding| is_elsewhere(facts, finding));
    let addresses = match missing.count() {
        0 => return None,
        1 => "1 virtual address".to_owned(),
        more => format!("{more} virtual addresses"),
    };
    Some(format!(
        "{addresses} that another director may have: only a backup daemon runs here"
    ))
}

fn is_elsewhere(facts: &Facts, finding: &Finding) -> bool {
    let mut roles = facts.daemons.iter().map(|daemon| daemon.role);
    finding.kind == Kind::AddressMissing
        && !facts.daemons.is_empty()
        && roles.all(|role| role == DaemonRole::Backup)
}

fn problems(facts: &Facts) -> impl Iterator<Item = Finding> {
    let mut done = HashSet::new();
    facts.table.iter().filter_map(move |(service, _)| {
        let ServiceKey::Address { address, .. } = service.key else {
            return None;
        };
        let problem = done.insert(address).then(|| problem(facts, address))?;
        Some(problem?.of(&service.key))
    })
}

fn problem(facts: &Facts, address: IpAddr) -> Option<Finding> {
    let network = &facts.network;
    let own: Vec<_> = network.with_address(address).collect();
    if let (Some((link, own)), true) = (own.first(), own.iter().all(|(_, own)| own.unusable)) {
        let seen = format!("{address} of {} is tentative", link.name);
        let (length, link) = (own.prefix_len, link.name);
        let finding = Finding::new(Kind::AddressUnusable, seen);
        let finding = finding.command(format!("ip address delete {address}/{length} dev {link}"));
        return Some(finding.command(format!(
            "ip address add {address}/{length} dev {link} nodad"
        )));
    }
    if let Some(finding) = on_loopback(network, address) {
        return Some(finding);
    }
    // IPv4 still takes packets for it from other interfaces.
    if let (Some((link, _)), true) = (own.first(), own.iter().all(|(link, _)| !link.up)) {
        let seen = format!("{address} is on {}, which is down", link.name);
        let finding = Finding::new(Kind::AddressDown, seen);
        return Some(finding.command(format!("ip link set dev {} up", link.name)));
    }
    if network.is_own(&address)? {
        return None;
    }
    let device = network
        .near(&address)
        .map_or_else(|| "lo".into(), |link| link.name.to_string());
    let seen = format!("no interface has {address}, and no local route leads to it");
    let finding = Finding::new(Kind::AddressMissing, seen);
    let length = if address.is_ipv4() { 32 } else { 128 };
    Some(finding.command(format!("ip address add {address}/{length} dev {device}")))
}
