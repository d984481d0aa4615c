//! Messages: the netlink and generic netlink headers around the attributes.
//!
//! This module must not know which request a message answers, nor what to do
//! about it.

use super::attribute::{Writer, align};
use netlink_packet_core::{
    DoneBuffer, Emitable, ErrorBuffer, NLMSG_DONE, NLMSG_ERROR, NetlinkBuffer, NetlinkHeader,
};
use netlink_packet_generic::constants::GENL_HDRLEN;
use netlink_packet_generic::{GenlFamily, GenlHeader};
use std::fmt;

/// Types below this are netlink's own (`NLMSG_MIN_TYPE` in linux/netlink.h).
const NLMSG_MIN_TYPE: u16 = 16;

/// More bytes than any request takes.
const ROOM: usize = 256;

/// What a request says, after the headers.
pub trait Payload: GenlFamily {
    /// Writes its attributes.
    fn fill(&self, out: &mut Writer);
}

/// Appends one request to `out`: `family` is the family's number, `flags` are
/// `NLM_F_*`, and the answers carry `sequence`.
///
/// Reserves the maximum size and truncates; sizing first walks the attributes
/// twice.
pub fn append(out: &mut Vec<u8>, payload: &impl Payload, family: u16, flags: u16, sequence: u32) {
    let start = out.len();
    out.resize(start + ROOM, 0);
    let mut header = NetlinkHeader::default();
    let (outer, rest) = out[start..].split_at_mut(header.buffer_len());
    let (inner, attributes) = rest.split_at_mut(GENL_HDRLEN);
    let mut writer = Writer::new(attributes);
    payload.fill(&mut writer);
    let length = outer.len() + inner.len() + writer.written();
    header.length = u32::try_from(length).unwrap_or(u32::MAX);
    header.message_type = family;
    header.flags = flags;
    header.sequence_number = sequence;
    header.emit(outer);
    let (cmd, version) = (payload.command(), payload.version());
    GenlHeader { cmd, version }.emit(inner);
    out.truncate(start + length);
}

/// Sets the flags of the request that begins `request`.
pub fn set_flags(request: &mut [u8], flags: u16) -> Result<(), Malformed> {
    let mut header = NetlinkBuffer::new_checked(request).map_err(|_| Malformed)?;
    header.set_flags(flags);
    Ok(())
}

/// One message of a datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message<'a> {
    /// That of the request which it answers.
    pub sequence: u32,
    /// `NLM_F_*`
    pub flags: u16,
    /// How many bytes of the datagram it takes.
    pub len: usize,
    /// What it says.
    pub body: Body<'a>,
}

/// What a message says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Body<'a> {
    /// `NLMSG_ERROR`: the request was refused with this errno (positive), or
    /// was done (0).
    Answer(i32),
    /// `NLMSG_DONE`: a dump has ended, with this errno (positive) or well (0).
    Done(i32),
    /// A reply of the family: its attributes; of rtnetlink, what follows the
    /// netlink header.
    Data(&'a [u8]),
    /// Anything else, to be skipped.
    Other,
}

/// The bytes are not what netlink sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed;

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("malformed netlink message")
    }
}

impl std::error::Error for Malformed {}

/// The messages of one datagram of generic netlink. After a malformed one
/// nothing follows.
pub fn messages(datagram: &[u8]) -> impl Iterator<Item = Result<Message<'_>, Malformed>> {
    messages_with(datagram, GENL_HDRLEN)
}

/// The messages of one datagram of rtnetlink, in the same way.
pub fn route_messages(datagram: &[u8]) -> impl Iterator<Item = Result<Message<'_>, Malformed>> {
    messages_with(datagram, 0)
}

/// The messages of one datagram, in which `header` bytes stand before the data.
#[inline]
fn messages_with(
    datagram: &[u8],
    header: usize,
) -> impl Iterator<Item = Result<Message<'_>, Malformed>> {
    let mut rest = datagram;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let message = parse(rest, header);
        let len = message.map_or(rest.len(), |m| align(m.len));
        rest = rest.get(len..).unwrap_or_default();
        Some(message)
    })
}

#[inline]
fn parse(bytes: &[u8], header: usize) -> Result<Message<'_>, Malformed> {
    let buffer = NetlinkBuffer::new_checked(bytes).map_err(|_| Malformed)?;
    Ok(Message {
        sequence: buffer.sequence_number(),
        flags: buffer.flags(),
        len: buffer.length() as usize,
        body: parse_body(buffer.message_type(), buffer.payload(), header)?,
    })
}

#[inline]
fn parse_body(kind: u16, payload: &[u8], header: usize) -> Result<Body<'_>, Malformed> {
    match kind {
        NLMSG_ERROR => {
            let error = ErrorBuffer::new_checked(payload).map_err(|_| Malformed)?;
            Ok(Body::Answer(
                error.code().map_or(0, |code| positive(code.get())),
            ))
        }
        // Some kernels end a dump without an errno.
        NLMSG_DONE if payload.is_empty() => Ok(Body::Done(0)),
        NLMSG_DONE => {
            let done = DoneBuffer::new_checked(payload).map_err(|_| Malformed)?;
            Ok(Body::Done(positive(done.code())))
        }
        kind if kind < NLMSG_MIN_TYPE => Ok(Body::Other),
        _ => payload.get(header..).map(Body::Data).ok_or(Malformed),
    }
}

/// The kernel sends errnos with a minus sign.
fn positive(code: i32) -> i32 {
    code.checked_abs().unwrap_or(i32::MAX)
}
