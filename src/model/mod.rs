//! What IPVS is made of, as types that cannot hold what IPVS does not allow.
//!
//! A virtual service is named by a [`ServiceKey`], set up by a
//! [`ServiceConfig`] and, when the kernel lists it, carries [`Stats`]; real
//! servers are split the same way, so that identity, configuration and what
//! only the kernel knows never get mixed up. [`Change`] is everything that can
//! be asked of the kernel that alters it; a [`View`] is what a listing shows.
//!
//! This module must not know how things are typed, printed or sent: it depends
//! on nothing else in this crate.

mod change;
mod connection;
mod count;
mod daemon;
mod filter;
mod info;
mod name;
mod network;
mod server;
mod service;
mod stats;
mod view;

pub use change::Change;
pub use connection::{Connection, Endpoint};
pub use count::{Common, Count, Counting, Key, Keys};
pub use daemon::{Daemon, DaemonConfig, DaemonRole, Timeouts};
pub use filter::{ConnectionFilter, EndpointFilter, Network, STATES, StateSet};
pub use info::Info;
pub use name::Name;
pub use network::{Link, LinkAddress, Route, SourceNat};
pub use server::{Forwarding, Server, ServerConfig, ServerKey, Tunnel, TunnelChecksum};
pub use service::{
    Family, Netmask, Protocol, SchedFlag, Service, ServiceConfig, ServiceFlags, ServiceKey,
};
pub use stats::Stats;
pub use view::{Style, View};
