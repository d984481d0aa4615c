//! A generic-netlink client as small as the tests can do with, so that what
//! they see of the kernel does not come through the code they test.

use netlink_packet_core::NlasIterator;
use netlink_sys::{Socket, SocketAddr, protocols::NETLINK_GENERIC};
use std::io;

const NLMSG_ERROR: u16 = 2;
const NLMSG_DONE: u16 = 3;
const NLM_F_REQUEST: u16 = 1;
const NLM_F_ACK: u16 = 4;
const NLM_F_DUMP: u16 = 0x300;
const HEADER: usize = 16;
const GENL_HEADER: usize = 4;

/// A family of the kernel's generic netlink, and a socket to talk to it.
pub struct Family {
    socket: Socket,
    id: u16,
}

impl Family {
    /// Resolves the family `name` in the network namespace of this thread.
    pub fn open(name: &str) -> io::Result<Family> {
        const GENL_ID_CTRL: u16 = 16;
        const CTRL_CMD_GETFAMILY: u8 = 3;
        const CTRL_ATTR_FAMILY_ID: u16 = 1;
        const CTRL_ATTR_FAMILY_NAME: u16 = 2;
        let mut socket = Socket::new(NETLINK_GENERIC)?;
        // All answers are there when a request has been sent.
        socket.set_non_blocking(true)?;
        socket.bind_auto()?;
        let mut family = Family {
            socket,
            id: GENL_ID_CTRL,
        };
        let name = attribute(CTRL_ATTR_FAMILY_NAME, &[name.as_bytes(), b"\0"].concat());
        let replies = family.ask(CTRL_CMD_GETFAMILY, &name)?;
        family.id = replies
            .iter()
            .flat_map(|reply| attributes(reply))
            .find(|(kind, _)| *kind == CTRL_ATTR_FAMILY_ID)
            .and_then(|(_, value)| Some(u16::from_ne_bytes(*value.first_chunk()?)))
            .ok_or(io::ErrorKind::NotFound)?;
        Ok(family)
    }

    /// Its number, which is the type of its messages.
    pub fn id(&self) -> u16 {
        self.id
    }

    /// Sends a command; the attributes of each answer.
    pub fn ask(&self, command: u8, attributes: &[u8]) -> io::Result<Vec<Vec<u8>>> {
        self.exchange(NLM_F_REQUEST | NLM_F_ACK, command, attributes)
    }

    /// The same for a command that dumps.
    pub fn dump(&self, command: u8, attributes: &[u8]) -> io::Result<Vec<Vec<u8>>> {
        self.exchange(NLM_F_REQUEST | NLM_F_DUMP, command, attributes)
    }

    fn exchange(&self, flags: u16, command: u8, payload: &[u8]) -> io::Result<Vec<Vec<u8>>> {
        let len = (HEADER + GENL_HEADER + payload.len()) as u32;
        let mut message = Vec::from(len.to_ne_bytes());
        message.extend(self.id.to_ne_bytes());
        message.extend(flags.to_ne_bytes());
        message.extend([0; 8]); // one request at a time needs no numbers
        message.extend([command, 1, 0, 0]);
        message.extend(payload);
        self.socket.send_to(&message, &SocketAddr::new(0, 0), 0)?;
        let mut answers = Vec::new();
        loop {
            let (datagram, _) = self.socket.recv_from_full()?;
            let mut rest = &datagram[..];
            while let Some((kind, body, tail)) = message_of(rest) {
                match kind {
                    NLMSG_ERROR | NLMSG_DONE => return result(body).map(|()| answers),
                    _ => answers.push(body[GENL_HEADER..].to_vec()),
                }
                rest = tail;
            }
        }
    }
}

/// The type and the body of the first message, and what follows it.
fn message_of(bytes: &[u8]) -> Option<(u16, &[u8], &[u8])> {
    let len = u32::from_ne_bytes(*bytes.first_chunk()?) as usize;
    let kind = u16::from_ne_bytes(*bytes.get(4..)?.first_chunk()?);
    let tail = bytes.get(len.next_multiple_of(4)..).unwrap_or_default();
    Some((kind, bytes.get(HEADER..len)?, tail))
}

/// NLMSG_ERROR and NLMSG_DONE begin with the negative errno, or 0.
fn result(body: &[u8]) -> io::Result<()> {
    match body.first_chunk().map(|b| i32::from_ne_bytes(*b)) {
        Some(errno) if errno < 0 => Err(io::Error::from_raw_os_error(-errno)),
        _ => Ok(()),
    }
}

/// One attribute.
pub fn attribute(kind: u16, value: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::from((value.len() as u16 + 4).to_ne_bytes());
    bytes.extend(kind.to_ne_bytes());
    bytes.extend(value);
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes
}

/// The attributes in `bytes`: kind and value each.
pub fn attributes(bytes: &[u8]) -> Vec<(u16, &[u8])> {
    const HEADER: usize = 4;
    let all = NlasIterator::new(bytes).map(|nla| {
        let nla = nla.expect("a whole attribute");
        let (kind, len) = (nla.kind(), nla.value_length());
        (kind, &nla.into_inner()[HEADER..HEADER + len])
    });
    all.collect()
}
