//! What programs say to the kernel's generic netlink, as the kernel itself shows
//! it on a device of the type nlmon.

use socket2::{Domain, Protocol, Socket, Type};
use std::io::Read;

/// The line for `ip -batch` that makes the device in this network namespace.
pub const LINK: &str = "link add nlmon0 type nlmon\nlink set nlmon0 up\n";

const ETH_P_ALL: u16 = 3;
const NLM_F_REQUEST: u16 = 1;

/// Hears all messages from when it was opened.
pub struct Monitor(Socket);

impl Monitor {
    /// Of the network namespace of this thread.
    pub fn open() -> Monitor {
        let all = Protocol::from(i32::from(ETH_P_ALL.to_be()));
        let socket = Socket::new(Domain::PACKET, Type::RAW, Some(all)).expect("a packet socket");
        socket.set_nonblocking(true).expect("a socket");
        Monitor(socket)
    }

    /// The commands of the requests to `family` that were heard, in order.
    pub fn requests(mut self, family: u16) -> Vec<u8> {
        let mut commands = Vec::new();
        let mut packet = vec![0; 128 << 10];
        while let Ok(len) = self.0.read(&mut packet) {
            let mut rest = &packet[..len];
            while let Some((kind, flags, command, tail)) = message(rest) {
                if kind == family && flags & NLM_F_REQUEST != 0 {
                    commands.push(command);
                }
                rest = tail;
            }
        }
        commands
    }
}

/// Type, flags and command of the first message, and what follows it.
fn message(bytes: &[u8]) -> Option<(u16, u16, u8, &[u8])> {
    let len = u32::from_ne_bytes(*bytes.first_chunk()?) as usize;
    let number = |at: usize| Some(u16::from_ne_bytes(*bytes.get(at..)?.first_chunk()?));
    let command = *bytes.get(16)?;
    let tail = bytes
        .get(len.next_multiple_of(4).max(16)..)
        .unwrap_or_default();
    Some((number(4)?, number(6)?, command, tail))
}
