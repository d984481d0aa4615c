//! Rules byte by byte.

use super::*;
use crate::render::sample::{Named, config, mark, server, server_config, server_key, tcp, written};
use ipvs::{DaemonRole, Name, Netmask, ServiceFlags};

fn line(change: Change) -> String {
    let line = written(|out| rule(out, None, &change));
    line.strip_suffix('\n').unwrap().to_owned()
}

fn named(name: &'static str, change: Change) -> String {
    written(|out| rule(out, Some(&Named(name)), &change))
}

#[test]
fn services() {
    let key = tcp("10.0.0.1", 80);
    let plain = config("wlc", Family::Inet);
    assert_eq!(
        line(Change::AddService(key, plain)),
        "-A -t 10.0.0.1:80 -s wlc"
    );
    assert_eq!(
        line(Change::EditService(key, plain)),
        "-E -t 10.0.0.1:80 -s wlc"
    );
    assert_eq!(line(Change::DeleteService(key)), "-D -t 10.0.0.1:80");
    assert_eq!(line(Change::Zero(Some(key))), "-Z -t 10.0.0.1:80");
    assert_eq!(line(Change::Zero(None)), "-Z");
    assert_eq!(line(Change::Flush), "-C");
    let marked = Change::AddService(mark(u32::MAX, Family::Inet6), plain);
    assert_eq!(line(marked), "-A -f 4294967295 -6 -s wlc");
    let sctp = ServiceKey::Address {
        protocol: Protocol::Sctp,
        address: "fe80::1".parse().unwrap(),
        port: 7,
    };
    assert_eq!(
        line(Change::DeleteService(sctp)),
        "-D --sctp-service [fe80::1]:7"
    );
}

/// Nobody must take such a line for a rule that makes the same.
#[test]
fn changes_that_no_option_expresses_are_comments_and_not_saved() {
    let service = ServiceKey::Address {
        protocol: Protocol::Other(50),
        address: "10.0.0.1".parse().unwrap(),
        port: 80,
    };
    assert_eq!(
        line(Change::DeleteService(service)),
        "# -D (protocol 50) 10.0.0.1:80"
    );
    let (kind, port, flags) = (7, 6080, 9);
    let tunnel = Tunnel::Other { kind, port, flags };
    let method = 5;
    let mut rules = Rules::new(None);
    let saved = written(|out| {
        for forwarding in [
            Forwarding::Masq,
            Forwarding::Tunnel(tunnel),
            Forwarding::Other { method, tunnel },
        ] {
            let server = server("10.0.0.2", 80, forwarding);
            rules.server(out, &tcp("10.0.0.1", 80), &server);
        }
    });
    assert_eq!(saved, "-a -t 10.0.0.1:80 -r 10.0.0.2:80 -m -w 1\n");
    assert_eq!(
        String::from_utf8_lossy(rules.unsaved()),
        "-a -t 10.0.0.1:80 -r 10.0.0.2:80 -i -w 1 (tunnel type 7, port 6080, flags 9)\n\
         -a -t 10.0.0.1:80 -r 10.0.0.2:80 (forwarding method 5) -w 1\n"
    );
}

#[test]
fn options_of_services_stand_in_the_order_of_the_original() {
    let full = ServiceConfig {
        flags: ServiceFlags::from_bits_retain(0x1f),
        timeout: 360,
        netmask: Netmask::V4([255, 255, 0, 0].into()),
        engine: Some(Name::from("sip")),
        ..config("mh", Family::Inet)
    };
    assert_eq!(
        line(Change::AddService(tcp("10.0.0.1", 0), full)),
        "-A -t 10.0.0.1:0 -s mh -p 360 -M 255.255.0.0 --pe sip -o -b mh-fallback,mh-port"
    );
    let v6 = ServiceConfig {
        flags: ServiceFlags::from_bits_retain(1),
        timeout: 5,
        netmask: Netmask::V6(64),
        ..config("rr", Family::Inet6)
    };
    assert_eq!(
        line(Change::AddService(tcp("fe80::1", 80), v6)),
        "-A -t [fe80::1]:80 -s rr -p 5 -M 64"
    );
}

#[test]
fn flags_and_engines_need_no_persistence() {
    let mut service = ServiceConfig {
        engine: Some(Name::from("sip")),
        netmask: Netmask::V4([255, 0, 0, 0].into()),
        ..config("sh", Family::Inet)
    };
    for (flags, wanted) in [
        (0x02, ""),
        (0x20, " -b flag-3"),
        (0x28, " -b sh-fallback,flag-3"),
    ] {
        service.flags = ServiceFlags::from_bits_retain(flags);
        assert_eq!(
            line(Change::AddService(mark(7, Family::Inet), service)),
            format!("-A -f 7 -s sh --pe sip{wanted}")
        );
    }
}

#[test]
fn servers() {
    let service = tcp("10.0.0.1", 80);
    let key = server_key("10.0.0.2", 8080);
    let masq = server_config(Forwarding::Masq);
    assert_eq!(
        line(Change::AddServer(service, key, masq)),
        "-a -t 10.0.0.1:80 -r 10.0.0.2:8080 -m -w 1"
    );
    assert_eq!(
        line(Change::DeleteServer(service, key)),
        "-d -t 10.0.0.1:80 -r 10.0.0.2:8080"
    );
    let limited = ServerConfig {
        upper_threshold: 9,
        lower_threshold: 3,
        weight: 0,
        ..server_config(Forwarding::Local)
    };
    assert_eq!(
        line(Change::EditServer(service, key, limited)),
        "-e -t 10.0.0.1:80 -r 10.0.0.2:8080 -g -w 0 -x 9 -y 3"
    );
}

#[test]
fn tunnels() {
    let gue = Tunnel::Gue {
        port: 6080,
        checksum: TunnelChecksum::Remote,
    };
    let gre = Tunnel::Gre {
        checksum: TunnelChecksum::None,
    };
    for (tunnel, wanted) in [
        (Tunnel::Ipip, "ipip"),
        (gue, "gue --tun-port 6080 --tun-remcsum"),
        (gre, "gre --tun-nocsum"),
    ] {
        let config = server_config(Forwarding::Tunnel(tunnel));
        let key = server_key("fd00::2", 80);
        assert_eq!(
            line(Change::AddServer(tcp("10.0.0.1", 80), key, config)),
            format!("-a -t 10.0.0.1:80 -r [fd00::2]:80 -i -w 1 --tun-type {wanted}")
        );
    }
}

#[test]
fn daemons_and_timeouts() {
    let timeouts = Timeouts {
        tcp: 900,
        tcp_fin: 0,
        udp: 300,
    };
    assert_eq!(line(Change::SetTimeouts(timeouts)), "--set 900 0 300");
    let mut daemon = Daemon {
        role: DaemonRole::Master,
        config: DaemonConfig {
            interface: Some(Name::from("eth0")),
            sync_id: 5,
            ..DaemonConfig::default()
        },
    };
    assert_eq!(
        line(Change::StartDaemon(daemon)),
        "--start-daemon master --mcast-interface eth0 --syncid 5"
    );
    daemon.config.max_len = Some(1000);
    daemon.config.group = Some("224.0.0.99".parse().unwrap());
    daemon.config.port = Some(8848);
    daemon.config.ttl = Some(2);
    assert_eq!(
        line(Change::StartDaemon(daemon)),
        "--start-daemon master --mcast-interface eth0 --syncid 5 --sync-maxlen 1000 \
         --mcast-group 224.0.0.99 --mcast-port 8848 --mcast-ttl 2"
    );
    daemon.role = DaemonRole::Backup;
    assert_eq!(
        line(Change::StopDaemon(daemon)),
        "--stop-daemon backup --syncid 5"
    );
}

#[test]
fn names_are_whole_and_can_be_read_back() {
    let long = "a23456789.123456789.123456789.123456789.123456789.123456789.123456789.test";
    let key = server_key("10.0.0.2", 80);
    let delete = Change::DeleteServer(tcp("10.0.0.1", 80), key);
    assert_eq!(
        named(long, delete),
        format!("-d -t {long}:http -r {long}:http\n")
    );
    for unreadable in ["10.0.0.99", "0x0a000001", "80", "a b", "a:b", ""] {
        assert_eq!(
            named(unreadable, delete),
            "-d -t 10.0.0.1:http -r 10.0.0.2:http\n",
            "{unreadable}"
        );
    }
    assert_eq!(
        named("six", Change::DeleteService(tcp("fe80::1", 80))),
        "-D -t [fe80::1]:http\n"
    );
    assert_eq!(
        named("rs", Change::DeleteServer(mark(1, Family::Inet), key)),
        "-d -f 1 -r rs:80\n"
    );
}
