//! The table byte by byte.

use super::*;
use crate::render::sample::{Named, written};
use crate::render::{ConnectionReport, Style};

fn style(with_pe: bool) -> Style {
    let view = if with_pe {
        View::PersistentConn
    } else {
        View::Plain
    };
    Style { view, exact: false }
}

/// A connection with these endpoints.
fn connection(client: &str, service: &str, server: &str) -> Connection<'static> {
    let endpoint = |text: &str| {
        let socket: std::net::SocketAddr = text.parse().unwrap();
        Endpoint {
            address: socket.ip(),
            port: socket.port(),
        }
    };
    Connection {
        protocol: b"TCP",
        client: endpoint(client),
        service: endpoint(service),
        server: endpoint(server),
        state: b"ESTABLISHED",
        expires: 899,
        engine: None,
        origin: None,
    }
}

fn shown(connection: &Connection, with_pe: bool) -> String {
    written(|out| Text::new(style(with_pe), None).connection(out, connection))
}

#[test]
fn titles_of_both_tables() {
    assert_eq!(
        written(|out| Text::new(style(false), None).connection_titles(out)),
        "IPVS connection entries\n\
         pro expire state       source             virtual            destination\n"
    );
    assert_eq!(
        written(|out| Text::new(style(true), None).connection_titles(out)),
        "IPVS connection entries\n\
         pro expire state       source             virtual            destination        pe name          pe_data\n"
    );
}

#[test]
fn one_row_of_each_kind() {
    let tcp = connection("10.0.0.9:50000", "10.0.0.1:80", "10.0.0.2:8080");
    assert_eq!(
        shown(&tcp, false),
        "TCP 14:59  ESTABLISHED 10.0.0.9:50000     10.0.0.1:80        10.0.0.2:8080\n"
    );
    let udp = Connection {
        protocol: b"UDP",
        state: b"UDP",
        expires: 59,
        ..connection("10.0.0.9:53", "10.0.0.1:53", "10.0.0.2:53")
    };
    assert_eq!(
        shown(&udp, false),
        "UDP 00:59  UDP         10.0.0.9:53        10.0.0.1:53        10.0.0.2:53\n"
    );
    let template = Connection {
        protocol: b"IP",
        state: b"NONE",
        expires: 360_000,
        ..connection("10.0.0.9:0", "0.0.0.1:0", "10.0.0.2:0")
    };
    assert_eq!(
        shown(&template, false),
        "IP  6000:00 NONE        10.0.0.9:0         0.0.0.1:0          10.0.0.2:0\n"
    );
    let ipv6 = Connection {
        state: b"SYN_RECV",
        expires: 3,
        ..connection("[2001:db8::9]:50000", "[2001:db8::1]:443", "[fd00::2]:443")
    };
    assert_eq!(
        shown(&ipv6, false),
        "TCP 00:03  SYN_RECV    [2001:db8::9]:50000 [2001:db8::1]:443  [fd00::2]:443\n"
    );
    let mixed = Connection {
        state: b"FIN_WAIT",
        expires: 0,
        ..connection("10.0.0.9:50000", "10.0.0.1:80", "[fd00::2]:80")
    };
    assert_eq!(
        shown(&mixed, false),
        "TCP 00:00  FIN_WAIT    10.0.0.9:50000     10.0.0.1:80        [fd00::2]:80\n"
    );
}

#[test]
fn states_of_newer_kernels_are_never_cut() {
    let odd = Connection {
        protocol: b"DCCP",
        state: b"A_RATHER_LONG_STATE",
        expires: u64::MAX,
        ..connection("255.255.255.255:65535", "10.0.0.1:80", "10.0.0.2:8080")
    };
    assert_eq!(
        shown(&odd, false),
        "DCCP 307445734561825860:15 A_RATHER_LONG_STATE 255.255.255.255:65535 10.0.0.1:80        10.0.0.2:8080\n"
    );
}

#[test]
fn persistence_engines_have_columns_of_their_own() {
    let plain = Connection {
        protocol: b"UDP",
        state: b"NONE",
        expires: 42,
        ..connection("10.0.0.9:0", "10.0.0.1:5060", "10.0.0.2:5060")
    };
    let engine = Connection {
        engine: Some((b"sip", b"call")),
        ..plain
    };
    let without = "UDP 00:42  NONE        10.0.0.9:0         10.0.0.1:5060      10.0.0.2:5060\n";
    assert_eq!(
        shown(&engine, true),
        "UDP 00:42  NONE        10.0.0.9:0         10.0.0.1:5060      10.0.0.2:5060    sip                call\n"
    );
    assert_eq!(shown(&engine, false), without);
    assert_eq!(shown(&plain, true), without);
}

#[test]
fn names_stand_in_the_columns() {
    let row = |protocol| {
        let tcp = connection("10.0.0.9:50000", "10.0.0.1:80", "10.0.0.2:8080");
        let row = Connection { protocol, ..tcp };
        written(|out| Text::new(style(false), Some(&mut Named("a"))).connection(out, &row))
    };
    assert_eq!(
        row(b"TCP"),
        "TCP 14:59  ESTABLISHED a:http             a:http             a:http\n"
    );
    assert_eq!(
        row(b"IP"),
        "IP  14:59  ESTABLISHED a:50000            a:80               a:8080\n"
    );
}
