//! The conversation with the kernel.
//!
//! [`Ipvs`] is the client: it resolves the family once, sends requests, matches the answers to them, and makes listings
//! complete while others change the table.

mod batch;
mod channel;
mod client;
mod coverage;
mod dump;
mod error;
mod listing;
mod look;
mod namespace;
mod open;
mod transport;
mod union;

pub use channel::{Channel, Datagram, LARGE};
pub use client::Ipvs;
pub use dump::list;
pub use error::{BatchError, Errno, KernelError, ListError, NamespaceError, OpenError};
pub use namespace::Namespace;
pub use open::Modprobe;
