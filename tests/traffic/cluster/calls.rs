//! What a client does: it calls a virtual service and sees who answers.

use super::host::Host;
use super::servers::Transport;
use anyhow::{Context, Result, ensure};
use socket2::Socket;
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// Nothing in the lab takes longer unless it never comes.
const PATIENCE: Duration = Duration::from_secs(10);
/// After this long without an answer there is none.
const SILENCE: Duration = Duration::from_secs(6);

/// A connection, or an exchange of datagrams, that stays open until dropped.
pub struct Call {
    /// The name of the real server that has answered.
    pub server: String,
    /// Whom the server saw calling.
    pub seen_as: SocketAddr,
    socket: Socket,
    transport: Transport,
}

impl Call {
    /// Calls from the caller's namespace.
    fn place(transport: Transport, from: Option<SocketAddr>, to: SocketAddr) -> Result<Self> {
        Self::place_saying(b"hello", transport, from, to, PATIENCE)
    }

    /// The same; `opening` is what the first datagram holds.
    fn place_saying(
        opening: &[u8],
        transport: Transport,
        from: Option<SocketAddr>,
        to: SocketAddr,
        patience: Duration,
    ) -> Result<Self> {
        let socket = transport.socket(&to)?;
        let from = match (transport, from) {
            (Transport::Sctp, None) => Some(usual_source(to)?),
            _ => from,
        };
        if let Some(from) = from {
            socket
                .bind(&from.into())
                .with_context(|| format!("bind to {from}"))?;
        }
        socket.set_read_timeout(Some(patience))?;
        socket.set_write_timeout(Some(patience))?;
        socket
            .connect_timeout(&to.into(), patience)
            .with_context(|| format!("connect to {to}"))?;
        if transport == Transport::Udp {
            socket.send(opening)?;
        }
        let (server, seen_as) = read_greeting(&socket).with_context(|| format!("from {to}"))?;
        Ok(Self {
            server,
            seen_as,
            socket,
            transport,
        })
    }

    /// Sends `bytes` and waits until the server has sent as many back; gives
    /// the name of the server that answers, for datagrams can take many ways.
    pub fn say(&mut self, bytes: &[u8]) -> Result<String> {
        if self.transport == Transport::Udp {
            self.socket.send(bytes)?;
            return Ok(read_greeting(&self.socket)?.0);
        }
        self.socket.write_all(bytes)?;
        let mut back = vec![0; bytes.len()];
        self.socket.read_exact(&mut back).context("no echo")?;
        ensure!(back == bytes, "another echo");
        Ok(self.server.clone())
    }

    /// The client's address.
    pub fn source(&self) -> Result<SocketAddr> {
        self.socket
            .local_addr()?
            .as_socket()
            .context("an internet address")
    }
}

/// Where calls to this address come from. An SCTP socket that is not bound to
/// one address tells the server all it has, and the server's heartbeats to the
/// others go past a masquerading director: the client takes them for
/// somebody else's, and aborts.
fn usual_source(to: SocketAddr) -> Result<SocketAddr> {
    let probe = Transport::Udp.socket(&to)?;
    probe.connect(&to.into())?;
    let mut source = probe
        .local_addr()?
        .as_socket()
        .context("an internet address")?;
    source.set_port(0);
    Ok(source)
}

/// Reads who answers, and whom the server sees.
fn read_greeting(socket: &Socket) -> Result<(String, SocketAddr)> {
    let line = read_line(socket).context("no answer")?;
    let (server, seen_as) = line.split_once(' ').context(line.clone())?;
    Ok((server.to_owned(), seen_as.parse().context(line.clone())?))
}

/// Reads a line, and no more: a datagram must be taken whole.
fn read_line(mut socket: &Socket) -> Result<String> {
    let mut line = Vec::new();
    while !line.contains(&b'\n') {
        let mut bytes = [0; 4096];
        let length = socket.read(&mut bytes)?;
        ensure!(length > 0, "closed");
        line.extend_from_slice(&bytes[..length]);
    }
    let text = String::from_utf8(line)?;
    Ok(text.lines().next().unwrap_or_default().to_owned())
}

impl Host {
    /// Opens a connection that must be answered.
    pub fn call(&self, transport: Transport, to: SocketAddr) -> Result<Call> {
        self.enter(|| Call::place(transport, None, to))
    }

    /// `count` connections one after the other, all kept open.
    pub fn calls(&self, count: usize, transport: Transport, to: SocketAddr) -> Result<Vec<Call>> {
        self.enter(|| {
            (0..count)
                .map(|_| Call::place(transport, None, to))
                .collect()
        })
    }

    /// One connection from each address, all kept open.
    pub fn calls_from(
        &self,
        sources: impl IntoIterator<Item = IpAddr, IntoIter: Send> + Send,
        transport: Transport,
        to: SocketAddr,
    ) -> Result<Vec<Call>> {
        let place = |source| Call::place(transport, Some(SocketAddr::new(source, 0)), to);
        self.enter(|| sources.into_iter().map(place).collect())
    }

    /// Sends a datagram with this text from a port of its own.
    pub fn datagram(&self, text: &str, from: IpAddr, to: SocketAddr) -> Result<Call> {
        let from = Some(SocketAddr::new(from, 0));
        self.enter(|| Call::place_saying(text.as_bytes(), Transport::Udp, from, to, PATIENCE))
    }

    /// Whether a connection is refused, or nobody answers it.
    pub fn is_refused(&self, transport: Transport, to: SocketAddr) -> bool {
        self.enter(|| Call::place_saying(b"hello", transport, None, to, SILENCE))
            .is_err()
    }
}

/// How many of the calls each server has.
pub fn tally<'a>(calls: impl IntoIterator<Item = &'a Call>) -> BTreeMap<String, usize> {
    let mut tally = BTreeMap::new();
    for call in calls {
        *tally.entry(call.server.clone()).or_default() += 1;
    }
    tally
}

/// The tally that is expected: `shares([("s1", 3), ("s2", 1)])`.
pub fn shares<const N: usize>(shares: [(&str, usize); N]) -> BTreeMap<String, usize> {
    shares
        .map(|(server, count)| (server.to_owned(), count))
        .into()
}
