//! A rolling reboot, as the manual has it: a host leaves all its services, goes
//! down, comes up and comes back, and no client notices.

use crate::Test;
use crate::cluster::Cluster;
use crate::cluster::calls::Call;
use crate::cluster::host::Host;
use crate::cluster::servers::Transport::Tcp;
use crate::cluster::table::eventually;
use crate::support::programs::REFERENCE;
use anyhow::{Context, Result, ensure};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

pub const TESTS: &[Test] = &[("rolling_reboot", rolling_reboot)];

const RULES: &str = "\
-A -t 203.0.113.1:80 -s wrr
-a -t 203.0.113.1:80 -r 10.0.0.11:80 -m -w 3
-a -t 203.0.113.1:80 -r 10.0.0.12:80 -m -w 2
-a -t 203.0.113.1:80 -r 10.0.0.13:80 -m -w 1
-A -t 203.0.113.1:81 -s lc
-a -t 203.0.113.1:81 -r 10.0.0.11:81 -m -w 1 -x 500 -y 400
-a -t 203.0.113.1:81 -r 10.0.0.12:81 -m -w 1
-A -t 203.0.113.2:80 -s rr
-a -t 203.0.113.2:80 -r 10.0.0.11:80 -m -w 1
-a -t 203.0.113.2:80 -r 10.0.0.11:81 -m -w 7
-a -t 203.0.113.2:80 -r 10.0.0.13:80 -m -w 1
";
const SERVICES: [([u8; 4], u16); 3] = [
    ([203, 0, 113, 1], 80),
    ([203, 0, 113, 1], 81),
    ([203, 0, 113, 2], 80),
];

/// So many threads have so many connections each.
const CLIENTS: usize = 8;
const CALLS: usize = 25;

/// What all clients have done.
#[derive(Default)]
struct Calls {
    is_over: AtomicBool,
    /// Connections, and those that the host has answered.
    opened: AtomicUsize,
    answered_by_host: AtomicUsize,
}

/// Has connections open, each for a while and then the next, until it is over or
/// one of them does not answer.
fn client(client: &Host, calls: &Calls) -> Result<()> {
    let open = |number: usize| -> Result<Call> {
        let to = SocketAddr::from(SERVICES[number % SERVICES.len()]);
        let call = client.call(Tcp, to).context("a new connection")?;
        calls.opened.fetch_add(1, Ordering::Relaxed);
        if call.server == "s1" {
            calls.answered_by_host.fetch_add(1, Ordering::Relaxed);
        }
        Ok(call)
    };
    let mut held = Vec::new();
    for number in 0..CALLS {
        held.push((open(number)?, number));
    }
    while !calls.is_over.load(Ordering::Relaxed) {
        for (number, (call, age)) in held.iter_mut().enumerate() {
            *age += 1;
            if *age > 20 + number % 7 {
                (*call, *age) = (open(number)?, 0);
            }
            let server = call.server.clone();
            call.say(b"are you there?")
                .with_context(|| format!("connection {number} with {server}"))?;
        }
        thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}

fn rolling_reboot() -> Result<()> {
    let cluster = Cluster::masquerading(3)?;
    let (director, host) = (&cluster.director, &cluster.servers[0]);
    let serve = |number: u8| {
        let at = |port| (Tcp, SocketAddr::from(([10, 0, 0, 10 + number], port)));
        cluster.servers[usize::from(number) - 1].serve(&[at(80), at(81)])
    };
    (1..=3).try_for_each(serve)?;
    director.rules(RULES)?;
    let table = || director.run(REFERENCE, &["-Sn"], "");
    let before = table()?;
    let calls = Calls::default();
    let opened = || calls.opened.load(Ordering::Relaxed);
    let answered_by_host = || calls.answered_by_host.load(Ordering::Relaxed);
    thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|_| scope.spawn(|| client(&cluster.client, &calls)))
            .collect();
        let reboot = || -> Result<()> {
            let goes_on = |count: usize| {
                let is_dead = clients.iter().any(thread::ScopedJoinHandle::is_finished);
                ensure!(is_dead || opened() >= count, "{} connections", opened());
                Ok(())
            };
            eventually(|| goes_on(CLIENTS * CALLS + 50))?;
            let rules = director.ipvsadm("-Sn -r 10.0.0.11")?;
            director.ipvsadm("-e --all -r 10.0.0.11 --keep -w 0 --drain 60")?;
            let at_host = answered_by_host();
            host.stop_serving();
            host.ip("link set eth0 down")?;
            let count = opened() + 100;
            eventually(|| goes_on(count))?;
            host.ip("link set eth0 up\nroute add default via 10.0.0.1\n")?;
            serve(1)?;
            assert_eq!(answered_by_host(), at_host, "it was not drained");
            director.run(director.program(), &["-R", "--ensure"], &rules)?;
            eventually(|| {
                ensure!(answered_by_host() > at_host + 20, "it gets too little");
                Ok(())
            })
        };
        let rebooted = reboot();
        calls.is_over.store(true, Ordering::Relaxed);
        for client in clients {
            client.join().expect("no panic")?;
        }
        rebooted
    })?;
    assert_eq!(table()?, before);
    Ok(())
}
