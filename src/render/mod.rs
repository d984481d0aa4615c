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
use ipvs::{Info, Server, Service, ServiceKey};

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
