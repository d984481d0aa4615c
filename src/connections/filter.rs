//! Which connections are asked for.

use super::{Connection, Endpoint, Origin};
use crate::selection::EndpointFilter;
use ipvs::Protocol;

/// What a connection must be like. What is `None` may be anything; all that is
/// not must hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ConnectionFilter {
    /// Its protocol.
    pub protocol: Option<Protocol>,
    /// The virtual service.
    pub service: Option<EndpointFilter>,
    /// The real server.
    pub server: Option<EndpointFilter>,
    /// The client.
    pub client: Option<EndpointFilter>,
    /// Its state is one of these.
    pub states: Option<StateSet>,
    /// Who made it; both are asked for where only that is to be known.
    pub origins: Option<OriginSet>,
}

/// Some of those who make connections.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OriginSet {
    /// This director.
    pub local: bool,
    /// Another one.
    pub sync: bool,
}

impl OriginSet {
    /// Puts `origin` in.
    pub fn insert(&mut self, origin: Origin) {
        match origin {
            Origin::Local => self.local = true,
            Origin::Sync => self.sync = true,
        }
    }

    /// Whether `origin` is in the set.
    pub fn contains(self, origin: Origin) -> bool {
        match origin {
            Origin::Local => self.local,
            Origin::Sync => self.sync,
        }
    }
}

impl ConnectionFilter {
    /// Whether `row` is such a connection.
    pub fn matches(&self, row: &Connection) -> bool {
        let is = |filter: &Option<EndpointFilter>, at: &Endpoint| {
            filter.is_none_or(|filter| filter.matches(&at.address, at.port))
        };
        is(&self.client, &row.client)
            && is(&self.service, &row.service)
            && is(&self.server, &row.server)
            && self
                .protocol
                .is_none_or(|it| it.kernel_name().as_bytes() == row.protocol)
            && self.states.is_none_or(|states| states.contains(row.state))
            && self
                .origins
                .is_none_or(|origins| row.origin.is_some_and(|it| origins.contains(it)))
    }
}

/// The states that the kernel has names for: of TCP, UDP and SCTP
/// (ip_vs_proto_tcp.c and its neighbours), of persistence templates, and where
/// it knows none.
#[rustfmt::skip] // by where they come from
pub const STATES: [&str; 26] = [
    "NONE", "ESTABLISHED", "SYN_SENT", "SYN_RECV", "FIN_WAIT", "TIME_WAIT", "CLOSE",
    "CLOSE_WAIT", "LAST_ACK", "LISTEN", "SYNACK",
    "UDP",
    "INIT1", "INIT", "C-SENT", "C-REPLIED", "C-WAIT", "COOKIE", "C-ECHOED", "S-SENT",
    "S-RECEIVED", "S-ACK-SENT", "REJECTED", "CLOSED",
    "ASSURED",
    "ERR!",
];

/// Some of [`STATES`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StateSet(u32);

impl StateSet {
    /// Puts the state in, in capitals or not; false if there is none of that name.
    pub fn insert(&mut self, name: &[u8]) -> bool {
        let known = |state: &str| state.as_bytes().eq_ignore_ascii_case(name);
        let at = STATES.iter().position(|state| known(state));
        self.0 |= at.map_or(0, |at| 1 << at);
        at.is_some()
    }

    /// Whether the state is in the set.
    pub fn contains(self, state: &[u8]) -> bool {
        let mut left = self.0;
        while left != 0 {
            if STATES[left.trailing_zeros() as usize].as_bytes() == state {
                return true;
            }
            left &= left - 1;
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::selection::Network;
    use std::net::IpAddr;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn states_are_known_in_any_case() {
        let mut set = StateSet::default();
        assert!(!set.contains(b"NONE"));
        for name in ["established", "C-Sent", "err!"] {
            assert!(set.insert(name.as_bytes()));
        }
        for name in ["", "establish", "UDPX"] {
            assert!(!set.insert(name.as_bytes()));
        }
        assert!(set.contains(b"ESTABLISHED") && set.contains(b"C-SENT") && set.contains(b"ERR!"));
        assert!(!set.contains(b"UDP") && !set.contains(b"established"));
        for state in STATES {
            assert!(set.insert(state.as_bytes()) && set.contains(state.as_bytes()));
        }
    }

    #[test]
    fn all_that_is_asked_for_must_hold() {
        let endpoint = |address, port| Endpoint {
            address: ip(address),
            port,
        };
        let row = Connection {
            protocol: b"TCP",
            client: endpoint("10.1.2.3", 50000),
            service: endpoint("10.0.0.1", 80),
            server: endpoint("10.0.0.2", 8080),
            state: b"ESTABLISHED",
            expires: 1,
            engine: None,
            origin: None,
        };
        let mut states = StateSet::default();
        states.insert(b"established");
        let all = ConnectionFilter {
            protocol: Some(Protocol::Tcp),
            service: Some(EndpointFilter::host(ip("10.0.0.1"), 80)),
            server: Some(EndpointFilter::host(ip("10.0.0.2"), 0)),
            client: Some(EndpointFilter {
                network: Network::of(ip("10.1.0.0"), 16),
                port: Some(50000),
            }),
            states: Some(states),
            origins: None,
        };
        assert!(all.matches(&row) && ConnectionFilter::default().matches(&row));
        let others = [
            Connection {
                protocol: b"UDP",
                ..row
            },
            Connection {
                client: endpoint("10.2.2.3", 50000),
                ..row
            },
            Connection {
                client: endpoint("10.1.2.3", 50001),
                ..row
            },
            Connection {
                service: endpoint("10.0.0.1", 81),
                ..row
            },
            Connection {
                service: endpoint("10.0.0.2", 80),
                ..row
            },
            Connection {
                server: endpoint("10.0.0.3", 8080),
                ..row
            },
            Connection {
                state: b"CLOSE",
                ..row
            },
        ];
        for other in others {
            assert!(!all.matches(&other), "{other:?}");
        }
        let port = Connection {
            server: endpoint("10.0.0.2", 1),
            ..row
        };
        assert!(all.matches(&port));
    }
}
