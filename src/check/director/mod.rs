//! The checks of a director, and what cannot be checked.

mod address;
mod connections;
mod daemons;
mod forwarding;
mod nat;
mod settings;
mod table;

use super::facts::Facts;
use super::{Finding, Findings};
use ipvs::{Forwarding, Server, Service, ServiceKey};

/// Each adds what it finds.
const CHECKS: [fn(&Facts, &mut Vec<Finding>); 7] = [
    table::check,
    connections::check,
    address::check,
    nat::check,
    forwarding::check,
    settings::check,
    daemons::check,
];

/// What is wrong on a director.
pub fn check(facts: Facts) -> Findings {
    let mut found = Vec::new();
    for check in CHECKS {
        check(&facts, &mut found);
    }
    let mut unchecked = unchecked(&facts);
    unchecked.extend(address::unchecked(&facts));
    unchecked.extend(nat::unchecked(&facts));
    unchecked.extend(connections::unchecked(&facts));
    unchecked.extend(facts.unchecked);
    Findings::new(found, facts.unread, unchecked)
}

fn unchecked(facts: &Facts) -> Vec<String> {
    let marks = facts
        .table
        .iter()
        .filter_map(|(service, _)| match service.key {
            ServiceKey::Fwmark { mark, .. } => Some(mark.to_string()),
            ServiceKey::Address { .. } => None,
        });
    let marks: Vec<String> = marks.collect();
    let rules = match marks.len() {
        0 => "rules of nftables and iptables".to_owned(),
        1 => format!(
            "rules of nftables and iptables, such as set mark {}",
            marks[0]
        ),
        _ => format!(
            "rules of nftables and iptables, such as set marks {}",
            marks.join(", ")
        ),
    };
    vec![
        rules,
        "the real servers themselves: run --check-real-server there".to_owned(),
    ]
}

/// All servers with their services.
fn servers(facts: &Facts) -> impl Iterator<Item = (&Service, &Server)> {
    let table = facts.table.iter();
    table.flat_map(|(service, servers)| servers.iter().map(move |server| (service, server)))
}

/// The kernel says that some servers are the director itself; it does so only
/// up to Linux 2.6.36, and since then the route tells.
fn is_local(facts: &Facts, server: &Server) -> bool {
    let local = facts.network.way(&server.key.address);
    server.config.forwarding == Forwarding::Local || local.is_some_and(|way| way.local)
}

/// `1 server`, `2 servers`.
fn count(number: usize, what: &str) -> String {
    let s = if number == 1 { "" } else { "s" };
    format!("{number} {what}{s}")
}
