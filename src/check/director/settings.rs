//! Settings of IPVS that are in force and that an administrator may have
//! forgotten.

use crate::check::facts::Facts;
use crate::check::{Finding, Kind};

/// The defences: 1 is on when memory is short, 2 is that and now, 3 is always.
const DEFENCES: [(&str, Kind); 3] = [
    ("drop_entry", Kind::DropEntry),
    ("drop_packet", Kind::DropPacket),
    ("secure_tcp", Kind::SecureTcp),
];

/// The kernel begins to look through long lists.
const PER_BUCKET: u64 = 8;

pub(super) fn check(facts: &Facts, found: &mut Vec<Finding>) {
    for (name, kind) in DEFENCES {
        let path = format!("net/ipv4/vs/{name}");
        if let Some(value @ 2..) = facts.settings.number(&path) {
            let why = if value == 2 { ": memory is short" } else { "" };
            let seen = format!("net.ipv4.vs.{name} is {value}{why}");
            found.push(Finding::new(kind, seen).sysctl(&path, 0));
        }
    }
    let mut is = |name: &str, value: i64, kind, mended: i64| {
        let path = format!("net/ipv4/vs/{name}");
        if facts.settings.is(&path, value) {
            let seen = format!("net.ipv4.vs.{name} is {value}");
            found.push(Finding::new(kind, seen).sysctl(&path, mended));
        }
    };
    is("sloppy_tcp", 1, Kind::SloppyTcp, 0);
    if !facts.table.is_empty() {
        is("run_estimation", 0, Kind::CountersOff, 1);
    }
    connections(facts, found);
}

/// The table of connections against what is in it.
fn connections(facts: &Facts, found: &mut Vec<Finding>) {
    let servers = facts.table.iter().flat_map(|(_, servers)| servers);
    let entries =
        servers.map(|s| u64::from(s.active) + u64::from(s.inactive) + u64::from(s.persistent));
    let entries: u64 = entries.sum();
    let path = "net/ipv4/vs/conn_max";
    let max = facts
        .settings
        .number(path)
        .and_then(|max| u64::try_from(max).ok());
    if let Some(max) = max.filter(|max| *max > 0 && entries >= *max) {
        let seen = format!("{entries} connections, and net.ipv4.vs.conn_max is {max}");
        let finding = Finding::new(Kind::ConnectionsFull, seen);
        found.push(finding.sysctl(path, max.saturating_mul(2)));
    }
    let buckets = u64::from(facts.info.conn_tab_size);
    if buckets > 0 && entries > buckets.saturating_mul(PER_BUCKET) {
        let seen = format!("{entries} connections in {buckets} buckets");
        // As many buckets as connections, within what the module takes.
        let bits = entries.next_power_of_two().trailing_zeros().min(20);
        let option = format!("options ip_vs conn_tab_bits={bits}");
        let finding = Finding::new(Kind::TableSmall, seen);
        found.push(finding.command(format!("echo '{option}' > /etc/modprobe.d/ip_vs.conf")));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::sample::{server, service, tcp};
    use ipvs::Forwarding;

    #[test]
    fn a_table_of_connections_can_be_too_small() {
        let mut busy = server("10.0.0.2", 80, Forwarding::Masq);
        (busy.active, busy.inactive, busy.persistent) = (8 * 4096 - 1, 0, 1);
        let mut facts = Facts::default();
        facts.info.conn_tab_size = 4096;
        facts.settings.set("net/ipv4/vs/conn_max", "0");
        facts.table = vec![(service(tcp("10.0.0.1", 80)), vec![busy])];
        let kinds = |facts: &Facts| {
            let mut found = Vec::new();
            check(facts, &mut found);
            found.iter().map(|finding| finding.kind).collect::<Vec<_>>()
        };
        assert_eq!(kinds(&facts), []);
        facts.table[0].1[0].inactive = 1;
        assert_eq!(kinds(&facts), [Kind::TableSmall]);
        facts.settings.set("net/ipv4/vs/conn_max", "32769");
        assert_eq!(kinds(&facts), [Kind::ConnectionsFull, Kind::TableSmall]);
        facts.settings.set("net/ipv4/vs/conn_max", "32770");
        assert_eq!(kinds(&facts), [Kind::TableSmall]);
    }
}
