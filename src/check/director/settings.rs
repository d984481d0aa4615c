//! Sysctls of IPVS that an administrator may have forgotten.

use crate::check::facts::Facts;
use crate::check::{Finding, Findings, Fix, Kind};

/// The defences: 1 means when memory is short, 2 is that and memory is short now,
/// 3 means always.
const DEFENCES: [(&str, Kind); 3] = [
    ("drop_entry", Kind::DropEntry),
    ("drop_packet", Kind::DropPacket),
    ("secure_tcp", Kind::SecureTcp),
];

/// More connections in a bucket than this make the kernel walk long lists.
const PER_BUCKET: u64 = 8;

pub(super) fn check(facts: &Facts, report: &mut Findings) {
    for (name, kind) in DEFENCES {
        let path = path(name);
        if let Some(value @ 2..) = facts.settings.number(&path) {
            let why = if value == 2 { ": memory is short" } else { "" };
            let seen = format!("net.ipv4.vs.{name} is {value}{why}");
            report.find(Finding::new(kind, seen).sysctl(&path, 0));
        }
    }
    if facts.settings.is(&path("sloppy_tcp"), 1) {
        let finding = Finding::new(Kind::SloppyTcp, "net.ipv4.vs.sloppy_tcp is 1");
        report.find(finding.sysctl(&path("sloppy_tcp"), 0));
    }
    if !facts.table.services.is_empty() && facts.settings.is(&path("run_estimation"), 0) {
        let finding = Finding::new(Kind::CountersOff, "net.ipv4.vs.run_estimation is 0");
        report.find(finding.sysctl(&path("run_estimation"), 1));
    }
    connections(facts, report);
}

fn path(name: &str) -> String {
    format!("net/ipv4/vs/{name}")
}

/// The connection table against what is in it.
fn connections(facts: &Facts, report: &mut Findings) {
    let servers = facts.table.servers();
    let entries: u64 = servers
        .map(|s| u64::from(s.active) + u64::from(s.inactive) + u64::from(s.persistent))
        .sum();
    let max = facts.settings.number(&path("conn_max"));
    let max = max.and_then(|max| u64::try_from(max).ok()); // it cannot be negative
    if let Some(max) = max.filter(|max| *max > 0 && entries >= *max) {
        let seen = format!("{entries} connections, and net.ipv4.vs.conn_max is {max}");
        let finding = Finding::new(Kind::ConnectionsFull, seen);
        report.find(finding.sysctl(&path("conn_max"), max.saturating_mul(2)));
    }
    let buckets = u64::from(facts.info.conn_tab_size);
    if buckets > 0 && entries > buckets.saturating_mul(PER_BUCKET) {
        let seen = format!("{entries} connections in {buckets} buckets");
        // As many buckets as connections, within the module's limit.
        let bits = entries.next_power_of_two().trailing_zeros().min(20);
        let option = format!("options ip_vs conn_tab_bits={bits}");
        let finding = Finding::new(Kind::TableSmall, seen);
        let line = format!("echo '{option}' >> /etc/modprobe.d/ip_vs.conf");
        report.find(finding.fix(Fix::Machine(line)));
    }
}
