use super::*;
use crate::connections::Endpoint;
use ipvs::{Protocol, ServiceConfig, ServiceFlags};
use std::num::NonZeroU32;

fn endpoint(text: &str) -> Endpoint {
    let text: std::net::SocketAddr = text.parse().unwrap();
    Endpoint {
        address: text.ip(),
        port: text.port(),
    }
}

fn row<'a>(words: &'a str) -> Connection<'a> {
    let words: Vec<&'a str> = words.split(' ').collect();
    let [protocol, client, service, server, state, expires] = words[..] else {
        panic!("six words");
    };
    Connection {
        protocol: protocol.as_bytes(),
        client: endpoint(client),
        service: endpoint(service),
        server: endpoint(server),
        state: state.as_bytes(),
        expires: expires.parse().unwrap(),
        engine: None,
        origin: None,
    }
}

/// The patterns of one server.
fn target(key: ServiceKey, persistent: bool, server: &str) -> Patterns {
    let mut patterns = Patterns::default();
    assert_eq!(insert(&mut patterns, key, persistent, server), 0);
    patterns
}

fn insert(patterns: &mut Patterns, key: ServiceKey, persistent: bool, server: &str) -> usize {
    let mut service = Service::new(key, ServiceConfig::new("rr", key.family()));
    service.config.flags = ServiceFlags::from_bits_retain(u32::from(persistent));
    let Endpoint { address, port } = endpoint(server);
    patterns.insert(&service, ServerKey { address, port })
}

impl Patterns {
    fn has(&self, row: &Connection) -> bool {
        self.of(row).next().is_some()
    }
}

fn address(protocol: Protocol, text: &str) -> ServiceKey {
    let Endpoint { address, port } = endpoint(text);
    ServiceKey::Address {
        protocol,
        address,
        port,
    }
}

fn mark(family: Family) -> ServiceKey {
    ServiceKey::Fwmark {
        mark: NonZeroU32::MIN,
        family,
    }
}

#[test]
fn rows_of_a_service_with_an_address() {
    let target = target(
        address(Protocol::Tcp, "10.0.0.1:80"),
        false,
        "10.0.0.2:8080",
    );
    let mine = "TCP 10.0.0.9:5000 10.0.0.1:80 10.0.0.2:8080 FIN_WAIT 9";
    assert!(target.has(&row(mine)));
    for (part, other) in [
        ("TCP", "UDP"),
        (".1:80 ", ".1:81 "),
        (".1:80 ", ".3:80 "),
        (".2:8080", ".2:8081"),
        (".2:8080", ".3:8080"),
        ("9:5000", "9:0"),
    ] {
        assert!(!target.has(&row(&mine.replace(part, other))), "{other}");
    }
    let data_to_come = "TCP 10.0.0.9:0 10.0.0.1:80 10.0.0.2:8080 LISTEN 119";
    assert!(target.has(&row(data_to_come)));
}

#[test]
fn rows_of_a_service_with_all_ports() {
    let key = address(Protocol::Tcp, "[2001:db8::1]:0");
    for server in ["[2001:db8::2]:0", "[2001:db8::2]:8080"] {
        let target = target(key, true, server);
        let mine = "TCP [2001:db8::9]:5000 [2001:db8::1]:443 [2001:db8::2]:443 FIN_WAIT 9";
        assert!(target.has(&row(mine)));
        assert!(!target.has(&row(&mine.replace("::1]", "::3]"))));
        assert!(!target.has(&row(&mine.replace("::2]", "::3]"))));
        assert!(!target.has(&row(&mine.replace("5000", "0"))));
    }
}

#[test]
fn rows_of_a_mark() {
    let row = |text| row(text);
    let http = row("TCP 10.0.0.9:5000 10.0.0.1:80 10.0.0.2:80 FIN_WAIT 9");
    let other_port = row("UDP 10.0.0.9:5000 10.0.0.1:80 10.0.0.2:8080 UDP 9");
    let template = row("IP 10.0.0.9:0 0.0.0.1:0 10.0.0.2:0 NONE 9");
    let v6 = row("TCP [2001:db8::9]:5000 [2001:db8::1]:80 10.0.0.2:80 FIN_WAIT 9");
    for (persistent, server, wanted) in [
        (false, "10.0.0.2:0", [true, true, false, false]),
        (false, "10.0.0.2:8080", [false, true, false, false]),
        (true, "10.0.0.2:8080", [true, true, false, false]),
        (true, "10.0.0.3:0", [false; 4]),
    ] {
        let target = target(mark(Family::Inet), persistent, server);
        let found = [http, other_port, template, v6].map(|row| target.has(&row));
        assert_eq!(found, wanted, "{persistent} {server}");
    }
    assert!(target(mark(Family::Inet6), false, "10.0.0.2:80").has(&v6));
}

#[test]
fn tcp_is_open_until_both_sides_are_done_and_quiet() {
    let open = |state: &str, expires: u64| {
        let text = format!("TCP 10.0.0.9:5000 10.0.0.1:80 10.0.0.2:80 {state} {expires}");
        is_open(&row(&text))
    };
    for state in [
        "NONE",
        "ESTABLISHED",
        "SYN_SENT",
        "SYN_RECV",
        "FIN_WAIT",
        "CLOSE_WAIT",
        "LAST_ACK",
        "LISTEN",
        "SYNACK",
        "A_NEW_STATE",
    ] {
        assert!(open(state, 0), "{state}");
    }
    for (state, timeout) in [("TIME_WAIT", 120), ("CLOSE", 10)] {
        assert!(open(state, timeout));
        assert!(open(state, timeout - 5));
        assert!(!open(state, timeout - 6));
        assert!(!open(state, 0));
    }
}

#[test]
fn sctp_is_open_until_all_is_acknowledged_and_datagrams_while_remembered() {
    let open = |protocol: &str, state: &str| {
        let text = format!("{protocol} 10.0.0.9:5000 10.0.0.1:80 10.0.0.2:80 {state} 1");
        is_open(&row(&text))
    };
    for state in [
        "INIT",
        "C-ECHOED",
        "ESTABLISHED",
        "S-SENT",
        "S-RECEIVED",
        "S-ACK-SENT",
    ] {
        assert!(open("SCTP", state), "{state}");
    }
    assert!(!open("SCTP", "CLOSED"));
    assert!(!open("SCTP", "REJECTED"));
    assert!(open("UDP", "UDP"));
    assert!(open("GRE", "NONE"));
}

#[test]
fn a_row_has_the_patterns_of_all_that_it_may_be_of() {
    let mut patterns = Patterns::default();
    let server = "10.0.0.2:8080";
    let web = address(Protocol::Tcp, "10.0.0.1:80");
    let other = address(Protocol::Tcp, "10.0.0.1:81");
    let all = address(Protocol::Tcp, "10.0.0.1:0");
    let second_mark = ServiceKey::Fwmark {
        mark: NonZeroU32::MAX,
        family: Family::Inet,
    };
    let places = [
        insert(&mut patterns, web, false, server),
        insert(&mut patterns, other, false, server),
        insert(&mut patterns, all, true, server),
        insert(&mut patterns, mark(Family::Inet), false, server),
        insert(&mut patterns, second_mark, false, server),
        insert(&mut patterns, mark(Family::Inet6), false, server),
        insert(&mut patterns, web, true, server),
    ];
    // A mark is not in the rows, nor whether a service is persistent.
    assert_eq!(places, [0, 1, 2, 3, 3, 4, 0]);
    let row = row("TCP 10.0.0.9:5000 10.0.0.1:80 10.0.0.2:8080 FIN_WAIT 9");
    let mut found: Vec<usize> = patterns.of(&row).collect();
    found.sort_unstable();
    assert_eq!(found, [0, 2, 3]);
}

#[test]
fn templates_remember_the_server_on_its_port_or_on_any() {
    let template = "TCP 10.0.0.9:0 10.0.0.1:80 10.0.0.2:8080 ASSURED 9";
    let many = "TCP 10.0.0.9:0 10.0.0.1:0 10.0.0.2:0 ASSURED 9";
    let marked = "IP 10.0.0.9:0 0.0.0.1:0 10.0.0.2:8080 ASSURED 9";
    for (service, server, wanted) in [
        (
            address(Protocol::Tcp, "10.0.0.1:80"),
            "10.0.0.2:8080",
            [true, true, false],
        ),
        (
            address(Protocol::Tcp, "10.0.0.1:80"),
            "10.0.0.2:80",
            [false, true, false],
        ),
        (
            address(Protocol::Tcp, "10.0.0.1:0"),
            "10.0.0.2:80",
            [true, true, false],
        ),
        (
            address(Protocol::Udp, "10.0.0.1:80"),
            "10.0.0.2:8080",
            [false; 3],
        ),
        (mark(Family::Inet), "10.0.0.2:80", [false, false, true]),
        (mark(Family::Inet), "10.0.0.3:80", [false; 3]),
    ] {
        let target = target(service, true, server);
        let found = [template, many, marked].map(|text| target.has_template(&row(text)));
        assert_eq!(found, wanted, "{service:?} {server}");
        assert!(!target.has(&row(template)));
    }
}
