//! What a conversation with any netlink family needs, for a program that talks to
//! another one besides IPVS: a socket, the messages of a datagram, attributes.
//!
//! ```no_run
//! use ipvs::netlink::{Channel, LARGE, find, list};
//! use netlink_packet_route::{RouteNetlinkMessage, link::LinkMessage};
//! use netlink_sys::protocols::NETLINK_ROUTE;
//!
//! # fn names() -> Result<Vec<Vec<u8>>, Box<dyn std::error::Error>> {
//! const IFLA_IFNAME: u16 = 3;
//! let mut channel = Channel::open(NETLINK_ROUTE)?;
//! let request = RouteNetlinkMessage::GetLink(LinkMessage::default());
//! // The attributes come after a header of 16 bytes.
//! let names = list(&mut channel, LARGE, request, |link| {
//!     find(link.get(16..)?, IFLA_IFNAME).map(<[u8]>::to_vec)
//! })?;
//! # Ok(names)
//! # }
//! ```

pub use crate::kernel::{Channel, Datagram, LARGE, list};
pub use crate::wire::attribute::{
    Length, Sink, Values, Writer, align, attributes, find, u8_of, u32_of,
};
pub use crate::wire::{Body, Malformed, Message, append, messages};
