//! The ways from a director to a real server: masquerading, direct routing,
//! and tunnels of every type.

use crate::Test;
use crate::cluster::calls::{Call, shares, tally};
use crate::cluster::host::Host;
use crate::cluster::servers::Transport;
use crate::cluster::{Cluster, Family};
use anyhow::Result;
use std::net::SocketAddr;

pub const TESTS: &[Test] = &[
    ("masquerading_maps_ports", || {
        masquerading_maps_ports(Family::V4)
    }),
    ("masquerading_maps_ports_over_ipv6", || {
        masquerading_maps_ports(Family::V6)
    }),
    ("direct_routing_keeps_addresses", || {
        direct_routing_keeps_addresses(Family::V4)
    }),
    ("direct_routing_keeps_addresses_over_ipv6", || {
        direct_routing_keeps_addresses(Family::V6)
    }),
    ("ipip_tunnel", || ipip_tunnel(Family::V4, Family::V4)),
    ("ipip_tunnel_over_ipv6", || {
        ipip_tunnel(Family::V6, Family::V6)
    }),
    ("ipv6_clients_over_ipv4_tunnels", || {
        ipip_tunnel(Family::V6, Family::V4)
    }),
    ("ipv4_clients_over_ipv6_tunnels", || {
        ipip_tunnel(Family::V4, Family::V6)
    }),
    (
        "gue_tunnels_with_every_checksum_option",
        gue_tunnels_with_every_checksum_option,
    ),
    (
        "gre_tunnels_with_every_checksum_option",
        gre_tunnels_with_every_checksum_option,
    ),
];

const TRANSPORTS: [(Transport, &str); 3] = [
    (Transport::Tcp, "-t"),
    (Transport::Udp, "-u"),
    (Transport::Sctp, "--sctp-service"),
];

/// Calls a service of two servers, and exchanges something on every call.
fn call_both(cluster: &Cluster, transport: Transport, to: SocketAddr) -> Result<Vec<Call>> {
    let mut calls = cluster.client.calls(4, transport, to)?;
    assert_eq!(
        tally(&calls),
        shares([("s1", 2), ("s2", 2)]),
        "{transport:?}"
    );
    for call in &mut calls {
        call.say(&[b'x'; 700])?;
    }
    Ok(calls)
}

/// Neither check may find anything in what works. `as_seen` is the first server,
/// as the director has it.
fn is_sound(cluster: &Cluster, as_seen: &str) -> Result<()> {
    cluster.director.is_sound("--check")?;
    cluster.servers[0].is_sound(&format!("--check-real-server {as_seen}"))
}

fn masquerading_maps_ports(family: Family) -> Result<()> {
    let cluster = Cluster::masquerading(2)?;
    let [s1, s2] = [1, 2].map(|number| SocketAddr::new(family.server(number), 8080));
    for (transport, option) in TRANSPORTS {
        let service = format!("{option} {}", family.web());
        cluster.serve(family, transport, 8080)?;
        cluster.director.rules(&format!(
            "-A {service} -s rr\n-a {service} -r {s1} -m\n-a {service} -r {s2} -m\n"
        ))?;
        for call in call_both(&cluster, transport, family.web())? {
            assert_eq!(call.seen_as, call.source()?);
        }
        is_sound(&cluster, &format!("{service} -r {s1} -m"))?;
    }
    Ok(())
}

fn direct_routing_keeps_addresses(family: Family) -> Result<()> {
    let cluster = Cluster::direct(2)?;
    cluster.serve_virtual(&TRANSPORTS.map(|(transport, _)| (transport, family.web())))?;
    // The port of a server reached directly is the service's, whatever is said.
    let [s1, s2] = [1, 2].map(|number| SocketAddr::new(family.server(number), 8080));
    for (transport, option) in TRANSPORTS {
        let service = format!("{option} {}", family.web());
        cluster.director.rules(&format!(
            "-A {service} -s rr\n-a {service} -r {s1} -g\n-a {service} -r {s2}\n"
        ))?;
        for call in call_both(&cluster, transport, family.web())? {
            assert_eq!(call.seen_as, call.source()?);
        }
        is_sound(&cluster, &format!("{service} -r {s1} -g"))?;
    }
    Ok(())
}

/// `inner` is what the clients speak, `outer` what the servers' addresses are.
fn ipip_tunnel(inner: Family, outer: Family) -> Result<()> {
    let cluster = Cluster::direct(2)?;
    for (server, number) in cluster.servers.iter().zip(1..) {
        let device = match (inner, outer) {
            (Family::V4, Family::V4) => "ipip",
            (Family::V6, Family::V4) => "sit",
            (_, Family::V6) => "ip6tnl mode any",
        };
        let local = outer.server(number);
        server.ip(&format!(
            "link add tunnel type {device} local {local}\nlink set tunnel up\n"
        ))?;
    }
    cluster.serve_virtual(&[(Transport::Tcp, inner.web()), (Transport::Udp, inner.web())])?;
    let [s1, s2] = [1, 2].map(|number| SocketAddr::new(outer.server(number), 80));
    for (transport, option) in &TRANSPORTS[..2] {
        let service = format!("{option} {}", inner.web());
        cluster.director.rules(&format!(
            "-A {service} -s rr\n-a {service} -r {s1} -i\n-a {service} -r {s2} -i --tun-type ipip\n"
        ))?;
        call_both(&cluster, *transport, inner.web())?;
        is_sound(&cluster, &format!("{service} -r {s1} -i"))?;
    }
    Ok(())
}

/// Counts, on a server, packets that match `rules`, each by the name before it.
fn counting(rules: &[(&str, &str)]) -> String {
    let rules = rules.iter().map(|(name, rule)| {
        format!(
            "counter {name} {{ }}\n\
             chain {name} {{ type filter hook prerouting priority -300; {rule} counter name {name}; }}\n"
        )
    });
    format!("table inet seen {{\n{}}}\n", rules.collect::<String>())
}

fn gue_tunnels_with_every_checksum_option() -> Result<()> {
    let cluster = Cluster::direct(3)?;
    let vip = Family::V4.web();
    cluster.serve_virtual(&[(Transport::Tcp, vip)])?;
    for server in &cluster.servers {
        server.run("modprobe", &["-a", "ipip", "fou"], "")?;
        server.ip("fou add port 6080 gue\nlink set tunl0 up\n")?;
        // The first octets of GUE: version and length, protocol, flags. Bit 4
        // of the length stands for the word that the private flag announces.
        server.nft(&counting(&[
            ("plain", "udp dport 6080 udp checksum 0"),
            ("checked", "udp dport 6080 udp checksum != 0"),
            ("remote", "udp dport 6080 @th,64,32 & 0x00000001 != 0"),
        ]))?;
    }
    cluster.director.rules(
        "-A -t 203.0.113.128:80 -s rr
         -a -t 203.0.113.128:80 -r 10.0.0.11 -i --tun-type gue --tun-port 6080 --tun-nocsum
         -a -t 203.0.113.128:80 -r 10.0.0.12 -i --tun-type gue --tun-port 6080 --tun-csum
         -a -t 203.0.113.128:80 -r 10.0.0.13 -i --tun-type gue --tun-port 6080 --tun-remcsum\n",
    )?;
    let mut calls = cluster.client.calls(6, Transport::Tcp, vip)?;
    assert_eq!(tally(&calls), shares([("s1", 2), ("s2", 2), ("s3", 2)]));
    for call in &mut calls {
        call.say(&[b'x'; 700])?;
    }
    is_sound(
        &cluster,
        "-t 203.0.113.128:80 -r 10.0.0.11 -i --tun-type gue --tun-port 6080",
    )?;
    let seen = |server: &Host| -> Result<Vec<bool>> {
        let counted = |name: &&str| Ok(server.counted("seen", name)?.0 > 0);
        ["plain", "checked", "remote"].iter().map(counted).collect()
    };
    assert_eq!(seen(&cluster.servers[0])?, [true, false, false]);
    assert_eq!(seen(&cluster.servers[1])?, [false, true, false]);
    assert_eq!(seen(&cluster.servers[2])?, [false, true, true]);
    Ok(())
}

fn gre_tunnels_with_every_checksum_option() -> Result<()> {
    let cluster = Cluster::direct(2)?;
    let vip = Family::V4.web();
    cluster.serve_virtual(&[(Transport::Tcp, vip)])?;
    // A GRE device takes packets either with or without a checksum.
    let [plain, checked] = [0, 1].map(|number| &cluster.servers[number]);
    plain.ip("link add gre type gre local 10.0.0.11\nlink set gre up\n")?;
    checked.ip("link add gre type gre local 10.0.0.12 icsum\nlink set gre up\n")?;
    cluster.director.rules(
        "-A -t 203.0.113.128:80 -s rr
         -a -t 203.0.113.128:80 -r 10.0.0.11 -i --tun-type gre --tun-nocsum
         -a -t 203.0.113.128:80 -r 10.0.0.12 -i --tun-type gre --tun-csum\n",
    )?;
    call_both(&cluster, Transport::Tcp, vip)?;
    is_sound(
        &cluster,
        "-t 203.0.113.128:80 -r 10.0.0.11 -i --tun-type gre",
    )?;
    // With the options exchanged, no packet arrives.
    cluster.director.rules(
        "-e -t 203.0.113.128:80 -r 10.0.0.11 -i --tun-type gre --tun-csum
         -e -t 203.0.113.128:80 -r 10.0.0.12 -i --tun-type gre --tun-nocsum\n",
    )?;
    assert!(cluster.client.is_refused(Transport::Tcp, vip));
    assert!(cluster.client.is_refused(Transport::Tcp, vip));
    Ok(())
}
