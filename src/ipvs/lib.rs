#![doc = include_str!("README.md")]
//!
//! # Layers
//!
//! They depend on each other in one direction only, on those below:
//!
//! * `kernel`: sockets, namespaces, the client [`Ipvs`]
//! * [`wire`]: the bytes of the messages
//! * `model`: what services, servers and daemons are
//!
//! [`netlink`] is for a program that talks to other families too.

#![forbid(unsafe_code)]
// A number that may not fit is converted by `try_from`, or says why it fits.
#![cfg_attr(
    not(test),
    warn(
        clippy::cast_possible_truncation,
        clippy::cast_possible_wrap,
        clippy::cast_sign_loss
    )
)]

mod kernel;
mod model;
pub mod netlink;
#[cfg(test)]
#[path = "../random.rs"]
mod random;
pub mod wire;

pub use kernel::{
    BatchError, Errno, Ipvs, KernelError, ListError, Modprobe, Namespace, NamespaceError, OpenError,
};
pub use model::{
    Change, Daemon, DaemonConfig, DaemonRole, Family, Forwarding, Info, Name, Netmask, Protocol,
    SCHEDULERS, Server, ServerConfig, ServerKey, Service, ServiceConfig, ServiceFlags, ServiceKey,
    Stats, Table, Timeouts, Tunnel, TunnelChecksum,
};
