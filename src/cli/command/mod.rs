//! What a command line means, in types that can hold only what is legal.

mod build;

use super::opt::CommandName;
use super::patch::{Desired, ServerOptions};
use crate::check::Ignore;
use crate::connections::{ConnectionFilter, Counting};
use crate::render::Style;
use crate::render::openmetrics::Names;
use crate::selection::Selection;
use ipvs::{Change, Forwarding, ServerKey, ServiceKey};
use std::ffi::OsString;
use std::num::NonZeroU32;
use std::time::Duration;

/// What the user typed: the command, and what holds whatever the command is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invocation<'a> {
    /// The name that the program was called by.
    pub program: &'a [u8],
    /// The network namespace to work in, if not that of the process: a name as
    /// ip-netns(8) has it, or a path.
    pub netns: Option<OsString>,
    /// The port typed with `-r`, which is not that of the server where the service
    /// decides.
    pub server_port: Option<u16>,
    /// What to do.
    pub command: Command,
}

/// One command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// `-h`
    Help,
    /// `-v`
    Version,
    /// `-R`
    Restore(Restore),
    /// `--watch`
    Watch(Watch),
    /// `--check` and `--check-real-server`
    Check {
        /// Where to look.
        check: Check,
        /// What not to report.
        ignore: Vec<Ignore>,
        /// `--json`
        json: bool,
    },
    /// `-e` and `-d` with `--all` or `--vip`
    Hosts(Hosts),
    /// `--ensure` and `--keep` with `--dry-run` or `--json`
    Reach {
        /// The state to reach.
        desired: Box<Desired>,
        /// Print the command instead.
        dry_run: bool,
        /// Say what was changed.
        json: bool,
    },
    /// All that may also stand in rules.
    Action(Action),
}

impl Command {
    /// Whether it is about hosts in any service: `--vip`, and `-r` where C ipvsadm
    /// has none.
    pub fn selects_hosts(&self) -> bool {
        let part = match self {
            Command::Restore(restore) => &restore.part,
            Command::Hosts(hosts) => &hosts.part,
            Command::Check {
                check: Check::Director { part },
                ..
            } => part,
            Command::Watch(watch) => match &watch.what {
                Watched::Changes { part, .. } => part,
                Watched::Listings { list, .. } => return list.selects_hosts(),
            },
            Command::Action(Action::List(list, _)) => return list.selects_hosts(),
            Command::Action(Action::Save(save)) => &save.part,
            _ => return false,
        };
        part.selects_hosts()
    }
}

impl List {
    fn selects_hosts(&self) -> bool {
        match self {
            List::Table { part, .. } => part.selects_hosts(),
            List::Connections { filter, .. } => filter.server.is_some(),
            List::Timeouts | List::Daemons => false,
        }
    }
}

/// A command that may stand in rules. All of them need the kernel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// One change of the kernel's table.
    Change(Change),
    /// What `--keep` and `--ensure` ask for. In a box, since it is large, and
    /// most lines of rules have neither.
    Reach(Box<Desired>),
    /// `-e` and `-d` with `--drain`, in a box for the same reason.
    Drain(Box<Drain>),
    /// `-L`, in a box as well.
    List(Box<List>, Format),
    /// `-S`
    Save(Save),
}

/// How a listing is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// Columns of text, with what the [`List`] says of them.
    #[default]
    Text,
    /// `--json`: one document that says everything, whatever the columns.
    Json,
    /// `--openmetrics`, for services and servers alone.
    OpenMetrics(Names),
}

/// What to list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum List {
    /// Services and servers.
    Table {
        /// This part of the table.
        part: Selection,
        /// Which columns.
        style: Style,
        /// Sorted, or in the kernel's order.
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
        /// These only.
        filter: ConnectionFilter,
        /// Their number by something, instead of themselves.
        by: Option<Counting>,
    },
    /// Session time-outs.
    Timeouts,
    /// Sync daemons.
    Daemons,
}

/// What to check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Check {
    /// This machine, a director.
    Director {
        /// The services of this part of the table only.
        part: Selection,
    },
    /// This machine, a real server.
    RealServer {
        /// The virtual service.
        service: ServiceKey,
        /// The real server, as the director has it.
        server: Option<ServerKey>,
        /// How packets come.
        forwarding: Forwarding,
    },
}

impl Check {
    /// The command that asks for it.
    pub fn name(&self) -> CommandName {
        match self {
            Check::Director { .. } => CommandName::Check,
            Check::RealServer { .. } => CommandName::CheckRealServer,
        }
    }
}

/// An edit of a real server, once nobody is connected to it any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drain {
    /// The service.
    pub service: ServiceKey,
    /// The real server.
    pub server: ServerKey,
    /// What to do with it.
    pub edit: ServerEdit,
    /// How long to wait.
    pub limit: Limit,
}

/// How many seconds `--drain` waits; `None` waits for ever.
pub type Limit = Option<u32>;

/// An edit of real servers in every service that has them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hosts {
    /// Which servers, in which services.
    pub part: Selection,
    /// What to do with them.
    pub edit: ServerEdit,
    /// `--drain`
    pub drain: Option<Limit>,
    /// Print the commands instead.
    pub dry_run: bool,
    /// Say what was changed.
    pub json: bool,
}

/// What to do with a real server that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ServerEdit {
    /// `-e --keep` with these options.
    Keep(ServerOptions),
    /// `-d`
    Delete {
        /// `--ensure`: succeed if there is none.
        ensure: bool,
    },
}

impl ServerEdit {
    /// The command that asks for it.
    pub fn command(&self) -> CommandName {
        match self {
            ServerEdit::Keep(_) => CommandName::EditServer,
            ServerEdit::Delete { .. } => CommandName::DeleteServer,
        }
    }
}

/// What to save.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Save {
    /// Addresses and ports as numbers.
    pub numeric: bool,
    /// Also the session time-outs and the sync daemons.
    pub all: bool,
    /// This part of the table.
    pub part: Selection,
}

/// How to apply rules.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Restore {
    /// Make the table equal to the rules.
    pub replace: bool,
    /// This part of the table, with `replace`; without it, all of it.
    pub part: Selection,
    /// Take each line as if it had `--ensure`.
    pub ensure: bool,
    /// Print what would be done instead.
    pub dry_run: bool,
    /// Say what was changed.
    pub json: bool,
}

/// What to look at again and again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Watch {
    /// What to print.
    pub what: Watched,
    /// The time between two looks.
    pub interval: Duration,
    /// How many looks, if not for ever.
    pub samples: Option<NonZeroU32>,
}

/// What is printed of what is seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Watched {
    /// `-S`: the changes.
    Changes {
        /// Also those of the session time-outs and the sync daemons.
        all: bool,
        /// Those of this part of the table.
        part: Selection,
    },
    /// `-L`: all of it.
    Listings {
        /// What to list.
        list: List,
        /// As documents of one line.
        json: bool,
    },
}
