//! Connections as the kernel lists them.

use std::net::IpAddr;

/// One entry of the kernel's table of connections. Its texts are borrowed from
/// the buffer that it was read into: a table may have millions of entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Connection<'a> {
    /// The protocol as the kernel names it.
    pub protocol: &'a [u8],
    /// The client.
    pub client: Endpoint,
    /// The virtual service.
    pub service: Endpoint,
    /// The real server.
    pub server: Endpoint,
    /// The state as the kernel names it.
    pub state: &'a [u8],
    /// Seconds until the entry expires.
    pub expires: u64,
    /// The persistence engine and its data, the latter up to the first blank; not
    /// known where the origin is.
    pub engine: Option<(&'a [u8], &'a [u8])>,
    /// Who made it, where that was read.
    pub origin: Option<Origin>,
}

/// Who made a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// This director.
    Local,
    /// Another one, whose sync daemon has told it.
    Sync,
}

impl Origin {
    /// Both of them.
    pub const ALL: [Origin; 2] = [Origin::Local, Origin::Sync];

    /// Its name on the command line and in output.
    pub fn name(self) -> &'static str {
        match self {
            Origin::Local => "local",
            Origin::Sync => "sync",
        }
    }

    /// The one that the kernel calls so, or the command line.
    pub fn named(name: &[u8]) -> Option<Origin> {
        let mut all = Origin::ALL.into_iter();
        all.find(|origin| origin.name().as_bytes().eq_ignore_ascii_case(name))
    }
}

/// An address and its port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// The address.
    pub address: IpAddr,
    /// The port; 0 for the client in persistence templates.
    pub port: u16,
}

impl Connection<'_> {
    /// The addresses of the client, the service and the server.
    pub fn addresses(&self) -> [IpAddr; 3] {
        [self.client, self.service, self.server].map(|endpoint| endpoint.address)
    }

    /// Whether it is a persistence template, which only remembers the server of a
    /// client. The client's port is also 0 in an FTP data connection that the
    /// client has not opened yet.
    pub fn is_template(&self) -> bool {
        self.client.port == 0 && self.state != b"LISTEN"
    }
}
