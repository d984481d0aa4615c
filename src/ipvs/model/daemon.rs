//! Connection synchronisation daemons and session time-outs.

use super::Name;
use std::net::IpAddr;

/// Which of the two daemons (`IP_VS_STATE_*` in linux/ip_vs.h).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DaemonRole {
    /// Sends connections to the backups.
    Master = 1,
    /// Takes connections from the master.
    Backup = 2,
}

impl DaemonRole {
    /// `master` or `backup`.
    pub fn name(self) -> &'static str {
        match self {
            DaemonRole::Master => "master",
            DaemonRole::Backup => "backup",
        }
    }
}

/// How a daemon talks. What is `None` was not asked for: the kernel's default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct DaemonConfig {
    /// The interface; empty only where the kernel says so.
    pub interface: Option<Name>,
    /// Daemons with different ids ignore each other. 0 to 255.
    pub sync_id: u32,
    /// The longest message in bytes.
    pub max_len: Option<u16>,
    /// The multicast group.
    pub group: Option<IpAddr>,
    /// The UDP port, host byte order.
    pub port: Option<u16>,
    /// The TTL (hop limit) of the messages.
    pub ttl: Option<u8>,
}

impl DaemonConfig {
    /// Whether a running daemon is as `asked` for; what was left open may be
    /// anything.
    pub fn is_as_asked(&self, asked: &DaemonConfig) -> bool {
        fn open<T: PartialEq>(running: Option<T>, asked: Option<T>) -> bool {
            asked.is_none() || asked == running
        }
        self.sync_id == asked.sync_id
            && open(self.interface, asked.interface)
            && open(self.max_len, asked.max_len)
            && open(self.group, asked.group)
            && open(self.port, asked.port)
            && open(self.ttl, asked.ttl)
    }
}

/// A running daemon.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Daemon {
    /// Master or backup.
    pub role: DaemonRole,
    /// How it talks.
    pub config: DaemonConfig,
}

/// Session time-outs in seconds. On the way to the kernel, 0 leaves a value
/// as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Timeouts {
    /// TCP sessions
    pub tcp: u32,
    /// TCP sessions after a FIN
    pub tcp_fin: u32,
    /// UDP sessions
    pub udp: u32,
}
