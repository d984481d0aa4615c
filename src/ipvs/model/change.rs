//! Everything that alters the kernel's table.

use super::{Daemon, Protocol, ServerConfig, ServerKey, ServiceConfig, ServiceKey, Timeouts};

/// One thing to change, which becomes one message to the kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// Adds a virtual service.
    AddService(ServiceKey, ServiceConfig),
    /// Sets up a virtual service anew.
    EditService(ServiceKey, ServiceConfig),
    /// Deletes a virtual service with its servers.
    DeleteService(ServiceKey),
    /// Deletes all virtual services.
    Flush,
    /// Adds a server to a virtual service.
    AddServer(ServiceKey, ServerKey, ServerConfig),
    /// Sets up a server anew.
    EditServer(ServiceKey, ServerKey, ServerConfig),
    /// Deletes a server from a virtual service.
    DeleteServer(ServiceKey, ServerKey),
    /// Resets the counters of a virtual service and its servers; without one, all
    /// counters.
    Zero(Option<ServiceKey>),
    /// Sets the session time-outs.
    SetTimeouts(Timeouts),
    /// Starts a sync daemon.
    StartDaemon(Daemon),
    /// Stops the sync daemon of that role and that id.
    StopDaemon(Daemon),
}

impl Change {
    /// Whether this crate knows all that it names: the kernel may report a protocol
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
