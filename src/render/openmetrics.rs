//! `--openmetrics`: services and servers as metrics, for Prometheus.
//!
//! All samples of a metric must stand together, so that the whole table is written
//! once for each. Labels are those of node_exporter's collector of IPVS, for joins;
//! `node` has its names too.
//!
//! HELP and TYPE name counters with their `_total`: node_exporter's textfile
//! collector and promtool read the older text format, which has no other name for
//! them, and Prometheus reads both. OpenMetrics 1.0 has the name without `_total`
//! there, and strict readers insist. The only form that all of them take leaves
//! the TYPE of counters out, and then nobody knows that they are counters. UNIT
//! would have to be the end of a name, which `_total` is; units are part of the
//! names.

mod node;

pub use node::node;

use super::buffer::Buffer;
use super::{Source, address, json};
use crate::procfs::{CHAINS, Stats as Totals, Status};
use ipvs::{Daemon, DaemonRole, Family, Info, Server, Service, ServiceKey, Stats};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

/// Whose names metrics have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Names {
    /// Our own.
    Own,
    /// Those of node_exporter's collector of IPVS, and nothing that it has not.
    Node,
}

impl Names {
    /// What those of node_exporter are called on the command line.
    pub const NODE: &str = "node";

    /// Those that are called so.
    pub fn named(name: &[u8]) -> Option<Names> {
        (name == Names::NODE.as_bytes()).then_some(Names::Node)
    }
}

/// What there is to say besides services and servers.
#[derive(Clone, Debug)]
pub struct Director {
    /// The size of the connection table.
    pub info: Info,
    /// The counters of everything.
    pub totals: Totals,
    /// The sync daemons, where they are known.
    pub daemons: Option<Vec<Daemon>>,
    /// How full the connection table is, where the kernel says so.
    pub status: Option<Status>,
    /// How many connections there may be, where the kernel has a limit.
    pub limit: Option<u64>,
}

/// What a metric's samples are of.
enum Of {
    /// One for each service: a counter.
    Service(fn(&Stats) -> u64),
    /// One for each service, of the value 1, with these labels too.
    ServiceInfo(fn(&mut Buffer, &Service, &Source)),
    /// One for each server: a counter.
    Server(fn(&Stats) -> u64),
    /// One for each server, of the value 1, with these labels too.
    ServerInfo(fn(&mut Buffer, &Server)),
    /// One for each server: a value that goes up and down.
    Gauge(fn(&Server) -> i64),
    /// The same; only netlink has it.
    Rare(fn(&Server) -> i64),
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

/// All metrics of services and servers.
#[rustfmt::skip] // one line a metric
static METRICS: [Metric; 18] = [
    metric("ipvs_service_info", Of::ServiceInfo(service_info), "How the service is configured."),
    metric("ipvs_service_connections_total", Of::Service(|s| s.conns), "Connections scheduled."),
    metric("ipvs_service_incoming_packets_total", Of::Service(|s| s.in_packets), "Packets from clients."),
    metric("ipvs_service_outgoing_packets_total", Of::Service(|s| s.out_packets), "Packets to clients that passed the director."),
    metric("ipvs_service_incoming_bytes_total", Of::Service(|s| s.in_bytes), "Bytes from clients."),
    metric("ipvs_service_outgoing_bytes_total", Of::Service(|s| s.out_bytes), "Bytes to clients that passed the director."),
    metric("ipvs_server_info", Of::ServerInfo(server_info), "How the server is configured."),
    metric("ipvs_server_connections_total", Of::Server(|s| s.conns), "Connections scheduled."),
    metric("ipvs_server_incoming_packets_total", Of::Server(|s| s.in_packets), "Packets from clients."),
    metric("ipvs_server_outgoing_packets_total", Of::Server(|s| s.out_packets), "Packets to clients that passed the director."),
    metric("ipvs_server_incoming_bytes_total", Of::Server(|s| s.in_bytes), "Bytes from clients."),
    metric("ipvs_server_outgoing_bytes_total", Of::Server(|s| s.out_bytes), "Bytes to clients that passed the director."),
    metric("ipvs_server_connections_active", Of::Gauge(|s| s.active.into()), "Connections in an active state."),
    metric("ipvs_server_connections_inactive", Of::Gauge(|s| s.inactive.into()), "All other connections."),
    metric("ipvs_server_connections_persistent", Of::Rare(|s| s.persistent.into()), "Persistence templates."),
    metric("ipvs_server_weight", Of::Gauge(|s| s.config.weight.into()), "The server's share; 0 takes no new connections."),
    metric("ipvs_server_upper_threshold", Of::Rare(|s| s.config.upper_threshold.into()), "No new connections above so many; 0 is no limit."),
    metric("ipvs_server_lower_threshold", Of::Rare(|s| s.config.lower_threshold.into()), "New connections again below so many; 0 is no limit."),
];

/// Metrics on their way to the output.
#[derive(Clone, Debug)]
pub struct Exposition {
    /// `netns="NAME"` where a network namespace was named: files of several of
    /// them may lie in one folder. Otherwise nothing.
    netns: Vec<u8>,
    source: Source,
}

impl Exposition {
    /// Of a table that was read from `source` in the network namespace `netns`, if
    /// one was named.
    pub fn of(netns: Option<&OsStr>, source: Source) -> Exposition {
        let mut label = Buffer::default();
        if let Some(netns) = netns {
            put_label(&mut label, "netns", netns.as_bytes());
        }
        Exposition {
            netns: label.into_bytes(),
            source,
        }
    }

    /// The metrics of services and servers, in the order in which they are written.
    pub fn metrics(&self) -> impl Iterator<Item = &'static Metric> {
        METRICS.iter().filter(|metric| match metric.of {
            Of::ServiceInfo(_) | Of::ServerInfo(_) | Of::Gauge(_) => true,
            Of::Service(_) | Of::Server(_) | Of::Rare(_) => self.source == Source::Netlink,
        })
    }

    /// The beginning: what there is to say about the whole table.
    pub fn head(&self, out: &mut Buffer, director: &Director) {
        let totals = &director.totals;
        #[rustfmt::skip] // one line a metric
        let counters = [
            ("ipvs_connections_total", totals.connections, "Connections scheduled by all services, of those that are gone too."),
            ("ipvs_incoming_packets_total", totals.incoming_packets, "Packets from clients of all services."),
            ("ipvs_outgoing_packets_total", totals.outgoing_packets, "Packets to clients of all services that passed the director."),
            ("ipvs_incoming_bytes_total", totals.incoming_bytes, "Bytes from clients of all services."),
            ("ipvs_outgoing_bytes_total", totals.outgoing_bytes, "Bytes to clients of all services that passed the director."),
        ];
        for (name, value, help) in counters {
            describe(out, name, "counter", help);
            self.plain(out, name, value);
        }
        self.connection_table(out, director);
        if let Some(daemons) = &director.daemons {
            self.daemons(out, daemons);
        }
    }

    fn connection_table(&self, out: &mut Buffer, director: &Director) {
        let status = director.status.as_ref();
        #[rustfmt::skip] // one line a metric
        let gauges = [
            ("ipvs_connection_table_size", Some(director.info.conn_tab_size.into()), "Buckets of the connection table."),
            ("ipvs_connection_table_connections", status.map(|status| status.connections), "Connections and persistence templates in the connection table."),
            ("ipvs_connection_table_limit", director.limit, "No new connections above so many."),
        ];
        for (name, value, help) in gauges {
            if let Some(value) = value {
                describe(out, name, "gauge", help);
                self.plain(out, name, value);
            }
        }
        if let Some(buckets) = status.and_then(|status| status.buckets) {
            const NAME: &str = "ipvs_connection_table_buckets";
            const LENGTHS: [&str; CHAINS] = ["0", "1", "2", "3", "4", "5", "6", "7+"];
            let help = "Buckets with so many entries; a masqueraded connection has two.";
            describe(out, NAME, "gauge", help);
            for (length, count) in LENGTHS.into_iter().zip(buckets) {
                let labels = [("entries", length.as_bytes())];
                self.sample(out, NAME, &labels, count);
            }
        }
    }

    fn daemons(&self, out: &mut Buffer, daemons: &[Daemon]) {
        const RUNNING: &str = "ipvs_sync_daemon_running";
        const INFO: &str = "ipvs_sync_daemon_info";
        describe(out, RUNNING, "gauge", "Whether the sync daemon is running.");
        for role in [DaemonRole::Master, DaemonRole::Backup] {
            let running = daemons.iter().any(|daemon| daemon.role == role);
            let labels = [("role", role.name().as_bytes())];
            self.sample(out, RUNNING, &labels, running.into());
        }
        describe(out, INFO, "gauge", "How the sync daemon is configured.");
        for daemon in daemons {
            let interface = daemon.config.interface;
            let sync_id = daemon.config.sync_id.to_string();
            let labels = [
                ("role", daemon.role.name().as_bytes()),
                (
                    "interface",
                    interface.as_ref().map_or(b"", |name| name.as_bytes()),
                ),
                ("sync_id", sync_id.as_bytes()),
            ];
            self.sample(out, INFO, &labels, 1);
        }
    }

    /// What a metric is; comes before all of its samples.
    pub fn metric(&self, out: &mut Buffer, metric: &Metric) {
        let kind = match metric.of {
            Of::Service(_) | Of::Server(_) => "counter",
            Of::Gauge(_) | Of::Rare(_) | Of::ServiceInfo(_) | Of::ServerInfo(_) => "gauge",
        };
        describe(out, metric.name, kind, metric.help);
    }

    /// The samples that a metric has of a service and its servers.
    pub fn samples(
        &self,
        out: &mut Buffer,
        metric: &Metric,
        service: &Service,
        servers: &[Server],
    ) {
        match metric.of {
            Of::Service(value) => {
                self.of_service(out, metric, &service.key);
                out.text("} ");
                out.number(value(&service.stats));
                out.end_line();
            }
            Of::ServiceInfo(labels) => {
                self.of_service(out, metric, &service.key);
                labels(out, service, &self.source);
                out.text("} 1\n");
            }
            Of::Server(_) | Of::ServerInfo(_) | Of::Gauge(_) | Of::Rare(_) => {
                for server in servers {
                    self.of_server(out, metric, &service.key, server);
                }
            }
        }
    }

    /// The sample of a server.
    fn of_server(&self, out: &mut Buffer, metric: &Metric, service: &ServiceKey, server: &Server) {
        self.of_service(out, metric, service);
        out.text(",remote_address=\"");
        address::address(out, &server.key.address);
        out.text("\",remote_port=\"");
        out.number(server.key.port);
        out.push(b'"');
        if let Of::ServerInfo(labels) = metric.of {
            labels(out, server);
        }
        out.text("} ");
        match metric.of {
            Of::Server(value) => out.number(value(&server.stats)),
            Of::Gauge(value) | Of::Rare(value) => {
                let value = value(server);
                if value < 0 {
                    out.push(b'-');
                }
                out.number(value.unsigned_abs());
            }
            Of::Service(_) | Of::ServiceInfo(_) | Of::ServerInfo(_) => out.push(b'1'),
        }
        out.end_line();
    }

    /// The name and the labels of a service, without the brace after them: none of
    /// their values has anything to escape. A mark may be there for both families:
    /// the second has one more label.
    fn of_service(&self, out: &mut Buffer, metric: &Metric, key: &ServiceKey) {
        out.text(metric.name);
        out.push(b'{');
        if !self.netns.is_empty() {
            out.text(&self.netns);
            out.push(b',');
        }
        out.text("local_address=\"");
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
            ServiceKey::Fwmark { mark, .. } => {
                out.text("\",local_port=\"0\",local_mark=\"");
                out.text(format!("{mark:08X}"));
                out.text("\",proto=\"FWM\"");
                match self.source.family(key) {
                    Some(Family::Inet) => {}
                    Some(Family::Inet6) => out.text(",family=\"inet6\""),
                    None => out.text(",family=\"unknown\""),
                }
            }
        }
    }

    /// A sample without labels of its own.
    fn plain(&self, out: &mut Buffer, name: &str, value: u64) {
        self.sample(out, name, &[], value);
    }

    /// A sample with these labels.
    fn sample(&self, out: &mut Buffer, name: &str, labels: &[(&str, &[u8])], value: u64) {
        out.text(name);
        let mut before = b'{';
        if !self.netns.is_empty() {
            out.push(before);
            out.text(&self.netns);
            before = b',';
        }
        for (label, value) in labels {
            out.push(before);
            put_label(out, label, value);
            before = b',';
        }
        if before == b',' {
            out.push(b'}');
        }
        out.push(b' ');
        out.number(value);
        out.end_line();
    }
}

/// The end; it is missing where a failure cut the output off.
pub fn end(out: &mut Buffer) {
    out.text("# EOF\n");
}

fn describe(out: &mut Buffer, name: &str, kind: &str, help: &str) {
    for (word, said) in [("HELP", help), ("TYPE", kind)] {
        for part in ["# ", word, " ", name, " ", said, "\n"] {
            out.text(part);
        }
    }
}

/// `name="value"`. The format is UTF-8: each run of other bytes becomes U+FFFD.
fn put_label(out: &mut Buffer, name: &str, value: &[u8]) {
    out.text(name);
    out.text("=\"");
    for part in String::from_utf8_lossy(value).chars() {
        match part {
            '\\' => out.text("\\\\"),
            '"' => out.text("\\\""),
            '\n' => out.text("\\n"),
            other => out.text(other.encode_utf8(&mut [0; 4])),
        }
    }
    out.push(b'"');
}

/// Flags by the names that --json has, with commas between them; that the service
/// is hashed says nothing.
fn service_info(out: &mut Buffer, service: &Service, source: &Source) {
    let config = &service.config;
    out.push(b',');
    put_label(out, "scheduler", config.scheduler.as_bytes());
    if let Some(names) = source.told(json::flag_names(config)) {
        out.text(",flags=\"");
        for (index, name) in names.filter(|name| *name != "hashed").enumerate() {
            if index > 0 {
                out.push(b',');
            }
            out.text(name);
        }
        out.push(b'"');
    }
    if let Some(timeout) = source.timeout(config) {
        out.text(",persistence_timeout=\"");
        out.number(timeout);
        out.push(b'"');
    }
}

fn server_info(out: &mut Buffer, server: &Server) {
    out.text(",forwarding=");
    json::Value::put(&server.config.forwarding, out);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::sample::{mark, server, service, tcp, written};
    use ipvs::{DaemonConfig, Forwarding, Name, ServiceFlags};

    fn director() -> Director {
        Director {
            info: Info::new(0x010201, 4096),
            totals: Totals {
                connections: u64::MAX,
                ..Totals::default()
            },
            daemons: Some(vec![Daemon {
                role: DaemonRole::Backup,
                config: DaemonConfig {
                    interface: Some(Name::from("e\"\\\n\u{e9}")),
                    sync_id: 7,
                    ..DaemonConfig::default()
                },
            }]),
            status: Some(Status {
                connections: 5,
                buckets: Some([1, 2, 3, 4, 5, 6, 7, 8]),
            }),
            limit: Some(1 << 30),
        }
    }

    fn metrics(netns: Option<&str>) -> String {
        metrics_from(Source::Netlink, netns)
    }

    fn metrics_from(source: Source, netns: Option<&str>) -> String {
        let services = [
            service(tcp("10.0.0.1", 80)),
            service(tcp("2001:db8::1", 80)),
            service(mark(0xabcd, Family::Inet)),
            service(mark(0xabcd, Family::Inet6)),
        ];
        let mut real = server("10.0.0.2", 8080, Forwarding::Masq);
        real.config.weight = -5;
        real.stats.conns = u64::MAX;
        let exposition = Exposition::of(netns.map(OsStr::new), source);
        written(|out| {
            exposition.head(out, &director());
            for metric in exposition.metrics() {
                exposition.metric(out, metric);
                for service in &services {
                    exposition.samples(out, metric, service, &[real]);
                }
            }
            end(out);
        })
    }

    #[test]
    fn each_sample_comes_once_and_under_its_metric() {
        let text = metrics(None);
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
        let text = metrics(None);
        for line in [
            "ipvs_connections_total 18446744073709551615",
            "ipvs_connection_table_size 4096",
            "ipvs_connection_table_buckets{entries=\"7+\"} 8",
            "ipvs_sync_daemon_running{role=\"master\"} 0",
            "ipvs_sync_daemon_running{role=\"backup\"} 1",
            "ipvs_sync_daemon_info{role=\"backup\",interface=\"e\\\"\\\\\\n\u{e9}\",sync_id=\"7\"} 1",
            "ipvs_service_info{local_address=\"10.0.0.1\",local_port=\"80\",local_mark=\"\",proto=\"TCP\",scheduler=\"rr\",flags=\"\",persistence_timeout=\"0\"} 1",
            "ipvs_server_info{local_address=\"10.0.0.1\",local_port=\"80\",local_mark=\"\",proto=\"TCP\",remote_address=\"10.0.0.2\",remote_port=\"8080\",forwarding=\"masquerading\"} 1",
            "ipvs_service_outgoing_bytes_total{local_address=\"10.0.0.1\",local_port=\"80\",local_mark=\"\",proto=\"TCP\"} 5000000000",
            "ipvs_service_connections_total{local_address=\"\",local_port=\"0\",local_mark=\"0000ABCD\",proto=\"FWM\"} 1",
            "ipvs_server_weight{local_address=\"2001:db8::1\",local_port=\"80\",local_mark=\"\",proto=\"TCP\",remote_address=\"10.0.0.2\",remote_port=\"8080\"} -5",
            "ipvs_server_connections_total{local_address=\"\",local_port=\"0\",local_mark=\"0000ABCD\",proto=\"FWM\",family=\"inet6\",remote_address=\"10.0.0.2\",remote_port=\"8080\"} 18446744073709551615",
        ] {
            assert!(text.contains(&format!("\n{line}\n")), "{line}\n{text}");
        }
    }

    #[test]
    fn a_network_namespace_labels_every_sample() {
        let plain = metrics(None);
        let named = metrics(Some("a\"b"));
        assert_eq!(plain.lines().count(), named.lines().count());
        for (plain, named) in plain.lines().zip(named.lines()) {
            let label = "netns=\"a\\\"b\"";
            let wanted = match plain.split_once('{') {
                _ if plain.starts_with('#') => plain.to_owned(),
                Some((name, rest)) => format!("{name}{{{label},{rest}"),
                None => plain.replace(' ', &format!("{{{label}}} ")),
            };
            assert_eq!(named, wanted);
        }
    }

    #[test]
    fn flags_are_told_by_their_names() {
        let mut service = service(tcp("10.0.0.1", 80));
        service.config.scheduler = Name::from("sh");
        service.config.flags =
            ServiceFlags::PERSISTENT | ServiceFlags::HASHED | ServiceFlags::SCHED2;
        service.config.timeout = 360;
        let text = written(|out| service_info(out, &service, &Source::Netlink));
        assert_eq!(
            text,
            ",scheduler=\"sh\",flags=\"persistent,sh-port\",persistence_timeout=\"360\""
        );
    }

    #[test]
    fn what_proc_does_not_tell_is_left_out() {
        let source = Source::Proc {
            doubtful: vec![mark(0xabcd, Family::Inet)],
            timeouts: true,
        };
        let whole = metrics(None);
        let text = metrics_from(source, None);
        let series = |line: &str| line.split(' ').next().unwrap_or_default().to_owned();
        let known: std::collections::HashSet<_> = whole.lines().map(series).collect();
        for line in text.lines().filter(|line| !line.contains("_info{")) {
            let certain = line.replace(",family=\"unknown\"", "");
            assert!(known.contains(&series(&certain)), "{line}");
        }
        let mark =
            "{local_address=\"\",local_port=\"0\",local_mark=\"0000ABCD\",proto=\"FWM\",family=";
        for line in [
            &*format!(
                "ipvs_service_info{mark}\"unknown\",scheduler=\"rr\",persistence_timeout=\"0\"}} 1"
            ),
            &format!(
                "ipvs_server_weight{mark}\"inet6\",remote_address=\"10.0.0.2\",remote_port=\"8080\"}} -5"
            ),
        ] {
            assert!(text.contains(&format!("\n{line}\n")), "{line}\n{text}");
        }
        for part in [
            "ipvs_service_conn",
            "ipvs_server_incoming",
            "persistent",
            "threshold",
            "flags=",
        ] {
            assert!(!text.contains(part), "{part}");
        }
    }
}
