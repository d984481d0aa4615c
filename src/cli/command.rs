//! What a command line means: nothing that is illegal can be said here.

use crate::model::{Change, ServerKey, ServiceKey, Style};

/// One command, ready to be carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// One change of the kernel's table.
    Change(Change),
    /// `-d --drain`
    Drain {
        /// The service.
        service: ServiceKey,
        /// The real server to take out.
        server: ServerKey,
        /// How long to wait, in seconds; `None` waits for ever.
        limit: Option<u32>,
    },
    /// `-L`
    List(List),
    /// `-S`
    Save {
        /// Addresses and ports as numbers.
        numeric: bool,
        /// Also the session time-outs and the sync daemons.
        all: bool,
    },
    /// `-R`
    Restore(Restore),
    /// `-h`
    Help,
    /// `-v`
    Version,
}

/// What to list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum List {
    /// Services and servers.
    Table {
        /// This service only.
        service: Option<ServiceKey>,
        /// Which columns.
        style: Style,
        /// In order, or as the kernel has them.
        sorted: bool,
        /// Addresses and ports as numbers.
        numeric: bool,
    },
    /// Connections.
    Connections {
        /// With the data of persistence engines.
        engines: bool,
        /// Addresses and ports as numbers.
        numeric: bool,
    },
    /// Session time-outs.
    Timeouts,
    /// Sync daemons.
    Daemons,
}

/// How to take rules in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Restore {
    /// Make the table equal to the rules.
    pub replace: bool,
    /// Print what would be done instead.
    pub dry_run: bool,
}
