//! What answers on a real server: everything that arrives is sent back, after
//! a line that says who answers and whom it sees.

use anyhow::{Context, Result};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use socket2::{Domain, Protocol, SockAddr, Socket, Type};
use std::io::{ErrorKind, Read, Write};
use std::mem::MaybeUninit;
use std::net::SocketAddr;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    Tcp,
    Udp,
    Sctp,
}

impl Transport {
    pub fn socket(self, family: &SocketAddr) -> Result<Socket> {
        let (kind, protocol) = match self {
            Self::Tcp => (Type::STREAM, Protocol::TCP),
            Self::Udp => (Type::DGRAM, Protocol::UDP),
            Self::Sctp => (Type::STREAM, Protocol::from(132)),
        };
        let domain = Domain::for_address(*family);
        Socket::new(domain, kind, Some(protocol)).with_context(|| format!("{self:?} socket"))
    }
}

/// Where to answer.
pub type Endpoint = (Transport, SocketAddr);

/// The greeting of the server called `name` to `peer`.
fn greeting(name: &str, peer: &SockAddr) -> String {
    let peer = peer
        .as_socket()
        .map_or_else(|| "?".to_owned(), |peer| peer.to_string());
    format!("{name} {peer}\n")
}

/// Servers in a thread; they end when this is dropped.
pub struct Servers {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Servers {
    /// Listens in the caller's namespace.
    pub fn start(name: &str, endpoints: &[Endpoint]) -> Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let mut room = Room {
            name: name.to_owned(),
            listeners: Vec::new(),
            datagrams: Vec::new(),
            streams: Vec::new(),
        };
        for (transport, address) in endpoints {
            let socket = transport.socket(address)?;
            socket.set_reuse_address(true)?;
            socket.set_nonblocking(true)?;
            socket
                .bind(&(*address).into())
                .with_context(|| format!("{name}: {address}"))?;
            match transport {
                Transport::Udp => room.datagrams.push(socket),
                _ => {
                    socket.listen(1024)?;
                    room.listeners.push(socket);
                }
            }
        }
        let stopped = Arc::clone(&stop);
        let thread = thread::spawn(move || {
            while !stopped.load(Ordering::Relaxed) {
                room.attend();
            }
        });
        Ok(Self {
            stop,
            thread: Some(thread),
        })
    }
}

impl Drop for Servers {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

struct Room {
    name: String,
    listeners: Vec<Socket>,
    datagrams: Vec<Socket>,
    streams: Vec<Socket>,
}

impl Room {
    /// Waits a moment for something to arrive, and answers it.
    fn attend(&mut self) {
        let ready: Vec<bool> = {
            let everyone = self
                .listeners
                .iter()
                .chain(&self.datagrams)
                .chain(&self.streams);
            let mut fds: Vec<_> = everyone
                .map(|socket| PollFd::new(socket.as_fd(), PollFlags::POLLIN))
                .collect();
            let _ = poll(&mut fds, PollTimeout::from(100u8));
            fds.iter().map(|fd| fd.any().unwrap_or(false)).collect()
        };
        let (listeners, rest) = ready.split_at(self.listeners.len());
        let (datagrams, streams) = rest.split_at(self.datagrams.len());
        let mut streams = streams.iter();
        self.streams
            .retain_mut(|stream| !streams.next().expect("one each") || echo(stream));
        for (socket, _) in self
            .datagrams
            .iter()
            .zip(datagrams)
            .filter(|(_, ready)| **ready)
        {
            answer(&self.name, socket);
        }
        for (listener, _) in self
            .listeners
            .iter()
            .zip(listeners)
            .filter(|(_, ready)| **ready)
        {
            while let Ok((mut stream, peer)) = listener.accept() {
                let greeted = stream.write_all(greeting(&self.name, &peer).as_bytes());
                if greeted.is_ok() && stream.set_nonblocking(true).is_ok() {
                    self.streams.push(stream);
                }
            }
        }
    }
}

/// Sends back what has arrived; false when the other side is gone.
fn echo(stream: &mut Socket) -> bool {
    let mut bytes = [0; 4096];
    match stream.read(&mut bytes) {
        Ok(0) => false,
        Ok(length) => stream.write_all(&bytes[..length]).is_ok(),
        Err(error) => error.kind() == ErrorKind::WouldBlock,
    }
}

/// Answers all datagrams that have arrived.
fn answer(name: &str, socket: &Socket) {
    let mut bytes = [MaybeUninit::uninit(); 4096];
    while let Ok((length, peer)) = socket.recv_from(&mut bytes) {
        let mut reply = greeting(name, &peer).into_bytes();
        reply.resize(reply.len().max(length), b'.');
        let _ = socket.send_to(&reply, &peer);
    }
}
