//! Kinds of virtual services, and what a server's weight and thresholds do.

use crate::Test;
use crate::cluster::calls::{Call, shares, tally};
use crate::cluster::servers::Transport::{Tcp, Udp};
use crate::cluster::table::eventually;
use crate::cluster::{Cluster, Family};
use anyhow::{Result, ensure};
use std::net::SocketAddr;

pub const TESTS: &[Test] = &[
    ("firewall_mark_groups_ports", || {
        firewall_mark_groups_ports(Family::V4)
    }),
    ("firewall_mark_groups_ports_of_ipv6", || {
        firewall_mark_groups_ports(Family::V6)
    }),
    (
        "persistent_service_of_all_ports",
        persistent_service_of_all_ports,
    ),
    ("persistence_granularity", || {
        persistence_granularity(Family::V4)
    }),
    ("persistence_granularity_of_ipv6", || {
        persistence_granularity(Family::V6)
    }),
    ("one_packet_scheduling", one_packet_scheduling),
    ("sip_calls_stay_together", sip_calls_stay_together),
    ("full_servers_get_no_more", full_servers_get_no_more),
    (
        "quiesced_server_keeps_its_connections",
        quiesced_server_keeps_its_connections,
    ),
];

fn servers_of(calls: &[Call]) -> Vec<&str> {
    calls.iter().map(|call| call.server.as_str()).collect()
}

fn firewall_mark_groups_ports(family: Family) -> Result<()> {
    let cluster = Cluster::masquerading(2)?;
    let ports = [80, 443, 8080].map(|port| SocketAddr::new(family.vip(), port));
    for (server, number) in cluster.servers.iter().zip(1..) {
        let at = |port| (Tcp, SocketAddr::new(family.server(number), port));
        server.serve(&[at(80), at(443), at(8080)])?;
    }
    cluster.director.nft(
        "table inet marks {
        chain arriving {
            type filter hook prerouting priority mangle;
            tcp dport { 80, 443 } meta mark set 7;
        }
        }",
    )?;
    let service = match family {
        Family::V4 => "-f 7",
        Family::V6 => "-f 7 -6",
    };
    let server = |number| SocketAddr::new(family.server(number), 0);
    cluster.director.rules(&format!(
        "-A {service} -s rr -p 300\n-a {service} -r {} -m\n-a {service} -r {} -m\n",
        server(1),
        server(2)
    ))?;
    let sources = || (1..=4).map(|number| family.client_number(number));
    let plain = cluster.client.calls_from(sources(), Tcp, ports[0])?;
    assert_eq!(servers_of(&plain), ["s2", "s1", "s2", "s1"]);
    let secure = cluster.client.calls_from(sources(), Tcp, ports[1])?;
    assert_eq!(servers_of(&secure), servers_of(&plain));
    assert!(
        cluster.client.is_refused(Tcp, ports[2]),
        "a port without the mark"
    );
    Ok(())
}

fn persistent_service_of_all_ports() -> Result<()> {
    let cluster = Cluster::masquerading(2)?;
    let ports = [21, 80, 5000];
    for (server, number) in cluster.servers.iter().zip(1..) {
        let at = |port| (Tcp, SocketAddr::new(Family::V4.server(number), port));
        server.serve(&ports.map(at))?;
    }
    cluster.director.rules(
        "-A -t 203.0.113.128:0 -s rr -p 60
         -a -t 203.0.113.128:0 -r 10.0.0.11:0 -m
         -a -t 203.0.113.128:0 -r 10.0.0.12:0 -m\n",
    )?;
    let by_port = ports.map(|port| {
        let sources = (1..=4).map(|number| Family::V4.client_number(number));
        cluster
            .client
            .calls_from(sources, Tcp, SocketAddr::new(Family::V4.vip(), port))
    });
    for calls in by_port {
        assert_eq!(servers_of(&calls?), ["s2", "s1", "s2", "s1"]);
    }
    // The templates that hold the clients to their servers are in the table.
    let templates = cluster.director.connections()?;
    let templates = templates
        .iter()
        .filter(|connection| connection.source.ends_with(":0"));
    assert_eq!(templates.count(), 4);
    Ok(())
}

fn persistence_granularity(family: Family) -> Result<()> {
    let cluster = Cluster::masquerading(2)?;
    cluster.serve(family, Tcp, 80)?;
    let (service, mask) = (
        format!("-t {}", family.web()),
        match family {
            Family::V4 => "255.255.255.240",
            Family::V6 => "124",
        },
    );
    let server = |number| SocketAddr::new(family.server(number), 80);
    cluster.director.rules(&format!(
        "-A {service} -s rr -p 60 -M {mask}\n-a {service} -r {} -m\n-a {service} -r {} -m\n",
        server(1),
        server(2)
    ))?;
    // Three times four neighbours; 16 addresses are one client to the service.
    let neighbours = [16, 32, 48].into_iter().flat_map(|first| first..first + 4);
    let sources = neighbours.map(|number| family.client_number(number));
    let calls = cluster.client.calls_from(sources, Tcp, family.web())?;
    let expected = [["s2"; 4], ["s1"; 4], ["s2"; 4]].concat();
    assert_eq!(servers_of(&calls), expected);
    Ok(())
}

fn one_packet_scheduling() -> Result<()> {
    let cluster = Cluster::direct(2)?;
    let [plain, one_packet] = [53, 5353].map(|port| SocketAddr::new(Family::V4.vip(), port));
    cluster.serve_virtual(&[(Udp, plain), (Udp, one_packet)])?;
    cluster.director.rules(
        "-A -u 203.0.113.128:53 -s rr
         -a -u 203.0.113.128:53 -r 10.0.0.11
         -a -u 203.0.113.128:53 -r 10.0.0.12
         -A -u 203.0.113.128:5353 -s rr -o
         -a -u 203.0.113.128:5353 -r 10.0.0.11
         -a -u 203.0.113.128:5353 -r 10.0.0.12\n",
    )?;
    let answers = |to| -> Result<Vec<String>> {
        let mut call = cluster.client.call(Udp, to)?;
        (0..4).map(|_| call.say(b"again")).collect()
    };
    let held = answers(plain)?;
    assert!(held.iter().all(|server| *server == held[0]), "{held:?}");
    // Every datagram of the same client, from the same port, goes its own way.
    let spread = answers(one_packet)?;
    assert_eq!(spread, ["s1", "s2", "s1", "s2"]);
    let connections = cluster.director.connections()?;
    ensure!(
        connections.len() == 1 && connections[0].target.ends_with(":53"),
        "{connections:?}"
    );
    Ok(())
}

fn sip_calls_stay_together() -> Result<()> {
    let cluster = Cluster::masquerading(2)?;
    let registrar = SocketAddr::new(Family::V4.vip(), 5060);
    cluster.serve(Family::V4, Udp, 5060)?;
    cluster.director.rules(
        "-A -u 203.0.113.128:5060 -s rr -p 60 -M 255.255.255.0 --pe sip
         -a -u 203.0.113.128:5060 -r 10.0.0.11 -m
         -a -u 203.0.113.128:5060 -r 10.0.0.12 -m\n",
    )?;
    let invite = |call: &str, client: u8| {
        let text = format!(
            "INVITE sip:bob@example.test SIP/2.0\r\n\
             Via: SIP/2.0/UDP client.example.test\r\n\
             From: <sip:alice@example.test>\r\nTo: <sip:bob@example.test>\r\n\
             Call-ID: {call}@example.test\r\nCSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n"
        );
        let call = cluster
            .client
            .datagram(&text, Family::V4.client_number(client), registrar);
        call.map(|call| call.server)
    };
    // Four calls of one client go to both servers; what belongs to a call
    // follows it there, from whatever address of the mask's network it comes.
    let ids = ["one", "two", "three", "four"];
    let first: Vec<_> = ids.iter().map(|id| invite(id, 1)).collect::<Result<_>>()?;
    assert_eq!(first, ["s2", "s1", "s2", "s1"]);
    for (id, server) in ids.iter().zip(&first) {
        for client in 1..4 {
            assert_eq!(invite(id, client)?, *server, "{id} from {client}");
        }
    }
    let listed = cluster.director.ipvsadm("-Lcn --persistent-conn")?;
    for id in ids {
        let data = format!("sip {id}@example.test");
        let shown = |line: &str| {
            line.split_whitespace()
                .collect::<Vec<_>>()
                .join(" ")
                .ends_with(&data)
        };
        assert!(listed.lines().any(shown), "{listed}");
    }
    Ok(())
}

fn full_servers_get_no_more() -> Result<()> {
    let cluster = Cluster::direct(2)?;
    let web = Family::V4.web();
    cluster.serve_virtual(&[(Tcp, web)])?;
    cluster.director.rules(
        "-A -t 203.0.113.128:80 -s rr
         -a -t 203.0.113.128:80 -r 10.0.0.11 -x 3 -y 2
         -a -t 203.0.113.128:80 -r 10.0.0.12 -x 1\n",
    )?;
    let mut calls = cluster.client.calls(4, Tcp, web)?;
    assert_eq!(tally(&calls), shares([("s1", 3), ("s2", 1)]));
    assert!(cluster.client.is_refused(Tcp, web), "all are full");
    // Closed connections count until they expire.
    cluster.director.ipvsadm("--set 0 1 0")?;
    calls.clear();
    eventually(|| {
        let left = cluster.director.connections()?;
        ensure!(left.is_empty(), "{left:?}");
        Ok(())
    })?;
    let again = cluster.client.calls(4, Tcp, web)?;
    assert_eq!(tally(&again), shares([("s1", 3), ("s2", 1)]));
    Ok(())
}

fn quiesced_server_keeps_its_connections() -> Result<()> {
    let cluster = Cluster::masquerading(2)?;
    let web = Family::V4.web();
    cluster.serve(Family::V4, Tcp, 80)?;
    cluster.director.rules(
        "-A -t 203.0.113.128:80 -s rr
         -a -t 203.0.113.128:80 -r 10.0.0.11 -m
         -a -t 203.0.113.128:80 -r 10.0.0.12 -m\n",
    )?;
    let mut before = cluster.client.calls(4, Tcp, web)?;
    assert_eq!(tally(&before), shares([("s1", 2), ("s2", 2)]));
    cluster
        .director
        .ipvsadm("-e -t 203.0.113.128:80 -r 10.0.0.11 -m -w 0")?;
    let after = cluster.client.calls(3, Tcp, web)?;
    assert_eq!(tally(&after), shares([("s2", 3)]));
    for call in &mut before {
        call.say(b"still here")?;
    }
    cluster
        .director
        .ipvsadm("-e -t 203.0.113.128:80 -r 10.0.0.12 -m -w 0")?;
    assert!(cluster.client.is_refused(Tcp, web), "nobody is left");
    Ok(())
}
