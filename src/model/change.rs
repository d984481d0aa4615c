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

/// What a request to the kernel was about, whatever it was applied to: with an
/// errno it says which words the user gets to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // the names are the commands'
pub enum Verb {
    AddService,
    EditService,
    DeleteService,
    Flush,
    AddServer,
    EditServer,
    DeleteServer,
    Zero,
    SetTimeouts,
    StartDaemon,
    StopDaemon,
    List,
}

impl Change {
    /// What kind of change this is.
    pub fn verb(&self) -> Verb {
        match self {
            Change::AddService(..) => Verb::AddService,
            Change::EditService(..) => Verb::EditService,
            Change::DeleteService(..) => Verb::DeleteService,
            Change::Flush => Verb::Flush,
            Change::AddServer(..) => Verb::AddServer,
            Change::EditServer(..) => Verb::EditServer,
            Change::DeleteServer(..) => Verb::DeleteServer,
            Change::Zero(..) => Verb::Zero,
            Change::SetTimeouts(..) => Verb::SetTimeouts,
            Change::StartDaemon(..) => Verb::StartDaemon,
            Change::StopDaemon(..) => Verb::StopDaemon,
        }
    }
}
