//! Looking at the table again and again: when to look, and rates from two
//! readings and the time between them.
//!
//! [`Pace`] says when to look; [`TableReader`] reads the table at the right
//! moment; [`Sampler`] turns the kernel's counters into rates and is pure;
//! [`rfc3339`] writes the time. ipvstop and `--watch` share them. This module
//! must not print.

mod pace;
mod reader;
mod sampler;
mod time;

pub use pace::Pace;
pub use reader::{Reading, TableReader};
pub use sampler::{Rates, Sampler};
pub use time::rfc3339;

use std::time::Duration;

/// How often the kernel updates its counters.
pub const PERIOD: Duration = Duration::from_secs(2);

/// What is said where they are not.
pub const COUNTERS_NOT_UPDATED: &str = "counters are not updated: net.ipv4.vs.run_estimation is 0";
