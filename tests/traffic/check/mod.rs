//! `--check` on real machines: that it reads the facts, and that its fixes work. Each
//! situation is brought about, found, fixed with the commands that are printed, and
//! then no longer found: those that need packets or other machines here, and all
//! others in `remedies`. Which facts lead to which finding is tested in
//! src/check/tests.

mod director;
mod real_server;
mod remedies;

use crate::Test;
use crate::cluster::Cluster;
use crate::cluster::Family as Addresses;
use crate::cluster::calls::{shares, tally};
use crate::cluster::host::Host;
use crate::cluster::servers::Transport;
use anyhow::{Context, Result, ensure};
use ipvsadm::check::{Kind, Severity};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Output;

pub const TESTS: &[Test] = &[
    ("check_of_a_director", director::check_of_a_director),
    (
        "check_of_a_masquerading_director",
        director::check_of_a_masquerading_director,
    ),
    (
        "check_of_connections_of_removed_servers",
        director::check_of_connections_of_removed_servers,
    ),
    ("check_of_rules_of_nat", director::check_of_rules_of_nat),
    ("check_of_uncommon_networks", check_of_uncommon_networks),
    (
        "check_of_a_real_server",
        real_server::check_of_a_real_server,
    ),
    (
        "check_of_a_tunnelled_real_server",
        real_server::check_of_a_tunnelled_real_server,
    ),
    (
        "check_finds_what_beginners_forget",
        check_finds_what_beginners_forget,
    ),
    (
        "check_prints_what_fixes_every_finding",
        remedies::fixes_here,
    ),
    (
        "check_prints_what_fixes_another_namespace",
        remedies::fixes_elsewhere,
    ),
    ("check_without_rights", check_without_rights),
    ("check_without_answers", check_without_answers),
];

/// The output of a check.
struct Said {
    status: Option<i32>,
    text: String,
    /// The fixes, by the id of the finding.
    found: BTreeMap<String, Vec<String>>,
}

impl Host {
    /// Runs a shell script that must succeed, with our ipvsadm.
    pub fn shell(&self, script: &str) -> Result<()> {
        let directory = Path::new(self.program()).parent().context("a directory")?;
        let script = format!("set -e; PATH={}:$PATH\n{script}", directory.display());
        self.run("sh", &["-c", &script], "").map(drop)
    }

    fn check(&self, words: &str) -> Result<Said> {
        let words: Vec<_> = words.split_whitespace().collect();
        Said::of(self.output(self.program(), &words, "")?)
    }

    /// A check must find nothing.
    pub fn is_sound(&self, words: &str) -> Result<()> {
        let said = self.check(words)?;
        ensure!(
            said.status == Some(0) && said.found.is_empty(),
            "{words}: {}",
            said.text
        );
        Ok(())
    }
}

impl Said {
    fn of(output: Output) -> Result<Said> {
        ensure!(
            output.stderr.is_empty(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        let text = String::from_utf8(output.stdout)?;
        let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let mut last = String::new();
        for line in text.lines() {
            if let Some(fix) = line.strip_prefix("  fix:   ") {
                found.entry(last.clone()).or_default().push(fix.to_owned());
            } else if line.starts_with("error ") || line.starts_with("warning ") {
                let id = line.split([' ', ':']).nth(1).context("an id")?;
                last = id.to_owned();
                found.entry(last.clone()).or_default();
            }
        }
        Ok(Said {
            status: output.status.code(),
            text,
            found,
        })
    }
}

/// A situation that a check finds.
struct Case {
    /// What is found, and nothing else.
    id: &'static str,
    /// How it is brought about.
    before: &'static str,
    /// What stands for the words in capitals in the fixes.
    words: &'static [(&'static str, &'static str)],
    /// What undoes it after the fix.
    after: &'static str,
}

const fn case(id: &'static str, before: &'static str, after: &'static str) -> Case {
    Case {
        id,
        before,
        words: &[],
        after,
    }
}

impl Case {
    const fn with(mut self, words: &'static [(&'static str, &'static str)]) -> Case {
        self.words = words;
        self
    }

    /// Brings the situation about, sees it, fixes it, sees it gone.
    fn run(&self, host: &Host, check: &str) -> Result<()> {
        host.shell(self.before)?;
        let said = host.check(check)?;
        ensure!(
            said.found.keys().eq([self.id]),
            "found {:?}\n{}",
            said.found.keys(),
            said.text
        );
        let kind = Kind::ALL
            .iter()
            .find(|kind| kind.id() == self.id)
            .context("a kind")?;
        let status = match kind.severity() {
            Severity::Error => 3,
            Severity::Warning => 1,
        };
        ensure!(said.status == Some(status), "{:?}", said.status);
        for fix in &said.found[self.id] {
            let fix = self
                .words
                .iter()
                .fold(fix.clone(), |fix, (word, value)| fix.replace(word, value));
            host.shell(&fix)?;
        }
        let again = host.check(check)?;
        ensure!(
            again.status == Some(0) && again.found.is_empty(),
            "still\n{}",
            again.text
        );
        host.shell(self.after)
    }
}

fn run_all(cases: &[Case], host: &Host, check: &str) -> Result<()> {
    host.is_sound(check).context("at the beginning")?;
    for case in cases {
        case.run(host, check).context(case.id)?;
    }
    host.is_sound(check).context("at the end")
}

/// What others do with routes, and works.
fn check_of_uncommon_networks() -> Result<()> {
    let cluster = Cluster::direct(1)?;
    let (director, server) = (&cluster.director, &cluster.servers[0]);
    let vip = "-t 198.18.0.1:80";
    director.rules(&format!("-A {vip}\n-a {vip} -r 10.0.0.11 -g\n"))?;
    let here = format!("--check-real-server {vip} -g");
    server.serve(&[(Transport::Tcp, "0.0.0.0:80".parse()?)])?;
    for (before, after) in [
        // A VRF has its own table of routes.
        (
            "ip link add red type vrf table 10; ip link set red up; ip link add v type dummy; \
             ip link set v master red up; ip addr add 198.18.0.1/32 dev v",
            "ip link del v; ip link del red",
        ),
        // Rules of policy routing, for packets with a mark.
        (
            "ip rule add fwmark 1 lookup 100; ip route add local 198.18.0.0/24 dev lo table 100",
            "ip rule del fwmark 1; ip route flush table 100",
        ),
        (
            "ip link add br0 type bridge; ip link set br0 up; ip addr add 198.18.0.1/24 dev br0; \
             sysctl -qw net.ipv4.conf.all.arp_ignore=8",
            "ip link del br0; sysctl -qw net.ipv4.conf.all.arp_ignore=0",
        ),
        (
            "ip addr add 198.18.0.1/32 dev lo",
            "ip addr del 198.18.0.1/32 dev lo",
        ),
        (
            "ip addr add 198.18.0.1/32 dev lo; sysctl -qw net.ipv6.conf.all.disable_ipv6=1",
            "ip addr del 198.18.0.1/32 dev lo; sysctl -qw net.ipv6.conf.all.disable_ipv6=0",
        ),
    ] {
        for (host, check) in [(director, "--check"), (server, &here)] {
            host.shell(before)?;
            host.is_sound(check).context(before)?;
            host.shell(after)?;
        }
    }
    // None of them is needed for the finding.
    let said = director.check("--check")?;
    ensure!(said.found.keys().eq(["address-missing"]), "{}", said.text);
    Ok(())
}

/// The first ten minutes: ip_forward, the default route, and ARP.
fn check_finds_what_beginners_forget() -> Result<()> {
    let web = Addresses::V4.web();
    {
        let cluster = Cluster::masquerading(2)?;
        cluster.serve(Addresses::V4, Transport::Tcp, 8080)?;
        cluster.director.rules(
            "-A -t 203.0.113.128:80 -s rr\n-a -t 203.0.113.128:80 -r 10.0.0.11:8080 -m\n\
             -a -t 203.0.113.128:80 -r 10.0.0.12:8080 -m\n",
        )?;
        cluster.director.sysctl(&["net/ipv4/ip_forward=0"])?;
        assert!(cluster.client.is_refused(Transport::Tcp, web));
        case("forwarding-off", "", "").run(&cluster.director, "--check")?;
        let calls = cluster.client.calls(2, Transport::Tcp, web)?;
        assert_eq!(tally(&calls), shares([("s1", 1), ("s2", 1)]));

        for server in &cluster.servers {
            server.ip("route del default via 10.0.0.1")?;
        }
        assert!(cluster.client.is_refused(Transport::Tcp, web));
        cluster.director.is_sound("--check")?;
        for (server, address) in cluster.servers.iter().zip(["10.0.0.11", "10.0.0.12"]) {
            let check = format!("--check-real-server -t {web} -r {address}:8080 -m");
            let case = case("no-way-back", "", "").with(&[("DIRECTOR", "10.0.0.1")]);
            case.run(server, &check)?;
        }
        cluster.client.calls(2, Transport::Tcp, web)?;
    }
    let cluster = Cluster::direct(2)?;
    let vip = "10.0.0.100:80".parse()?;
    cluster.director.shell(
        "ip addr add 10.0.0.100/32 dev eth0; ipvsadm -A -t 10.0.0.100:80 -s rr; \
         ipvsadm -a -t 10.0.0.100:80 -r 10.0.0.11; ipvsadm -a -t 10.0.0.100:80 -r 10.0.0.12",
    )?;
    for server in &cluster.servers {
        server.ip("addr add 10.0.0.100/32 dev lo")?;
    }
    cluster.serve_virtual(&[(Transport::Tcp, vip)])?;
    cluster.director.is_sound("--check")?;
    for server in &cluster.servers {
        let check = "--check-real-server -t 10.0.0.100:80";
        let said = server.check(check)?;
        assert!(
            said.found.keys().eq(["announces-arp", "answers-arp"]),
            "{}",
            said.text
        );
        for fix in said.found.values().flatten() {
            server.shell(fix)?;
        }
        server.is_sound(check)?;
    }
    cluster.client.ip("neigh flush dev eth0")?;
    let calls = cluster.client.calls(4, Transport::Tcp, vip)?;
    assert_eq!(tally(&calls), shares([("s1", 2), ("s2", 2)]));
    Ok(())
}

fn check_without_rights() -> Result<()> {
    let cluster = Cluster::direct(1)?;
    let director = &cluster.director;
    director.sysctl(&["net/ipv4/vs/sloppy_tcp=1"])?;
    let program = director.program();
    let nobody = ["--reuid=65534", "--clear-groups", program, "--check"];
    let output = director.output("setpriv", &nobody, "")?;
    let (said, complaint) = (
        String::from_utf8(output.stdout)?,
        String::from_utf8(output.stderr)?,
    );
    assert_eq!(output.status.code(), Some(2), "{said}{complaint}");
    assert!(said.contains("warning sloppy-tcp"), "{said}");
    assert!(
        said.contains("not read: services, real servers, sync daemons: permission denied"),
        "{said}"
    );
    assert!(
        complaint.starts_with("Can't initialize ipvs: Permission denied"),
        "{complaint}"
    );
    let gone = director.output(program, &["--check", "-t", "203.0.113.9:1"], "")?;
    assert_eq!(gone.status.code(), Some(255));
    assert_eq!(gone.stderr, b"No such service\n");
    let nobody = "--reuid=65534 --clear-groups PROGRAM --check-real-server -t 203.0.113.128:80";
    let nobody = nobody.replace("PROGRAM", program);
    let words: Vec<_> = nobody.split(' ').collect();
    let output = cluster.servers[0].output("setpriv", &words, "")?;
    let said = String::from_utf8(output.stdout)?;
    assert!(said.contains("error not-listening"), "{said}");
    assert!(!said.contains("not read"), "{said}");
    assert_eq!(output.status.code(), Some(3), "{said}");
    Ok(())
}

/// What cannot be asked passes for nothing, and what is lost is asked again.
fn check_without_answers() -> Result<()> {
    let cluster = Cluster::direct(1)?;
    let (director, server) = (&cluster.director, &cluster.servers[0]);
    let vip = "-t 203.0.113.128:80";
    let servers = (11..60).map(|last| format!("-a {vip} -r 10.0.0.{last}\n"));
    let rules = format!("-A {vip}\n{}", servers.collect::<String>());
    director.rules(&rules)?;
    director.is_sound("--check")?;
    // With fewer and fewer files that may be open, until all but one conversation
    // fails: how many are open at the start is not known.
    let poor = |host: &Host, check: &str| {
        let mut limits = (3..20).map(|files| {
            let limit = format!("--nofile={files}");
            let words = [&limit, host.program()].into_iter().chain(check.split(' '));
            let output = host.output("prlimit", &words.collect::<Vec<_>>(), "")?;
            anyhow::Ok((output.status.code(), String::from_utf8(output.stdout)?))
        });
        let line = "not read: network interfaces, addresses, routes: \
            cannot open a netlink socket: Too many open files";
        let found = limits.find(|said| said.as_ref().is_ok_and(|(_, text)| text.contains(line)));
        found.context("no such limit")?
    };
    let check = format!("--check-real-server {vip}");
    for (host, check, what) in [
        (director, "--check", "net.ipv4.vs.expire_nodest_conn"),
        (server, &check, "listening sockets"),
    ] {
        let (status, said) = poor(host, check)?;
        assert!(
            said.contains(&format!("not read: {what}: Too many")),
            "{said}"
        );
        assert_eq!(status, Some(1), "{said}");
    }
    // Room for two answers of the sixteen that are asked for together.
    let setting = "/proc/sys/net/core/rmem_default";
    let before = fs::read_to_string(setting)?;
    fs::write(setting, "2304")?;
    let sound = director.is_sound("--check");
    fs::write(setting, before)?;
    sound
}
