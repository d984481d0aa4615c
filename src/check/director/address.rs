//! Whether the kernel accepts packets for the virtual addresses.

use crate::check::facts::Facts;
use crate::check::{Finding, Findings, Kind, host, on_loopback};
use ipvs::{DaemonRole, ServiceKey};
use std::collections::HashSet;
use std::net::IpAddr;

pub(super) fn check(facts: &Facts, report: &mut Findings) {
    // A standby gets the addresses when it takes over.
    let is_standby = facts.has_daemon(DaemonRole::Backup) && !facts.has_daemon(DaemonRole::Master);
    let mut checked = HashSet::new();
    let mut elsewhere = 0;
    for (service, _) in &facts.table.services {
        let ServiceKey::Address { address, .. } = service.key else {
            continue;
        };
        if checked.contains(&address) {
            continue;
        }
        let settled = match problem(facts, address) {
            Some(finding) if is_standby && finding.kind == Kind::AddressMissing => {
                elsewhere += 1;
                true
            }
            Some(finding) => report.settles(finding.of_service(&service.key)),
            None => true,
        };
        if settled {
            checked.insert(address);
        }
    }
    if elsewhere > 0 {
        let addresses = match elsewhere {
            1 => "1 virtual address".to_owned(),
            more => format!("{more} virtual addresses"),
        };
        report.unsure(format!(
            "{addresses} that another director may have: only a backup daemon runs here"
        ));
    }
}

fn problem(facts: &Facts, address: IpAddr) -> Option<Finding> {
    let network = &facts.network;
    let own: Vec<_> = network.with_address(address).collect();
    if let (Some((link, first)), true) = (own.first(), own.iter().all(|(_, own)| own.unusable)) {
        let (length, device) = (first.prefix_len, link.name);
        let seen = format!("{address} on {device} is tentative");
        let finding = Finding::new(Kind::AddressUnusable, seen)
            .command(format!("ip address delete {address}/{length} dev {device}"))
            .command(format!(
                "ip address add {address}/{length} dev {device} nodad"
            ));
        return Some(finding);
    }
    if let Some(finding) = on_loopback(network, address) {
        return Some(finding);
    }
    // IPv4 still accepts packets for it on other interfaces.
    if let (Some((link, _)), true) = (own.first(), own.iter().all(|(link, _)| !link.up)) {
        let seen = format!("{address} is on {}, which is down", link.name);
        let finding = Finding::new(Kind::AddressDown, seen);
        return Some(finding.command(format!("ip link set dev {} up", link.name)));
    }
    if network.is_own(&address)? {
        return None;
    }
    let near = network.near(&address);
    let device = near.map_or_else(|| "lo".into(), |link| link.name.to_string());
    let seen = format!("no interface has {address}, and no local route leads to it");
    let finding = Finding::new(Kind::AddressMissing, seen);
    // It is used at once, and its last director may not be quite gone.
    let nodad = match near {
        Some(_) if address.is_ipv6() => " nodad",
        _ => "",
    };
    let address = host(address);
    Some(finding.command(format!("ip address add {address} dev {device}{nodad}")))
}
