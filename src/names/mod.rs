//! Names of hosts and services: for output (from addresses and ports) and for
//! the command line (from words).
//!
//! Host names come from the C library, and so from whatever nsswitch.conf
//! says: a name stands for the address that gethostbyname gives first, as for
//! C ipvsadm, and not for the one that getaddrinfo would sort to the front.
//! Service names are read from /etc/services, once: the C library's safe
//! interface has no names of SCTP ports, parses that file again for each port,
//! and may wait for a server where `files` is not the only source. Sources of
//! service names other than that file are therefore not asked.
//!
//! This module must not print: the caller decides what stands in for a name
//! that does not exist.

mod lookup;
mod pool;
mod resolver;
mod services;

pub use gethostbyname::NoAddress;
pub use lookup::{Lookup, ManyLookup, NoLookup, Several, SystemLookup};
pub use resolver::Resolver;

use ipvs::Protocol;
use std::net::IpAddr;

/// What is known of the names of addresses and ports. Asking never waits.
pub trait Names {
    /// The name of a host; `None` when its address shall be printed.
    fn host(&self, address: &IpAddr) -> Option<&[u8]>;

    /// The name of a service; `None` when its port shall be printed.
    fn service(&self, port: u16, protocol: Protocol) -> Option<&[u8]>;

    /// Looks up what is going to be asked for. May wait, but not for long.
    fn prefetch(&mut self, _addresses: &mut dyn Iterator<Item = IpAddr>) {}
}
