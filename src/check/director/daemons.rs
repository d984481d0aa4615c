//! The sync daemons.

use crate::check::facts::Facts;
use crate::check::{Finding, Findings, Fix, Kind};
use ipvs::{Change, Daemon, DaemonConfig, DaemonRole, Name};
use std::net::{IpAddr, Ipv4Addr};

pub(super) fn check(facts: &Facts, report: &mut Findings) {
    let Some(daemons) = &facts.daemons else {
        return;
    };
    for daemon in daemons {
        interface(facts, daemon, report);
    }
    same_id(daemons, report);
    version(facts, report);
    if daemons.is_empty() {
        missing(facts, report);
    }
}

fn interface(facts: &Facts, daemon: &Daemon, report: &mut Findings) {
    let (network, role) = (&facts.network, daemon.role.name());
    let (Some(name), false) = (daemon.config.interface, network.links.is_empty()) else {
        return;
    };
    let finding = |problem| {
        Finding::new(
            Kind::SyncInterface,
            format!("the {role} uses {name}, {problem}"),
        )
    };
    let Some(link) = network.links.iter().find(|link| link.name == name) else {
        let finding = finding("which does not exist")
            .command(format!("ipvsadm --stop-daemon {role}"))
            .change(Change::StartDaemon(Daemon {
                config: DaemonConfig {
                    interface: Some(Name::from("INTERFACE")),
                    ..as_started(&daemon.config)
                },
                ..*daemon
            }));
        return report.find(finding);
    };
    if !link.up {
        let finding = finding("which is down");
        return report.find(finding.command(format!("ip link set dev {name} up")));
    }
    // A backup only listens.
    if daemon.role == DaemonRole::Backup {
        return;
    }
    let is_ipv6 = matches!(daemon.config.group, Some(IpAddr::V6(_)));
    if !network
        .addresses_of(link)
        .any(|own| own.address.is_ipv6() == is_ipv6)
    {
        let finding = finding(match is_ipv6 {
            true => "which has no IPv6 address",
            false => "which has no IPv4 address",
        });
        report.find(finding.command(format!("ip address add ADDRESS dev {name}")));
    }
}

/// Without what the kernel has filled in, unless that is other than its default.
fn as_started(config: &DaemonConfig) -> DaemonConfig {
    const GROUP: IpAddr = IpAddr::V4(Ipv4Addr::new(224, 0, 0, 81));
    const PORT: u16 = 8848;
    const TTL: u8 = 1;
    /// For an MTU of 1500 and IPv4, IPv6.
    const MAX_LEN: [u16; 2] = [1472, 1452];
    DaemonConfig {
        max_len: config.max_len.filter(|length| !MAX_LEN.contains(length)),
        group: config.group.filter(|group| *group != GROUP),
        port: config.port.filter(|port| *port != PORT),
        ttl: config.ttl.filter(|ttl| *ttl != TTL),
        ..*config
    }
}

/// A backup with id 0 accepts messages with any id.
fn same_id(daemons: &[Daemon], report: &mut Findings) {
    let find = |role| daemons.iter().find(|daemon| daemon.role == role);
    let (Some(master), Some(backup)) = (find(DaemonRole::Master), find(DaemonRole::Backup)) else {
        return;
    };
    let (id, other) = (master.config.sync_id, backup.config.sync_id);
    if id == other || other == 0 {
        let seen = match other {
            0 => format!("the master has syncid {id}, and the backup 0, which accepts any"),
            _ => format!("the master and the backup have syncid {id}"),
        };
        let finding = Finding::new(Kind::SyncSameId, seen)
            .command("ipvsadm --stop-daemon backup")
            .fix(Fix::StartWithId(Daemon {
                config: as_started(&backup.config),
                ..*backup
            }));
        report.find(finding);
    }
}

/// Version 0 supports neither IPv6 nor persistence engines nor marks.
fn version(facts: &Facts, report: &mut Findings) {
    let path = "net/ipv4/vs/sync_version";
    if facts.has_daemon(DaemonRole::Master) && facts.settings.is(path, 0) {
        let seen = "net.ipv4.vs.sync_version is 0: no IPv6, no marks, no persistence";
        report.find(Finding::new(Kind::SyncVersion, seen).sysctl(path, 1));
    }
}

/// Sysctls that only matter to a master, and the kernel's defaults.
const SYNC_DEFAULTS: [(&str, &str); 4] = [
    ("sync_persist_mode", "0"),
    ("sync_ports", "1"),
    ("sync_refresh_period", "0"),
    ("sync_threshold", "3\t50"),
];

fn missing(facts: &Facts, report: &mut Findings) {
    let changed = SYNC_DEFAULTS.iter().find_map(|(name, default)| {
        let value = facts.settings.text(&format!("net/ipv4/vs/{name}"))?;
        (value != *default).then(|| (name, value.replace('\t', " ")))
    });
    if let Some((name, value)) = changed {
        let seen = format!("net.ipv4.vs.{name} is {value}, but no daemon is running");
        report.find(
            Finding::new(Kind::SyncMissing, seen)
                .command("ipvsadm --start-daemon master --mcast-interface INTERFACE --syncid ID"),
        );
    }
}
