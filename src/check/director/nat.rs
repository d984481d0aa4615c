//! NAT rules for packets that IPVS hides from connection tracking.

use crate::check::facts::Facts;
use crate::check::{Finding, Findings, Kind};
use crate::render::words::count;
use std::collections::BTreeSet;

const SETTING: &str = "net/ipv4/vs/conntrack";

/// While `conntrack` is 0, IPVS marks its packets as untracked, and NAT ignores
/// them. A rule with `-m ipvs` is certainly meant for them. Most others are for
/// other packets: a director of masqueraded servers is their router too.
pub(super) fn check(facts: &Facts, report: &mut Findings) {
    if !facts.settings.is(SETTING, 0) {
        return;
    }
    let rules = facts.nat.iter().filter(|rule| rule.ipvs).count();
    if rules > 0 {
        let rules = count(rules as u64, "rule");
        let seen = format!("{rules} with -m ipvs, and net.ipv4.vs.conntrack is 0");
        let finding = Finding::new(Kind::NatUnseen, seen);
        report.find(finding.sysctl(SETTING, 1));
    }
    let others = facts.nat.iter().filter(|rule| !rule.ipvs);
    let mut tables: BTreeSet<&str> = others.map(|rule| rule.table.as_str()).collect();
    if facts.legacy_nat {
        tables.insert("nat of iptables-legacy");
    }
    if !tables.is_empty() {
        let tables = Vec::from_iter(tables).join(", ");
        report.unsure(format!(
            "whether NAT rules in {tables} are meant for IPVS packets: they ignore these while net.ipv4.vs.conntrack is 0"
        ));
    }
}
