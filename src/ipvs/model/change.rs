//! Everything that alters the kernel's table.

use super::{Daemon, ServerConfig, ServerKey, ServiceConfig, ServiceKey, Timeouts};

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
