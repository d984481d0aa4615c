//! One netlink socket: requests out, datagrams in.
//!
//! The kernel processes a request while it is being sent, so that all answers
//! are there when the send returns: nothing here ever waits. An answer that is
//! missing was lost.

use super::error::KernelError;
use crate::wire::{self, Body, Malformed, Message};
use netlink_packet_core::NetlinkSerializable;
use netlink_packet_generic::constants::GENL_HDRLEN;
use netlink_sys::protocols::NETLINK_GENERIC;
use netlink_sys::{Socket, SocketAddr};
use std::io;

/// Receive size where little is expected, and for the servers of a service:
/// the kernel takes the largest size that the socket ever received with for
/// its next dumps, and large ones cost it more.
pub const SMALL: usize = 4 << 10;

/// Receive size where much is expected. The kernel takes no more than 32 KiB less
/// its own bookkeeping, which this leaves room for.
pub const LARGE: usize = 31 << 10;

/// A socket, its numbering of requests and its buffers.
pub struct Channel {
    socket: Socket,
    /// How long the header is that the messages of a family begin with.
    header: usize,
    sequence: u32,
    largest: usize,
    outbox: Vec<u8>,
    inbox: Vec<u8>,
}

/// What one receive brought.
pub struct Datagram<'a> {
    /// As much as fitted.
    pub bytes: &'a [u8],
    /// Whether there was more.
    pub cut: bool,
    /// How long the header is that the messages of its family begin with.
    pub header: usize,
}

impl<'a> Datagram<'a> {
    /// The messages in it; after a malformed one nothing follows.
    pub fn messages(&self) -> impl Iterator<Item = Result<Message<'a>, Malformed>> + use<'a> {
        wire::messages(self.bytes, self.header)
    }
}

impl Channel {
    /// A new socket of one of the `NETLINK_*` protocols; the kernel names it when
    /// it first sends. It belongs to the network namespace in which this is done.
    pub fn open(protocol: isize) -> io::Result<Channel> {
        Ok(Channel {
            socket: Socket::new(protocol)?,
            header: match protocol {
                NETLINK_GENERIC => GENL_HDRLEN,
                _ => 0,
            },
            sequence: 0,
            largest: 0,
            outbox: Vec::new(),
            inbox: Vec::new(),
        })
    }

    /// The socket itself, for its options.
    pub fn socket(&self) -> &Socket {
        &self.socket
    }

    /// The largest size that was received with so far.
    pub fn largest(&self) -> usize {
        self.largest
    }

    /// Appends a request to `out` and gives its sequence number, which no earlier
    /// one of this socket has. `flags` are the `NLM_F_*` that it has besides
    /// `NLM_F_REQUEST`.
    pub fn append(
        &mut self,
        out: &mut Vec<u8>,
        request: impl NetlinkSerializable,
        flags: u16,
    ) -> u32 {
        self.sequence = self.sequence.wrapping_add(1);
        wire::append(out, request, flags, self.sequence);
        self.sequence
    }

    /// Sends one request in the same way.
    pub fn request(&mut self, request: impl NetlinkSerializable, flags: u16) -> io::Result<u32> {
        let mut outbox = std::mem::take(&mut self.outbox);
        outbox.clear();
        let sequence = self.append(&mut outbox, request, flags);
        self.outbox = outbox;
        self.send(&self.outbox)?;
        Ok(sequence)
    }

    /// Sends requests as they are, in one datagram.
    pub fn send(&self, bytes: &[u8]) -> io::Result<()> {
        let kernel = SocketAddr::new(0, 0);
        uninterrupted(|| self.socket.send_to(bytes, &kernel, 0))?;
        Ok(())
    }

    /// The next datagram from the kernel, received with `size` bytes (at most
    /// [`LARGE`]); [`KernelError::Lost`] if there is none. What other processes
    /// send here is skipped.
    pub fn receive(&mut self, size: usize) -> Result<Datagram<'_>, KernelError> {
        let size = size.min(LARGE);
        self.largest = self.largest.max(size);
        // Most programs never expect much, and memory costs when it is touched.
        if self.inbox.len() < size {
            self.inbox.resize(size, 0);
        }
        let flags = libc::MSG_DONTWAIT | libc::MSG_TRUNC;
        let len = loop {
            let mut room = &mut self.inbox[..size];
            let (socket, room) = (&self.socket, &mut room);
            let (len, sender) = uninterrupted(|| socket.recv_from(room, flags)).map_err(lost)?;
            if sender.port_number() == 0 {
                break len;
            }
        };
        Ok(Datagram {
            bytes: &self.inbox[..len.min(size)],
            cut: len > size,
            header: self.header,
        })
    }

    /// The first message that answers the request `sequence`, given to `read`.
    /// Answers to earlier requests are skipped.
    pub fn answer<T>(
        &mut self,
        sequence: u32,
        read: impl FnOnce(Body<'_>) -> T,
    ) -> Result<T, KernelError> {
        loop {
            for message in self.receive(SMALL)?.messages() {
                let message = message?;
                if message.sequence == sequence && message.body != Body::Other {
                    return Ok(read(message.body));
                }
            }
        }
    }
}

/// An empty queue where an answer should be.
fn lost(error: io::Error) -> KernelError {
    match error.kind() {
        io::ErrorKind::WouldBlock => KernelError::Lost,
        _ => KernelError::Socket(error),
    }
}

/// Repeats what a signal interrupted.
fn uninterrupted<T>(mut call: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    loop {
        match call() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}
