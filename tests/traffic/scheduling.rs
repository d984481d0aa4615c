//! Every scheduler does what it promises.

use crate::Test;
use crate::cluster::calls::{Call, shares, tally};
use crate::cluster::servers::Transport::Tcp;
use crate::cluster::table::eventually;
use crate::cluster::{Cluster, Family};
use anyhow::{Result, ensure};
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};

pub const TESTS: &[Test] = &[
    ("rr_takes_turns", rr_takes_turns),
    ("wrr_takes_turns_by_weight", wrr_takes_turns_by_weight),
    ("lc_takes_the_least_busy", lc_takes_the_least_busy),
    (
        "wlc_takes_the_least_busy_by_weight",
        wlc_takes_the_least_busy_by_weight,
    ),
    ("sed_takes_the_shortest_delay", sed_takes_the_shortest_delay),
    ("nq_never_queues", nq_never_queues),
    (
        "fo_takes_the_heaviest_until_it_is_gone",
        fo_takes_the_heaviest_until_it_is_gone,
    ),
    (
        "ovf_overflows_when_the_weight_is_reached",
        ovf_overflows_when_the_weight_is_reached,
    ),
    (
        "dh_sends_a_destination_to_one_server",
        dh_sends_a_destination_to_one_server,
    ),
    (
        "lblc_moves_a_destination_from_a_busy_server",
        lblc_moves_a_destination_from_a_busy_server,
    ),
    (
        "lblcr_replicates_a_busy_destination",
        lblcr_replicates_a_busy_destination,
    ),
    ("sh_sends_a_client_to_one_server", || {
        hash_sends_a_client_to_one_server("sh")
    }),
    ("sh_port_spreads_a_client", || {
        port_flag_spreads_a_client("sh", "sh-port")
    }),
    ("sh_fallback_replaces_a_lost_server", || {
        fallback_replaces_a_lost_server("sh", "sh-fallback")
    }),
    ("mh_sends_a_client_to_one_server", || {
        hash_sends_a_client_to_one_server("mh")
    }),
    ("mh_port_spreads_a_client", || {
        port_flag_spreads_a_client("mh", "mh-port")
    }),
    ("mh_fallback_replaces_a_lost_server", || {
        fallback_replaces_a_lost_server("mh", "mh-fallback")
    }),
    (
        "mh_moves_few_clients_when_a_server_goes",
        mh_moves_few_clients_when_a_server_goes,
    ),
];

const WEB: &str = "203.0.113.128:80";

/// A cluster with a masquerading web service, and its servers by weight.
fn web_cluster(scheduler: &str, weights: &[u32]) -> Result<Cluster> {
    let cluster = Cluster::masquerading(u8::try_from(weights.len())?)?;
    cluster.serve(Family::V4, Tcp, 80)?;
    let mut rules = format!("-A -t {WEB} -s {scheduler}\n");
    for (weight, number) in weights.iter().zip(1..) {
        let server = SocketAddr::new(Family::V4.server(number), 80);
        rules += &format!("-a -t {WEB} -r {server} -m -w {weight}\n");
    }
    cluster.director.rules(&rules)?;
    Ok(cluster)
}

fn calls(cluster: &Cluster, count: usize) -> Result<Vec<Call>> {
    cluster.client.calls(count, Tcp, Family::V4.web())
}

fn order(calls: &[Call]) -> Vec<&str> {
    calls.iter().map(|call| call.server.as_str()).collect()
}

fn rr_takes_turns() -> Result<()> {
    let cluster = web_cluster("rr", &[1, 5, 1])?;
    let calls = calls(&cluster, 6)?;
    let order = order(&calls);
    assert_eq!(
        order[..3],
        order[3..],
        "the same turn again, whatever the weights"
    );
    assert_eq!(tally(&calls), shares([("s1", 2), ("s2", 2), ("s3", 2)]));
    Ok(())
}

fn wrr_takes_turns_by_weight() -> Result<()> {
    let cluster = web_cluster("wrr", &[1, 2, 3])?;
    assert_eq!(
        tally(&calls(&cluster, 12)?),
        shares([("s1", 2), ("s2", 4), ("s3", 6)])
    );
    Ok(())
}

fn lc_takes_the_least_busy() -> Result<()> {
    let cluster = web_cluster("lc", &[1, 9, 1])?;
    let mut open = calls(&cluster, 6)?;
    assert_eq!(tally(&open), shares([("s1", 2), ("s2", 2), ("s3", 2)]));
    open.retain(|call| call.server != "s2");
    wait_for_active(&cluster, 4)?;
    assert_eq!(tally(&calls(&cluster, 2)?), shares([("s2", 2)]));
    Ok(())
}

/// Waits until `count` connections are active: those that have been closed
/// take a moment.
fn wait_for_active(cluster: &Cluster, count: usize) -> Result<()> {
    eventually(|| {
        let connections = cluster.director.connections()?;
        let active = connections
            .iter()
            .filter(|connection| connection.state == "ESTABLISHED");
        ensure!(active.count() == count, "{connections:?}");
        Ok(())
    })
}

fn wlc_takes_the_least_busy_by_weight() -> Result<()> {
    let cluster = web_cluster("wlc", &[1, 3])?;
    assert_eq!(tally(&calls(&cluster, 8)?), shares([("s1", 2), ("s2", 6)]));
    Ok(())
}

fn sed_takes_the_shortest_delay() -> Result<()> {
    let cluster = web_cluster("sed", &[1, 10])?;
    assert_eq!(tally(&calls(&cluster, 8)?), shares([("s2", 8)]));
    Ok(())
}

fn nq_never_queues() -> Result<()> {
    let cluster = web_cluster("nq", &[1, 10])?;
    // Otherwise like sed, but an idle server is not left out.
    assert_eq!(tally(&calls(&cluster, 8)?), shares([("s1", 1), ("s2", 7)]));
    Ok(())
}

fn fo_takes_the_heaviest_until_it_is_gone() -> Result<()> {
    let cluster = web_cluster("fo", &[10, 30, 20])?;
    let step = |commands: &str, server| -> Result<()> {
        cluster.director.rules(commands)?;
        assert_eq!(
            tally(&calls(&cluster, 3)?),
            shares([(server, 3)]),
            "after {commands}"
        );
        Ok(())
    };
    step("", "s2")?;
    step(&format!("-e -t {WEB} -r 10.0.0.12:80 -m -w 0\n"), "s3")?;
    step(&format!("-d -t {WEB} -r 10.0.0.13:80\n"), "s1")?;
    step(&format!("-e -t {WEB} -r 10.0.0.12:80 -m -w 40\n"), "s2")
}

fn ovf_overflows_when_the_weight_is_reached() -> Result<()> {
    let cluster = web_cluster("ovf", &[2, 3, 1])?;
    // A server takes calls while its active ones are not more than its weight.
    let open = calls(&cluster, 8)?;
    assert_eq!(
        order(&open),
        ["s2", "s2", "s2", "s2", "s1", "s1", "s1", "s3"]
    );
    Ok(())
}

/// A service for all the virtual addresses: web servers marked by nft.
fn mark_cluster(scheduler: &str, servers: u8) -> Result<Cluster> {
    let cluster = Cluster::masquerading(servers)?;
    cluster.serve(Family::V4, Tcp, 80)?;
    cluster.director.nft(
        "table inet marks {
        chain arriving {
            type filter hook prerouting priority mangle;
            ip daddr 203.0.113.0/24 tcp dport 80 meta mark set 1;
        }
        }",
    )?;
    let mut rules = format!("-A -f 1 -s {scheduler}\n");
    for number in 1..=servers {
        rules += &format!("-a -f 1 -r {} -m -w 1\n", Family::V4.server(number));
    }
    cluster.director.rules(&rules)?;
    Ok(cluster)
}

fn destination(number: u8) -> SocketAddr {
    SocketAddr::new(Family::V4.vip_number(number), 80)
}

fn dh_sends_a_destination_to_one_server() -> Result<()> {
    let cluster = mark_cluster("dh", 3)?;
    let mut used = BTreeSet::new();
    for number in 1..=12 {
        let sources = (1..=3).map(|client| Family::V4.client_number(client));
        let calls = cluster
            .client
            .calls_from(sources, Tcp, destination(number))?;
        assert_eq!(tally(&calls).len(), 1, "{number}: {:?}", order(&calls));
        used.insert(calls[0].server.clone());
    }
    assert_eq!(used.len(), 3, "{used:?}");
    Ok(())
}

fn lblc_moves_a_destination_from_a_busy_server() -> Result<()> {
    let cluster = mark_cluster("lblc", 2)?;
    let (home, other) = busy_destination(&cluster)?;
    // From now on the destination belongs to the other server alone.
    let next = cluster.client.call(Tcp, destination(1))?;
    assert_eq!(next.server, other, "not {home}");
    Ok(())
}

fn lblcr_replicates_a_busy_destination() -> Result<()> {
    let cluster = mark_cluster("lblcr", 2)?;
    let (home, _) = busy_destination(&cluster)?;
    // Both belong to the destination now, and the less busy one answers.
    let next = cluster.client.call(Tcp, destination(1))?;
    assert_eq!(next.server, home);
    Ok(())
}

/// Opens connections to one destination, with every server's weight 1, until
/// its server is overloaded and another steps in; then only that one stays
/// busy. Gives the names of both.
fn busy_destination(cluster: &Cluster) -> Result<(String, String)> {
    let mut open = cluster.client.calls(3, Tcp, destination(1))?;
    let [home, other] = [0, 2].map(|number: usize| open[number].server.clone());
    assert_eq!(order(&open), [&home, &home, &other]);
    assert_ne!(home, other);
    open.retain(|call| call.server == other);
    wait_for_active(cluster, 1)?;
    // It stays open as long as the cluster's client does.
    std::mem::forget(open);
    Ok((home, other))
}

fn hash_sends_a_client_to_one_server(scheduler: &str) -> Result<()> {
    let cluster = web_cluster(scheduler, &[1, 1, 1])?;
    let first = servers_of_clients(&cluster)?;
    let used: BTreeSet<_> = first.values().collect();
    assert_eq!(used.len(), 3, "{first:?}");
    assert_eq!(servers_of_clients(&cluster)?, first, "from other ports");
    Ok(())
}

/// One call from each of many clients: who got whom.
fn servers_of_clients(cluster: &Cluster) -> Result<BTreeMap<IpAddr, String>> {
    let sources = (1..=24).map(|number| Family::V4.client_number(number));
    let calls = cluster.client.calls_from(sources, Tcp, Family::V4.web())?;
    calls
        .into_iter()
        .map(|call| Ok((call.source()?.ip(), call.server)))
        .collect()
}

fn port_flag_spreads_a_client(scheduler: &str, flag: &str) -> Result<()> {
    let cluster = web_cluster(scheduler, &[1, 1, 1])?;
    let held = tally(&calls(&cluster, 12)?);
    assert_eq!(held.len(), 1, "without the flag: {held:?}");
    cluster
        .director
        .ipvsadm(&format!("-E -t {WEB} -s {scheduler} -b {flag}"))?;
    let spread = tally(&calls(&cluster, 24)?);
    assert!(spread.len() > 1, "with the flag: {spread:?}");
    Ok(())
}

fn fallback_replaces_a_lost_server(scheduler: &str, flag: &str) -> Result<()> {
    let cluster = web_cluster(scheduler, &[1, 1])?;
    // A server that is full stays in the hash table, and takes nobody.
    for number in 1..=2 {
        let server = SocketAddr::new(Family::V4.server(number), 80);
        cluster
            .director
            .ipvsadm(&format!("-e -t {WEB} -r {server} -m -w 1 -x 1"))?;
    }
    let mut open = calls(&cluster, 1)?;
    assert!(
        cluster.client.is_refused(Tcp, Family::V4.web()),
        "without the flag"
    );
    cluster
        .director
        .ipvsadm(&format!("-E -t {WEB} -s {scheduler} -b {flag}"))?;
    open.extend(calls(&cluster, 1)?);
    assert_eq!(
        tally(&open),
        shares([("s1", 1), ("s2", 1)]),
        "with the flag"
    );
    Ok(())
}

fn mh_moves_few_clients_when_a_server_goes() -> Result<()> {
    let cluster = web_cluster("mh", &[1, 1, 1])?;
    let before = servers_of_clients(&cluster)?;
    cluster
        .director
        .ipvsadm(&format!("-d -t {WEB} -r 10.0.0.13:80"))?;
    let after = servers_of_clients(&cluster)?;
    let moved = before
        .iter()
        .filter(|(client, server)| after[*client] != **server);
    let (mut forced, mut needless) = (0, 0);
    for (_, server) in moved {
        *(if server == "s3" {
            &mut forced
        } else {
            &mut needless
        }) += 1;
    }
    assert!(
        forced > 0 && needless <= 2,
        "{forced} forced, {needless} needless"
    );
    Ok(())
}
