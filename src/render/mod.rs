//! Turns plain data into the program's output.
//!
//! Everything is written to a writer, line by line, and looks as it did with
//! the original down to the trailing blanks, because scripts cut columns out of
//! it. This module must not talk to the kernel, look names up (it is given
//! [`Names`](crate::names::Names)) or decide what is to be shown.

mod address;
mod connections;
mod daemon;
mod line;
mod listing;
mod number;
pub mod order;
mod rule;
#[cfg(test)]
mod sample;
mod views;

pub use connections::{connection, connection_titles};
pub use daemon::{daemon, timeouts};
pub use listing::{column_titles, listing_title, server, service};
pub use rule::change_line;
