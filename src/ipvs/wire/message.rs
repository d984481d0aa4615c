//! Messages: the netlink and generic netlink headers around the attributes.
//!
//! This module must not know which request a message answers, nor what to do
//! about it.

use super::attribute::align;
use netlink_packet_core::{
    DoneBuffer, ErrorBuffer, NLM_F_REQUEST, NLMSG_DONE, NLMSG_ERROR, NetlinkBuffer, NetlinkHeader,
    NetlinkMessage, NetlinkPayload, NetlinkSerializable,
};
use std::fmt;

/// Types below this are netlink's own (`NLMSG_MIN_TYPE` in linux/netlink.h).
const NLMSG_MIN_TYPE: u16 = 16;

/// Appends one request to `out`: `flags` are the `NLM_F_*` that it has besides
/// `NLM_F_REQUEST`, and the answers carry `sequence`.
pub fn append(out: &mut Vec<u8>, request: impl NetlinkSerializable, flags: u16, sequence: u32) {
    let mut header = NetlinkHeader::default();
    header.flags = NLM_F_REQUEST | flags;
    header.sequence_number = sequence;
    let mut message = NetlinkMessage::new(header, NetlinkPayload::InnerMessage(request));
    message.finalize();
    let start = out.len();
    out.resize(start + message.header.length as usize, 0);
    message.serialize(&mut out[start..]);
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
    /// A reply of the family: what follows its header.
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

/// The messages of one datagram; in those of the family, `header` bytes stand
/// before the data. After a malformed one nothing follows.
#[inline]
pub fn messages(
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
