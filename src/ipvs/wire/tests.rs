//! Bytes that were captured between C ipvsadm and Linux 6.1, and bytes that
//! nobody would send.

use super::*;
use crate::model::*;
use netlink_packet_core::NLM_F_ACK;
use netlink_packet_generic::GenlFamily;
use netlink_packet_generic::constants::GENL_HDRLEN;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::num::NonZeroU32;

/// Captured on a little-endian machine.
const CAPTURED: bool = cfg!(target_endian = "little");

const V4: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1));
const V6: IpAddr = IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1));

fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex.bytes().filter(u8::is_ascii_hexdigit).collect();
    let pair = |p: &[u8]| u8::from_str_radix(std::str::from_utf8(p).unwrap(), 16).unwrap();
    digits.chunks(2).map(pair).collect()
}

fn tcp(address: IpAddr) -> ServiceKey {
    ServiceKey::Address {
        protocol: Protocol::Tcp,
        address,
        port: 80,
    }
}

fn mark(mark: u32) -> ServiceKey {
    ServiceKey::Fwmark {
        mark: NonZeroU32::new(mark).unwrap(),
        family: Family::Inet,
    }
}

fn service(scheduler: &str, flags: u32, timeout: u32, netmask: Netmask) -> ServiceConfig {
    let scheduler = Name::from(scheduler);
    ServiceConfig {
        scheduler,
        flags: ServiceFlags::from_bits_retain(flags),
        timeout,
        netmask,
        engine: None,
    }
}

fn gue_server() -> (ServerKey, ServerConfig) {
    let address = Ipv4Addr::new(10, 0, 0, 5).into();
    let tunnel = Tunnel::Gue {
        port: 6000,
        checksum: TunnelChecksum::Checksum,
    };
    let config = ServerConfig {
        forwarding: Forwarding::Tunnel(tunnel),
        weight: 3,
        upper_threshold: 10,
        lower_threshold: 5,
    };
    (ServerKey { address, port: 80 }, config)
}

/// What a request says, without the headers.
fn attributes(request: &Request) -> Vec<u8> {
    let mut out = Vec::new();
    append(&mut out, request.message(32), NLM_F_ACK, 77);
    out.split_off(20)
}

/// The generic netlink header and the attributes, as C ipvsadm sent them.
#[track_caller]
fn sends(change: Change, hex: &str) {
    let mut out = Vec::new();
    append(&mut out, Request::Change(change).message(32), NLM_F_ACK, 77);
    let expected = bytes(hex);
    if CAPTURED {
        assert_eq!(out[..4], (16 + expected.len() as u32).to_ne_bytes());
        assert_eq!(out[4..16], [32, 0, 5, 0, 77, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(out[16..], expected);
    }
}

#[test]
fn services_are_sent_as_the_original_sends_them() {
    let mask = Netmask::V4(Ipv4Addr::new(255, 255, 255, 0));
    sends(
        Change::AddService(tcp(V4), service("wrr", 1, 300, mask)),
        "01010000 54000180 0600010002000000 0600020006000000
         140003000a000001000000000000000000000000 0600040000500000 0800060077727200
         0c00070001000000ffffffff 080008002c010000 08000900ffffff00",
    );
    sends(
        Change::AddService(tcp(V6), service("sh", 0x11, 300, Netmask::V6(64))),
        "01010000 54000180 060001000a000000 0600020006000000
         1400030020010db8000000000000000000000001 0600040000500000 0700060073680000
         0c00070011000000ffffffff 080008002c010000 0800090040000000",
    );
    sends(
        Change::AddService(mark(7), service("rr", 0, 0, Netmask::host(Family::Inet))),
        "01010000 38000180 0600010002000000 0800050007000000 0700060072720000
         0c00070000000000ffffffff 0800080000000000 08000900ffffffff",
    );
}

#[test]
fn servers_are_sent_as_the_original_sends_them() {
    let (key, config) = gue_server();
    // C ipvsadm repeats the whole service here; the kernel reads its name.
    let service = "30000180 0600010002000000 0600020006000000
                   140003000a000001000000000000000000000000 0600040000500000";
    let server = "06000b0002000000 140001000a000005000000000000000000000000
                  0600020000500000";
    let rest = "0800030002000000 0800040003000000 05000d0001000000 06000e0017700000
                06000f0001000000 080005000a000000 0800060005000000";
    sends(
        Change::AddServer(tcp(V4), key, config),
        &format!("05010000 {service} 60000280 {server} {rest}"),
    );
    sends(
        Change::DeleteServer(tcp(V4), key),
        &format!("07010000 {service} 28000280 {server}"),
    );
}

#[test]
fn everything_else_is_sent_as_the_original_sends_it() {
    let config = DaemonConfig {
        interface: Some(Name::from("lo")),
        sync_id: 3,
        max_len: Some(1400),
        group: Some(Ipv4Addr::new(224, 0, 0, 9).into()),
        port: Some(99),
        ttl: Some(3),
    };
    sends(
        Change::StartDaemon(Daemon {
            role: DaemonRole::Master,
            config,
        }),
        "09010000 3c000380 0800010001000000 070002006c6f0000 0800030003000000
         0600040078050000 0600070063000000 0500080003000000 08000500e0000009",
    );
    let config = DaemonConfig {
        interface: None,
        ..config
    };
    sends(
        Change::StopDaemon(Daemon {
            role: DaemonRole::Master,
            config,
        }),
        "0a010000 1c000380 0800010001000000 0500020000000000 0800030003000000",
    );
    sends(
        Change::SetTimeouts(Timeouts {
            tcp: 1,
            tcp_fin: 2,
            udp: 3,
        }),
        "0c010000 0800040001000000 0800050002000000 0800060003000000",
    );
    sends(Change::Zero(None), "10010000");
    sends(Change::Flush, "11010000");
}

#[test]
fn queries_carry_the_key_of_what_they_ask_for() {
    let dump = Request::Servers(mark(7));
    assert_eq!(dump.command(), 8);
    if CAPTURED {
        let expected = bytes("14000180 0600010002000000 0800050007000000");
        assert_eq!(attributes(&dump), expected);
    }
    assert_eq!(Request::Info.command(), 15);
    assert!(attributes(&Request::Info).is_empty());
}

/// The counters as Linux 6.1 sends them, 32 and 64 bits wide, the second kind
/// with some in it.
const STATS: &str = "5c000a00 0800010001000000 0800020000000000 0800030000000000
    0c0004000000000000000000 0c0005000000000000000000 0800060000000000 0800070000000000
    0800080000000000 0800090000000000 08000a0000000000
    7c000c00 0c00010001000000 02000000 0c0002000000000000000000 0c0003000000000000000000
    0c0004000000000000000000 0c0005000000000000000000 0c0006000000000000000000
    0c0007000000000000000000 0c0008000000000000000000 0c0009000000000000000000
    0c000a000900000000000000";

fn v6_reply() -> Vec<u8> {
    bytes(&format!(
        "2c010100 060001000a000000 0600020006000000
         1400030020010db8000000000000000000000001 0600040000500000 0800060077727200
         0c00070003000000ffffffff 080008002c010000 0800090040000000 {STATS}"
    ))
}

fn gue_reply() -> Vec<u8> {
    bytes(&format!(
        "50010200 140001000a000007000000000000000000000000 0600020000500000
         0800030002000000 0800040005000000 05000d0001000000 06000e0017700000
         06000f0001000000 0800050009000000 0800060003000000 0800070004000000
         0800080006000000 0800090008000000 06000b0002000000 {STATS}"
    ))
}

#[test]
fn a_service_is_read() {
    if !CAPTURED {
        return;
    }
    let read = parse_service(&v6_reply()).unwrap();
    assert_eq!(read.key, tcp(V6));
    assert_eq!(read.config, service("wrr", 3, 300, Netmask::V6(64)));
    assert_eq!((read.stats.conns, read.stats.out_bps), (1 + (2 << 32), 9));
    let fwmark = "14000100 0600010002000000 0800050007000000";
    assert_eq!(parse_service(&bytes(fwmark)).unwrap().key, mark(7));
}

#[test]
fn a_server_is_read() {
    if !CAPTURED {
        return;
    }
    // Its own family counts, not that of its service.
    let read = parse_server(&gue_reply(), Family::Inet6).unwrap();
    assert_eq!(read.key.address, IpAddr::from([10, 0, 0, 7]));
    let tunnel = Tunnel::Gue {
        port: 6000,
        checksum: TunnelChecksum::Checksum,
    };
    assert_eq!(read.config.forwarding, Forwarding::Tunnel(tunnel));
    assert_eq!((read.config.weight, read.config.upper_threshold), (5, 9));
    assert_eq!((read.active, read.inactive, read.persistent), (4, 6, 8));
    // Linux before 3.18 does not say it.
    let old = "20000200 140001000a000007000000000000000000000000 0600020000500000";
    let read = parse_server(&bytes(old), Family::Inet).unwrap();
    assert_eq!(read.key.address, IpAddr::from([10, 0, 0, 7]));
}

#[test]
fn services_and_servers_are_read_back_as_they_were_sent() {
    let netmask = Netmask::V4(Ipv4Addr::new(255, 0, 255, 0));
    let engine = Some(Name::from("sip"));
    let config = ServiceConfig {
        engine,
        ..service("mh", 0x39, 50, netmask)
    };
    let (key, server) = gue_server();
    let request = Request::Change(Change::EditServer(tcp(V6), key, server));
    let read = parse_server(&attributes(&request), Family::Inet6).unwrap();
    assert_eq!((read.key, read.config), (key, server));
    let request = Request::Change(Change::EditService(mark(u32::MAX), config));
    let read = parse_service(&attributes(&request)).unwrap();
    assert_eq!((read.key, read.config), (mark(u32::MAX), config));
}

#[test]
fn the_order_of_attributes_does_not_matter() {
    if !CAPTURED {
        return;
    }
    let reply = "30000100 0600040000500000 140003000a000001000000000000000000000000
                 0600020006000000 0600010002000000";
    assert_eq!(parse_service(&bytes(reply)).unwrap().key, tcp(V4));
}

#[test]
fn an_unknown_protocol_is_sent_back_as_it_was_read() {
    if !CAPTURED {
        return;
    }
    let service = "30000180 0600010002000000 060002002f000000
                   140003000a000001000000000000000000000000 0600040000500000";
    let key = parse_service(&bytes(service)).unwrap().key;
    assert_eq!(key.protocol(), Some(Protocol::Other(47)));
    sends(Change::DeleteService(key), &format!("03010000 {service}"));
}

#[test]
fn unknown_forwarding_is_sent_back_as_it_was_read() {
    if !CAPTURED {
        return;
    }
    let other = |kind, port, flags| Tunnel::Other { kind, port, flags };
    let ipip = Tunnel::Ipip;
    for (method, tunnel, wanted) in [
        (
            6,
            "00 0000 0000",
            Forwarding::Other {
                method: 6,
                tunnel: ipip,
            },
        ),
        (
            5,
            "07 1770 0301",
            Forwarding::Other {
                method: 5,
                tunnel: other(7, 6000, 0x103),
            },
        ),
        (2, "03 1770 0000", Forwarding::Tunnel(other(3, 6000, 0))),
        (2, "01 1770 0900", Forwarding::Tunnel(other(1, 6000, 9))),
        (2, "02 0000 0300", Forwarding::Tunnel(other(2, 0, 3))),
        (2, "00 0000 0400", Forwarding::Tunnel(other(0, 0, 4))),
    ] {
        let [kind, port, flags] = tunnel.split(' ').collect::<Vec<_>>().try_into().unwrap();
        let server = format!(
            "60000280 06000b0002000000 140001000a000007000000000000000000000000
             0600020000500000 080003000{method}000000 0800040003000000
             05000d00{kind}000000 06000e00{port}0000 06000f00{flags}0000
             080005000a000000 0800060005000000"
        );
        let read = parse_server(&bytes(&server), Family::Inet).unwrap();
        assert_eq!(read.config.forwarding, wanted);
        let service = "14000180 0600010002000000 0800050007000000";
        let edit = Change::EditServer(mark(7), read.key, read.config);
        sends(edit, &format!("06010000 {service} {server}"));
    }
}

#[test]
fn a_family_that_ipvs_does_not_have_leaves_out_the_entry() {
    if !CAPTURED {
        return;
    }
    let decnet = "14000100 060001000c000000 0800050007000000";
    assert_eq!(parse_service(&bytes(decnet)), None);
}

#[test]
fn messages_are_read_by_their_type() {
    if !CAPTURED {
        return;
    }
    let datagram = bytes(
        "24000000 0200 0000 07000000 00000000 fdffffff 44000000 20000500 03000000 00000000
         14000000 0300 0200 08000000 00000000 00000000
         10000000 0300 0200 09000000 00000000
         18000000 2000 0200 0a000000 00000000 01010000 deadbeef",
    );
    let read: Vec<_> = messages(&datagram, GENL_HDRLEN)
        .map(|m| m.map(|m| (m.sequence, m.body)))
        .collect();
    let data: &[u8] = &[0xde, 0xad, 0xbe, 0xef];
    assert_eq!(
        read,
        [
            Ok((7, Body::Answer(3))),
            Ok((8, Body::Done(0))),
            Ok((9, Body::Done(0))),
            Ok((10, Body::Data(data))),
        ]
    );
}
