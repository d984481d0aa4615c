//! Carries commands out: the layer that ties command line, kernel and output
//! together, and the only one that prints errors and chooses the exit status.
//!
//! What a command line means is decided in `cli`, what output looks like in
//! `render`, what the kernel is sent in `ipvs`: none of that belongs here.

mod action;
mod change;
mod check;
mod drain;
mod ensure;
mod exit;
mod failure;
mod hints;
mod hosts;
mod list;
mod lock;
mod metrics;
mod output;
mod programs;
mod progress;
mod ready;
mod replace;
mod restore;
mod save;
mod session;
mod signals;
mod table;
mod terminal;
mod watch;

pub use exit::Exit;
pub use failure::{Failure, Result, report, say};
pub use output::Output;
pub use programs::{ipvsadm, ipvsadm_restore, ipvsadm_save, say_of_names};
pub use session::open;
pub use table::{found, trouble};
pub use terminal::cannot_draw;
