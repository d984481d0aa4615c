//! Turns plain data into the program's output.
//!
//! A [`Report`] is a format: it is told what there is, piece by piece, and adds
//! the bytes to a [`Buffer`]. This module must not talk to the kernel, look
//! names up (it is given [`Names`](crate::names::Names)), write the buffer or
//! decide what is to be shown.

mod address;
mod buffer;
pub mod json;
pub mod openmetrics;
pub mod order;
#[cfg(test)]
pub(crate) mod sample;
pub mod text;
mod view;
pub mod words;

pub use buffer::Buffer;
pub use view::{Style, View};

use crate::connections::{Common, Connection, Count, Keys};
use ipvs::{Daemon, Info, Server, Service, ServiceKey, Timeouts};
use std::net::IpAddr;

/// A format of output. Each method adds to `out` what there is to say about one
/// thing; `head` comes first, `end` last and only when nothing failed, and the
/// servers of a service come after it.
pub trait Report {
    /// Whether the table's head is to be told even where one service is listed.
    fn wants_info(&self) -> bool {
        false
    }

    /// Whether addresses may be shown as names, so that [`Report::look_up`] is
    /// to be called before they come.
    fn wants_names(&self) -> bool {
        false
    }

    /// Looks up the names of `addresses`; waits until the resolver's deadline at
    /// most.
    fn look_up(&mut self, _addresses: &mut dyn Iterator<Item = IpAddr>) {}

    /// The beginning of the output.
    fn head(&mut self, out: &mut Buffer, head: &Head);

    /// How often the services and servers are to be told, from the first to the
    /// last; more than once costs the memory of the whole table.
    fn rounds(&self) -> usize {
        1
    }

    /// The services are about to be told for the time `number`, from 0.
    fn round(&mut self, _: &mut Buffer, _number: usize) {}

    /// A virtual service.
    fn service(&mut self, out: &mut Buffer, service: &Service);

    /// A real server of the service that came last, which is `service`.
    fn server(&mut self, out: &mut Buffer, service: &ServiceKey, server: &Server);

    /// A connection.
    fn connection(&mut self, out: &mut Buffer, connection: &Connection);

    /// How many connections have `common` in common, one of each key.
    fn count(&mut self, out: &mut Buffer, count: Count, common: &[Common]);

    /// How many connections there are in all, and what of it has not been told;
    /// comes after all counts.
    fn total(&mut self, out: &mut Buffer, rest: Option<Rest>, total: Count);

    /// The session time-outs.
    fn timeouts(&mut self, out: &mut Buffer, timeouts: &Timeouts);

    /// A sync daemon.
    fn daemon(&mut self, out: &mut Buffer, daemon: &Daemon);

    /// The end of the output.
    fn end(&mut self, out: &mut Buffer);
}

/// What is going to be reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Head {
    /// Services with their servers, and what is said about the whole table.
    Table(Option<Info>),
    /// Connections.
    Connections,
    /// Counts of connections by these keys.
    Counts(Keys),
    /// The session time-outs.
    Timeouts,
    /// The sync daemons.
    Daemons,
}

/// The counts that are not told one by one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rest {
    /// How many there are.
    pub groups: u64,
    /// Their sum.
    pub count: Count,
}
