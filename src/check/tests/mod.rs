//! Each [`Kind`] has a set-up that brings it about and a similar one that works, on
//! invented machines.

mod machine;

use super::report::text::{Summary, findings};
use super::routing::SourceNat;
use super::{Findings, Ignore, Kind, Scope};
use crate::names::NoLookup;
use crate::render::sample::written;
use ipvs::ServerKey;
use machine::Machine;

/// A kind of finding, a machine that has it alone, and a similar one that works.
struct Pair {
    kind: Kind,
    broken: fn() -> Machine,
    works: fn() -> Machine,
}

const fn pair(kind: Kind, broken: fn() -> Machine, works: fn() -> Machine) -> Pair {
    Pair {
        kind,
        broken,
        works,
    }
}

/// A director between its clients on `wan` and masqueraded servers on `eth0`.
fn masquerading() -> Machine {
    Machine::new().run(
        "ip link add wan
         ip link set dev wan up
         ip address add 192.0.2.1/24 dev wan
         ip address add 203.0.113.1/32 dev wan
         ip address add 2001:db8::1/64 dev wan
         ip link add eth0
         ip link set dev eth0 up
         ip address add 10.0.0.1/24 dev eth0
         ip address add fd00::1/64 dev eth0
         ip route add default via 192.0.2.254
         ip route add default via 2001:db8::fe
         sysctl -w net.ipv4.ip_forward=1
         sysctl -w net.ipv6.conf.all.forwarding=1
         ipvsadm -A -t 203.0.113.1:80
         ipvsadm -a -t 203.0.113.1:80 -r 10.0.0.11:8080 -m
         ipvsadm -A -t [2001:db8::1]:80
         ipvsadm -a -t [2001:db8::1]:80 -r [fd00::11]:8080 -m",
    )
}

/// A director in one subnet with its clients and servers.
fn direct() -> Machine {
    Machine::new().run(
        "ip link add eth0
         ip link set dev eth0 up
         ip address add 10.0.0.1/24 dev eth0
         ip address add fd00::1/64 dev eth0
         ip address add 10.0.0.100/32 dev eth0
         ip address add fd00::100/128 dev eth0
         ip route add default via 10.0.0.254
         ipvsadm -A -t 10.0.0.100:80
         ipvsadm -a -t 10.0.0.100:80 -r 10.0.0.11 -g
         ipvsadm -A -t [fd00::100]:80
         ipvsadm -a -t [fd00::100]:80 -r [fd00::11]:80 -g",
    )
}

/// A director between its clients on `wan` and servers behind a router on `eth0`.
fn tunnelling() -> Machine {
    Machine::new().run(
        "ip link add wan
         ip link set dev wan up
         ip address add 192.0.2.1/24 dev wan
         ip route add default via 192.0.2.254
         ip link add eth0
         ip link set dev eth0 up
         ip address add 10.0.0.1/24 dev eth0
         ip route add 198.51.100.0/24 via 10.0.0.254
         ipvsadm -A -t 192.0.2.1:80
         ipvsadm -a -t 192.0.2.1:80 -r 198.51.100.11 -i",
    )
}

/// A real server in 10.0.0.0/24 with a default route.
fn server(options: &str) -> Machine {
    Machine::new().serving(options).run(
        "ip link add eth0
         ip link set dev eth0 up
         ip address add 10.0.0.11/24 dev eth0
         ip address add fd00::11/64 dev eth0
         ip route add default via 10.0.0.1
         ip route add default via fd00::1
         systemctl start 0.0.0.0:80
         systemctl start [::]:80",
    )
}

/// One that gets packets as they are.
fn direct_server() -> Machine {
    server("-t 10.0.0.100:80 -r 10.0.0.11 -g").run(
        "ip address add 10.0.0.100/32 dev lo
         sysctl -w net.ipv4.conf.all.arp_ignore=1
         sysctl -w net.ipv4.conf.all.arp_announce=2",
    )
}

/// One at the end of a tunnel, with the tunnel's options.
fn tunnelled_server(options: &str) -> Machine {
    server(&format!("-t 203.0.113.1:80 -r 10.0.0.11 -i {options}")).run(
        "ip address add 203.0.113.1/32 dev lo
         sysctl -w net.ipv4.conf.all.arp_ignore=1
         sysctl -w net.ipv4.conf.all.arp_announce=2",
    )
}

fn ipip_server() -> Machine {
    tunnelled_server("").run(
        "modprobe ipip
         ip link set dev tunl0 up",
    )
}

fn gue_server() -> Machine {
    tunnelled_server("--tun-type gue --tun-port 6080").run(
        "modprobe ipip
         ip link set dev tunl0 up
         ip fou add port 6080 gue",
    )
}

/// One in a network of the director's own.
fn masqueraded_server() -> Machine {
    server("-t 203.0.113.1:80 -r 10.0.0.11:8080 -m").run("systemctl start 10.0.0.11:8080")
}

/// `count` open connections to a server of the first service.
fn open_to(machine: &mut Machine, server: &str, count: u64) {
    let server: std::net::SocketAddr = server.parse().unwrap();
    let (address, port) = (server.ip(), server.port());
    let key = (machine.table.services[0].0.key, ServerKey { address, port });
    machine.open.insert(key, count);
}

fn nat_rule(machine: &mut Machine, ipvs: bool) {
    let table = "nat".to_owned();
    machine.nat.push(SourceNat { table, ipvs });
}

#[rustfmt::skip] // a row each
const PAIRS: &[Pair] = &[
    pair(Kind::NoServers,
        || masquerading().run("ipvsadm -A -u 203.0.113.1:53"),
        || masquerading().run("ipvsadm -A -u 203.0.113.1:53
                               ipvsadm -a -u 203.0.113.1:53 -r 10.0.0.11 -m")),
    pair(Kind::NoWeight,
        || masquerading().run("ipvsadm -e -t 203.0.113.1:80 -r 10.0.0.11:8080 -m -w 0"),
        || masquerading().run("ipvsadm -e -t 203.0.113.1:80 -r 10.0.0.11:8080 -m -w 0
                               ipvsadm -a -t 203.0.113.1:80 -r 10.0.0.12:8080 -m")),
    pair(Kind::AllFull,
        || masquerading().run("ipvsadm -e -t 203.0.113.1:80 -r 10.0.0.11:8080 -m -x 5
                               ipvsadm -a -t 203.0.113.1:80 -r 10.0.0.12:8080 -m -w 0")
            .with(|m| (m.table.services[0].1[0].active, m.table.services[0].1[0].inactive) = (3, 2)),
        || masquerading().run("ipvsadm -e -t 203.0.113.1:80 -r 10.0.0.11:8080 -m -x 5
                               ipvsadm -a -t 203.0.113.1:80 -r 10.0.0.12:8080 -m -x 5")
            .with(|m| (m.table.services[0].1[0].active, m.table.services[0].1[1].active) = (5, 4))),
    pair(Kind::AddressMissing,
        || direct().run("ip address delete 10.0.0.100/32 dev eth0"),
        || direct().run("ip address delete 10.0.0.100/32 dev eth0
                         ip route add local 10.0.0.96/28 table 100")),
    pair(Kind::AddressMissing,
        || direct().run("ip address delete fd00::100/128 dev eth0"),
        || direct().run("ip address delete fd00::100/128 dev eth0
                         ip address add fd00::100/128 dev lo")),
    pair(Kind::AddressDown,
        || direct().run("ip address delete 10.0.0.100/32 dev eth0
                         ip link add vip0
                         ip address add 10.0.0.100/32 dev vip0"),
        || direct().run("ip link add vip0
                         ip address add 10.0.0.100/32 dev vip0")),
    pair(Kind::NetworkOnLoopback,
        || direct().run("ip address add 10.0.0.100/24 dev lo"),
        || direct().run("ip address add 10.0.0.100/32 dev lo
                         ip address add 198.51.100.1/24 dev lo
                         ipvsadm -A -t 198.51.100.1:80
                         ipvsadm -a -t 198.51.100.1:80 -r 10.0.0.11 -g")),
    pair(Kind::AddressUnusable,
        || direct().run("ip address delete fd00::100/128 dev eth0
                         ip address add fd00::100/128 dev eth0 tentative"),
        || direct().run("ip address add fd00::100/128 dev lo tentative")),
    pair(Kind::ForwardingOff,
        || masquerading().run("sysctl -w net.ipv4.ip_forward=0"),
        || direct().run("ipvsadm -a -t 10.0.0.100:80 -r 10.0.0.1:8080 -m")),
    pair(Kind::ForwardingOff,
        || masquerading().run("sysctl -w net.ipv4.conf.eth0.forwarding=0"),
        || masquerading().run("sysctl -w net.ipv4.conf.wan.forwarding=0")),
    pair(Kind::ForwardingOff,
        || masquerading().run("sysctl -w net.ipv6.conf.all.forwarding=0"),
        || masquerading().run("sysctl -w net.ipv6.conf.all.forwarding=0
                               sysctl -w net.ipv6.conf.eth0.force_forwarding=1")),
    pair(Kind::ServerUnreachable,
        || tunnelling().run("ip route add unreachable 198.51.100.11"),
        || tunnelling().run("ip route add unreachable 198.51.100.12")),
    pair(Kind::ServerUnreachable,
        || masquerading().run("ipvsadm -a -t 203.0.113.1:80 -r 198.51.100.11:80 -m
                               ip route add unreachable 198.51.100.0/24"),
        || masquerading().run("ipvsadm -a -t 203.0.113.1:80 -r 198.51.100.11:80 -m
                               ip route add 198.51.100.0/24 via 10.0.0.254")),
    pair(Kind::ServerNotOnLink,
        || direct().run("ipvsadm -a -t 10.0.0.100:80 -r 198.51.100.11 -g"),
        || direct().run("ipvsadm -a -t 10.0.0.100:80 -r 198.51.100.11 -i")),
    pair(Kind::ServerLoopback,
        || masquerading().run("ipvsadm -a -t 203.0.113.1:80 -r 127.0.0.1:8080 -m"),
        || masquerading().run("ipvsadm -a -t 203.0.113.1:80 -r 10.0.0.1:8080 -m")),
    pair(Kind::SyncInterface,
        || direct().run("ip link add eth1
                         ip address add 198.51.100.1/24 dev eth1
                         ipvsadm --start-daemon master --mcast-interface eth1 --syncid 1"),
        || direct().run("ipvsadm --start-daemon master --mcast-interface eth0 --syncid 1")),
    pair(Kind::SyncInterface,
        || direct().run("ipvsadm --start-daemon backup --mcast-interface eth1 --syncid 1"),
        || direct().run("ip link add eth1
                         ip link set dev eth1 up
                         ipvsadm --start-daemon backup --mcast-interface eth1 --syncid 1")),
    pair(Kind::SyncInterface,
        || direct().run("ip link add eth1
                         ip link set dev eth1 up
                         ipvsadm --start-daemon master --mcast-interface eth1 --syncid 1"),
        || direct().run("ip link add eth1
                         ip link set dev eth1 up
                         ip address add fe80::1/64 dev eth1
                         ipvsadm --start-daemon master --mcast-interface eth1 --syncid 1 --mcast-group ff02::81")),
    pair(Kind::ConnectionsFull,
        || masquerading().run("sysctl -w net.ipv4.vs.conn_max=10").with(|m| m.table.services[0].1[0].inactive = 10),
        || masquerading().run("sysctl -w net.ipv4.vs.conn_max=10").with(|m| m.table.services[0].1[0].inactive = 9)),
    pair(Kind::FlagsIgnored,
        || masquerading().run("ipvsadm -E -t 203.0.113.1:80 -s rr -b flag-1,flag-3"),
        || masquerading().run("ipvsadm -E -t 203.0.113.1:80 -s sh -b sh-port,sh-fallback")),
    pair(Kind::FlagsIgnored,
        || masquerading().run("ipvsadm -E -t 203.0.113.1:80 -s wlc -b flag-2"),
        || masquerading().run("ipvsadm -E -t 203.0.113.1:80 -s other -b flag-2")),
    pair(Kind::WeightsIgnored,
        || masquerading().run("ipvsadm -E -t 203.0.113.1:80 -s lc
                               ipvsadm -a -t 203.0.113.1:80 -r 10.0.0.12:8080 -m -w 2"),
        || masquerading().run("ipvsadm -E -t 203.0.113.1:80 -s rr
                               ipvsadm -a -t 203.0.113.1:80 -r 10.0.0.12:8080 -m -w 0")),
    pair(Kind::PortIgnored,
        || direct().with(|m| m.table.services[0].1[0].key.port = 8080),
        || masquerading().run("ipvsadm -A -f 7
                               ipvsadm -a -f 7 -r 10.0.0.11:8080 -g")),
    pair(Kind::ServerPastDirector,
        || masquerading().run("ipvsadm -a -t 203.0.113.1:80 -r 198.51.100.11:8080 -m
                               sysctl -w net.ipv4.conf.all.send_redirects=0
                               sysctl -w net.ipv4.conf.wan.send_redirects=0"),
        || masquerading().run("ipvsadm -a -t 203.0.113.1:80 -r 198.51.100.11:8080 -m
                               ip route add 198.51.100.0/24 via 10.0.0.254")),
    pair(Kind::Redirects,
        || direct().run("sysctl -w net.ipv4.ip_forward=1
                         ipvsadm -e -t 10.0.0.100:80 -r 10.0.0.11 -m"),
        || direct().run("sysctl -w net.ipv4.ip_forward=1")),
    pair(Kind::Redirects,
        || masquerading().run("ip address delete 203.0.113.1/32 dev wan
                               ip address add 203.0.113.1/32 dev lo
                               ip route add 0.0.0.0/1 via 10.0.0.254"),
        || masquerading().run("ip address delete 203.0.113.1/32 dev wan
                               ip address add 203.0.113.1/32 dev lo")),
    pair(Kind::TunnelFragments,
        || direct().run("ipvsadm -e -t 10.0.0.100:80 -r 10.0.0.11 -i
                         sysctl -w net.ipv4.vs.pmtu_disc=0"),
        || direct().run("sysctl -w net.ipv4.vs.pmtu_disc=0")),
    pair(Kind::TunnelFragments,
        || tunnelling().run("ip link set dev eth0 mtu 1519
                             sysctl -w net.ipv4.vs.pmtu_disc=0"),
        || tunnelling().run("ip link set dev eth0 mtu 1520
                             sysctl -w net.ipv4.vs.pmtu_disc=0")),
    pair(Kind::QuiescentClients,
        || masquerading().run("ipvsadm -E -t 203.0.113.1:80 -p
                               ipvsadm -e -t 203.0.113.1:80 -r 10.0.0.11:8080 -m -w 0
                               ipvsadm -a -t 203.0.113.1:80 -r 10.0.0.12:8080 -m")
            .with(|m| m.table.services[0].1[0].persistent = 1),
        || masquerading().run("ipvsadm -E -t 203.0.113.1:80 -p
                               ipvsadm -a -t 203.0.113.1:80 -r 10.0.0.12:8080 -m -w 0")
            .with(|m| m.table.services[0].1[0].persistent = 1)),
    pair(Kind::GoneServers,
        || masquerading().with(|m| open_to(m, "10.0.0.12:8080", 3)),
        || masquerading().with(|m| open_to(m, "10.0.0.11:8080", 3))),
    pair(Kind::NatUnseen,
        || masquerading().with(|m| nat_rule(m, true)),
        || masquerading().with(|m| nat_rule(m, false))),
    pair(Kind::DropEntry,
        || masquerading().run("sysctl -w net.ipv4.vs.drop_entry=2"),
        || masquerading().run("sysctl -w net.ipv4.vs.drop_entry=1")),
    pair(Kind::DropPacket,
        || masquerading().run("sysctl -w net.ipv4.vs.drop_packet=3"),
        || masquerading().run("sysctl -w net.ipv4.vs.drop_packet=1")),
    pair(Kind::SecureTcp,
        || masquerading().run("sysctl -w net.ipv4.vs.secure_tcp=3"),
        || masquerading().run("sysctl -w net.ipv4.vs.secure_tcp=1")),
    pair(Kind::SloppyTcp,
        || masquerading().run("sysctl -w net.ipv4.vs.sloppy_tcp=1"),
        || masquerading().run("sysctl -w net.ipv4.vs.sloppy_tcp=0")),
    pair(Kind::CountersOff,
        || masquerading().run("sysctl -w net.ipv4.vs.run_estimation=0"),
        || Machine::new().run("sysctl -w net.ipv4.vs.run_estimation=0")),
    pair(Kind::TableSmall,
        || masquerading().with(|m| m.table.services[0].1[0].inactive = 8 * 4096 + 1),
        || masquerading().with(|m| m.table.services[0].1[0].inactive = 8 * 4096)),
    pair(Kind::SyncSameId,
        || direct().run("ipvsadm --start-daemon master --mcast-interface eth0 --syncid 1
                         ipvsadm --start-daemon backup --mcast-interface eth0 --syncid 1"),
        || direct().run("ipvsadm --start-daemon master --mcast-interface eth0 --syncid 1
                         ipvsadm --start-daemon backup --mcast-interface eth0 --syncid 2")),
    pair(Kind::SyncSameId,
        || direct().run("ipvsadm --start-daemon master --mcast-interface eth0 --syncid 1
                         ipvsadm --start-daemon backup --mcast-interface eth0"),
        || direct().run("ipvsadm --start-daemon master --mcast-interface eth0
                         ipvsadm --start-daemon backup --mcast-interface eth0 --syncid 1")),
    pair(Kind::SyncVersion,
        || direct().run("ipvsadm --start-daemon master --mcast-interface eth0
                         sysctl -w net.ipv4.vs.sync_version=0"),
        || direct().run("ipvsadm --start-daemon backup --mcast-interface eth0
                         sysctl -w net.ipv4.vs.sync_version=0")),
    pair(Kind::SyncMissing,
        || direct().run("sysctl -w net.ipv4.vs.sync_refresh_period=10"),
        || direct().run("sysctl -w net.ipv4.vs.sync_refresh_period=10
                         ipvsadm --start-daemon backup --mcast-interface eth0")),
    pair(Kind::NoAddress,
        || direct_server().run("ip address delete 10.0.0.100/32 dev lo"),
        masqueraded_server),
    pair(Kind::NetworkOnLoopback,
        || direct_server().run("ip address delete 10.0.0.100/32 dev lo
                                ip address add 10.0.0.100/24 dev lo"),
        direct_server),
    pair(Kind::AnswersArp,
        || direct_server().run("sysctl -w net.ipv4.conf.all.arp_ignore=0"),
        || direct_server().run("sysctl -w net.ipv4.conf.all.arp_ignore=0
                                sysctl -w net.ipv4.conf.eth0.arp_ignore=2")),
    pair(Kind::AnswersArp,
        || direct_server().run("ip address delete 10.0.0.100/32 dev lo
                                ip address add 10.0.0.100/32 dev eth0"),
        || direct_server().run("ip address delete 10.0.0.100/32 dev lo
                                ip address add 10.0.0.100/32 dev eth0
                                sysctl -w net.ipv4.conf.eth0.arp_ignore=8")),
    pair(Kind::AnswersArp,
        || server("-t [fd00::100]:80 -r [fd00::11]:80 -g").run("ip address add fd00::100/128 dev eth0"),
        || server("-t [fd00::100]:80 -r [fd00::11]:80 -g").run("ip address add fd00::100/128 dev lo")),
    pair(Kind::AnnouncesArp,
        || direct_server().run("sysctl -w net.ipv4.conf.all.arp_announce=1"),
        || direct_server().run("sysctl -w net.ipv4.conf.all.arp_announce=0
                                sysctl -w net.ipv4.conf.eth0.arp_announce=2")),
    pair(Kind::NoTunnel,
        || tunnelled_server(""),
        ipip_server),
    pair(Kind::NoTunnel,
        || tunnelled_server("--tun-type gue --tun-port 6080").run("modprobe ipip
                                                                   ip link set dev tunl0 up"),
        gue_server),
    pair(Kind::NoTunnel,
        || tunnelled_server("--tun-type gre").run("modprobe ipip
                                                   ip link set dev tunl0 up"),
        || tunnelled_server("--tun-type gre").run("modprobe ip_gre
                                                   ip link set dev gre0 up")),
    pair(Kind::NoTunnel,
        || ipip_server().serving("-t 203.0.113.1:80 -r [fd00::11]:80 -i").run("modprobe ip6_tunnel
                                                                              ip link set dev ip6tnl0 up"),
        || tunnelled_server("").serving("-t 203.0.113.1:80 -r [fd00::11]:80 -i").run(
            "modprobe ip6_tunnel
             ip -6 tunnel change ip6tnl0 mode any
             ip link set dev ip6tnl0 up")),
    pair(Kind::TunnelDown,
        || ipip_server().run("ip link set dev tunl0 down"),
        || ipip_server().run("ip link add other type ipip")),
    pair(Kind::TunnelFiltered,
        || ipip_server().run("sysctl -w net.ipv4.conf.all.rp_filter=1"),
        || ipip_server().run("sysctl -w net.ipv4.conf.all.rp_filter=1
                              sysctl -w net.ipv4.conf.tunl0.rp_filter=2")),
    pair(Kind::NoWayBack,
        || Machine::new().serving("-t 203.0.113.1:80 -r 10.0.0.11:8080 -m").run(
            "ip link add eth0
             ip link set dev eth0 up
             ip address add 10.0.0.11/24 dev eth0
             systemctl start 10.0.0.11:8080"),
        masqueraded_server),
    pair(Kind::NotListening,
        || direct_server().with(|m| m.listening = Some(vec![("127.0.0.1".parse().unwrap(), 80)])),
        || direct_server().with(|m| m.listening = Some(vec![("10.0.0.100".parse().unwrap(), 80)]))),
    pair(Kind::NotListening,
        || server("-t 203.0.113.1:80 -r 10.0.0.11:80 -m").with(|m| m.listening = Some(Vec::new())),
        || server("-t 203.0.113.1:80 -r 10.0.0.11:80 -m")),
];

fn kinds(findings: &Findings) -> Vec<Kind> {
    findings.found.iter().map(|finding| finding.kind).collect()
}

fn shown(report: &Findings) -> String {
    written(|out| findings(out, report, "checked", Summary::Last))
}

#[test]
fn each_broken_set_up_has_its_finding_until_it_is_fixed() {
    let mut wrong = String::new();
    for pair in PAIRS {
        let broken = (pair.broken)();
        let before = broken.check();
        let after = broken.fixed(&before).check();
        if kinds(&before) != [pair.kind] || !after.found.is_empty() {
            let id = pair.kind.id();
            wrong += &format!("{id}:\n{}fixed:\n{}", shown(&before), shown(&after));
        }
    }
    assert_eq!(wrong, "");
}

#[test]
fn each_working_set_up_has_no_findings() {
    let mut wrong = String::new();
    for pair in PAIRS {
        let works = (pair.works)().check();
        if !works.found.is_empty() {
            wrong += &format!("{}:\n{}", pair.kind.id(), shown(&works));
        }
    }
    assert_eq!(wrong, "");
}

#[test]
fn every_kind_has_a_pair_of_set_ups() {
    let has = |kind: &&Kind| PAIRS.iter().any(|pair| pair.kind == **kind);
    let without: Vec<_> = Kind::ALL.iter().filter(|kind| !has(kind)).collect();
    assert!(without.is_empty(), "{without:?}");
}

/// Checks a machine without findings, and looks for `note` in what is not known.
fn assert_unsure(machine: &Machine, note: &str) {
    let report = machine.check();
    assert_eq!(kinds(&report), [], "{}", shown(&report));
    let is_there = report.unchecked.iter().any(|what| what.starts_with(note));
    assert!(is_there, "{note}\n{}", shown(&report));
}

#[test]
fn addresses_of_a_standby_are_not_checked() {
    let standby = direct().run(
        "ip address delete 10.0.0.100/32 dev eth0
         ipvsadm --start-daemon backup --mcast-interface eth0 --syncid 1",
    );
    assert_unsure(&standby, "1 virtual address that another director may have");
    let both = standby.run("ipvsadm --start-daemon master --mcast-interface eth0 --syncid 2");
    assert_eq!(kinds(&both.check()), [Kind::AddressMissing]);
}

#[test]
fn connections_that_a_master_may_have_sent_are_not_findings() {
    let backup = masquerading()
        .run("ipvsadm --start-daemon backup --mcast-interface eth0 --syncid 1")
        .with(|m| open_to(m, "10.0.0.12:8080", 1));
    let note = "whether the master still has the servers: 1 open connection to servers";
    assert_unsure(&backup, note);
    assert_unsure(&backup.with(|m| m.daemons = None), note);
}

#[test]
fn connections_may_belong_to_another_service() {
    // With a mark or to all ports; those of an unknown service, as with FTP.
    for service in ["-f 7", "-t 203.0.113.1:0 -p"] {
        let key = service.trim_end_matches(" -p");
        let machine = masquerading().run(&format!(
            "ipvsadm -A {service}
             ipvsadm -a {key} -r 10.0.0.12 -m"
        ));
        let machine = machine.with(|m| open_to(m, "10.0.0.12:8080", 1));
        assert_eq!(kinds(&machine.check()), [], "{service}");
    }
}

#[test]
fn nat_rules_for_other_packets_are_not_findings() {
    let note = "whether NAT rules in nat, nat of iptables-legacy are meant for IPVS packets";
    let machine = masquerading().with(|m| {
        nat_rule(m, false);
        m.legacy_nat = true;
    });
    assert_unsure(&machine, note);
}

#[test]
fn the_director_of_a_tunnelled_server_may_be_another() {
    let server = ipip_server().with(|m| m.link("tunl0").remote = Some([10, 0, 0, 1].into()));
    assert_unsure(
        &server,
        "whether the director is 10.0.0.1: tunl0 accepts packets",
    );
}

#[test]
fn a_loud_interface_in_another_subnet_is_not_a_finding() {
    let server = ipip_server().run("sysctl -w net.ipv4.conf.all.arp_ignore=0");
    assert_unsure(
        &server,
        "whether anybody on eth0 asks for 203.0.113.1 by ARP",
    );
}

#[test]
fn services_with_marks_have_neither_address_nor_port() {
    let director = masquerading().run(
        "ipvsadm -A -f 7
         ipvsadm -a -f 7 -r 10.0.0.12 -m",
    );
    assert_unsure(
        &director,
        "rules of nftables and iptables, such as set mark 7",
    );
    let server = server("-f 7 -r 10.0.0.11 -g");
    assert_unsure(
        &server,
        "the virtual addresses: those of a mark are not known",
    );
    assert_unsure(
        &server,
        "whether something is listening: the service has no port",
    );
}

#[test]
fn what_is_not_known_is_not_a_finding() {
    // Without rights, only settings are read.
    let unknown = Machine::new()
        .run("sysctl -w net.ipv4.vs.sync_refresh_period=10")
        .with(|m| m.daemons = None);
    assert_eq!(kinds(&unknown.check()), []);
    for machine in [masquerading(), direct(), tunnelling()] {
        let blind = machine.with(Machine::forget_network);
        assert_eq!(kinds(&blind.check()), []);
    }
    for machine in [direct_server(), gue_server(), masqueraded_server()] {
        let blind = machine.with(|m| {
            m.forget_network();
            (m.listening, m.udp_ports) = (None, None);
        });
        assert_eq!(kinds(&blind.check()), []);
    }
}

#[test]
fn of_many_findings_of_a_kind_the_first_are_shown() {
    let services = |count: usize| {
        let lines = (1..=count).map(|n| {
            format!("ipvsadm -A -t 192.0.2.1:{n} -s lc\nipvsadm -A -f {n}\nipvsadm -a -f {n} -r 10.0.0.11 -m\n")
        });
        let script =
            "ipvsadm -A -t 192.0.2.1:99\nipvsadm -a -t 192.0.2.1:99 -r 10.0.0.11 -m -w 0\n";
        masquerading()
            .run(&(script.to_owned() + &lines.collect::<String>()))
            .check()
    };
    let ten = services(10);
    let text = shown(&ten);
    assert_eq!(text.matches("error no-servers: ").count(), 10, "{text}");
    assert!(!text.contains("more"), "{text}");
    assert!(text.ends_with("\nchecked: 11 errors (10 no-servers, 1 no-weight), 0 warnings\n"));
    let eleven = services(11);
    let text = shown(&eleven);
    assert_eq!(text.matches("error no-servers: ").count(), 1, "{text}");
    let places: Vec<_> = text
        .lines()
        .filter(|line| line.contains("where:"))
        .collect();
    let wanted = [99, 1, 2, 3].map(|port| format!("  where: -t 192.0.2.1:{port}"));
    assert_eq!(places, wanted);
    let after =
        "no-servers@tcp:192.0.2.1:3\n  more:  8 others; --json has all of them\nnot checked: ";
    assert!(text.contains(after), "{text}");
    assert!(
        text.contains("such as set marks 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 and 1 more\n"),
        "{text}"
    );
    let first = written(|out| findings(out, &eleven, "checked", Summary::First));
    let (summary, rest) = first.split_once('\n').unwrap();
    assert_eq!(
        summary,
        "checked: 12 errors (11 no-servers, 1 no-weight), 0 warnings"
    );
    assert_eq!(format!("{rest}{summary}\n"), text);
}

/// What is found and how much is ignored.
fn ignoring(machine: &Machine, words: &str) -> (Vec<Kind>, usize) {
    let machine = machine.clone().with(|m| {
        m.ignore = crate::cli::values::check::ignore(words.as_bytes(), &mut NoLookup).unwrap();
    });
    let report = machine.check();
    (kinds(&report), report.ignored)
}

#[test]
fn what_is_ignored_is_counted() {
    let machine = masquerading().run(
        "ipvsadm -A -t 203.0.113.1:81
         ipvsadm -A -f 666
         ipvsadm -A -f 666 -6
         sysctl -w net.ipv4.vs.sloppy_tcp=1",
    );
    use Kind::{NoServers, SloppyTcp};
    for (words, found, ignored) in [
        (
            "no-weight",
            vec![NoServers, NoServers, NoServers, SloppyTcp],
            0,
        ),
        (
            "no-servers@fwmark:666",
            vec![NoServers, NoServers, SloppyTcp],
            1,
        ),
        (
            "no-servers@fwmark6:666,no-servers@tcp:203.0.113.1:81",
            vec![NoServers, SloppyTcp],
            2,
        ),
        (
            "no-servers@udp:203.0.113.1:81",
            vec![NoServers, NoServers, NoServers, SloppyTcp],
            0,
        ),
        ("no-servers", vec![SloppyTcp], 3),
        ("no-servers,no-servers@fwmark:666,sloppy-tcp", vec![], 4),
    ] {
        assert_eq!(ignoring(&machine, words), (found, ignored), "{words}");
    }
}

/// A fault of several services is reported with the first of them that matters.
#[test]
fn what_is_ignored_for_one_service_is_found_for_the_next() {
    let lost = direct().run(
        "ip address delete 10.0.0.100/32 dev eth0
         ipvsadm -A -t 10.0.0.100:81
         ipvsadm -a -t 10.0.0.100:81 -r 10.0.0.11 -g",
    );
    let unreachable = tunnelling().run(
        "ip route add unreachable 198.51.100.11
         ipvsadm -A -t 192.0.2.1:81
         ipvsadm -a -t 192.0.2.1:81 -r 198.51.100.11 -i",
    );
    let fragmenting = tunnelling().run(
        "sysctl -w net.ipv4.vs.pmtu_disc=0
         ipvsadm -A -t 192.0.2.1:81
         ipvsadm -a -t 192.0.2.1:81 -r 198.51.100.11 -i",
    );
    for (machine, kind, address) in [
        (lost, Kind::AddressMissing, "10.0.0.100"),
        (unreachable, Kind::ServerUnreachable, "192.0.2.1"),
        (fragmenting, Kind::TunnelFragments, "192.0.2.1"),
    ] {
        let at = |port: u16| format!("{}@tcp:{address}:{port}", kind.id());
        let found = machine.check().found;
        assert_eq!(found.len(), 1, "{kind:?}");
        assert_eq!(Ignore::narrowest(&found[0]).to_string(), at(80));
        let (one, both) = (at(80), format!("{},{}", at(80), at(81)));
        assert_eq!(ignoring(&machine, &one), (vec![kind], 1));
        assert_eq!(ignoring(&machine, &both), (vec![], 2));
        assert_eq!(ignoring(&machine, kind.id()), (vec![], 1));
    }
}

#[test]
fn a_real_server_ignores_by_its_service() {
    let server = server("-u 10.0.0.100:53 -r 10.0.0.11 -g").run(
        "ip address add 10.0.0.100/32 dev lo
         sysctl -w net.ipv4.conf.all.arp_announce=2",
    );
    use Kind::{AnswersArp, NotListening};
    let (udp, tcp) = (
        "answers-arp@udp:10.0.0.100:53",
        "answers-arp@tcp:10.0.0.100:53",
    );
    assert_eq!(ignoring(&server, udp), (vec![NotListening], 1));
    assert_eq!(ignoring(&server, tcp), (vec![AnswersArp, NotListening], 0));
}

/// Only what names a service can be ignored for one.
#[test]
fn findings_name_a_service_where_their_table_says_so() {
    for pair in PAIRS {
        for finding in (pair.broken)().check().found {
            let names_one = pair.kind.scope() == Scope::Service;
            assert_eq!(finding.service.is_some(), names_one, "{}", pair.kind.id());
        }
    }
}
