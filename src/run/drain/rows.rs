//! Which rows of the kernel's table of connections are connections of a real
//! server, and which of those are open.
//!
//! This module must not know where the rows come from.

use crate::connections::Connection;
use ipvs::{Family, ServerKey, Service, ServiceKey};

/// For how many seconds after its last packet a closed TCP connection still
/// counts as open: what was lost on the way is sent again within that.
const LINGER: u64 = 5;

/// The server whose connections are looked for.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    service: ServiceKey,
    server: ServerKey,
    any_server_port: bool,
}

impl Target {
    /// The server `server` of `service`.
    pub fn new(service: &Service, server: ServerKey) -> Target {
        // A persistent service of many ports leaves each connection the port
        // that it came for (ip_vs_sched_persist in ip_vs_core.c).
        let many_ports = matches!(
            service.key,
            ServiceKey::Fwmark { .. } | ServiceKey::Address { port: 0, .. }
        );
        Target {
            service: service.key,
            server,
            any_server_port: server.port == 0 || many_ports && service.config.flags.persistent(),
        }
    }

    /// Whether `row` is a connection of this server, open or not.
    ///
    /// A row does not tell its service. One of another service may be taken
    /// for this one's where both are for the same server and one of them is for
    /// a mark or for all ports; never the other way round.
    pub fn has(&self, row: &Connection) -> bool {
        row.server.address == self.server.address
            && (self.any_server_port || row.server.port == self.server.port)
            && self.is_of_service(row)
            && !row.is_template()
    }

    /// Whether `row` remembers this server for a client.
    pub fn has_template(&self, row: &Connection) -> bool {
        let is_of_service = match self.service {
            ServiceKey::Address {
                protocol, address, ..
            } => {
                row.protocol == protocol.kernel_name().as_bytes() && row.service.address == address
            }
            ServiceKey::Fwmark { .. } => row.protocol == b"IP",
        };
        row.is_template()
            && is_of_service
            && row.server.address == self.server.address
            && (self.any_server_port || [0, self.server.port].contains(&row.server.port))
    }

    fn is_of_service(&self, row: &Connection) -> bool {
        match self.service {
            ServiceKey::Address {
                protocol,
                address,
                port,
            } => {
                row.protocol == protocol.kernel_name().as_bytes()
                    && row.service.address == address
                    && (port == 0 || row.service.port == port)
            }
            ServiceKey::Fwmark { family, .. } => Family::of(&row.service.address) == family,
        }
    }
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
