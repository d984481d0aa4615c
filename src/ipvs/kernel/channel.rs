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
    /// Whether the kernel has said that it dropped another one before.
    pub after_loss: bool,
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
    pub fn open(protocol: isize) -> Result<Channel, KernelError> {
        Ok(Channel {
            socket: Socket::new(protocol).map_err(KernelError::NoSocket)?,
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
    pub fn request(
        &mut self,
        request: impl NetlinkSerializable,
        flags: u16,
    ) -> Result<u32, KernelError> {
        let mut outbox = std::mem::take(&mut self.outbox);
        outbox.clear();
        let sequence = self.append(&mut outbox, request, flags);
        self.outbox = outbox;
        self.send(&self.outbox)?;
        Ok(sequence)
    }

    /// Sends requests as they are, in one datagram.
    pub fn send(&self, bytes: &[u8]) -> Result<(), KernelError> {
        let kernel = SocketAddr::new(0, 0);
        // The kernel has these errors before it looks at the request.
        let again = [libc::EAGAIN, libc::ENOBUFS, libc::ENOMEM];
        let mut tries = 1..TRIES;
        loop {
            match uninterrupted(|| self.socket.send_to(bytes, &kernel, 0)) {
                Ok(_) => return Ok(()),
                Err(error) if is_one_of(&error, &again) && tries.next().is_some() => {}
                Err(error) => return Err(KernelError::Unsent(error)),
            }
        }
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
        let mut trouble: Option<io::Error> = None;
        let mut tries = 1..TRIES;
        let len = loop {
            let mut room = &mut self.inbox[..size];
            let (socket, room) = (&self.socket, &mut room);
            match uninterrupted(|| socket.recv_from(room, flags)) {
                Ok((len, sender)) if sender.port_number() == 0 => break len,
                Ok(_) => {}
                // Such a thing is said once, and what is queued is still there.
                Err(error) => {
                    let error = match trouble.take() {
                        Some(before) if is_one_of(&error, &[libc::EAGAIN]) => before,
                        _ => error,
                    };
                    if tries.next().is_none() {
                        return Err(unread(error));
                    }
                    trouble = Some(error);
                }
            }
        };
        let is_overrun = |error: &io::Error| is_one_of(error, &[libc::ENOBUFS]);
        Ok(Datagram {
            bytes: &self.inbox[..len.min(size)],
            cut: len > size,
            after_loss: trouble.as_ref().is_some_and(is_overrun),
            header: self.header,
        })
    }

    /// Sends a request that changes nothing, and gives the first message that
    /// answers it to `read`. If the answer is missing, asks once more.
    pub fn ask<T>(
        &mut self,
        request: impl NetlinkSerializable + Clone,
        read: impl Fn(Body<'_>) -> Result<T, KernelError>,
    ) -> Result<T, KernelError> {
        let sequence = self.request(request.clone(), 0)?;
        match self.answer(sequence, &read) {
            Err(error) if error.may_be_done() => {
                let sequence = self.request(request, 0)?;
                self.answer(sequence, read)?
            }
            answer => answer?,
        }
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

/// How often something is tried that fails for want of memory.
const TRIES: usize = 3;

fn is_one_of(error: &io::Error, errnos: &[i32]) -> bool {
    error
        .raw_os_error()
        .is_some_and(|errno| errnos.contains(&errno))
}

/// The error of a read; an empty queue is where an answer should be.
fn unread(error: io::Error) -> KernelError {
    match error.kind() {
        io::ErrorKind::WouldBlock => KernelError::Lost,
        _ => KernelError::Unread(error),
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
