//! Real servers ("destinations" in the kernel).

use super::Stats;
use std::fmt;
use std::net::{IpAddr, SocketAddr};

/// What makes a real server this one within its service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServerKey {
    /// The server's address, which may be of another family than its service's.
    pub address: IpAddr,
    /// The port in host byte order; 0 where the service decides.
    pub port: u16,
}

/// `10.0.0.11:80`
impl fmt::Display for ServerKey {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        SocketAddr::new(self.address, self.port).fmt(f)
    }
}

impl From<SocketAddr> for ServerKey {
    fn from(at: SocketAddr) -> ServerKey {
        ServerKey {
            address: at.ip(),
            port: at.port(),
        }
    }
}

/// How packets reach the server (`IP_VS_CONN_F_FWD_MASK` in linux/ip_vs.h).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Forwarding {
    /// `IP_VS_CONN_F_MASQ`: network address translation
    Masq,
    /// `IP_VS_CONN_F_LOCALNODE`: the director itself; only the kernel says so
    Local,
    /// `IP_VS_CONN_F_TUNNEL`: encapsulated
    Tunnel(Tunnel),
    /// `IP_VS_CONN_F_DROUTE`: direct routing
    Route,
    /// `IP_VS_CONN_F_BYPASS`: the kernel's cache bypass
    Bypass,
    /// A method that linux/ip_vs.h does not have yet.
    Other {
        /// Its number, 5 to 7.
        method: u8,
        /// What the kernel says about a tunnel, which the method may need.
        tunnel: Tunnel,
    },
}

impl Forwarding {
    /// Whether linux/ip_vs.h has the method, and its kind of tunnel.
    pub fn is_known(&self) -> bool {
        !matches!(
            self,
            Forwarding::Other { .. } | Forwarding::Tunnel(Tunnel::Other { .. })
        )
    }
}

/// The encapsulation of a tunnelled server (`IP_VS_CONN_F_TUNNEL_TYPE_*`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Tunnel {
    /// IP in IP
    Ipip,
    /// Generic UDP encapsulation
    Gue {
        /// UDP port of the tunnel's end, in host byte order.
        port: u16,
        /// What the tunnel's header carries.
        checksum: TunnelChecksum,
    },
    /// Generic routing encapsulation
    Gre {
        /// What the tunnel's header carries.
        checksum: TunnelChecksum,
    },
    /// A type or flags that linux/ip_vs.h does not have yet.
    Other {
        /// The number of the type.
        kind: u8,
        /// The port, in host byte order.
        port: u16,
        /// `IP_VS_TUNNEL_ENCAP_FLAG_*`
        flags: u16,
    },
}

/// Checksums in a tunnel's header (`IP_VS_TUNNEL_ENCAP_FLAG_*`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum TunnelChecksum {
    /// No checksum
    #[default]
    None,
    /// A checksum
    Checksum,
    /// A remote checksum; GUE only
    Remote,
}

/// How a real server is set up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ServerConfig {
    /// How packets reach it.
    pub forwarding: Forwarding,
    /// Its share of new connections; 0 takes none.
    pub weight: i32,
    /// The upper connection threshold: once reached, no new ones; 0 is no
    /// limit.
    pub upper_threshold: u32,
    /// The lower connection threshold: new ones again below it; 0 lets the kernel
    /// choose.
    pub lower_threshold: u32,
}

impl ServerConfig {
    /// With weight 1 and no thresholds.
    pub fn new(forwarding: Forwarding) -> ServerConfig {
        ServerConfig {
            forwarding,
            weight: 1,
            upper_threshold: 0,
            lower_threshold: 0,
        }
    }

    /// Whether the two are the same: those that the kernel handles itself are
    /// written as direct routing, and compare so.
    pub fn is_same(&self, other: &ServerConfig) -> bool {
        let written = |config: &ServerConfig| ServerConfig {
            forwarding: match config.forwarding {
                Forwarding::Local | Forwarding::Bypass => Forwarding::Route,
                other => other,
            },
            ..*config
        };
        written(self) == written(other)
    }
}

/// A real server as the kernel lists it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Server {
    /// Which server.
    pub key: ServerKey,
    /// Its set-up.
    pub config: ServerConfig,
    /// Connections in an active state.
    pub active: u32,
    /// All other connections.
    pub inactive: u32,
    /// Persistence templates.
    pub persistent: u32,
    /// Its counters.
    pub stats: Stats,
}

impl Server {
    /// One that has had no connection yet.
    pub fn new(key: ServerKey, config: ServerConfig) -> Server {
        Server {
            key,
            config,
            active: 0,
            inactive: 0,
            persistent: 0,
            stats: Stats::default(),
        }
    }
}
