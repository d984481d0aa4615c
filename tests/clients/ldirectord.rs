//! ldirectord from Debian's package, unmodified: it watches real servers that
//! come and go.

use crate::Test;
use crate::cluster::host::Host;
use crate::cluster::servers::Transport::Tcp;
use crate::cluster::table::within;
use crate::cluster::{Cluster, Family};
use crate::installed::same_with_both;
use anyhow::{Result, ensure};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::cell::RefCell;
use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command};
use std::time::Duration;

pub const TESTS: &[Test] = &[(
    "ldirectord_follows_its_servers",
    ldirectord_follows_its_servers,
)];

/// One service that quiesces servers, one that removes them and has somebody
/// for when all are gone, one over IPv6 and one for a mark.
const CONFIGURATION: &str = r#"
checkinterval = 1
checktimeout = 10
negotiatetimeout = 10
supervised = yes
virtual = 203.0.113.128:80
    real = 10.0.0.11:80 masq 2 "l:5" "u:100"
    real = 10.0.0.12:80 masq 3
    scheduler = wrr
    persistent = 600
    netmask = 255.255.255.0
    protocol = tcp
    checktype = connect
    quiescent = yes
virtual = 203.0.113.128:8080
    real = 10.0.0.11:80 masq
    real = 10.0.0.12:80 masq
    fallback = 127.0.0.1:80 gate
    scheduler = rr
    protocol = tcp
    checktype = connect
    quiescent = no
virtual6 = [2001:db8:3::80]:80
    real6 = [fd00::11]:80 masq 4
    scheduler = wlc
    protocol = tcp
    checktype = connect
    quiescent = yes
virtual = 7
    real = 10.0.0.12:80 masq 5
    scheduler = lc
    protocol = fwm
    service = http
    checktype = connect
    checkport = 80
    quiescent = no
"#;

/// On a busy emulated machine it takes most of a minute to start.
pub const PATIENCE: Duration = Duration::from_secs(240);

/// ldirectord in the foreground, writing its log to a file.
pub struct Ldirectord {
    child: Child,
    log: PathBuf,
}

impl Ldirectord {
    pub fn start(director: &Host) -> Result<Self> {
        let directory = std::env::temp_dir();
        let (configuration, log) = (
            directory.join("cluster.cf"),
            directory.join("ldirectord.log"),
        );
        fs::write(&configuration, CONFIGURATION)?;
        let output = File::create(&log)?;
        let child = director.enter(|| {
            Command::new("/usr/sbin/ldirectord")
                .arg(&configuration)
                .arg("start")
                .env("PERLIO", "perlio") // or it starts itself again to set that
                .stdout(output.try_clone()?)
                .stderr(output)
                .spawn()
        })?;
        Ok(Self { child, log })
    }

    /// Ends it as an init system does.
    pub fn stop(&mut self) -> Result<()> {
        kill(Pid::from_raw(self.child.id() as i32), Signal::SIGTERM)?;
        self.child.wait()?;
        Ok(())
    }

    /// Its log, and what else it and ipvsadm write, without times and process
    /// numbers, and without Perl's warnings, one for each table it has read.
    fn log(&self) -> Result<Vec<String>> {
        let text = fs::read_to_string(&self.log)?;
        let message = |line: &str| {
            let text = line.split_once("] ").map_or(line, |(_, text)| text);
            text.split_once("pid: ")
                .map_or(text, |(before, _)| before)
                .to_owned()
        };
        let warning = |line: &&str| line.contains(" at /usr/sbin/ldirectord line ");
        Ok(text
            .lines()
            .filter(|line| !warning(line))
            .map(message)
            .collect())
    }
}

impl Drop for Ldirectord {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn ldirectord_follows_its_servers() -> Result<()> {
    let last_log = RefCell::new(Vec::new());
    same_with_both(|| {
        let (tables, mut log) = follow()?;
        last_log.replace(log.clone());
        // Which of its services it looks at first is nobody's business, nor is
        // a check that a busy machine has kept from ending in time.
        log.sort();
        log.dedup();
        Ok(tables.concat() + &log.join("\n"))
    })?;
    let log = last_log.into_inner().join("\n");
    println!("\nldirectord, with ours:\n{log}");
    for line in [
        "Quiescent real server: 10.0.0.11:80 (203.0.113.128:80) (Weight set to 0)",
        "Deleted real server: 10.0.0.11:80 (203.0.113.128:8080)",
        "Added fallback server: 127.0.0.1:80 (203.0.113.128:8080) (Weight set to 1)",
        "Restored real server: 10.0.0.11:80 (203.0.113.128:80) (Weight set to 2)",
        "Added real server: 10.0.0.11:80 (203.0.113.128:8080) (Weight set to 1)",
        "Purged virtual server (stop): 203.0.113.128:80",
    ] {
        assert!(log.contains(line), "{line}\nis not in the log");
    }
    Ok(())
}

/// Starts ldirectord, takes servers away and gives them back, and stops it. Gives
/// the table after each step, and the log.
fn follow() -> Result<(Vec<String>, Vec<String>)> {
    let cluster = Cluster::masquerading(2)?;
    let director = &cluster.director;
    let serve = |number: u8| {
        let at = |family: Family| (Tcp, SocketAddr::new(family.server(number), 80));
        cluster.servers[usize::from(number) - 1].serve(&[at(Family::V4), at(Family::V6)])
    };
    serve(1)?;
    serve(2)?;
    let mut tables: Vec<String> = Vec::new();
    let mut ldirectord = Ldirectord::start(director)?;
    let mut settle = |ldirectord: &Ldirectord, is_there: &dyn Fn(&str) -> bool| -> Result<()> {
        let table = within(PATIENCE, || {
            let table = director.run("ipvsadm", &["-Sn"], "")?;
            ensure!(is_there(&table), "{table}{:?}", ldirectord.log());
            Ok(table)
        })?;
        tables.push(table + &director.run("ipvsadm", &["-Ln", "--thresholds"], "")?);
        Ok(())
    };
    let has = |table: &str, lines: &[&str]| lines.iter().all(|line| table.contains(line));

    settle(&ldirectord, &|table| {
        has(
            table,
            &[
                "10.0.0.11:80 -m -w 2",
                "10.0.0.12:80 -m -w 3",
                "[fd00::11]:80 -m -w 4",
                "-m -w 5",
            ],
        ) && has(
            table,
            &[
                "8080 -r 10.0.0.11:80 -m -w 1",
                "8080 -r 10.0.0.12:80 -m -w 1",
            ],
        )
    })?;
    cluster.servers[0].stop_serving();
    settle(&ldirectord, &|table| {
        has(table, &["10.0.0.11:80 -m -w 0", "[fd00::11]:80 -m -w 0"])
            && !has(table, &["8080 -r 10.0.0.11:80"])
    })?;
    cluster.servers[1].stop_serving();
    settle(&ldirectord, &|table| {
        has(table, &["10.0.0.12:80 -m -w 0", "-r 127.0.0.1:"])
            && !has(table, &["8080 -r 10.0.0.12:80"])
            && !has(table, &["-m -w 5"])
    })?;
    serve(1)?;
    settle(&ldirectord, &|table| {
        has(
            table,
            &[
                "10.0.0.11:80 -m -w 2",
                "8080 -r 10.0.0.11:80 -m -w 1",
                "[fd00::11]:80 -m -w 4",
            ],
        ) && !has(table, &["-r 127.0.0.1:"])
    })?;
    let web = SocketAddr::new(Family::V4.vip(), 8080);
    assert_eq!(cluster.client.call(Tcp, web)?.server, "s1");
    serve(2)?;
    settle(&ldirectord, &|table| {
        has(
            table,
            &[
                "10.0.0.12:80 -m -w 3",
                "8080 -r 10.0.0.12:80 -m -w 1",
                "-m -w 5",
            ],
        )
    })?;
    ldirectord.stop()?;
    settle(&ldirectord, &str::is_empty)?;
    Ok((tables, ldirectord.log()?))
}
