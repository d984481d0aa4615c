//! `--openmetrics`: services and servers as metrics, for Prometheus.
//!
//! All samples of a metric must stand together, so that the whole table is written
//! once for each. Labels are those of node_exporter's collector of IPVS, for joins.
//!
//! HELP and TYPE name counters with their `_total`: node_exporter's textfile
//! collector and promtool read the older text format, which has no other name for
//! them, and Prometheus reads both. OpenMetrics 1.0 has the name without `_total`
//! there, and strict readers insist. The only form that all of them take leaves
//! the TYPE of counters out, and then nobody knows that they are counters. UNIT
//! would have to be the end of a name, which `_total` is; units are part of the
//! names.

use super::address;
use super::buffer::Buffer;
use ipvs::{Family, Info, Server, Service, ServiceKey, Stats};

/// What a metric's samples are of.
enum Of {
    /// One for each service: a counter.
    Service(fn(&Stats) -> u64),
    /// One for each server: a counter.
    Server(fn(&Stats) -> u64),
    /// One for each server: a value that goes up and down.
    Gauge(fn(&Server) -> i64),
}

/// What is counted or measured of all services, or of all servers.
pub struct Metric {
    name: &'static str,
    help: &'static str,
    of: Of,
}

const fn metric(name: &'static str, of: Of, help: &'static str) -> Metric {
    Metric { name, help, of }
}

/// All metrics, in the order in which they are written.
#[rustfmt::skip] // one line a metric
pub static METRICS: [Metric; 16] = [
    metric("ipvs_service_connections_total", Of::Service(|s| s.conns), "Connections scheduled."),
    metric("ipvs_service_incoming_packets_total", Of::Service(|s| s.in_packets), "Packets from clients."),
    metric("ipvs_service_outgoing_packets_total", Of::Service(|s| s.out_packets), "Packets to clients that passed the director."),
    metric("ipvs_service_incoming_bytes_total", Of::Service(|s| s.in_bytes), "Bytes from clients."),
    metric("ipvs_service_outgoing_bytes_total", Of::Service(|s| s.out_bytes), "Bytes to clients that passed the director."),
    metric("ipvs_server_connections_total", Of::Server(|s| s.conns), "Connections scheduled."),
    metric("ipvs_server_incoming_packets_total", Of::Server(|s| s.in_packets), "Packets from clients."),
    metric("ipvs_server_outgoing_packets_total", Of::Server(|s| s.out_packets), "Packets to clients that passed the director."),
    metric("ipvs_server_incoming_bytes_total", Of::Server(|s| s.in_bytes), "Bytes from clients."),
    metric("ipvs_server_outgoing_bytes_total", Of::Server(|s| s.out_bytes), "Bytes to clients that passed the director."),
    metric("ipvs_server_connections_active", Of::Gauge(|s| s.active.into()), "Connections in an active state."),
    metric("ipvs_server_connections_inactive", Of::Gauge(|s| s.inactive.into()), "All other connections."),
    metric("ipvs_server_connections_persistent", Of::Gauge(|s| s.persistent.into()), "Persistence templates."),
    metric("ipvs_server_weight", Of::Gauge(|s| s.config.weight.into()), "The server's share; 0 takes no new connections."),
    metric("ipvs_server_upper_threshold", Of::Gauge(|s| s.config.upper_threshold.into()), "No new connections above so many; 0 is no limit."),
    metric("ipvs_server_lower_threshold", Of::Gauge(|s| s.config.lower_threshold.into()), "New connections again below so many; 0 is no limit."),
];

/// The beginning: what there is to say about the whole table.
pub fn head(out: &mut Buffer, info: &Info) {
    const NAME: &str = "ipvs_connection_table_size";
    describe(out, NAME, "gauge", "Buckets of the connection table.");
    out.text(NAME);
    out.push(b' ');
    out.number(info.conn_tab_size);
    out.end_line();
}

/// The end; it is missing where a failure cut the output off.
pub fn end(out: &mut Buffer) {
    out.text("# EOF\n");
}

impl Metric {
    /// What it is; comes before all of its samples.
    pub fn head(&self, out: &mut Buffer) {
        let kind = match self.of {
            Of::Service(_) | Of::Server(_) => "counter",
            Of::Gauge(_) => "gauge",
        };
        describe(out, self.name, kind, self.help);
    }

    /// The samples of a service and its servers.
    pub fn samples(&self, out: &mut Buffer, service: &Service, servers: &[Server]) {
        if let Of::Service(value) = self.of {
            out.text(self.name);
            service_labels(out, &service.key);
            out.text("} ");
            out.number(value(&service.stats));
            out.end_line();
            return;
        }
        for server in servers {
            self.sample(out, &service.key, server);
        }
    }

    /// The sample of a server.
    fn sample(&self, out: &mut Buffer, service: &ServiceKey, server: &Server) {
        out.text(self.name);
        service_labels(out, service);
        out.text(",remote_address=\"");
        address::address(out, &server.key.address);
        out.text("\",remote_port=\"");
        out.number(server.key.port);
        out.text("\"} ");
        match self.of {
            Of::Service(_) => {}
            Of::Server(value) => out.number(value(&server.stats)),
            Of::Gauge(value) => {
                let value = value(server);
                if value < 0 {
                    out.push(b'-');
                }
                out.number(value.unsigned_abs());
            }
        }
        out.end_line();
    }
}

fn describe(out: &mut Buffer, name: &str, kind: &str, help: &str) {
    for (word, said) in [("HELP", help), ("TYPE", kind)] {
        for part in ["# ", word, " ", name, " ", said, "\n"] {
            out.text(part);
        }
    }
}

/// The labels of a service, without the brace after them: none of their values
/// has anything to escape. A mark may be there for both families: the second
/// has one more label.
fn service_labels(out: &mut Buffer, key: &ServiceKey) {
    out.text("{local_address=\"");
    match key {
        ServiceKey::Address {
            protocol,
            address,
            port,
        } => {
            address::address(out, address);
            out.text("\",local_port=\"");
            out.number(*port);
            out.text("\",local_mark=\"\",proto=\"");
            out.text(protocol.kernel_name().as_bytes());
            out.push(b'"');
        }
        ServiceKey::Fwmark { mark, family } => {
            out.text("\",local_port=\"0\",local_mark=\"");
            out.text(format!("{mark:08X}"));
            out.text("\",proto=\"FWM\"");
            if *family == Family::Inet6 {
                out.text(",family=\"inet6\"");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::sample::{mark, server, service, tcp, written};
    use ipvs::Forwarding;

    const INFO: Info = Info::new(0x010201, 4096);

    fn metrics() -> String {
        let services = [
            service(tcp("10.0.0.1", 80)),
            service(tcp("2001:db8::1", 80)),
            service(mark(0xabcd, Family::Inet)),
            service(mark(0xabcd, Family::Inet6)),
        ];
        let mut real = server("10.0.0.2", 8080, Forwarding::Masq);
        real.config.weight = -5;
        real.stats.conns = u64::MAX;
        written(|out| {
            head(out, &INFO);
            for metric in &METRICS {
                metric.head(out);
                for service in &services {
                    metric.samples(out, service, &[real]);
                }
            }
            end(out);
        })
    }

    #[test]
    fn each_sample_comes_once_and_under_its_metric() {
        let text = metrics();
        let mut seen = std::collections::HashSet::new();
        let mut current = "";
        for line in text.lines() {
            if let Some(rest) = line.strip_prefix("# ") {
                let name = rest.split(' ').nth(1).unwrap_or_default();
                assert!(seen.insert(rest.to_string()), "{line}");
                current = name;
                continue;
            }
            let (series, value) = line.rsplit_once(' ').unwrap();
            assert_eq!(series.split('{').next(), Some(current));
            assert!(seen.insert(series.to_string()), "twice: {line}");
            assert!(value.parse::<f64>().is_ok(), "{line}");
        }
        assert_eq!(text.lines().last(), Some("# EOF"));
    }

    #[test]
    fn labels_are_those_of_node_exporter() {
        let text = metrics();
        for line in [
            "ipvs_connection_table_size 4096",
            "ipvs_service_outgoing_bytes_total{local_address=\"10.0.0.1\",local_port=\"80\",local_mark=\"\",proto=\"TCP\"} 5000000000",
            "ipvs_service_connections_total{local_address=\"\",local_port=\"0\",local_mark=\"0000ABCD\",proto=\"FWM\"} 1",
            "ipvs_server_weight{local_address=\"2001:db8::1\",local_port=\"80\",local_mark=\"\",proto=\"TCP\",remote_address=\"10.0.0.2\",remote_port=\"8080\"} -5",
            "ipvs_server_connections_total{local_address=\"\",local_port=\"0\",local_mark=\"0000ABCD\",proto=\"FWM\",family=\"inet6\",remote_address=\"10.0.0.2\",remote_port=\"8080\"} 18446744073709551615",
        ] {
            assert!(text.contains(&format!("\n{line}\n")), "{line}\n{text}");
        }
    }
}
