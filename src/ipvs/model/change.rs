//! Everything that alters the kernel's table.

use super::{Daemon, Protocol, ServerConfig, ServerKey, ServiceConfig, ServiceKey, Timeouts};

/// One thing to change: what a command line or a rule line means, and what
/// becomes one message to the kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// `-A`
    AddService(ServiceKey, ServiceConfig),
    /// `-E`
    EditService(ServiceKey, ServiceConfig),
    /// `-D`
    DeleteService(ServiceKey),
    /// `-C`
    Flush,
    /// `-a`
    AddServer(ServiceKey, ServerKey, ServerConfig),
    /// `-e`
    EditServer(ServiceKey, ServerKey, ServerConfig),
    /// `-d`
    DeleteServer(ServiceKey, ServerKey),
    /// `-Z`; without a service, all counters
    Zero(Option<ServiceKey>),
    /// `--set`
    SetTimeouts(Timeouts),
    /// `--start-daemon`
    StartDaemon(Daemon),
    /// `--stop-daemon`
    StopDaemon(Daemon),
}

impl Change {
    /// Whether there are options for all of it: the kernel may report a protocol
    /// or a forwarding method that linux/ip_vs.h does not have yet.
    pub fn is_known(&self) -> bool {
        let (service, config) = match self {
            Change::AddService(key, _) | Change::EditService(key, _) => (Some(key), None),
            Change::DeleteService(key) | Change::DeleteServer(key, _) => (Some(key), None),
            Change::AddServer(key, _, config) | Change::EditServer(key, _, config) => {
                (Some(key), Some(config))
            }
            Change::Zero(key) => (key.as_ref(), None),
            _ => (None, None),
        };
        let protocol = service.and_then(ServiceKey::protocol);
        !matches!(protocol, Some(Protocol::Other(_)))
            && config.is_none_or(|config| config.forwarding.is_known())
    }
}
