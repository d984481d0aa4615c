//! Measures the guide's table of what schedulers do.

use crate::GUIDE;
use crate::cluster::servers::Transport::Tcp;
use crate::cluster::{Cluster, Family};
use anyhow::{Context, Result, ensure};
use std::fs;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;

/// The schedulers that look at the client or at nothing, and those that look at the
/// destination, in the order of the table.
const BY_CLIENT: [&str; 10] = [
    "rr", "wrr", "lc", "wlc", "sed", "nq", "fo", "ovf", "sh", "mh",
];
const BY_DESTINATION: [&str; 3] = ["dh", "lblc", "lblcr"];
const WEIGHTS: [u32; 3] = [10, 20, 30];
const CONNECTIONS: u8 = 60;
/// By how many connections a server's share may differ from one run to another.
const SLACK: u32 = 3;

/// How many connections each server got.
type Shares = [u32; 3];

/// The table of the guide is what is measured here.
pub fn the_schedulers_do_what_the_guide_says() -> Result<()> {
    let measured = measured()?;
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(GUIDE))?;
    let (_, table) = text
        .split_once("<!-- schedulers:start -->\n")
        .context("no table")?;
    let (table, _) = table
        .split_once("<!-- schedulers:end -->")
        .context("no end")?;
    let told: Vec<&str> = table.lines().skip(2).collect();
    let anew: Vec<String> = measured.iter().map(row).collect();
    let same = told.len() == measured.len()
        && told
            .iter()
            .zip(&anew)
            .all(|(told, anew)| is_near(told, anew));
    ensure!(
        same,
        "{GUIDE} has another table than this:\n{}",
        anew.join("\n")
    );
    Ok(())
}

fn row((scheduler, closed, open): &(&str, Shares, Shares)) -> String {
    let shares = |shares: &Shares| shares.map(|share| share.to_string()).join(", ");
    format!("| `{scheduler}` | {} | {} |", shares(closed), shares(open))
}

/// Whether two rows have the same words, and numbers that differ by little.
fn is_near(told: &str, measured: &str) -> bool {
    let words = |row: &str| {
        row.replace(',', " ")
            .split_whitespace()
            .map(str::to_owned)
            .collect()
    };
    let (told, measured): (Vec<String>, Vec<String>) = (words(told), words(measured));
    told.len() == measured.len()
        && told.iter().zip(&measured).all(|(told, measured)| {
            match (told.parse::<u32>(), measured.parse::<u32>()) {
                (Ok(told), Ok(measured)) => told.abs_diff(measured) <= SLACK,
                _ => told == measured,
            }
        })
}

fn measured() -> Result<Vec<(&'static str, Shares, Shares)>> {
    let cluster = Cluster::masquerading(3)?;
    cluster.serve(Family::V4, Tcp, 80)?;
    let mut rows = Vec::new();
    let mut number = 0;
    for scheduler in BY_CLIENT {
        let mut shares = [[0; 3]; 2];
        for (shares, open) in shares.iter_mut().zip([false, true]) {
            // Servers of a service that is gone come back with their connections.
            number += 1;
            let to = SocketAddr::new(Family::V4.vip_number(number), 80);
            serve(&cluster, &format!("-t {to}"), ":80", scheduler)?;
            let calls = (1..=CONNECTIONS).map(|client| (Family::V4.client_number(client), to));
            *shares = connect(&cluster, calls, open)?;
        }
        rows.push((scheduler, shares[0], shares[1]));
    }
    let mut mark = 0;
    for scheduler in BY_DESTINATION {
        let mut shares = [[0; 3]; 2];
        for (shares, open) in shares.iter_mut().zip([false, true]) {
            mark += 1;
            cluster.director.nft(&format!(
                "add table inet marks
                delete table inet marks
                table inet marks {{
                    chain arriving {{
                        type filter hook prerouting priority mangle;
                        ip daddr 203.0.113.0/24 tcp dport 80 meta mark set {mark}
                    }}
                }}"
            ))?;
            serve(&cluster, &format!("-f {mark}"), "", scheduler)?;
            let client = Family::V4.client_number(1);
            let destination = |n| SocketAddr::new(Family::V4.vip_number(100 + n), 80);
            let calls = (1..=CONNECTIONS).map(|n| (client, destination(n)));
            *shares = connect(&cluster, calls, open)?;
        }
        rows.push((scheduler, shares[0], shares[1]));
    }
    Ok(rows)
}

/// A service with the three servers.
fn serve(cluster: &Cluster, service: &str, port: &str, scheduler: &str) -> Result<()> {
    let mut rules = format!("-A {service} -s {scheduler}\n");
    for (weight, number) in WEIGHTS.iter().zip(1..) {
        let server = Family::V4.server(number);
        rules += &format!("-a {service} -r {server}{port} -m -w {weight}\n");
    }
    cluster.director.rules(&rules)
}

/// Connects one after the other, and keeps all open or none.
fn connect(
    cluster: &Cluster,
    calls: impl Iterator<Item = (IpAddr, SocketAddr)>,
    open: bool,
) -> Result<Shares> {
    let mut shares = [0; 3];
    let mut kept = Vec::new();
    for (from, to) in calls {
        let call = cluster.client.calls_from([from], Tcp, to)?;
        let call = call.into_iter().next().context("a call")?;
        let number: usize = call.server.trim_start_matches('s').parse()?;
        shares[number - 1] += 1;
        if open {
            kept.push(call);
        }
    }
    Ok(shares)
}
