use super::*;
use crate::connections::{Endpoint, Keys};
use crate::render::sample::{mark, server, service, tcp, written};
use crate::selection::Network;
use ipvs::{DaemonConfig, DaemonRole, Name, ServerKey};
use serde_json::{Value as Parsed, json};

fn parsed(write: impl FnOnce(Json, &mut Buffer)) -> Parsed {
    let text = written(|out| write(Json::default(), out));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

fn table(write: impl FnOnce(&mut dyn TableReport, &mut Buffer)) -> Parsed {
    parsed(|mut json, out| write(&mut json, out))
}

fn connections(write: impl FnOnce(&mut dyn ConnectionReport, &mut Buffer)) -> Parsed {
    parsed(|mut json, out| write(&mut json, out))
}

const INFO: Info = Info::new(0x010201, 4096);

#[test]
fn a_table_is_one_document_and_a_row_one_line() {
    let web = service(tcp("10.0.0.1", 80));
    let marked = service(mark(u32::MAX, Family::Inet6));
    let rows = |json: &mut dyn TableReport, out: &mut Buffer| {
        json.head(out, Some(&INFO));
        json.service(out, &web);
        for address in ["10.0.0.2", "10.0.0.3"] {
            json.server(out, &web.key, &server(address, 8080, Forwarding::Masq));
        }
        json.service(out, &marked);
        json.end(out);
    };
    let lines = written(|out| rows(&mut Json::default(), out));
    assert_eq!(lines.lines().count(), 1 + 4 + 2);
    let table = table(rows);
    assert_eq!(table["version"], "1.2.1");
    assert_eq!(table["connection_table_size"], 4096);
    let [web, marked] = &table["services"].as_array().unwrap()[..] else {
        panic!("{table}");
    };
    assert_eq!(web["protocol"], "tcp");
    assert_eq!(web["address"], "10.0.0.1");
    assert_eq!(web["port"], 80);
    assert_eq!(web["counters"]["outgoing_bytes"], 5_000_000_000u64);
    assert_eq!(web["servers"][1]["address"], "10.0.0.3");
    assert_eq!(web["servers"][1]["inactive_connections"], 3456);
    assert_eq!(web["servers"].as_array().unwrap().len(), 2);
    assert_eq!(marked["fwmark"], u32::MAX);
    assert_eq!(marked["fwmark_hex"], "0xffffffff");
    assert_eq!(marked["family"], "inet6");
    assert_eq!(marked["protocol"], Parsed::Null);
    assert_eq!(marked["persistence_prefix_length"], 128);
    assert_eq!(marked["servers"], json!([]));
}

#[test]
fn a_document_without_its_end_is_not_json() {
    let web = service(tcp("10.0.0.1", 80));
    let cut = |count: usize| {
        written(|out| {
            let json: &mut dyn TableReport = &mut Json::default();
            json.head(out, Some(&INFO));
            for _ in 0..count {
                json.service(out, &web);
                json.server(out, &web.key, &server("10.0.0.2", 80, Forwarding::Masq));
            }
        })
    };
    for count in 0..3 {
        let text = cut(count);
        assert!(serde_json::from_str::<Parsed>(&text).is_err(), "{text}");
    }
}

#[test]
fn empty_lists_are_lists() {
    let services = table(|json, out| {
        json.head(out, Some(&INFO));
        json.end(out);
    });
    assert_eq!(services["services"], json!([]));
    let none = connections(|json, out| {
        json.head(out, None);
        json.end(out);
    });
    assert_eq!(none, json!({"connections": []}));
    let none = parsed(|json, out| json.daemons(out, &[]));
    assert_eq!(none, json!({"daemons": []}));
}

#[test]
fn flags_have_names_and_a_number() {
    let mut scheduled = service(tcp("10.0.0.1", 80));
    let mut flags = |bits, scheduler: &str| {
        scheduled.config.flags = ServiceFlags::from_bits_retain(bits);
        scheduled.config.scheduler = Name::from(scheduler);
        table(|json, out| {
            json.head(out, Some(&INFO));
            json.service(out, &scheduled);
            json.end(out);
        })["services"][0]
            .clone()
    };
    assert_eq!(flags(0, "rr")["flags"], json!([]));
    let all = flags(0xffff_ffff, "sh");
    let names = [
        "persistent",
        "hashed",
        "one-packet",
        "sh-fallback",
        "sh-port",
    ];
    assert_eq!(all["flags"], json!(names));
    assert_eq!(all["flag_bits"], u32::MAX);
    assert_eq!(flags(0x22, "rr")["flags"], json!(["hashed", "flag-3"]));
}

#[test]
fn numbers_at_their_limits() {
    let mut web = service(tcp("10.0.0.1", 80));
    web.stats.conns = u64::MAX;
    web.config.timeout = u32::MAX;
    web.config.scheduler = Name::cut(b"w\xff\"rr", 16);
    let mut real = server("::1", u16::MAX, Forwarding::Bypass);
    real.config.weight = i32::MIN;
    let text = written(|out| {
        let json: &mut dyn TableReport = &mut Json::default();
        json.head(out, None);
        json.service(out, &web);
        json.server(out, &web.key, &real);
        json.end(out);
    });
    assert!(
        text.contains("\"connections\":18446744073709551615,"),
        "{text}"
    );
    let table: Parsed = serde_json::from_str(&text).unwrap();
    assert_eq!(table["version"], Parsed::Null);
    let service = &table["services"][0];
    assert_eq!(service["persistence_timeout_seconds"], u32::MAX);
    assert_eq!(service["scheduler"], "w\u{fffd}\"rr");
    assert_eq!(service["servers"][0]["weight"], i32::MIN);
    assert_eq!(service["servers"][0]["address"], "::1");
}

#[test]
fn every_forwarding_has_a_name_and_every_tunnel_its_settings() {
    use TunnelChecksum::{Checksum, None, Remote};
    let tunnel = |tunnel| ("tunneling", Forwarding::Tunnel(tunnel));
    let gue = |checksum| {
        tunnel(Tunnel::Gue {
            port: 6080,
            checksum,
        })
    };
    let null = Parsed::Null;
    for ((name, forwarding), wanted) in [
        (("masquerading", Forwarding::Masq), null.clone()),
        (("local", Forwarding::Local), null.clone()),
        (("gatewaying", Forwarding::Route), null.clone()),
        (("bypass", Forwarding::Bypass), null.clone()),
        (
            tunnel(Tunnel::Ipip),
            json!({"type": "ipip", "port": null, "checksum": null}),
        ),
        (
            gue(None),
            json!({"type": "gue", "port": 6080, "checksum": "none"}),
        ),
        (
            gue(Remote),
            json!({"type": "gue", "port": 6080, "checksum": "remote"}),
        ),
        (
            tunnel(Tunnel::Gre { checksum: Checksum }),
            json!({"type": "gre", "port": null, "checksum": "checksum"}),
        ),
        (
            tunnel(Tunnel::Other {
                kind: 7,
                port: 6080,
                flags: 9,
            }),
            json!({"type": "7", "port": 6080, "checksum": "9"}),
        ),
        (
            (
                "5",
                Forwarding::Other {
                    method: 5,
                    tunnel: Tunnel::Ipip,
                },
            ),
            null.clone(),
        ),
    ] {
        let key = tcp("10.0.0.1", 80);
        let server = &table(|json, out| {
            json.head(out, Option::None);
            json.service(out, &service(key));
            json.server(out, &key, &server("10.0.0.2", 80, forwarding));
            json.end(out);
        })["services"][0]["servers"][0];
        assert_eq!(server["forwarding"], name);
        assert_eq!(server["tunnel"], wanted, "{name}");
    }
}

fn connection(engine: Option<(&'static [u8], &'static [u8])>) -> Connection<'static> {
    let ServerKey { address, port } = crate::render::sample::server_key("10.0.0.9", 80);
    let endpoint = Endpoint { address, port };
    Connection {
        protocol: b"TCP",
        client: endpoint,
        service: endpoint,
        server: endpoint,
        state: b"ESTABLISHED",
        expires: 899,
        engine,
        origin: None,
    }
}

/// Whatever the kernel says, the document is JSON, and text that is UTF-8 comes
/// back as it was.
#[test]
fn hostile_texts_are_escaped() {
    let data = b"a\"b\\c\x01\x1b\x7f/\xff\xc3\xa9\xe2\x80\xa8</script>";
    let row = connection(Some((b"s\"ip", data)));
    let document = connections(|json, out| {
        json.head(out, None);
        json.connection(out, &connection(None));
        json.connection(out, &row);
        let protocol = b"ICMPv6\xff";
        json.connection(out, &Connection { protocol, ..row });
        json.end(out);
    });
    let rows = &document["connections"];
    assert_eq!(rows[0]["persistence_engine"], Parsed::Null);
    assert_eq!(rows[0]["protocol"], "tcp");
    assert_eq!(rows[0]["expires_seconds"], 899);
    assert_eq!(rows[1]["persistence_engine"], "s\"ip");
    assert_eq!(
        rows[1]["persistence_engine_data"],
        "a\"b\\c\u{1}\u{1b}\u{7f}/\u{fffd}é\u{2028}</script>"
    );
    assert_eq!(rows[2]["protocol"], "icmpv6\u{fffd}");
}

#[test]
fn counts_have_the_members_of_their_keys() {
    let at = connection(None).service;
    let count = |connections, templates| Count {
        connections,
        templates,
    };
    let all = [
        KeyValue::Service(at, "TCP".into()),
        KeyValue::Server(at),
        KeyValue::Client(Network::of(at.address, 24)),
        KeyValue::State("ESTABLISHED".into()),
        KeyValue::Protocol("TCP".into()),
    ];
    let document = connections(|json, out| {
        json.head(out, Some(Keys::default()));
        json.count(out, count(7, 1), &all);
        json.count(out, count(1, 0), &all[4..]);
        let rest = Rest {
            groups: 2,
            count: count(3, 0),
        };
        json.total(out, Some(rest), rest.count);
        json.end(out);
    });
    let row = &document["counts"][0];
    assert_eq!(row.as_object().map(|row| row.len()), Some(10));
    assert_eq!(row["client_prefix_length"], 24);
    assert_eq!(row["state"], "ESTABLISHED");
    assert_eq!(
        document["counts"][1],
        json!({"connections": 1, "templates": 0, "protocol": "tcp"})
    );
    let rest = json!({"rows": 2, "connections": 3, "templates": 0});
    assert_eq!(document["rest"], rest);
    let none = connections(|json, out| {
        json.head(out, Some(Keys::default()));
        json.total(out, None, Count::default());
        json.end(out);
    });
    let total = json!({"connections": 0, "templates": 0});
    assert_eq!(none, json!({"counts": [], "rest": null, "total": total}));
}

#[test]
fn timeouts_and_daemons() {
    let times = Timeouts {
        tcp: 900,
        tcp_fin: 120,
        udp: u32::MAX,
    };
    let document = parsed(|json, out| json.timeouts(out, &times));
    let wanted = json!({"tcp_seconds": 900, "tcp_fin_seconds": 120, "udp_seconds": u32::MAX});
    assert_eq!(document, json!({ "timeouts": wanted }));

    let master = Daemon {
        role: DaemonRole::Master,
        config: DaemonConfig {
            interface: Some(Name::cut(b"eth\xff\"", 16)),
            sync_id: 255,
            group: Some("ff02::1:2".parse().unwrap()),
            ..DaemonConfig::default()
        },
    };
    let document = parsed(|json, out| json.daemons(out, &[master, master]));
    assert_eq!(
        document["daemons"][1],
        json!({
            "role": "master", "interface": "eth\u{fffd}\"", "sync_id": 255,
            "maximum_message_bytes": null, "multicast_group": "ff02::1:2",
            "multicast_port": null, "multicast_ttl": null,
        })
    );
}
