//! The collection for Ansible, with the ansible-core that Debian has and a newer one.
//!
//! The connection that is open before goes on through all of it.

use crate::Test;
use crate::support::ansible::ANSIBLE;
use crate::support::machine::{Machine, run};
use crate::support::programs::{OURS, REFERENCE};
use anyhow::{Context, Result, ensure};
use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::symlink;
use std::time::Duration;

pub const TESTS: &[Test] = &[
    ("ansible_of_debian", || modules("debian")),
    ("ansible_of_today", || modules("current")),
];

const BEFORE: &str = "\
-A -t 10.0.9.1:80 -s rr
-a -t 10.0.9.1:80 -r 10.0.9.2:8080 -m -w 1
-a -t 10.0.9.1:80 -r 10.0.9.4:8080 -m -w 1
-A -u 10.0.9.1:53 -s wlc
-a -u 10.0.9.1:53 -r 10.0.9.2:53 -m -w 1
-A -t 10.0.9.4:81 -s wlc
";

/// As C ipvsadm saves it, sorted: it forgets thresholds.
const AFTER: &str = "\
-A -f 16 -6 -s mh -p 60 -M 64 -b mh-fallback,mh-port
-A -t 10.0.9.1:80 -s wrr
-A -t 10.0.9.4:443 -s rr
-A -u 10.0.9.1:53 -s wlc
-a -f 16 -6 -r [2001:db8::3]:0 -i -w 1 --tun-type gue --tun-port 6080 --tun-nocsum
-a -t 10.0.9.1:80 -r 10.0.9.2:8080 -m -w 3
-a -t 10.0.9.1:80 -r 10.0.9.3:8080 -m -w 1
-a -t 10.0.9.4:443 -r 10.0.9.2:443 -g -w 2
-a -u 10.0.9.1:53 -r 10.0.9.2:53 -m -w 1
";

/// What each task of wrong.yml says.
const REFUSALS: [&str; 4] = [
    "line 2: illegal virtual server address[:port] specified: 10.0.9.1:nonsense",
    "line 1: not in the part",
    "vip: '' is not one word",
    "/sbin/ipvsadm is C ipvsadm",
];

/// Ansible of a folder in [`ANSIBLE`]: what it says of a playbook.
fn play(version: &str, words: &[&str], playbook: &str) -> Result<String> {
    let collections = std::env::temp_dir().join("collections");
    let ours = collections.join("ansible_collections/ipvsadm");
    if !ours.exists() {
        fs::create_dir_all(&ours)?;
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/packaging/ansible");
        symlink(source, ours.join("ipvs"))?;
    }
    let dir = format!("{ANSIBLE}/{version}");
    let playbook = format!(
        "{}/tests/clients/ansible/{playbook}",
        env!("CARGO_MANIFEST_DIR")
    );
    let settings = [
        &format!("PYTHONPATH={dir}"),
        &format!("ANSIBLE_COLLECTIONS_PATH={}", collections.display()),
        "ANSIBLE_NOCOLOR=1",
        "ANSIBLE_PIPELINING=1",
        "LC_ALL=C.UTF-8",
        "/usr/bin/python3",
        &format!("{dir}/bin/ansible-playbook"),
        "--inventory=localhost,",
        "--connection=local",
        "--extra-vars=ansible_python_interpreter=/usr/bin/python3",
        &format!("--extra-vars=ipvsadm={OURS}"),
    ];
    let output = run("env", &[&settings, words, &[&playbook]].concat(), "")?;
    let said = String::from_utf8(output.stdout)?;
    println!("{said}");
    let complaints = String::from_utf8_lossy(&output.stderr);
    ensure!(
        output.status.success(),
        "{}\n{said}{complaints}",
        output.status
    );
    Ok(said)
}

/// The commands in what it says of differences.
fn commands(said: &str) -> Vec<&str> {
    let lines = said
        .lines()
        .filter_map(|line| line.strip_prefix("+ ipvsadm "));
    lines.collect()
}

fn modules(version: &str) -> Result<()> {
    let machine = Machine::new();
    machine.feed("-R", BEFORE);
    let server = TcpListener::bind("10.0.9.2:8080")?;
    let others = TcpListener::bind("10.0.9.4:8080")?;
    let vip: SocketAddr = "10.0.9.1:80".parse()?;
    // rr takes the last server first.
    let connect = || TcpStream::connect_timeout(&vip, Duration::from_secs(10));
    let _other = (connect()?, others.accept()?);
    let (mut client, mut served) = (connect()?, server.accept()?.0);
    let table = || -> Result<String> {
        let output = machine.call(REFERENCE, "-Sn", "");
        // The kernel has an order of its own.
        let text = String::from_utf8(output.stdout)?;
        let mut lines: Vec<_> = text.split_inclusive('\n').collect();
        lines.sort();
        Ok(lines.concat())
    };

    let before = table()?;
    let predicted = play(version, &["--check", "--diff"], "site.yml")?;
    ensure!(predicted.contains("changed=3 "), "{predicted}");
    ensure!(table()? == before, "a check has changed the table");
    let made = play(version, &["--diff"], "site.yml")?;
    ensure!(made.contains("changed=3 "), "{made}");
    ensure!(!commands(&made).is_empty() && commands(&made) == commands(&predicted));
    ensure!(table()? == AFTER, "{}", table()?);
    let again = play(version, &["--diff"], "site.yml")?;
    ensure!(
        again.contains("ok=3 ") && again.contains("changed=0 "),
        "{again}"
    );
    let wrong = play(version, &[], "wrong.yml")?;
    let said = wrong
        .lines()
        .filter(|line| line.starts_with("fatal: ") || line.starts_with("[ERROR]: "));
    let told = said.collect::<Vec<_>>().join("\n");
    for refusal in REFUSALS {
        ensure!(told.contains(refusal), "{refusal}\n{wrong}");
    }
    ensure!(
        wrong.contains("ignored=4 ") && wrong.contains("changed=0 "),
        "{wrong}"
    );
    ensure!(table()? == AFTER, "{}", table()?);

    client.write_all(b"still here")?;
    let mut heard = [0; 10];
    served.set_read_timeout(Some(Duration::from_secs(10)))?;
    served.read_exact(&mut heard).context("the connection")?;
    Ok(())
}
