//! The bytes of the kernel's messages: generic netlink, family `IPVS`.
//!
//! One file an object of linux/ip_vs.h, emitting and parsing side by side, the
//! constants with the header's names and in its order. All numbers are in host
//! byte order unless the text says otherwise.
//!
//! This module must not open sockets, and must not fail on what it does not
//! know: attributes of a newer kernel are skipped, and no input makes it panic.
//!
//! ```
//! use ipvs::wire::{self, Request};
//! use netlink_packet_core::NLM_F_DUMP;
//!
//! // The number that the kernel gave the family, and that of this request.
//! let (family, sequence) = (32, 1);
//! let mut datagram = Vec::new();
//! wire::append(&mut datagram, Request::Services.message(family), NLM_F_DUMP, sequence);
//! // The headers of netlink and generic netlink: all services are asked for.
//! assert_eq!(datagram.len(), 20);
//! ```

mod address;
pub(crate) mod attribute;
mod config;
mod daemon;
mod family;
mod message;
mod request;
mod server;
mod service;
mod stats;

pub use config::{parse_info, parse_timeouts};
pub use daemon::parse_daemon;
pub use family::{FamilyRequest, parse_family};
pub use message::{Body, Malformed, Message, append, messages};
pub use request::Request;
pub use server::parse_server;
pub use service::parse_service;

#[cfg(test)]
mod tests;
