//! Which rows of the kernel's table of connections are connections of real
//! servers that are drained, and which of those are open.
//!
//! A row is looked up by what it says, so that a row costs the same however many
//! servers there are. This module must not know where the rows come from.

use crate::connections::Connection;
use foldhash::fast::RandomState;
use ipvs::{Family, Name, ServerKey, Service, ServiceKey};
use std::collections::{HashMap, HashSet};
use std::net::IpAddr;

/// For how many seconds after its last packet a closed TCP connection still
/// counts as open: what was lost on the way is sent again within that.
const LINGER: u64 = 5;

/// What all connections of a real server have in common, as far as their rows
/// say it.
///
/// A row does not tell its service. One of another service may be taken for this
/// one's where both are for the same server and one of them is for a mark or for
/// all ports; never the other way round.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Pattern {
    service: ServicePattern,
    server: IpAddr,
    /// `None` for any.
    server_port: Option<u16>,
}

/// What the rows of a service have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum ServicePattern {
    /// Its protocol and address, and its port unless it is for all ports.
    Address(Name, IpAddr, Option<u16>),
    /// Nothing but the family.
    Mark(Family),
}

/// What a pattern says and what it leaves open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Shape {
    of_mark: bool,
    service_port: bool,
    server_port: bool,
}

/// The patterns of several real servers. Servers that have the same pattern, such
/// as those of two marks, share it: each of them has all its connections.
#[derive(Debug, Default)]
pub struct Patterns {
    places: HashMap<Pattern, usize, RandomState>,
    /// The shapes that occur, one or two of six.
    shapes: Vec<Shape>,
    templates: HashSet<Pattern, RandomState>,
}

impl Patterns {
    /// Puts in the pattern of `server` in `service`; its place.
    pub fn insert(&mut self, service: &Service, server: ServerKey) -> usize {
        // A persistent service of many ports leaves each connection the port
        // that it came for (ip_vs_sched_persist in ip_vs_core.c).
        let many_ports = matches!(
            service.key,
            ServiceKey::Fwmark { .. } | ServiceKey::Address { port: 0, .. }
        );
        let any_port = server.port == 0 || many_ports && service.config.flags.persistent();
        let pattern = Pattern {
            service: ServicePattern::of(&service.key),
            server: server.address,
            server_port: (!any_port).then_some(server.port),
        };
        let shape = pattern.shape();
        if !self.shapes.contains(&shape) {
            self.shapes.push(shape);
        }
        let template = |server_port| Pattern {
            service: pattern.service.on_any_port(),
            server_port,
            ..pattern
        };
        self.templates.insert(template(pattern.server_port));
        if !any_port {
            self.templates.insert(template(Some(0)));
        }
        let next = self.places.len();
        *self.places.entry(pattern).or_insert(next)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// The places of the patterns that `row` has, if it is a connection, open or
    /// not.
    pub fn of<'a>(&'a self, row: &'a Connection) -> impl Iterator<Item = usize> + 'a {
        let shapes = match row.is_template() {
            true => &[],
            false => &self.shapes[..],
        };
        let patterns = shapes.iter().map(|shape| Pattern::of(row, *shape));
        patterns.filter_map(|pattern| self.places.get(&pattern).copied())
    }

    /// Whether `row` remembers one of the servers for a client.
    pub fn has_template(&self, row: &Connection) -> bool {
        // The kernel gives those of a mark no protocol and the mark for an address.
        let service = match row.protocol {
            b"IP" => ServicePattern::Mark(Family::of(&row.service.address)),
            name => ServicePattern::Address(protocol(name), row.service.address, None),
        };
        let has = |server_port| {
            self.templates.contains(&Pattern {
                service,
                server: row.server.address,
                server_port,
            })
        };
        row.is_template() && (has(Some(row.server.port)) || has(None))
    }
}

impl Pattern {
    fn shape(&self) -> Shape {
        Shape {
            of_mark: matches!(self.service, ServicePattern::Mark(_)),
            service_port: matches!(self.service, ServicePattern::Address(.., Some(_))),
            server_port: self.server_port.is_some(),
        }
    }

    /// That of `row` in this shape.
    fn of(row: &Connection, shape: Shape) -> Pattern {
        let service = match shape.of_mark {
            true => ServicePattern::Mark(Family::of(&row.service.address)),
            false => ServicePattern::Address(
                protocol(row.protocol),
                row.service.address,
                shape.service_port.then_some(row.service.port),
            ),
        };
        Pattern {
            service,
            server: row.server.address,
            server_port: shape.server_port.then_some(row.server.port),
        }
    }
}

impl ServicePattern {
    fn of(key: &ServiceKey) -> ServicePattern {
        match *key {
            ServiceKey::Address {
                protocol: number,
                address,
                port,
            } => {
                let name = protocol(number.kernel_name().as_bytes());
                ServicePattern::Address(name, address, Some(port).filter(|port| *port != 0))
            }
            ServiceKey::Fwmark { family, .. } => ServicePattern::Mark(family),
        }
    }

    fn on_any_port(self) -> ServicePattern {
        match self {
            ServicePattern::Address(protocol, address, _) => {
                ServicePattern::Address(protocol, address, None)
            }
            mark => mark,
        }
    }
}

/// The kernel's names are shorter.
fn protocol(name: &[u8]) -> Name {
    Name::cut(name, Name::CAPACITY)
}

/// Whether data may still flow in the connection `row`.
///
/// Everything that is not known to be closed is open. That includes FIN_WAIT
/// and CLOSE_WAIT, in which one side may go on sending for long, and more: with
/// direct routing and tunnels the director sees the client's packets alone, and
/// FIN_WAIT is what it has for any connection that the client has closed or
/// half closed.
pub fn is_open(row: &Connection) -> bool {
    match (row.protocol, row.state) {
        // Both sides have sent all they had, once. The kernel starts the timer
        // anew with each packet (tcp_timeouts in ip_vs_proto_tcp.c).
        (b"TCP", b"TIME_WAIT") => row.expires + LINGER >= 120,
        // Reset; but the kernel does not check whether the reset was heeded.
        (b"TCP", b"CLOSE") => row.expires + LINGER >= 10,
        // An association is shut down when all data has been acknowledged.
        (b"SCTP", b"CLOSED" | b"REJECTED") => false,
        // Datagrams have no end: an entry is open until it expires.
        _ => true,
    }
}

#[cfg(test)]
mod tests;
