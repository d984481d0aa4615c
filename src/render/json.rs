//! `--json`: everything that the kernel reports, as one document, a row a line.
//!
//! The document is written while the table is read, and only the
//! end closes it: what a failure cuts off is not valid JSON. Its fields are
//! explained in the manual and in docs/ipvsadm.schema.json, against which the
//! tests validate it.
//!
//! Keys are constants. Only texts from outside can need escaping, and they go
//! through serde_json. A derived `Serialize` would scan the keys of every row
//! for characters to escape, which costs more than all the rest.

mod changes;

pub use changes::Changes;

use super::buffer::Buffer;
use super::{ConnectionReport, Rest, Source, TableReport, address, sched_flags};
use crate::connections::{Connection, Count, Key, KeyValue, Keys};
use ipvs::{
    Daemon, Family, Forwarding, Info, Netmask, Protocol, Server, Service, ServiceConfig,
    ServiceFlags, ServiceKey, Stats, Timeouts, Tunnel, TunnelChecksum,
};
use std::net::IpAddr;

/// What can stand in the document.
pub(crate) trait Value {
    fn put(&self, out: &mut Buffer);
}

/// Adds `"key":value`, once or several times with commas between them.
macro_rules! members {
    ($out:expr, $first:literal: $value:expr $(, $key:literal: $more:expr)* $(,)?) => {
        $out.text(concat!("\"", $first, "\":"));
        Value::put(&$value, $out);
        $(
            $out.text(concat!(",\"", $key, "\":"));
            Value::put(&$more, $out);
        )*
    };
}
pub(crate) use members;

/// The document as far as it has been written.
#[derive(Debug, Default)]
pub struct Json {
    /// For a document that is one line, without its end: when it was made.
    time: Option<String>,
    /// Where the table was read.
    source: Source,
    /// Whether there is a row in the outermost list.
    rows: bool,
    /// The innermost list that is open for servers.
    servers: Servers,
    /// What ends the document.
    tail: &'static str,
}

/// The list of a service's servers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Servers {
    /// There is none yet.
    #[default]
    None,
    /// Nothing stands in it.
    Empty,
    /// Something does.
    Some,
}

impl Json {
    /// A document on one line, for one that is written again and again.
    pub fn line(time: &str) -> Json {
        Json {
            time: Some(time.to_owned()),
            ..Json::default()
        }
    }

    /// The same of a table that was read from `source`.
    pub fn read_from(self, source: Source) -> Json {
        Json { source, ..self }
    }

    /// `rows`, or with everything on one line, `line`.
    fn layout(&self, rows: &'static str, line: &'static str) -> &'static str {
        if self.time.is_some() { line } else { rows }
    }

    /// Begins the document, which `tail` will end.
    fn begin(&mut self, out: &mut Buffer, tail: &'static str) {
        self.tail = tail;
        out.push(b'{');
        if let Some(time) = &self.time {
            members!(out, "time": Text(time.as_bytes()));
            out.push(b',');
        }
    }

    /// Begins a document that is a list of rows.
    fn begin_rows(&mut self, out: &mut Buffer, name: &str) {
        self.begin(out, self.layout("\n]}\n", "]}"));
        out.text(name);
    }

    /// The document of the session time-outs.
    pub fn timeouts(mut self, out: &mut Buffer, timeouts: &Timeouts) {
        self.begin(out, self.layout("}}\n", "}}"));
        out.text("\"timeouts\":{");
        members!(out,
            "tcp_seconds": timeouts.tcp,
            "tcp_fin_seconds": timeouts.tcp_fin,
            "udp_seconds": timeouts.udp,
        );
        out.text(self.tail);
    }

    /// The document of the sync daemons.
    pub fn daemons(mut self, out: &mut Buffer, daemons: &[Daemon]) {
        self.begin_rows(out, "\"daemons\":[");
        for daemon in daemons {
            self.row(out);
            out.push(b'{');
            let config = &daemon.config;
            let interface = config.interface.as_ref();
            members!(out,
                "role": Word(daemon.role.name()),
                "interface": interface.map(|name| Text(name.as_bytes())),
                "sync_id": config.sync_id,
                "maximum_message_bytes": config.max_len,
                "multicast_group": config.group,
                "multicast_port": config.port,
                "multicast_ttl": config.ttl,
            );
            out.push(b'}');
        }
        out.text(self.tail);
    }

    /// Begins a row of the outermost list.
    fn row(&mut self, out: &mut Buffer) {
        self.end_servers(out);
        out.text(if self.rows {
            self.layout(",\n", ",")
        } else {
            self.layout("\n", "")
        });
        self.rows = true;
    }

    fn end_servers(&mut self, out: &mut Buffer) {
        match std::mem::take(&mut self.servers) {
            Servers::None => {}
            Servers::Empty => out.text("]}"),
            Servers::Some => out.text(self.layout("\n]}", "]}")),
        }
    }
}

impl TableReport for Json {
    fn head(&mut self, out: &mut Buffer, info: Option<&Info>) {
        self.begin(out, self.layout("\n]}\n", "]}"));
        members!(out,
            "version": info.copied().map(Version),
            "connection_table_size": info.map(|info| info.conn_tab_size),
            "source": Word(match self.source {
                Source::Netlink => "netlink",
                Source::Proc { .. } => "proc",
            }),
        );
        out.text(",\"services\":[");
    }

    fn service(&mut self, out: &mut Buffer, service: &Service) {
        self.row(out);
        self.servers = Servers::Empty;
        out.push(b'{');
        members_of_family(out, &service.key, self.source.family(&service.key));
        out.push(b',');
        let (config, source) = (&service.config, &self.source);
        let (netmask, prefix) = match source.netmask(service) {
            Some(Netmask::V4(mask)) => (Some(IpAddr::V4(mask)), None),
            Some(Netmask::V6(prefix)) => (None, Some(prefix)),
            None => (None, None),
        };
        let engine = config.engine.as_ref();
        members!(out,
            "scheduler": Text(config.scheduler.as_bytes()),
            "flags": source.told(FlagNames(config)),
            "flag_bits": source.told(config.flags.bits()),
            "persistence_timeout_seconds": source.timeout(config),
            "persistence_netmask": netmask,
            "persistence_prefix_length": prefix,
            "persistence_engine": engine.map(|name| Text(name.as_bytes())),
            "counters": source.told(CountersOf(&service.stats)),
            "rates": source.told(RatesOf(&service.stats)),
        );
        out.text(",\"servers\":[");
    }

    fn server(&mut self, out: &mut Buffer, _: &ServiceKey, server: &Server) {
        out.text(match self.servers {
            Servers::Some => self.layout(",\n {", ",{"),
            _ => self.layout("\n {", "{"),
        });
        self.servers = Servers::Some;
        let (config, source) = (&server.config, &self.source);
        members!(out,
            "address": server.key.address,
            "port": server.key.port,
            "family": Family::of(&server.key.address),
            "forwarding": config.forwarding,
            "tunnel": match config.forwarding {
                Forwarding::Tunnel(tunnel) => source.told(tunnel),
                _ => None,
            },
            "weight": config.weight,
            "upper_threshold": source.told(config.upper_threshold),
            "lower_threshold": source.told(config.lower_threshold),
            "active_connections": server.active,
            "inactive_connections": server.inactive,
            "persistent_connections": source.told(server.persistent),
            "counters": source.told(CountersOf(&server.stats)),
            "rates": source.told(RatesOf(&server.stats)),
        );
        out.push(b'}');
    }

    fn end(&mut self, out: &mut Buffer) {
        self.end_servers(out);
        out.text(self.tail);
    }
}

impl ConnectionReport for Json {
    fn head(&mut self, out: &mut Buffer, by: Option<Keys>) {
        match by {
            None => self.begin_rows(out, "\"connections\":["),
            Some(_) => {
                self.begin(out, self.layout("}\n", "}"));
                out.text("\"counts\":[");
            }
        }
    }

    fn connection(&mut self, out: &mut Buffer, connection: &Connection) {
        self.row(out);
        out.push(b'{');
        let (engine, data) = connection.engine.unzip();
        members!(out,
            "protocol": Lower(connection.protocol),
            "client_address": connection.client.address,
            "client_port": connection.client.port,
            "virtual_address": connection.service.address,
            "virtual_port": connection.service.port,
            "server_address": connection.server.address,
            "server_port": connection.server.port,
            "state": Text(connection.state),
            "expires_seconds": connection.expires,
            "template": connection.is_template(),
            "persistence_engine": engine.map(Text),
            "persistence_engine_data": data.map(Text),
            "origin": connection.origin.map(|origin| Word(origin.name())),
        );
        out.push(b'}');
    }

    fn count(&mut self, out: &mut Buffer, count: Count, common: &[KeyValue]) {
        self.row(out);
        out.push(b'{');
        members!(out, "connections": count.connections, "templates": count.templates);
        let of_service = common.iter().any(|it| it.key() == Key::Service);
        for common in common {
            // The service has said it.
            if of_service && common.key() == Key::Protocol {
                continue;
            }
            out.push(b',');
            match *common {
                KeyValue::Service(at, protocol) => {
                    members!(out,
                        "protocol": Lower(protocol.as_bytes()),
                        "virtual_address": at.address,
                        "virtual_port": at.port,
                    );
                }
                KeyValue::Server(at) => {
                    members!(out, "server_address": at.address, "server_port": at.port);
                }
                KeyValue::Host(address) => {
                    members!(out, "server_address": address);
                }
                KeyValue::Client(network) => {
                    members!(out,
                        "client_address": network.first(),
                        "client_prefix_length": network.prefix(),
                    );
                }
                KeyValue::State(state) => {
                    members!(out, "state": Text(state.as_bytes()));
                }
                KeyValue::Protocol(protocol) => {
                    members!(out, "protocol": Lower(protocol.as_bytes()));
                }
                KeyValue::Origin(origin) => {
                    members!(out, "origin": Word(origin.name()));
                }
            }
        }
        out.push(b'}');
    }

    fn total(&mut self, out: &mut Buffer, rest: Option<Rest>, total: Count) {
        out.text(self.layout("\n],\n", "],"));
        members!(out, "rest": rest, "total": total);
    }

    fn end(&mut self, out: &mut Buffer) {
        out.text(self.tail);
    }
}

/// What is not there.
pub(crate) struct Null;

impl Value for Null {
    fn put(&self, out: &mut Buffer) {
        out.text("null");
    }
}

impl<T: Value> Value for Option<T> {
    fn put(&self, out: &mut Buffer) {
        match self {
            Some(value) => value.put(out),
            None => Null.put(out),
        }
    }
}

macro_rules! numbers {
    ($($kind:ty)*) => {$(
        impl Value for $kind {
            fn put(&self, out: &mut Buffer) {
                out.number(*self);
            }
        }
    )*};
}

numbers!(u8 u16 u32 u64);

impl Value for i32 {
    fn put(&self, out: &mut Buffer) {
        if *self < 0 {
            out.push(b'-');
        }
        out.number(self.unsigned_abs());
    }
}

impl Value for bool {
    fn put(&self, out: &mut Buffer) {
        out.text(if *self { "true" } else { "false" });
    }
}

impl Value for Count {
    fn put(&self, out: &mut Buffer) {
        out.push(b'{');
        members!(out, "connections": self.connections, "templates": self.templates);
        out.push(b'}');
    }
}

impl Value for Rest {
    fn put(&self, out: &mut Buffer) {
        out.push(b'{');
        members!(out,
            "rows": self.groups,
            "connections": self.count.connections,
            "templates": self.count.templates,
        );
        out.push(b'}');
    }
}

/// What makes a service this one and no other.
pub(crate) fn service_members(out: &mut Buffer, key: &ServiceKey) {
    members_of_family(out, key, Some(key.family()));
}

/// The same where the family may not be known.
fn members_of_family(out: &mut Buffer, key: &ServiceKey, family: Option<Family>) {
    members!(out, "protocol": key.protocol());
    out.push(b',');
    match key {
        ServiceKey::Address { address, port, .. } => {
            members!(out, "address": *address, "port": *port, "fwmark": Null, "fwmark_hex": Null);
        }
        ServiceKey::Fwmark { mark, .. } => {
            // As iptables and ip rule print it.
            let hexadecimal = format!("{mark:#x}");
            members!(out,
                "address": Null,
                "port": Null,
                "fwmark": mark.get(),
                "fwmark_hex": Word(&hexadecimal),
            );
        }
    }
    out.push(b',');
    members!(out, "family": family);
}

/// A text from outside. JSON is UTF-8: each run of other bytes
/// becomes U+FFFD.
pub(crate) struct Text<'a>(pub &'a [u8]);

impl Value for Text<'_> {
    fn put(&self, out: &mut Buffer) {
        let text = String::from_utf8_lossy(self.0);
        // A buffer takes everything.
        let _ = serde_json::to_writer(out, text.as_ref());
    }
}

/// A word of the program's own: nothing in it is to be escaped.
pub(crate) struct Word<'a>(pub &'a str);

impl Value for Word<'_> {
    fn put(&self, out: &mut Buffer) {
        out.push(b'"');
        out.text(self.0);
        out.push(b'"');
    }
}

/// The kernel's name of a protocol, in small letters as those of services.
struct Lower<'a>(&'a [u8]);

impl Value for Lower<'_> {
    fn put(&self, out: &mut Buffer) {
        match self.0 {
            b"TCP" => Protocol::Tcp.put(out),
            b"UDP" => Protocol::Udp.put(out),
            b"SCTP" => Protocol::Sctp.put(out),
            other => Text(&other.to_ascii_lowercase()).put(out),
        }
    }
}

impl Value for Protocol {
    fn put(&self, out: &mut Buffer) {
        Word(&self.name()).put(out);
    }
}

impl Value for Family {
    fn put(&self, out: &mut Buffer) {
        Word(match self {
            Family::Inet => "inet",
            Family::Inet6 => "inet6",
        })
        .put(out);
    }
}

impl Value for IpAddr {
    fn put(&self, out: &mut Buffer) {
        out.push(b'"');
        address::address(out, self);
        out.push(b'"');
    }
}

/// As text has it: 1.2.1.
struct Version(Info);

impl Value for Version {
    fn put(&self, out: &mut Buffer) {
        let [major, minor, patch] = self.0.version_parts();
        out.push(b'"');
        out.number(major);
        out.push(b'.');
        out.number(minor);
        out.push(b'.');
        out.number(patch);
        out.push(b'"');
    }
}

/// The names of flags, those of a scheduler as `-b` takes them; some have none.
pub(super) fn flag_names(config: &ServiceConfig) -> impl Iterator<Item = &'static str> {
    let ServiceConfig {
        flags, scheduler, ..
    } = *config;
    let known = [
        (ServiceFlags::PERSISTENT, "persistent"),
        (ServiceFlags::HASHED, "hashed"),
        (ServiceFlags::ONE_PACKET, "one-packet"),
    ];
    let known = known
        .into_iter()
        .filter(move |(bit, _)| flags.contains(*bit));
    let of_scheduler = sched_flags::of_scheduler(flags);
    let of_scheduler = of_scheduler.filter_map(move |flag| sched_flags::name(flag, &scheduler));
    known.map(|(_, name)| name).chain(of_scheduler)
}

/// Flags that have no name are only in the number.
struct FlagNames<'a>(&'a ServiceConfig);

impl Value for FlagNames<'_> {
    fn put(&self, out: &mut Buffer) {
        out.push(b'[');
        for (index, name) in flag_names(self.0).enumerate() {
            if index > 0 {
                out.push(b',');
            }
            Word(name).put(out);
        }
        out.push(b']');
    }
}

impl Value for Forwarding {
    fn put(&self, out: &mut Buffer) {
        Word(match self {
            Forwarding::Masq => "masquerading",
            Forwarding::Local => "local",
            Forwarding::Tunnel(_) => "tunneling",
            Forwarding::Route => "gatewaying",
            Forwarding::Bypass => "bypass",
            Forwarding::Other { method, .. } => return Unnamed((*method).into()).put(out),
        })
        .put(out);
    }
}

impl Value for Tunnel {
    fn put(&self, out: &mut Buffer) {
        let (kind, port, checksum) = match *self {
            Tunnel::Ipip => ("ipip", None, None),
            Tunnel::Gue { port, checksum } => ("gue", Some(port), Some(checksum)),
            Tunnel::Gre { checksum } => ("gre", None, Some(checksum)),
            Tunnel::Other { kind, port, flags } => {
                let (kind, flags) = (Unnamed(kind.into()), Unnamed(flags));
                out.push(b'{');
                members!(out, "type": kind, "port": port, "checksum": flags);
                return out.push(b'}');
            }
        };
        out.push(b'{');
        members!(out, "type": Word(kind), "port": port, "checksum": checksum);
        out.push(b'}');
    }
}

impl Value for TunnelChecksum {
    fn put(&self, out: &mut Buffer) {
        Word(match self {
            TunnelChecksum::None => "none",
            TunnelChecksum::Checksum => "checksum",
            TunnelChecksum::Remote => "remote",
        })
        .put(out);
    }
}

/// The number of what has no name here, as a string: it stands where a name
/// would.
struct Unnamed(u16);

impl Value for Unnamed {
    fn put(&self, out: &mut Buffer) {
        out.push(b'"');
        out.number(self.0);
        out.push(b'"');
    }
}

struct CountersOf<'a>(&'a Stats);

impl Value for CountersOf<'_> {
    fn put(&self, out: &mut Buffer) {
        out.push(b'{');
        members!(out,
            "connections": self.0.conns,
            "incoming_packets": self.0.in_packets,
            "outgoing_packets": self.0.out_packets,
            "incoming_bytes": self.0.in_bytes,
            "outgoing_bytes": self.0.out_bytes,
        );
        out.push(b'}');
    }
}

struct RatesOf<'a>(&'a Stats);

impl Value for RatesOf<'_> {
    fn put(&self, out: &mut Buffer) {
        out.push(b'{');
        members!(out,
            "connections_per_second": self.0.cps,
            "incoming_packets_per_second": self.0.in_pps,
            "outgoing_packets_per_second": self.0.out_pps,
            "incoming_bytes_per_second": self.0.in_bps,
            "outgoing_bytes_per_second": self.0.out_bps,
        );
        out.push(b'}');
    }
}

#[cfg(test)]
mod tests;
