//! What a conversation with any netlink family needs, for a program that talks to
//! another one besides IPVS: a socket, the messages of a datagram, attributes.

pub use crate::kernel::{Channel, Datagram, LARGE, list};
pub use crate::wire::attribute::{
    Length, Sink, Values, Writer, align, attributes, find, u8_of, u32_of,
};
pub use crate::wire::{Body, Malformed, Message, append, messages};
