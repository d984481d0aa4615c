//! The sync daemons.

use crate::check::facts::Facts;
use crate::check::{Finding, Kind};
use ipvs::{Daemon, DaemonRole};
use std::net::IpAddr;

pub(super) fn check(facts: &Facts, found: &mut Vec<Finding>) {
    for daemon in &facts.daemons {
        interface(facts, daemon, found);
    }
    same_id(facts, found);
    version(facts, found);
    if facts.daemons.is_empty() {
        missing(facts, found);
    }
}

fn interface(facts: &Facts, daemon: &Daemon, found: &mut Vec<Finding>) {
    let (network, role) = (&facts.network, daemon.role.name());
    let Some(name) = daemon.config.interface else {
        return;
    };
    if network.links.is_empty() {
        return;
    }
    let finding = |seen| Finding::new(Kind::SyncInterface, seen);
    let Some(link) = network.links.iter().find(|link| link.name == name) else {
        let finding = finding(format!("the {role} has {name}, which is not there"));
        let stop = finding.command(format!("ipvsadm --stop-daemon {role}"));
        return found.push(stop.command(format!(
            "ipvsadm --start-daemon {role} --mcast-interface INTERFACE --syncid {}",
            daemon.config.sync_id
        )));
    };
    if !link.up {
        let finding = finding(format!("the {role} has {name}, which is down"));
        return found.push(finding.command(format!("ip link set dev {name} up")));
    }
    // A backup only listens.
    if daemon.role == DaemonRole::Backup {
        return;
    }
    let ipv6 = matches!(daemon.config.group, Some(IpAddr::V6(_)));
    let mut own = network
        .addresses
        .iter()
        .filter(|own| own.link == link.index);
    if !own.any(|own| own.address.is_ipv6() == ipv6) {
        let version = if ipv6 { "IPv6" } else { "IPv4" };
        let finding = finding(format!(
            "the {role} has {name}, which has no {version} address"
        ));
        found.push(finding.command(format!("ip address add ADDRESS dev {name}")));
    }
}

/// A backup with id 0 takes messages of all ids.
fn same_id(facts: &Facts, found: &mut Vec<Finding>) {
    let of = |role| facts.daemons.iter().find(|daemon| daemon.role == role);
    let (Some(master), Some(backup)) = (of(DaemonRole::Master), of(DaemonRole::Backup)) else {
        return;
    };
    let (id, other) = (master.config.sync_id, backup.config.sync_id);
    if id == other || other == 0 {
        let seen = format!("the master has id {id}, the backup {other}");
        let finding = Finding::new(Kind::SyncSameId, seen);
        let interface = backup.config.interface.unwrap_or(ipvs::Name::from("eth0"));
        let finding = finding.command("ipvsadm --stop-daemon backup");
        found.push(finding.command(format!(
            "ipvsadm --start-daemon backup --mcast-interface {interface} --syncid ID"
        )));
    }
}

/// Version 0 knows neither IPv6 nor persistence, and no marks.
fn version(facts: &Facts, found: &mut Vec<Finding>) {
    let path = "net/ipv4/vs/sync_version";
    let mut masters = facts.daemons.iter();
    if masters.any(|daemon| daemon.role == DaemonRole::Master) && facts.settings.is(path, 0) {
        let seen = "net.ipv4.vs.sync_version is 0: no IPv6, no marks, no persistence".to_owned();
        found.push(Finding::new(Kind::SyncVersion, seen).sysctl(path, 1));
    }
}

/// Settings that only matter to a master, and what the kernel starts with.
const SYNC_DEFAULTS: [(&str, &str); 4] = [
    ("sync_persist_mode", "0"),
    ("sync_ports", "1"),
    ("sync_refresh_period", "0"),
    ("sync_threshold", "3\t50"),
];

fn missing(facts: &Facts, found: &mut Vec<Finding>) {
    for (name, default) in SYNC_DEFAULTS {
        let value = facts.settings.text(&format!("net/ipv4/vs/{name}"));
        if let Some(value) = value.filter(|value| *value != default) {
            let value = value.replace('\t', " ");
            let seen = format!("net.ipv4.vs.{name} is {value}, and no daemon runs");
            let finding = Finding::new(Kind::SyncMissing, seen);
            return found.push(
                finding.command(
                    "ipvsadm --start-daemon master --mcast-interface INTERFACE --syncid ID",
                ),
            );
        }
    }
}
