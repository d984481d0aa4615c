//! `--check`: each situation is brought about, found, fixed with the commands
//! that are printed, and then no longer found.

use crate::Test;
use crate::cluster::Cluster;
use crate::cluster::Family as Addresses;
use crate::cluster::calls::{shares, tally};
use crate::cluster::host::Host;
use crate::cluster::servers::Transport;
use crate::support::netlink::{Family, attribute};
use anyhow::{Context, Result, ensure};
use ipvsadm::check::{Kind, Severity};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::net::SocketAddr;
use std::path::Path;

pub const TESTS: &[Test] = &[
    ("check_of_a_director", check_of_a_director),
    (
        "check_of_a_masquerading_director",
        check_of_a_masquerading_director,
    ),
    (
        "check_of_connections_of_removed_servers",
        check_of_connections_of_removed_servers,
    ),
    ("check_of_rules_of_nat", check_of_rules_of_nat),
    ("check_of_uncommon_networks", check_of_uncommon_networks),
    ("check_of_a_standby", check_of_a_standby),
    ("check_of_a_local_server", check_of_a_local_server),
    ("check_of_a_real_server", check_of_a_real_server),
    (
        "check_of_a_tunnelled_real_server",
        check_of_a_tunnelled_real_server,
    ),
    (
        "check_finds_what_beginners_forget",
        check_finds_what_beginners_forget,
    ),
    ("check_without_rights", check_without_rights),
    ("check_without_answers", check_without_answers),
    (
        "check_has_a_case_for_every_finding",
        check_has_a_case_for_every_finding,
    ),
];

/// What a check has said.
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
        let output = self.output(self.program(), &words, "")?;
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

/// A situation.
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

/// The whole of a service in each place where one is needed.
const DIRECT: &[Case] = &[
    case(
        "no-servers",
        "ipvsadm -A -t 203.0.113.1:80",
        "ipvsadm -D -t 203.0.113.1:80",
    )
    .with(&[("ADDRESS", "10.0.0.11")]),
    case(
        "no-weight",
        "ipvsadm -A -t 203.0.113.1:80; ipvsadm -a -t 203.0.113.1:80 -r 10.0.0.11 -w 0 -x 5",
        "ipvsadm -D -t 203.0.113.1:80",
    ),
    case(
        "flags-ignored",
        "ipvsadm -A -t 203.0.113.1:80 -s rr -b flag-1,flag-3; ipvsadm -a -t 203.0.113.1:80 -r 10.0.0.11",
        "ipvsadm -D -t 203.0.113.1:80",
    ),
    case(
        "flags-ignored",
        "ipvsadm -A -t 203.0.113.1:80 -s rr -b flag-3; ipvsadm -E -t 203.0.113.1:80 -s wlc -b flag-2; \
         ipvsadm -a -t 203.0.113.1:80 -r 10.0.0.11",
        "ipvsadm -D -t 203.0.113.1:80",
    ),
    case(
        "weights-ignored",
        "ipvsadm -A -t 203.0.113.1:80 -s lc; ipvsadm -a -t 203.0.113.1:80 -r 10.0.0.11 -w 1; \
         ipvsadm -a -t 203.0.113.1:80 -r 10.0.0.12 -w 2",
        "ipvsadm -D -t 203.0.113.1:80",
    ),
    case(
        "address-missing",
        "ipvsadm -A -t 10.0.0.100:80; ipvsadm -a -t 10.0.0.100:80 -r 10.0.0.11",
        "ipvsadm -D -t 10.0.0.100:80; ip addr del 10.0.0.100/32 dev eth0",
    ),
    case(
        "address-missing",
        "ipvsadm -A -t [fd00::100]:80; ipvsadm -a -t [fd00::100]:80 -r [fd00::11]:80",
        "ipvsadm -D -t [fd00::100]:80; ip addr del fd00::100/128 dev eth0",
    ),
    case(
        "address-down",
        "ip link add v type dummy; ip link set v up; ip addr add 198.18.0.1/32 dev v; \
         ip link set v down; ipvsadm -A -t 198.18.0.1:80; ipvsadm -a -t 198.18.0.1:80 -r 10.0.0.11",
        "ipvsadm -D -t 198.18.0.1:80; ip link del v",
    ),
    case(
        "network-on-loopback",
        "ip addr add 10.0.0.99/24 dev lo; ipvsadm -A -t 10.0.0.99:80; ipvsadm -a -t 10.0.0.99:80 -r 10.0.0.11",
        "ipvsadm -D -t 10.0.0.99:80; ip addr del 10.0.0.99/32 dev lo",
    ),
    case(
        "address-unusable",
        "sysctl -qw net.ipv6.conf.eth0.accept_dad=1; ip addr add fd00::99/64 dev eth0; \
         for try in $(seq 100); do ip -6 addr show dev eth0 | grep -q dadfailed && break; sleep 0.1; done; \
         ipvsadm -A -t [fd00::99]:80; ipvsadm -a -t [fd00::99]:80 -r [fd00::11]:80",
        "ipvsadm -D -t [fd00::99]:80; ip addr del fd00::99/64 dev eth0",
    ),
    case(
        "server-unreachable",
        "ipvsadm -a -t 203.0.113.128:80 -r 198.18.1.1 -i",
        "ipvsadm -d -t 203.0.113.128:80 -r 198.18.1.1; ip route del 198.18.1.1",
    )
    .with(&[("ROUTER", "10.0.0.12")]),
    case(
        "server-not-on-link",
        "ip route add 198.18.1.0/24 via 10.0.0.12; ipvsadm -a -t 203.0.113.128:80 -r 198.18.1.1 -g",
        "ipvsadm -d -t 203.0.113.128:80 -r 198.18.1.1; ip route del 198.18.1.0/24",
    ),
    case(
        "tunnel-fragments",
        "sysctl -qw net.ipv4.vs.pmtu_disc=0; ipvsadm -a -t 203.0.113.128:80 -r 10.0.0.13 -i",
        "ipvsadm -d -t 203.0.113.128:80 -r 10.0.0.13",
    ),
    case("drop-entry", "sysctl -qw net.ipv4.vs.drop_entry=3", ""),
    case("drop-packet", "sysctl -qw net.ipv4.vs.drop_packet=3", ""),
    case("secure-tcp", "sysctl -qw net.ipv4.vs.secure_tcp=3", ""),
    case("sloppy-tcp", "sysctl -qw net.ipv4.vs.sloppy_tcp=1", ""),
    case(
        "sync-interface",
        "ip link add v type dummy; ip addr add 198.18.0.1/24 dev v; ip link set v up; \
         ipvsadm --start-daemon master --mcast-interface v --syncid 1; ip link set v down",
        "ipvsadm --stop-daemon master; ip link del v",
    ),
    case(
        "sync-interface",
        "ip link add v type dummy; ip addr add 198.18.0.1/24 dev v; ip link set v up; \
         ipvsadm --start-daemon master --mcast-interface v --syncid 1; ip addr flush dev v",
        "ipvsadm --stop-daemon master; ip link del v",
    )
    .with(&[("ADDRESS", "198.18.0.1/24")]),
    case(
        "sync-interface",
        "ip link add v type dummy; ip addr add 198.18.0.1/24 dev v; ip link set v up; \
         ipvsadm --start-daemon backup --mcast-interface v --syncid 1; ip link del v",
        "ipvsadm --stop-daemon backup",
    )
    .with(&[("INTERFACE", "eth0")]),
    case(
        "sync-same-id",
        "ipvsadm --start-daemon master --mcast-interface eth0 --syncid 1; \
         ipvsadm --start-daemon backup --mcast-interface eth0",
        "ipvsadm --stop-daemon master; ipvsadm --stop-daemon backup",
    )
    .with(&[("ID", "2")]),
    case(
        "sync-version",
        "ipvsadm --start-daemon master --mcast-interface eth0 --syncid 1; sysctl -qw net.ipv4.vs.sync_version=0",
        "ipvsadm --stop-daemon master",
    ),
    case(
        "sync-missing",
        "sysctl -qw net.ipv4.vs.sync_refresh_period=10",
        "ipvsadm --stop-daemon master; sysctl -qw net.ipv4.vs.sync_refresh_period=0",
    )
    .with(&[("INTERFACE", "eth0"), ("ID", "1")]),
];

fn check_of_a_director() -> Result<()> {
    let cluster = Cluster::direct(2)?;
    let director = &cluster.director;
    director.rules("-A -t 203.0.113.128:80\n-a -t 203.0.113.128:80 -r 10.0.0.11 -g\n")?;
    // A neighbour has an address before the director does.
    cluster.servers[0].ip("addr add fd00::99/64 dev eth0 nodad")?;
    run_all(DIRECT, director, "--check")?;
    ignored_port(director)?;
    stopped_counters(director)?;
    // One service alone, and as JSON.
    director.rules("-A -t 203.0.113.1:80\n")?;
    director.is_sound("--check -t 203.0.113.128:80 -n")?;
    let said = director.check("--check -t 203.0.113.1:80")?;
    assert!(said.found.keys().eq(["no-servers"]), "{}", said.text);
    let json = director.output(director.program(), &["--check", "--json"], "")?;
    assert_eq!(json.status.code(), Some(3));
    let json: serde_json::Value = serde_json::from_slice(&json.stdout)?;
    assert_eq!(json["findings"][0]["id"], "no-servers");
    assert_eq!(json["findings"][0]["service"]["address"], "203.0.113.1");
    // The same from another namespace: addresses, routes and settings of this one.
    director.ipvsadm("-D -t 203.0.113.1:80")?;
    cluster.client.is_sound("--check --netns director")?;
    director.sysctl(&["net/ipv4/vs/sloppy_tcp=1"])?;
    let said = cluster.client.check("--check --netns director")?;
    assert!(said.found.keys().eq(["sloppy-tcp"]), "{}", said.text);
    let said = cluster
        .client
        .check("--check-real-server -t 203.0.113.128:80 --netns s1")?;
    assert!(said.found.keys().eq(["not-listening"]), "{}", said.text);
    Ok(())
}

fn stopped_counters(director: &Host) -> Result<()> {
    if !director.can_stop_counters()? {
        return director.is_sound("--check");
    }
    let stop = "sysctl -qw net.ipv4.vs.run_estimation=0";
    case("counters-off", stop, "").run(director, "--check")
}

/// Other programs can add a server whose port the kernel ignores.
fn ignored_port(director: &Host) -> Result<()> {
    let number = |kind, value: u32| attribute(kind, &value.to_ne_bytes());
    let short = |kind, value: u16| attribute(kind, &value.to_ne_bytes());
    let port = |kind, value: u16| attribute(kind, &value.to_be_bytes());
    let address = |kind, octets: [u8; 4]| {
        let mut bytes = [0; 16];
        bytes[..4].copy_from_slice(&octets);
        attribute(kind, &bytes)
    };
    let service = [
        short(1, 2),
        short(2, 6),
        address(3, [203, 0, 113, 128]),
        port(4, 80),
    ];
    let direct = 3;
    let server = [
        address(1, [10, 0, 0, 12]),
        port(2, 8080),
        number(3, direct),
        number(4, 1),
        number(5, 0),
        number(6, 0),
        short(11, 2),
    ];
    let request = [
        attribute(1, &service.concat()),
        attribute(2, &server.concat()),
    ]
    .concat();
    const NEW_DEST: u8 = 5;
    director.enter(|| Family::open("IPVS")?.ask(NEW_DEST, &request))?;
    case("port-ignored", "", "").run(director, "--check")?;
    let table = director.ipvsadm("-Ln")?;
    ensure!(
        table.contains("10.0.0.12:80 ") && !table.contains("8080"),
        "{table}"
    );
    Ok(())
}

const MASQUERADING: &[Case] = &[
    case("forwarding-off", "sysctl -qw net.ipv4.ip_forward=0", ""),
    case(
        "forwarding-off",
        "sysctl -qw net.ipv4.conf.eth0.forwarding=0",
        "",
    ),
    case(
        "forwarding-off",
        "sysctl -qw net.ipv6.conf.all.forwarding=0; ipvsadm -A -t [2001:db8:3::80]:80; \
         ipvsadm -a -t [2001:db8:3::80]:80 -r [fd00::11]:80 -m",
        "ipvsadm -D -t [2001:db8:3::80]:80",
    ),
    case(
        "redirects",
        "sysctl -qw net.ipv4.conf.all.send_redirects=1 net.ipv4.conf.eth0.send_redirects=1",
        "",
    ),
    case(
        "server-loopback",
        "ipvsadm -a -t 203.0.113.128:80 -r 127.0.0.1:8080 -m",
        "",
    ),
    case(
        "server-past-director",
        "ip route add default via 192.0.2.10; ipvsadm -a -t 203.0.113.128:80 -r 198.18.1.1:8080 -m",
        "ip route del default; ipvsadm -d -t 203.0.113.128:80 -r 198.18.1.1",
    ),
    case(
        "all-full",
        "ipvsadm -e -t 203.0.113.128:80 -r 10.0.0.11:8080 -m -x 2",
        "ipvsadm -e -t 203.0.113.128:80 -r 10.0.0.11:8080 -m",
    ),
    case(
        "gone-servers",
        "ipvsadm -a -t 203.0.113.128:80 -r 10.0.0.12:8080 -m; ipvsadm -d -t 203.0.113.128:80 -r 10.0.0.11:8080",
        "ipvsadm -a -t 203.0.113.128:80 -r 10.0.0.11:8080 -m; ipvsadm -d -t 203.0.113.128:80 -r 10.0.0.12:8080; \
         sysctl -qw net.ipv4.vs.expire_nodest_conn=0",
    ),
    case(
        "quiescent-clients",
        "ipvsadm -e -t 203.0.113.128:81 -r 10.0.0.11:8080 -m -w 0; ipvsadm -a -t 203.0.113.128:81 -r 10.0.0.12:8080 -m",
        "sysctl -qw net.ipv4.vs.expire_quiescent_template=0; ipvsadm -D -t 203.0.113.128:81",
    ),
];

fn check_of_a_masquerading_director() -> Result<()> {
    let cluster = Cluster::masquerading(2)?;
    let director = &cluster.director;
    cluster.serve(Addresses::V4, Transport::Tcp, 8080)?;
    director.rules(
        "-A -t 203.0.113.128:80\n-a -t 203.0.113.128:80 -r 10.0.0.11:8080 -m\n\
         -A -t 203.0.113.128:81 -p\n-a -t 203.0.113.128:81 -r 10.0.0.11:8080 -m\n",
    )?;
    let web = Addresses::V4.web();
    let calls = cluster.client.calls(2, Transport::Tcp, web)?;
    let mut persistent = web;
    persistent.set_port(81);
    let kept = cluster.client.call(Transport::Tcp, persistent)?;
    run_all(MASQUERADING, director, "--check")?;
    forced_forwarding(director)?;
    drop((calls, kept));
    Ok(())
}

/// Of the kernels of the lab only 7.x can forward IPv6 from one interface alone.
fn forced_forwarding(director: &Host) -> Result<()> {
    let setting = Path::new("/proc/sys/net/ipv6/conf/eth0/force_forwarding");
    let has = director.enter(|| setting.exists());
    let release = fs::read_to_string("/proc/sys/kernel/osrelease")?;
    ensure!(has == release.starts_with("7."), "{release}");
    if !has {
        return Ok(());
    }
    director.shell(
        "sysctl -qw net.ipv6.conf.all.forwarding=0 net.ipv6.conf.eth0.force_forwarding=1; \
         ipvsadm -A -t [2001:db8:3::80]:80; ipvsadm -a -t [2001:db8:3::80]:80 -r [fd00::11]:8080 -m",
    )?;
    director.is_sound("--check")?;
    director.shell("sysctl -qw net.ipv6.conf.eth0.force_forwarding=0")?;
    case("forwarding-off", "", "").run(director, "--check")
}

/// A client that sends from one port never gets another server.
fn check_of_connections_of_removed_servers() -> Result<()> {
    let cluster = Cluster::masquerading(2)?;
    let (client, director) = (&cluster.client, &cluster.director);
    cluster.serve(Addresses::V4, Transport::Udp, 8080)?;
    // Of a packet with a mark nobody sees the service, nor all of the ports.
    director.nft(
        "table inet marks {
        chain arriving {
            type filter hook prerouting priority mangle;
            udp dport 81 meta mark set 7;
        }
        }",
    )?;
    director.rules(
        "-A -u 203.0.113.128:80 -s rr\n-a -u 203.0.113.128:80 -r 10.0.0.11:8080 -m\n\
         -A -u 203.0.113.129:0 -s rr -p\n-a -u 203.0.113.129:0 -r 10.0.0.11 -m\n\
         -A -f 7 -s rr\n-a -f 7 -r 10.0.0.12:8080 -m\n",
    )?;
    let to = |number, port| SocketAddr::new(Addresses::V4.vip_number(number), port);
    let marked = client.call(Transport::Udp, to(128, 81))?;
    let all_ports = client.call(Transport::Udp, to(129, 8080))?;
    let mut kept = client.call(Transport::Udp, to(128, 80))?;
    let servers = [&marked, &all_ports, &kept].map(|call| call.server.as_str());
    assert_eq!(servers, ["s2", "s1", "s1"]);
    director.is_sound("--check")?;
    director.rules(
        "-a -u 203.0.113.128:80 -r 10.0.0.12:8080 -m\n-d -u 203.0.113.128:80 -r 10.0.0.11:8080\n",
    )?;
    assert!(kept.say(b"lost").is_err());
    // Its connections may be those of another director's servers.
    director.ipvsadm("--start-daemon backup --mcast-interface eth0 --syncid 1")?;
    director.is_sound("--check")?;
    let said = director.check("--check")?;
    let note = "not checked: whether the master still has the servers: 1 open connection ";
    assert!(said.text.contains(note), "{}", said.text);
    director.ipvsadm("--stop-daemon backup")?;
    let said = director.check("--check -u 203.0.113.128:80")?;
    let note = "not checked: connections to removed servers: ";
    assert!(said.text.contains(note), "{}", said.text);
    case("gone-servers", "", "").run(director, "--check")?;
    assert_eq!(kept.say(b"found")?, "s2");
    Ok(())
}

/// Masquerading of both ends takes connection tracking.
fn check_of_rules_of_nat() -> Result<()> {
    let cluster = Cluster::masquerading(1)?;
    let (client, director) = (&cluster.client, &cluster.director);
    cluster.serve(Addresses::V4, Transport::Tcp, 8080)?;
    director.rules("-A -t 203.0.113.128:80\n-a -t 203.0.113.128:80 -r 10.0.0.11:8080 -m\n")?;
    director.shell("iptables -t nat -A POSTROUTING -o other -j MASQUERADE")?;
    director.is_sound("--check")?;
    let said = director.check("--check")?;
    let note = "not checked: whether NAT rules in nat are meant for IPVS packets: ";
    assert!(said.text.contains(note), "{}", said.text);
    director.shell("iptables -t nat -A POSTROUTING -m ipvs --vaddr 203.0.113.128 -j MASQUERADE")?;
    let web = Addresses::V4.web();
    let seen_as = |expected: &str| -> Result<()> {
        let call = client.call(Transport::Tcp, web)?;
        assert_eq!(call.seen_as.ip().to_string(), expected);
        Ok(())
    };
    seen_as("192.0.2.10")?;
    case("nat-unseen", "", "").run(director, "--check")?;
    seen_as("10.0.0.1")
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
    // Neither of them is the cause.
    let said = director.check("--check")?;
    assert!(said.found.keys().eq(["address-missing"]), "{}", said.text);
    // Only for clients beyond it the director's one router is that of the servers.
    director.shell(
        "ip addr add 198.18.0.1/32 dev lo; ip link add other type veth peer name end; \
         ip link set other up; ip link set end up; ip addr add 198.18.1.1/24 dev other; \
         ip route add default via 192.0.2.10; ipvsadm -e -t 198.18.0.1:80 -r 10.0.0.11 -m; \
         sysctl -qw net.ipv4.conf.eth0.send_redirects=1",
    )?;
    case("redirects", "", "").run(director, "--check")?;
    director.shell(
        "sysctl -qw net.ipv4.conf.eth0.send_redirects=1; ip addr del 198.18.0.1/32 dev lo; \
         ip addr add 198.18.0.1/32 dev other",
    )?;
    director.is_sound("--check")
}

/// The virtual addresses are where the master is.
fn check_of_a_standby() -> Result<()> {
    let cluster = Cluster::direct(1)?;
    let director = &cluster.director;
    director.rules("-A -t 198.18.0.1:80\n-a -t 198.18.0.1:80 -r 10.0.0.11 -g\n")?;
    director.ipvsadm("--start-daemon backup --mcast-interface eth0 --syncid 1")?;
    director.is_sound("--check")?;
    let said = director.check("--check")?;
    let note = "not checked: 1 virtual address that another director may have: ";
    assert!(said.text.contains(note), "{}", said.text);
    director.ipvsadm("--start-daemon master --mcast-interface eth0 --syncid 2")?;
    case("address-missing", "", "").run(director, "--check")
}

/// A director can be a masqueraded server of its own, with another port.
fn check_of_a_local_server() -> Result<()> {
    let cluster = Cluster::masquerading(1)?;
    let director = &cluster.director;
    director.serve(&[(Transport::Tcp, "10.0.0.1:8080".parse()?)])?;
    director.rules("-A -t 203.0.113.128:80\n-a -t 203.0.113.128:80 -r 10.0.0.1:8080 -m\n")?;
    director.sysctl(&[
        "net/ipv4/ip_forward=0",
        "net/ipv4/conf/eth0/send_redirects=1",
    ])?;
    let call = cluster.client.call(Transport::Tcp, Addresses::V4.web())?;
    assert_eq!(call.server, "director");
    director.is_sound("--check")
}

const REAL_SERVER: &[Case] = &[
    case(
        "network-on-loopback",
        "ip addr del 10.0.0.100/32 dev lo; ip addr add 10.0.0.100/24 dev lo",
        "",
    ),
    case("no-address", "ip addr del 10.0.0.100/32 dev lo", ""),
    case(
        "answers-arp",
        "sysctl -qw net.ipv4.conf.all.arp_ignore=0",
        "",
    ),
    case(
        "answers-arp",
        "ip addr del 10.0.0.100/32 dev lo; ip addr add 10.0.0.100/32 dev eth0",
        "",
    ),
    case(
        "announces-arp",
        "sysctl -qw net.ipv4.conf.all.arp_announce=1",
        "",
    ),
];

fn check_of_a_real_server() -> Result<()> {
    let cluster = Cluster::direct(1)?;
    let server = &cluster.servers[0];
    let vip = "10.0.0.100:80".parse()?;
    server.shell(
        "ip addr add 10.0.0.100/32 dev lo; \
         sysctl -qw net.ipv4.conf.all.arp_ignore=1 net.ipv4.conf.all.arp_announce=2",
    )?;
    let check = "--check-real-server -t 10.0.0.100:80 -g";
    let silent = server.check(check)?;
    assert!(silent.found.keys().eq(["not-listening"]), "{}", silent.text);
    server.serve(&[(Transport::Tcp, vip)])?;
    run_all(REAL_SERVER, server, check)?;
    // Each protocol and any address; not the loopback.
    server.serve(&[
        (Transport::Udp, "0.0.0.0:80".parse()?),
        (Transport::Sctp, vip),
        (Transport::Tcp, "127.0.0.1:80".parse()?),
    ])?;
    server.is_sound("--check-real-server -u 10.0.0.100:80")?;
    server.is_sound("--check-real-server --sctp-service 10.0.0.100:80 -r 10.0.0.11 -g")?;
    let said = server.check(check)?;
    assert!(said.found.keys().eq(["not-listening"]), "{}", said.text);
    assert!(said.text.contains("only on 127.0.0.1"), "{}", said.text);
    Ok(())
}

fn check_of_a_tunnelled_real_server() -> Result<()> {
    let cluster = Cluster::direct(1)?;
    let server = &cluster.servers[0];
    cluster.serve_virtual(&[(Transport::Tcp, Addresses::V4.web())])?;
    let cases = &[
        case("no-tunnel", "rmmod ipip 2>/dev/null || :", ""),
        case("tunnel-down", "ip link set tunl0 down", ""),
        case(
            "tunnel-filtered",
            "sysctl -qw net.ipv4.conf.all.rp_filter=1",
            "sysctl -qw net.ipv4.conf.all.rp_filter=0",
        ),
    ];
    for case in cases {
        case.run(server, "--check-real-server -t 203.0.113.128:80 -i")
            .context(case.id)?;
    }
    // It comes with the module, for IPv6 packets alone.
    let ip6tnl = "--check-real-server -t 203.0.113.128:80 -r [fd00::11]:80 -i";
    let up = "modprobe ip6_tunnel; ip link set ip6tnl0 up";
    case("no-tunnel", up, "").run(server, ip6tnl)?;
    server.shell(
        "ip link add t0 type ipip local 10.0.0.11 remote 10.0.0.1; ip link set tunl0 down",
    )?;
    server.shell("ip link set t0 up; sysctl -qw net.ipv4.conf.t0.rp_filter=0")?;
    let said = server.check("--check-real-server -t 203.0.113.128:80 -i")?;
    let note = "not checked: whether the director is 10.0.0.1: t0 accepts ";
    assert!(said.text.contains(note), "{}", said.text);
    server.shell("ip link del t0; ip link set tunl0 up")?;
    let gue = "--check-real-server -t 203.0.113.128:80 -i --tun-type gue --tun-port 6080";
    case("no-tunnel", "", "").run(server, gue)?;
    let gre = "--check-real-server -t 203.0.113.128:80 -i --tun-type gre";
    case("no-tunnel", "rmmod ip_gre 2>/dev/null || :", "").run(server, gre)
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
        let line = "not read: network interfaces, addresses, routes: Too many open files";
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

/// The cases of single tests, and what only a very large table brings about,
/// which is tested beside the code.
const ELSEWHERE: [&str; 10] = [
    "connections-full",
    "counters-off",
    "nat-unseen",
    "no-tunnel",
    "no-way-back",
    "not-listening",
    "port-ignored",
    "table-small",
    "tunnel-down",
    "tunnel-filtered",
];

fn check_has_a_case_for_every_finding() -> Result<()> {
    let tables = [DIRECT, MASQUERADING, REAL_SERVER];
    let cases = tables.into_iter().flatten().map(|case| case.id);
    let known: BTreeSet<&str> = cases.chain(ELSEWHERE).collect();
    let all: BTreeSet<&str> = Kind::ALL.iter().map(|kind| kind.id()).collect();
    assert_eq!(known, all);
    Ok(())
}
