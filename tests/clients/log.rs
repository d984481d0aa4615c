//! The log that `-S --watch` writes while ldirectord and people change a table
//! is replayed in another network namespace, and makes the same table.
//! ldirectord works with the reference: the log must contain everybody's
//! changes.

use crate::Test;
use crate::cluster::host::Host;
use crate::cluster::servers::Transport::Tcp;
use crate::cluster::table::within;
use crate::cluster::{Cluster, Family};
use crate::ldirectord::{Ldirectord, PATIENCE};
use crate::support::programs::REFERENCE;
use anyhow::{Result, ensure};
use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command};

pub const TESTS: &[Test] = &[(
    "log_of_changes_by_ldirectord_and_by_hand",
    changes_by_ldirectord_and_by_hand,
)];

/// A program that writes the changes on a director to a file.
struct Log {
    child: Child,
    file: PathBuf,
}

impl Log {
    fn start(director: &Host) -> Result<Self> {
        let file = std::env::temp_dir().join("changes.log");
        let output = File::create(&file)?;
        let child = director.enter(|| {
            Command::new(director.program())
                .args(["-S", "-n", "--watch", "0.2"])
                .stdout(output)
                .spawn()
        })?;
        Ok(Self { child, file })
    }

    fn text(&self) -> Result<String> {
        Ok(fs::read_to_string(&self.file)?)
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Replays `log` after `saved`, and compares the tables; the table.
fn replayed(director: &Host, other: &Host, saved: &str, log: &Log) -> Result<String> {
    let log = log.text()?;
    other.rules(&format!("-C\n{saved}"))?;
    other.rules(&log)?;
    let (there, here) = (director.ipvsadm("-S -n")?, other.ipvsadm("-S -n")?);
    ensure!(there == here, "{there}--\n{here}-- by\n{log}");
    Ok(here)
}

fn changes_by_ldirectord_and_by_hand() -> Result<()> {
    let (cluster, other) = Cluster::with_standby(2)?;
    let director = &cluster.director;
    for (server, number) in cluster.servers.iter().zip(1..) {
        let at = |family: Family| (Tcp, SocketAddr::new(family.server(number), 80));
        server.serve(&[at(Family::V4), at(Family::V6)])?;
    }
    director.rules(
        "-A -u 203.0.113.128:53 -s wlc\n-a -u 203.0.113.128:53 -r 10.0.0.11 -g\n\
         -A -f 9 -s rr\n-A -f 10 -s rr\n",
    )?;
    let saved = director.ipvsadm("-S -n")?;
    let log = Log::start(director)?;
    let by_hand =
        |program: &str, line: &str| director.run(program, &line.split(' ').collect::<Vec<_>>(), "");
    // It has begun when it tells of a change.
    let mut weight = 1;
    within(PATIENCE, || {
        weight += 1;
        let line = format!("-e -u 203.0.113.128:53 -r 10.0.0.11 -g -w {weight}");
        by_hand(REFERENCE, &line)?;
        ensure!(!log.text()?.is_empty(), "nothing is told");
        Ok(())
    })?;
    // Waits for changes by ldirectord, and for the log to tell them.
    let settle = |there: &[&str], gone: &[&str]| {
        within(PATIENCE, || {
            let table = replayed(director, &other, &saved, &log)?;
            let settled = there.iter().all(|part| table.contains(part))
                && !gone.iter().any(|part| table.contains(part));
            ensure!(settled, "{there:?}, not {gone:?}:\n{table}");
            Ok(())
        })
    };
    let mut ldirectord = Ldirectord::start(director)?;
    settle(
        &[
            "80 -r 10.0.0.11:80 -m -w 2",
            "80 -r 10.0.0.12:80 -m -w 3",
            "8080 -r 10.0.0.11:80 -m -w 1",
            "8080 -r 10.0.0.12:80 -m -w 1",
            "[fd00::11]:80 -m -w 4",
            "-m -w 5",
        ],
        &[],
    )?;
    by_hand(
        director.program(),
        "-A -t [2001:db8:3::80]:443 -s sh -b sh-port",
    )?;
    by_hand(
        REFERENCE,
        "-a -t [2001:db8:3::80]:443 -r [fd00::12]:8443 -i -w 6",
    )?;
    by_hand(REFERENCE, "-E -u 203.0.113.128:53 -s rr -o")?;
    by_hand(director.program(), "-d -u 203.0.113.128:53 -r 10.0.0.11")?;
    by_hand(REFERENCE, "-D -f 9")?;
    cluster.servers[0].stop_serving();
    settle(
        &["80 -r 10.0.0.11:80 -m -w 0", "[fd00::11]:80 -m -w 0"],
        &["8080 -r 10.0.0.11:80", "-f 9 "],
    )?;
    cluster.servers[1].stop_serving();
    settle(
        &["10.0.0.12:80 -m -w 0", "-r 127.0.0.1:"],
        &["8080 -r 10.0.0.12:80", "-m -w 5"],
    )?;
    ldirectord.stop()?;
    settle(&["-A -f 10 -s rr", "-w 6"], &["10.0.0.11", "[fd00::11]"])?;
    let log = log.text()?;
    println!("\n{log}");
    // The time is of the form of 2026-11-23T08:41:02.113Z.
    let is_time =
        |text: &str| text.len() == 24 && text.as_bytes()[10] == b'T' && text.ends_with('Z');
    for line in log.lines() {
        let (change, time) = line.split_once("  # ").unwrap_or_default();
        ensure!(change.starts_with('-') && is_time(time), "{line}");
    }
    for part in [
        "-e -t 203.0.113.128:80 -r 10.0.0.11:80 -m -w 0  #",
        "-d -t 203.0.113.128:8080 -r 10.0.0.11:80  #",
        "-E -u 203.0.113.128:53 -s rr -o  #",
        "-D -t 203.0.113.128:80  #",
    ] {
        ensure!(log.contains(part), "{part}\nis not in the log");
    }
    Ok(())
}
