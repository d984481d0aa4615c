//! ipvstop, the program: everything is in the library.
#![no_main]

#[path = "../start.rs"]
mod start;

use ipvstop::run;
