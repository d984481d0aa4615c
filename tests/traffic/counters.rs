//! What is listed is what was sent.

use crate::Test;
use crate::cluster::servers::Transport::{Sctp, Tcp, Udp};
use crate::cluster::table::{Connection, Counters, eventually};
use crate::cluster::{Cluster, Family};
use anyhow::{Result, ensure};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, sleep};
use std::time::{Duration, Instant};

pub const TESTS: &[Test] = &[
    ("stats_are_what_was_sent", || {
        stats_are_what_was_sent(Family::V4)
    }),
    ("stats_are_what_was_sent_over_ipv6", || {
        stats_are_what_was_sent(Family::V6)
    }),
    (
        "stats_of_direct_routing_have_no_answers",
        stats_of_direct_routing_have_no_answers,
    ),
    ("rates_follow_a_steady_load", rates_follow_a_steady_load),
    (
        "connections_are_those_that_are_open",
        connections_are_those_that_are_open,
    ),
];

/// Counts what the client sends to the virtual addresses, and gets from them.
const METERS: &str = "
    table inet meters {
        counter sent { }
        counter received { }
        chain sending { type filter hook postrouting priority 100;
            ip daddr 203.0.113.0/24 counter name sent
            ip6 daddr 2001:db8:3::/64 counter name sent
        }
        chain receiving { type filter hook prerouting priority -300;
            ip saddr 203.0.113.0/24 counter name received
            ip6 saddr 2001:db8:3::/64 counter name received
        }
    }";

/// The sum of several lines.
fn sum<'a>(lines: impl IntoIterator<Item = &'a Counters>) -> Counters {
    lines
        .into_iter()
        .fold(Counters::default(), |sum, line| Counters {
            connections: sum.connections + line.connections,
            packets_in: sum.packets_in + line.packets_in,
            packets_out: sum.packets_out + line.packets_out,
            bytes_in: sum.bytes_in + line.bytes_in,
            bytes_out: sum.bytes_out + line.bytes_out,
        })
}

fn stats_are_what_was_sent(family: Family) -> Result<()> {
    let cluster = Cluster::masquerading(2)?;
    cluster.client.nft(METERS)?;
    let web = family.web();
    let servers = [1, 2].map(|number| SocketAddr::new(family.server(number), 8080).to_string());
    cluster.serve(family, Tcp, 8080)?;
    cluster.director.rules(&format!(
        "-A -t {web} -s rr\n-a -t {web} -r {} -m\n-a -t {web} -r {} -m\n",
        servers[0], servers[1]
    ))?;
    let mut calls = cluster.client.calls(7, Tcp, web)?;
    for (call, length) in calls.iter_mut().zip([1, 10, 100, 500, 900, 1200, 1400]) {
        call.say(&vec![b'x'; length])?;
    }
    drop(calls);
    let service = eventually(|| {
        let stats = cluster.director.stats()?;
        let service = stats[&web.to_string()];
        let (sent, received) = (
            cluster.client.counted("meters", "sent")?,
            cluster.client.counted("meters", "received")?,
        );
        ensure!(
            (service.packets_in, service.bytes_in) == sent,
            "{service:?}, sent {sent:?}"
        );
        ensure!(
            (service.packets_out, service.bytes_out) == received,
            "{service:?}, received {received:?}"
        );
        // The kernel sums up the servers' counters at another moment.
        let all = sum(servers.iter().map(|server| &stats[server]));
        ensure!(all == service, "{all:?}, not {service:?}");
        let connections: Vec<_> = servers
            .iter()
            .map(|server| stats[server].connections)
            .collect();
        ensure!(connections.iter().sum::<u64>() == 7, "{connections:?}");
        ensure!(connections.iter().max() == Some(&4), "{connections:?}");
        Ok(service)
    })?;
    assert_eq!(service.connections, 7);
    // Zero is zero, for one service and for all.
    cluster.director.ipvsadm(&format!("-Z -t {web}"))?;
    assert_all_zero(&cluster)
}

fn assert_all_zero(cluster: &Cluster) -> Result<()> {
    let stats = cluster.director.stats()?;
    let is_zero = |line: &Counters| *line == Counters::default();
    assert!(stats.values().all(is_zero), "{stats:?}");
    Ok(())
}

fn stats_of_direct_routing_have_no_answers() -> Result<()> {
    let cluster = Cluster::direct(1)?;
    let names = SocketAddr::new(Family::V4.vip(), 53);
    cluster.serve_virtual(&[(Udp, names)])?;
    cluster.director.rules(
        "-A -u 203.0.113.128:53 -s rr\n-a -u 203.0.113.128:53 -r 10.0.0.11\n-A -u 203.0.113.128:54\n",
    )?;
    let mut call = cluster.client.call(Udp, names)?;
    for _ in 0..9 {
        call.say(&[0; 100])?;
    }
    // The opening is `hello`; 28 bytes are headers.
    let expected = Counters {
        connections: 1,
        packets_in: 10,
        bytes_in: 28 + 5 + 9 * (28 + 100),
        ..Counters::default()
    };
    eventually(|| {
        let stats = cluster.director.stats()?;
        ensure!(stats["203.0.113.128:53"] == expected, "{stats:?}");
        ensure!(stats["10.0.0.11:53"] == expected, "{stats:?}");
        ensure!(
            stats["203.0.113.128:54"] == Counters::default(),
            "{stats:?}"
        );
        Ok(())
    })?;
    cluster.director.ipvsadm("-Z")?;
    assert_all_zero(&cluster)
}

/// The kernel's estimate is a moving average: a quarter of each two seconds'
/// rate and three quarters of what it was. After `STEADY`, what it still owes
/// to the silence before is less than a tenth.
const STEADY: Duration = Duration::from_secs(18);
const TICK: Duration = Duration::from_secs(2);
const ERROR: f64 = 0.2;

fn rates_follow_a_steady_load() -> Result<()> {
    let cluster = Cluster::masquerading(1)?;
    let names = SocketAddr::new(Family::V4.vip(), 53);
    cluster.serve(Family::V4, Udp, 53)?;
    cluster
        .director
        .rules("-A -u 203.0.113.128:53 -s rr\n-a -u 203.0.113.128:53 -r 10.0.0.11 -m\n")?;
    let (stop, sent) = (AtomicBool::new(false), Mutex::new(Vec::new()));
    thread::scope(|scope| -> Result<()> {
        let load = scope.spawn(|| -> Result<()> {
            let mut call = cluster.client.call(Udp, names)?;
            while !stop.load(Ordering::Relaxed) {
                call.say(&[0; 472])?;
                sent.lock().expect("no panic").push(Instant::now());
                sleep(Duration::from_millis(20));
            }
            Ok(())
        });
        sleep(STEADY);
        let judged = eventually(|| {
            let rates = cluster.director.rates()?;
            let packets = slowest_and_fastest(&sent.lock().expect("no panic"));
            let bytes = packets.map(|rate| rate * 500.0);
            for name in ["203.0.113.128:53", "10.0.0.11:53"] {
                let line = rates[name];
                ensure!(
                    is_within(line.packets_in, packets) && is_within(line.packets_out, packets),
                    "{line:?}, not {packets:?} packets a second"
                );
                ensure!(
                    is_within(line.bytes_in, bytes),
                    "{line:?}, not {bytes:?} bytes a second"
                );
                ensure!(
                    line.bytes_out >= line.bytes_in,
                    "{line:?}, answers are not shorter"
                );
            }
            Ok(())
        });
        stop.store(true, Ordering::Relaxed);
        load.join().expect("no panic")?;
        judged
    })
}

/// The lowest and the highest rate of any `TICK`, between which every average of
/// them is: on a busy machine a load is not steady.
fn slowest_and_fastest(sent: &[Instant]) -> [f64; 2] {
    let mut end = 0;
    let rates = sent.iter().enumerate().map_while(|(begin, time)| {
        while sent.get(end)?.duration_since(*time) < TICK {
            end += 1;
        }
        Some((end - begin) as f64 / (sent[end] - *time).as_secs_f64())
    });
    rates.fold([f64::MAX, 0.0], |[low, high], rate| {
        [low.min(rate), high.max(rate)]
    })
}

fn is_within(shown: u64, [low, high]: [f64; 2]) -> bool {
    // Rates are shown without their fraction.
    (low * (1.0 - ERROR) - 1.0..=high * (1.0 + ERROR) + 1.0).contains(&(shown as f64))
}

/// Connections by protocol and source, with their states: all of them have the
/// same ends.
type States = BTreeMap<(String, String), String>;

/// Waits until the director lists these connections.
fn wait_for_states(cluster: &Cluster, expected: &States) -> Result<Vec<Connection>> {
    eventually(|| {
        let listed = cluster.director.connections()?;
        let state = |c: &Connection| ((c.protocol.clone(), c.source.clone()), c.state.clone());
        let states: States = listed.iter().map(state).collect();
        ensure!(states == *expected, "{listed:?}, not {expected:?}");
        Ok(listed)
    })
}

fn connections_are_those_that_are_open() -> Result<()> {
    let cluster = Cluster::masquerading(1)?;
    let web = Family::V4.web();
    let transports = [
        (Tcp, "-t", "TCP"),
        (Udp, "-u", "UDP"),
        (Sctp, "--sctp-service", "SCTP"),
    ];
    cluster.servers[0].serve(
        &transports
            .map(|(transport, ..)| (transport, "10.0.0.11:8080".parse().expect("an address"))),
    )?;
    for (_, option, _) in transports {
        cluster.director.rules(&format!(
            "-A {option} {web} -s rr\n-a {option} {web} -r 10.0.0.11:8080 -m\n"
        ))?;
    }
    let (mut open, mut expected) = (Vec::new(), States::new());
    for (transport, _, protocol) in transports {
        for call in cluster.client.calls(2, transport, web)? {
            let state = if transport == Udp {
                "UDP"
            } else {
                "ESTABLISHED"
            };
            let key = (protocol.to_owned(), call.source()?.to_string());
            expected.insert(key, state.to_owned());
            open.push((transport, call));
        }
    }
    let first = wait_for_states(&cluster, &expected)?;
    for connection in &first {
        assert_eq!(
            (&*connection.target, &*connection.server),
            ("203.0.113.128:80", "10.0.0.11:8080")
        );
    }
    // Nobody says anything: all of them run out.
    let before = |connection: &Connection| {
        let same = |c: &&Connection| {
            (&c.protocol, &c.source) == (&connection.protocol, &connection.source)
        };
        first.iter().find(same).map(|c| c.expires)
    };
    eventually(|| {
        let later = wait_for_states(&cluster, &expected)?;
        let falls = |connection: &Connection| {
            before(connection).is_some_and(|expires| connection.expires < expires)
        };
        ensure!(later.iter().all(falls), "{later:?}");
        Ok(())
    })?;
    // Closing shows in the state at once, and later the entry is gone.
    let tcp = open
        .iter()
        .position(|(transport, _)| *transport == Tcp)
        .expect("opened");
    let (_, closed) = open.remove(tcp);
    let key = ("TCP".to_owned(), closed.source()?.to_string());
    expected.insert(key, "TIME_WAIT".to_owned());
    drop(closed);
    wait_for_states(&cluster, &expected)?;
    cluster.director.ipvsadm("--set 0 0 3")?;
    for (_, call) in open.iter_mut().filter(|(transport, _)| *transport == Udp) {
        call.say(b"once more, with the new time-out")?;
    }
    expected.retain(|(protocol, _), _| protocol != "UDP");
    wait_for_states(&cluster, &expected).map(drop)
}
