//! What a newer kernel may have and this program has no name for: it is listed
//! by its number and survives edits, saves and replacements of everything else.
//! The kernels of today take such numbers too.

use crate::Test;
use crate::support::machine::{Machine, ended};
use crate::support::netlink::{Family, attribute};
use crate::support::programs::OURS;
use crate::support::state::Table;

pub const TESTS: &[Test] = &[
    ("unknown::forwarding", forwarding),
    ("unknown::protocol", protocol),
];

const NEW_SERVICE: u8 = 1;
const NEW_DEST: u8 = 5;

fn number(kind: u16, value: u32) -> Vec<u8> {
    attribute(kind, &value.to_ne_bytes())
}

fn short(kind: u16, value: u16) -> Vec<u8> {
    attribute(kind, &value.to_ne_bytes())
}

fn port(kind: u16, value: u16) -> Vec<u8> {
    attribute(kind, &value.to_be_bytes())
}

fn address(kind: u16, last: u8) -> Vec<u8> {
    let mut bytes = [0; 16];
    bytes[..4].copy_from_slice(&[10, 0, 9, last]);
    attribute(kind, &bytes)
}

/// What names the service 10.0.9.1:80 of a protocol.
fn service(protocol: u16) -> Vec<u8> {
    [short(1, 2), short(2, protocol), address(3, 1), port(4, 80)].concat()
}

/// Adds the server 10.0.9.`last`:80 with these numbers.
fn add_server(last: u8, method: u32, tunnel: (u8, u16, u16)) {
    let (kind, tunnel_port, flags) = tunnel;
    let server = [
        address(1, last),
        port(2, 80),
        number(3, method),
        number(4, 1),
        number(5, 0),
        number(6, 0),
        short(11, 2),
        attribute(13, &[kind]),
        port(14, tunnel_port),
        short(15, flags),
    ];
    let request = [attribute(1, &service(6)), attribute(2, &server.concat())];
    let family = Family::open("IPVS").expect("IPVS");
    family.ask(NEW_DEST, &request.concat()).expect("a server");
}

fn forwarding() {
    let machine = Machine::new();
    let known = "-A -t 10.0.9.1:80 -s rr\n-a -t 10.0.9.1:80 -r 10.0.9.2:80 -m -w 1\n";
    machine.feed("-R", known);
    add_server(3, 5, (7, 6080, 0x104));
    add_server(4, 2, (7, 6081, 9));
    let listing = machine.ipvsadm("-Ln --tun-info");
    for row in [
        "  -> 10.0.9.3:80                  5       n/a           1  ",
        "  -> 10.0.9.4:80                  Tunnel  7:6081:9      1  ",
    ] {
        assert!(listing.contains(row), "{listing}");
    }

    let table = Table::open().expect("the table");
    let state = || table.state().expect("the table").to_string();
    for server in ["10.0.9.3:80", "10.0.9.4:80"] {
        let before = state();
        let edit = |weight| format!("-e -t 10.0.9.1:80 -r {server} --keep -w {weight}");
        machine.ipvsadm(&edit(5));
        assert_ne!(state(), before);
        machine.ipvsadm(&edit(1));
        assert_eq!(state(), before);
    }

    let output = machine.call(OURS, "-Sn", "");
    assert_eq!(String::from_utf8_lossy(&output.stdout), known);
    let said = "cannot be saved: -a -t 10.0.9.1:80 -r 10.0.9.3:80 (forwarding method 5) -w 1\n\
        cannot be saved: -a -t 10.0.9.1:80 -r 10.0.9.4:80 -i -w 1 (tunnel type 7, port 6081, flags 9)\n";
    assert_eq!(ended(&output), (Some(1), said.into()));

    let before = state();
    machine.feed("-R --replace", known);
    assert_eq!(state(), before);
    machine.feed("-R --replace", &known.replace("-w 1", "-w 2"));
    assert_ne!(state(), before);
    machine.feed("-R --replace", known);
    assert_eq!(state(), before);
    machine.feed("-R --replace", "-A -t 10.0.9.1:443 -s rr\n");
    assert_eq!(machine.ipvsadm("-Sn"), "-A -t 10.0.9.1:443 -s rr\n");
}

fn protocol() {
    const ESP: u16 = 50;
    let machine = Machine::new();
    let config = [
        attribute(6, b"rr\0"),
        attribute(7, &[0, 0, 0, 0, 255, 255, 255, 255]),
        number(8, 0),
        attribute(9, &[255; 4]),
    ];
    let request = attribute(1, &[service(ESP), config.concat()].concat());
    let family = Family::open("IPVS").expect("IPVS");
    family.ask(NEW_SERVICE, &request).expect("a service");
    let listing = machine.ipvsadm("-Ln");
    assert!(listing.contains("\nIP_50 10.0.9.1:80 rr\n"), "{listing}");
    let json = machine.ipvsadm("-L --json");
    assert!(json.contains(r#""protocol":"ip_50""#), "{json}");
    let output = machine.call(OURS, "-Sn", "");
    assert!(output.stdout.is_empty());
    let said = "cannot be saved: -A (protocol 50) 10.0.9.1:80 -s rr\n";
    assert_eq!(ended(&output), (Some(1), said.into()));
    let rule = "-A -t 10.0.9.1:80 -s rr\n";
    machine.feed("-R --replace", rule);
    assert_eq!(
        machine.ipvsadm("-Ln"),
        listing.replace("IP_50", "TCP  10.0.9.1:80 rr\nIP_50")
    );
}
