//! What IPVS is made of, as types that cannot hold what IPVS does not allow.
//!
//! A virtual service is named by a [`ServiceKey`], set up by a
//! [`ServiceConfig`] and, when the kernel lists it, carries [`Stats`]; real
//! servers are split the same way, so that identity, configuration and what
//! only the kernel knows never get mixed up. [`Change`] is everything that can
//! be asked of the kernel that alters it.
//!
//! It depends on nothing else in this crate.

mod change;
mod daemon;
mod info;
mod name;
mod server;
mod service;
mod stats;
mod table;

pub use change::Change;
pub use daemon::{Daemon, DaemonConfig, DaemonRole, Timeouts};
pub use info::Info;
pub use name::Name;
pub use server::{Forwarding, Server, ServerConfig, ServerKey, Tunnel, TunnelChecksum};
pub use service::{
    Family, Netmask, Protocol, SCHEDULERS, Service, ServiceConfig, ServiceFlags, ServiceKey,
};
pub use stats::Stats;
pub use table::Table;
