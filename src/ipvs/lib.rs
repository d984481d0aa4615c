//! The Linux Virtual Server (IPVS), the load balancer inside the Linux kernel,
//! over generic netlink.
//!
//! [`Ipvs`] is the conversation with the kernel: it lists virtual services and
//! their real servers, completely even while others change them, and makes
//! [`Change`]s. Its parts depend on each other in one direction only:
//!
//! * `kernel` talks to the kernel
//! * [`wire`] knows the bytes of those messages
//! * `model` says what services, servers and daemons are

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

pub use kernel::{Ipvs, KernelError, ListError, Namespace, NamespaceError, OpenError};
pub use model::{
    Change, Daemon, DaemonConfig, DaemonRole, Family, Forwarding, Info, Name, Netmask, Protocol,
    SCHEDULERS, SchedFlag, Server, ServerConfig, ServerKey, Service, ServiceConfig, ServiceFlags,
    ServiceKey, Stats, Timeouts, Tunnel, TunnelChecksum,
};
