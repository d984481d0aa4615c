//! `--openmetrics=node`: what node_exporter's collector of IPVS prints, name for
//! name and in its order, so that dashboards and rules made for that work unchanged.
//!
//! Its library writes metrics by their names, samples by the values of their
//! labels, and numbers as Go does.

use super::{describe, put_label};
use crate::procfs::Stats;
use crate::render::buffer::Buffer;
use ipvs::{Server, ServiceKey, Table};
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::net::IpAddr;
use std::os::unix::ffi::OsStrExt;

/// The labels of a real server, sorted; `netns` only where one was named.
const LABELS: [&str; 7] = [
    "local_address",
    "local_mark",
    "local_port",
    NETNS,
    "proto",
    "remote_address",
    "remote_port",
];

const NETNS: &str = "netns";

/// The values of [`LABELS`].
type Values = [Vec<u8>; LABELS.len()];

/// Connections and the weight. Those of servers with the same labels are added up,
/// as there: a mark may be there for both families.
#[derive(Clone, Copy, Debug, Default)]
struct Backend {
    active: i64,
    inactive: i64,
    weight: i64,
}

/// What a metric of real servers takes of one.
type Gauge = (&'static str, &'static str, fn(&Backend) -> i64);

#[rustfmt::skip] // one line a metric
static GAUGES: [Gauge; 3] = [
    ("node_ipvs_backend_connections_active", "The current active connections by local and remote address.", |b| b.active),
    ("node_ipvs_backend_connections_inactive", "The current inactive connections by local and remote address.", |b| b.inactive),
    ("node_ipvs_backend_weight", "The current backend weight by local and remote address.", |b| b.weight),
];

/// Writes all metrics, of the network namespace `netns` if one was named.
pub fn node(out: &mut Buffer, netns: Option<&OsStr>, totals: &Stats, table: &Table) {
    let mut backends: BTreeMap<Values, Backend> = BTreeMap::new();
    for (service, servers) in &table.services {
        for server in servers {
            let sum = backends
                .entry(values(netns, &service.key, server))
                .or_default();
            sum.active += i64::from(server.active);
            sum.inactive += i64::from(server.inactive);
            sum.weight += i64::from(server.config.weight);
        }
    }
    for (name, help, value) in &GAUGES {
        // There, a metric without a sample is none.
        if !backends.is_empty() {
            describe(out, name, "gauge", help);
        }
        for (values, backend) in &backends {
            let labels = LABELS.into_iter().zip(values);
            let labels = labels.filter(|(label, _)| *label != NETNS || netns.is_some());
            let mut before = b'{';
            out.text(name);
            for (label, value) in labels {
                out.push(before);
                put_label(out, label, value);
                before = b',';
            }
            out.text("} ");
            out.text(number(value(backend).into()));
            out.end_line();
        }
    }
    #[rustfmt::skip] // one line a metric
    let counters = [
        ("node_ipvs_connections_total", "The total number of connections made.", totals.connections),
        ("node_ipvs_incoming_bytes_total", "The total amount of incoming data.", totals.incoming_bytes),
        ("node_ipvs_incoming_packets_total", "The total number of incoming packets.", totals.incoming_packets),
        ("node_ipvs_outgoing_bytes_total", "The total amount of outgoing data.", totals.outgoing_bytes),
        ("node_ipvs_outgoing_packets_total", "The total number of outgoing packets.", totals.outgoing_packets),
    ];
    for (name, help, value) in counters {
        describe(out, name, "counter", help);
        out.text(name);
        if let Some(netns) = netns {
            out.push(b'{');
            put_label(out, NETNS, netns.as_bytes());
            out.push(b'}');
        }
        out.push(b' ');
        out.text(number(value.into()));
        out.end_line();
    }
}

/// The values of the labels of `server` in `service`.
fn values(netns: Option<&OsStr>, service: &ServiceKey, server: &Server) -> Values {
    let netns = netns.map_or_else(Vec::new, |netns| netns.as_bytes().to_vec());
    let (local, mark, proto) = match service {
        ServiceKey::Address {
            protocol, address, ..
        } => (go_address(address), String::new(), protocol.kernel_name()),
        ServiceKey::Fwmark { mark, .. } => (String::new(), format!("{mark:08X}"), "FWM".into()),
    };
    [
        local.into(),
        mark.into(),
        service.port().to_string().into(),
        netns,
        proto.as_bytes().to_vec(),
        go_address(&server.key.address).into(),
        server.key.port.to_string().into(),
    ]
}

/// An address as Go prints it: one of IPv4 within IPv6 is one of IPv4.
fn go_address(address: &IpAddr) -> String {
    address.to_canonical().to_string()
}

/// A number as Go prints it: as few digits as tell it from all others, and an
/// exponent from a million on.
#[expect(clippy::cast_precision_loss, reason = "there, all numbers are floats")]
fn number(value: i128) -> String {
    let value = value as f64;
    if value.abs() < 1e6 {
        return value.to_string();
    }
    let text = format!("{value:e}");
    match text.split_once('e') {
        Some((digits, exponent)) => format!("{digits}e+{exponent:0>2}"),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::sample::{mark, server, service, tcp, written};
    use ipvs::{Family, Forwarding};

    fn table() -> Table {
        let real = server("10.0.0.2", 8080, Forwarding::Masq);
        let mut second = server("10.0.0.10", 80, Forwarding::Masq);
        (second.active, second.inactive, second.config.weight) = (1_000_000, 0, 65_535);
        Table {
            services: vec![
                (service(tcp("10.0.0.1", 80)), vec![real, second]),
                (service(mark(0xabcd, Family::Inet)), vec![real]),
                (service(mark(0xabcd, Family::Inet6)), vec![real]),
                (service(tcp("::ffff:10.0.0.1", 443)), Vec::new()),
            ],
        }
    }

    const TOTALS: Stats = Stats {
        connections: 23_765_872,
        incoming_packets: 999_999,
        outgoing_packets: 0,
        incoming_bytes: 89_991_519_156_915,
        outgoing_bytes: 1_000_000,
    };

    #[test]
    fn metrics_are_those_of_node_exporter() {
        let text = written(|out| node(out, None, &TOTALS, &table()));
        assert_eq!(
            text,
            "\
# HELP node_ipvs_backend_connections_active The current active connections by local and remote address.
# TYPE node_ipvs_backend_connections_active gauge
node_ipvs_backend_connections_active{local_address=\"\",local_mark=\"0000ABCD\",local_port=\"0\",proto=\"FWM\",remote_address=\"10.0.0.2\",remote_port=\"8080\"} 24
node_ipvs_backend_connections_active{local_address=\"10.0.0.1\",local_mark=\"\",local_port=\"80\",proto=\"TCP\",remote_address=\"10.0.0.10\",remote_port=\"80\"} 1e+06
node_ipvs_backend_connections_active{local_address=\"10.0.0.1\",local_mark=\"\",local_port=\"80\",proto=\"TCP\",remote_address=\"10.0.0.2\",remote_port=\"8080\"} 12
# HELP node_ipvs_backend_connections_inactive The current inactive connections by local and remote address.
# TYPE node_ipvs_backend_connections_inactive gauge
node_ipvs_backend_connections_inactive{local_address=\"\",local_mark=\"0000ABCD\",local_port=\"0\",proto=\"FWM\",remote_address=\"10.0.0.2\",remote_port=\"8080\"} 6912
node_ipvs_backend_connections_inactive{local_address=\"10.0.0.1\",local_mark=\"\",local_port=\"80\",proto=\"TCP\",remote_address=\"10.0.0.10\",remote_port=\"80\"} 0
node_ipvs_backend_connections_inactive{local_address=\"10.0.0.1\",local_mark=\"\",local_port=\"80\",proto=\"TCP\",remote_address=\"10.0.0.2\",remote_port=\"8080\"} 3456
# HELP node_ipvs_backend_weight The current backend weight by local and remote address.
# TYPE node_ipvs_backend_weight gauge
node_ipvs_backend_weight{local_address=\"\",local_mark=\"0000ABCD\",local_port=\"0\",proto=\"FWM\",remote_address=\"10.0.0.2\",remote_port=\"8080\"} 2
node_ipvs_backend_weight{local_address=\"10.0.0.1\",local_mark=\"\",local_port=\"80\",proto=\"TCP\",remote_address=\"10.0.0.10\",remote_port=\"80\"} 65535
node_ipvs_backend_weight{local_address=\"10.0.0.1\",local_mark=\"\",local_port=\"80\",proto=\"TCP\",remote_address=\"10.0.0.2\",remote_port=\"8080\"} 1
# HELP node_ipvs_connections_total The total number of connections made.
# TYPE node_ipvs_connections_total counter
node_ipvs_connections_total 2.3765872e+07
# HELP node_ipvs_incoming_bytes_total The total amount of incoming data.
# TYPE node_ipvs_incoming_bytes_total counter
node_ipvs_incoming_bytes_total 8.9991519156915e+13
# HELP node_ipvs_incoming_packets_total The total number of incoming packets.
# TYPE node_ipvs_incoming_packets_total counter
node_ipvs_incoming_packets_total 999999
# HELP node_ipvs_outgoing_bytes_total The total amount of outgoing data.
# TYPE node_ipvs_outgoing_bytes_total counter
node_ipvs_outgoing_bytes_total 1e+06
# HELP node_ipvs_outgoing_packets_total The total number of outgoing packets.
# TYPE node_ipvs_outgoing_packets_total counter
node_ipvs_outgoing_packets_total 0
"
        );
    }

    #[test]
    fn a_network_namespace_is_one_more_label_in_its_place() {
        let text = written(|out| node(out, Some(OsStr::new("a\"b")), &TOTALS, &table()));
        for line in [
            "node_ipvs_backend_weight{local_address=\"\",local_mark=\"0000ABCD\",local_port=\"0\",netns=\"a\\\"b\",proto=\"FWM\",remote_address=\"10.0.0.2\",remote_port=\"8080\"} 2",
            "node_ipvs_incoming_packets_total{netns=\"a\\\"b\"} 999999",
        ] {
            assert!(text.contains(&format!("\n{line}\n")), "{line}\n{text}");
        }
    }

    #[test]
    fn numbers_and_addresses_are_those_of_go() {
        for (value, wanted) in [
            (0, "0"),
            (-5, "-5"),
            (999_999, "999999"),
            (1_234_567, "1.234567e+06"),
            (u64::MAX.into(), "1.8446744073709552e+19"),
        ] {
            assert_eq!(number(value), wanted);
        }
        for (address, wanted) in [
            ("::ffff:10.0.0.1", "10.0.0.1"),
            ("::1.2.3.4", "::102:304"),
            ("::1:2", "::1:2"),
            ("2001:db8::1", "2001:db8::1"),
        ] {
            assert_eq!(go_address(&address.parse().unwrap()), wanted);
        }
    }
}
