//! Connections counted by what they have in common.

use super::{Connection, Endpoint, Origin};
use crate::selection::Network;
use ipvs::Name;
use std::net::IpAddr;
use std::num::NonZeroU32;

/// What connections are counted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// The virtual service: protocol, address and port.
    Service,
    /// The real server.
    Server,
    /// The real server's address, whatever the port.
    Host,
    /// The client's address, or its network: so many bits of it.
    Client(Option<u8>),
    /// The state.
    State,
    /// The protocol.
    Protocol,
    /// Who made it.
    Origin,
}

impl Key {
    /// All of them, the client by its address.
    pub const ALL: [Key; 7] = [
        Key::Service,
        Key::Server,
        Key::Host,
        Key::Client(None),
        Key::State,
        Key::Protocol,
        Key::Origin,
    ];

    /// Its name on the command line and in titles.
    pub fn name(self) -> &'static str {
        match self {
            Key::Service => "service",
            Key::Server => "server",
            Key::Host => "host",
            Key::Client(_) => "client",
            Key::State => "state",
            Key::Protocol => "protocol",
            Key::Origin => "origin",
        }
    }

    /// What `row` has of it.
    pub fn of(self, row: &Connection) -> KeyValue {
        let name = |word| Name::cut(word, Name::CAPACITY);
        match self {
            Key::Service => KeyValue::Service(row.service, name(row.protocol)),
            Key::Server => KeyValue::Server(row.server),
            Key::Host => KeyValue::Host(row.server.address),
            Key::Client(None) => KeyValue::Client(Network::host(row.client.address)),
            Key::Client(Some(prefix)) => KeyValue::Client(Network::of(row.client.address, prefix)),
            Key::State => KeyValue::State(name(row.state)),
            Key::Protocol => KeyValue::Protocol(name(row.protocol)),
            // Whoever counts by it reads it.
            Key::Origin => KeyValue::Origin(row.origin.unwrap_or(Origin::Local)),
        }
    }
}

/// Several keys, in the order in which they are shown, none of them twice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Keys([Option<Key>; Key::ALL.len()]);

impl Keys {
    /// Puts a key behind the others; false if it was there.
    pub fn insert(&mut self, key: Key) -> bool {
        for place in &mut self.0 {
            match place {
                Some(other) if other.name() == key.name() => return false,
                Some(_) => {}
                None => {
                    *place = Some(key);
                    return true;
                }
            }
        }
        false
    }

    /// All of them.
    pub fn iter(self) -> impl Iterator<Item = Key> {
        self.0.into_iter().flatten()
    }
}

/// Counts that are asked for instead of connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counting {
    /// By what.
    pub keys: Keys,
    /// Only so many, of the largest; `None` for all.
    pub top: Option<NonZeroU32>,
}

/// How many there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Count {
    /// Connections.
    pub connections: u64,
    /// Persistence templates.
    pub templates: u64,
}

impl Count {
    /// Adds `other`.
    pub fn add(&mut self, other: Count) {
        self.connections += other.connections;
        self.templates += other.templates;
    }
}

/// What connections that are counted together have in common. The kernel's names
/// of protocols and states have at most eleven bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyValue {
    /// The virtual service, with the kernel's name of the protocol.
    Service(Endpoint, Name),
    /// The real server.
    Server(Endpoint),
    /// The real server's address.
    Host(IpAddr),
    /// The client or its network.
    Client(Network),
    /// The kernel's name of the state.
    State(Name),
    /// The kernel's name of the protocol.
    Protocol(Name),
    /// Who made it.
    Origin(Origin),
}

impl KeyValue {
    /// The one host that it names.
    pub fn host(&self) -> Option<IpAddr> {
        match self {
            KeyValue::Service(at, _) | KeyValue::Server(at) => Some(at.address),
            KeyValue::Host(address) => Some(*address),
            KeyValue::Client(network) if network.prefix().is_none() => Some(network.first()),
            KeyValue::Client(_)
            | KeyValue::State(_)
            | KeyValue::Protocol(_)
            | KeyValue::Origin(_) => None,
        }
    }

    /// The key that it is of.
    pub fn key(&self) -> Key {
        match self {
            KeyValue::Service(..) => Key::Service,
            KeyValue::Server(_) => Key::Server,
            KeyValue::Host(_) => Key::Host,
            KeyValue::Client(network) => Key::Client(network.prefix()),
            KeyValue::State(_) => Key::State,
            KeyValue::Protocol(_) => Key::Protocol,
            KeyValue::Origin(_) => Key::Origin,
        }
    }
}
