//! Rules of NAT against what IPVS keeps from connection tracking.

use super::count;
use crate::check::facts::Facts;
use crate::check::{Finding, Kind};
use std::collections::BTreeSet;

const SETTING: &str = "net/ipv4/vs/conntrack";

/// Without the setting IPVS marks its packets as not tracked, and NAT leaves
/// these alone. Whoever writes `-m ipvs` means them.
pub(super) fn check(facts: &Facts, found: &mut Vec<Finding>) {
    let rules = facts.nat.iter().filter(|rule| rule.ipvs);
    let rules = rules.count();
    if rules > 0 {
        let rules = count(rules, "rule");
        let seen = format!("{rules} with -m ipvs, and net.ipv4.vs.conntrack is 0");
        found.push(Finding::new(Kind::NatUnseen, seen).sysctl(SETTING, 1));
    }
}

/// Most rules of NAT are for other packets: a director of masqueraded servers is
/// their router too.
pub(super) fn unchecked(facts: &Facts) -> Option<String> {
    let others = facts.nat.iter().filter(|rule| !rule.ipvs);
    let mut tables: BTreeSet<&str> = others.map(|rule| rule.table.as_str()).collect();
    if facts.legacy_nat {
        tables.insert("nat of iptables-legacy");
    }
    if tables.is_empty() {
        return None;
    }
    let tables: Vec<&str> = tables.into_iter().collect();
    Some(format!(
        "whether NAT in {} is to change packets of IPVS: it does not while net.ipv4.vs.conntrack is 0",
        tables.join(", ")
    ))
}
