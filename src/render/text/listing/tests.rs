//! Rows byte by byte, as C ipvsadm prints them.

use super::*;
use crate::render::TableReport;
use crate::render::sample::{self, Named, mark, server, tcp, written};
use ipvs::{Forwarding, Name, Netmask, ServiceFlags, Tunnel, TunnelChecksum};

fn style(view: View) -> Style {
    Style { view, exact: false }
}

fn service_row(view: View, row: &Service) -> String {
    written(|out| Text::new(style(view), None).service(out, row))
}

fn server_row(view: View, row: &Server) -> String {
    let key = tcp("10.0.0.1", 80);
    written(|out| Text::new(style(view), None).server(out, &key, row))
}

#[test]
fn the_title_has_the_version() {
    let info = Info::new(0x010201, 4096);
    assert_eq!(
        written(|out| title(out, &info)),
        "IP Virtual Server version 1.2.1 (size=4096)\n"
    );
}

#[test]
fn titles_have_the_blanks_of_the_original() {
    for (view, first, second) in [
        (
            View::Plain,
            "Prot LocalAddress:Port Scheduler Flags",
            "  -> RemoteAddress:Port           Forward Weight ActiveConn InActConn",
        ),
        (
            View::Stats,
            "Prot LocalAddress:Port               Conns   InPkts  OutPkts  InBytes OutBytes",
            "  -> RemoteAddress:Port",
        ),
        (
            View::Rate,
            "Prot LocalAddress:Port                 CPS    InPPS   OutPPS    InBPS   OutBPS",
            "  -> RemoteAddress:Port",
        ),
        (
            View::Thresholds,
            "Prot LocalAddress:Port            Uthreshold Lthreshold ActiveConn InActConn ",
            "  -> RemoteAddress:Port",
        ),
        (
            View::PersistentConn,
            "Prot LocalAddress:Port            Weight    PersistConn ActiveConn InActConn ",
            "  -> RemoteAddress:Port",
        ),
        (
            View::TunInfo,
            "Prot LocalAddress:Port Scheduler Flags",
            "  -> RemoteAddress:Port           Forward TunnelInfo    Weight ActiveConn InActConn",
        ),
    ] {
        assert_eq!(
            written(|out| column_titles(out, style(view))),
            format!("{first}\n{second}\n")
        );
    }
}

#[test]
fn services_have_their_protocol_or_mark() {
    let udp = ServiceKey::Address {
        protocol: Protocol::Udp,
        address: "2001:db8::1".parse().unwrap(),
        port: 53,
    };
    let sctp = ServiceKey::Address {
        protocol: Protocol::Sctp,
        address: "10.0.0.1".parse().unwrap(),
        port: 0,
    };
    for (key, wanted) in [
        (tcp("10.0.0.1", 80), "TCP  10.0.0.1:80 rr"),
        (udp, "UDP  [2001:db8::1]:53 rr"),
        (sctp, "SCTP 10.0.0.1:0 rr"),
        (mark(5, Family::Inet), "FWM  5 rr"),
        (mark(u32::MAX, Family::Inet6), "FWM  4294967295 IPv6 rr"),
    ] {
        let row = service_row(View::Plain, &sample::service(key));
        assert_eq!(row, format!("{wanted}\n"));
    }
}

#[test]
fn flags_stand_after_the_scheduler() {
    let mut row = sample::service(tcp("10.0.0.1", 80));
    row.config.timeout = 360;
    row.config.engine = Some(Name::from("sip"));
    row.config.scheduler = Name::from("sh");
    for (flags, mask, wanted) in [
        (0, Ipv4Mask::Host, "sh"),
        (4, Ipv4Mask::Host, "sh ops"),
        (1, Ipv4Mask::Host, "sh persistent 360 pe sip"),
        (
            0x1d,
            Ipv4Mask::Net,
            "sh (sh-fallback,sh-port) persistent 360 mask 255.255.255.0 pe sip ops",
        ),
        (0x20, Ipv4Mask::Host, "sh ()"),
    ] {
        row.config.flags = ServiceFlags::from_bits_retain(flags);
        row.config.netmask = mask.netmask();
        let wanted = format!("TCP  10.0.0.1:80 {wanted}\n");
        assert_eq!(service_row(View::Plain, &row), wanted);
        assert_eq!(service_row(View::Thresholds, &row), wanted);
    }
}

#[derive(Clone, Copy)]
enum Ipv4Mask {
    Host,
    Net,
}

impl Ipv4Mask {
    fn netmask(self) -> Netmask {
        match self {
            Ipv4Mask::Host => Netmask::host(Family::Inet),
            Ipv4Mask::Net => Netmask::V4([255, 255, 255, 0].into()),
        }
    }
}

#[test]
fn an_ipv6_mask_is_a_prefix() {
    let mut row = sample::service(tcp("2001:db8::1", 443));
    row.config.flags = ServiceFlags::PERSISTENT;
    row.config.timeout = 1;
    row.config.netmask = Netmask::V6(64);
    assert_eq!(
        service_row(View::TunInfo, &row),
        "TCP  [2001:db8::1]:443 rr persistent 1 mask 64\n"
    );
}

#[test]
fn columns_of_counters() {
    let row = sample::service(tcp("10.0.0.1", 80));
    assert_eq!(
        service_row(View::Stats, &row),
        "TCP  10.0.0.1:80                         1       22      333  123456K    5000M\n"
    );
    assert_eq!(
        service_row(View::Rate, &row),
        "TCP  10.0.0.1:80                         4  123456K        0        6  100000K\n"
    );
    let row = server("10.0.0.2", 80, Forwarding::Masq);
    assert_eq!(
        server_row(View::Stats, &row),
        "  -> 10.0.0.2:80                         1       22      333  123456K    5000M\n"
    );
    assert_eq!(
        server_row(View::Rate, &row),
        "  -> 10.0.0.2:80                         4 123456789        0        6  100000K\n"
    );
    let exact = Style {
        view: View::Stats,
        exact: true,
    };
    assert_eq!(
        written(|out| Text::new(exact, None).server(out, &tcp("10.0.0.1", 80), &row)),
        "  -> 10.0.0.2:80                         1       22      333 123456789 5000000000\n"
    );
}

#[test]
fn columns_of_servers() {
    let mut row = server("10.0.0.2", 80, Forwarding::Masq);
    row.config.weight = 65536;
    row.config.upper_threshold = 100;
    row.config.lower_threshold = 90;
    for (view, wanted) in [
        (
            View::Plain,
            "  -> 10.0.0.2:80                  Masq    65536  12         3456      ",
        ),
        (
            View::Thresholds,
            "  -> 10.0.0.2:80                  100        90         12         3456      ",
        ),
        (
            View::PersistentConn,
            "  -> 10.0.0.2:80                  65536     7           12         3456      ",
        ),
        (
            View::TunInfo,
            "  -> 10.0.0.2:80                  Masq    n/a           65536  12         3456      ",
        ),
    ] {
        assert_eq!(server_row(view, &row), format!("{wanted}\n"));
    }
}

#[test]
fn tunnels_have_their_encapsulation() {
    let checksum = TunnelChecksum::None;
    for (tunnel, wanted) in [
        (Tunnel::Ipip, "ipip         "),
        (
            Tunnel::Gue {
                port: 6080,
                checksum: TunnelChecksum::Remote,
            },
            "gue:6080:r+c ",
        ),
        (Tunnel::Gre { checksum }, "gre:-c       "),
        (
            Tunnel::Gre {
                checksum: TunnelChecksum::Checksum,
            },
            "gre:+c       ",
        ),
        (
            Tunnel::Other {
                kind: 7,
                port: 6080,
                flags: 9,
            },
            "7:6080:9     ",
        ),
    ] {
        let row = server("fd00::2", 80, Forwarding::Tunnel(tunnel));
        assert_eq!(
            server_row(View::TunInfo, &row),
            format!(
                "  -> [fd00::2]:80                 Tunnel  {wanted} 1      12         3456      \n"
            )
        );
    }
}

#[test]
fn unknown_values_are_listed_by_their_numbers() {
    let tunnel = Tunnel::Ipip;
    let row = server("10.0.0.2", 80, Forwarding::Other { method: 5, tunnel });
    assert_eq!(
        server_row(View::Plain, &row),
        "  -> 10.0.0.2:80                  5       1      12         3456      \n"
    );
    let row = sample::service(ServiceKey::Address {
        protocol: Protocol::Other(50),
        address: "10.0.0.1".parse().unwrap(),
        port: 80,
    });
    assert_eq!(service_row(View::Plain, &row), "IP_50 10.0.0.1:80 rr\n");
}

#[test]
fn ipv6_is_never_cut_and_pushes_the_columns() {
    let address = "2001:db8:1111:2222:3333:4444:5555:6666";
    let row = server(address, 65535, Forwarding::Route);
    assert_eq!(
        server_row(View::Plain, &row),
        format!("  -> [{address}]:65535 Route   1      12         3456      \n")
    );
}

#[test]
fn names_are_cut_where_the_original_cuts_them() {
    let long = "a23456789.123456789.123456789.123456789.123456789.123456789.test";
    let mut names = Named(long);
    let mut plain = Text::new(style(View::Plain), Some(&mut names));
    let row = sample::service(tcp("10.0.0.1", 80));
    assert_eq!(
        written(|out| plain.service(out, &row)),
        format!("TCP  {} rr\n", &long[..28])
    );
    let row = sample::service(tcp("2001:db8::1", 80));
    assert_eq!(
        written(|out| plain.service(out, &row)),
        format!("TCP  [{} rr\n", &long[..58])
    );
    let row = server("10.0.0.2", 80, Forwarding::Route);
    assert_eq!(
        written(|out| plain.server(out, &tcp("10.0.0.1", 80), &row)),
        format!(
            "  -> {} Route   1      12         3456      \n",
            &long[..28]
        )
    );
}

#[test]
fn servers_of_a_mark_have_no_service_names() {
    let row = server("10.0.0.2", 80, Forwarding::Route);
    let key = mark(1, Family::Inet);
    assert_eq!(
        written(|out| {
            Text::new(style(View::Plain), Some(&mut Named("rs"))).server(out, &key, &row)
        }),
        "  -> rs:80                        Route   1      12         3456      \n"
    );
}
