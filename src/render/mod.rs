//! Turns plain data into the program's output.
//!
//! A [`TableReport`] or a [`ConnectionReport`] is a format: it gets what there is
//! piece by piece, and adds the bytes to a [`Buffer`]. Smaller things have a
//! function for each format. This module must not talk to the kernel, look names
//! up (it is given [`Names`]), write the buffer or decide what is to be shown.

mod address;
mod buffer;
pub mod json;
pub mod openmetrics;
pub mod order;
#[cfg(test)]
pub(crate) mod sample;
pub mod sched_flags;
pub mod shell;
pub mod text;
mod view;
mod visible;
pub mod words;

pub use buffer::Buffer;
pub use view::{Style, View};
pub use visible::visible;

use crate::connections::{Connection, Count, KeyValue, Keys};
use crate::names::Names;
use ipvs::{Family, Info, Netmask, Server, Service, ServiceConfig, ServiceKey, Table};

/// Where a table was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Source {
    /// From netlink, which says everything.
    #[default]
    Netlink,
    /// From /proc/net/ip_vs. It says nothing of flags, engines, tunnels, thresholds,
    /// persistence templates, counters and rates.
    Proc {
        /// The marks of which it does not say the family.
        doubtful: Vec<ServiceKey>,
        /// Whether the time-outs of persistence are told.
        timeouts: bool,
    },
}

impl Source {
    /// A value that only netlink says.
    pub fn told<T>(&self, value: T) -> Option<T> {
        (*self == Source::Netlink).then_some(value)
    }

    /// Keeps what is known of the services of `table` alone.
    pub fn forget_others(&mut self, table: &Table) {
        if let Source::Proc { doubtful, .. } = self {
            let is_there = |key: &_| {
                table
                    .services
                    .iter()
                    .any(|(service, _)| service.key == *key)
            };
            doubtful.retain(is_there);
        }
    }

    /// The family of a service.
    pub fn family(&self, key: &ServiceKey) -> Option<Family> {
        match self {
            Source::Proc { doubtful, .. } if doubtful.contains(key) => None,
            _ => Some(key.family()),
        }
    }

    /// The time-out of persistence, 0 without it.
    pub fn timeout(&self, config: &ServiceConfig) -> Option<u32> {
        match self {
            Source::Proc { timeouts, .. } if config.flags.persistent() && !timeouts => None,
            _ => Some(config.timeout),
        }
    }

    /// The mask of persistence, which netlink also has without that.
    pub fn netmask(&self, service: &Service) -> Option<Netmask> {
        let is_told = match self {
            Source::Netlink => true,
            Source::Proc { .. } => {
                service.config.flags.persistent() && self.family(&service.key).is_some()
            }
        };
        is_told.then_some(service.config.netmask)
    }
}

/// A format of tables. Each method adds to `out` what there is to say about one
/// thing; `head` comes first, `end` last and only when nothing failed, and the
/// servers of a service come after it.
pub trait TableReport {
    /// The names that take the place of addresses, if they are wanted; to be
    /// looked up before the rows come.
    fn names(&mut self) -> Option<&mut dyn Names> {
        None
    }

    /// The beginning, with what there is to say about the whole table.
    fn head(&mut self, _out: &mut Buffer, _info: Option<&Info>) {}

    /// A virtual service.
    fn service(&mut self, out: &mut Buffer, service: &Service);

    /// A real server of the service that came last, which is `service`.
    fn server(&mut self, out: &mut Buffer, service: &ServiceKey, server: &Server);

    /// The end.
    fn end(&mut self, _out: &mut Buffer) {}
}

/// A format of connections and of their counts; the methods are called as those
/// of a [`TableReport`].
pub trait ConnectionReport {
    /// The names that take the place of addresses, if they are wanted; to be
    /// looked up before the rows come.
    fn names(&mut self) -> Option<&mut dyn Names> {
        None
    }

    /// The beginning, of connections or of their counts by these keys.
    fn head(&mut self, out: &mut Buffer, by: Option<Keys>);

    /// A connection.
    fn connection(&mut self, out: &mut Buffer, connection: &Connection);

    /// How many connections have `common` in common, one of each key.
    fn count(&mut self, out: &mut Buffer, count: Count, common: &[KeyValue]);

    /// How many connections there are in all, and what of it had no row of its
    /// own; comes after all counts.
    fn total(&mut self, out: &mut Buffer, rest: Option<Rest>, total: Count);

    /// The end.
    fn end(&mut self, _out: &mut Buffer) {}
}

/// The counts that have no row of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rest {
    /// How many there are.
    pub groups: u64,
    /// Their sum.
    pub count: Count,
}
