//! The kernel's table of connections: whole, filtered or counted.
//!
//! Only `reader` reads: [`Connections`] opens /proc/net/ip_vs_conn, or ip_vs_conn_sync
//! where it is asked who made a connection, `row` parses
//! its rows, and `recent` knows which of them were handed out before. All else
//! works on what was read: a [`ConnectionFilter`] matches a [`Connection`] or not,
//! and `tally` counts them by [`Keys`].

mod connection;
mod count;
mod filter;
mod reader;
mod recent;
mod row;
mod tally;

pub use connection::{Connection, Endpoint, Origin};
pub use count::{Count, Counting, Key, KeyValue, Keys};
pub use filter::{ConnectionFilter, OriginSet, STATES, StateSet};
pub use reader::{Connections, Rows, TABLE, Unreadable};
pub use row::{Layout, take_row};
pub(crate) use tally::{Groups, Tally};
