//! What `--check` reads on a director.

use super::{Case, case, run_all};
use crate::cluster::Cluster;
use crate::cluster::Family as Addresses;
use crate::cluster::host::Host;
use crate::cluster::servers::Transport;
use crate::support::netlink::{Family, attribute};
use anyhow::{Result, ensure};
use std::fs;
use std::net::SocketAddr;
use std::path::Path;

pub fn check_of_a_director() -> Result<()> {
    let cluster = Cluster::direct(2)?;
    let director = &cluster.director;
    director.rules("-A -t 203.0.113.128:80\n-a -t 203.0.113.128:80 -r 10.0.0.11 -g\n")?;
    // A neighbour has an address before the director does.
    cluster.servers[0].ip("addr add fd00::99/64 dev eth0 nodad")?;
    let duplicate = case(
        "address-unusable",
        "sysctl -qw net.ipv6.conf.eth0.accept_dad=1; ip addr add fd00::99/64 dev eth0; \
         for try in $(seq 100); do ip -6 addr show dev eth0 | grep -q dadfailed && break; sleep 0.1; done; \
         ipvsadm -A -t [fd00::99]:80; ipvsadm -a -t [fd00::99]:80 -r [fd00::11]:80",
        "ipvsadm -D -t [fd00::99]:80; ip addr del fd00::99/64 dev eth0",
    );
    run_all(&[duplicate], director, "--check")?;
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
    // The summary is what one sees first: at a terminal, that is the end.
    let summary = "2 services, 1 real server: 1 error (1 no-servers), 0 warnings";
    assert_eq!(
        director.check("--check")?.text.lines().next(),
        Some(summary)
    );
    let check = format!("{} --check", director.program());
    let words = ["-q", "-c", &check, "/dev/null"];
    let shown = director.output("script", &words, "")?;
    let shown = String::from_utf8(shown.stdout)?;
    assert_eq!(shown.lines().next_back(), Some(summary), "{shown}");
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

/// Gives the service at this address, port 80, a server whose port the kernel
/// ignores. Other programs than ipvsadm can do that.
pub fn add_server_at_port(service: [u8; 4], server_port: u16) -> Result<()> {
    let number = |kind, value: u32| attribute(kind, &value.to_ne_bytes());
    let short = |kind, value: u16| attribute(kind, &value.to_ne_bytes());
    let port = |kind, value: u16| attribute(kind, &value.to_be_bytes());
    let address = |kind, octets: [u8; 4]| {
        let mut bytes = [0; 16];
        bytes[..4].copy_from_slice(&octets);
        attribute(kind, &bytes)
    };
    let service = [short(1, 2), short(2, 6), address(3, service), port(4, 80)];
    let direct = 3;
    let server = [
        address(1, [10, 9, 0, 12]),
        port(2, server_port),
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
    Family::open("IPVS")?.ask(NEW_DEST, &request)?;
    Ok(())
}

const MASQUERADING: &[Case] = &[
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

pub fn check_of_a_masquerading_director() -> Result<()> {
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
pub fn check_of_connections_of_removed_servers() -> Result<()> {
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
    case("gone-servers", "", "").run(director, "--check")?;
    assert_eq!(kept.say(b"found")?, "s2");
    Ok(())
}

/// Masquerading of both ends takes connection tracking.
pub fn check_of_rules_of_nat() -> Result<()> {
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
