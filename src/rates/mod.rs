//! Watching the table: rates from two readings and the time between them.
//!
//! [`Sampler`] turns the kernel's counters into rates and is pure; [`Looker`]
//! reads the table for it at the right moment; [`rfc3339`] writes the time.
//! ipvstop and `--watch` share them. This module must not print.

mod look;
mod sampler;
mod time;

pub use look::{Look, Looker, counters_are_frozen};
pub use sampler::{Rates, Sampler};
pub use time::rfc3339;

use std::time::Duration;

/// How often the kernel updates its counters.
pub const PERIOD: Duration = Duration::from_secs(2);

/// What is said where they are not.
pub const COUNTERS_NOT_UPDATED: &str = "counters are not updated: net.ipv4.vs.run_estimation is 0";
