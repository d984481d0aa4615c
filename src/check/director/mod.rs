//! The checks of a director.

mod address;
mod connections;
mod daemons;
mod forwarding;
mod nat;
mod settings;
mod table;

use super::Findings;
use super::facts::Facts;
use ipvs::{Forwarding, Server, Service, ServiceKey};

const CHECKS: [fn(&Facts, &mut Findings); 7] = [
    table::check,
    connections::check,
    address::check,
    nat::check,
    forwarding::check,
    settings::check,
    daemons::check,
];

/// Reports what is wrong on a director.
pub fn check(facts: &Facts, report: &mut Findings) {
    for check in CHECKS {
        check(facts, report);
    }
    report.sort();
    report.unsure(firewall(facts));
    report.unsure("the real servers themselves: run --check-real-server there");
}

/// More marks than this are not listed.
const MOST_MARKS: usize = 10;

fn firewall(facts: &Facts) -> String {
    let marks: Vec<String> = facts
        .table
        .services
        .iter()
        .filter_map(|(service, _)| match service.key {
            ServiceKey::Fwmark { mark, .. } => Some(mark.to_string()),
            ServiceKey::Address { .. } => None,
        })
        .collect();
    let rules = "rules of nftables and iptables";
    match marks.len() {
        0 => rules.to_owned(),
        1 => format!("{rules}, such as set mark {}", marks[0]),
        2..=MOST_MARKS => format!("{rules}, such as set marks {}", marks.join(", ")),
        all => {
            let (first, more) = (marks[..MOST_MARKS].join(", "), all - MOST_MARKS);
            format!("{rules}, such as set marks {first} and {more} more")
        }
    }
}

/// All servers with their services.
fn servers(facts: &Facts) -> impl Iterator<Item = (&Service, &Server)> {
    let table = facts.table.services.iter();
    table.flat_map(|(service, servers)| servers.iter().map(move |server| (service, server)))
}

/// Whether a server is the director itself. Up to Linux 2.6.36 the kernel says so;
/// since then the route does.
fn is_local(facts: &Facts, server: &Server) -> bool {
    let route = facts.network.route(&server.key.address);
    server.config.forwarding == Forwarding::Local || route.is_some_and(|route| route.local)
}
