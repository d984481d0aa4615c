//! The kernel's table of connections: reading it, asking for some of it, and
//! counting what is in it.
//!
//! [`Connections`] reads /proc/net/ip_vs_conn and hands out each [`Connection`]
//! that a [`ConnectionFilter`] lets through; `Tally` counts them by [`Keys`].

mod connection;
mod count;
mod filter;
mod reader;
mod recent;
mod row;
mod tally;

pub use connection::{Connection, Endpoint};
pub use count::{Common, Count, Counting, Key, Keys};
pub use filter::{ConnectionFilter, EndpointFilter, Network, STATES, StateSet};
pub use reader::{Connections, Rows, TABLE, Unreadable};
pub use row::take_row;
pub(crate) use tally::{Groups, Tally};
